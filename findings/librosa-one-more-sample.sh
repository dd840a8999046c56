#!/usr/bin/env bash
# Ten seconds of 44.1 kHz are 480,001 samples at 48 kHz by librosa, and a made-up zero is the last one.
#
# One would guess: 441,000 samples at 44,100 Hz are 480,000 at 48,000 Hz. librosa's documentation says the number is
#                  ceil(target_sr * len(y) / orig_sr), which is 480,000 exactly.
# What happens:    librosa divides first: 48000 / 44100 rounded to a double, times 441000, is 480000.00000000006, and ceil
#                  makes 480,001 of it. soxr gives 480,000 and the missing sample is filled with 0. So it is from 44,100,
#                  22,050 and 11,025 Hz to 24,000 and 48,000 Hz for 1, 2, 4, 5, 7 to 10, 14 to 21 and 27 to 30 seconds,
#                  and not for 3, 6, 11 to 13 or 22 to 26. To 16,000 Hz and back all are right; so are soxr, scipy, ffmpeg.
# Why it matters:  load(path, sr=48000) of the field's usual clip has another length than a clip recorded at 48 kHz: arrays
#                  do not stack, and laion_clap, whose window is ten seconds of 48 kHz, takes it for longer than that and draws
#                  where to begin: one file has two embeddings, by chance.
# Source:          librosa's documentation of resample; librosa/core/audio.py: ratio and n_samples; laion_clap's
#                  training/data.py, get_audio_features: len(audio_data) > max_len.
# Seen:            by running (librosa 0.11.0, the newest for Python 3.11, and 1.0.0; soxr 1.1.0, scipy 1.17.1, ffmpeg 9.0.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "librosa==0.11.0; python_version < '3.12'" "librosa==1.0.0; python_version >= '3.12'" \
    soxr==1.1.0 scipy==1.17.1 numpy==2.4.6 soundfile==0.14.0 imageio-ffmpeg==0.8.1
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import imageio_ffmpeg
import librosa
import numpy
import scipy.signal
import soundfile
import soxr

sound = numpy.random.default_rng(0).uniform(-0.5, 0.5, 441000).astype("float32")
soundfile.write("clip.wav", sound, 44100)
loaded, _ = librosa.load("clip.wav", sr=48000)
make = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", "clip.wav", "-ar", "48000", "ffmpeg.wav"]
subprocess.run(make, check=True)
lengths = {
    "librosa.load": len(loaded),
    "librosa.resample": len(librosa.resample(sound, orig_sr=44100, target_sr=48000)),
    "soxr": len(soxr.resample(sound, 44100, 48000)),
    "scipy": len(scipy.signal.resample_poly(sound, 160, 147)),
    "ffmpeg": soundfile.info("ffmpeg.wav").frames,
}
print("librosa", librosa.__version__, lengths)
print("the last samples of librosa's:", loaded[-3:], "and", 441000 * (48000 / 44100), "against", 441000 * 48000 / 44100)


def wrong(old, new):
    """The whole seconds up to 30 that are not as many seconds afterwards."""
    return [s for s in range(1, 31) if len(librosa.resample(sound[:1].repeat(old * s), orig_sr=old, target_sr=new)) != new * s]


by_rate = {(old, new): wrong(old, new) for old, new in ((44100, 48000), (22050, 24000), (44100, 16000), (48000, 44100))}
for (old, new), seconds in by_rate.items():
    print(f"{old} to {new} Hz: wrong for clips of", seconds, "s")
some = [1, 2, 4, 5, 7, 8, 9, 10, *range(14, 22), 27, 28, 29, 30]
want = {(44100, 48000): some, (22050, 24000): some, (44100, 16000): [], (48000, 44100): []}
right = dict.fromkeys(lengths, 480000) | {"librosa.load": 480001, "librosa.resample": 480001}
sys.exit((lengths, by_rate, float(loaded[-1])) != (right, want, 0.0))
PY

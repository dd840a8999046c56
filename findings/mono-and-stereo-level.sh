#!/usr/bin/env bash
# By libswresample, stereo made mono is 3 dB louder as floats than as integers, and mono made stereo 3 dB quieter.
#
# One would guess: "mono" is the mean of the two channels, and "stereo" of a mono sound is twice the same, whatever kind
#                  of number one asks for.
# What happens:    `ffmpeg -ac 1` adds half of each channel for 16 and 32-bit integers, and 0.707 of each for floats:
#                  with integers it holds the sum within the range, with floats it leaves it be. So does all that
#                  stands on libswresample: PyAV's AudioResampler by its format; torchcodec's num_channels=1 and
#                  Hugging Face datasets' Audio(num_channels=1), which know floats alone, have 0.707; librosa and
#                  numpy's mean have 0.5. A tone of 0.9 in both channels comes out at 0.9 or at 1.27. The other way,
#                  -ac 2 and num_channels=2 give 0.707 of a mono sound to each side, floats or not: 0.9 is 0.64.
# Why it matters:  features that are made with one reader and met by another are 3 dB apart in the stereo clips alone,
#                  or in the mono ones alone, and what is written to a WAV from such floats is clipped.
# Seen:            by running (ffmpeg 5.1.9 and 9.0.2, av 18.1.0, torchcodec 0.13.0, datasets 5.2.0, librosa 0.11.0).
#                  It needs ffmpeg's libraries (Debian: apt-get install ffmpeg), as torchcodec does.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 av==18.1.0 imageio-ffmpeg==0.8.1 librosa==0.11.0 \
    torch==2.13.0 torchcodec==0.13.0 datasets==5.2.0
cd "$work"
HF_HOME="$work/hf" HF_HUB_OFFLINE=1 venv/bin/python -W ignore - <<'PY'
import subprocess
import sys
import wave

import av
import datasets
import imageio_ffmpeg
import librosa
import numpy
from torchcodec.decoders import AudioDecoder

RATE = 44_100
tone = 0.9 * numpy.sin(2 * numpy.pi * 440 * numpy.arange(RATE) / RATE)
with wave.open("tone.wav", "wb") as out:
    out.setnchannels(2)
    out.setsampwidth(2)
    out.setframerate(RATE)
    out.writeframes((numpy.stack([tone, tone], 1) * 32767).astype("<i2").tobytes())


def by_ffmpeg(program, kind, dtype, scale):
    words = [program, "-nostdin", "-v", "error", "-i", "tone.wav", "-ac", "1", "-f", kind, "-"]
    return numpy.frombuffer(subprocess.run(words, check=True, capture_output=True).stdout, dtype) / scale


def by_pyav(kind):
    resampler = av.AudioResampler(format=kind, layout="mono")
    with av.open("tone.wav") as file:
        parts = [part.to_ndarray().reshape(-1) for frame in file.decode(audio=0) for part in resampler.resample(frame)]
    return numpy.concatenate(parts) / (32768 if kind == "s16" else 1)


feature = datasets.Audio(num_channels=1)
row = datasets.Dataset.from_dict({"sound": ["tone.wav"]}).cast_column("sound", feature)[0]
found = {
    "librosa": librosa.load("tone.wav", sr=None)[0],
    "PyAV, s16": by_pyav("s16"),
    "PyAV, flt": by_pyav("flt"),
    "torchcodec": AudioDecoder("tone.wav", num_channels=1).get_all_samples().data[0].numpy(),
    "datasets": row["sound"].get_all_samples().data[0].numpy(),
}
for version, program in (("the system's", "ffmpeg"), ("9.0.2", imageio_ffmpeg.get_ffmpeg_exe())):
    for kind, dtype, scale in (("s16le", "<i2", 2**15), ("s32le", "<i4", 2**31), ("f32le", "<f4", 1)):
        found[f"ffmpeg {version}, {kind}"] = by_ffmpeg(program, kind, dtype, scale)
with wave.open("one.wav", "wb") as out:
    out.setnchannels(1)
    out.setsampwidth(2)
    out.setframerate(RATE)
    out.writeframes((tone * 32767).astype("<i2").tobytes())
words = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-i", "one.wav", "-ac", "2", "-f", "s16le", "-"]
raw = subprocess.run(words, check=True, capture_output=True).stdout
wide = {
    "ffmpeg 9.0.2, one to two": numpy.frombuffer(raw, "<i2").reshape(-1, 2).T / 32768,
    "torchcodec, one to two": AudioDecoder("one.wav", num_channels=2).get_all_samples().data.numpy(),
}
sides = {name: [round(float(numpy.abs(side).max()), 2) for side in samples] for name, samples in wide.items()}
peaks = {name: round(float(numpy.abs(samples).max()), 2) for name, samples in found.items()}
print(peaks, sides)
floats = {name for name in peaks if name in ("PyAV, flt", "torchcodec", "datasets") or "f32le" in name}
ok = all(peaks == [0.64, 0.64] for peaks in sides.values())
sys.exit(not ok or any(peak != (1.27 if name in floats else 0.9) for name, peak in peaks.items()))
PY

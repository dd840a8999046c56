#!/usr/bin/env bash
# pydub takes the floats of some WAV files for whole numbers: a hum of -100 dB comes at -2 dB, with no word.
#
# One would guess: pydub reads a WAV file of floats, or it refuses it. It does read those of one or two channels at 48 kHz.
# What happens:    WAV has two ways to say "floats": format 3, and the extensible format 65534 with a longer name behind it.
#                  pydub hands format 3 to ffmpeg. It reads 65534 by itself as integers and never looks at the longer
#                  name. The bits of a float begin with its exponent, so all peaks above zero become -3 to -2 dB, loud
#                  noise; digital silence stays silence. ffmpeg writes 65534 for floats above 48 kHz or of more than two
#                  channels; soundfile does so for format="WAVEX". soundfile and scipy read all of them right.
# Why it matters:  rate, channels and length are right. Nothing is silent any more: detect_silence finds no pause in a
#                  clip that has five seconds of one, and a level filter keeps every clip.
# Source:          pydub/audio_segment.py: the formats 1 and 65534 pass, and the width alone chooses the type. ffmpeg's
#                  libavformat/riffenc.c: ff_put_wav_header, the condition for waveformatextensible.
# Seen:            by running (pydub 0.25.1, ffmpeg 9.0.2 of imageio-ffmpeg 0.8.1, soundfile 0.14.0, scipy 1.17.1).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydub==0.25.1 imageio-ffmpeg==0.8.1 soundfile==0.14.0 scipy==1.17.1 numpy==2.4.6 \
    "audioop-lts==0.2.2; python_version >= '3.13'"
cd "$work"
venv/bin/python -W ignore - <<'PY'
import os
import subprocess
import sys

import imageio_ffmpeg
import numpy
import scipy.io.wavfile
import soundfile

os.mkdir("bin")
os.symlink(imageio_ffmpeg.get_ffmpeg_exe(), "bin/ffmpeg")
os.environ["PATH"] = os.path.abspath("bin") + os.pathsep + os.environ["PATH"]
from pydub import AudioSegment, silence  # noqa: E402  it looks for ffmpeg as it is imported

RATE = 48000
tone = numpy.sin(2 * numpy.pi * 440 * numpy.arange(5 * RATE) / RATE)
WAYS = {
    "48 kHz": [],
    "96 kHz": ["-ar", "96000"],
    "six channels": ["-af", "pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0"],
}


def written(peak, words):
    """Five seconds of a tone, then five of a hum 100 dB below full scale, as WAV of floats."""
    sound = numpy.concatenate([tone * 10 ** (peak / 20), tone * 10 ** (-100 / 20)]).astype("float32")
    make = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "f32le", "-ar", str(RATE), "-ac", "1", "-i", "-"]
    subprocess.run([*make, *words, "-c:a", "pcm_f32le", "x.wav"], input=sound.tobytes(), check=True)
    with open("x.wav", "rb") as file:
        return int.from_bytes(file.read(22)[20:], "little")


def loudest(samples):
    return round(20 * numpy.log10(numpy.abs(samples).max()))


found = {}
for way, words in WAYS.items():
    for peak in (-20, -60):
        tag = written(peak, words)
        first = soundfile.read("x.wav")[0], scipy.io.wavfile.read("x.wav")[1]
        sound = AudioSegment.from_file("x.wav")
        levels = [loudest(samples) for samples in first] + [round(sound[:5000].max_dBFS), round(sound[6000:].max_dBFS)]
        pauses = silence.detect_silence(sound, min_silence_len=1000, silence_thresh=-70)
        found[way, peak] = tag, *levels, bool(pauses), len(sound)
        print(f"{way}, {peak} dB: format {tag}; peak by soundfile, scipy, pydub: {levels[:3]}; pydub, the quiet half:", end=" ")
        print(f"{levels[3]} dB; pauses: {pauses}; {len(sound)} ms")
want = {}
for peak in (-20, -60):
    want["48 kHz", peak] = 3, peak, peak, peak, -100, True, 10000
for way in ("96 kHz", "six channels"):
    want[way, -20] = 65534, -20, -20, -3, -2, False, 10000
    want[way, -60] = 65534, -60, -60, -3, -2, False, 10000
sys.exit(found != want)
PY

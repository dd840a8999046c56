#!/usr/bin/env bash
# Microsoft's CLAP lays the two channels of a stereo clip one behind the other and takes seven seconds of that by chance.
#
# One would guess: the channels are averaged, or the first is taken, and the seven seconds are of the clip's ten.
# What happens:    torchaudio.load() gives an array of two rows, and reshape(-1) makes one row of twice the length: ten
#                  seconds of stereo are twenty seconds of mono, the left channel and then the right one. Of 13 s
#                  where the window may begin, 3 give the left channel alone, 3 the right one, and 7 the end of the left
#                  one followed by the beginning of the right one. There is no message. A clip of mono is right.
#                  The random module draws, at every call, for inference too.
# Why it matters:  nearly all clips of the web are stereo. What is heard at once (a voice left, music right) is seen in turn
#                  or not at all, with a jump in time at the seam, and the same file has another embedding each time.
# Source:          msclap/CLAPWrapper.py, load_audio_into_tensor; torchaudio's documentation of load: "(channel, time)".
# Seen:            by running (msclap 1.3.4, torchaudio 2.11.0, torch 2.13.0, torchcodec 0.13.0), its own code from the file
#                  to the tensor, without weights. Needs ffmpeg's libraries (for torchcodec). torch: the CPU build is
#                  enough (pip's --index-url of pytorch.org's cpu wheels).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torch==2.13.0 torchcodec==0.13.0 transformers==5.24.0 librosa==0.11.0 pandas==3.1.1 \
    pyyaml==6.0.4 soundfile==0.14.0 numpy==2.4.6
"$work/venv/bin/pip" install -q --no-deps msclap==1.3.4 torchlibrosa==0.1.0 torchaudio==2.11.0
# torchaudio's compiled part on PyPI asks for a CUDA build of torch; load() does not use it.
rm "$work"/venv/lib/python3*/site-packages/torchaudio/lib/*.so
cd "$work"
HF_HUB_OFFLINE=1 venv/bin/python -W ignore - <<'PY'
import argparse
import collections
import pathlib
import random
import sys

import msclap
import numpy
import soundfile
import yaml

RATE = 44100
time = numpy.arange(10 * RATE) / RATE
left, right = (0.3 * numpy.sin(2 * numpy.pi * hertz * time) for hertz in (300, 1000))
soundfile.write("mono.wav", (left + right) / 2, RATE)
soundfile.write("stereo.wav", numpy.stack([left, right], axis=1), RATE)

settings = yaml.safe_load((pathlib.Path(msclap.__file__).parent / "configs" / "config_2023.yml").read_text())
clap = msclap.CLAP.__new__(msclap.CLAP)  # without its weights, of which reading a file needs none
clap.args, clap.use_cuda = argparse.Namespace(**settings), False
random.seed(0)


def heard(samples):
    """Which of the two tones a piece of sound has."""
    spectrum = numpy.abs(numpy.fft.rfft(samples * numpy.hanning(len(samples))))
    levels = [spectrum[round(hertz * len(samples) / RATE)] for hertz in (300, 1000)]
    return "".join(name for name, level in zip("LR", levels, strict=True) if level > 0.1 * max(levels))


def draw(name):
    """What is heard in each tenth of a second of what the network gets, without repetitions."""
    sound = clap.preprocess_audio([name], resample=True).numpy()[0, 0]
    tenths = [heard(sound[k : k + RATE // 10]) for k in range(0, len(sound) - RATE // 10 + 1, RATE // 10)]
    return " ".join(this for this, before in zip(tenths, ["", *tenths], strict=False) if this != before), len(sound) / RATE


found = {name: collections.Counter(draw(name) for _ in range(130)) for name in ("mono.wav", "stereo.wav")}
for name, draws in found.items():
    print(name, "what is heard, and the seconds:", dict(draws))
stereo = collections.Counter()
for (heard_in_turn, _), count in found["stereo.wav"].items():
    stereo["both at once" if heard_in_turn == "LR" else "one" if len(heard_in_turn) == 1 else "in turn"] += count
print("stereo:", dict(stereo))
alone = found["mono.wav"] == {("LR", 7.0): 130}
sys.exit(not (alone and stereo["both at once"] == 0 and stereo["one"] > 30 and stereo["in turn"] > 30))
PY

#!/usr/bin/env bash
# An 8-bit WAV is near full level by audioread, however quiet it is, and so pyacoustid fingerprints another sound.
#
# One would guess: a quiet tone saved with 8 bits is that tone with some hiss.
# What happens:    WAV has 8-bit samples without a sign, zero being 128; audioread takes them as signed. What was near zero
#                  is near the ends: a tone of level 0.07 comes as a square-like wave of 0.94, silence as a constant
#                  full-scale value. 16, 24 and 32 bits are right, floats too (they go another way). pyacoustid reads by
#                  audioread: its fingerprint of 30 s in 8 bits is 0.35 like that of the same 30 s in 16. soundfile and
#                  scipy are right.
# Why it matters:  sets of sounds gathered from the web have some 8-bit files among thousands of others. Nothing is
#                  raised, length and rate are right.
# Source:          Python's audioop.lin2lin, which audioread/rawread.py calls: 8-bit WAV needs an offset of 128, which is
#                  the caller's task. audioread's pull request 38 (2016) says so.
# Seen:            by running (audioread 3.1.0, pyacoustid 1.3.1). Needs libchromaprint (Debian: libchromaprint1).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q audioread==3.1.0 pyacoustid==1.3.1 soundfile==0.14.0 scipy==1.17.1 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import sys

import acoustid
import audioread
import numpy
import scipy.io.wavfile
import soundfile

RATE = 22050
time = numpy.arange(30 * RATE) / RATE
random = numpy.random.default_rng(3)
pitch = numpy.repeat(220 * 2 ** (random.integers(0, 24, 120) / 12), RATE // 4)
tone = numpy.zeros(30 * RATE)
tone[: len(pitch)] = 0.1 * numpy.sin(2 * numpy.pi * numpy.cumsum(pitch) / RATE)


def by_audioread():
    with audioread.audio_open("sound.wav") as file:
        return numpy.frombuffer(b"".join(file), "<i2") / 32768


def by_scipy():
    samples = scipy.io.wavfile.read("sound.wav")[1]
    return (samples / 128.0 - 1) if samples.dtype == "uint8" else samples / (1.0 + numpy.iinfo(samples.dtype).max)


def level(sound):
    return round(float(numpy.sqrt((sound**2).mean())), 2)


found, prints = {}, {}
for kind in ("PCM_16", "PCM_24", "PCM_32", "PCM_U8"):
    soundfile.write("sound.wav", tone, RATE, subtype=kind)
    readers = by_audioread(), soundfile.read("sound.wav")[0], by_scipy()
    prints[kind] = acoustid.fingerprint_file("sound.wav")
    alike = acoustid.compare_fingerprints(prints["PCM_16"], prints[kind])
    found[kind] = *map(level, readers), len({len(sound) for sound in readers}) == 1, round(alike, 2)
    print(f"{kind:7} level by audioread, soundfile, scipy: {found[kind][:3]} equal lengths: {found[kind][3]}", end=" ")
    print("fingerprint like that of PCM_16:", found[kind][4])
soundfile.write("sound.wav", numpy.zeros(RATE), RATE, subtype="PCM_U8")
silence = by_audioread()
print("silence in 8 bits by audioread:", sorted(set(silence.tolist())))
right = all(found[kind] == (0.07, 0.07, 0.07, True, 1.0) for kind in ("PCM_16", "PCM_24", "PCM_32"))
wrong = found["PCM_U8"][:4] == (0.94, 0.07, 0.07, True) and found["PCM_U8"][4] < 0.5 and set(silence.tolist()) == {-1.0}
sys.exit(not (right and wrong))
PY

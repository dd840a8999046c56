#!/usr/bin/env bash
# pyacoustid: a clip of a song is like it, 1.0, if it begins in its first 14 s; from 16 s on it is unlike, 0.0, as noise is.
#
# One would guess: compare_fingerprints(song, clip), "similarity score [0,1]", finds ten seconds of a song in the song
#                  wherever they are, or says that the two are of unlike length.
# What happens:    only places up to 120 items apart are compared, which is 14.9 s. A clip from 14 s gets 1.0, each one from
#                  16 s on gets 0.0, exactly what white noise gets. Fingerprints themselves are as like as before: slid
#                  along by hand, over 90% of their bits agree at the right place, 50% of noise. Of a song only the first
#                  two minutes are in its fingerprint at all.
# Why it matters:  clips out of songs and films, and two uploads of one song with another opening, are what one compares
#                  in clip datasets: leaks between train and test are missed with a clean 0.0.
# Source:          acoustid.py: MAX_ALIGN_OFFSET = 120, MAX_AUDIO_LENGTH = 120; neither is said in the documentation.
# Seen:            by running (pyacoustid 1.3.1, libchromaprint 1.5.1). Needs that library (Debian: libchromaprint1).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pyacoustid==1.3.1 numpy==2.4.6 soundfile==0.14.0
cd "$work"
venv/bin/python -W ignore - <<'PY'
import sys

import acoustid
import chromaprint
import numpy
import soundfile

RATE = 22050
random = numpy.random.default_rng(3)
time = numpy.arange(RATE // 4) / RATE
notes = []
for _ in range(4 * 160):  # a song of 160 s, two notes each quarter of a second
    low, high = 220 * 2 ** (random.integers(0, 24, 2) / 12)
    notes.append((numpy.sin(2 * numpy.pi * low * time) + numpy.sin(2 * numpy.pi * high * time)) * numpy.exp(-3 * time))
song = numpy.concatenate(notes) * 0.2


def fingerprint(sound):
    soundfile.write("sound.wav", sound, RATE)
    return acoustid.fingerprint_file("sound.wav")


def slid(whole, part):
    """The largest share of equal bits of all places of the part in the whole, and that place in seconds."""
    whole, part = (numpy.array(chromaprint.decode_fingerprint(p[1])[0]).astype("uint32") for p in (whole, part))
    places = range(len(whole) - len(part) + 1)
    share = [1 - numpy.unpackbits((whole[i : i + len(part)] ^ part).view("uint8")).mean() for i in places]
    best = int(numpy.argmax(share))
    return round(float(share[best]), 2), round(best * 1365 / 11025)  # Chromaprint's step: 1,365 samples at 11,025 Hz


whole = fingerprint(song)
found = {}
for start in (0, 2, 14, 16, 20, 30, 60, 100):
    clip = fingerprint(song[start * RATE : (start + 10) * RATE])
    found[start] = acoustid.compare_fingerprints(whole, clip), slid(whole, clip)
    print(f"clip from {start:3} s: pyacoustid {found[start][0]:.2f}; slid by hand, equal bits and place: {found[start][1]}")
noise = fingerprint(random.standard_normal(10 * RATE) * 0.1)
of_noise = acoustid.compare_fingerprints(whole, noise), slid(whole, noise)
print(f"white noise: pyacoustid {of_noise[0]:.2f}; slid by hand: {of_noise[1]}")
early = all(found[start][0] > 0.9 for start in (0, 2, 14))
late = all(found[start][0] == 0 for start in (16, 20, 30, 60, 100)) and of_noise[0] == 0
by_hand = all(abs(place - start) <= 1 and share > 0.9 for start, (_, (share, place)) in found.items())
sys.exit(not (early and late and by_hand and of_noise[1][0] < 0.75))
PY

#!/usr/bin/env bash
# Of 5.1 sound in Ogg, soundfile's second channel is the centre; and its own round trip loses the right surround channel.
#
# One would guess: channel 2 of a 5.1 sound is the right one in every format, as in WAV and FLAC, and what one writes to Ogg
#                  one reads back.
# What happens:    Vorbis and Opus store 5.1 as L C R Ls Rs LFE, WAV and FLAC as L R C LFE Ls Rs. ffmpeg and PyAV turn the
#                  order over as they read, soundfile gives it as it is stored and says nothing of it. As it writes it
#                  does not turn it either: the sixth channel of a WAV, the right surround, becomes the LFE, of which
#                  both encoders keep deep tones alone. Read back by soundfile, five channels seem to have come through
#                  unharmed, each in its place, and the sixth is silent.
# Why it matters:  sound[:, :2] as "the stereo of it" is left and centre; whoever converts a set from WAV to Ogg and tests
#                  it with the same reader sees no wrong order, and a player has speech (the centre) on the right.
# Source:          Vorbis I specification, 4.3.9, output channel order; RFC 7845, 5.1.1.2, channel mapping family 1.
# Seen:            by running (soundfile 0.14.0 with its libsndfile, PyAV 18.1.0, ffmpeg 9.0.2 of imageio-ffmpeg 0.8.1).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q soundfile==0.14.0 av==18.1.0 imageio-ffmpeg==0.8.1 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import imageio_ffmpeg
import numpy
import soundfile

RATE, LENGTH = 48000, 3
TONES = {"L": 300, "R": 500, "C": 700, "LFE": 90, "Ls": 1100, "Rs": 1300}  # one in each channel of the WAV
time = numpy.arange(LENGTH * RATE) / RATE
wav = numpy.stack([0.3 * numpy.sin(2 * numpy.pi * hertz * time) for hertz in TONES.values()], axis=1).astype("float32")
FORMATS = {"flac": [], "ogg": ["-c:a", "libvorbis", "-q:a", "8"], "opus": ["-c:a", "libopus", "-b:a", "512k"]}
SUBTYPES = {"flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS")}


def channels(samples):
    """Which tone each channel has; a dash where there is none."""
    second = samples[RATE : 2 * RATE].astype(float)
    levels = {name: 2 * abs(numpy.exp(-2j * numpy.pi * hertz * time[:RATE]) @ second) / RATE for name, hertz in TONES.items()}
    rows = [{name: levels[name][k] for name in TONES} for k in range(second.shape[1])]
    return " ".join(max(row, key=row.get) if max(row.values()) > 0.1 else "-" for row in rows)


def by_soundfile(name):
    return soundfile.read(name)[0]


def by_pyav(name):
    with av.open(name) as file:
        to = av.AudioResampler(format="flt", layout="5.1", rate=RATE)
        frames = [made for frame in file.decode(audio=0) for made in to.resample(frame)]
        return numpy.concatenate([frame.to_ndarray().reshape(-1, 6) for frame in frames])


FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
found = {}
for ending, words in FORMATS.items():
    name = f"by-ffmpeg.{ending}"
    make = [*FFMPEG, "-f", "f32le", "-ar", str(RATE), "-ch_layout", "5.1", "-i", "-", *words, name]
    subprocess.run(make, input=wav.tobytes(), check=True)
    container, subtype = SUBTYPES[ending]
    soundfile.write(f"by-soundfile.{ending}", wav, RATE, format=container, subtype=subtype)
    for writer in ("ffmpeg", "soundfile"):
        name = f"by-{writer}.{ending}"
        found[name] = channels(by_pyav(name)), channels(by_soundfile(name))
        print(f"{name:18} read by PyAV: {found[name][0]:18} by soundfile: {found[name][1]}")
right = "L R C LFE Ls Rs"
want = {"by-ffmpeg.flac": (right, right), "by-soundfile.flac": (right, right)}
for ending in ("ogg", "opus"):
    want[f"by-ffmpeg.{ending}"] = right, "L C R Ls Rs LFE"
    want[f"by-soundfile.{ending}"] = "L C R - LFE Ls", "L R C LFE Ls -"
sys.exit(found != want)
PY

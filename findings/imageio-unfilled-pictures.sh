#!/usr/bin/env bash
# imageio's pyav plugin returns more pictures than a clip has, the rest never filled in.
#
# One would guess: imread of a whole clip returns the pictures that can be decoded, or raises.
# What happens:    the array is made for as many pictures as the container counts. Fewer arrive in a clip
#                  cut with -c copy (an edit list hides the lead-in: 118 counted, 102 shown), and in a
#                  download that broke off (300 counted, about half there). The rest of the array stays
#                  what the memory held, black as a rule; no error.
# Why it matters:  black pictures at the end of clips go into training, and half a download passes for a
#                  whole one. plugin="FFMPEG" returns 102 pictures.
# Seen:            by running (imageio 2.38.1, av 18.1.0).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio==2.38.1 imageio-ffmpeg==0.8.1 av==18.1.0
cd "$work"
venv/bin/python -W ignore - <<'PY'
import pathlib
import subprocess
import sys

import av
import imageio
import imageio.v3 as iio
import imageio_ffmpeg
import numpy


def numbered(count):
    """Pictures that carry their number as ten black or white bars."""
    pictures = numpy.full((count, 64, 128, 3), 16, numpy.uint8)
    for i in range(count):
        for bit in range(10):
            if i >> bit & 1:
                pictures[i, :, bit * 12 : bit * 12 + 12] = 235
    return pictures


def number(picture):
    bars = numpy.asarray(picture)[20:44, :120, 0].reshape(24, 10, 12)[:, :, 3:9].mean((0, 2))
    return sum(1 << bit for bit in range(10) if bars[bit] > 128)


def ffmpeg(*args, pictures=None):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    if pictures is not None:
        command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "128x64", "-r", "25", "-i", "-"]
    subprocess.run([*command, *args], input=pictures or b"", check=True)


print("imageio", imageio.__version__, "av", av.__version__)
ffmpeg("-c:v", "libx264", "-g", "32", "-sc_threshold", "0", "-bf", "2", "-pix_fmt", "yuv420p",
       "-movflags", "+faststart", "film.mp4", pictures=numbered(300).tobytes())  # fmt: skip
ffmpeg("-ss", "3.2", "-i", "film.mp4", "-t", "4", "-c", "copy", "clip.mp4")
film = pathlib.Path("film.mp4").read_bytes()
pathlib.Path("half.mp4").write_bytes(film[: len(film) * 6 // 10])
ok = True
for name, first, counted in (("clip.mp4", 80, 118), ("half.mp4", 0, 300)):
    array = iio.imread(name, plugin="pyav")
    real = sum(number(picture) == first + i for i, picture in enumerate(array))
    print(name, "| pictures returned:", len(array), "| of these right:", real, "| last:", [number(p) for p in array[-3:]])
    ok &= len(array) == counted and real < counted * 0.9
ok &= len(iio.imread("clip.mp4", plugin="FFMPEG")) == len(list(iio.imiter("clip.mp4", plugin="pyav"))) == 102
sys.exit(not ok)
PY

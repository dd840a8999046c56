#!/usr/bin/env bash
# With ffmpeg 9, moviepy presses an upright telephone video into a lying picture.
#
# One would guess: a reader either turns a picture by the file's display matrix, and gives an upright one, or leaves it
#                  as it was coded, lying on its side.
# What happens:    moviepy learns of the turn from what ffmpeg prints, "displaymatrix: rotation of"; ffmpeg 9 prints
#                  "Display Matrix: rotation of". So moviepy takes the film for one that is not turned, asks ffmpeg,
#                  which does turn it, for pictures of 160 x 90, and gets upright ones squeezed to that: a disc of
#                  59 x 59 is 105 wide and 33 high. With ffmpeg 7 the picture is 90 x 160 and the disc round. No warning.
# Why it matters:  `pip install moviepy` brings the newest imageio-ffmpeg, and 0.8.1 is ffmpeg 9: in a new environment the
#                  faces of upright videos, and of no others, are three times as wide as they should be.
# Source:          moviepy/video/io/ffmpeg_reader.py: `elif field == "displaymatrix"`.
# Seen:            by running (moviepy 2.2.1 with imageio-ffmpeg 0.7.0, ffmpeg 7.0.2, and 0.8.1, ffmpeg 9.0.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > see.py <<'PY'
import subprocess
import sys

import imageio_ffmpeg
import moviepy
import numpy

FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
rows, columns = numpy.mgrid[:90, :160]
disc = numpy.where((rows - 45) ** 2 + (columns - 80) ** 2 < 30**2, 235, 16).astype("uint8")
lying = [*FFMPEG, "-f", "rawvideo", "-pix_fmt", "gray", "-s", "160x90", "-r", "25", "-i", "-", "-pix_fmt", "yuv420p"]
subprocess.run([*lying, "lying.mp4"], input=disc.tobytes() * 25, check=True)
subprocess.run([*FFMPEG, "-display_rotation", "90", "-i", "lying.mp4", "-c", "copy", "upright.mp4"], check=True)
with moviepy.VideoFileClip("upright.mp4") as film:
    seen = film.get_frame(0)[:, :, 0] > 128
wide, high = int(seen.any(0).sum()), int(seen.any(1).sum())
print(imageio_ffmpeg.get_ffmpeg_version(), "pictures of", seen.shape[::-1], "with a disc of", (wide, high))
squeezed = seen.shape == (90, 160) and wide > 2.5 * high
right = seen.shape == (160, 90) and abs(wide - high) <= 2
sys.exit(not {"squeezed": squeezed, "right": right}[sys.argv[1]])
PY
python3 -m venv venv
venv/bin/pip install -q moviepy==2.2.1 numpy==2.4.6 imageio-ffmpeg==0.7.0
venv/bin/python -W ignore see.py right
venv/bin/pip install -q imageio-ffmpeg==0.8.1
venv/bin/python -W ignore see.py squeezed

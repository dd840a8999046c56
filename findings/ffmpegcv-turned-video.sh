#!/usr/bin/env bash
# ffmpegcv gives scrambled pictures of a video that its display matrix turns upright; their shape and number are right.
#
# One would guess: a reader made in place of OpenCV shows a phone's upright video upright, or lying as it was coded.
# What happens:    it takes width and height from ffprobe, which tells the coded ones (320x240), and the pixels from
#                  ffmpeg, which turns them (240x320). The bytes of a picture are as many either way, so they are folded
#                  at the wrong width: each row holds one and a third rows of the upright picture. No error, no warning,
#                  shape (240, 320, 3), all 50 pictures. infile_options="-noautorotate" gives the coded
#                  picture. Turned by 180 degrees all is right, so is every video that is not turned.
# Why it matters:  phones write such videos, and sites keep them. Sums, means and colour histograms are those of the
#                  right picture; a network sees stripes.
# Source:          ffmpegcv/video_info.py (width and height of the stream) and ffmpeg_reader.py (the command's words);
#                  ffmpeg's manual, -autorotate: "enabled by default".
# Seen:            by running (ffmpegcv 0.3.20, ffmpeg 5.1.9 of Debian 12; needs ffmpeg and ffprobe on the PATH).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q ffmpegcv==0.3.20 imageio-ffmpeg==0.8.1 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import ffmpegcv
import imageio_ffmpeg
import numpy

FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]  # -display_rotation is newer than Debian 12's
SOURCE = ["-f", "lavfi", "-i", "testsrc=s=320x240:r=25:d=2", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-qp", "0"]
subprocess.run([*FFMPEG, *SOURCE, "coded.mp4"], check=True)


def player(name, width, height, *words):
    raw = ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "bgr24", "-"]
    shown = subprocess.run(["ffmpeg", "-v", "error", *words, "-i", name, *raw], capture_output=True, check=True).stdout
    return numpy.frombuffer(shown, "uint8").reshape(height, width, 3)


def reader(name, **options):
    with ffmpegcv.VideoCapture(name, **options) as film:
        pictures = list(film)
    return pictures[0], len(pictures)


def same(one, other):
    return one.shape == other.shape and numpy.abs(one.astype(int) - other).max() <= 2


found = {}
for degrees in (0, 90, 180, 270):
    name = f"turned-{degrees}.mp4"
    subprocess.run([*FFMPEG, "-display_rotation", str(degrees), "-i", "coded.mp4", "-c", "copy", name], check=True)
    upright = player(name, 240, 320) if degrees in (90, 270) else player(name, 320, 240)
    coded = player(name, 320, 240, "-noautorotate")
    picture, count = reader(name)
    asked, _ = reader(name, infile_options="-noautorotate")
    folded = same(picture.ravel(), upright.ravel())  # byte by byte, as the stream of bytes they are
    found[degrees] = picture.shape, count, same(picture, upright), same(picture, coded), folded, same(asked, coded)
    print(degrees, "shape, pictures:", *found[degrees][:2], end=" ")
    print("as shown, as coded, folded, -noautorotate as coded:", *found[degrees][2:])
shape = (240, 320, 3)
want = {degrees: (shape, 50, False, False, True, True) for degrees in (90, 270)}
want |= {0: (shape, 50, True, True, True, True), 180: (shape, 50, True, False, True, True)}
sys.exit(found != want)
PY

#!/usr/bin/env bash
# A video whose display matrix mirrors it: OpenCV and decord turn it upside down, and one that is flipped stays as it is.
#
# One would guess: a reader that heeds the display matrix shows what a player shows, of all eight ways to lay a picture.
# What happens:    OpenCV and decord take an angle out of the matrix and lose the mirror. Of a picture mirrored left to
#                  right they show one turned by 180 degrees, which is upside down; of one flipped top to bottom the
#                  coded picture. ffmpeg shows all as meant. PyAV's frame.rotation is the same -180 for "mirrored"
#                  and for "turned", and 0 for "flipped"; its arrays are as coded.
# Why it matters:  who tests the four turns finds all well. Cameras that look at their owner write such matrices; a clip
#                  that ffmpeg copies keeps the matrix, and one that it encodes has it in its pictures: the two differ.
# Source:          ffmpeg's libavutil/display.h: av_display_rotation_get gives an angle of the matrix, which may be any
#                  affine transformation.
# Seen:            by running (opencv-python-headless 5.0.0.93, decord2 3.4.0, PyAV 18.1.0, ffmpeg 9.0.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q opencv-python-headless==5.0.0.93 decord2==3.4.0 av==18.1.0 numpy==2.4.6 imageio-ffmpeg==0.8.1
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import cv2
import decord
import imageio_ffmpeg
import numpy

FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
RAW = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "128x64", "-r", "25", "-i", "-", "-pix_fmt", "yuv420p"]
picture = numpy.full((64, 128), 16, "uint8")
picture[:16, :64] = picture[:32, :32] = 235  # a hook in one corner: no two of the eight ways to lay it look alike
subprocess.run([*FFMPEG, *RAW, "coded.mp4"], input=picture.tobytes() * 10, check=True)
WAYS = {
    "as coded": picture,
    "turned by 90": numpy.rot90(picture),
    "turned by 180": numpy.rot90(picture, 2),
    "turned by 270": numpy.rot90(picture, 3),
    "mirrored": picture[:, ::-1],
    "flipped": picture[::-1],
}
MATRICES = {
    "turned by 90": ["-display_rotation", "90"],
    "turned by 180": ["-display_rotation", "180"],
    "turned by 270": ["-display_rotation", "270"],
    "mirrored": ["-display_hflip"],
    "flipped": ["-display_vflip"],
}


def way(seen):
    seen = numpy.asarray(seen)[..., 0].astype(int)
    return next(n for n, p in WAYS.items() if p.shape == seen.shape and abs(p - seen).mean() < 25)


def players(name):
    subprocess.run([*FFMPEG, "-i", name, "-frames:v", "1", "seen.png"], check=True)
    return cv2.imread("seen.png")


def pyav(name):
    with av.open(name) as file:
        frame = next(file.decode(video=0))
        return frame.to_ndarray(format="rgb24"), frame.rotation


found = {}
for meant, words in MATRICES.items():
    subprocess.run([*FFMPEG, *words, "-i", "coded.mp4", "-c", "copy", "film.mp4"], check=True)
    array, rotation = pyav("film.mp4")
    read = cv2.VideoCapture("film.mp4").read()[1], decord.VideoReader("film.mp4")[0].asnumpy(), array
    found[meant] = way(players("film.mp4")), *map(way, read), rotation
    print(f"{meant:14} ffmpeg, OpenCV, decord, PyAV and its rotation:", found[meant])
angles = {"turned by 90": 90, "turned by 180": -180, "turned by 270": -90}
want = {name: (name, name, name, "as coded", angle) for name, angle in angles.items()}
want["mirrored"] = "mirrored", "turned by 180", "turned by 180", "as coded", -180
want["flipped"] = "flipped", "as coded", "as coded", "as coded", 0
sys.exit(found != want)
PY

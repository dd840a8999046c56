#!/usr/bin/env bash
# In a film of varying frame rate, seeking OpenCV or MoviePy by TIME shows another time's picture.
#
# One would guess: frame numbers are unsafe in such films, but a seek by time is right.
# What happens:    the film stands still from 4 to 6 s, as screen recordings do, and the average is 14.7
#                  pictures a second. Asked for 8 s, OpenCV shows the picture of 10.56 s, as it turns time
#                  into a number by the average; MoviePy shows that of 3.96 s, as it takes the
#                  constant-rate pictures that ffmpeg fills in for ones at the average rate. PyAV, which
#                  reads time stamps, shows 8.00 s.
# Why it matters:  captions, events and sound are aligned by time; phones and screen recordings vary.
# Seen:            by running (OpenCV 5.0.0, moviepy 2.2.1, av 18.1.0, ffmpeg 9.0.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio-ffmpeg==0.8.1 av==18.1.0 opencv-python-headless==5.0.0.93 moviepy==2.2.1
cd "$work"
venv/bin/python -W ignore - <<'PY'
import importlib.metadata
import subprocess
import sys

import av
import cv2
import imageio_ffmpeg
import moviepy
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


print("cv2", cv2.__version__, "moviepy", importlib.metadata.version("moviepy"), "av", av.__version__)
keep = "select='lt(n,100)+gte(n,150)*not(mod(n,2))'"  # 25 a second, then none for 2 s, then 12.5
ffmpeg("-vf", keep, "-fps_mode", "passthrough", "-c:v", "libx264", "-g", "50", "-pix_fmt", "yuv420p", "film.mp4",
       pictures=numbered(300).tobytes())  # fmt: skip
capture = cv2.VideoCapture("film.mp4")
clip = moviepy.VideoFileClip("film.mp4")
got = {}
for second in (1, 5, 8):
    capture.set(cv2.CAP_PROP_POS_MSEC, second * 1000)
    by_cv2 = number(capture.read()[1])
    by_moviepy = number(clip.get_frame(second))
    with av.open("film.mp4") as file:
        shown = [frame for frame in file.decode(video=0) if frame.time <= second][-1]
    by_av = number(shown.to_ndarray(format="rgb24"))
    got[second] = tuple(n / 25 for n in (by_av, by_cv2, by_moviepy))
    print("asked {} s: PyAV shows {:.2f} s, OpenCV {:.2f} s, MoviePy {:.2f} s".format(second, *got[second]))
clip.close()
sys.exit(got != {1: (1.0, 0.6, 0.56), 5: (3.96, 7.04, 2.92), 8: (8.0, 10.56, 3.96)})
PY

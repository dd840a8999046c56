#!/usr/bin/env bash
# OpenCV shows BT.2020 video in the wrong colours, while five other readers agree.
#
# One would guess: all readers that stand on ffmpeg's swscale give the same RGB for one tagged file.
# What happens:    they do for BT.709, in full range and in ten bits too. For a file tagged BT.2020, which is
#                  how HDR films come, OpenCV gives green (30, 200, 30) as about (0, 196, 91); PyAV, imageio
#                  (both plugins), ffmpeg 9 and decord2 give (28, 200, 28) or nearer.
# Why it matters:  frames that OpenCV extracts of HDR uploads differ from those of a loader on PyAV or
#                  decord by up to 60 levels, more than any colour jitter in training.
# Seen:            by running (OpenCV 5.0.0, av 18.1.0, imageio 2.38.1, decord2 3.4.0).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio==2.38.1 imageio-ffmpeg==0.8.1 av==18.1.0 opencv-python-headless==5.0.0.93 decord2==3.4.0
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import cv2
import decord
import imageio
import imageio.v3 as iio
import imageio_ffmpeg
import numpy

print("cv2", cv2.__version__, "av", av.__version__, "imageio", imageio.__version__)
exe = imageio_ffmpeg.get_ffmpeg_exe()
green = numpy.full((5, 64, 128, 3), (30, 200, 30), numpy.uint8).tobytes()


def make(path, matrix, tag, pixels, span):
    scale = f"scale=out_color_matrix={matrix}:out_range={span},format={pixels}"
    tags = f"setparams=colorspace={tag}:color_primaries={matrix}:color_trc=bt709:range={span}"
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "128x64", "-r", "25", "-i", "-"]
    target = ["-vf", f"{scale},{tags}", "-c:v", "libx264", "-crf", "1", path]
    subprocess.run([exe, "-v", "error", *source, *target], input=green, check=True)


def pixel(picture):
    return tuple(int(value) for value in picture[32, 64])


ok = True
for name, matrix, tag, pixels, span in (
    ("bt709", "bt709", "bt709", "yuv420p", "tv"),
    ("bt709, full range", "bt709", "bt709", "yuv420p", "pc"),
    ("bt709, ten bits", "bt709", "bt709", "yuv420p10le", "tv"),
    ("bt2020, ten bits", "bt2020", "bt2020nc", "yuv420p10le", "tv"),
    ("bt2020, eight bits", "bt2020", "bt2020nc", "yuv420p", "tv"),
):
    path = name.replace(", ", "-").replace(" ", "-") + ".mp4"
    make(path, matrix, tag, pixels, span)
    command = [exe, "-nostdin", "-v", "error", "-i", path, "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    with av.open(path) as file:
        by_av = next(file.decode(video=0)).to_ndarray(format="rgb24")
    got = {
        "ffmpeg 9": pixel(numpy.frombuffer(raw, numpy.uint8).reshape(64, 128, 3)),
        "PyAV": pixel(by_av),
        "imageio pyav": pixel(iio.imread(path, plugin="pyav", index=0)),
        "imageio FFMPEG": pixel(iio.imread(path, plugin="FFMPEG", index=0)),
        "decord2": pixel(decord.VideoReader(path)[0].asnumpy()),
        "OpenCV": pixel(cv2.VideoCapture(path).read()[1][..., ::-1]),
    }
    print(name, got)
    off = {reader: max(abs(a - b) for a, b in zip(value, (30, 200, 30), strict=True)) for reader, value in got.items()}
    ok &= all(value <= 5 for reader, value in off.items() if reader != "OpenCV")
    ok &= (off["OpenCV"] > 50) == name.startswith("bt2020")
sys.exit(not ok)
PY

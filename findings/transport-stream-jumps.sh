#!/usr/bin/env bash
# Of a transport stream, decord loses the first two seconds; ffmpeg -ss and OpenCV jump past what was asked for.
#
# One would guess: who finds picture i of an .mp4 finds it in the .ts of the same packets, at worst slowly; and
#                  ffmpeg -ss shows the first picture at or after that time, as it does in the .mp4.
# What happens:    the four read the .mp4 right. In the .ts decord begins at picture 50, the second key
#                  picture, says that there are 300, and is 50 off at every index; the end repeats the last one. ffmpeg
#                  -ss goes on to the next key picture: asked for picture 20, 120 and 240 it shows 50, 150 and 250.
#                  OpenCV, sent to 0 and 20, shows 50 and 51. imageio's pyav shows 0, 100 and 250 for 20, 120 and 240. No
#                  error. Read in order, by PyAV and all that stands on libav, the file is right.
# Why it matters:  .ts is what HLS is made of and what broadcast and lecture archives keep. The pictures are up to two
#                  seconds beside the sound, and length and shape are as expected.
# Seen:            by running (decord 0.6.0, decord2 3.4.0, OpenCV 5.0.0, ffmpeg 9.0.2, imageio 2.38.1, av 18.1.0).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio==2.38.1 imageio-ffmpeg==0.8.1 av==18.1.0 opencv-python-headless==5.0.0.93
cd "$work"
cat >look.py <<'PY'
import subprocess
import sys

import av
import cv2
import imageio.v3 as iio
import imageio_ffmpeg
import numpy

sys.path.insert(0, sys.argv[1])
import decord

decord.logging.set_level(decord.logging.QUIET)
av.logging.set_level(None)


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
    return subprocess.run([*command, *args], input=pictures or b"", check=True, stdout=subprocess.PIPE).stdout


def by_opencv(path, index):
    capture = cv2.VideoCapture(path)
    capture.set(cv2.CAP_PROP_POS_FRAMES, index)
    return number(capture.read()[1])


def by_ffmpeg(path, index):
    words = ["-ss", str(index / 25), "-i", path, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    return number(numpy.frombuffer(ffmpeg(*words), numpy.uint8).reshape(64, 128, 3))


def by_imageio(path, index):
    return number(iio.imread(path, plugin="pyav", index=index))


ASKED = (0, 20, 120, 240)
ffmpeg("-c:v", "libx264", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0", "-bf", "2", "-pix_fmt", "yuv420p",
       "film.mp4", pictures=numbered(300).tobytes())  # fmt: skip
ffmpeg("-f", "lavfi", "-i", "sine=440:duration=12", "-c:a", "aac", "sound.m4a")
got = {}
for path in ("film.mp4", "film.ts"):
    if path == "film.ts":
        ffmpeg("-i", "film.mp4", "-i", "sound.m4a", "-c", "copy", path)
    with av.open(path) as file:
        in_order = [number(frame.to_ndarray(format="rgb24")) for frame in file.decode(video=0)]
    reader = decord.VideoReader(path)
    got[path] = {
        "PyAV, in order": [in_order[i] for i in ASKED],
        sys.argv[1]: [number(reader[i].asnumpy()) for i in ASKED],
        "OpenCV": [by_opencv(path, i) for i in ASKED],
        "ffmpeg -ss": [by_ffmpeg(path, i) for i in ASKED],
        "imageio": [by_imageio(path, i) for i in ASKED],
    }
    print(path, "|", sys.argv[1], "has", len(reader), "| asked for", ASKED, got[path])
ok = all(found == list(ASKED) for found in got["film.mp4"].values())
ok &= got["film.ts"] == {
    "PyAV, in order": list(ASKED),
    sys.argv[1]: [50, 70, 170, 290],
    "OpenCV": [50, 51, 120, 240],
    "ffmpeg -ss": [0, 50, 150, 250],
    "imageio": [0, 0, 100, 250],
}
sys.exit(not ok)
PY
for reader in decord==0.6.0 decord2==3.4.0; do
    venv/bin/pip install -q --no-deps --target "${reader%%=*}" "$reader"
    OPENCV_FFMPEG_LOGLEVEL=-8 venv/bin/python -W ignore look.py "${reader%%=*}"
done

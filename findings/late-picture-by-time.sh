#!/usr/bin/env bash
# Where the picture begins after the sound, OpenCV and decord count time from the first picture.
#
# One would guess: a picture that is asked for by its time is the one that stands beside that second of the sound.
# What happens:    the picture begins half a second after the sound. Asked for 2.03 s, PyAV shows the picture of
#                  2.02 s. OpenCV multiplies time by the rate and shows that of 2.54 s; decord's
#                  get_frame_timestamp says that the first picture is at 0.0 s, so that who looks the time up
#                  there gets the one of 2.50 s. MP4 (where the delay is an empty edit) and Matroska (where it
#                  is a plain time stamp) alike.
# Why it matters:  sound is read by time as well, and every pair of picture and sound is then apart by as much.
# Seen:            by running (OpenCV 5.0.0, decord 0.6.0, decord2 3.4.0, av 18.1.0, ffmpeg 9.0.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio-ffmpeg==0.8.1 av==18.1.0 opencv-python-headless==5.0.0.93
cd "$work"
cat >look.py <<'PY'
import subprocess
import sys

import av
import cv2
import imageio_ffmpeg
import numpy

sys.path.insert(0, sys.argv[1])
import decord


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


LATE, ASKED = 0.5, 2.03
ffmpeg("-c:v", "libx264", "-g", "50", "-bf", "2", "-pix_fmt", "yuv420p", "film.mp4", pictures=numbered(300).tobytes())
ffmpeg("-f", "lavfi", "-i", "sine=440:duration=12", "-c:a", "aac", "sound.m4a")
ok = True
for name in ("clip.mp4", "clip.mkv"):
    ffmpeg("-itsoffset", str(LATE), "-i", "film.mp4", "-i", "sound.m4a", "-map", "0:v", "-map", "1:a", "-c", "copy", name)
    with av.open(name) as clip:
        frames = [(frame.time, number(frame.to_ndarray(format="rgb24"))) for frame in clip.decode(video=0)]
    capture = cv2.VideoCapture(name)
    capture.set(cv2.CAP_PROP_POS_MSEC, ASKED * 1000)
    reader = decord.VideoReader(name)
    begins = reader.get_frame_timestamp(range(len(reader)))[:, 0]
    found = {
        "PyAV": [shown for time, shown in frames if time <= ASKED][-1],
        "OpenCV": number(capture.read()[1]),
        sys.argv[1]: number(reader[int(numpy.searchsorted(begins, ASKED, "right")) - 1].asnumpy()),
    }
    print(name, "| PyAV's first time:", frames[0][0], "|", sys.argv[1], "says:", float(begins[0]), "| asked for", ASKED,
          "s and shown that of", {reader: LATE + shown / 25 for reader, shown in found.items()})  # fmt: skip
    ok &= frames[0][0] == LATE and begins[0] == 0
    ok &= found == {"PyAV": 38, "OpenCV": 51, sys.argv[1]: 50}
sys.exit(not ok)
PY
for reader in decord==0.6.0 decord2==3.4.0; do
    venv/bin/pip install -q --no-deps --target "${reader%%=*}" "$reader"
    venv/bin/python -W ignore look.py "${reader%%=*}"
done

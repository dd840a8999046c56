#!/usr/bin/env bash
# HEVC as x265 writes it by default: decord2 gives another picture after a jump than in order.
#
# One would guess: closed groups of pictures, or a reader that minds open ones; H.264 is read right.
# What happens:    x265's default is the open group (x264's is the closed one). A jump to a key frame drops
#                  the pictures that lead it in display order, and decord counts on as if they were there:
#                  around each key frame it returns a picture up to four later. In order all are right.
#                  H.264 with intra refresh (no key frames, as live encoders send) is worse still.
# Why it matters:  sparse sampling is what training loaders do; re-encoding clips to HEVC to save room
#                  moves the sampled moments, with no error.
# Seen:            by running (decord 0.6.0, decord2 3.4.0; ffmpeg 9.0.2 of imageio-ffmpeg 0.8.1).
#                  With open-gop=0 decord 0.6.0 is right, and decord2 3.4.0 raises DECORDError.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio-ffmpeg==0.8.1
cd "$work"
cat >look.py <<'PY'
import subprocess
import sys

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


films = {
    "x264": ["-c:v", "libx264", "-g", "50"],
    "x265": ["-c:v", "libx265", "-x265-params", "log-level=0:keyint=50:scenecut=0"],
    "x265, open-gop=0": ["-c:v", "libx265", "-x265-params", "log-level=0:keyint=50:scenecut=0:open-gop=0"],
    "x264, intra refresh": ["-c:v", "libx264", "-g", "50", "-bf", "0", "-x264-params", "intra-refresh=1"],
}


def look(film):
    reader = decord.VideoReader(film)
    if [number(reader[i].asnumpy()) for i in range(300)] != list(range(300)):
        return "wrong in order"
    reader = decord.VideoReader(film)
    jumped = {i: number(reader[i].asnumpy()) for i in reversed(range(300))}  # each is a jump backwards
    wrong = sorted((i, seen) for i, seen in jumped.items() if seen != i)
    return f"after a jump {len(wrong)} of 300 wrong, as {wrong[:3]}" if wrong else "right"


ok = True
for name, options in films.items():
    film = name.replace(" ", "-") + ".mp4"
    ffmpeg(*options, "-pix_fmt", "yuv420p", film, pictures=numbered(300).tobytes())
    try:
        result = look(film)
    except decord.DECORDError:
        result = "DECORDError"
    print(f"{sys.argv[1]:8} {name:20} {result}")
    want = {"x265": "after a jump", "x264, intra refresh": "after a jump"}.get(name, "right")
    if sys.argv[1] == "decord2" and name == "x265, open-gop=0":
        want = "DECORDError"
    ok &= result.startswith(want)
sys.exit(not ok)
PY
for reader in decord==0.6.0 decord2==3.4.0; do
    venv/bin/pip install -q --no-deps --target "${reader%%=*}" "$reader"
    venv/bin/python -W ignore look.py "${reader%%=*}" 2>messages.txt
done

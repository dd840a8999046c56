#!/usr/bin/env bash
# decord and decord2 give one frame index two different pictures, in a clip cut with -c copy.
#
# One would guess: reader[i] is the same picture whether one reads there or jumps there.
# What happens:    `ffmpeg -ss 3.2 -t 4 -c copy` writes the key frame before, and an edit list that hides
#                  the lead-in. Reading in order, decord leaves the hidden frames out; after a jump it
#                  counts them. So reader[60] shows the source's frame 140 or 124, 0.64 s apart, and
#                  len() counts the hidden frames too: in order, the end repeats the last picture.
# Why it matters:  a loader that samples sparse frames sees other moments than one that reads in order,
#                  and both sit beside the same sound.
# Seen:            by running (decord 0.6.0, decord2 3.4.0; PyAV 18.1.0 shows what an edit list means).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio-ffmpeg==0.8.1 av==18.1.0
cd "$work"
cat >look.py <<'PY'
import subprocess
import sys

import av
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


ffmpeg("-c:v", "libx264", "-g", "32", "-sc_threshold", "0", "-bf", "2", "-pix_fmt", "yuv420p", "film.mp4",
       pictures=numbered(300).tobytes())  # fmt: skip
ffmpeg("-ss", "3.2", "-i", "film.mp4", "-t", "4", "-c", "copy", "clip.mp4")
with av.open("clip.mp4") as clip:
    truth = [number(frame.to_ndarray(format="rgb24")) for frame in clip.decode(video=0)]
in_order = decord.VideoReader("clip.mp4")
shown = [number(in_order[i].asnumpy()) for i in range(len(in_order))]
jump = number(decord.VideoReader("clip.mp4")[60].asnumpy())
print(sys.argv[1], "| frames in the edit list's span:", len(truth), "| len(reader):", len(in_order))
print("frame 0:", shown[0], "| frame 60, in order:", shown[60], "| frame 60, jumped to:", jump)
print("the last eight, in order:", shown[-8:])
ok = truth[0] == 80 and len(in_order) == len(truth) + 16
ok &= shown[60] == truth[60] == 140 and jump == 124 and set(shown[-16:]) == {truth[-1]}
sys.exit(not ok)
PY
for reader in decord==0.6.0 decord2==3.4.0; do
    venv/bin/pip install -q --no-deps --target "${reader%%=*}" "$reader"
    venv/bin/python -W ignore look.py "${reader%%=*}"
done

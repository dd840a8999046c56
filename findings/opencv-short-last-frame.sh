#!/usr/bin/env bash
# One last frame that is shown a little shorter moves every jump of OpenCV's in the second half of a minute.
#
# One would guess: a film of a steady rate whose last frame alone is shorter (as the end of any cut between two frames
#                  makes it) is a film of that rate: set(CAP_PROP_POS_FRAMES, n) shows the n-th frame.
# What happens:    OpenCV takes frames over duration for the rate (23.991 for 23.976), turns n into seconds by it, and
#                  back; from some frame on each jump shows the frame before the one that was asked for. PyAV and
#                  ffmpeg read the same file without a fault.
# Why it matters:  clips that were cut at a second end within a frame more often than not; samplers that jump
#                  (frames 0, n/8, 2n/8, ...) then have other frames than those that read on, towards the end alone.
# Seen:            by running.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio-ffmpeg==0.8.1 av==18.1.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys
from fractions import Fraction

import av
import cv2
import imageio_ffmpeg
import numpy

SECONDS, RATE = 60, Fraction(24000, 1001)
exe = imageio_ffmpeg.get_ffmpeg_exe()
count = int(SECONDS * RATE)
# Each frame holds its number: sixteen bits as sixteen black or white bars.
frames = numpy.zeros((count, 32, 256), numpy.uint8)
for number in range(count):
    for bit in range(16):
        if number >> bit & 1:
            frames[number, :, bit * 16 : bit * 16 + 16] = 255
subprocess.run(
    [exe, "-nostdin", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray", "-s", "256x32", "-r", str(RATE), "-i", "-",
     "-c:v", "libx264", "-bf", "0", "-pix_fmt", "yuv420p", "-g", "48", "whole.mp4"],
    input=frames.tobytes(), check=True,
)
# The same packets, of which the last says that it is shown for a tenth of the time.
with av.open("whole.mp4") as source, av.open("short.mp4", "w") as target:
    stream = target.add_stream_from_template(source.streams.video[0])
    packets = [packet for packet in source.demux(video=0) if packet.size]
    last = max(packets, key=lambda packet: packet.pts)
    for packet in packets:
        if packet is last:
            packet.duration = packet.duration // 10
        packet.stream = stream
        target.mux(packet)


def number_of(picture):
    bars = picture[picture.shape[0] // 2, 8::16].reshape(16, -1).mean(axis=1) > 128
    return sum(int(bar) << bit for bit, bar in enumerate(bars))


wrong = {}
for name in ("whole.mp4", "short.mp4"):
    with av.open(name) as file:
        shown = [number_of(frame.to_ndarray(format="gray")) for frame in file.decode(video=0)]
    capture = cv2.VideoCapture(name)
    off = []
    for number in range(0, count, 7):
        capture.set(cv2.CAP_PROP_POS_FRAMES, number)
        if number_of(capture.read()[1]) != number:
            off.append(number)
    wrong[name] = off
    print(name, f"PyAV: {shown == list(range(count))}; OpenCV {cv2.__version__}: fps {capture.get(cv2.CAP_PROP_FPS):.4f},",
          f"{len(off)} of {len(range(0, count, 7))} jumps wrong", f"from frame {off[0]} on" if off else "")
sys.exit(bool(wrong["whole.mp4"]) or not wrong["short.mp4"])
PY

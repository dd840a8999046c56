#!/usr/bin/env bash
# Remuxed to fragmented MP4 with -c copy, pictures come 80 ms later and sound 21 ms later.
#
# One would guess: a copy into another kind of MP4 keeps all times; fragments are only another layout.
# What happens:    the usual flags (frag_keyframe+empty_moov, and dash) write no edit list, as the index is
#                  written before the first packet is known. With B-frames the first picture then stands
#                  at 0.08 s, and the 1,024 samples that AAC puts first are heard: sound and picture are
#                  59 ms further apart than in the source. +cmaf halves it; frag_keyframe+delay_moov keeps
#                  both. With +dash+global_sidx OpenCV also counts two pictures too many.
# Why it matters:  clips that are streamed or piped are fragmented; a picture by its time is another one,
#                  and audio-visual models learn the offset.
# Seen:            by running (ffmpeg 9.0.2 of imageio-ffmpeg 0.8.1, av 18.1.0, OpenCV 5.0.0). ffmpeg's
#                  manual of the mov muxer names delay_moov for this.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio-ffmpeg==0.8.1 av==18.1.0 opencv-python-headless==5.0.0.93
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import cv2
import imageio_ffmpeg
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


print("ffmpeg", imageio_ffmpeg.get_ffmpeg_version(), "av", av.__version__, "cv2", cv2.__version__)
ffmpeg("-f", "lavfi", "-i", "anoisesrc=r=48000:d=10:seed=1", "-c:v", "libx264", "-g", "50", "-bf", "2",
       "-pix_fmt", "yuv420p", "-c:a", "aac", "film.mp4", pictures=numbered(250).tobytes())  # fmt: skip
got = {}
for flags in ("faststart", "frag_keyframe+empty_moov", "dash", "cmaf", "frag_keyframe+delay_moov"):
    ffmpeg("-i", "film.mp4", "-c", "copy", "-movflags", "+" + flags, "copy.mp4")
    with av.open("copy.mp4") as file:
        picture = next(file.decode(video=0)).time
    with av.open("copy.mp4") as file:
        samples = sum(frame.samples for frame in file.decode(audio=0))
    got[flags] = (round(picture, 3), samples)
    print(f"{flags:26} first picture at {picture:.3f} s, {samples} samples of sound")
ffmpeg("-i", "film.mp4", "-an", "-c", "copy", "-movflags", "+frag_keyframe+dash+global_sidx", "dash.mp4")
capture = cv2.VideoCapture("dash.mp4")
counted, read = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0
while capture.read()[0]:
    read += 1
print("OpenCV on dash+global_sidx: counts", counted, "reads", read)
usual, plain = (0.08, 481_280), (0.0, 480_256)
ok = got["faststart"] == got["frag_keyframe+delay_moov"] == plain
ok &= got["frag_keyframe+empty_moov"] == got["dash"] == usual and got["cmaf"] == (0.04, 481_280)
sys.exit(not ok or (counted, read) != (252, 250))
PY

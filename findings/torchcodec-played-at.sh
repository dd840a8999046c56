#!/usr/bin/env bash
# torchcodec's get_frame_played_at(4.5) is the picture of 6.0 s, get_frames_played_at([4.5]) that of 3.96 s.
#
# One would guess: the two are one function, for one time and for several.
# What happens:    the film stands still from 4 to 6 s and has 5 pictures a second from then on, as screen recordings and
#                  slides do. The one for several times gives the picture that stands. The one for one time takes a
#                  picture to last as long as its packet says (0.04 s, in MP4 that ffmpeg wrote), and gives the next
#                  one for every time after that: at 4.5 s one that is shown 1.5 s later, at 6.1 s one of 6.2 s. At a
#                  steady rate they agree. seek_mode is "exact".
# Why it matters:  the picture for a moment of the sound comes from after that moment, and code that changes from
#                  one call a time to a batch gets other training data.
# Seen:            by running (torchcodec 0.13.0 with ffmpeg 5.1.9's libraries, torch 2.13.0, ffmpeg 9.0.2). It needs
#                  ffmpeg's libraries (Debian: apt-get install ffmpeg).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio-ffmpeg==0.8.1 torch==2.13.0 torchcodec==0.13.0
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import imageio_ffmpeg
import numpy
import torchcodec
from torchcodec.decoders import VideoDecoder


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


def ffmpeg(*args, pictures):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "128x64", "-r", "25", "-i", "-"]
    subprocess.run([*command, *args], input=pictures, check=True)


print("torchcodec", torchcodec.__version__)
stands = "select='lt(n,100)+gte(n,150)*not(mod(n,5))'"
encoded = ["-fps_mode", "passthrough", "-c:v", "libx264", "-g", "50", "-pix_fmt", "yuv420p"]
ffmpeg("-vf", stands, *encoded, "varying.mp4", pictures=numbered(300).tobytes())
ffmpeg(*encoded, "steady.mp4", pictures=numbered(300).tobytes())
ASKED = (1.03, 4.5, 5.5, 6.02, 6.1, 8.19)
got = {}
for name in ("steady", "varying"):
    new = [VideoDecoder(f"{name}.mp4", dimension_order="NHWC", seek_mode="exact") for _ in range(3)]
    frames = [new[0].get_frame_at(i) for i in range(len(new[0]))]
    due = [[frame for frame in frames if frame.pts_seconds <= second][-1] for second in ASKED]
    one = [number(new[1].get_frame_played_at(second).data.numpy()) for second in ASKED]
    several = [number(picture.numpy()) for picture in new[2].get_frames_played_at(list(ASKED)).data]
    got[name] = [[number(frame.data.numpy()) / 25 for frame in due], [n / 25 for n in one], [n / 25 for n in several]]
    print(name, "| asked", ASKED, "| the pictures that stand are of", got[name][0], "| one by one:", got[name][1],
          "| at once:", got[name][2])  # fmt: skip
ok = got["steady"][0] == got["steady"][1] == got["steady"][2] and got["varying"][2] == got["varying"][0]
sys.exit(not ok or got["varying"][1] != [1.0, 6.0, 6.0, 6.0, 6.2, 8.2])
PY

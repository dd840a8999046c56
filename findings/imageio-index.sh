#!/usr/bin/env bash
# imageio's imread(index=i) is not the i-th picture of imiter, in three ways, and index=-1 is the first.
#
# One would guess: imread(path, index=i) and the i-th of imiter(path) are one picture, and index=-1 is the last or an
#                  error.
# What happens:    plugin="pyav" returns the FIRST picture for index=-1, and in a film whose picture begins half a
#                  second after its sound, picture 0 for index=5 and picture 38 for index=50: it takes time for
#                  number. plugin="FFMPEG" fills up to a constant rate. Of a film that stands still from 4 to 6 s, both its
#                  imiter[150] and its index=150 are other pictures than the 150th, and not the same one. No error.
# Why it matters:  sampling by index is how clips are thinned out for training; a set that is listed by one way and read
#                  by the other is mislabelled, and "the last picture" is the first.
# Seen:            by running (imageio 2.38.1, av 18.1.0, ffmpeg 9.0.2). In films that begin at 0 and have one rate,
#                  both plugins are right for every index from 0 on.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio==2.38.1 imageio-ffmpeg==0.8.1 av==18.1.0
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import imageio
import imageio.v3 as iio
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


print("imageio", imageio.__version__, "av", av.__version__)
encoded = ["-fps_mode", "passthrough", "-c:v", "libx264", "-g", "50", "-bf", "2", "-pix_fmt", "yuv420p"]
ffmpeg(*encoded, "plain.mp4", pictures=numbered(300).tobytes())
stands = "select='lt(n,100)+gte(n,150)*not(mod(n,2))'"  # 25 a second, then none for 2 s, then 12.5
ffmpeg("-vf", stands, *encoded, "stands.mp4", pictures=numbered(300).tobytes())
ffmpeg("-f", "lavfi", "-i", "sine=440:duration=12", "-c:a", "aac", "sound.m4a")
ffmpeg("-itsoffset", "0.5", "-i", "plain.mp4", "-i", "sound.m4a", "-map", "0:v", "-map", "1:a", "-c", "copy", "late.mp4")
ASKED = (5, 50, 150)
got = {}
for name in ("plain", "late", "stands"):
    with av.open(f"{name}.mp4") as file:
        real = [number(frame.to_ndarray(format="rgb24")) for frame in file.decode(video=0)]
    print(name, "| real pictures", ASKED, [real[i] for i in ASKED], "| last:", real[-1])
    for plugin in ("pyav", "FFMPEG"):
        listed = [number(picture) for picture in iio.imiter(f"{name}.mp4", plugin=plugin)]
        read = [number(iio.imread(f"{name}.mp4", plugin=plugin, index=i)) for i in ASKED]
        got[name, plugin] = [listed[i] == real[i] for i in ASKED], [read[i] == real[j] for i, j in enumerate(ASKED)]
        print(f"    {plugin:6} | {len(listed)} in imiter:", [listed[i] for i in ASKED], "| by index:", read)
        got[name, plugin, "agree"] = [listed[j] == read[i] for i, j in enumerate(ASKED)]
    got[name, -1] = number(iio.imread(f"{name}.mp4", plugin="pyav", index=-1))
    print("    pyav, index=-1:", got[name, -1])
all_right, all_wrong = [True] * 3, [False] * 3
ok = got["plain", "pyav"] == got["plain", "FFMPEG"] == (all_right, all_right)
ok &= got["late", "pyav"] == (all_right, all_wrong) and got["late", "FFMPEG"] == (all_wrong, all_wrong)
ok &= not got["stands", "FFMPEG"][0][2] and not got["stands", "FFMPEG"][1][2] and not got["stands", "FFMPEG", "agree"][2]
ok &= got["plain", -1] == got["late", -1] == got["stands", -1] == 0
sys.exit(not ok)
PY

#!/usr/bin/env bash
# Grey pictures of an HD film have other values since FFmpeg 8.1: red 55 is 76, green 141 is 117; raw yuv420p changed too.
#
# One would guess: "-pix_fmt gray" is the film's own luma, scaled to 0 to 255, with each version of ffmpeg and of PyAV.
# What happens:    up to FFmpeg 8.0 it is. Since 8.1 grey is the luma of BT.601, so a film that says BT.709, as most in HD
#                  do, goes by way of its colours: pure red, green (0, 192, 48) and blue are 76, 117 and 29, not 55, 141
#                  and 19. A film that says no matrix, or BT.601, has its own luma as before; so two films of equal bytes
#                  but for the tag now differ. Neutral greys are alike, so a test with grey bars sees nothing.
#                  Raw yuv420p of a full-range film (phones make them): 7 converts it to limited range, 16 to 30; ffmpeg 9
#                  hands on 16 as 16.
# Why it matters:  lip reading, optical flow, picture hashes and motion features are computed of grey pictures; an update
#                  of imageio-ffmpeg or PyAV changes them in all coloured places, with the same code and films.
# Source:          ITU-R BT.601 and BT.709: luma of 0.299, 0.587, 0.114 and of 0.2126, 0.7152, 0.0722; the values fit.
# Seen:            by running (ffmpeg 7.0.2 and 9.0.2 of imageio-ffmpeg 0.6.0 and 0.8.1; FFmpeg 8.0.1, 8.1.1 and 8.1.2
#                  of PyAV 16.1.0, 17.1.0 and 18.1.0).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6
for package in imageio-ffmpeg==0.6.0 imageio-ffmpeg==0.8.1 av==16.1.0 av==17.1.0 av==18.1.0; do
    "$work/venv/bin/pip" install -q --no-deps --target "$work/$package" "$package"
done
cd "$work"
venv/bin/python -W ignore - <<'PY'
import json
import pathlib
import subprocess
import sys

import numpy

FFMPEG = {v: str(next(pathlib.Path(f"imageio-ffmpeg=={v}").glob("*/binaries/ffmpeg-*"))) for v in ("0.6.0", "0.8.1")}
COLOURS = [(255, 0, 0), (0, 192, 48), (0, 0, 255), (128, 128, 128)]
ASK_PYAV = """
import av, json, sys
frame = next(av.open(sys.argv[1]).decode(video=0))
print(json.dumps(frame.to_ndarray(format="gray")[30, 32::64].tolist()))
"""


def first_row(program, film, kind):
    """Of each of the four squares its value, the luma if it is yuv420p."""
    words = ["-v", "error", "-i", film, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", kind, "-"]
    raw = subprocess.run([program, *words], capture_output=True, check=True).stdout
    return numpy.frombuffer(raw, "uint8")[: 64 * 256].reshape(64, 256)[30, 32::64].tolist()


def by_pyav(version, film):
    environment = {"PYTHONPATH": f"av=={version}:" + ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", ASK_PYAV, film], capture_output=True, check=True, env=environment)
    return json.loads(done.stdout)


def make(film, pixels, kind, *words):
    read = ["-f", "rawvideo", "-pix_fmt", kind, "-s", "256x64", "-r", "25"]
    words = [*words, "-c:v", "libx264", "-qp", "0", film]
    subprocess.run([FFMPEG["0.8.1"], "-v", "error", *read, *words], input=pixels * 5, check=True)


picture = numpy.repeat(numpy.array(COLOURS, "uint8")[None].repeat(64, 0), 64, 1).tobytes()
coded = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
make("tagged.mp4", picture, "rgb24", "-i", "-", "-vf", coded, "-colorspace", "bt709")
make("untagged.mp4", picture, "rgb24", "-i", "-", "-vf", coded + ",setparams=colorspace=unknown")
ramp = numpy.repeat(numpy.array([16, 60, 128, 235], "uint8")[None].repeat(64, 0), 64, 1)
full = ["-color_range", "pc", "-i", "-", "-color_range", "pc"]
make("full.mp4", ramp.tobytes() + bytes([128]) * (64 * 128), "yuv420p", *full)
found = {}
for film in ("tagged.mp4", "untagged.mp4"):
    for version, program in FFMPEG.items():
        found[film, "grey by the ffmpeg of imageio-ffmpeg " + version] = first_row(program, film, "gray")
    for version in ("16.1.0", "17.1.0", "18.1.0"):
        found[film, "grey by PyAV " + version] = by_pyav(version, film)
for version, program in FFMPEG.items():
    found["full.mp4", "yuv420p by the ffmpeg of imageio-ffmpeg " + version] = first_row(program, "full.mp4", "yuv420p")
for (film, what), values in found.items():
    print(f"{film:12} {what:47}", values)
own, other = [55, 141, 19, 128], [76, 117, 29, 128]
want = [own, other, own, other, other, *[own] * 5, [30, 68, 126, 218], [16, 60, 128, 235]]
sys.exit(list(found.values()) != want)
PY

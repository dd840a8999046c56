#!/usr/bin/env bash
# One picture a second: by ffmpeg's "fps=1" each is half a second late, by "-r 1" ten seconds have twelve.
#
# One would guess: of a film of ten seconds "-vf fps=1" and "-r 1" both give those of 0, 1, 2, ... 9 s, as a loop over
#                  frames in Python does.
# What happens:    fps rounds each picture's time to the nearest whole second and keeps the last: picture k is that of
#                  k + 0.48 s, and the first is not the film's first. "-r 1" gives 12: those of 0 and 0.04 s, then of 0.88,
#                  1.88, ... 9.88 s. fps=1:round=down shows k + 0.96; fps=2 is off by 0.24 s, fps=0.5 by 0.96. By select
#                  or framestep=25 they are of 0, 1, 2, ... as meant.
# Why it matters:  "frame 17" is taken as 17 s by labels, captions and sound features; pictures made by one option and read
#                  by another program's index are of moments up to a second apart.
# Source:          ffmpeg's documentation of the filter fps: round, "near" by default; of -r for output.
# Seen:            by running (ffmpeg 9.0.2; Debian's 5.1.9 gave the same).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio-ffmpeg==0.8.1 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import pathlib
import subprocess
import sys

import imageio_ffmpeg
import numpy

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
RAW = "-v error -f rawvideo -pix_fmt gray -s 64x48 -r 25 -i - -c:v".split()
pictures = numpy.zeros((250, 48, 64), "uint8")
pictures[:] = numpy.arange(250)[:, None, None]  # a picture's level is its time in 25ths of a second
subprocess.run([FFMPEG, *RAW, "ffv1", "film.mkv"], input=pictures.tobytes(), check=True)
subprocess.run([FFMPEG, *RAW, "libx264", "-qp", "0", "film.mp4"], input=pictures.tobytes(), check=True)
WAYS = {
    "fps=1": ["-vf", "fps=1"],
    "-r 1": ["-r", "1"],
    "fps=1:round=down": ["-vf", "fps=1:round=down"],
    "fps=2": ["-vf", "fps=2"],
    "fps=0.5": ["-vf", "fps=0.5"],
    "framestep=25": ["-vf", "framestep=25"],
    "select": ["-vf", "select='isnan(prev_selected_t)+gte(t-prev_selected_t,1)'", "-fps_mode", "vfr"],
}


def times(program, film, words):
    """When the pictures that come are shown in the film, in seconds."""
    words = ["-v", "error", "-i", film, *words, "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = subprocess.run([program, *words], capture_output=True, check=True).stdout
    return [round(level / 25, 2) for level in numpy.frombuffer(raw, "uint8")[:: 48 * 64].tolist()]


found = {(name, film): times(FFMPEG, film, words) for name, words in WAYS.items() for film in ("film.mkv", "film.mp4")}
for (name, film), shown in found.items():
    print(f"{name:17} {film} {len(shown)} pictures, of (s):", *shown[:12])
subprocess.run([FFMPEG, "-v", "error", "-i", "film.mp4", "-r", "1", "%02d.png"], check=True)
files = len(list(pathlib.Path().glob("*.png")))
print(f"-r 1 to %02d.png: {files} files")
whole = [float(k) for k in range(10)]
want = {
    "fps=1": [k + 0.48 for k in whole],
    "-r 1": [0.0, 0.04, *(k + 0.88 for k in whole)],
    "fps=1:round=down": [k + 0.96 for k in whole],
    "fps=2": [round(k + off, 2) for k in whole for off in (0.24, 0.72)],
    "fps=0.5": [2 * k + 0.96 for k in whole[:5]],
    "framestep=25": whole,
    "select": whole,
}
sys.exit(files != 12 or any(shown != want[name] for (name, _), shown in found.items()))
PY

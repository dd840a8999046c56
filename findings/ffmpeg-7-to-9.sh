#!/usr/bin/env bash
# imageio-ffmpeg 0.8.1 is a small step up from 0.7.0, and breaks commands that run with a warning there.
#
# One would guess: a step from 0.7 to 0.8 brings a newer ffmpeg of the same habits.
# What happens:    ffmpeg goes from 7.0.2 to 9.0.2. -vsync, -adrift_threshold and -filter_complex_script are
#                  unknown there: exit code 8, and no output. -fps_mode does in both what -vsync did.
#                  x264's pictures stay equal to the bit.
# Why it matters:  an unpinned wheel stops every clip of a run whose command line has -vsync in it, as old
#                  recipes for cutting and for taking frames do.
# Seen:            by running both.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio-ffmpeg==0.8.1
"$work/venv/bin/pip" install -q --no-deps --target "$work/older" imageio-ffmpeg==0.7.0
cd "$work"
older=$(echo older/imageio_ffmpeg/binaries/ffmpeg-*)
venv/bin/python -W ignore - "$older" <<'PY'
import hashlib
import subprocess
import sys

import imageio_ffmpeg

exes = {"0.7.0": sys.argv[1], "0.8.1": imageio_ffmpeg.get_ffmpeg_exe()}
film = ["-f", "lavfi", "-i", "testsrc=size=128x64:rate=25:duration=1"]
exact = ["-fflags", "+bitexact", "-threads", "1"]
open("graph.txt", "w").write("[0:v]hflip[out]")


def run(exe, *args):
    return subprocess.run([exe, "-nostdin", "-v", "error", "-y", *args], capture_output=True)


got = {}
for release, exe in exes.items():
    print(release, subprocess.run([exe, "-version"], capture_output=True, text=True).stdout.split(" Copy")[0])
    got[release] = [
        run(exe, *film, "-vsync", "passthrough", "-f", "null", "-").returncode,
        run(exe, *film, "-fps_mode", "passthrough", "-f", "null", "-").returncode,
        run(exe, *film, "-filter_complex_script", "graph.txt", "-map", "[out]", "-f", "null", "-").returncode,
        run(exe, *film, "-adrift_threshold", "1", "-f", "null", "-").returncode,
        run(exe, *film, "-c:v", "libx264", *exact, f"{release}.nut").returncode,
    ]
    pictures = run(exes["0.8.1"], "-i", f"{release}.nut", "-f", "framemd5", "-").stdout
    got[release].append(hashlib.sha256(b"".join(line for line in pictures.splitlines() if line[:1] != b"#")).hexdigest()[:12])
names = ["-vsync", "-fps_mode", "-filter_complex_script", "-adrift_threshold", "x264", "x264 pictures"]
for name, old, new in zip(names, *got.values(), strict=True):
    print(f"{name:24} {old!s:14} {new}")
old, new = got.values()
sys.exit(old[:5] != [0] * 5 or new[:5] != [8, 0, 8, 8, 0] or old[5] != new[5])
PY

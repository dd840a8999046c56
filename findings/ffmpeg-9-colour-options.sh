#!/usr/bin/env bash
# ffmpeg 9.0.2 takes -color_primaries and -color_trc without a word, and writes a file that says neither.
#
# One would guess: the three options with which every recipe tags BT.709 (-colorspace, -color_primaries, -color_trc)
#                  are of one kind: they write all three into the stream, or are complained of.
# What happens:    up to ffmpeg 7.0.2 all three are written. In 9.0.2 only the matrix is: primaries and transfer are what
#                  the frames say, and frames that say nothing leave them unknown, whatever the options are. Exit
#                  code 0, no warning. `-vf setparams=color_primaries=bt709:color_trc=bt709` writes them in both.
# Why it matters:  imageio-ffmpeg 0.7 to 0.8 is this step, and the files of one command are tagged before it and half
#                  tagged after it; a reader that converts by primaries (browsers, colour-managed players, HDR to SDR)
#                  then guesses by the height of the picture.
# Seen:            by running both; doc/filters of 7.1 has setparams.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio-ffmpeg==0.8.1 av==18.1.0
"$work/venv/bin/pip" install -q --no-deps --target "$work/older" imageio-ffmpeg==0.7.0
cd "$work"
older=$(echo older/imageio_ffmpeg/binaries/ffmpeg-*)
venv/bin/python -W ignore - "$older" <<'PY'
import subprocess
import sys

import av
import imageio_ffmpeg

exes = {"0.7.0": sys.argv[1], "0.8.1": imageio_ffmpeg.get_ffmpeg_exe()}
film = ["-f", "lavfi", "-i", "testsrc2=duration=1:size=128x96:rate=25,format=yuv420p"]
ways = {
    "options": ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"],
    "setparams": ["-vf", "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709"],
}
UNKNOWN, BT709 = 2, 1
got = {}
for release, exe in exes.items():
    print(release, subprocess.run([exe, "-version"], capture_output=True, text=True).stdout.split(" Copy")[0])
    for way, words in ways.items():
        done = subprocess.run(
            [exe, "-nostdin", "-v", "warning", "-y", *film, *words, "-c:v", "libx264", "out.mp4"],
            capture_output=True, text=True,
        )
        codec = av.open("out.mp4").streams.video[0].codec_context
        tags = codec.colorspace, codec.color_primaries, codec.color_trc
        got[release, way] = done.returncode, *map(int, tags)
        print(f"  {way:10} code {done.returncode}, matrix {tags[0]}, primaries {tags[1]}, transfer {tags[2]}; {done.stderr.strip()!r}")
whole, half = (0, BT709, BT709, BT709), (0, BT709, UNKNOWN, UNKNOWN)
sys.exit(
    got["0.7.0", "options"] != whole or got["0.8.1", "options"] != half
    or got["0.7.0", "setparams"] != whole or got["0.8.1", "setparams"] != whole
)
PY

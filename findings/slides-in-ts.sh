#!/usr/bin/env bash
# Slides in a transport stream: ffmpeg copies the sound alone, and says 0.
#
# One would guess: a stream that has pictures and sound is copied with both, or ffmpeg fails.
# What happens:    a picture every 8 s, as of lectures and of music with a cover. ffmpeg looks at the first 5 s,
#                  does not learn the picture's size there, and leaves the whole stream of pictures out: a file
#                  of sound, exit code 0, one warning. It does so whether it copies or encodes. PyAV finds the
#                  stream with a width of 0, and decodes all of its pictures all the same. With a longer
#                  -analyzeduration both streams are there.
# Why it matters:  downloaders join HLS pieces with exactly this command; stills are a part of every list of
#                  videos with sound, and such a clip then counts as fetched.
# Seen:            by running (ffmpeg 9.0.2 of imageio-ffmpeg 0.8.1, av 18.1.0). ffmpeg's manual of formats gives
#                  -analyzeduration 5 s by default.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio-ffmpeg==0.8.1 av==18.1.0
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import imageio_ffmpeg

av.logging.set_level(None)
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def ffmpeg(*words):
    return subprocess.run([FFMPEG, "-v", "error", "-y", *words], check=False).returncode


def kinds(path):
    with av.open(path) as file:
        return sorted(stream.type for stream in file.streams)


print("ffmpeg", imageio_ffmpeg.get_ffmpeg_version(), "av", av.__version__)
got = {}
for every in (1, 8):
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=r=1/{every}:d=64:s=128x96", "-f", "lavfi", "-i", "anoisesrc=d=64:r=44100",
           "-c:v", "libx264", "-bf", "0", "-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "mpegts", "slides.ts")  # fmt: skip
    with av.open("slides.ts") as file:
        width = file.streams.video[0].width
        pictures = sum(1 for _ in file.decode(video=0))
    code = ffmpeg("-i", "slides.ts", "-c", "copy", "copy.mp4")
    copied = kinds("copy.mp4")
    encoded = ffmpeg("-i", "slides.ts", "encoded.mp4"), kinds("encoded.mp4")
    longer = ffmpeg("-analyzeduration", "100M", "-i", "slides.ts", "-c", "copy", "longer.mp4"), kinds("longer.mp4")
    got[every] = (pictures, width, code, copied, *encoded, *longer)
    print(f"a picture every {every} s: PyAV sees {pictures}, {width} wide; -c copy: code {code}, {copied};",
          f"encoded: code {encoded[0]}, {encoded[1]}; -analyzeduration 100M: {longer[1]}")  # fmt: skip
both, alone = ["audio", "video"], ["audio"]
sys.exit(got != {1: (64, 128, 0, both, 0, both, 0, both), 8: (8, 0, 0, alone, 0, alone, 0, both)})
PY

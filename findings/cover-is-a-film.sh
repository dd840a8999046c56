#!/usr/bin/env bash
# OpenCV takes a song with a cover for a film of 1,800,000 frames at 90,000 a second; one of them can be read.
#
# One would guess: a sound file, .mp3 or .m4a, with a cover picture in it is no video, or is one of a single frame.
# What happens:    VideoCapture opens it; the number of frames is its length in ticks of 1/90,000 s. The first
#                  read() gives the cover, the second fails, and so does each read after a jump, to frame 0 too. Without the
#                  cover the file does not open. PyAV lists a video stream of 20 s, too: its disposition alone says
#                  attached_pic.
# Why it matters:  "has it pictures?" and "are there enough frames?" are both answered yes, and
#                  sixteen frames taken evenly are sixteen failures. Shops' songs and yt-dlp's --embed-thumbnail have covers.
# Seen:            by running (opencv-python-headless 5.0.0.93, PyAV 18.1.0, ffmpeg 9.0.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q opencv-python-headless==5.0.0.93 av==18.1.0 numpy==2.4.6 imageio-ffmpeg==0.8.1
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import cv2
import imageio_ffmpeg

FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error"]
SOUND = ["-f", "lavfi", "-i", "anoisesrc=duration=20:sample_rate=48000"]
subprocess.run([*FFMPEG, "-f", "lavfi", "-i", "testsrc=size=320x240", "-frames:v", "1", "cover.jpg"], check=True)
COVER = ["-i", "cover.jpg", "-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v", "attached_pic"]


def opencv(name):
    film = cv2.VideoCapture(name)
    if not film.isOpened():
        return "not opened"
    rate, count = film.get(cv2.CAP_PROP_FPS), film.get(cv2.CAP_PROP_FRAME_COUNT)
    read = [film.read()[0], film.read()[0]]
    for part in range(16):
        film.set(cv2.CAP_PROP_POS_FRAMES, count * part // 16)
        read.append(film.read()[0])
    return rate, count, read[:2], sum(read[2:])


def pyav(name):
    with av.open(name) as file:
        return [(float(s.duration * s.time_base), s.disposition.name) for s in file.streams.video]


found = {}
for name in ("song.mp3", "song.m4a"):
    subprocess.run([*FFMPEG, *SOUND, *COVER, name], check=True)
    subprocess.run([*FFMPEG, *SOUND, f"bare-{name}"], check=True)
    found[name] = opencv(name), pyav(name), opencv(f"bare-{name}"), pyav(f"bare-{name}")
    print(name, *found[name])
want = (90_000.0, 1_800_000.0, [True, False], 0), [(20.0, "attached_pic")], "not opened", []
sys.exit(any(value != want for value in found.values()))
PY

#!/usr/bin/env bash
# yt-dlp reports success for a section that holds no picture, and for a second one it never fetched.
#
# One would guess: a section past the end of a video is an error; each --download-sections gives a file.
# What happens:    of a 10 s film at a plain URL (whose length the site does not tell), "*20-30" exits 0 and
#                  leaves an MP4 without a single picture. Two sections with an output template that does not
#                  name the section give one file, the first; the second is passed over with exit code 0.
# Why it matters:  several clips of one video, and lists whose times are past the end, are the daily bread
#                  of clip data sets; exit code and file say that all is well.
# Seen:            by running against a server on this machine (yt-dlp 2026.10.26, ffmpeg 9.0.2). Cure: name
#                  %(section_start)s in the template, and look into each file.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio-ffmpeg==0.8.1 av==18.1.0 yt-dlp==2026.10.26
cd "$work"
venv/bin/python -W ignore - <<'PY'
import functools
import http.server
import os
import subprocess
import sys
import threading

import av
import imageio_ffmpeg
import numpy
import yt_dlp


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


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def shown(path):
    with av.open(path) as file:
        if not file.streams.video:
            return []
        return [number(frame.to_ndarray(format="rgb24")) for frame in file.decode(video=0)]


print("yt-dlp", yt_dlp.version.__version__, "ffmpeg", imageio_ffmpeg.get_ffmpeg_version())
os.makedirs("site")
ffmpeg("-c:v", "libx264", "-g", "25", "-pix_fmt", "yuv420p", "-movflags", "+faststart", "site/film.mp4",
       pictures=numbered(250).tobytes())  # fmt: skip
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory="site"))
threading.Thread(target=server.serve_forever, daemon=True).start()
got = {}
for name, sections in {"past": ["*20-30"], "two": ["*1-2", "*6-7"]}.items():
    command = [sys.executable, "-m", "yt_dlp", "--ignore-config", "--quiet", "--no-warnings", "-o", f"{name}/%(id)s.%(ext)s"]
    command += ["--ffmpeg-location", imageio_ffmpeg.get_ffmpeg_exe()]
    for section in sections:
        command += ["--download-sections", section]
    code = subprocess.run([*command, f"http://127.0.0.1:{server.server_port}/film.mp4"], timeout=60).returncode
    files = os.listdir(name) if os.path.isdir(name) else []
    got[name] = (code, [shown(f"{name}/{file}") for file in files])
    print(f"{' and '.join(sections)}: exit code {code}, files {files}, pictures", [p[:2] + p[-1:] for p in got[name][1]])
server.shutdown()
(past_code, past), (two_code, two) = got["past"], got["two"]
sys.exit(not (past_code == two_code == 0 and past == [[]] and len(two) == 1 and two[0][0] == 25))
PY

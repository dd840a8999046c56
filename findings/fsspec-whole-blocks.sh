#!/usr/bin/env bash
# To read two seconds of a film over HTTP, fsspec's default takes thirty times the bytes that the reader asks for.
#
# One would guess: a file object that asks for ranges takes about what the reader reads; its cache saves requests, and
#                  costs few bytes.
# What happens:    of a film of 43 MB PyAV reads the head, the index at the end, and two seconds in the middle: half a
#                  megabyte. By default fsspec takes 5 MiB from each place that is jumped to, 16 MB in four requests.
#                  With cache_type="none" it is 0.5 MB in 16 requests, with block_size=2**18 1.3 MB in five.
# Why it matters:  "only the clip is streamed" from a bucket or a hub, and three clips, one by one, cost more than the film.
# Source:          fsspec/spec.py, AbstractBufferedFile.DEFAULT_BLOCK_SIZE, and implementations/http.py, which keeps it.
# Seen:            by running against a server on this machine (fsspec 2026.9.0, PyAV 18.1.0, ffmpeg 9.0.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "fsspec[http]==2026.9.0" av==18.1.0 numpy==2.4.6 imageio-ffmpeg==0.8.1
cd "$work"
venv/bin/python -W ignore - <<'PY'
import http.server
import pathlib
import re
import subprocess
import sys
import threading

import av
import fsspec
import imageio_ffmpeg

PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=300"]
SOUND = ["-f", "lavfi", "-i", "anoisesrc=duration=300:color=pink:seed=1"]
CODECS = ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "1M", "-c:a", "aac", "-b:a", "128k"]
subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *PICTURE, *SOUND, *CODECS, "film.mp4"], check=True)
FILM = pathlib.Path("film.mp4").read_bytes()
asked = []


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, body):
        part = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(part[1]), int(part[2] or len(FILM) - 1)) if part else (0, len(FILM) - 1)
        last = min(last, len(FILM) - 1)
        self.send_response(206 if part else 200)
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Accept-Ranges", "bytes")
        if part:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(FILM)}")
        self.end_headers()
        if body:
            asked.append(last - first + 1)
            self.wfile.write(FILM[first : last + 1])


def clip(source):
    """The number of frames of two seconds in the middle."""
    with av.open(source) as film:
        film.seek(200_000_000)
        frames = 0
        for frame in film.decode(video=0):
            if frame.time >= 202:
                return frames
            frames += 1


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/film.mp4"
found = {}
for name, options in {"default": {}, "none": {"cache_type": "none"}, "blocks of 256 KiB": {"block_size": 2**18}}.items():
    asked.clear()
    with fsspec.open(address, "rb", **options) as file:
        frames = clip(file)
    found[name] = sum(asked) / 1e6
    print(f"{name:18} {frames} frames, {len(asked)} requests, {found[name]:.1f} MB of {len(FILM) / 1e6:.1f} MB")
sys.exit(not (found["default"] > 0.3 * len(FILM) / 1e6 and found["none"] < 1 and found["default"] > 15 * found["none"]))
PY

#!/usr/bin/env bash
# With --download-sections, yt-dlp's --limit-rate, --max-filesize and --retries do nothing, and nothing says so.
#
# One would guess: the options hold for every download: the rate that is asked for, no file larger than the limit, and
#                  another try after a server's 503.
# What happens:    a section is fetched by ffmpeg, which is given none of the three. At a rate that makes a film of 2 MB
#                  last eight seconds, a third of it comes at once as a section. `--max-filesize 100K` refuses the
#                  film and keeps the section of 660 kB. After one 503 the film is asked for again; the section, with
#                  --retries 5, is asked for once, and the run ends with code 1.
# Why it matters:  who downloads clips sets a low rate so as not to be blocked, and many retries for the long run; with
#                  sections both are lost, without a warning.
# Source:          yt_dlp/downloader/external.py: FFmpegFD._call_downloader builds its command without these options;
#                  CurlFD beside it passes all three on.
# Seen:            by running against a server on this machine (yt-dlp 2026.10.26, ffmpeg 9.0.2). Cure: retry and wait
#                  outside of yt-dlp; --external-downloader-args "ffmpeg_i:-readrate 4" is ffmpeg's own way to go slowly.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio-ffmpeg==0.8.1 yt-dlp==2026.10.26
cd "$work"
venv/bin/python -W ignore - <<'PY'
import http.server
import json
import pathlib
import re
import subprocess
import sys
import threading
import time

import imageio_ffmpeg

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
SOUND = ["-f", "lavfi", "-i", "anoisesrc=duration=60:color=pink:seed=1"]
PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=60"]
CODECS = ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "200k", "-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart"]
subprocess.run([FFMPEG, "-v", "error", *PICTURE, *SOUND, *CODECS, "film.mp4"], check=True)
FILM = pathlib.Path("film.mp4").read_bytes()
SECTION = ["--download-sections", "*20-40"]
asked = []


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    unready = 0

    def log_message(self, *args):
        pass

    def do_GET(self):
        asked.append(self.path)
        if Server.unready:
            Server.unready -= 1
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        part = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(part[1]), int(part[2] or len(FILM) - 1)) if part else (0, len(FILM) - 1)
        self.send_response(206 if part else 200)
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Accept-Ranges", "bytes")
        if part:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(FILM)}")
        self.end_headers()
        try:
            self.wfile.write(FILM[first : last + 1])
        except OSError:  # ffmpeg hangs up when it has what it wants
            pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/film.mp4"
form = {"format_id": "1", "url": address, "ext": "mp4", "protocol": "http", "vcodec": "h264", "acodec": "aac"}
video = {"id": "film", "title": "film", "ext": "mp4", "extractor": "site", "extractor_key": "Generic"}
pathlib.Path("info.json").write_text(json.dumps({**video, "webpage_url": address, "duration": 60, "formats": [form]}))


def run(*options, unready=0):
    """The exit code, the size of the file or None, the number of requests, the seconds it took."""
    asked.clear()
    Server.unready = unready
    file = pathlib.Path("clip.mp4")
    file.unlink(missing_ok=True)
    words = ["--ignore-config", "--ffmpeg-location", FFMPEG, "--load-info-json", "info.json", "-o", "clip.mp4", "--quiet"]
    begun = time.monotonic()
    ended = subprocess.run([sys.executable, "-m", "yt_dlp", *words, *options], capture_output=True, text=True)
    warned = "WARNING" in ended.stderr
    return ended.returncode, file.stat().st_size if file.exists() else None, len(asked), time.monotonic() - begun, warned


RATE, SIZE, RETRIES = ["-r", f"{len(FILM) // 8}"], ["--max-filesize", "100K"], ["--retries", "5", "--retry-sleep", "0"]
found = {}
for name, options in {"whole": [], "section": SECTION}.items():
    found[name] = {"": run(*options), "rate": run(*options, *RATE), "size": run(*options, *SIZE)}
    found[name]["503"] = run(*options, *RETRIES, unready=1)
    for what, (code, size, requests, seconds, warned) in found[name].items():
        print(f"{name:8} {what:5} exit code {code}, file {size}, requests {requests}, {seconds:.1f} s, warned: {warned}")
whole, section = found["whole"], found["section"]
whole_holds = whole["rate"][3] > 6 and whole["size"][1] is None and whole["503"][:3] == (0, len(FILM), 2)
section_free = section["rate"][3] < 4 and section["size"][1] > 200_000 and section["503"][:3] == (1, None, 1)
sys.exit(not (whole_holds and section_free and not any(row[4] for row in section.values())))
PY

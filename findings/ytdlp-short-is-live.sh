#!/usr/bin/env bash
# A finished HLS sound of less than a second is a live broadcast to yt-dlp.
#
# One would guess: a playlist that says EXT-X-PLAYLIST-TYPE:VOD and ends with EXT-X-ENDLIST is no broadcast.
# What happens:    the generic extractor adds the pieces' lengths and drops what is less than a second: 0.9 s are 0,
#                  which is taken for no length, and that for a broadcast under way: is_live is True, live_status
#                  "is_live", and there is no duration. 1.8 s have a duration of 1 and are no broadcast.
# Why it matters:  sound effects and word recordings last less than a second; who skips what is live, or waits
#                  for its end, never gets them.
# Seen:            by running (yt-dlp 2026.10.26).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q yt-dlp==2026.10.26
cd "$work"
venv/bin/python - <<'PY'
import http.server
import sys
import threading

import yt_dlp

LISTS = {"short": ["0.9"], "pieces": ["0.3"] * 3, "longer": ["0.9", "0.9"]}


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        lengths = LISTS[self.path.strip("/").removesuffix(".m3u8")]
        parts = "".join(f"#EXTINF:{length},\n{number}.ts\n" for number, length in enumerate(lengths))
        body = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-PLAYLIST-TYPE:VOD\n{parts}#EXT-X-ENDLIST\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.apple.mpegurl")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body.encode())

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("yt-dlp", yt_dlp.version.__version__)
got = {}
with yt_dlp.YoutubeDL({"quiet": True, "no_warnings": True, "proxy": ""}) as ydl:
    for name, lengths in LISTS.items():
        found = ydl.extract_info(f"http://127.0.0.1:{server.server_port}/{name}.m3u8", download=False)
        got[name] = found.get("is_live"), found.get("live_status"), found.get("duration")
        print(f"{name:7} {' + '.join(lengths)} s: is_live, live_status, duration =", got[name])
server.shutdown()
live = True, "is_live", None
sys.exit(got != {"short": live, "pieces": live, "longer": (None, None, 1)})
PY

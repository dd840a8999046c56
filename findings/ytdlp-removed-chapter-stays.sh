#!/usr/bin/env bash
# yt-dlp leaves pictures of a removed chapter in the file, 102 of them here, squeezed into a fifth of a second.
#
# One would guess: --remove-chapters takes the chapter out, or is off by a few pictures: "fewer artifacts around the cuts" is
#                  what the help promises of the slow --force-keyframes-at-cuts.
# What happens:    what follows the cut needs the key frame before it, so all pictures from there on stay, here the seconds
#                  20 to 24 of a chapter from 15 to 24 s, with times within 0.2 s that run backwards. By time
#                  that is all they take; the length, the sound and pictures by time are right. But OpenCV and decord count and
#                  number them: 27 pictures a second in place of 25, and of every 25th picture four show the
#                  removed chapter. info.json keeps the whole film's duration. With the slow option two pictures stay.
# Why it matters:  --sponsorblock-remove cuts the same way. Who takes pictures by number has parts of the adverts, and is
#                  four seconds off behind each. Key frames of films on the web are some seconds apart: nearly every
#                  cut does it.
# Source:          yt-dlp's help, and its postprocessor/modify_chapters.py; ffmpeg's manual of the concat demuxer, inpoint.
# Seen:            by running (yt-dlp 2026.10.26, ffmpeg 9.0.2, OpenCV 5.0.0, decord2 3.4.0, PyAV 18.1.0), on a film served by
#                  this computer to itself. Needs ffprobe on the PATH.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q yt-dlp==2026.10.26 imageio-ffmpeg==0.8.1 opencv-python-headless==5.0.0.93 decord2==3.4.0 \
    av==18.1.0 numpy==2.4.6
cd "$work"
mkdir site tools
ln -s "$(command -v ffprobe)" tools/ffprobe
ln -s "$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')" tools/ffmpeg
# Each second of the film has a grey of its own: 16 + 3 x second, of 25 pictures; a key frame each five seconds.
venv/bin/python -c 'import sys
for second in range(60): sys.stdout.buffer.write(bytes([16 + 3 * second]) * 64 * 64 * 25)' |
    tools/ffmpeg -v error -f rawvideo -pix_fmt gray -s 64x64 -r 25 -i - -f lavfi -i sine=d=60 -pix_fmt yuv420p \
        -c:v libx264 -g 125 -keyint_min 125 -sc_threshold 0 -c:a aac -movflags +faststart site/film.mp4
venv/bin/python -u -m http.server 0 --bind 127.0.0.1 --directory site > log 2> /dev/null &
server=$!
for _ in $(seq 100); do grep -q port log && break; sleep 0.1; done
venv/bin/python - <<'PY'
import json
import pathlib
import re
import subprocess
import sys

import av
import cv2
import decord

site = "http://127.0.0.1:" + re.search(r"port (\d+)", pathlib.Path("log").read_text()).group(1)
info = {"id": "abc", "title": "a", "extractor": "x", "extractor_key": "X", "webpage_url": site, "duration": 60}
info["formats"] = [{"format_id": "1", "url": f"{site}/film.mp4", "ext": "mp4", "vcodec": "h264", "acodec": "aac"}]
parts = (0, 15, "one"), (15, 24, "advert"), (24, 60, "two")
info["chapters"] = [{"start_time": begin, "end_time": end, "title": title} for begin, end, title in parts]
pathlib.Path("film.json").write_text(json.dumps(info))


def second_of(luma):
    return round(((float(luma.mean()) - 16) * 255 / 219 - 16) / 3)


def fetched(name, *words):
    program = [sys.executable, "-m", "yt_dlp", "--ffmpeg-location", "tools", "--load-info-json", "film.json"]
    words = [*program, "--remove-chapters", "advert", "--write-info-json", "-o", f"{name}.%(ext)s", *words]
    done = subprocess.run(words, capture_output=True, text=True)
    with av.open(f"{name}.mp4") as file:
        length = file.duration / 1e6
        shown = [(float(f.pts * f.time_base), second_of(f.to_ndarray()[:64, :64])) for f in file.decode(video=0)]
    times = [time for time, second in shown if 15 <= second < 24]
    seen, count = cv2.VideoCapture(f"{name}.mp4"), len(decord.VideoReader(f"{name}.mp4"))
    numbered = []
    for number in range(len(shown)):
        _, picture = seen.read()
        numbered += [round((float(picture.mean()) - 16) / 3)] if number % 25 == 0 else []
    return {
        "exit code": done.returncode,
        "warnings": "WARNING" in done.stderr,
        "length": round(length),
        "duration in info.json": json.loads(pathlib.Path(f"{name}.info.json").read_text())["duration"],
        "pictures": len(shown),
        "of the chapter": len(times),
        "within ms": round((max(times) - min(times)) * 1000),
        "counts and rates": [int(seen.get(cv2.CAP_PROP_FRAME_COUNT)), round(seen.get(cv2.CAP_PROP_FPS), 1), count],
        "seconds of every 25th": numbered,
        "at 40.5 s": [second for time, second in shown if time <= 40.5][-1],
    }


found = {name: fetched(name, *words) for name, words in {"plain": [], "forced": ["--force-keyframes-at-cuts"]}.items()}
for name, values in found.items():
    print(name, values)
want = {"exit code": 0, "warnings": False, "length": 51, "duration in info.json": 60, "at 40.5 s": 49}
plain = {"pictures": 1377, "of the chapter": 102, "within ms": 200, "counts and rates": [1377, 27.0, 1377]}
forced = {"pictures": 1277, "of the chapter": 2, "within ms": 160, "counts and rates": [1277, 25.0, 1277]}
plain["seconds of every 25th"] = [*range(16), *range(20, 60)]
forced["seconds of every 25th"] = [*range(16), *range(24, 60)]
sys.exit(found != {"plain": want | plain, "forced": want | forced})
PY

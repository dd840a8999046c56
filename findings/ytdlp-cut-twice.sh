#!/usr/bin/env bash
# yt-dlp -x --postprocessor-args "-ss 30 -to 40" gives ten seconds of a WebM and an empty file of an .m4a, exit code 0.
#
# One would guess: the line that many scripts for AudioSet use cuts each clip once, whatever the site sent.
# What happens:    the words go to each step that runs ffmpeg. For a sound in WebM that is one, ExtractAudio. An .m4a of
#                  fragments, as DASH has it, goes through FixupM4a first: that cuts the ten seconds, and ExtractAudio takes
#                  the 30th to 40th second of those: a WAV without a sample. With -ss 5 -to 15 the file has five
#                  seconds, and they are the seconds 10 to 15. --embed-metadata does the same to WebM: one more step, one
#                  more cut. There is a warning that all steps get the words; "ffmpeg:-ss 5 -to 15" silences it and changes
#                  nothing else. "ExtractAudio:-ss 5 -to 15" is right. The exit code is always 0.
# Why it matters:  which clips are empty or shifted depends on which format the site had for them; shifted ones look right.
# Source:          yt-dlp's help of --postprocessor-args: the arguments of all post-processors, or of a named one or "ffmpeg";
#                  yt_dlp/YoutubeDL.py: the fix-ups that it adds for the container m4a_dash.
# Seen:            by running (yt-dlp 2026.10.26, ffmpeg 9.0.2), on sounds served by this computer to itself. Needs ffprobe.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q yt-dlp==2026.10.26 imageio-ffmpeg==0.8.1 numpy==2.4.6
cd "$work"
mkdir site tools
ln -s "$(command -v ffprobe)" tools/ffprobe
ln -s "$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')" tools/ffmpeg
venv/bin/python -u -m http.server 0 --bind 127.0.0.1 --directory site > log 2> /dev/null &
server=$!
for _ in $(seq 100); do grep -q port log && break; sleep 0.1; done
venv/bin/python - <<'PY'
import json
import pathlib
import re
import subprocess
import sys

import numpy

RATE = 48000
FFMPEG = ["tools/ffmpeg", "-v", "error", "-y"]
time = numpy.arange(RATE) / RATE
tones = [0.3 * numpy.sin(2 * numpy.pi * (300 + 100 * second) * time) for second in range(60)]  # each second its own tone
raw = numpy.concatenate(tones).astype("float32").tobytes()
for words in (["-movflags", "dash", "site/sound.m4a"], ["-c:a", "libopus", "site/sound.webm"]):
    subprocess.run([*FFMPEG, "-f", "f32le", "-ar", str(RATE), "-ac", "1", "-i", "-", *words], input=raw, check=True)
site = "http://127.0.0.1:" + re.search(r"port (\d+)", pathlib.Path("log").read_text()).group(1)


def fetched(kind, *words):
    """The exit code, whether there was a warning, the length in seconds and the first and the last second of the clip."""
    form = {"format_id": "1", "url": f"{site}/sound.{kind}", "ext": kind, "vcodec": "none", "container": f"{kind}_dash"}
    form["acodec"] = {"m4a": "mp4a.40.2", "webm": "opus"}[kind]
    info = {"id": "abc", "title": "a", "extractor": "x", "extractor_key": "X", "webpage_url": site, "duration": 60}
    pathlib.Path("sound.json").write_text(json.dumps(info | {"formats": [form]}))
    program = [sys.executable, "-m", "yt_dlp", "--ffmpeg-location", "tools", "--load-info-json", "sound.json"]
    program += ["-x", "--audio-format", "wav", *words, "-o", "clip.%(ext)s"]
    done = subprocess.run(program, capture_output=True, text=True)
    clip = pathlib.Path("clip.wav")
    read = [*FFMPEG, "-i", clip, "-f", "f32le", "-ac", "1", "-ar", str(RATE), "-"]
    samples = numpy.frombuffer(subprocess.run(read, capture_output=True).stdout, "float32")
    clip.unlink()
    told = done.returncode, "WARNING" in done.stderr, round(len(samples) / RATE)
    if not told[2]:
        return *told, None
    pieces = samples[RATE // 4 : 3 * RATE // 4], samples[-3 * RATE // 4 : -RATE // 4]
    spectra = [numpy.abs(numpy.fft.rfft(piece * numpy.hanning(len(piece)))) for piece in pieces]
    return *told, tuple(round((int(spectrum.argmax()) * 2 - 300) / 100) for spectrum in spectra)


WAYS = {
    "-ss 30 -to 40": ["--postprocessor-args", "-ss 30 -to 40"],
    "-ss 5 -to 15": ["--postprocessor-args", "-ss 5 -to 15"],
    "-ss 5 -to 15, metadata": ["--embed-metadata", "--postprocessor-args", "-ss 5 -to 15"],
    "ffmpeg:-ss 5 -to 15": ["--postprocessor-args", "ffmpeg:-ss 5 -to 15"],
    "ExtractAudio:-ss 5 -to 15": ["--postprocessor-args", "ExtractAudio:-ss 5 -to 15"],
}
found = {(way, kind): fetched(kind, *words) for way, words in WAYS.items() for kind in ("webm", "m4a")}
for (way, kind), values in found.items():
    print(f"{way:26} of {kind:4}: exit code {values[0]}, warning {values[1]}, {values[2]} s, first and last second {values[3]}")
right, late, empty = (10, (5, 14)), (5, (10, 14)), (0, None)
want = {
    ("-ss 30 -to 40", "webm"): (0, True, 10, (30, 39)),
    ("-ss 30 -to 40", "m4a"): (0, True, *empty),
    ("-ss 5 -to 15", "webm"): (0, True, *right),
    ("-ss 5 -to 15", "m4a"): (0, True, *late),
    ("-ss 5 -to 15, metadata", "webm"): (0, True, *late),
    ("-ss 5 -to 15, metadata", "m4a"): (0, True, *empty),
    ("ffmpeg:-ss 5 -to 15", "webm"): (0, False, *right),
    ("ffmpeg:-ss 5 -to 15", "m4a"): (0, False, *late),
    ("ExtractAudio:-ss 5 -to 15", "webm"): (0, False, *right),
    ("ExtractAudio:-ss 5 -to 15", "m4a"): (0, False, *right),
}
sys.exit(found != want)
PY

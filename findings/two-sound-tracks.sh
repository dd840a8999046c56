#!/usr/bin/env bash
# Of a film with two sound tracks, two languages say, readers take different ones, and the container changes which.
#
# One would guess: of two tracks each reader takes the first, or each takes the one marked as default.
# What happens:    decord and PyAV's streams.audio[0] take the first, whatever is marked. ffmpeg and MoviePy take the
#                  default one; of two defaults the one with more channels. PyAV's streams.best("audio") takes the
#                  default one; of two defaults the second in MP4 and the first in Matroska, of the same packets.
#                  None of them says a word.
# Why it matters:  films come dubbed or with a described track (yt-dlp's --audio-multistreams keeps YouTube's too). The
#                  "sound" of one clip is another language by the loader, and a set of features is a mix of the two.
# Source:          ffmpeg's documentation on automatic stream selection; FFmpeg's av_find_best_stream weighs disposition,
#                  then packets seen and bit rate, which Matroska does not say.
# Seen:            by running (ffmpeg 9.0.2, PyAV 18.1.0, decord2 3.4.0, moviepy 2.2.1).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q av==18.1.0 decord2==3.4.0 moviepy==2.2.1 imageio-ffmpeg==0.8.1 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import decord
import imageio_ffmpeg
import moviepy
import numpy

RATE = 48000
FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
FILM = "-f lavfi -i testsrc=s=128x96:r=25:d=4 -f lavfi -i sine=440:d=4:r=48000 -f lavfi -i sine=880:d=4:r=48000".split()
MONO_THEN_STEREO = "-map 0 -map 1 -map 2 -c:v libx264 -c:a aac -b:a:0 64k -ac:a:1 2 -b:a:1 128k".split()
MARKS = {  # which of the two tracks, of 440 and of 880 Hz, are marked as default
    "first": ["default", "0"],
    "second": ["0", "default"],
    "both": ["default", "default"],
}
TRACKS = {440: "first", 880: "second"}


def track(sound):
    spectrum = abs(numpy.fft.rfft(numpy.asarray(sound, "f8")[RATE : 3 * RATE]))
    return TRACKS[round(spectrum.argmax() / 2)]


def by_ffmpeg(name):
    words = ["-i", name, "-f", "f32le", "-ac", "1", "-ar", str(RATE), "-"]
    return numpy.frombuffer(subprocess.run([*FFMPEG, *words], capture_output=True, check=True).stdout, "f4")


def by_pyav(name, best=False):
    with av.open(name) as film:
        stream = film.streams.best("audio") if best else film.streams.audio[0]
        return numpy.concatenate([frame.to_ndarray()[0] for frame in film.decode(stream)])


READERS = {
    "ffmpeg": by_ffmpeg,
    "MoviePy": lambda name: moviepy.AudioFileClip(name).to_soundarray(fps=RATE)[:, 0],
    "PyAV best": lambda name: by_pyav(name, best=True),
    "PyAV [0]": by_pyav,
    "decord": lambda name: decord.AudioReader(name, mono=True)[:].asnumpy()[0],
}
found = {}
for mark, (first, second) in MARKS.items():
    for kind in ("mp4", "mkv"):
        name = f"{mark}.{kind}"
        words = [*MONO_THEN_STEREO, "-disposition:a:0", first, "-disposition:a:1", second]
        subprocess.run([*FFMPEG, *FILM, *words, name], check=True)
        found[mark, kind] = [track(read(name)) for read in READERS.values()]
        print(f"{kind}, default: {mark:6}", dict(zip(READERS, found[mark, kind], strict=True)))
want = {("first", kind): ["first"] * 5 for kind in ("mp4", "mkv")}
want |= {("second", kind): ["second"] * 3 + ["first"] * 2 for kind in ("mp4", "mkv")}
want["both", "mp4"] = ["second"] * 3 + ["first"] * 2
want["both", "mkv"] = ["second"] * 2 + ["first"] * 3
sys.exit(found != want)
PY

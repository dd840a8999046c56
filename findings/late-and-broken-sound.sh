#!/usr/bin/env bash
# Sound that begins late or has a hole is moved forward by it in a .wav; MoviePy pads the end, so even the length is right.
#
# One would guess: a second of the sound taken out of a film is that second of the film, or the lengths tell otherwise.
# What happens:    pictures and sound have times of their own, and a .wav has none. A sound that begins at 1.2 s, or lacks
#                  the second from 3.2 on, is written without the missing part: all that follows is a second early. So it
#                  is in ffmpeg's .wav and .mp3, in decord's AudioReader, in faster-whisper's, librosa's and pydub's way
#                  to read (packets one behind the other), and in MoviePy, which adds silence at the END up to the film's
#                  length, and writes films so. .mp4 and .mkv of ffmpeg keep the times; decord's AVReader keeps a late
#                  begin, drops as much of the end, and closes a hole. ffmpeg's -ss is right in all. The words that help are
#                  -af aresample=async=1:first_pts=0; without first_pts a late begin stays lost.
# Why it matters:  a clip cut by -ss from the film and the same seconds cut from its .wav are a second apart, and words
#                  recognised in the .wav get times a second too early. Recorded streams and cut films are so.
# Source:          ffmpeg's manual of its resampler, options async and first_pts; the packets' times by ffprobe.
# Seen:            by running (ffmpeg 9.0.2 of imageio-ffmpeg 0.8.1, PyAV 18.1.0, decord2 3.4.0, moviepy 2.2.1).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio-ffmpeg==0.8.1 av==18.1.0 decord2==3.4.0 moviepy==2.2.1 soundfile==0.14.0 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import decord
import imageio_ffmpeg
import numpy
import soundfile
from moviepy import AudioFileClip, VideoFileClip

FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
RATE = 48000
WHOLE = "aresample=async=1:first_pts=0"
sound = numpy.zeros(10 * RATE, "float32")
for second in range(10):  # a burst of noise in the middle of each second
    begin = second * RATE + RATE // 2
    sound[begin : begin + 480] = numpy.random.default_rng(second).uniform(-0.9, 0.9, 480)
soundfile.write("sound.wav", sound, RATE)
FILM = ["-f", "lavfi", "-i", "testsrc=s=128x64:r=25:d=10", "-i", "sound.wav", "-c:v", "libx264"]
subprocess.run([*FFMPEG, *FILM, "-af", "atrim=1.2", "late.mp4"], check=True)
subprocess.run([*FFMPEG, *FILM, "-af", "aselect='lt(t,3.2)+gte(t,4.2)'", "hole.mp4"], check=True)


def to(name, *words):
    def read(film):
        subprocess.run([*FFMPEG, "-i", film, *words, name], check=True)
        if not name.endswith(".wav"):
            subprocess.run([*FFMPEG, "-i", name, "-af", WHOLE, "again.wav"], check=True)
        samples, rate = soundfile.read(name if name.endswith(".wav") else "again.wav", always_2d=True)
        return samples[:, 0], rate

    return read


def by_pyav(film):
    with av.open(film) as file:
        return numpy.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)]), RATE


def by_decord(film):
    return decord.AudioReader(film, sample_rate=RATE, mono=True)[:].asnumpy()[0], RATE


def by_decord_av(film):
    pieces, _ = decord.AVReader(film, sample_rate=RATE, mono=True)[:]
    return numpy.concatenate([piece.asnumpy()[0] for piece in pieces]), RATE


def by_moviepy(film):
    with AudioFileClip(film) as clip:
        return clip.to_soundarray(fps=RATE)[:, 0], RATE


def by_moviepy_film(film):
    with VideoFileClip(film) as clip:
        clip.write_videofile("written.mp4", logger=None)
    return to("again.wav", "-af", WHOLE)("written.mp4")


READERS = {
    "ffmpeg .wav": to("x.wav"),
    "ffmpeg .mp3": to("x.mp3"),
    "ffmpeg .mp4": to("x.mp4"),
    "async=1": to("x.wav", "-af", "aresample=async=1"),
    "async=1:first_pts=0": to("x.wav", "-af", WHOLE),
    "ffmpeg -ss 5": to("x.wav", "-ss", "5"),
    "PyAV, frame by frame": by_pyav,
    "decord AudioReader": by_decord,
    "decord AVReader": by_decord_av,
    "MoviePy": by_moviepy,
    "MoviePy's film": by_moviepy_film,
}
found = {}
for name, read in READERS.items():
    row = []
    for film in ("late.mp4", "hole.mp4"):
        samples, rate = read(film)
        last = numpy.flatnonzero(numpy.abs(samples) > 0.15)
        last = last[last > last[-1] - rate // 2][0] / rate  # where the last burst begins, which is at 9.5 s of the film
        row.append((round(float(last), 1), round(len(samples) / rate, 1)))
    found[name] = row
    print(f"{name:22} the burst of 9.5 s and the length, late: {row[0]}, with a hole: {row[1]}")
early, right = (8.3, 8.8), (9.5, 10.0)
want = dict.fromkeys(("ffmpeg .wav", "ffmpeg .mp3", "PyAV, frame by frame", "decord AudioReader"), [early, (8.5, 9.0)])
want |= dict.fromkeys(("ffmpeg .mp4", "async=1:first_pts=0"), [right, right])
want |= dict.fromkeys(("MoviePy", "MoviePy's film"), [(8.3, 10.0), (8.5, 10.0)])
want |= {"async=1": [early, right], "ffmpeg -ss 5": [(4.5, 5.0)] * 2, "decord AVReader": [(8.5, 8.8), (8.5, 9.0)]}
sys.exit(found != want)
PY

#!/usr/bin/env bash
# Two seconds of Opus, cut from WebM with -c copy, are five; Opus moved into MP4 gains samples.
#
# One would guess: sound has no key frames, so a copy starts within 20 ms of where one asked; and copying
#                  packets to another container changes no sample.
# What happens:    `ffmpeg -ss 3 -i x.webm -t 2 -c copy y.webm` keeps every packet since the start of the
#                  WebM cluster: 4.99 s of sound that begin at second 0, exit code 0. `-copypriorss 0` gives
#                  2 s. The same cut of an m4a file is right. And the whole WebM of 480,000 samples, copied
#                  into MP4, decodes to 480,624: the trimming at its end is lost.
# Why it matters:  YouTube's best sound is Opus in WebM, and -c copy is how clips of it are cut.
# Seen:            by running (ffmpeg 9.0.2 of imageio-ffmpeg 0.8.1). The option is in ffmpeg's manual.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio-ffmpeg==0.8.1
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys
import wave

import imageio_ffmpeg
import numpy


def sweep(path):
    """Ten seconds of a rising tone, so that a shift can be measured to the sample."""
    at = numpy.arange(480_000) / 48_000
    tone = 0.3 * numpy.sin(2 * numpy.pi * (100 + 400 * at) * at)
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes((tone * 32767).astype("<i2").tobytes())
    return tone


def late_by(sound, tone):
    """By how many samples sound comes later than tone, judged by a stretch in the middle."""
    size = 1 << 20
    match = numpy.fft.irfft(numpy.fft.rfft(sound, size) * numpy.conj(numpy.fft.rfft(tone[200_000:220_000], size)))
    return int(match.argmax()) - 200_000


def ffmpeg(*args):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", *args]
    return subprocess.run(command, check=True, capture_output=True).stdout


def decode(path):
    return numpy.frombuffer(ffmpeg("-i", path, "-f", "f32le", "-"), "<f4")


print("ffmpeg", imageio_ffmpeg.get_ffmpeg_version())
sweep("tone.wav")
ffmpeg("-i", "tone.wav", "-c:a", "libopus", "film.webm")
ffmpeg("-i", "tone.wav", "-c:a", "aac", "film.m4a")
ffmpeg("-ss", "3", "-i", "film.webm", "-t", "2", "-c", "copy", "clip.webm")
ffmpeg("-ss", "3", "-i", "film.webm", "-t", "2", "-c", "copy", "-copypriorss", "0", "from3.webm")
ffmpeg("-ss", "3", "-i", "film.m4a", "-t", "2", "-c", "copy", "clip.m4a")
ffmpeg("-i", "film.webm", "-c", "copy", "film.mp4")
got = {name: len(decode(name)) for name in ("clip.webm", "from3.webm", "clip.m4a", "film.webm", "film.mp4")}
for name, samples in got.items():
    print(f"{name:11} {samples:7} samples, {samples / 48000:.3f} s")
ok = 4.9 < got["clip.webm"] / 48000 < 5.1 and 1.9 < got["from3.webm"] / 48000 < 2.1
ok &= 1.9 < got["clip.m4a"] / 48000 < 2.1 and got["film.webm"] == 480_000 < got["film.mp4"]
sys.exit(not ok)
PY

#!/usr/bin/env bash
# Half a downloaded sound reads as a shorter whole one, in four formats of five.
#
# One would guess: libsndfile, which knows the length from the header, raises when the samples end early.
# What happens:    of a file cut off in the middle, soundfile returns what is there: WAV, Ogg Vorbis and
#                  Opus even say that they are 5 s long; MP3 says 10 s and returns 5 s. FLAC alone raises.
# Why it matters:  a length check by soundfile.info() passes half an MP3, and a read without a check passes
#                  four of the five; a broken-off download enters training as a short clip.
# Seen:            by running (soundfile 0.14.0). Compare len(read) with the length that is due.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio-ffmpeg==0.8.1 soundfile==0.14.0
cd "$work"
venv/bin/python -W ignore - <<'PY'
import pathlib
import subprocess
import sys
import wave

import imageio_ffmpeg
import numpy
import soundfile


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


print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
sweep("tone.wav")
got = {}
for name, codec in {"mp3": "libmp3lame", "ogg": "libvorbis", "opus": "libopus", "flac": "flac", "wav": None}.items():
    path = pathlib.Path(f"tone.{name}")
    if codec:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-i", "tone.wav", "-c:a", codec, path]
        subprocess.run(command, check=True)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    says = soundfile.info(path).frames / 48000
    try:
        gives = len(soundfile.read(path)[0]) / 48000
    except soundfile.LibsndfileError as error:
        gives = None
        print(f"{name:5} info says {says:.2f} s, read raises: {error}")
    else:
        print(f"{name:5} info says {says:.2f} s, read gives {gives:.2f} s")
    got[name] = (says > 9.9, gives)
ok = got["flac"] == (True, None) and got["mp3"][0] and 4 < got["mp3"][1] < 6
ok &= all(not got[name][0] and 2 < got[name][1] < 8 for name in ("wav", "ogg", "opus"))
sys.exit(not ok)
PY

#!/usr/bin/env bash
# FLAC that ffmpeg writes to a pipe cannot be read by soundfile, and piped MP3 has two lengths.
#
# One would guess: a sound from a pipe is the same as from a file; players play it, so readers read it.
# What happens:    ffmpeg cannot go back and fill in the length. soundfile takes FLAC's "unknown" for the
#                  largest number there is: info() says 2**63 - 1 frames and read() raises ValueError. Of
#                  MP3 without its LAME header, info() names more samples than read() gives, and both are
#                  more than were encoded. Python's wave takes piped WAV for 1,073,741,823 frames or more;
#                  soundfile reads it right. Ogg carries its length at the end and is right.
# Why it matters:  downloaders pipe ffmpeg into memory or to a bucket; FLAC saved so fails in training.
# Seen:            by running (soundfile 0.14.0, ffmpeg 9.0.2 of imageio-ffmpeg 0.8.1).
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


print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__, "ffmpeg", imageio_ffmpeg.get_ffmpeg_version())
sweep("tone.wav")
exe = imageio_ffmpeg.get_ffmpeg_exe()
got = {}
for name, codec in {"wav": "pcm_s16le", "ogg": "libopus", "mp3": "libmp3lame", "flac": "flac"}.items():
    command = [exe, "-nostdin", "-v", "error", "-i", "tone.wav", "-c:a", codec, "-f", name, "pipe:1"]
    path = pathlib.Path(f"piped.{name}")
    path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    says = soundfile.info(path).frames
    try:
        gives = len(soundfile.read(path)[0])
    except ValueError as error:
        gives = f"ValueError: {error}"
    got[name] = (says, gives)
    print(f"{name:5} info: {says} frames, read: {gives}")
with wave.open("piped.wav") as sound:
    frames = sound.getnframes()
print("wave: ", frames, "frames")
ok = got["wav"] == got["ogg"] == (480_000, 480_000) and frames > 1_000_000_000
ok &= got["mp3"][0] > got["mp3"][1] > 480_000
ok &= got["flac"][0] == 2**63 - 1 and str(got["flac"][1]).startswith("ValueError")
sys.exit(not ok)
PY

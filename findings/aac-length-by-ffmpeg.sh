#!/usr/bin/env bash
# The same AAC file is longer in ffmpeg 7 than in ffmpeg 9, and from Matroska 21 ms later.
#
# One would guess: one file decodes to one sound; the two releases of imageio-ffmpeg agree.
# What happens:    10 s at 48 kHz, encoded by either release, decodes to
#                    from m4a: 480,256 samples by ffmpeg 7.0.2 and PyAV 18.1.0, 480,000 by ffmpeg 9.0.2;
#                    from mkv: 481,280 by ffmpeg 7.0.2, all 1,024 samples late; 480,256 and none late by
#                    ffmpeg 9.0.2 and PyAV 18.1.0;
#                    from a fragmented m4a, which has no edit list: 481,280 and 1,024 late by all.
#                  Which release encoded makes no difference.
# Why it matters:  features of 10 s clips change their length with the wheel, and WAVs of one data set that
#                  were made by two machines are shifted against each other.
# Seen:            by running (imageio-ffmpeg 0.7.0 and 0.8.1, av 18.1.0). Pin the decoder with the data.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio-ffmpeg==0.8.1 av==18.1.0
"$work/venv/bin/pip" install -q --no-deps --target "$work/older" imageio-ffmpeg==0.7.0
cd "$work"
older=$(echo older/imageio_ffmpeg/binaries/ffmpeg-*)
venv/bin/python -W ignore - "$older" <<'PY'
import subprocess
import sys
import wave

import av
import imageio_ffmpeg
import numpy

new = imageio_ffmpeg.get_ffmpeg_exe()
old = sys.argv[1]

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


def decode(exe, path):
    command = [exe, "-nostdin", "-v", "error", "-i", path, "-f", "f32le", "-"]
    return numpy.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, "<f4")


def decode_av(path):
    with av.open(path) as file:
        return numpy.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])


tone = sweep("tone.wav")
for exe in (old, new):
    print(subprocess.run([exe, "-version"], check=True, capture_output=True, text=True).stdout.split(" Copy")[0])
print("av", av.__version__)
got = {}
fragments = ["-movflags", "+frag_keyframe+empty_moov"]
for name, options in {"m4a": [], "mkv": [], "fragmented.m4a": fragments}.items():
    for writer, exe in (("7", old), ("9", new)):
        path = f"by{writer}.{name}"
        command = [exe, "-nostdin", "-v", "error", "-i", "tone.wav", "-c:a", "aac", *options, path]
        subprocess.run(command, check=True)
        sounds = [decode(old, path), decode_av(path), decode(new, path)]
        got[path] = [(len(sound), late_by(sound, tone)) for sound in sounds]
        print(f"{path:19} samples, late by: ffmpeg 7 {got[path][0]}, PyAV {got[path][1]}, ffmpeg 9 {got[path][2]}")
want = {
    "m4a": [(480_256, 0), (480_256, 0), (480_000, 0)],
    "mkv": [(481_280, 1024), (480_256, 0), (480_256, 0)],
    "fragmented.m4a": [(481_280, 1024)] * 3,
}
sys.exit(any(got[f"by{writer}.{name}"] != value for name, value in want.items() for writer in "79"))
PY

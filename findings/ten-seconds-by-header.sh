#!/usr/bin/env bash
# Ten seconds of sound are 0.0, 0.04, 126 or 44,739 s long by the readers of headers, and ten as soon as it is decoded.
#
# One would guess: the length that a tag reader or a header tells is right within a frame, or missing.
# What happens:    three common files have no length at their beginning. In an .m4a of fragments, as sites serve for DASH,
#                  mutagen and tinytag read the field of the empty index: 0.0 s. A .wav that ffmpeg wrote into a pipe has
#                  the largest number there is in place of its size: mutagen, tinytag, audioread, Python's wave and
#                  pedalboard say twelve hours (at 48 kHz, mono). An .aac has no header: PyAV, as ffprobe, and mutagen
#                  work it out of the first frames' bit rate, 12 times too much for a clip that begins quietly, and
#                  tinytag says 0.04 s. soundfile, where it reads the format, and music-metadata for node are right.
# Why it matters:  a set that is filtered by "at least nine seconds" loses all of one kind and takes all of the other, and
#                  an array made by such a number of samples has 8.6 GB.
# Source:          ISO/IEC 14496-12, mvhd and mvex: the duration of the fragments is not in mvhd; ffmpeg's warning
#                  "Estimating duration from bitrate, this may be inaccurate".
# Seen:            by running (mutagen 1.48.1, tinytag 2.3.2, audioread 3.1.0, pedalboard 0.9.26, PyAV 18.1.0,
#                  soundfile 0.14.0, music-metadata 11.16.1 of npm, ffmpeg 9.0.2). Needs node and npm.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q mutagen==1.48.1 tinytag==2.3.2 audioread==3.1.0 pedalboard==0.9.26 av==18.1.0 \
    soundfile==0.14.0 imageio-ffmpeg==0.8.1 numpy==2.4.6
cd "$work"
npm install --silent --no-audit --no-fund music-metadata@11.16.1 > /dev/null
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys
import wave

import audioread
import av
import imageio_ffmpeg
import mutagen
import numpy
import pedalboard.io
import soundfile
import tinytag

RATE = 48000
FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
sound = numpy.random.default_rng(0).uniform(-0.5, 0.5, 10 * RATE)
sound[: 5 * RATE] = 0
soundfile.write("clip.wav", sound, RATE)
subprocess.run([*FFMPEG, "-i", "clip.wav", "-movflags", "dash", "dash.m4a"], check=True)
subprocess.run([*FFMPEG, "-i", "clip.wav", "clip.aac"], check=True)
with open("piped.wav", "wb") as file:
    subprocess.run([*FFMPEG, "-i", "clip.wav", "-f", "wav", "-"], stdout=file, check=True)

NODE = "import('music-metadata').then(m => m.parseFile(process.argv[1], {duration: true}))"
NODE += ".then(m => console.log(m.format.duration))"


def by_pedalboard(name):
    with pedalboard.io.AudioFile(name) as file:
        return file.frames / file.samplerate


def by_decoding(name):
    with av.open(name) as file:
        return sum(frame.samples for frame in file.decode(audio=0)) / RATE


READERS = {
    "mutagen": lambda name: mutagen.File(name).info.length,
    "tinytag": lambda name: tinytag.TinyTag.get(name).duration,
    "PyAV": lambda name: av.open(name).duration / 1e6,
    "music-metadata": lambda name: float(subprocess.check_output(["node", "-e", NODE, name])),
    "decoded": by_decoding,
    "audioread": lambda name: audioread.audio_open(name).duration,
    "wave": lambda name: wave.open(name).getnframes() / RATE,
    "pedalboard": by_pedalboard,
    "soundfile": lambda name: soundfile.info(name).duration,
}
found = {}
for name in ("dash.m4a", "clip.aac", "piped.wav"):
    readers = READERS if name.endswith(".wav") else dict(list(READERS.items())[:5])
    found[name] = {reader: round(read(name), 2) for reader, read in readers.items()}
    print(name, found[name])
hours, m4a, aac, wav = 44739.24, *found.values()
right = all(9.99 <= row[reader] <= 10.04 for row in found.values() for reader in ("decoded", "music-metadata"))
right = right and wav["soundfile"] == wav["PyAV"] == 10 and 10 <= m4a["PyAV"] < 10.04
zero = m4a["mutagen"] == m4a["tinytag"] == 0 and aac["tinytag"] < 0.1
long = min(aac["mutagen"], aac["PyAV"]) > 100
long = long and all(wav[reader] == hours for reader in ("mutagen", "tinytag", "audioread", "wave", "pedalboard"))
print("right where decoded:", right, " nothing:", zero, " too long:", long)
sys.exit(not (right and zero and long))
PY

#!/usr/bin/env bash
# Two equal channels that ffmpeg's AAC encoder took are not equal any more when they are decoded.
#
# One would guess: a mono sound that is copied to both channels, as half of what people upload, stays twice the same
#                  through AAC: the encoder sees that the sides do not differ.
# What happens:    noise decodes with a difference between the channels that is 12 dB below the sound: for bands
#                  that are like noise the encoder keeps a level alone (PNS), and the decoder makes up other noise in
#                  each channel. With `-aac_pns 0` and with MP3 the channels are equal, sample by sample.
# Why it matters:  "is it mono copied twice?" cannot be asked of decoded samples with a small tolerance; a model that is
#                  given the difference of the channels hears something that was never recorded; and a hash of the
#                  samples of one channel is not that of the other.
# Seen:            by running (ffmpeg 9.0.2 of imageio-ffmpeg 0.8.1, numpy 2.4.6).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio-ffmpeg==0.8.1
cd "$work"
venv/bin/python - <<'PY'
import subprocess
import sys

import imageio_ffmpeg
import numpy

FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y"]
SOURCE = ["-f", "lavfi", "-i", "anoisesrc=duration=4:color=pink:seed=1:sample_rate=44100", "-ac", "2"]


def decibels(name, words):
    """How far the difference of the channels lies below their sum; infinite where they are equal."""
    subprocess.run([*FFMPEG, *SOURCE, *words, name], check=True)
    raw = subprocess.run([*FFMPEG, "-i", name, "-f", "f32le", "-"], check=True, capture_output=True).stdout
    left, right = numpy.frombuffer(raw, "<f4").reshape(-1, 2).T.astype(float)
    apart = float(numpy.square(left - right).mean())
    return float("inf") if apart == 0 else round(10 * float(numpy.log10(numpy.square(left).mean() / apart)), 1)


found = {
    "aac": decibels("a.m4a", ["-c:a", "aac", "-b:a", "128k"]),
    "aac without pns": decibels("b.m4a", ["-c:a", "aac", "-b:a", "128k", "-aac_pns", "0"]),
    "mp3": decibels("c.mp3", ["-c:a", "libmp3lame", "-b:a", "128k"]),
    "wav": decibels("d.wav", ["-c:a", "pcm_s16le"]),
}
print(found)
sys.exit(not (5 < found.pop("aac") < 30 and all(value == float("inf") for value in found.values())))
PY

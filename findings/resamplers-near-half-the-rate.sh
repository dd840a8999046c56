#!/usr/bin/env bash
# From 48 to 16 kHz, a tone of 8.2 kHz comes back at 7.8 kHz: 15 dB down by ffmpeg and PyAV, 130 dB down by soxr.
#
# One would guess: what lies above half of the new rate is gone with each well-known resampler; they differ by rounding.
# What happens:    libswresample's default filter (ffmpeg's -ar, PyAV's AudioResampler) is short: it takes 3 dB from
#                  7.5 kHz and lets 8.2 kHz through as 7.8 kHz at -15 dB. scipy's resample_poly lets through more, -9 dB.
#                  soxr at its default, which librosa.resample uses, takes 0.4 dB from 7.5 kHz, 24 dB from 7.8 kHz,
#                  and all of 8.2 kHz. All four keep an impulse at its place, and give as many samples.
# Why it matters:  the top bands of a mel spectrogram differ by many decibels with the library that cut the clip:
#                  a model that was trained on clips of one gets other numbers there from clips of another.
# Seen:            by running (ffmpeg 9.0.2, PyAV 18.1.0, soxr 1.1.0, scipy 1.17.1). Cure: one
#                  resampler for all, or ffmpeg's -af aresample=16000:filter_size=256:cutoff=0.97.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q av==18.1.0 soxr==1.1.0 scipy==1.17.1 numpy==2.4.6 imageio-ffmpeg==0.8.1
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import imageio_ffmpeg
import numpy
import scipy.signal
import soxr

OLD, NEW = 48_000, 16_000


def ffmpeg(x, *words):
    pipes = ["-f", "f32le", "-ar", str(OLD), "-ac", "1", "-i", "-", *(words or ["-ar", str(NEW)]), "-f", "f32le", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *pipes]
    done = subprocess.run(command, input=x.tobytes(), capture_output=True, check=True)
    return numpy.frombuffer(done.stdout, "<f4")


def pyav(x):
    frame = av.AudioFrame.from_ndarray(x[None], "flt", "mono")
    frame.sample_rate = OLD
    resampler = av.AudioResampler("flt", "mono", NEW)
    return numpy.concatenate([part.to_ndarray()[0] for part in [*resampler.resample(frame), *resampler.resample(None)]])


WAYS = {
    "ffmpeg": ffmpeg,
    "PyAV": pyav,
    "scipy": lambda x: scipy.signal.resample_poly(x, NEW, OLD),
    "soxr": lambda x: soxr.resample(x, OLD, NEW),
    "ffmpeg, 256": lambda x: ffmpeg(x, "-af", f"aresample={NEW}:filter_size=256:cutoff=0.97"),
}


def left(way, hertz):
    """What is left of a tone, in decibels, away from the ends."""
    tone = numpy.sin(2 * numpy.pi * hertz * numpy.arange(2 * OLD) / OLD).astype("float32")
    return round(float(10 * numpy.log10(2 * numpy.square(way(tone)[4000:-4000].astype(float)).mean() + 1e-20)), 1)


impulse = numpy.zeros(OLD, "float32")
impulse[OLD // 2] = 1
found = {name: {hertz: left(way, hertz) for hertz in (7000, 7500, 7800, 8200, 8500, 9000)} for name, way in WAYS.items()}
places = {name: (len(way(impulse)), int(abs(way(impulse)).argmax())) for name, way in WAYS.items()}
for name in WAYS:
    print(f"{name:12}", found[name], "samples and the impulse's place", places[name])
swr, poly, long = found["ffmpeg"], found["scipy"], found["soxr"]
ok = swr == found["PyAV"] and set(places.values()) == {(NEW, NEW // 2)}
ok &= -4 < swr[7500] < -2 and -18 < swr[8200] < -13 and -12 < poly[8200] < -6 and long[7500] > -1 and long[8200] < -100
sys.exit(not ok)
PY

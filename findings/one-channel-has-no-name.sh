#!/usr/bin/env bash
# Of mono sound in Matroska, PyAV's second resampler refuses a frame that the first one took.
#
# One would guess: a frame can be resampled to two rates, by two resamplers, in any order: each gives new frames.
# What happens:    a float PCM stream of one channel, in Matroska, has the layout "1 channels", which is mono without its
#                  name. A resampler to its own rate, "flt" and "mono", takes it for the same and passes the frame through;
#                  the next resampler, to another rate, raises ArgumentError 22 (Invalid argument) on that very frame. In
#                  the other order both work, and so they do with a 16-bit WAV, whose layout is the same but whose numbers have
#                  to be converted, so that nothing is passed through; or when the codec context's layout is set
#                  to "mono" before anything is decoded.
# Why it matters:  features at 16 kHz and at 8 kHz of one decode fail for some clips and not for others, by the order of
#                  two lines, and the error speaks of none of this.
# Seen:            by running (av 18.1.0, numpy 2.4.6).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q av==18.1.0 numpy==2.4.6
cd "$work"
venv/bin/python - <<'PY'
import sys

import av
import numpy

RATE = 16_000


def write(name, codec, kind, dtype):
    with av.open(name, "w") as file:
        stream = file.add_stream(codec, rate=RATE, layout="mono")
        samples = (numpy.sin(numpy.arange(RATE) / 9) * (1 if dtype == "f4" else 30000)).astype(dtype)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format=kind, layout="mono")
        frame.sample_rate = RATE
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def decode(name, rates, named=False):
    with av.open(name) as file:
        stream = file.streams.audio[0]
        if named:
            stream.codec_context.layout = "mono"
        resamplers = [av.AudioResampler("flt", "mono", rate) for rate in rates]
        layouts = set()
        try:
            for frame in file.decode(stream):
                layouts.add(frame.layout.name)
                for resampler in resamplers:
                    resampler.resample(frame)
        except av.error.ArgumentError as error:
            return layouts, f"ArgumentError {error.errno}"
        return layouts, "works"


write("sound.mkv", "pcm_f32le", "flt", "f4")
write("sound.wav", "pcm_s16le", "s16", "i2")
found = {
    "mkv, its own rate first": decode("sound.mkv", [16_000, 8_000]),
    "mkv, its own rate last": decode("sound.mkv", [8_000, 16_000]),
    "mkv, layout named": decode("sound.mkv", [16_000, 8_000], named=True),
    "wav, its own rate first": decode("sound.wav", [16_000, 8_000]),
}
print(found)
ended = [how for _, how in found.values()]
sys.exit(not (ended == ["ArgumentError 22", "works", "works", "works"] and found["mkv, its own rate first"][0] == {"1 channels"}))
PY

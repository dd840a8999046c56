#!/usr/bin/env bash
# Of stereo sound, decord gives a quarter of one channel; the rest is what the memory held.
#
# One would guess: AudioReader(path, mono=False) returns both channels, as its documentation says.
# What happens:    the array has the right shape. In the first channel the first quarter of the samples is right,
#                  to the sample; all of the second channel and the rest of the first are other bytes of the
#                  process: at times old sound that passes for sound, at times zeros, at times numbers of 1e38 and NaN.
#                  No error. mono=True, the default, is right. decord2 3.4.0 has both channels.
# Why it matters:  whoever asks for stereo trains on noise; in a short test that listens to the beginning of the
#                  left channel all is well. decord and eva-decord have had no release since 2021 and 2023.
# Seen:            by running (decord 0.6.0, eva-decord 0.6.1, decord2 3.4.0), on WAV, of which no decoder could make
#                  anything else.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6
cd "$work"
cat >look.py <<'PY'
import sys
import wave

import numpy

sys.path.insert(0, sys.argv[1])
import decord

SAMPLES = 400_000
noise = (numpy.random.default_rng(1).standard_normal((SAMPLES, 2)) * 5000).clip(-30000, 30000).astype("<i2")
with wave.open("noise.wav", "wb") as out:
    out.setnchannels(2)
    out.setsampwidth(2)
    out.setframerate(44_100)
    out.writeframes(noise.tobytes())
due = noise.T / 32768
got = decord.AudioReader("noise.wav", mono=False)[:].asnumpy()
mixed = decord.AudioReader("noise.wav")[:].asnumpy()
right = [numpy.abs(channel - other) < 1e-3 for channel, other in zip(got, due, strict=True)]
mono = bool((numpy.abs(mixed[0] - due.sum(0) / 2**0.5) < 1e-3).all())
good = [SAMPLES if each.all() else int((~each).argmax()) for each in right]
print(sys.argv[1], "| shape:", got.shape, "| samples that are right from the first on, by channel:", good,
      "| mono right:", mono)  # fmt: skip
whole = sys.argv[1] == "decord2"
ok = got.shape == (2, SAMPLES) and good == ([SAMPLES, SAMPLES] if whole else [SAMPLES // 4, 0])
sys.exit(not ok or not mono)
PY
for reader in decord==0.6.0 eva-decord==0.6.1 decord2==3.4.0; do
    venv/bin/pip install -q --no-deps --target "${reader%%=*}" "$reader"
    venv/bin/python -W ignore look.py "${reader%%=*}"
done

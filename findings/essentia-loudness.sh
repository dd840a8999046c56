#!/usr/bin/env bash
# essentia's loudness of any sound at 96 kHz is that of silence, and at 44.1 and 48 kHz an offset of 0.1 is 22 dB too loud.
#
# One would guess: three meters of one standard (BS.1770, EBU R128) agree within 0.1 LU, as pyloudnorm and ffmpeg do.
# What happens:    essentia's LoudnessEBUR128 agrees with them for noise at 16 to 48 kHz. At 96 kHz its momentary loudness
#                  is NaN from end to end and the integrated one -70.0, which is its word for silence, of noise of -24.
#                  Quiet noise on a constant offset of 0.1, as cheap sound cards give, is 22 dB too loud at 44.1 and
#                  48 kHz and right within 1.5 at 16 kHz. Its resampler and its IIR filter with the standard's
#                  coefficients, of which its source builds it, are right when they are called one by one.
# Why it matters:  a filter by loudness drops all 96 kHz clips as silent and keeps quiet ones as loud ones; at 48 kHz and
#                  with music all looks right, so nobody looks. The parameter sampleRate allows every rate; no warning.
# Source:          ITU-R BS.1770-5, annex 1; essentia's reference of LoudnessEBUR128, "real in (0,inf)", and its source,
#                  loudnessebur128filter.cpp.
# Seen:            by running (essentia 2.1b6.dev1389, pyloudnorm 0.2.0, ffmpeg 9.0.2 of imageio-ffmpeg 0.8.1).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q essentia==2.1b6.dev1389 pyloudnorm==0.2.0 imageio-ffmpeg==0.8.1 soundfile==0.14.0 \
    scipy==1.17.1 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import re
import subprocess
import sys

import essentia
import imageio_ffmpeg
import numpy
import pyloudnorm
import scipy.signal
import soundfile

essentia.log.infoActive = False
import essentia.standard  # noqa: E402  the line above keeps its greeting away


def by_ffmpeg(sound, rate):
    soundfile.write("x.wav", sound, rate, subtype="FLOAT")
    measure = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostats", "-i", "x.wav", "-af", "ebur128", "-f", "null", "-"]
    told = subprocess.run(measure, capture_output=True, text=True, check=True).stderr
    return float(re.findall(r"I:\s+(-?[\d.]+) LUFS", told)[-1])


found = {}
for rate in (16000, 44100, 48000, 96000):
    noise = numpy.random.default_rng(0).normal(0, 0.03, (rate * 10, 2)).astype("float32")
    for name, sound in (("noise", noise), ("quiet with offset", noise / 100 + numpy.float32(0.1))):
        told = pyloudnorm.Meter(rate).integrated_loudness(sound.astype(float)), by_ffmpeg(sound, rate)
        momentary, _, integrated, _ = essentia.standard.LoudnessEBUR128(sampleRate=rate)(essentia.array(sound))
        told += integrated, bool(numpy.isnan(momentary).all())
        found[rate, name] = told
        levels = "pyloudnorm {:6.1f}  ffmpeg {:6.1f}  essentia {:6.1f} LUFS, all NaN: {}".format(*told)
        print(f"{rate} Hz, {name:17} {levels}")
right = all(abs(told[0] - told[1]) < 0.3 for told in found.values())
low = all(abs(found[rate, "noise"][2] - found[rate, "noise"][0]) < 0.3 for rate in (16000, 44100, 48000))
low = low and abs(found[16000, "quiet with offset"][2] - found[16000, "quiet with offset"][0]) < 1.5
loud = all(found[rate, "quiet with offset"][2] - found[rate, "quiet with offset"][0] > 15 for rate in (44100, 48000))
high = round(found[96000, "noise"][2], 1) == -70 and found[96000, "noise"][3]

# The parts of which the meter is made, one by one, against scipy in doubles: the high-pass of the standard at 48 kHz.
NUMERATOR, DENOMINATOR = [1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621]
passed = essentia.standard.IIR(numerator=NUMERATOR, denominator=DENOMINATOR)(numpy.ascontiguousarray(sound[:480000, 0]))
exact = scipy.signal.lfilter(NUMERATOR, DENOMINATOR, sound[:480000, 0].astype(float))
halved = essentia.standard.Resample(inputSampleRate=96000, outputSampleRate=48000)(numpy.ascontiguousarray(noise[:, 0]))
parts = abs(passed[48000:].std() / exact[48000:].std() - 1) < 0.01 and not numpy.isnan(halved).any()
print("the two others agree:", right, " essentia at low rates:", low, " offset:", loud, " 96 kHz:", high, " parts:", parts)
sys.exit(not (right and low and loud and high and parts))
PY

#!/usr/bin/env bash
# silenceremove of Debian 12's ffmpeg throws away all of a sound that begins loud; newer ones keep a second of each pause.
#
# One would guess: silenceremove=start_periods=1 takes nothing from a sound without silence, and a filter's options mean the
#                  same from ffmpeg 4 to 9.
# What happens:    in 5.1 a sound whose first sample is so loud that by itself it lifts the window's level over the threshold
#                  (0.06 at 16 kHz and -50 dB) is removed to its end: no sample is written, exit code 0, no word in the
#                  log. Of white noise of level 0.1 about half of the files go. 4.2, 7.0 and 9.0 keep them, and so does 5.1
#                  by detection=peak. "stop_periods=-1:stop_duration=1", which removes each pause of more than a second,
#                  removed it whole in 4.2 and 5.1, and leaves a second of it in 7.0 and 9.0: two pauses of 2 s in 10 s
#                  leave 6 s or 8 s.
# Why it matters:  clips are cut out of the midst of a sound, so they begin loud. Rain, applause and music vanish, speech
#                  stays; and lengths of trimmed speech differ by a second a pause between machines.
# Source:          FFmpeg's commit 3235de4 (May 2023) wrote the filter anew; it changed one word of the manual, which says
#                  nothing of either.
# Seen:            by running (ffmpeg 5.1.9 of Debian 12; 4.2.2, 7.0.2, 9.0.2 of imageio-ffmpeg 0.4.9, 0.6.0, 0.8.1).
#                  It needs Debian 12's ffmpeg as "ffmpeg" (apt-get install ffmpeg).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ffmpeg -version | grep -q "^ffmpeg version 5\.1" || { echo "needs ffmpeg 5.1 of Debian 12" >&2; exit 2; }
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 soundfile==0.14.0
for version in 0.4.9 0.6.0 0.8.1; do
    "$work/venv/bin/pip" install -q --no-deps --target "$work/$version" "imageio-ffmpeg==$version"
done
cd "$work"
venv/bin/python -W ignore - <<'PY'
import pathlib
import subprocess
import sys

import numpy
import soundfile

RATE = 16000
WHEELS = {"4.2.2": "0.4.9", "7.0.2": "0.6.0", "9.0.2": "0.8.1"}
FFMPEG = {v: str(next(pathlib.Path(w, "imageio_ffmpeg/binaries").glob("ffmpeg-*"))) for v, w in WHEELS.items()}
FFMPEG["5.1"] = "ffmpeg"
START = "silenceremove=start_periods=1:start_threshold=-50dB"
STOP = "silenceremove=stop_periods=-1:stop_duration=1:stop_threshold=-50dB"
random = numpy.random.default_rng(5)


def left(version, sound, words):
    """Seconds that the filter leaves of a sound."""
    soundfile.write("in.wav", sound, RATE)
    done = [FFMPEG[version], "-v", "warning", "-y", "-i", "in.wav", "-af", words, "out.wav"]
    log = subprocess.run(done, check=True, capture_output=True, text=True).stderr
    assert "silenceremove" not in log, log
    return round(soundfile.info("out.wav").frames / RATE, 1)


noise = random.standard_normal(2 * RATE) * 0.1
soft, loud = noise.copy(), noise.copy()
soft[0], loud[0] = 0.01, 0.1  # all other samples are the same
pauses = numpy.zeros(10 * RATE)
for second in (0, 4, 8):
    pauses[second * RATE : (second + 2) * RATE] = noise
pauses[0] = 0.01
many = [random.standard_normal(RATE) * 0.1 for _ in range(40)]
found = {}
for version in sorted(FFMPEG):
    found[version] = {
        "2 s, soft first sample": left(version, soft, START),
        "2 s, loud first sample": left(version, loud, START),
        "the same by peak": left(version, loud, START + ":detection=peak"),
        "lost of 40 noises": sum(left(version, sound, START) == 0 for sound in many),
        "10 s with two pauses": left(version, pauses, STOP),
    }
    print(f"ffmpeg {version:5}", found[version])
lost = found["5.1"].pop("lost of 40 noises")
want = {"2 s, soft first sample": 2.0, "2 s, loud first sample": 2.0, "the same by peak": 2.0, "lost of 40 noises": 0}
ok = [found[v] == want | {"10 s with two pauses": s} for v, s in (("4.2.2", 6.0), ("7.0.2", 8.0), ("9.0.2", 8.0))]
del want["lost of 40 noises"]
of_debian = want | {"2 s, loud first sample": 0.0, "10 s with two pauses": 6.0}
sys.exit(not (all(ok) and found["5.1"] == of_debian and 10 <= lost <= 30))
PY

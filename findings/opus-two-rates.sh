#!/usr/bin/env bash
# One Opus file has two sample rates: soundfile says 16,000 Hz, PyAV 48,000 Hz.
#
# One would guess: Opus is always decoded at 48 kHz, so every reader returns 480,000 samples for 10 s.
# What happens:    libsndfile decodes at the rate that the file's header names for its source; the
#                  others do not look at it. From a 16 kHz source 160,000 or 480,000 samples come; from
#                  22,050 Hz ffmpeg notes 24,000, and soundfile returns 240,000.
# Why it matters:  sample offsets and counts in a manifest that one library wrote are wrong by a factor of
#                  three in the other.
# Seen:            by running (soundfile 0.14.0, av 18.1.0, ffmpeg 9.0.2 of imageio-ffmpeg 0.8.1).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio-ffmpeg==0.8.1 av==18.1.0 soundfile==0.14.0
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import imageio_ffmpeg
import soundfile

print("soundfile", soundfile.__version__, "av", av.__version__)
exe = imageio_ffmpeg.get_ffmpeg_exe()
got = {}
for rate in (16_000, 22_050, 48_000):
    source = ["-f", "lavfi", "-i", f"sine=440:sample_rate={rate}:duration=10"]
    command = [exe, "-nostdin", "-v", "error", "-y", *source, "-c:a", "libopus", "tone.opus"]
    subprocess.run(command, check=True)
    samples, by_soundfile = soundfile.read("tone.opus")
    with av.open("tone.opus") as file:
        by_av = file.streams.audio[0].rate
        decoded = sum(frame.samples for frame in file.decode(audio=0))
    got[rate] = [(by_soundfile, len(samples)), (by_av, decoded)]
    print(f"source {rate} Hz: soundfile {got[rate][0]}, PyAV {got[rate][1]}")
want = {16_000: 16_000, 22_050: 24_000, 48_000: 48_000}
sys.exit(any(got[r] != [(w, 10 * w), (48_000, 480_000)] for r, w in want.items()))
PY

#!/usr/bin/env bash
# A film that stands still to its end has no freeze by ffmpeg's freezedetect; black and silence to the end are reported whole.
#
# One would guess: a film that is one still picture is one freeze as long as the film, in the log and in the metadata, as
#                  blackdetect and silencedetect say of a black and a silent one.
# What happens:    freeze_end and freeze_duration are said when a moving picture comes. One still to the end gets its
#                  freeze_start alone: a song over its cover, for all its length, has no line with a duration, while a film
#                  that is still for its first two seconds has one. blackdetect (less its last picture) and silencedetect
#                  close theirs at the end.
# Why it matters:  who adds up freeze_duration finds 0 s of freeze in just those clips that one looks for, the ones with a
#                  single picture, and 2 s in others. Cure: add a moving picture (tpad and drawbox), or end an open
#                  start at the film's length.
# Source:          FFmpeg's libavfilter/vf_freezedetect.c: no word at the end of the input; vf_blackdetect.c and
#                  af_silencedetect.c have one.
# Seen:            by running (ffmpeg 9.0.2; Debian's 5.1.9 gave the same).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio-ffmpeg==0.8.1
cd "$work"
venv/bin/python - <<'PY'
import re
import subprocess
import sys

import imageio_ffmpeg

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
MOVING, STILL = "testsrc2=s=320x180:r=25:d=3", "testsrc=s=320x180:r=25:d=0.04,loop=-1:1,trim=duration=6,setpts=N/25/TB"
BLACK, GREY = "color=black:s=320x180:r=25:d=6", "color=gray:s=320x180:r=25:d=3"
CASES = {
    "still for all of 6 s": (STILL, "-vf", "freezedetect=d=1"),
    "still for 6 s, then moving": (f"{STILL}[a];{MOVING}[b];[a][b]concat", "-vf", "freezedetect=d=1"),
    "moving, then still for 6 s": (f"{MOVING}[a];{STILL}[b];[a][b]concat", "-vf", "freezedetect=d=1"),
    "black for all of 6 s": (BLACK, "-vf", "blackdetect=d=1"),
    "grey, then black for 6 s": (f"{GREY}[a];{BLACK}[b];[a][b]concat", "-vf", "blackdetect=d=1"),
    "silent for all of 6 s": ("anullsrc=d=6", "-af", "silencedetect=d=1"),
    "noise, then silent for 6 s": ("anoisesrc=d=3[a];anullsrc=d=6[b];[a][b]concat=v=0:a=1", "-af", "silencedetect=d=1"),
}


def said(source, *words):
    words = ["-hide_banner", "-nostats", "-f", "lavfi", "-i", source, *words, "-f", "null", "-"]
    log = subprocess.run([FFMPEG, *words], capture_output=True, text=True, check=True).stderr
    return {key: round(float(value), 1) for key, value in re.findall(r"_(start|end|duration): ?([\d.]+)", log)}


found = {name: said(*words) for name, words in CASES.items()}
for name, values in found.items():
    print(f"{name:28}", values)
whole = {"start": 0.0, "end": 6.0, "duration": 6.0}
want = {
    "still for all of 6 s": {"start": 0.0},
    "still for 6 s, then moving": whole,
    "moving, then still for 6 s": {"start": 3.0},
    "black for all of 6 s": whole,
    "grey, then black for 6 s": {"start": 3.0, "end": 9.0, "duration": 6.0},
    "silent for all of 6 s": whole,
    "noise, then silent for 6 s": {"start": 3.0, "end": 9.0, "duration": 6.0},
}
sys.exit(found != want)
PY

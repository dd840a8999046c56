#!/usr/bin/env bash
# Asked for the very time of a key picture, libav jumps one key picture too far back: a tick of rounding is enough.
#
# One would guess: container.seek(packet.pts) of a key packet comes to that packet; ffmpeg wrote the file, and reads it.
# What happens:    an MP4 with pictures that are shown later than decoded has an edit list, and libav then looks a time
#                  up among times of DECODING, moved by as much as the first picture's two times are apart. At 23.976
#                  pictures a second and 90,000 ticks, which is what transport streams become, two pictures last
#                  7,507.5 ticks: encoders round, the first picture is 7,508 ticks ahead and the other key pictures are
#                  7,507. All of these are missed, and the pictures from the key picture before come first. In ticks
#                  of 24,000, which pictures last a whole number of, all jumps are right.
# Why it matters:  who takes the first picture behind a jump has one that is a second, or ten, too early; who decodes on to
#                  the time asked for decodes twice as much. Nothing is wrong with the file's times.
# Source:          ISO/IEC 14496-12, 8.6.6 (edit lists) and 8.6.1.3 (composition offsets); PyAV's documentation of seek.
# Seen:            by running (ffmpeg 9.0.2 of imageio-ffmpeg 0.8.1, PyAV 18.1.0). Cure: the same distance for each key
#                  picture, or jump to a tick or two behind it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio-ffmpeg==0.8.1 av==18.1.0
cd "$work"
venv/bin/python - <<'PY'
import subprocess
import sys

import av
import imageio_ffmpeg

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
MADE = "-f lavfi -i testsrc2=size=64x64:rate=24000/1001:duration=8 -c:v libx264 -g 24 -sc_threshold 0 -threads 1"


def jumps(ticks, behind=0):
    """Of each key picture but the first: its time, how far ahead it is decoded, and what a jump to it shows."""
    name = f"{ticks}.mp4"
    words = [*MADE.split(), "-enc_time_base", f"1/{ticks}", "-video_track_timescale", str(ticks), name]
    subprocess.run([FFMPEG, "-y", "-v", "error", *words], check=True)
    with av.open(name) as container:
        stream = container.streams.video[0]
        keys = [(p.pts, p.pts - p.dts) for p in container.demux(stream) if p.is_keyframe and p.pts is not None]
        found = []
        for time, ahead in reversed(keys[1:]):
            container.seek(time + behind, stream=stream)
            found.append((time, ahead, next(container.decode(stream)).pts))
    return keys[0][1], found[::-1]


print("ffmpeg", imageio_ffmpeg.get_ffmpeg_version(), "PyAV", av.__version__)
wrong = {}
for ticks, behind in ((24_000, 0), (90_000, 0), (90_000, 2)):
    first, found = jumps(ticks, behind)
    wrong[ticks, behind] = sum(shown != time for time, _, shown in found)
    print(f"{ticks} ticks a second, asked for {behind} ticks behind: the first picture is {first} ticks ahead, others", end=" ")
    print(f"{sorted({ahead for _, ahead, _ in found})}; {wrong[ticks, behind]} of {len(found)} jumps show another picture")
    print("  (asked for, shown):", [(time, shown) for time, _, shown in found][:3])
sys.exit(wrong != {(24_000, 0): 0, (90_000, 0): 7, (90_000, 2): 0})
PY

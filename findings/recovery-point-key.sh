#!/usr/bin/env bash
# A jump to a key frame of a film that x264 made with intra-refresh shows wrong pictures for two seconds, unsaid.
#
# One would guess: what a container calls a key frame is a place to begin at: what is decoded from there on is what a
#                  decoder shows there that began with the film. With intra-refresh the key frames are recovery points,
#                  from which a decoder leaves out pictures until they are right.
# What happens:    ffmpeg's muxer calls each recovery point a key frame. libav leaves out six pictures behind one, and
#                  then shows pictures that are up to 112 of 255 levels off on average, up to the next recovery point
#                  and behind it. Of the same pictures at 25 a second none is wrong. Nobody says anything.
# Why it matters:  streams of games and cameras are made so. A clip that is cut or sampled by a jump, as each reader does
#                  it, has pictures of nothing; of a clip from the middle, that is all there is.
# Seen:            by running.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio-ffmpeg==0.8.1 av==18.1.0 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys
from fractions import Fraction

import av
import imageio_ffmpeg
import numpy

exe, count = imageio_ffmpeg.get_ffmpeg_exe(), 384
y, x = numpy.mgrid[0:96, 0:128]


def drawn(number):
    # Twelve blocks that say the number, over a slope that moves.
    bits = numpy.array([number >> bit & 1 for bit in range(12)]).reshape(3, 4)
    return (numpy.kron(bits, numpy.ones((32, 32), int)) * 150 + 40 + (x + y + 3 * number) % 32).astype(numpy.uint8)


pictures = b"".join(drawn(number).tobytes() for number in range(count))
wrong = {}
for rate in (Fraction(25), Fraction(24000, 1001)):
    keys = round(2 * rate)
    subprocess.run(
        [exe, "-nostdin", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray", "-s", "128x96", "-r", str(rate), "-i", "-",
         "-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-pix_fmt", "yuv420p", "-threads", "1", "-x264-params",
         f"bframes=0:scenecut=0:keyint={keys}:min-keyint={keys}:intra-refresh=1", "film.mp4"],
        input=pictures, check=True,
    )
    with av.open("film.mp4") as film:
        whole = {frame.pts: frame.to_ndarray() for frame in film.decode(video=0)}
    with av.open("film.mp4") as film:
        named = [packet.pts for packet in film.demux(video=0) if packet.size and packet.is_keyframe]
    off, most, first = 0, 0.0, None
    for key in named[1:-1]:
        with av.open("film.mp4") as film:
            stream = film.streams.video[0]
            film.seek(key, stream=stream)
            for number, frame in enumerate(film.decode(stream)):
                first = first or (frame.pts - key) * stream.time_base * rate
                away = numpy.abs(frame.to_ndarray().astype(int) - whole[frame.pts]).mean()
                off, most = off + (away > 4), max(most, away)
                if number == keys:
                    break
    wrong[rate] = off
    print(f"{float(rate):.3f} a second: {len(named)} key frames, {off} of {(keys + 1) * len(named[1:-1])} pictures behind"
          f" {len(named[1:-1])} jumps are wrong, by up to {most:.0f} levels; the first one shown is {float(first):.0f} later")
sys.exit(not wrong[Fraction(24000, 1001)])
PY

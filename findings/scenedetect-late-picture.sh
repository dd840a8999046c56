#!/usr/bin/env bash
# PySceneDetect cuts a clip whose pictures begin after its sound 1.5 s too early: each piece begins in the shot before.
#
# One would guess: split_video_ffmpeg() cuts where detect() saw the cut; both belong to one package.
# What happens:    detect() counts seconds from the first picture, ffmpeg's -ss from the begin of the file, which is that of
#                  the sound. If the pictures begin 1.5 s after it, each piece begins 1.5 s before its shot, and the last
#                  1.5 s of the last shot are in none. It is so with the OpenCV and the PyAV backend; MoviePy's gives the
#                  file's seconds, and all is right. Of the same film whose pictures begin with its sound all pieces are right.
# Why it matters:  "ffmpeg -i film -ss 2.5 -c copy" makes such clips: the sound begins at 2.5 s, the pictures at the next
#                  key frame. The number of shots and their lengths are right, and each "single shot" has a cut in it.
# Source:          scenedetect's documentation of split_video_ffmpeg; ffprobe's start_time of the two streams.
# Seen:            by running (scenedetect 0.7.2, OpenCV 5.0.0, PyAV 18.1.0, moviepy 2.2.1, ffmpeg 9.0.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q scenedetect==0.7.2 opencv-python-headless==5.0.0.93 av==18.1.0 moviepy==2.2.1 numpy==2.4.6 \
    imageio-ffmpeg==0.8.1
cd "$work"
venv/bin/python -W ignore - <<'PY'
import os
import subprocess
import sys

import imageio_ffmpeg

os.mkdir("bin")
os.symlink(imageio_ffmpeg.get_ffmpeg_exe(), "bin/ffmpeg")
os.environ["PATH"] = os.path.abspath("bin") + os.pathsep + os.environ["PATH"]
import av  # noqa: E402
import numpy  # noqa: E402
from scenedetect import ContentDetector, detect, split_video_ffmpeg  # noqa: E402  it looks for ffmpeg as it is imported

FFMPEG = ["ffmpeg", "-v", "error", "-y"]
random = numpy.random.default_rng(0)
SHOTS = [random.integers(0, 256, (6, 8, 3), "uint8").repeat(40, 0).repeat(40, 1) for _ in range(3)]
RAW = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "320x240", "-r", "25", "-i", "-"]
film = [*FFMPEG, *RAW, "-f", "lavfi", "-i", "sine=d=12", "-pix_fmt", "yuv420p", "-g", "100", "-c:a", "aac", "film.mp4"]
subprocess.run(film, input=b"".join(shot.tobytes() * 100 for shot in SHOTS), check=True)
subprocess.run([*FFMPEG, "-i", "film.mp4", "-ss", "2.5", "-c", "copy", "late.mp4"], check=True)
for name in ("film.mp4", "late.mp4"):
    with av.open(name) as file:
        streams = file.streams.video[0], file.streams.audio[0]
        print(name, "pictures and sound begin at", *[round(float(s.start_time * s.time_base), 3) for s in streams])


def shots_of(piece):
    """How many pictures of which shot a piece has."""
    with av.open(piece) as file:
        arrays = [frame.to_ndarray(format="rgb24").astype(int) for frame in file.decode(video=0)]
    seen = [int(numpy.argmin([abs(array - shot).mean() for shot in SHOTS])) for array in arrays]
    return {shot: seen.count(shot) for shot in sorted(set(seen))}


found = {}
for name in ("film.mp4", "late.mp4"):
    for backend in ("opencv", "pyav", "moviepy"):
        scenes = detect(name, ContentDetector(), backend=backend)
        split_video_ffmpeg(name, scenes, output_file_template="piece-$SCENE_NUMBER.mp4")
        cuts = [round(begin.seconds, 2) for begin, _ in scenes]
        found[name, backend] = cuts, [shots_of(f"piece-{i + 1:03d}.mp4") for i in range(len(scenes))]
        print(name, backend, "shots begin at", cuts, "pictures of each shot by piece:", found[name, backend][1])
want = {("film.mp4", backend): ([0.0, 4.0, 8.0], [{0: 100}, {1: 100}, {2: 100}]) for backend in ("opencv", "pyav", "moviepy")}
want |= {("late.mp4", backend): ([0.0, 4.0], [{1: 63}, {1: 37, 2: 63}]) for backend in ("opencv", "pyav")}
want["late.mp4", "moviepy"] = [0.0, 5.48], [{1: 100}, {2: 100}]
sys.exit(found != want)
PY

#!/usr/bin/env bash
# Of a film of variable frame rate, PySceneDetect's frame number of a cut is 43 or 100; it is frame 60.
#
# One would guess: scene.frame_num is the index of the first picture after the cut, as decord or OpenCV count, whatever
#                  backend reads the file.
# What happens:    the time, 4.0 s, is right with both. frame_num is that time times the stream's rate, and the backends
#                  take different rates: OpenCV's is the mean, 10.6 a second, PyAV's 25. Of a film of constant rate both
#                  give the index. PyAV's video.duration is 3.2 s for a film of nearly 8, the number of frames by
#                  that same rate.
# Why it matters:  cut lists are kept as frame numbers, and clips are then read by index: the shot begins 17 frames too
#                  early or 40 too late, for screen recordings and telephones' videos alone. Keep seconds.
# Seen:            by running (scenedetect 0.7.2, opencv-python-headless 5.0.0.93, PyAV 18.1.0, ffmpeg 9.0.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q scenedetect==0.7.2 opencv-python-headless==5.0.0.93 av==18.1.0 \
    numpy==2.4.6 imageio-ffmpeg==0.8.1
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import imageio_ffmpeg
import numpy
from scenedetect import ContentDetector, SceneManager, open_video

RAW = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "160x96", "-r", "25", "-i", "-"]
SPARSE = ["-vf", "select=lt(n\\,50)+not(mod(n\\,5))", "-fps_mode", "vfr"]  # 25 a second for 2 s, then 5 a second
shots = [numpy.random.default_rng(i).integers(0, 255, (6, 10, 3), "uint8").repeat(16, 0).repeat(16, 1) for i in (1, 2)]
pictures = numpy.stack([shots[0]] * 100 + [shots[1]] * 100)
for name, words in {"constant.mp4": [], "variable.mp4": SPARSE}.items():
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *RAW, *words, "-pix_fmt", "yuv420p", "-qp", "10", name]
    subprocess.run(command, input=pictures.tobytes(), check=True)


def truth(name):
    """Index and time of the first picture that shows the second shot."""
    with av.open(name) as file:
        for index, frame in enumerate(file.decode(video=0)):
            if abs(frame.to_ndarray(format="rgb24").astype(int) - shots[1]).mean() < 20:
                return index, float(frame.time)


def cut(name, backend):
    video = open_video(name, backend=backend)
    manager = SceneManager()
    manager.add_detector(ContentDetector())
    manager.detect_scenes(video)
    (_, (begin, _)) = manager.get_scene_list()
    return begin.frame_num, round(begin.seconds, 2), round(video.duration.seconds, 2)


found = {}
for name in ("constant.mp4", "variable.mp4"):
    found[name] = [truth(name), cut(name, "opencv"), cut(name, "pyav")]
    print(f"{name}: the cut is at frame and time {found[name][0]}; frame_num, seconds, video.duration:", *found[name][1:])
want = {
    "constant.mp4": [(100, 4.0), (100, 4.0, 8.0), (100, 4.0, 8.0)],
    "variable.mp4": [(60, 4.0), (43, 4.0, 7.52), (100, 4.0, 3.2)],
}
sys.exit(found != want)
PY

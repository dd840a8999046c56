#!/usr/bin/env bash
# OpenCV's own wheel opens AV1, has its size and all its frames, and not one picture; PySceneDetect finds a shot in it.
#
# One would guess: a film whose codec a wheel cannot decode is not opened: isOpened() is False, or the reader raises.
# What happens:    the wheel has FFmpeg's parser of AV1 and, of decoders, only the one that needs a graphics card.
#                  isOpened() is True, size, rate and number of frames are right, and the first read() is False, as at an
#                  end. No exception comes; FFmpeg prints three lines on stderr. PySceneDetect, with its default backend,
#                  then says that the film has one shot of 0.04 s. VP9 and H.264 are well, and so are decord2 and PyAV.
# Why it matters:  YouTube serves AV1, and of formats of one size yt-dlp prefers it. The usual loop of
#                  read() ends with no picture; a filter "has it frames?" by the count says yes.
# Source:          FFmpeg's libavcodec/av1dec.c decodes by hardware alone; cv2.getBuildInformation() does not name codecs.
# Seen:            by running (opencv-python-headless 5.0.0.93, scenedetect 0.7.2, decord2 3.4.0, PyAV 18.1.0).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q opencv-python-headless==5.0.0.93 scenedetect==0.7.2 decord2==3.4.0 av==18.1.0 numpy==2.4.6 \
    imageio-ffmpeg==0.8.1
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import cv2
import decord
import imageio_ffmpeg
import scenedetect

FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
FILM = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2", "-pix_fmt", "yuv420p"]
CODERS = {
    "av1.mp4": ["libaom-av1", "-cpu-used", "8", "-usage", "realtime"],
    "av1.webm": ["libaom-av1", "-cpu-used", "8", "-usage", "realtime"],
    "vp9.webm": ["libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime"],
    "h264.mp4": ["libx264"],
}


def said(name):
    """What OpenCV says of the film before a picture is read."""
    film = cv2.VideoCapture(name)
    words = cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_COUNT
    return film.isOpened(), *(film.get(word) for word in words)


def by_opencv(name):
    film, count = cv2.VideoCapture(name), 0
    while film.read()[0]:
        count += 1
    return count


def by_scenedetect(name, backend):
    """Frames processed, and the end of the last shot in seconds."""
    manager = scenedetect.SceneManager()
    manager.add_detector(scenedetect.ContentDetector())
    count = manager.detect_scenes(scenedetect.open_video(name, backend=backend))
    return count, manager.get_scene_list(start_in_scene=True)[-1][1].seconds


def by_pyav(name):
    with av.open(name) as film:
        return sum(1 for _ in film.decode(video=0))


found = {}
for name, coder in CODERS.items():
    subprocess.run([*FFMPEG, *FILM, "-c:v", *coder, name], check=True)
    read = by_opencv(name), by_pyav(name), len(decord.VideoReader(name).get_batch(range(50)).asnumpy())
    found[name] = said(name), read, by_scenedetect(name, "opencv"), by_scenedetect(name, "pyav")
for name, (words, read, *shots) in found.items():
    print(name, "OpenCV says", words, "pictures of OpenCV, PyAV, decord2:", read, "PySceneDetect by OpenCV and PyAV:", shots)
words, right = (True, 320.0, 180.0, 25.0, 50.0), (50, 2.0)
want = {name: (words, (50, 50, 50), right, right) for name in CODERS}
for name in ("av1.mp4", "av1.webm"):
    want[name] = words, (0, 50, 50), (0, 0.04), right
sys.exit(found != want)
PY

#!/usr/bin/env bash
# transformers' load_video, asked for 8 pictures, returns 7 or 5, says that it has 8, and gives them times they do not have.
#
# One would guess: num_frames=8 gives eight pictures spread over the film, the same ones by each backend, and
#                  metadata.timestamps says when each is shown.
# What happens:    indices come from a number that the container says, and pictures are counted as they come. A film cut by
#                  "-c copy" has hidden pictures: OpenCV and PyAV return 7, decord 8 that go back in time after the third.
#                  A WebM with 1 picture in 10 in its first half: OpenCV makes up the number from rate and length and
#                  returns 5. Each time metadata.frames_indices has all 8. Timestamps are index / rate: with varying
#                  distances a picture of 5.16 s is said to be of 1.32 s. Of WebM and of fragmented MP4 the PyAV backend
#                  says that they have 0 frames, and raises.
# Why it matters:  models for video are told those times in their prompt; annotations are matched by them. Which pictures
#                  a model sees depends on which backend happens to be installed.
# Source:          transformers/video_utils.py: stream.frames, CAP_PROP_FRAME_COUNT, and timestamps by frame_idx / fps.
# Seen:            by running (transformers 5.24.0, OpenCV 5.0.0, decord2 3.4.0, PyAV 18.1.0, ffmpeg 9.0.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q transformers==5.24.0 opencv-python-headless==5.0.0.93 decord2==3.4.0 av==18.1.0 numpy==2.4.6 \
    imageio-ffmpeg==0.8.1 pillow==13.0.0
cd "$work"
HF_HUB_OFFLINE=1 venv/bin/python -W ignore - 2>/dev/null <<'PY'
import subprocess
import sys

import imageio_ffmpeg
import numpy
from transformers.video_utils import load_video

FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
RAW = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "128x96", "-r", "25", "-i", "-"]
H264 = ["-c:v", "libx264", "-qp", "1", "-pix_fmt", "yuv420p", "-g", "50"]
VP9 = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "5", "-b:v", "0"]
SPARSE = ["-vf", "select='gt(n,124)+not(mod(n,10))'", "-fps_mode", "vfr"]
pictures = numpy.zeros((250, 96, 128, 3), "uint8")
pictures[:] = numpy.arange(250)[:, None, None, None]  # a picture's level is its time in 25ths of a second
FILMS = {
    "even.mp4": H264,
    "even.webm": VP9,
    "fragments.mp4": [*H264, "-movflags", "frag_keyframe+empty_moov"],
    "sparse.mp4": [*SPARSE, *H264],
    "sparse.webm": [*SPARSE, *VP9],
}
for name, words in FILMS.items():
    subprocess.run([*FFMPEG, *RAW, *words, name], input=pictures.tobytes(), check=True)
subprocess.run([*FFMPEG, "-ss", "1", "-i", "even.mp4", "-t", "4", "-c", "copy", "cut.mp4"], check=True)


def seen(name, backend):
    """Pictures returned, indices said, does time ever go back, and the most that a time is off."""
    try:
        film, metadata = load_video(name, num_frames=8, backend=backend)
    except ValueError as error:
        return "total_num_frames=0" in str(error) and "says 0 frames"
    shown = numpy.round(film.mean((1, 2, 3))) / 25
    first = shown[0]
    said = numpy.array(metadata.timestamps[: len(shown)]) + first
    back, off = bool((numpy.diff(shown) < 0).any()), float(abs(said - shown).max())
    return len(film), len(metadata.frames_indices), back, round(off, 1)


found = {(name, b): seen(name, b) for name in [*FILMS, "cut.mp4"] for b in ("opencv", "decord", "pyav")}
for (name, backend), value in found.items():
    print(f"{name:14} {backend:7} pictures, indices, goes back, off by at most (s):", value)
NONE, RIGHT = "says 0 frames", (8, 8, False, 0.0)
want = {(name, b): RIGHT for name in FILMS for b in ("opencv", "decord", "pyav")}
want |= {(name, "pyav"): NONE for name in ("even.webm", "fragments.mp4", "sparse.webm")}
want |= {("sparse.mp4", b): (8, 8, False, 3.8) for b in ("opencv", "decord", "pyav")}
want |= {("sparse.webm", "opencv"): (5, 8, False, 4.5), ("sparse.webm", "decord"): (8, 8, False, 4.5)}
want |= {("cut.mp4", "opencv"): (7, 8, False, 0.0), ("cut.mp4", "pyav"): (7, 8, False, 0.0)}
want["cut.mp4", "decord"] = 8, 8, True, 1.0
sys.exit(found != want)
PY

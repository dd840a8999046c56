#!/usr/bin/env bash
# PySceneDetect's default detector finds one cut in a montage that has thirteen.
#
# One would guess: a shot that is shorter than min_scene_len (15 frames) is not reported by itself, so that of a film
#                  with a cut each 14 frames about every second cut is found.
# What happens:    ContentDetector reports the first cut and none of the twelve that follow: each one begins the wait
#                  for 15 quiet frames anew, so that the last "shot" has twelve cuts in it and has no greatest length.
#                  AdaptiveDetector, HashDetector and HistogramDetector report every second cut, as does
#                  ContentDetector with filter_mode SUPPRESS. And a single cut in the first 14 frames is
#                  reported by none of them.
# Why it matters:  trailers, dance and sport are cut twice a second. "Keep clips that lie within one shot" keeps their
#                  most restless stretches, as the longest shots there are.
# Source:          scenedetect/detector.py, FlashFilter._filter_merge, the mode that ContentDetector begins with.
# Seen:            by running (scenedetect 0.7.2, opencv-python-headless 5.0.0.93, ffmpeg 9.0.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q scenedetect==0.7.2 opencv-python-headless==5.0.0.93 numpy==2.4.6 imageio-ffmpeg==0.8.1
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import imageio_ffmpeg
import numpy
from scenedetect import AdaptiveDetector, ContentDetector, HashDetector, HistogramDetector, detect
from scenedetect.detector import FlashFilter

RAW = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "160x96", "-r", "25", "-i", "-"]
MONTAGE = list(range(20, 200, 14))


def film(name, cuts):
    """200 pictures of large random tiles; each cut brings other tiles."""
    shots = [numpy.random.default_rng(seed).integers(0, 255, (6, 10, 3), "uint8") for seed in range(len(cuts) + 1)]
    shots = [shot.repeat(16, 0).repeat(16, 1) for shot in shots]
    pictures = numpy.stack([shots[sum(cut <= i for cut in cuts)] for i in range(200)])
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *RAW, "-pix_fmt", "yuv420p", "-qp", "10", name]
    subprocess.run(command, input=pictures.tobytes(), check=True)


def cuts(name, detector):
    return [begin.frame_num for begin, _ in detect(name, detector)][1:]


film("montage.mp4", MONTAGE)
film("early.mp4", [14])
film("later.mp4", [15])
kinds = [ContentDetector, AdaptiveDetector, HashDetector, HistogramDetector]
found = {kind.__name__: cuts("montage.mp4", kind()) for kind in kinds}
found["ContentDetector, SUPPRESS"] = cuts("montage.mp4", ContentDetector(filter_mode=FlashFilter.Mode.SUPPRESS))
print(f"{len(MONTAGE)} cuts:", MONTAGE)
for name, value in found.items():
    print(f"{name:25}", value)
early = [cuts("early.mp4", kind()) for kind in kinds]
later = [cuts("later.mp4", kind()) for kind in kinds]
print("one cut at 14:", early, "one cut at 15:", later)
second = [value == MONTAGE[::2] for value in list(found.values())[1:]]
sys.exit(not (found["ContentDetector"] == MONTAGE[:1] and all(second) and early == [[]] * 4 and later == [[15]] * 4))
PY

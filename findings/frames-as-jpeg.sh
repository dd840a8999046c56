#!/usr/bin/env bash
# Pictures of an HD film that ffmpeg saves as .jpg or .webp have other colours than as .png: green 192 is 222.
#
# One would guess: but for the losses of JPEG, frame.jpg and frame.png of one film look the same.
# What happens:    HD film is coded by the matrix BT.709. JPEG (JFIF) and WebP know BT.601 only, and have no place to say
#                  which. ffmpeg hands the film's own chroma to the encoder, without converting and without a word; every
#                  reader, ffmpeg too, then undoes it by BT.601. Red 255 comes back as 233, green (0, 192, 48) as
#                  (15, 222, 52). It is no loss of quality: -q:v 1 changes nothing. A film coded by BT.601 is right, and so
#                  is .png, which needs RGB and is converted by the film's matrix.
# Why it matters:  "ffmpeg ... %05d.jpg" is how most datasets of frames are made. A model trained on those sees other
#                  colours in the films themselves, more so in saturated ones; SD and HD films of one set differ too.
#                  Cure: -vf scale=out_color_matrix=bt601:out_range=full before a .jpg.
# Source:          JFIF 1.02: YCbCr is that of CCIR 601; RFC 9649 (WebP): RGB is to be had by Rec. 601.
# Seen:            by running (ffmpeg 9.0.2 of imageio-ffmpeg 0.8.1, Pillow 13.0.0, OpenCV 5.0.0, PyAV 18.1.0).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio-ffmpeg==0.8.1 pillow==13.0.0 numpy==2.4.6 opencv-python-headless==5.0.0.93 av==18.1.0
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import cv2
import imageio_ffmpeg
import numpy
import PIL.Image

FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
MEANT = {"red": (255, 0, 0), "green": (0, 192, 48)}
picture = numpy.zeros((720, 1280, 3), "uint8")
picture[:, :640], picture[:, 640:] = MEANT.values()
for matrix in ("bt709", "smpte170m"):  # the second is BT.601 by its other name
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "1280x720", "-r", "25", "-i", "-"]
    coded = ["-vf", f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p", "-colorspace", matrix]
    subprocess.run([*FFMPEG, *raw, *coded, "-crf", "1", f"{matrix}.mp4"], input=picture.tobytes() * 3, check=True)


def furthest(seen):
    """The most by which any of the six values differs from what was meant."""
    seen = numpy.asarray(seen).astype(int)
    pairs = zip((seen[300, 200], seen[300, 1000]), MEANT.values(), strict=True)
    return int(max(abs(a - b) for got, meant in pairs for a, b in zip(got, meant, strict=True)))


def by_pyav(name):
    with av.open(name) as film:
        return next(film.decode(video=0)).to_ndarray(format="rgb24")


found = {}
KINDS = {
    "a.png": [],
    "a.jpg": [],
    "best.jpg": ["-q:v", "1", "-qmin", "1"],
    "a.webp": [],
    "cured.jpg": ["-vf", "scale=out_color_matrix=bt601:out_range=full"],
}
for matrix in ("bt709", "smpte170m"):
    film = f"{matrix}.mp4"
    for name, words in KINDS.items():
        subprocess.run([*FFMPEG, "-i", film, *words, "-frames:v", "1", name], check=True)
        found[matrix, name] = furthest(PIL.Image.open(name).convert("RGB"))
    found[matrix, "a.jpg by OpenCV"] = furthest(cv2.imread("a.jpg")[..., ::-1])
    subprocess.run([*FFMPEG, "-i", "a.jpg", "back.png"], check=True)
    found[matrix, "a.jpg by ffmpeg"] = furthest(PIL.Image.open("back.png").convert("RGB"))
    found[matrix, "film by PyAV"] = furthest(by_pyav(film))
    found[matrix, "film by OpenCV"] = furthest(cv2.VideoCapture(film).read()[1][..., ::-1])
for (matrix, name), off in found.items():
    print(f"film in {matrix:9}  {name:16} furthest from what was meant: {off}")
wrong = {"a.jpg", "best.jpg", "a.webp", "a.jpg by OpenCV", "a.jpg by ffmpeg"}
as_stated = [off >= 25 if m == "bt709" and name in wrong else off <= 6 for (m, name), off in found.items()]
sys.exit(not all(as_stated))
PY

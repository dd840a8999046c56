#!/usr/bin/env bash
# A film that its container crops is 256x144 by the ffmpeg of today, 320x180 by the libraries, and zoomed in by MoviePy.
#
# One would guess: all readers show one film at one size; what a reader does not know of, it leaves.
# What happens:    MP4 and MOV (box clap) and Matroska (PixelCrop) can say that the edges of the coded picture are not
#                  shown. The ffmpeg command of version 9 cuts them off; that of 7.0, OpenCV, decord and PyAV show all. So
#                  imageio's two plugins differ. MoviePy reads 320x180 in the header, asks ffmpeg for that size, and gets
#                  the middle 256x144 enlarged: nothing has an odd size, and all is in another place.
# Why it matters:  boxes and points of annotations are off, by up to 32 pixels here, and pictures of two loaders do not lie on
#                  each other. Apple's software and digitised tapes leave such files; "-c copy" keeps the crop.
# Source:          ISO/IEC 14496-12, clean aperture; "ffmpeg -h full": -apply_cropping, "select the cropping to apply".
# Seen:            by running (ffmpeg 9.0.2, 7.0.2, OpenCV 5.0.0, decord2 3.4.0, PyAV 18.1.0, imageio 2.38.1, moviepy 2.2.1).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q opencv-python-headless==5.0.0.93 decord2==3.4.0 av==18.1.0 \
    imageio==2.38.1 moviepy==2.2.1 imageio-ffmpeg==0.8.1 numpy==2.4.6
"$work/venv/bin/pip" install -q --no-deps --target "$work/old" imageio-ffmpeg==0.6.0
cd "$work"
venv/bin/python -W ignore - <<'PY'
import pathlib
import struct
import subprocess
import sys

import av
import cv2
import decord
import imageio.v3 as imageio
import imageio_ffmpeg
import moviepy
import numpy

NEW = imageio_ffmpeg.get_ffmpeg_exe()
OLD = str(next(pathlib.Path("old/imageio_ffmpeg/binaries").glob("ffmpeg-linux*")))
RAW = "-f rawvideo -pix_fmt gray -s 320x180 -r 25 -i - -c:v libx264 -pix_fmt yuv420p plain.mp4".split()
picture = numpy.full((180, 320), 16, "uint8")
picture[:, 160:] = 235  # black to the left, white to the right
picture[:, 60:64] = 235  # and a white line at 60
subprocess.run([NEW, "-v", "error", *RAW], input=picture.tobytes() * 25, check=True)
film = bytearray(pathlib.Path("plain.mp4").read_bytes())
box = struct.pack(">I4s8I", 40, b"clap", 256, 1, 144, 1, 0, 1, 0, 1)  # the middle 256x144, in pixels
where = film.index(b"avcC") - 4
for parent in (b"avc1", b"stsd", b"stbl", b"minf", b"mdia", b"trak", b"moov"):
    size = film.rindex(parent, 0, where) - 4
    film[size : size + 4] = struct.pack(">I", struct.unpack_from(">I", film, size)[0] + len(box))
film[where:where] = box
pathlib.Path("clap.mp4").write_bytes(film)
subprocess.run([NEW, "-v", "error", "-i", "clap.mp4", "-c", "copy", "crop.mkv"], check=True)


def by_ffmpeg(program, name):
    words = ["-v", "error", "-y", "-i", name, "-frames:v", "1", "-pix_fmt", "gray", "seen.png"]
    subprocess.run([program, *words], check=True)
    return cv2.imread("seen.png")


def by_pyav(name):
    with av.open(name) as file:
        return next(file.decode(video=0)).to_ndarray(format="rgb24")


READERS = {
    "ffmpeg 9": lambda name: by_ffmpeg(NEW, name),
    "ffmpeg 7.0": lambda name: by_ffmpeg(OLD, name),
    "OpenCV": lambda name: cv2.VideoCapture(name).read()[1],
    "decord": lambda name: decord.VideoReader(name)[0].asnumpy(),
    "PyAV": by_pyav,
    "imageio, pyav": lambda name: imageio.imread(name, index=0, plugin="pyav"),
    "imageio, FFMPEG": lambda name: imageio.imread(name, index=0, plugin="FFMPEG"),
    "MoviePy": lambda name: moviepy.VideoFileClip(name).get_frame(0),
}


def seen(read, name):
    """Width and height, and the column at which the line stands."""
    shown = numpy.asarray(read(name))[..., 0].astype(int)
    bright = numpy.flatnonzero(shown[shown.shape[0] // 2, : shown.shape[1] // 3] > 100)
    return shown.shape[1], shown.shape[0], int(bright.mean())


found = {}
for name in ("plain.mp4", "clap.mp4", "crop.mkv"):
    for reader, read in READERS.items():
        found[name, reader] = seen(read, name)
        print(f"{name:10} {reader:16} width, height, place of the line:", found[name, reader])
want = {key: (320, 180, 61) for key in found}
for name in ("clap.mp4", "crop.mkv"):
    want[name, "ffmpeg 9"] = want[name, "imageio, FFMPEG"] = 256, 144, 29
    want[name, "MoviePy"] = 320, 180, 37
sys.exit(found != want)
PY

#!/usr/bin/env bash
# A film of two kept pieces, trimmed without encoding: 125 pictures are shown, decord has 293, OpenCV and PyAV say 250.
#
# One would guess: a film from which a piece in the middle was cut away by its edit list has as many pictures as are shown.
# What happens:    its list says: two seconds, then three from another place. All readers show those 125 in order. But
#                  decord's length is 293, more than were ever coded, and each index from 125 on is the last picture again;
#                  after index 0, index 40 is a picture of the other piece. (Its log speaks of corrupted frames; none is.)
#                  OpenCV's frame count and PyAV's stream.frames are 250, those that were coded. Of 8 places spread over
#                  decord's length 5 show the last picture; over OpenCV's count 4 have none.
# Why it matters:  editors on phones and Macs leave such files when they trim without encoding. Samplers take the count.
# Source:          ISO/IEC 14496-12, edit list: any number of entries.
# Seen:            by running (decord2 3.4.0, OpenCV 5.0.0, PyAV 18.1.0, ffmpeg 9.0.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q decord2==3.4.0 opencv-python-headless==5.0.0.93 av==18.1.0 imageio-ffmpeg==0.8.1 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import pathlib
import struct
import subprocess
import sys

import av
import cv2
import decord
import imageio_ffmpeg
import numpy

FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error"]
RAW = "-f rawvideo -pix_fmt rgb24 -s 128x96 -r 25 -i - -c:v libx264 -qp 1 -pix_fmt yuv420p -g 50 whole.mp4".split()
pictures = numpy.zeros((250, 96, 128, 3), "uint8")
pictures[:] = numpy.arange(250)[:, None, None, None]  # a picture's level is its number in the coded film
subprocess.run([*FFMPEG, *RAW], input=pictures.tobytes(), check=True)
film = bytearray(pathlib.Path("whole.mp4").read_bytes())
at = film.index(b"elst") - 4
delay = struct.unpack_from(">i", film, at + 20)[0]  # where the first picture stands, in 12,800ths of a second
EDITS = [(2000, delay), (3000, delay + 5 * 12800)]  # length in thousandths, and from where
entries = b"".join(struct.pack(">IiI", length, start, 65536) for length, start in EDITS)
new = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, len(EDITS)) + entries
old = struct.unpack_from(">I", film, at)[0]
for parent in (b"edts", b"trak", b"moov"):
    size = film.rindex(parent, 0, at) - 4
    film[size : size + 4] = struct.pack(">I", struct.unpack_from(">I", film, size)[0] + len(new) - old)
film[at : at + old] = new
pathlib.Path("trimmed.mp4").write_bytes(film)


def number(picture):
    return round(float(numpy.asarray(picture).mean()))


def by_ffmpeg(name):
    words = ["-i", name, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run([*FFMPEG, *words], capture_output=True, check=True).stdout
    return [number(picture) for picture in numpy.frombuffer(raw, "uint8").reshape(-1, 96 * 128 * 3)]


def by_opencv(name):
    reader, shown = cv2.VideoCapture(name), []
    count = int(reader.get(cv2.CAP_PROP_FRAME_COUNT))
    while (read := reader.read())[0]:
        shown.append(number(read[1]))
    return shown, count


def by_pyav(name):
    with av.open(name) as reader:
        return [number(f.to_ndarray(format="rgb24")) for f in reader.decode(video=0)], reader.streams.video[0].frames


def by_decord(name):
    reader = decord.VideoReader(name)
    return [number(reader[i].asnumpy()) for i in range(len(reader))], len(reader)


found = {}
for name in ("whole.mp4", "trimmed.mp4"):
    due = by_ffmpeg(name)
    for reader in (by_opencv, by_pyav, by_decord):
        shown, count = reader(name)
        same = sum(abs(a - b) <= 1 for a, b in zip(shown, due, strict=False))
        last = sum(abs(n - due[-1]) <= 1 for n in shown[len(due) :])
        found[name, reader.__name__] = len(due), count, len(shown), same, last
        print(f"{name:11} {reader.__name__:9} shown by ffmpeg: {len(due)}; count: {count};", end=" ")
        print(f"pictures: {len(shown)}, as due: {same}, the last once more: {last}")
reader = decord.VideoReader("trimmed.mp4")
jump = number(reader[0].asnumpy()), number(reader[40].asnumpy())
print("decord, index 0 and then 40:", jump, "due: 0 and 40")
want = {("whole.mp4", f"by_{r}"): (250, 250, 250, 250, 0) for r in ("opencv", "pyav", "decord")}
want |= {("trimmed.mp4", f"by_{r}"): (125, 250, 125, 125, 0) for r in ("opencv", "pyav")}
want["trimmed.mp4", "by_decord"] = 125, 293, 293, 125, 168
sys.exit(found != want or jump[1] < 100)
PY

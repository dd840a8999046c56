#!/usr/bin/env bash
# At a width of 96 or 144 pixels decord2's pictures have four channels, and get_batch raises.
#
# One would guess: VideoReader gives (height, width, 3), whatever the size is.
# What happens:    the number of channels is how often the width fits into a row of the memory, which is
#                  padded. At 96 and at 144 wide that is four times: reader[0] is (height, width, 4) with the
#                  padding as the fourth channel and every pixel displaced, and get_batch ends with "The size
#                  must exactly match". At 48 both decords do it, at 72 decord alone, at 16 it is twelve channels. The
#                  same when a larger film is asked for at such a width (width=96, height=96).
# Why it matters:  96 by 96 is the size of lip crops (LRW, LRS), 144 that of YouTube's smallest portrait
#                  format. numpy code that takes [..., :3] goes on with scrambled pictures, without a word.
# Seen:            by running (decord 0.6.0, decord2 3.4.0), on a CPU with AVX-512; how rows are padded is
#                  libav's to decide, and may differ on another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio-ffmpeg==0.8.1 av==18.1.0
cd "$work"
cat >look.py <<'PY'
import subprocess
import sys

import av
import imageio_ffmpeg
import numpy

sys.path.insert(0, sys.argv[1])
import decord


def seen(reader):
    """The channels of a picture, and whether a batch can be had."""
    try:
        batch = reader.get_batch([0, 1]).shape[-1]
    except decord.DECORDError:
        batch = None
    return reader[0].shape[-1], batch


def film(width):
    path = f"{width}.mp4"
    source = f"testsrc2=size={width}x96:rate=25:duration=1"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "lavfi", "-i", source]
    subprocess.run([*command, "-pix_fmt", "yuv420p", path], check=True)
    return path


got = {width: seen(decord.VideoReader(film(width))) for width in (48, 64, 72, 96, 128, 144, 160, 224)}
smaller = seen(decord.VideoReader("224.mp4", width=96, height=96))
with av.open("96.mp4") as file:
    true = next(file.decode(video=0)).to_ndarray(format="rgb24").astype(int)
off = float(numpy.abs(decord.VideoReader("96.mp4")[0].asnumpy()[..., :3] - true).mean())
print(sys.argv[1], "| channels of a picture and of a batch, by width:", got, "| 224 at 96:", smaller, "| 96 wide,",
      f"the first three against PyAV: {off:.0f} levels off")  # fmt: skip
four = {"decord": {48, 72}, "decord2": {48, 96, 144}}[sys.argv[1]]
ok = got == {width: (4, None) if width in four else (3, 3) for width in got}
ok &= smaller == ((4, None) if 96 in four else (3, 3)) and (off > 20) == (96 in four)
sys.exit(not ok)
PY
for reader in decord==0.6.0 decord2==3.4.0; do
    venv/bin/pip install -q --no-deps --target "${reader%%=*}" "$reader"
    venv/bin/python -W ignore look.py "${reader%%=*}"
done

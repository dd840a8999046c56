#!/usr/bin/env bash
# A clip that ffmpeg encodes with -enc_time_base demux says 12,800 frames a second: torchcodec gives the next frame.
#
# One would guess: -enc_time_base says how fine the encoder's clock is, to keep the times of frames as they are
#                  (-fps_mode passthrough); the frames come out at the same times, so a reader sees no difference.
# What happens:    x264 writes that clock into the stream as its rate of frames (SPS, VUI timing: 12,800 a second).
#                  PyAV's average_rate is 25, its codec_context.framerate 12800; and torchcodec's
#                  get_frame_played_at(t) gives the frame after the one that is shown at t, for every t that was asked,
#                  in both seek modes. `-bsf:v h264_metadata=tick_rate=50` mends it.
# Why it matters:  -enc_time_base demux is what one is told to use where frames of a varying rate are to be kept; every
#                  clip that was cut so is a frame late to whoever samples it by time.
# Seen:            by running (ffmpeg 9.0.2 of imageio-ffmpeg 0.8.1, torchcodec 0.13.0 on the libraries of ffmpeg 5.1).
#                  It needs ffmpeg's libraries (Debian: apt-get install ffmpeg), as torchcodec does.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 imageio-ffmpeg==0.8.1 av==18.1.0 torch==2.13.0 torchcodec==0.13.0
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import imageio_ffmpeg
import numpy
import torchcodec
from torchcodec.decoders import VideoDecoder

COUNT, RATE = 250, 25
# Each picture carries its number, a bit in each of ten columns.
columns = (numpy.arange(COUNT)[:, None] >> numpy.arange(10) & 1).repeat(16, axis=1)
pictures = (columns[:, None, :] * 200 + 20).repeat(64, axis=1).astype(numpy.uint8)
ways = {
    "usual": [],
    "fine": ["-enc_time_base", "1/12800"],
    "mended": ["-enc_time_base", "1/12800", "-bsf:v", "h264_metadata=tick_rate=50"],
}
exe = imageio_ffmpeg.get_ffmpeg_exe()
print("torchcodec", torchcodec.__version__)
got = {}
for way, words in ways.items():
    subprocess.run(
        [exe, "-nostdin", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray", "-s", "160x64", "-r", str(RATE),
         "-i", "-", "-fps_mode", "passthrough", *words, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "50", f"{way}.mp4"],
        input=pictures.tobytes(), check=True,
    )
    stream = av.open(f"{way}.mp4").streams.video[0]
    late = []
    for mode in ("exact", "approximate"):
        decoder = VideoDecoder(f"{way}.mp4", dimension_order="NHWC", seek_mode=mode)
        for number in range(0, COUNT, 8):
            shown = decoder.get_frame_played_at((number + 0.25) / RATE).data.numpy()[32, 8::16, 0] > 128
            late.append(sum(1 << bit for bit in range(10) if shown[bit]) - number)
    got[way] = float(stream.average_rate), float(stream.codec_context.framerate), late.count(0), late.count(1)
    print(f"{way:7} PyAV: average {stream.average_rate}, codec {stream.codec_context.framerate}; torchcodec: of {len(late)}",
          f"asked, {late.count(0)} right, {late.count(1)} one late; average {decoder.metadata.average_fps:.3f}")
sys.exit(got != {"usual": (25, 25, 64, 0), "fine": (25, 12800, 0, 64), "mended": (25, 25, 64, 0)})
PY

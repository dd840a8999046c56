#!/usr/bin/env bash
# FLAC that libav wrote and libav cannot read: one in some thousands of short noises.
#
# One would guess: what an encoder of a lossless format writes, its own decoder reads.
# What happens:    half a second of noise is written without a word, and reading it ends with "invalid residual".
#                  The file is right: libsndfile gives back every sample. FLAC has no index, so a reader looks for
#                  the two bytes that begin a frame and for a header behind them that adds up; libav's finds such
#                  bytes inside a frame, and goes on from there. In frames of 4,096 samples instead of 1,152, the
#                  same noise is read. Of 18,661 noises of 8,000 samples that were tried, it was the only one.
# Why it matters:  datasets of sound are tens of thousands of short FLAC files, rain and applause among them, and
#                  torchcodec, PyAV, librosa's fallback and ffmpeg all read with libav: check by decoding, and
#                  encode anew with another frame size what fails.
# Seen:            by running (ffmpeg 9.0.2 of imageio-ffmpeg 0.8.1, av 18.1.0, soundfile 0.14.0). RFC 9639, 9.1,
#                  says that the sync code can be found in a frame as well.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio-ffmpeg==0.8.1 av==18.1.0 numpy==2.4.6 soundfile==0.14.0
cd "$work"
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import av
import imageio_ffmpeg
import numpy
import soundfile

av.logging.set_level(None)
FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
SAMPLES = 8_000


def noise(seed):
    random = numpy.random.default_rng(seed)
    return numpy.clip(random.standard_normal((SAMPLES, 2)) * 6000, -32000, 32000).astype("<i2")


def by_pyav(path):
    """How many samples are read, or what is said."""
    try:
        with av.open(path) as file:
            return sum(frame.samples for frame in file.decode(audio=0))
    except av.FFmpegError as error:
        return type(error).__name__


print("ffmpeg", imageio_ffmpeg.get_ffmpeg_version(), "av", av.__version__, "soundfile", soundfile.__version__)
got = {}
for seed, size in ((6550, 1152), (6551, 1152), (6551, 4096)):
    samples = noise(seed)
    words = ["-f", "s16le", "-ar", "16000", "-ac", "2", "-i", "-", "-c:a", "flac", "-frame_size", str(size)]
    subprocess.run([*FFMPEG, *words, "-fflags", "+bitexact", "noise.flac"], input=samples.tobytes(), check=True)
    said = subprocess.run([*FFMPEG, "-i", "noise.flac", "-f", "null", "-"], capture_output=True, text=True).stderr
    same = bool(numpy.array_equal(soundfile.read("noise.flac", dtype="int16")[0], samples))
    got[seed, size] = "invalid residual" in said, by_pyav("noise.flac"), same
    print(f"noise {seed} in frames of {size}: ffmpeg says {said.splitlines()[:1]}, PyAV {got[seed, size][1]},",
          f"libsndfile reads all of it: {same}")  # fmt: skip
right, wrong = (False, SAMPLES, True), (True, "InvalidDataError", True)
sys.exit(got != {(6550, 1152): right, (6551, 1152): wrong, (6551, 4096): right})
PY

"""What the truth matrix plays: numbered pictures and a noise that never repeats, each encoded once and kept.

Knows how ffmpeg encodes. Knows nothing of the containers that are served (layouts) or of clips.

Every picture carries its number on the source's grid of times in twelve blocks, so that it can be told from any
other; the sound is noise, another in each channel. AAC is made without PNS: noise that a decoder makes up itself
depends on where it began to decode.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from tests.standin.fake_media import ffmpeg

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "matrix"

WIDTH, HEIGHT, BLOCK = 128, 96, 32
"""A picture's size in pixels, and the side of a block: four by three of them say its number."""

# The source's grid of times in pictures a second, and which of the grid there are.
GRIDS: dict[str, tuple[Fraction | None, str]] = {
    "25": (Fraction(25), ""),
    "29.97": (Fraction(30000, 1001), ""),
    "23.976": (Fraction(24000, 1001), ""),
    "8": (Fraction(8), ""),
    "vfr": (Fraction(30), "if(lt(mod(t,10),4),1,if(lt(mod(t,10),7),not(mod(n,3)),mod(n,7)))"),
    "frozen": (Fraction(25), "lt(t,8.5)+gte(t,16)"),
    "0.2": (Fraction(1, 5), ""),
    "one": (None, ""),
}
# Ticks a second in which each of these times is a whole number.
TICKS = 120_000

HE_AAC = Path(__file__).with_name("heaac.m4a")
"""Thirty seconds of noise in HE-AACv2, 24 kbit/s, by libfdk_aac: ffmpeg's own encoder cannot make it."""
RATES = {"aac": 44100, "aac-48": 48000, "opus": 48000, "mp3": 44100, "ac3": 48000, "flac": 44100, "mp2": 48000}
PACKETS = {"aac": 1024, "aac-48": 1024, "he-aac": 2048, "opus": 960, "mp3": 1152, "ac3": 1536, "mp2": 1152}
# Without an edit list, nothing is hidden, and the first packet is at 0.
_AAC = ["-c:a", "aac", "-aac_pns", "0", "-b:a", "96k", "-use_editlist", "0", "-f", "mp4"]
_SOUND_CODECS: dict[str, tuple[list[str], str]] = {
    "aac": (_AAC, "m4a"),
    "aac-48": (_AAC, "m4a"),
    "opus": (["-c:a", "libopus", "-b:a", "96k", "-f", "mp4"], "m4a"),
    "mp3": (["-c:a", "libmp3lame", "-b:a", "128k", "-write_xing", "0", "-f", "mp3"], "mp3"),
    "ac3": (["-c:a", "ac3", "-b:a", "640k", "-f", "ac3"], "ac3"),
    "flac": (["-c:a", "flac", "-f", "flac"], "flac"),
    "mp2": (["-c:a", "mp2", "-b:a", "192k", "-f", "mp2"], "mp2"),
}


def once(kind: str, recipe: Sequence[object], ending: str, run: Callable[[Path], None]) -> Path:
    """The file or folder that ``recipe`` makes, made by ``run`` where nobody did before; it appears whole."""
    words = "\0".join(map(str, (Path(ffmpeg()).name, kind, *recipe)))
    path = CACHE / f"{kind}-{hashlib.sha256(words.encode()).hexdigest()[:16]}{ending}"
    if path.exists():
        os.utime(path)
        return path
    CACHE.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with _alone(CACHE / f".{path.name}.lock"):
        if not path.exists():
            if part.is_dir():
                shutil.rmtree(part)
            run(part)
            os.replace(part, path)
    return path


def tidy(most: int = 2 * 1024**3, unused: float = 1800.0) -> None:
    """Leave at most so many bytes, and what was used in the last ``unused`` seconds in any case."""
    kept = [path for path in CACHE.iterdir() if not path.name.startswith(".")]
    files = {path: [each for each in (path, *path.rglob("*")) if each.is_file()] for path in kept}
    sizes = {path: sum(each.stat().st_size for each in files[path]) for path in kept}
    total = sum(sizes.values())
    for path in sorted(kept, key=lambda path: path.stat().st_mtime):
        if total <= most or path.stat().st_mtime > time.time() - unused:
            return
        total -= sizes[path]
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def run_ffmpeg(*arguments: object, feed: bytes | None = None, folder: Path | None = None) -> None:
    """Run the wheel's ffmpeg; the same words give the same bytes."""
    command = [
        ffmpeg(),
        "-v",
        "error",
        "-y",
        "-nostdin" if feed is None else "-stats_period",
        *([] if feed is None else ["1"]),
    ]
    # SVT-AV1 talks past ffmpeg's log.
    quiet = os.environ | {"SVT_LOG": "0"}
    words = [*command, *map(str, arguments)]
    subprocess.run(words, check=True, input=feed, cwd=folder, timeout=900, env=quiet)


def frame_step(rate: str, duration: float) -> Fraction:
    """Seconds between two pictures of the grid."""
    per_second, _ = GRIDS[rate]
    return Fraction(duration) if per_second is None else 1 / per_second


def drawn(number: int) -> np.ndarray[Any, Any]:
    """The picture of a number: a block for each bit, over a slope that moves."""
    bits = np.array([number >> bit & 1 for bit in range(12)]).reshape(3, 4)
    blocks = np.kron(bits, np.ones((BLOCK, BLOCK), int)) * 150 + 40
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return (blocks + (x + y + 3 * number) % 32).astype(np.uint8)


def number_of(picture: np.ndarray[Any, Any]) -> int:
    """The number that a grey picture carries."""
    centres = picture[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK].astype(int)
    return sum(int(value > 130) << bit for bit, value in enumerate(centres.reshape(-1)[:12]))


def pictures(codec: str, rate: str, gop: str, duration: float) -> Path:
    """A file of ``duration`` seconds of pictures whose first is at 0."""
    step, (_, chosen) = frame_step(rate, duration), GRIDS[rate]
    ending = ".ts" if codec == "mpeg2" else ".mp4"
    words = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(1 / step), "-i", "pipe:0"]
    filters = f"select='{chosen}',format=" if chosen else "format="
    words += ["-vf", filters + ("yuv420p10le" if codec == "h264-10" else "yuv420p")]
    words += ["-fps_mode", "passthrough", "-enc_time_base", "demux", *_picture_codec(codec, gop, step)]
    words += ["-muxdelay", "0", "-f", "mpegts"] if ending == ".ts" else ["-video_track_timescale", str(TICKS)]

    def run(part: Path) -> None:
        count = max(1, round(Fraction(duration) / step))
        fed = b"".join(drawn(number).tobytes() for number in range(count))
        container = [] if ending == ".ts" else ["-f", "mp4"]
        run_ffmpeg(*words, "-fflags", "+bitexact", "-threads", "1", *container, part, feed=fed)

    return once("pictures", [*words, duration], ending, run)


def _picture_codec(codec: str, gop: str, step: Fraction) -> list[str]:
    """Key pictures two seconds apart, in a "long" GOP ten; B pictures in a "closed" and an "open" one.

    In a "refresh", no picture is whole but the first: recovery points stand in their place.
    """
    keys = max(1, round((10 if gop == "long" else 2) / step))
    apart = ["-g", str(keys), "-keyint_min", str(keys)]
    if codec.startswith("h264"):
        ordered = {"closed": "bframes=2:b-adapt=0", "open": "bframes=3:b-adapt=0:open-gop=1"}.get(gop, "bframes=0")
        tools = f"{ordered}:scenecut=0:keyint={keys}:min-keyint={keys}"
        tools += ":intra-refresh=1" if gop == "refresh" else ""
        return ["-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-x264-params", tools]
    if codec == "vp9":
        return ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "300k", *apart]
    if codec == "av1":
        return ["-c:v", "libsvtav1", "-preset", "12", "-crf", "20", "-g", str(keys)]
    name = {"mpeg4": "mpeg4", "mpeg2": "mpeg2video"}[codec]
    return [
        "-c:v",
        name,
        "-q:v",
        "3",
        "-bf",
        "2" if gop == "closed" else "0",
        "-sc_threshold",
        "1000000000",
        *apart,
    ]


def sound(codec: str, duration: float) -> Path:
    """A file of sound whose first packet is at 0, of which nothing is hidden but what Opus always hides."""
    if codec == "he-aac":
        shorter = ["-t", duration, "-i", HE_AAC, "-c", "copy", "-use_editlist", "0", "-f", "mp4"]
        return once("sound", shorter, ".m4a", lambda part: run_ffmpeg(*shorter, "-fflags", "+bitexact", part))
    words, ending = _SOUND_CODECS[codec]
    source = _noise(RATES[codec], duration)
    return once(
        "sound",
        [codec, *words, source.name],
        f".{ending}",
        lambda part: run_ffmpeg("-i", source, *words, "-fflags", "+bitexact", part),
    )


GAP = (8.0, 9.5)
"""The seconds whose packets of sound are left out where it has a gap."""


def gapped(codec: str, duration: float) -> Path:
    """Sound that pauses: some packets are left out, and the others keep their times."""
    source, dropped = sound(codec, duration), f"noise=drop='between(pts*tb,{GAP[0]},{GAP[1]})'"
    words = ["-i", source, "-c", "copy", "-bsf:a", dropped, "-f", "mp4"]
    words += [] if codec == "opus" else ["-use_editlist", "0"]
    return once(
        "gapped", [source.name, dropped], ".m4a", lambda part: run_ffmpeg(*words, "-fflags", "+bitexact", part)
    )


def primed(duration: float, codec: str = "aac") -> Path:
    """AAC whose first packet, which only prepares the decoder, is hidden by an edit list."""
    source, words = _noise(RATES[codec], duration), ["-c:a", "aac", "-aac_pns", "0", "-b:a", "96k"]
    return once(
        "primed",
        [*words, source.name],
        ".m4a",
        lambda part: run_ffmpeg("-i", source, *words, "-fflags", "+bitexact", "-f", "mp4", part),
    )


def _noise(rate: int, duration: float) -> Path:
    """Stereo noise in 16 bits, without the uppermost tones, which encoders leave out."""

    def run(part: Path) -> None:
        random = np.random.default_rng(rate)
        white = random.standard_normal((round(rate * duration) + 8, 2))
        soft = sum(white[n : n - 7] for n in range(7)) / 7
        samples = np.clip(soft * 0.35 * 32768, -32000, 32000).astype("<i2")
        run_ffmpeg(
            "-f", "s16le", "-ar", rate, "-ac", "2", "-i", "pipe:0", "-f", "wav", part, feed=samples.tobytes()
        )

    return once("noise", [rate, duration], ".wav", run)

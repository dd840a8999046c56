"""Media files like YouTube's, made with ffmpeg at first use and kept in a folder.

Knows: which ffmpeg options give a file the shape of a YouTube stream (init, sidx, one fragment a GOP; AAC
in ten second fragments; progressive; WebM with its Cues in front; HLS), and how to keep two processes from
disturbing each other.
Knows not: who asks, nor anything of HTTP or of a player response.

Every picture differs from its neighbours (testsrc2 with its counter, plus noise) and the sound is noise,
another for each channel, so that a shift by one picture or one sample shows. The same spec gives the same
bytes.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import imageio_ffmpeg

Variant = Literal["sidx", "fragmented", "faststart"]

VIDEO_SIDES = {133: 240, 134: 360, 135: 480, 136: 720, 243: 360}
"""The smaller side of the picture, by itag: what YouTube calls 360p is 360 wide in a portrait video."""
SOUND_ITAGS = (140, 251)
PROGRESSIVE = 18
WEBM_ITAGS = (243, 251)
HLS = {"hls-ts": (93,), "hls-fmp4": (230, 234)}
"""The HLS renditions by what a test calls them: pictures with sound, or pictures and sound."""
HLS_SOURCES = {93: (134, 140), 230: (134,), 234: (140,)}
"""The adaptive streams that each rendition is packed from."""
PLAYLIST = "index.m3u8"

_EXACT = ["-threads", "1", "-fflags", "+bitexact", "-flags", "+bitexact"]
# A cluster at each key picture; sound, where every packet is one, in clusters of ten seconds.
_WEBM = ["-dash", "1", "-cues_to_front", "1", "-cluster_time_limit", "10000", "-f", "webm"]
_HLS = ["-hls_time", "5", "-hls_playlist_type", "vod", "-f", "hls"]
_HLS_LAYOUT: dict[bool, tuple[list[str], str]] = {
    True: (["-hls_segment_type", "mpegts", "-hls_flags", "independent_segments"], "%d.ts"),
    False: (["-hls_segment_type", "fmp4", "-hls_flags", "independent_segments+single_file"], "all.mp4"),
}
_VIDEO_LAYOUT: dict[str, list[str]] = {
    "sidx": ["-movflags", "+dash+global_sidx"],
    "fragmented": ["-movflags", "+frag_keyframe+empty_moov+default_base_moof"],
    "faststart": ["-movflags", "+faststart"],
}
_SOUND_LAYOUT: dict[str, list[str]] = {
    "sidx": ["-frag_duration", "10000000", "-movflags", "+dash+global_sidx"],
    "fragmented": ["-frag_duration", "10000000", "-movflags", "+empty_moov+default_base_moof"],
    "faststart": ["-movflags", "+faststart"],
}


@dataclass(frozen=True)
class Media:
    """What one video's streams look and sound like.

    `width` and `height` give the shape at 360p; other itags are scaled from it. `variant` shapes the
    adaptive mp4 streams: "sidx" as YouTube's, "fragmented" the same without an index, "faststart" a plain
    mp4. `seed` changes picture noise and sound.
    """

    duration: float = 60.0
    width: int = 640
    height: int = 360
    fps: float = 25
    bframes: int = 2
    gop_seconds: float = 5.0
    sample_rate: int = 44100
    channels: int = 2
    audio: bool = True
    video: bool = True
    variant: Variant = "sidx"
    seed: int = 1

    def size(self, itag: int) -> tuple[int, int]:
        """Width and height of a stream, even numbers as yuv420p wants them."""
        scale = VIDEO_SIDES.get(itag, 360) / min(self.width, self.height)
        return round(self.width * scale / 2) * 2, round(self.height * scale / 2) * 2

    def has(self, itag: int) -> bool:
        """Whether this video could have that stream: a silent one has no 140."""
        if itag == PROGRESSIVE:
            return self.audio or self.video
        if itag in HLS_SOURCES:
            return self.has(HLS_SOURCES[itag][0])
        return self.audio if itag in SOUND_ITAGS else self.video and itag in VIDEO_SIDES


def make(media: Media, itag: int, folder: Path) -> Path:
    """The file of one stream, encoded now if nobody did before; it appears whole or not at all."""
    if not media.has(itag) or itag in HLS_SOURCES:
        raise ValueError(f"no itag {itag} in {media}")
    inputs = _progressive_inputs(media, folder) if itag == PROGRESSIVE else []
    arguments = _remux(inputs) if inputs else _encode(media, itag)
    path = folder / f"{_fingerprint(arguments)}-{itag}{'.webm' if itag in WEBM_ITAGS else '.mp4'}"
    return _once(path, lambda part: _run([*arguments, str(part)]))


def make_hls(media: Media, itag: int, folder: Path, sound: int = 0) -> Path:
    """The folder of one HLS rendition: ffmpeg's index.m3u8 with 0.ts, 1.ts ... or one all.mp4 beside it.

    `sound` is added to the seed of the sound alone.
    """
    if not media.has(itag):
        raise ValueError(f"no itag {itag} in {media}")
    heard = replace(media, seed=media.seed + sound)
    inputs = [
        make(replace(heard if source in SOUND_ITAGS else media, variant="sidx"), source, folder)
        for source in HLS_SOURCES[itag]
        if media.has(source)
    ]
    layout, name = _HLS_LAYOUT[itag in HLS["hls-ts"]]
    arguments = [*_copy(inputs), *layout, *_HLS]

    def run(part: Path) -> None:
        part.mkdir()
        _run([*arguments, "-hls_segment_filename", str(part / name), str(part / PLAYLIST)])

    return _once(folder / f"{_fingerprint(arguments)}-{itag}", run)


def segments(rendition: Path) -> list[Path]:
    """The files of a rendition that the playlist names, in its order; the one of fMP4 stands there once."""
    lines = (rendition / PLAYLIST).read_text().splitlines()
    return [rendition / name for name in dict.fromkeys(line for line in lines if line and line[0] != "#")]


def boxes(content: bytes) -> list[tuple[str, int, int]]:
    """Kind, place and size of each top level box of an mp4."""
    found, at = [], 0
    while at < len(content):
        size, kind = struct.unpack(">I4s", content[at : at + 8])
        found.append((kind.decode(), at, size))
        at += size
    return found


def elements(content: bytes, first: int = 0, last: int | None = None) -> list[tuple[int, int, int, int]]:
    """Kind, place, place of what is in it, and end of each EBML element between two bytes of a webm."""
    return list(_elements(content, first, len(content) if last is None else last))


def _elements(content: bytes, at: int, last: int) -> Iterator[tuple[int, int, int, int]]:
    while at < last:
        kind, after = _number(content, at, 0)
        size, inside = _number(content, after, 1)
        yield kind, at, inside, inside + size
        at = inside + size


SEGMENT, INFO, CUES, CLUSTER = 0x18538067, 0x1549A966, 0x1C53BB6B, 0x1F43B675


def _number(content: bytes, at: int, without_marker: int) -> tuple[int, int]:
    """A number of EBML's, and the place after it."""
    length = 9 - content[at].bit_length()
    number = int.from_bytes(content[at : at + length])
    return number & ~(without_marker << 7 * length), at + length


@functools.cache
def index(path: Path) -> range | None:
    """Where the index of a stream is, sidx or Cues: all before it is the head. None where it has none."""
    with path.open("rb") as file:
        content = file.read(1 << 16)
    if path.suffix == ".webm":
        # As far as they are asked for: the clusters are not among these bytes.
        segment = next(inside for kind, _, inside, _ in _elements(content, 0, len(content)) if kind == SEGMENT)
        cues = next(each for each in _elements(content, segment, len(content)) if each[0] == CUES)
        return range(cues[1], cues[3])
    at = 0
    while at + 8 <= len(content):
        size, name = struct.unpack(">I4s", content[at : at + 8])
        if name == b"sidx":
            return range(at, at + size)
        at += size
    return None


def _progressive_inputs(media: Media, folder: Path) -> list[Path]:
    """The adaptive streams that 18 is packed from, so that nothing is encoded twice."""
    indexed = replace(media, variant="sidx")
    return [make(indexed, itag, folder) for itag in (134, 140) if media.has(itag)]


def _remux(inputs: list[Path]) -> list[str]:
    return [*_copy(inputs), "-movflags", "+faststart", "-f", "mp4"]


def _copy(inputs: list[Path]) -> list[str]:
    sources = [word for path in inputs for word in ("-i", str(path))]
    return [*sources, "-c", "copy", *_EXACT]


def _encode(media: Media, itag: int) -> list[str]:
    """The ffmpeg arguments between the program and the output file."""
    return _sound(media, itag) if itag in SOUND_ITAGS else _pictures(media, itag)


def _pictures(media: Media, itag: int) -> list[str]:
    width, height = media.size(itag)
    source = (
        f"testsrc2=size={width}x{height}:rate={media.fps}:duration={media.duration},"
        f"noise=alls=4:allf=t:all_seed={media.seed},format=yuv420p"
    )
    gop = str(max(1, round(media.gop_seconds * media.fps)))
    keys = ["-g", gop, "-keyint_min", gop]
    if itag in WEBM_ITAGS:
        codec = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "300k"]
        layout = _WEBM
    else:
        codec = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "36", "-bf", str(media.bframes)]
        # Without this, a scene cut would start a GOP of its own and the fragments would be uneven.
        codec += ["-sc_threshold", "0"]
        layout = [*_VIDEO_LAYOUT[media.variant], "-f", "mp4"]
    return ["-f", "lavfi", "-i", source, *codec, *keys, *_EXACT, *layout]


def _sound(media: Media, itag: int) -> list[str]:
    rate = 48000 if itag == 251 else media.sample_rate
    noises = [
        f"anoisesrc=color=pink:amplitude=0.5:duration={media.duration}:sample_rate={rate}"
        f":seed={media.seed * 100 + n}"
        for n in range(media.channels)
    ]
    if media.channels == 1:
        graph = noises[0]
    else:
        labels = "".join(f"[c{n}]" for n in range(media.channels))
        graph = ";".join(f"{noise}[c{n}]" for n, noise in enumerate(noises))
        graph += f";{labels}amerge=inputs={media.channels}"
    codec = "libopus" if itag in WEBM_ITAGS else "aac"
    layout = _WEBM if itag in WEBM_ITAGS else [*_SOUND_LAYOUT[media.variant], "-f", "mp4"]
    return ["-f", "lavfi", "-i", graph, "-c:a", codec, "-b:a", "128k", *_EXACT, *layout]


@functools.cache
def ffmpeg() -> str:
    """The wheel's ffmpeg: the same build for everybody, so that cached files are comparable."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _fingerprint(arguments: list[str]) -> str:
    """Names the recipe, so that a changed recipe or another ffmpeg never meets an old file."""
    words = [Path(word).name if os.sep in word else word for word in [ffmpeg(), *arguments]]
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]


def _once(path: Path, run: Callable[[Path], None]) -> Path:
    """The file or folder at `path`; where it is not there, `run` makes it under another name first."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with _only_one(path.with_suffix(".lock")):
        if path.exists():
            return path
        try:
            run(part)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True) if not part.is_dir() else shutil.rmtree(part)
    return path


def _run(arguments: list[str]) -> None:
    command = [ffmpeg(), "-v", "error", "-y", "-nostdin", *arguments]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=900)


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Holds off other threads and processes that want the same file: it need not be made twice."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield

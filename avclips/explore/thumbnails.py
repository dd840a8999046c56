"""A small picture of each clip, and the peaks of its sound: made when it is first asked for, and kept."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from ..catalog.places import is_file
from ..catalog.sample import Place
from ..core.errors import AvclipsError
from ..core.files import move_whole
from ..media.ffmpeg import READING, Ffmpeg
from ..media.still import JPEG_COLOURS
from .media import Files, NotServed

# Pixels of the wider side.
SIZE = 320
# What is made at once: the page asks for many, and a node's cores are for others too.
AT_ONCE = 2
# Seconds after which one that could not be made is tried again.
AGAIN = 60.0


class Thumbnails:
    """Pictures of clips, in a folder of the cache."""

    def __init__(self, files: Files, folder: Path, ffmpeg: Ffmpeg) -> None:
        self._files = files
        self._folder = folder
        self._ffmpeg = ffmpeg
        # Of each that failed, when, and why.
        self._failed: dict[str, tuple[float, str]] = {}
        self._turn = threading.Semaphore(AT_ONCE)
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, name: str, files: Mapping[str, Place], seconds: float | None) -> Path:
        """The thumbnail of a clip, made where it is not there yet; ``name``: of its file, one for each content.

        Of the frame in the middle, where the clip has none of its own; of the waveform, where it has no picture.
        NotServed where neither can be made.
        """
        if (found := self.made(name)) is not None:
            return found
        target = self._target(name)
        with self._turn:
            if not target.exists():
                try:
                    self._make(target, files, seconds)
                except NotServed as error:
                    self._failed[name] = (time.monotonic(), str(error))
                    raise
        return target

    def made(self, name: str) -> Path | None:
        """The thumbnail, where it is there. NotServed where none could be made a moment ago."""
        target = self._target(name)
        if target.exists():
            return target
        failed, why = self._failed.get(name, (0.0, ""))
        if why and time.monotonic() - failed < AGAIN:
            # A page asks for it at each scroll.
            raise NotServed(why)
        return None

    def _target(self, name: str) -> Path:
        return self._folder / name[:2] / f"{name}.jpg"

    def _make(self, target: Path, files: Mapping[str, Place], seconds: float | None) -> None:
        kind = next((kind for kind in ("frame", "video", "audio") if kind in files), None)
        if kind is None:
            raise NotServed("the clip has no files")
        place = files[kind]
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as scratch:
            made = Path(scratch) / "made.jpg"
            try:
                source = self._local(place, kind, Path(scratch))
                self._ffmpeg.run([*_arguments(kind, source, seconds), "-frames:v", "1", "-update", "1", made])
                move_whole(made, target)
            except (AvclipsError, FileNotFoundError) as error:
                raise NotServed("no picture can be made of it") from error

    def _local(self, place: Place, kind: str, scratch: Path) -> Path:
        """The file by itself: of a tar, a table or a store, a copy that lasts as long as ``scratch``."""
        blob = self._files.blob(place, kind)
        if is_file(place):
            return Path(place.path).resolve()
        copy = scratch / f"source{blob.ending}"
        with open(copy, "wb") as stream:
            stream.writelines(blob.read(0, blob.size))
        return copy


def _arguments(kind: str, source: Path, seconds: float | None) -> list[str | Path]:
    scaled = f"scale='if(gt(iw,ih),{SIZE},-2)':'if(gt(iw,ih),-2,{SIZE})':{JPEG_COLOURS}"
    if kind == "audio":
        return [*READING, "-i", source, "-filter_complex", f"showwavespic=s={SIZE}x{SIZE * 9 // 16}:colors=gray"]
    middle = ["-ss", f"{seconds / 2:.3f}"] if kind == "video" and seconds else []
    return [*middle, *READING, "-i", source, "-vf", scaled, "-q:v", "5"]

"""A finished shard, looked into: whether its files are what its stats and its table say, to the last picture.

Reads a shard from its store as it goes; what it holds is kept, a few clips at a time, in a folder on this machine.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import shutil
import tarfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import Killed, RunError, Transient
from ..core.extras import extra
from ..core.redact import one_line
from ..media.ffmpeg import Ffmpeg
from ..media.inspect import measure_sound
from .layout import Output
from .storage import StoreLost
from .tar_writer import SOUNDS, key_of

_AT_ONCE = 1 << 20
_PICTURES = ("mp4", "mkv")
# What of a table says what is in the rest; older ones lack none of these.
_SAID = ["id", "status", "reason", "sha256", "audio_sha256", "pictures", "samples"]
Row = Mapping[str, Any]


@dataclass
class Findings:
    """What is wrong with a shard: of it as a whole, and of its clips; and what could not be looked at."""

    complaints: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


class ShardCheck:
    """Looks into the shards of one output, with so many threads that decode."""

    def __init__(
        self, output: Output, ffmpeg: Ffmpeg, scratch: Path, workers: int, seen: Callable[[], None]
    ) -> None:
        """``scratch``: a folder for what is unpacked; ``seen``: called for each clip that was looked at."""
        self._output = output
        self._ffmpeg = ffmpeg
        self._scratch = scratch
        self._workers = workers
        self._seen = seen
        self._numbers = itertools.count()
        # Of the files of the shard that is looked into.
        self._digests: Mapping[str, str] = {}

    def check(self, number: int) -> Findings:
        """All that is wrong with a shard. StoreLost where it cannot be reached now; Stopped."""
        found = Findings()
        try:
            stats = self._output.stats(number)
            sizes = self._output.sizes(number)
        except StoreLost:
            raise
        except RunError as error:
            found.complaints.append(str(error))
            return found
        table = f"{self._output.name(number)}.parquet"
        due: Mapping[str, int] = stats.get("files") or {}
        if table not in due:
            found.complaints.append(f"its stats do not name {table}")
        for name, size in sizes.items():
            if size is None:
                found.complaints.append(f"{name} is missing")
            elif size != due[name]:
                found.complaints.append(f"{name} has {size} bytes instead of {due[name]}")
        if not found.complaints:
            # Before there were digests of whole files, only what clips are made of had them.
            self._digests = stats.get("sha256") or {}
            self._look_into(number, stats, table, found)
        return found

    def _look_into(self, number: int, stats: Mapping[str, Any], table: str, found: Findings) -> None:
        try:
            with self._output.open(table) as file:
                self._compare_digest(table, _Reader(file), found)
            with self._output.open(table) as file:
                parquet = extra("pyarrow.parquet", "tables are read").parquet
                rows = parquet.read_table(file, columns=_SAID).to_pylist()
        except StoreLost as error:
            if not _is_of_the_file(error):
                raise
            found.complaints.append(f"{table} cannot be read: {_cause(error)}")
            return
        found.complaints += _compare_counts(rows, stats)
        done = {row["id"]: row for row in rows if row["status"] == "done"}
        tar = f"{self._output.name(number)}.tar"
        clips = self._of_tar(tar, done, found) if tar in stats["files"] else self._of_table(table, done)
        self._look_at_clips(clips, done, tar if tar in stats["files"] else table, found)

    def _look_at_clips(
        self, clips: Iterator[_Unpacked], done: Mapping[str, Row], name: str, found: Findings
    ) -> None:
        """Each clip as it is unpacked, a few at a time; then which were not there."""
        room = threading.Semaphore(2 * self._workers)
        there: set[str] = set()

        def look(clip: _Unpacked) -> None:
            try:
                complaint = self._complaint(clip, done[clip.id])
                if complaint is not None:
                    found.complaints.append(f"{clip.id}: {complaint}")
            except Killed as error:
                found.unseen.append(f"{clip.id}: not looked at, {error}")
            finally:
                shutil.rmtree(clip.folder, ignore_errors=True)
                self._seen()
                room.release()

        with ThreadPoolExecutor(self._workers) as pool:
            jobs = []
            try:
                for clip in clips:
                    if clip.id in there:
                        found.complaints.append(f"{clip.id}: it is in {name} several times")
                    there.add(clip.id)
                    room.acquire()
                    jobs.append(pool.submit(look, clip))
            except StoreLost as error:
                if not _is_of_the_file(error):
                    raise
                found.complaints.append(f"{name} cannot be read: {_cause(error)}")
        for job in jobs:
            job.result()
        found.complaints += [f"{clip}: it is not in {name}" for clip in done if clip not in there]

    def _complaint(self, clip: _Unpacked, row: Row) -> str | None:
        """What is wrong with a clip's files, by their digests and decoded to their end."""
        video = next((clip.files[each] for each in _PICTURES if each in clip.files), None)
        audio = next((clip.files[each] for each in SOUNDS if each in clip.files), None)
        for what, file, due in (("picture", video, row["sha256"]), ("sound", audio, row["audio_sha256"])):
            # Of a clip without sound, the tar has silence, which nobody downloaded.
            if due and file is None:
                return f"its {what} is missing"
            if due and file is not None and file.digest != due:
                return f"its {what} is not what was downloaded"
        try:
            if video is not None:
                tracks = self._ffmpeg.measure(video.path)
                pictures = next((len(track.times) for track in tracks if track.kind == "video"), 0)
                if pictures != (row["pictures"] or pictures):
                    return f"its picture has {pictures} pictures instead of {row['pictures']}"
            if audio is not None and row["audio_sha256"]:
                sound = measure_sound(audio.path, self._ffmpeg)
                if not sound.packed and sound.samples != (row["samples"] or sound.samples):
                    return f"its sound has {sound.samples} samples instead of {row['samples']}"
        except Killed:
            raise
        except Transient as error:
            return error.detail
        return None

    def _of_tar(self, name: str, done: Mapping[str, Row], found: Findings) -> Iterator[_Unpacked]:
        """The clips of a tar, unpacked; what else is in it is a complaint."""
        with self._output.open(name) as file:
            reader: Any = _Reader(file)
            with tarfile.open(fileobj=reader, mode="r|") as tar:
                yield from self._clips_in(tar, name, done, found)
            self._compare_digest(name, reader, found)

    def _clips_in(
        self, tar: tarfile.TarFile, name: str, done: Mapping[str, Row], found: Findings
    ) -> Iterator[_Unpacked]:
        ids = {key_of(clip): clip for clip in done}
        clip: _Unpacked | None = None
        for member in tar:
            key, _, ending = member.name.partition(".")
            if key not in ids:
                found.complaints.append(f"{name} holds {member.name}, of which its table says nothing")
                continue
            if clip is None or clip.id != ids[key]:
                if clip is not None:
                    yield clip
                clip = self._begin(ids[key])
            content = tar.extractfile(member)
            if content is not None and ending in (*_PICTURES, *SOUNDS):
                clip.add(ending, iter(functools.partial(content.read, _AT_ONCE), b""))
            elif content is not None and ending == "json" and _id_in(content.read()) != ids[key]:
                found.complaints.append(f"{ids[key]}: its json is another clip's, or none")
        if clip is not None:
            yield clip

    def _compare_digest(self, name: str, reader: _Reader, found: Findings) -> None:
        """See, of a file that was read from its start, whether all of it is what was written."""
        while reader.read(_AT_ONCE):
            pass
        if self._digests.get(name, reader.digest) != reader.digest:
            found.complaints.append(f"{name} is not what was written")

    def _of_table(self, name: str, done: Mapping[str, Row]) -> Iterator[_Unpacked]:
        """The clips of a table with media, unpacked."""
        pyarrow = extra("pyarrow.parquet", "tables are read")
        with self._output.open(name) as file, pyarrow.parquet.ParquetFile(file) as table:
            endings = [each for each in table.schema_arrow.names if each in (*_PICTURES, *SOUNDS)]
            for group in range(table.num_row_groups):
                rows = table.read_row_group(group, columns=["id", *endings])
                for place, clip_id in enumerate(rows["id"].to_pylist()):
                    if clip_id not in done:
                        continue
                    clip = self._begin(clip_id)
                    for ending in endings:
                        cell = rows[ending][place]
                        if pyarrow.types.is_struct(cell.type) and cell.is_valid:
                            cell = cell["bytes"]
                        if cell.is_valid:
                            clip.add(ending, iter([memoryview(cell.as_buffer())]))
                    yield clip

    def _begin(self, clip_id: str) -> _Unpacked:
        folder = self._scratch / str(next(self._numbers))
        folder.mkdir(parents=True)
        return _Unpacked(clip_id, folder)


class _Reader:
    """A file that is read once, from its start, and its digest as far as it was."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def read(self, size: int) -> bytes:
        content = bytes(self._file.read(size))
        self._digest.update(content)
        return content


@dataclass(frozen=True)
class _File:
    path: Path
    digest: str


@dataclass(frozen=True)
class _Unpacked:
    """A clip's media on this machine, by their endings."""

    id: str
    folder: Path
    files: dict[str, _File] = field(default_factory=dict)

    def add(self, ending: str, parts: Iterator[bytes | memoryview]) -> None:
        """Write a file, and its digest."""
        digest, path = hashlib.sha256(), self.folder / f"clip.{ending}"
        with open(path, "wb") as target:
            for part in parts:
                digest.update(part)
                target.write(part)
        self.files[ending] = _File(path, digest.hexdigest())


def _compare_counts(rows: list[Row], stats: Mapping[str, Any]) -> list[str]:
    """What a table's rows and the stats beside them do not agree in."""
    failed = Counter(row["reason"] or "untried" for row in rows if row["status"] != "done")
    made = {"clips": len(rows), "done": sum(row["status"] == "done" for row in rows), "failed": dict(failed)}
    differ = [name for name in made if made[name] != stats[name]]
    told = [f"its table has {made[name]} {name}, its stats {stats[name]}" for name in differ]
    often = [clip for clip, count in Counter(row["id"] for row in rows).items() if count > 1]
    return told + [f"{clip}: its table has it several times" for clip in often]


def _id_in(content: bytes) -> str | None:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return said.get("id") if isinstance(said, dict) else None


def _is_of_the_file(error: StoreLost) -> bool:
    """Whether a file that was reached is broken, and not the way to it."""
    cause = error.__cause__
    if isinstance(cause, OSError):
        # Arrow's own of what it cannot decode; a system's has a number.
        return type(cause) is OSError and cause.errno is None
    pyarrow = extra("pyarrow", "tables are read")
    return isinstance(cause, (tarfile.TarError, pyarrow.ArrowException, EOFError, ValueError, KeyError))


def _cause(error: StoreLost) -> str:
    return one_line(error.__cause__, 200)

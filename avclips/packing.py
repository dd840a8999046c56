"""The files of a pack: its clips in one tar (webdataset) or one table (parquet), and what became of each.

Knows files and rows; not where they go, or when.
"""

from __future__ import annotations

import array
import errno
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .clip import Clip
from .extras import extra
from .journal import Line, now
from .kinds import KINDS, Kinds, arrow_type, cell, text_of

# What a row says of a clip besides the columns of its list, each as Arrow names its type.
_OF_CLIP = {"id": "string", "status": "string", "reason": "string", "error": "string", "permanent": "bool"}
_OF_CLIP |= {"youtube_id": "string", "start": "double", "end": "double"}
_FACTS = {"duration": "double", "fps": "double"}
_FACTS |= dict.fromkeys(("pictures", "width", "height", "samples", "sample_rate", "channels"), "int64")
_FACTS |= dict.fromkeys(("bytes", "bytes_fetched"), "int64")
_FACTS |= dict.fromkeys(("sha256", "audio_sha256", "formats", "title", "yt_dlp", "time"), "string")
_TYPES = _OF_CLIP | _FACTS
# Columns of files; those of subtitles end in .vtt.
_FILES = frozenset(("mp4", "mkv", "wav", "flac", "m4a", "info"))
# Bytes of media that are in memory at a time, and the rows that hold them; one larger file is by itself.
_AT_ONCE = 16 << 20
_ROWS_AT_ONCE = 256


@dataclass(frozen=True)
class Layout:
    """What the tables of all packs have in common, so that they are one to their readers.

    ``kept``: the columns of the list with the kinds of their cells (kinds.py); ``endings``: of the files whose
    bytes have columns; ``info``: whether what the site says has one.
    """

    kept: Mapping[str, str]
    endings: tuple[str, ...] = ()
    info: bool = False


@dataclass(frozen=True)
class Sample:
    """One clip of a pack, and its last line in the journal; None where it was never tried."""

    clip: Clip
    line: Line | None

    @property
    def done(self) -> bool:
        return self.line is not None and self.line["status"] == "done"

    def files(self, folder: Path) -> dict[str, Path]:
        """Its files in a data folder, by their endings in the pack."""
        line = self.line if self.done and self.line else {}
        named = {name.rpartition(".")[2]: name for name in (line.get("video"), line.get("audio")) if name}
        subtitles = line.get("subtitles") or {}
        named |= {f"{language}.vtt": name for language, name in subtitles.items() if name}
        return {ending: folder / name for ending, name in named.items()}

    def beside(self, folder: Path) -> list[Path]:
        """What stands in the data folder for it, and is in the pack in another form."""
        return [folder / self.line["info"]] if self.done and self.line and self.line.get("info") else []


def key_of(clip_id: str) -> str:
    """A clip's name in a tar: webdataset takes what follows the first dot for an ending, and no id has a tilde."""
    return clip_id.replace(".", "~")


def write_tar(path: Path, samples: Iterable[Sample], folder: Path) -> None:
    """The clips that are done, each with its files, ID.json and, with a caption, ID.txt. RunError: no webdataset.

    Source: https://github.com/webdataset/webdataset; the same clips give the same bytes.
    """
    writer = extra("webdataset.writer", "tars are written").writer
    with (
        open(path, "wb") as stream,
        writer.TarWriter(stream, encoder=False, mtime=0, format="PAX_FORMAT") as tar,
    ):
        for sample in samples:
            if sample.done:
                tar.write({"__key__": key_of(sample.clip.id), **_contents(sample, folder)})


def _contents(sample: Sample, folder: Path) -> dict[str, bytes]:
    found = {ending: file.read_bytes() for ending, file in sample.files(folder).items()}
    said = row_of(sample)
    if (info := _info(sample, folder)) is not None:
        said["info"] = json.loads(info)
    found["json"] = text_of(said).encode()
    caption = sample.clip.meta.get("caption")
    if caption is not None:
        found["txt"] = text_of(caption).encode()
    return found


def _info(sample: Sample, folder: Path) -> str | None:
    files = sample.beside(folder)
    return files[0].read_text(encoding="utf-8") if files else None


def row_of(sample: Sample) -> dict[str, Any]:
    """What a pack's table says of a clip: how it ended, what it is, and the kept columns of its list."""
    clip, line = sample.clip, sample.line or {"status": "untried"}
    row = {"id": clip.id, "youtube_id": clip.meta.get("youtube_id", clip.video), "start": clip.start}
    row |= {"end": clip.end} | {name: line.get(name) for name in _TYPES if name not in (*row, "end")}
    return row | {column_of(name): value for name, value in clip.meta.items() if name != "youtube_id"}


def column_of(name: str) -> str:
    """What a column of the list is called beside ours; never as another one is.

    Readers such as Spark and DuckDB know no capitals.
    """
    # ``list_title`` is what ``title`` becomes.
    folded = re.sub(r"^(list_)*", "", name.casefold())
    return f"list_{name}" if folded in _TYPES or folded in _FILES or folded.endswith(".vtt") else name


def layout_of(samples: Sequence[Sample], folder: Path | None) -> Layout:
    """What a pack shows by itself."""
    kinds = Kinds()
    for sample in samples:
        kinds.add(sample.clip.meta)
    if folder is None:
        return Layout(kinds.found())
    endings = sorted({ending for sample in samples for ending in sample.files(folder)})
    return Layout(kinds.found(), tuple(endings), any(sample.beside(folder) for sample in samples))


def write_rows(path: Path, samples: Sequence[Sample], folder: Path | None, layout: Layout | None = None) -> None:
    """A parquet with a row for each clip; ``folder``: with its files' bytes, in a column for each ending."""
    pyarrow = extra("pyarrow.parquet", "tables are written")
    layout = layout or layout_of(samples, folder)
    endings = () if folder is None else layout.endings
    kept = {column_of(name): kind for name, kind in layout.kept.items() if name != "youtube_id"}
    types = {name: pyarrow.type_for_alias(alias) for name, alias in _TYPES.items()}
    types |= {name: arrow_type(kind, pyarrow) for name, kind in kept.items()}
    rows = [row_of(sample) for sample in samples]
    columns = {
        name: [cell(row.get(name), kept.get(name) or KINDS[_TYPES[name]]) for row in rows] for name in types
    }
    if folder is not None and layout.info:
        types["info"], columns["info"] = pyarrow.string(), [_info(sample, folder) for sample in samples]
    table = pyarrow.table({name: pyarrow.array(columns[name], kind) for name, kind in types.items()})
    schema = table.schema
    for ending in endings:
        schema = schema.append(pyarrow.field(ending, pyarrow.large_binary()))
    # Media do not get smaller by packing them again; their smallest and largest values would be kept in memory.
    plain = [name for name in schema.names if name not in endings]
    shape: dict[str, Any] = {"compression": {name: "snappy" if name in plain else "none" for name in schema.names}}
    shape |= {"use_dictionary": plain, "write_statistics": plain} if endings else {}
    with pyarrow.parquet.ParquetWriter(path, schema, **shape) as writer:
        for first, behind in _groups(samples, folder) if folder is not None and endings else [(0, len(samples))]:
            some = table.slice(first, behind - first)
            files = [sample.files(folder) for sample in samples[first:behind]] if folder else []
            for ending in endings:
                cells = _cells([each.get(ending) for each in files], pyarrow)
                some = some.append_column(schema.field(ending), cells)
            writer.write_table(some, row_group_size=max(1, behind - first))


def _groups(samples: Sequence[Sample], folder: Path) -> Iterator[tuple[int, int]]:
    """The rows, first and behind the last, of which the files are in memory together."""
    first = size = 0
    for number, sample in enumerate(samples):
        more = sum(path.stat().st_size for path in sample.files(folder).values())
        if number > first and (size + more > _AT_ONCE or number - first >= _ROWS_AT_ONCE):
            yield first, number
            first, size = number, 0
        size += more
    yield first, len(samples)


def _cells(files: Sequence[Path | None], pyarrow: Any) -> Any:
    """The bytes of files as a column, each read to its place in it; null where there is none."""
    ends = list(itertools.accumulate((file.stat().st_size if file else 0 for file in files), initial=0))
    content = pyarrow.allocate_buffer(ends[-1])
    with memoryview(content) as view:
        for file, at, end in zip(files, ends, ends[1:], strict=False):
            if file is not None:
                with open(file, "rb") as stream:
                    if stream.readinto(view[at:end]) != end - at:
                        raise OSError(errno.EIO, "it became shorter while it was read", str(file))
    there = pyarrow.array([file is not None for file in files]).buffers()[1]
    offsets = pyarrow.py_buffer(array.array("q", ends))
    return pyarrow.LargeBinaryArray.from_buffers(pyarrow.large_binary(), len(files), [there, offsets, content])


def read_failures(source: Any) -> Iterator[tuple[str, str, str | None, bool]]:
    """(id, status, reason, whether it is final) of each row of a pack's table: an open file, or its bytes."""
    pyarrow = extra("pyarrow.parquet", "tables are read")
    names = ["id", "status", "reason", "permanent"]
    if isinstance(source, bytes):
        source = pyarrow.BufferReader(source)
    for row in pyarrow.parquet.read_table(source, columns=names).to_pylist():
        yield row["id"], row["status"], row["reason"], bool(row["permanent"])


def stats_of(name: str, samples: Sequence[Sample], files: Mapping[str, Path]) -> dict[str, Any]:
    """What a pack's stats file says: its counts, by reason of those that failed, and the sizes of its files."""
    lines = [sample.line for sample in samples if sample.done and sample.line]
    failed = [sample.line or {"reason": "untried"} for sample in samples if not sample.done]
    # By video: all clips of one are in one pack.
    offered = {sample.clip.video: (sample.line or {}).get("withheld") for sample in samples if sample.done}
    return {
        "shard": name,
        "clips": len(samples),
        "done": len(lines),
        "failed": dict(Counter(line["reason"] for line in failed).most_common()),
        "videos": len(offered),
        "withheld": dict(Counter(why for why in offered.values() if why)),
        "may_come": sum(not line.get("permanent") for line in failed),
        "seconds": round(sum(line.get("duration") or 0.0 for line in lines), 3),
        "bytes": sum(path.stat().st_size for path in files.values()),
        "bytes_fetched": sum(line.get("bytes_fetched") or 0 for line in lines),
        "files": {each: path.stat().st_size for each, path in files.items()},
        "time": now(),
    }

"""A shard's table (parquet): what became of each of its clips, and with --output-format parquet their bytes.

Knows rows; not where they go, or when.
"""

from __future__ import annotations

import array
import errno
import itertools
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.errors import RunError, UsageError
from ..core.extras import extra
from ..core.redact import one_line
from ..core.reserved_names import FLAGS, TYPES, column_of, is_file
from .members import Layout, layout_of_plan
from .sample import Sample, facts_of, info_of, kept_of, layout_of, schema_of
from .schema import KINDS, arrow_type, cell, kind_of

log = logging.getLogger("avclips.shards.table_writer")

Table = Callable[[], AbstractContextManager[Any]]

# Bytes of media that are in memory at a time, and the rows that hold them; one larger file is by itself.
_AT_ONCE = 16 << 20
_ROWS_AT_ONCE = 256
# A page of parquet says its length in 31 bits, and has a few bytes of its own besides the file.
MOST_BYTES = (1 << 31) - (1 << 20)
# What Hugging Face's ``datasets`` calls them: it decodes what it knows the type of.
_FEATURES = {"mp4": "Video", "mkv": "Video", "wav": "Audio", "flac": "Audio", "m4a": "Audio", "jpg": "Image"}


def fitting(samples: Sequence[Sample], folder: Path) -> list[Sample]:
    """The samples; one with a file that is too large for a table is a failure, whose files stay where they are."""
    return [_refused(sample, found) if (found := _too_large(sample, folder)) else sample for sample in samples]


def _too_large(sample: Sample, folder: Path) -> str | None:
    for ending, path in sample.files(folder).items():
        size = path.stat().st_size
        if size > MOST_BYTES:
            return f"its {ending} has {size / 1e9:.2f} GB, and a table holds {MOST_BYTES / 1e9:.2f} GB of a file"
    return None


def _refused(sample: Sample, words: str) -> Sample:
    line = sample.line or {}
    told = {"id": sample.clip.id, "status": "failed", "reason": "too_large", "permanent": True}
    return replace(
        sample, line=told | {"error": words, "attempts": line.get("attempts", 1), "time": line.get("time")}
    )


def write_rows(path: Path, samples: Sequence[Sample], folder: Path | None, layout: Layout | None = None) -> None:
    """A parquet with a row for each clip; ``folder``: with its files' bytes, in a column for each ending.

    Such a column is ``{bytes, path}`` and the schema says that it is Audio or Video, as ``datasets`` writes it.
    """
    pyarrow = extra("pyarrow.parquet", "tables are written")
    layout = layout or layout_of(samples, folder)
    endings = () if folder is None else layout.endings
    table = _rows(samples, folder, layout, pyarrow)
    schema = table.schema
    for ending in endings:
        schema = schema.append(pyarrow.field(ending, _media_type(ending, layout, pyarrow)))
    features = {ending: {"_type": _FEATURES[ending]} for ending in endings if ending in _FEATURES}
    if features and layout.version > 1:
        schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    # Media do not get smaller by packing them again; their smallest and largest values would be kept in memory.
    plain = [name for name in schema.names if name not in endings]
    packed = [*endings, *(f"{ending}.bytes" for ending in endings)]
    shape: dict[str, Any] = {"compression": dict.fromkeys(plain, "snappy") | dict.fromkeys(packed, "none")}
    shape |= {"use_dictionary": plain, "write_statistics": plain} if endings else {}
    groups = _groups(samples, folder) if folder is not None and endings else [(0, len(samples))]
    try:
        with pyarrow.parquet.ParquetWriter(path, schema, **shape) as writer:
            for first, behind in groups:
                some = table.slice(first, behind - first)
                files = [sample.files(folder) for sample in samples[first:behind]] if folder else []
                for ending in endings:
                    cells = _cells([each.get(ending) for each in files], schema.field(ending).type, pyarrow)
                    some = some.append_column(schema.field(ending), cells)
                some = some.replace_schema_metadata(schema.metadata)
                writer.write_table(some, row_group_size=max(1, behind - first))
    except pyarrow.ArrowException as error:
        hint = "--output-format webdataset holds what a table cannot"
        raise RunError(f"{path.name}: {one_line(error)}", hint) from error


def _rows(samples: Sequence[Sample], folder: Path | None, layout: Layout, pyarrow: Any) -> Any:
    """The table without its media."""
    kept = schema_of(layout)
    ours = [name for name in TYPES if name != FLAGS or layout.flags]
    types = {name: pyarrow.type_for_alias(TYPES[name]) for name in ours}
    types |= {name: arrow_type(kind, pyarrow) for name, kind in kept.items()}
    rows = [facts_of(sample) | kept_of(sample, layout) for sample in samples]
    columns = {name: [cell(row.get(name), kept.get(name) or KINDS[TYPES[name]]) for row in rows] for name in types}
    if folder is not None and layout.info:
        types["info"], columns["info"] = pyarrow.string(), [info_of(sample, folder) for sample in samples]
    return pyarrow.table({name: pyarrow.array(columns[name], kind) for name, kind in types.items()})


def _media_type(ending: str, layout: Layout, pyarrow: Any) -> Any:
    if ending not in _FEATURES or layout.version == 1:
        return pyarrow.large_binary()
    return pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})


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


def _cells(files: Sequence[Path | None], type_: Any, pyarrow: Any) -> Any:
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
    if not pyarrow.types.is_struct(type_):
        offsets = pyarrow.py_buffer(array.array("q", ends))
        return pyarrow.LargeBinaryArray.from_buffers(type_, len(files), [there, offsets, content])
    offsets = pyarrow.py_buffer(array.array("i", ends))
    inner = pyarrow.BinaryArray.from_buffers(pyarrow.binary(), len(files), [there, offsets, content])
    names = pyarrow.array([file and file.name for file in files], pyarrow.string())
    return pyarrow.StructArray.from_arrays([inner, names], fields=list(type_), mask=names.is_null())


def layout_of_table(source: Any, now: Layout) -> Layout:
    """The layout of an output that was begun before plans kept it, by one of its tables: an open file.

    ``now``: what its list, and what is asked for, would make of it today.
    """
    pyarrow = extra("pyarrow.parquet", "tables are read")
    schema = pyarrow.parquet.read_schema(source)
    found = {each.name: kind_of(each.type, pyarrow) for each in schema if each.name not in TYPES}
    names = {column_of(name): name for name in now.kept} | {name: name for name in now.kept if name in found}
    names = {column: names.get(column, column) for column in found if not is_file(column)}
    kept = {name: found[column] for column, name in names.items()}
    columns = {name: column for column, name in names.items()}
    return replace(now, kept=kept, columns=columns, version=1, flags=FLAGS in schema.names)


def begun_with(said: Any, now: Layout, where: str, table: Table | None) -> Layout:
    """The layout that all shards of an output have: what another run began stays as it was.

    UsageError where the list's columns cannot be put in. ``said``: what its plan has of it; ``now``: what would be
    made of the list today; ``where``: its address, for people; ``table``: opens one that it has, if any.
    """
    if said is not None:
        layout = layout_of_plan(said, f"{where}/plan.json")
    elif table is None:
        # Made before plans had layouts.
        columns = {name: name for name in now.kept if name.casefold() == FLAGS}
        layout = replace(now, version=1, flags=False, columns=columns)
    else:
        with table() as file:
            layout = layout_of_table(file, now)
    if (name := layout.misfit(now)) is not None:
        kinds = f"column {name} holding {layout.kept[name]}, and holds {now.kept[name]} now"
        raise UsageError(f"{where} was begun with {kinds}", "use the list as it was, or another --output")
    for name in now.kept.keys() - layout.kept.keys():
        log.warning("column %s is not in %s, which was begun without it", name, where)
    return layout


def read_failures(source: Any) -> Iterator[tuple[str, str, str | None, bool]]:
    """(id, status, reason, whether it is final) of each row of a shard's table: an open file, or its bytes."""
    pyarrow = extra("pyarrow.parquet", "tables are read")
    names = ["id", "status", "reason", "permanent"]
    if isinstance(source, bytes):
        source = pyarrow.BufferReader(source)
    # Arrow's threads may have the process abort that ends while they end.
    alone = {"use_threads": False, "pre_buffer": False}
    for row in pyarrow.parquet.read_table(source, columns=names, **alone).to_pylist():
        yield row["id"], row["status"], row["reason"], bool(row["permanent"])

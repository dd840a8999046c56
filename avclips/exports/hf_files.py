"""The parquet files of an export to Hugging Face, each whole or not at all.

Source: the key "huggingface" that ``Dataset.to_parquet`` puts into a schema's metadata, by which ``load_dataset``
knows what a column is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..catalog.places import read
from ..core.errors import RunError
from ..core.extras import extra
from ..core.files import sync_folder, unfinished
from .chosen import Chosen, Exported, Step, split_name
from .columns import Question, arrays, structs
from .content import file_name
from .hf_plan import MEDIA, File, Item, Plan, item_of, names_of

# Bytes and rows of a file that are in memory at a time.
_GROUP_BYTES, _GROUP_ROWS = 16 << 20, 100
# Under this key of a file's metadata stands what it was made of.
_KEY = b"avclips"
_VERSION = 1


def write(
    plan: Plan,
    asked: Chosen,
    of_clips: Mapping[str, Sequence[Question]],
    folder: Path,
    exported: Exported,
    step: Step | None,
) -> None:
    """All files, those of all splits at once, as the samples come."""
    with ExitStack() as stack:
        writers = {
            split: stack.enter_context(_Split(plan, split, folder / "data", exported)) for split in plan.files
        }
        for split, sample in asked.done():
            if split in writers and sample.id not in exported.left_out:
                writers[split].add(item_of(split, sample, of_clips))
                if step is not None:
                    step(sample)
        for writer in writers.values():
            writer.finish()
    sync_folder(folder / "data")


class _Split:
    """The files of one split, one after the other."""

    def __init__(self, plan: Plan, split: str, folder: Path, exported: Exported) -> None:
        self._plan, self._files, self._exported = plan, plan.files[split], exported
        names = _file_names(split, len(self._files))
        self._paths = [folder / name for name in names]
        self._pyarrow = extra("pyarrow.parquet", "tables are written")
        self._schema_words = json.dumps(
            [_VERSION, names_of(plan), plan.columns.types(), plan.of_questions.types(), sorted(plan.kinds)]
        )
        self._number, self._seen = 0, File()
        self._group: list[Item] = []
        self._open: ExitStack | None = None
        self._writer: Any = None

    def __enter__(self) -> _Split:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._open is not None:
            # What is not whole goes.
            self._open.__exit__(*error)

    def add(self, item: Item) -> None:
        """Take the next row."""
        if self._number >= len(self._files):
            raise _changed(self._paths[0].parent)
        if self._seen.rows == 0:
            self._begin()
        self._seen.add(item)
        if self._writer is not None:
            size = sum(each.size for each in self._group)
            if self._group and (size + item.size > _GROUP_BYTES or len(self._group) >= _GROUP_ROWS):
                self._write_group()
            self._group.append(item)
        if self._seen.rows == self._files[self._number].rows:
            self._end()

    def finish(self) -> None:
        """See that nothing is missing. RunError where it is."""
        if self._number < len(self._files):
            raise _changed(self._paths[0].parent)

    def _fingerprint(self, file: File) -> bytes:
        return hashlib.sha256(f"{self._schema_words}\n{file.digest.hexdigest()}".encode()).hexdigest().encode()

    def _begin(self) -> None:
        path, mark = self._paths[self._number], self._fingerprint(self._files[self._number])
        if _mark_of(path, self._pyarrow) == mark:
            return
        self._open = ExitStack()
        path.parent.mkdir(exist_ok=True)
        part = self._open.enter_context(unfinished(path))
        schema = _schema(self._plan, mark, self._pyarrow)
        media = [MEDIA[kind][0] for kind in MEDIA if kind in self._plan.kinds]
        others = [name for name in schema.names if name not in media]
        # Media do not get smaller by packing them again; of statistics, whole files would be kept in memory.
        packed = dict.fromkeys(others, "zstd") | dict.fromkeys((f"{name}.bytes" for name in media), "none")
        shape = {"compression": packed, "use_dictionary": others, "write_statistics": others}
        self._writer = self._open.enter_context(self._pyarrow.parquet.ParquetWriter(part, schema, **shape))

    def _write_group(self) -> None:
        table = _table(self._plan, self._group, self._writer.schema, self._pyarrow)
        self._writer.write_table(table, row_group_size=len(self._group))
        self._group = []

    def _end(self) -> None:
        if self._seen.digest.digest() != self._files[self._number].digest.digest():
            raise _changed(self._paths[0].parent)
        if self._open is None:
            self._exported.kept += 1
        else:
            self._write_group()
            opened, self._open, self._writer = self._open, None, None
            opened.close()
            self._exported.written += 1
        self._number, self._seen = self._number + 1, File()


def _changed(folder: Path) -> RunError:
    return RunError(f"the clips changed while {folder} was written", "the same command goes on")


def _file_names(split: str, count: int) -> list[str]:
    return [f"{split_name(split)}-{number:05d}-of-{count:05d}.parquet" for number in range(count)]


def _mark_of(path: Path, pyarrow: Any) -> bytes | None:
    """What a finished file was made of; None where it is none of ours."""
    try:
        found = pyarrow.parquet.read_schema(path).metadata or {}
    except (OSError, pyarrow.ArrowException):
        return None
    mark = found.get(_KEY)
    return mark if isinstance(mark, bytes) else None


def _schema(plan: Plan, mark: bytes, pyarrow: Any) -> Any:
    empty = _columns(plan, [], pyarrow)
    features = {name: {"_type": type_} for kind, (name, type_) in MEDIA.items() if kind in plan.kinds}
    told = json.dumps({"info": {"features": features}}).encode()
    fields = [pyarrow.field(name, empty[name].type) for name in names_of(plan)]
    return pyarrow.schema(fields, {b"huggingface": told, _KEY: mark})


def _table(plan: Plan, items: Sequence[Item], schema: Any, pyarrow: Any) -> Any:
    found = _columns(plan, items, pyarrow)
    return pyarrow.Table.from_arrays([found[name] for name in schema.names], schema=schema)


def _columns(plan: Plan, items: Sequence[Item], pyarrow: Any) -> dict[str, Any]:
    found = arrays([item.row for item in items], plan.columns.types(), pyarrow)
    if asked := plan.of_questions.types():
        found["questions"] = structs([item.questions for item in items], asked, pyarrow)
    for kind in sorted(plan.kinds):
        if kind in MEDIA:
            found[MEDIA[kind][0]] = _media(kind, items, pyarrow)
        else:
            texts = [_text(kind, item) for item in items]
            found[kind] = pyarrow.array(texts, pyarrow.string())
    return found


def _media(kind: str, items: Sequence[Item], pyarrow: Any) -> Any:
    """Files as ``datasets`` has them: their bytes, and what they are called."""
    places = [(item.sample.id, item.sample.files.get(kind)) for item in items]
    content = pyarrow.array([place and read(place) for _, place in places], pyarrow.binary())
    names = pyarrow.array([place and file_name(name, kind, place) for name, place in places], pyarrow.string())
    fields = [pyarrow.field("bytes", pyarrow.binary()), pyarrow.field("path", pyarrow.string())]
    return pyarrow.StructArray.from_arrays([content, names], fields=fields, mask=names.is_null())


def _text(kind: str, item: Item) -> str | None:
    place = item.sample.files.get(kind)
    return None if place is None else read(place).decode("utf-8", "backslashreplace")


def remove_others(plan: Plan, folder: Path) -> None:
    """Take away the files of an earlier export that had more or fewer of them: they would be read as well."""
    wanted = {name for split, files in plan.files.items() for name in _file_names(split, len(files))}
    pyarrow = extra("pyarrow.parquet", "tables are written")
    for path in sorted((folder / "data").glob("*-of-*.parquet")):
        if path.name not in wanted and _mark_of(path, pyarrow) is not None:
            path.unlink()

"""The samples of an output of shards: what its tables say of each clip, as it ended last."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core.errors import RunError, UsageError
from ..core.extras import extra
from ..core.model import Clip
from ..core.reserved_names import FLAGS, OF_FAILURES, TYPES, column_of, is_file
from ..fetch.shard_output import open_output
from ..shards.layout import Output
from ..shards.members import layout_of_plan
from ..shards.shard import Shard, cut
from ..shards.storage import Remote
from ..state.manifest_index import ManifestIndex
from ..state.partition import siblings
from ..state.progress_files import MANIFEST
from .endings import kind_of
from .folder import DataFolder
from .of_folder import clip_of, sample_of, warn_of_the_list
from .said import said_of
from .sample import Place, Sample
from .tar_places import TarPlaces

_FACTS = tuple(name for name in TYPES if name not in ("id", "status", "youtube_id", "start", "end", *OF_FAILURES))
# Further shards whose rows are kept: they hold clips that were asked for again, in the list's order.
_OPEN_AT_ONCE = 4


def open_shards(url: str) -> Output:
    """An output of shards, whatever made it. RunError where there is none."""
    remote = Remote(url, look=True)
    try:
        # Which kind of shards it is stands in its plan.
        output = Output(remote, "webdataset")
        output.look()
    except UsageError as error:
        words = f"{remote.shown} is neither a data folder nor an output of shards"
        raise RunError(words, "name a folder with metadata/folder.json, or one with plan.json") from error
    return output


class Tables:
    """What the finished shards of an output say of their clips."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.finished = sorted(output.finished())
        plan = output.planned() or {}
        self.dataset = str(plan.get("dataset") or "")
        said = plan.get("layout")
        layout = layout_of_plan(said, f"{output.url}/plan.json") if said is not None else None
        # By the name of a column, what the list calls it.
        self._kept = {column_of(name): name for name in layout.kept} if layout else {}
        self.read = functools.lru_cache(_OPEN_AT_ONCE)(self._read)
        self._later = self._find_later()

    def _find_later(self) -> dict[str, tuple[int, int]]:
        """Of clips that were asked for again, the last shard and the row that speaks of each."""
        later: dict[str, tuple[int, int]] = {}
        for number in self.finished:
            if number >= self.output.count:
                for row, (clip_id, *_) in enumerate(self.output.outcomes(number)):
                    later[clip_id] = number, row
        return later

    def samples(self, number: int) -> Iterator[Sample]:
        """The clips of one of the list's shards, each as it ended last."""
        for sample in self._read(number):
            place = self._later.pop(sample.id, None)
            yield sample if place is None else self.read(place[0])[place[1]]

    def others(self) -> Iterator[Sample]:
        """Clips of further shards that no shard of the list has."""
        for number, row in list(self._later.values()):
            yield self.read(number)[row]

    def _read(self, number: int) -> list[Sample]:
        """The rows of a shard. Without Arrow's threads: a process that ends while they end may abort."""
        name = self.output.name(number)
        pyarrow = extra("pyarrow.parquet", "tables are read")
        with (
            self.output.open(f"{name}.parquet") as file,
            pyarrow.parquet.ParquetFile(file, pre_buffer=False) as table,
        ):
            columns = table.schema_arrow.names
            media = [each for each in columns if is_file(each)]
            said = [each for each in columns if each not in media]
            rows = table.read(columns=said, use_threads=False).to_pylist()
            there = _there(table, media) if media else {}
        stats = self.output.stats(number)
        tar = f"{name}.tar" if f"{name}.tar" in (stats.get("files") or {}) else None
        address = f"{self.output.address}/"
        tars = TarPlaces(self.output, address + tar, tar) if tar else None
        return [
            self._sample(row, _places(tars, row, at, address + f"{name}.parquet", there), columns)
            for at, row in enumerate(rows)
        ]

    def _sample(self, row: Mapping[str, Any], files: Mapping[str, Place], columns: list[str]) -> Sample:
        meta = {self._kept.get(each, each): row[each] for each in columns if each in row and each not in TYPES}
        said = said_of(meta)
        status = row["status"]
        about: dict[str, Any] = {"splits": said.splits, "labels": said.labels, "captions": said.captions}
        about["meta"] = {name: value for name, value in said.rest.items() if value is not None}
        named = row["id"], self.dataset, row.get("youtube_id") or row["id"], row["start"] or 0.0, row["end"]
        if status == "done":
            facts = {name: row[name] for name in _FACTS if row.get(name) is not None}
            facts |= _flags(facts.pop(FLAGS, None))
            return Sample(*named, "done", **about, files=files, facts=facts)
        if status == "failed":
            return Sample(*named, "failed", row["reason"] or "", row["error"] or "", **about)
        return Sample(*named, "missing", **about)


def _there(table: Any, media: list[str]) -> dict[str, list[bool]]:
    """Of each column of files, which rows have one; nothing but their lengths is read where that can be told."""
    found = {}
    for name in media:
        kind = table.schema_arrow.field(name).type
        # Of {bytes, path}, the name is there where the bytes are.
        column = f"{name}.path" if str(kind).startswith("struct") else name
        cells = table.read(columns=[column], use_threads=False).column(name)
        found[name] = [bool(each) for each in cells.is_valid().to_pylist()]
    return found


def _places(
    tars: TarPlaces | None, row: Mapping[str, Any], at: int, table: str, there: Mapping[str, list[bool]]
) -> Mapping[str, Place]:
    """Where the files of a clip lie, by what they are."""
    if row["status"] != "done":
        return {}
    if tars is not None:
        return tars.of(row)
    places = ((kind_of(name), Place(table, row=at, column=name)) for name, cells in there.items() if cells[at])
    return {kind: place for kind, place in places if kind is not None}


def of_output(output: Output) -> Iterator[Sample]:
    """A sample for each clip of the finished shards."""
    return _of_tables(Tables(output))


def _of_tables(tables: Tables) -> Iterator[Sample]:
    for number in tables.finished:
        if number < tables.output.count:
            yield from tables.samples(number)
    yield from tables.others()


def of_folder_of_shards(
    folder: DataFolder, output: Output | None = None, clips: Iterable[Clip] | None = None
) -> Iterator[Sample]:
    """A sample for each clip of the list: out of its shard, or of the folder where that is not finished.

    ``output``, ``clips``: the shards and the list, where they are open. Where the list cannot be read any more,
    which is said in the log: what the shards and the manifest know.
    """
    if output is None:
        output = open_output(folder.settings, look=True)
        if output.planned() is not None:
            output.look()
    try:
        shards = cut(folder.listed() if clips is None else clips, folder.settings.samples_per_shard)
    except RunError as error:
        warn_of_the_list(folder, error)
        shards = iter([Shard(number, ()) for number in range(output.count)])
    return _of_both(folder, Tables(output), shards)


def _of_both(folder: DataFolder, tables: Tables, shards: Iterator[Shard]) -> Iterator[Sample]:
    store, finished = folder.store, frozenset(tables.finished)
    with ManifestIndex(siblings(store.folder / MANIFEST).values()) as index:
        for shard in shards:
            if shard.number in finished and shard.number < tables.output.count:
                for sample in tables.samples(shard.number):
                    index.drop(sample.id)
                    yield sample
            else:
                for clip in shard.clips:
                    yield sample_of(clip, index.take(clip.id), store, folder.dataset.name)
        for sample in tables.others():
            index.drop(sample.id)
            yield sample
        for line in index.left():
            if line["status"] != "forgotten":
                yield sample_of(clip_of(line), line, store, folder.dataset.name)


def _flags(said: Any) -> dict[str, Any]:
    """Quality flags out of their column, which is JSON; of anything else, none."""
    try:
        found = json.loads(said) if isinstance(said, str) and said else None
    except (ValueError, RecursionError):
        return {}
    return {FLAGS: found} if isinstance(found, dict) else {}

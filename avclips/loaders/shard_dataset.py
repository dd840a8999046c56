"""Samples out of tars and tables, streamed from a disk or a store, as a PyTorch dataset without an index."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Unpack

import torch
import torch.distributed
from torch.utils.data import IterableDataset, get_worker_info

from ..catalog import Sample
from ..catalog.endings import kind_of
from ..catalog.said import said_of
from ..core.errors import RunError, UsageError
from ..core.reserved_names import OF_FAILURES, TYPES
from . import items
from .epoch_order import Line, Share, drawn, taken
from .frames import Undecodable
from .options import Folder, Options, StreamKeywords, Transform
from .shard_files import fingerprint, shard_files
from .shard_tables import table_samples
from .shard_tars import Raw, tar_samples
from .stream_state import Shared, StreamState, read_state

# How far a shuffle looks ahead where nobody says so.
USUAL_BUFFER = 256
_ELSEWHERE = frozenset(("id", "status", "youtube_id", "start", "end", *OF_FAILURES))


class ShardDataset(IterableDataset[Any]):
    """The clips of shards, each once an epoch over all ranks and workers: items as those of ``ClipsDataset``.

    ``urls``: a folder of shards, tars or tables, a pattern, or several of them; paths, or what fsspec opens.
    ``shuffle``: how many samples an epoch's order is mixed over, besides that of the shards (True: 256; False:
    all in the shards' order); ``seed``: of that order, with ``set_epoch``. ``rank``, ``world_size``: None:
    torch.distributed's, or those of torchrun. ``classes``: the names that ``label_index`` counts. ``len()`` is
    this rank's. Other arguments as of ``ClipsDataset``; clips without sound have the silence that stands for it
    in a shard, and ``has_audio`` False. RunError where a shard cannot be read, UsageError where an argument
    cannot be meant.
    """

    def __init__(
        self,
        urls: Folder | Iterable[Folder],
        *,
        shuffle: int | bool = False,
        seed: int = 0,
        rank: int | None = None,
        world_size: int | None = None,
        classes: Sequence[str] = (),
        transform: Transform | None = None,
        **options: Unpack[StreamKeywords],
    ) -> None:
        self.options = Options(**options)
        self.files = shard_files(urls)
        self.transform = transform
        self.classes = list(classes)
        self._indices = {label: number for number, label in enumerate(self.classes)}
        self._counts = [each.count for each in self.files]
        self._buffer = USUAL_BUFFER if shuffle is True else int(shuffle)
        self._seed = seed
        self._rank, self._ranks = _rank(rank, world_size)
        self._known = {"shards": fingerprint(self.files), "shuffle": self._buffer, "seed": seed}
        self._shared = Shared()
        self._resumed: StreamState | None = None
        self._done = 0
        self._endings = _Wanted(self.options)

    def __len__(self) -> int:
        return len(Share(self._rank, self._ranks).of(sum(self._counts)))

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch with the next pass, as with a DistributedSampler: in an order of its own."""
        self._shared.epoch = epoch
        self._resumed, self._done = None, 0

    def __iter__(self) -> Iterator[Any]:
        share, done = self._begin()
        epoch = self._shared.epoch
        line = Line(self._counts, self._seed if self._buffer else None, epoch)
        places = share.of(line.total)
        order = drawn(places, self._buffer, f"{self._seed} {epoch} {share.rank} {share.worker}")
        before = {next(order) for _ in range(done)}
        self._done = done
        found, ahead = self._read(line, places, before), dict[int, Raw]()
        for place in order:
            while place not in ahead:
                number, raw = next(found)
                ahead[number] = raw
            item = self._item(ahead.pop(place))
            self._done += 1
            yield item

    def _begin(self) -> tuple[Share, int]:
        """Whose part is to be read, and how much of it was before."""
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        resumed, self._resumed = self._resumed, None
        if not self._shared.begin(worker if info else None):
            # A worker of a later pass is made of the same dataset, which still says where the first went on.
            resumed = None
        if resumed is None:
            return Share(self._rank, self._ranks, worker, workers), 0
        if workers != len(resumed.done):
            words = f"the state is of {len(resumed.done)} workers, and {workers} read"
            raise UsageError(words, "resume with as many; num_workers=0 counts as one")
        # The first worker is asked first: it goes on as the one whose turn it was.
        worker = (worker + resumed.turn) % workers
        return Share(self._rank, self._ranks, worker, workers), resumed.done[worker]

    def _read(self, line: Line, places: range, before: set[int]) -> Iterator[tuple[int, Raw]]:
        """The samples of these places but for those before, each with its place."""
        for stretch in line.stretches(places):
            skip = {number for number in stretch.numbers if stretch.origin + number in before}
            if len(skip) == len(stretch.numbers):
                continue
            file = self.files[stretch.shard]
            read = table_samples if file.is_table else tar_samples
            for number, raw in read(file.address, stretch.numbers, skip, self._endings):
                yield stretch.origin + number, raw

    def _item(self, raw: Raw) -> Any:
        members = dict(raw.read())
        sample = _sample(raw.key, members)
        files = {kind: content for ending, content in members.items() if (kind := kind_of(ending)) is not None}
        item = items.described(sample, None, self._indices)
        try:
            item |= items.decoded(files, sample.facts, self.options)
        except Undecodable as error:
            raise RunError(f"{sample.id}: {error}", error.hint) from error
        if "has_audio" in item:
            item["has_audio"] = item["has_audio"] and sample.facts.get("samples") != 0
        if "bytes" in self.options.load:
            item["files"] = files
        return item if self.transform is None else self.transform(item)

    collate = staticmethod(items.collate)

    def state_dict(
        self, *, batches: int | None = None, batch_size: int = 1, num_workers: int = 0, drop_last: bool = False
    ) -> dict[str, Any]:
        """Where this epoch is, to go on from there: plain numbers and texts.

        Without arguments: after the samples that this object has handed out itself, in the process that iterates
        it (``num_workers=0``, or torchdata's StatefulDataLoader, which asks each worker). Of a plain DataLoader
        with workers: after ``batches`` of this epoch, with the loader's own ``batch_size``, ``num_workers`` and
        ``drop_last``. Each rank has a state of its own.
        """
        share = Share(self._rank, self._ranks)
        info = get_worker_info()
        if batches is None:
            if info is None and self._shared.workers_read:
                words = "workers of a DataLoader read this dataset, and run ahead of what was taken"
                raise UsageError(words, "state_dict(batches=..., batch_size=..., num_workers=...)")
            worker, workers = (info.id, info.num_workers) if info else (0, 1)
            done, turn = [0] * workers, 0
            done[worker] = self._resumed.done[worker] if self._resumed else self._done
        else:
            workers = max(1, num_workers)
            parts = [Share(share.rank, share.ranks, worker, workers) for worker in range(workers)]
            counts = [len(each.of(sum(self._counts))) for each in parts]
            try:
                done, turn = taken(counts, batches, batch_size, drop_last)
            except ValueError as error:
                raise UsageError(f"batches={batches}: {error}") from error
        state = StreamState(self._shared.epoch, [self._rank, self._ranks], done, turn)
        return {**self._known, **state.as_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Have the next pass go on behind what ``state`` says: with the same samples as if it had gone on then.

        UsageError where it is of other shards, another order, rank or number of workers.
        """
        found = read_state(state, self._known, [self._rank, self._ranks])
        self._shared.epoch = found.epoch
        info = get_worker_info()
        self._shared.forget(info.id if info else None)
        self._resumed = found


class _Wanted:
    """Which members of a sample are read."""

    def __init__(self, options: Options) -> None:
        self._all = "bytes" in options.load
        self._names = {"json", *(name for name in ("video", "audio") if name in options.load)}
        if "image" in options.load:
            self._names |= {"frame", "video"}

    def __call__(self, ending: str) -> bool:
        return self._all or (kind_of(ending) or ending) in self._names


def _sample(key: str, members: Mapping[str, Any]) -> Sample:
    """What a shard says of a clip: in its json, or in its row of a table."""
    said = members.get("")
    if said is None:
        try:
            said = json.loads(members.get("json") or b"{}")
        except ValueError as error:
            raise RunError(
                f"{key}: its json cannot be read: {error}", "avclips verify looks into shards"
            ) from error
    if not isinstance(said, dict):
        said = {}
    facts = {name: said[name] for name in TYPES if name in said and name not in _ELSEWHERE}
    about = said_of({name: _listed(value) for name, value in said.items() if name not in TYPES})
    return Sample(
        str(said.get("id") or key),
        str(said.get("dataset") or ""),
        str(said.get("youtube_id") or ""),
        float(said.get("start") or 0.0),
        said.get("end"),
        "done",
        splits=about.splits,
        labels=about.labels,
        captions=about.captions,
        facts=facts,
        meta=about.rest,
    )


def _listed(value: Any) -> Any:
    """A list that a column of texts has as JSON, since some clips have none."""
    if isinstance(value, str) and value.startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _rank(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """Which rank of how many. UsageError where it is none of them."""
    if (rank is None) != (world_size is None):
        raise UsageError("rank and world_size belong together", "name both, or neither")
    if rank is None or world_size is None:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            return torch.distributed.get_rank(), torch.distributed.get_world_size()
        rank, world_size = (int(os.environ.get(name) or other) for name, other in (("RANK", 0), ("WORLD_SIZE", 1)))
    if not 0 <= rank < world_size:
        raise UsageError(f"rank {rank} of {world_size} is none", "ranks count from 0")
    return rank, world_size

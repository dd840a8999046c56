"""The folder that the finished shards of a list lie in.

Called shards by those who read them; --part is another thing, a share of the work. A shard is finished when its
stats file is there, which comes last. Knows no store and no engine.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import logging
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, Literal

from ..core.clock import Clock
from ..core.errors import RunError, UsageError
from ..core.files import is_full
from ..core.model import Clip
from ..core.wording import as_option
from .claims import Claims
from .members import Layout, layout_of_schema
from .sample import Sample
from .schema import Schema
from .shard import cut
from .stats import Totals, are_stats, is_count, stats_of
from .storage import Remote, StoreLost
from .table_writer import begun_with, fitting, read_failures, write_rows
from .tar_writer import write_tar

log = logging.getLogger("avclips.shards.layout")

ShardFormat = Literal["webdataset", "parquet"]
# Of a clip: id, status, reason, whether that is final.
Row = tuple[str, str, str | None, bool]
PLAN = "plan.json"
# Of a plan, what follows from the list; and the options that are called otherwise than what they say.
_NOT_ASKED_FOR = ("clips", "shards", "layout")
_OPTIONS = {"format": "output_format", "keep": "keep_cols", "caption": "caption_col"}
_STATS = "_stats.json"
# Where a shard goes that is not right: no reader of a folder (Hugging Face, pyarrow, Spark) looks into such a one.
SET_ASIDE = ".set_aside"
# Who is at writing a shard, and who has taken a number for one to come.
_CLAIM, _TAKEN = ".claim", ".taken"
# As tools for such files write their names.
_DIGITS = 5


class Output:
    """The folder of finished shards. Errors are RunError; StoreLost where it cannot be reached now."""

    def __init__(self, remote: Remote, format: ShardFormat, count: int = 0, clock: Clock | None = None) -> None:
        """``count``: how many shards the list has, where it was planned before."""
        self._remote = remote
        self._format = format
        # As it is told, and as it is reached.
        self.url, self.address = remote.shown, remote.url
        # Of the list, without what further runs added.
        self.count = count
        # What the tables have in common, once it is known.
        self.layout: Layout | None = None
        self._claims = Claims(remote, clock or Clock())
        # Claims that are to be dropped, and those of numbers for shards to come.
        self._taken: list[str] = []
        self._numbers: list[str] = []

    def plan(
        self,
        clips: Iterable[Clip],
        size: int,
        about: Mapping[str, Any],
        endings: tuple[str, ...] = (),
        info: bool = False,
    ) -> int:
        """Go through the list, and see that what lies there was cut out of the same one; returns its clips.

        ``about``: what else all shards must have in common; UsageError where they have not. ``endings``, ``info``:
        of the files that every clip has.
        """
        self.count = listed = 0
        digest, kinds = hashlib.sha256(), Schema()
        for shard in cut(clips, size):
            self.count, listed = self.count + 1, listed + len(shard.clips)
            lines = [f"{clip.id}\t{clip.video}\t{clip.start}\t{clip.end}\n" for clip in shard.clips]
            digest.update("".join(lines).encode("utf-8", "replace"))
            kinds.add_all(clip.meta for clip in shard.clips)
        layout = layout_of_schema(kinds, endings, info)
        plan: dict[str, Any] = {"clips": listed, "shards": self.count, "samples_per_shard": size}
        plan |= {"format": self._format, **about, "list": digest.hexdigest()}
        if PLAN not in self._remote.names():
            new = plan | {"layout": layout.as_plan()}
            self._remote.create(PLAN, (json.dumps(new, indent=1) + "\n").encode())
        before = self._read(PLAN)
        self._compare(plan, before)
        done = self.finished()
        table = functools.partial(self.open, f"{self.name(min(done))}.parquet") if done else None
        self.layout = begun_with(before.get("layout"), layout, self.url, table)
        return listed

    def planned(self) -> Mapping[str, Any] | None:
        """What all shards have in common, as it was planned; None where nothing is."""
        return self._read(PLAN) if PLAN in self._remote.names() else None

    def look(self) -> None:
        """Take what was planned as it is. UsageError where nothing was."""
        if PLAN not in self._remote.names():
            raise UsageError(f"no shards are in {self.url}", "name where they are with --output")
        count = self._read(PLAN).get("shards")
        if not isinstance(count, int) or not is_count(count):
            raise RunError(f"{self.url}/{PLAN} is no plan of ours", "restore it from a backup")
        self.count = count

    def _compare(self, plan: Mapping[str, Any], before: Mapping[str, Any]) -> None:
        # What goes without saying stands in neither.
        names = [name for name in dict.fromkeys((*plan, *before)) if name not in _NOT_ASKED_FOR]
        others = [name for name in names if before.get(name) != plan.get(name)]
        if "dataset" in others:
            was = f"the dataset {before.get('dataset')}"
        else:
            # What was asked for comes before what came of it: the list, and of the sound alone no picture's shape.
            asked = ["media"] if "media" in others else [name for name in others if name != "list"]
            options = [as_option(_OPTIONS.get(name, name), before.get(name)) for name in asked]
            was = ", ".join(options) or "another list"
        if others:
            hint = "use the same, or another --output: a list that grew goes into a new one"
            raise UsageError(f"{self.url} was made with {was}", hint)

    def name(self, number: int) -> str:
        """What a shard's files are called, without their endings."""
        return f"{number:0{max(_DIGITS, len(str(self.count - 1)))}d}"

    def finished(self) -> frozenset[int]:
        """The numbers of the shards that are there."""
        names = (name.removesuffix(_STATS) for name in self._remote.names() if name.endswith(_STATS))
        numbers = {int(name): name for name in names if re.fullmatch(r"[0-9]{1,12}", name)}
        # What is called otherwise is not ours.
        return frozenset(number for number, name in numbers.items() if name == self.name(number))

    def share(self, numbers: Iterable[int], share: tuple[int, int] | None) -> list[int]:
        """Those of the shards that are the I-th of N shares', I from 0; of all where there are no shares."""
        which, of = share or (0, 1)
        return [number for number in numbers if number % of == which]

    def missing(self, finished: Collection[int], share: tuple[int, int] | None) -> int:
        """How many of the list's shards are not there, of a share of them."""
        return sum(number not in finished for number in self.share(range(self.count), share))

    def is_finished(self, number: int) -> bool:
        """Whether a shard is there."""
        return self._remote.has(self.name(number) + _STATS)

    def stats(self, number: int) -> dict[str, Any]:
        """A finished shard's stats. RunError where its file holds anything else."""
        found = self._read(self.name(number) + _STATS)
        if not are_stats(found):
            hint = "delete it, and run again: its clips come anew"
            raise RunError(f"{self.url}/{self.name(number)}{_STATS} holds no stats of a shard", hint)
        return found

    def totals(self, numbers: Iterable[int]) -> Totals:
        """What is in these shards; of a clip that was asked for again, as it ended last."""
        totals = Totals()
        known = sorted(numbers)
        for number in known:
            totals.add(self.stats(number))
        if known and known[-1] >= self.count:
            latest = self._latest(known)
            totals.failed = Counter(row[2] or "untried" for _, row in latest.values())
            totals.may_come = sum(not row[3] for _, row in latest.values())
            totals.clips = totals.done + len(latest)
        return totals

    def outcomes(self, number: int) -> list[Row]:
        """What became of each clip of a finished shard."""
        with self._remote.open(f"{self.name(number)}.parquet") as file:
            return list(read_failures(file))

    def _latest(self, numbers: Iterable[int]) -> dict[str, tuple[int, Row]]:
        """The clips that failed, and did not come later: the shard that they failed in last, and its row."""
        latest: dict[str, tuple[int, Row]] = {}
        for number in sorted(numbers):
            if number >= self.count or self.stats(number)["failed"]:
                for row in self.outcomes(number):
                    if row[1] == "done":
                        latest.pop(row[0], None)
                    else:
                        latest[row[0]] = number, row
        return latest

    def failed(self, asked: Sequence[str], finished: Iterable[int] | None = None) -> dict[str, int]:
        """The clips that failed in the finished shards and in none that came later, with the shard they failed in.

        ``asked``: the reasons of final failures that count; empty: all. ``finished``: the shards, where they are
        known better than by a listing.
        """
        latest = self._latest(self.finished() if finished is None else finished)
        return {
            clip_id: number
            for clip_id, (number, (_, _, reason, final)) in latest.items()
            if not final or not asked or reason in asked
        }

    def done_in(self, number: int) -> frozenset[str]:
        """The clips that a finished shard holds."""
        return frozenset(row[0] for row in self.outcomes(number) if row[1] == "done")

    def fitting(self, samples: Sequence[Sample], folder: Path) -> list[Sample]:
        """The samples as they can be written: one with a file that is too large for a table is a failure."""
        return fitting(samples, folder) if self._format == "parquet" else list(samples)

    def write(self, number: int, samples: Sequence[Sample], folder: Path, scratch: Path) -> bool:
        """Put a shard there, whole, its stats last; False where another has done so, or is at it.

        ``folder``: the data folder with the clips' files; ``scratch``: for unfinished files. What has stats is
        never overwritten.
        """
        claim = self.name(number) + _CLAIM
        # What was finished between a look and the claim is there by now.
        if self.is_finished(number) or not self._claims.take(claim):
            return False
        wrote = False
        try:
            if not self.is_finished(number):
                with self._claims.at_work(claim):
                    wrote = self._put(number, samples, folder, scratch)
        except BaseException as error:
            if not isinstance(error, StoreLost) and not (isinstance(error, OSError) and is_full(error)):
                # It is not tried again here.
                with suppress(RunError):
                    self._claims.drop(claim)
            raise
        # Where that cannot be now, what was written is written all the same.
        self._taken.append(claim)
        with suppress(StoreLost):
            self._drop_taken()
        return wrote

    def _put(self, number: int, samples: Sequence[Sample], folder: Path, scratch: Path) -> bool:
        name = self.name(number)
        scratch.mkdir(parents=True, exist_ok=True)
        # Of one who died at it.
        for start in (f"{name}.", f"{name}_"):
            self._remote.clear(start)
        files = {f"{name}.parquet": scratch / f"{name}.parquet"}
        stats = scratch / (name + _STATS)
        try:
            # A reader takes a tar without any clip for a fault.
            if self._format == "webdataset" and any(sample.done for sample in samples):
                files = {f"{name}.tar": scratch / f"{name}.tar", **files}
                write_tar(files[f"{name}.tar"], samples, folder, self.layout)
            media = folder if self._format == "parquet" else None
            write_rows(files[f"{name}.parquet"], samples, media, self.layout)
            stats.write_text(json.dumps(stats_of(name, samples, files), indent=1) + "\n", encoding="utf-8")
            for each, path in files.items():
                self._remote.put(path, each)
            if f"{name}.tar" not in files:
                # Nor is one of a try that ended before its stats the clips of this one.
                self._remote.remove(f"{name}.tar")
            # We may have been suspended for so long that another took it over.
            return self._claims.is_ours(name + _CLAIM) and self._remote.put_new(stats, stats.name)
        finally:
            for path in (*files.values(), stats):
                path.unlink(missing_ok=True)

    def sizes(self, number: int) -> dict[str, int | None]:
        """The files that a shard's stats name, and how large each is now; None: it is not there."""
        names = self.stats(number).get("files")
        return {str(name): self._remote.size(str(name)) for name in (names if isinstance(names, dict) else {})}

    def open(self, file: str) -> AbstractContextManager[Any]:
        """One of a shard's files, to read."""
        return self._remote.open(file)

    def set_aside(self, number: int) -> str | None:
        """Move a shard out of the way, so that it comes anew; where it is then, None: somebody is at it."""
        name = self.name(number)
        if not self._claims.take(name + _CLAIM):
            return None
        there = [
            each for each in self._remote.names() if re.fullmatch(rf"{name}(_stats\.json|\.tar|\.parquet)", each)
        ]
        aside = self._remote.new_folder(f"{SET_ASIDE}/{name}")
        # What has no stats is not finished: they go first.
        for each in sorted(there, key=lambda each: not each.endswith(_STATS)):
            self._remote.move(each, f"{aside}/{each}")
        self._claims.drop(name + _CLAIM)
        return f"{self.url}/{aside}"

    def is_free(self, number: int) -> bool:
        """Whether nobody is at a shard: there is no claim, or a dead run's."""
        return self._claims.is_dead(self.name(number) + _CLAIM)

    def take_number(self, first: int, step: int) -> int:
        """The first number from ``first`` on, in steps, that no shard has and nobody else takes for one."""
        for number in itertools.count(first, step):
            taken = self.name(number) + _TAKEN
            if not self.is_finished(number) and self._claims.take(taken):
                self._numbers.append(taken)
                # It may have been written, and let go, in between.
                if not self.is_finished(number):
                    return number
        raise AssertionError("numbers do not end")

    def let_go(self) -> None:
        """Forget what is claimed, and the numbers that were taken: what is written has stats."""
        self._taken += self._numbers
        self._numbers.clear()
        self._drop_taken()
        # A folder that is away looks as if nothing were in it: what was to be dropped then is still there.
        for name in self._remote.names():
            if name.endswith((_CLAIM, _TAKEN)):
                self._claims.drop(name)

    def _drop_taken(self) -> None:
        # What is not there may be in a folder that is lost now, and comes back.
        self._taken = [claim for claim in self._taken if not self._claims.drop(claim)]

    def drop_dead_claims(self) -> None:
        """Forget what dead processes of this host were about to write, and what they had begun."""
        self._remote.clear_dead()
        self._claims.drop_dead(name for name in self._remote.names() if name.endswith((_CLAIM, _TAKEN)))

    def _read(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads(self._remote.read(name))
        except (ValueError, RecursionError) as error:
            raise RunError(f"{self.url}/{name} is not whole JSON: {error}", "delete it, and run again") from error
        if not isinstance(found, dict):
            raise RunError(f"{self.url}/{name} holds no object", "delete it, and run again")
        return found

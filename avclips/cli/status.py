"""--status: how far a data folder is, in words. Reads, and writes nothing."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from ..catalog.again import command_of
from ..catalog.folder import listed, read_only, with_what_is_there
from ..core.clock import Clock
from ..core.errors import REASONS, RunError
from ..core.files import read_json
from ..core.model import Clip
from ..core.settings import Settings
from ..core.wording import in_units
from ..datasets.base import LEFT_OUT, Dataset
from ..fetch.plan import standing
from ..pacing.pace import TROUBLE
from ..pacing.pace_file import blocks_of
from ..progress.summary import summary, without_better
from ..state.last_settings import paces_of
from ..state.progress_files import PROGRESS
from ..state.store import Store
from ..state.subtitle_counts import without_subtitles


def status(dataset: Dataset, settings: Settings, clock: Clock) -> Iterator[str]:
    """What a user wants to know of a folder, line by line; RunError where it cannot be read."""
    store = read_only(dataset, settings, clock)
    if settings.output_format != "files":
        yield from _of_shards(settings, store)
    else:
        yield from _of_files(dataset, settings, store)
    yield from blocks(paces_of(store.folder), clock)
    if user := store.user():
        yield f"The folder is in use by {user}."


def _of_files(dataset: Dataset, settings: Settings, store: Store) -> Iterator[str]:
    try:
        clips = listed(dataset, settings, store)
        counted = Counted(clips, store)
        done, count, failed, videos, withheld = standing(store, counted)
    except RunError as error:
        # It was moved, or came through a pipe: what is here is known all the same.
        yield f"The list cannot be read now: {error}"
        yield from _without_the_list(store)
        return
    again = command_of(store.folder)
    first, *others = summary(done, count, failed, count - done - len(failed), again=again)
    yield first
    yield from counted.by_split() or _by_split(dataset, settings, store)
    yield _space(store)
    yield from others
    yield from without_better(videos, withheld)
    yield from without_subtitles(store.done_lines(), settings.subtitles, (clip.id for clip in clips))
    if counted.missing:
        yield f"{counted.missing} clips were done, and their files are missing: the next run fetches them again."
    if (more := len(store.done) - done) > 0:
        yield f"{more} more clips are done that these options do not ask for."
    left_out = store.metadata / LEFT_OUT
    if left_out.exists() and (count := len(read_json(left_out, "the next run writes it anew"))):
        yield f"{count} records of the list are left out: see {left_out}."


def _without_the_list(store: Store) -> Iterator[str]:
    done, failed, total = len(store.done), len(store.failed), len(store.done) + len(store.failed)
    with suppress(RunError):
        progress = read_json(store.folder / PROGRESS, "")
        if isinstance(progress, dict) and isinstance(progress.get("total"), int):
            total = max(total, progress["total"])
    yield from summary(done, total, store.failed, total - done - failed)
    yield _space(store)


def _space(store: Store) -> str:
    held = sum(map(bytes_of, (store.files.videos, store.files.audio, store.files.frames)))
    return f"{in_units(held)} are in {store.folder}."


def _of_shards(settings: Settings, store: Store) -> Iterator[str]:
    # Only such a folder has need of what writes tars and tables.
    from ..fetch.shard_output import open_output, summary_of

    output = open_output(settings, look=True)
    output.look()
    finished = output.finished()
    again = command_of(store.folder)
    yield from summary_of(output, output.totals(finished), output.missing(finished, None), again)
    if store.done:
        yield f"{len(store.done)} clips more are in {store.folder}, until their shards are complete."


class Counted:
    """Clips that are counted by their splits as somebody goes through them."""

    def __init__(self, clips: Iterable[Clip], store: Store) -> None:
        self._clips = clips
        self._store = store
        self.missing = 0
        self._every: Counter[str] = Counter()
        self._done: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Clip]:
        for clip in self._clips:
            split = clip.meta.get("split")
            if isinstance(split, str):
                self._every[split] += 1
                self._done[split] += clip.id in self._store.done
                self._failed[split] += clip.id in self._store.failed
            self.missing += self._store.knew(clip.id) and clip.id not in self._store.failed
            yield clip

    def by_split(self) -> list[str]:
        """A line for each split; none where the clips do not say of which they are."""
        return [
            _of_split(each, self._done[each], count, self._failed[each]) for each, count in self._every.items()
        ]


def _of_split(split: str, done: int, count: int, failed: int) -> str:
    return f"  {split}: {done} of {count} are done, {failed} failed."


def _by_split(dataset: Dataset, settings: Settings, store: Store) -> Iterator[str]:
    """The same where a clip may be of several, whose lists are read one after the other."""
    settings = with_what_is_there(dataset, settings, store.metadata)
    for split in settings.splits if len(settings.splits) > 1 else ():
        ids = {clip.id for clip in dataset.read_clips(store.metadata, replace(settings, splits=(split,))).clips}
        yield _of_split(split, len(ids & store.done.keys()), len(ids), len(ids & store.failed.keys()))


def bytes_of(folder: Path) -> int:
    """The bytes of all files beneath a folder; what goes away meanwhile has none."""
    found = 0
    for inside, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                found += os.stat(os.path.join(inside, name)).st_size  # noqa: PTH116, PTH118 - of a million files
    return found


def blocks(paces: Iterable[tuple[str, Path]], clock: Clock) -> Iterator[str]:
    """Who is refused, and until when, by the files that their runs share."""
    for name, block in blocks_of(paces):
        if (left := block.until - time.time() * clock.scale) <= 0:
            continue
        until = time.strftime("%a %H:%M", time.localtime(time.time() + clock.real(left)))
        why = "too many failed in a row" if block.reason == TROUBLE else REASONS.get(block.reason, "refused")
        yield f"{name} is blocked until {until} (for {timedelta(seconds=round(left))}): {why}."

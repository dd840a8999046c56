"""--verify: every file of a folder, or every shard of an output, looked at; --repair: the bad ones come anew."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ..catalog.folder import listed, read_only
from ..core.clock import Clock
from ..core.errors import MORE_MAY_COME, Killed, RunError
from ..core.model import Clip
from ..core.settings import Settings
from ..datasets.base import Dataset
from ..fetch.shard_output import open_output
from ..media.ffmpeg import Ffmpeg
from ..media.ffmpeg_trial import find_ffmpeg
from ..media.inspect import compare_all, examine
from ..progress.bar import Progress
from ..shards.check import ShardCheck
from ..shards.layout import Output
from ..shards.storage import StoreLost
from ..state.store import Store


def verify(dataset: Dataset, settings: Settings, clock: Clock, repair: bool) -> int:
    """Look at every file, or into every shard; return 3 when some are bad, or could not be looked at."""
    ffmpeg = find_ffmpeg(settings.ffmpeg, clock)
    if settings.output_format != "files":
        output = open_output(settings, look=True, clock=clock)
        output.look()
        return 0 if verify_shards(output, ffmpeg, settings, repair) else MORE_MAY_COME
    # The whole folder is looked at: no partition may be at work when it is changed.
    settings = replace(settings, part=None)
    store = read_only(dataset, settings, clock)
    if repair:
        store.open()
    try:
        right = verify_files(store, listed(dataset, settings, store), ffmpeg, settings, repair)
        if repair:
            store.pending(listed(dataset, settings, store))
            store.snapshot(force=True)
    finally:
        if repair:
            store.close()
    return 0 if right else MORE_MAY_COME


def verify_files(store: Store, listed: Iterable[Clip], ffmpeg: Ffmpeg, settings: Settings, repair: bool) -> bool:
    """Check every file of a folder, and print the bad ones; whether all are right, and could be looked at.

    ``repair``: the bad ones are moved to set_aside/, and their clips are open again; the store is held by us.
    """
    bad: dict[str, str] = {}
    folders: dict[str, str] = {}
    unseen = 0
    unknown = [clip for clip in listed if store.has_unknown_files(clip)]
    known = store.finished()
    with Progress("verify", len(known) + len(unknown), "clip") as progress:
        for clip_id, complaint in compare_all(known, store.folder, settings.workers):
            if complaint is not None:
                bad[clip_id] = complaint
            progress.step()
        for clip in unknown:
            try:
                complaint = examine(clip, *store.files.paths(clip.id, clip.folder), ffmpeg, settings).complaint
            except Killed as error:
                unseen += 1
                progress.tell(f"{clip.id}: not looked at, {error}")
                continue
            finally:
                progress.step()
            if complaint is not None:
                bad[clip.id] = complaint
                folders[clip.id] = clip.folder
        for clip_id, complaint in bad.items():
            progress.tell(f"{clip_id}: {complaint}")
            if repair:
                for moved in store.set_aside(clip_id, folders.get(clip_id, "")):
                    progress.tell(f"  moved to {moved}")
                store.forget(clip_id)
        progress.tell(f"{len(store.done.keys() - bad.keys())} clips are right, {len(bad)} are bad.")
    return not bad and not unseen


def verify_shards(output: Output, ffmpeg: Ffmpeg, settings: Settings, repair: bool) -> bool:
    """Look into every finished shard, and print what is wrong; whether all are right, and could be looked at.

    ``repair``: a bad one is moved out of the way, so that the same command makes it anew.
    """
    finished = sorted(output.finished())
    bad = unseen = 0
    clips = sum(_count(output, number) for number in finished)
    with tempfile.TemporaryDirectory() as folder, Progress("verify", clips, "clip") as progress:
        check = ShardCheck(output, ffmpeg, Path(folder), settings.workers, progress.step)
        for number in finished:
            found = check.check(number)
            name = output.name(number)
            for line in (*found.complaints, *found.unseen):
                progress.tell(f"{name}: {line}")
            unseen += bool(found.unseen)
            if found.complaints:
                bad += 1
                if repair:
                    progress.tell(_repaired(output, number))
        progress.tell(f"{len(finished) - bad} shards are right, {bad} are bad.")
    return not bad and not unseen


def _count(output: Output, number: int) -> int:
    """How many clips a shard holds; 0 where its stats do not say so."""
    try:
        return int(output.stats(number)["done"])
    except StoreLost:
        raise
    except RunError:
        return 0


def _repaired(output: Output, number: int) -> str:
    moved = output.set_aside(number)
    if moved is None:
        return "  left where it is: another run is at it"
    again = "the same command makes it anew" if number < output.count else "--retry-failed asks for its clips"
    return f"  moved to {moved}: {again}"

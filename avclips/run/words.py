"""What a run says, and writes down, of its list, its pace, its disk and its archives."""

from __future__ import annotations

import itertools
import logging
import shlex
from collections.abc import Sequence
from pathlib import Path

from ..core.errors import RunError
from ..core.files import free_bytes, whole_list, whole_object, write_json
from ..core.redact import without_passwords
from ..core.settings import Settings
from ..core.wording import in_units
from ..datasets.base import IDS, LEFT_OUT, URLS, Dataset, Listing
from ..fetch.plan import Plan
from ..fetch.roles import Slot
from ..progress.console import say
from ..progress.forecast import clip_bytes, expectation
from ..sources.archives import Archives
from .context import RunContext

log = logging.getLogger("avclips.run.words")

MANY_WORKERS = 8
# Names that are written together.
_AT_ONCE = 10_000


def greet(dataset: Dataset, settings: Settings, versions: str, hint: str | None) -> None:
    """What runs, into which folder, with which programs."""
    say(f"{dataset.title} -> {settings.data_dir}: {versions}")
    if hint:
        say(f"Warning: {hint}", matters=True)
    if settings.workers > MANY_WORKERS:
        say(
            f"Warning: {settings.workers} workers: YouTube dislikes so many downloads from one address.",
            matters=True,
        )


def tell_listing(listing: Listing, metadata: Path) -> None:
    """Say, and write down, what the list is like."""
    for line in listing.skipped:
        log.warning("skipped: %s", line)
    if listing.skipped:
        first = listing.skipped[0]
        say(
            f"{len(listing.skipped)} records are left out, see metadata/{LEFT_OUT}; first {first}",
            matters=True,
        )
    for line in listing.remarks:
        say(line)
    left_out = metadata / LEFT_OUT
    if listing.skipped or left_out.exists():
        write_json(left_out, without_passwords(list(listing.skipped)))
    for name, value in listing.files.items():
        write_json(metadata / name, value)
    if listing.names is not None:
        with whole_list(metadata / IDS) as add, whole_object(metadata / URLS) as put:
            # Some at a time: there may be millions.
            names = iter(listing.names())
            while some := dict(itertools.islice(names, _AT_ONCE)):
                add(list(some))
                put({name: listing.url_of(video) for name, video in some.items()})


def tell_pace(run: RunContext, plan: Plan, done: int, slots: Sequence[Slot]) -> None:
    """Which limit binds, and how long that takes."""
    most = run.settings.max_clips
    share = 1.0 if most is None or not plan.asked else min(1.0, max(0, most - done) / plan.asked)
    if clips := round(plan.asked * share):
        pacers = list(dict.fromkeys(slot.pacer for slot in slots))
        videos, seconds = max(1, round(plan.videos * share)), plan.length(run.dataset.clip_seconds)
        say(expectation(videos, clips, pacers, len(slots), run.settings, seconds))


def check_space(run: RunContext, plan: Plan) -> None:
    """See whether what is to be tried fits on the disk, before the first byte. RunError."""
    done, folder = run.store.done_of_list, run.store.folder
    count = plan.found + (len(plan.left) if run.uses_drive else 0)
    if run.settings.max_clips is not None:
        count = max(0, min(count, run.settings.max_clips - done))
    each = clip_bytes(run.settings, plan.length(run.dataset.clip_seconds))
    needed, free = count * each, free_bytes(folder)
    if not count:
        say(f"{done} clips are done, none is to go.")
        return
    say(f"{done} clips are done, {count} to go: about {in_units(needed)}; {in_units(free)} are free.")
    if needed > free:
        fits = done + int(free / each)
        raise RunError(
            f"{count} clips need about {in_units(needed)}, and {folder} has {in_units(free)} free",
            "name another --data-dir, make the files smaller (--quality, --audio-format m4a, or --audio-rate "
            f"16000 --audio-channels 1){f', or begin with --max-clips {fits}' if fits else ''}",
        )


def tell_refusals(archives: Archives, log_file: Path) -> None:
    """How many files of the archives were of no use, and where it says which."""
    if refusals := archives.refusals:
        clip_id, why = next(iter(refusals.items()))
        say(
            f"The archives' files of {len(refusals)} clips were not taken, the first of {clip_id}: {why}. "
            f'For all of them: grep "not taken" {shlex.quote(str(log_file))}',
            matters=True,
        )

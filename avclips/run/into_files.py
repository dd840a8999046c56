"""The steps from the list on, where each clip is files of its own."""

from __future__ import annotations

import gc
from collections.abc import Iterable

from ..core.errors import MORE_MAY_COME
from ..core.model import Clip
from ..datasets.base import Listing
from ..fetch.plan import Plan, Share, make_plan, see_that_they_are_the_same, standing
from ..fetch.pool import Pool
from ..progress.console import Report, say
from ..progress.forecast import Work
from ..progress.metrics import metrics_of
from ..progress.summary import summary, without_better
from ..sources.archives import Archives
from ..state.subtitle_counts import without_subtitles
from .batches import Batch, batches
from .context import RunContext
from .download import download, open_archives
from .results import tables_of_files
from .words import check_space, tell_pace, tell_refusals


def into_files(run: RunContext, listing: Listing, pool: Pool) -> int:
    """Plan, download batch by batch, and say how it ended; returns the exit code."""
    store, part = run.store, run.settings.part
    clips = Share(listing.clips, part)
    if listing.named:
        see_that_they_are_the_same(clips, store)
    archives = open_archives(run, clips)
    plan = make_plan(clips, listing.url_of, archives, store)
    if part is not None:
        say("Part {} of {}: ".format(*part) + f"{plan.count} of {clips.everyone} clips.")
    check_space(run, plan)
    gc.freeze()
    gc.enable()
    slots = pool.slots(store, archives, listing.url_of)
    tell_pace(run, plan, store.done_of_list, slots)
    try:
        failed = plan.count - store.done_of_list - plan.found - len(plan.left)
        for batch in batches(run, plan, clips, listing, archives):
            work = _work(run, plan, batch, failed, len(slots))
            report = Report(
                run.clock,
                batch.clips,
                store.done_of_list,
                run.versions,
                work=work,
                watch=run.watch,
                metrics=metrics_of(run.settings),
            )
            download(run, run.settings, batch.videos, slots, report)
            failed += report.failed
    except BaseException:
        tables_of_files(run, listing, stopped=True)
        raise
    covered = tables_of_files(run, listing, stopped=False)
    archives.close()
    return _conclude(run, clips, archives, covered)


def _work(run: RunContext, plan: Plan, batch: Batch, failed: int, workers: int) -> Work:
    """One batch as the whole list sees it; ``failed``: clips of the list that failed, and are not tried."""
    return Work(
        listed=plan.count,
        failed=max(0, min(failed, plan.count - run.store.done_of_list - batch.clips)),
        todo=batch.clips,
        asked=plan.asked if batch.asks else 0,
        videos=plan.videos if batch.asks else 0,
        most=run.settings.max_clips,
        workers=workers,
        settings=run.settings,
        seconds=plan.length(run.dataset.clip_seconds),
    )


def _conclude(run: RunContext, clips: Iterable[Clip], archives: Archives, covered: str | None) -> int:
    """Say how it ended; ``covered``: a last line. Returns the exit code."""
    done, count, failed, videos, withheld = standing(run.store, clips)
    untried = count - done - len(failed)
    run.ended.done, run.ended.untried = done, untried
    run.ended.failed.update(line["reason"] for line in failed.values())
    limit = run.settings.max_clips
    enough = limit is not None and done >= limit
    for line in summary(done, count, failed, untried, limit if enough else None):
        say(line, matters=True)
    for line in without_better(videos, withheld):
        say(line, matters=True)
    for line in without_subtitles(run.store.done_lines(), run.settings.subtitles, (clip.id for clip in clips)):
        say(line, matters=True)
    tell_refusals(archives, run.log_file)
    if covered is not None:
        say(covered)
    if enough:
        return 0
    return MORE_MAY_COME if untried or any(not line["permanent"] for line in failed.values()) else 0

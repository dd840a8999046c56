"""The steps from the list on, where the results go into shards, by this machine alone."""

from __future__ import annotations

import gc
from dataclasses import replace

from ..core.errors import MORE_MAY_COME
from ..core.settings import Settings
from ..datasets.base import Listing
from ..fetch.plan import Plan, Share, see_that_they_are_the_same
from ..fetch.pool import Pool
from ..fetch.shard_output import open_output, plan_shards, summary_of
from ..fetch.sharded import ShardedRun, ShardReport
from ..progress.console import say
from ..progress.forecast import Work
from ..shards.layout import Output
from ..state.first_settings import as_shards
from .context import RunContext
from .download import download, open_archives
from .results import coverage_of_shards
from .words import tell_pace, tell_refusals


def into_shards(run: RunContext, listing: Listing, pool: Pool) -> int:
    """Plan the shards, download what they lack, and say how it ended; returns the exit code."""
    store, everyone = run.store, Share(listing.clips, None)
    output = open_output(run.settings, clock=run.clock)
    settings = as_shards(run.settings, output.planned(), output.url)
    count = plan_shards(output, everyone, run.dataset.name, settings)
    output.drop_dead_claims()
    if listing.named:
        see_that_they_are_the_same(everyone, store)
    sharded = ShardedRun(output, listing, everyone, store, settings, run.clock)
    sharded.begin()
    say(f"{count} clips in {output.count} shards, {sharded.unfinished} of them unfinished -> {output.url}")
    gc.freeze()
    gc.enable()
    archives = open_archives(run, everyone)
    slots = pool.slots(store, archives, listing.url_of)
    most = settings.max_clips
    if most is not None:
        settings = replace(settings, max_clips=max(0, most - sharded.done_before))
    done = sharded.done_before + store.done_of_list
    tell_pace(run, Plan(asked=sharded.todo, videos=sharded.videos_todo), done, slots)
    work = Work(
        *(done + sharded.todo, 0, sharded.todo, sharded.todo, sharded.videos_todo),
        *(most, len(slots), settings),
    )
    report = ShardReport(sharded, run.clock, sharded.todo, done, run.versions, None, work)
    download(run, settings, sharded.videos(), slots, report)
    sharded.finish()
    archives.close()
    ended = conclude_shards(run, listing, output, settings)
    tell_refusals(archives, run.log_file)
    if most is not None and sharded.done_before + store.done_of_list >= most:
        if sharded.unfinished:
            say(f"--max-clips {most} is reached; what is in no shard yet waits in {store.folder}.", matters=True)
        return 0
    return ended


def conclude_shards(run: RunContext, listing: Listing, output: Output, settings: Settings) -> int:
    """Say how far the shards are; returns the exit code."""
    part = settings.part
    finished = output.finished()
    totals, missing = output.totals(output.share(finished, part)), output.missing(finished, part)
    for line in summary_of(output, totals, missing):
        say(line, matters=True)
    if (covered := coverage_of_shards(run, listing, output, settings)) is not None:
        say(covered)
    return MORE_MAY_COME if missing or totals.may_come else 0

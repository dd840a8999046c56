"""The steps from the list on, where Spark's machines do the work."""

from __future__ import annotations

import gc
from typing import Any

from ..core.extras import extra
from ..datasets.base import Listing
from ..fetch.plan import Share
from ..fetch.shard_output import open_output, plan_shards
from ..fetch.shard_todo import Todo
from ..progress.console import say
from ..shards.layout import Output
from ..spark.driver import Cluster, drop_package, open_session
from ..spark.monitor import Monitor
from ..spark.task import Job, absolute
from ..state.first_settings import as_shards
from .context import RunContext
from .into_shards import conclude_shards

SENT = "--wandb: progress is sent"


def on_spark(run: RunContext, listing: Listing, session: Any) -> int:
    """Plan the shards, have the cluster write them, and say how it ended; returns the exit code.

    ``session``: of Spark, None where one is to be opened.
    """
    settings, everyone = absolute(run.settings), Share(listing.clips, None)
    wandb = extra("wandb", SENT) if settings.wandb else None
    output = open_output(settings, clock=run.clock)
    settings = as_shards(settings, output.planned(), output.url)
    # Before anything is fixed there.
    opened = session or open_session(settings.spark_master)
    try:
        count = plan_shards(output, everyone, run.dataset.name, settings)
        output.drop_dead_claims()
        finished = output.finished()
        shards = Todo(output, everyone, settings, finished)
        name, folder = run.dataset.name, run.dataset.audio_folder
        job = Job(settings, name, folder, output.address, output.count, output.layout)
        cluster = Cluster(opened, job, run.clock)
        gc.freeze()
        gc.enable()
        left = output.missing(finished, None) + shards.further
        say(f"{count} clips in {output.count} shards, {left} to go, on {cluster.cores} cores -> {output.url}")
        logged = wandb.init(project="avclips", config={"dataset": name}) if wandb else None
        _write(run, cluster, shards, listing, output, Monitor(output, left, run.clock, logged), logged)
    finally:
        if session is None:
            opened.stop()
            drop_package()
    return conclude_shards(run, listing, output, settings)


def _write(
    run: RunContext,
    cluster: Cluster,
    shards: Todo,
    listing: Listing,
    output: Output,
    monitor: Monitor,
    logged: Any,
) -> None:
    run.signals.gentle = True
    try:
        cluster.run(iter(shards), listing.url_of, output, monitor)
        cluster.clean_up()
        output.let_go()
    finally:
        run.signals.gentle = False
        monitor.close()
        if logged is not None:
            logged.finish()

"""The clips of a run into single files, by the way they come: archives, this machine, a site, Google Drive."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..core.errors import RunError
from ..core.model import Video
from ..datasets.base import Listing
from ..datasets.google_drive import DriveFolder
from ..fetch.plan import Plan, Share, at_a_site, by_video
from ..progress.console import say
from ..sources.archives import Archives
from .context import RunContext


class Batch(NamedTuple):
    """Clips that come by one way, and how many there are; ``asks``: whether a site is asked for them."""

    clips: int
    videos: Iterable[Video]
    asks: bool = False


def batches(run: RunContext, plan: Plan, clips: Share, listing: Listing, archives: Archives) -> Iterator[Batch]:
    """The videos in the order of their ways; last, those in the dataset's own archives, each fetched first."""
    url_of = listing.url_of
    if plan.rescued:
        yield Batch(len(plan.rescued), by_video(plan.rescued, _nobody))
    first = itertools.chain(by_video(plan.here, url_of), at_a_site(clips, plan, url_of, run.store))
    count = len(plan.here) + plan.asked
    if not run.uses_drive:
        yield Batch(count + len(plan.left), itertools.chain(first, by_video(plan.left, url_of)), asks=True)
        return
    yield Batch(count, first, asks=True)
    yield from _from_drive(run, plan, listing, archives)


def _from_drive(run: RunContext, plan: Plan, listing: Listing, archives: Archives) -> Iterator[Batch]:
    assert run.dataset.drive is not None
    store = run.store
    drive = DriveFolder(run.dataset.drive, store.folder / "archives", run.settings, run.clock)
    troubles: list[RunError] = []
    # What stood here and was not right may be in the archives all the same.
    here = (clip for clip in plan.here if listing.url_of(clip.video) is None and store.may_come(clip))
    left = [*plan.left, *here]
    if left and not run.enough:
        drive.gdown()
    for source in run.dataset.drive.archives:
        wanted = [clip for clip in left if source.holds(clip.id)]
        if wanted and not run.enough:
            try:
                path = drive.fetch(source)
                say(f"{archives.add(path)} clips are in {path}.")
            except RunError as error:
                # The other archive may be had all the same.
                say(f"error: {error}", matters=True)
                troubles.append(error)
                continue
            yield Batch(len(wanted), by_video(sorted(wanted, key=lambda clip: archives.place(clip.id)), _nobody))
            archives.close()
            drive.finished_with(path, [clip.id for clip in wanted if store.may_come(clip)])
    if troubles:
        raise troubles[0]


def _nobody(video: str) -> None:
    """No page is asked for a video that is to come from an archive, should its file be of no use."""

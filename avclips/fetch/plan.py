"""What a run has to do: its clips by how they may be had, without a list of those that a site is asked for.

A list of millions is read anew where it is gone through, clip by clip; only what is unusual is kept.
"""

from __future__ import annotations

import itertools
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..core.errors import WITHHELD, UsageError
from ..core.files import is_plain_name
from ..core.model import Clip, Video
from ..sources.archives import Archives
from ..state.manifest import Line
from ..state.partition import Partition, is_in
from ..state.store import Store

# So many videos are kept: of a list of which most is done, they are all that is asked for.
_KEPT = 1000
UrlOf = Callable[[str], str | None]
_VIDEO = operator.attrgetter("video")


class Share:
    """The clips of a list whose ids can be file names, or a partition's share of them; those of a video together.

    ``everyone``: how many there are of all partitions, once the list was gone through.
    """

    def __init__(self, clips: Iterable[Clip], partition: Partition | None) -> None:
        self._clips = clips
        self._partition = partition
        self.everyone = 0

    def __iter__(self) -> Iterator[Clip]:
        everyone, partition = 0, self._partition
        for clip in self._clips:
            if is_plain_name(clip.id):
                everyone += 1
                if partition is None or is_in(partition, clip.video):
                    yield clip
        self.everyone = everyone


@dataclass
class Plan:
    """The clips of a run that are to be tried.

    ``rescued``: failed for good elsewhere, and lie in the archives; ``here``: on this machine, or of a video of
    which another clip is; ``left``: no site is known to ask. Of those that a site is asked for, ``asked`` and
    ``videos`` are how many there are, and ``count`` that of all clips, done or not. ``seconds``: of all clips that
    are to be tried and have an end, ``timed`` of them. ``first``: the first of the videos that a site is asked
    for, with all of their clips.
    """

    rescued: list[Clip] = field(default_factory=list)
    here: list[Clip] = field(default_factory=list)
    left: list[Clip] = field(default_factory=list)
    asked: int = 0
    videos: int = 0
    count: int = 0
    seconds: float = 0.0
    timed: int = 0
    first: list[tuple[str, list[Clip]]] = field(default_factory=list)

    def length(self, usual: float) -> float:
        """The seconds of a clip, on average; ``usual`` where no list tells."""
        return self.seconds / self.timed if self.timed else usual

    @property
    def found(self) -> int:
        """How many clips are on this machine, or at a site."""
        return len(self.rescued) + len(self.here) + self.asked


def make_plan(clips: Iterable[Clip], url_of: UrlOf, archives: Archives, store: Store) -> Plan:
    """Go once through all clips; those in archives are sorted as they lie there."""
    plan = Plan()
    for video, group in itertools.groupby(store.expect(clips), key=_VIDEO):
        listed = list(group)
        plan.count += len(listed)
        pending = [clip for clip in listed if store.may_come(clip)]
        if not archives.empty:
            plan.rescued += [clip for clip in listed if archives.holds(clip.id) and not store.may_come(clip)]
        if not pending:
            continue
        ended = [clip.end - clip.start for clip in pending if clip.end is not None]
        plan.seconds += sum(ended)
        plan.timed += len(ended)
        if any(archives.holds(clip.id) or store.had_unknown_files(clip) for clip in pending):
            plan.here += pending
        elif url_of(video) is None:
            plan.left += pending
        else:
            plan.asked += len(pending)
            plan.videos += 1
            if plan.videos <= _KEPT:
                plan.first.append((video, listed))
    for held in (plan.rescued, plan.here):
        held.sort(key=lambda clip: archives.place(clip.id))
    return plan


def at_a_site(clips: Iterable[Clip], plan: Plan, url_of: UrlOf, store: Store) -> Iterator[Video]:
    """The videos that a site is asked for, with their clips that are to be tried, as the list comes."""
    here = {clip.video for clip in plan.here}
    groups: Iterable[tuple[str, Iterable[Clip]]] = itertools.groupby(clips, key=_VIDEO)
    # What was not rescued may be asked for after all.
    if plan.count and plan.videos == len(plan.first) and not plan.rescued:
        groups = plan.first
    for video, group in groups:
        url = url_of(video)
        pending = tuple(clip for clip in group if store.may_come(clip))
        if pending and url is not None and video not in here:
            yield Video(video, url, pending)


def see_that_they_are_the_same(clips: Iterable[Clip], store: Store) -> None:
    """UsageError where an id that is done meant another clip than the list has under it now.

    Where one that failed did, it is asked for as if it were new.
    """
    listed: dict[str, Clip] = {}
    for clip in clips:
        if clip.id in store.done:
            listed[clip.id] = clip
        elif clip.id in store.failed and store.video_of(clip.id) not in (clip.video, None):
            store.forget(clip.id)
    for line in store.done_lines():
        found = listed.get(line["id"])
        video, asked = line.get("source") or line.get("youtube_id"), line.get("asked")
        if found and video and asked and (video, asked) != (found.video, [found.start, found.end]):
            raise UsageError(
                f"{found.id!r} is another clip in the list than in {store.folder}, where it is {asked[0]} to "
                f"{asked[1]} s of {video}",
                "name another folder with --data-dir, or another column with --id-col",
            )


class Standing(NamedTuple):
    """How many of the clips are done, how many there are, and what is known of those that failed.

    ``videos``: how many have clips that are done, or failed for want of formats; ``withheld``: of these, how many
    came without their better formats, by the reason.
    """

    done: int
    listed: int
    failed: dict[str, Line]
    videos: int
    withheld: Mapping[str, int]


def standing(store: Store, clips: Iterable[Clip]) -> Standing:
    """How the clips stand; those of a video stand together."""
    done = count = videos = 0
    failed: dict[str, Line] = {}
    withheld: Counter[str] = Counter()
    for _, group in itertools.groupby(clips, key=_VIDEO):
        reasons = set()
        for clip in group:
            count += 1
            if (found := store.done.get(clip.id)) is not None:
                done += 1
                reasons.add(found.withheld)
            if (line := store.failed.get(clip.id)) is not None:
                failed[clip.id] = line
                reasons |= {line["reason"]}.intersection(WITHHELD)
        videos += bool(reasons)
        withheld.update(sorted(reasons - {""})[:1])
    return Standing(done, count, failed, videos, withheld)


def by_video(clips: Iterable[Clip], url_of: UrlOf) -> list[Video]:
    """Group clips by their video, in the order of the first of each: one extraction a video."""
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        groups.setdefault(clip.video, []).append(clip)
    return [Video(video, url_of(video), tuple(group)) for video, group in groups.items()]

"""What comes next of a list: in its order, with a queue for each host, so that one that waits delays no other."""

from __future__ import annotations

import heapq
import itertools
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from ..core.model import Video
from ..core.sites import site_of

# How many videos go before one whose next try is due.
SOON = 8
# How far a list is read to find a video of a site that need not wait; a video takes some hundred bytes.
AHEAD = 100_000


class HostQueues:
    """The videos that wait for a worker. The list is read as it is needed."""

    def __init__(self, videos: Iterable[Video]) -> None:
        self._list = iter(videos)
        # By site, the videos at hand with their places in the list.
        self._queues: dict[str | None, deque[tuple[int, Video]]] = {}
        self._last: deque[Video] = deque()
        self._read = 0
        self._taken = 0, ""
        self._at_hand = 0

    def __iter__(self) -> Iterator[Video]:
        """Those that are at hand, and those behind all; at least a few more than one, if there are."""
        self._fill_up(SOON)
        for queue in self._queues.values():
            yield from (video for _, video in queue)
        yield from self._last

    @property
    def sites(self) -> set[str]:
        """Whom those at hand, and those behind all, are asked of: a hundred thousand videos may be of one site."""
        self._fill_up(SOON)
        behind = (video.url for video in self._last)
        return {*filter(None, self._queues), *(site_of(url) for url in behind if url is not None)}

    def next(self, may_start: Callable[[str | None], bool]) -> Video | None:
        """Take the first video of a site that may start (None: nobody is asked for it), or None."""
        self._fill_up(SOON)
        while True:
            queues = [(queue[0][0], site) for site, queue in self._queues.items() if may_start(site)]
            if queues:
                return self._take(min(queues, key=lambda each: each[0])[1])
            if self._at_hand >= AHEAD or not self._read_one():
                return None

    def back(self, video: Video) -> None:
        """Put back the video that was taken last, or a part of it, to where it was."""
        assert self._taken[1] == video.id
        self._queue_of(video).appendleft((self._taken[0], video))
        self._at_hand += 1

    def soon(self, video: Video) -> None:
        """Have a video come soon, but not at once: a few that fail and fail must not keep out the rest."""
        self._fill_up(SOON)
        heads = (number for queue in self._queues.values() for number, _ in itertools.islice(queue, SOON))
        number = max(heapq.nsmallest(SOON, heads), default=self._read)
        queue = self._queue_of(video)
        queue.insert(bisect_right(queue, number, key=lambda each: each[0]), (number, video))
        self._at_hand += 1

    def last(self, video: Video) -> None:
        """Have a video come behind all others."""
        self._last.append(video)

    def clear(self) -> None:
        """Nothing is to come any more."""
        self._list = iter(())
        self._queues.clear()
        self._last.clear()
        self._at_hand = 0

    def _queue_of(self, video: Video) -> deque[tuple[int, Video]]:
        site = None if video.url is None else site_of(video.url)
        return self._queues.setdefault(site, deque())

    def _take(self, site: str | None) -> Video:
        number, video = self._queues[site].popleft()
        self._taken = number, video.id
        if not self._queues[site]:
            del self._queues[site]
        self._at_hand -= 1
        return video

    def _fill_up(self, count: int) -> None:
        while self._at_hand <= count and self._read_one():
            pass

    def _read_one(self) -> bool:
        video = next(self._list, None)
        if video is None and self._last:
            video = self._last.popleft()
        if video is None:
            return False
        self._queue_of(video).append((self._read, video))
        self._read += 1
        self._at_hand += 1
        return True

"""What comes next of a list: in its order, with a lane for each site."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from avclips.core.model import Clip, Video
from avclips.fetch.host_queue import SOON, HostQueues

HOSTS = {"a": "https://www.youtube.com/watch?v=", "v": "https://vimeo.com/", "x": "https://x.example/", "-": None}


def video(name: str) -> Video:
    host = HOSTS[name[0]]
    return Video(name, host and host + name, (Clip(name, name, 0.0, 1.0),))


def queues(names: str) -> HostQueues:
    return HostQueues(map(video, names.split()))


def but(*sites: str) -> Callable[[str | None], bool]:
    return lambda site: site not in sites


def rest(left: HostQueues, may_start: Callable[[str | None], bool] = lambda site: True) -> str:
    names = []
    while (found := left.next(may_start)) is not None:
        names.append(found.id)
    return " ".join(names)


@pytest.mark.parametrize(
    ("names", "waiting", "due"),
    [
        ("a1 v1 a2 x1 v2 -1 a3", (), "a1 v1 a2 x1 v2 -1 a3"),
        ("a1 v1 a2 x1 v2 -1 a3", ("YouTube",), "v1 x1 v2 -1"),
        ("a1 v1 a2 x1 v2 -1 a3", ("YouTube", "vimeo.com"), "x1 -1"),
        (" ".join(f"a{n}" for n in range(5000)) + " v1", ("YouTube",), "v1"),
        ("", (), ""),
    ],
)
def test_one_that_waits_holds_up_no_other(names: str, waiting: tuple[str, ...], due: str) -> None:
    left = queues(names)
    assert rest(left, but(*waiting)) == due
    assert rest(left) == " ".join(name for name in names.split() if name not in due.split())


def test_what_is_put_back_keeps_its_place() -> None:
    left = queues("v1 a1 a2 a3 v2")
    for _ in range(3):
        taken = left.next(but("YouTube"))
        assert taken is not None and taken.id == "v1"
        left.back(taken)
    assert rest(left) == "v1 a1 a2 a3 v2"


@pytest.mark.parametrize("name", ["a-", "v-", "x-"])
def test_soon_is_behind_a_few(name: str) -> None:
    """Whether anybody else of its site waits or not."""
    numbers = range(40)
    left = queues(" ".join(f"{'av'[n % 2]}{n}" for n in numbers))
    left.soon(video(name))
    place = rest(left).split().index(name)
    assert SOON - 1 <= place <= SOON + 1


def test_last_is_behind_all() -> None:
    left = queues("a1 a2 a3")
    left.last(video("a0"))
    assert rest(left) == "a1 a2 a3 a0"


def test_nothing_comes_of_a_list_that_is_let_go() -> None:
    left = queues("a1 v1")
    left.last(video("x1"))
    left.clear()
    assert rest(left) == "" and not any(left)


@pytest.mark.parametrize("seed", range(30))
def test_none_is_lost_and_none_comes_twice(seed: int) -> None:
    pick = random.Random(seed)
    names = [f"{pick.choice('avx-')}{n}" for n in range(60)]
    left, out = queues(" ".join(names)), []
    while True:
        found = left.next(but(*pick.sample(["YouTube", "vimeo.com", "x.example"], pick.randrange(3))))
        if found is None:
            if not any(left):
                break
            continue
        chance = pick.random()
        if chance < 0.1:
            left.back(found)
        elif chance < 0.2:
            left.soon(found)
        elif chance < 0.3:
            left.last(found)
        else:
            out.append(found.id)
    assert sorted(out) == sorted(names)


@pytest.mark.parametrize(
    ("names", "last", "sites"),
    [
        ("", "", set()),
        ("-1 -2", "", set()),
        ("a1 v1 -1 a2", "", {"YouTube", "vimeo.com"}),
        ("a1", "x1 -1", {"YouTube", "x.example"}),
        # Nobody has to be asked of whom nothing is at hand yet.
        (" ".join(f"a{n}" for n in range(2 * SOON)) + " v1", "", {"YouTube"}),
    ],
)
def test_whom_those_at_hand_are_asked_of(names: str, last: str, sites: set[str]) -> None:
    left = queues(names)
    for name in last.split():
        left.last(video(name))
    assert left.sites == sites

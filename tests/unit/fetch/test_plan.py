"""What there is to do, of a list as long as it comes: gone through, sorted by ways, and never kept."""

from __future__ import annotations

import functools
import itertools
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from avclips.core.model import Clip, Video
from avclips.datasets.base import Listing
from avclips.fetch.plan import Plan, Share, at_a_site, by_video, make_plan, standing
from avclips.sources.archives import Archives
from avclips.state.partition import is_in
from avclips.state.store import Store
from tests.support.data_folder import A, B, C, Start, fail, finish, ids, runs
from tests.support.scripted import Run, Said, Script, Simulated

URL = "https://www.youtube.com/watch?v={}"


def clip(name: str, video: str | None = None) -> Clip:
    return Clip(name, video or name[0], 0.0, 10.0)


def url_of(video: str) -> str:
    return URL.format(video)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with runs(tmp_path / "data") as start:
        yield start


def archives_with(folder: Path, *names: str) -> Archives:
    """Archives of a user that hold these clips, in this order."""
    archives = Archives(set(names), folder / "spill")
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / f"{name}.mp4").write_bytes(b"x")
        archives.add(folder / name)
    return archives


def clips(names: str) -> list[Clip]:
    """ "a1 a2 b1" are two of video a and one of b."""
    return [clip(name) for name in names.split()]


# -- the ways ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A folder and archives, and which way each of the listed clips is to go."""

    listed: str
    held: str = ""
    done: str = ""
    gone: str = ""
    passing: str = ""
    strange: str = ""
    unknown: str = ""
    rescued: str = ""
    here: str = ""
    left: str = ""
    asked: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


CASES = {
    "nothing": Case(""),
    "all are asked for": Case("a1 a2 b1 c1", asked="a1 a2 b1 c1"),
    "some are done": Case("a1 a2 b1 c1", done="a1 b1", asked="a2 c1"),
    "some failed for good": Case("a1 a2 b1", gone="a2 b1", asked="a1"),
    "some may come": Case("a1 a2 b1", passing="a2 b1", asked="a1 a2 b1"),
    "asked again": Case("a1 b1", gone="a1 b1", asked="a1 b1", settings={"retry_failed": ()}),
    "one here": Case("a1 b1 c1", held="b1", here="b1", asked="a1 c1"),
    # One extraction for those that are not right after all.
    "those of its video too": Case("a1 a2 a3 b1", held="a2", here="a2 a1 a3", asked="b1"),
    "but not what is done of it": Case("a1 a2 a3 b1", held="a2", done="a1", gone="a3", here="a2", asked="b1"),
    "in the archives' order": Case("a1 b1 c1", held="c1 a1", here="c1 a1", asked="b1"),
    "a stranger": Case("a1 a2 b1", strange="a2", here="a1 a2", asked="b1"),
    "rescued": Case("a1 a2 b1", held="a1", gone="a1", rescued="a1", asked="a2 b1"),
    "rescued, in the archives' order": Case("a1 b1 c1", held="c1 a1", gone="a1 c1", rescued="c1 a1", asked="b1"),
    "one rescued, one here": Case("a1 a2 b1", held="a1 a2", gone="a1", rescued="a1", here="a2", asked="b1"),
    "nobody to ask": Case("a1 b1 b2 c1", unknown="b", left="b1 b2", asked="a1 c1"),
    "nobody to ask, but here": Case("a1 b1 b2", unknown="b", held="b2", here="b2 b1", asked="a1"),
    "nobody to ask, and done": Case("a1 b1", unknown="b", done="b1", asked="a1"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_which_way_each_clip_goes(start: Start, tmp_path: Path, case: Case) -> None:
    store = start()
    listed = clips(case.listed)
    by_id = {each.id: each for each in listed}
    for name in case.done.split():
        finish(store, by_id[name])
    for name in case.gone.split():
        fail(store, by_id[name], "private")
    for name in case.passing.split():
        fail(store, by_id[name], "network", permanent=False)
    for name in case.strange.split():
        store.files.paths(name)[1].write_bytes(b"x")
    store = start(**case.settings)
    archives = archives_with(tmp_path / "mine", *case.held.split())

    def page(video: str) -> str | None:
        return None if video in case.unknown.split() else url_of(video)

    plan = make_plan(listed, page, archives, store)
    found = {name: " ".join(ids(getattr(plan, name))) for name in ("rescued", "here", "left")}
    assert found == {"rescued": case.rescued, "here": case.here, "left": case.left}
    videos = list(at_a_site(listed, plan, page, store))
    assert " ".join(each.id for video in videos for each in video.clips) == case.asked
    assert all(video.url == url_of(video.id) for video in videos)
    assert (plan.asked, plan.videos, plan.count) == (len(case.asked.split()), len(videos), len(listed))
    assert plan.found == len(f"{case.rescued} {case.here} {case.asked}".split())


def test_what_came_meanwhile_is_not_asked_for(start: Start) -> None:
    """The list is gone through again, after what is here was tried."""
    store, listed = start(), clips("a1 a2 b1 c1")
    plan = make_plan(listed, url_of, Archives((), Path()), store)
    videos = at_a_site(listed, plan, url_of, store)
    assert next(videos) == Video("a", url_of("a"), tuple(listed[:2]))
    finish(store, listed[2])
    assert list(videos) == [Video("c", url_of("c"), (listed[3],))]


def test_standing(start: Start) -> None:
    store = start()
    finish(store, A)
    fail(store, B)
    found = standing(store, iter([A, B, C]))
    assert (found.done, found.listed, found.videos, found.withheld) == (1, 3, 1, {})
    assert {name: line["reason"] for name, line in found.failed.items()} == {"b": "removed"}


def test_the_videos_that_came_without_their_better_formats(start: Start) -> None:
    store, listed = start(), clips("a1 a2 a3 b1 b2 c1 d1 e1 f1")
    for name, facts in {"a1": {}, "a2": {"withheld": "sabr"}, "b1": {}, "c1": {"withheld": "po_token"}}.items():
        finish(store, next(clip for clip in listed if clip.id == name), **facts)
    for name, reason in {"a3": "network", "b2": "sabr", "d1": "sabr", "e1": "private"}.items():
        fail(store, next(clip for clip in listed if clip.id == name), reason)
    found = standing(store, listed)
    assert (found.videos, found.withheld) == (4, {"sabr": 3, "po_token": 1})


def test_by_video_keeps_the_order_of_the_first_of_each() -> None:
    found = by_video(clips("b1 a1 b2 c1 a2"), lambda video: None)
    assert [(video.id, [each.id for each in video.clips]) for video in found] == [
        ("b", ["b1", "b2"]),
        ("a", ["a1", "a2"]),
        ("c", ["c1"]),
    ]


# -- shares --------------------------------------------------------------------------------------------------


def test_shares_of_a_list(start: Start) -> None:
    listed = [clip(f"v{n:03}_{m}", f"v{n:03}") for n in range(100) for m in range(n % 3 + 1)]
    listed.insert(7, clip("../v", "v999"))
    shares = [Share(iter(listed), (number, 3)) for number in range(3)]
    parts = [list(share) for share in shares]
    # An id that cannot be a file's name is nobody's.
    assert [share.everyone for share in shares] == [len(listed) - 1] * 3
    assert sorted(ids([*itertools.chain(*parts)])) == sorted(each.id for each in listed if each.video != "v999")
    assert all(is_in((number, 3), each.video) for number, part in enumerate(parts) for each in part)
    whole = Share(listed, None)
    assert len(list(whole)) == whole.everyone == len(list(whole)) == len(listed) - 1
    part = Share(listed, (1, 3))
    plan = make_plan(part, url_of, Archives((), Path()), start(part=(1, 3)))
    assert (plan.count, plan.asked, part.everyone) == (len(parts[1]), len(parts[1]), len(listed) - 1)


def test_a_list_that_was_not_gone_through_to_its_end_counts_as_before() -> None:
    share = Share(clips("a1 b1 c1"), None)
    assert len(list(share)) == 3
    assert next(iter(share)).id == "a1" and share.everyone == 3


# -- as long as they come ------------------------------------------------------------------------------------

MANY = 200_000


class Long:
    """A list of so many clips, made anew at each pass; ``pulled``: how many of the last pass were asked for."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.passes = 0
        self.pulled = 0

    def __iter__(self) -> Iterator[Clip]:
        self.passes += 1
        self.pulled = 0
        for number in range(self.count):
            self.pulled += 1
            yield Clip(f"v{number:07}", f"v{number:07}", 0.0, 10.0, {"split": "eval"}, f"eval/{number % 256:02x}")


def go_through(run: Run, listed: Long) -> Plan:
    """Sort a list and run over it, as a run does."""
    clips, nowhere = Share(Listing(listed).clips, None), Archives((), run.store.spill)
    try:
        plan = make_plan(clips, url_of, nowhere, run.store)
        run.engine.run(itertools.chain(by_video(plan.here, url_of), at_a_site(clips, plan, url_of, run.store)))
    finally:
        run.store.close()
    return plan


def test_a_run_takes_of_a_long_list_what_it_needs(tmp_path: Path) -> None:
    run, listed = Run(tmp_path, Script({}), max_clips=1), Long(MANY)
    plan = go_through(run, listed)
    assert (plan.count, plan.asked, plan.videos, plan.here) == (MANY, MANY, MANY, [])
    assert list(run.store.done) == ["v0000000"] and run.script.calls == [["v0000000"]]
    # Once to sort them, once more to run, and of that a handful.
    assert listed.passes == 2 and listed.pulled <= 20


def test_a_long_list_is_never_in_memory(tmp_path: Path) -> None:
    run = Run(tmp_path, Script({}), max_clips=1)
    tracemalloc.start()
    try:
        go_through(run, Long(30_000))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # As a list, they take thirteen megabytes.
    assert most < 1_000_000


def test_the_list_is_taken_as_workers_become_free(tmp_path: Path) -> None:
    listed, ahead = Long(300), []
    script = Script({}, default="done")
    run = Run(tmp_path, script, workers=2)
    script.on_call = lambda video: ahead.append(listed.pulled - int(video.id[1:]))
    try:
        run.engine.run(at_a_site(listed, Plan(), url_of, run.store))
    finally:
        run.store.close()
    assert len(run.store.done) == 300 and max(ahead) <= 20


# -- the order -----------------------------------------------------------------------------------------------

LETTERS = "abcdefghijklmnop"


def takes_a_second(clock: Simulated, video: Video) -> None:
    clock.time += 1


@pytest.mark.parametrize(
    ("rows", "order"),
    [
        ({}, LETTERS),
        # Refused: it comes again behind all others, that another one may probe.
        ({"b": ["!bot_check"]}, f"{LETTERS}b"),
        ({"b": ["!bot_check"], "c": ["!bot_check"]}, f"{LETTERS}bc"),
        ({"b": ["!bot_check", "!bot_check"], "o": ["!bot_check"]}, f"{LETTERS}bob"),
        ({"a": ["!bot_check"], "p": ["!bot_check"]}, f"{LETTERS}ap"),
        # Deferred: when it is due, eight others go before it.
        ({"b": ["network"]}, "abcdefghijkblmnop"),
        ({"b": ["network"], "c": ["network"]}, "abcdefghijkbclmnop"),
        # Near the list's end there are no eight.
        ({"k": ["network"]}, f"{LETTERS}k"),
        ({"p": ["network"]}, f"{LETTERS}p"),
        ({"b": ["-private"], "c": ["-removed"]}, LETTERS),
    ],
)
def test_the_order_is_the_lists_but_for_what_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: dict[str, Sequence[Said]], order: str
) -> None:
    """Whether it comes as a list or as it is read."""
    monkeypatch.setattr("avclips.pacing.retries.retry_delay", lambda attempts: 0.5)
    heard = []
    for lazy in (False, True):
        listed = [clip(f"{letter}1") for letter in LETTERS]
        script = Script({f"{name}1": list(row) for name, row in rows.items()})
        clock = Simulated(60.0)
        run = Run(tmp_path / str(lazy), script, clock, workers=1)
        script.on_call = functools.partial(takes_a_second, clock)
        videos = by_video(listed, url_of)
        try:
            run.engine.run(at_a_site(iter(listed), Plan(), url_of, run.store) if lazy else videos)
        finally:
            run.store.close()
        heard.append("".join(call[0][0] for call in script.calls))
    assert heard == [heard[0]] * 2
    assert heard[0] == order


def test_what_is_let_go_comes_behind_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user takes an id out of failed_downloads.json while the run is at work."""
    script = Script({"b1": ["-private"]})
    run = Run(tmp_path, script, Simulated(), workers=1)
    back = iter([[], [], [], [], ["b1"]])
    snapshot = Store.snapshot

    def let_go(store: Store, force: bool = False) -> list[str]:
        snapshot(store, force)
        for each in (found := next(back, [])):
            store.forget(each)
        return found

    monkeypatch.setattr(Store, "snapshot", let_go)
    try:
        run.engine.run(at_a_site([clip(f"{letter}1") for letter in LETTERS], Plan(), url_of, run.store))
    finally:
        run.store.close()
    assert "".join(call[0][0] for call in script.calls) == f"{LETTERS}b"
    assert run.store.failed == {} and len(run.store.done) == len(LETTERS)

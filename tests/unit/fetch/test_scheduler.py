"""The engine with scripted workers: who is tried again, when, and what becomes of a run that breaks."""

from __future__ import annotations

import errno
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from avclips.core.errors import GaveUp, RunError, Stopped
from avclips.core.model import Clip, Outcome, Video
from avclips.fetch.plan import by_video
from avclips.fetch.scheduler import Engine
from avclips.pacing.retries import NOT_TODAY, REFUSALS, TROUBLE_AFTER
from tests.support.scripted import Run, Said, Script, Simulated


@pytest.fixture(autouse=True)
def exact_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avclips.pacing.retries.retry_delay", lambda attempts: 10.0 * attempts)


@pytest.mark.parametrize(
    ("row", "said", "left"),
    [
        (["done"], [("done", "", 1, None)], "done"),
        (["-private"], [("failed", "private", 1, None)], "private"),
        (
            ["network", "done"],
            [("failed", "network", 0, 10.0), ("done", "", 2, None)],
            "done",
        ),
        (
            ["network", "network", "network"],
            [("failed", "network", 0, 10.0), ("failed", "network", 0, 20.0), ("failed", "network", 3, None)],
            "network",
        ),
        (
            ["network", "http", "network", "network"],
            [
                ("failed", "network", 0, 10.0),
                ("failed", "http", 0, 10.0),
                ("failed", "network", 0, 20.0),
                ("failed", "network", 4, None),
            ],
            "network",
        ),
        (
            ["network", "-removed"],
            [("failed", "network", 0, 10.0), ("failed", "removed", 2, None)],
            "removed",
        ),
        *[([reason], [("failed", reason, 1, None)], reason) for reason in NOT_TODAY],
        (["check", "upcoming"], [("failed", "check", 0, 10.0), ("failed", "upcoming", 2, None)], "upcoming"),
        (
            ["forbidden", "forbidden", "done"],
            [("failed", "forbidden", 0, 0.0), ("failed", "forbidden", 0, 10.0), ("done", "", 2, None)],
            "done",
        ),
        (
            ["?network"] * 9 + ["done"],
            [*(("failed", "network", 0, 10.0 * n) for n in range(1, 10)), ("done", "", 1, None)],
            "done",
        ),
        (
            ["!bot_check", "!rate_limited", "network", "done"],
            [
                ("blocked", "bot_check", 0, 0.0),
                ("blocked", "rate_limited", 0, 0.0),
                ("failed", "network", 0, 10.0),
                ("done", "", 2, None),
            ],
            "done",
        ),
        (
            [ValueError("oops"), "done"],
            [("failed", "internal", 0, 10.0), ("done", "", 2, None)],
            "done",
        ),
        (
            [OSError(errno.EIO, "Input/output error"), "done"],
            [("failed", "internal", 0, 10.0), ("done", "", 2, None)],
            "done",
        ),
    ],
)
def test_tries_of_one_clip(
    tmp_path: Path, row: list[Said], said: list[tuple[str, str, int, float | None]], left: str
) -> None:
    run = Run(tmp_path, Script({"a1": row}), retry_attempts=3).of("a1")
    assert run.report.said == [("a1", *each) for each in said]
    assert list(run.store.done) == (["a1"] if left == "done" else [])
    assert {key: line["reason"] for key, line in run.store.failed.items()} == (
        {} if left == "done" else {"a1": left}
    )
    assert run.script.closed == 2
    assert run.report.troubles == []


def test_no_more_tries_than_asked_for(tmp_path: Path) -> None:
    run = Run(tmp_path, Script({}, default="network"), retry_attempts=4).of("a1 b1")
    assert run.tries == {"a1": 4, "b1": 4}
    assert {line["attempts"] for line in run.store.failed.values()} == {4}


def test_a_fault_of_ours_is_written_down_and_charged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "avclips")
    run = Run(tmp_path, Script({"a2": [ValueError("oops")] * 9}), retry_attempts=2).of("a1 a2 b1")
    line = run.store.failed["a2"]
    assert (line["reason"], line["attempts"], line["error"]) == ("internal", 2, "ValueError('oops')")
    assert sorted(run.store.done) == ["a1", "b1"]
    # What was told before the fault is not tried again.
    assert run.tries["a1"] == 1
    assert [record.getMessage() for record in caplog.records] == ["a worker failed at video a"] * 2


def test_all_refused_and_then_fine(tmp_path: Path) -> None:
    rows: dict[str, list[Said]] = {name: ["!bot_check"] * 6 for name in ("a1", "b1", "c1", "d1")}
    script = Script(rows)
    together = threading.Barrier(4, timeout=30)
    # Those that come later come one by one: each is a probe.
    script.on_call = lambda video: together.wait() if len(script.calls) <= 4 else None
    run = Run(tmp_path, script, Simulated(60.0), workers=4).of("a1 b1 c1 d1")
    assert run.tries == dict.fromkeys(rows, 7)
    assert {done.attempts for done in run.store.done.values()} == {1}
    assert run.store.failed == {}


def test_one_that_is_always_refused_is_set_aside(tmp_path: Path) -> None:
    """Others are answered between its refusals, so that it must be about the clip."""
    others = " ".join(f"{name}1" for name in "bcdefghi")
    run = Run(tmp_path, Script({"a1": ["!bot_check"] * 999}), workers=1).of(f"a1 {others}")
    assert sorted(run.store.done) == others.split()
    assert (run.store.failed["a1"]["reason"], run.store.failed["a1"]["permanent"]) == ("bot_check", False)
    # The first may be about us; those that count come after an answer to somebody else.
    heard = [(status, attempts) for name, status, _, attempts, _ in run.report.said if name == "a1"]
    assert heard == [("blocked", 0)] * REFUSALS + [("failed", REFUSALS)]


def test_the_last_of_a_list_is_set_aside_when_it_alone_is_refused(tmp_path: Path) -> None:
    run = Run(tmp_path, Script({"z1": ["!bot_check"] * 999}), workers=1).of("a1 b1 c1 z1")
    assert (sorted(run.store.done), run.tries["z1"]) == (["a1", "b1", "c1"], REFUSALS)
    assert run.store.failed["z1"]["attempts"] == REFUSALS


def test_two_clips_of_a_video_are_tried_again_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the later of them is due: one extraction for both."""
    delays = iter([7.0, 3.0])
    deferred: list[float] = []
    defer = Engine._defer

    def noted(engine: Engine, video: Video, delay: float) -> None:
        deferred.append(delay)
        defer(engine, video, delay)

    monkeypatch.setattr("avclips.pacing.retries.retry_delay", lambda attempts: next(delays))
    monkeypatch.setattr(Engine, "_defer", noted)
    run = Run(tmp_path, Script({"a1": ["network"], "a3": ["http"]}), workers=1).of("a1 a2 a3")
    assert run.script.calls == [["a1", "a2", "a3"], ["a1", "a3"]]
    assert deferred == [7.0]


# The end of a run


@pytest.mark.parametrize("error", [RunError("no room left"), Stopped()], ids=["RunError", "Stopped"])
def test_what_ends_the_run_stops_the_clock_first(tmp_path: Path, error: BaseException) -> None:
    """A worker that sleeps meanwhile is woken, and what it still sends is kept."""
    script = Script({"a1": [error]})
    run = Run(tmp_path, script)
    sleeping = threading.Event()
    woken: list[bool] = []

    def on_call(video: Video) -> None:
        if video.id == "a":
            assert sleeping.wait(30)
        else:
            sleeping.set()
            try:
                run.clock.sleep(1e12)
            except Stopped:
                woken.append(True)

    script.on_call = on_call
    with pytest.raises(type(error)) as caught:
        run.of("a1 b1 c1 d1 e1")
    assert caught.value is error
    assert run.clock.stopped
    assert woken == [True]
    assert (list(run.store.done), run.store.failed) == (["b1"], {})
    assert len(script.calls) == 2


def test_a_stopped_clock_ends_the_run(tmp_path: Path) -> None:
    script = Script({})
    run = Run(tmp_path, script, workers=1)
    script.on_call = lambda video: run.clock.stop() if video.id == "b" else None
    with pytest.raises(Stopped):
        run.of("a1 b1 c1 d1")
    assert script.calls == [["a1"], ["b1"]]
    assert list(run.store.done) == ["a1", "b1"]


def test_what_is_not_final_is_not_charged_by_a_stop(tmp_path: Path) -> None:
    script = Script({"b1": ["network"], "c1": ["-private"]})
    run = Run(tmp_path, script, workers=3)
    gate = threading.Barrier(3, timeout=30)

    def on_call(video: Video) -> None:
        gate.wait()
        run.clock.stop()

    script.on_call = on_call
    with pytest.raises(Stopped):
        run.of("a1 b1 c1")
    assert (list(run.store.done), list(run.store.failed)) == (["a1"], ["c1"])


def test_an_empty_list(tmp_path: Path) -> None:
    run = Run(tmp_path, Script({})).of("")
    assert (run.script.calls, run.report.said) == ([], [])


# --max-clips


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(
    ("clips", "limit", "rows", "done"),
    [
        ("a1 b1 c1 d1", 2, {}, 2),
        ("a1 b1 c1 d1", 4, {}, 4),
        ("a1 b1 c1 d1", 9, {}, 4),
        ("a1 a2 a3 a4 b1 b2", 3, {}, 3),
        ("a1 a2 b1 b2 b3 c1", 5, {}, 5),
        ("a1 b1 c1 d1", 2, {"a1": ["-private"], "b1": ["-removed"]}, 2),
        ("a1 b1 c1 d1", 2, {"a1": ["network", "http"], "c1": ["network"]}, 2),
        ("a1 a2 a3 a4 b1", 3, {"a1": ["-private"], "a2": ["network"]}, 3),
        ("a1 b1 c1", 2, {"a1": ["-private"], "b1": ["-private"]}, 1),
        ("a1 b1 c1 d1", 3, {"a1": ["!bot_check"] * 3, "c1": ["-removed"]}, 3),
    ],
)
def test_exactly_so_many_are_done(
    tmp_path: Path, clips: str, limit: int, rows: dict[str, list[Said]], done: int, workers: int
) -> None:
    run = Run(tmp_path, Script(rows), max_clips=limit, workers=workers).of(clips)
    assert len(run.store.done) == done


def test_those_of_earlier_runs_count(tmp_path: Path) -> None:
    run = Run(tmp_path, Script({}), max_clips=3)
    for name in ("a1", "b1", "x1"):
        run.store.record(Outcome(Clip(name, name[0], 0.0, 10.0), "done"))
    # What another list has brought does not.
    assert run.of("a1 b1 c1 d1 e1").script.calls == [["c1"]]


# Many


def test_two_thousand_clips_and_never_more_than_workers_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[int] = []

    class Pool(ThreadPoolExecutor):
        def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
            waiting.append(len(run.engine._running))
            return super().submit(*args, **kwargs)

    monkeypatch.setattr("avclips.fetch.scheduler.ThreadPoolExecutor", Pool)
    clips = [Clip(f"v{n // 2}_{n}", f"v{n // 2}", 0.0, 10.0) for n in range(2000)]
    rows: dict[str, list[Said]] = {clip.id: ["network"] for clip in clips[::100]}
    run = Run(tmp_path, Script(rows), workers=8)
    run.over(clips)
    assert len(run.store.done) == 2000
    assert len(run.script.calls) == 1020
    # Besides the one that is handed out.
    assert max(waiting) == 7


# Trouble that cannot be the videos'


def many(count: int) -> list[Clip]:
    return [Clip(f"v{n:02}", f"video {n:02}", 0.0, 10.0) for n in range(count)]


def test_twenty_videos_in_a_row_are_not_charged(tmp_path: Path) -> None:
    rows: dict[str, list[Said]] = {clip.id: ["check"] for clip in many(TROUBLE_AFTER)}
    run = Run(tmp_path, Script(rows), Simulated(), workers=1, retry_attempts=1).over(many(30))
    assert (run.report.troubles, run.report.backs) == (["v19"], [TROUBLE_AFTER])
    assert (len(run.store.done), run.store.failed) == (30, {})
    assert {done.attempts for done in run.store.done.values()} == {1}
    assert run.tries == {clip.id: 2 if clip.id in rows else 1 for clip in many(30)}
    assert run.report.blocks[-2:] == [["trouble"], [None]]


def test_what_failed_in_the_row_came_back_in_the_files_too(tmp_path: Path) -> None:
    """A run that is stopped in the middle of the trouble leaves nobody charged."""
    script = Script({}, default="check")
    run = Run(tmp_path, script, Simulated(), workers=1, retry_attempts=1)
    run.report.trouble = lambda outcome: run.clock.stop()  # type: ignore[method-assign]
    with pytest.raises(Stopped):
        run.over(many(30))
    assert (run.store.done, run.store.failed, len(script.calls)) == ({}, {}, TROUBLE_AFTER)
    run.store.read()
    assert run.store.failed == {}


@pytest.mark.parametrize(
    ("reason", "between", "troubles", "failed"),
    [
        ("check", "done", [], 38),
        ("http", "done", [], 38),
        ("http", "-private", [], 39),
        # That a video is gone says nothing of our ffmpeg; the twenty come with their second try.
        ("check", "-private", ["v20"], 19),
    ],
)
def test_an_answer_between_them_ends_the_row(
    tmp_path: Path, reason: str, between: str, troubles: list[str], failed: int
) -> None:
    rows: dict[str, list[Said]] = {clip.id: [reason] for clip in many(39)}
    rows["v19"] = [between]
    run = Run(tmp_path, Script(rows), Simulated(10.0), workers=1, retry_attempts=1).over(many(39))
    assert (run.report.troubles, len(run.store.failed)) == (troubles, failed)


def test_what_was_found_in_the_folder_ends_no_row(tmp_path: Path) -> None:
    rows: dict[str, list[Said]] = {clip.id: ["check"] for clip in many(30) if clip.id != "v05"}
    run = Run(tmp_path, Script(rows), Simulated(10.0), workers=1, retry_attempts=1)
    run.store.files.paths("v05")[0].write_text("right")
    run.over(many(30))
    assert run.report.troubles == ["v20"]


def test_those_that_wait_for_another_try_are_not_told_as_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But their charges are: all of them still have all their tries."""
    # None of them is tried again before all have failed.
    monkeypatch.setattr("avclips.pacing.retries.retry_delay", lambda attempts: 3600.0)
    rows: dict[str, list[Said]] = {clip.id: ["check"] for clip in many(TROUBLE_AFTER)}
    run = Run(tmp_path, Script(rows), Simulated(10.0), workers=1, retry_attempts=5).over(many(30))
    assert (run.report.troubles, run.report.backs) == (["v19"], [0])
    assert {done.attempts for done in run.store.done.values()} == {1} and len(run.store.done) == 30


def test_an_outage_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is reached: the run pauses and probes, nobody is charged, and it says so."""
    monkeypatch.setattr("avclips.pacing.retries.retry_delay", lambda attempts: 3600.0)
    rows: dict[str, list[Said]] = {clip.id: ["?network"] for clip in many(TROUBLE_AFTER)}
    run = Run(tmp_path, Script(rows), Simulated(), workers=1).over(many(30))
    assert (run.report.troubles, run.report.backs) == (["v19"], [0])
    assert {done.attempts for done in run.store.done.values()} == {1} and len(run.store.done) == 30


def test_three_forbidden_videos_in_a_row_are_a_block(tmp_path: Path) -> None:
    rows: dict[str, list[Said]] = {name: ["forbidden"] for name in ("a1", "b1", "c1")}
    run = Run(tmp_path, Script(rows), Simulated(), workers=1).of("a1 b1 c1 d1")
    assert run.report.blocks == [[None], ["forbidden"], [None]]
    assert {done.attempts for done in run.store.done.values()} == {1}
    assert (len(run.store.done), run.report.troubles) == (4, [])


def test_a_clip_that_failed_before_comes_back_once(tmp_path: Path) -> None:
    rows: dict[str, list[Said]] = {clip.id: ["check"] for clip in many(TROUBLE_AFTER)}
    run = Run(tmp_path, Script(rows), Simulated(), workers=1)
    for clip in many(3):
        run.store.record(Outcome(clip, "failed", "network", "words", attempts=5))
    run.over(many(30))
    assert run.tries == {clip.id: 2 if clip.id in rows else 1 for clip in many(30)}


# Identities


def test_while_one_identity_is_blocked_the_others_go_on(tmp_path: Path) -> None:
    clock, script = Simulated(), Script({})
    run = Run(tmp_path, script, clock, pacers=3, workers=3)
    blocked = run.pacers[1]
    blocked.blocked(blocked.wait(), "rate_limited")
    run.over(many(50))
    assert len(run.store.done) == 50
    assert clock.now() < 3600
    assert set(script.callers) == {run.pacers[0], run.pacers[2]}
    assert run.report.blocks == [[None, "rate_limited", None]]


def test_a_video_that_one_identity_is_refused_comes_from_another(tmp_path: Path) -> None:
    clock, script = Simulated(), Script({"a1": ["!rate_limited"]})
    run = Run(tmp_path, script, clock, pacers=2, workers=2).of("a1 b1")
    assert sorted(run.store.done) == ["a1", "b1"]
    assert clock.now() < 3600
    first, last = (caller for call, caller in zip(script.calls, script.callers, strict=True) if call == ["a1"])
    assert {first, last} == set(run.pacers)


def test_when_all_are_blocked_one_probes_at_a_time(tmp_path: Path) -> None:
    clock, script = Simulated(30.0), Script({})
    run = Run(tmp_path, script, clock, workers=4)
    run.pacers[0].blocked(run.pacers[0].wait(), "bot_check")
    began: list[float] = []
    probing = threading.Event()

    def on_call(video: Video) -> None:
        began.append(clock.now())
        if len(began) == 1:
            # Long enough for the engine to look around many times.
            for _ in range(10):
                clock.time += 60
                probing.wait(0.01)

    script.on_call = on_call
    run.of("a1 b1 c1 d1")
    assert began[0] >= 1800 and began[1] > began[0] + 1
    assert len(run.store.done) == 4


# Giving up


@pytest.mark.parametrize("said", ["!bot_check", "?network"])
def test_giving_up_after_so_long_without_an_answer(tmp_path: Path, said: str) -> None:
    clock = Simulated(60.0)
    run = Run(tmp_path, Script({}, default=said), clock, retry_attempts=1, give_up_after=36_000.0)
    with pytest.raises(GaveUp, match="^nothing was to be had for 10 hours$") as caught:
        run.of("a1 b1 c1")
    assert (caught.value.exit_code, "start the same command again" in caught.value.hint) == (75, True)
    assert 36_000 < clock.now() < 36_000 + 600
    assert (run.store.done, run.store.failed, clock.stopped) == ({}, {}, True)


def test_an_answer_puts_the_giving_up_off(tmp_path: Path) -> None:
    clock = Simulated(60.0)
    script = Script({"a1": ["!bot_check", "-private"]}, default="!bot_check")
    run = Run(tmp_path, script, clock, workers=1, give_up_after=36_000.0)
    answered: list[float] = []
    told = run.report.outcome

    def outcome(outcome: Outcome, retry_in: float | None) -> None:
        told(outcome, retry_in)
        if outcome.permanent:
            answered.append(clock.now())

    run.report.outcome = outcome  # type: ignore[method-assign]
    with pytest.raises(GaveUp):
        run.of("a1 b1 c1 d1")
    assert answered[0] > 3600
    assert 36_000 < clock.now() - answered[0] < 36_000 + 600


# Files that stand there already


def test_what_stands_there_needs_no_leave_to_ask(tmp_path: Path) -> None:
    clock, script = Simulated(30.0), Script({})
    run = Run(tmp_path, script, clock, workers=1)
    for name, content in (("a1", "right"), ("a2", "wrong"), ("b1", "right")):
        run.store.files.paths(name)[0].write_text(content)
    run.pacers[0].blocked(run.pacers[0].wait(), "bot_check")
    at: dict[str, float] = {}
    told = run.report.outcome
    run.report.outcome = lambda *said: (at.setdefault(said[0].clip.id, clock.now()), told(*said))  # type: ignore
    run.of("a1 a2 a3 b1")
    assert sorted(run.store.done) == ["a1", "a2", "a3", "b1"]
    assert (script.adopted, script.calls) == ([["a1", "a2", "a3"], ["b1"]], [["a2", "a3"]])
    assert (at["a1"] < 1800, at["b1"] < 1800, at["a2"] >= 1800) == (True, True, True)
    assert [path.read_text() for path in (run.store.folder / "set_aside").iterdir()] == ["wrong"]


# Let go by a person while it runs


def test_what_is_taken_out_of_the_failures_is_tried_again(tmp_path: Path) -> None:
    script = Script({"a1": ["-private"], "b1": ["network"]})
    run = Run(tmp_path, script, workers=1, retry_attempts=1)

    def on_call(video: Video) -> None:
        # By now a and b have failed; a person deletes all of the list.
        if video.id == "c":
            run.store.snapshot(force=True)
            (run.store.folder / "failed_downloads.json").unlink()
            run.store._next_snapshot = 0.0

    script.on_call = on_call
    run.of("a1 b1 c1")
    assert run.script.calls[:3] == [["a1"], ["b1"], ["c1"]]
    assert sorted(run.script.calls[3:]) == [["a1"], ["b1"]]
    assert sorted(run.store.done) == ["a1", "b1", "c1"]
    assert {done.attempts for done in run.store.done.values()} == {1}


def test_what_waits_for_its_turn_anyway_comes_once(tmp_path: Path) -> None:
    """A person lets earlier runs' failures go while this one is on its way to them."""
    script = Script({})
    run = Run(tmp_path, script, workers=1)
    for clip in many(5):
        run.store.record(Outcome(clip, "failed", "network", "words", attempts=5))
    run.store.snapshot(force=True)

    def on_call(video: Video) -> None:
        if video.id == "video 01":
            (run.store.folder / "failed_downloads.json").unlink()
            run.store._next_snapshot = 0.0

    script.on_call = on_call
    run.over(many(5))
    assert run.tries == {clip.id: 1 for clip in many(5)}


# Grouping


@pytest.mark.parametrize(
    ("clips", "groups"),
    [
        ("", []),
        ("a1", ["a1"]),
        ("a1 b1 a2 c1 b2", ["a1 a2", "b1 b2", "c1"]),
        ("b2 a9 b1", ["b2 b1", "a9"]),
    ],
)
def test_by_video(clips: str, groups: list[str]) -> None:
    found = by_video([Clip(name, name[0], 0.0, 10.0) for name in clips.split()], "https://{}/".format)
    assert [" ".join(clip.id for clip in video.clips) for video in found] == groups
    assert [(video.id, video.url) for video in found] == [(g[0], f"https://{g[0]}/") for g in groups]

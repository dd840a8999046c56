"""What a user watches: the summary, the line a minute, and nothing a file could not take."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from avclips.core.errors import REASONS
from avclips.core.model import Clip, Outcome
from avclips.core.settings import Identity, Settings
from avclips.pacing.pacer import Pacer, make_pacer
from avclips.pacing.retries import TROUBLE_AFTER
from avclips.progress import console as report_module
from avclips.progress.console import WAYS_OUT, Report, be_quiet
from avclips.progress.forecast import Work
from avclips.progress.summary import NO_BETTER, summary, without_better
from tests.support.fake_clock import FakeClock

COOKIES = "Some videos want a signed-in viewer: --cookies FILE (of a throwaway account) may bring them."
AGAIN = "What is missing comes with the same command."
FINAL = "To ask again for what is final: --retry-failed [REASON ...], or take it out of failed_downloads.json."


def failures(*reasons: str) -> dict[str, dict[str, Any]]:
    """Journal lines of failures; "-reason" is a permanent one."""
    return {
        str(number): {"reason": reason.removeprefix("-"), "permanent": reason.startswith("-")}
        for number, reason in enumerate(reasons)
    }


@pytest.mark.parametrize(
    ("done", "wanted", "failed", "untried", "lines"),
    [
        (0, 0, [], 0, ["0 of 0 clips are done, 0 failed, 0 not tried yet."]),
        (5, 5, [], 0, ["5 of 5 clips are done, 0 failed, 0 not tried yet."]),
        (1, 5, [], 4, ["1 of 5 clips are done, 0 failed, 4 not tried yet.", AGAIN]),
        (
            *(3, 6, ["-private", "-drm", "-private"], 0),
            [
                "3 of 6 clips are done, 3 failed, 0 not tried yet.",
                "       2  private: private video (final)",
                "       1  drm: protected by DRM (final)",
                FINAL,
            ],
        ),
        (
            *(0, 2, ["network", "network"], 0),
            [
                "0 of 2 clips are done, 2 failed, 0 not tried yet.",
                "       2  network: network trouble (another run tries again)",
                AGAIN,
            ],
        ),
        (
            *(1, 9, ["-age", "upcoming", "-login"], 5),
            [
                "1 of 9 clips are done, 3 failed, 5 not tried yet.",
                "       1  age: needs a signed-in adult (cookies may help) (final)",
                "       1  upcoming: premiere or live stream that is not over yet (another run tries again)",
                "       1  login: needs a sign-in (cookies may help) (final)",
                COOKIES,
                AGAIN,
                FINAL,
            ],
        ),
        (
            *(0, 2, ["-unavailable", "unavailable"], 0),
            [
                "0 of 2 clips are done, 2 failed, 0 not tried yet.",
                "       1  unavailable: YouTube says only: Video unavailable (final)",
                "       1  unavailable: YouTube says only: Video unavailable (another run tries again)",
                AGAIN,
                FINAL,
            ],
        ),
        (
            *(0, 1, ["from_a_later_version"], 0),
            [
                "0 of 1 clips are done, 1 failed, 0 not tried yet.",
                "       1  from_a_later_version: unknown reason (another run tries again)",
                AGAIN,
            ],
        ),
    ],
)
def test_summary(done: int, wanted: int, failed: list[str], untried: int, lines: list[str]) -> None:
    assert summary(done, wanted, failures(*failed), untried) == lines


@pytest.mark.parametrize(
    ("failed", "untried", "lines"),
    [
        ([], 0, []),
        (["-private", "-drm", "-private"], 0, ["  again --retry-failed private drm"]),
        ([], 1200, ["1,200 clips may still come: 1,200 not tried yet. This asks for them:", "  again"]),
        (
            ["network", "slow", "network", "not_archived"],
            2,
            [
                "5 clips may still come: 2 not tried yet, 3 failed for what may pass (2 network, 1 slow). "
                "This asks for them:",
                "  again",
            ],
        ),
        (
            ["-unavailable", "unavailable"],
            0,
            [
                "1 clips may still come: 1 failed for what may pass (1 unavailable). This asks for them:",
                "  again",
                "  again --retry-failed unavailable",
            ],
        ),
        # Of the archives alone.
        (["archive"], 0, []),
    ],
)
def test_a_summary_for_somebody_who_has_typed_nothing(failed: list[str], untried: int, lines: list[str]) -> None:
    said = summary(1, 1 + len(failed) + untried, failures(*failed), untried, again="again")
    assert [line for line in said if line.startswith("  again") or "may still come" in line] == lines


# Progress: the time is ours


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    now = SimpleNamespace(seconds=0.0)
    faked = SimpleNamespace(monotonic=lambda: now.seconds, strftime=lambda form: "12:34:56")
    monkeypatch.setattr(report_module, "time", faked)
    return now


def pacer(clock: FakeClock, proxy: str | None = None) -> Pacer:
    return make_pacer(Identity(proxy), None, 0, None, clock)


def outcome(name: str, status: Any = "done", reason: str = "", fetched: int = 0) -> Outcome:
    facts = {"bytes_fetched": fetched} if fetched else {}
    return Outcome(Clip(name, name, 0.0, 10.0), status, reason, "words", facts=facts)


def test_a_line_a_minute(now: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    clock = FakeClock()
    report = Report(clock, todo=10, done=100, terminal=False)
    pacers = [pacer(clock)]
    report.tick(pacers, None)
    now.seconds = 59.9
    report.tick(pacers, None)
    assert capsys.readouterr().out == ""
    now.seconds = 60.0
    report.tick(pacers, None)
    report.tick(pacers, None)
    report.outcome(outcome("a", fetched=1_500_000), None)
    report.outcome(outcome("b"), None)
    report.outcome(outcome("c", "failed", "private"), None)
    report.outcome(outcome("d", "failed", "network"), 12.0)
    report.outcome(outcome("e", "blocked", "bot_check"), 0.0)
    now.seconds = 120.0
    report.tick(pacers, None)
    report.close()
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "12:34:56 100/110 done 100 failed 0, time left unknown, 0 clips/h, 0 bytes",
        "12:34:56 103/110 done 102 failed 1, about 0:04:40 left, 90 clips/h, 1.5 MB",
    ]
    assert said.err == ""


def work(todo: int, settings: Settings | None = None, **more: Any) -> Work:
    """So many clips of as many videos to be fetched, by four workers, with no limit but what ``settings`` have."""
    settings = settings or Settings(Path(), rate_limit=None, sleep=0.0)
    usual = {"listed": todo, "failed": 0, "asked": todo, "videos": todo, "most": None, "workers": 4}
    return Work(**{**usual, "todo": todo, "settings": settings, **more})


def test_the_whole_list_is_counted(now: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    """What was done, and what failed for good, in earlier runs is in it, too."""
    clock = FakeClock()
    report = Report(clock, 79, 26, terminal=False, work=work(79, listed=107, failed=2))
    now.seconds = 60.0
    report.tick([pacer(clock)], None)
    report.outcome(outcome("a"), None)
    report.outcome(outcome("b", "failed", "private"), None)
    now.seconds = 120.0
    report.tick([pacer(clock)], None)
    report.close()
    counts = [line.partition(",")[0] for line in capsys.readouterr().out.splitlines()]
    assert counts == ["12:34:56 28/107 done 26 failed 2", "12:34:56 30/107 done 27 failed 3"]


@pytest.mark.parametrize(
    ("more", "per_hour", "left"),
    [
        # 1000 extractions, 30 of which may be at once, and then 240 an hour.
        ({}, 270, "about 4:02:30 left by --videos-per-hour"),
        ({"videos": 500}, 270, "about 1:57:30 left by --videos-per-hour"),
        ({"settings": Settings(Path(), sleep=3.0, rate_limit=None)}, 0, "about 0:16:40 left by --sleep"),
        ({"settings": Settings(Path(), sleep=0.0, rate_limit=50_000)}, 0, "about 1:23:20 left by --rate-limit"),
        (
            {"settings": Settings(Path(), sleep=3.0, rate_limit=50_000)},
            270,
            "about 4:02:30 left by --videos-per-hour",
        ),
        # Of a --max-clips, what is left of it.
        ({"most": 130}, 270, "about 0:25:00 left by --videos-per-hour"),
        ({"most": 25}, 270, "time left unknown"),
        # From archives: nobody is asked, and nothing known until some came.
        ({"videos": 0, "asked": 0}, 270, "time left unknown"),
        ({}, 0, "time left unknown"),
    ],
)
def test_the_time_left_is_by_what_binds(
    now: SimpleNamespace, capsys: pytest.CaptureFixture[str], more: dict[str, Any], per_hour: int, left: str
) -> None:
    clock = FakeClock()
    own = make_pacer(Identity(), None, per_hour, None, clock)
    report = Report(clock, 1000, 0, terminal=False, work=work(1000, **more))
    now.seconds = 60.0
    report.tick([own], None)
    report.close()
    assert capsys.readouterr().out.split(", ")[1] == left


def test_what_was_done_lately_counts_where_it_is_slower(
    now: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first thirty that may be asked for at once are no measure; a slow machine is."""
    clock = FakeClock()
    own = make_pacer(Identity(), None, 270, None, clock)
    report = Report(clock, 1000, 0, terminal=False, work=work(1000))
    for number in range(30):
        report.outcome(outcome(f"a{number}"), None)
    now.seconds = 60.0
    report.tick([own], None)
    for number in range(230):
        now.seconds += 60.0
        report.outcome(outcome(f"b{number}"), None)
    capsys.readouterr()
    report.tick([own], None)
    report.close()
    assert capsys.readouterr().out.split(", ")[1:3] == ["about 12:20:00 left", "60 clips/h"]


@pytest.mark.usefixtures("no_jitter")
def test_a_block_has_a_countdown_and_no_time_left(
    now: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor does it count as slowness afterwards."""
    clock = FakeClock()
    each = pacer(clock)
    report = Report(clock, 60, 0, terminal=False, work=work(60))
    for number in range(20):
        now.seconds += 3.0
        report.outcome(outcome(f"a{number}"), None)
    report.tick([each], None)
    each.blocked(each.wait(), "bot_check")
    report.tick([each], None)
    clock.time += 600
    now.seconds += 600
    report.tick([each], None)
    clock.time += 1200
    now.seconds += 1200
    each.answered(each.wait(), success=True)
    report.tick([each], None)
    report.close()
    lines = [line[9:] for line in capsys.readouterr().out.splitlines() if "/60" in line]
    assert lines == [
        "20/60 done 20 failed 0, about 0:02:00 left, 1200 clips/h, 0 bytes",
        "20/60 done 20 failed 0, blocked: one video tries in 0:20:00, 0 bytes",
        "20/60 done 20 failed 0, about 0:02:00 left, 1200 clips/h, 0 bytes",
    ]


def test_who_waits_for_the_pace_is_told_how_long(now: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    clock = FakeClock()
    own = make_pacer(Identity(), None, 270, None, clock)
    report = Report(clock, 100, 0, terminal=True, work=work(100))
    shown = []
    for _ in range(32):
        own.start()
        report.tick([own], None)
        shown.append(report._bar.desc)
    clock.time += 4
    report.tick([own], None)
    clock.time += 11
    report.tick([own], None)
    report.close()
    assert not any("paced" in each for each in shown[:30])
    # 240 an hour in the long run.
    assert all("paced: next video in 15 s" in each for each in shown[30:])
    assert "paced" not in report._bar.desc


@pytest.mark.parametrize("terminal", [False, True])
def test_quiet(now: SimpleNamespace, capsys: pytest.CaptureFixture[str], terminal: bool) -> None:
    """Neither a bar nor the line a minute; what goes wrong is said, and what matters at the end."""
    clock = FakeClock()
    be_quiet(True)
    try:
        report, each = Report(clock, 10, 0, terminal=terminal), pacer(clock)
        report.say("nothing of importance")
        now.seconds = 60.0
        report.tick([each], None)
        report.outcome(outcome("a"), None)
        each.blocked(each.wait(), "bot_check")
        report.tick([each], "no room left")
        report.say("the summary", matters=True)
        report.close()
    finally:
        be_quiet(False)
    said = capsys.readouterr()
    assert said.err == ""
    assert [line[9:].partition(":")[0] for line in said.out.splitlines()] == ["direct", "Paused", "the summary"]


@pytest.fixture
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avclips.pacing.pacer.random.uniform", lambda low, high: low)


def test_a_pace_that_cannot_be_shared_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To the terminal, in one line, with --quiet too."""
    (tmp_path / "file").write_text("")
    clock = FakeClock()
    pacers = [
        make_pacer(Identity(proxy), "cookies", None, tmp_path / "file" / "state", clock)
        for proxy in (None, "http://p:1")
    ]
    watched = Report(clock, 3, 0, terminal=False)
    watched.tick(pacers, None)
    assert "cannot be shared" not in capsys.readouterr().out
    be_quiet(True)
    try:
        for pacer in pacers:
            pacer.start()
            watched.tick(pacers, None)
    finally:
        be_quiet(False)
    (line,) = capsys.readouterr().out.splitlines()
    assert line[9:] == (
        f"Warning: the pace cannot be shared ({tmp_path}/file/state: Not a directory): other runs on this "
        "connection, and the next one, do not know of it. Name a folder that can be written to: --state-dir PATH"
    )
    shared = make_pacer(Identity(), None, None, tmp_path / "state", clock)
    shared.start()
    Report(clock, 3, 0, terminal=False).tick([shared], None)
    assert "cannot be shared" not in capsys.readouterr().out


def test_more_come_only_where_there_are_more() -> None:
    """With --max-clips."""
    limit = "--max-clips 3 is reached: more come with a larger one, or without it."
    assert limit in summary(3, 9, {}, 6, 3) and limit in summary(3, 4, failures("network"), 0, 3)
    assert summary(3, 3, {}, 0, 3) == ["3 of 3 clips are done, 0 failed, 0 not tried yet."]
    assert limit not in summary(3, 4, failures("-private"), 0, 3)
    assert limit not in summary(3, 4, failures("not_archived"), 0, 3)


@pytest.mark.usefixtures("now", "no_jitter")
def test_a_block_is_told_as_it_goes(capsys: pytest.CaptureFixture[str]) -> None:
    """When it begins and is prolonged, each ten minutes, and when it ends."""
    clock = FakeClock()
    report, each = Report(clock, 10, 0, terminal=False), pacer(clock)
    for _ in range(2):
        each.blocked(each.wait(), "bot_check")
        report.tick([each], None)
        report.tick([each], None)
    for seconds in (599, 1, 599, 1):
        clock.time += seconds
        report.tick([each], None)
    each.answered(each.wait(), success=True)
    report.tick([each], None)
    report.tick([each], None)
    report.close()
    refused = "12:34:56 direct: YouTube refuses us (YouTube asks us to prove that we are no bot): waiting "
    then = f", then one video tries. No clip is charged for it. {WAYS_OUT}"
    assert capsys.readouterr().out.splitlines() == [
        f"{refused}0:30:00{then}",
        f"{refused}1:00:00{then}",
        "12:34:56 direct: still waiting, 0:50:00 to go.",
        "12:34:56 direct: still waiting, 0:40:00 to go.",
        "12:34:56 direct: YouTube answers again; going on at 50% of the full pace.",
    ]


@pytest.mark.usefixtures("now", "no_jitter")
def test_each_identity_tells_of_its_own_block(capsys: pytest.CaptureFixture[str]) -> None:
    clock = FakeClock()
    report, pacers = Report(clock, 10, 0, terminal=False), [pacer(clock), pacer(clock, "http://me:secret@p:1")]
    pacers[1].blocked(pacers[1].wait(), "too_many_requests")
    report.tick(pacers, None)
    pacers[0].blocked(pacers[0].wait(), "rate_limited")
    report.tick(pacers, None)
    report.close()
    said = [line.partition(": waiting ") for line in capsys.readouterr().out.splitlines()]
    assert [(head, tail[:7]) for head, _, tail in said] == [
        ("12:34:56 http://p:1: YouTube refuses us (HTTP 429, too many requests)", "0:05:00"),
        ("12:34:56 direct: YouTube refuses us (YouTube limits this session)", "1:00:00"),
    ]


@pytest.mark.usefixtures("now")
def test_what_came_without_better_formats_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(FakeClock(), 3, 0, terminal=False)
    for name in "abc":
        facts = {"withheld": "sabr", "formats": "18"} if name != "a" else {}
        report.outcome(Outcome(Clip(name, name, 0.0, 10.0), "done", facts=facts), None)
    report.close()
    assert capsys.readouterr().out.splitlines() == [
        "12:34:56 b came in what was left of its formats: YouTube has formats that it gives by SABR alone, which "
        f"yt-dlp cannot read. {NO_BETTER}"
    ]


NO_MORE = "videos offered only format 18, or HLS, here"


@pytest.mark.parametrize(
    ("videos", "withheld", "lines"),
    [
        (5, {}, []),
        (5, {"sabr": 0}, []),
        (1200, {"sabr": 144}, [f"144 of 1,200 {NO_MORE}: {REASONS['sabr']}.", NO_BETTER]),
        (3, {"po_token": 1, "sabr": 2},
            [f"2 of 3 {NO_MORE}: {REASONS['sabr']}.", f"1 of 3 {NO_MORE}: {REASONS['po_token']}.", NO_BETTER]),
    ],
)  # fmt: skip
def test_videos_without_their_better_formats(videos: int, withheld: dict[str, int], lines: list[str]) -> None:
    assert without_better(videos, withheld) == lines


@pytest.mark.usefixtures("now", "no_jitter")
def test_trouble_is_told_with_its_last_words(capsys: pytest.CaptureFixture[str]) -> None:
    clock = FakeClock()
    report, each = Report(clock, 10, 0, "yt-dlp 1, ffmpeg 2", terminal=False), pacer(clock)
    report.trouble(Outcome(Clip("a", "a", 0.0, 10.0), "failed", "http", "no way " * 99))
    each.pause("trouble")
    report.tick([each], None)
    report.close()
    assert capsys.readouterr().out.splitlines() == [
        f"12:34:56 {TROUBLE_AFTER} videos in a row failed, the last with: http: {'no way ' * 57}... "
        "That is not the videos' "
        "fault, and no clip is charged for it. Is the network up? yt-dlp 1, ffmpeg 2",
        "12:34:56 direct: too many failed in a row, in this run or one on the same connection: waiting 0:01:00, "
        "then one video tries. No clip is charged for it.",
    ]


@pytest.mark.usefixtures("now")
def test_a_pause_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    clock = FakeClock()
    report, pacers = Report(clock, 10, 0, terminal=False), [pacer(clock)]
    # What is free changes all the time: that alone is no news.
    for paused in (None, "1.99 GB are free", "1.98 GB are free", "no room left", None, None, "no room left"):
        report.tick(pacers, paused)
    report.close()
    assert capsys.readouterr().out.splitlines() == [
        "12:34:56 Paused: 1.99 GB are free; it goes on when there is room.",
        "12:34:56 There is room again.",
        "12:34:56 Paused: no room left; it goes on when there is room.",
    ]


def test_nothing_but_lines_where_there_is_no_terminal(
    now: SimpleNamespace, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report = Report(FakeClock(), 3, 0)
    for name in ("a", "b", "c"):
        report.outcome(outcome(name), None)
        now.seconds += 60
        report.tick([pacer(FakeClock())], None)
    report.say("said")
    report.close()
    said = capfd.readouterr()
    assert said.err == ""
    assert len(said.out.splitlines()) == 4
    assert all(line.isprintable() for line in said.out.splitlines())


def test_a_bar_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(FakeClock(), 3, 5, terminal=True)
    report.outcome(outcome("a"), None)
    report.outcome(outcome("b", "failed", "private"), None)
    report.say("said above")
    report.close()
    said = capsys.readouterr()
    assert "7/8 done 6 failed 1" in said.err
    assert [line[9:] for line in said.err.replace("\r", "\n").splitlines() if "said" in line] == ["said above"]
    assert said.out == ""


@pytest.mark.parametrize("terminal", [False, True])
def test_what_is_taken_back_is_to_go_again(
    now: SimpleNamespace, capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    report = Report(FakeClock(), 5, 0, terminal=terminal)
    for name in "abc":
        report.outcome(outcome(name, "failed", "check"), None)
    report.taken_back(["a", "b"])
    report.taken_back([])
    now.seconds = 60.0
    report.tick([pacer(FakeClock())], None)
    report.close()
    said = capsys.readouterr()
    if terminal:
        assert "1/5 done 0 failed 1" in said.err.rpartition("3/5")[2]
    else:
        assert "1/5 done 0 failed 1, about 0:04:00 left" in said.out


@pytest.mark.usefixtures("now", "no_jitter")
def test_identities_of_one_name_tell_each_of_its_block(capsys: pytest.CaptureFixture[str]) -> None:
    clock = FakeClock()
    report, pacers = Report(clock, 10, 0, terminal=False), [pacer(clock), pacer(clock)]
    for each in pacers:
        each.blocked(each.wait(), "bot_check")
    for _ in range(2):
        report.tick(pacers, None)
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.usefixtures("no_jitter")
def test_a_countdown_before_the_bar_when_nobody_may_start(capsys: pytest.CaptureFixture[str]) -> None:
    clock = FakeClock()
    report, pacers = Report(clock, 3, 0, terminal=True), [pacer(clock), pacer(clock, "http://p:1")]
    shown = []
    for step in range(4):
        if step in (1, 2):
            pacers[step - 1].blocked(pacers[step - 1].wait(), ("rate_limited", "bot_check")[step - 1])
        report.tick(pacers, "no room left" if step == 3 else None)
        shown.append(report._bar.desc)
    report.close()
    assert [each.split(", ")[1] for each in shown] == [
        *("time left unknown", "time left unknown"),
        *("blocked: one video tries in 0:30:00", "no room"),
    ]
    assert "blocked: one video tries in 0:30:00" in capsys.readouterr().err

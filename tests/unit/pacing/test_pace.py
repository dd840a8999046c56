"""When the next request may start: the clock, the numbers, and each step from one Pace to the next."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from avclips.core.clock import Clock
from avclips.core.errors import Stopped, UsageError
from avclips.pacing.pace import (
    LONGEST_WAIT,
    PROBE_AGAIN,
    PROBE_LASTS,
    RECOVERY,
    SLOWEST,
    Block,
    Limit,
    Pace,
    Ticket,
    answered,
    fresh,
    limit_of,
    refilled,
    refused,
    rest,
    retry_delay,
    started,
    undecided,
    wait_after,
    wait_of,
    worked,
)

# Clock


def test_a_stop_wakes_every_sleeper() -> None:
    clock = Clock()
    woken: list[str] = []
    asleep = threading.Barrier(4)

    def sleep() -> None:
        asleep.wait(30)
        try:
            clock.sleep(3600)
        except Stopped:
            woken.append("woken")

    sleepers = [threading.Thread(target=sleep) for _ in range(3)]
    for sleeper in sleepers:
        sleeper.start()
    asleep.wait(30)
    clock.stop()
    for sleeper in sleepers:
        sleeper.join(30)
    assert woken == ["woken"] * 3


def test_a_stopped_clock() -> None:
    clock = Clock()
    called: list[int] = []
    clock.check()
    clock.on_stop(lambda: called.append(1))
    clock.on_stop(lambda: called.append(2))
    assert (clock.stopped, called) == (False, [])
    clock.stop()
    assert (clock.stopped, called) == (True, [1, 2])
    for wait in (clock.check, lambda: clock.sleep(3600), lambda: clock.sleep(0)):
        with pytest.raises(Stopped):
            wait()


@pytest.mark.parametrize(
    ("text", "scale"), [(None, 1.0), ("1", 1.0), ("60", 60.0), ("0.5", 0.5), ("1e3", 1000.0), (" 2 ", 2.0)]
)
def test_the_scale_divides_waits(monkeypatch: pytest.MonkeyPatch, text: str | None, scale: float) -> None:
    if text is not None:
        monkeypatch.setenv("AVCLIPS_TIME_SCALE", text)
    monkeypatch.setattr("avclips.core.clock.time.monotonic", lambda: 100.0)
    monkeypatch.setattr("avclips.core.clock.server_time", lambda path: 1e9)
    clock = Clock()
    waits: list[float] = []
    monkeypatch.setattr(clock._stopped, "wait", lambda seconds: waits.append(seconds))
    clock.sleep(30)
    clock.sleep(-1)
    assert (clock.scale, clock.now(), waits) == (scale, 100.0 * scale, [30 / scale, 0.0])
    assert clock.shared(Path()) == 1e9 * scale
    assert (clock.real(30), clock.real(30, at_least=1e6)) == (30 / scale, 1e6)


@pytest.mark.parametrize("text", ["", "x", "0", "-1", "inf", "nan", "1,5", "-inf"])
def test_a_scale_that_is_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("AVCLIPS_TIME_SCALE", text)
    with pytest.raises(UsageError, match=f"^AVCLIPS_TIME_SCALE={text} is not a number above 0$"):
        Clock()
    assert Clock(2.0).scale == 2.0


# Numbers


@pytest.mark.parametrize(
    ("reason", "waits", "retry_after", "seconds"),
    [
        ("rate_limited", 1, None, 3600),
        ("rate_limited", 2, None, 7200),
        ("bot_check", 1, None, 1800),
        ("bot_check", 4, None, 14400),
        ("bot_check", 5, None, 21600),
        ("too_many_requests", 1, None, 300),
        ("too_many_requests", 1, 120.0, 120),
        ("too_many_requests", 3, 120.0, 480),
        ("too_many_requests", 1, 1e9, 21600),
        ("rate_limited", 1, 60.0, 60),
        ("rate_limited", 1, 29.0, 30),
        ("too_many_requests", 1, 0.0, 30),
        ("too_many_requests", 3, 0.0, 120),
        ("too_many_requests", 2, -5.0, 60),
        ("trouble", 1, None, 60),
        ("trouble", 4, None, 480),
        ("trouble", 5, None, 900),
        ("trouble", 10**6, None, 900),
        ("wrong_video", 1, None, 300),
        ("no_player_response", 1, None, 300),
        ("forbidden", 2, None, 600),
        ("forbidden", 7, None, 19200),
        ("forbidden", 8, None, 21600),
        ("forbidden", 10**6, None, 21600),
    ],
)
def test_wait_after(reason: str, waits: int, retry_after: float | None, seconds: float) -> None:
    assert wait_after(reason, waits, retry_after) == seconds


@pytest.mark.parametrize(
    ("share", "jitter", "rests"),
    [(0.0, 2.0, [0.0, 3.0, 0.5]), (1.0, 2.0, [0.0, 5.0, 2.5]), (0.5, 1.0, [0.0, 3.5, 1.0])],
)
def test_rest(monkeypatch: pytest.MonkeyPatch, share: float, jitter: float, rests: list[float]) -> None:
    monkeypatch.setattr("avclips.pacing.pace.random.uniform", lambda low, high: low + share * (high - low))
    assert [rest(seconds, jitter) for seconds in (0.0, 3.0, 0.5)] == rests


@pytest.mark.parametrize(
    ("attempts", "longest"), [(1, 20.0), (2, 40.0), (5, 320.0), (8, 2560.0), (9, 3600.0), (900, 3600.0)]
)
def test_retry_delay(monkeypatch: pytest.MonkeyPatch, attempts: int, longest: float) -> None:
    asked: list[tuple[float, float]] = []
    monkeypatch.setattr("avclips.pacing.pace.random.uniform", lambda low, high: asked.append((low, high)) or high)
    assert retry_delay(attempts) == longest
    assert asked == [(0.0, longest)]


# Steps: at second 10000, two tokens a minute and ten at once

LIMIT = Limit(10.0, 1 / 30)
NOW = 10_000.0
FREE = Pace(tokens=5.0, at=NOW, round=3)
BLOCK = Block("bot_check", NOW - 100, NOW + 500, 2)
BLOCKED = replace(FREE, block=BLOCK)
TROUBLED = replace(FREE, block=replace(BLOCK, reason="trouble", thorough=True))
# The media were refused: an answer alone ends it as little.
DENIED = replace(FREE, block=replace(BLOCK, reason="forbidden", thorough=True))


@pytest.mark.parametrize(
    ("videos_per_hour", "limit"),
    [
        (-1, None),
        (0, None),
        (1, Limit(1, 0.5 / 3600)),
        (2, Limit(1, 1 / 3600)),
        (3, Limit(1, 2 / 3600)),
        (10, Limit(5, 5 / 3600)),
        (59, Limit(29, 30 / 3600)),
        (60, Limit(30, 30 / 3600)),
        (270, Limit(30, 240 / 3600)),
        (1000, Limit(30, 970 / 3600)),
    ],
)
def test_limit_of(videos_per_hour: int, limit: Limit | None) -> None:
    assert limit_of(videos_per_hour) == limit


def test_fresh() -> None:
    assert fresh(LIMIT, NOW) == Pace(tokens=10.0, at=NOW)
    assert fresh(None, NOW) == Pace(tokens=0.0, at=NOW)


@pytest.mark.parametrize(
    ("pace", "limit", "after", "tokens"),
    [
        (FREE, LIMIT, 0, 5.0),
        (FREE, LIMIT, 60, 7.0),
        (FREE, LIMIT, 3600, 10.0),
        (FREE, LIMIT, -3600, 5.0),
        (replace(FREE, speed=0.5), LIMIT, 60, 6.0),
        (replace(FREE, tokens=-3.0), LIMIT, 60, -1.0),
        (replace(FREE, tokens=99.0), LIMIT, 0, 10.0),
        (replace(FREE, tokens=0.0), None, 60, 0.0),
        (BLOCKED, LIMIT, 60, 7.0),
    ],
)
def test_time_brings_tokens(pace: Pace, limit: Limit | None, after: float, tokens: float) -> None:
    found = refilled(pace, limit, NOW + after)
    assert found == replace(pace, tokens=pytest.approx(tokens), at=NOW + after)


@pytest.mark.parametrize(
    ("until", "probe_until", "kept", "kept_probe"),
    [
        (NOW + 500, NOW + PROBE_LASTS, NOW + 500, NOW + PROBE_LASTS),
        (NOW + 2 * LONGEST_WAIT, 0.0, NOW + 2 * LONGEST_WAIT, 0.0),
        (NOW + 2 * LONGEST_WAIT + 1, NOW + 9999, NOW + LONGEST_WAIT, NOW + PROBE_LASTS),
        (float("inf"), float("inf"), NOW + LONGEST_WAIT, NOW + PROBE_LASTS),
    ],
)
def test_a_clock_that_was_set_back_holds_nobody_up(
    until: float, probe_until: float, kept: float, kept_probe: float
) -> None:
    found = refilled(replace(FREE, block=replace(BLOCK, until=until), probe_until=probe_until), LIMIT, NOW)
    assert found == replace(FREE, block=replace(BLOCK, until=kept), probe_until=kept_probe)


@pytest.mark.parametrize(
    ("pace", "limit", "wait"),
    [
        (FREE, LIMIT, 0.0),
        (replace(FREE, tokens=1.0), LIMIT, 0.0),
        (replace(FREE, tokens=1.0 - 1e-10), LIMIT, 0.0),
        (replace(FREE, tokens=0.5), LIMIT, 15.0),
        (replace(FREE, tokens=0.5, speed=0.25), LIMIT, 60.0),
        (replace(FREE, tokens=-2.0), LIMIT, 90.0),
        (replace(FREE, tokens=-2.0), None, 0.0),
        # What is left of a probe does not hold up those that are not blocked.
        (replace(FREE, probe_until=NOW + 99), LIMIT, 0.0),
        (BLOCKED, LIMIT, 500.0),
        (BLOCKED, None, 500.0),
        (replace(BLOCKED, at=NOW + 499.5), LIMIT, 0.5),
        (replace(BLOCKED, at=NOW + 500), LIMIT, 0.0),
        (replace(BLOCKED, at=NOW + 500, tokens=0.0), LIMIT, 30.0),
        (replace(BLOCKED, at=NOW + 500, probe_until=NOW + 680), LIMIT, 1.0),
        (replace(BLOCKED, at=NOW + 500, probe_until=NOW + 500.25), LIMIT, 0.25),
        (replace(BLOCKED, at=NOW + 500, probe_until=NOW + 499), LIMIT, 0.0),
    ],
)
def test_wait_of(pace: Pace, limit: Limit | None, wait: float) -> None:
    assert wait_of(pace, limit) == pytest.approx(wait)


@pytest.mark.parametrize(
    ("pace", "limit", "after", "ticket"),
    [
        (FREE, LIMIT, replace(FREE, tokens=4.0), Ticket(3)),
        (FREE, None, replace(FREE, tokens=0.0), Ticket(3)),
        (BLOCKED, LIMIT, replace(BLOCKED, tokens=4.0, probe_until=NOW + PROBE_LASTS), Ticket(3, probe=True)),
    ],
    ids=["free", "no limit", "probe"],
)
def test_started(pace: Pace, limit: Limit | None, after: Pace, ticket: Ticket) -> None:
    assert started(pace, limit) == (after, ticket)


ENDED = replace(FREE, round=4, speed=0.5)


@pytest.mark.parametrize(
    ("pace", "ticket", "success", "after", "next_ticket"),
    [
        (FREE, Ticket(3), True, FREE, Ticket(3)),
        (FREE, Ticket(3), False, replace(FREE, tokens=4.0), Ticket(3)),
        (replace(FREE, speed=0.5), Ticket(3), True, replace(FREE, speed=0.5 + RECOVERY), Ticket(3)),
        (replace(FREE, speed=0.5), Ticket(3), False, replace(FREE, speed=0.5, tokens=4.0), Ticket(3)),
        (replace(FREE, speed=0.9999), Ticket(3), True, FREE, Ticket(3)),
        (replace(FREE, speed=0.5), Ticket(1), True, replace(FREE, speed=0.5 + RECOVERY), Ticket(1)),
        (replace(BLOCKED, probe_until=NOW + 9), Ticket(3, True), True, ENDED, Ticket(4)),
        (BLOCKED, Ticket(3, True), False, replace(ENDED, tokens=4.0), Ticket(4)),
        (
            *(replace(BLOCKED, speed=0.1), Ticket(3, True), True),
            *(replace(ENDED, speed=SLOWEST), Ticket(4)),
        ),
        (TROUBLED, Ticket(3, True), True, TROUBLED, Ticket(3, True)),
        (TROUBLED, Ticket(3, True), False, replace(TROUBLED, tokens=4.0), Ticket(3, True)),
        (BLOCKED, Ticket(2), False, replace(BLOCKED, tokens=4.0), Ticket(2)),
        (DENIED, Ticket(3, True), True, DENIED, Ticket(3, True)),
        # A video that is gone brings no clip: another may probe.
        *(
            (
                replace(pace, probe_until=NOW + 9),
                Ticket(3, True),
                False,
                replace(pace, tokens=4.0),
                Ticket(3, True),
            )
            for pace in (DENIED, TROUBLED)
        ),
        (
            *(replace(DENIED, probe_until=NOW + 9), Ticket(2), False),
            *(replace(DENIED, probe_until=NOW + 9, tokens=4.0), Ticket(2)),
        ),
    ],
)
def test_answered(pace: Pace, ticket: Ticket, success: bool, after: Pace, next_ticket: Ticket) -> None:
    assert answered(pace, ticket, success) == (after, next_ticket)


def test_a_late_answer_does_not_end_a_block() -> None:
    found, ticket = answered(BLOCKED, Ticket(2), success=True)
    assert (found.block, found.round, ticket) == (BLOCK, 3, Ticket(2))


def begun(reason: str, seconds: float, waits: int = 1, since: float = NOW, thorough: bool = False) -> Block:
    return Block(reason, since, NOW + seconds, waits, thorough)


@pytest.mark.parametrize(
    ("pace", "ticket", "reason", "retry_after", "jitter", "block"),
    [
        (FREE, Ticket(3), "bot_check", None, 1.0, begun("bot_check", 1800)),
        (FREE, Ticket(3), "bot_check", None, 1.5, begun("bot_check", 2700)),
        (FREE, Ticket(3), "too_many_requests", 77.0, 1.0, begun("too_many_requests", 77)),
        (BLOCKED, Ticket(3, True), "bot_check", None, 1.0, begun("bot_check", 7200, 3, NOW - 100)),
        (BLOCKED, Ticket(3, True), "rate_limited", None, 1.0, begun("rate_limited", 14400, 3, NOW - 100)),
        # Of how long YouTube will refuse us, trouble's waits say nothing; but it stays thorough among refusals.
        (TROUBLED, Ticket(3, True), "bot_check", None, 1.0, begun("bot_check", 1800)),
        (DENIED, Ticket(3, True), "bot_check", None, 1.0, begun("bot_check", 7200, 3, NOW - 100, True)),
    ],
)
def test_refused(
    pace: Pace, ticket: Ticket, reason: str, retry_after: float | None, jitter: float, block: Block
) -> None:
    found = refused(replace(pace, probe_until=NOW + 9), ticket, reason, retry_after, jitter)
    assert found == replace(pace, tokens=4.0, round=4, refused_at=NOW, block=block)


@pytest.mark.parametrize("pace", [FREE, BLOCKED], ids=["free", "blocked"])
def test_a_refusal_of_an_earlier_round_makes_suspect_but_blocks_nobody(pace: Pace) -> None:
    assert refused(pace, Ticket(2), "bot_check", None) == replace(pace, tokens=4.0, refused_at=NOW)


def test_what_is_thorough() -> None:
    """Media that were refused; and a refusal of the media makes a block so that was not."""
    for pace, seconds, waits, since in ((FREE, 300, 1, NOW), (BLOCKED, 1200, 3, NOW - 100)):
        found = refused(pace, Ticket(3), "forbidden", None, thorough=True)
        assert found.block == begun("forbidden", seconds, waits, since, True)


@pytest.mark.parametrize("pace", [BLOCKED, DENIED], ids=["blocked", "denied"])
def test_trouble_after_a_refusal_waits_anew(pace: Pace) -> None:
    assert refused(pace, Ticket(3), "trouble", None, thorough=True).block == begun("trouble", 60, thorough=True)


def test_trouble_is_no_refusal() -> None:
    """It costs no token, and what is said meanwhile is believed."""
    assert refused(FREE, Ticket(3), "trouble", None) == replace(FREE, round=4, block=begun("trouble", 60))
    assert refused(FREE, Ticket(2), "trouble", None) == FREE


@pytest.mark.parametrize(
    ("pace", "ticket", "after"),
    [
        (FREE, Ticket(3), FREE),
        (BLOCKED, Ticket(3), BLOCKED),
        (BLOCKED, Ticket(2, True), BLOCKED),
        (
            *(replace(BLOCKED, probe_until=NOW + 99), Ticket(3, True)),
            replace(BLOCKED, block=replace(BLOCK, until=NOW + PROBE_AGAIN)),
        ),
        (TROUBLED, Ticket(3), TROUBLED),
        (
            TROUBLED,
            Ticket(3, True),
            replace(FREE, round=4, block=begun("trouble", 240, 3, NOW - 100, True)),
        ),
    ],
    ids=["free", "no probe", "an earlier probe", "probe", "trouble, no probe", "trouble, probe"],
)
def test_undecided(pace: Pace, ticket: Ticket, after: Pace) -> None:
    assert undecided(pace, ticket) == after


@pytest.mark.parametrize(
    ("pace", "after"),
    [
        (FREE, FREE),
        (BLOCKED, BLOCKED),
        (replace(TROUBLED, probe_until=NOW + 9), replace(FREE, round=4)),
        (replace(DENIED, probe_until=NOW + 9), ENDED),
    ],
    ids=["free", "blocked", "trouble", "denied"],
)
def test_worked(pace: Pace, after: Pace) -> None:
    assert worked(pace, Ticket(3, True)) == after
    # A clip of a video that was begun before it began says nothing.
    assert worked(pace, Ticket(2)) == pace

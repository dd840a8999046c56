"""Whom a failure is charged to: outcomes in, verdicts out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from avclips.core.model import Clip, Outcome
from avclips.pacing.pace import SUSPECT_FOR
from avclips.pacing.retries import FORBIDDEN_AFTER, HOME, REFUSALS, TROUBLE_AFTER, Again, Last, Retries


def clip(name: str) -> Clip:
    return Clip(name, f"video of {name}", 0.0, 10.0)


def failed(name: str, reason: str = "check", reached: bool = True) -> Outcome:
    return Outcome(clip(name), "failed", reason, "words", reached=reached)


def done(name: str) -> Outcome:
    return Outcome(clip(name), "done")


def adopted(name: str) -> Outcome:
    return Outcome(clip(name), "done", asked=False)


def gone(name: str) -> Outcome:
    return Outcome(clip(name), "failed", "private", "words", permanent=True)


def refused(name: str) -> Outcome:
    return Outcome(clip(name), "blocked", "bot_check", "words")


def attempts(verdict: Again | Last) -> int:
    assert isinstance(verdict, Last)
    return verdict.outcome.attempts


@pytest.fixture(autouse=True)
def longest_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full jitter at its fullest."""
    monkeypatch.setattr("avclips.pacing.pace.random.uniform", lambda low, high: high)


def test_a_failure_that_may_pass_is_tried_again_ever_later() -> None:
    tries = Retries(4)
    verdicts = [tries.judge(failed("a")) for _ in range(4)]
    assert verdicts[:3] == [Again(20.0), Again(40.0), Again(80.0)]
    assert attempts(verdicts[3]) == 4


@pytest.mark.parametrize("reason", ["upcoming", "formats", "whole_file"])
def test_what_does_not_pass_today_is_tried_once(reason: str) -> None:
    assert attempts(Retries(5).judge(failed("a", reason))) == 1


def test_each_reason_has_its_own_tries() -> None:
    tries = Retries(3)
    reasons = ["check", "check", "http", "http", "media", "check"]
    verdicts = [tries.judge(failed("a", reason)) for reason in reasons]
    assert [isinstance(verdict, Last) for verdict in verdicts] == [False] * 5 + [True]
    assert attempts(verdicts[-1]) == 6


def test_what_is_final_counts_the_tries_before_it() -> None:
    tries = Retries(5)
    tries.judge(failed("a"))
    assert attempts(tries.judge(gone("a"))) == 2
    assert attempts(tries.judge(done("a"))) == 1


def test_a_refusal_is_never_charged_while_nobody_is_answered() -> None:
    tries = Retries(2)
    assert [tries.judge(refused("a")) for _ in range(50)] == [Again(0.0)] * 50
    assert attempts(tries.judge(done("a"))) == 1


def test_the_poisoned_clip_is_set_aside_while_others_are_answered() -> None:
    tries, verdicts = Retries(5), []
    for n in range(REFUSALS + 1):
        verdicts.append(tries.judge(refused("poisoned")))
        tries.judge(done(f"other {n}"))
    assert verdicts[:-1] == [Again(0.0)] * REFUSALS
    last = verdicts[-1]
    assert isinstance(last, Last)
    assert (last.outcome.status, last.outcome.reason) == ("failed", "bot_check")


def test_no_clip_is_charged_while_nothing_gets_through() -> None:
    tries = Retries(2)
    verdicts = [tries.judge(failed("a", "network", reached=False)) for _ in range(12)]
    assert verdicts[:3] == [Again(20.0), Again(40.0), Again(80.0)]
    assert verdicts[-1] == Again(900.0)
    assert tries.unheard
    assert attempts(tries.judge(done("a"))) == 1
    assert not tries.unheard


def test_a_clip_that_alone_is_never_reached_is_charged() -> None:
    tries, verdicts = Retries(2), []
    for n in range(3):
        verdicts.append(tries.judge(failed("a", "network", reached=False)))
        tries.judge(done(f"other {n}"))
    assert isinstance(verdicts[0], Again) and isinstance(verdicts[1], Again)
    assert attempts(verdicts[2]) == 2


def test_twenty_videos_in_a_row_are_not_charged() -> None:
    tries = Retries(2)
    for n in range(TROUBLE_AFTER - 1):
        tries.judge(failed(f"clip {n}"))
        assert tries.take_back() is None
    tries.judge(failed("the last"))
    assert tries.take_back() == {f"clip {n}" for n in range(TROUBLE_AFTER - 1)} | {"the last"}
    assert tries.take_back() is None
    assert isinstance(tries.judge(failed("clip 0")), Again)
    assert attempts(tries.judge(failed("clip 0"))) == 2


@pytest.mark.parametrize(
    ("between", "reason", "ends"),
    [
        (done("x"), "check", True),
        (done("x"), "network", True),
        (gone("x"), "network", True),
        (gone("x"), "http", True),
        (gone("x"), "check", False),
        (gone("x"), "formats", False),
        (gone("x"), "unknown", True),
        (gone("x"), "media", False),
        (adopted("x"), "check", False),
        (adopted("x"), "http", False),
    ],
)
def test_what_ends_the_row(between: Outcome, reason: str, ends: bool) -> None:
    """That a video is gone shows that asking works, not that formats, media and ffmpeg do."""
    tries = Retries(5)
    for n in range(TROUBLE_AFTER - 1):
        tries.judge(failed(f"clip {n}", reason))
    tries.judge(between)
    tries.judge(failed("another", reason))
    assert (tries.take_back() is None) == ends


def test_a_clip_is_taken_back_once() -> None:
    tries = Retries(1)
    names = [f"clip {n}" for n in range(TROUBLE_AFTER)]
    for name in names:
        tries.judge(failed(name))
    assert tries.take_back() == set(names)
    assert [attempts(tries.judge(failed(name))) for name in names] == [1] * TROUBLE_AFTER
    assert tries.take_back() is None
    # Others still make a row of their own.
    others = [f"other {n}" for n in range(TROUBLE_AFTER)]
    for name in others:
        assert tries.take_back() is None
        tries.judge(failed(name))
    assert tries.take_back() == set(others)


def test_a_gone_video_ends_only_what_is_about_asking() -> None:
    tries = Retries(5)
    for n in range(TROUBLE_AFTER - 1):
        tries.judge(failed(f"clip {n}", "http"))
    # Not about asking alone.
    tries.judge(failed("clip 0", "check"))
    tries.judge(gone("x"))
    others = {f"other {n}" for n in range(TROUBLE_AFTER - 1)}
    for name in others:
        assert tries.take_back() is None
        tries.judge(failed(name, "http"))
    assert tries.take_back() == {"clip 0"} | others


def test_what_was_found_in_the_folder_is_no_answer() -> None:
    """Nobody was asked: it charges no other clip, and ends no row of forbidden videos."""
    tries = Retries(2)
    for n in range(REFUSALS * 2):
        assert tries.judge(refused("a")) == Again(0.0)
        assert attempts(tries.judge(adopted(f"found {n}"))) == 1
    for n in range(FORBIDDEN_AFTER):
        tries.judge(failed(f"clip {n}", "forbidden"))
        tries.judge(adopted(f"more {n}"))
    assert tries.take_forbidden()


def test_refusals_count_when_no_other_is_left() -> None:
    tries = Retries(5)
    verdicts = [tries.judge(refused("a"), alone=True) for _ in range(REFUSALS)]
    assert verdicts[:-1] == [Again(0.0)] * (REFUSALS - 1)
    assert attempts(verdicts[-1]) == REFUSALS


def test_videos_that_nobody_reaches_are_trouble_too() -> None:
    tries = Retries(1)
    for n in range(TROUBLE_AFTER):
        tries.judge(failed(f"clip {n}", "network", reached=False))
    assert tries.take_back() == set()


def test_one_video_failing_twenty_times_is_no_row() -> None:
    tries = Retries(100)
    for _ in range(TROUBLE_AFTER * 2):
        tries.judge(failed("a"))
    assert tries.take_back() is None


def test_a_forbidden_video_is_extracted_again_once() -> None:
    tries = Retries(2)
    assert tries.judge(failed("a", "forbidden")) == Again(0.0)
    assert tries.judge(failed("a", "forbidden")) == Again(20.0)
    assert attempts(tries.judge(failed("a", "forbidden"))) == 2
    assert not tries.take_forbidden()


def test_forbidden_videos_in_a_row_are_a_block() -> None:
    tries = Retries(2)
    for n in range(FORBIDDEN_AFTER):
        assert not tries.take_forbidden()
        assert tries.judge(failed(f"clip {n}", "forbidden")) == Again(0.0)
    assert tries.take_forbidden()
    assert not tries.take_forbidden()


def test_a_clip_that_is_let_go_has_all_its_tries_again() -> None:
    tries = Retries(2)
    tries.judge(failed("a"))
    tries.forget("a")
    assert isinstance(tries.judge(failed("a")), Again)


def test_what_is_said_under_suspicion_is_asked_again_when_that_is_over() -> None:
    again = Retries(5).judge(Outcome(clip("a"), "failed", "unavailable"))
    assert isinstance(again, Again) and again.delay >= SUSPECT_FOR


# -- several sites ---------------------------------------------------------------------------------------------

ELSEWHERE, GONE, OTHERS = (0, "vimeo.com"), (0, "gone.example"), (1, "vimeo.com")


def test_a_host_that_is_gone_for_good_is_charged_once_others_answer() -> None:
    tries = Retries(2)
    for _ in range(3):
        assert isinstance(tries.judge(failed("a", "network", reached=False), way=GONE), Again)
    # By another identity's way: says nothing of this one's.
    tries.judge(done("b"), way=OTHERS)
    assert isinstance(tries.judge(failed("a", "network", reached=False), way=GONE), Again)
    tries.judge(done("c"), way=ELSEWHERE)
    assert isinstance(tries.judge(failed("a", "network", reached=False), way=GONE), Again)
    tries.judge(done("d"))
    assert attempts(tries.judge(failed("a", "network", reached=False), way=GONE)) == 2


def dead(name: str) -> Outcome:
    return replace(failed(name, "network", reached=False), online=True)


def test_a_host_that_is_gone_is_charged_where_others_are_reached_just_then() -> None:
    tries = Retries(3)
    # Whoever answered before or behind it: in a short list, nobody may be left.
    assert isinstance(tries.judge(failed("a", "network", reached=False), way=GONE), Again) and tries.unheard
    verdicts = [tries.judge(dead("a"), way=GONE) for _ in range(3)]
    assert [attempts(verdict) if isinstance(verdict, Last) else None for verdict in verdicts] == [None, None, 3]
    assert not tries.unheard and not tries.is_deaf(GONE)


def test_a_row_of_clips_at_a_host_that_is_gone_is_no_trouble_of_ours() -> None:
    tries = Retries(1)
    for n in range(2 * TROUBLE_AFTER):
        assert attempts(tries.judge(dead(f"a{n}"), way=GONE)) == 1
    tries.judge(done("b"), way=OTHERS)
    assert tries.take_back() is None and not tries.is_deaf(GONE)


def test_that_others_answer_says_nothing_of_youtube() -> None:
    tries = Retries(1)
    for n in range(50):
        tries.judge(done(f"d{n}"), way=ELSEWHERE)
        assert isinstance(tries.judge(failed(f"a{n % 5}", "network", reached=False)), Again)
    assert tries.is_deaf(HOME) and not tries.is_deaf(HOME)


def test_a_row_of_failures_is_a_sites_own() -> None:
    tries = Retries(1)
    for n in range(TROUBLE_AFTER - 1):
        tries.judge(failed(f"a{n}"))
        tries.judge(done(f"d{n}"), way=ELSEWHERE)
        tries.judge(failed(f"v{n}"), way=GONE)
    assert tries.take_back() is None
    tries.judge(failed("last"))
    assert tries.take_back() == {"last", *(f"a{n}" for n in range(TROUBLE_AFTER - 1))}
    assert tries.take_back() is None


def test_forbidden_media_are_a_sites_own() -> None:
    tries = Retries(5)
    for n in range(FORBIDDEN_AFTER - 1):
        tries.judge(failed(f"v{n}", "forbidden"), way=ELSEWHERE)
    tries.judge(failed("a", "forbidden"))
    assert not tries.take_forbidden(HOME) and not tries.take_forbidden(ELSEWHERE)
    tries.judge(failed("v", "forbidden"), way=ELSEWHERE)
    assert tries.take_forbidden(ELSEWHERE) and not tries.take_forbidden(HOME)

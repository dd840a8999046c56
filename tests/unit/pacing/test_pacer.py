"""One identity's pace among threads and processes: exact waits, one block for all, a file that can break."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from avclips.core.settings import Identity
from avclips.pacing.pace import Ticket
from avclips.pacing.pacer import Pacer, make_pacer, name_of
from tests.support.fake_clock import FakeClock


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avclips.pacing.pacer.random.uniform", lambda low, high: low)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def pacer(clock: FakeClock, folder: Path | None, per_hour: int | None = None, cookies: str | None = None) -> Pacer:
    return make_pacer(Identity(None, None), cookies, per_hour, folder, clock)


def sleeps(clock: FakeClock, each: Pacer, count: int) -> list[float]:
    """The sleeps before each of so many extractions, all of them successes."""
    found = []
    for _ in range(count):
        before = len(clock.sleeps)
        each.answered(each.wait(), success=True)
        found.append(round(sum(clock.sleeps[before:]), 6))
    return found


@pytest.mark.parametrize(
    ("per_hour", "cookies", "burst", "then"),
    [(None, None, 30, 15.0), (None, "cookies", 30, 3600 / 970), (60, None, 30, 120.0), (10, None, 5, 720.0)],
    ids=["guest", "account", "sixty", "ten"],
)
def test_thirty_at_once_and_then_the_rate(
    clock: FakeClock, tmp_path: Path, per_hour: int | None, cookies: str | None, burst: int, then: float
) -> None:
    found = sleeps(clock, pacer(clock, tmp_path, per_hour, cookies), burst + 5)
    assert found == [0.0] * burst + [pytest.approx(then, abs=1e-5)] * 5


@pytest.mark.parametrize("per_hour", [1, 2, 7, 30, 31, 60, 270, 1000])
def test_no_sixty_minutes_hold_more(clock: FakeClock, per_hour: int) -> None:
    each, times = pacer(clock, None, per_hour), []
    for _ in range(3 * per_hour):
        each.answered(each.wait(), success=True)
        times.append(clock.now())
    assert max(sum(start <= t < start + 3600 for t in times) for start in times) <= per_hour


def test_no_limit(clock: FakeClock) -> None:
    assert sleeps(clock, pacer(clock, None, 0), 500) == [0.0] * 500


def test_a_pace_that_only_time_has_changed_is_not_written(clock: FakeClock, tmp_path: Path) -> None:
    """Three times a clip: each who reads it counts the time that has passed."""
    each, other = pacer(clock, tmp_path), pacer(clock, tmp_path)
    ticket = each.wait()
    (path,) = tmp_path.glob("pace-*.json")
    written = path.stat().st_ino, path.read_bytes()
    clock.time += 7.5
    ticket = each.answered(ticket, success=True)
    each.worked(ticket)
    assert (path.stat().st_ino, path.read_bytes()) == written
    assert isinstance(other.start(), Ticket)
    assert (each.tokens, other.tokens) == (29.5, 28.5), "each spent one of 30, and time brought a half"
    each.blocked(ticket, "bot_check")
    blocked = path.read_bytes()
    clock.time += 10
    assert other.start() == pytest.approx(each.block_left)
    assert path.read_bytes() != blocked, "how long a block lasts yet is kept up to date"


def test_a_failed_video_counts_double(clock: FakeClock) -> None:
    each = pacer(clock, None)
    for _ in range(15):
        each.answered(each.wait(), success=False)
    assert clock.sleeps == []
    assert each.start() == pytest.approx(15.0)


@pytest.mark.parametrize(
    ("reason", "retry_after", "waits"),
    [
        ("rate_limited", None, [3600, 7200, 14400, 21600, 21600]),
        ("bot_check", None, [1800, 3600, 7200, 14400, 21600, 21600]),
        ("too_many_requests", None, [300, 600, 1200]),
        ("too_many_requests", 45.0, [45, 90, 180]),
        ("too_many_requests", 1e9, [21600, 21600]),
    ],
)
def test_refused_again_and_again(
    clock: FakeClock, reason: str, retry_after: float | None, waits: list[float]
) -> None:
    each, found = pacer(clock, None, 0), []
    for _ in waits:
        each.blocked(each.wait(), reason, retry_after)
        found.append(each.start())
    assert found == waits


def test_eight_workers_refused_at_once_count_once(clock: FakeClock, tmp_path: Path) -> None:
    each = pacer(clock, tmp_path, 0)
    tickets = [each.wait() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda ticket: each.blocked(ticket, "bot_check"), tickets))
    assert each.block is not None and each.block.waits == 1
    assert each.start() == 1800.0


def test_one_probes_and_the_others_wait(clock: FakeClock) -> None:
    each = pacer(clock, None, 0)
    each.blocked(each.wait(), "bot_check")
    probe = each.wait()
    assert probe.probe and clock.sleeps == [1800.0]
    assert each.start() == 1.0
    assert each.answered(probe, success=True) == Ticket(2)
    assert each.block is None and each.start() == Ticket(2)


def test_a_probe_that_never_reports_is_followed_by_another(clock: FakeClock) -> None:
    each = pacer(clock, None, 0)
    each.blocked(each.wait(), "bot_check")
    assert each.wait().probe
    assert each.wait().probe
    assert sum(clock.sleeps) == 1800.0 + 180.0


def test_half_the_pace_after_a_block_and_a_slow_recovery(clock: FakeClock) -> None:
    each = pacer(clock, None)
    each.blocked(each.wait(), "bot_check")
    each.answered(each.wait(), success=True)
    assert each.speed == 0.5
    for _ in range(20):
        each.answered(Ticket(2), success=False)
    assert each.speed == 0.5, "what is no success never speeds it up"
    each.answered(Ticket(2), success=True)
    assert each.speed == pytest.approx(0.5 + 1 / 400)
    for _ in range(300):
        each.answered(Ticket(2), success=True)
    assert each.speed == 1.0


def test_an_undecided_probe_lets_another_probe_a_little_later(clock: FakeClock) -> None:
    each = pacer(clock, None, 0)
    each.blocked(each.wait(), "bot_check")
    each.undecided(each.wait())
    assert each.start() == 30.0
    assert each.block is not None and each.block.waits == 1


def test_trouble_ends_only_when_a_clip_has_come(clock: FakeClock) -> None:
    each = pacer(clock, None, 0)
    each.pause("trouble")
    each.pause("trouble")
    assert each.start() == 60.0
    probe = each.answered(each.wait(), success=True)
    assert each.block is not None
    each.undecided(probe)
    assert each.start() == 120.0
    each.worked(each.wait())
    assert each.block is None and each.speed == 1.0 and not each.suspected


def test_suspected_for_an_hour(clock: FakeClock) -> None:
    each = pacer(clock, None, 0)
    assert not each.suspected
    each.blocked(each.wait(), "too_many_requests")
    clock.time += 3599
    assert each.suspected
    clock.time += 2
    assert not each.suspected


def test_a_restart_in_the_middle_of_a_block_knows_of_it(clock: FakeClock, tmp_path: Path) -> None:
    before = pacer(clock, tmp_path)
    before.blocked(before.wait(), "rate_limited")
    clock.time += 600
    assert pacer(clock, tmp_path).start() == 3000.0


def test_accounts_share_one_pace_whatever_the_way(clock: FakeClock, tmp_path: Path) -> None:
    direct = make_pacer(Identity(None, Path("c.txt")), "cookies", None, tmp_path, clock)
    through = make_pacer(Identity("http://p:1", Path("c.txt")), "cookies", None, tmp_path, clock)
    guest = make_pacer(Identity("http://p:1", None), None, None, tmp_path, clock)
    for n in range(30):
        (direct if n % 2 else through).wait()
    assert isinstance(direct.start(), float) and isinstance(through.start(), float)
    assert isinstance(guest.start(), Ticket)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "3", '{"version": 2}', '{"version": 1}', '{"version": 1, "tokens": "x"}', "\x00\xff"],
)
def test_a_broken_or_foreign_file_is_replaced(clock: FakeClock, tmp_path: Path, content: str) -> None:
    pacer(clock, tmp_path).wait()
    (path,) = tmp_path.glob("pace-*.json")
    path.write_text(content, encoding="latin-1")
    assert isinstance(pacer(clock, tmp_path).start(), Ticket)
    assert json.loads(path.read_text())["version"] == 1


@pytest.mark.parametrize("content", [None, "", "{"], ids=["gone", "empty", "broken"])
def test_what_a_process_knows_holds_without_its_file(
    clock: FakeClock, tmp_path: Path, content: str | None
) -> None:
    """A cleaner of caches ends no block."""
    each = pacer(clock, tmp_path)
    each.blocked(each.wait(), "bot_check")
    (path,) = tmp_path.glob("pace-*.json")
    path.unlink() if content is None else path.write_text(content)
    assert each.start() == 1800.0
    assert pacer(clock, tmp_path).start() == 1800.0, "it is written anew"


@pytest.mark.parametrize("thorough", [False, True])
def test_a_restart_knows_what_ends_the_block(clock: FakeClock, tmp_path: Path, thorough: bool) -> None:
    before = pacer(clock, tmp_path, 0)
    before.blocked(before.wait(), "forbidden", thorough=thorough)
    after = pacer(clock, tmp_path, 0)
    after.answered(after.wait(), success=True)
    assert (after.block is not None) is thorough


def test_forbidden_media_end_only_when_a_clip_has_come(clock: FakeClock) -> None:
    each = pacer(clock, None, 0)
    early = each.wait()
    each.pause("forbidden")
    each.answered(each.wait(), success=False)
    assert isinstance(each.start(), Ticket), "a video that is gone leaves the probe to another"
    each.worked(early)
    assert each.block is not None
    each.worked(Ticket(1, probe=True))
    assert (each.block, each.speed) == (None, 0.5)


@pytest.mark.parametrize(
    ("proxy", "environment", "shared"),
    [
        (None, {}, "direct"),
        ("", {"https_proxy": "http://p:1"}, "direct"),
        (None, {"https_proxy": "http://p:1"}, "http://p:1"),
        ("http://p:1", {"https_proxy": "http://q:2"}, "http://p:1"),
    ],
)
def test_one_way_one_pace(
    clock: FakeClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    proxy: str | None,
    environment: dict[str, str],
    shared: str,
) -> None:
    ways = {"direct": Identity(""), "http://p:1": Identity("http://p:1"), "http://q:2": Identity("http://q:2")}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    each = make_pacer(Identity(proxy), None, None, tmp_path, clock)
    each.blocked(each.wait(), "bot_check")
    waits = {way: make_pacer(who, None, None, tmp_path, clock).start() for way, who in ways.items()}
    blocked = [way for way, wait in waits.items() if isinstance(wait, float)]
    assert blocked == [shared]


def test_a_clock_that_was_set_back_holds_nobody_up(clock: FakeClock, tmp_path: Path) -> None:
    each = pacer(clock, tmp_path)
    for _ in range(30):
        each.wait()
    each.blocked(each.wait(), "bot_check")
    clock.time += 600
    assert each.start() == 1200.0
    clock.time -= 1e6
    assert each.start() == 1200.0, "what was left of a block is left of it"


def test_a_folder_that_cannot_be_written_leaves_a_pace_of_its_own(clock: FakeClock, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert sleeps(clock, pacer(clock, tmp_path / "file"), 31) == [0.0] * 30 + [15.0]


OTHER_PROCESS = """
import sys
from pathlib import Path
from avclips.core.settings import Identity
from avclips.core.clock import Clock
from avclips.pacing.pacer import make_pacer
pacer = make_pacer(Identity(), None, 60, Path(sys.argv[1]), Clock(1.0))
print(sum(not isinstance(pacer.start(), float) for _ in range(40)))
"""


def test_two_processes_keep_the_common_pace(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OTHER_PROCESS, str(tmp_path)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    started = sum(int(child.communicate(timeout=60)[0]) for child in children)
    # 30 at once, whoever asks; a second of waiting brings no other.
    assert started == 30


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        (Identity(), "direct"),
        (Identity(""), "direct"),
        (Identity("http://me:se/cr@et@proxy:1"), "http://proxy:1"),
        (Identity("http://user:secret@proxy:3128"), "http://proxy:3128"),
        (Identity("socks5h://proxy:1080", Path("/home/me/cookies.txt")), "socks5h://proxy:1080 with cookies.txt"),
    ],
)
def test_a_name_holds_no_password(identity: Identity, name: str) -> None:
    assert name_of(identity) == name

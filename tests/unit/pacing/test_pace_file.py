"""Where a pace lies: whose time counts, what a while alone costs, and what is believed of what stands there."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout

from avclips.core import file_lock, files, state_dir
from avclips.core.clock import Clock
from avclips.core.settings import Identity
from avclips.core.state_dir import default_state_dir
from avclips.pacing import pace_file
from avclips.pacing.pace import LONGEST_WAIT, Block, Pace, Ticket, limit_of, refilled, reunited
from avclips.pacing.pace_file import read_pace
from avclips.pacing.pacer import Pacer, make_pacer
from tests.support.fake_clock import FakeClock

GUEST = Identity()


class Node(FakeClock):
    """One of several nodes: clocks of their own, and a file server that all share."""

    def __init__(self, server: list[float], ahead: float) -> None:
        super().__init__()
        self.server = server
        self.time = 1e6 * ahead
        self.ahead = ahead

    def now(self) -> float:
        return self.time + self.server[0]

    def shared(self, path: Path) -> float:
        return 1e9 + self.server[0]


class NodesOwn(Node):
    """Of a file system whose files have the times of the node that writes them."""

    def shared(self, path: Path) -> float:
        return 1e9 + self.server[0] + self.ahead


def most_in_an_hour(nodes: list[Node], folder: Path) -> int:
    """Two hours in which every node asks as often as it may; the extractions of the busiest 60 minutes."""
    times = []
    pacers = [make_pacer(Identity(f"http://way{n}"), "one account", 100, folder, c) for n, c in enumerate(nodes)]
    for step in range(0, 7200, 20):
        for pacer, clock in zip(pacers, nodes, strict=True):
            clock.server[0] = float(step)
            leave = pacer.start()
            if isinstance(leave, Ticket):
                pacer.answered(leave, success=True)
                times.append(step)
    return max(sum(start <= time < start + 3600 for time in times) for start in range(0, 3600, 300))


@pytest.mark.parametrize(
    ("kind", "ahead"),
    [
        (Node, 50.0),
        (NodesOwn, 0.0),
        pytest.param(Node, 7200.0, marks=pytest.mark.slow),
        pytest.param(NodesOwn, 50.0, marks=pytest.mark.slow),
    ],
)
def test_clocks_apart_bring_no_more(tmp_path: Path, kind: type[Node], ahead: float) -> None:
    server = [0.0]
    assert 95 <= most_in_an_hour([kind(server, 0.0), kind(server, ahead)], tmp_path) <= 100


@pytest.mark.parametrize("ahead", [7200.0, -7200.0])
def test_a_block_is_as_long_for_a_node_whose_clock_is_wrong(tmp_path: Path, ahead: float) -> None:
    server = [0.0]
    one, other = (make_pacer(Identity("http://p"), None, None, tmp_path, Node(server, n)) for n in (ahead, 0.0))
    ticket = one.start()
    assert isinstance(ticket, Ticket)
    one.blocked(ticket, "too_many_requests")
    server[0] = 100.0
    assert other.start() == pytest.approx(one.block_left, abs=1e-3)
    assert 200 <= one.block_left <= 230


def test_the_time_is_that_of_the_files_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.touch()
    os.utime(path, (1.0, 1.0))
    monkeypatch.setattr("time.time", lambda: 5e9)
    assert abs(Clock(1.0).shared(path) - path.stat().st_mtime) < 1e-3
    assert 1e9 < path.stat().st_mtime < 4e9
    assert Clock(10.0).shared(path) == pytest.approx(path.stat().st_mtime * 10)


# -- alone for a while -----------------------------------------------------------------------------------------


def drain(pacer: Pacer) -> int:
    count = 0
    while not isinstance(pacer.start(), float):
        count += 1
    return count


def broken_lock(monkeypatch: pytest.MonkeyPatch, error: OSError | None) -> None:
    real = file_lock.Lock.acquire

    def acquire(self: file_lock.Lock, patience: float = 0.0) -> None:
        if error is not None:
            raise error
        real(self, patience)

    monkeypatch.setattr(file_lock.Lock, "acquire", acquire)


FULL = OSError(28, "No space left on device")


@pytest.mark.parametrize("error", [Timeout("held"), FULL, PermissionError(13, "no")])
def test_what_is_spent_alone_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    clock = FakeClock()
    one, other = (make_pacer(GUEST, None, None, tmp_path, clock) for _ in range(2))
    one.start()
    with monkeypatch.context() as patch:
        broken_lock(patch, error)
        for _ in range(9):
            assert isinstance(one.start(), Ticket)
    assert drain(other) == 29, "nobody could know"
    # 9 too many: so much later does the next one come.
    assert (drain(one), drain(other)) == (0, 0)
    clock.time += 9 * 15.0 + 15.0 - 1
    assert (drain(one), drain(other)) == (0, 0)
    clock.time += 1
    assert (drain(one), drain(other)) == (1, 0)


def test_a_full_disk_ends_sharing_until_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    one, other = (make_pacer(GUEST, None, None, tmp_path, clock) for _ in range(2))
    one.start()

    def full(path: Path, mode: int = 0) -> int:
        raise FULL

    with monkeypatch.context() as patch:
        patch.setattr(pace_file, "new_file", full)
        for _ in range(4):
            one.start()
        ticket = one.start()
        assert isinstance(ticket, Ticket)
        one.blocked(ticket, "bot_check")
    assert isinstance(other.start(), Ticket)
    assert isinstance(one.start(), float)
    assert isinstance(other.start(), float) and other.block is not None and other.block.reason == "bot_check"
    assert not list(tmp_path.glob("*.tmp"))


NOW = 10_000.0
SHARED = Pace(20.0, NOW, 0.5, 4, None, NOW - 50)
OURS = Block("bot_check", NOW - 10, NOW + 1790, 1)
THEIRS = Block("too_many_requests", NOW - 10, NOW + 290, 1)


@pytest.mark.parametrize(
    ("shared", "own", "right"),
    [
        # Nobody learnt anything, only they, only we.
        ({}, {"tokens": 7.0}, {"tokens": 15.0}),
        ({"round": 5, "block": THEIRS}, {}, {"tokens": 15.0, "round": 5, "block": THEIRS}),
        ({}, {"round": 5, "block": OURS}, {"tokens": 15.0, "round": 5, "block": OURS}),
        ({"block": THEIRS}, {"round": 5, "speed": 0.25}, {"tokens": 15.0, "round": 5, "speed": 0.25}),
        # Both did: the longer block, the slower pace, and no ticket counts any more.
        (
            {"round": 6, "block": THEIRS, "speed": 0.25},
            {"round": 5, "block": OURS, "refused_at": NOW},
            {"tokens": 15.0, "round": 7, "block": OURS, "speed": 0.25, "refused_at": NOW},
        ),
        (
            {"round": 5, "block": None},
            {"round": 5, "block": None},
            {"tokens": 15.0, "round": 6, "block": None},
        ),
    ],
)
def test_two_paces_become_one(shared: dict[str, Any], own: dict[str, Any], right: dict[str, Any]) -> None:
    values = {name: getattr(SHARED, name) for name in SHARED.__dataclass_fields__}
    found = reunited(Pace(**values | shared), Pace(**values | own), spent=5.0, parted=4)
    assert found == Pace(**values | right)


HOLDER = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("in", flush=True)
    time.sleep(60)
"""


def test_a_neighbour_that_is_suspended_in_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_file, "LOCK_PATIENCE", 0.2)
    # For them no time passes, however long the neighbour takes to begin.
    clock = FakeClock()
    one, other = (make_pacer(GUEST, None, 270, tmp_path, clock) for _ in range(2))
    one.start()
    lock = next(tmp_path.glob("*.lock"))
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE) as neighbour:
        assert neighbour.stdout is not None
        neighbour.stdout.readline()
        neighbour.send_signal(signal.SIGSTOP)
        assert isinstance(one.start(), Ticket)
        neighbour.send_signal(signal.SIGKILL)
        neighbour.wait(30)
    assert drain(one) + drain(other) + drain(make_pacer(GUEST, None, 270, tmp_path, clock)) == 28


# -- file systems without locks --------------------------------------------------------------------------------


@pytest.fixture
def no_flock(monkeypatch: pytest.MonkeyPatch) -> None:
    broken_lock(monkeypatch, file_lock.NoLocks(errno.ENOSYS, "Function not implemented"))


def test_two_share_without_locks(tmp_path: Path, no_flock: None) -> None:
    clock = FakeClock()
    one, other = (make_pacer(GUEST, None, None, tmp_path, clock) for _ in range(2))
    counts = [isinstance(each.start(), Ticket) for _ in range(20) for each in (one, other)]
    assert sum(counts) == 30
    assert not list(tmp_path.glob("*.held*"))


@pytest.mark.parametrize(
    ("owner", "age", "freed"),
    [
        ({"host": "elsewhere", "pid": 1, "token": "x"}, 0.0, False),
        ({"host": "elsewhere", "pid": 1, "token": "x"}, file_lock.HELD_AT_MOST + 5, True),
        ({"host": "here", "pid": 1 << 30, "token": "x"}, 0.0, True),
        ({"host": "here", "pid": os.getpid(), "token": "x"}, 0.0, False),
        ("not json", 0.0, False),
        ("not json", file_lock.HELD_AT_MOST + 5, True),
        ([], file_lock.HELD_AT_MOST + 5, True),
    ],
)
def test_a_mark_of_one_who_has_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_flock: None, owner: Any, age: float, freed: bool
) -> None:
    monkeypatch.setattr("avclips.core.file_lock.socket.gethostname", lambda: "here")
    mark = tmp_path / "x.lock.held"
    mark.write_text(owner if isinstance(owner, str) else json.dumps(owner))
    then = mark.stat().st_mtime - age
    os.utime(mark, (then, then))
    try:
        with file_lock.held(tmp_path / "x.lock", 0.0 if not freed else 1.0):
            assert freed
    except Timeout:
        assert not freed
    assert mark.exists() is not freed


def test_filelock_makes_no_existence_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """filelock 4 makes a file of one, silently, where flock is missing: nobody takes it over after a kill."""

    def flock(*_: Any) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(fcntl, "lockf", flock)
    with pytest.raises(file_lock.NoLocks):
        file_lock.Lock(tmp_path / ".lock").acquire()


# -- whose folder it is, and what is believed ------------------------------------------------------------------


def test_the_state_is_nobody_elses(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "state"
    make_pacer(GUEST, "a cookie", None, folder, FakeClock()).start()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700 and len(modes) == 4
    assert set(modes.values()) == {0o600}


def test_a_folder_by_default_is_closed_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for folder, mode in ((default_state_dir(), 0o700), (tmp_path / "chosen", 0o775)):
        folder.mkdir()
        folder.chmod(0o775)
        make_pacer(GUEST, None, None, folder, FakeClock()).start()
        assert stat.S_IMODE(folder.stat().st_mode) == mode and len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("way", ["folder", "link"])
def test_a_folder_that_another_made_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Anybody may make a folder in /tmp under a name that is known beforehand."""
    folder, mine = tmp_path / "avclips-0", tmp_path / "mine"
    mine.mkdir()
    folder.mkdir() if way == "folder" else folder.symlink_to(mine)
    monkeypatch.setattr(state_dir, "_ours", lambda folder: {os.lstat(tmp_path).st_uid + 1})
    monkeypatch.setattr("avclips.pacing.pacer.default_state_dir", lambda: folder)
    pacer = make_pacer(GUEST, None, None, folder, FakeClock())
    assert isinstance(pacer.start(), Ticket) and isinstance(pacer.start(), Ticket)
    assert not list(folder.iterdir()) and not list(mine.iterdir())


def test_what_we_make_is_ours(tmp_path: Path) -> None:
    assert state_dir._ours(tmp_path) == {os.getuid()} and not list(tmp_path.iterdir())


def test_a_planted_link_is_not_written_through(tmp_path: Path) -> None:
    mine = tmp_path / "thesis.txt"
    mine.write_text("three years")
    target = tmp_path / "state.json"
    temp = target.with_name(f".{target.name}.{files.socket.gethostname()}-{os.getpid()}.tmp")
    temp.symlink_to(mine)
    files.write_json(target, {"a": 1})
    assert mine.read_text() == "three years" and json.loads(target.read_text()) == {"a": 1}
    assert not temp.exists() and not temp.is_symlink()


RIGHT: dict[str, Any] = {
    "version": 1,
    "tokens": 3.0,
    "at": NOW,
    "speed": 0.5,
    "round": 2,
    "block": None,
    "refused_at": None,
    "probe_until": 0.0,
}
BLOCK = {"reason": "bot_check", "since": NOW - 10, "until": NOW + 1790, "waits": 1, "thorough": False}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({}, {}),
        ({"speed": 1e-12}, {"speed": 1.0}),
        ({"speed": 7.0}, {"speed": 1.0}),
        ({"speed": 1 / 16}, {"speed": 1 / 16}),
        ({"round": -3}, {"round": 0}),
        ({"block": BLOCK}, {"block": Block("bot_check", NOW - 10, NOW + 1790, 1)}),
        ({"block": BLOCK | {"until": NOW + 5 * LONGEST_WAIT}}, {"block": None}),
        ({"block": BLOCK | {"since": NOW + 10}}, {"block": None}),
        ({"block": BLOCK | {"waits": 10**9}}, {"block": None}),
        ({"block": BLOCK | {"waits": -1}}, {"block": None}),
        ({"block": BLOCK | {"since": float("-inf")}}, {"block": None}),
        ({"at": float("nan")}, None),
        ({"tokens": float("inf")}, None),
        ({"at": -1.0}, None),
        ({"refused_at": float("nan")}, None),
        ({"version": 2}, None),
    ],
)
def test_what_is_believed_of_a_pace(said: dict[str, Any], kept: dict[str, Any] | None) -> None:
    values = RIGHT | said
    if kept is None:
        with pytest.raises(ValueError):
            read_pace(values)
        return
    assert read_pace(values) == Pace(**{n: v for n, v in (RIGHT | kept).items() if n != "version"})


def test_tokens_that_nobody_could_have(tmp_path: Path) -> None:
    for tokens, right in ((1e9, 30.0), (-1e9, -30.0)):
        assert refilled(read_pace(RIGHT | {"tokens": tokens}), limit_of(270), NOW).tokens == right


def test_the_lock_of_old_runs_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of before, beside it on the same node, uses the same lock."""
    monkeypatch.setattr(pace_file, "LOCK_PATIENCE", 0.05)
    pacer = make_pacer(GUEST, None, None, tmp_path, FakeClock())
    pacer.start()
    with (
        FileLock(next(tmp_path.glob("*.lock"))),
        pytest.raises(Timeout),
        file_lock.held(next(tmp_path.glob("*.lock")), 0.05),
    ):
        pass

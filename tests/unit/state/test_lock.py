"""One run at a time in one folder: who is kept out, who takes over, and how long that takes."""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from avclips.core.errors import RunError, Stopped
from avclips.state.lock import FolderLock, in_words
from tests.support.fake_clock import FakeClock

HERE = socket.gethostname()
HOLDER = """
import sys
from pathlib import Path
from avclips.state.lock import FolderLock
from avclips.core.clock import Clock
lock = FolderLock(Path(sys.argv[1]), Clock(1.0))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def lock(tmp_path: Path, clock: FakeClock) -> Iterator[FolderLock]:
    lock = FolderLock(tmp_path, clock)
    yield lock
    lock.release()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which holds the folder until it is killed."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stdout.readline() == "held\n"
        yield child
        child.kill()


@pytest.fixture
def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


@pytest.fixture(params=[NotImplementedError("no flock"), OSError(errno.ENOLCK, "No locks available")], ids=str)
def no_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without locks."""

    def acquire(self: FileLock, *args: Any, **kwargs: Any) -> None:
        raise request.param

    monkeypatch.setattr(FileLock, "acquire", acquire)


def owner_file(folder: Path) -> Path:
    return folder / ".owner.json"


def owned(folder: Path, host: str, pid: Any, token: str = "theirs") -> None:
    owner_file(folder).write_text(json.dumps({"host": host, "pid": pid, "token": token}))


def token(folder: Path) -> str:
    return str(json.loads(owner_file(folder).read_text())["token"])


def touch(path: Path) -> None:
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))


# With locks


def test_a_free_folder(lock: FolderLock, tmp_path: Path, clock: FakeClock) -> None:
    assert (lock.held, lock.owner(), lock.user()) == (False, None, None)
    lock.acquire()
    said = json.loads(owner_file(tmp_path).read_text())
    assert (said.pop("host"), said.pop("pid"), list(said)) == (HERE, os.getpid(), ["token"])
    assert (lock.held, lock.owner(), clock.sleeps) == (True, {"host": HERE, "pid": os.getpid(), **said}, [])
    lock.check()
    lock.release()
    assert (lock.held, owner_file(tmp_path).exists()) == (False, False)
    lock.acquire()
    assert lock.held


def test_a_second_one_in_this_process_is_kept_out(lock: FolderLock, tmp_path: Path, clock: FakeClock) -> None:
    lock.acquire()
    second = FolderLock(tmp_path, clock)
    with pytest.raises(RunError, match=f"in use by a run on {HERE} with pid {os.getpid()}$"):
        second.acquire()
    second.release()
    lock.check()
    assert (second.held, lock.held, clock.sleeps) == (False, True, [])


def test_a_live_process_on_this_host_keeps_us_out(
    lock: FolderLock, tmp_path: Path, clock: FakeClock, holder: subprocess.Popen[str]
) -> None:
    who = f"a run on {HERE} with pid {holder.pid}"
    with pytest.raises(RunError, match=f"^{tmp_path} is in use by {who}$") as caught:
        lock.acquire()
    assert caught.value.hint == "wait for it to end, or end it"
    assert (lock.held, lock.user(), clock.sleeps) == (False, who, [])


def test_what_a_killed_process_held_is_taken_over(
    lock: FolderLock, tmp_path: Path, clock: FakeClock, holder: subprocess.Popen[str]
) -> None:
    holder.kill()
    holder.wait()
    assert owner_file(tmp_path).exists()
    assert lock.user() is None
    lock.acquire()
    assert (lock.held, clock.sleeps) == (True, [])
    lock.check()


def test_a_pid_that_lives_without_the_lock_is_another_program_now(
    lock: FolderLock, tmp_path: Path, clock: FakeClock
) -> None:
    owned(tmp_path, HERE, os.getpid())
    lock.acquire()
    assert (lock.held, clock.sleeps, token(tmp_path) != "theirs") == (True, [], True)


# Another host


@pytest.mark.parametrize("after", [5.0, 150.0, 295.0, 300.0])
def test_another_host_that_touches_its_file_keeps_us_out(
    lock: FolderLock, tmp_path: Path, clock: FakeClock, after: float
) -> None:
    owned(tmp_path, "elsewhere", 7)
    clock.on_sleep = lambda seconds: touch(owner_file(tmp_path)) if sum(clock.sleeps) == after else None
    with pytest.raises(RunError, match="in use by a run on elsewhere with pid 7$"):
        lock.acquire()
    assert (lock.held, sum(clock.sleeps), token(tmp_path)) == (False, after, "theirs")
    # The lock of the file system was let go.
    with FileLock(tmp_path / ".lock", timeout=0):
        pass


def test_another_host_that_is_silent_for_five_minutes_is_dead(
    lock: FolderLock, tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "avclips")
    owned(tmp_path, "elsewhere", 7)
    # However old its file is: the clocks of two hosts differ.
    os.utime(owner_file(tmp_path), (1e9, 1e9))
    lock.acquire()
    assert (lock.held, clock.sleeps, token(tmp_path) != "theirs") == (True, [5.0] * 60, True)
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path} was held by a run on elsewhere with pid 7: watching for 300 s whether it lives",
        "taking over from a run on elsewhere with pid 7, which is dead",
    ]


def test_another_host_that_ends_meanwhile_need_not_be_waited_for(
    lock: FolderLock, tmp_path: Path, clock: FakeClock
) -> None:
    owned(tmp_path, "elsewhere", 7)
    clock.on_sleep = lambda seconds: owner_file(tmp_path).unlink() if sum(clock.sleeps) == 20 else None
    lock.acquire()
    assert (lock.held, sum(clock.sleeps)) == (True, 20.0)


def test_a_stop_ends_the_watch(lock: FolderLock, tmp_path: Path, clock: FakeClock) -> None:
    owned(tmp_path, "elsewhere", 7)
    clock.on_sleep = lambda seconds: clock.stop()
    with pytest.raises(Stopped):
        lock.acquire()
    assert (lock.held, clock.sleeps, token(tmp_path)) == (False, [5.0], "theirs")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"7", b"\xff\xfe", b"{}", b'{"host": 5, "pid": "x"}'], ids=repr
)
def test_a_broken_owner_file_may_be_anybodys(
    lock: FolderLock, tmp_path: Path, clock: FakeClock, content: bytes
) -> None:
    owner_file(tmp_path).write_bytes(content)
    lock.acquire()
    assert (lock.held, sum(clock.sleeps)) == (True, 300.0)
    lock.check()


def test_a_broken_owner_file_that_is_touched_is_somebodys(
    lock: FolderLock, tmp_path: Path, clock: FakeClock
) -> None:
    owner_file(tmp_path).write_text("{")
    clock.on_sleep = lambda seconds: touch(owner_file(tmp_path))
    with pytest.raises(RunError, match="is in use by another run$"):
        lock.acquire()


# Without locks


@pytest.mark.usefixtures("no_locks")
def test_without_locks_a_live_process_keeps_us_out(lock: FolderLock, tmp_path: Path, clock: FakeClock) -> None:
    owned(tmp_path, HERE, os.getppid())
    who = f"a run on {HERE} with pid {os.getppid()}"
    with pytest.raises(RunError, match=f"in use by {who}$"):
        lock.acquire()
    assert (lock.held, lock.user(), clock.sleeps, token(tmp_path)) == (False, who, [], "theirs")


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize("prepare", [None, "dead", "nonsense"])
def test_without_locks_a_folder_of_the_dead_is_taken_over(
    lock: FolderLock,
    tmp_path: Path,
    clock: FakeClock,
    dead_pid: int,
    prepare: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if prepare is not None:
        owned(tmp_path, HERE, dead_pid if prepare == "dead" else prepare)
    lock.acquire()
    assert (lock.held, clock.sleeps, token(tmp_path) != "theirs") == (True, [], True)
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning.startswith(f"{tmp_path}: this file system has no locks (")
    assert warning.endswith("): only the owner file keeps a second run out")
    lock.check()
    lock.release()
    assert not owner_file(tmp_path).exists()


@pytest.mark.usefixtures("no_locks")
def test_without_locks_another_host_is_watched(lock: FolderLock, tmp_path: Path, clock: FakeClock) -> None:
    owned(tmp_path, "elsewhere", os.getpid())
    lock.acquire()
    assert (lock.held, sum(clock.sleeps)) == (True, 300.0)


@pytest.mark.usefixtures("no_locks")
def test_without_locks_nobody_else_has_our_pid(lock: FolderLock, tmp_path: Path) -> None:
    """In a container, every run may have the same one."""
    owned(tmp_path, HERE, os.getpid())
    lock.acquire()
    assert lock.held


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize("left", [False, True])
def test_without_locks_one_of_two_that_come_at_once_is_first(
    lock: FolderLock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dead_pid: int, left: bool
) -> None:
    """Between our look at the owner and our own name, another writes its."""
    if left:
        owned(tmp_path, HERE, dead_pid)
    owner, calls = FolderLock.owner, [0]

    def late(self: FolderLock) -> dict[str, Any] | None:
        found = owner(self)
        calls[0] += 1
        if calls[0] == 1:
            owned(tmp_path, "elsewhere", 7)
        return found

    monkeypatch.setattr(FolderLock, "owner", late)
    with pytest.raises(RunError, match="is in use by a run on elsewhere with pid 7$"):
        lock.acquire()
    assert token(tmp_path) == "theirs" and not lock.held


@pytest.mark.usefixtures("no_locks")
def test_without_locks_nobody_uses_a_free_folder(lock: FolderLock, tmp_path: Path, dead_pid: int) -> None:
    assert lock.user() is None
    owned(tmp_path, HERE, dead_pid)
    assert lock.user() is None


# Held


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: None, None),
        (lambda path: path.unlink(), None),
        (lambda path: path.write_text("{"), None),
        (lambda path: path.write_text('{"host": "elsewhere"}'), None),
        (lambda path: owned(path.parent, "elsewhere", 7), "was taken over by a run on elsewhere with pid 7"),
        (lambda path: owned(path.parent, HERE, os.getpid()), "was taken over by a run on"),
    ],
    ids=["ours", "gone", "broken", "no token", "another host", "another run here"],
)
def test_check(lock: FolderLock, tmp_path: Path, change: Callable[[Path], object], message: str | None) -> None:
    lock.acquire()
    change(owner_file(tmp_path))
    if message is None:
        lock.check()
        return
    with pytest.raises(RunError, match=f"^{tmp_path} {message}") as caught:
        lock.check()
    assert caught.value.hint == "this run was silent for too long"
    lock.release()
    assert token(tmp_path) == "theirs"


def test_a_lock_that_was_never_taken_lets_nothing_go(lock: FolderLock, tmp_path: Path) -> None:
    owned(tmp_path, "elsewhere", 7)
    lock.release()
    assert token(tmp_path) == "theirs"


def test_the_owner_file_is_touched_while_it_is_held(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lock = FolderLock(tmp_path, clock)
    monkeypatch.setattr("avclips.state.lock.threading.Thread.start", lambda thread: None)
    lock.acquire()
    waits: list[float] = []
    times: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if owner_file(tmp_path).exists():
            times.append(owner_file(tmp_path).stat().st_mtime)
            os.utime(owner_file(tmp_path), (1e9, 1e9))
        if len(waits) == 3:
            # One that is gone is told of, and the run goes on.
            owner_file(tmp_path).unlink()
        return len(waits) == 5

    monkeypatch.setattr(lock._released, "wait", wait)
    lock._keep_touching()
    assert waits == [30.0] * 5
    assert len(times) == 3 and min(times) > 1e9
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        f"{owner_file(tmp_path)} cannot be touched"
    ] * 2
    lock.release()


def test_a_file_that_is_let_go_just_before_it_is_touched_is_no_trouble(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lock = FolderLock(tmp_path, clock)
    monkeypatch.setattr("avclips.state.lock.threading.Thread.start", lambda thread: None)
    lock.acquire()

    def touch_late(path: Path) -> None:
        lock.release()
        raise FileNotFoundError(path)

    monkeypatch.setattr("avclips.state.lock.os.utime", touch_late)
    monkeypatch.setattr(clock, "real", lambda seconds: 0.0)
    lock._keep_touching()
    assert caplog.records == [] and not owner_file(tmp_path).exists()


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        ({}, "another run"),
        ({"host": "h", "pid": 7}, "a run on h with pid 7"),
        ({"token": "x"}, "a run on some host with pid unknown"),
    ],
)
def test_in_words(owner: dict[str, Any], words: str) -> None:
    assert in_words(owner) == words

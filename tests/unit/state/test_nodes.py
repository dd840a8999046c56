"""Several nodes in one data folder: who comes first, whose word counts, and who takes over from whom."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from avclips.core.clock import Clock
from avclips.core.errors import UsageError
from avclips.core.files import create_whole
from avclips.core.settings import Settings
from avclips.state import manifest, shape
from avclips.state.partition import Partition
from avclips.state.store import Store
from tests.support.data_folder import A, fail, finish

ROOT = Path(__file__).resolve().parents[3]
AHEAD, RIGHT = "2026-11-30T09:00:00Z", "2026-11-30T06:00:00Z"


def opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch, time: str, shard: Partition | None = None, **more: bool
) -> Store:
    """A run on a node whose clock says ``time``."""
    monkeypatch.setattr(manifest, "now", lambda: time)
    settings = Settings(folder, part=shard, retry_failed=() if more.get("again") else None)
    store = Store(settings, "clips", Clock())
    store.open()
    return store


def test_a_clock_that_is_ahead_has_not_the_last_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = opened(tmp_path, monkeypatch, AHEAD, (0, 1))
    one.pending([A])
    fail(one, A)
    one.snapshot(force=True)
    one.close()
    for number in range(3):
        again = opened(tmp_path, monkeypatch, RIGHT, again=True)
        assert [clip.id for clip in again.pending([A])] == ([A.id] if number == 0 else [])
        assert not again.has_unknown_files(A)
        if number == 0:
            finish(again, A)
        again.snapshot(force=True)
        again.close()
    plain = opened(tmp_path, monkeypatch, RIGHT)
    assert plain.pending([A]) == [] and set(plain.done) == {A.id} and plain.failed == {}
    plain.close()


def test_a_rerun_may_say_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clip that was done, whose files are gone, and that cannot be had any more."""
    one = opened(tmp_path, monkeypatch, AHEAD)
    finish(one, A)
    one.close()
    for path in (tmp_path / "videos", tmp_path / "audio"):
        for file in path.iterdir():
            file.unlink()
    other = opened(tmp_path, monkeypatch, RIGHT, (0, 1))
    assert other.pending([A]) == [A]
    fail(other, A)
    other.close()
    last = opened(tmp_path, monkeypatch, RIGHT)
    assert set(last.failed) == {A.id} and last.done == {} and last.pending([A]) == []
    last.close()


def test_what_a_person_took_out_stays_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = opened(tmp_path, monkeypatch, AHEAD, (0, 1))
    one.pending([A])
    fail(one, A)
    one.close()
    other = opened(tmp_path, monkeypatch, RIGHT)
    other.pending([A])
    other.snapshot(force=True)
    (tmp_path / "failed_downloads.json").write_text("{}")
    assert other.snapshot(force=True) == [A.id]
    other.close()
    last = opened(tmp_path, monkeypatch, RIGHT)
    assert last.failed == {} and last.pending([A]) == [A]
    last.close()


def test_two_with_other_settings_that_come_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both see a new folder; between the look and the claim of one, the other claims it."""

    def late(path: Path, content: bytes) -> bool:
        said = json.loads(content)
        said["settings"]["quality"] = 720
        assert create_whole(path, json.dumps(said).encode())
        return create_whole(path, content)

    monkeypatch.setattr(shape, "create_whole", late)
    store = Store(Settings(tmp_path, part=(0, 2)), "clips", Clock())
    with pytest.raises(UsageError, match="was made with --quality 720$"):
        store.open()
    store.close()


RACE = """
import sys
from pathlib import Path
from avclips.core.settings import Settings
from avclips.core.errors import UsageError
from avclips.core.clock import Clock
from avclips.state.store import Store
folder, number, quality = sys.argv[1:]
store = Store(Settings(Path(folder), part=(int(number), 2), quality=int(quality)), "clips", Clock())
print("ready", flush=True)
sys.stdin.readline()
try:
    store.open()
    print("open", flush=True)
    sys.stdin.readline()
except UsageError as error:
    print("refused:", error, flush=True)
store.close()
"""


def child(code: str, *words: object, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, words)]
    path = os.pathsep.join(filter(None, (environment.pop("FIRST", ""), str(ROOT))))
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": path, **environment},
    )


def heard(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def tell(children: Sequence[subprocess.Popen[str]]) -> None:
    for each in children:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()


def test_of_two_processes_with_other_settings_one_opens(tmp_path: Path) -> None:
    for number in range(4):
        folder = tmp_path / str(number)
        children = [child(RACE, folder, n, quality) for n, quality in enumerate((360, 720))]
        try:
            assert [heard(each) for each in children] == ["ready"] * 2
            tell(children)
            said = sorted(heard(each) for each in children)
            assert said[0] == "open" and said[1].startswith("refused: ")
        finally:
            for each in children:
                each.communicate("\n", timeout=60)


NO_LOCKS = """
import errno, fcntl, os, socket
def flock(*_):
    raise OSError(errno.ENOSYS, "Function not implemented")
fcntl.flock = fcntl.lockf = flock
socket.gethostname = lambda: os.environ["NODE"]
"""
HOLD = """
import sys
from pathlib import Path
from avclips.core.settings import Settings
from avclips.core.errors import RunError
from avclips.core.clock import Clock
from avclips.state.store import Store
store = Store(Settings(Path(sys.argv[1])), "clips", Clock())
try:
    store.open()
    print("open", flush=True)
    sys.stdin.readline()
except RunError as error:
    print("refused:", error, flush=True)
store.close()
"""


def test_a_killed_run_on_a_file_system_without_locks(tmp_path: Path) -> None:
    """Lustre as many mount it: an existence lock would keep every other node out for ever."""
    (tmp_path / "sitecustomize.py").write_text(NO_LOCKS)

    def node(name: str) -> subprocess.Popen[str]:
        return child(HOLD, tmp_path / "d", NODE=name, FIRST=str(tmp_path), AVCLIPS_TIME_SCALE="200")

    alpha, beside = node("alpha"), None
    try:
        assert heard(alpha) == "open"
        beside = node("beta")
        assert heard(beside).endswith(f"in use by a run on alpha with pid {alpha.pid}")
        alpha.send_signal(signal.SIGKILL)
        alpha.wait(30)
        for name in ("beta", "gamma", "alpha"):
            with node(name) as later:
                assert heard(later) == "open"
                tell([later])
    finally:
        for each in filter(None, (alpha, beside)):
            each.kill()
            each.communicate(timeout=30)

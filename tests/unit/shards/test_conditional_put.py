"""Files that are made only if they are new, in stores that know nothing of that, or are asked by many at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from avclips.core.model import Clip
from avclips.shards.claims import SETTLE, Claims
from avclips.shards.layout import Output
from avclips.shards.sample import Sample
from avclips.shards.storage import Remote, StoreLost
from tests.standin.picky_store import Door, picky_store
from tests.support.fake_clock import FakeClock

# s3fs leaves its connections to the end of the process.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="module")
def served() -> Iterator[Door]:
    with picky_store() as door:
        yield door


@pytest.fixture
def door(served: Door, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Door]:
    some = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in (some | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": served.url}).items():
        monkeypatch.setenv(name, value)
    yield served
    served.answer(501, 0)


def place(name: str) -> tuple[Remote, FakeClock]:
    clock = FakeClock()
    return Remote(f"s3://bucket/{name}", clock=clock), clock


def test_a_store_that_knows_it(door: Door) -> None:
    there, clock = place("knows")
    assert there.create("a", b"mine") and not there.create("a", b"theirs") and there.read("a") == b"mine"
    assert clock.sleeps == []


@pytest.mark.parametrize("status", [400, 501])
def test_a_store_that_does_not_know_it_is_written_all_the_same(door: Door, status: int, tmp_path: Path) -> None:
    """It replaces what is there, as the docstring says, and is asked for a condition only once."""
    door.answer(status)
    there, clock = place(f"no-{status}")
    assert there.create("a", b"mine") and there.create("a", b"theirs") and there.create("b", b"x")
    assert there.read("a") == b"theirs" and there.names() == {"a", "b"}
    assert len(door.asked) == 1 and clock.sleeps == []
    # Who has to be the only one looks first.
    (tmp_path / "stats").write_bytes(b"new")
    assert there.put_new(tmp_path / "stats", "c") and not there.put_new(tmp_path / "stats", "a")
    assert there.read("a") == b"theirs"


@pytest.mark.parametrize("times", [1, 3, 7])
def test_a_conflict_of_many_is_asked_again(door: Door, times: int) -> None:
    door.answer(409, times)
    there, clock = place(f"conflict-{times}")
    assert there.create("a", b"mine") and there.read("a") == b"mine"
    assert len(door.asked) == times + 1 and len(clock.sleeps) == times and max(clock.sleeps) <= 5
    assert not there.create("a", b"theirs")


def test_a_conflict_without_end_is_told(door: Door) -> None:
    door.answer(409)
    there, clock = place("conflict")
    with pytest.raises(StoreLost, match="ConditionalRequestConflict"):
        there.create("a", b"mine")
    assert len(clock.sleeps) == 7 and len(door.asked) == 8


def test_an_answer_that_does_not_say_which_condition_failed(door: Door) -> None:
    """s3fs takes it for a wrong argument: it must not be replaced."""
    there, _ = place("failed")
    assert there.create("a", b"mine")
    door.answer(412)
    assert not there.create("a", b"theirs") and there.read("a") == b"mine"


def test_what_is_forbidden_is_not_tried_otherwise(door: Door) -> None:
    door.answer(403)
    there, clock = place("forbidden")
    with pytest.raises(StoreLost, match="not so"):
        there.create("a", b"mine")
    assert clock.sleeps == [] and there.names() == frozenset()


def test_claims_in_a_store_that_does_not_know_it(door: Door) -> None:
    """Of two that claim at once, the last one's stands; who comes later finds it taken."""
    door.answer(501)
    there, clock = place("claims")
    mine, theirs = Claims(there, clock), Claims(there, clock)
    assert mine.take("x.claim") and SETTLE in clock.sleeps
    assert not theirs.take("x.claim") and mine.is_ours("x.claim")
    mine.drop("x.claim")
    assert theirs.take("x.claim") and not mine.is_ours("x.claim")


def test_one_of_many_tasks_at_once(door: Door) -> None:
    """Each told to come again a few times, as a busy store does."""
    door.answer(409, 10)
    made: list[bool] = []
    there = [place("many")[0] for _ in range(6)]
    threads = [threading.Thread(target=lambda each=each: made.append(each.create("plan", b"x"))) for each in there]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(made) == [False] * 5 + [True]


@pytest.mark.parametrize("raised", [NotImplementedError(), TypeError("mode"), ValueError("mode")])
def test_a_driver_that_does_not_know_it(raised: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = fsspec.filesystem("memory")
    put = type(memory).pipe_file

    def pipe_file(self: Any, path: str, value: bytes, mode: str = "overwrite", **more: Any) -> Any:
        if mode == "create":
            raise raised
        return put(self, path, value, mode=mode, **more)

    monkeypatch.setattr(type(memory), "pipe_file", pipe_file)
    try:
        there = Remote("memory://bucket/driver")
        assert there.create("a", b"mine") and there.create("a", b"theirs") and there.read("a") == b"theirs"
    finally:
        memory.store.clear()
        memory.pseudo_dirs[:] = [""]


def test_a_shard_in_a_store_that_does_not_know_it(door: Door, tmp_path: Path) -> None:
    """As a run writes one, with its plan and its claim; nothing is left of these but the plan."""
    door.answer(501)
    there, clock = place("shards")
    output = Output(there, "webdataset", clock=clock)
    clip = Clip("a", "v", 0.0, 1.0)
    assert output.plan([clip], 1, {}) == 1
    assert output.write(0, [Sample(clip, None)], tmp_path, tmp_path / "scratch")
    output.let_go()
    assert there.names() == {"plan.json", "00000.parquet", "00000_stats.json"}
    assert not output.write(0, [Sample(clip, None)], tmp_path, tmp_path / "scratch")


def test_a_bad_shard_is_set_aside(door: Door, tmp_path: Path) -> None:
    """In an object store, too: what is moved there is copied, and nothing of it is lost."""
    there, clock = place("aside")
    output = Output(there, "parquet", clock=clock)
    clip = Clip("a", "v", 0.0, 1.0)
    output.plan([clip], 1, {})
    for number in range(2):
        assert output.write(0, [Sample(clip, None)], tmp_path, tmp_path / "scratch")
        output.let_go()
        content = there.read("00000.parquet")
        assert output.sizes(0) == {"00000.parquet": len(content)}
        aside = ".set_aside/00000" + (f".{number}" if number else "")
        assert output.set_aside(0) == f"s3://bucket/aside/{aside}"
        assert output.finished() == frozenset() and there.read(f"{aside}/00000.parquet") == content
        assert there.size("00000.parquet") is None and there.has(f"{aside}/00000_stats.json")


def test_a_claim_that_was_dropped_while_the_folder_was_away_is_dropped_again(tmp_path: Path) -> None:
    """There a claim looks as if it were gone already."""
    out, mount = tmp_path / "mount" / "out", tmp_path / "mount"
    output = Output(Remote(str(out), clock=FakeClock()), "webdataset", clock=FakeClock())
    clip = Clip("a", "v", 0.0, 1.0)
    drop = output._drop_taken

    def away() -> None:
        mount.rename(tmp_path / "elsewhere")
        drop()
        (tmp_path / "elsewhere").rename(mount)

    output._drop_taken = away  # type: ignore[method-assign]
    assert output.write(0, [Sample(clip, None)], tmp_path, tmp_path / "scratch")
    assert (out / "00000.claim").exists()
    output._drop_taken = drop  # type: ignore[method-assign]
    output.let_go()
    assert sorted(each.name for each in out.iterdir()) == ["00000.parquet", "00000_stats.json"]

"""The folder of the shards of a list: what it was made of, who writes a shard, and what failed in them."""

from __future__ import annotations

import json
import os
import socket
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet
import pytest

from avclips.core.errors import RunError, UsageError
from avclips.core.model import Clip
from avclips.core.settings import Columns, Settings
from avclips.fetch.shard_output import open_output, plan_shards, summary_of
from avclips.fetch.shard_todo import Todo
from avclips.shards.claims import DEAD_AFTER
from avclips.shards.layout import PLAN, Output, ShardFormat
from avclips.shards.sample import Sample
from avclips.shards.storage import Remote, StoreLost
from tests.support.fake_clock import FakeClock
from tests.support.shards_of import clips_of, ids

# -- what a folder was made of ---------------------------------------------------------------------------------

LISTED = clips_of("a1 a2 b1 c1 d1 d2 e1")
ABOUT = {"dataset": "clips", "quality": 360, "cut": "exact"}


@pytest.fixture(params=["path", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    yield str(tmp_path / "out") if request.param == "path" else "memory://bucket/out"
    fsspec.filesystem("memory").store.clear()
    fsspec.filesystem("memory").pseudo_dirs[:] = [""]


def output(url: str, format: ShardFormat = "webdataset", count: int = 0) -> Output:
    return Output(Remote(url), format, count)


def test_a_plan(url: str) -> None:
    planned = output(url)
    assert planned.plan(LISTED, 3, ABOUT) == 7 and planned.count == 3
    said = json.loads(Remote(url).read(PLAN))
    layout = {"version": 2, "kept": {}, "endings": [], "info": False, "sparse": [], "flags": True}
    assert said.pop("list") and said.pop("layout") == layout and said == {
        "clips": 7, "shards": 3, "samples_per_shard": 3, "format": "webdataset", **ABOUT
    }  # fmt: skip
    # The same, by another.
    again = output(url)
    assert again.plan(iter(LISTED), 3, ABOUT) == 7 and again.count == 3


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "a clip more": ({"clips": [*LISTED, *clips_of("f1")]}, "another list"),
    "a clip less": ({"clips": LISTED[:-1]}, "another list"),
    "another order": ({"clips": [*LISTED[2:], *LISTED[:2]]}, "another list"),
    "another id": ({"clips": [LISTED[0]._replace(id="x"), *LISTED[1:]]}, "another list"),
    "another video": ({"clips": [*LISTED[:-1], LISTED[-1]._replace(video="x")]}, "another list"),
    "another start": ({"clips": [LISTED[0]._replace(start=0.5), *LISTED[1:]]}, "another list"),
    "another end": ({"clips": [LISTED[0]._replace(end=None), *LISTED[1:]]}, "another list"),
    "another size": ({"size": 4}, "--samples-per-shard 3"),
    "a size that gives as many": ({"size": 3, "clips": LISTED, "before": 4}, "--samples-per-shard 4"),
    "another format": ({"format": "parquet"}, "--output-format webdataset"),
    "another dataset": ({"about": {**ABOUT, "dataset": "acav100m"}}, "the dataset clips"),
    "another quality": ({"about": {**ABOUT, "quality": 720}}, "--quality 360"),
    "another cut": ({"about": {**ABOUT, "cut": "copy"}}, "--cut exact"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_plan(tmp_path: Path, name: str) -> None:
    """What a user can change is named, not what follows from it."""
    changed, said = OTHERS[name]
    before = output(str(tmp_path))
    before.plan(LISTED, changed.get("before", 3), ABOUT)
    kept = (tmp_path / PLAN).read_bytes()
    other = output(str(tmp_path), changed.get("format", "webdataset"))
    with pytest.raises(UsageError, match=rf"^{tmp_path} was made with ({said})$") as caught:
        other.plan(changed.get("clips", LISTED), changed.get("size", 3), changed.get("about", ABOUT))
    assert caught.value.hint == "use the same, or another --output: a list that grew goes into a new one"
    assert (tmp_path / PLAN).read_bytes() == kept


def test_what_a_list_says_besides_is_no_other_plan(tmp_path: Path) -> None:
    output(str(tmp_path)).plan(LISTED, 3, ABOUT)
    more = [clip._replace(meta={"caption": "x"}) for clip in LISTED]
    assert output(str(tmp_path)).plan(more, 3, ABOUT) == 7


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{\n "clips": 7,\n "sha', "is not whole JSON: "),
        (b"", "is not whole JSON: "),
        (b"\xff\xfe", "is not whole JSON: "),
        (b"[1]", "holds no object"),
        (b"null", "holds no object"),
        pytest.param(b"[" * 200_000, "is not whole JSON: ", id="deep"),
    ],
)
def test_half_a_plan(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / PLAN).write_bytes(content)
    with pytest.raises(RunError, match=f"^{tmp_path}/plan.json {said}") as caught:
        output(str(tmp_path)).plan(LISTED, 3, ABOUT)
    assert caught.value.hint == "delete it, and run again" and caught.value.exit_code == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"quality": 720}, "--quality 360"),
        ({"media": "audio"}, "--media both"),
        ({"audio_format": "flac"}, "--audio-format wav"),
        ({"audio_rate": 16000}, "no --audio-rate"),
        ({"cut": "copy"}, "--cut exact"),
        ({"audio_rate": 16000, "cut": "copy"}, "--cut exact, no --audio-rate"),
        ({"info": True}, "no --info"),
        ({"subtitles": ("en", "de")}, "no --subtitles"),
        ({"columns": Columns(caption="x", keep=("a",))}, "no --keep-cols, no --caption-col"),
        # These say nothing of what is in the files, or of where.
        ({"flat": True}, None),
        ({"workers": 2, "part": (0, 2), "max_clips": 3, "retry_failed": ()}, None),
    ],
)
def test_settings_of_the_files(tmp_path: Path, settings: dict[str, Any], said: str | None) -> None:
    before = Settings(tmp_path, output_format="webdataset", samples_per_shard=3)
    assert plan_shards(open_output(before), LISTED, "clips", before) == 7
    assert (tmp_path / "shards" / PLAN).exists()
    after = replace(before, **settings)
    if said is None:
        assert plan_shards(open_output(after), LISTED, "clips", after) == 7
        return
    with pytest.raises(UsageError, match=f"was made with {said}$"):
        plan_shards(open_output(after), LISTED, "clips", after)


def test_what_is_left_out_is_another_shape(tmp_path: Path) -> None:
    """What goes without saying stands in no plan, and what does not is asked for again."""
    first = Settings(tmp_path, output_format="webdataset", fps="25", subtitles=("en", "de"))
    assert plan_shards(open_output(first), LISTED, "clips", first) == 7
    after = replace(first, fps=None, subtitles=())
    with pytest.raises(UsageError, match="was made with --subtitles en de, --fps 25$"):
        plan_shards(open_output(after), LISTED, "clips", after)
    assert plan_shards(open_output(first), LISTED, "clips", first) == 7


# -- writing ---------------------------------------------------------------------------------------------------


class Place:
    """A data folder with a few clips, and packs of them."""

    def __init__(self, base: Path) -> None:
        self.folder, self.scratch = base / "data", base / "scratch"
        (self.folder / "videos").mkdir(parents=True)

    def sample(self, clip_id: str, said: str = "done") -> Sample:
        """Of one that is done, or "-reason" for a final failure, "reason" for another, "" for none."""
        clip = Clip(clip_id, clip_id[0], 0.0, 10.0)
        if said == "done":
            name = f"videos/{clip_id}.mp4"
            (self.folder / name).write_bytes(f"picture {clip_id}".encode())
            facts = {"duration": 10.0, "bytes": 100, "bytes_fetched": 200}
            return Sample(clip, {"id": clip_id, "status": "done", "video": name, "audio": None, **facts})
        if not said:
            return Sample(clip, None)
        return Sample(clip, {"status": "failed", "reason": said.lstrip("-"), "permanent": said[0] == "-"})

    def write(self, to: Output, number: int, **said: str) -> bool:
        """Write a pack of these clips: a1="done", b1="-removed"."""
        samples = [self.sample(name, word) for name, word in said.items()]
        return to.write(number, samples, self.folder, self.scratch)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize(("format", "endings"), [("webdataset", (".tar", ".parquet")), ("parquet", (".parquet",))])
def test_a_pack_is_there(url: str, place: Place, format: ShardFormat, endings: Sequence[str]) -> None:
    to = output(url, format, 12)
    assert to.finished() == frozenset() and not to.is_finished(3)
    assert place.write(to, 3, a1="done", b1="-removed") is True
    names = Remote(url).names()
    assert names == {f"00003{ending}" for ending in (*endings, "_stats.json")}
    assert to.finished() == {3} and to.is_finished(3) and not to.is_finished(30)
    stats = to.stats(3)
    assert (stats["done"], stats["failed"], stats["shard"]) == (1, {"removed": 1}, "00003")
    assert stats["files"] == {f"00003{ending}": len(Remote(url).read(f"00003{ending}")) for ending in endings}
    assert list(to.outcomes(3)) == [("a1", "done", None, False), ("b1", "failed", "removed", True)]
    assert list(place.scratch.iterdir()) == []


def test_the_stats_come_last(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pack that breaks off at any file is not finished, and is written anew."""
    to = output(str(tmp_path / "out"))
    calls, broken = [], [0]

    def counted(told: Any) -> Any:
        def counting(self: Remote, file: Path, name: str) -> Any:
            calls.append(name)
            if len(calls) == broken[0]:
                raise StoreLost("lost")
            return told(self, file, name)

        return counting

    for each in ("put", "put_new"):
        monkeypatch.setattr(Remote, each, counted(getattr(Remote, each)))
    for broken[0] in (1, 2, 3):
        calls.clear()
        with pytest.raises(StoreLost):
            place.write(to, 0, a1="done")
        assert to.finished() == frozenset() and list(place.scratch.iterdir()) == []
    calls.clear()
    broken[0] = 0
    assert place.write(to, 0, a1="done") and calls[-1] == "00000_stats.json"
    assert to.finished() == {0}
    with tarfile.open(tmp_path / "out" / "00000.tar") as tar:
        assert tar.getnames() == ["a1.json", "a1.mp4"]


@pytest.mark.parametrize(
    ("count", "number", "name"),
    [(0, 0, "00000"), (1, 0, "00000"), (100_000, 99_999, "99999"), (100_001, 7, "000007"), (3, 123_456, "123456")],
)
def test_names(tmp_path: Path, count: int, number: int, name: str) -> None:
    assert output(str(tmp_path), count=count).name(number) == name


def test_strange_files_are_no_packs(url: str, place: Place, tmp_path: Path) -> None:
    to = output(url, count=3)
    place.write(to, 1, a1="done")
    for name in ("notes_stats.json", "_stats.json", "00002.tar", ".00002_stats.json.host-1.part", "x.parquet"):
        (tmp_path / "x").write_text("{}")
        Remote(url).put(tmp_path / "x", name)
    assert to.finished() == {1}


# -- two at the same pack --------------------------------------------------------------------------------------


def test_one_of_two_writes(url: str, place: Place) -> None:
    one, other = output(url), output(url)
    assert place.write(one, 0, a1="done") is True
    assert place.write(other, 0, a1="done") is False
    assert place.write(one, 0, a1="done") is False
    assert "00000.claim" not in Remote(url).names()


def test_what_another_claimed_is_left_to_it(url: str, place: Place) -> None:
    one, other = output(url), output(url)
    assert one._claims.take("00000.claim") and not other._claims.take("00000.claim")
    assert place.write(other, 0, a1="done") is False
    assert Remote(url).names() == {"00000.claim"}
    # Its own claim is recognised: it was kept from writing before.
    assert place.write(one, 0, a1="done") is True
    assert one.finished() == {0} and "00000.claim" not in Remote(url).names()


def test_a_claim_outlives_a_write_that_failed(url: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other, put = output(url), output(url), Remote.put

    def lost(self: Remote, file: Path, name: str) -> None:
        raise StoreLost("lost")

    monkeypatch.setattr(Remote, "put", lost)
    with pytest.raises(StoreLost):
        place.write(one, 0, a1="done")
    monkeypatch.setattr(Remote, "put", put)
    assert place.write(other, 0, a1="done") is False
    assert place.write(one, 0, a1="done") is True


def claim(url: str, name: str, **owner: Any) -> None:
    us = {"host": socket.gethostname(), "pid": os.getpid(), "token": "theirs", "beat": 1}
    Remote(url).replace(name, json.dumps(us | owner).encode())


GONE = 1 << 30


def test_only_dead_claims_are_dropped(url: str, place: Place) -> None:
    """A second driver that starts does not take from the first what it is at."""
    one, other = output(url), output(url)
    assert other._claims.take("00000.claim") and other.take_number(9, 1) == 9
    claim(url, "00001.claim", pid=GONE)
    claim(url, "00002.claim", host="elsewhere", pid=GONE)
    claim(url, "00010.taken", pid=GONE)
    one.drop_dead_claims()
    assert Remote(url).names() == {"00000.claim", "00009.taken", "00002.claim"}
    assert [place.write(one, number, a1="done") for number in range(3)] == [False, True, False]


def test_a_claim_of_another_host_is_watched(url: str, place: Place) -> None:
    clock = FakeClock()
    one = Output(Remote(url), "webdataset", clock=clock)
    claim(url, "00000.claim", host="elsewhere")
    for beat in range(2, 5):
        assert not place.write(one, 0, a1="done")
        clock.time += DEAD_AFTER - 1
        # It lives: whatever the clocks say, it was written again.
        claim(url, "00000.claim", host="elsewhere", beat=beat)
    assert not place.write(one, 0, a1="done")
    clock.time += DEAD_AFTER
    assert place.write(one, 0, a1="done") and one.finished() == {0}


def test_one_that_was_suspended_for_too_long_writes_no_stats(
    url: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, put = output(url), output(url), Remote.put

    def slow(self: Remote, file: Path, name: str) -> None:
        put(self, file, name)
        if self is one._remote and name.endswith(".parquet"):
            # Another saw no sign of it, and took over.
            other._remote.remove("00000.claim")
            assert place.write(other, 0, a1="done", b1="done")

    place_of_one = Place(place.folder.parent / "one")
    monkeypatch.setattr(Remote, "put", slow)
    assert place_of_one.write(one, 0, a1="-removed") is False
    assert one.stats(0)["done"] == 2 and "00000.claim" not in Remote(url).names()


def test_what_is_written_is_written_also_where_the_store_is_lost_then(
    url: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = output(url)

    def lost(self: Remote, name: str) -> None:
        raise StoreLost("lost")

    with monkeypatch.context() as patch:
        patch.setattr(Remote, "remove", lost)
        assert place.write(to, 0, a1="done") is True
    assert "00000.claim" in Remote(url).names()
    assert place.write(to, 1, a1="done") is True
    assert not any(name.endswith(".claim") for name in Remote(url).names())


def test_what_has_stats_is_never_overwritten(url: str, place: Place) -> None:
    one, other = output(url), output(url)
    assert place.write(one, 0, a1="done")
    before = {name: Remote(url).read(name) for name in Remote(url).names()}
    assert not place.write(one, 0, a1="-removed") and not place.write(other, 0, a1="-removed")
    assert {name: Remote(url).read(name) for name in Remote(url).names()} == before


def test_an_old_tar_is_not_the_new_packs(url: str, place: Place, tmp_path: Path) -> None:
    """Of a try that ended before its stats, when now no clip is done."""
    to = output(url)
    (tmp_path / "old").write_bytes(b"clips that are of no pack")
    Remote(url).put(tmp_path / "old", "00000.tar")
    assert place.write(to, 0, a1="-removed")
    assert Remote(url).names() == {"00000.parquet", "00000_stats.json"}


class Forgetful(Remote):
    """A store whose driver knows no file that must be new, and that shows late what others wrote.

    ``hidden``: names that no listing has yet; ``unseen``: those that the next look at them does not find.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._local = False
        self.hidden: frozenset[str] = frozenset()
        self.unseen: list[str] = []

    def create(self, name: str, content: bytes) -> bool:
        self.replace(name, content)
        return True

    def names(self) -> frozenset[str]:
        return super().names() - self.hidden

    def has(self, name: str) -> bool:
        if name in self.unseen:
            self.unseen.remove(name)
            return False
        return super().has(name)


def test_a_store_that_cannot_say_what_is_new(url: str, place: Place) -> None:
    clocks, remotes = [FakeClock(), FakeClock()], [Forgetful(url), Forgetful(url)]
    one, other = (Output(remote, "webdataset", clock=clock) for remote, clock in zip(remotes, clocks, strict=True))
    # Both see no claim; the other's comes while the first waits to see whose it is.
    remotes[1].unseen.append("00000.claim")
    taken: list[bool] = []
    clocks[0].on_sleep = lambda _: taken.append(other._claims.take("00000.claim")) if not taken else None
    assert not one._claims.take("00000.claim")
    assert taken == [True] and other._claims.is_ours("00000.claim")
    assert not place.write(one, 0, a1="done") and place.write(other, 0, a1="done")
    assert one._claims._tells is False and other._claims._tells is False


def test_numbers_are_taken_once(url: str, place: Place, tmp_path: Path) -> None:
    """A listing may not show yet what was written last: nothing is written over, and nobody is asked twice."""
    remote = Forgetful(url)
    to = Output(remote, "webdataset", 1, FakeClock())
    place.write(to, 0, a1="network", b1="network")
    settings = Settings(tmp_path, retry_failed=(), samples_per_shard=5)
    clips = [Clip(name, name[0], 0.0, 10.0) for name in ("a1", "b1")]
    (shard,) = list(Todo(to, clips, settings, to.finished()))
    assert (shard.number, [clip.id for clip in shard.clips]) == (1, ["a1", "b1"])
    # Another driver at the same time: a number of its own.
    (second,) = list(Todo(Output(Forgetful(url), "webdataset", 1, FakeClock()), clips, settings, to.finished()))
    assert second.number == 2
    assert place.write(to, 1, a1="done", b1="network")
    to.let_go()
    remote.hidden = frozenset(name for name in remote.names() if name.startswith("00001"))
    assert to.finished() == {0}
    (third,) = list(Todo(to, clips, settings, to.finished()))
    assert (third.number, [clip.id for clip in third.clips]) == (3, ["b1"])
    to.let_go()
    assert {name for name in Remote(url).names() if name.endswith(".taken")} == {"00002.taken"}


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"clips": 1},
        {"clips": 1, "done": "1", "may_come": 0, "bytes": 0, "bytes_fetched": 0, "failed": {}, "seconds": 0},
        {"clips": 1, "done": -1, "may_come": 0, "bytes": 0, "bytes_fetched": 0, "failed": {}, "seconds": 0},
        {"clips": 1, "done": 1, "may_come": 0, "bytes": 0, "bytes_fetched": 0, "failed": [], "seconds": 0},
        {"clips": 1, "done": 1, "may_come": 0, "bytes": 0, "bytes_fetched": 0, "failed": {"x": "y"}, "seconds": 0},
        {"clips": 1, "done": 1, "may_come": 0, "bytes": 0, "bytes_fetched": 0, "failed": {}, "seconds": None},
    ],
)
def test_stats_that_are_none(url: str, content: Any) -> None:
    Remote(url).replace("00000_stats.json", json.dumps(content).encode())
    with pytest.raises(RunError, match="00000_stats.json holds no stats of a shard$") as caught:
        output(url, count=1).totals([0])
    assert caught.value.hint == "delete it, and run again: its clips come anew"


@pytest.mark.parametrize("name", ["1", "²", "٣", "00001x", "0000000001", "-1", "99999999999999999999"])
def test_stats_under_odd_names_are_no_packs(url: str, name: str) -> None:
    Remote(url).replace(f"{name}_stats.json", b"{}")
    assert output(url, count=3).finished() == frozenset()


@pytest.mark.parametrize("shards", ["x", None, -1, True, [1]])
def test_a_plan_that_is_none(url: str, shards: Any) -> None:
    Remote(url).replace("plan.json", json.dumps({"shards": shards}).encode())
    with pytest.raises(RunError, match="plan.json is no plan of ours$"):
        output(url).look()


def test_who_comes_when_the_other_is_just_through(url: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between a look whether the pack is there and the claim, another may claim, write, and be gone."""
    one, other = output(url), output(url)
    looked, has = [], Remote.has

    def slow(self: Remote, name: str) -> bool:
        found = has(self, name)
        if self is other._remote and not looked:
            looked.append(name)
            assert place.write(one, 0, a1="done", b1="done")
        return found

    monkeypatch.setattr(Remote, "has", slow)
    assert place.write(other, 0, a1="done", b1="-removed") is False
    assert looked and one.stats(0)["done"] == 2 and "00000.claim" not in Remote(url).names()


# -- what failed -----------------------------------------------------------------------------------------------


def test_the_latest_outcome_wins(url: str, place: Place) -> None:
    to = output(url, count=3)
    place.write(to, 0, a1="done", a2="-removed", b1="network", b2="-age")
    place.write(to, 1, c1="done", c2="done")
    place.write(to, 2, d1="-removed", d2="", e1="-private")
    assert to.failed(()) == {"a2": 0, "b1": 0, "b2": 0, "d1": 2, "d2": 2, "e1": 2}
    assert to.failed(("age",)) == {"b1": 0, "b2": 0, "d2": 2}
    # Asked for again: some came, some failed otherwise.
    place.write(to, 3, a2="done", b1="-removed", d1="-removed")
    assert to.failed(()) == {"b1": 3, "b2": 0, "d1": 3, "d2": 2, "e1": 2}
    place.write(to, 10, d1="done", e1="network")
    assert to.failed(()) == {"b1": 3, "b2": 0, "d2": 2, "e1": 10}
    assert to.failed(("private",)) == {"d2": 2, "e1": 10}


def test_totals_are_those_of_the_packs(url: str, place: Place) -> None:
    to = output(url, count=3)
    place.write(to, 0, a1="done", a2="-removed", b1="network")
    place.write(to, 2, d1="-removed", d2="done")
    totals = to.totals(to.finished())
    assert (totals.shards, totals.clips, totals.done, totals.may_come) == (2, 5, 2, 1)
    # On the disk, as the stats name the files.
    sizes = [size for number in (0, 2) for size in to.stats(number)["files"].values()]
    assert (totals.seconds, totals.bytes, totals.bytes_fetched) == (20.0, sum(sizes), 400)
    assert totals.failed == {"removed": 2, "network": 1}
    said = summary_of(to, totals, 1)
    assert said[0].startswith("2 shards are in ") and said[0].endswith("0.0 hours; 3 failed.")
    assert [line.split() for line in said[1:3]] == [["2", "removed"], ["1", "network"]]
    assert said[3] == "1 shards are not finished; they come with the same command."
    assert "--retry-failed" in said[4] and len(said) == 5
    again = summary_of(to, totals, 1, "avclips general")
    assert again[3:] == [
        "1 shards are not finished; they come with this.",
        "  avclips general",
        said[4],
        "  avclips general --retry-failed removed network",
    ]


def test_what_packs_came_without(tmp_path: Path, place: Place) -> None:
    to = output(str(tmp_path / "out"), count=2)
    for number, clips in enumerate(({"a1": "done"}, {"d2": "done"})):
        place.write(to, number, **clips)
    stats = tmp_path / "out" / "00000_stats.json"
    told = json.loads(stats.read_text())
    assert (told["videos"], told["withheld"]) == (1, {})
    stats.write_text(json.dumps(told | {"videos": 1200, "withheld": {"sabr": 144}}))
    # One that was written before these were counted.
    stats = tmp_path / "out" / "00001_stats.json"
    told = json.loads(stats.read_text())
    stats.write_text(
        json.dumps({name: value for name, value in told.items() if name not in ("videos", "withheld")})
    )
    totals = to.totals(to.finished())
    assert (totals.videos, totals.withheld) == (1200, {"sabr": 144})
    assert summary_of(to, totals, 0)[1].startswith("144 of 1,200 videos offered only format 18, or HLS, here: ")


def test_half_a_stats_file(tmp_path: Path, place: Place) -> None:
    to = output(str(tmp_path / "out"), count=1)
    place.write(to, 0, a1="done")
    (tmp_path / "out" / "00000_stats.json").write_text('{"shard"')
    with pytest.raises(RunError, match="00000_stats.json is not whole JSON") as caught:
        to.totals([0])
    assert caught.value.hint


# -- what is to be done ----------------------------------------------------------------------------------------


def todo(to: Output, clips: Sequence[Clip], **more: Any) -> list[tuple[int, str]]:
    settings = Settings(Path("x"), samples_per_shard=2, **more)
    return ids(iter(Todo(to, clips, settings, to.finished())))


def test_what_is_to_be_done(url: str, place: Place) -> None:
    to, clips = output(url), clips_of("a1 a2 b1 c1 d1 e1 e2")
    to.plan(clips, 2, {})
    every = [(0, "a1 a2"), (1, "b1 c1"), (2, "d1"), (3, "e1 e2")]
    assert todo(to, clips) == every
    assert todo(to, clips, part=(0, 2)) == every[::2] and todo(to, clips, part=(1, 2)) == every[1::2]
    place.write(to, 0, a1="-removed", a2="done")
    place.write(to, 3, e1="network", e2="-age")
    assert todo(to, clips) == every[1:3]
    # Behind what is left, what failed, in packs of their own.
    assert todo(to, clips, retry_failed=()) == [*every[1:3], (4, "a1"), (5, "e1 e2")]
    assert todo(to, clips, retry_failed=("age",)) == [*every[1:3], (4, "e1 e2")]
    assert todo(to, clips, retry_failed=("removed",)) == [*every[1:3], (4, "a1 e1")]


def test_what_failed_goes_to_whose_it_was(url: str, place: Place) -> None:
    """Of several tasks, each writes packs with numbers of its own, and each clip is asked for by one."""
    to, clips = output(url), clips_of("a1 b1 c1 d1 e1 f1")
    to.plan(clips, 2, {})
    for number, (one, other) in enumerate(("a1 b1".split(), "c1 d1".split(), "e1 f1".split())):
        place.write(to, number, **{one: "-removed", other: "network"})
    shares = [todo(to, clips, retry_failed=(), part=(task, 2)) for task in (0, 1)]
    assert shares == [[(4, "a1 b1"), (6, "e1 f1")], [(3, "c1 d1")]]
    # What failed again goes on with the task that wrote it.
    place.write(to, 4, a1="done", b1="network")
    place.write(to, 3, c1="-removed", d1="done")
    shares = [todo(to, clips, retry_failed=(), part=(task, 2)) for task in (0, 1)]
    assert shares == [[(6, "b1 e1"), (8, "f1")], [(5, "c1")]]


def test_columns_are_those_of_the_pack(tmp_path: Path, place: Place) -> None:
    """A parquet of tars has a row for every clip, and its tar the files of those that came."""
    to = output(str(tmp_path / "out"))
    place.write(to, 0, a1="done", b1="-removed", c1="")
    table = pyarrow.parquet.read_table(tmp_path / "out" / "00000.parquet")
    assert table.column("status").to_pylist() == ["done", "failed", "untried"]
    with tarfile.open(tmp_path / "out" / "00000.tar") as tar:
        assert tar.extractfile("a1.mp4").read() == b"picture a1"  # type: ignore[union-attr]

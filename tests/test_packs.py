"""A list in packs: how it is cut, what a folder of them was made of, who writes one, and what failed in them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet
import pytest

from avclips.clip import Clip, Settings
from avclips.errors import RunError, UsageError
from avclips.packed import Todo, open_output, plan_packs, summary_of
from avclips.packing import Sample
from avclips.packs import PLAN, Output, Pack, PackFormat, cut
from avclips.remote import Remote, StoreLost


def clips_of(text: str) -> list[Clip]:
    """ "a1 a2 b1" are two of video a and one of b."""
    return [Clip(name, name[0], 0.0, 10.0) for name in text.split()]


def ids(packs: Iterator[Pack]) -> list[tuple[int, str]]:
    return [(pack.number, " ".join(clip.id for clip in pack.clips)) for pack in packs]


# -- cutting ---------------------------------------------------------------------------------------------------

CUTS: dict[str, tuple[str, int, list[str]]] = {
    "nothing": ("", 3, []),
    "one": ("a1", 3, ["a1"]),
    "just full": ("a1 b1 c1", 3, ["a1 b1 c1"]),
    "one more": ("a1 b1 c1 d1", 3, ["a1 b1 c1", "d1"]),
    "a video that does not fit": ("a1 b1 b2 b3 c1", 3, ["a1", "b1 b2 b3", "c1"]),
    "two that just fit": ("a1 b1 b2 c1 c2 d1", 3, ["a1 b1 b2", "c1 c2 d1"]),
    "larger than a pack": ("a1 b1 b2 b3 b4 b5 c1 c2", 3, ["a1", "b1 b2 b3 b4 b5", "c1 c2"]),
    "larger, at first": ("a1 a2 a3 a4 b1", 3, ["a1 a2 a3 a4", "b1"]),
    "larger, at last": ("a1 b1 b2 b3 b4", 2, ["a1", "b1 b2 b3 b4"]),
    "each alone": ("a1 a2 b1 c1 c2 c3", 1, ["a1 a2", "b1", "c1 c2 c3"]),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_video_is_never_split(name: str) -> None:
    listed, size, due = CUTS[name]
    assert ids(cut(clips_of(listed), size)) == list(enumerate(due))
    assert ids(cut(iter(clips_of(listed)), size, 7, 3)) == [(7 + 3 * n, each) for n, each in enumerate(due)]


def test_a_long_list_is_cut_as_it_comes() -> None:
    taken = 0

    def listed() -> Iterator[Clip]:
        nonlocal taken
        while True:
            taken += 1
            yield Clip(f"c{taken}", f"v{taken // 2}", 0.0, 1.0)

    packs = cut(listed(), 10)
    sizes = [len(next(packs).clips) for _ in range(100)]
    assert set(sizes) <= {9, 10} and taken <= 1005


# -- what a folder was made of ---------------------------------------------------------------------------------

LISTED = clips_of("a1 a2 b1 c1 d1 d2 e1")
ABOUT = {"dataset": "clips", "quality": 360, "cut": "exact"}


@pytest.fixture(params=["path", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    yield str(tmp_path / "out") if request.param == "path" else "memory://bucket/out"
    fsspec.filesystem("memory").store.clear()
    fsspec.filesystem("memory").pseudo_dirs[:] = [""]


def output(url: str, format: PackFormat = "webdataset", count: int = 0) -> Output:
    return Output(Remote(url), format, count)


def test_a_plan(url: str) -> None:
    planned = output(url)
    assert planned.plan(LISTED, 3, ABOUT) == 7 and planned.count == 3
    said = json.loads(Remote(url).read(PLAN))
    assert said.pop("list") and said == {
        "clips": 7, "shards": 3, "samples_per_shard": 3, "format": "webdataset", **ABOUT
    }  # fmt: skip
    # The same, by another.
    again = output(url)
    assert again.plan(iter(LISTED), 3, ABOUT) == 7 and again.count == 3


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "a clip more": ({"clips": [*LISTED, *clips_of("f1")]}, "another list|clips 7"),
    "a clip less": ({"clips": LISTED[:-1]}, "another list|clips 7"),
    "another order": ({"clips": [*LISTED[2:], *LISTED[:2]]}, "another list"),
    "another id": ({"clips": [replace(LISTED[0], id="x"), *LISTED[1:]]}, "another list"),
    "another video": ({"clips": [*LISTED[:-1], replace(LISTED[-1], video="x")]}, "another list"),
    "another start": ({"clips": [replace(LISTED[0], start=0.5), *LISTED[1:]]}, "another list"),
    "another end": ({"clips": [replace(LISTED[0], end=None), *LISTED[1:]]}, "another list"),
    "another size": ({"size": 4}, "samples_per_shard 3"),
    "a size that gives as many": ({"size": 3, "clips": LISTED, "before": 4}, "samples_per_shard 4"),
    "another format": ({"format": "parquet"}, 'format "webdataset"'),
    "another dataset": ({"about": {**ABOUT, "dataset": "acav100m"}}, 'dataset "clips"'),
    "another quality": ({"about": {**ABOUT, "quality": 720}}, "quality 360"),
    "another cut": ({"about": {**ABOUT, "cut": "copy"}}, 'cut "exact"'),
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
    more = [replace(clip, meta={"caption": "x"}) for clip in LISTED]
    assert output(str(tmp_path)).plan(more, 3, ABOUT) == 7


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{\n "clips": 7,\n "sha', "is not whole JSON: "),
        (b"", "is not whole JSON: "),
        (b"\xff\xfe", "is not whole JSON: "),
        (b"[1]", "holds no object"),
        (b"null", "holds no object"),
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
        ({"quality": 720}, "quality 360"),
        ({"media": "audio"}, 'media "both"'),
        ({"audio_format": "flac"}, 'audio_format "wav"'),
        ({"audio_rate": 16000}, "audio_rate null"),
        ({"cut": "copy"}, 'cut "exact"'),
        # These say nothing of what is in the files, or of where.
        ({"flat": True}, None),
        ({"workers": 2, "shard": (0, 2), "max_videos": 3, "retry_failed": ()}, None),
    ],
)
def test_settings_of_the_files(tmp_path: Path, settings: dict[str, Any], said: str | None) -> None:
    before = Settings(tmp_path, output_format="webdataset", samples_per_shard=3)
    assert plan_packs(open_output(before), LISTED, "clips", before) == 7
    assert (tmp_path / "shards" / PLAN).exists()
    after = replace(before, **settings)
    if said is None:
        assert plan_packs(open_output(after), LISTED, "clips", after) == 7
        return
    with pytest.raises(UsageError, match=f"was made with {said}$"):
        plan_packs(open_output(after), LISTED, "clips", after)


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

    def write(self, to: Output, number: int, exclusive: bool = False, **said: str) -> bool:
        """Write a pack of these clips: a1="done", b1="-removed"."""
        samples = [self.sample(name, word) for name, word in said.items()]
        return to.write(number, samples, self.folder, self.scratch, exclusive)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize(("format", "endings"), [("webdataset", (".tar", ".parquet")), ("parquet", (".parquet",))])
def test_a_pack_is_there(url: str, place: Place, format: PackFormat, endings: Sequence[str]) -> None:
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
    put, calls, broken = Remote.put, [], [0]

    def counted(self: Remote, file: Path, name: str) -> None:
        calls.append(name)
        if len(calls) == broken[0]:
            raise StoreLost("lost")
        put(self, file, name)

    monkeypatch.setattr(Remote, "put", counted)
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
    assert place.write(one, 0, True, a1="done") is True
    assert place.write(other, 0, True, a1="done") is False
    assert place.write(one, 0, True, a1="done") is False
    assert "00000.claim" not in Remote(url).names()


def test_what_another_claimed_is_left_to_it(url: str, place: Place) -> None:
    one, other = output(url), output(url)
    assert one._claim("00000.claim") and not other._claim("00000.claim")
    assert place.write(other, 0, True, a1="done") is False
    assert Remote(url).names() == {"00000.claim"}
    # Its own claim is recognised: it was kept from writing before.
    assert place.write(one, 0, True, a1="done") is True
    assert one.finished() == {0} and "00000.claim" not in Remote(url).names()


def test_a_claim_outlives_a_write_that_failed(url: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other, put = output(url), output(url), Remote.put

    def lost(self: Remote, file: Path, name: str) -> None:
        raise StoreLost("lost")

    monkeypatch.setattr(Remote, "put", lost)
    with pytest.raises(StoreLost):
        place.write(one, 0, True, a1="done")
    monkeypatch.setattr(Remote, "put", put)
    assert place.write(other, 0, True, a1="done") is False
    assert place.write(one, 0, True, a1="done") is True


def test_a_dead_claim_can_be_dropped(url: str, place: Place) -> None:
    dead, one = output(url), output(url)
    for number in (0, 1, 2):
        assert dead._claim(f"0000{number}.claim")
    one.drop_claim(1)
    assert place.write(one, 0, True, a1="done") is False and place.write(one, 1, True, a1="done") is True
    one.drop_claims()
    one.drop_claims()
    assert place.write(one, 0, True, a1="done") and place.write(one, 2, True, b1="done")
    assert one.finished() == {0, 1, 2}


def test_who_comes_when_the_other_is_just_through(url: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between a look whether the pack is there and the claim, another may claim, write, and be gone."""
    one, other = output(url), output(url)
    looked, has = [], Remote.has

    def slow(self: Remote, name: str) -> bool:
        found = has(self, name)
        if self is other._remote and not looked:
            looked.append(name)
            assert place.write(one, 0, True, a1="done", b1="done")
        return found

    monkeypatch.setattr(Remote, "has", slow)
    assert place.write(other, 0, True, a1="done", b1="-removed") is False
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
    assert (totals.packs, totals.clips, totals.done, totals.may_come) == (2, 5, 2, 1)
    # On the disk, as the stats name the files.
    sizes = [size for number in (0, 2) for size in to.stats(number)["files"].values()]
    assert (totals.seconds, totals.bytes, totals.bytes_fetched) == (20.0, sum(sizes), 400)
    assert totals.failed == {"removed": 2, "network": 1}
    said = summary_of(to, totals, 1)
    assert said[0].startswith("2 shards are in ") and said[0].endswith("0.0 hours; 3 failed.")
    assert [line.split() for line in said[1:3]] == [["2", "removed"], ["1", "network"]]
    assert said[3] == "1 shards are not finished; they come with the same command."
    assert "--retry-failed" in said[4] and len(said) == 5


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
    assert todo(to, clips, shard=(0, 2)) == every[::2] and todo(to, clips, shard=(1, 2)) == every[1::2]
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
    shares = [todo(to, clips, retry_failed=(), shard=(task, 2)) for task in (0, 1)]
    assert shares == [[(4, "a1 b1"), (6, "e1 f1")], [(3, "c1 d1")]]
    # What failed again goes on with the task that wrote it.
    place.write(to, 4, a1="done", b1="network")
    place.write(to, 3, c1="-removed", d1="done")
    shares = [todo(to, clips, retry_failed=(), shard=(task, 2)) for task in (0, 1)]
    assert shares == [[(6, "b1 e1"), (8, "f1")], [(5, "c1")]]


def test_columns_are_those_of_the_pack(tmp_path: Path, place: Place) -> None:
    """A parquet of tars has a row for every clip, and its tar the files of those that came."""
    to = output(str(tmp_path / "out"))
    place.write(to, 0, a1="done", b1="-removed", c1="")
    table = pyarrow.parquet.read_table(tmp_path / "out" / "00000.parquet")
    assert table.column("status").to_pylist() == ["done", "failed", "untried"]
    with tarfile.open(tmp_path / "out" / "00000.tar") as tar:
        assert tar.extractfile("a1.mp4").read() == b"picture a1"  # type: ignore[union-attr]

"""--verify of shards: each kind of damage is named, what is right is not, and --repair has the shard come anew."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet
import pytest

from avclips.cli.verify import verify_shards
from avclips.core.clock import Clock
from avclips.core.files import sha256
from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.media.ffmpeg import Ffmpeg
from avclips.media.inspect import measure_sound
from avclips.shards.layout import SET_ASIDE, Output, ShardFormat
from avclips.shards.sample import Sample
from avclips.shards.storage import Remote, StoreLost
from tests.matrix.media import run_ffmpeg
from tests.standin.fake_media import ffmpeg

CLIPS = [Clip(f"c{n}.5", f"v{n}", 0.0, 1.0, {"caption": f"words {n}"}) for n in range(4)]
FORMATS: tuple[ShardFormat, ...] = ("webdataset", "parquet")


@pytest.fixture(scope="module")
def tool() -> Ffmpeg:
    return Ffmpeg(Path(ffmpeg()), Clock())


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    for n in range(len(CLIPS)):
        picture, sound = f"testsrc=s=64x48:r=5:d={1 + n}", f"sine=f={300 + n}:d=1"
        run_ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-c:a", "aac", folder / f"{n}.mp4")
        run_ffmpeg("-f", "lavfi", "-i", sound, folder / f"{n}.wav")
    return folder


class Place:
    """Two finished shards of two clips, and one with a failure and a clip without sound."""

    def __init__(self, path: Path, media: Path, format: ShardFormat, tool: Ffmpeg) -> None:
        self.out, self.format, self.tool = path / "out", format, tool
        self.media = media
        self.output = Output(Remote(str(self.out)), format)
        self.output.plan(CLIPS, 2, {}, ("mp4", "wav"))
        self.scratch = path / "scratch"
        for number in (0, 1):
            samples = [self.sample(n) for n in (2 * number, 2 * number + 1)]
            if number:
                line = {"status": "failed", "reason": "removed", "permanent": True}
                samples[1] = Sample(samples[1].clip, line)
                samples[0] = self.sample(2, silent=True)
            assert self.output.write(number, samples, media, self.scratch)
        self.output.let_go()

    def sample(self, n: int, silent: bool = False) -> Sample:
        line = {"id": CLIPS[n].id, "status": "done", "video": f"{n}.mp4", "audio": None if silent else f"{n}.wav"}
        line |= {"sha256": sha256(self.media / f"{n}.mp4"), "pictures": 5 * (1 + n), "duration": 1.0}
        if not silent:
            sound = measure_sound(self.media / f"{n}.wav", self.tool)
            line |= {"audio_sha256": sha256(self.media / f"{n}.wav"), "samples": sound.samples}
        return Sample(CLIPS[n], line)

    @property
    def data(self) -> Path:
        """The file of shard 0 that holds the media."""
        return self.out / ("00000.tar" if self.format == "webdataset" else "00000.parquet")

    def verify(self, repair: bool = False) -> bool:
        again = Output(Remote(str(self.out), look=True), self.format)
        again.look()
        return verify_shards(again, self.tool, Settings(self.out, workers=2), repair)

    def say_so(self) -> None:
        """Have the stats say what is there, so that no size tells."""
        path = self.out / "00000_stats.json"
        stats = json.loads(path.read_bytes())
        stats["files"] = {name: (self.out / name).stat().st_size for name in stats["files"]}
        stats["sha256"] = {name: sha256(self.out / name) for name in stats["files"]}
        path.write_text(json.dumps(stats))

    def retar(self, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> None:
        """Write the tar of shard 0 again, each member as ``change`` has it; None: left out."""
        with tarfile.open(self.data) as tar:
            members = [(each.name, (tar.extractfile(each) or io.BytesIO()).read()) for each in tar]
        with tarfile.open(self.data, "w") as tar:
            for name, content in filter(None, (change(*each) for each in members)):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        self.say_so()

    def rerow(self, **columns: list[object]) -> None:
        """Write the table of shard 0 again with other cells."""
        path = self.out / "00000.parquet"
        table = pyarrow.parquet.read_table(path)
        for name, cells in columns.items():
            place = table.schema.get_field_index(name)
            table = table.set_column(place, name, pyarrow.array(cells, table.schema.field(name).type))
        pyarrow.parquet.write_table(table, path)
        self.say_so()


@pytest.fixture(params=FORMATS)
def place(request: pytest.FixtureRequest, tmp_path: Path, media: Path, tool: Ffmpeg) -> Place:
    return Place(tmp_path, media, request.param, tool)


@pytest.fixture
def tars(tmp_path: Path, media: Path, tool: Ffmpeg) -> Place:
    return Place(tmp_path, media, "webdataset", tool)


def test_what_is_right(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in place.out.rglob("*") if path.is_file()}
    assert place.verify() and place.verify(repair=True)
    assert capsys.readouterr().out == "2 shards are right, 0 are bad.\n" * 2
    assert {path: path.read_bytes() for path in place.out.rglob("*") if path.is_file()} == before


def flip(place: Place) -> None:
    """A bit in the middle of a picture's file."""
    content = bytearray(place.data.read_bytes())
    middle = (place.media / "0.mp4").read_bytes()[100:200]
    content[content.index(middle) + 50] ^= 1
    place.data.write_bytes(content)


def flip_a_fact(place: Place) -> None:
    """In a table, of what no clip's digest speaks."""
    path = place.out / "00000.parquet"
    content = bytearray(path.read_bytes())
    content[content.index(b"words 0")] ^= 1
    path.write_bytes(content)


def cut(place: Place) -> None:
    content = place.data.read_bytes()
    place.data.write_bytes(content[: len(content) // 2])


def say_nothing(place: Place) -> None:
    (place.out / "00000_stats.json").write_text("{")


# What is done to shard 0, and what is then said of it.
DAMAGES: dict[str, tuple[Callable[[Place], object], str]] = {
    "a bit": (flip, "c0.5: its picture is not what was downloaded"),
    "a bit of a fact": (flip_a_fact, "00000.parquet is not what was written"),
    "cut off": (cut, "00000.{ending} has {size} bytes instead of "),
    "gone": (lambda place: place.data.unlink(), "00000.{ending} is missing"),
    "cut off, and its stats say so": (lambda place: (cut(place), place.say_so()), "00000.{ending} cannot be read"),
    "no stats": (say_nothing, "{url}/00000_stats.json is not whole JSON"),
    "other counts": (lambda place: place.rerow(status=["done", "untried"]), "its table has 1 done, its stats 2"),
    "twice": (lambda place: place.rerow(id=["c0.5", "c0.5"]), "c0.5: its table has it several times"),
    "another digest": (lambda place: place.rerow(audio_sha256=["a", "b"]), "c0.5: its sound is not what was down"),
    "other pictures": (lambda place: place.rerow(pictures=[6, 10]), "c0.5: its picture has 5 pictures instead"),
    "other samples": (lambda place: place.rerow(samples=[44100, 7]), "c1.5: its sound has 44100 samples instead"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_wrong(place: Place, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    damage, due = DAMAGES[name]
    damage(place)
    assert not place.verify()
    said = capsys.readouterr().out
    size = place.data.stat().st_size if place.data.exists() else 0
    assert "00000: " + due.format(ending=place.data.suffix[1:], size=size, url=place.out) in said
    assert said.endswith("1 shards are right, 1 are bad.\n")
    # Nothing was touched, and nothing of the other shard is called wrong.
    assert "00001" not in said and not (place.out / SET_ASIDE).exists()


MEMBERS: dict[str, tuple[Callable[[str, bytes], tuple[str, bytes] | None], str]] = {
    "a clip is missing": (lambda name, content: (name, content) if "c1" not in name else None,
        "c1.5: it is not in 00000.tar"),
    "a picture is missing": (lambda name, content: (name, content) if name != "c1~5.mp4" else None,
        "c1.5: its picture is missing"),
    "a stranger": (lambda name, content: (name.replace("c1", "cx"), content),
        "00000.tar holds cx~5.json, of which its table says nothing"),
    "another's json": (lambda name, content: (name, b'{"id": "x"}' if name == "c0~5.json" else content),
        "c0.5: its json is another clip's, or none"),
    "no json": (lambda name, content: (name, b"{" if name == "c0~5.json" else content),
        "c0.5: its json is another clip's, or none"),
}  # fmt: skip


@pytest.mark.parametrize("name", MEMBERS)
def test_what_is_wrong_with_a_tar(tars: Place, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    change, due = MEMBERS[name]
    tars.retar(change)
    assert not tars.verify()
    assert f"00000: {due}\n" in capsys.readouterr().out


def test_a_tars_every_byte_counts(tars: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of a caption, and those behind the last clip."""
    for old in (b"words 0", bytes(1024)):
        good = tars.data.read_bytes()
        place = good.rindex(old)
        tars.data.write_bytes(good[:place] + b"x" + good[place + 1 :])
        assert not tars.verify()
        assert capsys.readouterr().out.startswith("00000: 00000.tar is not what was written\n")
        tars.data.write_bytes(good)


def test_stats_from_before_there_were_digests(place: Place) -> None:
    path = place.out / "00000_stats.json"
    stats = json.loads(path.read_bytes())
    del stats["sha256"]
    path.write_text(json.dumps(stats))
    assert place.verify()


def test_what_cannot_be_decoded(tars: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where its digest says that it is what was downloaded."""
    tars.retar(lambda name, content: (name, bytes(2000)) if name == "c0~5.mp4" else (name, content))
    zeros = tars.scratch / "zeros"
    zeros.write_bytes(bytes(2000))
    tars.rerow(sha256=[sha256(zeros), sha256(tars.media / "1.mp4")])
    assert not tars.verify()
    said = capsys.readouterr().out
    assert said.startswith("00000: c0.5: ") and "is not what" not in said and said.count("\n") == 2


def test_repair_has_the_shard_come_anew(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    flip(place)
    spoilt = place.data.read_bytes()
    assert not place.verify(repair=True)
    aside = place.out / SET_ASIDE / "00000"
    assert f"  moved to {aside}: the same command makes it anew\n" in capsys.readouterr().out
    # Nothing is deleted; what readers look for is gone, with the stats that said it was finished.
    assert (aside / place.data.name).read_bytes() == spoilt
    assert not list(place.out.glob("00000*")) and place.output.finished() == {1}
    assert place.output.write(0, [place.sample(0), place.sample(1)], place.media, place.scratch)
    place.output.let_go()
    assert place.verify()
    # Once more: what was set aside before stays.
    flip(place)
    assert not place.verify(repair=True)
    assert sorted(each.name for each in aside.parent.iterdir()) == ["00000", "00000.1"]


def test_a_shard_that_is_being_written_is_left_alone(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    flip(place)
    other = Output(Remote(str(place.out)), place.format, 2)
    assert other._claims.take("00000.claim")
    assert not place.verify(repair=True)
    assert "  left where it is: another run is at it\n" in capsys.readouterr().out
    assert place.data.exists() and place.output.finished() == {0, 1}


def test_a_further_shard(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """What --retry-failed brought is not of the list's own shards."""
    assert place.output.write(2, [replace(place.sample(3))], place.media, place.scratch)
    (place.out / "00002.parquet").unlink()
    assert not place.verify(repair=True)
    assert "00002: --retry-failed asks for its clips\n" in capsys.readouterr().out


def test_a_store_that_is_away_calls_nothing_bad(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **more: object) -> None:
        raise ConnectionResetError(104, "Connection reset by peer")

    read = type(place.output._remote._fs)._open
    opened: list[str] = []

    def once(self: object, path: str, *args: object, **more: object) -> object:
        opened.append(path)
        return away() if path.endswith(place.data.name) else read(self, path, *args, **more)

    monkeypatch.setattr(type(place.output._remote._fs), "_open", once)
    with pytest.raises(StoreLost, match="Connection reset by peer"):
        place.verify()
    assert opened


def test_a_clip_that_a_tar_has_twice(tars: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Apart from each other: the one is not unpacked over the other."""
    with tarfile.open(tars.data) as tar:
        members = [(each, (tar.extractfile(each) or io.BytesIO()).read()) for each in tar]
    with tarfile.open(tars.data, "w") as tar:
        for member, content in [*members, *members]:
            tar.addfile(member, io.BytesIO(content))
    tars.say_so()
    assert not tars.verify()
    said = capsys.readouterr().out.splitlines()
    assert sorted(said[:-1]) == [f"00000: c{n}.5: it is in 00000.tar several times" for n in (0, 1)]

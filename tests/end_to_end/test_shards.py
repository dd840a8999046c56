"""Whole runs whose results go into shards, beside the same run into files, and what interrupts them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import signal
import socket
import subprocess
import sys
import wave
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import pyarrow.dataset
import pyarrow.parquet
import pytest

from avclips.cli import main
from avclips.datasets.clip_list import CLIPS
from avclips.datasets.music_avqa import MUSIC_AVQA
from tests.standin.fake_player import webvtt
from tests.standin.fake_youtube import FakeVideo, FakeYouTube, Fault, Media
from tests.support.script import ROOT, Ended, Gate, Stage, digests, snapshot, stage, stems
from tests.unit.shards.test_tar_writer import loaded

PIP = f"{sys.executable} -m pip install"

SCRIPT = ROOT / "download_clips.py"
AVQA = ROOT / "download_general_avqa.py"
# What takes hours passes in a second.
HURRY = 3000.0
SHORT = Media(duration=8, gop_seconds=2, fps=5)
WRITTEN = webvtt([(0, 3, "before"), (3, 6, "over")])
Row = dict[str, Any]


def video(number: int) -> str:
    return f"packvideo{number:02d}"


class Packs(Stage):
    """The script of lists with its shards; ``more``: variables of its environment."""

    def __init__(self, youtube: FakeYouTube, base: Path, script: Path = SCRIPT) -> None:
        super().__init__(youtube, base, script=script)
        self.data = base / "place" / "clips"
        self.shards = self.data / "shards"
        self.more: dict[str, str] = {}

    def environment(self, scale: float = 1.0) -> dict[str, str]:
        return super().environment(scale) | self.more

    def list(self, rows: Sequence[Row], name: str = "list.csv") -> Path:
        path = self.base / name
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(dict.fromkeys(key for row in rows for key in row)))
            writer.writeheader()
            writer.writerows(rows)
        return path

    @property
    def asked(self) -> int:
        return len(self.youtube.log)

    # -- what is in the shards, with others' eyes --------------------------------------------------------------

    @property
    def finished(self) -> list[int]:
        return sorted(int(path.name[:5]) for path in self.shards.glob("*_stats.json"))

    def stats(self, number: int) -> dict[str, Any]:
        return dict(json.loads((self.shards / f"{number:05d}_stats.json").read_text()))

    @property
    def rows(self) -> list[Row]:
        """Of all shards, one after the other."""
        return [row for path in sorted(self.shards.glob("*.parquet")) for row in _rows(path)]

    def ids(self, number: int) -> list[str]:
        return [row["id"] for row in _rows(self.shards / f"{number:05d}.parquet")]

    @property
    def tars(self) -> list[dict[str, Any]]:
        return loaded(*sorted(self.shards.glob("*.tar")))

    @property
    def leftovers(self) -> set[str]:
        """What stands beside the shards that should be in them, and what is half there."""
        kept = ("videos", "audio", "info", "subtitles", ".tmp", "set_aside")
        beside = {str(path.relative_to(self.data)) for name in kept for path in self.data.glob(f"{name}/**/*")
                  if path.is_file()}  # fmt: skip
        endings = (".tar", ".parquet", "_stats.json")
        whole = {f"{number:05d}{ending}" for number in self.finished for ending in endings}
        return beside | ({path.name for path in self.shards.iterdir()} - whole - {"plan.json"})


def _rows(path: Path) -> list[Row]:
    return list(pyarrow.parquet.read_table(path).to_pylist())


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def shards(tmp_path: Path, media_folder: Path) -> Iterator[Callable[..., Packs]]:
    """A stage for these videos; what a test asks of them is its own."""
    open_ones: list[FakeYouTube] = []

    def make(videos: Mapping[str, FakeVideo], **more: Any) -> Packs:
        open_ones.append(FakeYouTube(media_folder, videos, **more).start())
        return Packs(open_ones[-1], tmp_path)

    yield make
    for youtube in open_ones:
        youtube.close()
        assert youtube.unknown == []


# -- the same list into files, tars and tables -----------------------------------------------------------------

GONE, AGE, COMING = "packsgone00", "packsage000", "packcoming0"
# Of two that say something, one is in English.
SPOKEN = {video(2): "en", video(3): "fr"}
OPTIONS = (
    "--cut",
    "copy",
    "--caption-col",
    "words",
    "--keep-cols",
    "topic",
    "views",
    "--info",
    "--subtitles",
    "en",
)
SIZE, COUNT = 6, 7


def every_row() -> list[Row]:
    rows: list[Row] = []
    for number in range(9):
        for start, end in ((0.5, 1.5), (2, 3.25), (4, 5))[: 3 if number != 4 else 2]:
            rows.append({"url": video(number), "start": start, "end": end})
    rows += [{"url": GONE, "start": 1, "end": 2}, {"url": GONE, "start": 2, "end": 3}]
    rows += [{"url": AGE, "start": 1, "end": 2}, {"url": COMING, "start": 1, "end": 2}]
    # Behind its end.
    rows.insert(5, {"url": video(1), "start": 60, "end": 61})
    for number, row in enumerate(rows):
        row |= {"words": f"ünï {number}" if number % 3 else "", "topic": f"topic {number % 4}", "views": number}
    return rows


def every_video() -> dict[str, FakeVideo]:
    videos = {video(number): FakeVideo(replace(SHORT, seed=number % 3 + 1)) for number in range(9)}
    for name, language in SPOKEN.items():
        videos[name] = replace(videos[name], captions={language: WRITTEN})
    refused = {GONE: "removed_by_uploader", AGE: "age", COMING: "upcoming"}
    return videos | {name: FakeVideo(case=case) for name, case in refused.items()}


ROWS = every_row()
IDS = ["{url}_{start}_{end}".format(**row) for row in ROWS]
FAILED = {f"{video(1)}_60_61": "over", f"{GONE}_1_2": "removed", f"{GONE}_2_3": "removed", f"{AGE}_1_2": "age",
          f"{COMING}_1_2": "upcoming"}  # fmt: skip
GOOD = [each for each in IDS if each not in FAILED]


@dataclass
class Made:
    """The same run three times, by how its results are kept."""

    places: dict[str, Packs]
    ended: dict[str, Ended]

    @property
    def files(self) -> Packs:
        return self.places["files"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Iterator[Made]:
    places, ended = {}, {}
    with FakeYouTube(media_folder, every_video()) as youtube:
        for form in ("files", "webdataset", "parquet"):
            place = places[form] = Packs(youtube, tmp_path_factory.mktemp(form))
            more = () if form == "files" else ("--output-format", form, "--samples-per-shard", str(SIZE))
            ended[form] = place.run(place.list(ROWS), *OPTIONS, *more, scale=HURRY)
        yield Made(places, ended)
        assert youtube.unknown == []


FORMS = ("webdataset", "parquet")


def again(made: Made, form: str, *more: str) -> Ended:
    place = made.places[form]
    options = ("--output-format", form, "--samples-per-shard", str(SIZE), *more)
    return place.run(place.base / "list.csv", *OPTIONS, *options, scale=HURRY)


def test_the_run_into_files_is_as_it_was(made: Made) -> None:
    assert made.files.published == set(made.files.completed) == set(GOOD)
    assert {name: line["reason"] for name, line in made.files.failed.items()} == FAILED
    assert made.ended["files"].code == 3 and len(GOOD) == 26


@pytest.mark.parametrize("form", FORMS)
def test_exit_code_and_words(made: Made, form: str) -> None:
    ended, place = made.ended[form], made.places[form]
    assert ended.code == 3, ended.said
    assert f"31 clips in {COUNT} shards, {COUNT} of them unfinished -> {place.shards}" in ended.out
    assert f"{COUNT} shards are in {place.shards}: 26 clips in " in ended.out and "; 5 failed." in ended.out
    assert "not finished" not in ended.out and "--retry-failed [REASON ...]" in ended.out
    assert ended.err == ""


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_left_beside_the_shards(made: Made, form: str) -> None:
    assert made.places[form].leftovers == set()
    assert made.places[form].finished == list(range(COUNT))


@pytest.mark.parametrize("form", FORMS)
def test_every_clip_has_one_row_in_the_lists_order(made: Made, form: str) -> None:
    rows = made.places[form].rows
    assert [row["id"] for row in rows] == IDS
    assert [row["status"] for row in rows] == ["failed" if each in FAILED else "done" for each in IDS]
    assert {row["id"]: row["reason"] for row in rows if row["reason"]} == FAILED
    assert {row["id"] for row in rows if row["permanent"] is False} == {f"{COMING}_1_2"}
    for row, asked in zip(rows, ROWS, strict=True):
        assert (row["youtube_id"], row["start"], row["end"]) == (asked["url"], asked["start"], asked["end"])
        assert (row["topic"], row["views"]) == (asked["topic"], str(asked["views"]))
        assert (row.get("caption") or "") == asked["words"]


@pytest.mark.parametrize("form", FORMS)
def test_rows_say_what_the_manifest_says(made: Made, form: str) -> None:
    """Of the same clips in files."""
    for row in made.places[form].rows:
        line = made.files.manifest_of(row["id"])
        names = ("duration", "pictures", "width", "height", "fps", "samples", "sample_rate", "channels", "sha256",
                 "audio_sha256", "bytes", "formats", "title", "error", "permanent")  # fmt: skip
        assert {name: row[name] for name in names} == {name: line.get(name) for name in names}
    # What two clips share is charged to either, by which came first.
    fetched = sum(row["bytes_fetched"] or 0 for row in made.places[form].rows)
    assert fetched == sum(line.get("bytes_fetched", 0) for line in made.files.manifest)


def test_the_media_are_those_of_the_files(made: Made) -> None:
    files = {
        name: (sha(made.files.mp4(name).read_bytes()), sha(made.files.wav(name).read_bytes())) for name in GOOD
    }
    tars = {json.loads(each["json"])["id"]: (sha(each["mp4"]), sha(each["wav"]))
            for each in made.places["webdataset"].tars}  # fmt: skip
    rows = {row["id"]: (sha(row["mp4"]["bytes"]), sha(row["wav"]["bytes"]))
            for row in made.places["parquet"].rows if row["status"] == "done"}  # fmt: skip
    assert tars == files and rows == files


@pytest.mark.parametrize("form", FORMS)
def test_the_media_play(made: Made, form: str) -> None:
    place = made.places[form]
    found = place.tars if form == "webdataset" else [row for row in place.rows if row["status"] == "done"]
    for each in (found[0], found[-1]):
        mp4, wav = (each[name] if form == "webdataset" else each[name]["bytes"] for name in ("mp4", "wav"))
        with av.open(io.BytesIO(mp4)) as container:
            assert sum(1 for _ in container.decode(video=0)) >= 5
        with wave.open(io.BytesIO(wav)) as sound:
            assert sound.getframerate() == 44100 and sound.getnframes() == 44100


def test_what_a_tar_holds(made: Made) -> None:
    samples = made.places["webdataset"].tars
    assert [each["__key__"] for each in samples] == [name.replace(".", "~") for name in GOOD]
    for each in samples:
        said = json.loads(each["json"])
        asked = ROWS[IDS.index(said["id"])]
        assert each["txt"].decode() == asked["words"]
        assert said["info"] == (made.files.data / "info" / f"{said['id']}.json").read_text()
        kept = made.files.data / "subtitles" / f"{said['id']}.en.vtt"
        assert each["en.vtt"] == (kept.read_bytes() if kept.exists() else b"WEBVTT\n")
    found = [each["en.vtt"] != b"WEBVTT\n" for each in samples]
    assert 0 < sum(found) == len(list((made.files.data / "subtitles").iterdir())) < len(found)


def test_what_a_table_holds_beside_the_media(made: Made) -> None:
    for row in made.places["parquet"].rows:
        kept = made.files.data / "subtitles" / f"{row['id']}.en.vtt"
        assert row.get("en.vtt") == (kept.read_bytes() if kept.exists() else None)


def test_a_table_holds_the_info(made: Made) -> None:
    """info/ID.json is taken away with the media."""
    for row in made.places["parquet"].rows:
        if row["status"] == "done":
            due = json.loads((made.files.data / "info" / f"{row['id']}.json").read_text())
            kept = row.get("info") or row.get("info.json") or "null"
            assert (json.loads(kept) if isinstance(kept, str | bytes) else kept) == due


@pytest.mark.parametrize("form", FORMS)
def test_the_shards_are_one_dataset(made: Made, form: str) -> None:
    folder = made.places[form].shards
    paths = sorted(map(str, folder.glob("*.parquet")))
    table = pyarrow.dataset.dataset(paths, format="parquet").to_table()
    assert table.column("id").to_pylist() == IDS
    if form == "parquet":
        assert sum(each is not None for each in table.column("wav").to_pylist()) == len(GOOD)


@pytest.mark.parametrize("form", FORMS)
def test_a_video_is_in_one_shard(made: Made, form: str) -> None:
    place = made.places[form]
    homes = {(row["youtube_id"], number) for number in place.finished
             for row in _rows(place.shards / f"{number:05d}.parquet")}  # fmt: skip
    assert len(homes) == len({name for name, _ in homes})
    assert all(len(place.ids(number)) <= SIZE for number in place.finished)


@pytest.mark.parametrize("form", FORMS)
def test_the_stats(made: Made, form: str) -> None:
    place = made.places[form]
    every = [place.stats(number) for number in place.finished]
    assert sum(each["done"] for each in every) == 26 and sum(each["clips"] for each in every) == 31
    assert sum((Counter(each["failed"]) for each in every), Counter()) == Counter(FAILED.values())
    assert sum(each["may_come"] for each in every) == 1
    assert sum(each["seconds"] for each in every) == pytest.approx(sum(row["duration"] or 0 for row in place.rows))
    sizes = {name: size for each in every for name, size in each["files"].items()}
    files = [path for path in place.shards.iterdir() if path.suffix in (".tar", ".parquet")]
    assert sizes == {path.name: path.stat().st_size for path in files}


def test_again_nothing_is_asked(made: Made, form: str = "webdataset") -> None:
    place = made.places[form]
    asked, before = place.asked, digests(place.shards.iterdir())
    ended = again(made, form)
    assert (ended.code, place.asked) == (3, asked) and digests(place.shards.iterdir()) == before
    assert f"31 clips in {COUNT} shards, 0 of them unfinished" in ended.out


def look(place: Packs, form: str) -> int:
    """--status, in this process: it asks nobody anything."""
    words = ("--data-dir", place.data, "--output-format", form, "--samples-per-shard", SIZE, "--status", *OPTIONS)
    return main.main(CLIPS, [str(place.base / "list.csv"), *map(str, words)])


@pytest.mark.parametrize("form", FORMS)
def test_status(made: Made, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    place = made.places[form]
    before = snapshot(place.data)
    assert look(place, form) == 0 and snapshot(place.data) == before
    told = capsys.readouterr()
    said = told.out.splitlines()
    assert told.err == "" and said[0].startswith(f"{COUNT} shards are in {place.shards}: 26 clips in ")
    assert said[0].endswith(" hours; 5 failed.")
    reasons = Counter(FAILED.values())
    assert {tuple(line.split()) for line in said[1:5]} == {(str(reasons[name]), name) for name in reasons}
    assert re.fullmatch(
        r"--subtitles en: 23 of 26 clips have no file: the videos of 23 .* \(other languages: 3 fr\)\.", said[5]
    )
    assert said[6:] == ["What failed is asked for again, into further shards, with --retry-failed [REASON ...]."]


def test_a_look_writes_nothing(made: Made) -> None:
    """Of a folder that has no shards, and may never have."""
    before = snapshot(made.files.data)
    look(made.files, "webdataset")
    assert snapshot(made.files.data) == before


# -- what interrupts a run -------------------------------------------------------------------------------------


def some_rows(videos: int, each: int = 2) -> list[Row]:
    return [{"url": video(number), "start": 1 + 2 * n, "end": 2 + 2 * n}
            for number in range(videos) for n in range(each)]  # fmt: skip


def some_videos(count: int, **more: Any) -> dict[str, FakeVideo]:
    return {video(number): FakeVideo(SHORT, **more) for number in range(count)}


def ids_of(rows: Sequence[Row]) -> list[str]:
    return ["{url}_{start}_{end}".format(**row) for row in rows]


TARS = ("--cut", "copy", "--output-format", "webdataset", "--samples-per-shard")


def is_whole(place: Packs, rows: Sequence[Row]) -> None:
    """Every clip is in the shards, once, with its media, and nothing is anywhere else."""
    assert [row["id"] for row in place.rows] == ids_of(rows)
    found = [json.loads(each["json"])["id"] for each in place.tars]
    assert found == [row["id"] for row in place.rows if row["status"] == "done"]
    assert all(each["mp4"] and each["wav"] for each in place.tars)
    assert place.leftovers == set()


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
def test_it_goes_on_where_it_was_ended(shards: Callable[..., Packs], how: str) -> None:
    rows = some_rows(6)
    place = shards(some_videos(6))
    path = place.list(rows)
    gate = place.youtube.refuse = Gate(0, video(5))
    child = place.start(path, *TARS, "3", "--workers", "2", scale=HURRY)
    child.until(lambda: place.finished)
    child.send(signal.Signals[how])
    ended = child.end()
    gate.open()
    assert ended.code == (-signal.SIGKILL if how == "SIGKILL" else 143), ended.said
    if how == "SIGTERM":
        assert "Stopped by SIGTERM" in ended.err and "Traceback" not in ended.said
    done = {line["id"] for line in place.manifest if line["status"] == "done"}
    whole = [video(n) for n in range(6) if set(ids_of(rows[2 * n : 2 * n + 2])) <= done]
    before = {name: place.youtube.extractions(name) for name in whole}
    kept = digests(place.shards / f"{n:05d}.tar" for n in place.finished)
    assert place.run(path, *TARS, "3", scale=HURRY).code == 0
    if how == "SIGKILL":
        # Killed between the two files of a clip, a run leaves one of them, which the next moves out of the way.
        for path in (place.data / "set_aside").glob("*"):
            assert path.stem not in done
            path.unlink()
    is_whole(place, rows)
    assert whole and {name: place.youtube.extractions(name) for name in whole} == before
    assert digests(place.shards / name for name in kept) == kept


def test_half_a_file_of_a_killed_run_goes(shards: Callable[..., Packs]) -> None:
    """As one that was killed while it copied left it, in the folder of results."""
    rows = some_rows(2, 1)
    place = shards(some_videos(2))
    dead = subprocess.Popen(["true"])
    dead.wait()
    place.shards.mkdir(parents=True)
    (place.shards / f".00001.tar.{socket.gethostname()}-{dead.pid}.part").write_bytes(b"half")
    (place.shards / "00001.tar").write_bytes(b"of a run that came no further")
    assert place.run(place.list(rows), *TARS, "1", scale=HURRY).code == 0
    is_whole(place, rows)


def test_what_was_packed_is_taken_away_by_the_next(shards: Callable[..., Packs]) -> None:
    """A run that was killed when its shard was there left the files beside it."""
    rows = some_rows(3, 1)
    place = shards(some_videos(3))
    options = (place.list(rows), *TARS, "2")
    assert place.run(*options, scale=HURRY).code == 0
    asked, before = place.asked, digests(place.shards.iterdir())
    # All of the first, and of the others what it had not come to.
    for number, each in enumerate(place.tars):
        clip = json.loads(each["json"])["id"]
        if number != 1:
            place.mp4(clip).write_bytes(each["mp4"])
        if number != 2:
            place.wav(clip).write_bytes(each["wav"])
    assert len(place.leftovers) == 4
    assert place.run(*options, scale=HURRY).code == 0
    assert place.asked == asked and digests(place.shards.iterdir()) == before
    is_whole(place, rows)


def test_a_folder_of_files_is_not_packed(shards: Callable[..., Packs]) -> None:
    """What is packed is taken away: nobody should lose single files to a word, or shards to another."""
    place = shards(some_videos(3))
    options = (place.list(some_rows(3, 1)), "--cut", "copy")
    assert place.run(*options, "--max-clips", "2", scale=HURRY).code == 0
    ended = place.run(*options, *TARS, "2", scale=HURRY)
    assert (ended.code, ended.err) == (
        2, f"error: {place.data} was made with --output-format files\n  use the same, or another --data-dir\n"
    )  # fmt: skip
    assert all(place.mp4(name).exists() for name in place.completed) and not place.shards.exists()


def test_the_folder_of_results_is_lost_for_a_while(shards: Callable[..., Packs]) -> None:
    rows = some_rows(5, 1)
    place = shards(some_videos(5))
    place.shards = place.base / "mount" / "out"
    gate = place.youtube.refuse = Gate(0, video(1))
    child = place.start(place.list(rows), *TARS, "1", "--output", place.shards, "--workers", "1", scale=HURRY)
    # When the first clip's shard is there and its files are taken away, nobody writes until the second has come.
    child.until(lambda: place.finished == [0] and not stems(place.data / "audio", ".wav"))
    place.shards.rename(place.base / "elsewhere")
    place.shards.write_text("a file in its place")
    gate.open()
    child.until(lambda: "it is tried again" in child.said())
    place.shards.unlink()
    (place.base / "elsewhere").rename(place.shards)
    ended = child.end()
    assert ended.code == 0 and ended.err == "", ended.said
    lines = [line.partition(" ")[2] for line in ended.out.splitlines() if " Shard " in line]
    assert len(lines) == 2 and lines[1] == lines[0][:11] + " is written."
    assert lines[0][11:].startswith(
        f" cannot be written now, it is tried again: {place.shards} cannot be used now: "
    )
    is_whole(place, rows)


def test_a_lost_folder_ends_no_clip(shards: Callable[..., Packs]) -> None:
    """Stopped while it waits, a run leaves what it fetched to the next."""
    rows = some_rows(3, 1)
    place = shards(some_videos(3))
    gate = place.youtube.refuse = Gate(0)
    place.shards = place.base / "mount" / "out"
    options = (place.list(rows), *TARS, "1", "--output", place.shards, "--workers", "1")
    child = place.start(*options, scale=HURRY)
    child.until(gate.reached.is_set)
    place.shards.rename(place.base / "elsewhere")
    place.shards.write_text("a file in its place")
    gate.open()
    child.until(lambda: "it is tried again" in child.said() and len(stems(place.data / "audio", ".wav")) == 3)
    child.send(signal.SIGTERM)
    ended = child.end()
    assert ended.code == 143 and "Traceback" not in ended.said
    asked = place.asked
    place.shards.unlink()
    (place.base / "elsewhere").rename(place.shards)
    assert place.run(*options, scale=HURRY).code == 0
    assert place.asked == asked
    is_whole(place, rows)


# -- parts of a list -------------------------------------------------------------------------------------------


def test_max_clips(shards: Callable[..., Packs]) -> None:
    rows = some_rows(6, 1)
    place = shards(some_videos(6))
    path = place.list(rows)
    for _ in range(2):
        ended = place.run(path, *TARS, "2", "--max-clips", "3", scale=HURRY)
        assert ended.code == 0 and "--max-clips 3 is reached" in ended.out, ended.said
        assert place.youtube.extractions() == 3 and place.finished == [0]
        assert {row["id"] for row in place.rows} | stems(place.data / "videos", ".mp4") == set(ids_of(rows[:3]))
    assert place.run(path, *TARS, "2", scale=HURRY).code == 0
    assert place.youtube.extractions() == 6
    is_whole(place, rows)


def test_two_shares_at_once(shards: Callable[..., Packs]) -> None:
    rows = some_rows(5)
    videos = some_videos(5) | {video(3): FakeVideo(case="private")}
    place = shards(videos)
    path = place.list(rows)
    children = [place.start(path, *TARS, "2", "--part", f"{task}/2", scale=HURRY) for task in (0, 1)]
    ended = [child.end() for child in children]
    assert all("Traceback" not in each.said for each in ended) and {each.code for each in ended} <= {0, 3}
    assert place.finished == [0, 1, 2, 3, 4]
    is_whole(place, rows)
    for task in (0, 1):
        lines = (place.data / f"manifest.{task}-of-2.jsonl").read_text().splitlines()
        due = {name for number in range(task, 5, 2) for name in place.ids(number)}
        assert {json.loads(line)["id"] for line in lines} == due
    assert place.youtube.extractions() == 5
    # Which was the last to end, it says that all is there.
    assert 0 in {each.code for each in ended}


# -- what failed, again ----------------------------------------------------------------------------------------


def test_what_failed_comes_into_further_shards(shards: Callable[..., Packs]) -> None:
    refused = {1: "private", 3: "upcoming", 4: "removed_by_uploader"}
    videos = some_videos(5) | {video(number): FakeVideo(case=case) for number, case in refused.items()}
    place = shards(videos)
    rows = some_rows(5, 1)
    path = place.list(rows)
    assert place.run(path, *TARS, "2", scale=HURRY).code == 3
    assert place.finished == [0, 1, 2]
    before = digests(place.shards.iterdir())
    for number in (1, 3):
        place.youtube.videos[video(number)] = FakeVideo(SHORT)
    code = place.run(path, *TARS, "2", "--retry-failed", scale=HURRY).code
    assert place.finished == [0, 1, 2, 3, 4]
    assert place.ids(3) + place.ids(4) == [ids_of(rows)[number] for number in (1, 3, 4)]
    after = digests(place.shards.iterdir())
    assert {name: after[name] for name in before} == before and place.leftovers == set()
    found = [json.loads(each["json"])["id"] for each in place.tars]
    assert sorted(found) == ids_of([rows[n] for n in (0, 1, 2, 3)])
    assert place.youtube.extractions(video(0)) == place.youtube.extractions(video(2)) == 1
    assert code == 0, "all that can be had is there"


def test_what_came_of_a_retry_outlives_its_end(shards: Callable[..., Packs]) -> None:
    """Fetched, and not packed yet: the shard that it failed in is there, which does not mean that it is in one."""
    names = [video(number) for number in range(2)]
    place = shards({name: FakeVideo(case="private") for name in names})
    rows = some_rows(2, 1)
    path = place.list(rows)
    assert place.run(path, *TARS, "2", scale=HURRY).code == 0
    place.youtube.videos[names[0]] = FakeVideo(SHORT)
    place.youtube.videos[names[1]] = FakeVideo(SHORT, faults=(Fault("stall", after=1000),))
    child = place.start(path, *TARS, "2", "--retry-failed")
    child.until(lambda: (place.data / "manifest.jsonl").read_text().count('"status": "done"'))
    child.send(signal.SIGKILL)
    child.end()
    assert stems(place.data / "videos", ".mp4") == {ids_of(rows)[0]} and place.finished == [0]
    place.youtube.videos[names[1]] = FakeVideo(SHORT)
    assert place.run(path, *TARS, "2", "--retry-failed", scale=HURRY).code == 0
    assert place.leftovers == set() and {json.loads(each["json"])["id"] for each in place.tars} == set(
        ids_of(rows)
    )
    assert place.youtube.extractions(names[0]) == 2, "it was there, and was fetched again"


# -- other shapes, other scripts -------------------------------------------------------------------------------


def test_the_sound_alone(shards: Callable[..., Packs]) -> None:
    rows = some_rows(2, 1)
    place = shards(some_videos(2))
    options = (
        "--media",
        "audio",
        "--audio-format",
        "m4a",
        "--output-format",
        "parquet",
        "--samples-per-shard",
        "2",
    )
    assert place.run(place.list(rows), *options, scale=HURRY).code == 0
    assert place.finished == [0] and len(place.rows) == 2 and place.leftovers == set()
    for each in place.rows:
        assert not {"mp4", "wav"} & each.keys()
        with av.open(io.BytesIO(each["m4a"]["bytes"])) as container:
            assert [stream.type for stream in container.streams] == ["audio"]
            assert 0.9 < sum(frame.samples for frame in container.decode(audio=0)) / 44100 < 1.2
    assert {request.itag for request in place.youtube.requests("media")} == {140}


def test_general_avqa(tmp_path: Path, media_folder: Path) -> None:
    first, second, gone = "AVinshards1_000001", "AVinshards2_000002", "AVwasremove_000003"
    ten = Media(duration=14.0, fps=5)
    videos = {first: FakeVideo(ten), second: FakeVideo(ten), gone: FakeVideo(case="removed_by_uploader")}
    with stage(tmp_path, media_folder, videos) as run:
        place = Packs(run.youtube, tmp_path, AVQA)
        ended = place.run(*TARS, "2", scale=HURRY)
        assert ended.code == 0, ended.said
        assert [row["id"] for row in place.rows] == [first, second, gone] and place.finished == [0, 1]
        samples = place.tars
        assert [each["__key__"] for each in samples] == [first, second] and place.leftovers == set()
        said = json.loads(samples[0]["json"])
        assert (said["splits"], said["label"]) == (["train"], "a label") and 10.0 <= said["duration"] < 10.5


def test_archives_of_a_dataset_are_for_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main.main(MUSIC_AVQA, ["--data-dir", str(tmp_path / "data"), "--output-format", "parquet"])
    said = capsys.readouterr().err
    assert code == 2 and not (tmp_path / "data").exists()
    assert said.startswith("error: the archives of MUSIC-AVQA are fetched with --output-format files\n")


@pytest.mark.parametrize(
    ("form", "hidden", "what", "command"),
    [
        ("webdataset", ["webdataset"], "tars are written by webdataset, which is", "'webdataset>=1.0.2'"),
        ("parquet", ["pyarrow"], "tables are written by pyarrow, which is", "'pyarrow>=17'"),
        (
            "webdataset", ["pyarrow", "webdataset"],
            "tables are written by pyarrow, tars are written by webdataset, which are",
            "'pyarrow>=17' 'webdataset>=1.0.2'",
        ),
    ],
)  # fmt: skip
def test_without_packages(
    shards: Callable[..., Packs], tmp_path: Path, form: str, hidden: list[str], what: str, command: str
) -> None:
    """Said in one line before anything is fetched, not after a day, and not one after the other."""
    place = shards(some_videos(1))
    (tmp_path / "poor").mkdir()
    for package in hidden:
        (tmp_path / "poor" / f"{package}.py").write_text("raise ImportError('none here')\n")
    place.more = {"PYTHONPATH": str(tmp_path / "poor")}
    ended = place.run(place.list(some_rows(1, 1)), "--cut", "copy", "--output-format", form, scale=HURRY)
    assert ended.code == 2, ended.said
    error, hint = ended.err.splitlines()
    assert error == f"error: {what} not here"
    assert hint == f"  {PIP} {command}" and place.asked == 0

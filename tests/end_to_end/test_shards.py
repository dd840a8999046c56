"""Whole runs whose results go into shards, beside the same run into files, and what interrupts them."""

from __future__ import annotations

import io
import json
import re
import wave
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import av
import pyarrow.dataset
import pyarrow.parquet
import pytest

from avclips.cli import main
from avclips.cli.options import read_settings
from avclips.datasets.clip_list import CLIPS
from tests.standin.fake_youtube import FakeVideo, FakeYouTube
from tests.support.script import Ended, digests, snapshot
from tests.support.shards_stage import HURRY, SHORT, WRITTEN, Packs, Row, _rows, sha, video

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
    assert said[6] == "What failed is asked for again, into further shards, with --retry-failed [REASON ...]."
    words, _, asked = said[7].partition(" --retry-failed ")
    assert set(asked.split()) == set(reasons) and len(said) == 8
    # The command is another run of the same.
    assert words.split()[3:5] == ["clips", str(place.base / "list.csv")] and f"--output-format {form}" in words
    read, _ = read_settings(CLIPS, words.split()[4:])
    assert (read.samples_per_shard, read.subtitles) == (SIZE, ("en",)) and read.data_dir == place.data


def test_a_look_writes_nothing(made: Made) -> None:
    """Of a folder that has no shards, and may never have."""
    before = snapshot(made.files.data)
    look(made.files, "webdataset")
    assert snapshot(made.files.data) == before

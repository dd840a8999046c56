"""The stage: every line is kept or dropped with a reason, and a killed run goes on to the same bytes."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from avclips.core.errors import UsageError
from avclips.core.files import beside
from avclips.curate import filter, metadata_source
from avclips.curate.folders import KEPT, ROWS
from avclips.curate.rules import FilterSettings, shipped_keywords

SETTINGS = FilterSettings(keywords=tuple(shipped_keywords().items()), rules=("duration", "gaming", "tutorial"))


def line(number: int, title: str, seconds: int) -> bytes:
    return f"video{number:06d}\t{json.dumps({'title': title, 'duration': seconds})}\n".encode()


LINES = [
    line(0, "A dog", 60),
    line(1, "A dog", 5),
    line(2, "Minecraft tutorial", 60),
    b"one field\n",
    b"a\tb\tc\td\te\n",
    line(3, "A tutorial \ud83d\ude00 \\", 5),
    b'half\t{"title": "\\ud800", "duration": 60}\n',
    line(4, "The end", 60).rstrip(b"\n"),
]
REASONS = ["", "duration", "gaming", "fields", "fields", "duration", "", ""]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filter, "CHUNK", 3)


def source(path: Path, lines: list[bytes] = LINES) -> metadata_source.Source:
    path.write_bytes(b"".join(lines) if path.suffix != ".gz" else gzip.compress(b"".join(lines)))
    return metadata_source.find(str(path))


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("name", ["metadata.tsv", "metadata.tsv.gz"])
@pytest.mark.usefixtures("small")
def test_every_line_is_kept_or_dropped(tmp_path: Path, name: str) -> None:
    counts = filter.run(source(tmp_path / name), SETTINGS, tmp_path / "out", 1)
    rows = pq.read_table(tmp_path / "out" / ROWS)
    assert rows["reason"].to_pylist() == REASONS
    assert rows["kept"].to_pylist() == [not reason for reason in REASONS]
    assert rows["line"].to_pylist() == list(range(1, len(LINES) + 1))
    assert rows["fails"].to_pylist()[2] == ["gaming", "tutorial"]
    assert rows["evidence"].to_pylist()[1:5] == ["5 s", "minecraft", "1 fields", "5 fields"]
    assert (tmp_path / "out" / KEPT).read_bytes() == LINES[0] + LINES[6] + LINES[7] + b"\n"
    assert counts == filter.Counts(
        8, 3, {"duration": 2, "fields": 2, "gaming": 1}, {"duration": 2, "gaming": 1, "tutorial": 2}
    )
    assert [(each["reason"], each["in_order"], each["alone"]) for each in filter.table(SETTINGS, counts)] == [
        ("fields", 2, None), ("duration", 2, 2), ("gaming", 1, 1), ("tutorial", 0, 2)
    ]  # fmt: skip


@pytest.mark.usefixtures("small")
def test_what_was_done_before_a_kill_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = source(tmp_path / "metadata.tsv")
    filter.run(table, SETTINGS, tmp_path / "whole", 1)
    judged = filter._judged
    done: list[int] = []

    def ends_at_the_second(chunk: filter._Chunk) -> object:
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append(chunk.number)
        return judged(chunk)

    monkeypatch.setattr(filter, "_judged", ends_at_the_second)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            filter.run(table, SETTINGS, tmp_path / "killed", 1)
        # As a kill in the middle of a write leaves it.
        beside(tmp_path / "killed" / "parts" / "000001.parquet").write_bytes(b"half")
    monkeypatch.setattr(filter, "_judged", lambda chunk: done.append(chunk.number) or judged(chunk))
    filter.run(table, SETTINGS, tmp_path / "killed", 1)
    assert done == [0, 1, 2]
    assert outputs(tmp_path / "killed") == outputs(tmp_path / "whole")


def test_several_processes_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = source(tmp_path / "metadata.tsv", LINES[:7] * 30)
    monkeypatch.setattr(filter, "CHUNK", 50)
    for folder, processes in ("one", 1), ("two", 2):
        filter.run(table, SETTINGS, tmp_path / folder, processes)
    assert outputs(tmp_path / "one") == outputs(tmp_path / "two")


def test_another_table_or_other_rules_are_refused(tmp_path: Path) -> None:
    table = source(tmp_path / "metadata.tsv")
    filter.run(table, SETTINGS, tmp_path / "out", 1)
    before = outputs(tmp_path / "out")
    with pytest.raises(UsageError, match="seconds was"):
        filter.run(table, replace(SETTINGS, seconds=(1.0, 2.0)), tmp_path / "out", 1)
    with pytest.raises(UsageError, match="by another run: of other metadata$"):
        filter.run(source(tmp_path / "metadata.tsv", LINES[1:]), SETTINGS, tmp_path / "out", 1)
    assert outputs(tmp_path / "out") == before


def test_a_table_without_lines(tmp_path: Path) -> None:
    counts = filter.run(source(tmp_path / "metadata.tsv", []), SETTINGS, tmp_path / "out", 1)
    assert counts == filter.Counts(0, 0, {}, {})
    assert pq.read_table(tmp_path / "out" / ROWS).num_rows == 0


def test_info_files_of_a_data_folder(tmp_path: Path) -> None:
    (tmp_path / "info").mkdir()
    for name, text in {
        "a": '{"id": "a", "url": "https://v.example/a",\n "title": "A dog", "duration": 60}',
        "b": '{"id": "b", "url": null, "title": "Minecraft", "duration": 60}',
        "c": "{broken\nin lines",
    }.items():
        (tmp_path / "info" / f"{name}.json").write_text(text)
    counts = filter.run(metadata_source.find(str(tmp_path)), SETTINGS, tmp_path / "out", 1)
    rows = pq.read_table(tmp_path / "out" / ROWS)
    assert rows["video"].to_pylist() == ["https://v.example/a", "b", ""]
    assert (counts.kept, counts.first) == (1, {"gaming": 1, "json": 1})


@pytest.mark.parametrize(
    ("word", "words"), [("-", "cannot be read from -"), ("none.tsv", "No such file"), (".", "has no info")]
)
def test_metadata_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, words: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=words):
        metadata_source.find(word)

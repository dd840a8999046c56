"""How much is here, and which set it is: counts, hashes that others can make, sets in common, rows of tables."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from avclips.catalog import coverage
from avclips.catalog.clip_sets import clip_set, common, coverage_of, read_coverage
from avclips.catalog.coverage import hash_of, line_of
from avclips.catalog.coverage_rows import latex_of, lines_of, markdown_of
from avclips.catalog.folder import look_into
from avclips.catalog.tables import write_tables
from avclips.cli.commands import main
from avclips.core.errors import RunError
from avclips.datasets.clip_list import CLIPS
from avclips.datasets.general_avqa import GENERAL_AVQA
from tests.support.made_folder import made_folder
from tests.unit.catalog.test_samples import AVQA, A, B, C, D


def folder_of(path: Path, *done: str) -> Path:
    folder = made_folder(GENERAL_AVQA, path, (), AVQA, done=done)
    write_tables(look_into(folder))
    return folder


@pytest.fixture
def avqa(tmp_path: Path) -> Path:
    """Of four clips two are done, one failed, and one is no longer here."""
    folder = made_folder(GENERAL_AVQA, tmp_path / "avqa", (), AVQA, done=[C, A, D], failed={B: "private"})
    (folder / "audio" / f"{C}.wav").unlink()
    write_tables(look_into(folder))
    return folder


@pytest.fixture(autouse=True)
def _no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avclips.cli.tools.Signals", lambda: None)


# -- the hash --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "text"),
    [((), b""), (("b", "a"), b"a\nb\n"), (("-x", "a", "B", "a"), b"-x\nB\na\n")],
)
def test_the_hash_of_a_set(ids: tuple[str, ...], text: bytes) -> None:
    assert hash_of(ids) == hashlib.sha256(text).hexdigest()


def test_others_can_make_it(avqa: Path, tmp_path: Path) -> None:
    """As the documents say: sort, and sha256sum."""
    (tmp_path / "ids").write_text(f"{D}\n{A}\n")
    made = subprocess.run(
        "sort ids | sha256sum", shell=True, cwd=tmp_path, env={**os.environ, "LC_ALL": "C"}, capture_output=True
    )
    assert made.stdout.split()[0].decode() == read_coverage(avqa)["total"]["hash"]


# -- what is counted -------------------------------------------------------------------------------------------


def test_each_split_and_all(avqa: Path) -> None:
    said = read_coverage(avqa)
    assert (said["dataset"], said["title"]) == ("general_avqa", "General AVQA")
    assert said["splits"]["train"] == {
        "clips": 2, "done": 1, "hours": 0.0028, "reasons": {"private": 1}, "hash": hash_of([A]), "ids": [A],
        "missing": {"private": [B]},
    }  # fmt: skip
    assert said["splits"]["val"]["missing"] == {"files_gone": [C]} and said["splits"]["val"]["ids"] == [A, D]
    # A clip of two splits is one clip.
    reasons = {"files_gone": 1, "private": 1}
    assert said["total"] == {"clips": 4, "done": 2, "hours": 0.0056, "reasons": reasons, "hash": hash_of([A, D])}
    assert coverage_of(avqa).as_json() == said


def test_a_list_without_splits(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("url,start,end,id\naaaaaaaaaaa,1,2,one\nbbbbbbbbbbb,1,2,two\n")
    folder = made_folder(CLIPS, tmp_path / "mine", [str(tmp_path / "list.csv")], done=["two"])
    said = coverage_of(folder).as_json()
    assert list(said["splits"]) == ["all"] and said["splits"]["all"]["missing"] == {"untried": ["one"]}
    assert next(iter(lines_of(said))).startswith("all: 1 of 2 clips (50.0%), 0.00 hours, set ")
    assert not [line for line in lines_of(said) if line.startswith("total")]


def test_in_words(avqa: Path) -> None:
    said = read_coverage(avqa)
    digits = {split: part["hash"][:12] for split, part in said["splits"].items()}
    assert list(lines_of(said)) == [
        f"train: 1 of 2 clips (50.0%), 0.00 hours, set {digits['train']}",
        "       1  private: private video",
        "  2 of 3 questions have their clip",
        f"val: 2 of 3 clips (66.7%), 0.01 hours, set {digits['val']}",
        "       1  files_gone: its files are gone",
        "  2 of 3 questions have their clip",
        f"total: 2 of 4 clips (50.0%), 0.01 hours, set {said['total']['hash'][:12]}",
        "       1  files_gone: its files are gone",
        "       1  private: private video",
    ]
    assert line_of(said) == (
        f"Coverage: 2 of 4 clips (50.0%), 0.01 hours; the set is {said['total']['hash'][:12]} (coverage.json)."
    )


def test_rows_for_papers() -> None:
    part = {"clips": 40425, "done": 38012, "hours": 105.61, "hash": "0123456789abcdef"}
    said: dict[str, Any] = {"title": "A_B & 100%", "splits": {"train": part}, "total": part}
    assert list(latex_of(said)) == [
        r"A\_B \& 100\% & train & 38,012 / 40,425 & 94.0\% & 105.6 & \texttt{0123456789ab} \\"
    ]
    assert list(markdown_of({**said, "title": "A|B"}))[2:] == [
        r"| A\|B | train | 38,012 / 40,425 | 94.0% | 105.6 | 0123456789ab |"
    ]


# -- sets in common --------------------------------------------------------------------------------------------


def test_what_two_have_in_common(tmp_path: Path) -> None:
    one, other = folder_of(tmp_path / "one", A, B, C), folder_of(tmp_path / "other", A, C, D)
    expected = {"train": {A}, "val": {A, C}, "total": {A, C}}
    # By their files, or as they are now.
    for first, second in ((one / "coverage.json", other / "coverage.json"), (one, other)):
        assert common([clip_set(first), clip_set(second)]) == expected


@pytest.mark.parametrize("beside", [True, False])
def test_a_long_list_has_its_ids_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: bool
) -> None:
    monkeypatch.setattr(coverage, "MOST_IDS", 3)
    folder = folder_of(tmp_path / "one", A, C)
    said = read_coverage(folder)
    assert said["ids_in"] == "clips.csv" and "ids" not in said["splits"]["val"]
    if beside:
        assert clip_set(folder / "coverage.json").splits == {"train": {A}, "val": {A, C}}
        return
    (folder / "clips.csv").unlink()
    with pytest.raises(RunError, match="has no ids: they are in"):
        clip_set(folder / "coverage.json")


@pytest.mark.parametrize("cell", ["{", "3", "[" * 100_000], ids=["no JSON", "a number", "deep"])
def test_a_table_whose_ids_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str) -> None:
    monkeypatch.setattr(coverage, "MOST_IDS", 3)
    folder = folder_of(tmp_path / "one", A, C)
    (folder / "clips.csv").write_text(f"id,status,splits\n{A},done,{cell}\n")
    with pytest.raises(RunError, match=r"clips\.csv cannot be read"):
        clip_set(folder / "coverage.json")


BROKEN = {
    "no JSON": "{",
    "a list": "[]",
    "of another version": '{"version": 2, "splits": {}, "total": {}}',
    "without counts": '{"version": 1, "splits": {"train": {}}, "total": {}}',
    "a null": "null",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_none(tmp_path: Path, name: str) -> None:
    path = tmp_path / "coverage.json"
    path.write_text(BROKEN[name])
    with pytest.raises(RunError):
        clip_set(path)


def test_ids_that_somebody_changed(avqa: Path) -> None:
    said = read_coverage(avqa)
    said["splits"]["val"]["ids"].pop()
    (avqa / "coverage.json").write_text(json.dumps(said))
    with pytest.raises(RunError, match="the ids of val are not those of its hash"):
        clip_set(avqa / "coverage.json")


# -- the commands ----------------------------------------------------------------------------------------------


def said_by(capsys: pytest.CaptureFixture[str], *words: Any, code: int = 0) -> tuple[list[str], list[str]]:
    capsys.readouterr()
    assert main([str(word) for word in words]) == code
    said = capsys.readouterr()
    return said.out.splitlines(), said.err.splitlines()


def test_avclips_coverage(avqa: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (avqa / "coverage.json").unlink()
    lines, _ = said_by(capsys, "coverage", avqa)
    assert lines == list(lines_of(read_coverage(avqa)))
    other = folder_of(tmp_path / "other", A, B)
    lines, _ = said_by(capsys, "coverage", avqa, "--against", other / "coverage.json", "--latex")
    assert lines[-3:] == [
        f"train: 1 of 1 here and 2 there are in both, set {hash_of([A])}",
        f"val: 1 of 2 here and 1 there are in both, set {hash_of([A])}",
        f"total: 1 of 2 here and 2 there are in both, set {hash_of([A])}",
    ]
    assert lines[0].startswith("General AVQA & train & 1 / 2 & 50.0")
    _, complaint = said_by(capsys, "coverage", tmp_path / "nowhere", code=1)
    assert complaint[0].startswith("error: ")
    said_by(capsys, "coverage", avqa, "--latex", "--markdown", code=2)


def test_avclips_tables(avqa: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {name: (avqa / name).read_bytes() for name in ("clips.csv", "coverage.json", "avqa_train.jsonl")}
    for name in before:
        (avqa / name).unlink()
    lines, _ = said_by(capsys, "tables", avqa)
    assert lines[0] == "4 clips are in clips.csv and clips.parquet."
    assert {name: (avqa / name).read_bytes() for name in before} == before


SUBSETS: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "of a folder": (("one",), [A, B, C]),
    "of a split": (("one", "--splits", "val"), [A, C]),
    "in common": (("--common", "one/coverage.json", "other/coverage.json"), [A, C]),
    "of a folder and others": (("one", "--common", "other/coverage.json", "--splits", "train"), [A]),
}


@pytest.mark.parametrize("name", SUBSETS)
def test_avclips_subset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    words, ids = SUBSETS[name]
    folder_of(tmp_path / "one", A, B, C)
    folder_of(tmp_path / "other", A, C, D)
    monkeypatch.chdir(tmp_path)
    lines, told = said_by(capsys, "subset", *words)
    assert lines == sorted(ids) and told == [f"{len(ids)} clips, set {hash_of(ids)}"]
    said_by(capsys, "subset", *words, "--output", "ids.txt")
    assert hashlib.sha256((tmp_path / "ids.txt").read_bytes()).hexdigest() == hash_of(ids)


def test_a_subset_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, complaint = said_by(capsys, "subset", code=2)
    assert complaint[0] == "error: no clips are named"
    folder = folder_of(tmp_path / "one", A)
    _, complaint = said_by(capsys, "subset", folder, "--splits", "dev", code=1)
    assert complaint[0].endswith("has no split 'dev'")

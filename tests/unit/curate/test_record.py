"""What a stage was made with, and the folder of clusters: written, read, and refused where it is another's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from avclips.core.errors import RunError, UsageError
from avclips.curate import assignments as clusters
from avclips.curate.assignments import Assignments, Layer
from avclips.curate.record import FILE, Record, begin, read, versions_of

RECORD = Record("cluster", {"k": 32, "layers": ("a", "b")}, {"features": "00ff"}, {"numpy": "2"})


def test_the_same_settings_go_on(tmp_path: Path) -> None:
    begin(tmp_path / "x", RECORD)
    begin(tmp_path / "x", replace(RECORD, versions={"numpy": "3"}))
    found = read(tmp_path / "x")
    assert found is not None and found.versions == {"numpy": "2"}
    assert found.fingerprint() == RECORD.fingerprint()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (replace(RECORD, settings={"k": 64, "layers": ("a", "b")}), "k was 32, now 64"),
        (replace(RECORD, settings={"k": 32}), r"layers was \['a', 'b'\], now not set$"),
        (replace(RECORD, settings={"k": 64, "rounds": 2}), "by another run: k was 32, now 64$"),
        (replace(RECORD, settings={"k": 32, "layers": ("c" * 200,)}), "layers was another$"),
        (replace(RECORD, inputs={"features": "00fe"}), "by another run: of other features$"),
        (replace(RECORD, inputs={"videos": "00fe"}), "of other features; of another videos$"),
        # A folder of before does not know what its user wrote.
        (replace(RECORD, settings={"k": 64}, said={"k": "2 x 32"}), "by another run: k was 32, now 64$"),
        # However many settings of theirs differ.
        (replace(RECORD, stage="select", settings={}), "is the folder of the stage cluster, not of select$"),
    ],
)
def test_others_are_refused(tmp_path: Path, other: Record, said: str) -> None:
    begin(tmp_path, RECORD)
    with pytest.raises(UsageError, match=said) as caught:
        begin(tmp_path, other)
    assert caught.value.hint.startswith("name another folder" if other.stage == "select" else "name the same ")


def test_the_words_of_a_user_are_remembered_and_change_nothing(tmp_path: Path) -> None:
    begin(tmp_path, replace(RECORD, said={"k": "1%"}))
    begin(tmp_path, replace(RECORD, said={"k": "32"}))
    with pytest.raises(UsageError, match="by another run: k was 1%, now 2%$"):
        begin(tmp_path, replace(RECORD, settings={**RECORD.settings, "k": 64}, said={"k": "2%"}))


@pytest.mark.parametrize("stage", ["select", "cluster"])
def test_only_stages_whose_folder_an_option_names_are_told_of_it(tmp_path: Path, stage: str) -> None:
    begin(tmp_path, replace(RECORD, stage=stage))
    with pytest.raises(UsageError) as caught:
        begin(tmp_path, replace(RECORD, stage=stage, settings={}))
    assert ("--output" in caught.value.hint) == (stage == "select")


WHOLE = '{"stage": "x", "settings": {}, "inputs": {}'


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", "{", '{"stage": "cluster"}', WHOLE + ', "said": [1]}', WHOLE.replace("{}", "[]", 1) + "}"],
)
def test_what_is_no_record_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(RunError):
        read(tmp_path)


def test_versions_are_of_what_is_installed() -> None:
    assert versions_of("numpy", "no-such-package").keys() == {"avclips", "numpy"}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_assignments_are_read_as_they_were_written(tmp_path: Path, dtype: type) -> None:
    layers = (Layer("classic/audio/0", "audio", 4), Layer("classic/video/0", "video", 5))
    labels = np.array([[0, 4], [3, 1], [2, 2]], dtype)
    clusters.write(tmp_path, Assignments(layers, labels, pa.table({"id": ["a", "b", "c"]})))
    found = clusters.read(tmp_path)
    assert found.layers == layers and found.rows["id"].to_pylist() == ["a", "b", "c"]
    assert found.labels.dtype == dtype and found.labels.tolist() == labels.tolist()


def test_half_a_clustering_is_none(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no finished clustering"):
        clusters.read(tmp_path)
    layers = (Layer("a", "audio", 4),)
    clusters.write(tmp_path, Assignments(layers, np.zeros((2, 1), np.uint8), pa.table({"id": ["a", "b", "c"]})))
    with pytest.raises(RunError, match="3 rows"):
        clusters.read(tmp_path)


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    begin(tmp_path, RECORD)
    (tmp_path / "parts").mkdir()
    left = [tmp_path / ".run.json.host-1.tmp", tmp_path / "parts" / ".part-00000.npz.host-1.part"]
    for path in [*left, tmp_path / "parts" / "part-00000.npz"]:
        path.write_text("x")
    begin(tmp_path, RECORD)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["part-00000.npz", "parts", "run.json"]


def test_the_hidden_files_of_others_stay(tmp_path: Path) -> None:
    begin(tmp_path, RECORD)
    (tmp_path / "videos").mkdir()
    others = [tmp_path / ".film.mp4.part", tmp_path / ".notes.tmp", tmp_path / "videos" / ".a.mp4.host-1.part"]
    for path in others:
        path.write_text("x")
    begin(tmp_path, RECORD)
    assert all(path.read_text() == "x" for path in others)


@pytest.mark.parametrize(("stage", "hint"), [("export", "--output"), ("cluster", "delete it")])
def test_a_folder_of_others_is_refused(tmp_path: Path, stage: str, hint: str) -> None:
    (tmp_path / "ids.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty: it has ids.txt") as caught:
        begin(tmp_path, Record(stage, {}, {}))
    assert hint in caught.value.hint
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("ids.txt", "mine")]


def test_of_settings_within_others_the_one_that_differs_is_named(tmp_path: Path) -> None:
    settings = {"training": {"epochs": 3, "rate": 0.1, "more": {}}, "folds": 5}
    begin(tmp_path, Record("pretrain", settings, {}))
    settings["training"] = {"epochs": 4, "rate": 0.1, "more": {}}
    with pytest.raises(UsageError, match=r"by another run: training\.epochs was 3, now 4$"):
        begin(tmp_path, Record("pretrain", settings, {}))

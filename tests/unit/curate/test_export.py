"""A selection as lists, and clusters by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avclips import Settings
from avclips.cli.curate import run_stage
from avclips.core.errors import RunError, UsageError
from avclips.core.signals import Signals
from avclips.curate import assignments
from avclips.curate.assignments import Layer
from avclips.curate.export.names import names_of, words_of
from avclips.curate.folders import stage_folder
from avclips.curate.record import Record, begin
from avclips.datasets import acav100m, clip_list

LABELS = ["dog barking", "playing guitar", "rain", "church bell"]


def curated(data_dir: Path, clips: int = 400) -> Path:
    """Clustered by what is heard and seen, with some mistakes; all of them selected."""
    rng = np.random.default_rng(0)
    kind = np.arange(clips) % 4
    heard, seen = (np.where(rng.random(clips) < 0.1, rng.integers(0, 4, clips), kind) for _ in range(2))
    layers = (Layer("classic/audio/0", "audio", 4), Layer("classic/video/0", "video", 4))
    rows = pa.table(
        {
            "id": [f"aB-dE_{number:05d}_{number % 7}" for number in range(clips)],
            "video": [f"aB-dE_{number:05d}" for number in range(clips)],
            "start": [float(number % 7) + (0.5 if number == 3 else 0) for number in range(clips)],
            "end": [float(number % 7) + 10 for number in range(clips)],
            "labels": [[LABELS[each]] for each in kind],
            "captions": [["the video, of a thing"] for _ in kind],
        }
    )
    folder = stage_folder(data_dir, "cluster")
    begin(folder, Record("cluster", {}, {}))
    assignments.write(folder, assignments.Assignments(layers, np.stack([heard, seen], 1).astype(np.uint8), rows))
    assert stage(data_dir, "select", "--keep", "100") == 0
    return data_dir


def stage(data_dir: Path, name: str, *words: str) -> int:
    return run_stage(name, ["--data-dir", str(data_dir), *words], Signals(take=False))


def test_the_files_of_a_selection(tmp_path: Path) -> None:
    assert stage(curated(tmp_path), "export") == 0
    folder = stage_folder(tmp_path, "export")
    selected = pq.read_table(stage_folder(tmp_path, "select") / "selected.parquet")
    assert pq.read_table(folder / "selected.parquet").equals(selected)
    assert (folder / "ids.txt").read_text().split() == selected["id"].to_pylist()
    first = selected.to_pylist()[0]
    seconds = f'"[{first["start"]:g}, {first["end"]:g}]"'
    lines = (folder / "output.csv").read_text().splitlines()
    assert len(lines) == 100
    assert lines[0].replace('"', "") == f"videos,{first['id']}.mp4,{first['video']},{seconds}".replace('"', "")
    assert seconds in lines[0]


@pytest.mark.parametrize(("name", "dataset"), [("selected.csv", clip_list), ("output.csv", acav100m)])
def test_our_own_scripts_take_them(tmp_path: Path, name: str, dataset: object) -> None:
    stage(curated(tmp_path), "export")
    path = stage_folder(tmp_path, "export") / name
    (tmp_path / "metadata").mkdir()
    listing = dataset.read_clips(tmp_path / "metadata", Settings(tmp_path, clip_list=path))  # type: ignore[attr-defined]
    selected = pq.read_table(stage_folder(tmp_path, "select") / "selected.parquet").to_pylist()
    assert {(clip.video, clip.start, clip.end) for clip in listing.clips} == {
        (row["video"], row["start"], row["end"]) for row in selected
    }
    if name == "selected.csv":
        assert {clip.id for clip in listing.clips} == {row["id"] for row in selected}


def test_written_anew_and_not_behind_what_is_there(tmp_path: Path) -> None:
    stage(curated(tmp_path), "export")
    folder = stage_folder(tmp_path, "export")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert stage(tmp_path, "export") == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_export_of_another_selection(tmp_path: Path) -> None:
    other = tmp_path / "other"
    stage(curated(tmp_path), "export")
    assert stage(tmp_path, "select", "--keep", "50", "--output", str(other)) == 0
    with pytest.raises(UsageError, match="by another run: of another selection$") as caught:
        stage(tmp_path, "export", "--selection", str(other))
    assert caught.value.hint and "--output" in caught.value.hint
    assert stage(tmp_path, "export", "--selection", str(other), "--output", str(tmp_path / "lists")) == 0
    assert len((tmp_path / "lists" / "ids.txt").read_text().split()) == 50


def test_a_subset_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage(curated(tmp_path), "export", "--clusters", "dog barking", "--output", str(tmp_path / "dogs"))
    some = pq.read_table(tmp_path / "dogs" / "selected.parquet")
    labels = np.load(stage_folder(tmp_path, "cluster") / "labels.npy")
    all_of_them = pq.read_table(stage_folder(tmp_path, "select") / "selected.parquet")["row"].to_pylist()
    assert some["row"].to_pylist() == [row for row in all_of_them if 0 in labels[row]]
    assert 0 < some.num_rows < 100
    stage(tmp_path, "export", "--clusters", "classic/audio/0:2", "--output", str(tmp_path / "two"))
    two = pq.read_table(tmp_path / "two" / "selected.parquet")["row"].to_pylist()
    assert two == [row for row in all_of_them if labels[row, 0] == 2]
    capsys.readouterr()
    stage(tmp_path, "export", "--list-clusters")
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == [
        f"classic/{each}/0:{k}" for each in ("audio", "video") for k in range(4)
    ]
    assert all(LABELS[number % 4] in line for number, line in enumerate(said))
    told = json.loads((stage_folder(tmp_path, "cluster").parent.parent / "dogs" / "clusters.json").read_text())
    assert told["classic/audio/0:0"]["words"][0] == "dog barking"


@pytest.mark.parametrize("address", ["{}", "https://www.youtube.com/watch?v={}&t=3"])
def test_titles_that_the_filter_kept_name_clusters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    curated(tmp_path)
    folder = stage_folder(tmp_path, "filter")
    folder.mkdir()
    titles = [("a zebra" if number % 4 == 2 else "a thing", True) for number in range(400)]
    rows = [
        {"video": address.format(f"aB-dE_{number:05d}"), "title": title, "kept": kept}
        for number, (title, kept) in enumerate([*titles, ("a yak", False)])
    ]
    pq.write_table(
        pa.Table.from_pylist([*rows, {"video": "no address: at all", "title": "x", "kept": True}]),
        folder / "rows.parquet",
    )
    capsys.readouterr()
    stage(tmp_path, "export", "--list-clusters")
    said = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert [name for name, line in said.items() if "zebra" in line] == ["classic/audio/0:2", "classic/video/0:2"]


@pytest.mark.parametrize("asked", ["dog barkin", "classic/audio/0:9", "the"])
def test_a_name_that_there_is_not(tmp_path: Path, asked: str) -> None:
    with pytest.raises(UsageError, match="no cluster is called"):
        stage(curated(tmp_path), "export", "--clusters", asked)


def test_without_a_selection(tmp_path: Path) -> None:
    curated(tmp_path)
    (stage_folder(tmp_path, "select") / "curve.json").unlink()
    with pytest.raises(RunError, match="no finished selection"):
        stage(tmp_path, "export")


def test_words_of_all_clips_name_none() -> None:
    words = [words_of(["of the video"], ["dog"] if number % 2 else ["cat"]) for number in range(200)]
    labels = (np.arange(200) % 2)[:, None].astype(np.uint8)
    names = names_of([Layer("a", "audio", 3)], labels, words)
    assert [name.words for name in names] == [("cat",), ("dog",), ()]
    assert [name.clips for name in names] == [100, 100, 0]


def test_clips_without_words_have_clusters_without_names() -> None:
    names = names_of([Layer("a", "audio", 2)], np.zeros((5, 1), np.uint8), [set() for _ in range(5)])
    assert [name.words for name in names] == [(), ()]

"""``avclips curate select`` and ``export`` on a folder: what they leave, say and refuse."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avclips.cli.curate import run_stage
from avclips.cli.curate_select import keep
from avclips.core.errors import RunError, UsageError
from avclips.core.signals import Signals
from avclips.curate import assignments
from avclips.curate.folders import stage_folder
from avclips.curate.record import Record, begin, finished
from avclips.curate.select.choose import choose
from avclips.curate.select.method import Method
from tests.unit.curate.test_select import layers_of, made_labels

CLIPS = 2000


def clustered(data_dir: Path, seed: int = 0) -> Path:
    """A data folder whose clips were clustered."""
    folder = stage_folder(data_dir, "cluster")
    begin(folder, Record("cluster", {"seed": seed}, {}))
    rows = pa.table(
        {"id": [f"clip{number:05d}" for number in range(CLIPS)], "label": ["dog", "cat"] * (CLIPS // 2)}
    )
    made = assignments.Assignments(tuple(layers_of(2, 2, 8)), made_labels(CLIPS, 4, 8, seed), rows)
    assignments.write(folder, made)
    return data_dir


def select(data_dir: Path, *words: str) -> int:
    return run_stage("select", ["--data-dir", str(data_dir), *words], Signals(take=False))


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "run.json"}


def test_a_selection_on_the_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir = clustered(tmp_path)
    assert select(data_dir, "--keep", "0.1", "--seed", "4") == 0
    folder = stage_folder(data_dir, "select")
    right = choose(layers_of(2, 2, 8), made_labels(CLIPS, 4, 8, 0), 200, Method(seed=4))
    table = pq.read_table(folder / "selected.parquet")
    assert table.column_names == ["id", "label", "row", "rank", "gain", "score"]
    by_rank = table.sort_by("rank")
    assert by_rank["id"].to_pylist() == [f"clip{row:05d}" for row in right.rows]
    assert by_rank["row"].to_pylist() == right.rows.tolist()
    assert by_rank["gain"].to_pylist() == right.gains.tolist()
    assert by_rank["score"].to_pylist() == right.scores.tolist()
    assert table["id"].to_pylist() == sorted(table["id"].to_pylist())
    assert [row["label"] for row in table.to_pylist()] == [
        "cat" if int(row["id"][4:]) % 2 else "dog" for row in table.to_pylist()
    ]
    curve = json.loads((folder / "curve.json").read_text())
    assert (curve["clips"], curve["selected"], curve["pairs"]) == (CLIPS, 200, "bipartite")
    assert curve["curve"][-1] == {
        "clips": 200, "mi": pytest.approx(curve["mi"]), "random": pytest.approx(curve["random_mi"])
    }  # fmt: skip
    assert finished(folder) == {name: curve[name] for name in ("clips", "selected", "mi", "random_mi")}
    said = capsys.readouterr().out
    assert "200 of 2,000 clips are selected" in said
    assert "warning: 200 clips in tables of 8 x 8" in said


def test_the_same_again_gives_the_same_bytes_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir = clustered(tmp_path)
    folder = stage_folder(data_dir, "select")
    assert select(data_dir) == 0
    before = files_of(folder)
    assert select(data_dir) == 0
    assert "is finished" in capsys.readouterr().out
    for name in ("done.json", "curve.json", "selected.parquet"):
        # As a run that was killed leaves it.
        (folder / name).unlink()
        (folder / "done.json").unlink(missing_ok=True)
        assert select(data_dir) == 0
        assert files_of(folder) == before


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        (("--keep", "0.3"), r"run: keep was 0\.2, now 0\.3$"),
        (("--keep", "30%"), r"run: keep was 0\.2, now 30%$"),
        (("--keep", "50"), r"run: keep was 0\.2, now 50$"),
        (("--seed", "1"), "seed was 0, now 1"),
        (("--rounds", "2"), "rounds was 1, now 2"),
        (("--compat", "acav"), "run: how was 'backward', now 'greedy'; pairs was 'bipartite', now 'combination'$"),
        (("--exact",), "how was 'backward', now 'exact'"),
    ],
)
def test_another_selection_needs_another_folder(tmp_path: Path, words: tuple[str, ...], refused: str) -> None:
    data_dir = clustered(tmp_path)
    assert select(data_dir) == 0
    with pytest.raises(UsageError, match=refused):
        select(data_dir, *words)
    assert select(data_dir, *words, "--output", str(tmp_path / "other")) == 0


def test_another_clustering_is_refused(tmp_path: Path) -> None:
    data_dir = clustered(tmp_path / "one")
    assert select(data_dir) == 0
    other = clustered(tmp_path / "two", seed=1)
    with pytest.raises(UsageError, match="by another run: of another clustering$"):
        select(data_dir, "--assignments", str(stage_folder(other, "cluster")))


def test_mixed_files_are_refused(tmp_path: Path) -> None:
    folder = stage_folder(clustered(tmp_path), "cluster")
    np.save(folder / "labels.npy", made_labels(CLIPS, 4, 9, 0))
    with pytest.raises(RunError, match="cluster 8 of classic/audio/0"):
        select(tmp_path)
    np.save(folder / "labels.npy", made_labels(CLIPS - 1, 4, 8, 0))
    with pytest.raises(RunError, match="1999"):
        select(tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        ("--exact", "--batch", "10"),
        ("--compat", "acav", "--take", "2"),
        ("--compat", "acav", "--greedy"),
        ("--batch", "10"),
        ("--rounds", "2", "--greedy"),
        ("--exact", "--greedy"),
        ("--greedy", "--batch", "3", "--take", "4"),
        ("--keep", "2001"),
    ],
)
def test_what_contradicts_itself(tmp_path: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        select(clustered(tmp_path), *words)
    assert not stage_folder(tmp_path, "select").exists()


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert select(clustered(tmp_path), "--keep", "50%", "--dry-run") == 0
    assert "1,000 of 2,000 clips" in capsys.readouterr().out
    assert not stage_folder(tmp_path, "select").exists()


@pytest.mark.parametrize(
    ("text", "kept"), [("0.2", 0.2), ("20%", 0.2), ("1.0", 1.0), ("100%", 1.0), ("7", 7), (".5", 0.5)]
)
def test_keep(text: str, kept: float | int) -> None:
    assert keep(text) == (kept, text)
    assert type(keep(text).value) is type(kept)


@pytest.mark.parametrize("text", ["0", "0.0", "1.5", "-1", "nan", "inf", "101%", "a", "", "%", "1e-3"])
def test_what_is_nothing_to_keep(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        keep(text)

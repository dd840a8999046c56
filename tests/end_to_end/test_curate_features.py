"""`avclips curate features` and `cluster` by their command lines, and the same files by Spark, byte for byte."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from avclips.cli.commands import main
from avclips.curate import assignments
from avclips.curate.folders import stage_folder
from avclips.datasets.clip_list import CLIPS
from tests.support.made_clips import made_clip
from tests.support.made_folder import made_folder

COUNT = 7


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder as a run leaves it: six clips that came, one of them broken, and one that failed."""
    rows = "".join(f"clip{at},dQw4w9WgXc{at},0,2\n" for at in range(COUNT))
    table = tmp_path / "list.csv"
    table.write_text("id,video,start,end\n" + rows)
    names = [f"clip{at}" for at in range(COUNT)]
    made = made_folder(CLIPS, tmp_path / "data", [str(table)], done=names[:-1], failed={names[-1]: "private"})
    for at, path in enumerate(sorted((made / "videos").iterdir())):
        made_clip(path, 1.0, 0.15 * (at + 1))
    broken = made / "videos" / "clip2.mp4"
    broken.write_bytes(broken.read_bytes()[:500])
    return made


def content(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def curate(folder: Path, *words: str) -> int:
    """Run both stages."""
    features = ["curate", "features", "--data-dir", str(folder), "--shard-size", "2", *words]
    cluster = ["curate", "cluster", "--data-dir", str(folder), "--clusters", "2"]
    return main(features) or main([*cluster, *(words if "--engine" in words else ())])


def test_clips_of_a_folder_get_features_and_clusters(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["curate", "features", "--data-dir", str(folder), "--dry-run"]) == 0
    assert "7 clips, 10 layers" in capsys.readouterr().out
    assert not stage_folder(folder, "features").exists()
    assert curate(folder, "--processes", "1") == 0
    said = capsys.readouterr().out
    assert "features of 5 of 7 clips" in said and "1 not_decodable" in said and "1 not_here" in said
    found = assignments.read(stage_folder(folder, "cluster"))
    assert found.labels.shape == (5, 10) and found.rows["id"].to_pylist() == [
        "clip0", "clip1", "clip3", "clip4", "clip5"
    ]  # fmt: skip
    assert json.loads((stage_folder(folder, "cluster") / "done.json").read_text())["clips"] == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--extractor", "clasic"], "no extractor 'clasic'"),
        (["--extractor", "hf"], "is written hf:MODEL"),
        (["--weights", "none.pth"], "none.pth is not a file"),
        (["--weights", "vggish=none.pth"], "there is no --extractor vggish"),
        (["--extractor", "onnx:none.onnx"], "onnx"),
    ],
)
def test_what_cannot_be_meant_is_said(
    folder: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["curate", "features", "--data-dir", str(folder), *words]) == 2
    assert said in capsys.readouterr().err
    assert not stage_folder(folder, "features").exists()


def test_the_extractors_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["curate", "features", "--list-extractors"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(
        f"\n{name}" in f"\n{said}" for name in ("classic", "hf:MODEL", "torchvision:NAME", "vggish", "onnx:FILE")
    )
    assert said.count("licence") == 5


@pytest.mark.slow
# Py4J leaves its sockets to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_spark_writes_the_same_bytes(folder: Path) -> None:
    assert curate(folder, "--processes", "2") == 0
    here = {stage: content(stage_folder(folder, stage)) for stage in ("features", "cluster")}
    (folder / "curation").rename(folder / "here")
    assert curate(folder, "--engine", "spark", "--spark-master", "local[2]") == 0
    assert {stage: content(stage_folder(folder, stage)) for stage in ("features", "cluster")} == here

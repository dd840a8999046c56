"""What a run leaves for whoever uses its clips: tables, coverage, frames; and the commands that make them anew."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet
import pytest

from avclips.catalog import samples
from avclips.catalog.coverage import hash_of
from tests.standin import rehearse
from tests.standin.fake_youtube import FakeVideo, FakeYouTube
from tests.standin.rehearse import PIECES
from tests.support.clips_stage import HURRY, IDS, PLAIN, Clips, page, row, staged
from tests.support.script import Ended, Gate, Stage
from tests.unit.catalog.test_tables import found_by_safe
from tests.unit.media.test_still import NEAR, apart, grey, shown_at

DONE = sorted(piece.clip for piece in PIECES if isinstance(piece.becomes, float))
FAILED = {piece.clip: piece.becomes for piece in PIECES if isinstance(piece.becomes, str)}
LINE = "Coverage: "


@pytest.fixture(scope="module")
def avqa(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Iterator[tuple[Stage, Ended]]:
    """General AVQA's ten pieces after a run that keeps frames."""
    videos = {piece.clip[:11]: piece.video for piece in PIECES}
    with FakeYouTube(media_folder, videos, files=rehearse.annotation_files()) as youtube:
        stage = Stage(youtube, tmp_path_factory.mktemp("tables"))
        ended = stage.run("--frame", "middle", scale=HURRY)
        yield stage, ended


@pytest.fixture
def mine(tmp_path: Path, media_folder: Path) -> Iterator[Clips]:
    videos = {"plain": FakeVideo(PLAIN), "heard": FakeVideo(PLAIN)}
    yield from staged(tmp_path, media_folder, {"one": page("list")}, videos)


def test_every_clip_of_the_list(avqa: tuple[Stage, Ended]) -> None:
    stage, ended = avqa
    found = list(samples(stage.data))
    assert sorted(each.id for each in found if each.status == "done") == DONE
    assert {each.id: each.reason for each in found if each.status == "failed"} == FAILED
    table = {each["id"]: each for each in pyarrow.parquet.read_table(stage.data / "clips.parquet").to_pylist()}
    for each in found:
        row = table[each.id]
        assert (row["status"], row["reason"] or "") == (each.status, each.reason)
        for kind, place in each.files.items():
            assert Path(place.path) == stage.data / row[f"{kind}_path"] and Path(place.path).is_file()
    said = json.loads((stage.data / "coverage.json").read_text())
    assert said["total"]["hash"] == hash_of(DONE) and said["total"]["clips"] == len(PIECES)
    line = f"{LINE}{len(DONE)} of {len(PIECES)} clips"
    assert line in ended.out and said["total"]["hash"][:12] in ended.out


def test_frames(avqa: tuple[Stage, Ended]) -> None:
    stage, _ = avqa
    done = [each for each in samples(stage.data) if each.status == "done"]
    for each in done:
        still, clip = each.files["frame"].path, each.files["video"].path
        assert Path(still) == stage.data / "frames" / f"{each.id}.jpg"
        assert apart(grey(Path(still)), shown_at(Path(clip), each.facts["duration"] / 2)) < NEAR


def test_safe_finds_questions_sound_and_frames(avqa: tuple[Stage, Ended], monkeypatch: pytest.MonkeyPatch) -> None:
    stage, _ = avqa
    monkeypatch.chdir(stage.data.parent)
    found = [each for split in ("train", "val") for each in found_by_safe(Path(), split)]
    assert {each["audio"].stem for each in found} == set(DONE)
    for each in found:
        assert each["answers"] and each["audio"].is_file()
        with av.open(str(each["image"])) as container:
            assert next(container.decode(video=0)).to_ndarray(format="rgb24").dtype == np.uint8


def test_a_frame_that_is_gone_or_changed(mine: Clips) -> None:
    """It is a part of its clip: without it, the clip comes again."""
    path = mine.list([row(IDS["plain"], "c1", 0, 1), row(IDS["heard"], "c2", 0, 1)])
    words = (path, "--frame", "middle", "--cut", "copy")
    assert mine.run(*words).code == 0
    stills = {name: mine.data / "frames" / f"{name}.jpg" for name in ("c1", "c2")}
    before = {name: still.read_bytes() for name, still in stills.items()}
    stills["c1"].unlink()
    assert [each.status for each in samples(mine.data)] == ["missing", "done"]
    stills["c2"].write_bytes(b"another")
    ended = mine.run(path, "--verify", "--repair")
    assert ended.code == 3 and "c2: frames/c2.jpg is not what was downloaded" in ended.out + ended.err
    assert (mine.data / "set_aside" / "c2.jpg").read_bytes() == b"another" and not stills["c2"].exists()
    assert mine.run(*words).code == 0
    assert {name: still.read_bytes() for name, still in stills.items()} == before


def test_frames_in_shards(mine: Clips) -> None:
    path = mine.list([row(IDS["plain"], "c1", 0, 1, split="dev"), row(IDS["heard"], "c2", 0, 1, split="eval")])
    words = (path, "--frame", "middle", "--cut", "copy", "--output-format", "webdataset", "--keep-cols", "split")
    ended = mine.run(*words)
    assert ended.code == 0 and f"{LINE}2 of 2 clips" in ended.out
    assert not list(mine.data.glob("frames/*"))
    said = json.loads((mine.data / "coverage.json").read_text())
    assert {split: part["ids"] for split, part in said["splits"].items()} == {"dev": ["c1"], "eval": ["c2"]}
    for each in samples(mine.data / "shards"):
        place = each.files["frame"]
        with open(place.path, "rb") as stream:
            stream.seek(place.offset)
            content = stream.read(place.size or 0)
        assert content[:2] == b"\xff\xd8" and content[-2:] == b"\xff\xd9"


@pytest.mark.slow
def test_a_run_that_is_stopped_leaves_tables(mine: Clips) -> None:
    path = mine.list([row(IDS["plain"], "c1", 0, 1), row(IDS["heard"], "c2", 0, 1)])
    mine.youtube.refuse = gate = Gate(0, IDS["heard"])
    child = mine.start(path, "--cut", "copy", "--workers", "1")
    child.until(gate.reached.is_set)
    child.send(signal.SIGTERM)
    child.until(lambda: (mine.data / "coverage.json").exists())
    gate.open()
    assert child.end().code == 143
    said = json.loads((mine.data / "coverage.json").read_text())
    assert said["splits"]["all"]["ids"] == ["c1"] and said["splits"]["all"]["missing"] == {"untried": ["c2"]}

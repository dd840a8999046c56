"""--encode on the real script: what is said in the manifest, and that a folder goes on as it was begun."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.standin.fake_youtube import FakeVideo
from tests.support.script import QUICK, Stage, snapshot, stage

# Groups of a second: each clip of three seconds has an IDR picture inside.
GROUPED = replace(QUICK, gop_seconds=1.0)
CLIPS = [f"encodevid{n:02d}_00000{n}" for n in range(2)]


@pytest.fixture
def played(tmp_path: Path, media_folder: Path) -> Iterator[Stage]:
    with stage(tmp_path, media_folder, dict.fromkeys(CLIPS, FakeVideo(GROUPED))) as one:
        yield one


def encoded(played: Stage) -> list[str]:
    """Of each clip, in how many parts it was encoded: "some" or why "all" were."""
    found = []
    for clip in CLIPS:
        line = played.manifest_of(clip)
        said = line["encode"]
        assert said["head"] + said["copied"] + said["tail"] == line["pictures"]
        found.append(said["why"] or ("some" if said["copied"] else "nothing is said"))
    return found


def noted(played: Stage) -> dict[str, object]:
    return dict(json.loads((played.data / "metadata" / "folder.json").read_text())["settings"])


@pytest.mark.parametrize("check", ["decode", pytest.param("packets", marks=pytest.mark.slow)])
def test_a_new_folder_encodes_what_it_must(played: Stage, check: str) -> None:
    assert played.run("--check", check).code == 0
    assert encoded(played) == ["some"] * 2 and noted(played)["encode"] == "needed"


@pytest.mark.slow
def test_a_folder_that_was_begun_with_all_goes_on_with_all(played: Stage) -> None:
    assert played.run("--encode", "all", "--max-clips", "1").code == 0
    assert "encode" not in noted(played)
    assert played.run().code == 0
    assert encoded(played) == ["--encode all"] * 2


def test_a_folder_of_before_there_was_a_choice_goes_on_with_all(played: Stage) -> None:
    assert played.run("--max-clips", "1").code == 0
    path = played.data / "metadata" / "folder.json"
    known = json.loads(path.read_text())
    del known["settings"]["encode"]
    path.write_text(json.dumps(known))
    played.mp4(CLIPS[0]).unlink()
    assert played.run().code == 0
    assert encoded(played) == ["--encode all"] * 2


@pytest.mark.parametrize(
    ("one", "other"), [("all", "needed"), pytest.param("needed", "all", marks=pytest.mark.slow)]
)
def test_another_way_is_refused_and_told(played: Stage, one: str, other: str) -> None:
    assert played.run("--encode", one, "--max-clips", "1").code == 0
    before = snapshot(played.data / "videos")
    ended = played.run("--encode", other)
    assert ended.code == 2 and f"was made with --encode {one}" in ended.said
    assert snapshot(played.data / "videos") == before
    assert played.run("--encode", other, "--allow-mixed").code == 0
    first, second = encoded(played)
    assert {first, second} == {"some", "--encode all"}


def test_a_copy_says_nothing_of_encoding(played: Stage) -> None:
    assert played.run("--cut", "copy").code == 0
    assert "encode" not in played.manifest_of(CLIPS[0]) and "encode" not in noted(played)
    ended = played.run("--cut", "exact")
    assert ended.code == 2 and "was made with --cut copy" in ended.said and "--encode" not in ended.said


def test_the_size_is_another_reason(played: Stage) -> None:
    assert played.run("--size", "48").code == 0
    assert encoded(played) == ["scaled"] * 2


SHARDS = ("--output-format", "webdataset", "--samples-per-shard", "1")


def encoded_in_shards(played: Stage) -> list[str]:
    return [played.manifest_of(clip)["encode"]["why"] for clip in CLIPS]


def test_shards_go_on_as_their_plan_says(played: Stage, tmp_path: Path) -> None:
    """Whatever the data folder: other machines have others."""
    shards = tmp_path / "shards"
    assert played.run(*SHARDS, "--output", shards, "--encode", "all").code == 0
    plan = json.loads((shards / "plan.json").read_text())
    assert "encode" not in plan and encoded_in_shards(played) == ["--encode all"] * 2
    ended = played.run(*SHARDS, "--output", shards, "--encode", "needed")
    assert ended.code == 2 and "was made with --encode all, not needed" in ended.said


@pytest.mark.slow
def test_new_shards_are_spliced(played: Stage, tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    assert played.run(*SHARDS, "--output", shards).code == 0
    assert json.loads((shards / "plan.json").read_text())["encode"] == "needed"
    assert encoded_in_shards(played) == ["", ""]
    ended = played.run(*SHARDS, "--output", shards, "--encode", "all")
    assert ended.code == 2 and "was made with --encode needed, not all" in ended.said

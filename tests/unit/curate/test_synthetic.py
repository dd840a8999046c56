"""Made-up clips: what is dealt to what, that picture and sound go together, and that files hold them."""

from __future__ import annotations

import csv
import io
import itertools
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avclips.curate.synthetic import files, plan
from avclips.curate.synthetic.events import KINDS, happen
from avclips.curate.synthetic.pictures import frames
from avclips.curate.synthetic.sounds import SAMPLE_RATE, sound

TINY = files.Look(width=64, height=48, rate=10)


@given(st.integers(0, 9999), st.integers(20, 300), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_a_foreign_sound_is_of_another_kind(seed: int, count: int, foreign: float) -> None:
    made = plan.clips(count, seed, foreign)
    assert [each for each in made if not each.matched and each.picture.kind == each.sound.kind] == []
    assert sum(not each.matched for each in made) == round(foreign * count)
    assert sorted(each.sound.number for each in made) == list(range(count))
    assert len({each.id for each in made}) == count


@given(st.integers(0, 9999))
def test_by_kinds_half_of_them_are_wrong(seed: int) -> None:
    made = plan.clips(100, seed, 0.5, "kinds")
    wrong = {each.picture.kind for each in made if not each.matched}
    assert len(wrong) == 5
    assert {each.picture.kind for each in made if each.matched} == set(KINDS) - wrong
    assert {each.sound.kind for each in made if not each.matched} == wrong


def test_foreign_sounds_are_of_all_other_kinds_alike() -> None:
    """Else picture and sound would say something about each other in false pairs, too."""
    made = [each for each in plan.clips(4000, 1) if not each.matched]
    counts = np.zeros((len(KINDS), len(KINDS)))
    for each in made:
        counts[KINDS.index(each.picture.kind), KINDS.index(each.sound.kind)] += 1
    expected = len(made) / 90
    off = ~np.eye(len(KINDS), dtype=bool)
    assert np.abs(counts[off] - expected).max() < 5 * expected**0.5
    # A chi-square of some 80 degrees of freedom.
    assert ((counts[off] - expected) ** 2 / expected).sum() < 130


def test_a_kind_that_is_most_of_the_foreign_ones_cannot_be_dealt() -> None:
    with pytest.raises(ValueError, match="more than half"):
        plan.deal(np.array([0, 0, 0, 1]), 1.0, "clips", np.random.default_rng(0))


@pytest.mark.parametrize("seed", [10, 96, 369, 743, 890])
def test_where_the_first_draw_cannot_be_dealt_another_is_made(seed: int) -> None:
    made = plan.clips(21, seed, 0.25)
    assert sum(not each.matched for each in made) == 5


def test_one_alone_has_nobody_to_change_with() -> None:
    with pytest.raises(ValueError, match="more than half"):
        plan.clips(20, 1, 0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_moves_and_sounds(kind: str) -> None:
    events = happen(kind, 3.0, np.random.default_rng(1))
    pictures = np.stack(list(frames(events, 64, 48, 10, np.random.default_rng(2))))
    samples = sound(events, np.random.default_rng(3))
    assert pictures.shape == (30, 48, 64, 3)
    assert pictures.dtype == np.uint8
    assert samples.shape == (3 * SAMPLE_RATE,)
    assert 10 ** (-24 / 20) <= np.abs(samples).max() <= 10 ** (-3 / 20) + 1e-9
    assert np.abs(np.diff(pictures.astype(int), axis=0)).max(axis=0).mean() > 5


def alike(picture: plan.Scene, heard: plan.Scene) -> float:
    """How a picture's brightness goes with a sound's loudness, 25 ms each: a correlation."""
    bright = np.array([each.mean() for each in files.seen(picture, files.Look(32, 24, 40))])
    loud = files.heard(heard).reshape(len(bright), -1).std(axis=1)
    return float(np.corrcoef(bright, loud)[0, 1])


@pytest.mark.parametrize("kind", ["flash", "flicker"])
def test_picture_and_sound_of_a_clip_go_together(kind: str) -> None:
    scenes = [plan.Scene(kind, 5, number) for number in range(6)]
    own = [alike(each, each) for each in scenes]
    others = [alike(each, other) for each, other in itertools.pairwise(scenes)]
    assert np.median(own) > 0.6
    assert abs(np.median(others)) < 0.25


def test_files_hold_it_and_are_the_same_again(tmp_path: Path) -> None:
    some = plan.clips(20, 7)[:2]
    assert list(files.write_clips(tmp_path / "one", some, look=TINY)) == [each.id for each in some]
    assert list(files.write_clips(tmp_path / "two", some, workers=2, look=TINY)) == [each.id for each in some]
    for each in some:
        content = (tmp_path / "one" / f"{each.id}.mp4").read_bytes()
        assert content == (tmp_path / "two" / f"{each.id}.mp4").read_bytes()
        with av.open(io.BytesIO(content)) as container:
            assert float(container.duration or 0) / av.time_base == pytest.approx(10, abs=0.15)
            assert sum(1 for _ in container.decode(video=0)) == 100
    assert list(files.write_clips(tmp_path / "one", some, look=TINY)) == []
    truth = (tmp_path / "one" / "truth.csv").read_text().splitlines()
    assert truth[1] == f"{some[0].id},{some[0].picture.kind},{some[0].sound.kind},{int(some[0].matched)}"


def test_the_sound_in_a_file_is_that_of_its_clip() -> None:
    clip = next(each for each in plan.clips(20, 7) if not each.matched)
    with av.open(io.BytesIO(files.encode((clip,), TINY))) as container:
        rows = [each.to_ndarray()[0] for each in container.decode(audio=0)]
    read, meant = np.concatenate(rows), files.heard(clip.sound)
    # An encoder of AAC says where its own lead-in ends; decoders leave that out.
    size = min(len(read), len(meant))
    assert np.corrcoef(read[:size], meant[:size])[0, 1] > 0.8


def test_videos_are_shots_one_after_the_other(tmp_path: Path) -> None:
    made = plan.videos(30, 100, 3)
    shots = [shot for video in made for shot in video.shots]
    clips = [shot for shot in shots if not shot.id.endswith("_short")]
    assert len(clips) == 100
    assert sum(not shot.matched for shot in clips) == 50
    assert all(10 < shot.picture.seconds <= 14 for shot in clips)
    assert all(2 <= shot.picture.seconds <= 6 for shot in shots if shot not in clips)
    assert all(len(video.id) == 11 for video in made)
    assert len({video.id for video in made}) == 30
    assert all(3 <= len([shot for shot in video.shots if shot in clips]) <= 4 for video in made)
    short = min(made, key=lambda video: sum(shot.picture.seconds for shot in video.shots))
    list(files.write_videos(tmp_path, [short], look=TINY))
    with av.open(str(tmp_path / f"{short.id}.mp4")) as container:
        last = float(container.duration or 0) / av.time_base
    with open(tmp_path / "truth.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == [shot.id for shot in short.shots]
    assert last == pytest.approx(float(rows[-1]["end"]), abs=0.3)

"""Duplicates: planted copies are found, and nothing else; by fingerprints of real media, and by made ones."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avclips.core.clock import Clock
from avclips.media.ffmpeg import Ffmpeg
from avclips.media.inspect import flags_of
from avclips.media.small import Small
from avclips.quality.duplicates import (
    SAME_PICTURE,
    SAME_SOUND,
    Prints,
    compare,
    duplicates,
    picture_distance,
    prints_of,
    sound_distance,
)
from tests.standin import fake_media
from tests.support.made_files import H264, made

# Scenes: what moves, and what is heard, each unlike the others for all of its time.
SCENES = {
    "fractal": ("mandelbrot=size=192x128:rate=10:end_scale=0.1:end_pts=120", "sin(400*t*t+3*sin(9*t))/3"),
    "shore": (
        "mandelbrot=size=192x128:rate=10:start_x=-0.16:start_y=-1.04:start_scale=0.05:end_scale=0.01:end_pts=120",
        "sin(2000*t+400*sin(2*t))/3",
    ),
    "valley": (
        "mandelbrot=size=192x128:rate=10:start_x=-1.25:start_y=-0.02:start_scale=0.3:end_scale=0.05:end_pts=120",
        "(random(0)-0.5)*exp(-3*mod(t,0.7))",
    ),
    "test": ("testsrc2=size=192x128:rate=10", "(random(1)-0.5)*sin(2000*exp(mod(t,3)/3))*exp(-mod(t,0.5))"),
}  # fmt: skip
# Of each: where it begins, how it is scaled, how both are coded.
COPIES = {
    "first": ("1", "null", ("-crf", "20", "-c:a", "aac", "-b:a", "128k")),
    "recoded": ("1", "null", ("-crf", "33", "-c:a", "libmp3lame", "-b:a", "48k")),
    "rescaled": ("1", "scale=128:84", ("-crf", "26", "-c:a", "aac", "-b:a", "64k", "-ar", "22050")),
    "later": ("1.5", "null", ("-crf", "26", "-c:a", "libopus", "-b:a", "48k")),
    "earlier": ("0.5", "scale=256:192", ("-crf", "28", "-c:a", "aac", "-b:a", "48k")),
}


@pytest.fixture(scope="module")
def planted(media_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Prints]:
    ffmpeg, found = Ffmpeg(Path(fake_media.ffmpeg()), Clock()), {}
    for scene, (picture, sound) in SCENES.items():
        for name, (start, scaled, coded) in COPIES.items():
            words = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", f"aevalsrc='{sound}':s=22050"]
            file = made(media_folder, "mkv", *words, "-ss", start, "-t", "8", "-vf", scaled, *H264, *coded)
            folder = tmp_path_factory.mktemp("small")
            heard = folder / "x.wav"
            ffmpeg.run(["-i", file, "-map", "0:a", heard])
            prints = prints_of(f"{scene}-{name}", flags_of(file, heard, ffmpeg, Small(folder)))
            assert prints is not None and prints.seen and prints.sound
            found[prints.id] = prints
    return found


def scene_of(clip_id: str) -> str:
    return clip_id.partition("-")[0]


@pytest.mark.parametrize("by", ["both", "picture", "sound"])
def test_planted_copies_are_found_and_no_others(planted: dict[str, Prints], by: str) -> None:
    clips = [
        Prints(each.id, each.pictures if by != "sound" else (), each.sound if by != "picture" else ())
        for each in planted.values()
    ]
    groups = duplicates(clips)
    assert sorted(sorted(group.ids) for group in groups) == sorted(
        sorted(f"{scene}-{name}" for name in COPIES) for scene in SCENES
    )
    for pair in (pair for group in groups for pair in group.pairs):
        assert (pair.picture is None) == (by == "sound") and (pair.sound is None) == (by == "picture")


def test_others_are_far_apart(planted: dict[str, Prints]) -> None:
    for one, other in combinations(planted.values(), 2):
        if scene_of(one.id) != scene_of(other.id):
            assert (sound_distance(one, other) or 1) > SAME_SOUND
            assert (picture_distance(one.pictures, other.pictures) or 1) > SAME_PICTURE


RNG = random.Random(4)


def flipped(number: int, bits: int, share: float) -> int:
    for bit in range(bits):
        number ^= (RNG.random() < share) << bit
    return number


def unlike(clip_id: str, pictures: int = 5, frames: int = 72) -> Prints:
    """A clip of its own, whose pictures and sounds change slowly, as real ones do."""
    hashes, sound = [RNG.getrandbits(64)], [RNG.getrandbits(16)]
    hashes += [0] * (pictures - 1)
    for number in range(1, pictures):
        hashes[number] = flipped(hashes[number - 1], 64, 0.12)
    while len(sound) < frames:
        sound.append(flipped(sound[-1], 16, 0.12))
    return Prints(clip_id, tuple(hashes[:pictures]), tuple(sound[:frames]))


def copy_of(clip: Prints, clip_id: str, later: int = 0) -> Prints:
    pictures = tuple(flipped(each or 0, 64, 0.1) for each in clip.pictures)
    return Prints(clip_id, pictures, tuple(flipped(each, 16, 0.12) for each in clip.sound[later:]))


def test_copies_among_many() -> None:
    """Of 600 clips with 100 copies, those and no others; every pair is compared to see that none is missed."""
    clips = [unlike(f"c{number:03}") for number in range(600)]
    copies = [copy_of(each, f"{each.id}x", later=number % 5) for number, each in enumerate(clips[:100])]
    every = [*clips, *copies]
    groups = duplicates(every)
    assert [group.ids for group in groups] == [[f"c{n:03}", f"c{n:03}x"] for n in range(100)]
    apart = [sound_distance(one, other) for one, other in combinations(clips[:150], 2)]
    assert min(each for each in apart if each is not None) > SAME_SOUND + 0.02


def test_a_chain_of_copies_is_one_group() -> None:
    first = unlike("a")
    second = copy_of(first, "b")
    groups = duplicates([unlike("z"), copy_of(second, "c"), second, first])
    assert [group.ids for group in groups] == [["a", "b", "c"]] and len(groups[0].pairs) >= 2


def test_what_very_many_have_is_passed_over() -> None:
    """An intro that a thousand clips begin with makes no million pairs."""
    clips = [unlike(f"c{number}") for number in range(200)]
    intro = clips[0].pictures[0]
    begun = [Prints(each.id, (intro, *each.pictures[1:]), each.sound) for each in clips]
    assert duplicates(begun) == []


CLIP, OTHER = unlike("a"), unlike("b")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (CLIP, Prints("b", CLIP.pictures, CLIP.sound), True),
        # The same picture with another sound, and another picture with the same sound.
        (CLIP, Prints("b", CLIP.pictures, OTHER.sound), False),
        (CLIP, Prints("b", OTHER.pictures, CLIP.sound), False),
        # What one has and the other lacks.
        (CLIP, Prints("b", CLIP.pictures, ()), False),
        (CLIP, Prints("b", (None,) * 5, CLIP.sound), False),
        (Prints("a", CLIP.pictures, ()), Prints("b", CLIP.pictures, ()), True),
        (Prints("a", (None,), CLIP.sound), Prints("b", (), CLIP.sound), True),
        (Prints("a"), Prints("b"), False),
        # Half a second is not enough.
        (Prints("a", (), CLIP.sound[:4]), Prints("b", (), CLIP.sound[:4]), False),
        # A second of three minutes that is the same is no copy.
        (CLIP, Prints("b", CLIP.pictures, CLIP.sound[:9] + OTHER.sound), False),
    ],
)
def test_what_is_the_same(one: Prints, other: Prints, same: bool) -> None:
    assert (compare(one, other) is not None) is same
    assert (compare(other, one) is not None) is same


def test_distances_are_shares_of_bits() -> None:
    one = Prints("a", (0, 0), tuple([0xFF00] * 20))
    other = Prints("b", (0xF, 0xF0), tuple([0xFF01] * 20))
    assert picture_distance(one.pictures, other.pictures) == 4 / 64
    assert sound_distance(one, other) == 1 / 16
    # Frames of silence do not count.
    silent = Prints("c", (), (*[0xFF01] * 12, *[0] * 8))
    assert sound_distance(one, silent) == 1 / 16
    shifted = np.roll(CLIP.sound, 3)
    assert sound_distance(CLIP, Prints("b", (), tuple(map(int, shifted)))) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ({}, None),
        ({"picture_hashes": [], "sound_print": ""}, None),
        ({"picture_hashes": ["", ""], "sound_print": None}, None),
        ({"picture_hashes": ["00000000000000ff", ""]}, Prints("x", (255, None))),
        ({"sound_print": "00ff0001"}, Prints("x", (), (255, 1))),
        # A manifest may have been written by anybody.
        ({"picture_hashes": 5}, None),
        ({"picture_hashes": [5]}, None),
        ({"picture_hashes": ["xyz"]}, None),
        ({"sound_print": ["a"]}, None),
        ({"sound_print": "00ff00zz"}, None),
        ({"picture_hashes": ["-1"]}, None),
        ({"picture_hashes": ["1" * 40]}, None),
        ({"sound_print": "-001"}, None),
    ],
)
def test_fingerprints_out_of_a_manifest(flags: dict[str, Any], found: Prints | None) -> None:
    assert prints_of("x", flags) == found

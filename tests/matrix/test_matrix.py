"""Every layout of the truth matrix at its simplest, and what the matrix itself rests on.

Pairs of values and cells that were faults are played by `make test-slow`, and cells at random by `make matrix`.

All cells are played before the first is judged, many in one run of the script. A test's name is a cell:
`python -m tests.matrix --only CELL` plays it alone.
"""

from __future__ import annotations

import itertools
import os
import random
import struct
import time
import wave
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.matrix import cells, media
from tests.matrix.__main__ import PAIRS_SEED
from tests.matrix.cells import Cell, pairs_of, written
from tests.matrix.judge import Came, Shape, judge
from tests.matrix.layouts import Made, make
from tests.matrix.media import run_ffmpeg
from tests.matrix.play import Judged, play, shape_of, spec_of
from tests.matrix.rules import FACTORS
from tests.matrix.splice import of_seeks
from tests.matrix.truth import Truth, read_pictures, truth
from tests.standin import fake_media

# What was wrong once, and takes more than one value.
FAULTS = """
layout=hls-ts,sound=mp3,rate=23.976,gop=open,at=packet,length=60
layout=webm-end,picture=vp9,sound=opus,lag=-0.5,begin=5
layout=muxed-sidx,sound=opus,lag=-0.5,begin=5,edit=list,media=audio
layout=dash-sidx,begin=5,media=audio
layout=sidx-each,lag=0.4,begin=5,media=audio,audio_format=flac
layout=plain,ends=gap,at=packet,media=audio
sound=opus,lag=0.4,ends=gap,at=packet,audio_format=m4a
layout=muxed-sidx,sound=opus,edit=list,ends=gap,at=border,length=0.5
layout=muxed-sidx,sound=opus,lag=0.03,edit=list,at=late
layout=hls-aes,ends=sound,at=late
layout=hls-fmp4,ends=sound,at=late,media=audio
layout=hls-break,sound=aac-48,at=border,cut=copy
layout=moov-end,sound=flac,audio_format=m4a
layout=plain,rate=frozen,clock=mkv,gop=closed,edit=list,length=0.5
layout=sidx-each,picture=av1,rate=vfr,at=fraction,video_format=mkv
layout=hls-ts-apart,rate=one,ends=gap,at=border,length=0.5,video_format=mkv
layout=sidx-tree,sound=he-aac,clock=1000,gop=open,ends=sound,at=packet,cut=copy
layout=mkv,ends=sound,length=10
layout=mkv,ends=sound,length=10,audio_format=m4a
""".split()
# Where the bytes lie is what most faults were about; the other values are in the pairs of `make test-slow`.
CELLS = [cell for cell in map(cells.simplest_with, ({"layout": each} for each in FACTORS["layout"])) if cell]
PAIRS = cells.covering(PAIRS_SEED)


@pytest.fixture(scope="module")
def judged() -> Iterator[dict[str, Judged]]:
    """Every cell's verdict, by how the cell is written."""
    yield {written(each.cell): each for each in play(CELLS)}


@pytest.mark.parametrize("cell", [written(cell) for cell in CELLS])
def test_a_clip_is_exact_or_refused_for_a_reason_that_is_true(judged: dict[str, Judged], cell: str) -> None:
    assert judged[cell].verdict != "fault", str(judged[cell])


@pytest.mark.slow
@pytest.mark.parametrize(
    "together", [PAIRS, [*map(cells.read, FAULTS)]], ids=["any two values", "what was wrong once"]
)
def test_values_together_hold(together: list[Cell]) -> None:
    faults = [str(each) for each in play(together) if each.verdict == "fault"]
    assert faults == [], "\n".join(faults)


# -- the cells -------------------------------------------------------------------------------------------


def test_every_two_values_that_can_be_together_are_so_in_a_cell() -> None:
    there = {pair for cell in PAIRS for pair in pairs_of(cell)}
    values = [(name, value) for name in FACTORS for value in FACTORS[name]]
    pairs = (frozenset(pair) for pair in itertools.combinations(values, 2) if pair[0][0] != pair[1][0])
    missing = [dict(pair) for pair in pairs if pair not in there]
    assert [given for given in missing if cells.simplest_with(given)] == []


def test_a_cell_is_read_as_it_was_written_and_can_be_made_simpler() -> None:
    chance = random.Random(3)
    for _ in range(20):
        cell = cells.at_random(chance)
        assert cells.read(written(cell)) == cell
        for other in [*cells.simpler(cell), *cells.parts(cell, 2)]:
            assert cells.is_possible(other)
            assert cells.weight(other) <= cells.weight(cell)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("layout=ogg", "layout is one of"),
        ("colour=red", "no factors"),
        ("layout=avi", "a container has its codecs"),
    ],
)
def test_a_cell_that_cannot_be_says_why(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        cells.read(text)


# -- the truth -------------------------------------------------------------------------------------------


def known(text: str) -> tuple[Cell, Made, Truth]:
    cell = cells.read(text)
    made = make(spec_of(cell))
    return cell, made, truth(spec_of(cell), made)


def test_a_picture_is_known_by_its_number() -> None:
    assert [media.number_of(media.drawn(number)) for number in (0, 1, 747, 2099)] == [
        0,
        1,
        747,
        2099,
    ]


# When the first picture and the first sample of a source are shown and heard, in seconds.
BEGINNINGS = [
    ("simplest", 0, 0),
    ("gop=closed", 0, 0),
    ("lag=0.4", 0, 0.4),
    ("lag=-0.5,begin=3600", 0.5, 0),
    ("lag=-0.5,edit=list,gop=closed", 0.5, 0),
    ("layout=dash-sidx,lag=1.2", 0, 1.2),
    ("layout=muxed-sidx,lag=0.4,begin=5", 0, 0.4),
    ("layout=plain,edit=list,lag=0.03,begin=5", 0, 0.03),
    ("layout=plain,edit=cut,gop=closed", 0, 0),
    ("layout=plain,edit=negative,gop=closed", 0, 0),
    ("layout=plain,edit=list,clock=flv,gop=closed", 0, 0),
    ("layout=hls-ts,lag=0.4,begin=wrap,gop=closed", 0, 0.4),
    ("layout=hls-ts-apart,lag=0.4", 0, 0.4),
    ("layout=hls-fmp4-apart,lag=-0.5", 0.5, 0),
    ("layout=hls-packed,lag=0.4,begin=5", 0, 0.4),
    ("layout=dash,lag=0.4,gop=closed", 0, 0.4),
    ("layout=webm,picture=vp9,sound=opus,lag=0.4", 0, 0.4),
    ("layout=mkv,lag=0.4,begin=5", 0, 0.4),
    ("layout=ts,lag=-0.5,gop=closed", 0.5, 0),
]


@pytest.mark.parametrize(("text", "picture", "sound"), BEGINNINGS)
def test_second_0_is_where_the_first_stream_begins(text: str, picture: float, sound: float) -> None:
    _, _, found = known(text)
    assert abs(float(found.pictures[0].time) - picture) < 0.0015
    # Opus may hide 312 samples, and containers round to a millisecond.
    assert abs(float(found.sound.begins) - sound) < 0.0015


def test_every_picture_of_a_whole_source_is_at_its_time() -> None:
    for text, rate in (("gop=closed", 25), ("layout=hls-ts,gop=open", 25), ("layout=mkv,rate=8", 8)):
        _, _, found = known(text)
        assert [picture.number for picture in found.pictures] == list(range(30 * rate))
        assert all(abs(picture.time * rate - picture.number) < 0.03 for picture in found.pictures)


@pytest.mark.parametrize("sound", ["aac", "opus", "mp3", "ac3", "flac"])
def test_the_sound_of_a_whole_source_is_what_ffmpeg_decodes(sound: str, tmp_path: Path) -> None:
    _, made, found = known(f"layout=mkv,sound={sound}")
    run_ffmpeg("-i", made.whole["audio"], "-map", "0:a", "-c:a", "pcm_s16le", tmp_path / "whole.wav")
    with wave.open(str(tmp_path / "whole.wav")) as file:
        due = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    assert np.array_equal(found.sound.samples, due)


def leaves(data: bytes, at: int) -> list[int]:
    """Where the fragments begin that an index at byte ``at`` leads to, itself or by others."""
    size, wide = struct.unpack_from(">I", data, at)[0], data[at + 8]
    rows = 40 if wide else 32
    (offset,) = struct.unpack_from(">Q" if wide else ">I", data, at + (28 if wide else 24))
    begin, found = at + size + offset, []
    for row in range(at + rows, at + size, 12):
        (told,) = struct.unpack_from(">I", data, row)
        found += leaves(data, begin) if told >> 31 else [begin]
        begin += told & 0x7FFFFFFF
    return found


def test_an_index_of_indexes_leads_to_every_fragment() -> None:
    made = make(spec_of(cells.read("layout=sidx-tree")))
    data = made.itags[134][0].read_bytes()
    tops = list(fake_media.boxes(data))
    index = next(at for kind, at, _ in tops if kind == "sidx")
    assert leaves(data, index) == [at for kind, at, _ in tops if kind == "moof"]


def test_a_large_table_still_leads_to_its_samples() -> None:
    _, made, _ = known("layout=plain-long,edit=list")
    data = made.whole["video"].read_bytes()
    assert max(size for kind, _, size in fake_media.boxes(data) if kind == "moov") > 4 * 1024 * 1024


def test_sources_that_were_not_used_lately_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "CACHE", tmp_path)
    for name, age in (("old", 300), ("older", 400), ("new", 10)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "video").write_bytes(bytes(10_000))
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    media.tidy(most=25_000, unused=60.0)
    assert {path.name for path in tmp_path.iterdir()} == {"old", "new"}


# -- the judge -------------------------------------------------------------------------------------------

SIMPLE = "at=fraction,length=3"


def cut_of_the_whole(made: Made, found: Truth, shape: Shape, folder: Path, **wrong: Any) -> Came:
    """The clip as it has to be, made of the whole source by other means; ``wrong``: what is not to be right."""
    start = shape.start + Fraction(wrong.get("late", 0))
    first = round(start * found.sound.rate) + wrong.get("samples", 0)
    count = round((shape.end - shape.start) * found.sound.rate)
    folder.mkdir()
    with wave.open(str(folder / "sound.wav"), "wb") as file:
        file.setparams((2, 2, found.sound.rate, 0, "NONE", ""))
        file.writeframes(found.sound.samples[first : first + count - wrong.get("short", 0)].tobytes())
    begin, end = float(start), float(start + shape.end - shape.start)
    filters = f"trim=start={begin}:end={end},setpts=PTS-{begin + wrong.get('early', 0)}/TB{wrong.get('then', '')}"
    inputs = ["-i", made.whole["video"], "-i", folder / "sound.wav"]
    codec = [
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "1/90000",
        "-c:v",
        "libx264",
        "-crf",
        "18",
        "-c:a",
        "pcm_s16le",
    ]
    out = folder / "video.mov"
    run_ffmpeg(
        *inputs, "-map", "0:v", "-map", "1:a", "-vf", filters, *codec, "-video_track_timescale", "90000", out
    )
    return Came(
        out, folder / "sound.wav", encode=encode(75, 0, 0, "no IDR picture inside") | wrong.get("encode", {})
    )


def encode(head: int, copied: int, tail: int, why: str = "") -> dict[str, Any]:
    """What a manifest says of the pictures of a clip of so many."""
    return {"head": head, "copied": copied, "tail": tail, "why": why}


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"late": "0.04"}, ["pictures", "sound", "beside"]),
    ({"early": 0.01}, ["pictures"]),
    ({"samples": 2}, ["sound", "beside"]),
    ({"samples": -600}, ["sound", "beside"]),
    ({"short": 3}, ["sound", "beside"]),
    ({"then": ",select='not(eq(n,30))'"}, ["pictures"]),
    ({"then": ",hflip"}, ["pictures"]),
    ({"then": ",boxblur=20"}, ["pictures"]),
    # All were encoded: none is the source's bit for bit.
    ({"encode": encode(30, 40, 5)}, ["splice"]),
    ({"encode": encode(75, 0, 0)}, ["splice"]),
    ({"encode": encode(74, 0, 0, "no IDR picture inside")}, ["splice"]),
    ({"encode": encode(75, 0, 0, "the encoder begins with no IDR picture")}, ["splice"]),
]


@pytest.mark.parametrize(("wrong", "kinds"), WRONG)
def test_the_judge_sees_what_is_wrong_and_nothing_else(
    wrong: dict[str, Any], kinds: list[str], tmp_path: Path
) -> None:
    cell, made, found = known(SIMPLE)
    shape = shape_of(cell, spec_of(cell), found)
    came = cut_of_the_whole(made, found, shape, tmp_path / "made", **wrong)
    verdict, why = judge(spec_of(cell), found, shape, came)
    assert [each.partition(":")[0] for each in why] == kinds, why
    assert verdict == ("fault" if kinds else "exact")


def test_the_judge_sees_a_jump_to_another_picture(tmp_path: Path) -> None:
    cell, made, found = known(SIMPLE)
    came = cut_of_the_whole(made, found, shape_of(cell, spec_of(cell), found), tmp_path / "made")
    assert came.video is not None
    got = read_pictures(came.video)
    assert of_seeks(came.video, got, steady=True) is None
    others = [replace(picture, number=picture.number + 1) for picture in got]
    assert "at the key pictures" in (of_seeks(came.video, others, steady=True) or "")
    later = [replace(picture, time=picture.time + Fraction(1, 100)) for picture in got]
    assert "which are not the times" in (of_seeks(came.video, later, steady=True) or "")


# What is refused, and whether that is true.
REFUSALS = [
    ("simplest", "check", "fault"),
    ("at=past", "over", "refused"),
    ("at=past", "no_audio", "refused"),
    ("ends=sound,at=late", "over", "fault"),
    ("ends=sound,at=late", "no_audio", "refused"),
    ("ends=sound,at=late,media=audio", "no_audio", "refused"),
    ("ends=picture,at=late", "over", "refused"),
    ("ends=picture,at=late,media=audio", "over", "fault"),
    ("rate=one", "over", "fault"),
    ("layout=dash-hole,at=border", "check", "refused"),
    ("layout=dash-hole,at=middle", "check", "fault"),
    ("layout=hls-aes", "formats", "fault"),
]


@pytest.mark.parametrize(("text", "reason", "verdict"), REFUSALS)
def test_a_refusal_has_to_be_true(text: str, reason: str, verdict: str) -> None:
    cell, _, found = known(text)
    shape = shape_of(cell, spec_of(cell), found)
    assert judge(spec_of(cell), found, shape, Came(None, None, reason, "words"))[0] == verdict


def test_a_picture_that_stands_at_the_start_is_due() -> None:
    cell, made, found = known("rate=frozen,at=middle,length=0.5")
    shape = shape_of(cell, spec_of(cell), found)
    standing = [picture for picture in found.pictures if picture.time <= shape.start][-1]
    assert standing.time < Fraction(17, 2) and not [p for p in found.pictures if shape.start < p.time < shape.end]
    verdict, why = judge(spec_of(cell), found, shape, Came(made.whole["video"], None))
    assert verdict == "fault" and why[0].endswith(f"due are 1 [{standing.number}]"), why
    assert read_pictures(made.whole["video"])[0].number == 0

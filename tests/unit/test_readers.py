"""The readers table: what a cell says of an answer, and that the page is of the readers that are pinned."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.matrix.media import drawn
from tools.readers import page, verdicts
from tools.readers.asking import ask, jobs, places, times
from tools.readers.clips import File
from tools.readers.installed import DRIVERS, LIGHT, READERS, TARGETS, TORCH, WEB
from tools.requirements import ROOT

RATE = 8000
NOISE = np.random.default_rng(1).standard_normal((2, 10 * RATE)).astype(np.float32) * 0.2
CLIP = File(
    "clip",
    "exact",
    Path("/clip.mp4"),
    tuple(range(40, 60)),
    tuple(n / 2 + 0.1 for n in range(20)),
    10.0,
    NOISE,
    RATE,
)
DUE = list(CLIP.numbers)
PLACES = [DUE[place] for place in places(CLIP)]
NONE = {"none": True}


def answer(order: Any = NONE, index: Any = NONE, time: Any = NONE) -> dict[str, dict[str, Any]]:
    given = {"order": order, "index": index, "time": time}
    return {way: each if isinstance(each, dict) else {"got": each} for way, each in given.items()}


PICTURES: dict[str, tuple[dict[str, dict[str, Any]], str, bool]] = {
    "all right": (answer(DUE, PLACES, PLACES), "20/20; index 8/8; time 8/8", True),
    "in order alone": (answer(DUE), "20/20", True),
    "lead-in": (answer([38, 39, *DUE]), "22/20, first -2", False),
    "one twice": (answer([40, *DUE]), "21/20, 1 twice", False),
    "one missing": (answer(DUE[:-1]), "19/20, 1 missing", False),
    "the next": (answer(DUE, time=[n + 1 for n in PLACES]), "20/20; time 0/8 (+1)", False),
    "none at the end": (answer(DUE, time=[*PLACES[:-1], -1]), "20/20; time 7/8 (none)", False),
    "no time": (answer(DUE, time={"refused": "ValueError: no"}), "20/20; time 0/8 (refused)", False),
    "not at all": (answer({"refused": "OSError: /clip.mp4 is none"}), "refused: OSError: FILE is none", False),
}


@pytest.mark.parametrize("case", PICTURES)
def test_pictures(case: str) -> None:
    got, words, right = PICTURES[case]
    verdict = verdicts.pictures([CLIP], [got])
    assert (verdict.words, verdict.right) == (words, right)


def heard(samples: Any, part: Any) -> dict[str, dict[str, Any]]:
    return {"sound": {"samples": samples}, "part": {"samples": part}}


FIRST = NOISE[0]
SECOND = FIRST[3 * RATE : 4 * RATE]
SOUNDS: dict[str, tuple[Any, Any, str, bool]] = {
    "all right": (FIRST, SECOND, "80000/80000; part 1/1", True),
    "rounded": (FIRST + 0.001, SECOND, "80000/80000; part 1/1", True),
    "longer": (np.append(FIRST, FIRST[:10]), SECOND, "80010/80000; part 1/1", False),
    "late": (np.append(np.zeros(500), FIRST), SECOND, "80500/80000 (500 late); part 1/1", False),
    "early": (FIRST[500:], SECOND, "79500/80000 (500 early); part 1/1", False),
    "part early": (FIRST, FIRST[3 * RATE + 20 : 4 * RATE], "80000/80000; part 0/1 (20 early, -20)", False),
    "other": (FIRST, np.append(SECOND[:-9], SECOND[-9:] + 1), "80000/80000; part 0/1 (9 other)", False),
    "the other channel": (NOISE[1], SECOND, "80000/80000 (another sound); part 1/1", False),
    "no numbers": (np.full(9000, np.nan), SECOND, "9000/80000 (another sound); part 1/1", False),
    "nothing": (FIRST[:0], SECOND, "0/80000 (another sound); part 1/1", False),
}


@pytest.mark.parametrize("case", SOUNDS)
def test_sound(case: str) -> None:
    whole, part, words, right = SOUNDS[case]
    verdict = verdicts.sound([CLIP], [heard(whole, part)])
    assert (verdict.words, verdict.right) == (words, right)


def test_mixed_sound_is_the_sum_of_the_channels() -> None:
    mixed = (NOISE[0] + NOISE[1]) / 2**0.5
    assert verdicts.sound([CLIP], [heard(mixed, mixed[3 * RATE : 4 * RATE])], mixed=True).right


def test_at_each_time_its_picture_stands() -> None:
    ends = [*CLIP.times[1:], CLIP.seconds]
    assert all(CLIP.times[at] < second < ends[at] for at, second in zip(places(CLIP), times(CLIP), strict=True))


def test_a_reader_is_asked_for_what_it_reads() -> None:
    asked = [job["ask"] for _, job in jobs(frozenset({"pictures"}), [CLIP], Path())]
    assert asked == ["order", "index", "time"]
    assert [job["ask"] for _, job in jobs(frozenset({"sound"}), [CLIP], Path())] == ["sound", "part"]


MORTAL = """
import json, sys
for line in sys.stdin:
    job = json.loads(line)
    if job["ask"] == "die":
        sys.exit("no more")
    print("chatter")
    print(json.dumps({"got": [job["n"]]}), flush=True)
"""


def test_a_driver_that_dies_costs_one_job() -> None:
    asked = [{"ask": "order", "n": 1}, {"ask": "die"}, {"ask": "order", "n": 3}]
    answers = ask([sys.executable, "-c", MORTAL], {}, "reader", asked)
    assert answers == [{"got": [1]}, {"refused": "the program ended with 1: no more"}, {"got": [3]}]


def test_the_drivers_read_numbers_as_the_matrix_draws_them() -> None:
    spec = importlib.util.spec_from_file_location("answering", DRIVERS / "answering.py")
    assert spec and spec.loader
    answering = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(answering)
    for number in (0, 1, 899, 0b101010101010, 4095):
        assert answering.number_of(drawn(number)) == number
        assert answering.number_of(np.stack([drawn(number)] * 3, 2)) == number
    assert answering.number_of(None) == -1


def test_the_page_is_of_these_readers_and_versions() -> None:
    text = (ROOT / "docs" / "readers.md").read_text(encoding="utf-8")
    pins = dict(pin.replace("@", "==").split("==") for pin in (*LIGHT, *TORCH, *TARGETS, *WEB))
    for reader in READERS:
        assert f"| {reader.name} {pins.get(reader.package, '')}" in text, "run make readers"
    assert text.startswith(page.HEAD), "run make readers"

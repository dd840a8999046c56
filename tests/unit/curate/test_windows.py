"""Which seconds become clips."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avclips.curate.shots import hash_of
from avclips.curate.windows import Window, fixed, in_shots, most_diverse, shots_of


@pytest.mark.parametrize(
    ("cuts", "begin", "end", "shots"),
    [
        ((), 0.0, 12.5, [(0, 12_500)]),
        # The first shot and the tail are shots too; cuts come in any order, and twice.
        ((7.0, 3.0, 7.0), 0.0, 10.0, [(0, 3000), (3000, 7000), (7000, 10_000)]),
        ((0.0, 10.0, 11.0), 0.0, 10.0, [(0, 10_000)]),
        # Inwards: nothing of what is beyond.
        ((), 0.0001, 9.9999, [(1, 9999)]),
        ((), 5.0, 5.0, []),
    ],
)
def test_shots(cuts: Sequence[float], begin: float, end: float, shots: list[tuple[int, int]]) -> None:
    assert shots_of(cuts, begin, end) == shots


@pytest.mark.parametrize(
    ("shots", "windows"),
    [
        ([(0, 10_000)], [(0, "shot")]),
        ([(0, 9_999), (9_999, 20_000)], [(9_999, "shot")]),
        ([(0, 12_000), (12_000, 15_000), (15_000, 45_001)], [(1000, "shot"), (25_000, "shot")]),
        ([(0, 6000), (6000, 13_000)], [(1500, "middle")]),
        ([(0, 6000), (6000, 9999)], []),
        ([], []),
    ],
)
def test_windows_in_shots(shots: list[tuple[int, int]], windows: list[tuple[int, str]]) -> None:
    found = in_shots(shots, 10_000)
    assert [(each.start, each.origin) for each in found] == windows
    assert all(each.end - each.start == 10_000 for each in found)


@pytest.mark.parametrize(
    ("end", "most", "starts"),
    [
        (35.0, 0, [0, 10_000, 20_000]),
        (35.0, 3, [0, 10_000, 20_000]),
        (9.999, 3, []),
        (100.0, 1, [50_000]),
        (100.0, 3, [10_000, 50_000, 80_000]),
    ],
)
def test_fixed_windows(end: float, most: int, starts: list[int]) -> None:
    assert [each.start for each in fixed(0.0, end, 10_000, most)] == starts


times = st.floats(0, 2000, allow_nan=False)


@settings(deadline=None)
@given(st.lists(times, max_size=12), times, times, st.integers(1, 30_000))
def test_a_window_lies_within_its_shot(cuts: list[float], one: float, other: float, length: int) -> None:
    begin, end = sorted((one, other))
    shots = shots_of(cuts, begin, end)
    windows = in_shots(shots, length)
    for each in windows:
        assert each.end - each.start == length
        assert 1000 * begin - 1e-6 <= each.start
        assert each.end <= 1000 * end + 1e-6
        if each.origin == "shot":
            assert any(first <= each.start and each.end <= last for first, last in shots)
    assert bool(windows) == bool(shots and shots[-1][1] - shots[0][0] >= length)


@settings(deadline=None)
@given(times, times, st.integers(1000, 30_000), st.integers(0, 9))
def test_fixed_windows_do_not_overlap(one: float, other: float, length: int, most: int) -> None:
    begin, end = sorted((one, other))
    windows = fixed(begin, end, length, most)
    assert all(before.end <= after.start for before, after in itertools.pairwise(windows))
    assert not most or len(windows) <= most
    assert all(1000 * begin - 1e-6 <= each.start and each.end <= 1000 * end + 1e-6 for each in windows)


NIGHT, DAY, DUSK = 0, 2**64 - 1, 0xFFFF


def test_those_are_chosen_that_are_least_alike() -> None:
    pictures = [NIGHT, NIGHT, DUSK, DAY, NIGHT]
    windows = [Window(10_000 * n, 10_000 * (n + 1), "shot", 10_000 + (n == 1)) for n in range(5)]
    seconds = [10.0 * n + 5 for n in range(5)]
    hashes = np.array(pictures, dtype=np.uint64)

    def chosen(most: int) -> list[int]:
        return [each.start // 10_000 for each in most_diverse(windows, seconds, hashes, most)]

    assert chosen(1) == [1]
    assert chosen(2) == [1, 3]
    assert chosen(3) == [1, 2, 3]
    # Among equals the first.
    assert chosen(4) == [0, 1, 2, 3]
    assert chosen(0) == chosen(9) == [0, 1, 2, 3, 4]


def test_windows_without_a_picture_are_chosen_too() -> None:
    windows = [Window(10_000 * n, 10_000 * (n + 1), "shot", 10_000) for n in range(3)]
    assert len(most_diverse(windows, [], np.array([], dtype=np.uint64), 2)) == 2


def test_a_hash_is_64_bits_of_brighter_or_not() -> None:
    rising = np.tile(np.arange(9, dtype=np.uint8), (8, 1))
    assert hash_of(rising) == 2**64 - 1
    assert hash_of(rising[:, ::-1]) == 0
    half = np.vstack([rising[:4], rising[:4, ::-1]])
    assert hash_of(half) == (2**32 - 1) << 32

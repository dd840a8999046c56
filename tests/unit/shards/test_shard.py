"""How a list is cut into shards: a video is never split, and a long list is taken as it is needed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from avclips.core.model import Clip
from avclips.shards.shard import cut
from tests.support.shards_of import clips_of, ids

CUTS: dict[str, tuple[str, int, list[str]]] = {
    "nothing": ("", 3, []),
    "one": ("a1", 3, ["a1"]),
    "just full": ("a1 b1 c1", 3, ["a1 b1 c1"]),
    "one more": ("a1 b1 c1 d1", 3, ["a1 b1 c1", "d1"]),
    "a video that does not fit": ("a1 b1 b2 b3 c1", 3, ["a1", "b1 b2 b3", "c1"]),
    "two that just fit": ("a1 b1 b2 c1 c2 d1", 3, ["a1 b1 b2", "c1 c2 d1"]),
    "larger than a shard": ("a1 b1 b2 b3 b4 b5 c1 c2", 3, ["a1", "b1 b2 b3 b4 b5", "c1 c2"]),
    "larger, at first": ("a1 a2 a3 a4 b1", 3, ["a1 a2 a3 a4", "b1"]),
    "larger, at last": ("a1 b1 b2 b3 b4", 2, ["a1", "b1 b2 b3 b4"]),
    "each alone": ("a1 a2 b1 c1 c2 c3", 1, ["a1 a2", "b1", "c1 c2 c3"]),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_video_is_never_split(name: str) -> None:
    listed, size, due = CUTS[name]
    assert ids(cut(clips_of(listed), size)) == list(enumerate(due))
    assert ids(cut(iter(clips_of(listed)), size, 7, 3)) == [(7 + 3 * n, each) for n, each in enumerate(due)]


def test_a_long_list_is_cut_as_it_comes() -> None:
    taken = 0

    def listed() -> Iterator[Clip]:
        nonlocal taken
        while True:
            taken += 1
            yield Clip(f"c{taken}", f"v{taken // 2}", 0.0, 1.0)

    shards = cut(listed(), 10)
    sizes = [len(next(shards).clips) for _ in range(100)]
    assert set(sizes) <= {9, 10} and taken <= 1005

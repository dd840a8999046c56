"""Plans of films whose key frames are right only later, and whose packets have several descriptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from avclips.containers.samples import Description
from avclips.core.errors import Transient
from avclips.media.cut_plan import Material, key_before, plan_sound
from tests.unit.media.test_cut_plan import CLOSED, OPEN, planned

# Two groups of which the second begins with a recovery point: packet 5 is decoded right, and 6 to 9.
RECOVERED = replace(CLOSED, samples=replace(CLOSED.samples, keys=(0, 3), recovers=((3, 5),)))
# Packets 5 and 6 are decoded behind 4, the first that is right; shown before it, they are not.
LATE = replace(OPEN, samples=replace(OPEN.samples, keys=(0, 1), recovers=((1, 4),)))


@pytest.mark.parametrize(
    ("material", "due", "key"),
    [
        (RECOVERED, (4, 5), 0),
        (RECOVERED, (5, 6), 3),
        (RECOVERED, (7,), 3),
        (LATE, (5, 6, 4), 0),
        (LATE, (4, 8), 1),
    ],
)
def test_the_key_frame_before_frames_that_are_right(material: Material, due: Sequence[int], key: int) -> None:
    assert key_before(material.samples, due) == key


@pytest.mark.parametrize(
    ("stretch", "keys", "recovers"),
    [
        ((0, 10), (0, 3), ((3, 5),)),
        ((0, 6), (0, 3), ((3, 5),)),
        # What is right in it is not known where that is cut off.
        ((0, 5), (0,), ()),
        ((3, 10), (0,), ((0, 2),)),
        ((4, 10), (), ()),
    ],
)
def test_a_key_frame_is_cut_off_with_what_is_right(
    stretch: tuple[int, int], keys: tuple[int, ...], recovers: tuple[tuple[int, int], ...]
) -> None:
    found = RECOVERED.samples.cut(*stretch)
    assert (found.keys, found.recovers) == (keys, recovers)


def described(material: Material, *numbers: int) -> Material:
    one, other = (Description("avc1", size, size, 0, bytes((size,))) for size in (64, 32))
    return replace(material, samples=material.samples.describe((one, other), numbers))


@pytest.mark.parametrize(
    ("numbers", "start", "width"),
    [((0,) * 6 + (1,) * 4, "0", 64), ((0,) * 6 + (1,) * 4, "0.24", 32), ((1,) + (0,) * 9, "0.24", 64)],
)
def test_a_clip_has_the_description_of_its_packets(numbers: tuple[int, ...], start: str, width: int) -> None:
    found = planned(described(CLOSED, *numbers), start, str(Fraction(start) + Fraction(1, 10)))
    assert found.material.samples.width == width and not found.material.samples.described


def test_a_clip_whose_packets_have_several_descriptions() -> None:
    material = described(CLOSED, *(0,) * 5, *(1,) * 5)
    with pytest.raises(Transient, match="its video changes within the clip"):
        planned(material, "0", "0.3")
    heard = replace(material, samples=replace(material.samples, kind="audio"))
    with pytest.raises(Transient, match="its audio changes within the clip"):
        plan_sound(heard, Fraction(0), Fraction(1, 10), 1000)

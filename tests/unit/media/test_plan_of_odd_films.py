"""Plans of films whose packets have several descriptions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from avclips.containers.samples import Description
from avclips.core.errors import Transient
from avclips.media.cut_plan import Material, plan_sound
from tests.unit.media.test_cut_plan import CLOSED, planned


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

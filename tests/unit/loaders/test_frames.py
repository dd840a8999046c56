"""Which frames stand at which times, out of packets alone: frames at a varying rate, a clock of milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from avclips.core.errors import UsageError
from avclips.loaders.frames import Timeline, chosen, opened, scaled, timeline, undecodable
from avclips.loaders.options import Options


@dataclass
class Packet:
    pts: int
    duration: int = 40
    is_discard: bool = False


MS = Fraction(1, 1000)
# As decoders get them, with a lead-in that nobody is shown.
PACKETS = [
    Packet(-80, is_discard=True),
    Packet(0),
    Packet(120),
    Packet(40),
    Packet(80),
    Packet(1000),
    Packet(1040),
]
LINE = timeline(PACKETS, MS)


def test_the_timeline() -> None:
    assert Timeline([0, 40, 80, 120, 1000, 1040], 1080, MS) == LINE and LINE.seconds == 1.08
    # An edit list ends within the last frame; what ends before it is no news of it.
    assert timeline(PACKETS, MS, 1060).end == 1060 and timeline(PACKETS, MS, 500).end == 1080
    with pytest.raises(ValueError, match="shows no picture"):
        timeline([Packet(0, is_discard=True)], MS)


@pytest.mark.parametrize(
    ("options", "due"),
    [
        (Options(num_frames=None), [0, 1, 2, 3, 4, 5]),
        (Options(num_frames=None, seconds=0.1), [0, 1, 2]),
        (Options(num_frames=2), [3, 3]),
        (Options(num_frames=1), [3]),
        (Options(fps=25, seconds=0.2), [0, 1, 2, 3, 3]),
        (Options(fps=1), [0]),
        (Options(fps=0.1), [0]),
        (Options(num_frames=3, seconds=3), [3, 5, 5]),
    ],
)
def test_what_is_chosen(options: Options, due: list[int]) -> None:
    assert chosen(LINE, options) == due


def test_a_clock_of_milliseconds_writes_a_frame_late() -> None:
    """At 30000/1001 a second, Matroska has 67 for 66.73."""
    pts = [round(n * 1001 / 30) for n in range(300)]
    line = Timeline(pts, round(300 * 1001 / 30), MS)
    assert chosen(line, Options(fps=30_000 / 1001)) == list(range(300))


@pytest.mark.parametrize(
    ("size", "due"), [(None, (360, 640)), (90, (90, 160)), ((5, 7), (5, 7)), (720, (720, 1280))]
)
def test_the_size(size: Any, due: tuple[int, int]) -> None:
    assert scaled(360, 640, Options(size=size)) == due


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    for source in (str(tmp_path / "none.mp4"), b"", b"nothing of that kind"):
        with pytest.raises(type(undecodable("x", "y")), match="cannot be decoded"):
            opened(source)
    with pytest.raises(UsageError, match="seconds=-1 is nothing to load"):
        Options(seconds=-1)

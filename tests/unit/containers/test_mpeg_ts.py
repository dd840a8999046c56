"""Transport streams: names of services are passed over, pieces that do not follow each other are counted anew."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from avclips.containers.mpeg_ts import PACKET, continued, without_names
from tests.standin import fake_media
from tests.standin.fake_media import Media


def packet(pid: int, counter: int = 0, payload: bool = True, fill: int = 7) -> bytes:
    """A packet of a track."""
    return bytes((0x47, 0x40 | pid >> 8, pid & 255, (0x10 if payload else 0x20) | counter)) + bytes([fill]) * 184


SERVICES, PADDING = 0x11, 0x1FFF


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([packet(0), packet(SERVICES), packet(0x100)], [packet(0), packet(PADDING), packet(0x100)]),
        ([packet(SERVICES)] * 3, [packet(PADDING)] * 3),
        # What only looks so: another track's number shares its low byte.
        ([packet(0x111), packet(0x1011)], [packet(0x111), packet(0x1011)]),
        ([], []),
    ],
)
def test_packets_with_names_are_padding(before: list[bytes], after: list[bytes]) -> None:
    assert without_names(b"".join(before)) == b"".join(after)


@pytest.mark.parametrize(
    "content", [b"x" * PACKET, packet(SERVICES) + b"x" * PACKET, packet(SERVICES)[:-1], b"", b"G"]
)
def test_what_is_no_transport_stream_stays(content: bytes) -> None:
    assert without_names(content) == content


def test_what_is_left_over_stays() -> None:
    assert without_names(packet(SERVICES) + b"Gxyz") == packet(PADDING) + b"Gxyz"


def counters(content: bytes) -> list[int]:
    return [content[at + 3] & 15 for at in range(0, len(content), PACKET)]


@pytest.mark.parametrize(
    ("pieces", "due"),
    [
        # One that follows stays.
        ([[packet(1, 3)], [packet(1, 4), packet(1, 5)]], [[3], [4, 5]]),
        # What jumps is counted on, in its turn of sixteen.
        ([[packet(1, 3)], [packet(1, 9), packet(1, 10)]], [[3], [4, 5]]),
        ([[packet(1, 15)], [packet(1, 15), packet(1, 0)]], [[15], [0, 1]]),
        # A packet without payload does not count.
        ([[packet(1, 3)], [packet(1, 9, payload=False), packet(1, 10)]], [[3], [3, 4]]),
        # Each track for itself.
        ([[packet(1, 3), packet(2, 8)], [packet(2, 0), packet(1, 0), packet(2, 1)]], [[3, 8], [9, 4, 10]]),
        ([[packet(1, 3)], [packet(2, 6)]], [[3], [6]]),
        # Behind each other, the pieces that are added follow already.
        ([[packet(1, 3)], [packet(1, 9)], [packet(1, 10)]], [[3], [4], [5]]),
    ],
)
def test_pieces_are_counted_on(pieces: list[list[bytes]], due: list[list[int]]) -> None:
    given = [b"".join(piece) for piece in pieces]
    found = continued(given)
    assert [counters(piece) for piece in found] == due
    # Nothing else is another.
    for one, other in zip(given, found, strict=True):
        assert [byte for n, byte in enumerate(one) if n % PACKET != 3] == [
            byte for n, byte in enumerate(other) if n % PACKET != 3
        ]
    assert continued(found) == found


def test_pieces_of_a_real_stream(media_folder: Path, tmp_path: Path) -> None:
    """The first and the third: a reader finds no packet lost."""
    folder = fake_media.make_hls(Media(duration=12, width=64, height=36), 93, media_folder)
    first, _, third = [path.read_bytes() for path in fake_media.segments(folder)]

    def spoilt(pieces: list[bytes]) -> int:
        (tmp_path / "x.ts").write_bytes(b"".join(pieces))
        with av.open(str(tmp_path / "x.ts")) as container:
            return sum(packet.is_corrupt for packet in container.demux())

    assert spoilt([first, third]) > 0
    assert spoilt(continued([first, third])) == 0

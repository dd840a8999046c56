"""MPEG transport streams (ISO/IEC 13818-1): what of one is kept from ffmpeg."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

PACKET = 188
# Bytes that are looked at together.
_BLOCK = 4096 * PACKET
_SYNC = 0x47
# Where the descriptions of services are (SDT and BAT: ETSI EN 300 468, 5.1.3), and what every reader passes over.
_SERVICES, _NULL = 0x0011, 0x1FFF


def without_names(content: bytes) -> bytes:
    """A stream whose packets that name its services are padding, as long as before.

    ffmpeg converts the names by iconv, for which a static build loads the tables of the machine's libc: where
    that is another one, it dies. Bytes that are no whole packets are left as they are.
    """
    cleaned = bytearray(content)
    for at in range(0, len(content) - PACKET + 1, PACKET):
        sync, high, low = content[at : at + 3]
        if sync != _SYNC:
            return content
        if (high & 0x1F) << 8 | low == _SERVICES:
            cleaned[at + 1 : at + 3] = (high & 0xE0 | _NULL >> 8, _NULL & 0xFF)
    return bytes(cleaned)


def copy_without_names(source: IO[bytes], target: IO[bytes]) -> None:
    """Write a stream behind what ``target`` holds, its names left out (see ``without_names``)."""
    while block := source.read(_BLOCK):
        target.write(without_names(block))


def blocks_of(path: Path) -> Iterator[bytes]:
    """A stream in blocks of whole packets."""
    with open(path, "rb") as stream:
        while block := stream.read(_BLOCK):
            yield block


def continued(pieces: Sequence[bytes]) -> list[bytes]:
    """Pieces of a stream that do not follow each other, counted as if they did: the first, and those behind it."""
    return [pieces[0], *following(counters(pieces[:1]), pieces[1:])]


def counters(blocks: Iterable[bytes]) -> dict[int, int]:
    """The last count of each track of a stream, which comes in blocks of whole packets."""
    found: dict[int, int] = {}
    for block in blocks:
        for _, pid, _, counter in _packets(block):
            found[pid] = counter
    return found


def following(before: Mapping[int, int], blocks: Iterable[bytes]) -> Iterator[bytes]:
    """A stream counted as if it followed one that ended with these counts.

    A reader takes a jump of a track's counter for a packet that was lost.
    """
    ahead: dict[int, int] = {}
    for block in blocks:
        counted = bytearray(block)
        for at, pid, has_payload, counter in _packets(block):
            if pid not in ahead and pid in before:
                ahead[pid] = before[pid] + has_payload - counter
            counted[at + 3] = counted[at + 3] & 0xF0 | (counter + ahead.get(pid, 0)) & 0x0F
        yield bytes(counted)


def _packets(piece: bytes) -> Iterator[tuple[int, int, bool, int]]:
    """Where each packet begins, its track, whether it carries anything, and its counter."""
    for at in range(0, len(piece) - PACKET + 1, PACKET):
        yield at, (piece[at + 1] & 0x1F) << 8 | piece[at + 2], bool(piece[at + 3] & 0x10), piece[at + 3] & 0x0F

"""What the description of a track (a sample entry, ISO/IEC 14496-12, 8.5.2) says of its codec.

Knows the bytes of one entry: esds, dOps and btrt in it.
"""

from __future__ import annotations

# What else than AAC is called mp4a: the object types of its esds box (ISO/IEC 14496-1, 7.2.6.6).
_AAC_TYPES = (0x40, 0x66, 0x67, 0x68)


def sound_codec(entry: bytes, name: str) -> str:
    """A codec's name: "mp4a" of AAC alone, of others with the object type, "mp4a.6b"."""
    place = _object_type(entry) if name == "mp4a" else None
    return name if place is None or entry[place] in _AAC_TYPES else f"mp4a.{entry[place]:02x}"


def _object_type(entry: bytes) -> int | None:
    """The place of the object type in a description's esds box; None where there is none."""
    at = entry.find(b"esds")
    if at < 0:
        return None
    # Version and flags, then descriptors: a tag, a length of up to four bytes, and what they hold.
    place = at + 8
    for tag in (0x03, 0x04):
        if place >= len(entry) or entry[place] != tag:
            return None
        place += 1
        while place < len(entry) and entry[place] & 0x80:
            place += 1
        place += 1
        # The number of the stream, and flags that such files do not set.
        place += 3 if tag == 0x03 else 0
    return place if place < len(entry) else None


def without_rates(entry: bytes) -> bytes:
    """A description without the bits a second of its stream, which differ from one part of it to the next."""
    if (place := _object_type(entry)) is not None:
        # Behind the object type and the kind of stream: the buffer's size, the largest and the usual rate.
        entry = entry[: place + 2] + bytes(11) + entry[place + 13 :]
    at = entry.find(b"btrt")
    return entry if at < 4 else entry[: at - 4] + entry[at + 16 :]


def pre_skip(entry: bytes) -> int:
    """The samples, at 48 kHz, that a decoder of Opus passes over at first."""
    at = entry.find(b"dOps")
    return int.from_bytes(entry[at + 6 : at + 8], "big") if at >= 0 else 0

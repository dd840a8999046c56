"""MP4 files with boxes that no muxer at hand writes: a table left out, wrong, or of two films in one track.

The moov box stands behind the media, as ffmpeg puts it, so that no offset changes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.matrix.boxes import boxes
from tests.support.made_files import made


def body_of(data: bytes, kind: bytes) -> bytes:
    """What the first box of a kind holds."""
    at, end = next((at, end) for found, at, end in boxes(data) if found == kind)
    return data[at + 8 : end]


def with_boxes(path: Path, target: Path, changed: Mapping[bytes, bytes | None]) -> Path:
    """The film with what the first box of each kind holds in its first track; None: without it."""
    data = path.read_bytes()
    for kind, body in changed.items():
        found = list(boxes(data))
        at, end = next((at, end) for each, at, end in found if each == kind)
        new = b"" if body is None else struct.pack(">I4s", 8 + len(body), kind) + body
        grown = bytearray(data)
        for _, begins, ends in found:
            if begins < at and end <= ends:
                struct.pack_into(">I", grown, begins, ends - begins + len(new) - (end - at))
        data = bytes(grown[:at] + new + grown[end:])
    target.write_bytes(data)
    return target


def rows(each: str, *held: Sequence[int]) -> bytes:
    """The body of a table."""
    return struct.pack(">II", 0, len(held)) + b"".join(struct.pack(each, *row) for row in held)


def key_frames(*numbers: int) -> bytes:
    """The body of stss; numbers are counted from 0."""
    return rows(">I", *((number + 1,) for number in numbers))


def two_films(folder: Path, one: Path, other: Path, target: Path) -> Path:
    """One track with the pictures of both, each film's with a description of its own."""
    listing = folder / f"{one.stem}-{other.stem}.txt"
    listing.write_text(f"file '{one}'\nfile '{other}'\n")
    whole = made(folder, "mp4", "-f", "concat", "-safe", "0", "-i", listing, "-map", "0:v", "-c", "copy")
    data = whole.read_bytes()
    sizes = [size for (size,) in struct.iter_unpack(">I", body_of(data, b"stsz")[12:])]
    (first,) = struct.unpack_from(">I", body_of(data, b"stco"), 8)
    held = struct.unpack_from(">I", body_of(one.read_bytes(), b"stsz"), 8)[0]
    described = b"".join(body_of(film.read_bytes(), b"stsd")[8:] for film in (one, other))
    changed = {
        b"stsd": struct.pack(">II", 0, 2) + described,
        b"stsc": rows(">III", (1, held, 1), (2, len(sizes) - held, 2)),
        b"stco": rows(">I", (first,), (first + sum(sizes[:held]),)),
    }
    return with_boxes(whole, target, changed)

"""Streams made by hand, small: in a real one most of what goes wrong goes wrong inside the pictures."""

from __future__ import annotations

import struct


def box(kind: bytes, body: bytes = b"") -> bytes:
    """An MP4 box."""
    return struct.pack(">I4s", 8 + len(body), kind) + body


def stream(fragments: list[bytes], timescale: int, ticks: int) -> bytes:
    """A whole stream: head, index, and the fragments, each of which lasts so many ticks."""
    entries = b"".join(struct.pack(">III", len(each), ticks, 0x90000000) for each in fragments)
    fixed = struct.pack(">4x2I2I2xH", 1, timescale, 0, 0, len(fragments))
    return box(b"ftyp", b"dash") + box(b"moov", bytes(30)) + box(b"sidx", fixed + entries) + b"".join(fragments)


def element(name: int, *inside: bytes) -> bytes:
    """An EBML element."""
    body = b"".join(inside)
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + (len(body) | 1 << 28).to_bytes(4, "big") + body


def clusters(number: int) -> bytes:
    """A WebM file of so many small clusters, each of which lasts 2.4 s."""
    each = element(0x1F43B675, element(0xE7, b"\0\0"), element(0xA3, bytes(9)))
    info = element(
        0x1549A966, element(0x2AD7B1, b"\x0f\x42\x40"), element(0x4489, struct.pack(">d", number * 2400))
    )
    tracks = element(0x1654AE6B, element(0xAE, element(0x86, b"A_OPUS")))
    cue = len(element(0xBB, element(0xB3, bytes(4)), element(0xB7, element(0xF1, bytes(4)))))
    behind = len(info) + len(tracks) + 8 + number * cue
    cues = [
        element(
            0xBB,
            element(0xB3, struct.pack(">I", n * 2400)),
            element(0xB7, element(0xF1, struct.pack(">I", behind + n * len(each)))),
        )
        for n in range(number)
    ]
    return element(0x1A45DFA3) + element(0x18538067, info, tracks, element(0x1C53BB6B, *cues), each * number)

"""What a media file is: by its first bytes, never by its name.

ffmpeg is told, so that it never guesses: a "film" that is a playlist of other files is no media.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..core.errors import Transient

# What ffmpeg calls each container, by the bytes that its files begin with.
_MAGIC: tuple[tuple[str, bytes], ...] = (
    ("mov", rb"....(?:ftyp|styp|moov|moof|mdat|free|skip|wide|pnot)"),
    ("matroska", rb"\x1aE\xdf\xa3"),
    ("mpegts", rb"G.{187}G"),
    ("mpegts", rb"G.{187}$"),
    ("flv", rb"FLV\x01"),
    ("avi", rb"RIFF....AVI "),
    ("wav", rb"RIFF....WAVE"),
    ("mpeg", rb"\x00\x00\x01\xba"),
    ("ogg", rb"OggS"),
    ("asf", rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    ("flac", rb"fLaC"),
    ("mp3", rb"ID3"),
    ("aac", rb"\xff[\xf0\xf1\xf8\xf9]"),
    ("mp3", rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xfd]"),
)
_MAGIC_BYTES = 189


def container_of(path: Path) -> str:
    """ffmpeg's name for what a file is, by its first bytes; Transient for no media that is known."""
    with open(path, "rb") as stream:
        head = stream.read(_MAGIC_BYTES)
    for name, magic in _MAGIC:
        if re.match(magic, head, re.DOTALL):
            return name
    raise Transient("formats", "not a media file of a kind that is known")

"""What a file of a clip is, by how its name ends, and the ending of one that has no name of its own."""

from __future__ import annotations

from pathlib import Path

from .places import read
from .sample import Place

PICTURES = ("mp4", "mkv")
SOUNDS = ("wav", "flac", "m4a")
FRAME = "jpg"
# How files begin, and the endings of their names.
_BEGINNINGS = {
    b"RIFF": "wav",
    b"fLaC": "flac",
    b"\x1aE\xdf\xa3": "mkv",
    b"WEBVTT": "vtt",
    b"{": "json",
    b"\xff\xd8\xff": "jpg",
    b"\x89PNG": "png",
}
# What a file is taken for whose beginning tells nothing.
_USUAL = {"video": "mp4", "audio": "wav", "frame": "jpg", "info": "json", "subtitles": "vtt"}
_KNOWN = {*PICTURES, *SOUNDS, *_USUAL.values(), "png", "webm"}


def kind_of(ending: str) -> str | None:
    """ "video", "audio", "frame", "info" or "subtitles.en" of a member or a column; None of anything else."""
    if ending in PICTURES:
        return "video"
    if ending in SOUNDS:
        return "audio"
    if ending.endswith(".vtt"):
        return f"subtitles.{ending[:-4]}"
    return {FRAME: "frame", "info": "info"}.get(ending)


def ending_of(kind: str, place: Place) -> str:
    """The ending that its name has, or would have: "mp4", "wav". ``kind``: "video", "audio", "frame", ...

    A file has it in its name, a cell in that of its column. A tar's member is told by its first bytes, and so is a
    cell whose column says what it holds, not how ("info"). Unreadable where these cannot be read.
    """
    if place.row is not None and (ending := place.column.rpartition(".")[2]) in _KNOWN:
        return ending
    if place.row is None and place.size is None and (suffix := Path(place.path).suffix):
        return suffix[1:]
    start = read(place, 0, 16)
    if start[4:8] == b"ftyp":
        return "m4a" if kind == "audio" else "mp4"
    for word, ending in _BEGINNINGS.items():
        if start.startswith(word):
            return ending
    return _USUAL.get(kind.partition(".")[0], "bin")

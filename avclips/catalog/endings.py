"""What a file of a clip is, by how its name ends: as Sample.files and tables call it."""

from __future__ import annotations

PICTURES = ("mp4", "mkv")
SOUNDS = ("wav", "flac", "m4a")
FRAME = "jpg"


def kind_of(ending: str) -> str | None:
    """ "video", "audio", "frame", "info" or "subtitles.en" of a member or a column; None of anything else."""
    if ending in PICTURES:
        return "video"
    if ending in SOUNDS:
        return "audio"
    if ending.endswith(".vtt"):
        return f"subtitles.{ending[:-4]}"
    return {FRAME: "frame", "info": "info"}.get(ending)

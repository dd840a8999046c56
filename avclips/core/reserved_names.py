"""The names that our own columns and files have in every table of results; those of a list give way to them."""

from __future__ import annotations

import re

# What a row says of a clip besides the columns of its list, each as Arrow names its type.
OF_FAILURES = {"reason": "string", "error": "string", "permanent": "bool"}
_OF_CLIP = {"id": "string", "status": "string"} | OF_FAILURES
_OF_CLIP |= {"youtube_id": "string", "start": "double", "end": "double"}
_FACTS = {"duration": "double", "fps": "double"}
_FACTS |= dict.fromkeys(("pictures", "width", "height", "samples", "sample_rate", "channels"), "int64")
_FACTS |= dict.fromkeys(("bytes", "bytes_fetched"), "int64")
_FACTS |= dict.fromkeys(("sha256", "audio_sha256", "formats", "title", "yt_dlp", "time"), "string")
# Quality flags, as JSON. Outputs that were begun before there were any go on without.
FLAGS = "flags"
TYPES = _OF_CLIP | _FACTS | {FLAGS: "string"}
# Columns of files; those of subtitles end in .vtt.
FILES = frozenset(("mp4", "mkv", "wav", "flac", "m4a", "jpg", "info"))


def is_file(column: str) -> bool:
    """Whether a column is one of files."""
    return column in FILES or column.endswith(".vtt")


def column_of(name: str) -> str:
    """What a column of the list is called beside ours; never as another one is.

    Readers such as Spark and DuckDB know no capitals.
    """
    # ``list_title`` is what ``title`` becomes.
    folded = re.sub(r"^(list_)*", "", name.casefold())
    return f"list_{name}" if folded in TYPES or is_file(folded) else name

"""Partitions: several runs in one folder, each with its share of the videos and its own JSON beside the others'.

Knows how shares are drawn and how the files of a partition are called. The share of a run without --part is all.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path

Partition = tuple[int, int]

_SUFFIX = re.compile(r"\.([0-9]+)-of-([0-9]+)")


def suffix_of(partition: Partition | None) -> str:
    """What a partition's files have before the ending of their names: ``.0-of-4``, or nothing."""
    return "" if partition is None else f".{partition[0]}-of-{partition[1]}"


def named(path: Path, partition: Partition | None) -> Path:
    """``manifest.jsonl`` as that of a partition: ``manifest.0-of-4.jsonl``."""
    return path.with_name(path.stem + suffix_of(partition) + path.suffix)


def siblings(path: Path) -> dict[Partition | None, Path]:
    """The files of this name that are there, of a run without partitions and of every partition."""
    found: dict[Partition | None, Path] = {None: path} if path.exists() else {}
    for each in sorted(path.parent.glob(f"{path.stem}.*-of-*{path.suffix}")):
        match = _SUFFIX.fullmatch(each.name[len(path.stem) : len(each.name) - len(path.suffix)])
        if match:
            found[int(match[1]), int(match[2])] = each
    return found


def is_in(partition: Partition | None, video: str) -> bool:
    """Whether a video is in a share; the same whatever else is in the list, or done already."""
    return partition is None or zlib.crc32(video.encode()) % partition[1] == partition[0]


def exclude_each_other(one: Partition | None, other: Partition | None) -> bool:
    """Whether two runs may not work in one folder at the same time: their shares overlap."""
    return one == other or one is None or other is None or one[1] != other[1]

"""Symbolic links in a data folder: where people may put them, and where nobody may.

Folders of results are often linked to another disk, and are followed. What only this program writes (its locks,
its JSON, its logs, its folder for unfinished files) is not: behind such a link lie files that are somebody's.
"""

from __future__ import annotations

import re
from pathlib import Path

from .errors import UsageError
from .files import is_a_link

# Folders that may lie elsewhere.
LINKED = ("videos", "audio", "wavs", "frames", "metadata", "archives", "shards", "features", "info", "subtitles")
_OURS = re.compile(
    r"\..*|spark|set_aside|manifest(\..*)?\.jsonl|(download_progress|failed_downloads)(\..*)?\.json|.*\.log"
)
# In the folder of metadata, where people may put annotation files by hand, as links too.
_OF_METADATA = re.compile(r"\..*|(asked|folder|left_out|required_video_ids|video_url_mapping)\.json")


def see_no_links(folder: Path) -> None:
    """UsageError where an entry of a data folder that is never followed is a symbolic link."""
    for place, ours in ((folder, _OURS), (folder / "metadata", _OF_METADATA)):
        if not place.is_dir():
            continue
        for entry in sorted(place.iterdir()):
            if entry.is_symlink() and ours.fullmatch(entry.name):
                raise is_a_link(entry)
    for name in LINKED:
        entry = folder / name
        if entry.is_symlink() and not entry.is_dir():
            raise UsageError(f"{entry} is a link to no folder", "mount what it leads to, or remove it")

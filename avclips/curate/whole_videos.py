"""The videos that are cut into clips: of a data folder, or of any folder of files."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..catalog import Place, samples
from ..catalog.places import Unreadable, is_file, read
from ..catalog.source import is_data_folder
from ..core.errors import UsageError
from ..core.files import is_plain_name
from ..core.sites import watch_url
from ..lists.addresses import youtube_id

_ENDINGS = frozenset(".mp4 .mkv .webm .mov .m4v .ts .flv .avi .mpg .mpeg .ogv .wmv".split())
_HINT = "download them with --output-format files; or name another folder"


@dataclass(frozen=True)
class WholeVideo:
    """One video: ``id`` begins the ids of its clips; ``url``: what a list of clips names it by."""

    id: str
    path: Path
    url: str
    title: str = ""
    categories: tuple[str, ...] = ()


def find(folder: Path) -> list[WholeVideo]:
    """All videos in a folder, by their ids. UsageError where there is none."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder", "avclips curate download fills it; or name another")
    named = _of_data_folder(folder) if is_data_folder(folder) else _of_files(folder)
    found = sorted(named, key=lambda each: each.id)
    if not found:
        raise UsageError(f"{folder} holds no video", "avclips curate download fetches them; or name another")
    for one, other in itertools.pairwise(found):
        if one.id == other.id:
            raise UsageError(f"{one.path} and {other.path} would give clips of one name", "rename one of them")
    return found


def _of_data_folder(folder: Path) -> Iterator[WholeVideo]:
    for sample in samples(folder):
        place = sample.files.get("video")
        if place is None or sample.start or sample.end is not None:
            continue
        if not is_file(place):
            raise UsageError(f"the videos of {folder} are in shards, and are cut from single files", _HINT)
        about = _info(sample.files["info"]) if "info" in sample.files else {}
        title = about.get("title") or sample.facts.get("title") or ""
        named = about.get("categories") or ()
        url = sample.meta.get("url") or watch_url(sample.video)
        yield WholeVideo(sample.id, Path(place.path), str(url), str(title), tuple(map(str, named)))


def _info(place: Place) -> Mapping[str, Any]:
    try:
        said = json.loads(read(place))
    except (Unreadable, ValueError, RecursionError):
        # It is for people, and for the list alone.
        return {}
    return said if isinstance(said, dict) else {}


def _of_files(folder: Path) -> Iterator[WholeVideo]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in _ENDINGS or path.name.startswith(".") or not path.is_file():
            continue
        if not is_plain_name(path.stem):
            raise UsageError(f"{path} has a name that no id can have", "letters, digits, - and _: rename it")
        yield WholeVideo(path.stem, path, address_of(path.stem), path.stem)


def address_of(name: str) -> str:
    """The address of a video of which only a name is known; at one that does not exist, where it is no id."""
    return watch_url(name) if youtube_id(name) == name else f"https://local.invalid/{quote(name)}"

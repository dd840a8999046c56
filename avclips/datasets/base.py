"""What a dataset is: the files that list its clips, and how these are read.

Knows names and URLs; what stands in the files is known to one module each under ``datasets/``, and how they come
into the folder to ``annotation_files``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.model import Clip
from ..core.settings import Settings
from ..core.sites import watch_url

# In the metadata folder: the records of a list that name no clip, each with the reason.
LEFT_OUT = "left_out.json"
# There, of some datasets: the ids of all clips, and the page of each one's video.
IDS, URLS = "required_video_ids.json", "video_url_mapping.json"


@dataclass(frozen=True)
class Annotation:
    """One file of a dataset. ``split`` names the split it lists, ``needed`` whether a run can do without it."""

    name: str
    url: str
    check: Callable[[Path], object]
    split: str | None = None
    needed: bool = True


@dataclass(frozen=True)
class Listing:
    """The clips a dataset's files list, and the records left out, each with the reason.

    ``clips`` may be gone through again and again; those of one video stand together (``together``). ``url_of``:
    the page of a clip's video, None where it is not known; ``files``: further JSON for the metadata folder, by
    name; ``remarks``: what a user should be told; ``named``: whether the ids are a user's words, which may have
    meant other clips before. ``rows``: how many records the list has, 0 where nobody counted: each
    made a clip, named one that was made before, or is left out. ``names()``: (id, video) of each clip, where
    ``IDS`` and ``URLS`` are to name them, and the page of each one's video.
    """

    clips: Iterable[Clip]
    skipped: Sequence[str] = field(default_factory=tuple)
    url_of: Callable[[str], str | None] = watch_url
    files: Mapping[str, Any] = field(default_factory=dict)
    remarks: Sequence[str] = field(default_factory=tuple)
    named: bool = False
    rows: int = 0
    names: Callable[[], Iterable[tuple[str, str]]] | None = None


def together(clips: Iterable[Clip]) -> list[Clip]:
    """The clips with those of one video side by side, in the order of the first of each."""
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        groups.setdefault(clip.video, []).append(clip)
    return list(itertools.chain(*groups.values()))


@dataclass(frozen=True)
class Finished:
    """The clips that are done, for the tables that a dataset keeps of them.

    ``folder``: the data folder. ``lines()``: what the manifest says of each, as it is read; ``file_of(id)``: the
    clip's sound, or else its picture, beneath the folder; None where it is not there.
    """

    folder: Path
    lines: Callable[[], Iterator[Mapping[str, Any]]]
    file_of: Callable[[str], str | None]


@dataclass(frozen=True)
class DriveArchive:
    """One of a dataset's own archives on Google Drive.

    ``name``: what it is called here; ``file_id`` its id there, or where that is not known, ``word`` one that its
    name there holds. ``holds(clip_id)``: whether it is where the clip should be; ``size`` in bytes, about.
    """

    title: str
    name: str
    size: int
    holds: Callable[[str], bool]
    word: str
    file_id: str | None = None


@dataclass(frozen=True)
class Drive:
    """A folder on Google Drive, and the archives in it."""

    folder_id: str
    archives: tuple[DriveArchive, ...]


@dataclass(frozen=True)
class Dataset:
    """One dataset: what its files are called and how they are read.

    ``annotations(settings)`` are the files that a run needs. ``read_clips(metadata_folder, settings)`` returns a
    Listing, or raises RunError where a file cannot be read. ``splits``: what --splits takes, and
    ``usual_splits`` its default. ``log_name``: the log file in the data folder. ``options``: those that only some
    datasets have, and ``defaults`` its own for some of them. ``drive``: where its videos lie as archives.
    ``files``: in words, what comes of a clip. ``audio_folder``: what the folder of sounds is called, and
    ``audio_folder_once`` what it was, in a data folder that has it and goes on with it.
    ``write_tables(finished, metadata_folder, settings)`` writes what the dataset's users expect besides, of what
    is there.
    """

    name: str
    title: str
    default_dir: str
    log_name: str
    annotations: Callable[[Settings], Sequence[Annotation]]
    read_clips: Callable[[Path, Settings], Listing]
    clip_seconds: float
    splits: tuple[str, ...]
    usual_splits: tuple[str, ...]
    options: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    drive: Drive | None = None
    files: str = "videos/ID.mp4 and audio/ID.wav"
    audio_folder: str = "audio"
    audio_folder_once: str = "audio"
    write_tables: Callable[[Finished, Path, Settings], None] | None = None

    def sounds_in(self, folder: Path) -> str:
        """What the folder of sounds is called in this data folder."""
        return self.audio_folder_once if (folder / self.audio_folder_once).is_dir() else self.audio_folder

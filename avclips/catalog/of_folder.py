"""The samples of a data folder of single files, in the order of its list."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..core.errors import RunError
from ..core.model import Clip
from ..state.manifest import Line, video_of
from ..state.manifest_index import ManifestIndex
from ..state.partition import siblings
from ..state.progress_files import MANIFEST
from ..state.store import Store
from .folder import DataFolder
from .said import said_of
from .sample import Place, Sample

log = logging.getLogger("avclips.catalog")

GONE = "its files are gone"
# What of a finished clip's line is said elsewhere in its sample.
_ELSEWHERE = frozenset(("id", "status", "youtube_id", "source", "asked", "meta", "turn"))
_FILES = ("video", "audio", "frame", "info", "subtitles")


def of_folder(folder: DataFolder, clips: Iterable[Clip] | None = None) -> Iterator[Sample]:
    """A sample for each clip of the list, and behind them for those of earlier lists that the manifest knows.

    ``clips``: the list, where it was read before. One that cannot be read any more is said in the log; what the
    manifest knows is all there is then.
    """
    if clips is None:
        try:
            clips = folder.listed()
        except RunError as error:
            warn_of_the_list(folder, error)
            clips = ()
    return _samples(folder, clips)


def _samples(folder: DataFolder, clips: Iterable[Clip]) -> Iterator[Sample]:
    store, dataset = folder.store, folder.dataset.name
    with ManifestIndex(siblings(store.folder / MANIFEST).values()) as index:
        for clip in clips:
            yield sample_of(clip, index.take(clip.id), store, dataset)
        for line in index.left():
            if line["status"] != "forgotten":
                yield sample_of(clip_of(line), line, store, dataset)


def warn_of_the_list(folder: DataFolder, error: RunError) -> None:
    """Say in the log that fewer clips are known than there may be."""
    words = "%s: its list cannot be read, only clips of its manifest are known: %s"
    log.warning(words, folder.store.folder, error)


def clip_of(line: Line) -> Clip:
    """The clip that a line of the manifest speaks of."""
    start, end = line.get("asked") or (0.0, None)
    return Clip(line["id"], video_of(line), start, end, line.get("meta") or {})


def sample_of(clip: Clip, line: Line | None, store: Store, dataset: str) -> Sample:
    """A clip with what became of it; ``line``: the manifest's last about it."""
    said = said_of(clip.meta)
    about: dict[str, Any] = {"splits": said.splits, "labels": said.labels, "captions": said.captions}
    about["meta"] = said.rest
    named = clip.id, dataset, clip.video, clip.start, clip.end
    if clip.id in store.done and line is not None and line["status"] == "done":
        facts = {name: value for name, value in line.items() if name not in _ELSEWHERE and name not in _FILES}
        return Sample(*named, "done", **about, files=files_of(line, store.folder), facts=facts)
    if (failed := store.failed.get(clip.id)) is not None:
        return Sample(*named, "failed", failed["reason"], str(failed.get("error") or ""), **about)
    return Sample(*named, "missing", error=GONE if store.knew(clip.id) else "", **about)


def files_of(line: Mapping[str, Any], folder: Path) -> dict[str, Place]:
    """The files that a finished clip's line names, by what they are; of what lies beside a clip, what is there."""
    # Of a million clips, joining paths as such would be a tenth of the time.
    root = str(folder)
    found = {kind: Place(f"{root}/{line[kind]}") for kind in ("video", "audio", "frame") if line.get(kind)}
    subtitles = line.get("subtitles") or {}
    beside = [("info", line.get("info")), *((f"subtitles.{each}", name) for each, name in subtitles.items())]
    for kind, name in beside:
        if name and (folder / name).is_file():
            found[kind] = Place(f"{root}/{name}")
    return found

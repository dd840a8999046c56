"""From what a user names to a Session: which samples, questions and scores a source has, and when they change."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..catalog import Sample, questions, samples
from ..catalog.again import command_of
from ..core.clock import Clock
from ..core.errors import RunError, UsageError
from ..core.extras import extras
from ..curate.folders import stage_folder
from ..media.ffmpeg_trial import find_ffmpeg
from ..state.partition import siblings
from ..state.progress_files import MANIFEST
from .cache import cache_folder
from .index import Questions, questions_by_clip
from .media import is_folder
from .session import Session

_OF_MAPS = {"numpy": "features are shown", "pyarrow": "features are shown"}


def open_session(
    source: str, cache: Path | None, ffmpeg: Path | None, clock: Clock, projection: str | None = None
) -> tuple[Session, Callable[[], object]]:
    """A session on ``source``, and what tells of its changes. RunError where it holds no download.

    ``projection``: of the map, "pca" or "umap", which is UsageError where it is not installed; None: as it is.
    """
    local = is_folder(source)
    if projection and not local:
        raise UsageError("--projection is of the map, and the map is of a data folder on this machine")
    # Before anything is made: RunError where this is no download.
    next(iter(samples(source)), None)
    if cache is None:
        cache = cache_folder(source)
    else:
        cache.mkdir(parents=True, exist_ok=True)

    def read() -> tuple[Iterable[Sample], Questions, Mapping[str, float]]:
        try:
            asked = questions_by_clip(questions(source)) if local else {}
        except RunError:
            # Of another dataset, or an output of shards by itself.
            asked = {}
        return samples(source), asked, _scores(source) if local else {}

    def view() -> Any:
        if not local:
            raise RunError("the map is of a data folder on this machine")
        extras(_OF_MAPS)
        from ..curate.view import view as view_of

        return view_of(Path(source))

    again = command_of(Path(source)) if local else ""
    layout = _layout(projection, cache) if local else None
    session = Session(source, cache, read, find_ffmpeg(ffmpeg, clock), again, view, layout)
    return session, lambda: _state(source, local)


def _layout(projection: str | None, cache: Path) -> Any:
    try:
        extras(_OF_MAPS)
    except UsageError:
        # Whoever asks for the map is told.
        return None
    from ..curate.map_layout import MapLayout, projection_of

    return MapLayout(projection_of(projection), cache)


def _state(source: str, local: bool) -> object:
    """Another when something was written there; of a store, always the same: it is looked at once."""
    if not local:
        return source
    folder = Path(source)
    curated = (stage_folder(folder, stage) / "done.json" for stage in ("features", "cluster", "select"))
    found = []
    for path in (*siblings(folder / MANIFEST).values(), *sorted(folder.glob("*_stats.json")), *curated):
        try:
            about = os.stat(path)  # noqa: PTH116
        except OSError:
            continue
        found.append((path.name, about.st_size, about.st_mtime_ns))
    return found


def _scores(source: str) -> Mapping[str, float]:
    """Of a selection that was made here; none where there is no selection, or nothing that reads it."""
    if not stage_folder(Path(source), "select").is_dir():
        return {}
    try:
        extras(_OF_MAPS)
    except RunError:
        return {}
    from ..curate.view import scores

    return scores(Path(source))

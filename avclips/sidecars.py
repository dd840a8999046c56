"""What is kept beside a clip: info/ID.json and subtitles/ID.LANG.vtt."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .clip import Clip, Settings
from .errors import Blocked, ClipError
from .files import whole, write_json
from .store import Store
from .streams import Stream, Streams
from .subtitles import cut_vtt

log = logging.getLogger("avclips.sidecars")


def write_sidecars(
    clip: Clip,
    url: str | None,
    streams: Streams,
    read: Callable[[Stream], bytes],
    settings: Settings,
    store: Store,
) -> dict[str, Any]:
    """Write what the settings ask for beside a clip; returns what the manifest is to say of it.

    Subtitles that cannot be had are no reason to go without the clip: only a refusal (Blocked) leaves here.
    """
    facts: dict[str, Any] = {}
    if settings.info:
        path = _place(store, "info", clip, "json")
        write_json(path, {"id": clip.id, "url": url, **streams.about})
        facts["info"] = path.relative_to(store.folder).as_posix()
    if settings.subtitles:
        found = {language: streams.subtitles.get(language) for language in settings.subtitles}
        facts["subtitles"] = {
            language: _write_subtitles(clip, language, stream, read, store) if stream else None
            for language, stream in found.items()
        }
    return facts


def _write_subtitles(
    clip: Clip, language: str, stream: Stream, read: Callable[[Stream], bytes], store: Store
) -> str | None:
    """Write one language; its file beneath the folder, None where nothing is said within the clip."""
    try:
        text = cut_vtt(read(stream).decode("utf-8", "replace"), clip.start, clip.end)
    except Blocked:
        raise
    except (ClipError, ValueError) as error:
        log.warning("%s has no subtitles in %s: %s", clip.id, language, error)
        return None
    if not text:
        return None
    path = _place(store, "subtitles", clip, f"{language}.vtt")
    with whole(path) as file:
        file.write(text)
    return path.relative_to(store.folder).as_posix()


def _place(store: Store, kind: str, clip: Clip, ending: str) -> Path:
    path = store.folder / kind / clip.folder / f"{clip.id}.{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path

"""What is kept beside a clip: info/ID.json and subtitles/ID.LANG.vtt."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..containers.webvtt import cut_vtt
from ..core.clock import Clock
from ..core.errors import Blocked, ClipError, Transient
from ..core.files import move_whole, whole, write_json
from ..core.model import Clip
from ..core.redact import without_passwords
from ..core.settings import Settings
from ..sources.streams import Stream, Streams
from ..state.store import Store

log = logging.getLogger("avclips.fetch.sidecars")

# Seconds for which captions are left alone when they were refused.
REFUSED_FOR = 600.0


class Reads(Protocol):
    """What is needed of a Reading: a folder for unfinished files, and small files of the video."""

    folder: Path
    streams: Streams

    def subtitles(self, stream: Stream, clip: Clip) -> str: ...


@dataclass
class Beside:
    """What is to be kept beside a clip: whole files with their places, and what the manifest says of them."""

    folder: Path
    facts: dict[str, Any] = field(default_factory=dict)
    files: list[tuple[Path, str]] = field(default_factory=list)

    def add(self, file: Path, name: str) -> str:
        """Keep ``file`` as ``name`` beneath the data folder; returns the name."""
        self.files.append((file, name))
        return name

    def publish(self) -> None:
        """Move the files to their places."""
        for file, name in self.files:
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            move_whole(file, target)


class Sidecars:
    """Makes what the settings ask for beside the clips of one worker."""

    def __init__(self, settings: Settings, clock: Clock, store: Store) -> None:
        self._settings = settings
        self._clock = clock
        self._store = store
        # Captions have a limit of their own: refused, they are not asked for until then.
        self._refused_until = 0.0

    def make(self, clip: Clip, url: str | None, reading: Reads) -> Beside:
        """Write them into the reading's folder. Subtitles that fail are no reason to fail the clip."""
        beside = Beside(self._store.folder)
        facts = beside.facts
        if self._settings.info:
            file = reading.folder / "info.json"
            write_json(file, without_passwords({"id": clip.id, "url": url, **reading.streams.about}))
            facts["info"] = beside.add(file, _name("info", clip, "json"))
        if self._settings.subtitles:
            facts["subtitles"], errors = {}, {}
            for language in self._settings.subtitles:
                try:
                    text = self._subtitles(clip, language, reading)
                    name = _name("subtitles", clip, f"{language}.vtt")
                    facts["subtitles"][language] = beside.add(text, name) if text else None
                except (ClipError, ValueError) as error:
                    log.warning("%s has no subtitles in %s: %s", clip.id, language, error)
                    facts["subtitles"][language], errors[language] = None, str(error)
            if errors:
                facts["subtitles_error"] = errors
            if None in facts["subtitles"].values():
                facts["subtitles_seen"] = list(reading.streams.languages)
        return beside

    def _subtitles(self, clip: Clip, language: str, reading: Reads) -> Path | None:
        """Write one language; None where there is none or nothing is said."""
        stream = reading.streams.subtitles.get(language)
        if stream is None:
            return None
        if self._clock.now() < self._refused_until:
            raise Transient("too_many_requests", "not asked for: captions were refused a moment ago")
        try:
            text = cut_vtt(reading.subtitles(stream, clip), clip.start, clip.end)
        except Blocked as error:
            self._refused_until = self._clock.now() + max(error.retry_after or 0.0, REFUSED_FOR)
            raise
        if not text:
            return None
        file = reading.folder / f"{language}.vtt"
        with whole(file) as stream_to:
            stream_to.write(text)
        return file


def _name(kind: str, clip: Clip, ending: str) -> str:
    return (Path(kind) / clip.folder / f"{clip.id}.{ending}").as_posix()

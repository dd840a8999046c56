"""One source that is looked at: its index, files, thumbnails, marks; built in a thread while the page is there."""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..catalog.sample import Place, Sample
from ..core.errors import REASONS, AvclipsError, RunError
from ..media.ffmpeg import Ffmpeg
from . import index, query
from .live import Live
from .marks import FILE, Marks
from .media import Blob, Files, NotServed, is_folder
from .thumbnails import Thumbnails

log = logging.getLogger(__name__)

# Seconds between two looks at a folder that may change.
LOOK_EVERY = 5.0

Read = Callable[[], tuple[Iterable[Sample], index.Questions, Mapping[str, float]]]


def no_view() -> Any:
    """Of a source that nobody curated."""
    raise RunError("the clips have no features: avclips curate features makes them")


class Session:
    """What the page's requests are answered from. Safe for threads."""

    def __init__(
        self,
        source: str,
        cache: Path,
        read: Read,
        ffmpeg: Ffmpeg,
        again: str = "",
        view: Callable[[], Any] = no_view,
        layout: Any = None,
    ) -> None:
        """``read()`` gives samples, questions and scores as they are now; ``again``: what asks for clips anew.

        ``view()`` gives the map of a curated folder (curate.view.View), or raises RunError. ``layout``:
        where the map's points lie (curate.map_layout.MapLayout); None: as the view has them.
        """
        self.source = source
        self.local = is_folder(source)
        self._read = read
        self._again = again
        self._make_view = view
        self._view: Any = None
        self._layout = layout
        self._viewing = threading.Lock()
        self._path = cache / "index.sqlite"
        self._own = threading.local()
        self.files = Files(source)
        self.thumbnails = Thumbnails(self.files, cache / "thumbnails", ffmpeg)
        self.marks = Marks((Path(source) if self.local else cache) / FILE)
        self.live = Live(Path(source)) if self.local else None
        self.state: dict[str, Any] = {"building": False, "seen": 0, "error": "", "version": 0}
        self._building = threading.Lock()
        self._stop = threading.Event()
        index.open_index(self._path, write=True).close()

    def database(self) -> sqlite3.Connection:
        """This thread's connection to the index."""
        found: sqlite3.Connection | None = getattr(self._own, "database", None)
        if found is None:
            found = self._own.database = index.open_index(self._path)
        return found

    def build(self) -> None:
        """Make the index say what is there now; an error is kept, to be shown on the page."""
        with self._building:
            self.state.update(building=True, seen=0)
            database = index.open_index(self._path, write=True)
            try:
                samples, questions, scores = self._read()
                written = index.build(database, samples, questions, scores, lambda n: self.state.update(seen=n))
                self.state.update(error="", version=self.state["version"] + (written > 0))
                with self._viewing:
                    # Of other features, perhaps.
                    self._view = None
            except (AvclipsError, OSError, sqlite3.Error) as error:
                log.warning("the index could not be made: %s", error)
                self.state["error"] = str(error)
            finally:
                database.close()
                self.state["building"] = False

    def keep_up(self, changed: Callable[[], object]) -> None:
        """Build, and build again whenever ``changed()`` gives something else, until ``stop``."""
        last: object = None
        while not self._stop.is_set():
            now = changed()
            if now != last:
                # What changes while it is read is read again.
                last = now
                started = time.monotonic()
                self.build()
                # A run writes all along: looking must not take more than a tenth of the time.
                self._stop.wait(10 * (time.monotonic() - started))
            self._stop.wait(LOOK_EVERY)

    def stop(self) -> None:
        """End ``keep_up``."""
        self._stop.set()

    def _known(self, number: int) -> dict[str, Any]:
        """A clip, as the index has it. NotServed where there is none of this number."""
        found = query.clip(self.database(), number)
        if found is None:
            raise NotServed("there is no such clip")
        return found

    def clip(self, number: int) -> dict[str, Any]:
        """All that is known of a clip. NotServed where there is none of this number."""
        found = self._known(number)
        found["mark"] = self.marks.of(found["id"])
        if found["status"] == "failed":
            found["reason_words"] = REASONS.get(found["reason"], found["reason"])
            found["again"] = self._again and f"{self._again} --retry-failed {found['reason']}"
        try:
            view = self.view()
        except RunError:
            return found
        database = self.database()
        near = [(query.number_of(database, each), each) for each in view.near(found["id"])]
        found["near"] = [{"n": n, "id": each} for n, each in near if n is not None]
        found["clusters"] = view.clusters_of(found["id"])
        if (chosen := view.selected.get(found["id"])) is not None:
            found["selected"] = {"rank": chosen[0], "gain": chosen[1]}
        return found

    def view(self) -> Any:
        """The map, read when it is first asked for. RunError where there is none."""
        with self._viewing:
            if self._view is None:
                self._view = self._make_view()
            return self._view

    def laid_out(self, view: Any) -> tuple[Any, str]:
        """(clips, 2) points of the map, and by which projection."""
        return (view.points, "pca") if self._layout is None else self._layout.of(view)

    @property
    def laying_out(self) -> bool:
        """Whether a better layout of the map is being computed."""
        return self._layout is not None and self._layout.making

    def blob(self, number: int, kind: str) -> Blob:
        """The bytes of one of a clip's files. NotServed."""
        return self.files.blob(_place(self._known(number), kind), kind)

    def made_thumbnail(self, number: int) -> Path | None:
        """The clip's small picture, where it was made already. NotServed: it cannot be made."""
        return self.thumbnails.made(self._thumbnail_of(number)[0])

    def thumbnail(self, number: int) -> Path:
        """The clip's small picture. NotServed."""
        name, clip = self._thumbnail_of(number)
        files = {kind: _place(clip, kind) for kind in clip["files"]}
        return self.thumbnails.path(name, files, index_seconds(clip))

    def _thumbnail_of(self, number: int) -> tuple[str, dict[str, Any]]:
        """What the picture of a clip is called, and the clip, as the index has it. NotServed."""
        clip = self._known(number)
        of = json.dumps([clip["id"], clip["files"], clip["facts"].get("sha256")], sort_keys=True)
        return hashlib.sha256(of.encode()).hexdigest()[:24], clip


def index_seconds(clip: Mapping[str, Any]) -> float | None:
    """How long a clip is, as far as anybody knows."""
    seconds = clip["facts"].get("duration")
    if isinstance(seconds, int | float):
        return float(seconds)
    return None if clip["end"] is None else clip["end"] - clip["start"]


def _place(clip: Mapping[str, Any], kind: str) -> Place:
    said = clip["files"].get(kind)
    if said is None:
        raise NotServed(f"the clip has no {kind}")
    return Place(**said)

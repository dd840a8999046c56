"""One data folder: what is done, what failed, and the JSON that people read.

The files are the truth: a clip is done when its files stand under their final names, and they get there only
by a rename after their check. The two JSON files are rebuilt from the manifest and the folder at each start.
Never touches the network and never looks into media.

Workers call ``has_unknown_files``, ``paths``, ``scratch``, ``publish`` and ``set_aside``; the rest belongs to the
main thread.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..core.clock import Clock
from ..core.errors import RunError, Stopped, UsageError
from ..core.files import (
    as_json,
    as_run_error,
    create_whole,
    has_space,
    is_full,
    move_whole,
    read_json,
    server_time,
    sync_folder,
)
from ..core.model import Clip, Outcome
from ..core.redact import as_option
from ..core.settings import Settings
from ..core.symlinks import see_no_links
from .first_settings import FOLDER, before_of
from .lock import FolderLock
from .manifest import (
    Done,
    Line,
    Manifest,
    done_of,
    failed_of,
    finished,
    forgotten,
    last_lines,
    line_of,
    replay,
    turn_of,
)
from .manifest_line import MOST_TURNS
from .partition import is_in, named, siblings, suffix_of
from .progress_files import MANIFEST, Snapshot, listings

log = logging.getLogger("avclips.state.store")

# The settings that shape files: one folder holds clips of one kind.
SHAPE = ("media", "quality", "cut", "video_format", "audio_format", "audio_rate", "audio_channels", "flat")
# Those of them that came later: they are spoken of where they are asked for.
SHAPE_ALSO = ("fps", "size", "fit", "encode")
# What a folder has that was made before there was a choice.
_ONCE = {"media": "both", "video_format": "mp4", "audio_format": "wav", "flat": False}
# Those that say nothing where there are no pictures.
OF_PICTURES = ("quality", "cut", "video_format", *SHAPE_ALSO)
# The JSON is rewritten whole; it may cost this part of the time.
SNAPSHOT_SHARE = 0.02
# Bytes that a trial writes to see whether there is room again: about a clip.
ROOM = 4 * 1024 * 1024
# Seconds until they are tried again when there was no room for them.
FULL_WAIT = 10.0
# Seconds until a file that a person broke is looked at again.
UNREADABLE_WAIT = 5.0
# Failures that other cookies may mend.
_FOR_OTHER_COOKIES = ("age", "members", "login")


def shape_of(settings: Settings) -> dict[str, Any]:
    """The settings that shape files, as folders and manifests note them."""
    also = {name: value for name in SHAPE_ALSO if (value := getattr(settings, name)) is not None}
    if also.get("encode") == "all":
        # As it was before there was a choice.
        del also["encode"]
    return {name: getattr(settings, name) for name in SHAPE} | also


def in_full(shape: Mapping[str, Any]) -> dict[str, Any]:
    """A shape as it was noted, with what went without saying then."""
    said = {**_ONCE, **{name: value for name, value in shape.items() if value is not None}}
    return {name: value for name, value in said.items() if said["media"] != "audio" or name not in OF_PICTURES}


class Store:
    """One data folder, held by one run.

    ``done`` and ``failed``: clip id -> its last manifest line; an id is in at most one of them.
    """

    def __init__(
        self,
        settings: Settings,
        dataset: str,
        clock: Clock,
        whose: frozenset[str] = frozenset({"guest"}),
        audio: str = "audio",
    ) -> None:
        """A folder that nobody holds yet.

        ``dataset``: the name of what it holds; ``whose``: the identities that ask (youtube.who); ``audio``: what
        the folder of sounds is called in it.
        """
        self.folder = settings.data_dir
        self.metadata = self.folder / "metadata"
        self.videos = self.folder / "videos"
        self.audio = self.folder / audio
        self.done: dict[str, Done] = {}
        self.failed: dict[str, Line] = {}
        self._settings = settings
        self._dataset = dataset
        self._whose = whose
        self._manifest_path = self.folder / MANIFEST
        self._manifest = Manifest(named(self._manifest_path, settings.part))
        self._snapshot = Snapshot(self.folder, settings.part)
        self._lock = FolderLock(self.folder, clock, settings.part)
        owner = f"{socket.gethostname()}-{os.getpid()}{suffix_of(settings.part)}"
        self._scratch = self.folder / ".tmp" / owner
        # Ids whose files a manifest line once knew: what stands under their names is ours.
        self._known: set[str] = set()
        # Of clips that are neither done nor failed, how often their manifest spoke of them.
        self._turns: dict[str, int] = {}
        # By folder, as far as one was looked into, the names of files that no manifest line knows.
        self._strange: dict[str, set[str]] = {}
        # How many clips there are to be, and which ones: kept of a shard alone, whose share has to be told.
        self._total = 0
        # How many were done at the start that the list does not name.
        self._others = 0
        self._wanted: set[str] = set()
        # Of failed clips, whose they are: their share does not depend on what is asked for now.
        self._video_of: dict[str, str] = {}
        # Bytes of every manifest as they were read.
        self._read: dict[str, int] = {}
        self._next_snapshot = 0.0
        self._dirty = True
        # Whether another run has taken the folder over.
        self.lost = False

    # -- opening and closing -------------------------------------------------------------------------------

    def open(self) -> None:
        """Take the folder: make it, lock it, see that it is ours, read its manifest. RunError, UsageError."""
        try:
            self._make_folders()
            self._lock.acquire()
            self._claim()
            self._clear_leftovers()
            self.read()
            self._manifest.open()
        except OSError as error:
            self.close()
            raise as_run_error(error, self.folder) from error
        except (RunError, Stopped):
            self.close()
            raise

    def close(self) -> None:
        """Let the folder go."""
        self._manifest.close()
        if self._lock.held:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._lock.release()

    def check_lock(self) -> None:
        """RunError if another run took the folder over; nothing is written into it any more."""
        try:
            self._lock.check()
        except RunError:
            self.lost = True
            raise

    def has_space(self) -> bool:
        """Whether a write finds room now."""
        if self.folder.is_dir():
            with suppress(OSError):
                self._scratch.mkdir(parents=True, exist_ok=True)
        return has_space(self._scratch, ROOM)

    @property
    def done_of_list(self) -> int:
        """How many clips are done of those that were expected, as far as the list was gone through."""
        return len(self.done) - self._others

    def finished(self) -> dict[str, Line]:
        """The manifest's whole line of each clip that is done."""
        lines = finished(siblings(self._manifest_path).values())
        return {clip_id: lines[clip_id] for clip_id in self.done if clip_id in lines}

    def done_lines(self) -> Iterator[Line]:
        """The manifest's line of each clip that is done, one after the other as they are read."""
        for line in last_lines(siblings(self._manifest_path).values()):
            if line["status"] == "done" and line["id"] in self.done:
                yield line

    def file_of(self, clip_id: str) -> str | None:
        """The sound of a clip that is done, or else its picture, beneath the folder; None where it is not."""
        done = self.done.get(clip_id)
        if done is None:
            return None
        root, ending = (self.audio, done.audio) if done.audio else (self.videos, done.video)
        return (root / done.folder / f"{clip_id}{ending}").relative_to(self.folder).as_posix()

    def knew(self, clip_id: str) -> bool:
        """Whether a clip was done once, and its files, or some of them, are no longer there."""
        return clip_id in self._known

    def video_of(self, clip_id: str) -> str | None:
        """The video that a failed clip was of; None where that is not known."""
        return self._video_of.get(clip_id)

    def user(self) -> str | None:
        """Who uses the folder now, in words; None when nobody does."""
        return self._lock.user()

    @property
    def spill(self) -> Path:
        """A folder for what has no other place before it is asked for; it ends with the run."""
        return self._scratch / "spill"

    def _make_folders(self) -> None:
        if self.folder.exists() and not self.folder.is_dir():
            raise UsageError(f"{self.folder} is not a folder", "name another with --data-dir")
        see_no_links(self.folder)
        pictures = [self.videos] if self._settings.media == "both" else []
        for folder in (self.metadata, *pictures, self.audio, self.folder / "features"):
            folder.mkdir(parents=True, exist_ok=True)

    def see_that_it_is_ours(self, shape_too: bool = True) -> None:
        """One folder holds one dataset in one shape of files; UsageError otherwise."""
        path = self.metadata / FOLDER
        shape = shape_of(self._settings)
        if not path.exists():
            return
        known = read_json(path, "restore it from a backup, or delete it if you know what this folder holds")
        if not isinstance(known, dict) or not isinstance(known.get("settings"), dict):
            raise RunError(f"{path} holds no settings", "delete it if you know what this folder holds")
        if known.get("dataset") != self._dataset:
            message = f"{self.folder} holds {known.get('dataset')}, not {self._dataset}"
            raise UsageError(message, "name another folder with --data-dir")
        kind = known.get("output_format", "files")
        if kind != self._settings.output_format:
            # Files that are packed are taken away: nobody should lose single ones to a word.
            message = f"{self.folder} was made with --output-format {kind}"
            raise UsageError(message, "use the same, or another --data-dir")
        before = _ONCE | known["settings"]
        blind = before["media"] == shape["media"] == "audio"
        names = [name for name in (*SHAPE, *SHAPE_ALSO) if not (blind and name in OF_PICTURES)]
        other = [name for name in names if before.get(name) != shape.get(name)]
        others = [as_option(name, before.get(name)) for name in other if name != "encode"]
        if "encode" in other and not others:
            others = [as_option("encode", before_of(before))]
        if others and shape_too and not self._settings.allow_mixed:
            message = f"{self.folder} was made with {', '.join(others)}"
            raise UsageError(message, "use the same, another --data-dir, or --allow-mixed")

    def _claim(self) -> None:
        """Note what the folder holds from now on; of two runs that come to a new one, the first says it."""
        shape = shape_of(self._settings)
        format = self._settings.output_format
        kind = {} if format == "files" else {"output_format": format}
        said = as_json({"dataset": self._dataset, **kind, "settings": shape})
        path = self.metadata / FOLDER
        if path.exists() or not create_whole(path, said.encode()):
            self.see_that_it_is_ours()

    def _clear_leftovers(self) -> None:
        """The lock is ours: whatever dead runs left lying, on whichever host, is nobody's."""
        alive = tuple(suffix_of(shard) for shard in self._lock.neighbours())
        self._scratch.mkdir(parents=True, exist_ok=True)
        now = server_time(self._scratch)
        for left in self._scratch.parent.glob("*"):
            if left == self._scratch or (alive and left.name.endswith(alive)):
                continue
            if self._settings.part and _is_young(left, now):
                continue
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
        if not alive and self._settings.part is None:
            for folder in (self.folder, self.metadata):
                for left in (*folder.glob(".*.tmp"), *folder.glob(".*.part")):
                    left.unlink(missing_ok=True)

    # -- what stands in the folder -------------------------------------------------------------------------

    def read(self) -> None:
        """Rebuild ``done`` and ``failed`` from the manifest, the folder and what a user took out of the JSON."""
        told = replay(siblings(self._manifest_path).values())
        self.done, self.failed, self._read = told.done, told.failed, told.sizes
        self._turns = {clip_id: turn for clip_id, (turn, _) in told.let_go.items()}
        self._video_of = {clip_id: place.video for clip_id, place in told.places.items()}
        for listed in listings(self.folder):
            for clip_id, place in told.places.items():
                if listed.misses(clip_id, place) and (line := self.failed.pop(clip_id, None)):
                    self._turns[clip_id] = turn_of(line)
        self._look_at_files()
        self._snapshot.begin(frozenset(self._ours(self.failed)))

    def _look_at_files(self) -> None:
        """Take out of ``done`` what does not stand there, and note what stands there unknown."""
        known: dict[str, list[str]] = {}
        for clip_id, done in self.done.items():
            known.setdefault(done.folder, []).append(clip_id)
        self._strange.clear()
        for folder, clip_ids in {"": [], **known}.items():
            # What is packed is read, sent elsewhere and removed: nobody's link is taken for a file of ours.
            links = self._settings.output_format == "files"
            videos, sounds = _names(self.videos / folder, links), _names(self.audio / folder, links)
            for clip_id in clip_ids:
                done = self.done[clip_id]
                video, sound = clip_id + done.video, clip_id + done.audio
                if (done.video and video not in videos) or (done.audio and sound not in sounds):
                    self._known.add(clip_id)
                    del self.done[clip_id]
                    self._turns[clip_id] = done.turn
                videos.discard(video)
                sounds.discard(sound)
            self._strange[folder] = videos | sounds

    def expect(self, clips: Iterable[Clip]) -> Iterator[Clip]:
        """Go once through all clips that the folder is to hold, before any is tried; yields them as they come."""
        listed = done = 0
        self._wanted.clear()
        for clip in clips:
            listed += 1
            done += clip.id in self.done
            if self._settings.part is not None:
                self._wanted.add(clip.id)
            yield clip
        self._others = len(self.done) - done
        self._total = listed + self._others
        self._snapshot.expect(frozenset(self._ours(self.failed)))

    def pending(self, clips: Iterable[Clip]) -> list[Clip]:
        """The clips that are to be tried, in their order."""
        return [clip for clip in self.expect(clips) if self.may_come(clip)]

    def may_come(self, clip: Clip) -> bool:
        """Whether the clip is not done, and may be had by another try."""
        return clip.id not in self.done and self._may_come(clip.id)

    def _may_come(self, clip_id: str) -> bool:
        line = self.failed.get(clip_id)
        if line is None or not line["permanent"]:
            return True
        asked = self._settings.retry_failed
        if asked is not None and (not asked or line["reason"] in asked):
            return True
        if line["reason"] == "not_archived" and (self._settings.archives or self._settings.id_map):
            # There is another place to look for it.
            return True
        if line["reason"] == "no_audio" and self._settings.allow_silent:
            return True
        # Restricted: other cookies are another person.
        return line["reason"] in _FOR_OTHER_COOKIES and bool(self._whose.difference(line.get("identities", ())))

    def has_unknown_files(self, clip: Clip) -> bool:
        """Whether files stand under the clip's names that no manifest line knows."""
        if clip.id in self.done or clip.id in self._known:
            return False
        return any(path.exists() for path in self._asked_for(clip))

    def had_unknown_files(self, clip: Clip) -> bool:
        """The same, as the folder was when it was read: for a whole list, without a look at each file."""
        if clip.id in self.done or clip.id in self._known:
            return False
        if (strange := self._strange.get(clip.folder)) is None:
            strange = _names(self.videos / clip.folder) | _names(self.audio / clip.folder)
            self._strange[clip.folder] = strange
        return bool(strange) and not strange.isdisjoint(path.name for path in self._asked_for(clip))

    def _asked_for(self, clip: Clip) -> tuple[Path, ...]:
        paths = self.paths(clip.id, clip.folder)
        return paths if self._settings.media == "both" else paths[1:]

    def paths(self, clip_id: str, folder: str = "") -> tuple[Path, Path]:
        """The final names of a clip's picture and sound."""
        video, audio = self._settings.video_format, self._settings.audio_format
        return self.videos / folder / f"{clip_id}.{video}", self.audio / folder / f"{clip_id}.{audio}"

    # -- workers -------------------------------------------------------------------------------------------

    @contextmanager
    def scratch(self, clip: Clip) -> Iterator[Path]:
        """An empty folder for unfinished files, on the same file system as their final names."""
        self._see_that_it_is_there()
        folder = self._scratch / clip.id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, clip: Clip, video: Path | None, sound: Path | None) -> None:
        """Give checked files their final names: the sound first, so that a picture never stands alone."""
        self._see_that_it_is_there()
        video_to, sound_to = self.paths(clip.id, clip.folder)
        for path, target in ((sound, sound_to), (video, video_to)):
            if path is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                move_whole(path, target)

    def _see_that_it_is_there(self) -> None:
        """RunError where the folder is gone: what were made in its place would lack its manifest."""
        if not self.folder.is_dir():
            hint = "was it moved, or its disk taken away? The same command goes on where it is now"
            raise RunError(f"{self.folder} is no longer there", hint)

    def set_aside(self, clip_id: str, folder: str = "") -> list[Path]:
        """Move a clip's files out of the way, never deleting them; return where they are now.

        ``folder``: where they lie, of a clip that is not done.
        """
        aside = self.folder / "set_aside"
        aside.mkdir(exist_ok=True)
        moved = []
        done = self.done.get(clip_id)
        ours: list[Path] = []
        if done:
            folder = done.folder
            ours = [self.videos / folder / (clip_id + done.video), self.audio / folder / (clip_id + done.audio)]
        for path in dict.fromkeys([*(path for path in ours if path.suffix), *self.paths(clip_id, folder)]):
            if path.is_file():
                target, number = aside / path.name, 1
                while target.exists():
                    target, number = aside / f"{path.stem}.{number}{path.suffix}", number + 1
                os.replace(path, target)
                moved.append(target)
        sync_folder(aside)
        return moved

    # -- the main thread -----------------------------------------------------------------------------------

    def record(self, outcome: Outcome) -> None:
        """Write one outcome into the manifest."""
        clip_id = outcome.clip.id
        line = line_of(outcome, self._next_turn(clip_id))
        if not outcome.asked and outcome.status != "done" and self._says_nothing_new(line):
            return
        if "identities" in line:
            # Whoever was refused before was refused too.
            before = self.failed.get(clip_id, {}).get("identities", [])
            line["identities"] = sorted({*before, *line["identities"]})
        self._append(line)
        self._drop(clip_id)
        if outcome.status == "done":
            self.done[clip_id] = done_of(line)
        else:
            self.failed[clip_id] = failed_of(line)

    def _says_nothing_new(self, line: Line) -> bool:
        """Whether that a clip is not on this machine was known, or is less than what a site said of it."""
        before = self.failed.get(line["id"])
        if before is None:
            return False
        same = all(line[name] == before.get(name) for name in ("reason", "permanent", "error"))
        return same or (before["permanent"] and before["reason"] not in ("not_archived", "archive"))

    def forget(self, clip_id: str) -> None:
        """Have the clip neither done nor failed: its files were set aside, or a user let it go."""
        turn = self._next_turn(clip_id)
        self._append(forgotten(clip_id, turn))
        self._drop(clip_id)
        self._turns[clip_id] = turn

    def _next_turn(self, clip_id: str) -> int:
        """Of the next line about a clip: it counts more than any that this run has read."""
        if (done := self.done.get(clip_id)) is not None:
            turn = done.turn
        elif (failed := self.failed.get(clip_id)) is not None:
            turn = turn_of(failed)
        else:
            turn = self._turns.get(clip_id, 0)
        return min(turn + 1, MOST_TURNS)

    def _drop(self, clip_id: str) -> None:
        self.done.pop(clip_id, None)
        self.failed.pop(clip_id, None)
        self._turns.pop(clip_id, None)
        self._dirty = True

    def _append(self, line: Line) -> None:
        if self.lost:
            return
        try:
            self._manifest.append(line)
        except OSError as error:
            if not is_full(error):
                raise as_run_error(error, self.folder) from error
            # Kept in memory until there is room; the files themselves stand.
            log.warning("no room for a line of the manifest: it is kept")

    def snapshot(self, force: bool = False) -> list[str]:
        """Rewrite the two JSON files when it is time; return the ids that a user took out of the failed ones."""
        started = time.monotonic()
        if self.lost or (not force and (not self._dirty or started < self._next_snapshot)):
            return []
        taken_out = self._snapshot.taken_out(patient=force)
        if taken_out is None:
            # A person's work is not overwritten: what it held before counts until it can be read.
            self._next_snapshot = started + UNREADABLE_WAIT
            return []
        let_go = [clip_id for clip_id in taken_out if clip_id in self.failed]
        for clip_id in let_go:
            self.forget(clip_id)
        try:
            self._manifest.sync()
            failed = {clip_id: self.failed[clip_id] for clip_id in self._ours(self.failed)}
            done = list(self._ours(self.done))
            known = {**self._read, self._manifest.path.name: self._manifest.size}
            total = self._total if self._settings.part is None else len(self._wanted.union(done))
            self._snapshot.write(done, failed, total, known)
        except OSError as error:
            if not is_full(error):
                raise as_run_error(error, self.folder) from error
            log.warning("no room for the JSON files: they are written later")
            self._next_snapshot = time.monotonic() + FULL_WAIT
            return let_go
        self._dirty = False
        self._next_snapshot = time.monotonic() + (time.monotonic() - started) / SNAPSHOT_SHARE
        return let_go

    def _ours(self, clip_ids: Iterable[str]) -> Iterable[str]:
        """Those of our share: each shard has its own JSON."""
        shard = self._settings.part
        if shard is None:
            return clip_ids
        videos = self._video_of
        return (
            each for each in clip_ids if each in self._wanted or (each in videos and is_in(shard, videos[each]))
        )


def _is_young(path: Path, now: float) -> bool:
    """Whether a leftover may be that of a shard which is just beginning; ``now``: by the same server."""
    with suppress(OSError):
        return now - path.lstat().st_mtime < 3600
    return True


def _names(folder: Path, links: bool = True) -> set[str]:
    """The names of the files in a folder; a folder, or a link to nothing, is no file. ``links``: they count."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if (links or not entry.is_symlink()) and _is_file(entry)}
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        # A link in a circle, say.
        return False

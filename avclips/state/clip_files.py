"""The files of the clips in a data folder: what they are called, how they get there, what stands there unknown.

A file gets its final name only by a rename after its check. Knows names and folders: what is done and what failed
is the store's to say. Workers share one ClipFiles.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from operator import attrgetter
from pathlib import Path

from ..core.errors import RunError
from ..core.files import has_space, move_whole, server_time, sync_folder
from ..core.model import Clip
from ..core.settings import Settings
from .manifest import Done

# Bytes that a trial writes to see whether there is room again: about a clip.
ROOM = 4 * 1024 * 1024
_video_of, _audio_of, _frame_of = attrgetter("video"), attrgetter("audio"), attrgetter("frame")
# How the names of frames end.
FRAME = ".jpg"
# Seconds for which what another partition's run began may be taken for work that goes on.
_YOUNG = 3600


class ClipFiles:
    """The files of one folder's clips, and the folder in which unfinished ones lie."""

    def __init__(self, settings: Settings, audio: str, unfinished: Path) -> None:
        """``audio``: what the folder of sounds is called; ``unfinished``: this run's, for unfinished files."""
        self.folder = settings.data_dir
        self.videos = self.folder / "videos"
        self.audio = self.folder / audio
        self.frames = self.folder / "frames"
        self.unfinished = unfinished
        self._settings = settings
        # By folder, as far as one was looked into, the names of files that no manifest line knows.
        self._unknown: dict[str, set[str]] = {}

    def paths(self, clip_id: str, folder: str = "") -> tuple[Path, Path]:
        """The final names of a clip's picture and sound."""
        video, audio = self._settings.video_format, self._settings.audio_format
        return self.videos / folder / f"{clip_id}.{video}", self.audio / folder / f"{clip_id}.{audio}"

    def frame(self, clip_id: str, folder: str = "") -> Path:
        """The final name of a clip's frame."""
        return self.frames / folder / f"{clip_id}{FRAME}"

    def _due(self, clip: Clip) -> tuple[Path, ...]:
        paths = self.paths(clip.id, clip.folder)
        return paths if self._settings.media == "both" else paths[1:]

    # -- what stands in the folder -------------------------------------------------------------------------

    def look(self, done: Mapping[str, Done]) -> set[str]:
        """Note what stands there that no line knows; return the clips whose files, or some of them, do not."""
        self._unknown = {}
        lost: set[str] = set()
        for root, ending_of in ((self.videos, _video_of), (self.audio, _audio_of), (self.frames, _frame_of)):
            # By folder and by ending, the clips of whose files none was seen yet.
            due: dict[str, dict[str, set[str]]] = {"": {}}
            for clip_id, each in done.items():
                due.setdefault(each.folder, {}).setdefault(ending_of(each), set()).add(clip_id)
            for folder, unseen in due.items():
                unknown = self._unknown.setdefault(folder, set())
                unseen.pop("", None)
                for name in self._names(root / folder):
                    dot = name.rfind(".")
                    clips = unseen.get(name[dot:])
                    if clips and name[:dot] in clips:
                        clips.remove(name[:dot])
                    else:
                        unknown.add(name)
                lost.update(*unseen.values())
        return lost

    def _names(self, folder: Path) -> Iterator[str]:
        # What is packed is read, sent elsewhere and removed: nobody's link is taken for a file of ours.
        return _names(folder, links=self._settings.output_format == "files")

    def has_files(self, clip: Clip) -> bool:
        """Whether a file stands under one of the clip's names now."""
        return any(path.exists() for path in self._due(clip))

    def had_unknown(self, clip: Clip) -> bool:
        """Whether files stood under the clip's names that no line knew, when the folder was looked at."""
        if (unknown := self._unknown.get(clip.folder)) is None:
            unknown = {*_names(self.videos / clip.folder), *_names(self.audio / clip.folder)}
            self._unknown[clip.folder] = unknown
        return bool(unknown) and not unknown.isdisjoint(path.name for path in self._due(clip))

    # -- how files come and go -----------------------------------------------------------------------------

    def has_space(self) -> bool:
        """Whether a write finds room now."""
        if self.folder.is_dir():
            with suppress(OSError):
                self.unfinished.mkdir(parents=True, exist_ok=True)
        return has_space(self.unfinished, ROOM)

    @contextmanager
    def scratch(self, clip: Clip) -> Iterator[Path]:
        """An empty folder for unfinished files, on the same file system as their final names."""
        self._see_that_it_is_there()
        folder = self.unfinished / clip.id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, clip: Clip, video: Path | None, sound: Path | None, frame: Path | None = None) -> None:
        """Give checked files their final names: the picture last, so that it never stands alone."""
        self._see_that_it_is_there()
        video_to, sound_to = self.paths(clip.id, clip.folder)
        frame_to = self.frame(clip.id, clip.folder)
        for path, target in ((sound, sound_to), (frame, frame_to), (video, video_to)):
            if path is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                move_whole(path, target)

    def _see_that_it_is_there(self) -> None:
        """RunError where the folder is gone: what were made in its place would lack its manifest."""
        if not self.folder.is_dir():
            hint = "was it moved, or its disk taken away? The same command goes on where it is now"
            raise RunError(f"{self.folder} is no longer there", hint)

    def set_aside(self, clip_id: str, folder: str, done: Done | None) -> list[Path]:
        """Move a clip's files out of the way, never deleting them; return where they are now.

        ``folder``: where they lie, of a clip that is not done.
        """
        aside = self.folder / "set_aside"
        aside.mkdir(exist_ok=True)
        moved = []
        ours: list[Path] = []
        if done:
            folder = done.folder
            ours = [self.videos / folder / (clip_id + done.video), self.audio / folder / (clip_id + done.audio)]
        usual = *self.paths(clip_id, folder), self.frame(clip_id, folder)
        for path in dict.fromkeys([*(path for path in ours if path.suffix), *usual]):
            if path.is_file():
                target, number = aside / path.name, 1
                while target.exists():
                    target, number = aside / f"{path.stem}.{number}{path.suffix}", number + 1
                os.replace(path, target)
                moved.append(target)
        sync_folder(aside)
        return moved

    def clear_leftovers(self, alive: tuple[str, ...]) -> None:
        """Remove what dead runs left unfinished, on whichever host; ``alive``: how names of living ones end."""
        self.unfinished.mkdir(parents=True, exist_ok=True)
        now = server_time(self.unfinished)
        for left in self.unfinished.parent.glob("*"):
            if left == self.unfinished or (alive and left.name.endswith(alive)):
                continue
            if self._settings.part and _is_young(left, now):
                continue
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
        if not alive and self._settings.part is None:
            for folder in (self.folder, self.folder / "metadata"):
                for left in (*folder.glob(".*.tmp"), *folder.glob(".*.part")):
                    left.unlink(missing_ok=True)


def _is_young(path: Path, now: float) -> bool:
    """Whether a leftover may be that of a partition which is just beginning; ``now``: by the same server."""
    with suppress(OSError):
        return now - path.lstat().st_mtime < _YOUNG
    return True


def _names(folder: Path, links: bool = True) -> Iterator[str]:
    """The names of the files in a folder; a folder, or a link to nothing, is no file. ``links``: they count.

    One after the other: of a million, a set of them all is a third of what a start needs.
    """
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if (links or not entry.is_symlink()) and _is_file(entry):
                yield entry.name


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        # A link in a circle, say.
        return False

"""Cut the windows of whole videos into a data folder, as a download would have left their clips there."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.clock import Clock
from ..core.errors import ClipError
from ..core.files import exactly
from ..core.model import Clip, Outcome
from ..core.settings import Columns, Settings
from ..datasets.clip_list import CLIPS
from ..fetch.publish import Finisher
from ..media.ffmpeg import Ffmpeg
from ..progress.bar import Progress
from ..state.clip_files import ClipFiles
from ..state.first_settings import as_folder
from ..state.last_settings import remember
from ..state.store import Store
from .one_file import OneFile, ffmpeg_of, open_video
from .processes import in_order
from .proposals import REASONS

COLUMNS = Columns(url="url", start="start", end="end", id="id", keep=("title", "categories"))


@dataclass(frozen=True)
class _Task:
    """The clips of one video that are to be cut. ``unfinished``: the folder for unfinished files."""

    video: Path
    clips: tuple[Clip, ...]
    settings: Settings
    unfinished: Path
    ffmpeg: Path


@dataclass(frozen=True)
class Cut:
    """How many of the ``clips`` are ``done``; of the others, how many ``may_come`` with another try."""

    clips: int
    done: int
    may_come: int


def settings_of(data_dir: Path, clip_list: Path, quality: int) -> Settings:
    """The settings of a data folder of clips that are cut from whole videos of ``quality`` or less."""
    return as_folder(Settings(data_dir, clip_list=clip_list, columns=COLUMNS, quality=quality))


def cut_all(settings: Settings, videos: Mapping[str, Path], ffmpeg: Path, clock: Clock, processes: int) -> Cut:
    """Cut every clip of the list that is not done, a video in one go. RunError, UsageError, Stopped.

    ``videos``: by the beginning of their clips' ids, up to the last "_".
    """
    store = Store(settings, CLIPS.name, clock)
    clips = list(CLIPS.read_clips(settings.data_dir / "metadata", settings).clips)
    store.open()
    try:
        remember(settings)
        pending = store.pending(clips)
        with Progress("cut", len(pending), "clip") as progress:
            work = _tasks(pending, videos, settings, store.files.unfinished, ffmpeg)
            for outcomes in in_order(_cut_video, work, processes):
                for outcome in outcomes:
                    store.record(outcome)
                    progress.step()
                store.snapshot()
        store.snapshot(force=True)
        done = sum(clip.id in store.done for clip in clips)
        return Cut(len(clips), done, sum(store.may_come(clip) for clip in clips))
    finally:
        store.close()


def _tasks(
    pending: Sequence[Clip], videos: Mapping[str, Path], settings: Settings, unfinished: Path, ffmpeg: Path
) -> Iterator[_Task]:
    for video, clips in itertools.groupby(pending, key=lambda clip: clip.id.rpartition("_")[0]):
        # One that was taken away since then fails clip by clip, with that reason.
        yield _Task(videos.get(video, Path(video)), tuple(clips), settings, unfinished, ffmpeg)


def _cut_video(task: _Task) -> list[Outcome]:
    store = Store(task.settings, CLIPS.name, Clock())
    # That of the run which holds the folder: its leftovers are cleared when it is gone.
    store.files = ClipFiles(task.settings, "audio", task.unfinished)
    ffmpeg = ffmpeg_of(task.ffmpeg)
    finisher = Finisher(task.settings, ffmpeg, store)
    task.unfinished.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=task.unfinished) as folder:
            opened = open_video(task.video, ffmpeg, Path(folder))
            if (lacks := opened.lacks) is not None:
                return [Outcome(clip, "failed", "media", REASONS[lacks]) for clip in task.clips]
            return [_cut(clip, opened, finisher, store, ffmpeg) for clip in task.clips]
    except ClipError as error:
        return [_failed(clip, error) for clip in task.clips]
    except FileNotFoundError:
        return [Outcome(clip, "failed", "media", f"{task.video} is not there") for clip in task.clips]


def _cut(clip: Clip, opened: OneFile, finisher: Finisher, store: Store, ffmpeg: Ffmpeg) -> Outcome:
    assert clip.end is not None
    try:
        with store.files.scratch(clip) as folder, ffmpeg.of_a_clip():
            return finisher.finish(clip, opened.job(exactly(clip.start), exactly(clip.end)), folder, {})
    except ClipError as error:
        return _failed(clip, error)


def _failed(clip: Clip, error: ClipError) -> Outcome:
    return Outcome(clip, "failed", error.reason, error.detail, error.permanent)

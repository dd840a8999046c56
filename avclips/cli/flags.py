"""``avclips flags DIR``: quality flags of clips that have none yet, by a decode of their files."""

from __future__ import annotations

import argparse
import os
from collections import deque
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from ..catalog.folder import look_into
from ..core.clock import Clock
from ..core.errors import MORE_MAY_COME, ClipError, RunError
from ..core.model import Clip
from ..core.signals import Signals
from ..media.ffmpeg import Ffmpeg
from ..media.ffmpeg_trial import find_ffmpeg
from ..media.inspect import flags_of
from ..media.small import Small
from ..progress.bar import Progress
from ..quality.thresholds import lacking
from ..state.manifest import Line
from ..state.store import Store
from .arguments import whole_number
from .parser import Parser

Measured = Mapping[str, Any] | str
"""The flags of a clip, or why there are none."""


def parser() -> Parser:
    """The words behind ``avclips flags``."""
    made = Parser(prog="avclips flags", description=__doc__, allow_abbrev=False)
    made.add_argument("folder", type=Path, metavar="DIR", help="a data folder of single files")
    made.add_argument(
        "--workers", type=whole_number(1), metavar="INT", help="clips at a time (default: one a core)"
    )
    made.add_argument("--again", action="store_true", help="of all clips, also of those that have flags")
    made.add_argument("--ffmpeg", type=Path, metavar="PATH", help="another ffmpeg than the wheel's")
    return made


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Measure what is missing, and write it into the manifest; 3 where a clip could not be measured."""
    clock = signals.clock = Clock()
    folder = look_into(options.folder, clock)
    if folder.settings.output_format != "files":
        message = f"{options.folder} holds shards, whose clips cannot be told more of"
        raise RunError(message, "flags are measured when a shard's clips are made, with --check decode")
    ffmpeg = find_ffmpeg(options.ffmpeg, clock)
    store = folder.store
    store.open()
    try:
        return _measure_all(store, ffmpeg, options.workers or len(os.sched_getaffinity(0)), options.again)
    finally:
        store.close()


def _measure_all(store: Store, ffmpeg: Ffmpeg, workers: int, again: bool) -> int:
    wanted = {line["id"] for line in store.done_lines() if again or lacking(line)}
    failed = 0
    lines = (line for line in store.done_lines() if line["id"] in wanted)
    measured = _measured(lines, store, ffmpeg, workers)
    # Whoever still works writes into the store's folder: they end before it is let go.
    with Progress("flags", len(wanted), "clip") as progress, closing(measured):
        for line, found in measured:
            # A line that is written below may be read again.
            wanted.discard(line["id"])
            progress.step()
            if isinstance(found, str):
                failed += 1
                progress.tell(f"{line['id']}: {found}")
            else:
                store.amend(line, {"flags": dict(found)})
            store.check_lock()
        progress.tell(f"Flags of {progress.seen - failed} clips were measured, of {failed} they could not be.")
    return MORE_MAY_COME if failed else 0


def _measured(
    lines: Iterable[Line], store: Store, ffmpeg: Ffmpeg, workers: int
) -> Generator[tuple[Line, Measured]]:
    """The flags of each clip, as many at a time as there are workers."""
    pool = ThreadPoolExecutor(workers)
    waiting: deque[tuple[Line, Future[Measured]]] = deque()
    try:
        for line in lines:
            waiting.append((line, pool.submit(_flags_of, line, store, ffmpeg)))
            if len(waiting) > 2 * workers:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _flags_of(line: Line, store: Store, ffmpeg: Ffmpeg) -> Measured:
    video, audio = (store.folder / line[kind] if line.get(kind) else None for kind in ("video", "audio"))
    clip = Clip(line["id"], line["id"], 0.0, None, {})
    try:
        with store.files.scratch(clip) as scratch, ffmpeg.of_a_clip():
            return flags_of(video, audio, ffmpeg, Small(scratch))
    except ClipError as error:
        return error.detail
    except OSError as error:
        return f"it cannot be read: {error.strerror}"

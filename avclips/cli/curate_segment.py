"""``avclips curate segment``: cut videos into clips of ten seconds, within shots."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.clock import Clock
from ..core.errors import MORE_MAY_COME, UsageError
from ..core.extras import extras
from ..core.signals import Signals
from ..progress.console import say
from .arguments import some_seconds, whole_number
from .curate_arguments import add_data_dir, add_dry_run, add_processes
from .curate_download import fetch

if TYPE_CHECKING:
    from ..curate.proposals import SegmentSettings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_data_dir(parser)
    parser.add_argument(
        "--videos",
        type=Path,
        metavar="DIR",
        help="whole videos: a data folder, or any folder of files (DIR/curation/videos of --data-dir DIR)",
    )
    parser.add_argument(
        "--seconds", type=some_seconds, default=10.0, metavar="S", help="length of a clip (%(default)g)"
    )
    parser.add_argument(
        "--max-clips", type=whole_number(0), default=3, metavar="N", help="of a video (%(default)s); 0: all"
    )
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--fast", action="store_true", help="find shots with ffmpeg on pictures of 160x90")
    ways.add_argument(
        "--fixed",
        type=some_seconds,
        metavar="S",
        help="no shots: clips of S seconds, one behind the other; at most --max-clips, evenly spread",
    )
    parser.add_argument(
        "--propose",
        action="store_true",
        help="with --fixed: for the videos that the filter kept, by their length alone; only these seconds are "
        "fetched then, and no whole video",
    )
    parser.add_argument("--ffmpeg", type=Path, metavar="PATH", help="the ffmpeg to use")
    add_processes(parser)
    add_dry_run(parser)
    parser.add_argument("more", nargs="*", metavar="-- OPTIONS", help="of --propose: options of download_clips.py")


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Find windows, and cut them, or have them fetched."""
    from ..curate.proposals import SegmentSettings

    way = "fixed" if options.fixed else "fast" if options.fast else "content"
    if options.propose and way != "fixed":
        raise UsageError("--propose has no pictures to find shots in", "name the clips' length: --fixed 10")
    if options.more and not options.propose:
        raise UsageError(f"there is no place for {options.more[0]!r}", "what follows -- is for --propose")
    if way == "content":
        extras({"scenedetect": "shots are found", "cv2": "pictures are compared"})
    settings = SegmentSettings(round(1000 * (options.fixed or options.seconds)), options.max_clips, way)
    if options.propose:
        return _propose(options, settings, signals)
    return _cut(options, settings, signals)


def _cut(options: argparse.Namespace, settings: SegmentSettings, signals: Signals) -> int:
    from ..curate import segment, whole_videos
    from ..curate.folders import videos_folder
    from ..media.ffmpeg_trial import find_ffmpeg

    folder = options.videos or videos_folder(options.data_dir)
    videos = whole_videos.find(folder)
    if options.dry_run:
        say(f"{len(videos)} videos in {folder}; nothing was written.")
        return 0
    clock = Clock()
    signals.clock = clock
    ffmpeg = find_ffmpeg(options.ffmpeg, clock).path
    segment.look_at(videos, settings, options.data_dir, ffmpeg, options.processes)
    cut = segment.cut(videos, folder, options.data_dir, ffmpeg, clock, options.processes)
    _tell(segment.finish(options.data_dir, cut.clips, cut.done))
    return MORE_MAY_COME if cut.may_come else 0


def _propose(options: argparse.Namespace, settings: SegmentSettings, signals: Signals) -> int:
    from ..curate import segment
    from ..curate.cutting import COLUMNS

    if options.dry_run:
        clips = segment.count_from_metadata(options.data_dir, settings)
        say(f"{clips:,} clips would be fetched; nothing was written.")
        return 0
    listed = segment.propose_from_metadata(options.data_dir, settings)
    columns = ["--url-col", "url", "--start-col", "start", "--end-col", "end", "--id-col", "id"]
    words = [str(listed), *columns, "--keep-cols", *COLUMNS.keep, "--data-dir", str(options.data_dir)]
    code = fetch([*words, *options.more], signals)
    _tell(segment.finish(options.data_dir, *segment.fetched(options.data_dir)))
    return code


def _tell(counts: dict[str, Any]) -> None:
    reasons = ", ".join(f"{name} {count:,}" for name, count in counts["reasons"].items())
    say(
        f"{counts['done']:,} of {counts['clips']:,} clips of {counts['videos']:,} videos; "
        f"{counts['without_a_clip']:,} give none{f' ({reasons})' if reasons else ''}",
        matters=True,
    )

"""``avclips curate download``: fetch the videos that the filter kept, as download_clips.py does."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..core.clock import Clock
from ..core.errors import UsageError
from ..core.signals import Signals
from ..datasets.clip_list import CLIPS
from ..progress.console import be_quiet, say
from .curate_arguments import add_data_dir, add_dry_run
from .options import read_settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_data_dir(parser)
    parser.add_argument(
        "--kept",
        type=Path,
        metavar="FILE",
        help="lines of metadata whose videos are wanted (DIR/curation/filter/kept.tsv)",
    )
    add_dry_run(parser)
    parser.add_argument(
        "more",
        nargs="*",
        metavar="-- OPTIONS",
        help="options of download_clips.py: -- --workers 8 --quality 360 --cookies FILE",
    )


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Write the list, and fetch it; returns the downloader's exit code."""
    from ..curate import download, record
    from ..curate.folders import KEPT, stage_folder, videos_folder

    kept = options.kept or stage_folder(options.data_dir, "filter") / KEPT
    if not kept.is_file():
        raise UsageError(f"{kept} is not there", "avclips curate filter writes it; or name another: --kept FILE")
    if options.dry_run:
        with open(kept, "rb") as stream:
            lines = sum(1 for _ in stream)
        say(f"{lines:,} lines of {kept}; nothing was written.")
        return 0
    listed = download.write_list(kept, options.data_dir)
    say(
        f"{listed.lines:,} lines: {listed.videos:,} videos, {listed.repeated:,} named again, "
        f"{listed.left_out:,} left out ({download.LEFT_OUT})"
    )
    folder = videos_folder(options.data_dir)
    words = [str(listed.path), "--url-col", "url", "--data-dir", str(folder), "--info"]
    code = fetch([*words, *options.more], signals)
    if not code:
        record.finish(stage_folder(options.data_dir, "download"), {"videos": listed.videos})
    return code


def fetch(words: Sequence[str], signals: Signals) -> int:
    """What download_clips.py does with these words; returns its exit code."""
    from ..run.steps import Run

    settings, chosen = read_settings(CLIPS, words)
    be_quiet(settings.quiet)
    clock = Clock()
    signals.clock = clock
    return Run(CLIPS, settings, clock, chosen.log_level).run(signals)

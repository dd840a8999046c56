"""``avclips curate export``: a selection, or some of its clusters, as output.csv, as a list of clips, as ids."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.redact import plain
from ..core.signals import Signals
from ..curate.folders import stage_folder
from .curate_arguments import add_data_dir


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_data_dir(parser)
    parser.add_argument(
        "--clusters",
        nargs="+",
        default=[],
        metavar="NAME",
        help="only clips in these clusters: a word of a name, or a cluster such as classic/audio/4:17",
    )
    parser.add_argument("--list-clusters", action="store_true", help="the clusters, by the words of their clips")
    parser.add_argument("--selection", type=Path, metavar="DIR", help="what select left (DIR/curation/select)")
    parser.add_argument("--assignments", type=Path, metavar="DIR", help="what cluster left (DIR/curation/cluster)")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where it goes (DIR/curation/export)")


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Write the files anew, whole; returns 0."""
    from ..curate.export.lists import IDS, LIST
    from ..curate.export.stage import export, names_in

    data_dir: Path = options.data_dir
    clusters = options.assignments or stage_folder(data_dir, "cluster")
    names = names_in(clusters, stage_folder(data_dir, "filter") / "rows.parquet")
    if options.list_clusters:
        for name in names:
            print(plain(f"{name.address:<24} {name.clips:>9,}  {', '.join(name.words) or '-'}"))
        return 0
    selection = options.selection or stage_folder(data_dir, "select")
    folder = options.output or stage_folder(data_dir, "export")
    count = export(selection, clusters, names, options.clusters, folder)
    print(plain(f"{count:,} clips are in {folder}: {LIST} is a list for download_clips.py, {IDS} one for loaders"))
    return 0

"""The options that say what is wanted: the list, the clips of it, where they come from, what their files hold."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..core.errors import REASONS
from ..core.settings_check import AMONG, LEAST
from ..datasets.base import Dataset
from ..lists.presets import PRESETS
from ..lists.presets import listed as listed_presets
from .arguments import cell_format, frame_rate, frame_size, letter, some_seconds, time_unit, whole_number
from .parser import Several


def add_list(group: argparse._ArgumentGroup, dataset: Dataset) -> None:
    """What a list is, and of a user's own, what its columns mean."""
    group.add_argument(
        "list",
        nargs="*",
        metavar="LIST",
        help="csv, tsv, txt, json, jsonl or parquet, also as .gz, .zst, .bz2 or .xz; several of them, a folder, a "
        "pattern in quotes, - for standard input; or addresses and ids themselves",
    )
    group.add_argument(
        "--encoding", default="utf-8", metavar="NAME", help="of the list's letters (default: %(default)s)"
    )
    group.add_argument(
        "--delimiter",
        type=letter,
        metavar="LETTER",
        help="what stands between the cells of csv, tsv and txt: a letter, or tab, space, none (default: seen)",
    )
    if "url-col" not in dataset.options:
        return
    for name, what in COLUMNS.items():
        group.add_argument(f"--{name}-col", metavar="COLUMN", help=f"{what} (default: guessed by its name)")
    group.add_argument(
        "--keep-cols", nargs="+", default=[], metavar="COLUMN", help="columns that the manifest is to repeat"
    )
    group.add_argument(
        "--time-unit",
        type=time_unit,
        metavar="UNIT",
        help="of times that are numbers: s, ms, us, frames (with --fps-col) or frames@25 (default: as the columns "
        "are called, else s)",
    )
    group.add_argument(
        "--cell-format",
        type=cell_format,
        metavar="FORMAT",
        help="of a cell that holds a whole clip: {id}_{start}_{end}, {id}_{start}, v_{id} (default: the shape of "
        "its column)",
    )
    group.add_argument(
        "--preset",
        choices=sorted(PRESETS),
        metavar="NAME",
        help="a public list, with the columns that it has; --list-presets shows them",
    )
    group.add_argument("--list-presets", action=_ListPresets, nargs=0, help="show the public lists that are known")
    group.add_argument(
        "--clip-length", type=some_seconds, metavar="SECONDS", help="of a clip whose row says only its start"
    )


COLUMNS = {
    "url": "a YouTube id, or the address of a page that yt-dlp knows",
    "start": "start: seconds, m:ss or h:mm:ss",
    "end": "end",
    "duration": "duration, where there is no end",
    "clip": "several clips of a video: [[start, end], ...]",
    "id": "of a clip: what its files are called; else VIDEO_START_END",
    "caption": "a clip's caption, for the manifest",
    "fps": "frames a second of the video, where times are frames",
}


class _ListPresets(argparse.Action):
    """Shows what is known, and ends the process."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        sys.stdout.write(listed_presets())
        parser.exit()


def add_job(group: argparse._ArgumentGroup, dataset: Dataset) -> None:
    group.add_argument(
        "--data-dir",
        type=Path,
        default=Path(dataset.default_dir),
        metavar="PATH",
        help="data folder (default: %(default)s)",
    )
    if dataset.splits:
        group.add_argument(
            "--splits",
            nargs="+",
            action=Several,
            known=dataset.splits,
            metavar="SPLIT",
            help=f"which parts of the dataset: {', '.join(dataset.splits)} "
            f"(default: {' '.join(dataset.usual_splits)})",
        )
    for name in sorted(_OF_JOB.keys() & dataset.options):
        group.add_argument(f"--{name}", **_OF_JOB[name])
    group.add_argument(
        *("--max-clips", "--max-videos"),
        type=whole_number(LEAST["max_clips"]),
        metavar="INT",
        help="stop when so many clips are done in all",
    )
    group.add_argument(
        "--retry-failed",
        nargs="*",
        action=Several,
        known=[reason for reason in REASONS if reason != "trouble"],
        metavar="REASON",
        help="ask again for what failed for good: all of it, or for these reasons (see docs/folder.md)",
    )


def add_source(group: argparse._ArgumentGroup, dataset: Dataset) -> None:
    group.add_argument(
        "--archives",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="folders, zips and tars that you have already: <clip id>.mp4 (.mkv, .webm, or the sound alone: .wav, "
        ".flac, .m4a) in any of them, however deep, is taken before anybody is asked",
    )
    for name in sorted(_OF_SOURCE.keys() & dataset.options):
        group.add_argument(f"--{name}", **_OF_SOURCE[name])


# The options that only some datasets have.
_OF_JOB: dict[str, dict[str, Any]] = {
    "labels": {
        "nargs": "+",
        "action": "extend",
        "default": [],
        "metavar": "NAMES",
        "help": 'only clips of these classes: "Dog,Speech", ids, or a file with one in each line',
    },
    "strong": {
        "action": "store_true",
        "help": "only the clips whose events are labelled in time, of all splits unless --splits says which; and "
        "tables of the events with their files",
    },
}
_OF_SHAPE: dict[str, dict[str, Any]] = {
    "flat": {"action": "store_true", "help": "all files in one folder, not in SPLIT/XX/"},
    "info": {"action": "store_true", "help": "info/ID.json besides: what the site says of the video"},
    "subtitles": {
        "nargs": "+",
        "action": Several,
        "default": [],
        "metavar": "LANG",
        "help": "subtitles/ID.LANG.vtt besides, of the seconds of the clip: en, de, ...",
    },
}
_OF_SOURCE: dict[str, dict[str, Any]] = {
    "annotations": {
        "choices": ("updated", "original"),
        "default": "updated",
        "help": "which edition of the questions: json_update, corrected by the authors, or json "
        "(default: %(default)s)",
    },
    "id-map": {
        "type": Path,
        "metavar": "FILE",
        "help": "csv or json that says which videos are on YouTube: video_id, youtube_id[, start, end]",
    },
    "keep-archives": {
        "action": "store_true",
        "help": "leave the archives fetched from Google Drive in the folder when all of their videos are taken",
    },
    "v2": {
        "action": "store_true",
        "help": "the additional videos of v2.0 besides (they are on YouTube); --splits v2: these alone",
    },
}


def add_shape(group: argparse._ArgumentGroup, dataset: Dataset) -> None:
    group.add_argument(
        "--media",
        choices=("both", "audio"),
        default="both",
        help="both, or the sound alone: no byte of a picture is asked for (default: %(default)s)",
    )
    for name in sorted(_OF_SHAPE.keys() & dataset.options):
        group.add_argument(f"--{name}", **_OF_SHAPE[name])
    _add_pictures(group)
    _add_sound(group)
    group.add_argument(
        "--check",
        choices=("decode", "packets"),
        default="decode",
        help="of packets that were copied, before a clip counts: decode every picture, or only find every packet "
        "and its time, for less CPU (default: %(default)s)",
    )
    group.add_argument(
        "--flags",
        choices=("auto", "none"),
        default="auto",
        help="quality flags in the manifest (still, black, silent, ...): of clips that --check decodes, or "
        "of none (default: %(default)s)",
    )
    group.add_argument(
        "--allow-silent", action="store_true", help="take videos without sound too: then there is no WAV"
    )
    group.add_argument(
        "--allow-mixed",
        action="store_true",
        help="go on in a folder made with another quality, cut or format",
    )


def _add_pictures(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--quality",
        type=int,
        choices=AMONG["quality"],
        default=360,
        help="largest picture, by its smaller side (default: %(default)s)",
    )
    group.add_argument(
        "--cut",
        choices=("exact", "copy"),
        default="exact",
        help="exact: every reader sees exactly the clip, whose pictures are encoded where they must be; copy: as "
        "they are, from the key frame before (default: %(default)s)",
    )
    group.add_argument(
        "--encode",
        choices=("needed", "all"),
        help="with --cut exact: the pictures that no packet of the source gives by itself, or all of them at once "
        "(default: as the folder was begun; a new one: needed)",
    )
    group.add_argument(
        "--fps",
        type=frame_rate,
        metavar="N",
        help="with --cut exact: so many pictures a second, each the one that stands at its time (default: the "
        "source's own, at their times)",
    )
    group.add_argument(
        "--size",
        type=frame_size,
        metavar="N|WxH",
        help="with --cut exact: the smaller side, or both sides of every picture (default: as they come, up to "
        "--quality)",
    )
    group.add_argument(
        "--fit",
        choices=("crop", "pad", "stretch"),
        help="with --size WxH, where the shape is another: cut off what is over, fill up with black, or distort "
        "(default: crop)",
    )
    group.add_argument(
        "--frame",
        choices=("middle",),
        help="frames/ID.jpg besides: the frame that is shown half-way through the clip",
    )
    group.add_argument(
        "--video-format",
        choices=("mp4", "mkv"),
        default="mp4",
        help="container of the pictures and their sound (default: %(default)s)",
    )


def _add_sound(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--audio-format",
        choices=("wav", "flac", "m4a"),
        default="wav",
        help="of the separate sound: wav or flac, exact to the sample, or m4a, the source's own packets "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--audio-rate",
        type=whole_number(LEAST["audio_rate"]),
        metavar="HZ",
        help="sample rate of wav and flac (default: the source's)",
    )
    group.add_argument(
        "--audio-channels",
        type=int,
        choices=AMONG["audio_channels"],
        help="channels of wav and flac (default: the source's)",
    )

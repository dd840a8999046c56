"""The command line: what each option is called, means and may hold."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from .clip import Columns, Identity, Settings
from .dataset import Dataset
from .errors import REASONS
from .pacer import default_state_dir
from .presets import PRESETS
from .presets import listed as listed_presets
from .quantities import (
    cell_format,
    hours,
    letter,
    proxy_url,
    rate,
    seconds,
    shard,
    shard_of,
    size,
    some_seconds,
    time_unit,
    whole_number,
)
from .words import plain


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints repeat no password, and move no cursor."""

    def error(self, message: str) -> NoReturn:
        super().error(plain(message))


def make_parser(dataset: Dataset) -> argparse.ArgumentParser:
    """The parser of one dataset's script."""
    parser = _Parser(
        description=f"Download the clips of {dataset.title}: {dataset.files}; from YouTube, the bytes of each "
        "clip alone.",
        epilog="Start it again with the same options to go on where it stopped. Exit codes: 0 all that can be "
        "had is there, 1 error, 2 usage, 3 some clips may still come (or --verify found bad files), "
        "75 refused for too long, 129/130/143 stopped by a signal. --requirements alone prints what has to be "
        "installed. See README.md.",
        allow_abbrev=False,
    )
    if "list" in dataset.options:
        _add_list(parser.add_argument_group("the list"), dataset)
    _add_job(parser.add_argument_group("what to fetch"), dataset)
    _add_source(parser.add_argument_group("where it comes from"), dataset)
    _add_shape(parser.add_argument_group("what the files hold"), dataset)
    _add_output(parser.add_argument_group("where it goes"))
    _add_way(parser.add_argument_group("how to fetch it"))
    _add_identity(parser.add_argument_group("as whom"))
    _add_machine(parser.add_argument_group("on this machine"))
    _add_other(parser.add_argument_group("instead of fetching"), dataset)
    parser.set_defaults(**dataset.defaults)
    return parser


def _add_list(group: argparse._ArgumentGroup, dataset: Dataset) -> None:
    """What a list is, and of a user's own, what its columns mean."""
    group.add_argument(
        "list",
        nargs="+",
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
    for name, what in _COLUMNS.items():
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
        "--clip-length", type=some_seconds, metavar="SECONDS", help="of a clip, where the list says only its start"
    )


_COLUMNS = {
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


def _add_job(group: argparse._ArgumentGroup, dataset: Dataset) -> None:
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
            choices=dataset.splits,
            help=f"which parts of the dataset (default: {' '.join(dataset.usual_splits)})",
        )
    for name in sorted(_OF_JOB.keys() & dataset.options):
        group.add_argument(f"--{name}", **_OF_JOB[name])
    group.add_argument(
        "--max-videos", type=whole_number(1), metavar="INT", help="stop when so many clips are done in all"
    )
    group.add_argument(
        "--retry-failed",
        nargs="*",
        choices=[reason for reason in REASONS if reason != "trouble"],
        metavar="REASON",
        help="ask again for what failed for good: all of it, or what failed for these reasons (see README.md)",
    )


def _add_source(group: argparse._ArgumentGroup, dataset: Dataset) -> None:
    group.add_argument(
        "--archives",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="folders, zips and tars that you have already: <clip id>.mp4 in any of them, however deep, is taken "
        "before anybody is asked",
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


def _add_shape(group: argparse._ArgumentGroup, dataset: Dataset) -> None:
    group.add_argument(
        "--media",
        choices=("both", "audio"),
        default="both",
        help="both, or the sound alone: no byte of a picture is asked for (default: %(default)s)",
    )
    for name in sorted(_OF_SHAPE.keys() & dataset.options):
        group.add_argument(f"--{name}", **_OF_SHAPE[name])
    group.add_argument(
        "--quality",
        type=int,
        choices=(360, 480, 720),
        default=360,
        help="largest picture, by its smaller side (default: %(default)s)",
    )
    group.add_argument(
        "--cut",
        choices=("exact", "copy"),
        default="exact",
        help="exact: pictures encoded anew, so that every reader sees exactly the clip; copy: as they are, "
        "from the key frame before (default: %(default)s)",
    )
    group.add_argument(
        "--video-format",
        choices=("mp4", "mkv"),
        default="mp4",
        help="container of the pictures and their sound (default: %(default)s)",
    )
    group.add_argument(
        "--audio-format",
        choices=("wav", "flac", "m4a"),
        default="wav",
        help="of the separate sound: wav or flac, exact to the sample, or m4a, the source's own packets "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--audio-rate",
        type=whole_number(1000),
        metavar="HZ",
        help="sample rate of wav and flac (default: the source's)",
    )
    group.add_argument(
        "--audio-channels", type=int, choices=(1, 2), help="channels of wav and flac (default: the source's)"
    )
    group.add_argument(
        "--check",
        choices=("decode", "packets"),
        default="decode",
        help="of a copy, before it counts: decode every picture, or only find every packet and its time, for less "
        "CPU; what is encoded anew was decoded in any case (default: %(default)s)",
    )
    group.add_argument(
        "--allow-silent", action="store_true", help="take videos without sound too: then there is no WAV"
    )
    group.add_argument(
        "--allow-mixed",
        action="store_true",
        help="go on in a folder made with another quality, cut or format",
    )


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--output-format",
        choices=("files", "webdataset", "parquet"),
        default="files",
        help="files in the data folder, or shards of many clips: tars for webdataset, or tables with their bytes "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--output",
        metavar="URL",
        help="where the shards go: a folder, s3://, gs://, hdfs://, ... (default: shards/ in the data folder)",
    )
    group.add_argument(
        "--samples-per-shard",
        type=whole_number(1),
        default=1000,
        metavar="INT",
        help="clips of a shard; those of one video stay together (default: %(default)s)",
    )
    group.add_argument(
        "--engine",
        choices=("threads", "spark"),
        default="threads",
        help="the threads of this process, or the machines of Spark, a task for each shard (default: %(default)s)",
    )
    group.add_argument(
        "--spark-master",
        default="local[*]",
        metavar="URL",
        help="of Spark's cluster (default: %(default)s, the cores of this machine)",
    )
    group.add_argument(
        "--wandb", action="store_true", help="with --engine spark: progress to Weights & Biases too"
    )


def _add_way(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--workers",
        type=whole_number(1),
        metavar="INT",
        help="parallel workers; 1 in each task of Spark (default: 4)",
    )
    group.add_argument(
        "--rate-limit",
        type=rate,
        default="50K",
        metavar="RATE",
        help="bytes a second of each download: 50K, 4.2M, 0 = none (default: %(default)s)",
    )
    group.add_argument(
        "--sleep",
        type=seconds,
        default=3.0,
        metavar="FLOAT",
        help="seconds a worker rests between downloads, and 0-2 s more; 0 = no rest (default: %(default)s)",
    )
    group.add_argument(
        "--retry-attempts",
        type=whole_number(1),
        default=5,
        metavar="INT",
        help="tries of a failure that may pass (default: %(default)s)",
    )
    group.add_argument(
        "--max-whole-file",
        type=size,
        default="200M",
        metavar="SIZE",
        help="most bytes that one clip may cost, the whole file where a format cannot be read in parts; a long "
        "one may cost what its seconds need (default: %(default)s)",
    )
    group.add_argument(
        "--yt-dlp-args",
        default="",
        metavar='"ARGS"',
        help="further options of yt-dlp (network, extractor, sign-in)",
    )


def _add_identity(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--cookies",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="Netscape cookies.txt, for yt-dlp and the annotation files; never written to",
    )
    group.add_argument(
        "--proxy",
        type=proxy_url,
        action="append",
        default=[],
        metavar="URL",
        help="proxy, for yt-dlp and the annotation files; 'direct' is the bare connection. --proxy and --cookies "
        "may be given several times: they are paired in order, and the workers are spread over them",
    )
    group.add_argument(
        "--proxy-file",
        type=Path,
        metavar="FILE",
        help="proxies, one a line, as with --proxy: passwords of a command line are seen by all on the machine",
    )
    group.add_argument(
        "--videos-per-hour",
        type=whole_number(0),
        metavar="INT",
        help="extractions of one identity in any 60 minutes; 0 = no limit (default: 270 for a guest, 1000 with "
        "cookies)",
    )
    group.add_argument(
        "--give-up-after",
        type=hours,
        default="24",
        metavar="HOURS",
        help="end with code 75 when nothing was to be had for so long (default: %(default)s)",
    )
    group.add_argument(
        "--state-dir",
        type=Path,
        default=default_state_dir(),
        metavar="PATH",
        help="where runs share the pace of their identity (default: %(default)s)",
    )


def _add_machine(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--shard",
        type=shard,
        metavar="I/N",
        help="only the I-th of N shares of the videos, I from 0, beside other runs in the same folder (default in "
        "a Slurm job array: the task's share)",
    )
    group.add_argument(
        "--min-free",
        type=size,
        default="2G",
        metavar="SIZE",
        help="pause while less than this is free on the disk (default: %(default)s)",
    )
    group.add_argument("--ffmpeg", type=Path, metavar="PATH", help="another ffmpeg than the one of imageio-ffmpeg")
    group.add_argument(
        "--log-level",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
        default="INFO",
        help="what goes into the log file (default: %(default)s)",
    )


def _add_other(group: argparse._ArgumentGroup, dataset: Dataset) -> None:
    only = group.add_mutually_exclusive_group()
    if "list" in dataset.options:
        only.add_argument("--dry-run", action="store_true", help="show the first clips as they are understood")
    only.add_argument("--status", action="store_true", help="say how far the folder is")
    only.add_argument("--verify", action="store_true", help="check every file, or shard, and name the bad ones")
    group.add_argument(
        "--repair",
        action="store_true",
        help="with --verify: move bad files, or shards, to set_aside/, so that the next run fetches them",
    )


def pair(parser: argparse.ArgumentParser, proxies: Sequence[str], cookies: Sequence[Path]) -> tuple[Identity, ...]:
    """The identities that --proxy and --cookies name, in order."""
    if proxies and cookies and len(proxies) != len(cookies):
        parser.error(f"{len(proxies)} --proxy and {len(cookies)} --cookies cannot be paired: give as many of each")
    count = max(len(proxies), len(cookies), 1)
    pairs = tuple(Identity(proxies[n] if proxies else None, cookies[n] if cookies else None) for n in range(count))
    if len(set(pairs)) < count:
        parser.error("the same --proxy and --cookies are given twice")
    return pairs


def _proxies_in(parser: argparse.ArgumentParser, path: Path) -> list[str]:
    """The proxies of a file, one a line; blank lines and those that begin with # are none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"--proxy-file {path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}")
    found = []
    for number, line in enumerate(map(str.strip, lines), 1):
        if line and not line.startswith("#"):
            try:
                found.append(proxy_url(line))
            except argparse.ArgumentTypeError as error:
                parser.error(f"--proxy-file {path}, line {number}: {error}")
    if not found:
        parser.error(f"--proxy-file {path} names no proxy")
    return found


def _joined(words: Sequence[str]) -> list[str]:
    """Have argparse take --yt-dlp-args "--an-option" for what it is: the value may begin with a dash."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] == "--yt-dlp-args":
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


# The options of some datasets that are settings of the same name.
_AS_THEY_ARE = (
    *("annotations", "id_map", "keep_archives", "strong", "flat", "info"),
    *("encoding", "delimiter", "preset", "cell_format", "time_unit", "clip_length"),
)


def _splits(dataset: Dataset, chosen: argparse.Namespace) -> tuple[str, ...]:
    """The splits that are meant: the events of AudioSet's clips are in all of them."""
    usual = dataset.splits if getattr(chosen, "strong", False) else dataset.usual_splits
    splits = getattr(chosen, "splits", None) or usual
    return tuple(dict.fromkeys([*splits, "v2"] if getattr(chosen, "v2", False) else splits))


def _columns(chosen: argparse.Namespace) -> Columns:
    named = {name: getattr(chosen, f"{name}_col", None) for name in _COLUMNS}
    return Columns(**named, keep=tuple(getattr(chosen, "keep_cols", ())))


def _listed(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _see_output(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    """Whether what was asked for of shards and engines goes together."""
    if chosen.output_format == "files":
        for name in ("output", "wandb"):
            if getattr(chosen, name):
                parser.error(f"--{name} goes with --output-format webdataset or parquet")
        if chosen.engine == "spark":
            parser.error("--engine spark writes shards: --output-format webdataset or parquet")
    elif chosen.allow_mixed:
        parser.error("--allow-mixed goes with --output-format files")
    if chosen.engine == "spark":
        if chosen.shard or chosen.archives or chosen.max_videos:
            parser.error("--shard, --archives and --max-videos go with --engine threads")
    elif chosen.wandb:
        parser.error("--wandb goes with --engine spark")


def read_settings(dataset: Dataset, argv: Sequence[str] | None) -> tuple[Settings, argparse.Namespace]:
    """Parse ``argv``; argparse ends the process with code 2 where an option cannot be meant."""
    parser = make_parser(dataset)
    chosen = parser.parse_args(_joined(sys.argv[1:] if argv is None else argv))
    if chosen.repair and not chosen.verify:
        parser.error("--repair goes with --verify")
    if chosen.video_format == "mkv" and chosen.cut == "copy":
        parser.error("--cut copy needs mp4: mkv has no edit list to hide the pictures before the start")
    if chosen.audio_format == "m4a" and (chosen.audio_rate or chosen.audio_channels):
        parser.error("--audio-format m4a keeps the source's packets: no --audio-rate or --audio-channels")
    if chosen.media == "audio" and chosen.allow_silent:
        parser.error("--allow-silent goes with pictures: without sound, --media audio leaves nothing")
    _see_output(parser, chosen)
    if chosen.workers is None:
        chosen.workers = 1 if chosen.engine == "spark" else 4
    try:
        share = chosen.shard or (None if chosen.engine == "spark" else shard_of(os.environ))
    except ValueError as error:
        parser.error(str(error))
    proxies = [*chosen.proxy, *(_proxies_in(parser, chosen.proxy_file) if chosen.proxy_file else [])]
    identities = pair(parser, proxies, chosen.cookies)
    if chosen.workers < len(identities):
        parser.error(f"{len(identities)} identities need at least as many --workers")
    some = {name: getattr(chosen, name) for name in _AS_THEY_ARE if hasattr(chosen, name)}
    some |= {name: _listed(getattr(chosen, name, ())) for name in ("labels", "subtitles")}
    settings = Settings(
        data_dir=chosen.data_dir,
        workers=chosen.workers,
        rate_limit=chosen.rate_limit,
        retry_attempts=chosen.retry_attempts,
        sleep=chosen.sleep,
        quality=chosen.quality,
        max_videos=chosen.max_videos,
        splits=_splits(dataset, chosen),
        media=chosen.media,
        cut=chosen.cut,
        video_format=chosen.video_format,
        audio_format=chosen.audio_format,
        audio_rate=chosen.audio_rate,
        audio_channels=chosen.audio_channels,
        retry_failed=None if chosen.retry_failed is None else tuple(chosen.retry_failed),
        identities=identities,
        videos_per_hour=chosen.videos_per_hour,
        state_dir=chosen.state_dir,
        give_up_after=chosen.give_up_after,
        min_free=chosen.min_free,
        ytdlp_args=chosen.yt_dlp_args,
        max_whole_file=chosen.max_whole_file,
        check=chosen.check,
        allow_silent=chosen.allow_silent,
        allow_mixed=chosen.allow_mixed,
        ffmpeg=chosen.ffmpeg,
        archives=tuple(chosen.archives),
        shard=share,
        output_format=chosen.output_format,
        output=chosen.output,
        samples_per_shard=chosen.samples_per_shard,
        engine=chosen.engine,
        spark_master=chosen.spark_master,
        wandb=chosen.wandb,
        clip_list=tuple(chosen.list) if "list" in dataset.options else None,
        columns=_columns(chosen),
        **some,
    )
    return settings, chosen

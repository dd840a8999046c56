"""The options that say how it is done: where it goes, how fast, as whom, and on what machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.settings_check import LEAST
from ..core.state_dir import default_state_dir
from ..datasets.base import Dataset
from .arguments import browser, hours, part, proxy_url, rate, seconds, size, whole_number


def add_output(group: argparse._ArgumentGroup) -> None:
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
        type=whole_number(LEAST["samples_per_shard"]),
        default=1000,
        metavar="INT",
        help="with shards: clips of each; those of one video stay together (default: %(default)s)",
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
        help="with --engine spark: of its cluster (default: %(default)s, the cores of this machine)",
    )
    group.add_argument(
        "--wandb", action="store_true", help="with --engine spark: progress to Weights & Biases too"
    )


def add_way(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--workers",
        type=whole_number(LEAST["workers"]),
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
        type=whole_number(LEAST["retry_attempts"]),
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


def add_identity(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--cookies",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="Netscape cookies.txt, for yt-dlp and the annotation files; never written to",
    )
    group.add_argument(
        "--cookies-from-browser",
        dest="cookies",
        type=browser,
        action="append",
        default=[],
        metavar="BROWSER[+KEYRING][:PROFILE][::CONTAINER]",
        help="cookies of a browser on this machine, read once at the start as yt-dlp reads them (firefox, chrome, "
        "...); counts as one of --cookies",
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
        type=whole_number(LEAST["videos_per_hour"]),
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


def add_machine(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        *("--part", "--shard"),
        type=part,
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
    group.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="options as KEY = VALUE of a TOML file; those of the command line count before them",
    )
    group.add_argument(
        "--quiet", action="store_true", help="say nothing but warnings, errors and the last summary"
    )
    group.add_argument(
        "--metrics-file",
        type=Path,
        metavar="FILE",
        help="write progress there in Prometheus' text form, all along",
    )
    group.add_argument(
        "--report", action="store_true", help="at the end write report.html, with pictures, into the data folder"
    )
    group.add_argument("--ffmpeg", type=Path, metavar="PATH", help="another ffmpeg than the one of imageio-ffmpeg")
    group.add_argument(
        "--log-level",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
        default="INFO",
        help="what goes into the log file (default: %(default)s)",
    )


def add_other(group: argparse._ArgumentGroup, dataset: Dataset) -> None:
    only = group.add_mutually_exclusive_group()
    if "list" in dataset.options:
        only.add_argument("--dry-run", action="store_true", help="show the first clips as they are understood")
    only.add_argument(
        "--status",
        action="store_true",
        help="say how far the folder is: of what its last run asked for, where nothing else is said",
    )
    only.add_argument("--verify", action="store_true", help="check every file, or shard, and name the bad ones")
    group.add_argument(
        "--repair",
        action="store_true",
        help="with --verify: move bad files, or shards, to set_aside/, so that the next run fetches them",
    )

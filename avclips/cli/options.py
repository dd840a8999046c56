"""The command line and --config, as Settings: which words go together, and what they mean."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.errors import RunError, UsageError
from ..core.settings import Columns, Identity, Settings
from ..core.settings_check import at_odds, with_fit
from ..core.wording import as_option
from ..datasets.base import Dataset
from ..state.last_settings import remembered
from .arguments import partition_of, proxy_url
from .config import read_config, words_of
from .options_job import COLUMNS, add_job, add_list, add_shape, add_source
from .options_run import add_identity, add_machine, add_other, add_output, add_way
from .parser import Parser


def make_parser(dataset: Dataset) -> Parser:
    """The parser of one dataset's script."""
    parser = Parser(
        description=f"Download the clips of {dataset.title}: {dataset.files}; from YouTube, the bytes of each "
        "clip alone.",
        epilog="Start it again with the same options to go on where it stopped. Exit codes: 0 all that can be "
        "had is there, 1 error, 2 usage, 3 some clips may still come (or --verify found bad files), "
        "75 refused for too long, 129/130/143 stopped by a signal. --requirements alone prints what has to be "
        "installed. See README.md.",
        allow_abbrev=False,
    )
    if "list" in dataset.options:
        add_list(parser.add_argument_group("the list"), dataset)
    add_job(parser.add_argument_group("what to fetch"), dataset)
    add_source(parser.add_argument_group("where it comes from"), dataset)
    add_shape(parser.add_argument_group("what the files hold"), dataset)
    add_output(parser.add_argument_group("where it goes"))
    add_way(parser.add_argument_group("how to fetch it"))
    add_identity(parser.add_argument_group("as whom"))
    add_machine(parser.add_argument_group("on this machine"))
    add_other(parser.add_argument_group("instead of fetching"), dataset)
    parser.set_defaults(**dataset.defaults)
    return parser


# -- what is said, and where ---------------------------------------------------------------------------------


def _said(dataset: Dataset, words: Sequence[str] | None, origin: str = "") -> dict[str, Any]:
    """What these words say, without what is so by default. Ends the process where they cannot be meant."""
    parser = make_parser(dataset)
    parser.origin = origin
    parser.forget_defaults()
    said: dict[str, Any] = vars(parser.parse_args(words))
    return said


def _configured(dataset: Dataset, path: Path, said: Mapping[str, Any]) -> dict[str, Any]:
    """What a --config says that the command line does not."""
    actions = make_parser(dataset).actions()
    options = {name.removeprefix("--"): action for name, action in actions.items() if name.startswith("--")}
    places = {name: action for name, action in actions.items() if not name.startswith("--")}
    every = options | places
    # What the command line says itself; but that a file names another is a mistake in any case.
    known = {name for name, action in every.items() if action.dest in said} - {"config"}
    values = {name: value for name, value in read_config(path).items() if name not in known}
    return _said(dataset, words_of(path, values, options, places), f"--config {path}: ")


def read_words(dataset: Dataset, argv: Sequence[str] | None) -> tuple[Parser, argparse.Namespace, set[str]]:
    """All options with their values, and which of them were said by somebody."""
    said = _said(dataset, argv)
    parser = make_parser(dataset)
    if (path := said.get("config")) is not None:
        try:
            said = _configured(dataset, path, said) | said
        except UsageError as error:
            parser.error(str(error))
    # Nothing of what is so by default is a mistake.
    chosen = parser.parse_args([])
    for name, value in said.items():
        setattr(chosen, name, value)
    return parser, chosen, set(said)


# -- identities ----------------------------------------------------------------------------------------------


def pair(parser: Parser, proxies: Sequence[str], cookies: Sequence[Path | str]) -> tuple[Identity, ...]:
    """The identities that --proxy and --cookies name, in order; a text among the cookies is a browser."""
    if proxies and cookies and len(proxies) != len(cookies):
        parser.error(f"{len(proxies)} --proxy and {len(cookies)} --cookies cannot be paired: give as many of each")
    count = max(len(proxies), len(cookies), 1)
    pairs = tuple(
        _identity(proxies[n] if proxies else None, cookies[n] if cookies else None) for n in range(count)
    )
    if len(set(pairs)) < count:
        parser.error("the same --proxy and --cookies are given twice")
    return pairs


def _identity(proxy: str | None, cookies: Path | str | None) -> Identity:
    if isinstance(cookies, str):
        return Identity(proxy, browser=cookies)
    return Identity(proxy, cookies)


def _proxies_in(parser: Parser, path: Path) -> list[str]:
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
    named = {name: getattr(chosen, f"{name}_col", None) for name in COLUMNS}
    return Columns(**named, keep=tuple(getattr(chosen, "keep_cols", ())))


def _listed(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _see_shards(parser: Parser, output_format: str, engine: str, said: set[str]) -> None:
    """Complain of what somebody asked for and nothing would come of; also where it is what is so by default."""
    if output_format == "files" and "samples_per_shard" in said:
        parser.error("--samples-per-shard goes with --output-format webdataset or parquet")
    if engine != "spark" and "spark_master" in said:
        parser.error("--spark-master goes with --engine spark")


def read_settings(dataset: Dataset, argv: Sequence[str] | None) -> tuple[Settings, argparse.Namespace]:
    """What ``argv`` asks for; ends the process with code 2 where it cannot be meant."""
    parser, chosen, said = read_words(dataset, argv)
    looks = chosen.status or chosen.verify
    if "list" in dataset.options and not chosen.list and not looks:
        where = "" if chosen.config is None else f' (in {chosen.config}: list = "my_list.csv")'
        parser.error(f"LIST is missing: the file that names the clips, or addresses and ids themselves{where}")
    if chosen.repair and not chosen.verify:
        parser.error("--repair goes with --verify")
    asked = settings = with_fit(_settings(dataset, parser, chosen))
    if looks:
        try:
            settings = remembered(settings, _fields(said))
        except RunError as error:
            parser.error(f"{error}; {error.hint}" if error.hint else str(error))
        asked = replace(asked, output_format=settings.output_format)
        if "list" in dataset.options and not settings.clip_list and chosen.verify:
            parser.error(f"LIST is missing: {settings.data_dir} does not know of one")
    if words := at_odds(asked, as_option):
        parser.error(words)
    _see_shards(parser, asked.output_format, asked.engine, said)
    return settings, chosen


# Options whose settings are called otherwise, or make one together with others.
_OF_OPTIONS = {"list": "clip_list", "v2": "splits", "strong": "splits", "keep_cols": "columns"}


def _fields(said: set[str]) -> set[str]:
    """The settings that the options said by somebody decide."""
    columns = {f"{name}_col" for name in COLUMNS}
    return said | {"columns" if name in columns else _OF_OPTIONS.get(name, name) for name in said}


# Options of all datasets that are settings by the same name.
_OF_ALL = (
    "data_dir workers rate_limit retry_attempts sleep quality max_clips media cut encode fps size fit "
    "frame video_format audio_format audio_rate audio_channels videos_per_hour state_dir give_up_after "
    "min_free max_whole_file check flags allow_silent allow_mixed ffmpeg output_format output "
    "samples_per_shard engine spark_master wandb quiet metrics_file report"
).split()


def _settings(dataset: Dataset, parser: Parser, chosen: argparse.Namespace) -> Settings:
    if chosen.workers is None:
        chosen.workers = 1 if chosen.engine == "spark" else 4
    try:
        share = chosen.part or (None if chosen.engine == "spark" else partition_of(os.environ))
    except ValueError as error:
        parser.error(str(error))
    proxies = [*chosen.proxy, *(_proxies_in(parser, chosen.proxy_file) if chosen.proxy_file else [])]
    identities = pair(parser, proxies, chosen.cookies)
    some = {name: getattr(chosen, name) for name in _AS_THEY_ARE if hasattr(chosen, name)}
    some |= {name: _listed(getattr(chosen, name, ())) for name in ("labels", "subtitles")}
    return Settings(
        splits=_splits(dataset, chosen),
        retry_failed=None if chosen.retry_failed is None else tuple(chosen.retry_failed),
        identities=identities,
        ytdlp_args=chosen.yt_dlp_args,
        archives=tuple(chosen.archives),
        part=share,
        clip_list=tuple(getattr(chosen, "list", ()) or ()) or None,
        columns=_columns(chosen),
        **{name: getattr(chosen, name) for name in _OF_ALL},
        **some,
    )

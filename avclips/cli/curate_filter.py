"""``avclips curate filter METADATA``: drop videos by what their metadata say."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from ..core.errors import UsageError
from ..core.extras import extras
from ..core.signals import Signals
from ..progress.console import say
from .arguments import seconds
from .curate_arguments import add_data_dir, add_dry_run, add_processes

NEEDS = {"py3langid": "a text's language is told", "snowballstemmer": "keywords are found in any of their forms"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument(
        "metadata",
        metavar="METADATA",
        help="ID or address, a tab and an object, as ACAV100M's metadata.tsv (.gz, .zst, .bz2, .xz); lines of "
        "yt-dlp -j; or a data folder with info/ID.json, as --info writes them",
    )
    add_data_dir(parser)
    parser.add_argument(
        "--min-seconds", type=seconds, default=30.0, metavar="S", help="least length (%(default)g)"
    )
    parser.add_argument("--max-seconds", type=seconds, default=597.0, metavar="S", help="most (%(default)g)")
    parser.add_argument(
        "--languages", type=_words, metavar="A,B", help="of title and description (en,es,pt,ru,ja,fr,de,ko)"
    )
    parser.add_argument(
        "--drop-categories", type=_words, default=("gaming",), metavar="A,B", help="YouTube's names (gaming)"
    )
    parser.add_argument(
        "--keywords",
        action="append",
        default=[],
        metavar="[RULE=]FILE",
        help="keywords of a rule, a line each, in place of ours; of a rule of another name: one more rule",
    )
    parser.add_argument(
        "--rules", type=_words, metavar="A,B", help="the rules that are asked, in this order; all by default"
    )
    parser.add_argument(
        "--compat",
        choices=["acav"],
        help="repeat the original's faults: unstemmed keywords and the like",
    )
    add_processes(parser)
    add_dry_run(parser)


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Filter, and print what each rule drops."""
    from ..curate import filter, metadata_source, rules
    from ..curate.folders import stage_folder

    chosen = dict(rules.shipped_keywords())
    added = []
    for word in options.keywords:
        name, _, path = word.rpartition("=")
        rule, found = rules.read_keywords(Path(path), name)
        chosen[rule] = found
        added += [rule] if rule not in rules.RULES else []
    asked = options.rules or (*rules.RULES, *added)
    rules.see_rules(asked, chosen)
    if options.min_seconds > options.max_seconds:
        raise UsageError(f"--min-seconds {options.min_seconds:g} is above --max-seconds {options.max_seconds:g}")
    needs = dict(NEEDS)
    if "language" not in asked:
        del needs["py3langid"]
    extras(needs)
    settings = rules.FilterSettings(
        rules=asked,
        seconds=(options.min_seconds, options.max_seconds),
        languages=options.languages or rules.LANGUAGES,
        categories=options.drop_categories,
        keywords=tuple((rule, words) for rule, words in chosen.items() if rule in asked),
        compat=options.compat == "acav",
    )
    source = metadata_source.find(options.metadata)
    if options.dry_run:
        counts = filter.try_out(source, settings)
        say(f"Of the first {counts.rows:,} rows; nothing was written.")
    else:
        folder = stage_folder(options.data_dir, "filter")
        counts = filter.run(source, settings, folder, options.processes)
    for line in _told(filter.table(settings, counts), counts.rows, counts.kept):
        say(line, matters=True)
    return 0


def _told(table: list[dict[str, object]], rows: int, kept: int) -> Iterator[str]:
    yield f"{'reason':<16}{'in order':>12}{'alone':>12}"
    for line in table:
        alone = f"{line['alone'] or 0:,}" if line["alone"] is not None else "-"
        yield f"{line['reason']:<16}{line['in_order']:>12,}{alone:>12}"
    yield f"{rows:,} rows: {kept:,} kept, {rows - kept:,} dropped"


def _words(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(word.strip().lower() for word in text.split(",") if word.strip()))
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} names nothing")
    return found

"""``avclips curate select``: choose the clips whose clusters of sound and of picture say most about each other."""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.errors import RunError, UsageError
from ..core.redact import plain
from ..core.signals import Signals
from ..curate.folders import stage_folder
from ..curate.record import Record, begin, finish, finished, read, versions_of
from ..curate.select.method import ACAV, How, Method
from ..curate.select.pairs import MEANING, PAIRINGS
from ..progress.bar import Progress
from .arguments import whole_number
from .curate_arguments import add_data_dir, add_dry_run

if TYPE_CHECKING:
    from ..curate.select.choose import Selection

_BATCH, _TAKE = Method().batch, Method().take


class Keep(NamedTuple):
    """``value``: a share (float) or a number of clips (int); ``said``: as the user wrote it."""

    value: float | int
    said: str


def keep(text: str) -> Keep:
    """``0.2`` and ``20%``: a share; ``5000``: a number of clips. 1.0 and 100% are all."""
    if re.fullmatch(r"[0-9]{1,10}", text) and int(text):
        return Keep(int(text), text)
    number = text.removesuffix("%")
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,12})?|\.[0-9]{1,12}", number):
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a share such as 0.2 or 20%, nor a number such as 5000"
        )
    share = float(number) / 100 if number != text else float(number)
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no share: above 0 and up to 1.0, or a whole number of clips"
        )
    return Keep(share, text)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_data_dir(parser)
    parser.add_argument(
        "--keep",
        type=keep,
        default="0.2",
        metavar="SHARE",
        help="a share (0.2, 1.0 is all) or a number (%(default)s)",
    )
    said = "; ".join(f"{name}: {MEANING[name]}" for name in PAIRINGS)
    parser.add_argument("--pairs", choices=PAIRINGS, help=f"which layers are compared: {said} (bipartite)")
    parser.add_argument(
        "--rounds",
        type=whole_number(1),
        metavar="N",
        help="the clips with the least scores are left out in so many rounds, scored anew in each: with fewer, "
        "more of the clips are right, and they may be of fewer kinds (1)",
    )
    parser.add_argument(
        "--greedy",
        action="store_true",
        help="as the original: clip by clip, by what each adds to the mutual information of those before",
    )
    parser.add_argument(
        "--batch", type=whole_number(1), metavar="N", help=f"of --greedy: clips a step draws at random ({_BATCH})"
    )
    parser.add_argument(
        "--take", type=whole_number(1), metavar="N", help=f"of which so many, that add most, are taken ({_TAKE})"
    )
    parser.add_argument(
        "--exact",
        action="store_true",
        help="as --greedy, but each step takes the best of all; for up to some 100,000 clips",
    )
    parser.add_argument(
        "--compat", choices=["acav"], help="as ACAV100M's: --greedy --pairs combination --batch 20 --take 4"
    )
    parser.add_argument("--seed", type=whole_number(0), default=0, metavar="N", help="of all that is drawn (0)")
    parser.add_argument("--assignments", type=Path, metavar="DIR", help="what cluster left (DIR/curation/cluster)")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where it goes (DIR/curation/select)")
    add_dry_run(parser)


def method_of(options: argparse.Namespace) -> Method:
    """How clips are chosen, as the options say. UsageError where they contradict each other."""
    names = ("pairs", "rounds", "batch", "take")
    told = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if options.compat and (told or options.exact or options.greedy):
        words = [*told, *(name for name in ("exact", "greedy") if getattr(options, name))]
        raise UsageError(f"--compat acav sets --{', --'.join(words)} itself", "name one or the other")
    if options.exact and (options.greedy or {"batch", "take"} & told.keys()):
        raise UsageError("--exact looks at all clips", "leave out --greedy, --batch and --take")
    if {"batch", "take"} & told.keys() and not options.greedy:
        raise UsageError("--batch and --take are of --greedy", "add --greedy, or leave them out")
    if "rounds" in told and (options.greedy or options.exact):
        raise UsageError("--rounds leave clips out, where --greedy and --exact add them", "name one or the other")
    if options.compat:
        return replace(ACAV, seed=options.seed)
    how: How = "exact" if options.exact else "greedy" if options.greedy else "backward"
    return Method(how=how, seed=options.seed, **told)


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Choose, write, and say how much the sounds say about the pictures; returns 0."""
    from ..curate.assignments import opened
    from ..curate.select.choose import choose, how_many, warnings

    method = method_of(options)
    source = options.assignments or stage_folder(options.data_dir, "cluster")
    folder = options.output or stage_folder(options.data_dir, "select")
    layers, labels, ids = opened(source)
    made = read(source)
    if made is None:
        raise RunError(f"{source} does not say what clustering made it", "avclips curate cluster does")
    if not len(labels):
        raise RunError(f"{source} holds no clip", "see what features and cluster say of the clips")
    count = how_many(options.keep.value, len(labels))
    settings = {"keep": count, **method.settings()}
    record = Record(
        "select",
        settings,
        {"cluster": made.fingerprint()},
        versions_of("numpy", "numba"),
        {"keep": options.keep.said},
    )
    if options.dry_run:
        print(f"{count:,} of {len(labels):,} clips would be kept, in {folder}")
        return 0
    begin(folder, record)
    done = finished(folder)
    if done is not None:
        print(plain(f"{folder} is finished: {done['selected']:,} of {done['clips']:,} clips, MI {done['mi']:.3f}"))
        return 0
    for line in warnings(layers, count):
        print(f"warning: {line}")
    with Progress("selecting", count, "clip") as bar:
        selection = choose(layers, labels, count, method, bar.step)
    _leave(folder, selection, ids, len(labels), settings)
    for line in lines(selection, len(labels), folder):
        print(plain(line))
    return 0


def _leave(folder: Path, selection: Selection, ids: Any, clips: int, settings: dict[str, Any]) -> None:
    from ..curate.select import output

    last = selection.curve[-1]
    counts = {"clips": clips, "selected": last.clips, "mi": last.mi, "random_mi": last.random}
    output.write(folder, selection, ids, {**counts, **settings})
    finish(folder, counts)


def lines(selection: Selection, clips: int, folder: Path) -> list[str]:
    """What is said at the end."""
    from ..curate.select import output

    last = selection.curve[-1]
    said = [
        f"{last.clips:,} of {clips:,} clips are selected: mutual information {last.mi:.3f} nats, "
        f"of as many at random {last.random:.3f}",
        f"{folder / output.SELECTED} has their ids, ranks, gains and scores; {output.CURVE} the course",
    ]
    if last.mi < last.random:
        said.append("warning: less than at random: the clips are of few kinds, which --rounds 20 or --greedy vary")
    return said

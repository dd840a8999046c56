"""``avclips curate evaluate probe``: linear probes on features of clips with labels."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.errors import UsageError
from ..core.redact import plain
from ..core.signals import Signals
from ..curate.folders import see_that_it_can_be_made, stage_folder
from ..progress.bar import Progress
from .arguments import whole_number
from .curate_arguments import add_data_dir


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_data_dir(parser)
    parser.add_argument("--features", type=Path, metavar="DIR", help="what features left (DIR/curation/features)")
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="CSV with columns id, label and perhaps fold (any names, or train and test); without it, the first "
        "label of each clip in the folder's own list",
    )
    parser.add_argument(
        "--folds", type=whole_number(2), metavar="N", help="drawn here where the labels name none (5)"
    )
    parser.add_argument(
        "--ids", type=Path, metavar="FILE", help="only these clips, an id a line, as export's ids.txt"
    )
    parser.add_argument("--each-layer", action="store_true", help="each layer alone as well")
    parser.add_argument("--seed", type=whole_number(0), default=0, metavar="N", help="of the folds (%(default)s)")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="where it goes (DIR/curation/evaluate; with --ids in a folder of that name)",
    )


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Probe, write what was found, and print the table; returns 0."""
    from ..curate.evaluate import labelled, probe, report
    from ..curate.features.stage import opened

    output = options.output or stage_folder(options.data_dir, "evaluate")
    if options.ids and not options.output:
        # Beside what all clips gave, to be compared with it.
        output /= options.ids.stem
    see_that_it_can_be_made(output)
    given = labelled.read_labels(options.labels) if options.labels else None
    if given and given.fold is not None and options.folds:
        raise UsageError(f"{options.labels} has folds of its own", "leave out --folds")
    folder = options.features or stage_folder(options.data_dir, "features")
    ids = labelled.read_ids(options.ids) if options.ids else None
    data = labelled.of_features(folder, given, ids)
    for line in labelled.passed_over(folder, given, ids):
        print(plain(f"warning: {line}"))
    folds = options.folds or 5
    count = len(data.sides()) + (len(data.layers) if options.each_layer else 0)
    parts = len(list(probe.splits(data, folds, options.seed)))
    with Progress("probes", count * parts, "probe") as bar:
        found = probe.probe(data, folds, options.seed, options.each_layer, bar.step)
    title = options.data_dir.name or str(options.data_dir)
    if options.ids:
        title += f", the clips of {options.ids.name}"
    _, made = opened(folder)
    settings = {
        "seed": options.seed,
        "features": made.fingerprint(),
        "extractors": made.settings.get("extractors"),
    }
    written = report.write(output, title, data, found, settings)
    for line in report.table_of(title, data, found):
        print(plain(line))
    print()
    print(plain(f"{', '.join(path.name for path in written)} are in {output}"))
    return 0

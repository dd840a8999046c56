"""``avclips curate status``: how far each stage is, by what its folder says."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from ..catalog import samples
from ..core.errors import RunError, UsageError
from ..core.files import read_json
from ..core.redact import plain
from ..core.signals import Signals
from ..curate.clip_set import CLIPS, clips_digest
from ..curate.folders import CURATION, stage_folder
from ..curate.record import OTHER, finished, read
from .curate_arguments import add_data_dir

# The stages that `run` does, in their order; each of them is told of, begun or not.
_IN_ORDER = ("filter", "download", "segment", "features", "cluster", "select", "export")
# Those besides, of `evaluate pretrain`: told of where they were begun.
_BESIDES = ("tensors", "pretrain")
# Of `evaluate probe`, which leaves no record of itself.
_EVALUATE, _PROBE = "evaluate", "probe"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_data_dir(parser)


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Print a line a stage."""
    if not (options.data_dir / CURATION).is_dir():
        raise UsageError(f"nothing was curated in {options.data_dir}", "avclips curate run --help says how")
    for line in lines(options.data_dir):
        print(plain(line))
    return 0


def lines(data_dir: Path) -> Iterator[str]:
    """What is said of each stage of a folder."""
    stale: set[str] = set()
    # A digest of millions takes minutes: it is made once, and where a stage needs it.
    digest = functools.cache(lambda: clips_digest(functools.partial(samples, data_dir))[0])
    for stage in (*_IN_ORDER, *_BESIDES):
        folder = stage_folder(data_dir, stage)
        made, counts = read(folder), finished(folder)
        if made is None:
            if stage in _IN_ORDER:
                yield f"{stage:<9} not begun"
            continue
        said = "begun, not finished"
        if counts is not None:
            plain_counts = {name: value for name, value in counts.items() if not isinstance(value, dict)}
            told = (f"{name.replace('_', ' ')} {_number(value)}" for name, value in plain_counts.items())
            said = f"finished: {', '.join(told)}"
        of_others = list(_of_another(data_dir, made.inputs, stale))
        if CLIPS in made.inputs:
            of_others += _of_other_clips(made.inputs[CLIPS], digest)
        if of_others:
            stale.add(stage)
        yield f"{stage:<9} {'; '.join([said, *of_others])}"
    yield from _probes(data_dir, stale)


def _of_other_clips(before: str, digest: Callable[[], str]) -> Iterator[str]:
    """What is said of a stage that was made from other clips than there are now."""
    try:
        if digest() != before:
            yield f"of {OTHER[CLIPS]}"
    except RunError as error:
        yield f"the clips that it was made from cannot be read: {error}"


def _of_another(data_dir: Path, inputs: Mapping[str, str], stale: Collection[str]) -> Iterator[str]:
    """What is said of a stage that was not made from what the stage before it has now, or would make now."""
    for name, fingerprint in inputs.items():
        if name not in (*_IN_ORDER, *_BESIDES):
            continue
        folder = stage_folder(data_dir, name)
        before = read(folder)
        if before is None:
            yield f"what it was made from is not in {folder}"
        elif before.fingerprint() != fingerprint:
            yield f"of {OTHER[name]} than {folder} has"
        elif name in stale:
            yield f"{folder}, which it was made from, is to be made anew first"


def _probes(data_dir: Path, stale: Collection[str]) -> Iterator[str]:
    """What is said of probes: of all clips, and of those of --ids in a folder of their own."""
    folder = stage_folder(data_dir, _EVALUATE)
    for path in (*folder.glob("probe.json"), *sorted(folder.glob("*/probe.json"))):
        said = read_json(path, "delete it: avclips curate evaluate probe makes it anew")
        if not isinstance(said, dict) or not isinstance(features := said.get("features"), str):
            raise RunError(f"{path} does not say what was probed", "delete it: the next probe makes it anew")
        of_others = _of_another(data_dir, {"features": features}, stale)
        name = "" if path.parent == folder else f" of {path.parent.name}"
        told = f"finished{name}: clips {_number(said.get('clips'))}"
        yield f"{_PROBE:<9} {'; '.join([told, *of_others])}"


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)

"""run.json of a stage: what made the files beside it, so that a stage goes on with its own and no others.

A stage's folder holds what was made with one set of settings, of one input. Another set is refused. done.json
stands beside run.json once the stage is finished.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .. import __version__
from ..core.errors import RunError, UsageError
from ..core.files import UNFINISHED, read_json, write_json
from .folders import see_that_it_can_be_made

FILE = "run.json"
# Written last: what a finished stage counts.
DONE = "done.json"
# What is said of an input that is another than before.
OTHER = {
    "metadata": "other metadata",
    "kept": "another list of kept videos",
    "clips": "other clips than are here now",
    "features": "other features",
    "cluster": "another clustering",
    "select": "another selection",
    "tensors": "other tensors",
    "selection": "another selection",
    "labels": "other labels",
    "probe": "other clips to measure on",
}
# The stages whose folder an option names.
WITH_OUTPUT = ("select", "export", "pretrain")
# Letters of two values of a setting, up to which they are said.
_LONGEST = 120
# Within a stage's folder: what is put together once all of it is there; and a file of each of several runs.
PARTS, RUNS = "parts", "runs"
# Names as core.files gives them to what is being made.
_LEFT = re.compile(rf"\..+-[0-9]+(?:\.tmp|{re.escape(UNFINISHED)})")


@dataclass(frozen=True)
class Record:
    """What a stage's files were made with.

    ``settings``: whatever changes a byte of them, the seed among them. ``inputs``: the fingerprint of each input,
    by what it is called. ``versions``: of the libraries that computed, for people; others are not refused.
    ``said``: settings as the user wrote them, where they are written otherwise: "0.5" of the clips, which are 400.
    """

    stage: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    versions: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """The same for the same stage, settings and inputs: what the next stage has as its input's."""
        told = json.dumps([self.stage, dict(self.settings), dict(self.inputs)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def versions_of(*packages: str) -> dict[str, str]:
    """The installed version of each package, and our own."""
    found = {"avclips": __version__}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def begin(folder: Path, record: Record) -> None:
    """Say what ``folder`` is made with; UsageError where it was begun with something else, or is another's.

    What killed runs left unfinished in it is removed: a stage has one run at a time, and begins here.
    """
    before = read(folder)
    if before is None:
        _see_that_it_is_empty(folder, record.stage)
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        write_json(folder / FILE, asdict(record) | {"fingerprint": record.fingerprint()})
        return
    if before.fingerprint() != record.fingerprint():
        raise _refused(folder, before, record)
    _sweep(folder)


def foresee(folder: Path, record: Record) -> None:
    """Refuse what ``begin`` would by the settings alone, before the inputs are known; nothing is written."""
    see_that_it_can_be_made(folder)
    before = read(folder)
    if before is None:
        _see_that_it_is_empty(folder, record.stage)
        return
    record = replace(record, inputs=before.inputs)
    if before.fingerprint() != record.fingerprint():
        raise _refused(folder, before, record)


def _refused(folder: Path, before: Record, record: Record) -> UsageError:
    """What ``folder`` was begun with, where that is not ``record``."""
    if before.stage != record.stage:
        said = f"{folder} is the folder of the stage {before.stage}, not of {record.stage}"
        return UsageError(said, "name another folder")
    other = _other_inputs(before, record) + _differing(before, record)
    aside = ", name another --output" if record.stage in WITH_OUTPUT else ""
    return UsageError(
        f"{folder} was made by another run: {'; '.join(other)}",
        f"name the same settings{aside}, or delete that folder: the next run makes it anew",
    )


def _see_that_it_is_empty(folder: Path, stage: str) -> None:
    """UsageError where a folder that no run began has files in it: a stage would write over those of its names."""
    others = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    if seen := [name for name in others if not name.startswith(".")]:
        hint = "name a new folder with --output" if stage in WITH_OUTPUT else "move it away, or delete it"
        raise UsageError(f"{folder} has no {FILE}, and is not empty: it has {seen[0]}", hint)


def _sweep(folder: Path) -> None:
    """Remove what killed runs left. Nothing else goes: with --output, the folder may have others' files in it."""
    for place in (folder, folder / PARTS, folder / RUNS):
        for left in place.iterdir() if place.is_dir() else ():
            if _LEFT.fullmatch(left.name):
                left.unlink(missing_ok=True)


def read(folder: Path) -> Record | None:
    """What a folder was made with; None where there is no run.json. RunError where it is none."""
    path = folder / FILE
    if not path.exists():
        return None
    hint = f"if {folder} is of avclips curate, delete it: the next run makes it anew"
    said = read_json(path, hint)
    try:
        stage, *parts = (said[name] for name in ("stage", "settings", "inputs"))
        parts += (said.get(name, {}) for name in ("versions", "said"))
        if not all(isinstance(part, dict) for part in parts):
            raise TypeError
        return Record(stage, *parts)
    except (KeyError, TypeError):
        raise RunError(f"{path} does not say what a run made", hint) from None


def finish(folder: Path, counts: Mapping[str, Any]) -> None:
    """Say that a stage is finished, and what it counts, such as {"rows": 10, "kept": 4}: for `status`."""
    write_json(folder / DONE, dict(counts))


def finished(folder: Path) -> dict[str, Any] | None:
    """What a finished stage counts; None where it is not finished. RunError where that cannot be read."""
    if not (folder / DONE).exists():
        return None
    said = read_json(folder / DONE, f"delete {folder}: the next run makes it anew")
    if not isinstance(said, dict):
        raise RunError(f"{folder / DONE} does not say what a stage counts", f"delete {folder}")
    return said


def _other_inputs(before: Record, now: Record) -> list[str]:
    """In words: nobody gave a fingerprint."""
    names = sorted(before.inputs.keys() | now.inputs.keys())
    return [
        f"of {OTHER.get(name, f'another {name}')}"
        for name in names
        if before.inputs.get(name) != now.inputs.get(name)
    ]


def _differing(one: Record, other: Record) -> list[str]:
    """Which settings differ: those that both have; where there is none, those that one of them has."""
    # As JSON has them: a tuple comes back as a list.
    before, now = (dict(_flat(json.loads(json.dumps(dict(each.settings))))) for each in (one, other))
    both = [name for name in sorted(before.keys() & now.keys()) if before[name] != now[name]]
    # As the user wrote them, where both folders know that. What was written alike differs for what is beside it.
    was, now_is = (
        settings | {name: _Words(each.said[name]) for name in one.said.keys() & other.said.keys()}
        for each, settings in ((one, before), (other, now))
    )
    both = [name for name in both if was[name] != now_is[name]] or both
    return [_told(name, was.get(name), now_is.get(name)) for name in both or sorted(before.keys() ^ now.keys())]


class _Words(str):
    """Said without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def _flat(settings: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """Each setting by its name; what is within another, as "training.epochs"."""
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{within}{name}.")
        else:
            yield f"{within}{name}", value


def _told(name: str, before: Any, now: Any) -> str:
    was, new = ("not set" if each is None else repr(each) for each in (before, now))
    # Lists of keywords, or of layers, are no message.
    return f"{name} was {was}, now {new}" if len(was) + len(new) <= _LONGEST else f"{name} was another"

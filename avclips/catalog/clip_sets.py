"""Sets of clips that are compared: out of coverage.json files, data folders and outputs of shards."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import RunError
from ..core.files import is_local, read_json
from .clip_table import CSV
from .coverage import FILE, NO_SPLIT, Coverage, hash_of
from .folder import DataFolder, look_into
from .qa import KnownClip, count_questions, has_questions
from .sample import Sample
from .source import Source, is_data_folder, samples, samples_of

# What the clips of all splits together are called, beside the splits.
TOTAL = "total"
_HINT = "avclips coverage DIR makes it anew"


@dataclass
class ClipSet:
    """The clips that are done somewhere, by split; ``name``: where, for people."""

    name: str
    dataset: str
    splits: dict[str, set[str]] = field(default_factory=dict)

    @property
    def ids(self) -> set[str]:
        """Those of all splits."""
        return set().union(*self.splits.values())

    def of(self, splits: Iterable[str]) -> set[str]:
        """Those of some splits, of all where none is named; RunError where one is none."""
        wanted = list(splits)
        for split in wanted:
            if split not in self.splits:
                known = ", ".join(sorted(self.splits)) or "none"
                raise RunError(f"{self.name} has no split {split!r}", f"its splits: {known}")
        return set().union(*(self.splits[split] for split in wanted)) if wanted else self.ids


def coverage_of(source: Source) -> Coverage:
    """The coverage of a data folder or an output of shards, as it is now. RunError."""
    if is_data_folder(source):
        folder = look_into(Path(source))
        return count(samples_of(folder), folder)
    coverage = count(samples(source))
    coverage.unknown = _of_unfinished_shards(str(source), coverage.total.clips)
    return coverage


def count(found: Iterable[Sample], folder: DataFolder | None = None) -> Coverage:
    """The coverage of these clips; ``folder``: of whose list they are, where that is known."""
    coverage = Coverage(folder.dataset.name, folder.dataset.title) if folder else Coverage("")
    asked = folder is not None and has_questions(folder.dataset.name)
    known: dict[str, KnownClip] = {}
    for sample in found:
        coverage.dataset = coverage.dataset or sample.dataset
        coverage.title = coverage.title or sample.dataset
        coverage.add(sample)
        if asked:
            known[sample.id] = KnownClip(sample.status, None, {})
    if folder is not None and asked:
        coverage.questions = count_questions(folder, known)
    return coverage


def _of_unfinished_shards(source: str, known: int) -> int:
    """How many clips of an output's list are in none of its finished shards."""
    from .of_shards import open_shards

    clips = (open_shards(source).planned() or {}).get("clips")
    return max(0, clips - known) if isinstance(clips, int) else 0


def read_coverage(path: Path) -> dict[str, Any]:
    """What a coverage.json says, or that of a folder. RunError where it is none."""
    path = path / FILE if path.is_dir() else path
    said = read_json(path, _HINT)
    try:
        right = said["version"] == 1 and all(
            isinstance(part["clips"], int) and isinstance(part["done"], int) and isinstance(part["hash"], str)
            for part in [*said["splits"].values(), said["total"]]
        )
    except (KeyError, TypeError, AttributeError):
        right = False
    if not right:
        raise RunError(f"{path} says nothing of coverage that this version knows", _HINT)
    return dict(said)


def clip_set(source: Source) -> ClipSet:
    """The clips that are done: by a coverage.json, or of a folder or an output as it is now. RunError."""
    if is_local(source) and Path(source).is_file():
        return _of_file(Path(source))
    return set_of(str(source), count(samples(source)))


def set_of(name: str, coverage: Coverage) -> ClipSet:
    """The clips that are done, of a coverage that was counted; ``name``: where, for people."""
    return ClipSet(name, coverage.dataset, {split: set(part.done) for split, part in coverage.splits.items()})


def _of_file(path: Path) -> ClipSet:
    said = read_coverage(path)
    if "ids_in" in said:
        splits = _of_table(path.with_name(CSV), path)
    else:
        splits = {split: set(part.get("ids") or ()) for split, part in said["splits"].items()}
    for split, part in said["splits"].items():
        if hash_of(splits.get(split, ())) != part["hash"]:
            raise RunError(f"{path}: the ids of {split} are not those of its hash", _HINT)
    return ClipSet(str(path), str(said.get("dataset")), splits)


def _of_table(path: Path, coverage: Path) -> dict[str, set[str]]:
    """The clips of a list that is too long for its coverage.json, out of the table beside it."""
    if not path.is_file():
        raise RunError(f"{coverage} has no ids: they are in {path}, which is not there", "copy it beside it")
    splits: dict[str, set[str]] = {}
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                for split in json.loads(row["splits"]) or (NO_SPLIT,):
                    part = splits.setdefault(split, set())
                    if row["status"] == "done":
                        part.add(row["id"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, csv.Error) as error:
        raise RunError(f"{path} cannot be read: {error}", "avclips tables DIR writes it anew") from error
    return splits


def common(sets: Iterable[ClipSet]) -> dict[str, set[str]]:
    """The clips that all sets have, by the splits that all of them have, and TOTAL of all clips."""
    first, *others = list(sets)
    found = {
        split: ids.intersection(*(each.splits[split] for each in others))
        for split, ids in first.splits.items()
        if all(split in each.splits for each in others)
    }
    return {**found, TOTAL: first.ids.intersection(*(each.ids for each in others))}

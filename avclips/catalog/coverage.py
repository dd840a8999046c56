"""How much of a dataset is here: of each split n of N, why the rest is not, and a hash of the set that is.

The hash of a set of clips is the SHA-256 of their ids in UTF-8, sorted by code points, each with a newline behind:
``sort`` in the C locale and ``sha256sum`` make the same of a list of ids. Two evaluations with the same hash were
done on the same clips.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .of_folder import GONE
from .sample import Sample

FILE = "coverage.json"
VERSION = 1
# What clips are counted under whose list knows no splits.
NO_SPLIT = "all"
# Reasons of clips that did not fail: no run has tried them yet, or their files were taken away.
UNTRIED, LOST = "untried", "files_gone"
# Of more clips than these, the ids stand in clips.csv alone: coverage.json is for people, too.
MOST_IDS = 500_000


def hash_of(ids: Iterable[str]) -> str:
    """The hash of a set of clips, in hex; the order of ``ids`` does not matter, and each counts once."""
    digest = hashlib.sha256()
    for clip_id in sorted(set(ids)):
        digest.update(clip_id.encode("utf-8", "backslashreplace") + b"\n")
    return digest.hexdigest()


@dataclass
class Part:
    """One split. ``seconds``: the real length of the clips that are done; ``missing``: ids by reason."""

    done: list[str] = field(default_factory=list)
    seconds: float = 0.0
    missing: dict[str, list[str]] = field(default_factory=dict)

    @property
    def clips(self) -> int:
        """How many the list has."""
        return len(self.done) + sum(map(len, self.missing.values()))

    def as_json(self, ids: bool) -> dict[str, Any]:
        """``ids``: with those of all clips."""
        why = sorted(self.missing.items(), key=lambda each: (-len(each[1]), each[0]))
        said: dict[str, Any] = {
            "clips": self.clips,
            "done": len(self.done),
            "hours": round(self.seconds / 3600, 4),
            "reasons": {reason: len(found) for reason, found in why},
            "hash": hash_of(self.done),
        }
        if ids:
            said |= {"ids": sorted(self.done), "missing": {reason: sorted(found) for reason, found in why}}
        return said


def reason_of(sample: Sample) -> str:
    """Why a clip is not here."""
    if sample.status == "failed":
        return sample.reason
    return LOST if sample.error == GONE else UNTRIED


class Coverage:
    """What of a list is here, clip by clip as it is gone through."""

    def __init__(self, dataset: str, title: str = "") -> None:
        self.dataset = dataset
        self.title = title or dataset
        self.splits: dict[str, Part] = {}
        self.total = Part()
        # Of datasets of questions: by split, how many there are, and how many of them have their clip.
        self.questions: dict[str, tuple[int, int]] = {}
        # Clips of shards that are not finished, of which nobody knows the ids.
        self.unknown = 0

    def add(self, sample: Sample) -> None:
        """Count a clip: in each of its splits, and once in all."""
        parts = [self.splits.setdefault(split, Part()) for split in sample.splits or (NO_SPLIT,)]
        for part in (*parts, self.total):
            if sample.status == "done":
                part.done.append(sample.id)
                part.seconds += float(sample.facts.get("duration") or 0.0)
            else:
                part.missing.setdefault(reason_of(sample), []).append(sample.id)

    def as_json(self) -> dict[str, Any]:
        """What coverage.json says."""
        ids = self.total.clips <= MOST_IDS
        said: dict[str, Any] = {"version": VERSION, "dataset": self.dataset, "title": self.title}
        said["splits"] = {split: part.as_json(ids) for split, part in self.splits.items()}
        said["total"] = self.total.as_json(ids=False)
        if not ids:
            said["ids_in"] = "clips.csv"
        if self.unknown:
            said["clips_of_unfinished_shards"] = self.unknown
        if self.questions:
            said["questions"] = {
                split: {"questions": count, "with_clip": here} for split, (count, here) in self.questions.items()
            }
        return said


def line_of(said: Mapping[str, Any]) -> str:
    """One line of a coverage, as the end of a run says it."""
    total = said["total"]
    return f"Coverage: {share_of(total)}, {hours_of(total)} hours; the set is {total['hash'][:12]} ({FILE})."


def share_of(part: Mapping[str, Any]) -> str:
    """ "38012 of 40425 clips (94.0%)"."""
    return f"{part['done']} of {part['clips']} clips ({percent_of(part)})"


def hours_of(part: Mapping[str, Any]) -> str:
    """How many hours the clips of a part are, as a table has them."""
    return f"{part['hours']:,.{1 if part['hours'] >= 10 else 2}f}"


def percent_of(part: Mapping[str, Any]) -> str:
    """ "94.0%": of a list without clips, 0.0%."""
    return f"{100 * part['done'] / (part['clips'] or 1):.1f}%"

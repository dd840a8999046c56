"""Which samples of a download go out, into which split, and how many of how many they are."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..catalog.sample import Sample
from ..core.errors import UsageError
from ..core.suggest import did_you_mean

# Told of each sample that was written.
Step = Callable[[Sample], object]


@dataclass
class Exported:
    """What an export made. ``clips``: how many of each split are in it, ``listed``: of how many.

    ``written``: files that this run made, ``kept``: those that were there and are the same. ``left_out``: clips
    that are done and are not in it, each with the reason; ``unknown``: ids that were asked for and name no clip.
    ``without``: clips that are not done, by the reason ("missing": never tried).
    """

    output: Path
    clips: Counter[str] = field(default_factory=Counter)
    listed: Counter[str] = field(default_factory=Counter)
    written: int = 0
    kept: int = 0
    left_out: dict[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    without: Counter[str] = field(default_factory=Counter)


class Chosen:
    """The samples that are asked for. ``splits``, ``ids``: none are all; UsageError: a split that none has.

    It may be gone through again and again; a source that is gone through once alone is kept in memory.
    """

    def __init__(
        self, samples: Iterable[Sample], splits: Sequence[str] = (), ids: Iterable[str] | None = None
    ) -> None:
        self._samples = list(samples) if isinstance(samples, Iterator) else samples
        self._splits = tuple(dict.fromkeys(splits))
        self._ids = None if ids is None else frozenset(ids)

    def done(self) -> Iterator[tuple[str, Sample]]:
        """Each sample that is done, once for each split that it is in; "" for one that is in none."""
        for sample in self._asked():
            if sample.status == "done":
                yield from ((split, sample) for split in self._splits_of(sample))

    def count(self, exported: Exported) -> Iterator[tuple[str, Sample]]:
        """The same, for the first time: what is there, and what is not, is counted."""
        known: set[str] = set()
        found: set[str] = set()
        for sample in self._asked():
            known.update(sample.splits)
            if self._ids is not None:
                found.add(sample.id)
            splits = self._splits_of(sample)
            exported.listed.update(splits)
            if sample.status == "done":
                yield from ((split, sample) for split in splits)
            elif splits:
                exported.without[sample.reason or sample.status] += 1
        for split in self._splits:
            if split not in known:
                have = f"it has {', '.join(sorted(known))}" if known else "it has none"
                raise UsageError(f"no clip is in a split {split!r}{did_you_mean(split, known)}", have)
        exported.unknown = tuple(sorted((self._ids or frozenset()) - found))

    def _asked(self) -> Iterator[Sample]:
        return (sample for sample in self._samples if self._ids is None or sample.id in self._ids)

    def _splits_of(self, sample: Sample) -> tuple[str, ...]:
        splits = sample.splits or ("",)
        return tuple(split for split in splits if not self._splits or split in self._splits)


def split_name(split: str, other: str = "train") -> str:
    """A split as file names and Hugging Face have it; ``other``: for clips that are in none."""
    return re.sub(r"\W", "_", split, flags=re.ASCII) or other


def see_names(splits: Iterable[str]) -> None:
    """UsageError where two splits would have files of the same names."""
    names: dict[str, str] = {}
    for split in splits:
        if (other := names.setdefault(split_name(split), split)) != split:
            raise UsageError(f"the splits {other!r} and {split!r} would be one", "export them apart: --splits")


def read_ids(path: Path) -> frozenset[str]:
    """The ids that a file names: one a line, or a JSON list. UsageError where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        found = json.loads(text) if text.lstrip().startswith("[") else text.splitlines()
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"the ids in {path} cannot be read: {error}", "one id a line, or a JSON list of ids"
        ) from error
    ids = frozenset(str(each).strip() for each in found) - {""}
    if not ids:
        raise UsageError(f"{path} names no clip", "one id a line, or a JSON list of ids")
    return ids

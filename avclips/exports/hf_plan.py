"""What an export to Hugging Face will hold: which rows are in which file, and what all columns are.

A first pass makes it, so that a second can write files that agree, and can leave alone what is there already.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..catalog.places import size
from ..catalog.sample import Sample
from ..shards.table_writer import MOST_BYTES
from .card import Span
from .chosen import Exported
from .columns import Columns, Question, Row, questions_of, row_of

# What each kind of file is called as a column, and what ``datasets`` decodes it as.
MEDIA = {"video": ("video", "Video"), "audio": ("audio", "Audio"), "frame": ("image", "Image")}


@dataclass
class File:
    """One parquet file to be: how many rows, bytes of media, and a digest of all that goes in."""

    rows: int = 0
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, item: Item) -> None:
        self.rows += 1
        self.size += item.size
        said = [item.row, item.questions, {kind: item.sizes[kind] for kind in sorted(item.sizes)}]
        self.digest.update(json.dumps(said, sort_keys=True, default=str).encode("utf-8", "surrogatepass"))


@dataclass
class Item:
    """A row to be: what is said of the sample, its questions, and how large its files are."""

    sample: Sample
    row: Row
    questions: list[Row]
    sizes: dict[str, int]

    @property
    def size(self) -> int:
        return sum(self.sizes.values())


@dataclass
class Plan:
    """All files of all splits, and what their columns are."""

    dataset: str = ""
    files: dict[str, list[File]] = field(default_factory=dict)
    columns: Columns = field(default_factory=Columns)
    of_questions: Columns = field(default_factory=Columns)
    kinds: set[str] = field(default_factory=set)
    span: Span = field(default_factory=Span)


def looked_at(
    split: str, sample: Sample, of_clips: Mapping[str, Sequence[Question]], exported: Exported
) -> Item | None:
    """A sample as a row; None where a table cannot hold it."""
    item = item_of(split, sample, of_clips)
    large = next((kind for kind, size in item.sizes.items() if size > MOST_BYTES), None)
    if large is not None:
        exported.left_out[sample.id] = f"its {large} has more than a cell of a table can hold, 2 GiB"
        return None
    exported.clips[split] += 1
    return item


def item_of(split: str, sample: Sample, of_clips: Mapping[str, Sequence[Question]]) -> Item:
    sizes = {kind: size(place) for kind, place in sample.files.items()}
    return Item(sample, row_of(sample), questions_of(of_clips, sample, split), sizes)


def add_to(plan: Plan, split: str, item: Item, most: int) -> None:
    files = plan.files.setdefault(split, [File()])
    if files[-1].rows and files[-1].size + item.size > most:
        files.append(File())
    files[-1].add(item)
    plan.dataset = plan.dataset or item.sample.dataset
    plan.columns.add(item.row)
    for each in item.questions:
        plan.of_questions.add(each)
    plan.kinds.update(item.sizes)
    plan.span.add(item.sample.facts)


def names_of(plan: Plan) -> list[str]:
    """The columns, in their order: media first."""
    asked = plan.of_questions.types()
    media = [MEDIA[kind][0] for kind in MEDIA if kind in plan.kinds]
    texts = sorted(plan.kinds - MEDIA.keys())
    return [*media, *plan.columns.types(), *(["questions"] if asked else []), *texts]

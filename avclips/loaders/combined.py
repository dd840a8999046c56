"""Several datasets as one, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch.utils.data import ConcatDataset

from ..core.errors import UsageError
from . import items
from .clips import ClipsDataset
from .items import Item


class CombinedDataset(ConcatDataset[Any]):
    """The items of several datasets; ``dataset`` in each says of which. ``collate`` takes any mixture of them."""

    def __init__(self, datasets: Sequence[ClipsDataset]) -> None:
        if not datasets:
            raise UsageError("no dataset is named", "CombinedDataset([AVQADataset(...), ...])")
        super().__init__(datasets)

    def metadata(self, index: int) -> Item:
        """An item without what is decoded."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"{index} is not within {len(self)} items")
        index %= len(self)
        for dataset in self.datasets:
            if index < len(dataset):
                break
            index -= len(dataset)
        found: Item = dataset.metadata(index)
        return found

    @property
    def missing(self) -> list[Mapping[str, str]]:
        """Of each dataset, the clips that are not there."""
        return [dataset.missing for dataset in self.datasets]

    def coverage(self) -> list[Mapping[str, Any]]:
        """Of each dataset, how much of its list is there."""
        return [dataset.coverage() for dataset in self.datasets]

    collate = staticmethod(items.collate)

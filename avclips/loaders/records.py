"""Many small records in little memory, which processes share."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch


class Records:
    """A list that does not change, pickled record by record into one tensor.

    A list of millions of objects is copied into every worker of a DataLoader, page by page: looking at one changes
    its count of references. A tensor is not, and where workers are spawned its memory is handed on.
    """

    def __init__(self, records: Iterable[Any]) -> None:
        parts = [pickle.dumps(each, pickle.HIGHEST_PROTOCOL) for each in records]
        ends = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        self._ends = torch.from_numpy(ends)
        self._bytes = torch.frombuffer(bytearray(b"".join(parts)) or bytearray(1), dtype=torch.uint8)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(index)
        begin, end = self._ends[index : index + 2].tolist()
        return pickle.loads(memoryview(self._bytes.numpy())[begin:end])

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

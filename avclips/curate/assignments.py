"""Which cluster each clip is in, layer by layer: what clustering writes and selection reads.

``labels.npy`` (clips x layers, uint8 or uint16, C order, to be mapped), ``ids.parquet`` (a row a clip, in the same
order: ``id`` and whatever else is known of it), ``layers.json`` and run.json lie in one folder.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..core.errors import RunError
from ..core.files import read_json, unfinished, write_json
from .features.extractor import Modality

LABELS, IDS, LAYERS = "labels.npy", "ids.parquet", "layers.json"


@dataclass(frozen=True)
class Layer:
    """One layer of features: ``name`` as "classic/audio/0", its modality, and its number of clusters."""

    name: str
    modality: Modality
    clusters: int


@dataclass(frozen=True)
class Assignments:
    """``labels``: (clips, layers), uint8 or uint16; ``rows``: a table of a row a clip, ``id`` first."""

    layers: tuple[Layer, ...]
    labels: np.ndarray[Any, np.dtype[Any]]
    rows: pa.Table


def write(folder: Path, assignments: Assignments) -> None:
    """Write all into ``folder``, each file whole; ``layers.json`` last: it says that the others are there."""
    with unfinished(folder / LABELS) as part, open(part, "wb") as stream:
        np.save(stream, np.ascontiguousarray(assignments.labels))
    with unfinished(folder / IDS) as part:
        pq.write_table(assignments.rows, part)
    write_json(folder / LAYERS, [asdict(each) for each in assignments.layers])


def read(folder: Path) -> Assignments:
    """What ``write`` wrote, the labels mapped. RunError where it is not whole, or not what it says."""
    layers, labels, rows = opened(folder)
    return Assignments(layers, labels, rows.read())


def opened(folder: Path) -> tuple[tuple[Layer, ...], np.ndarray[Any, np.dtype[Any]], pq.ParquetFile]:
    """The same, of which no row is read yet: for clips by the million."""
    hint = f"avclips curate cluster writes it anew once {folder} is deleted"
    if not (folder / LAYERS).exists():
        raise RunError(f"{folder} holds no finished clustering", "avclips curate cluster makes it")
    said = read_json(folder / LAYERS, hint)
    try:
        layers = tuple(Layer(each["name"], each["modality"], each["clusters"]) for each in said)
        labels = np.load(folder / LABELS, mmap_mode="r", allow_pickle=False)
        rows = pq.ParquetFile(folder / IDS)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise RunError(f"{folder} cannot be read: {error}", hint) from error
    if labels.shape != (rows.metadata.num_rows, len(layers)) or labels.dtype not in (np.uint8, np.uint16):
        raise RunError(f"{folder / LABELS} has {labels.shape} labels, {IDS} {rows.metadata.num_rows} rows", hint)
    return layers, labels, rows

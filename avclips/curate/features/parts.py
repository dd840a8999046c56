"""A run of features on disk: run.json, and for each shard of clips an .npz of layers and a .parquet of clips.

    part-00000.npz       for each layer an array (kept clips, dims), float16, stored plain: it can be mapped
    part-00000.parquet   a row a clip, kept or not: `id`, `kept`, `reason`, `detail`, and what its list says

A shard is there when its table is: that is written last. The bytes of both depend on clips and settings alone.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...core.errors import RunError
from ...core.files import unfinished
from ...progress.console import say
from ..stage_tables import reading
from .extractor import Array, Shape

_NAME = re.compile(r"part-([0-9]{5,})\.parquet")
# What a list says of a clip, for the stages to come: exports name the video and its seconds, labels name clusters.
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("kept", pa.bool_()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("dataset", pa.string()),
        ("video", pa.string()),
        ("start", pa.float64()),
        ("end", pa.float64()),
        ("labels", pa.list_(pa.string())),
        ("captions", pa.list_(pa.string())),
    ]
)


def table_path(folder: Path, number: int) -> Path:
    """Where the rows of a shard lie."""
    return folder / f"part-{number:05d}.parquet"


def arrays_path(folder: Path, number: int) -> Path:
    """Where the layers of a shard lie."""
    return folder / f"part-{number:05d}.npz"


def numbers(folder: Path) -> list[int]:
    """The shards that are there, in order."""
    found = (_NAME.fullmatch(path.name) for path in folder.iterdir()) if folder.is_dir() else ()
    return sorted(int(match[1]) for match in found if match)


def write_part(folder: Path, number: int, layers: Mapping[str, Array], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a shard whole: its layers, then its rows, of which as many are kept as layers have."""
    kept = sum(bool(row["kept"]) for row in rows)
    if any(len(layer) != kept for layer in layers.values()):
        raise ValueError(f"{kept} clips are kept, and layers have {[len(layer) for layer in layers.values()]}")
    # numpy stores members plain, and gives each the zip format's first date.
    with unfinished(arrays_path(folder, number)) as part, open(part, "wb") as stream:
        np.savez(stream, allow_pickle=False, **layers)
    with unfinished(table_path(folder, number)) as part:
        pq.write_table(pa.Table.from_pylist(list(rows), SCHEMA), part)


def rows_of(folder: Path, number: int, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of a shard. RunError where they cannot be read."""
    path = table_path(folder, number)
    with reading(path, _again(path)):
        return pq.read_table(path, columns=None if columns is None else list(columns))


def layer_of(folder: Path, number: int, name: str) -> Array:
    """A layer of a shard, mapped: only the rows that are used are read. RunError where it cannot be."""
    path = arrays_path(folder, number)
    try:
        with open(path, "rb") as stream, zipfile.ZipFile(stream) as archive:
            member = archive.getinfo(f"{name}.npy")
            stream.seek(member.header_offset + 26)
            name_length, extra_length = struct.unpack("<HH", stream.read(4))
            stream.seek(name_length + extra_length, 1)
            if np.lib.format.read_magic(stream) != (1, 0):
                raise ValueError("another version of npy")
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
            if 0 in shape:
                return np.zeros(shape, dtype)
            return np.memmap(path, dtype, "r", stream.tell(), shape)
    except (OSError, ValueError, KeyError, struct.error, zipfile.BadZipFile) as error:
        raise RunError(f"{path} cannot be read: {error}", _again(path)) from error


def _again(path: Path) -> str:
    return f"delete {path.with_suffix('')}.*: the command that made it makes it anew"


def counts_of(folder: Path, total: int, what: str) -> dict[str, int]:
    """What all shards count, {"clips", "kept", "dropped", and each reason}. RunError where it is not ``total``."""
    reasons: Counter[str] = Counter()
    for number in numbers(folder):
        counted = pc.value_counts(rows_of(folder, number, ["reason"])["reason"]).to_pylist()
        reasons.update({each["values"]: each["counts"] for each in counted})
    kept = reasons.pop("", 0)
    if kept + reasons.total() != total:
        raise RunError(
            f"of {total} clips {kept} have {what} and {reasons.total()} a reason: the sum is another",
            f"was {folder} changed by another program? delete it: the next run makes it anew",
        )
    return {"clips": total, "kept": kept, "dropped": reasons.total(), **dict(sorted(reasons.items()))}


def say_counts(folder: Path, counts: Mapping[str, int], what: str) -> None:
    """Say how many clips have ``what``, and for which reasons the others have not."""
    say(f"{what} of {counts['kept']:,} of {counts['clips']:,} clips are in {folder}")
    reasons = {name: count for name, count in counts.items() if name not in ("clips", "kept", "dropped")}
    if reasons:
        most = sorted(reasons.items(), key=lambda each: -each[1])
        say("  without: " + ", ".join(f"{count:,} {reason}" for reason, count in most))


@dataclass(frozen=True)
class Features:
    """A finished run: its layers, its shards, and how many clips of each are kept."""

    folder: Path
    layers: tuple[Shape, ...]
    counts: Mapping[int, int]

    @property
    def total(self) -> int:
        """How many clips have features."""
        return sum(self.counts.values())

    def layer(self, name: str) -> Array:
        """A layer of all kept clips, (clips, dims) float32, in the order of ``rows``; there has to be a shard."""
        parts = [np.asarray(layer_of(self.folder, number, name), np.float32) for number in self.counts]
        return np.concatenate(parts)

    def rows(self) -> Iterator[pa.Table]:
        """The kept clips, a table a shard, in the order of the layers' rows."""
        for number in self.counts:
            rows = rows_of(self.folder, number)
            yield rows.filter(rows["kept"]).drop_columns(["kept", "reason", "detail"])

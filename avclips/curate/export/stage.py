"""The stage `export`: what a selection is written as, and which of its clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...core.errors import RunError, UsageError
from ...core.files import write_json
from ...core.suggest import did_you_mean
from ...lists.addresses import video_of
from ..assignments import opened
from ..record import Record, begin, finish, read, versions_of
from ..select.output import CURVE, SELECTED
from ..stage_tables import reading
from .lists import write_all
from .names import Name, names_of, words_of

NAMES = "clusters.json"
# From so many clips names are made, spread over all.
_LOOKED_AT = 200_000


def export(selection: Path, clusters: Path, names: Sequence[Name], wanted: Sequence[str], folder: Path) -> int:
    """Write the files of a selection into ``folder``; returns how many clips are in them.

    ``clusters``: the clustering that it was selected from; ``names``: of its clusters; ``wanted``: as ``chosen``
    takes them, none for all clips. UsageError where the selection is from another clustering.
    """
    made = read(selection)
    if made is None or not (selection / CURVE).exists():
        raise RunError(f"{selection} holds no finished selection", "avclips curate select makes it")
    source = read(clusters)
    if source is None or made.inputs.get("cluster") != source.fingerprint():
        raise UsageError(f"{selection} was not selected from {clusters}", "name the --assignments that it is from")
    mask = _mask(clusters, chosen(names, wanted)) if wanted else None
    begin(
        folder,
        Record("export", {"clusters": list(wanted)}, {"select": made.fingerprint()}, versions_of("pyarrow")),
    )
    count = write_all(selection / SELECTED, folder, mask)
    said = {name.address: {"clips": name.clips, "words": list(name.words)} for name in names}
    write_json(folder / NAMES, said)
    finish(folder, {"clips": count})
    return count


def chosen(names: Sequence[Name], wanted: Sequence[str]) -> list[Name]:
    """The clusters that are asked for by address or by a word. UsageError where one names none."""
    found: list[Name] = []
    words = sorted({word for name in names for word in name.words})
    for asked in wanted:
        here = [name for name in names if asked == name.address or asked.lower() in name.words]
        if not here:
            raise UsageError(
                f"no cluster is called {asked!r}{did_you_mean(asked, words)}", "--list-clusters has all"
            )
        found += here
    return found


def names_in(clusters: Path, rows_of_filter: Path) -> list[Name]:
    """The names of a clustering's clusters, by its own rows, and titles that the filter kept where there are."""
    layers, labels, rows = opened(clusters)
    step = max(1, -(-len(labels) // _LOOKED_AT))
    titles = _titles(rows_of_filter)
    columns = [name for name in ("video", "labels", "captions") if name in rows.schema_arrow.names]
    words: list[set[str]] = []
    begun = 0
    for batch in rows.iter_batches(columns=columns):
        first = -begun % step
        begun += batch.num_rows
        for row in batch.take(pa.array(range(first, batch.num_rows, step), pa.int64())).to_pylist():
            texts = [*(row.get("captions") or []), titles.get(row.get("video") or "", "")]
            words.append(words_of(texts, row.get("labels") or []))
    return names_of(layers, labels[::step], words)


def _titles(path: Path) -> dict[str, str]:
    """By its id, the title of each video that the filter kept; {} where there was no filter."""
    if not path.exists():
        return {}
    with reading(path, "delete its folder, and start avclips curate filter again"):
        table = pq.read_table(path, columns=["video", "title", "kept"])
    found: dict[str, str] = {}
    for row in table.filter(table["kept"]).to_pylist():
        with suppress(ValueError):
            # There, a video is named as its line names it: by an address, too.
            found.setdefault(video_of(row["video"])[0], row["title"] or "")
    return found


def _mask(folder: Path, names: Sequence[Name]) -> Callable[[pa.RecordBatch], pa.Array]:
    layers, labels, _ = opened(folder)
    places = {layer.name: place for place, layer in enumerate(layers)}

    def wanted(batch: pa.RecordBatch) -> pa.Array:
        here = labels[batch["row"].to_numpy()]
        return pa.array(np.any([here[:, places[name.layer]] == name.cluster for name in names], axis=0))

    return wanted

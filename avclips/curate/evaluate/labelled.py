"""Features of clips with labels: from the folder's own list, or from a CSV file of ids."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as pc
from numpy.typing import NDArray
from pyarrow import ArrowInvalid

from ...core.errors import UsageError
from ..features.stage import opened

Array = NDArray[np.float32]
# Folds of these names alone are one: trained on, and tested.
ONE_FOLD = ("train", "test")
# Ids that a message names, at most.
_EXAMPLES = 3


@dataclass(frozen=True)
class Labelled:
    """``layers``: by name, (clips, dims), each of one of ``modalities``. ``classes``: (clips,), of ``names``.

    ``videos``: of which video each clip is; ``folds``: of each clip, where they are given, else None.
    """

    layers: Mapping[str, Array]
    modalities: Mapping[str, str]
    names: tuple[str, ...]
    classes: NDArray[np.int64]
    videos: NDArray[np.str_]
    folds: NDArray[np.str_] | None

    def __len__(self) -> int:
        return len(self.classes)

    def sides(self) -> dict[str, Array]:
        """All layers of the sound side by side, all of the picture, and both; whatever there is."""
        made = {}
        for modality in ("audio", "video"):
            here = [layer for name, layer in self.layers.items() if self.modalities[name] == modality]
            if here:
                made[modality] = np.concatenate(here, axis=1)
        if len(made) == 2:
            made["both"] = np.concatenate([*made.values()], axis=1)
        return made


@dataclass(frozen=True)
class Labels:
    """``label``, and where the file has them ``fold``, of each clip by its id."""

    label: Mapping[str, str]
    fold: Mapping[str, str] | None


def read_labels(path: Path) -> Labels:
    """A CSV file with the columns id and label, and perhaps fold. UsageError where it is none."""
    hint = "its first line names the columns: id,label or id,label,fold"
    options = pc.ConvertOptions(column_types=dict.fromkeys(("id", "label", "fold"), "string"))
    try:
        table = pc.read_csv(path, convert_options=options)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", hint) from error
    except ArrowInvalid as error:
        raise UsageError(f"{path} is no CSV file: {error}", hint) from error
    if missing := [name for name in ("id", "label") if name not in table.column_names]:
        raise UsageError(f"{path} has no column {', '.join(missing)}", hint)
    if twice := [name for name in ("id", "label", "fold") if table.column_names.count(name) > 1]:
        raise UsageError(f"{path} has the column {', '.join(twice)} twice", hint)
    ids = table["id"].to_pylist()
    if len(set(ids)) < len(ids):
        raise UsageError(f"{path} names a clip twice", "one line a clip")
    folds = dict(zip(ids, table["fold"].to_pylist(), strict=True)) if "fold" in table.column_names else None
    _see_folds(path, set(folds.values()) - {""} if folds else set())
    return Labels(dict(zip(ids, table["label"].to_pylist(), strict=True)), folds)


def _see_folds(path: Path, names: Collection[str]) -> None:
    """UsageError where a name of a fold is one of "train" and "test", or another's, but for a slip of the pen.

    It would be a fold of its own, and every figure be of other clips than was meant.
    """
    said = ", ".join(map(repr, sorted(names)))
    plain = [name.strip().casefold() for name in names]
    if len(set(plain)) < len(plain):
        raise UsageError(f"{path} has the folds {said}, of which two differ in small letters or spaces alone")
    if set(plain) & set(ONE_FOLD) and set(names) != set(ONE_FOLD):
        raise UsageError(
            f"{path} has the folds {said}: train and test are one fold, and then there is no other",
            "write them so, and leave the fold of other clips empty; or give all folds other names",
        )


def read_ids(path: Path) -> frozenset[str]:
    """The ids of a file with one a line, as export's ids.txt. UsageError where it cannot be read, or has none."""
    try:
        ids = frozenset(path.read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", "it has an id a line") from error
    if not ids:
        raise UsageError(f"{path} names no clip: it is empty", "it has an id a line")
    return ids


def passed_over(folder: Path, given: Labels | None, ids: Collection[str] | None) -> Iterator[str]:
    """What a user named, and no probe uses, in words: lines of labels, ids, clips without a fold."""
    features, _ = opened(folder)
    here = {each for table in features.rows() for each in table["id"].to_pylist()}
    of_labels = given.label.keys() if given else ()
    for what, named in (("lines of the labels", of_labels), ("of the ids", ids or ())):
        if strange := sorted(set(named) - here):
            examples = ", ".join(strange[:_EXAMPLES]) + (", ..." if len(strange) > _EXAMPLES else "")
            yield f"{len(strange):,} of {len(named):,} {what} name no clip with features in {folder}: {examples}"
    if given and given.fold is not None:
        used = [each for each in here if given.label.get(each) and (ids is None or each in ids)]
        if without := sum(not given.fold.get(each) for each in used):
            yield f"{without:,} of {len(used):,} clips with a label have no fold: they are in no probe"


def of_features(folder: Path, given: Labels | None, ids: Collection[str] | None = None) -> Labelled:
    """The clips of finished features that have a label: a given one, or the first of their own list.

    ``ids``: only these. UsageError where fewer than two classes are left.
    """
    features, _ = opened(folder)
    rows = [row for table in features.rows() for row in table.select(["id", "video", "labels"]).to_pylist()]
    layers = {layer.name: features.layer(layer.name) for layer in features.layers}
    return of_rows(rows, layers, {layer.name: layer.modality for layer in features.layers}, given, ids)


def of_rows(
    rows: Sequence[Mapping[str, Any]],
    layers: Mapping[str, Array],
    modalities: Mapping[str, str],
    given: Labels | None,
    ids: Collection[str] | None = None,
) -> Labelled:
    """The same of rows with ``id``, ``video`` and ``labels``, and for each layer a row of numbers each."""
    if given is None:
        labels = [(row["labels"] or [""])[0] for row in rows]
    else:
        labels = [given.label.get(row["id"], "") for row in rows]
    folds = [(given.fold or {}).get(row["id"], "") if given else "" for row in rows]
    wanted = [ids is None or row["id"] in ids for row in rows]
    here = np.array([bool(label) for label in labels], bool) & np.array(wanted, bool)
    names, classes = np.unique(np.array(labels, str)[here], return_inverse=True)
    if ids is not None and not any(wanted):
        raise UsageError(
            f"none of the {len(ids):,} ids is that of one of the {len(rows):,} clips with features",
            "ids.txt of an export of the same folder has such",
        )
    if len(names) < 2:
        raise UsageError(
            f"{int(here.sum())} of {sum(wanted)} clips have a label, of {len(names)} classes",
            "name them: --labels FILE, a CSV file with the columns id and label",
        )
    return Labelled(
        {name: layer[here] for name, layer in layers.items()},
        modalities,
        tuple(str(name) for name in names),
        classes.astype(np.int64),
        # A clip of no known video is one of its own.
        np.array([row["video"] or row["id"] for row in rows], str)[here],
        np.array(folds, str)[here] if given is not None and given.fold is not None else None,
    )

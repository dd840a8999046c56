"""The map's points: the clips that a filter leaves, where their features put them, and their colours."""

from __future__ import annotations

from typing import Any

from ..core.errors import RunError
from . import query
from .query import Filter
from .session import Session

# What a browser draws without a pause.
MOST = 200_000


def points(session: Session, wanted: Filter) -> dict[str, Any]:
    """Columns of equal length: id, x, y (within [-1, 1]), cluster, label, score; ``why`` where there are none.

    ``projection``: by what they lie there; ``making``: whether a better one is being computed.

    ``score`` is the clip's rank among the scores, from 0 to 1, so that colours spread; None where it has none.
    """
    columns: dict[str, Any] = {name: [] for name in ("id", "x", "y", "cluster", "label", "score")}
    try:
        view = session.view()
    except RunError as error:
        return columns | {"why": f"There is no map yet: {error}"}
    # Of the first layer: that of the coarsest features.
    clusters = next(iter(view.clusters.values()), None)
    laid, projection = session.laid_out(view)
    rows = query.points(session.database(), wanted, MOST)
    ranks = _ranks([score for _, _, score in rows])
    for (clip_id, label, _), rank in zip(rows, ranks, strict=True):
        row = view.row_of.get(clip_id)
        if row is None:
            continue
        values = (
            clip_id,
            round(float(laid[row, 0]), 4),
            round(float(laid[row, 1]), 4),
            "" if clusters is None else str(clusters[row]),
            label or "",
            rank,
        )
        for name, value in zip(columns, values, strict=True):
            columns[name].append(value)
    said = {"projection": projection, "making": session.laying_out}
    return columns | said | {"why": "None of these clips has features."}


def _ranks(scores: list[float | None]) -> list[float | None]:
    there = sorted({score for score in scores if score is not None})
    place = {score: index / max(len(there) - 1, 1) for index, score in enumerate(there)}
    return [None if score is None else place[score] for score in scores]

"""One clip of a download as its users see it: what was asked, how it ended, where its files lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# "missing": no run has tried it yet, or its files are gone.
SampleStatus = Literal["done", "failed", "missing"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes of a file lie.

    ``path``: a local file, or an address that fsspec opens. ``offset`` and ``size``: the bytes of a tar's member
    within it; ``size`` None: the whole file. ``row`` and ``column``: of a parquet table, the cell.
    """

    path: str
    offset: int = 0
    size: int | None = None
    row: int | None = None
    column: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One clip of a list.

    ``start``, ``end``: the seconds asked for in ``video`` (``end`` None: to its end). ``reason``: a key of
    core.errors.REASONS where it failed, else ""; ``error``: the site's words. ``splits``, ``labels`` and
    ``captions``: of its list, as far as it has any. ``files``: by "video", "audio", "frame", "info",
    "subtitles.en". ``facts``: what the manifest or the shard's table says of a finished clip (docs/folder.md),
    ``flags`` among them.
    ``meta``: the other columns of its list.
    """

    id: str
    dataset: str
    video: str
    start: float
    end: float | None
    status: SampleStatus
    reason: str = ""
    error: str = ""
    splits: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    files: Mapping[str, Place] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

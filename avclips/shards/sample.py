"""One clip of a shard: its files, and what is said of it beside them, in a table's row or in a JSON of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.model import Clip
from ..core.reserved_names import FLAGS, OF_FAILURES, TYPES, column_of
from ..state.manifest import Line
from .members import Layout, layout_of_schema
from .schema import KINDS, Schema, cell, plain

_OF_PICTURES = ("fps", "pictures", "width", "height", "sha256")
# What JSON has of a fact that there is not: of a clip without sound, 0 samples.
_NOTHING: dict[str, Any] = {"text": "", "number": 0.0, "whole": 0}


@dataclass(frozen=True)
class Sample:
    """One clip of a shard, and its last line in the manifest; None where it was never tried."""

    clip: Clip
    line: Line | None

    @property
    def done(self) -> bool:
        return self.line is not None and self.line["status"] == "done"

    def files(self, folder: Path) -> dict[str, Path]:
        """Its files in a data folder, by their endings in the shard."""
        line = self.line if self.done and self.line else {}
        media = (line.get(kind) for kind in ("video", "audio", "frame"))
        named = {name.rpartition(".")[2]: name for name in media if name}
        subtitles = line.get("subtitles") or {}
        named |= {f"{language}.vtt": name for language, name in subtitles.items() if name}
        return {ending: folder / name for ending, name in named.items()}

    def beside(self, folder: Path) -> list[Path]:
        """What stands in the data folder for it, and is in the shard in another form."""
        return [folder / self.line["info"]] if self.done and self.line and self.line.get("info") else []


def layout_of(samples: Sequence[Sample], folder: Path | None) -> Layout:
    """What a shard shows by itself."""
    kinds = Schema()
    for sample in samples:
        kinds.add(sample.clip.meta)
    if folder is None:
        return layout_of_schema(kinds)
    endings = sorted({ending for sample in samples for ending in sample.files(folder)})
    return layout_of_schema(kinds, tuple(endings), any(sample.beside(folder) for sample in samples))


def facts_of(sample: Sample) -> dict[str, Any]:
    """How a clip ended, and what it is; each of TYPES."""
    clip, line = sample.clip, sample.line or {"status": "untried"}
    row = {"id": clip.id, "youtube_id": clip.meta.get("youtube_id", clip.video), "start": clip.start}
    row |= {"end": clip.end}
    return {name: row[name] if name in row else line.get(name) for name in TYPES}


def kept_of(sample: Sample, layout: Layout) -> dict[str, Any]:
    """The kept columns of the list, under their names beside ours; each that the layout has."""
    meta = sample.clip.meta
    found = {layout.columns.get(name, column_of(name)): meta.get(name) for name in _kept(layout)}
    if layout.version > 1 and found.get("captions", ...) is None and meta.get("caption") is not None:
        # A list for every clip, or for none.
        found["captions"] = [meta["caption"]]
    return found


def schema_of(layout: Layout) -> dict[str, str]:
    """The kinds of the kept columns, under their names beside ours."""
    return {layout.columns.get(name, column_of(name)): layout.kept[name] for name in _kept(layout)}


def _kept(layout: Layout) -> list[str]:
    return [name for name in layout.kept if name != "youtube_id"]


def row_of(sample: Sample) -> dict[str, Any]:
    """What layout 1 says of a clip, as it comes: how it ended, what it is, and the kept columns of its list."""
    # There were no quality flags: a column of the list may be called so.
    names = {name: name if name.casefold() == FLAGS else column_of(name) for name in sample.clip.meta}
    meta = {names[name]: value for name, value in sample.clip.meta.items() if name != "youtube_id"}
    return {name: value for name, value in facts_of(sample).items() if name != FLAGS} | meta


def said_of(sample: Sample, layout: Layout) -> dict[str, Any]:
    """The same of a clip that is done, for its JSON in a tar: no nulls, and each name of one type in all clips."""
    facts = facts_of(sample)
    if facts["end"] is None:
        facts["end"] = facts["start"] + (facts["duration"] or 0.0)
    out = (*OF_FAILURES, *(() if layout.has_video else _OF_PICTURES), *(() if layout.flags else (FLAGS,)))
    said: dict[str, Any] = {}
    for name, alias in TYPES.items():
        if name not in out:
            value = facts[name]
            said[name] = _NOTHING[KINDS[alias]] if value is None else cell(value, KINDS[alias])
    kept = kept_of(sample, layout)
    for name in _kept(layout):
        column = layout.columns.get(name, column_of(name))
        said[column] = plain(kept[column], layout.kept[name], name in layout.sparse)
    return said


def info_of(sample: Sample, folder: Path) -> str | None:
    """What the site says of a clip's video, as JSON."""
    files = sample.beside(folder)
    return files[0].read_text(encoding="utf-8") if files else None

"""What the rows of a list mean: its columns, and the units, formats and names that go with them.

Made once, from the columns and the first rows; a row's seconds and ids are made with it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..core.errors import UsageError
from ..core.reserved_names import column_of
from ..core.settings import Columns, Settings
from .cells import has_decimal_comma, intervals, is_missing, seconds
from .column_guesses import counted_from_the_clip, mostly, roles_of
from .column_names import UNITS, USUAL, VIDEO_LENGTHS, plain, unit_in
from .columns import about, cell_format, clip_length, find_columns, no_end
from .compound_cells import CellFormat, unit_of
from .presets import PRESETS
from .table import Table

_FRAMES = re.compile(r"frames(?:@([0-9]+(?:\.[0-9]+)?))?")
# Seconds by which a clip may end behind its video: lengths are rounded.
_SLACK = 1.0
# What the manifest has of every clip by itself.
_OURS = frozenset(("caption", "captions", "url", "youtube_id"))
Cells = Mapping[str, Any]


@dataclass(frozen=True)
class Meaning:
    """How rows become clips.

    ``length``: seconds of a clip whose row does not say; ``cell``: the format of cells that hold a whole clip.
    ``units``: of columns of times that are not seconds, by name; ``rate``: frames a second of all videos.
    ``comma``: whether ``1,500`` is one and a half. ``full``: the column that says how long the whole video is.
    ``kept``: what the manifest calls the kept columns. ``aside``: columns of times that count from the clip.
    """

    columns: Columns
    length: float | None
    cell: CellFormat | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    rate: float | None = None
    comma: bool = False
    full: str | None = None
    kept: Mapping[str, str] = field(default_factory=dict)
    aside: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The columns that are read, each once."""
        named = [name for _, name in roles_of(self.columns)]
        return list(dict.fromkeys([*named, *([self.full] if self.full else [])]))

    def per(self, name: str, cells: Cells) -> float:
        """How many of a column's units make a second in this row."""
        unit = self.units.get(name, "s")
        if unit != "frames":
            return UNITS[unit]
        if self.rate is not None:
            return self.rate
        try:
            rate = seconds(cells.get(self.columns.fps or ""))
        except ValueError:
            rate = 0.0
        if not rate:
            raise ValueError(f"no frames a second in {self.columns.fps!r}")
        return rate

    def time(self, name: str | None, cells: Cells) -> float | None:
        """A time of a row in seconds; None where there is none."""
        cell = cells.get(name) if name else None
        if name is None or is_missing(cell):
            return None
        return seconds(cell, self.per(name, cells) if self.units else 1.0, self.comma)

    def intervals(self, name: str, cells: Cells) -> list[tuple[float, float]]:
        """The spans of a row's list of clips."""
        per = self.per(name, cells)
        return intervals(cells.get(name), lambda each: seconds(each, per, self.comma))

    def remarks(self) -> list[str]:
        """What was understood, in words."""
        units = dict.fromkeys(self.units.values())
        said = [f"frames at {self.rate:g} a second" if unit == "frames" and self.rate else unit for unit in units]
        lines = [about(self.columns, self.length, self.cell, said)]
        if self.aside:
            names = ", ".join(map(repr, self.aside))
            lines.append(
                f"{names}: counted from the clip, and not taken for times of the video; --keep-cols keeps them"
            )
        taken = {name: new for name, new in self.kept.items() if name != new and new.startswith("list_")}
        renamed = [f"{name!r} as {new!r}" for name, new in taken.items()]
        if renamed:
            lines.append(f"kept under another name, beside what the manifest says itself: {', '.join(renamed)}")
        return lines


def meaning_of(table: Table, settings: Settings) -> Meaning:
    """What a list's rows mean; UsageError where that is not plain, with what to say."""
    columns, length = find_columns(table, settings), clip_length(settings)
    cell = cell_format(table, columns.url, settings)
    unit, rate = _unit(settings)
    aside: tuple[str, ...] = ()
    if cell is not None and cell.has_times:
        cell, length = _cell(table, columns, cell, length, unit)
        aside = tuple(counted_from_the_clip(table, columns))
        if settings.preset:
            aside = ()
    units = _units(columns, unit)
    if cell is not None and cell.unit == "frames":
        units = {**units, columns.url or "": "frames"}
    if "frames" in units.values() and rate is None:
        columns = _with_rate(table, columns)
    times = [name for name in (columns.start, columns.end, columns.duration) if name]
    comma = table.delimiter == ";" or any(has_decimal_comma(each) for name in times for each in table.head(name))
    called = PRESETS[settings.preset].names if settings.preset and not table.named else {}
    meaning = Meaning(columns, length, cell, units, rate, comma, None, _kept(columns, called), aside)
    return replace(meaning, full=_full(table, meaning, settings))


def _cell(
    table: Table, columns: Columns, cell: CellFormat, length: float | None, unit: str | None
) -> tuple[CellFormat, float | None]:
    """The format with its unit, and how long a clip is whose cell does not say."""
    name = columns.url or ""
    if unit is not None:
        cell = replace(cell, unit=unit)
    elif cell.unit == "s":
        cell = unit_of(cell, (cells.get(name) for _, cells in table.rows((name,))), name)
    if "{end}" in cell.template or columns.duration:
        return cell, length
    length = cell.length if length is None else length
    if length is None:
        raise no_end(f"{table.name} says where a clip starts ({name!r}, as {cell})", table)
    return cell, length


def _unit(settings: Settings) -> tuple[str | None, float | None]:
    """The unit that was said for all times, and of frames how many make a second."""
    said = settings.time_unit
    if said is None and settings.preset and PRESETS[settings.preset].unit != "s":
        said = PRESETS[settings.preset].unit
    if said is None:
        return None, None
    found = _FRAMES.fullmatch(said)
    if found is None:
        return said, None
    return "frames", float(found[1]) if found[1] else None


def _units(columns: Columns, unit: str | None) -> dict[str, str]:
    names = [name for name in (columns.start, columns.end, columns.duration, columns.clip) if name]
    found = {name: unit or unit_in(name) for name in names}
    starts = found.get(columns.start or "")
    if unit == "frames" and columns.duration and unit_in(columns.duration) == "s":
        # Who counts the start in frames says the length in seconds, more often than not; its name would tell.
        found[columns.duration] = "s"
    if unit is None and starts and columns.end and unit_in(columns.end) == "s" and starts != "s":
        # start_ms and end.
        found[columns.end] = starts
    return {name: each for name, each in found.items() if each != "s"}


def _with_rate(table: Table, columns: Columns) -> Columns:
    if columns.fps:
        return columns
    named = [name for each in USUAL["fps"] for name in table.columns if plain(name) == each]
    if not named:
        hint = "name the column that says it with --fps-col, or say it for all: --time-unit frames@25"
        raise UsageError(f"{table.name} has times in frames: how many are a second?", hint)
    return replace(columns, fps=named[0])


def _kept(columns: Columns, called: Mapping[str, str]) -> dict[str, str]:
    """What the manifest calls the kept columns: none as it calls something itself, in capitals or not.

    ``called``: the names of columns that have none in the list.
    """
    names: dict[str, str] = {}
    # As the tables of shards call them.
    taken: set[str] = set()
    for name in columns.keep:
        if name == columns.caption:
            names[name] = "caption"
            continue
        new = called.get(name, name)
        own = name == "youtube_id" and name == columns.url
        while not own and (new.casefold() in _OURS or column_of(new).casefold() in taken):
            new = f"list_{new}"
        taken.add(column_of(new).casefold())
        names[name] = new
    return names


# -- how long the video is -----------------------------------------------------------------------------------


def _full(table: Table, meaning: Meaning, settings: Settings) -> str | None:
    """The column that says how long the whole video is. UsageError where most clips lie behind that."""
    columns = meaning.columns
    if (meaning.cell and meaning.cell.has_times) or settings.columns.duration == "":
        return None
    if not (columns.clip or (columns.start and columns.end)):
        return None
    named = [name for each in VIDEO_LENGTHS for name in table.columns if plain(name) == each]
    named += [name for each in USUAL["duration"] for name in table.columns if plain(name) == each]
    taken = {name for _, name in roles_of(columns)} - set(columns.keep)
    for name in named:
        if name in taken:
            continue
        found = list(_measured(table, meaning, name))
        of_video = plain(name) in VIDEO_LENGTHS
        if not found or (
            not of_video and mostly(abs(end - start - whole) <= _SLACK for start, end, whole in found)
        ):
            # It is how long the clip is.
            continue
        if mostly(end > whole + _SLACK for _, end, whole in found):
            end, whole = next(each[1:] for each in found if each[1] > each[2] + _SLACK)
            raise UsageError(
                f"{table.name}: most clips end behind their video, the first at {end:g} s of {whole:g} ({name!r})",
                "are the times milliseconds or frames? --time-unit ms, --time-unit frames --fps-col COLUMN; or "
                f'{name!r} means another thing: --duration-col ""',
            )
        return name
    return None


def _measured(table: Table, meaning: Meaning, name: str) -> Iterator[tuple[float, float, float]]:
    """(start, end, length of the video) in seconds, of the first rows that can be read."""
    columns = meaning.columns
    names = [each for each in (columns.start, columns.end, columns.clip, columns.fps, name) if each]
    heads = {each: table.head(each) for each in names}
    for at in range(len(heads[name])):
        cells = {each: head[at] for each, head in heads.items() if at < len(head)}
        try:
            found = _one(meaning, cells, name)
        except (ValueError, RecursionError):
            continue
        if found is not None:
            yield found


def _one(meaning: Meaning, cells: Cells, name: str) -> tuple[float, float, float] | None:
    columns = meaning.columns
    whole = seconds(cells.get(name), 1.0, meaning.comma) if unit_in(name) == "s" else None
    if columns.clip:
        start, end = max(meaning.intervals(columns.clip, cells), key=lambda each: each[1])
    else:
        start, end = meaning.time(columns.start, cells) or 0.0, meaning.time(columns.end, cells) or 0.0
    return None if whole is None or not whole else (start, end, whole)


def see_that_it_is_in_the_video(meaning: Meaning, cells: Cells, ends: Collection[float]) -> None:
    """ValueError where a clip ends behind its video."""
    if meaning.full is None or is_missing(cells.get(meaning.full)):
        return
    whole = seconds(cells.get(meaning.full), 1.0, meaning.comma)
    for end in ends:
        if whole and end > whole + _SLACK:
            raise ValueError(f"the end {end:g} is behind the video, which has {whole:g} s ({meaning.full!r})")

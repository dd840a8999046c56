"""The clip in one cell: ``ID_000300``, ``ID_20_30``, ``ID_18000_28000.mp4``, ``v_ID``.

The shape is that of the whole column: one row alone says too little. Where the numbers of a column may be seconds
as well as milliseconds, it has to be asked. A ValueError says what a cell is instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ..core.errors import UsageError
from .addresses import cleaned, youtube_id
from .cells import Interval, interval, seconds, shown
from .column_names import UNITS

_ID = r"(?P<id>[A-Za-z0-9_-]{11})"
_TIME = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
_FOLDERS, _ENDING = (
    r"(?:[^\\/]*[\\/])*",
    r"(?:\.(?:mp4|mkv|webm|avi|mov|wav|flac|m4a|mp3|ogg|npy|npz|pt|jpe?g|png))?",
)
_PARTS = {"{id}": _ID, "{start}": rf"(?P<start>{_TIME})", "{end}": rf"(?P<end>{_TIME})"}
# From so many of a unit on, a clip is too long to be one of seconds.
_LONG = 1000.0
_USUAL_LENGTH = 10.0


@dataclass(frozen=True)
class CellFormat:
    """How a cell is made: ``{id}_{start}_{end}``; ``unit`` of its numbers.

    ``length``: of a clip where the cell has no end, as those who write cells so have it; None: not known.
    ``id_alone``: the times are in other columns, as somebody said, and those of the cell do not count.
    """

    template: str
    unit: str = "s"
    length: float | None = None
    id_alone: bool = False

    @property
    def pattern(self) -> re.Pattern[str]:
        """What a cell has to be; folders before it and the ending of a file behind it do not matter."""
        parts = re.split(r"(\{id\}|\{start\}|\{end\})", self.template)
        return re.compile(_FOLDERS + "".join(_PARTS.get(part) or re.escape(part) for part in parts) + _ENDING)

    @property
    def has_times(self) -> bool:
        return "{start}" in self.template and not self.id_alone

    @property
    def has_end(self) -> bool:
        return "{end}" in self.template and not self.id_alone

    def __str__(self) -> str:
        if self.id_alone and "{start}" in self.template:
            return f"{self.template}, whose times do not count"
        return self.template if self.unit == "s" else f"{self.template} in {self.unit}"


def format_of(template: str, unit: str = "s") -> CellFormat:
    """What --cell-format means; UsageError where it names no video."""
    if "{id}" not in template:
        raise UsageError(f"{template!r} is no format of a cell", "such as {id}_{start}_{end}")
    return CellFormat(template, unit)


# Six digits are VGG-Sound's way, three ACAV100M's, a number that is not filled up AudioSet's strong labels'.
_SECOND = re.compile(rf"{_FOLDERS}(?:v_|Y)?{_ID}_(?P<start>[0-9]{{6}}|[0-9]{{3}}){_ENDING}")
_NUMBER = re.compile(rf"{_FOLDERS}(?:v_|Y)?{_ID}_(?P<start>{_TIME}){_ENDING}")
_TWO = re.compile(rf"{_FOLDERS}(?:v_|Y)?{_ID}_(?P<start>{_TIME})_(?P<end>{_TIME}){_ENDING}")
_PREFIXED = re.compile(rf"{_FOLDERS}v_{_ID}{_ENDING}")
# The narrower first.
_KINDS = (
    (_TWO, "{id}_{start}_{end}"),
    (_SECOND, "{id}_{start}"),
    (_NUMBER, "{id}_{start}"),
    (_PREFIXED, "v_{id}"),
)


def is_compound(text: str) -> bool:
    """Whether a text may be a clip's name: an id, and times behind it."""
    return youtube_id(text) is None and any(kind.fullmatch(text) for kind, _ in _KINDS)


def shape_of(cells: Iterable[Any]) -> CellFormat | None:
    """The format that nearly all of these cells have; None where there is none. The unit is for ``unit_of``."""
    texts = [text for cell in cells if (text := cleaned(cell))]
    for kind, template in _KINDS:
        found = [match for text in texts if (match := kind.fullmatch(text))]
        if texts and 10 * len(found) >= 9 * len(texts):
            before = {match.string[: match.start("id")].replace("\\", "/").rpartition("/")[2] for match in found}
            if len(before) > 1 or (kind is _SECOND and not any(match["start"].startswith("0") for match in found)):
                # What is never filled up is a plain number.
                continue
            made = template if kind is _PREFIXED else next(iter(before)) + template
            return CellFormat(made, length=_USUAL_LENGTH if kind is _SECOND else None)
    return None


def unit_of(found: CellFormat, cells: Iterable[Any], name: str) -> CellFormat:
    """The format with the unit of the whole column's numbers. UsageError where they may be either."""
    pattern = found.pattern
    least, most, filled = float("inf"), 0.0, found.length is not None
    for cell in cells:
        match = pattern.fullmatch(cleaned(cell))
        if match is None:
            continue
        parts = match.groupdict()
        if "." in parts["start"] + (parts.get("end") or "") or re.match(r"0[0-9]", parts["start"]):
            # Fractions, and numbers that are filled up, are seconds.
            filled = True
            break
        size = float(parts["start"]) if parts.get("end") is None else float(parts["end"]) - float(parts["start"])
        if size > 0:
            least, most = min(least, size), max(most, size)
    if filled or not most or most < _LONG:
        return found
    if least >= _LONG:
        # AudioSet's strong labels are those of ten-second clips, called by their start.
        length = found.length if "{end}" in found.template else _USUAL_LENGTH
        return replace(found, unit="ms", length=length)
    if "{end}" not in found.template and most < 36_000:
        return found
    raise UsageError(
        f"are the numbers in {name!r} seconds or milliseconds?", "say --time-unit s or --time-unit ms"
    )


Parts = tuple[str, str, Interval]


def taken_apart(cell: Any, found: CellFormat, length: float | None, per: float | None = None) -> Parts:
    """A cell's own name, its video, and the seconds it asks for.

    ``length``: of a clip whose end the cell does not say; ``per``: how many frames, or another unit than the
    format's, make a second.
    """
    text = cleaned(cell)
    match = found.pattern.fullmatch(text)
    if match is None:
        # Says what an empty cell is, and an eaten one.
        raise ValueError("no video" if not text else f"{shown(text)} is no clip such as {found}")
    # As it stands, without the folders and the file's ending.
    name = re.sub(rf"^{_FOLDERS}|{_ENDING}$", "", text)
    if not found.has_times:
        return name, match["id"], (0.0, None)
    per = UNITS[found.unit] if per is None else per
    start = seconds(match["start"], per)
    if "{end}" in found.template:
        return name, match["id"], interval(start, seconds(match["end"], per))
    if length is None:
        raise ValueError("no end")
    return name, match["id"], interval(start, round(start + length, 6))

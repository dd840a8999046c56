"""Whether a list is one of the public ones: what its columns and first cells tell, for messages.

Nothing is decided by it: a user says --preset.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..core.settings import Columns
from .column_guesses import mostly, roles_of
from .compound_cells import shape_of
from .presets import PRESETS, Preset
from .table import Table


def known_list(table: Table, wholly: bool = False) -> str | None:
    """The preset whose list this seems to be; None where it is none's.

    ``wholly``: every column that the preset keeps is there; else one will do, as copies of a list lack some.
    """
    fitting = (
        name
        for name, preset in PRESETS.items()
        if any(_is_of(table, preset, way, wholly) for way in preset.columns)
    )
    return next(fitting, None)


def _is_of(table: Table, preset: Preset, way: Columns, wholly: bool) -> bool:
    names, columns = {name for _, name in roles_of(way)}, set(table.columns)
    if not table.named:
        told = all(mostly(str(cell) in words for cell in table.head(name)) for name, words in preset.cells.items())
        return names == columns and bool(preset.cells) and told
    needed, kept = names - set(way.keep), set(way.keep)
    fits = needed <= columns and (kept <= columns if wholly else not kept or bool(kept & columns))
    # Two columns with usual names are anybody's; and LFAV's are called as LLP's.
    return fits and len(names & columns) > 2 and _cells_fit(table, preset, way)


def _cells_fit(table: Table, preset: Preset, way: Columns) -> bool:
    """Whether the cells that name the videos say as much as the preset's: an id, or a whole clip."""
    shape = shape_of(table.head(way.url or ""))
    times = shape is not None and shape.has_times
    return times == (preset.cell_format is not None and "{start}" in preset.cell_format)


def advice(table: Table) -> str:
    """What to say in front of any other advice where a preset knows the list; nothing where none does."""
    name = known_list(table)
    if name is None:
        return ""
    preset = PRESETS[name]
    length = f", {preset.clip_length:g} s each" if preset.clip_length else ""
    how = f'; --preset {name} --start-col ""' if preset.asks else ""
    return f"is it {preset.title}{length}? --preset {name}{how}; else "


def expected(name: str) -> str:
    """The columns that a preset takes, in words."""
    return ", or ".join(map(_of_way, PRESETS[name].columns))


def _of_way(way: Columns) -> str:
    needed = [each for each in _names(way) if each in needed_of(way)]
    others = [each for each in _names(way) if each not in needed]
    more = f" (and mostly {', '.join(map(repr, others))})" if others else ""
    return f"{', '.join(map(repr, needed))}{more}"


def needed_of(columns: Columns) -> list[str]:
    """What a clip cannot be made without."""
    return [name for role, name in roles_of(columns) if role not in ("keep", "caption", "id")]


def _names(way: Columns) -> Iterator[str]:
    return (name for name in dict.fromkeys(name for _, name in roles_of(way)))


def takes_more(name: str, taken: Columns) -> bool:
    """Whether a preset takes columns besides these."""
    names = {each for _, each in roles_of(taken)}
    return all(not names.issuperset(_names(way)) for way in PRESETS[name].columns)


def not_said(table: Table, name: str, taken: Columns) -> list[str]:
    """The columns of a list that a preset says nothing of, and that nobody asked for."""
    known = {each for way in PRESETS[name].columns for each in _names(way)} | {each for _, each in roles_of(taken)}
    return [each for each in table.columns if each not in known and each not in PRESETS[name].others]

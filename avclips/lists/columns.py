"""Which column of a list says what: as it was told, by a preset, or guessed; and what is said of it.

Knows names, and looks at the first rows where a name can mean two things. What a cell is worth is for values.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence

from ..core.errors import UsageError
from ..core.settings import Columns, Settings
from .addresses import cleaned, times_in
from .cells import short
from .column_guesses import EITHER, guessed, header_test, listed, missed_time, names_a_video, over, roles_of, usual
from .column_names import plain
from .compound_cells import CellFormat, format_of, shape_of
from .known_lists import advice, expected, known_list, needed_of
from .presets import PRESETS
from .table import Looks, Table

_OPTIONS = {role: f"--{role}-col" for role in ("url", "start", "end", "duration", "clip", "id", "caption", "fps")}
_OPTIONS |= {"keep": "--keep-cols"}
_WORDS = {"url": "video"}


def looks_of(settings: Settings) -> Looks:
    """What the reader of a list has to know of meanings."""
    asked = settings.columns
    if settings.preset:
        names = [name for each in PRESETS[settings.preset].columns for _, name in roles_of(each)]
        asked = dataclasses.replace(asked, keep=(*asked.keep, *names))
    template = settings.cell_format or (PRESETS[settings.preset].cell_format if settings.preset else None)
    if template is None:
        return Looks(header_test(asked), names_a_video)
    pattern = format_of(template).pattern

    def is_clip(text: str) -> bool:
        return pattern.fullmatch(text) is not None

    return Looks(header_test(asked, is_clip), lambda text: names_a_video(text) or is_clip(cleaned(text)))


def clip_length(settings: Settings) -> float | None:
    """Seconds of a clip whose row does not say."""
    if settings.clip_length is None and settings.preset:
        return PRESETS[settings.preset].clip_length
    return settings.clip_length


def delimiter_of_list(settings: Settings) -> str | None:
    """What stands between the cells, where that was said."""
    if settings.delimiter is None and settings.preset:
        return PRESETS[settings.preset].delimiter
    return settings.delimiter


def cell_format(table: Table, url: str | None, settings: Settings) -> CellFormat | None:
    """The format of the cells that name the videos, where these say more than the id: as told, or shaped."""
    template = settings.cell_format or (PRESETS[settings.preset].cell_format if settings.preset else None)
    if template is not None:
        found = format_of(template, PRESETS[settings.preset].unit if settings.preset else "s")
        shaped = shape_of(table.head(url)) if url else None
        # Cells that are filled up say it themselves: ten seconds.
        length = shaped.length if shaped and "{end}" not in template else None
        found = dataclasses.replace(found, length=length)
    else:
        shaped = shape_of(table.head(url)) if url else None
        if shaped is None:
            return None
        found = shaped
    asked = settings.columns
    # Who says where the times are is believed.
    return dataclasses.replace(found, id_alone=bool(asked.start or asked.end or asked.clip))


def find_columns(table: Table, settings: Settings) -> Columns:
    """The columns of a list, None for what it does not have; UsageError where they do not make a clip.

    What a user names is taken, then a preset's, and without a preset the rest is guessed; "" is for none.
    """
    asked, length = settings.columns, clip_length(settings)
    _check(table, asked)
    if settings.preset:
        found = _of_preset(table, settings.preset, asked)
    else:
        told = None if settings.cell_format is None else format_of(settings.cell_format)
        found = guessed(table, asked, length, told)
    cell = cell_format(table, found.url, settings)
    if cell is not None and cell.has_times:
        if cell.has_end and asked.duration:
            raise UsageError(
                f"{table.name}: the cells of {found.url!r} say where a clip ends (as {cell}), and so does "
                f"--duration-col {asked.duration}",
                "leave --duration-col out, or name a column of starts too: --start-col",
            )
        # Whether it says how long a clip is, is known with its unit.
        return found
    if found.start and not (found.end or found.duration) and length is None:
        raise no_end(f"{table.name} says where a clip starts ({found.start!r})", table)
    if found.start or found.clip or asked.start is not None:
        # A column says it better, and "" that there is none.
        return found
    if settings.preset:
        _see_what_a_preset_lacks(settings.preset)
        return found
    found = dataclasses.replace(found, in_url=_are_in_addresses(table, found, length))
    if not (found.end or found.in_url) and (missed := missed_time(table, found)):
        raise _ask(table, *missed)
    return found


def no_end(what: str, table: Table) -> UsageError:
    """What to ask of a list that says where a clip starts, in words."""
    hint = "name the column with --end-col or --duration-col, or say the seconds of each with --clip-length"
    return UsageError(f"{what}, not where it ends", f"{advice(table)}{hint}")


def _see_what_a_preset_lacks(name: str) -> None:
    asks = PRESETS[name].asks
    if asks is not None:
        raise UsageError(*asks)


def _are_in_addresses(table: Table, found: Columns, length: float | None) -> bool | None:
    """Whether addresses say which seconds are meant; None: the first do not. UsageError where one has to ask."""
    times = [times_in(cell) for cell in table.head(found.url or "")]
    first = next((short(start) for start, _ in times if start), None)
    if any(end is not None for _, end in times):
        return True
    if first is not None and not (found.end or found.duration or length is not None):
        raise start_alone(f"{table.name}: the addresses in {found.url!r}", first)
    return True if first is not None else None


def start_alone(what: str, second: str) -> UsageError:
    """What to ask of addresses with a second, which can be a clip's start, or where somebody happened to be."""
    hint = 'say the seconds of each with --clip-length, or that whole videos are meant: --start-col ""'
    return UsageError(f"{what} say where a clip starts (at {second} s), not where it ends", hint)


def _ask(table: Table, name: str, several: bool) -> UsageError:
    """Whole videos are a hundred times as much: nobody should get them for want of a column's name."""
    option = "--clip-col" if several else "--start-col (and --end-col, ...)"
    known = advice(table)
    hint = f'{known}name it with {option}, or say that there is none: --start-col ""'
    rate = next(iter(usual(table, "fps")), None)
    if several and (rate or "idx" in plain(name) or "frame" in plain(name)):
        more = f" --fps-col {rate}" if rate else ", and --fps-col"
        hint = f"{known}name it with --clip-col; where it counts frames, with --time-unit frames{more}"
        hint += '; or say that there is none: --start-col ""'
    return UsageError(f"{table.name}: is {name!r} a time of the clips? {listed(table)}", hint)


def unused_id(table: Table, found: Columns, settings: Settings) -> str | None:
    """The column that is called as ids are, and was not taken for one."""
    if found.id is not None or settings.columns.id is not None or settings.preset or not table.named:
        return None
    taken = {name for _, name in roles_of(found)}
    return next((name for name in usual(table, "id") if name not in taken), None)


def about(
    columns: Columns, length: float | None, cell: CellFormat | None = None, units: Sequence[str] = ()
) -> str:
    """What was found, in one line; ``units``: of the times, where they are not all seconds."""
    parts = [f"{_WORDS.get(role, role)} from {name!r}" for role, name in roles_of(columns) if role != "keep"]
    if cell is not None:
        parts[0] = f"{'clip' if cell.has_times else 'video'} from {columns.url!r} as {cell}"
    if units:
        parts.append(f"times in {' and '.join(units)}")
    if columns.keep:
        parts.append(f"kept {', '.join(map(repr, columns.keep))}")
    if columns.in_url:
        parts.append("times from the addresses")
    ends = columns.clip or columns.end or columns.duration or (cell is not None and cell.has_end)
    if not (ends or (columns.in_url and length is None)):
        parts.append("whole videos" if length is None else f"{length:g} s each")
    return f"columns: {', '.join(parts)}"


def _check(table: Table, asked: Columns) -> None:
    for one, other in EITHER:
        if getattr(asked, one) and getattr(asked, other):
            raise UsageError(f"{_OPTIONS[one]} and {_OPTIONS[other]} exclude each other", "give one of them")
    for role, name in roles_of(asked):
        if name not in table.columns:
            raise _missing(table, name, _OPTIONS[role])


def _missing(table: Table, name: str, who: str, otherwise: str = "name one of these") -> UsageError:
    by_plain_name = {plain(column): column for column in reversed(table.columns)}
    near = difflib.get_close_matches(plain(name), by_plain_name, 1)
    if table.named and name.isascii() and name.isdigit() and 0 < int(name) <= len(table.columns):
        otherwise = (
            f"its columns have names (a first row that names no clip is a header): did you mean "
            f"{table.columns[int(name) - 1]!r}?"
        )
    hint = f"did you mean {by_plain_name[near[0]]!r}?" if near else otherwise
    return UsageError(f"{table.name} has no column {name!r} ({who}): {listed(table)}", hint)


def _of_preset(table: Table, name: str, asked: Columns) -> Columns:
    ways = PRESETS[name].columns
    fitting = (way for way in ways if all(each in table.columns for each in needed_of(way)))
    preset = next(fitting, ways[0])
    # Copies of a list lack what is not needed for a clip.
    keep = tuple(each for each in preset.keep if each in table.columns)
    more = {role: each if (each := getattr(preset, role)) in table.columns else None for role in ("caption", "id")}
    found = over(asked, dataclasses.replace(preset, keep=keep, **more))
    for _, column in roles_of(found):
        if column not in table.columns:
            raise _not_the_presets(table, column, name)
    return found


def _not_the_presets(table: Table, column: str, name: str) -> UsageError:
    """What to say of a list that lacks a column of its preset."""
    other = known_list(table)
    meant = f" did you mean --preset {other}?" if other else " without --preset, columns are guessed"
    return UsageError(
        f"{table.name} has no column {column!r} (--preset {name}): {listed(table)}",
        f"is it the list of {PRESETS[name].title}, which has {expected(name)}?{meant}",
    )

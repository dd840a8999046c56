"""Which columns a list without further words has: by their usual names, and by the looks of their first cells."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ..core.errors import UsageError
from ..core.files import is_plain_name
from ..core.settings import Columns
from .addresses import cleaned, is_address, youtube_id
from .cells import interval, intervals, seconds
from .column_names import KNOWN, LABELS, MAY_NAME_VIDEOS, NUMBERS_ROWS, USUAL, plain
from .compound_cells import CellFormat, is_compound, shape_of
from .table import Table, is_word

ROLES = tuple(USUAL)
EITHER = (("clip", "start"), ("clip", "end"), ("clip", "duration"), ("end", "duration"))
_MOST_SHOWN = 30
_NEARLY_ALL = 0.9


def roles_of(columns: Columns) -> Iterator[tuple[str, str]]:
    """Each column that is named, with what it is: (role, column)."""
    for role in ROLES:
        if getattr(columns, role):
            yield role, getattr(columns, role)
    for name in columns.keep:
        yield "keep", name


def listed(table: Table) -> str:
    """The columns of a list, in words."""
    shown = [repr(name[:60]) for name in table.columns[:_MOST_SHOWN]]
    more = ["..."] if len(table.columns) > _MOST_SHOWN else []
    return f"{'its columns are' if table.named else 'without a header, they are'} {', '.join(shown + more)}"


def over(asked: Columns, other: Columns) -> Columns:
    """What was asked for, and of ``other`` what goes with it."""
    taken = {name for _, name in roles_of(dataclasses.replace(asked, keep=()))}
    merged = {role: getattr(asked, role) for role in ROLES}
    for role in _left_open(asked):
        name = getattr(other, role)
        merged[role] = None if name in taken else name
    return Columns(**{role: name or None for role, name in merged.items()}, keep=asked.keep or other.keep)


def _left_open(asked: Columns) -> Iterator[str]:
    """What was not asked for, and does not exclude what was."""
    for role in ROLES:
        against = [each for pair in EITHER if role in pair for each in pair if each != role]
        if getattr(asked, role) is None and not any(getattr(asked, each) for each in against):
            yield role


# -- the first row -------------------------------------------------------------------------------------------


def names_a_video(text: str) -> bool:
    """Whether a text is an id, an address, or an id with times behind it."""
    text = cleaned(text)
    return youtube_id(text) is not None or is_address(text) or is_compound(text)


def header_test(asked: Columns, is_clip: Callable[[str], bool] = is_compound) -> Callable[[Sequence[str]], bool]:
    """Whether a first row names its columns: as they were asked for, as usual, or with nothing of a clip in it.

    ``is_clip``: whether a cell is a whole clip.
    """
    # A file without a header has numbers for names, and numbers in its cells.
    names = {name for _, name in roles_of(asked) if not name.isdigit()}
    by_number = any(name.isdigit() for _, name in roles_of(asked))
    of_videos = int(asked.url) - 1 if asked.url and re.fullmatch("[0-9]{1,4}", asked.url) else None

    def is_header(cells: Sequence[str]) -> bool:
        if not names.isdisjoint(cell.strip() for cell in cells) or _are_numbers_of_columns(cells):
            return True
        times = any(_reads(seconds, cell) or is_clip(cleaned(cell)) for cell in cells)
        usual = any(plain(cell) in KNOWN for cell in cells)
        videos = any(names_a_video(cell) and not is_word(cell) for cell in cells)
        if by_number:
            # Who counts columns says that they have no names; but what cannot be a clip is one.
            may_be = cells if of_videos is None else cells[of_videos : of_videos + 1]
            if any(
                (names_a_video(cell) or is_clip(cleaned(cell))) and not (usual and is_word(cell))
                for cell in may_be
            ):
                return False
        # A row whose video is broken still has its times, and what a spreadsheet ate is no name.
        return not times and (usual or not (videos or any(cell.strip().startswith("#NAME?") for cell in cells)))

    return is_header


def _are_numbers_of_columns(cells: Sequence[str]) -> bool:
    """The header that pandas writes where there was none."""
    return len(cells) > 1 and [cell.strip() for cell in cells] == [str(number) for number in range(len(cells))]


# -- columns -------------------------------------------------------------------------------------------------


def guessed(table: Table, asked: Columns, length: float | None, cell: CellFormat | None) -> Columns:
    """The columns of a list; ``cell``: the format of the videos' cells, where it was said."""
    video = asked.url or _video(table, cell)
    if not video:
        hint = (
            "say which column has a YouTube id or an address, with --url-col (a number where there is no header)"
        )
        raise UsageError(f"no column of {table.name} is known to name a video: {listed(table)}", hint)
    asked = dataclasses.replace(asked, url=video)
    found = cell or shape_of(table.head(video))
    if found is not None and found.has_times and not (asked.start or asked.end or asked.clip):
        return over(asked, _beside_a_clip(table, asked, found))
    return over(asked, _by_names(table, asked) if table.named else _by_looks(table, asked, video, length))


def _video(table: Table, cell: CellFormat | None) -> str | None:
    """Of the columns with a usual name, or of all where they have none, the one that holds the most videos."""
    names = usual(table, "url") if table.named else list(table.columns)
    may = [name for name in table.columns if plain(name) in MAY_NAME_VIDEOS] if table.named else []

    def score(name: str) -> tuple[bool, int, int]:
        cells = [cleaned(each) for each in table.head(name)]
        mostly_ids = mostly(youtube_id(each) is not None for each in cells)
        # A name that stands in each row is no video, though it may look like one.
        on_youtube = sum(youtube_id(each) is not None for each in set(cells))
        return mostly_ids, on_youtube + sum(map(is_address, set(cells))), on_youtube

    best = max(names, key=score, default=None)
    if best is not None and any(score(best)):
        return best
    otherwise = next((name for name in may if score(name)[0]), None) or _shaped(table, [*names, *may], cell)
    # Any list may number its rows.
    return best if otherwise is None and best is not None and plain(best) != "id" else otherwise


def _shaped(table: Table, called: Sequence[str], cell: CellFormat | None) -> str | None:
    """The column that holds a clip in each cell; ``called``: those that are called as a video is."""
    for name in dict.fromkeys((*called, *table.columns)):
        cells = table.head(name)
        if cell is not None:
            fits = mostly(cell.pattern.fullmatch(cleaned(each)) is not None for each in cells)
        else:
            found = shape_of(cells)
            # A number behind an id may as well be that of a question.
            plainly = found is not None and ("{end}" in found.template or found.length is not None)
            fits = found is not None and (plainly or name in called)
        if fits:
            return name
    return None


def _beside_a_clip(table: Table, asked: Columns, cell: CellFormat) -> Columns:
    """What goes with a clip that is in one cell: times beside it count from the clip."""
    if not table.named:
        behind = table.columns[table.columns.index(asked.url or "") + 1 :]
        # ID_START,LENGTH,...: as long as every other.
        lengths = [_numbers(table, name) for name in behind[:1]] if "{end}" not in cell.template else []
        same = bool(lengths) and len(set(lengths[0])) == 1 and len(lengths[0]) > 1 and 0 < lengths[0][0] <= 600
        return Columns(duration=behind[0] if same and cell.length is None else None)
    return Columns(caption=_first(table, asked, "caption"), keep=kept_unasked(table, asked))


def _numbers(table: Table, name: str) -> list[float]:
    cells = table.head(name)
    return [seconds(cell) for cell in cells] if all(_reads(seconds, cell) for cell in cells) else []


def counted_from_the_clip(table: Table, found: Columns) -> list[str]:
    """The columns of times beside a clip that is in one cell."""
    taken = {name for _, name in roles_of(found)}
    names = [name for name in table.columns if plain(name) in {*USUAL["start"], *USUAL["end"]}]
    names += [name for name in table.columns if name not in names and _are_intervals(table.head(name))]
    return [name for name in names if name not in taken]


def kept_unasked(table: Table, asked: Columns) -> tuple[str, ...]:
    """The columns of labels: whoever has them wants them."""
    taken = {name for _, name in roles_of(dataclasses.replace(asked, keep=()))}
    return tuple(name for name in table.columns if plain(name) in LABELS and name not in taken)


def _by_names(table: Table, asked: Columns) -> Columns:
    start, end, duration = (_first(table, asked, role) for role in ("start", "end", "duration"))
    if end or not (start or asked.start):
        # Beside an end, or without a start, it is how long the whole video is.
        duration = None
    clip = None if start or end else _first(table, asked, "clip", _are_intervals)
    caption, clip_id = _first(table, asked, "caption"), _first(table, asked, "id", _are_ids)
    if start and end and not (asked.start or asked.end):
        _see_that_they_are_of_the_video(table, start, end)
    keep = kept_unasked(table, asked)
    return Columns(start=start, end=end, duration=duration, clip=clip, caption=caption, id=clip_id, keep=keep)


def _by_looks(table: Table, asked: Columns, video: str, length: float | None) -> Columns:
    """Columns without names: a list of clips, or the first numbers behind the video."""
    clips = [name for name in table.columns if _are_intervals(table.head(name))]
    if clips:
        return Columns(clip=clips[0])
    behind = table.columns[table.columns.index(video) + 1 :]
    times = [name for name in behind if mostly(_reads(seconds, cell) for cell in table.head(name))]
    if len(times) > 1 and length is None and _are_ends(table, *times[:2]):
        if not (asked.start or asked.end):
            _see_that_they_are_of_the_video(table, *times[:2])
        return Columns(start=times[0], end=times[1])
    return Columns(start=times[0] if times else None)


def _see_that_they_are_of_the_video(table: Table, starts: str, ends: str) -> None:
    """AVE's events are those of ten-second clips: some are all of it, and none ends later.

    Of anybody's list that may be so as well: AVE's has whole seconds, and a column of how good an event is.
    """
    pairs = [(seconds(one), seconds(two)) for one, two in _pairs(table, starts, ends) if _reads(seconds, one, two)]
    whole = sum(pair == (0.0, 10.0) for pair in pairs)
    if not (len(pairs) > 2 and 0 < whole < len(pairs) and all(end <= 10 for _, end in pairs)):
        return
    if all(start.is_integer() and end.is_integer() for start, end in pairs) and _has_quality(table):
        raise UsageError(
            f"{table.name}: do the times in {starts!r} and {ends!r} count from the video, or from a ten-second "
            "clip of it? none is later than 10 s",
            f"from the video: --start-col {starts} --end-col {ends}; from a clip, as AVE's do, whose place the "
            'list does not tell (AudioSet\'s lists do): whole videos, by --preset ave --start-col ""',
        )


def _has_quality(table: Table) -> bool:
    """Whether a column is called quality, or says "good" of its first rows."""
    return any(plain(name) == "quality" or set(table.head(name)) == {"good"} for name in table.columns)


def _pairs(table: Table, starts: str, ends: str) -> Iterator[tuple[Any, Any]]:
    return zip(table.head(starts), table.head(ends), strict=True)


def usual(table: Table, role: str) -> list[str]:
    """The columns that have a usual name, the likeliest first."""
    return [column for each in USUAL[role] for column in table.columns if plain(column) == each]


def _first(
    table: Table, asked: Columns, role: str, fits: Callable[[list[Any]], bool] = lambda cells: True
) -> str | None:
    taken = {name for _, name in roles_of(asked)} - set(asked.keep)
    free = (name for name in usual(table, role) if name not in taken)
    return next((name for name in free if fits(table.head(name))), None)


def _are_intervals(cells: list[Any]) -> bool:
    """One will do: the others may be wrong."""
    return any(_reads(intervals, cell) for cell in cells)


def _are_ids(cells: list[Any]) -> bool:
    """Whether these name clips, not the videos, and each another."""
    texts = {str(cell).strip() for cell in cells}
    good = sum(is_plain_name(text) and not youtube_id(text) for text in texts)
    # What is not so in a few rows is wrong in these.
    return good >= _NEARLY_ALL * len(cells)


def _are_ends(table: Table, starts: str, ends: str) -> bool:
    def ordered(start: Any, end: Any) -> object:
        return interval(seconds(start), seconds(end))

    return mostly(_reads(ordered, *pair) for pair in _pairs(table, starts, ends))


# -- what must not be missed ---------------------------------------------------------------------------------


def missed_time(table: Table, found: Columns) -> tuple[str, bool] | None:
    """A column that seems to hold the times of the clips and was not taken, and whether several in a cell.

    Lists of pairs come first, then what is called like a part of a clip: a number may be anything.
    """
    known = {name for _, name in roles_of(found)}
    several: list[str] = []
    named: list[str] = []
    numbers: list[str] = []
    for name in table.columns:
        called = plain(name)
        if name in known or called in NUMBERS_ROWS:
            continue
        cells = table.head(name)
        if _are_intervals(cells) or (called in USUAL["clip"] and any(map(_is_nested, cells))):
            several.append(name)
        elif called in KNOWN - {*USUAL["start"], *USUAL["end"]} or re.search(r"duration|length|fps$", called):
            continue
        elif mostly(_reads(seconds, cell) for cell in cells):
            (named if re.search(r"start|begin|onset|end|stop|time|clip|sec", called) else numbers).append(name)
    best = next(iter((*several, *named, *numbers)), None)
    return None if best is None else (best, best in several)


def _is_nested(cell: Any) -> bool:
    """Whether there is more in a cell than one value."""
    return isinstance(cell, (list, tuple, dict)) or (isinstance(cell, str) and cell.strip()[:1] in ("[", "{"))


def mostly(found: Iterable[bool]) -> bool:
    """Some rows may be wrong."""
    votes = list(found)
    return 2 * sum(votes) > len(votes)


def _reads(read: Callable[..., object], *cells: Any) -> bool:
    try:
        if read is seconds:
            for cell in cells:
                read(cell)
        else:
            read(*cells)
    except (ValueError, RecursionError):
        return False
    return True

"""Which column of a list says what: as it was told, by a preset, or guessed from the usual names.

Knows names, and looks at the first rows where a name can mean two things. What a cell is worth is for values.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..clip import Columns, Settings
from ..errors import UsageError
from ..files import is_plain_name
from ..tables import IsHeader, Table
from .values import is_address, seconds, span, spans, youtube_id


@dataclass(frozen=True)
class Preset:
    """A published list's columns, and how long its clips are where it does not say."""

    columns: Columns
    clip_length: float | None = None


PRESETS = {
    "acav100m": Preset(Columns(url="1", start="2"), 10.0),
    "kinetics": Preset(
        Columns(url="youtube_id", start="time_start", end="time_end", keep=("label", "split", "is_cc"))
    ),
    "audiocaps": Preset(
        Columns(url="youtube_id", start="start_time", caption="caption", keep=("audiocap_id",)), 10.0
    ),
    "panda70m": Preset(Columns(url="url", clip="timestamp", caption="caption", keep=("matching_score",))),
}


def _times(*words: str) -> list[str]:
    """What a column of seconds is called: start, start_time, time_start, start_seconds, ..."""
    ends = ("", "s", "time", "times", "timestamp", "sec", "secs", "second", "seconds", "timeseconds", "timesec")
    befores = ("time", "timestamp", "t", "clip", "segment", "seg")
    return [word + end for word in words for end in ends] + [before + word for word in words for before in befores]


# In small letters and digits alone, the likeliest first.
_USUAL: dict[str, list[str]] = {
    "url": "url videourl youtubeurl yturl link videolink youtubelink webpageurl contenturl youtubeid ytid ytbid "
    "youtubevideoid ytvideoid youtube yt videoid ytvid vid video videos id".split(),
    "start": _times("start", "begin", "onset"),
    "end": _times("end", "stop", "offset"),
    "duration": "duration durations durationseconds durationsec clipduration segmentduration length lengthseconds "
    "cliplength segmentlength dur".split(),
    "clip": "timestamps timestamp clips clip segments segment spans span clipspans clipspan times intervals "
    "interval".split(),
    "id": "id clipid segmentid sampleid uid uuid clipname clipkey".split(),
    "caption": "caption captions text texts sentence sentences description descriptions desc cap".split(),
}
_KNOWN = frozenset(name for names in _USUAL.values() for name in names)
_OPTIONS = {role: f"--{role}-col" for role in _USUAL} | {"keep": "--keep-cols"}
_WORDS = {"url": "video"}
_EITHER = (("clip", "start"), ("clip", "end"), ("clip", "duration"), ("end", "duration"))
_MOST_SHOWN = 30
_NEARLY_ALL = 0.9
# What numbers a row, and no second of a clip.
_NUMBERS_ROWS = frozenset(("", "index", "idx", "no", "nr", "number", "row", "rank", "unnamed0", "level0"))


def header_test(asked: Columns) -> IsHeader:
    """Whether a first row names its columns: as they were asked for, as usual, or with nothing of a clip in it."""
    # A file without a header has numbers for names, and numbers in its cells.
    names = {name for _, name in _named(asked) if not name.isdigit()}

    def is_header(cells: Sequence[str]) -> bool:
        if not names.isdisjoint(cell.strip() for cell in cells):
            return True
        usual = any(_plain(cell) in _KNOWN for cell in cells) and not any(_reads(seconds, cell) for cell in cells)
        # A word of eleven small letters is a word.
        return usual or not any(_is_video(cell) for cell in cells if not re.fullmatch(r"[a-z_-]*", cell.strip()))

    return is_header


def clip_length(settings: Settings) -> float | None:
    """Seconds of a clip whose row does not say."""
    if settings.clip_length is None and settings.preset:
        return PRESETS[settings.preset].clip_length
    return settings.clip_length


def find_columns(table: Table, settings: Settings) -> Columns:
    """The columns of a list, None for what it does not have; UsageError where they do not make a clip.

    What a user names is taken, then a preset's, and without a preset the rest is guessed; "" is for none.
    """
    asked, length = settings.columns, clip_length(settings)
    _check(table, asked)
    preset = settings.preset
    found = _of_preset(table, preset, asked) if preset else _guessed(table, asked, length)
    if found.start and not (found.end or found.duration) and length is None:
        hint = "name the column with --end-col or --duration-col, or say the seconds of each with --clip-length"
        raise UsageError(f"{table.path} says where a clip starts ({found.start!r}), not where it ends", hint)
    if not (found.start or found.end or found.clip) and asked.start is None:
        _see_that_no_time_is_missed(table, found)
    return found


def _see_that_no_time_is_missed(table: Table, found: Columns) -> None:
    """Whole videos are a hundred times as much: nobody should get them for want of a column's name."""
    known = {name for _, name in _named(found)}
    for name in table.columns:
        plain = _plain(name)
        if name in known or plain in _KNOWN - set(_USUAL["start"] + _USUAL["end"]) or plain in _NUMBERS_ROWS:
            continue
        if _mostly(_reads(seconds, cell) for cell in _cells(table, name)):
            hint = 'name it with --start-col (and --end-col, ...), or say that there is none: --start-col ""'
            raise UsageError(f"{table.path}: is {name!r} a time of the clips? {_listed(table)}", hint)


def unused_id(table: Table, found: Columns, settings: Settings) -> str | None:
    """The column that is called as ids are, and was not taken for one."""
    if found.id is not None or settings.columns.id is not None or settings.preset or not table.named:
        return None
    taken = {name for _, name in _named(found)}
    return next((name for name in _usual(table, "id") if name not in taken), None)


def about(columns: Columns, length: float | None) -> str:
    """What was found, in one line."""
    parts = [f"{_WORDS.get(role, role)} from {name!r}" for role, name in _named(columns) if role != "keep"]
    if columns.keep:
        parts.append(f"kept {', '.join(map(repr, columns.keep))}")
    if not (columns.clip or columns.end or columns.duration):
        parts.append("whole videos" if length is None else f"{length:g} s each")
    return f"columns: {', '.join(parts)}"


def names_of(columns: Columns) -> list[str]:
    """The columns that a row's meaning hangs on, each once."""
    return list(dict.fromkeys(name for _, name in _named(columns)))


def _named(columns: Columns) -> Iterator[tuple[str, str]]:
    for role in _USUAL:
        if getattr(columns, role):
            yield role, getattr(columns, role)
    for name in columns.keep:
        yield "keep", name


def _check(table: Table, asked: Columns) -> None:
    for one, other in _EITHER:
        if getattr(asked, one) and getattr(asked, other):
            raise UsageError(f"{_OPTIONS[one]} and {_OPTIONS[other]} exclude each other", "give one of them")
    for role, name in _named(asked):
        if name not in table.columns:
            raise _missing(table, name, _OPTIONS[role])


def _missing(table: Table, name: str, who: str, otherwise: str = "name one of these") -> UsageError:
    by_plain_name = {_plain(column): column for column in reversed(table.columns)}
    near = difflib.get_close_matches(_plain(name), by_plain_name, 1)
    hint = f"did you mean {by_plain_name[near[0]]!r}?" if near else otherwise
    return UsageError(f"{table.path} has no column {name!r} ({who}): {_listed(table)}", hint)


def _listed(table: Table) -> str:
    shown = [repr(name[:60]) for name in table.columns[:_MOST_SHOWN]]
    more = ["..."] if len(table.columns) > _MOST_SHOWN else []
    return f"{'its columns are' if table.named else 'without a header, they are'} {', '.join(shown + more)}"


def _of_preset(table: Table, name: str, asked: Columns) -> Columns:
    preset = PRESETS[name].columns
    # Copies of a list lack what is not needed for a clip.
    keep = tuple(each for each in preset.keep if each in table.columns)
    caption = preset.caption if preset.caption in table.columns else None
    found = _over(asked, dataclasses.replace(preset, keep=keep, caption=caption))
    for _, column in _named(found):
        if column not in table.columns:
            raise _missing(
                table, column, f"--preset {name}", "is it that list? without --preset, columns are guessed"
            )
    return found


def _over(asked: Columns, other: Columns) -> Columns:
    """What was asked for, and of ``other`` what goes with it."""
    taken = {name for _, name in _named(dataclasses.replace(asked, keep=()))}
    merged = {role: getattr(asked, role) for role in _USUAL}
    for role in _left_open(asked):
        name = getattr(other, role)
        merged[role] = None if name in taken else name
    return Columns(**{role: name or None for role, name in merged.items()}, keep=asked.keep or other.keep)


def _left_open(asked: Columns) -> Iterator[str]:
    """What was not asked for, and does not exclude what was."""
    for role in _USUAL:
        against = [each for pair in _EITHER if role in pair for each in pair if each != role]
        if getattr(asked, role) is None and not any(getattr(asked, each) for each in against):
            yield role


# -- guesses ---------------------------------------------------------------------------------------------------


def _guessed(table: Table, asked: Columns, length: float | None) -> Columns:
    video = asked.url or _video(table)
    if not video:
        hint = "say which column has a YouTube id or an address, with --url-col"
        raise UsageError(f"no column of {table.path} is known to name a video: {_listed(table)}", hint)
    asked = dataclasses.replace(asked, url=video)
    return _over(asked, _by_names(table, asked) if table.named else _by_looks(table, video, length))


def _video(table: Table) -> str | None:
    """Of the columns with a usual name, or of all where they have none, the one that holds the most videos."""
    names = _usual(table, "url") if table.named else list(table.columns)

    def score(name: str) -> tuple[bool, int, int]:
        cells = [cell.strip() if isinstance(cell, str) else "" for cell in _cells(table, name)]
        mostly = _mostly(youtube_id(cell) is not None for cell in cells)
        # A name that stands in each row is no video, though it may look like one.
        on_youtube = sum(youtube_id(cell) is not None for cell in set(cells))
        return mostly, on_youtube + sum(map(is_address, set(cells))), on_youtube

    best = max(names, key=score, default=None)
    # Any list may number its rows.
    return None if best is None or (_plain(best) == "id" and not any(score(best))) else best


def _by_names(table: Table, asked: Columns) -> Columns:
    start, end, duration = (_first(table, asked, role) for role in ("start", "end", "duration"))
    if end or not (start or asked.start):
        # Beside an end, or without a start, it is how long the whole video is.
        duration = None
    clip = None if start or end else _first(table, asked, "clip", _are_spans)
    caption, clip_id = _first(table, asked, "caption"), _first(table, asked, "id", _are_ids)
    return Columns(start=start, end=end, duration=duration, clip=clip, caption=caption, id=clip_id)


def _by_looks(table: Table, video: str, length: float | None) -> Columns:
    """Columns without names: a list of clips, or the first numbers behind the video."""
    clips = [name for name in table.columns if _are_spans(_cells(table, name))]
    if clips:
        return Columns(clip=clips[0])
    behind = table.columns[table.columns.index(video) + 1 :]
    times = [name for name in behind if _mostly(_reads(seconds, cell) for cell in _cells(table, name))]
    if len(times) > 1 and length is None and _are_ends(table, *times[:2]):
        return Columns(start=times[0], end=times[1])
    return Columns(start=times[0] if times else None)


def _usual(table: Table, role: str) -> list[str]:
    """The columns that have a usual name, the likeliest first."""
    return [column for usual in _USUAL[role] for column in table.columns if _plain(column) == usual]


def _first(
    table: Table, asked: Columns, role: str, fits: Callable[[list[Any]], bool] = lambda cells: True
) -> str | None:
    taken = {name for _, name in _named(asked)} - set(asked.keep)
    free = (name for name in _usual(table, role) if name not in taken)
    return next((name for name in free if fits(_cells(table, name))), None)


def _cells(table: Table, name: str) -> list[Any]:
    return [row.get(name) for row in table.sample]


def _are_spans(cells: list[Any]) -> bool:
    """One will do: the others may be wrong."""
    return any(_reads(spans, cell) for cell in cells)


def _are_ids(cells: list[Any]) -> bool:
    """Whether these name clips, not the videos, and each another."""
    texts = {str(cell).strip() for cell in cells}
    good = sum(is_plain_name(text) and not youtube_id(text) for text in texts)
    # What is not so in a few rows is wrong in these.
    return good >= _NEARLY_ALL * len(cells)


def _are_ends(table: Table, starts: str, ends: str) -> bool:
    def ordered(pair: tuple[Any, Any]) -> object:
        return span(seconds(pair[0]), seconds(pair[1]))

    pairs = zip(_cells(table, starts), _cells(table, ends), strict=True)
    return _mostly(_reads(ordered, pair) for pair in pairs)


def _mostly(found: Iterable[bool]) -> bool:
    """Some rows may be wrong."""
    votes = list(found)
    return 2 * sum(votes) > len(votes)


def _is_video(cell: str) -> bool:
    return youtube_id(cell.strip()) is not None or is_address(cell.strip())


def _reads(read: Callable[[Any], object], cell: Any) -> bool:
    try:
        read(cell)
    except (ValueError, RecursionError):
        return False
    return True


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())

"""A user's own list: any table with a column for the video, and times.

Knows how a list becomes clips, and which rows are left out. Formats are known to ``lists.reader``, the names of
columns to ``columns``, what a row means to ``meaning`` and ``rows``.
"""

from __future__ import annotations

from pathlib import Path

from ..core.errors import UsageError
from ..core.settings import Columns, Settings
from ..lists.cells import StartAlone
from ..lists.column_guesses import names_a_video
from ..lists.columns import delimiter_of_list, looks_of, start_alone, unused_id
from ..lists.known_lists import known_list, not_said, takes_more
from ..lists.meaning import Meaning, meaning_of
from ..lists.presets import PRESETS
from ..lists.reader import open_table
from ..lists.table import Table, is_word
from ..lists.unique_clips import UniqueClips
from .base import Dataset, Listing, together

# So many columns are named at most.
_MOST = 10


def read_clips(metadata: Path, settings: Settings) -> Listing:
    """The clips of a user's list, those of a video together, and what its columns were taken for."""
    if not settings.clip_list:
        raise UsageError("no list of clips is named", "name the file: download_clips.py LIST")
    table = open_table(settings.clip_list, settings.encoding, looks_of(settings), delimiter_of_list(settings))
    meaning = meaning_of(table, settings)
    book = UniqueClips(meaning)
    rows, skipped = 0, []
    for where, cells in table.rows(meaning.names):
        rows += 1
        try:
            book.take(cells)
        except StartAlone as error:
            raise start_alone(f"{table.name}: in {where} the address does", str(error)) from error
        except ValueError as error:
            skipped.append(f"{table.place(where)}: {error}")
        except RecursionError:
            skipped.append(f"{table.place(where)}: a cell is nested too deeply")
    book.see_that_nothing_is_lost(rows, len(skipped), table.count())
    if not book:
        # Where nothing fits, a column was likely mistaken for another.
        raise UsageError(
            f"no row of {table.name} names a clip; the first: {skipped[0]}", _doubt(meaning, settings)
        )
    named = meaning.columns.id is not None or (meaning.cell is not None and meaning.cell.has_times)
    remarks = _remarks(table, meaning, book, settings)
    return Listing(together(book.clips()), skipped, book.url_of, remarks=remarks, named=named, rows=rows)


def _remarks(table: Table, meaning: Meaning, book: UniqueClips, settings: Settings) -> list[str]:
    """What a user should know of how the list was understood."""
    remarks = meaning.remarks()
    if meaning.cell is None and (name := unused_id(table, meaning.columns, settings)) is not None:
        remarks.append(
            f"the column {name!r} does not name clips, each another: --id-col {name} takes it all the same"
        )
    remarks += _of_presets(table, meaning, settings)
    if table.delimiter and table.named and (first := next(filter(_looks_like_a_video, table.columns), None)):
        remarks.append(f"the first row is taken for a header; if {first!r} is a video: --url-col and a number")
    if book.repeated:
        remarks.append(f"{book.repeated} rows name a clip that an earlier row names: it is fetched once")
    return remarks


def _looks_like_a_video(name: str) -> bool:
    return names_a_video(name) and not is_word(name)


def _of_presets(table: Table, meaning: Meaning, settings: Settings) -> list[str]:
    """What of a public list is not taken: by the preset that was named, or for want of one."""
    if settings.preset:
        names = not_said(table, settings.preset, meaning.columns)
        more = ", ".join(map(repr, names[:_MOST])) + (", ..." if len(names) > _MOST else "")
        return [f"columns that --preset {settings.preset} does not know, and leaves: {more}"] if names else []
    name = known_list(table, wholly=True) if settings.columns == Columns() else None
    if name is not None and takes_more(name, meaning.columns):
        return [f"it has all columns of {PRESETS[name].title}: --preset {name} takes what is known of that list"]
    return []


def _doubt(meaning: Meaning, settings: Settings) -> str:
    """What may be wrong where no row fits."""
    columns = meaning.remarks()[0]
    if settings.preset:
        return f"is it the list of {PRESETS[settings.preset].title} (--preset {settings.preset})? {columns}"
    return columns


CLIPS = Dataset(
    name="clips",
    title="a list of your own",
    default_dir="./data/clips",
    log_name="clips_download.log",
    annotations=lambda settings: (),
    read_clips=read_clips,
    clip_seconds=10.0,
    splits=(),
    usual_splits=(),
    options=frozenset(
        "list encoding delimiter url-col start-col end-col duration-col clip-col id-col keep-cols caption-col "
        "fps-col cell-format time-unit clip-length preset list-presets dry-run info subtitles".split()
    ),
)

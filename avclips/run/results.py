"""What is written at the end of a run for whoever uses the clips: tables, and how much of the list is here."""

from __future__ import annotations

from dataclasses import replace

from ..catalog.clip_sets import count
from ..catalog.coverage import FILE, line_of
from ..catalog.folder import DataFolder
from ..catalog.of_shards import of_folder_of_shards
from ..catalog.tables import write_coverage, write_tables
from ..core.errors import RunError
from ..core.settings import Settings
from ..datasets.base import Finished, Listing
from ..fetch.plan import Share
from ..progress.console import say
from ..shards.layout import Output
from ..state.last_settings import splits_so_far
from ..state.store import Store
from .context import RunContext

# A run that was told to stop may have half a minute: of longer lists the tables are left to the next.
_STOPPED_AT_MOST = 100_000
# A table of each shard has to be read, wherever it is.
_SHARDS_AT_MOST = 1_000
_ANEW = "avclips tables {folder} writes them"


def tables_of_files(run: RunContext, listing: Listing, stopped: bool) -> str | None:
    """Write the tables of single files, of what is there now; the line to end with, None where none is written.

    ``stopped``: the run has to end soon. What goes wrong is said, and is no reason to end otherwise.
    """
    if run.store.lost:
        return None
    try:
        there = _of_all_partitions(run)
        if run.dataset.write_tables is not None:
            finished = Finished(there.folder, there.done_lines, there.file_of)
            run.dataset.write_tables(finished, run.store.metadata, run.settings)
        known = len(there.done) + len(there.failed)
        if stopped and known > _STOPPED_AT_MOST:
            say(f"clips.csv and {FILE} are those of before: {_ANEW.format(folder=there.folder)}.", matters=True)
            return None
        folder = DataFolder(run.dataset, replace(run.settings, part=None), there)
        # Splits that only an earlier run asked for are in the folder's list all the same.
        same = set(splits_so_far(there.folder)) <= set(run.settings.splits)
        return line_of(write_tables(folder, Share(listing.clips, None) if same else None))
    except (OSError, RunError) as error:
        say(f"The tables of what is there could not be written, the next run writes them: {error}", matters=True)
        return None


def _of_all_partitions(run: RunContext) -> Store:
    """The folder with what the other partitions did meanwhile."""
    if run.settings.part is None:
        return run.store
    whole = replace(run.settings, part=None)
    store = Store(whole, run.dataset.name, run.clock, audio=run.dataset.sounds_in(run.settings.data_dir))
    store.read()
    return store


def coverage_of_shards(run: RunContext, listing: Listing, output: Output, settings: Settings) -> str | None:
    """Write the coverage of a run into shards; the line to end with, None where it is left to a command."""
    if len(output.finished()) > _SHARDS_AT_MOST:
        return f"avclips coverage {settings.data_dir} counts them by splits, and writes {FILE}."
    try:
        folder = DataFolder(run.dataset, replace(settings, part=None), _of_all_partitions(run))
        found = of_folder_of_shards(folder, output, Share(listing.clips, None))
        said = count(found, folder).as_json()
        write_coverage(settings.data_dir / FILE, said)
        return line_of(said)
    except (OSError, RunError) as error:
        return f"{FILE} could not be written, the next run writes it: {error}"

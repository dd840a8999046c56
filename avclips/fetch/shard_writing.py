"""From a data folder to a shard: a sample for each clip, and a write that waits for its place and for room."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..core.clock import Clock
from ..core.errors import GaveUp
from ..core.files import as_run_error, is_full
from ..core.model import Clip
from ..progress.console import say
from ..shards.layout import Output
from ..shards.sample import Sample
from ..shards.storage import StoreLost
from ..state.manifest import Line
from ..state.store import Store

# Seconds between two tries to write what could not be written.
WRITE_AGAIN = 30.0
# The folders of a clip's files.
_FOLDERS = ("videos", "audio", "wavs", "frames", "info", "subtitles")


def sample_of(clip: Clip, done: Line | None, store: Store) -> Sample:
    """What became of a clip; ``done``: its whole line, where it is done."""
    failed = store.failed.get(clip.id)
    return Sample(clip, done or (failed and {"status": "failed", **failed}))


def files_by_id(folder: Path) -> dict[str, list[Path]]:
    """What stands in a data folder for each clip, whether it is whole or not."""
    found: dict[str, list[Path]] = {}
    for kind in _FOLDERS:
        for path in (folder / kind).rglob("*"):
            # An id may have dots, and a language none.
            stem = path.stem.rpartition(".")[0] if kind == "subtitles" else path.stem
            if path.is_file():
                found.setdefault(stem, []).append(path)
    return found


def write_until_it_is_there(
    output: Output,
    number: int,
    samples: Sequence[Sample],
    store: Store,
    clock: Clock,
    patience: float,
) -> bool:
    """Write a shard, waiting for its place and for room; False: somebody else does. Stopped, RunError.

    ``patience``: seconds after which it is given up.
    """
    told, since = False, clock.now()
    while True:
        try:
            wrote = output.write(number, samples, store.folder, store.spill)
        except (StoreLost, OSError) as error:
            if isinstance(error, OSError) and not is_full(error):
                raise as_run_error(error, store.folder) from error
            if clock.now() - since > patience:
                raise GaveUp(
                    f"a shard could not be written for so long: {error}", "the same command goes on"
                ) from error
            if not told:
                words = f"Shard {output.name(number)} cannot be written now, it is tried again: {error}"
                say(words, matters=True)
            told = True
            clock.sleep(WRITE_AGAIN)
            continue
        if told:
            say(f"Shard {output.name(number)} is written.")
        return wrote

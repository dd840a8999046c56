"""What runs into single files and runs into shards have in common: the user's archives, and the engine."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ..core.model import Video
from ..core.settings import Settings
from ..fetch.kept import look_for_exact
from ..fetch.plan import Share
from ..fetch.requirements import endings_of
from ..fetch.roles import Slot
from ..fetch.scheduler import Engine
from ..progress.console import Report, say
from ..sources.archives import Archives
from .context import RunContext


def open_archives(run: RunContext, clips: Share) -> Archives:
    """What of the clips the user's archives hold; of those, too, that failed for good elsewhere."""
    known = bool(run.settings.archives) or run.uses_drive
    wanted = {clip.id for clip in clips if clip.id not in run.store.done} if known else frozenset()
    archives = Archives(wanted, run.store.spill, endings_of(run.settings))
    for path in run.settings.archives:
        held = archives.add(path)
        as_they_are = look_for_exact(archives, run.settings)
        kept = f", {as_they_are} of them exact already: they are kept as they are" if as_they_are else ""
        say(f"{max(held, as_they_are)} clips are in {path}{kept}.{_called_otherwise(archives, wanted, held)}")
    return archives


def _called_otherwise(archives: Archives, wanted: Collection[str], held: int) -> str:
    """What to say of an archive none of whose files is called as a clip; nothing of any other."""
    if held or not archives.others or not wanted:
        return ""
    return (
        f" It has {archives.others} films and sounds, which are called otherwise ({archives.other!r}, ...): a "
        f"clip's file is called by its id ({min(wanted)!r} is one), with any ending of a film or a sound."
    )


def download(
    run: RunContext, settings: Settings, videos: Iterable[Video], slots: Sequence[Slot], report: Report
) -> None:
    """The clips, and what became of them. ``settings``: the run's, as far as these videos are concerned."""
    engine = Engine(settings, run.clock, run.store, report, slots)
    run.signals.gentle = True
    try:
        engine.run(videos)
    finally:
        report.close()
        run.store.snapshot(force=True)
        run.signals.gentle = False

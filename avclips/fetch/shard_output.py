"""Where a run's shards go: what that needs, the plan that all of them share, and how far they are, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..core.clock import Clock
from ..core.extras import extras
from ..core.model import Clip
from ..core.settings import Settings
from ..core.wording import in_units
from ..progress.summary import without_better
from ..shards.layout import Output
from ..shards.stats import Totals
from ..shards.storage import Remote
from ..state.shape import OF_PICTURES, shape_of


def see_what_is_needed(settings: Settings, more: Mapping[str, str] | None = None) -> None:
    """UsageError where packages are missing that are wanted at the end, before anything is made.

    ``more``: modules that are wanted besides, each with what for.
    """
    wanted = dict(more or {})
    if settings.output_format != "files":
        wanted |= {"pyarrow.parquet": "tables are written", "fsspec.core": "shards are written"}
    if settings.output_format == "webdataset":
        wanted["webdataset.writer"] = "tars are written"
    extras(wanted)


def open_output(settings: Settings, look: bool = False, clock: Clock | None = None) -> Output:
    """Where the shards go; ``look``: only to see what is there. UsageError, RunError where that cannot be used."""
    assert settings.output_format != "files"
    remote = Remote(settings.output or str(settings.data_dir / "shards"), look, clock)
    return Output(remote, settings.output_format, clock=clock)


def plan_shards(output: Output, clips: Iterable[Clip], dataset: str, settings: Settings) -> int:
    """Fix which clips go into which shard; returns how many clips there are. UsageError: it was otherwise."""
    blind = OF_PICTURES if settings.media == "audio" else ()
    shape = {name: value for name, value in shape_of(settings).items() if name not in ("flat", *blind)}
    # What the tables and the tars hold besides.
    shape |= {"info": settings.info, "subtitles": list(settings.subtitles), "keep": list(settings.columns.keep)}
    shape |= {"caption": settings.columns.caption}
    pictures = (settings.video_format,) if settings.media == "both" else ()
    subtitles = (f"{language}.vtt" for language in settings.subtitles)
    frames = ("jpg",) if settings.frame and pictures else ()
    endings = (*pictures, settings.audio_format, *frames, *subtitles)
    return output.plan(clips, settings.samples_per_shard, {"dataset": dataset, **shape}, endings, settings.info)


def summary_of(output: Output, totals: Totals, mine: int, again: str = "") -> list[str]:
    """How far the shards are; ``mine``: how many of the list's are asked for; ``again``: as of ``summary``."""
    lines = [
        f"{totals.shards} shards are in {output.url}: {totals.done} clips in {in_units(totals.bytes)}, "
        f"{totals.seconds / 3600:.1f} hours; {sum(totals.failed.values())} failed.",
        *(f"  {count:6d}  {reason}" for reason, count in totals.failed.most_common()),
        *without_better(totals.videos, totals.withheld),
        *totals.captions.words(),
    ]
    if mine:
        lines.append(f"{mine} shards are not finished; they come with {'this' if again else 'the same command'}.")
        lines += [f"  {again}"] * bool(again)
    if totals.failed:
        lines.append("What failed is asked for again, into further shards, with --retry-failed [REASON ...].")
        lines += [f"  {again} --retry-failed {' '.join(dict(totals.failed.most_common()))}"] * bool(again)
    return lines

"""--metrics-file: how a run is doing in Prometheus' text form, for node_exporter's textfile collector.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..core.files import whole
from ..core.settings import Settings
from ..pacing.pacer import Pacer
from .update import Progress

# Seconds between two writes: collectors look every 15 or so.
EVERY = 10.0


class MetricsFile:
    """The file, written whole now and then, and once more at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = 0.0
        self._pacers: Sequence[Pacer] = ()

    def offer(self, now: Progress, pacers: Sequence[Pacer], paused: bool, last: bool = False) -> None:
        """Write how it stands, when it is time; ``last``: in any case. OSError where it cannot be."""
        if time.monotonic() < self._next and not last:
            return
        self._next = time.monotonic() + EVERY
        # At the end nobody asks any more: what holds of them stays.
        self._pacers = pacers or self._pacers
        with whole(self._path) as stream:
            stream.writelines(f"{line}\n" for line in lines(now, self._pacers, paused, time.time()))


def metrics_of(settings: Settings) -> MetricsFile | None:
    """What a run writes; None where nobody asked for it."""
    return MetricsFile(settings.metrics_file) if settings.metrics_file else None


def lines(progress: Progress, pacers: Sequence[Pacer], paused: bool, time_now: float) -> Iterator[str]:
    """The file's lines."""
    yield from _head("avclips_clips", "gauge", "Clips of the list, by how they stand.")
    for state, count in (("done", progress.done), ("failed", progress.failed), ("left", progress.left)):
        yield f'avclips_clips{{state="{state}"}} {count}'
    yield from _head("avclips_fetched_bytes_total", "counter", "Bytes that this run fetched.")
    yield f"avclips_fetched_bytes_total {progress.bytes_fetched}"
    yield from _head("avclips_paused", "gauge", "Whether the run waits for room on the disk.")
    yield f"avclips_paused {int(paused)}"
    # Of several workers of one identity, one speaks.
    shown = {(pacer.name, pacer.site): pacer for pacer in pacers}
    if shown:
        yield from _head("avclips_blocked_seconds", "gauge", "How much longer an identity is refused at a site.")
    for (name, site), pacer in shown.items():
        left_of = pacer.block_left if pacer.block else 0.0
        yield f'avclips_blocked_seconds{{identity="{_label(name)}",site="{_label(site)}"}} {left_of:.0f}'
    if shown:
        yield from _head("avclips_pace_ratio", "gauge", "The share of its full pace that an identity goes at.")
    for (name, site), pacer in shown.items():
        yield f'avclips_pace_ratio{{identity="{_label(name)}",site="{_label(site)}"}} {pacer.speed:.3f}'
    yield from _head(
        "avclips_written_timestamp_seconds", "gauge", "When this was written: long ago, the run is over."
    )
    yield f"avclips_written_timestamp_seconds {time_now:.0f}"


def _head(name: str, kind: str, words: str) -> Iterator[str]:
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} {kind}"


def _label(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

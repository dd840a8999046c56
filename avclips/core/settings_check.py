"""Which settings do not go together, and what a frame rate and a size may be: for options and keywords alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

from .settings import Settings

# How a setting is said: ``--cut copy`` or ``cut='copy'``; with True, its name alone.
Said = Callable[[str, Any], str]

_FPS_AT_MOST = 240
# Of what H.264 and its readers take without a second thought, in pixels a side.
_SIDES = range(16, 4097)


def frame_rate(text: str) -> str:
    """Pictures a second, ``25``, ``29.97`` or ``30000/1001``, as a fraction is written. ValueError."""
    found = re.fullmatch(r"[0-9]{1,6}(?:\.[0-9]{1,6}|/[0-9]{1,6})?", text)
    try:
        value = Fraction(text) if found else Fraction(0)
    except ZeroDivisionError:
        value = Fraction(0)
    if not 0 < value <= _FPS_AT_MOST:
        raise ValueError(f"{text!r} is not a number of pictures a second, such as 25 or 30000/1001")
    return str(value)


def frame_size(text: str) -> str:
    """``224``, the smaller side, or ``256x256``; even numbers, as 4:2:0 has them. ValueError."""
    found = re.fullmatch(r"([0-9]{1,5})(?:[xX]([0-9]{1,5}))?", text)
    sides = [int(side) for side in found.groups() if side] if found else []
    if not sides or any(side not in _SIDES or side % 2 for side in sides):
        raise ValueError(f"{text!r} is no size: 224 (the smaller side) or 256x144, even numbers from 16 to 4096")
    return "x".join(map(str, sides))


def with_fit(settings: Settings) -> Settings:
    """The same, with how pictures are made to fit where both of their sides are given and nobody said how."""
    both = settings.size is not None and "x" in settings.size
    return replace(settings, fit="crop") if both and settings.fit is None else settings


def at_odds(settings: Settings, said: Said) -> str | None:
    """Which settings do not go together, in words; None where all of them do."""
    return next((words for rule in (_workers, _shape, _shards, _spark) for words in rule(settings, said)), None)


def _workers(settings: Settings, said: Said) -> Iterator[str]:
    if settings.workers < len(settings.identities):
        yield f"{len(settings.identities)} identities need at least as many {said('workers', True)}"


def _shape(settings: Settings, said: Said) -> Iterator[str]:
    """Of what the files hold."""
    if settings.video_format == "mkv" and settings.cut == "copy":
        yield f"{said('cut', 'copy')} needs mp4: mkv has no edit list to hide the pictures before the start"
    if settings.audio_format == "m4a" and (settings.audio_rate or settings.audio_channels):
        others = f"{said('audio_rate', True)} or {said('audio_channels', True)}"
        yield f"{said('audio_format', 'm4a')} keeps the source's packets: no {others}"
    sound_alone = settings.media == "audio"
    if sound_alone and settings.allow_silent:
        words = f"without sound, {said('media', 'audio')} leaves nothing"
        yield f"{said('allow_silent', True)} goes with pictures: {words}"
    for name in ("fps", "size", "fit", "encode"):
        if getattr(settings, name) and settings.cut != "exact":
            yield f"{said(name, True)} goes with {said('cut', 'exact')}: a copy has the source's own pictures"
        if getattr(settings, name) and sound_alone:
            yield f"{said(name, True)} goes with pictures"
    if sound_alone and settings.frame:
        yield f"{said('frame', True)} goes with pictures: {said('media', 'both')}"
    if settings.fit and "x" not in (settings.size or ""):
        yield f"{said('fit', True)} goes with {said('size', 'WxH')}: one side alone keeps the shape as it is"


def _shards(settings: Settings, said: Said) -> Iterator[str]:
    """Of single files and of shards."""
    if settings.output_format == "files":
        shards = f"{said('output_format', 'webdataset')} or parquet"
        if settings.engine == "spark":
            yield f"{said('engine', 'spark')} writes shards: {shards}"
        for name in ("output", "wandb"):
            if getattr(settings, name):
                yield f"{said(name, True)} goes with {shards}"
    elif settings.allow_mixed:
        yield f"{said('allow_mixed', True)} goes with {said('output_format', 'files')}"
    if match := re.match(r"([a-z][a-z0-9+.-]+):(?!//)/?", settings.output or ""):
        # It would be a folder of that name, here, on this machine.
        meant = f"{match[1]}://{(settings.output or '')[match.end() :]}"
        yield f"{said('output', True)}: {settings.output} is no address: did you mean {meant}?"


def _spark(settings: Settings, said: Said) -> Iterator[str]:
    """Of threads and of Spark."""
    if settings.engine != "spark":
        if settings.wandb:
            yield f"{said('wandb', True)} goes with {said('engine', 'spark')}"
        return
    threads = said("engine", "threads")
    if any(each.browser for each in settings.identities):
        yield f"{said('cookies_from_browser', True)} goes with {threads}: the browser is on this machine alone"
    if settings.part or settings.archives or settings.max_clips or settings.metrics_file:
        names = [said(name, True) for name in ("part", "archives", "max_clips", "metrics_file")]
        yield f"{', '.join(names[:-1])} and {names[-1]} go with {threads}"

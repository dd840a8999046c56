"""What settings may be, and which do not go together: for options and keywords alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from .settings import Settings

# How a setting is said: ``--cut copy`` or ``cut='copy'``; with True, its name alone.
Said = Callable[[str, Any], str]

# The least that some settings may be, where they are not None.
LEAST: Mapping[str, int] = {
    **dict.fromkeys(("workers", "samples_per_shard", "retry_attempts", "max_clips"), 1),
    **dict.fromkeys(("sleep", "videos_per_hour", "give_up_after", "min_free", "max_whole_file"), 0),
    "rate_limit": 1024,
    "audio_rate": 1000,
}
AMONG: Mapping[str, tuple[int, ...]] = {"quality": (360, 480, 720, 1080), "audio_channels": (1, 2)}
_LETTERS = {"tab": "\t", "space": " ", "comma": ",", "semicolon": ";", "none": "", "\\t": "\t"}


def letter(text: str) -> str:
    """What stands between cells: a letter, or the name of one; "" for none."""
    found = _LETTERS.get(text.lower(), text)
    if len(found) > 1 or found in ('"', "\n", "\r"):
        raise ValueError(f"{text!r} is no letter between cells: one such as ';', or tab, space, none")
    return found


def time_unit(text: str) -> str:
    """``s``, ``ms``, ``us``, ``frames`` or ``frames@25``."""
    found = re.fullmatch(r"s|ms|us|frames(?:@([0-9]{1,4}(?:\.[0-9]{1,9})?))?", text)
    if not found or (found[1] and not float(found[1])):
        raise ValueError(f"{text!r} is no unit: s, ms, us, frames or frames@25")
    return text


def cell_format(text: str) -> str:
    """How a cell that holds a whole clip is made: ``{id}_{start}_{end}``."""
    parts = re.findall(r"\{([^}]*)\}", text)
    known = set(parts) <= {"id", "start", "end"} and len(set(parts)) == len(parts)
    if not known or "id" not in parts or ("end" in parts and "start" not in parts):
        raise ValueError(
            f"{text!r} is no format such as {{id}}_{{start}}_{{end}}: {{id}}, and {{start}}, or both with {{end}}"
        )
    return text


_FPS_AT_MOST = 240
# Of what H.264 and its readers take without a second thought, in pixels a side.
_SIDES = range(16, 4097)


def frame_rate(text: str) -> str:
    """Pictures a second, ``25``, ``29.97`` or ``30000/1001``, as a fraction, which it reads, too. ValueError."""
    found = re.fullmatch(r"[0-9]{1,6}(?:\.[0-9]{1,6})?|[0-9]{1,9}/[0-9]{1,7}", text)
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


# What reads the settings that are texts with a meaning.
READERS: Mapping[str, Callable[[str], str]] = {
    "fps": frame_rate,
    "size": frame_size,
    "delimiter": letter,
    "time_unit": time_unit,
    "cell_format": cell_format,
}


def out_of_range(settings: Settings) -> str | None:
    """Which setting has a value that it cannot have, in words; None where none has."""
    for name, least in LEAST.items():
        if (value := getattr(settings, name)) is not None and not value >= least:
            return f"{name}={value!r} is not {least} or more"
    for name, known in AMONG.items():
        if (value := getattr(settings, name)) is not None and value not in known:
            return f"{name}={value!r} is none of {', '.join(map(str, known))}"
    if settings.clip_length is not None and not settings.clip_length > 0:
        return f"clip_length={settings.clip_length!r} is no length of a clip"
    if settings.part is not None and not 0 <= settings.part[0] < settings.part[1]:
        return f"part={settings.part!r} is not (I, N) with I from 0 to N - 1"
    return None


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

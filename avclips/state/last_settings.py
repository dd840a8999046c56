"""What a data folder was last asked for, so that a look at it needs no options.

metadata/asked.json: the list and its columns, the splits, the shape of the files, where shards go; and where the
pace of those who asked lies. No password is written. A folder may come from anybody: what is read is looked at by
kind, and a list that it names is only counted.
"""

from __future__ import annotations

import glob
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from ..core.errors import RunError
from ..core.files import read_json, write_json
from ..core.redact import without_passwords
from ..core.settings import Columns, Settings

ASKED = "asked.json"
_HINT = "delete it: the next run writes it anew"
# The settings that a look depends on, with the kind of each.
_TEXT, _TRUTH, _TEXTS = "text", "truth", "texts"
_KINDS = {
    **dict.fromkeys(("annotations", "encoding", "output_format"), _TEXT),
    **dict.fromkeys(("media", "cut", "video_format", "audio_format"), _TEXT),
    **dict.fromkeys(("delimiter", "preset", "cell_format", "time_unit", "output"), "text?"),
    **dict.fromkeys(("fps", "size", "fit", "encode", "frame"), "text?"),
    **dict.fromkeys(("quality", "samples_per_shard"), "count"),
    **dict.fromkeys(("audio_rate", "audio_channels"), "count?"),
    "clip_length": "number?",
    **dict.fromkeys(("strong", "flat", "info", "allow_silent"), _TRUTH),
    **dict.fromkeys(("splits", "labels", "subtitles"), _TEXTS),
    "clip_list": "texts?",
    "id_map": "path?",
    "columns": "columns",
}


def remember(settings: Settings, paces: Iterable[Mapping[str, str]] = ()) -> None:
    """Write down what this run asks for; ``paces``: who asks, and where their pace lies."""
    said: dict[str, Any] = {}
    for name in _KINDS:
        value = getattr(settings, name)
        if name == "clip_list":
            value = None if value is None else [_absolute(str(each)) for each in _listed(value)]
        elif name == "columns":
            value = {**asdict(value), "keep": list(value.keep)}
        elif name == "id_map":
            value = None if value is None else str(value.absolute())
        elif name == "output" and value is not None:
            value = _absolute(value)
        elif isinstance(value, tuple):
            value = list(value)
        if value == without_passwords(value):
            # What holds a password has to be said again.
            said[name] = value
    so_far: tuple[str, ...] = ()
    with suppress(RunError):
        # One that cannot be read is written anew.
        so_far = splits_so_far(settings.data_dir)
    so_far = tuple(dict.fromkeys([*so_far, *settings.splits]))
    asked = {"settings": said, "splits_so_far": list(so_far), "paces": list(paces)}
    write_json(settings.data_dir / "metadata" / ASKED, asked)


def remembered(settings: Settings, said: Collection[str]) -> Settings:
    """The settings, with what nobody said as the folder was last asked for. RunError where it cannot be read."""
    known = _read(settings.data_dir).get("settings")
    if not isinstance(known, dict):
        return settings
    found = {
        name: _value(kind, known[name])
        for name, kind in _KINDS.items()
        if name not in said and name in known and _is(kind, known[name])
    }
    return replace(settings, **found)


def withheld(folder: Path) -> frozenset[str]:
    """The settings that were asked for and are not written down: they hold a password."""
    known = _read(folder).get("settings")
    return frozenset(_KINDS.keys() - known.keys()) if isinstance(known, dict) else frozenset()


def splits_so_far(folder: Path) -> tuple[str, ...]:
    """Every split that a folder was ever asked for, the last run's among them."""
    read = _read(folder)
    known = read.get("settings")
    # A folder of before knows only its last run's.
    said = read.get("splits_so_far", known.get("splits") if isinstance(known, dict) else None)
    return tuple(said) if isinstance(said, list) and _is("texts", said) else ()


def paces_of(folder: Path) -> list[tuple[str, Path]]:
    """Who asked last, and the file with the pace of each."""
    said = _read(folder).get("paces")
    return [
        (each["name"], Path(each["file"]))
        for each in (said if isinstance(said, list) else [])
        if isinstance(each, dict) and _is("text", each.get("name")) and _is("text", each.get("file"))
    ]


def _read(folder: Path) -> dict[str, Any]:
    path = folder / "metadata" / ASKED
    if not path.exists():
        return {}
    read = read_json(path, _HINT)
    if not isinstance(read, dict):
        raise RunError(f"{path} holds no settings", _HINT)
    return read


def _listed(value: str | Path | tuple[str | Path, ...]) -> tuple[str | Path, ...]:
    return value if isinstance(value, tuple) else (value,)


def _absolute(word: str) -> str:
    """A file, a folder or a pattern as it is found from anywhere; an address or an id as it is."""
    path = Path(word)
    if path.is_absolute() or "://" in word:
        return word
    return str(Path.cwd() / word) if path.exists() or glob.has_magic(word) else word


def _is(kind: str, value: Any) -> bool:
    if kind.endswith("?"):
        return value is None or _is(kind[:-1], value)
    if kind in ("text", "path"):
        return isinstance(value, str) and "\0" not in value
    if kind == "truth":
        return isinstance(value, bool)
    if kind == "texts":
        return isinstance(value, list) and all(_is("text", each) for each in value)
    if kind == "columns":
        return isinstance(value, dict) and all(_is_column(name, each) for name, each in value.items())
    numbers = (int,) if kind == "count" else (int, float)
    return isinstance(value, numbers) and not isinstance(value, bool) and 0 < value < 1 << 53


def _is_column(name: str, value: Any) -> bool:
    if name not in {each.name for each in fields(Columns)}:
        return False
    if name == "keep":
        return _is("texts", value)
    return _is("truth?" if name == "in_url" else "text?", value)


def _value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind.startswith("texts"):
        return tuple(value)
    if kind.startswith("path"):
        return Path(value)
    return Columns(**{**value, "keep": tuple(value.get("keep", ()))}) if kind == "columns" else value

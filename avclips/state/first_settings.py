"""Whether an exact cut encodes all frames or those that it must: as a folder was begun, where nobody says.

Folders and plans of shards note ``encode`` only where not all frames are encoded: those that say nothing of it
were begun when all were, or by a user who wanted that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.errors import UsageError
from ..core.files import read_json
from ..core.settings import Encode, Settings

FOLDER = "folder.json"
"""What a data folder holds, in its metadata."""


def as_folder(settings: Settings) -> Settings:
    """The settings of a run into single files, with what its folder decides."""
    path = settings.data_dir / "metadata" / FOLDER
    return _decided(settings, _noted(path))


def _noted(path: Path) -> Mapping[str, Any] | None:
    if not path.exists():
        return None
    known = read_json(path, "restore it from a backup, or delete it if you know what this folder holds")
    noted = known.get("settings") if isinstance(known, dict) else None
    return noted if isinstance(noted, dict) else None


def as_shards(settings: Settings, planned: Mapping[str, Any] | None, url: str) -> Settings:
    """The settings of a run into shards, with what their plan decides. UsageError where they go against it."""
    decided = _decided(settings, planned)
    if planned is not None and _is_exact(planned) and (said := decided.encode) not in (None, before_of(planned)):
        message = f"{url} was made with --encode {before_of(planned)}, not {said}"
        raise UsageError(message, "use the same, or another --output")
    return decided


def before_of(noted: Mapping[str, Any]) -> Encode:
    """Which frames were encoded of exact cuts whose settings were noted so."""
    return "needed" if noted.get("encode") == "needed" else "all"


def _is_exact(noted: Mapping[str, Any]) -> bool:
    return (noted.get("cut", "exact"), noted.get("media", "both")) == ("exact", "both")


def _decided(settings: Settings, noted: Mapping[str, Any] | None) -> Settings:
    if settings.cut != "exact" or settings.media != "both":
        return replace(settings, encode=None)
    if settings.encode is not None:
        return settings
    return replace(settings, encode=before_of(noted) if noted is not None and _is_exact(noted) else "needed")

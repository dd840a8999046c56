"""In what shape a folder's files are: the settings that decide it, and ``folder.json``, which notes them.

One folder holds one dataset in one shape. Knows neither clips nor the manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.errors import RunError, UsageError
from ..core.files import as_json, create_whole, read_json
from ..core.settings import Settings
from ..core.wording import as_option
from .first_settings import FOLDER, before_of

# The settings that shape files: one folder holds clips of one kind.
SHAPE = ("media", "quality", "cut", "video_format", "audio_format", "audio_rate", "audio_channels", "flat")
# Those of them that came later: they are spoken of where they are asked for.
SHAPE_ALSO = ("fps", "size", "fit", "encode", "frame")
# What a folder has that was made before there was a choice.
_ONCE = {"media": "both", "video_format": "mp4", "audio_format": "wav", "flat": False}
# Those that say nothing where there are no pictures.
OF_PICTURES = ("quality", "cut", "video_format", *SHAPE_ALSO)


def shape_of(settings: Settings) -> dict[str, Any]:
    """The settings that shape files, as folders and manifests note them."""
    also = {name: value for name in SHAPE_ALSO if (value := getattr(settings, name)) is not None}
    if also.get("encode") == "all":
        # As it was before there was a choice.
        del also["encode"]
    return {name: getattr(settings, name) for name in SHAPE} | also


def in_full(shape: Mapping[str, Any]) -> dict[str, Any]:
    """A shape as it was noted, with what went without saying then."""
    said = {**_ONCE, **{name: value for name, value in shape.items() if value is not None}}
    return {name: value for name, value in said.items() if said["media"] != "audio" or name not in OF_PICTURES}


def claim_folder(settings: Settings, dataset: str) -> None:
    """Note what a folder holds from now on; of two runs that come to a new one, the first says it."""
    output_format = settings.output_format
    also = {} if output_format == "files" else {"output_format": output_format}
    said = as_json({"dataset": dataset, **also, "settings": shape_of(settings)})
    path = settings.data_dir / "metadata" / FOLDER
    if path.exists() or not create_whole(path, said.encode()):
        check_folder(settings, dataset)


def check_folder(settings: Settings, dataset: str, shape_too: bool = True) -> None:
    """See that a folder, if it was claimed, is of this dataset and in this shape. UsageError, RunError."""
    folder = settings.data_dir
    path = folder / "metadata" / FOLDER
    if not path.exists():
        return
    known = read_json(path, "restore it from a backup, or delete it if you know what this folder holds")
    if not isinstance(known, dict) or not isinstance(known.get("settings"), dict):
        raise RunError(f"{path} holds no settings", "delete it if you know what this folder holds")
    if known.get("dataset") != dataset:
        message = f"{folder} holds {known.get('dataset')}, not {dataset}"
        raise UsageError(message, "name another folder with --data-dir")
    output_format = known.get("output_format", "files")
    if output_format != settings.output_format:
        # Files that are packed are taken away: nobody should lose single ones to a word.
        message = f"{folder} was made with --output-format {output_format}"
        raise UsageError(message, "use the same, or another --data-dir")
    others = _differences(_ONCE | known["settings"], shape_of(settings))
    if others and shape_too and not settings.allow_mixed:
        message = f"{folder} was made with {', '.join(others)}"
        raise UsageError(message, "use the same, another --data-dir, or --allow-mixed")


def _differences(before: Mapping[str, Any], shape: Mapping[str, Any]) -> list[str]:
    """What was otherwise before, as the options that a user would have given."""
    blind = before["media"] == shape["media"] == "audio"
    names = [name for name in (*SHAPE, *SHAPE_ALSO) if not (blind and name in OF_PICTURES)]
    other = [name for name in names if before.get(name) != shape.get(name)]
    others = [as_option(name, before.get(name)) for name in other if name != "encode"]
    if "encode" in other and not others:
        others = [as_option("encode", before_of(before))]
    return others

"""Clips in a user's archives that are as they are asked for already: made by this program, in the same shape.

The manifest beside them says so, and the sum of each file that it is that one still. They are kept byte for byte;
all else in archives is cut like what comes from a site.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.errors import Transient
from ..core.model import Clip
from ..core.settings import Settings
from ..sources.archives import Archives, Exact
from ..state.manifest import Line, last_lines
from ..state.shape import in_full, shape_of

log = logging.getLogger("avclips.fetch.kept")

# Bytes of a manifest, at most: of millions of clips.
_AT_MOST = 1 << 32
# What only says where files lie, which frames of an exact cut came out of an encoder, and what is made of a film.
_ALIKE = ("flat", "encode", "frame")


def look_for_exact(archives: Archives, settings: Settings) -> int:
    """Find those of the clips that are wanted; returns how many there are."""
    before = len(archives.exact)
    for number, member in archives.manifests:
        if member.refusal or member.size > _AT_MOST:
            continue
        path = archives.spill / "manifest.jsonl"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            archives.read(number, member, path)
            root = member.name[: -len(Path(member.name).name)]
            for line in last_lines([path]):
                _take(archives, number, root, line, settings)
        except Transient as error:
            log.warning("a manifest in an archive is passed over: %s", error.detail)
        finally:
            path.unlink(missing_ok=True)
    archives.manifests.clear()
    return len(archives.exact) - before


def _take(archives: Archives, number: int, root: str, line: Line, settings: Settings) -> None:
    if line["status"] != "done" or line["id"] in archives.exact or not _is_of_shape(line, settings):
        return
    named = {kind: line.get(kind) for kind in ("video", "audio") if line.get(kind)}
    members = {kind: archives.member(number, f"{root}{name}") for kind, name in named.items()}
    whole = {kind: member for kind, member in members.items() if member is not None and not member.refusal}
    if named and len(whole) == len(named):
        archives.exact[line["id"]] = Exact(number, line, whole)


def _is_of_shape(line: Mapping[str, Any], settings: Settings) -> bool:
    """Whether a line's files are what these settings ask for, sound where there must be some."""
    said = line.get("settings")
    if not isinstance(said, dict):
        return False
    there, due = (
        {name: value for name, value in in_full(each).items() if name not in _ALIKE}
        for each in (said, shape_of(settings))
    )
    heard = line.get("audio") is not None or (settings.media == "both" and settings.allow_silent)
    return there == due and heard and (settings.media == "audio" or line.get("video") is not None)


def is_the_clip(line: Mapping[str, Any], clip: Clip) -> bool:
    """Whether a line speaks of these seconds of this video."""
    video = line.get("source") or line.get("youtube_id")
    return line.get("asked") == [clip.start, clip.end] and video == clip.video

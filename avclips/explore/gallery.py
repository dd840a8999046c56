"""A static page of some clips, to be put on a website: ``avclips explore --export``. No server, no index."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from ..core.errors import RunError, UsageError
from ..core.files import whole
from . import query
from .media import STATIC, NotServed
from .query import Filter
from .session import Session

MOST = 500


def export(session: Session, out: Path, wanted: Filter, most: int = MOST) -> int:
    """Write the page of the first ``most`` clips that are done into ``out``; returns how many.

    UsageError where ``out`` holds something already.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} holds something already", "name a new folder with --export")
    done = Filter(wanted.words, {**wanted.facets, "status": ["done"]}, wanted.least)
    cards = query.clips(session.database(), done, limit=min(most, MOST))
    if not cards:
        raise RunError("no clip that is done is like that", "search for fewer words")
    (out / "clips").mkdir(parents=True)
    shown = [_copy(session, card["n"], out) for card in cards]
    for name in ("gallery.js", "style.css"):
        shutil.copy(STATIC / name, out / name)
    with whole(out / "clips.json") as stream:
        json.dump(shown, stream, ensure_ascii=False, indent=1)
    with whole(out / "index.html") as stream:
        stream.write((STATIC / "gallery.html").read_text(encoding="utf-8"))
    return len(shown)


def _copy(session: Session, number: int, out: Path) -> dict[str, Any]:
    clip = session.clip(number)
    said = {
        name: clip[name] for name in ("id", "video", "start", "end", "labels", "captions", "questions", "score")
    }
    # An id is a name of files already.
    for kind in ("video", "audio"):
        if kind in clip["files"] and "media" not in said:
            blob = session.blob(number, kind)
            name = f"{clip['id']}{blob.ending}"
            with open(out / "clips" / name, "wb") as stream:
                stream.writelines(blob.read(0, blob.size))
            said |= {"media": f"clips/{name}", "kind": kind}
    try:
        shutil.copy(session.thumbnail(number), out / "clips" / f"{clip['id']}.jpg")
        said["picture"] = f"clips/{clip['id']}.jpg"
    except NotServed:
        said["picture"] = ""
    return said

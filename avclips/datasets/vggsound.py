"""VGG-Sound: ten-second clips, each with one of 309 sounds that is heard and seen.

Paper: Chen et al., "VGGSound: A Large-scale Audio-Visual Dataset", ICASSP 2020.
Files: vggsound.csv of https://github.com/hche11/VGGSound (branch master, data/). Licence: CC BY 4.0.
Counts: 199,467 clips.
Surprises: no header; a line is YouTube id, start second, label, split, and labels with commas are quoted. The copy
at Oxford is reported gone. Some clips are shorter than ten seconds, still, or silent in the source.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..core.errors import RunError
from ..core.files import whole
from ..core.settings import Settings
from ..lists.csv_reader import reader
from ..lists.labels import choose_labels
from .base import Annotation, Dataset, Finished, Listing
from .clip_columns import ClipColumns, Row

URL = "https://raw.githubusercontent.com/hche11/VGGSound/master/data/vggsound.csv"
FILE = "vggsound.csv"
CLIP_SECONDS = 10.0
_HINT = "delete it and run again, or get it from https://github.com/hche11/VGGSound"
_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_START = re.compile(r" *[0-9]{1,6} *")


def read_labels(path: Path) -> dict[str, tuple[str, str]]:
    """vggsound.csv as clip id -> (label, split); RunError when a row has not four fields."""
    return {name: (label, split) for name, label, split in label_rows(path)}


def label_rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """The rows of vggsound.csv, (clip id, label, split), of which the last of a clip counts; RunError likewise."""
    known = False
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            rows = reader(stream, strict=True)
            for row in rows:
                if not row:
                    continue
                if len(row) != 4 or (second := _six_digits(row[1])) is None:
                    raise RunError(f"{path}, line {rows.line_num}: not 'YouTube id,start,label,split'", _HINT)
                known = True
                yield f"{row[0]}_{second}", row[2], row[3]
    except csv.Error as error:
        raise RunError(f"{path}, line {rows.line_num}: {error}", _HINT) from error
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path} cannot be read: {error}", _HINT) from error
    if not known:
        raise RunError(f"{path} is empty", _HINT)


# Two hundred thousand clips start at some hundreds of seconds.
@functools.lru_cache(maxsize=1 << 14)
def _six_digits(start: str) -> str | None:
    return f"{int(start):06d}" if _START.fullmatch(start) else None


def read_clips(metadata: Path, settings: Settings) -> Listing:
    """The clips of the chosen splits and labels."""
    path = metadata / FILE
    labels = read_labels(path)
    wanted = choose_labels(settings.labels, {label: label for label, _ in labels.values()})
    skipped: list[str] = []
    clips = ClipColumns(_clips(labels, settings, wanted, skipped))
    if not len(clips):
        why = skipped[0] if skipped else f"none is in {' or '.join(settings.splits)} with these labels"
        raise RunError(f"{path} names no clip to fetch: {why}", "see --splits and --labels")
    return Listing(clips, skipped, names=clips.names)


def _clips(
    labels: dict[str, tuple[str, str]], settings: Settings, wanted: frozenset[str], skipped: list[str]
) -> Iterator[Row]:
    for name, (label, split) in labels.items():
        video, start = name[:-7], float(name[-6:])
        if not _ID.fullmatch(video):
            skipped.append(f"{FILE}: {video[:60]!r} is not a YouTube id")
        elif split in settings.splits and (not wanted or label in wanted):
            yield name, video, start, start + CLIP_SECONDS, _meta(label, split)


# Of two hundred thousand clips, some hundreds are different.
@functools.cache
def _meta(label: str, split: str) -> Mapping[str, Any]:
    return {"label": label, "split": split}


def write_tables(finished: Finished, metadata: Path, settings: Settings) -> None:
    """labels.csv: a row for each clip that is there."""
    with whole(finished.folder / "labels.csv") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["id", "label", "split", "video", "audio"])
        for line in finished.lines():
            meta = line.get("meta", {})
            files = line.get("video") or "", line.get("audio") or ""
            table.writerow([line["id"], meta.get("label"), meta.get("split"), *files])


VGGSOUND = Dataset(
    name="vggsound",
    title="VGG-Sound",
    default_dir="./data/vggsound",
    log_name="vggsound_download.log",
    annotations=lambda settings: (Annotation(FILE, URL, read_labels),),
    read_clips=read_clips,
    clip_seconds=CLIP_SECONDS,
    splits=("train", "test"),
    usual_splits=("train", "test"),
    options=frozenset({"labels"}),
    write_tables=write_tables,
)

"""AudioSet: two million ten-second clips of YouTube, each with the sounds that are heard in it.

Papers: Gemmeke et al., "Audio Set: An ontology and human-labeled dataset for audio events", ICASSP 2017; of the
strong labels, Hershey et al., "The benefit of temporally-strong labels in audio event classification", ICASSP
2021. Files: {eval,balanced_train,unbalanced_train}_segments.csv and class_labels_indices.csv under v1/csv/ of
http://storage.googleapis.com/us_audioset/youtube_corpus/, and audioset_{eval,train}_strong.tsv and
mid_to_display_name.tsv under strong/. Licence: CC BY 4.0.
Counts: 20,371 (eval), 22,160 (balanced) and about two million (unbalanced) clips, one a video; 527 classes.
Surprises: the csvs begin with three comment lines and have a blank behind each comma, before a quoted list of
class ids ("mids"); 75 of the classes' names have commas; some clips are shorter than ten seconds, a few begin
between two. A strong segment is called by the id and the milliseconds of its start; its events count from there.

The lists are read anew at each pass, clip by clip: two million of them need no memory.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from ..core.errors import RunError
from ..core.files import whole, whole_object
from ..core.model import Clip
from ..core.settings import Settings
from ..core.sites import watch_url
from ..lists.csv_reader import reader
from ..lists.labels import choose_labels
from .base import Annotation, Dataset, Finished, Listing

SPLITS = ("eval", "balanced_train", "unbalanced_train")
_URL = "https://storage.googleapis.com/us_audioset/youtube_corpus/v1/csv/{name}"
_STRONG_URL = "https://storage.googleapis.com/us_audioset/youtube_corpus/strong/{name}"
_CLASSES = "class_labels_indices.csv"
_STRONG_CLASSES = "mid_to_display_name.tsv"
# Which strong lists speak of a split's clips.
_STRONG = {"eval": "eval", "balanced_train": "train", "unbalanced_train": "train"}
_HINT = "delete it and run again, or get it from https://research.google.com/audioset/download.html"
_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_TIME = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,9})?")
_SEGMENT = re.compile(r"([A-Za-z0-9_-]{11})_[0-9]{1,9}")


class Row(NamedTuple):
    """One line of a csv: times in seconds, ``mids`` with commas between them."""

    video: str
    start: float
    end: float
    mids: str


class Event(NamedTuple):
    """One line of a strong list: times in seconds from the clip's start."""

    video: str
    onset: str
    offset: str
    mid: str


# -- the files -----------------------------------------------------------------------------------------------


def read_classes(path: Path) -> dict[str, str]:
    """class_labels_indices.csv as mid -> name."""
    found = {}
    for where, row in _rows(path, ",", strip=False):
        if len(row) != 3:
            raise RunError(f"{where}: not 'index,mid,display_name'", _HINT)
        found[row[1]] = row[2]
    if found.pop("mid", None) is None or not found:
        raise RunError(f"{path} does not begin with 'index,mid,display_name', or names no class", _HINT)
    return found


def read_strong_classes(path: Path) -> dict[str, str]:
    """mid_to_display_name.tsv as mid -> name."""
    found = {}
    for where, row in _rows(path, "\t"):
        if len(row) != 2:
            raise RunError(f"{where}: not a mid, a tab and a name", _HINT)
        found[row[0]] = row[1]
    if not found:
        raise RunError(f"{path} is empty", _HINT)
    return found


def read_segments(path: Path) -> Iterator[Row]:
    """The lines of a segments csv, as they are read; RunError names the line that is wrong."""
    for where, row in _rows(path, ","):
        try:
            video, start, end, mids = row
            found = Row(video, float(start), float(end), mids)
        except ValueError:
            raise RunError(f"{where}: not 'YTID, start, end, \"mids\"'", _HINT) from None
        if not _ID.fullmatch(video):
            raise RunError(f"{where}: {video[:60]!r} is not a YouTube id", _HINT)
        if not 0 <= found.start < found.end < 1_000_000:
            raise RunError(f"{where}: from {start} to {end} s is no clip", _HINT)
        yield found


def read_events(path: Path) -> Iterator[Event]:
    """The lines of a strong list; those that say of an event that it is not there are left out."""
    rows = _rows(path, "\t")
    where, header = next(rows, (f"{path}, line 1", []))
    if header[:4] != ["segment_id", "start_time_seconds", "end_time_seconds", "label"]:
        raise RunError(f"{where}: not segment_id, start_time_seconds, end_time_seconds, label", _HINT)
    for where, row in rows:
        segment = _SEGMENT.fullmatch(row[0])
        if len(row) != len(header) or not segment:
            raise RunError(f"{where}: not a segment's id, two times and a mid", _HINT)
        if row[4:] != ["NOT_PRESENT"]:
            if not all(_TIME.fullmatch(time) for time in row[1:3]):
                raise RunError(f"{where}: {row[1][:20]} to {row[2][:20]} are not two times", _HINT)
            yield Event(segment[1], *row[1:4])


def _rows(path: Path, delimiter: str, strip: bool = True) -> Iterator[tuple[str, list[str]]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            rows = reader(stream, delimiter=delimiter, skipinitialspace=strip, strict=True)
            for row in rows:
                if row and not row[0].startswith("# "):
                    yield f"{path}, line {rows.line_num}", row
    except csv.Error as error:
        raise RunError(f"{path}, line {rows.line_num}: {error}", _HINT) from error
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path} cannot be read: {error}", _HINT) from error


def _check(read: Callable[[Path], Iterable[Any]]) -> Callable[[Path], None]:
    """A file is read to its end, and has something in it."""

    def check(path: Path) -> None:
        if not sum(1 for _ in read(path)):
            raise RunError(f"{path} has no line with a clip", _HINT)

    return check


def annotation_files(settings: Settings) -> list[Annotation]:
    """The lists of clips, the classes, and with --strong the lists of events."""
    files = [Annotation(_CLASSES, _URL.format(name=_CLASSES), read_classes)]
    for split in SPLITS:
        name = _file(split)
        files.append(Annotation(name, _URL.format(name=name), _check(read_segments), split))
    if settings.strong:
        files.append(Annotation(_STRONG_CLASSES, _STRONG_URL.format(name=_STRONG_CLASSES), read_strong_classes))
        for name in _strong_files(settings):
            files.append(Annotation(name, _STRONG_URL.format(name=name), _check(read_events)))
    return files


def _file(split: str) -> str:
    return f"{split}_segments.csv"


def _strong_files(settings: Settings) -> list[str]:
    return [f"audioset_{each}_strong.tsv" for each in dict.fromkeys(_STRONG[split] for split in settings.splits)]


# -- clips ---------------------------------------------------------------------------------------------------


class Segments:
    """The clips of the chosen splits and classes, read anew at each pass."""

    def __init__(self, metadata: Path, settings: Settings) -> None:
        self._metadata = metadata
        self._settings = settings
        self._names = read_classes(metadata / _CLASSES)
        # The events have classes that the clips have not.
        known = self._names | (read_strong_classes(metadata / _STRONG_CLASSES) if settings.strong else {})
        classes = {name: mid for mid, name in known.items()} | {mid: mid for mid in known}
        self._wanted = choose_labels(settings.labels, classes)
        self._strong = self._labelled_in_time() if settings.strong else None

    def _labelled_in_time(self) -> frozenset[str]:
        paths = [self._metadata / name for name in _strong_files(self._settings)]
        events = (event for path in paths for event in read_events(path))
        return frozenset(event.video for event in events if not self._wanted or event.mid in self._wanted)

    def __iter__(self) -> Iterator[Clip]:
        for split in self._settings.splits:
            for row in read_segments(self._metadata / _file(split)):
                tags = [tag for tag in row.mids.split(",") if tag]
                if self._strong is not None:
                    wanted = row.video in self._strong
                else:
                    wanted = not self._wanted or not self._wanted.isdisjoint(tags)
                if wanted:
                    yield self._clip(row, split, tags)

    def _clip(self, row: Row, split: str, tags: list[str]) -> Clip:
        labels = [self._names.get(tag, tag) for tag in tags]
        folder = "" if self._settings.flat else f"{split}/{two_digits(row.video)}"
        return Clip(
            row.video, row.video, row.start, row.end, {"split": split, "tags": tags, "labels": labels}, folder
        )


def two_digits(video: str) -> str:
    """The folder of a video, one of 256: ``printf %s YTID | sha256sum | cut -c1-2``."""
    return hashlib.sha256(video.encode()).hexdigest()[:2]


def read_clips(metadata: Path, settings: Settings) -> Listing:
    """The chosen clips; RunError where there is none."""
    clips = Segments(metadata, settings)
    if next(iter(clips), None) is None:
        asked = " or ".join(settings.splits) + (" with these labels" if settings.labels else "")
        raise RunError(f"no clip is in {asked}", "see --splits, --labels and --strong")
    return Listing(clips)


# -- tables of what is there ---------------------------------------------------------------------------------


def write_tables(finished: Finished, metadata: Path, settings: Settings) -> None:
    """audioset_metadata.json, one of each split, and with --strong the events with the files they are heard in."""
    with ExitStack() as stack:
        tables = {}
        for split in SPLITS:
            path = finished.folder / f"audioset_metadata_{split}.json"
            # What stood there of an earlier run is not left as it was.
            if split in settings.splits or path.exists():
                tables[split] = stack.enter_context(whole_object(path))
        every = stack.enter_context(whole_object(finished.folder / "audioset_metadata.json"))
        for line in finished.lines():
            entry = _entry(line)
            for table in filter(None, (every, tables.get(str(entry["split"])))):
                table({line["id"]: entry})
    if settings.strong:
        for name in _strong_files(settings):
            _write_events(finished, metadata / name, metadata / _STRONG_CLASSES)


def _entry(line: Mapping[str, Any]) -> dict[str, Any]:
    """What audioset_metadata.json says of a clip."""
    meta = line.get("meta", {})
    start, end = line.get("asked") or (None, None)
    found = {"url": watch_url(line["id"]), "path": line.get("audio") or line.get("video")}
    if line.get("audio") and line.get("video"):
        found["video"] = line["video"]
    named = {name: meta.get(name) for name in ("split", "tags", "labels")}
    return {**found, "start": start, "end": end, **named, "title": line.get("title")}


def _write_events(finished: Finished, source: Path, classes: Path) -> None:
    names = read_strong_classes(classes)
    with whole(finished.folder / source.name) as stream:
        stream.write("filename\tonset\toffset\tevent_label\tmid\n")
        for event in read_events(source):
            if (file := finished.file_of(event.video)) is not None:
                label = names.get(event.mid, event.mid)
                stream.write(f"{file}\t{event.onset}\t{event.offset}\t{label}\t{event.mid}\n")


AUDIOSET = Dataset(
    name="audioset",
    title="AudioSet",
    default_dir="./data/audioset",
    log_name="audioset_download.log",
    annotations=annotation_files,
    read_clips=read_clips,
    clip_seconds=10.0,
    splits=SPLITS,
    usual_splits=("eval", "balanced_train"),
    options=frozenset({"labels", "strong", "flat"}),
    defaults={"media": "audio", "audio_format": "m4a"},
    files="audio/SPLIT/XX/ID.m4a",
    audio_folder_once="wavs",
    write_tables=write_tables,
)

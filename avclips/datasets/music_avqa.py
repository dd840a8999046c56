"""MUSIC-AVQA: questions on videos of music being played, of about a minute each.

Paper: Li et al., "Learning to Answer Questions in Dynamic Audio-Visual Scenarios", CVPR 2022 (oral).
Files: avqa-train.json, avqa-val.json, avqa-test.json of https://github.com/GeWu-Lab/MUSIC-AVQA, under
data/json_update/ (corrected by the authors) and data/json/ (as first published). Licence: MIT for the
repository; the project's page gives CC BY-NC 4.0 for the dataset. v2.0: a csv of further videos in
https://github.com/DragonLiu1995/MUSIC-AVQA-v2.0 (GPL-3.0; "research purpose only").
Counts: json_update has 31,927 + 4,568 + 9,129 questions on 9,288 videos, 7,422 real and 1,866 synthetic.
v2.0 adds 1,040 rows, which are 1,230 files.
Surprises: ``video_id`` is no YouTube id, and no list of YouTube ids is published: eight digits for a real
video; sa, va, vv, esa, eva or evv and eight digits for a synthetic one, the last three of which look like
YouTube ids and are none. The videos come as two archives on Google Drive, whose folders are called
MUSIC-AVQA-videos-Real and MUCIS-AVQA-videos-Synthetic (sic). ``anser`` is theirs, ``type`` and ``templ_values``
are JSON within strings, a question_id can stand twice in data/json. The csv of v2.0 begins with a BOM, gives
times as m:ss, and means a mirrored copy by ``has_flip``; a suffix can hold a "#".
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import RunError
from ..core.files import read_json
from ..core.model import Clip
from ..core.settings import Settings
from ..core.sites import watch_url
from ..lists.cells import clock_time
from ..lists.csv_reader import reader
from ..lists.id_map import Place, read_id_map
from .base import Annotation, Dataset, Drive, DriveArchive, Listing, id_files, together

SPLITS = ("train", "val", "test")
V2 = "v2"
_QA_URL = "https://raw.githubusercontent.com/GeWu-Lab/MUSIC-AVQA/main/data/{edition}/avqa-{split}.json"
_V2_URL = (
    "https://raw.githubusercontent.com/DragonLiu1995/MUSIC-AVQA-v2.0/HEAD/data/"
    "MUSIC-AVQA-v2.0_additional_videos.csv"
)
_V2_FILE = "MUSIC-AVQA-v2.0_additional_videos.csv"
_V2_COLUMNS = ["video_id", "start_time", "duration", "suffix", "has_flip"]
# Where the files of an edition lie: the corrected ones, which most want, at the top of metadata/.
_EDITIONS = {"updated": ("json_update", ""), "original": ("json", "original/")}

_REAL = re.compile(r"[0-9]{8}")
_SYNTHETIC = re.compile(r"(?:sa|va|vv|esa|eva|evv)[0-9]{8}")
_YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_SUFFIX = re.compile(r"[A-Za-z0-9_#-]{0,20}")
FLIP = "_flip"


def is_real(video_id: str) -> bool:
    """Whether a video was filmed, by its id; the others were put together by the authors."""
    return _REAL.fullmatch(video_id) is not None


def read_questions(path: Path) -> list[Any]:
    """The records of one file; RunError when it is not a JSON list."""
    hint = "delete it and run again, or get it from https://github.com/GeWu-Lab/MUSIC-AVQA"
    records = read_json(path, hint)
    if not isinstance(records, list) or not records:
        raise RunError(f"{path} holds no list of questions", hint)
    return records


def read_additional(path: Path) -> list[Clip]:
    """The clips of v2.0: one a row, and a mirrored one where it says so. RunError names the line that is wrong."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            rows = reader(stream)
            if next(rows, None) != _V2_COLUMNS:
                raise RunError(f"{path}, line 1: not {','.join(_V2_COLUMNS)}", "delete it and run again")
            clips = [clip for row in rows if row for clip in _additional(row, f"{path}, line {rows.line_num}")]
            return list({clip.id: clip for clip in clips}.values())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RunError(f"{path} cannot be read: {error}", "delete it and run again") from error


def _additional(row: Sequence[str], where: str) -> Iterator[Clip]:
    hint = "mend it, or delete the file and run again"
    if len(row) != len(_V2_COLUMNS) or row[4] not in ("Y", "N"):
        raise RunError(f"{where}: not {','.join(_V2_COLUMNS)}", hint)
    video, suffix = row[0], row[3]
    if not _YOUTUBE_ID.fullmatch(video) or not _SUFFIX.fullmatch(suffix):
        raise RunError(f"{where}: {video + suffix!r} is not a YouTube id and a suffix", hint)
    try:
        start, duration = clock_time(row[1]), clock_time(row[2])
    except ValueError as error:
        raise RunError(f"{where}: {error}", hint) from error
    if not duration:
        raise RunError(f"{where}: its duration is 0", hint)
    meta = {"splits": [V2], "kind": "real"}
    yield Clip(video + suffix, video, start, start + duration, meta)
    if row[4] == "Y":
        yield Clip(video + suffix + FLIP, video, start, start + duration, {**meta, "flip": True})


def read_clips(metadata: Path, settings: Settings) -> Listing:
    """The videos of the chosen splits, each once, in the order of the files."""
    by_split: dict[str, list[str]] = {}
    skipped: list[str] = []
    for split in settings.splits:
        if split != V2:
            path = metadata / file_of_split(settings.annotations, split)
            by_split[split] = list(dict.fromkeys(_ids(read_questions(path), path.name, skipped)))
    places = read_id_map(settings.id_map) if settings.id_map else {}
    splits_of: dict[str, list[str]] = {}
    for split, ids in by_split.items():
        for video_id in ids:
            splits_of.setdefault(video_id, []).append(split)
    clips = [_clip(video_id, splits, places.get(video_id)) for video_id, splits in splits_of.items()]
    more = read_additional(metadata / _V2_FILE) if V2 in settings.splits else []
    if not clips and not more:
        first = (skipped or ["no record"])[0]
        raise RunError(f"no record in {metadata} names a video: {first}", "see docs/datasets.md")
    on_youtube = {clip.video for clip in more} | {place.youtube_id for place in places.values()}
    everyone = together([*clips, *more])
    overview = _overview(_all_splits(metadata, settings, by_split), more)

    def url_of(video: str) -> str | None:
        return watch_url(video) if video in on_youtube else None

    return Listing(
        clips=everyone,
        skipped=skipped,
        url_of=url_of,
        files={**id_files(everyone, url_of), "video_ids.json": overview},
        remarks=_about(places, splits_of, settings.id_map),
    )


def _about(places: Mapping[str, Place], ours: Mapping[str, Any], id_map: Path | None) -> list[str]:
    if id_map is None:
        return []
    known = len(places.keys() & ours.keys())
    return [
        f"{id_map} names {len(places)} videos on YouTube, {known} of which are among the {len(ours)} asked for."
    ]


def _ids(records: list[Any], file: str, skipped: list[str]) -> Iterator[str]:
    for number, record in enumerate(records, 1):
        video_id = record.get("video_id") if isinstance(record, dict) else None
        if not isinstance(video_id, str):
            skipped.append(f"{file}, record {number}: no video_id")
        elif not _REAL.fullmatch(video_id) and not _SYNTHETIC.fullmatch(video_id):
            skipped.append(f"{file}, record {number}: {video_id[:60]!r} is no id of this dataset")
        else:
            yield video_id


def _clip(video_id: str, splits: list[str], place: Place | None) -> Clip:
    meta = {"splits": splits, "kind": "real" if is_real(video_id) else "synthetic"}
    if place is None:
        return Clip(video_id, video_id, 0.0, None, {**meta, "youtube_id": None})
    return Clip(video_id, place.youtube_id, place.start, place.end, meta)


def _all_splits(metadata: Path, settings: Settings, by_split: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The ids of every split whose file is there, whether its videos are asked for now or not."""
    found: dict[str, list[str]] = {}
    for split in SPLITS:
        path = metadata / file_of_split(settings.annotations, split)
        if split in by_split:
            found[split] = by_split[split]
        elif path.exists():
            found[split] = list(dict.fromkeys(_ids(read_questions(path), path.name, [])))
    return found


def _overview(by_split: Mapping[str, list[str]], more: Sequence[Clip]) -> dict[str, Any]:
    """What metadata/video_ids.json holds."""
    ids = list(dict.fromkeys(itertools.chain(*by_split.values())))
    overview: dict[str, Any] = {
        "by_split": dict(by_split),
        "all_ids": ids,
        "real": [video_id for video_id in ids if is_real(video_id)],
        "synthetic": [video_id for video_id in ids if not is_real(video_id)],
    }
    if more:
        overview["by_split"][V2] = [clip.id for clip in more]
        overview["all_ids"] = [*ids, *overview["by_split"][V2]]
    return overview


def file_of_split(edition: str, split: str) -> str:
    """The file with the questions of a split, within metadata/."""
    return f"{_EDITIONS[edition][1]}avqa-{split}.json"


def annotation_files(settings: Settings) -> list[Annotation]:
    """The files of the chosen edition, and the csv of v2.0."""
    edition = _EDITIONS[settings.annotations][0]
    files = [
        Annotation(
            file_of_split(settings.annotations, split),
            _QA_URL.format(edition=edition, split=split),
            read_questions,
            split,
        )
        for split in SPLITS
    ]
    return [*files, Annotation(_V2_FILE, _V2_URL, read_additional, split=V2)]


MUSIC_AVQA = Dataset(
    name="music_avqa",
    title="MUSIC-AVQA",
    default_dir="./data/music_avqa",
    log_name="avqa_download.log",
    annotations=annotation_files,
    read_clips=read_clips,
    clip_seconds=60.0,
    splits=(*SPLITS, V2),
    usual_splits=SPLITS,
    options=frozenset({"annotations", "id-map", "keep-archives", "v2"}),
    drive=Drive(
        folder_id="1WAryZZE0srLIZG8VHl22uZ3tpbGHtsrQ",
        archives=(
            DriveArchive(
                "the real videos",
                "MUSIC-AVQA-videos-Real.zip",
                36_670_000_000,
                is_real,
                "real",
                file_id="1Ovj5Ay8rDXaPy57CNCHes0A99S43lPBy",
            ),
            DriveArchive(
                "the synthetic videos",
                "MUCIS-AVQA-videos-Synthetic.zip",
                11_590_000_000,
                lambda video_id: _SYNTHETIC.fullmatch(video_id) is not None,
                "synthetic",
            ),
        ),
    ),
)

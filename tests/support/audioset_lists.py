"""Small samples of all lists of AudioSet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.datasets.audioset import read_clips
from avclips.datasets.base import Listing

CORPUS = "https://storage.googleapis.com/us_audioset/youtube_corpus"

HEAD = """\
# Segments csv created Sun Mar  5 10:54:25 2017
# num_ytids=2, num_segs=2, num_unique_labels=3, num_positive_labels=4
# YTID, start_seconds, end_seconds, positive_labels
"""
CLASSES = """\
index,mid,display_name
0,/m/09x0r,"Speech"
1,/m/05zppz,"Male speech, man speaking"
72,/m/0bt9lr,"Dog"
131,/m/01h3n,"Bee, wasp, etc."
"""
STRONG_CLASSES = "/m/09x0r\tSpeech\n/m/05zppz\tMale speech, man speaking\n/m/0bt9lr\tDog\n"
EVENTS = "segment_id\tstart_time_seconds\tend_time_seconds\tlabel\n"
POSNEG = "segment_id\tstart_time_seconds\tend_time_seconds\tlabel\tpresent\n"

# printf %s YTID | sha256sum | cut -c1-2
EVAL, HALF, BAL, END, RARE = "-evalclip01", "evalclip_02", "balanced_01", "balanced_02", "unbalanced1"
DIGITS = {EVAL: "a0", HALF: "cc", BAL: "75", END: "ec", RARE: "16"}

SEGMENTS = {
    "eval": f'{HEAD}{EVAL}, 0.000, 10.000, "/m/09x0r,/m/05zppz"\n{HALF}, 2.500, 12.500, "/m/0bt9lr"\n',
    "balanced_train": f'{HEAD}{BAL}, 3.000, 13.000, "/m/01h3n"\n{END}, 10.000, 20.000, "/m/09x0r,/m/0unknown"\n',
    "unbalanced_train": f'{HEAD}{RARE}, 30.000, 34.000, "/m/0bt9lr,/m/09x0r"\n',
}
EVAL_EVENTS = f"{EVENTS}{HALF}_2500\t0.0\t1.5\t/m/0bt9lr\n{HALF}_2500\t3.25\t10.0\t/m/0other\n"
TRAIN_EVENTS = f"{POSNEG}{BAL}_3000\t0.0\t9.6\t/m/01h3n\tNOT_PRESENT\n{RARE}_30000\t0.5\t1\t/m/0bt9lr\tPRESENT\n"


def lists(folder: Path) -> Path:
    """A metadata folder with small samples of all lists."""
    folder.mkdir(exist_ok=True)
    for split, text in SEGMENTS.items():
        (folder / f"{split}_segments.csv").write_text(text)
    (folder / "class_labels_indices.csv").write_text(CLASSES)
    (folder / "mid_to_display_name.tsv").write_text(STRONG_CLASSES)
    (folder / "audioset_eval_strong.tsv").write_text(EVAL_EVENTS)
    (folder / "audioset_train_strong.tsv").write_text(TRAIN_EVENTS)
    return folder


def listed(folder: Path, *splits: str, **settings: Any) -> list[Clip]:
    return list(listing(folder, *splits, **settings).clips)


def listing(folder: Path, *splits: str, **settings: Any) -> Listing:
    return read_clips(folder, Settings(folder, splits=splits, **settings))


def annotation_files() -> dict[str, bytes]:
    """The lists at their true addresses."""
    files = {f"{CORPUS}/v1/csv/{split}_segments.csv": text.encode() for split, text in SEGMENTS.items()}
    files[f"{CORPUS}/v1/csv/class_labels_indices.csv"] = CLASSES.encode()
    files[f"{CORPUS}/strong/mid_to_display_name.tsv"] = STRONG_CLASSES.encode()
    files[f"{CORPUS}/strong/audioset_eval_strong.tsv"] = EVAL_EVENTS.encode()
    files[f"{CORPUS}/strong/audioset_train_strong.tsv"] = TRAIN_EVENTS.encode()
    return files

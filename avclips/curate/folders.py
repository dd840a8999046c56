"""Where each stage of curation leaves its files, beneath the data folder whose clips are curated.

DATA_DIR/curation/filter/     rows.parquet, kept.tsv, summary.json
DATA_DIR/curation/videos/     a data folder of its own: the whole videos
DATA_DIR/videos, audio, ...   the clips, as any download leaves them: those that `segment` cut
DATA_DIR/curation/segment/    a row a video: what became of it
DATA_DIR/curation/features/   and so on: a folder a stage
"""

from __future__ import annotations

from pathlib import Path

CURATION = "curation"
# Of `download`: a whole video each.
VIDEOS = "videos"
# Of `filter`: every row with its reason, and the lines that are kept.
ROWS, KEPT = "rows.parquet", "kept.tsv"


def stage_folder(data_dir: Path, stage: str) -> Path:
    """The folder of a stage's files."""
    return data_dir / CURATION / stage


def videos_folder(data_dir: Path) -> Path:
    """The data folder of the videos that are cut into clips."""
    return data_dir / CURATION / VIDEOS

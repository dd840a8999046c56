"""Where each stage of curation leaves its files, beneath the data folder whose clips are curated.

DATA_DIR/curation/filter/     rows.parquet, kept.tsv, summary.json
DATA_DIR/curation/videos/     a data folder of its own: the whole videos
DATA_DIR/videos, audio, ...   the clips, as any download leaves them: those that `segment` cut
DATA_DIR/curation/segment/    a row a video: what became of it
DATA_DIR/curation/features/   and so on: a folder a stage
"""

from __future__ import annotations

import os
from pathlib import Path

from ..core.errors import UsageError

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


def see_that_it_can_be_made(folder: Path) -> None:
    """UsageError where nothing can be written into a folder of this name, which need not be there yet.

    For before the work: what it comes to is written at its end.
    """
    folder = folder.absolute()
    nearest = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
    if not nearest.is_dir():
        raise UsageError(f"{folder} cannot be made: {nearest} is no folder", "name another --output")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} cannot be written: there is no right to", "name another --output")

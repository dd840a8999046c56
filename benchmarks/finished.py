"""A data folder in which all is done but one clip: ``finished TREE CLIPS``, in the current folder.

The folder is the store's own work; the media files are empty, since a start only looks whether they are there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from engine_alone import FACTS

from avclips.core.clock import Clock
from avclips.core.model import Clip, Outcome
from avclips.core.settings import Settings
from avclips.state.store import Store

QUESTION = {
    "video_id": 1,
    "question_text": "What are the main sources of sound in the video?",
    "multi_choice": ["motorcycle", "sea wave", "a man speaking", "a crowd"],
    "answer": 0,
    "question_relation": "Both",
    "question_type": "Come From",
}


def make(count: int, wanted: str) -> None:
    """``count`` clips that are done, and the annotation files for them and for ``wanted``."""
    folder = Path("data")
    # What the script's options come to, as far as they shape files.
    settings = Settings(folder, cut="copy", min_free=0)
    store = Store(settings, "general_avqa", Clock(1.0))
    store.open()
    ids = [f"d{number:010d}_000010" for number in range(count)]
    for clip_id in ids:
        clip = Clip(clip_id, clip_id[:11], 10.0, 20.0, {"splits": ["train"], "label": "a label"})
        media = {"video": f"videos/{clip_id}.mp4", "audio": f"audio/{clip_id}.wav"}
        for name in media.values():
            (folder / name).touch()
        store.record(Outcome(clip, "done", facts={**FACTS, **media}))
    store.snapshot(force=True)
    store.close()
    for split, names in (("train", ids), ("val", [wanted])):
        questions = [{**QUESTION, "id": number, "video_name": name} for number, name in enumerate(names)]
        (folder / "metadata" / f"{split}_qa.json").write_text(json.dumps(questions))
    rows = "".join(f"{name[:11]},10,a label,train\n" for name in ids)
    (folder / "metadata" / "vggsound.csv").write_text(rows)


if __name__ == "__main__":
    make(int(sys.argv[2]), sys.argv[3])

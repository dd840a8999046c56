"""What stands in a folder of clips against what its lines say: each missing file, and each that is unknown."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.state.clip_files import ClipFiles
from avclips.state.manifest import Done

IDS = [f"clip{number}" for number in range(12)]
KINDS = [
    Done(".mp4", ".wav", 1),
    Done(".mkv", ".wav", 1),
    Done("", ".wav", 1),
    Done(".mp4", "", 1),
    Done(".mp4", ".wav", 2, "eval/3f"),
    Done("", "", 1),
]
STRANGE = ["clip0", "clip0.", "clip1.mp4.part", ".mp4", "clip2.wav", "other.mp4", "clip3.MP4"]


def names_of(clip_id: str, done: Done) -> list[str]:
    named = (("videos", done.video), ("audio", done.audio))
    return [f"{root}/{done.folder}/{clip_id}{ending}".replace("//", "/") for root, ending in named if ending]


@pytest.mark.parametrize("seed", range(40))
def test_each_missing_file_and_each_unknown_one(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    done = {clip_id: dice.choice(KINDS) for clip_id in dice.sample(IDS, dice.randrange(len(IDS)))}
    due = {tmp_path / name: clip_id for clip_id, each in done.items() for name in names_of(clip_id, each)}
    there = {path for path in due if dice.random() < dice.choice((0.7, 1.0))}
    for root in ("videos", "audio"):
        for folder in ("", "eval/3f"):
            (tmp_path / root / folder).mkdir(parents=True, exist_ok=True)
            there |= {tmp_path / root / folder / name for name in STRANGE if dice.random() < 0.3}
    for path in there:
        path.touch()
    files = ClipFiles(Settings(tmp_path), "audio", tmp_path / ".tmp")
    assert files.look(done) == {clip_id for path, clip_id in due.items() if path not in there}
    # A file is known where a line names it in its very folder, and with its very ending.
    for folder in ("", "eval/3f"):
        roots = [tmp_path / root / folder for root in ("videos", "audio")]
        unknown = {path.name for path in there - due.keys() if path.parent in roots}
        for clip_id in IDS:
            clip = Clip(clip_id, clip_id, 0.0, 1.0, {}, folder)
            assert files.had_unknown(clip) == bool(unknown & {f"{clip_id}.mp4", f"{clip_id}.wav"})

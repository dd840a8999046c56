"""A small download of AVQA, every export of it, shards of tables; and what every reader should find."""

from __future__ import annotations

import json
import shutil
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np

from avclips.catalog import Sample, samples
from avclips.cli.commands import main
from avclips.core.errors import RunError
from avclips.core.model import Clip
from avclips.datasets.general_avqa import GENERAL_AVQA
from avclips.shards.layout import Output
from avclips.shards.sample import Sample as Written
from avclips.shards.shard import cut
from avclips.shards.storage import Remote
from tests.standin.fake_media import _run
from tests.support.made_folder import made_folder

SPLITS = {
    "train": ("aaaaaaaaaaa_000001", "aaaaaaaaaaa_000021", "bbbbbbbbbbb_000002"),
    "val": ("ccccccccccc_000003",),
}
GONE = "ddddddddddd_000004"
FPS, SECONDS, RATE = 25, 2, 16000
_FACTS = {
    "duration": float(SECONDS), "fps": float(FPS), "pictures": FPS * SECONDS, "width": 160, "height": 90,
    "samples": RATE * SECONDS, "sample_rate": RATE, "channels": 1, "time": "2026-11-30T10:00:00+00:00",
}  # fmt: skip


def make(folder: Path) -> Path:
    """Make all of it anew in a folder; returns the file with the truth."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    data = _download(folder / "avqa")
    for form, *words in (
        ("hf", "--shard-bytes", "100K"),
        ("lhotse",),
        ("videofolder",),
        ("audiofolder", "--to", "videofolder", "--files", "audio"),
        ("webdataset", "--samples-per-shard", "2"),
    ):
        to = () if "--to" in words else ("--to", form)
        if code := main(["export", str(data), *to, *words, "--output", str(folder / form)]):
            raise RunError(f"the export {form} ended with code {code}")
    _tables(data, folder / "tables")
    truth = folder / "truth.json"
    truth.write_text(
        json.dumps({"rate": RATE, "clips": {each.id: _truth(each) for each in _done(data)}}, indent=1)
    )
    return truth


def _download(folder: Path) -> Path:
    records = {
        f"{split}_qa.json": [
            {
                "id": n,
                "video_name": name,
                "question_text": f"{split} {n}?",
                "multi_choice": ["x", "y"],
                "answer": n % 2,
            }
            for n, name in enumerate(names if split == "val" else (*names, GONE, names[0]))
        ]
        for split, names in SPLITS.items()
    }
    rows = [f'{name[:11]},{int(name[-6:])},"dog, barking",train\n' for names in SPLITS.values() for name in names]
    done = [name for names in SPLITS.values() for name in names]
    annotations = {**records, "vggsound.csv": "".join(rows)}
    made = made_folder(GENERAL_AVQA, folder, (), annotations, done, {GONE: "private"}, _FACTS)
    for number, name in enumerate(done):
        _clip(made, name, number)
    return made


def _clip(folder: Path, name: str, number: int) -> None:
    """A picture that counts, and a sound of noise; another for each clip."""
    picture = f"testsrc2=size=160x90:rate={FPS}:duration={SECONDS},hue=h={90 * number}"
    sound = f"anoisesrc=duration={SECONDS}:sample_rate={RATE}:seed={number + 1}:amplitude=0.3"
    to = folder / "audio" / f"{name}.wav"
    _run(["-y", "-f", "lavfi", "-i", sound, "-c:a", "pcm_s16le", "-bitexact", str(to)])
    films = ("-f", "lavfi", "-i", picture, "-i", str(to))
    coded = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac")
    _run(["-y", *films, *coded, str(folder / "videos" / f"{name}.mp4")])


def _done(data: Path) -> list[Sample]:
    return [sample for sample in samples(data) if sample.status == "done"]


def _tables(data: Path, folder: Path) -> None:
    """What ``--output-format parquet`` writes of these clips."""
    found = {sample.id: sample for sample in _done(data)}
    clips = [
        Clip(each.id, each.video, each.start, each.end, {"labels": list(each.labels)}) for each in found.values()
    ]
    output = Output(Remote(str(folder)), "parquet")
    output.plan(clips, 2, {"dataset": "general_avqa"}, ("mp4", "wav"))
    for shard in cut(clips, 2):
        written = [Written(clip, _line(found[clip.id])) for clip in shard.clips]
        output.write(shard.number, written, data, folder.with_name("scratch"))


def _line(sample: Sample) -> dict[str, Any]:
    return {**sample.facts, "status": "done", **{kind: place.path for kind, place in sample.files.items()}}


def _truth(sample: Sample) -> dict[str, Any]:
    """How many pictures there are, how bright the channels of the first and the last are, and the sound's sum."""
    with av.open(sample.files["video"].path) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    with wave.open(sample.files["audio"].path) as sound:
        values = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.int64)
    means = [
        [round(float(each), 2) for each in picture.mean(axis=(0, 1))] for picture in (pictures[0], pictures[-1])
    ]
    split = next(split for split, names in SPLITS.items() if sample.id in names)
    return {
        "split": split,
        "pictures": len(pictures),
        "means": means,
        "samples": len(values),
        "sum": int(np.abs(values).sum()),
        "questions": 2 if sample.id == SPLITS["train"][0] else 1,
    }

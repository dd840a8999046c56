"""The packages of others read a made download; runs in their environment, and knows nothing of avclips.

    python reading.py FOLDER

prints a line a reader: its name, a tab, and "ok" or what is wrong. FOLDER is what ``made`` made.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import tempfile
import traceback
import wave
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

Clips = dict[str, dict[str, Any]]
# How far a channel's mean may be from PyAV's, of 255: readers turn YUV into RGB each in its way.
_NEAR = 3.0


def same_pictures(decoder: Any, due: dict[str, Any]) -> str:
    """What is wrong with a decoder of torchcodec's; nothing where all is right."""
    count = len(decoder)
    if count != due["pictures"]:
        return f"{count} pictures for {due['pictures']}"
    for at, means in ((0, due["means"][0]), (count - 1, due["means"][1])):
        found = decoder[at].to(dtype=_float()).mean(dim=(1, 2)).tolist()
        if max(abs(a - b) for a, b in zip(found, means, strict=True)) > _NEAR:
            return f"picture {at} has the means {found} for {means}"
    return ""


def _float() -> Any:
    import torch

    return torch.float32


def same_sound(values: Any, due: dict[str, Any]) -> str:
    """``values``: of one channel, from -1 to 1."""
    found = np.rint(np.asarray(values, dtype=np.float64) * 32768).astype(np.int64)
    if len(found) != due["samples"] or int(np.abs(found).sum()) != due["sum"]:
        return f"{len(found)} samples for {due['samples']}, their sum is {np.abs(found).sum()} for {due['sum']}"
    return ""


def first_fault(said: dict[str, str], clips: Clips) -> str:
    """``said``: by id, what is wrong with it."""
    if set(said) != set(clips):
        return f"the ids {sorted(said)} for {sorted(clips)}"
    return next((f"{name}: {words}" for name, words in said.items() if words), "ok")


# -- the readers ---------------------------------------------------------------------------------------------


def datasets_export(folder: Path, clips: Clips) -> str:
    """load_dataset of the export, split by split, sound and picture decoded."""
    import datasets

    loaded = datasets.load_dataset(str(folder / "hf"))
    if set(loaded) != {each["split"] for each in clips.values()}:
        return f"the splits {set(loaded)}"
    said = {}
    for split, rows in loaded.items():
        for row in rows:
            due = clips[row["id"]]
            wrong = same_pictures(row["video"], due)
            wrong = wrong or same_sound(row["audio"].get_all_samples().data[0].numpy(), due)
            if due["split"] != split or len(row["questions"]) != due["questions"]:
                wrong = wrong or f"{split} {row['questions']}"
            said[row["id"]] = wrong
    return first_fault(said, clips)


def datasets_streaming(folder: Path, clips: Clips) -> str:
    """The same without a copy in its cache."""
    import datasets

    said = {}
    for split in ("train", "val"):
        for row in datasets.load_dataset(str(folder / "hf"), split=split, streaming=True):
            said[row["id"]] = same_pictures(row["video"], clips[row["id"]])
    return first_fault(said, clips)


def datasets_tables(folder: Path, clips: Clips) -> str:
    """Our own parquet shards."""
    import datasets

    said = {}
    for row in datasets.load_dataset("parquet", data_files=f"{folder}/tables/*.parquet", split="train"):
        due = clips[row["id"]]
        wrong = same_pictures(row["mp4"], due)
        said[row["id"]] = wrong or same_sound(row["wav"].get_all_samples().data[0].numpy(), due)
    return first_fault(said, clips)


def datasets_videofolder(folder: Path, clips: Clips) -> str:
    """VideoFolder, as the README.md of the export has it found."""
    import datasets

    said = {}
    for split, rows in datasets.load_dataset(str(folder / "videofolder")).items():
        for row in rows:
            due = clips[row["id"]]
            wrong = "" if due["split"] == split else f"it is in {split}"
            said[row["id"]] = wrong or same_pictures(row["video"], due)
    return first_fault(said, clips)


def datasets_audiofolder(folder: Path, clips: Clips) -> str:
    """AudioFolder, named by hand."""
    import datasets

    said = {}
    for rows in datasets.load_dataset("audiofolder", data_dir=str(folder / "audiofolder")).values():
        for row in rows:
            sound = row["audio"].get_all_samples().data[0].numpy()
            said[row["id"]] = same_sound(sound, clips[row["id"]])
    return first_fault(said, clips)


def datasets_tars(folder: Path, clips: Clips) -> str:
    """The tars of the export, by the WebDataset builder."""
    import datasets

    said = {}
    for path in ("train", "val"):
        files = f"{folder}/webdataset/{path}/*.tar"
        for row in datasets.load_dataset("webdataset", data_files=files, split="train"):
            name = row["json"]["id"]
            wrong = same_pictures(row["mp4"], clips[name])
            said[name] = wrong or same_sound(row["wav"].get_all_samples().data[0].numpy(), clips[name])
    return first_fault(said, clips)


def webdataset_tars(folder: Path, clips: Clips) -> str:
    """webdataset's own pipeline; sound decoded by the wave module."""
    import webdataset

    tars = sorted(map(str, folder.glob("webdataset/*/*.tar")))
    said = {}
    for sample in webdataset.WebDataset(tars, shardshuffle=False).decode().to_tuple("json", "mp4", "wav"):
        about, picture, sound = sample
        with wave.open(BytesIO(sound if isinstance(sound, bytes) else bytes(sound))) as heard:
            values = np.frombuffer(heard.readframes(heard.getnframes()), "<i2") / 32768
        due = clips[about["id"]]
        said[about["id"]] = same_sound(values, due) or ("" if picture[4:8] == b"ftyp" else "no MP4")
    return first_fault(said, clips)


def energon_tars(folder: Path, clips: Clips) -> str:
    """megatron-energon, with the index that it makes itself; its decoder of pictures and sound is PyAV's."""
    from dataclasses import dataclass

    from megatron import energon
    from megatron.energon.flavors.webdataset import BaseWebdatasetFactory

    @dataclass
    class Cooked(energon.Sample):  # type: ignore[misc]
        json: Any
        mp4: Any

    @energon.stateless
    def cook(sample: Any) -> Any:
        return Cooked(**energon.basic_sample_keys(sample), json=sample["json"], mp4=sample["mp4"])

    class Encoder(energon.DefaultTaskEncoder):  # type: ignore[misc]
        cookers = (energon.Cooker(cook),)

    home = folder / "webdataset" / "train"
    tars = sorted(path.name for path in home.glob("*.tar"))
    BaseWebdatasetFactory.prepare_dataset(home, tars, split_parts_ratio=[("train", 1.0)], workers=2)
    made = "__module__: megatron.energon\n__class__: CrudeWebdataset\n"
    (home / ".nv-meta" / "dataset.yaml").write_text(made, encoding="utf-8")
    workers = energon.WorkerConfig(rank=0, world_size=1, num_workers=0)
    loaded = energon.get_train_dataset(
        home, worker_config=workers, batch_size=None, shuffle_buffer_size=None, max_samples_per_sequence=None,
        task_encoder=Encoder(), repeat=False,
    )  # fmt: skip
    said = {}
    for sample in energon.get_loader(loaded):
        due = clips[sample.json["id"]]
        frames = sample.mp4.get_video().video_clips[0]
        said[sample.json["id"]] = "" if len(frames) == due["pictures"] else f"{len(frames)} pictures"
    return first_fault(said, {name: due for name, due in clips.items() if due["split"] == "train"})


def lhotse_manifests(folder: Path, clips: Clips) -> str:
    """lhotse loads and checks the manifests, makes cuts of them, and loads the sound of these and of ours."""
    from lhotse import CutSet, RecordingSet, SupervisionSet, validate
    from lhotse.qa import validate_recordings_and_supervisions
    from lhotse.recipes.utils import read_manifests_if_cached

    said = {}
    for split in ("train", "val"):
        parts = read_manifests_if_cached([split], folder / "lhotse")[split]
        recordings, supervisions = parts["recordings"], parts["supervisions"]
        if not isinstance(recordings, RecordingSet) or not isinstance(supervisions, SupervisionSet):
            return f"{type(recordings)} {type(supervisions)}"
        validate_recordings_and_supervisions(recordings, supervisions, read_data=True)
        own = {cut.recording_id: cut for cut in CutSet.from_manifests(recordings, supervisions)}
        cuts = CutSet.from_file(folder / "lhotse" / f"cuts_{split}.jsonl.gz")
        validate(cuts, read_data=True)
        for cut in cuts:
            due = clips[cut.id]
            wrong = same_sound(cut.load_audio()[0], due) or same_sound(own[cut.id].load_audio()[0], due)
            if len(cut.custom["questions"]) != due["questions"] or not Path(cut.custom["video"]).is_file():
                wrong = wrong or str(cut.custom)
            said[cut.id] = wrong
    return first_fault(said, clips)


READERS = {
    "datasets: load_dataset(export)": (datasets_export, "datasets"),
    "datasets: streaming": (datasets_streaming, "datasets"),
    "datasets: our parquet shards": (datasets_tables, "datasets"),
    "datasets: VideoFolder": (datasets_videofolder, "datasets"),
    "datasets: AudioFolder": (datasets_audiofolder, "datasets"),
    "datasets: tars": (datasets_tars, "datasets"),
    "webdataset: tars": (webdataset_tars, "webdataset"),
    "megatron-energon: tars": (energon_tars, "megatron-energon"),
    "lhotse: manifests and cuts": (lhotse_manifests, "lhotse"),
}


def main(folder: Path) -> int:
    """Ask every reader; returns how many found something wrong."""
    clips: Clips = json.loads((folder / "truth.json").read_text())["clips"]
    faults = 0
    for name, (read, package) in READERS.items():
        try:
            said = read(folder, clips)
        except Exception:  # the door: what a reader cannot do is what is asked
            said = traceback.format_exc()
        faults += said != "ok"
        print(f"{name} ({importlib.metadata.version(package)})\t{said}", flush=True)
    return min(faults, 100)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        import os

        os.environ |= {"HF_HOME": cache, "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": f"{cache}/datasets"}
        sys.exit(main(Path(sys.argv[1])))

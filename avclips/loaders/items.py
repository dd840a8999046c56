"""One item of a dataset: what is known of a clip, and what is decoded of it; docs/loaders.md lists the keys."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import av
import numpy as np
import torch

from ..catalog import Sample
from ..catalog.places import read
from ..core.extras import extra
from . import video
from .decoders import decoder
from .options import Options
from .sources import Source, path_of, source_of

Item = dict[str, Any]
# Of a sample's files, under which key an item has its path.
_PATHS = {"video_path": "video", "audio_path": "audio", "image_path": "frame"}


def described(sample: Sample, split: str | None, classes: Mapping[str, int]) -> Item:
    """What is known of a clip, without opening any of its files."""
    indices = [classes[label] for label in sample.labels if label in classes]
    return {
        "id": sample.id,
        "sample_id": sample.id,
        "clip_id": sample.id,
        "dataset": sample.dataset,
        "split": split or next(iter(sample.splits), ""),
        "video_id": sample.video,
        "start": float(sample.start),
        "duration": float(sample.facts.get("duration") or 0.0),
        "label": next(iter(sample.labels), None),
        "labels": list(sample.labels),
        "label_index": next(iter(indices), None),
        "label_indices": indices,
        "captions": list(sample.captions),
        **{key: path_of(sample.files.get(name)) for key, name in _PATHS.items()},
    }


def loaded(sample: Sample, options: Options) -> Item:
    """What is decoded of a clip; None for what it has not."""
    wanted: list[str] = [name for name in ("video", "audio") if name in options.load and name in sample.files]
    if "image" in options.load:
        wanted.append("frame" if "frame" in sample.files else "video")
    sources = {name: source_of(sample.files[name]) for name in wanted if name in sample.files}
    item = decoded(sources, sample.facts, options)
    if "bytes" in options.load:
        item["files"] = {name: read(place) for name, place in sample.files.items()}
    return item


def decoded(sources: Mapping[str, Source], facts: Mapping[str, Any], options: Options) -> Item:
    """The same of files by what they are: "video", "audio", "frame"."""
    by, item = decoder(options.decoder), Item()
    if "video" in options.load:
        item |= {"video": None, "video_times": None}
        if "video" in sources:
            item["video"], item["video_times"] = by.pictures(sources["video"], options)
    if "audio" in options.load:
        item |= {"audio": None, "sample_rate": options.sample_rate, "has_audio": "audio" in sources}
        if "audio" in sources:
            item["audio"], item["sample_rate"] = by.sound(sources["audio"], facts, options)
    if "image" in options.load:
        item |= {"image": None, "images": None}
        if "frame" in sources or "video" in sources:
            item["image"], item["images"] = _image(sources, options)
    return item


def _image(sources: Mapping[str, Source], options: Options) -> tuple[torch.Tensor, Any]:
    """The frame that stands for the clip: uint8 (C, H, W), and as PIL has it; else the middle one of its video."""
    pil = extra("PIL.Image", "images are made").Image
    if "frame" in sources:
        source = sources["frame"]
        with pil.open(io.BytesIO(source) if isinstance(source, bytes) else source) as opened:
            frame = av.VideoFrame.from_ndarray(np.asarray(opened.convert("RGB")), format="rgb24")
        found = video.Scaler(options)(frame)
    else:
        middle = replace(options, num_frames=1, fps=None, seconds=None)
        found = decoder(options.decoder).pictures(sources["video"], middle).frames[0].numpy()
    picture = np.ascontiguousarray(found)
    return torch.from_numpy(picture), pil.fromarray(np.ascontiguousarray(picture.transpose(1, 2, 0)))


# Numbers that become a tensor each; None is -1.
_WHOLE = ("answer_index", "label_index")
_REAL = ("start", "duration")


def collate(items: Sequence[Item]) -> Item:
    """A batch: a value for each key of any item.

    ``video``, ``image``: stacked where all have one shape, else a list. ``audio``: (B, N) or (B, C, N), filled
    up with zeros, and ``audio_lengths`` int64 (B,), 0 for one without sound; a list where their channels differ.
    ``answer_index``, ``label_index`` int64 (B,), -1 for none; ``start``, ``duration`` float64; ``has_audio``
    bool. Everything else is a list. Give it to DataLoader as ``collate_fn``.
    """
    keys = dict.fromkeys(key for item in items for key in item)
    batch = {key: [item.get(key) for item in items] for key in keys}
    for key in ("video", "video_times", "image"):
        if key in batch:
            batch[key] = _stacked(batch[key])
    if "audio" in batch:
        lengths = [0 if each is None else each.shape[-1] for each in batch["audio"]]
        batch["audio_lengths"] = torch.tensor(lengths)
        batch["audio"] = _padded(batch["audio"], max(lengths, default=0))
        batch["has_audio"] = torch.tensor([bool(each) for each in batch["has_audio"]])
    for key in keys.keys() & set(_WHOLE):
        batch[key] = torch.tensor([-1 if each is None else each for each in batch[key]])
    for key in keys.keys() & set(_REAL):
        batch[key] = torch.tensor(batch[key], dtype=torch.float64)
    return batch


def _stacked(values: list[Any]) -> Any:
    if any(each is None for each in values) or len({each.shape for each in values}) != 1:
        return values
    return torch.stack(values)


def _padded(values: list[Any], length: int) -> Any:
    there = [each for each in values if each is not None]
    if not there or len({each.shape[:-1] for each in there}) != 1:
        return values
    found = torch.zeros((len(values), *there[0].shape[:-1], length))
    for row, each in zip(found, values, strict=True):
        if each is not None:
            row[..., : each.shape[-1]] = each
    return found

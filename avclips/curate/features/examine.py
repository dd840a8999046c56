"""What is done with a clip where it is decoded: in this process, in another, or on another machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...catalog.sample import Place, Sample
from .decode import decode
from .extractor import Array, Extractor, Media, Unusable, Want


@dataclass(frozen=True)
class Clip:
    """What is kept of a Sample: ``files`` are only those of a clip that is done; ``said``: columns of its row."""

    files: Mapping[str, Place]
    said: Mapping[str, Any]


@dataclass(frozen=True)
class Examined:
    """What became of a clip: numbers of the extractors that work apart, media for the others, or a reason."""

    numbers: Mapping[str, Array] = field(default_factory=dict)
    media: Media | None = None
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Examiner:
    """``apart``: the extractors that are computed here; ``others``: what the rest wants of each clip."""

    apart: tuple[Extractor, ...]
    others: tuple[Want, ...]

    def __call__(self, clips: Sequence[Clip]) -> list[Examined]:
        """Decode each clip once."""
        return [self._examine(clip) for clip in clips]

    def _examine(self, clip: Clip) -> Examined:
        try:
            if not clip.files:
                raise Unusable("not_here")
            wants = dict.fromkeys([want for each in self.apart for want in each.wants] + [*self.others])
            media = decode(clip.files, wants)
            numbers = {
                shape.name: halved(layer[0])
                for each in self.apart
                for shape, layer in zip(each.layers, each.extract([media]), strict=True)
            }
        except Unusable as error:
            return Examined(reason=error.reason, detail=error.detail)
        if not self.others:
            return Examined(numbers)
        return Examined(numbers, Media(media.seconds, {want: media.got[want] for want in self.others}))


def halved(numbers: Array) -> Array:
    """As float16. Unusable where one is not finite; what is too large for float16 is its largest."""
    if not np.isfinite(numbers).all():
        raise Unusable("not_finite", "a feature is not a finite number")
    most = float(np.finfo(np.float16).max)
    return np.clip(numbers, -most, most).astype(np.float16)


def clip_of(sample: Sample) -> Clip:
    """What features needs of a clip of the catalog."""
    files = {name: sample.files[name] for name in ("video", "audio") if name in sample.files}
    said = {
        "id": sample.id,
        "dataset": sample.dataset,
        "video": sample.video,
        "start": sample.start,
        "end": sample.end,
        "labels": list(sample.labels),
        "captions": list(sample.captions),
    }
    return Clip(files if sample.status == "done" else {}, said)

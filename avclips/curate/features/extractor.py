"""What an extractor is: what it asks of a clip, which layers it gives, and how it is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

Modality = Literal["audio", "video"]
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Pictures:
    """Which pictures of a clip: ``rate`` a second, or ``count`` spread evenly; RGB.

    ``size``: width and height, whatever the clip's; None: at most ``short_side`` on the shorter one, shape kept.
    """

    rate: float = 0.0
    count: int = 0
    size: tuple[int, int] | None = None
    short_side: int = 256

    def times(self, seconds: float) -> list[float]:
        """When they are taken, in seconds from the clip's start: each in the middle of its piece of time."""
        count = self.count or max(1, int(seconds * self.rate))
        step = seconds / count if self.count else 1 / self.rate
        return [(number + 0.5) * step for number in range(count)]

    def shape(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of what a picture of this width and height becomes."""
        if self.size is not None:
            return self.size
        scale = min(1.0, self.short_side / min(width, height))
        return max(2, round(width * scale)), max(2, round(height * scale))


@dataclass(frozen=True)
class Sound:
    """The sound of a clip: mono, at ``rate`` a second, float32 in [-1, 1]."""

    rate: int = 16_000


Want = Pictures | Sound


@dataclass(frozen=True)
class Shape:
    """A layer: ``name`` as "classic/audio/0", its modality, and how many numbers a clip has in it."""

    name: str
    modality: Modality
    dims: int


@dataclass(frozen=True)
class Media:
    """A decoded clip: what each want got; pictures (n, height, width, 3) uint8, sound (samples,) float32."""

    seconds: float
    got: Mapping[Want, Array] = field(default_factory=dict)


class Extractor(Protocol):
    """Numbers out of clips.

    ``apart``: cheap enough to be computed by the process that decodes, a clip at a time; others take whole
    batches in the process that has the model. ``identity``: whatever changes a number of theirs, for run.json.
    """

    @property
    def layers(self) -> tuple[Shape, ...]: ...
    @property
    def wants(self) -> tuple[Want, ...]: ...
    @property
    def apart(self) -> bool: ...
    @property
    def identity(self) -> Mapping[str, Any]: ...

    def extract(self, clips: Sequence[Media]) -> list[Array]:
        """For each layer (len(clips), dims), any float type."""
        ...


class Unusable(Exception):
    """A clip that has no features; ``reason``: a key of REASONS, ``detail``: what was said."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or REASONS[reason])
        self.reason = reason
        self.detail = detail or REASONS[reason]


REASONS: dict[str, str] = {
    "not_here": "its files are not here: failed, or not downloaded yet",
    "not_decodable": "its file cannot be decoded",
    "no_picture": "it has no picture",
    "no_sound": "it has no sound",
    "short": "it is shorter than half a second",
    "not_finite": "its sound, or a feature, is not a finite number",
    "silent": "its sound is below -60 dBFS; said of what two networks are trained on",
    "crashed": "the process that decoded it died",
}

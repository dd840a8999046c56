"""``classic``: signal statistics, without weights and without torch; five layers each of sound and of picture.

From coarse to fine: what it sounds and looks like (0, 1), how it changes from one moment to the next (2), at which
pace (3), what happens when (4). It knows no objects: a dog that barks is a colour, a texture and a rhythm to it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import classic_picture, classic_sound
from .classic_picture import picture_layers
from .classic_sound import sound_layers
from .extractor import Array, Media, Pictures, Shape, Sound, Want

PICTURES = Pictures(rate=classic_picture.RATE, size=(classic_picture.WIDTH, classic_picture.HEIGHT))
SOUND = Sound(classic_sound.RATE)
# A number of these layers that means another thing gets another version: features of both are not mixed.
VERSION = 1


@dataclass(frozen=True)
class Classic:
    """See the module."""

    apart: bool = True
    wants: tuple[Want, ...] = (PICTURES, SOUND)

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"version": VERSION}

    @property
    def layers(self) -> tuple[Shape, ...]:
        return _layers()

    def extract(self, clips: Sequence[Media]) -> list[Array]:
        """For each layer (len(clips), dims), float64."""
        rows = [[*sound_layers(clip.got[SOUND]), *picture_layers(clip.got[PICTURES])] for clip in clips]
        return [np.stack(column) for column in zip(*rows, strict=True)]


@functools.cache
def _layers() -> tuple[Shape, ...]:
    """As long as they are of any clip."""
    count = round(classic_picture.RATE)
    sound = sound_layers(np.zeros(classic_sound.RATE, np.float32))
    picture = picture_layers(np.zeros((count, classic_picture.HEIGHT, classic_picture.WIDTH, 3), np.uint8))
    return (
        *(Shape(f"classic/audio/{number}", "audio", len(each)) for number, each in enumerate(sound)),
        *(Shape(f"classic/video/{number}", "video", len(each)) for number, each in enumerate(picture)),
    )


def load(argument: str, name: str, loading: object) -> Classic:
    """For the registry."""
    return Classic()

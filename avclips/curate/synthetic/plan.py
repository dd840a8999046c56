"""Which clips there are, of which kinds, whose sound each has, and which of them a video shows one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .events import KINDS

Dealing = Literal["clips", "kinds"]
# Which clips have a foreign sound is drawn so often, until each of them can have one of another kind.
_DRAWS = 100


@dataclass(frozen=True)
class Scene:
    """What one clip shows: all of it follows from ``kind``, ``seed`` and ``number``."""

    kind: str
    seed: int
    number: int
    seconds: float = 10.0


@dataclass(frozen=True)
class Clip:
    """``picture`` and ``sound`` are the same scene where the sound belongs to the picture."""

    id: str
    picture: Scene
    sound: Scene

    @property
    def matched(self) -> bool:
        """Whether its sound is its own."""
        return self.picture == self.sound


@dataclass(frozen=True)
class Video:
    """``shots``: clips, one straight after the other; those of under ten seconds are no clips of the set."""

    id: str
    title: str
    shots: tuple[Clip, ...]


def clips(count: int, seed: int, foreign: float = 0.5, dealing: Dealing = "clips") -> list[Clip]:
    """``count`` clips of ten seconds, of all kinds alike; a share ``foreign`` of them with another's sound."""
    rng = np.random.default_rng([seed, 0])
    kinds = rng.permutation(np.arange(count) % len(KINDS))
    scenes = [Scene(KINDS[kind], seed, number) for number, kind in enumerate(kinds)]
    sounds = deal(kinds, foreign, dealing, rng)
    digits = max(5, len(str(count)))
    return [
        Clip(f"synthetic_{number:0{digits}d}", scene, scenes[sounds[number]])
        for number, scene in enumerate(scenes)
    ]


def deal(
    kinds: np.ndarray[tuple[int], np.dtype[np.int64]], foreign: float, dealing: Dealing, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Of each clip, the clip whose sound it has: its own, or one of another kind.

    ``clips``: a random share ``foreign`` of all; ``kinds``: all clips of that share of the kinds. Each sound is
    dealt once.
    """
    own = np.arange(len(kinds))
    if dealing == "kinds":
        names = rng.permutation(np.unique(kinds))
        chosen = np.flatnonzero(np.isin(kinds, names[: round(foreign * len(names))]))
    else:
        count = round(foreign * len(kinds))
        for _ in range(_DRAWS):
            chosen = np.sort(rng.permutation(len(kinds))[:count])
            # Of few clips, now and then most are of one kind: others are drawn.
            if _can_be_dealt(kinds[chosen]):
                break
    if not _can_be_dealt(kinds[chosen]):
        raise ValueError("more than half of the clips with a foreign sound are of one kind")
    if not len(chosen):
        return own
    sounds = own.copy()
    dealt = rng.permutation(chosen)
    # At random, so that no kind has the sounds of another one more often than of a third. Who got one of its own
    # kind changes with somebody for whom both are of another kind.
    for place in np.flatnonzero(kinds[dealt] == kinds[chosen]):
        if kinds[dealt[place]] == kinds[chosen[place]]:
            kind = kinds[chosen[place]]
            fitting = np.flatnonzero((kinds[dealt] != kind) & (kinds[chosen] != kind))
            other = fitting[rng.integers(len(fitting))]
            dealt[place], dealt[other] = dealt[other], dealt[place]
    sounds[chosen] = dealt
    return sounds


def _can_be_dealt(kinds: np.ndarray[tuple[int], np.dtype[np.int64]]) -> bool:
    """Whether each of these can have the sound of one of another kind."""
    return not len(kinds) or 2 * int(np.bincount(kinds).max()) <= len(kinds)


def videos(count: int, clip_count: int, seed: int, foreign: float = 0.5) -> list[Video]:
    """``clip_count`` clips in ``count`` videos of one to six shots, with short shots between some of them.

    A shot of a clip is of 10 to 14 s, a short one of 2 to 6 s.
    """
    rng = np.random.default_rng([seed, 1])
    all_clips = clips(clip_count, seed, foreign)
    spread = np.sort(rng.permutation(np.arange(clip_count) % count))
    made: list[Video] = []
    for number in range(count):
        shots: list[Clip] = []
        for at in np.flatnonzero(spread == number):
            each = all_clips[at]
            seconds = round(float(rng.uniform(10.2, 14.0)), 1)
            shots.append(Clip(each.id, _lasting(each.picture, seconds), _lasting(each.sound, seconds)))
            if rng.random() < 0.4:
                kind, apart = KINDS[rng.integers(len(KINDS))], clip_count + len(made) * 10 + len(shots)
                short = Scene(kind, seed, apart, round(float(rng.uniform(2.0, 6.0)), 1))
                shots.append(Clip(f"{each.id}_short", short, short))
        title = " and ".join(dict.fromkeys(shot.picture.kind for shot in shots[:2])) + f", part {number}"
        made.append(Video(_video_id(seed, number), title, tuple(shots)))
    return made


def _lasting(scene: Scene, seconds: float) -> Scene:
    return Scene(scene.kind, scene.seed, scene.number, seconds)


def _video_id(seed: int, number: int) -> str:
    """As long as one of YouTube's, and the same for the same seed and number."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    drawn = np.random.default_rng([seed, 2, number]).integers(0, len(letters), 5)
    return "s" + "".join(letters[each] for each in drawn) + f"{number:05d}"

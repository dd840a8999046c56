"""Which clips show and play the same, by their fingerprints: candidates by equal pieces, then a distance each.

No pair is looked at that has no piece in common: a piece is 16 bits of a picture's hash, or 32 of a sound's, that
two copies have with some luck each and together almost surely. Pieces that very many clips have (an intro, a test
card) tell nothing, and are passed over.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

PICTURE_BITS, FRAME_BITS = 64, 16
# The mean share of bits that differ, up to which two are the same. Of unlike ones it is about a half.
SAME_PICTURE, SAME_SOUND = 0.18, 0.32
# How much a copy may begin earlier or later: frames of the sound (0.19 s each), hashes of the picture (2 s each).
SHIFT_FRAMES, SHIFT_HASHES = 8, 1
# Less than this in common is not enough to judge by: 1.5 s of sound.
LEAST_FRAMES = 8
# A piece that more clips have is passed over.
MOST_OF_A_PIECE = 50


@dataclass(frozen=True)
class Prints:
    """The fingerprints of a clip: hashes of pictures, None where one is flat, and frames of the sound."""

    id: str
    pictures: tuple[int | None, ...] = ()
    sound: tuple[int, ...] = ()

    @property
    def seen(self) -> bool:
        """Whether its picture can be recognized."""
        return any(each is not None for each in self.pictures)


@dataclass(frozen=True)
class Pair:
    """Two clips that are the same. Distances: shares of bits, None where one of them has no such fingerprint."""

    first: str
    second: str
    picture: float | None
    sound: float | None


@dataclass
class Group:
    """Clips of which each is the same as another one of them."""

    ids: list[str]
    pairs: list[Pair] = field(default_factory=list)


def prints_of(clip_id: str, flags: Mapping[str, Any]) -> Prints | None:
    """The fingerprints out of a manifest's ``flags``; None where there are none, or they are broken."""
    hashes, sound = flags.get("picture_hashes") or [], flags.get("sound_print") or ""
    try:
        pictures = tuple(int(each, 16) if each else None for each in hashes)
        frames = tuple(int(sound[at : at + 4], 16) for at in range(0, len(sound), 4))
    except (TypeError, ValueError):
        return None
    found = Prints(clip_id, pictures, frames)
    return found if found.seen or found.sound else None


def duplicates(clips: Iterable[Prints]) -> list[Group]:
    """The groups of clips that are the same, the largest first.

    Where both have a picture and a sound to be recognized by, both have to be the same; else what they have.
    """
    known = list(clips)
    pairs = [pair for one, other in _candidates(known) if (pair := compare(known[one], known[other])) is not None]
    return _groups(pairs)


def compare(one: Prints, other: Prints) -> Pair | None:
    """Whether two clips are the same, and how far they are apart; None where they are not."""
    picture = picture_distance(one.pictures, other.pictures)
    sound = sound_distance(one.sound, other.sound)
    if picture is None and sound is None:
        return None
    if (one.seen, bool(one.sound)) != (other.seen, bool(other.sound)):
        # One is silent, or has no picture to be seen: not the same, whatever else is.
        return None
    if (picture is not None and picture > SAME_PICTURE) or (sound is not None and sound > SAME_SOUND):
        return None
    return Pair(one.id, other.id, _rounded(picture), _rounded(sound))


def picture_distance(one: Sequence[int | None], other: Sequence[int | None]) -> float | None:
    """The share of bits that differ in the hashes of the same times, in the best of some shifts; None: unknown."""
    found = []
    for shift in range(-SHIFT_HASHES, SHIFT_HASHES + 1):
        both = [(a, b) for a, b in _beside(one, other, shift) if a is not None and b is not None]
        if both and 2 * len(both) >= min(len(one), len(other)):
            found.append(sum((a ^ b).bit_count() for a, b in both) / (PICTURE_BITS * len(both)))
    return min(found, default=None)


def sound_distance(one: Sequence[int], other: Sequence[int]) -> float | None:
    """The same of two sounds; frames in which one is silent do not count."""
    found = []
    for shift in range(-SHIFT_FRAMES, SHIFT_FRAMES + 1):
        both = [(a, b) for a, b in _beside(one, other, shift) if a and b]
        if len(both) >= LEAST_FRAMES and 2 * len(both) >= min(len(one), len(other)):
            found.append(sum((a ^ b).bit_count() for a, b in both) / (FRAME_BITS * len(both)))
    return min(found, default=None)


def _beside(one: Sequence[Any], other: Sequence[Any], shift: int) -> Iterator[tuple[Any, Any]]:
    return zip(one[max(0, shift) :], other[max(0, -shift) :], strict=False)


def _pieces(clip: Prints) -> Iterator[int]:
    """Numbers that a copy has some of, too."""
    for number in clip.pictures:
        if number is not None:
            for part in range(4):
                yield part << 16 | number >> 16 * part & 0xFFFF
    for before, frame in zip(clip.sound, clip.sound[1:], strict=False):
        if before and frame:
            yield 1 << 32 | before << 16 | frame


def _candidates(clips: Sequence[Prints]) -> Iterator[tuple[int, int]]:
    """Pairs of places that have a piece in common, each once."""
    holders: dict[int, array[int]] = defaultdict(lambda: array("L"))
    for place, clip in enumerate(clips):
        for piece in set(_pieces(clip)):
            holders[piece].append(place)
    found: set[int] = set()
    for places in holders.values():
        if 1 < len(places) <= MOST_OF_A_PIECE:
            found.update(one << 32 | other for one, other in combinations(places, 2))
    return ((pair >> 32, pair & 0xFFFFFFFF) for pair in found)


def _groups(pairs: Iterable[Pair]) -> list[Group]:
    leader: dict[str, str] = {}

    def lead(clip_id: str) -> str:
        while (above := leader.setdefault(clip_id, clip_id)) != clip_id:
            leader[clip_id] = leader[above]
            clip_id = above
        return clip_id

    pairs = sorted(pairs, key=lambda pair: (pair.first, pair.second))
    for pair in pairs:
        leader[lead(pair.second)] = lead(pair.first)
    groups: dict[str, Group] = {}
    for clip_id in sorted(leader):
        groups.setdefault(lead(clip_id), Group([])).ids.append(clip_id)
    for pair in pairs:
        groups[lead(pair.first)].pairs.append(pair)
    return sorted(groups.values(), key=lambda group: (-len(group.ids), group.ids))


def _rounded(distance: float | None) -> float | None:
    return None if distance is None else round(distance, 4)

"""Which clips show and play the same, by their fingerprints: candidates by equal pieces, then a distance each.

No pair is looked at that has no piece in common: a piece is 16 bits of a picture's hash, or 24 of a sound's, that
two copies have with some luck each and together almost surely. Pieces that very many clips have (an intro, a test
card) tell nothing, and are passed over.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, groupby, islice
from typing import Any

PICTURE_BITS, FRAME_BITS = 64, 16
# The mean share of bits that differ, up to which two are the same. Of unlike ones it is about a half.
SAME_PICTURE, SAME_SOUND = 0.22, 0.27
# How much a copy may begin earlier or later: frames of the sound (0.13 s each), hashes of the picture (2 s each).
SHIFT_FRAMES, SHIFT_HASHES = 8, 1
# Less than this in common is not enough to judge by: 1.5 s of sound.
LEAST_FRAMES = 8
# The two frames of a piece of sound are so many apart.
APART = 2
# A piece that more clips have is passed over.
MOST_OF_A_PIECE = 50
_HASH, _PRINT = re.compile(r"(?:[0-9a-f]{16})?"), re.compile(r"(?:[0-9a-f]{4})*")
# Of one hash among several, a little more may differ.
_MOST_BITS = round(1.1 * SAME_PICTURE * PICTURE_BITS)
# A piece, the place of its clip, and where it stands there, in one number of 64 bits.
_PLACE_BITS, _POSITION_BITS = 27, 10
_PLACES, _POSITIONS = (1 << _PLACE_BITS) - 1, 1 << _POSITION_BITS
_OF_SOUND, _PARTS = 1 << 24, 16


@dataclass(frozen=True)
class Prints:
    """The fingerprints of a clip: hashes of pictures, None where one is flat, and frames of the sound, 0: silent.

    ``frames``: the sound as one number, its first frame in the lowest bits; ``heard``: ones where it is loud.
    """

    id: str
    pictures: tuple[int | None, ...] = ()
    sound: tuple[int, ...] = ()
    frames: int = field(init=False, repr=False)
    heard: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "frames", _joined(self.sound))
        object.__setattr__(self, "heard", _joined([0xFFFF if frame else 0 for frame in self.sound]))

    @property
    def seen(self) -> bool:
        """Whether its picture can be recognized."""
        return any(each is not None for each in self.pictures)


def _joined(frames: Sequence[int]) -> int:
    return int.from_bytes(b"".join(frame.to_bytes(2, "little") for frame in frames), "little")


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
    if not isinstance(hashes, list) or not isinstance(sound, str) or not _PRINT.fullmatch(sound):
        return None
    if not all(isinstance(each, str) and _HASH.fullmatch(each) for each in hashes):
        return None
    pictures = tuple(int(each, 16) if each else None for each in hashes)
    frames = tuple(int(sound[at : at + 4], 16) for at in range(0, len(sound), 4))
    found = Prints(clip_id, pictures, frames)
    return found if found.seen or found.sound else None


def duplicates(clips: Iterable[Prints]) -> list[Group]:
    """The groups of clips that are the same, the largest first.

    Where both have a picture and a sound to be recognized by, both have to be the same; else what they have.
    """
    known = list(clips)
    pairs = (compare(known[one], known[other]) for one, other in _candidates(known))
    return _groups(pair for pair in pairs if pair is not None)


def compare(one: Prints, other: Prints) -> Pair | None:
    """Whether two clips are the same, and how far they are apart; None where they are not."""
    picture = picture_distance(one.pictures, other.pictures)
    sound = sound_distance(one, other)
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
        beside = zip(one[max(0, shift) :], other[max(0, -shift) :], strict=False)
        both = [(a, b) for a, b in beside if a is not None and b is not None]
        if both and 2 * len(both) >= min(len(one), len(other)):
            found.append(sum((a ^ b).bit_count() for a, b in both) / (PICTURE_BITS * len(both)))
    return min(found, default=None)


def sound_distance(one: Prints, other: Prints) -> float | None:
    """The same of two sounds; frames in which one is silent do not count."""
    distances = (_apart(one, other, shift) for shift in range(-SHIFT_FRAMES, SHIFT_FRAMES + 1))
    return min((distance for distance in distances if distance is not None), default=None)


def _apart(one: Prints, other: Prints, shift: int) -> float | None:
    """How far two sounds are apart, the first ``shift`` frames later; None where too little is common."""
    left, right = FRAME_BITS * max(0, shift), FRAME_BITS * max(0, -shift)
    both = (one.heard >> left) & (other.heard >> right)
    count = both.bit_count()
    least = max(LEAST_FRAMES, min(len(one.sound), len(other.sound)) / 2)
    if count < FRAME_BITS * least:
        return None
    return (((one.frames >> left) ^ (other.frames >> right)) & both).bit_count() / count


def _pieces(clip: Prints) -> dict[int, int]:
    """Numbers of 26 bits that a copy has some of, too, and where each comes first: which hash, or frame."""
    found: dict[int, int] = {}
    for place, number in enumerate(clip.pictures[:_POSITIONS]):
        if number is not None:
            for part in range(4):
                found.setdefault(part << 16 | number >> 16 * part & 0xFFFF, place)
    beside = zip(clip.sound, clip.sound[APART:], strict=False)
    for place, (before, frame) in enumerate(islice(beside, _POSITIONS)):
        if before and frame:
            found.setdefault(_OF_SOUND | (before & 0xFFF) << 12 | frame & 0xFFF, place)
            found.setdefault(_OF_SOUND << 1 | before >> 4 << 12 | frame >> 4, place)
    return found


def _candidates(clips: Sequence[Prints]) -> set[tuple[int, int]]:
    """Pairs of clips, by their places, that have a piece in common and are alike where they have it."""
    # Sorted in parts, for the memory's sake: of each clip there are some hundred.
    held = [array("Q") for _ in range(_PARTS)]
    for place, clip in enumerate(clips):
        for piece, position in _pieces(clip).items():
            held[piece % _PARTS].append((piece << _PLACE_BITS | place) << _POSITION_BITS | position)
    found: set[tuple[int, int]] = set()
    for part in held:
        for piece, numbers in groupby(sorted(part), key=lambda number: number >> _PLACE_BITS + _POSITION_BITS):
            holders = list(islice(numbers, MOST_OF_A_PIECE + 1))
            if 1 < len(holders) <= MOST_OF_A_PIECE:
                found.update(_alike(clips, piece >= _OF_SOUND, holders))
    return found


def _alike(clips: Sequence[Prints], sounds: bool, holders: Iterable[int]) -> Iterator[tuple[int, int]]:
    places = [(number >> _POSITION_BITS & _PLACES, number & _POSITIONS - 1) for number in holders]
    for (one, at), (other, beside) in combinations(places, 2):
        first, second = clips[one], clips[other]
        if sounds:
            distance = _apart(first, second, at - beside) if abs(at - beside) <= SHIFT_FRAMES else None
            if distance is not None and distance <= SAME_SOUND:
                yield one, other
        elif ((first.pictures[at] or 0) ^ (second.pictures[beside] or 0)).bit_count() <= _MOST_BITS:
            yield one, other


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

"""The clips of the soak test: which videos they are of, and what must become of them.

Knows: what a seed asks for, and the annotation files that say so. Knows not: what happens on the way.
"""

from __future__ import annotations

import json
import random
import string
from dataclasses import dataclass, field, replace

from tests.standin.fake_media import Media
from tests.standin.fake_youtube import FakeVideo
from tests.standin.rehearse import QA_URL, VGGSOUND_URL, question

DEAD_SHARE = 0.15
# A case of the stand-in -> the reason that must be told for it.
DEAD = {
    "private": "private",
    "removed_by_uploader": "removed",
    "removed_terms": "removed",
    "terminated": "terminated",
    "copyright": "copyright",
    "copyright_removal": "copyright",
    "country": "country",
    "country_copyright": "country",
    "age": "age",
    "members": "members",
    "members_level": "members",
    "drm": "drm",
    "unavailable": "unavailable",
}


@dataclass(frozen=True)
class Piece:
    """One clip: what becomes of it is the reason of its failure, or None."""

    clip: str
    becomes: str | None
    length: float = 10.0

    @property
    def start(self) -> int:
        return int(self.clip[12:])


@dataclass
class Listing:
    """The clips of one seed, and the videos they are of."""

    pieces: list[Piece] = field(default_factory=list)
    videos: dict[str, FakeVideo] = field(default_factory=dict)

    @property
    def playable(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.becomes is None]

    def files(self) -> dict[str, bytes]:
        """The annotation files at their true addresses."""
        names = [piece.clip for piece in self.pieces]
        half = len(names) // 2
        splits = {"train": names[:half], "val": names[half:]}
        found = {
            QA_URL.format(split): json.dumps([question(number, name) for number, name in enumerate(part)]).encode()
            for split, part in splits.items()
        }
        rows = (f'{name[:11]},{int(name[12:])},"made up, with a comma",train' for name in names)
        return found | {VGGSOUND_URL: "\n".join(rows).encode()}


def make_listing(rng: random.Random, count: int) -> Listing:
    """``count`` clips of three quarters as many videos; some videos are dead, some clips lie past the end."""
    long = [_media(40.0, number) for number in range(4)]
    short, silent = _media(24.0, 4), replace(_media(40.0, 5), audio=False)
    listing = Listing()
    names = _names(rng, max(1, count * 3 // 4))
    dead = iter(sorted(DEAD, key=lambda case: rng.random()) * (count // len(DEAD) + 1))
    for name in names:
        media, case, becomes = rng.choice(long), "ok", None
        if rng.random() < DEAD_SHARE:
            case = next(dead)
            becomes = DEAD[case]
        elif (draw := rng.random()) < 0.05:
            media = short
        elif draw < 0.07:
            media, becomes = silent, "no_audio"
        listing.videos[name] = FakeVideo(media, case, itags=(133, 140))
        _add(listing, rng, name, becomes)
    while len(listing.pieces) < count:
        name = rng.choice(names)
        first = next(piece for piece in listing.pieces if piece.clip.startswith(name))
        _add(listing, rng, name, None if first.becomes == "over" else first.becomes)
    rng.shuffle(listing.pieces)
    return listing


def _media(duration: float, seed: int) -> Media:
    return Media(
        duration, width=160, height=90, fps=10, gop_seconds=2.0, sample_rate=22050, channels=1, seed=seed + 1
    )


def _names(rng: random.Random, count: int) -> list[str]:
    letters = string.ascii_letters + string.digits + "-_"
    return ["".join(rng.choices(letters, k=11)) for _ in range(count)]


def _add(listing: Listing, rng: random.Random, name: str, becomes: str | None) -> None:
    """One more clip of the video; its ids are unlike those that it has."""
    duration = listing.videos[name].media.duration
    taken = {piece.clip for piece in listing.pieces}
    start = rng.randrange(int(duration) - 4)
    while f"{name}_{start:06d}" in taken:
        start = rng.randrange(int(duration) - 4)
    if becomes is None and rng.random() < 0.03:
        start, becomes = 70 + len(taken), "over"
    listing.pieces.append(Piece(f"{name}_{start:06d}", becomes, min(10.0, duration - start)))

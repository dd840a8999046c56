"""Key frames from which a decoder can begin indeed: a container's word for it is not always true.

Some muxers call every packet a key frame, by leaving out the table of those that are. Encoders that renew each
picture in part write recovery points, from which pictures become right little by little; ffmpeg calls these key
frames in every container that it writes. A decoder that begins there leaves out pictures, or shows grey ones.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import IO

from ..containers.h264 import Unreadable
from ..containers.h264_access import bytes_of_lengths, is_referred_to, right_after
from ..containers.samples import Samples

_H264 = ("avc1", "avc3")


def with_true_keys(path: Path, samples: Samples, among_all: bool = False) -> Samples:
    """The same packets, of whose key frames those are left that are some; what is not H.264 is believed.

    ``path``: the file with their bytes; ``among_all``: those that are not called key frames are looked at as well.
    """
    if samples.codec not in _H264 or samples.described:
        return samples
    try:
        lengths = bytes_of_lengths(samples.entry)
    except Unreadable:
        return samples
    with open(path, "rb") as stream:
        return _Packets(stream, samples, lengths).with_true_keys(among_all)


class _Packets:
    def __init__(self, stream: IO[bytes], samples: Samples, lengths: int) -> None:
        self._stream = stream
        self._samples = samples
        self._lengths = lengths

    def with_true_keys(self, among_all: bool) -> Samples:
        samples = self._samples
        numbers = range(len(samples.times)) if samples.keys is None or among_all else samples.keys
        keys, recovers = [], []
        for number in numbers:
            right = self._right_from(number)
            if right is not None:
                keys.append(number)
                recovers += [(number, right)] if right > number else []
        if not recovers and len(keys) == len(numbers):
            return samples
        return replace(samples, keys=tuple(keys), recovers=tuple(recovers))

    def _right_from(self, number: int) -> int | None:
        """The first packet that is decoded right by a decoder that begins with this one; None where none is."""
        try:
            left = right_after(self._packet(number), self._lengths)
            if not left:
                return None if left is None else number
            place = bisect_left(self._referred_to, number) + left
            return self._referred_to[place] if place < len(self._referred_to) else None
        except Unreadable:
            # What cannot be read here is for the decoder to judge.
            return number

    @cached_property
    def _referred_to(self) -> list[int]:
        """The packets to which others refer, by which recovery points count."""
        numbers = range(len(self._samples.times))
        return [number for number in numbers if is_referred_to(self._packet(number), self._lengths)]

    def _packet(self, number: int) -> bytes:
        self._stream.seek(self._samples.offsets[number])
        return self._stream.read(self._samples.sizes[number])

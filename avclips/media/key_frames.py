"""Key frames from which a decoder can begin indeed: a container's word for it is not always true.

Some muxers call every packet a key frame, by leaving out the table of those that are. Encoders that renew each
picture in part write recovery points in place of whole pictures, and ffmpeg calls these key frames in every
container that it writes. A decoder that begins there leaves out pictures, or shows wrong ones.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import IO

from ..containers.h264 import Unreadable
from ..containers.h264_access import Whole, bytes_of_lengths, whole_picture
from ..containers.samples import Samples

_H264 = ("avc1", "avc3")


def with_true_keys(path: Path, samples: Samples, among_all: bool = False) -> Samples:
    """The same packets, of whose key frames those are left that are some; what is not H.264 is believed.

    Where one is none, the others are not believed either: IDR pictures are left, if there are any. ``path``: the
    file with the packets' bytes; ``among_all``: IDR pictures are looked for that are not called key frames.
    """
    if samples.codec not in _H264 or samples.described:
        return samples
    try:
        lengths = bytes_of_lengths(samples.entry)
    except Unreadable:
        return samples
    numbers = range(len(samples.times)) if samples.keys is None or among_all else samples.keys
    with open(path, "rb") as stream:
        found = {number: _whole(stream, samples, number, lengths) for number in numbers}
    if all(found.values()) and not among_all:
        return samples
    idrs = tuple(number for number in numbers if found[number] == "idr")
    return replace(samples, keys=idrs or tuple(number for number in numbers if found[number]))


def _whole(stream: IO[bytes], samples: Samples, number: int, lengths: int) -> Whole:
    stream.seek(samples.offsets[number])
    try:
        return whole_picture(stream.read(samples.sizes[number]), lengths)
    except Unreadable:
        # What cannot be read here is for the decoder to judge.
        return "intra"

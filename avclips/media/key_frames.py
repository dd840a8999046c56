"""Key frames from which a decoder can begin indeed: a container's word for it is not always true.

Some muxers call every packet a key frame, by leaving out the table of those that are. Encoders that renew each
picture in part write recovery points in place of whole pictures, and ffmpeg calls these key frames in every
container that it writes. A decoder that begins there leaves out pictures, or shows wrong ones.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..containers.h264 import Unreadable
from ..containers.h264_access import bytes_of_lengths, is_whole
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
    numbers = range(len(samples.times)) if samples.keys is None or among_all else samples.keys
    with open(path, "rb") as stream:

        def is_one(number: int) -> bool:
            stream.seek(samples.offsets[number])
            try:
                return is_whole(stream.read(samples.sizes[number]), lengths)
            except Unreadable:
                # What cannot be read here is for the decoder to judge.
                return True

        keys = tuple(filter(is_one, numbers))
    return samples if len(keys) == len(numbers) else replace(samples, keys=keys)

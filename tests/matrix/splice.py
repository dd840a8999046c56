"""What holds of a clip whose pictures were encoded in part: the rest is the source's own, and every seek is right.

PyAV seeks, and OpenCV where it is installed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from tests.matrix import media
from tests.matrix.truth import Frames, luma, number
from tests.support.made_files import nal_types

try:
    import cv2
except ImportError:
    cv2 = None

# Why all may be encoded, of sources that are so; and what is a fault of ours wherever it is said.
WHYS = ("no IDR picture inside", "too few frames that can stay as they are")
NO_H264 = "it is not H.264 with its sets in front"
# Two of a clip's times are the same, if they are as near as this: containers round.
SAME = Fraction(1, 500)


_TRUE = {"h264": WHYS, "h264-10": ("its profile is 110",)}


def of_splice(
    codec: str, due: Sequence[Frames], got: Sequence[Frames], encode: Mapping[str, Any] | None
) -> str | None:
    """What is wrong with the part that was to stay as it was, or with what is said of it; None for nothing."""
    if encode is None:
        return "nothing is said of what was encoded"
    head, copied, tail = (encode[name] for name in ("head", "copied", "tail"))
    if head + copied + tail != len(due):
        return f"{head} + {copied} + {tail} pictures are said, due are {len(due)}"
    if bool(copied) == bool(encode["why"]):
        return f"{copied} pictures were copied, and the reason for none is {encode['why']!r}"
    if encode["why"] and encode["why"] not in _TRUE.get(codec, (NO_H264,)):
        return f"all were encoded: {encode['why']}"
    unlike = [place for place in range(head, head + copied) if due[place].sum != got[place].sum]
    return f"{len(unlike)} of {copied} copied pictures are not the source's, first {unlike[0]}" if unlike else None


def of_seeks(path: Path, got: Sequence[Frames], steady: bool) -> str | None:
    """What is wrong with a picture that a reader shows after a jump to a key picture; None for nothing."""
    keys = _key_times(path)
    places = [n for key in keys for n, each in enumerate(got) if abs(each.time - key) <= SAME]
    if not keys or len(places) != len(keys):
        return f"key pictures at {[float(key) for key in keys]}, which are not the times of as many pictures"
    wanted = [got[place].number for place in places]
    # OpenCV takes a number for a time by the mean rate: of uneven pictures it finds others, whoever wrote them.
    readers = {"PyAV": _by_pyav(path, keys)}
    if cv2 is not None and steady:
        readers["OpenCV"] = _by_opencv(path, places)
    for name, found in readers.items():
        if found != wanted:
            return f"{name} shows {found} at the key pictures {wanted}"
    return None


def _by_pyav(path: Path, keys: Sequence[Fraction]) -> list[int | None]:
    """The pictures that are shown after jumps to times; the last first, so that each is one back."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        shown: list[int | None] = []
        for time in reversed(keys):
            container.seek(round(time / stream.time_base), stream=stream)
            shown.append(number(luma(next(container.decode(stream)))))
    return shown[::-1]


def _by_opencv(path: Path, places: Sequence[int]) -> list[int | None]:
    """The same by numbers of pictures."""
    capture = cv2.VideoCapture(str(path))
    shown: list[int | None] = []
    for place in reversed(places):
        capture.set(cv2.CAP_PROP_POS_FRAMES, place)
        there, picture = capture.read()
        shown.append(media.number_of(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)) if there else -1)
    capture.release()
    return shown[::-1]


def _key_times(path: Path) -> list[Fraction]:
    """When the IDR pictures are shown, at which a reader may begin.

    PyAV calls a picture of an open group a key, too, which the container does not: jumps do not end there.
    """
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        found = [p.pts * stream.time_base for p in container.demux(stream) if p.size and 5 in nal_types(bytes(p))]
    return sorted(found)

"""What the columns of lists are called, the likeliest first: in small letters and digits alone."""

from __future__ import annotations

import re


def plain(name: str) -> str:
    """A name in small letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


# The unit that a name ends in, and how many of them make a second; frames have a rate of their own.
UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6}
_UNIT_WORDS = {
    "ms": ("ms", "msec", "msecs", "millis", "milliseconds", "millisec", "timems", "timestampms"),
    "us": ("us", "usec", "micros", "microseconds", "microsec", "timeus", "timestampus"),
    "frames": ("frame", "frames", "frameidx", "frameindex", "frameno", "framenumber", "frameid"),
}


def _times(*words: str) -> list[str]:
    """What seconds are called: start, start_time, time_start, start_seconds, start_ms, ..."""
    ends = ["", *"s time times timestamp sec secs second seconds timeseconds timesec".split()]
    ends += [each for words_of_unit in _UNIT_WORDS.values() for each in words_of_unit]
    befores = ("time", "timestamp", "t", "clip", "segment", "seg", "frame")
    return [word + end for word in words for end in ends] + [before + word for word in words for before in befores]


STARTS, ENDS = _times("start", "begin", "onset"), _times("end", "stop", "offset")
_DURATIONS = (
    "duration durations durationseconds durationsec clipduration segmentduration length lengthseconds cliplength "
    "segmentlength dur durationms durationmsec lengthms clipdurationms"
).split()

USUAL: dict[str, list[str]] = {
    "url": "url videourl youtubeurl yturl link videolink youtubelink webpageurl contenturl youtubeid ytid ytbid "
    "youtubevideoid ytvideoid youtube yt videoid ytvid vid video videos id".split(),
    "start": STARTS,
    "end": ENDS,
    "duration": _DURATIONS,
    "clip": "timestamps timestamp clips clip segments segment spans span clipspans clipspan times intervals "
    "interval".split(),
    "id": "id clipid segmentid sampleid uid uuid clipname clipkey".split(),
    "caption": "caption captions text texts sentence sentences description descriptions desc cap".split(),
    "fps": "fps videofps framerate videoframerate framespersecond".split(),
}
# These may hold ids, and as well anything else: they count only where they do.
MAY_NAME_VIDEOS = ("videoname", "filename", "file", "name", "segmentid", "segment", "clip")
KNOWN = frozenset(name for names in USUAL.values() for name in names)
# Kept without being asked for.
LABELS = frozenset(
    "label labels class classes classname eventlabel eventlabels positivelabels audiosetpositivelabels".split()
)
# What numbers a row, and no second of a clip.
NUMBERS_ROWS = frozenset(("", "index", "idx", "no", "nr", "number", "row", "rank", "unnamed0", "level0"))
# How long the whole video is.
VIDEO_LENGTHS = (
    "videoduration",
    "videolength",
    "videodurationsec",
    "videodurations",
    "videolengthsec",
    "fullduration",
)


def unit_in(name: str) -> str:
    """The unit that a column's name speaks of: "ms", "us" or "frames"; "s" where it speaks of none.

    >>> unit_in("start_ms"), unit_in("endFrame"), unit_in("starts")
    ('ms', 'frames', 's')
    """
    said = plain(name)
    if said.startswith("frame") and said.removeprefix("frame") in (
        "start",
        "end",
        "begin",
        "stop",
        "onset",
        "offset",
    ):
        return "frames"
    for unit, words in _UNIT_WORDS.items():
        # A name such as "status" ends in letters alone that are a unit's.
        bare = next(
            (said.removesuffix(word) for word in sorted(words, key=len, reverse=True) if said.endswith(word)), ""
        )
        if bare and (bare in KNOWN or re.search(rf"(?:^|[^a-z])(?:{unit}|{'|'.join(words)})s?$", name.lower())):
            return unit
    return "s"

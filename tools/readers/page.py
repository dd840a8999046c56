"""docs/readers.md: the verdicts as three tables, with what has to be known to read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .clips import CLIPS
from .verdicts import Verdict

Rows = Mapping[str, Mapping[str, Verdict]]
"""By the reader's name with its version, and by the kind of file."""

COLUMNS = {
    "exact": "mp4, `--cut exact`", "copy": "mp4, `--cut copy`", "mkv": "mkv", "whole": "the whole video",
    "m4a": "m4a", "wav": "wav",
}  # fmt: skip
PICTURE_COLUMNS, SOUND_COLUMNS = ("exact", "copy", "mkv", "whole"), ("wav", "m4a", "exact", "copy", "mkv", "whole")
WAYS = {"order": "in order", "index": "by index", "time": "by time", "sound": "all of it", "part": "a part"}
VARYING = [clip.name for clip in CLIPS if clip.rate == "vfr"]
STEADY = [clip.name for clip in CLIPS if clip.rate != "vfr"]

HEAD = """\
# What readers make of the files

Written by `make readers`; do not edit. Real readers, each at a pinned version in an environment of its own,
were given clips that the script made against a stand-in for YouTube: ten seconds that begin between two key
pictures, and at 25 and 29.97 a second, between two pictures. H.264 with B-frames, stereo AAC at 44,100 Hz.
Every picture carries its number and the sound is noise, so that a shift by one picture or one sample shows.

- **ok** stands where all is right. `550/550` is got/due: the pictures or samples of all files of the cell.
  `first -33`: the first picture is the 33rd before the first due. `twice`, `missing`: so many pictures.
- **index**, **time**: how many of the pictures asked for by their index, and by a time at which they stand, are
  right, and the commonest fault in pictures. A way that a reader has not is left out.
- **late**, **early**: by how many samples the sound is moved, in the worst file. **part**: how many reads of
  the second from 3.0 s on have just these samples. `other` counts samples of another value: AAC that is decoded
  from a packet on, without the one before it, is another sound for a packet.
- The whole video in one MP4, as a download of it is, stands last: what a reader misses there as well is its
  own.
- Each reader is used as its documentation shows, at its defaults. PyAV seeks to the time and decodes up to it.
  The decords look an index up in `get_frame_timestamp`, and mix the sound into one channel. torchcodec, and
  datasets with it, stand on the system's ffmpeg and are asked by `get_frame_played_at`, a time a call. `ffmpeg -ss
  T -i FILE` gives the first picture at or after T, which is one further than the one that stands; without
  `-fps_mode passthrough` it fills up to a constant rate. mp4box.js feeds WebCodecs as W3C's sample does. `<video>`
  is sought by `currentTime` and played up to three times; the pictures that were seen count. Its sound is
  `decodeAudioData`'s.
"""


def written(pictures: Mapping[str, Rows], sound: Rows, left_out: Sequence[str]) -> str:
    """The page. ``pictures``: rows of "steady" and "varying" clips; ``left_out``: a line a reader not asked."""
    names = " and ".join(STEADY)
    parts = [HEAD, f"## Pictures, {names} a second\n", _table(pictures["steady"], PICTURE_COLUMNS)]
    parts += ["## Pictures at a varying rate\n", _table(pictures["varying"], PICTURE_COLUMNS)]
    parts += ["## Sound\n", _table(sound, SOUND_COLUMNS)]
    parts += ["## Left out\n", *(f"- {line}" for line in left_out), ""]
    return "\n".join(parts)


def _table(rows: Rows, kinds: Sequence[str]) -> str:
    lines = ["| reader | " + " | ".join(COLUMNS[kind] for kind in kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for name, verdicts in rows.items():
        lines.append(f"| {name} | " + " | ".join(_cell(verdicts[kind]) for kind in kinds) + " |")
    for way, words in WAYS.items():
        asked = {kind: [row[kind].ways[way] for row in rows.values() if way in row[kind].ways] for kind in kinds}
        if any(asked.values()):
            counts = [f"{sum(found)} of {len(found)}" for found in asked.values()]
            lines.append(f"| **right {words}** | " + " | ".join(counts) + " |")
    return "\n".join([*lines, ""])


def _cell(verdict: Verdict) -> str:
    words = verdict.words.replace("|", "\\|")
    return f"**ok** {words}" if verdict.right else words

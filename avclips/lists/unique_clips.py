"""The clips of a list, each once, whatever the number of rows that name it; nothing that a row says is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..core.errors import RunError
from ..core.files import is_plain_name
from ..core.model import Clip
from ..core.sites import watch_url
from .meaning import Cells, Meaning
from .rows import made_of

_CAPTIONS = ("caption", "captions")


class UniqueClips:
    """The clips of the rows so far.

    ``urls``: the addresses of the videos that are not on YouTube.
    """

    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning
        self._clips: dict[str, Clip] = {}
        # Of clips that several rows name: what each of these says, by itself as text.
        self._said: dict[str, dict[str, Mapping[str, Any]]] = {}
        self.urls: dict[str, str] = {}
        # Rows that named clips, the clips that they asked for, and those of these that were named before.
        self.rows = self.asked = self.repeated = 0

    def __len__(self) -> int:
        return len(self._clips)

    def take(self, cells: Cells) -> None:
        """Add a row's clips; a ValueError says what is wrong, and then none of them is taken."""
        made = made_of(cells, self._meaning)
        video = made.clips[0].video
        if made.url and self.urls.get(video, made.url) != made.url:
            raise ValueError("its address is called as another one is")
        for clip in made.clips:
            self._check(clip)
        for clip in made.clips:
            self._add(clip)
        if made.url:
            self.urls[video] = made.url
        self.rows += 1
        self.asked += len(made.clips)

    def _check(self, clip: Clip) -> None:
        if not is_plain_name(clip.id):
            raise ValueError(f"the id {clip.id[:60]!r} cannot be the name of a file")
        there = self._clips.get(clip.id)
        if there and (there.video, there.start, there.end) != (clip.video, clip.start, clip.end):
            raise ValueError(f"the id {clip.id!r} was another clip's before")

    def _add(self, clip: Clip) -> None:
        there = self._clips.setdefault(clip.id, clip)
        if there is clip:
            return
        self.repeated += 1
        if clip.id in self._said or clip.meta != there.meta:
            said = self._said.setdefault(clip.id, {_text(there.meta): there.meta})
            said.setdefault(_text(clip.meta), clip.meta)

    def see_that_nothing_is_lost(self, rows: int, left_out: int, counted: int | None) -> None:
        """RunError where a row is neither a clip's nor left out; ``counted``: how many the file says it has."""
        told = self.rows + left_out
        if rows != told or counted not in (None, rows) or self.asked != len(self._clips) + self.repeated:
            made = f"{len(self._clips)} clips are not what these make"
            raise RunError(
                f"of {rows} rows ({counted} by another count), {self.rows} name {self.asked} clips, "
                f"{self.repeated} of them again, and {left_out} are left out: {made}",
                "this is a fault of the program: please report it",
            )

    def clips(self) -> Iterator[Clip]:
        """All clips, with what all of their rows say.

        A kept column of which rows of one clip say different things is a list for every clip, a value for each
        row, so that a column is of one kind.
        """
        lists = self._differing()
        if not lists and not self._said:
            yield from self._clips.values()
            return
        for clip in self._clips.values():
            said = list(self._said.get(clip.id, {}).values()) or [clip.meta]
            if lists or len(said) > 1:
                clip = clip._replace(meta=_merged(said, lists))
            yield clip

    def _differing(self) -> list[str]:
        found: dict[str, None] = {}
        for said in self._said.values():
            first, *others = said.values()
            for name in dict.fromkeys(name for each in (first, *others) for name in each):
                if name not in _CAPTIONS and any(each.get(name) != first.get(name) for each in others):
                    found[name] = None
        return list(found)

    def url_of(self, video: str) -> str:
        """The address of a video."""
        return self.urls.get(video) or watch_url(video)


def _text(meta: Mapping[str, Any]) -> str:
    return json.dumps(meta, sort_keys=True)


def _merged(said: Sequence[Mapping[str, Any]], lists: Sequence[str]) -> dict[str, Any]:
    """What several rows say of a clip."""
    meta = {**said[0], **{name: [each.get(name) for each in said] for name in lists}}
    captions = [each.get("caption") for each in said]
    different: list[Any] = []
    for caption in captions:
        if caption is not None and caption not in different:
            different.append(caption)
    if different:
        # Described several times: the first is the caption, and none of them is lost.
        meta["caption"] = different[0]
    if len(different) > 1:
        # Beside lists of what else the rows say, each stands in its row's place.
        meta["captions"] = captions if lists else different
    return meta

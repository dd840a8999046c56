"""The values that travel between the packages: frozen, picklable, without behaviour.

A clip is a tuple with names, as millions are made, and a dataclass that is frozen takes three times as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Status = Literal["done", "failed", "blocked"]


class Clip(NamedTuple):
    """Seconds ``start``..``end`` of one video (``end`` None: to its end); ``id`` names its files.

    ``meta``: what its list says of it; ``folder``: where its files lie beneath those of all clips, "" for there.
    """

    id: str
    video: str
    start: float
    end: float | None
    meta: Mapping[str, Any] = {}
    folder: str = ""


@dataclass(frozen=True)
class Video:
    """One video and the clips wanted of it; ``url`` is what yt-dlp is asked for, None where nobody can be."""

    id: str
    url: str | None
    clips: tuple[Clip, ...]


@dataclass(frozen=True)
class Outcome:
    """How one try of one clip ended.

    ``reason`` is a key of errors.REASONS (empty when done), ``detail`` the words of whoever complained,
    ``attempts`` how many tries were charged so far, ``facts`` what the manifest says of a finished clip.
    ``asked``: whether a site was asked, or only this machine searched; ``reached``: whether it answered at all;
    ``online``: where it did not, whether others did just then; ``identity`` tells whose cookies were refused.
    """

    clip: Clip
    status: Status
    reason: str = ""
    detail: str = ""
    permanent: bool = False
    attempts: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    asked: bool = True
    reached: bool = True
    online: bool = False
    identity: str | None = None

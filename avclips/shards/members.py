"""What all shards of an output have in common, so that they are one to their readers; kept in its plan.

An output goes on with the layout that it was begun with, whatever its list says by now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import RunError
from ..core.reserved_names import FLAGS
from .schema import Schema, fits

# 1: members as each clip has them, JSON as it comes, media as bytes. 2: the same members in every sample, JSON of
# one type a column, media as Hugging Face types them.
VERSION = 2
_PICTURES = ("mp4", "mkv")


@dataclass(frozen=True)
class Layout:
    """``kept``: the columns of the list with the kinds of their cells (``schema``); ``endings``: of the files that
    every clip has, as members of its sample or as columns; ``info``: whether what the site says is there.

    ``flags``: whether quality flags are there, as a column or in the JSON.
    ``sparse``: the kept columns that have nothing for some clips; ``columns``: the names of kept columns that
    are not those of ``reserved_names.column_of``, of an output that was begun with others.
    """

    kept: Mapping[str, str]
    endings: tuple[str, ...] = ()
    info: bool = False
    sparse: frozenset[str] = frozenset()
    version: int = VERSION
    flags: bool = True
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_video(self) -> bool:
        """Whether clips have pictures at all."""
        return any(ending in _PICTURES for ending in self.endings)

    @property
    def has_captions(self) -> bool:
        """Whether every sample has its text beside it."""
        return "caption" in self.kept

    def as_plan(self) -> dict[str, Any]:
        """As the plan keeps it."""
        said = {"version": self.version, "kept": dict(self.kept), "endings": list(self.endings)}
        return said | {"info": self.info, "sparse": sorted(self.sparse), "flags": self.flags}

    def misfit(self, now: Layout) -> str | None:
        """The first column of the list whose cells cannot go on as they were begun."""
        known = (name for name in self.kept if name in now.kept)
        return next((name for name in known if not fits(now.kept[name], self.kept[name])), None)


def layout_of_schema(kinds: Schema, endings: tuple[str, ...] = (), info: bool = False) -> Layout:
    """The layout of a new output, of which the whole list was seen."""
    kept, missing, holed = kinds.found(), kinds.missing(), kinds.holed()
    sparse = missing | holed
    if "captions" in kept and "caption" in kept and "caption" not in missing and "captions" not in holed:
        # A clip that is described once has its caption there, too.
        sparse -= {"captions"}
    return Layout(kept, endings, info, sparse)


def layout_of_plan(said: Any, where: str) -> Layout:
    """What ``as_plan`` said; RunError where it is anything else. ``where``: the plan's name, for people."""
    try:
        kept = {str(name): str(kind) for name, kind in said["kept"].items()}
        endings, sparse = tuple(map(str, said["endings"])), frozenset(map(str, said["sparse"]))
        version = int(said["version"])
        flags = bool(said.get("flags", False))
        # Before there were flags, a column of the list could be called so.
        columns = {} if flags else {name: name for name in kept if name.casefold() == FLAGS}
        layout = Layout(kept, endings, bool(said["info"]), sparse, version, flags, columns)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(f"{where} is no plan of ours: its layout", "restore it from a backup") from error
    if not 1 <= version <= VERSION:
        raise RunError(f"{where} was made by a newer version of this program", "go on with that one")
    return layout

"""Where in a tar the files of its clips lie; a tar is looked through when somebody asks for one of them."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import RunError
from ..shards.layout import Output
from ..shards.tar_writer import NO_SUBTITLES, key_of
from .endings import kind_of
from .sample import Place


class TarPlaces:
    """The members of one tar, by clip and ending."""

    def __init__(self, output: Output, address: str, name: str) -> None:
        """``address``: of the tar as fsspec opens it; ``name``: within its output."""
        self._output = output
        self._address = address
        self._name = name
        self._members: dict[str, dict[str, Place]] | None = None

    def of(self, row: Mapping[str, Any]) -> Mapping[str, Place]:
        """The files of a clip that is done, by what they are."""
        return _Files(self, row["id"], silent=not row.get("audio_sha256"))

    def members(self, clip_id: str) -> Mapping[str, Place]:
        """A clip's members by their endings. RunError where the tar cannot be read."""
        if self._members is None:
            self._members = self._look()
        return self._members.get(key_of(clip_id), {})

    def _look(self) -> dict[str, dict[str, Place]]:
        found: dict[str, dict[str, Place]] = {}
        with self._output.open(self._name) as file, tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                key, _, ending = member.name.partition(".")
                place = Place(self._address, member.offset_data, member.size)
                found.setdefault(key, {})[ending] = place
        return found


class _Files(Mapping[str, Place]):
    """A clip's files in a tar, by what they are."""

    def __init__(self, tar: TarPlaces, clip_id: str, silent: bool) -> None:
        """``silent``: its sound is silence that nobody downloaded, so that all clips have the same members."""
        self._tar = tar
        self._clip_id = clip_id
        self._silent = silent
        self._found: dict[str, Place] | None = None

    def _places(self) -> dict[str, Place]:
        if self._found is None:
            self._found = {}
            members = self._tar.members(self._clip_id)
            if not members:
                raise RunError(f"{self._clip_id} is not in its tar", "--verify looks into shards")
            for ending, place in members.items():
                kind = kind_of(ending)
                made_up = (kind == "audio" and self._silent) or (
                    ending.endswith(".vtt") and place.size == len(NO_SUBTITLES)
                )
                if kind is not None and not made_up:
                    self._found[kind] = place
        return self._found

    def __getitem__(self, name: str) -> Place:
        return self._places()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places())

    def __len__(self) -> int:
        return len(self._places())

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self._places()),)

"""The samples of a tar, by their numbers in it; of those that are not asked for, nothing but headers is read."""

from __future__ import annotations

import functools
import itertools
import tarfile
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..catalog.places import opened
from ..core.errors import RunError
from ..core.files import is_local
from ..core.redact import without_password


@dataclass(frozen=True)
class Raw:
    """A sample that was found: ``read()`` gives its members by their endings, of which ``wanted(ending)``."""

    key: str
    read: Callable[[], Mapping[str, bytes]]


def count_samples(address: str) -> int:
    """How many samples a tar has. RunError where it cannot be read."""
    with opened(address, buffering=0) as file:
        return sum(1 for _ in _samples(file, address))


def tar_samples(
    address: str, numbers: range, skip: Container[int], wanted: Callable[[str], bool]
) -> Iterator[tuple[int, Raw]]:
    """The samples with these numbers but for those in ``skip``, in their order; of each the ``wanted`` endings.

    On this machine their bytes are read when somebody asks for them, from a store as they come by.
    """
    # Without a buffer: headers are small, and members are read whole.
    with opened(address, buffering=0) as file:
        number = -1
        for number, (key, members) in zip(range(numbers.stop), _samples(file, address), strict=False):
            if number < numbers.start or number in skip:
                continue
            places = {ending: place for ending, place in members.items() if wanted(ending)}
            if is_local(address):
                yield number, Raw(key, functools.partial(_read_later, address, places))
            else:
                yield number, Raw(key, _read_all(file, address, places).copy)
    if number < numbers.stop - 1:
        words = f"{without_password(address)} has {number + 1} samples, and should have {numbers.stop} at least"
        raise RunError(words, "avclips verify says what is wrong with it")


def _samples(file: Any, address: str) -> Iterator[tuple[str, dict[str, tuple[int, int]]]]:
    """Each sample's key and its members, by their endings, as (offset, size)."""
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for key, members in itertools.groupby(_members(tar), key=lambda member: _split(member.name)[0]):
                yield key, {_split(each.name)[1]: (each.offset_data, each.size) for each in members}
    except tarfile.TarError as error:
        raise _unreadable(address, error) from error


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := tar.next()) is not None:
        # It would keep each of them.
        tar.members = []  # type: ignore[attr-defined]
        if member.isfile():
            yield member


def _split(name: str) -> tuple[str, str]:
    """Key and ending, as webdataset splits a name: at the first dot of its last part."""
    folder, slash, last = name.rpartition("/")
    key, _, ending = last.partition(".")
    return folder + slash + key, ending.lower()


def _read_later(address: str, places: Mapping[str, tuple[int, int]]) -> dict[str, bytes]:
    with opened(address, buffering=0) as file:
        return _read_all(file, address, places)


def _read_all(file: Any, address: str, places: Mapping[str, tuple[int, int]]) -> dict[str, bytes]:
    return {ending: _span(file, *place, address) for ending, place in places.items()}


def _span(file: Any, offset: int, size: int, address: str) -> bytes:
    file.seek(offset)
    found = bytes(file.read(size))
    if len(found) != size:
        raise _unreadable(address, "it ends within a sample")
    return found


def _unreadable(address: str, error: object) -> RunError:
    return RunError(f"{without_password(address)} cannot be read: {error}", "avclips verify looks into shards")

"""Which shards there are, and how many samples each of them has."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import fsspec.core
from fsspec.utils import stringify_path

from ..core.errors import RunError, UsageError
from ..core.redact import without_password
from ..shards.storage import talking
from .options import Folder
from .shard_tables import count_rows
from .shard_tars import count_samples

_BRACES = re.compile(r"\{([0-9]+)\.\.([0-9]+)\}")
_ENDINGS = (".tar", ".parquet")
_HINT = "a folder of shards, its tars or tables, a pattern, or 00000.tar by {00000..00010}.tar"


@dataclass(frozen=True)
class ShardFile:
    """A tar or a table; ``address`` as fsspec opens it, ``count`` its samples."""

    address: str
    count: int

    @property
    def is_table(self) -> bool:
        return self.address.endswith(".parquet")


def shard_files(urls: Folder | Iterable[Folder]) -> list[ShardFile]:
    """The shards that ``urls`` name, each once. UsageError: there are none; RunError: one cannot be read.

    How many samples one has is read in the stats that a download leaves beside it; where there are none, it is
    counted: a tar by its headers, a table by its rows that are done.
    """
    named = [urls] if isinstance(urls, (str, os.PathLike)) else list(urls)
    addresses = list(dict.fromkeys(each for url in named for each in _expanded(stringify_path(url))))
    if not addresses:
        raise UsageError("no shards are named", _HINT)
    try:
        return list(_counted(addresses))
    except (OSError, ValueError) as error:
        raise RunError(f"shards cannot be read: {without_password(str(error))}", "are they there?") from error


def fingerprint(files: Sequence[ShardFile]) -> str:
    """What tells one set of shards from another: their names and counts, wherever they lie."""
    names = [f"{PurePosixPath(each.address).name} {each.count}\n" for each in files]
    return hashlib.sha256("".join(names).encode()).hexdigest()[:16]


def _expanded(url: str) -> Iterator[str]:
    """A folder's tars, or else its tables; what a pattern matches; {000..010} counted."""
    braces = _BRACES.search(url)
    if braces:
        first, last = braces.groups()
        for number in range(int(first), int(last) + 1):
            yield from _expanded(f"{url[: braces.start()]}{number:0{len(first)}d}{url[braces.end() :]}")
        return
    if url.endswith(_ENDINGS) and "*" not in url:
        yield url
        return
    try:
        fs, path = fsspec.core.url_to_fs(url)
    except (OSError, ValueError, ImportError) as error:
        raise UsageError(f"{without_password(url)} cannot be looked into: {error}", _HINT) from error
    pattern = path if "*" in path else f"{path.rstrip('/')}/*"
    with talking(without_password(url)):
        found = sorted(str(each) for each in fs.glob(pattern))
    # The tables beside tars say what is in them, and have no media.
    ending = next((each for each in _ENDINGS if any(name.endswith(each) for name in found)), None)
    if ending is None:
        raise UsageError(f"no shards are in {without_password(url)}", _HINT)
    for name in found:
        if name.endswith(ending):
            yield name if "://" not in url else fs.unstrip_protocol(name)


def _counted(addresses: Sequence[str]) -> Iterator[ShardFile]:
    stats = {address: re.sub(r"\.(tar|parquet)$", "_stats.json", address) for address in addresses}
    found: dict[str, Any] = {}
    for group in _by_store(stats.values()):
        fs, _ = fsspec.core.url_to_fs(group[0])
        paths = {fs._strip_protocol(each): each for each in group}
        with talking(without_password(group[0])):
            answers = fs.cat(list(paths), on_error="omit")
        found |= {paths[path]: content for path, content in answers.items() if path in paths}
    for address in addresses:
        count = _done(found.get(stats[address]))
        if count is None:
            count = count_rows(address) if address.endswith(".parquet") else count_samples(address)
        yield ShardFile(address, count)


def _by_store(addresses: Iterable[str]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for each in addresses:
        groups.setdefault(each.partition("://")[0] if "://" in each else "", []).append(each)
    return list(groups.values())


def _done(content: bytes | None) -> int | None:
    """How many clips of a shard are done, by its stats."""
    try:
        said = json.loads(content or b"")
    except ValueError:
        return None
    count = said.get("done") if isinstance(said, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None

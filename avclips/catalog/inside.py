"""Whether a file lies in the folder that names it, whatever links it holds: a folder may be a stranger's."""

from __future__ import annotations

import os
from pathlib import Path

from ..core.files import is_local
from ..core.symlinks import LINKED


class Inside:
    """The real folders of one source: its own, and those that its folders of results are links to.

    ``source``: a data folder, or an output of shards by its path or address.
    """

    def __init__(self, source: str) -> None:
        self._address = "" if is_local(source) else source.rstrip("/") + "/"
        self._roots = () if self._address else tuple(_roots(Path(source)))

    def holds(self, path: str) -> bool:
        """Whether the file at ``path`` is there, and lies within; of an address, whether it lies within."""
        if self._address:
            return path.startswith(self._address)
        real = os.path.realpath(path)
        return any(real.startswith(root + os.sep) for root in self._roots) and os.path.isfile(real)  # noqa: PTH113


def _roots(folder: Path) -> list[str]:
    found = [os.path.realpath(folder)]
    for name in LINKED:
        entry = folder / name
        if entry.is_symlink() and entry.is_dir():
            found.append(os.path.realpath(entry))
    return found

"""annotations.csv: the marks that a user sets on clips, good or bad, one row a clip."""

from __future__ import annotations

import threading
from pathlib import Path

from ..core.errors import RunError
from ..core.files import whole
from ..state.manifest import now

FILE = "annotations.csv"
_HEAD = "id,mark,time"
MARKS = ("good", "bad")


class Marks:
    """The marks of a folder; a file that is there is read, and goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn = threading.Lock()
        self._of: dict[str, tuple[str, str]] = {}
        self._read()

    def _read(self) -> None:
        if not self.path.exists():
            return
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except ValueError as error:
            raise RunError(f"{self.path} is no text in UTF-8", "mend it, or move the file away") from error
        for number, line in enumerate(lines[1:], 2):
            # An id holds no comma: it names files.
            cells = line.split(",")
            if len(cells) != 3 or cells[1] not in MARKS:
                raise RunError(f"{self.path}, line {number}: not {_HEAD}", "mend the line, or move the file away")
            self._of[cells[0]] = cells[1], cells[2]

    def of(self, clip_id: str) -> str:
        """The mark of a clip, "" where it has none."""
        return self._of.get(clip_id, ("", ""))[0]

    def set(self, clip_id: str, mark: str) -> None:
        """Mark a clip; "" takes its mark away. The file is written whole. ValueError for what is no mark."""
        if mark not in (*MARKS, "") or "," in clip_id or "\n" in clip_id:
            raise ValueError(mark)
        with self._turn:
            self._of.pop(clip_id, None)
            if mark:
                self._of[clip_id] = mark, now()
            with whole(self.path) as stream:
                stream.write(_HEAD + "\n")
                stream.writelines(f"{name},{said},{time}\n" for name, (said, time) in self._of.items())

"""The log file, whose lines nobody can forge, and warnings for the eye."""

from __future__ import annotations

import logging
import os
import stat
import sys
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from tqdm import tqdm

from .files import appended
from .redact import plain

# The modules in which a run may wait for minutes with nothing else to say.
_WAITING = ("avclips.datasets.annotation_files", "avclips.datasets.google_drive", "avclips.state.lock")


class _OneLine(logging.Formatter):
    """Log lines cannot be forged: what comes from outside stays in its line."""

    def format(self, record: logging.LogRecord) -> str:
        # Our own tracebacks have lines of their own, but none that could be taken for an entry.
        return "\n    | ".join(map(plain, super().format(record).split("\n")))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return super().formatMessage(record).replace("\n", "\\n").replace("\r", "\\r")


class _File(logging.FileHandler):
    """A log that is never written through a link, nor read by all: addresses of lists stand in it."""

    def _open(self) -> TextIOWrapper:
        handle = appended(Path(self.baseFilename), 0o640)
        with suppress(OSError):
            # Of an earlier run, perhaps.
            os.fchmod(handle, stat.S_IMODE(os.fstat(handle).st_mode) & ~0o007)
        return TextIOWrapper(open(handle, "ab"), encoding="utf-8", errors="backslashreplace", write_through=True)


class _AboveTheBar(logging.Handler):
    """Warnings for the eye, above a progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        short = logging.makeLogRecord({**record.__dict__, "exc_info": None, "exc_text": None})
        with suppress(OSError):
            tqdm.write(self.format(short), file=sys.stderr)


def log_to(path: Path, level: str) -> None:
    """Log into ``path`` from ``level`` up, and errors above the progress bar too."""
    # On a full disk the log may lose lines, but it does not fill the terminal with tracebacks.
    logging.raiseExceptions = False
    file = _File(path, encoding="utf-8")
    file.setFormatter(_OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    file.setLevel(level)
    eye = _AboveTheBar()
    eye.setFormatter(_OneLine("%(levelname)s: %(message)s"))
    eye.setLevel(logging.WARNING)
    eye.addFilter(lambda record: record.levelno >= logging.ERROR or record.name in _WAITING)
    root = logging.getLogger("avclips")
    root.handlers = [file, eye]
    root.setLevel(min(logging.getLevelName(level), logging.INFO))
    root.propagate = False

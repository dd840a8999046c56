"""``avclips COMMAND`` for what is no download: each a module of this package, imported when it is asked for.

A tool's module has ``parser()``, whose ``prog`` is "avclips NAME", and ``run(options, signals) -> int``.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from ..core.errors import RunError, Stopped
from ..core.files import as_run_error
from ..core.redact import plain
from ..core.signals import Signals
from .bootstrap import not_installed

# The command, its module here, and what it does, for `avclips --help`.
TOOLS: dict[str, tuple[str, str]] = {
    "export": ("export", "a download as Hugging Face, lhotse, VideoFolder or WebDataset have it"),
    "report": ("report", "one HTML page of what a download came to, with pictures"),
    "explore": ("explore", "a page to look at and listen to a download"),
    "coverage": ("coverage", "of each split how much is here, why the rest is not, and which set it is"),
    "duplicates": ("duplicates", "clips that show and play the same, by their fingerprints"),
    "flags": ("flags", "quality flags of clips that have none yet: still, black, silent, ..."),
    "subset": ("subset", "the ids of what is here, or of what several downloads have in common"),
    "tables": ("tables", "clips.csv, clips.parquet, questions and coverage.json of a folder, made anew"),
    "curate": ("curate", "choose clips by what is heard and seen in them, from metadata to output.csv"),
}


def run_tool(name: str, words: Sequence[str]) -> int:
    """Run a tool; return its exit code. An error is one line, and what to do in the next."""
    try:
        module = import_module(f".{TOOLS[name][0]}", __package__)
    except ModuleNotFoundError as error:
        return not_installed(error)
    options = module.parser().parse_args(words)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A node's locale may know no other letters than ASCII.
            stream.reconfigure(errors="backslashreplace")
    signals = Signals()
    try:
        return int(module.run(options, signals))
    except Stopped:
        _say(f"Stopped by {signals.name}; what was done is kept, the same command goes on.")
        return signals.leave()
    except ModuleNotFoundError as error:
        return not_installed(error)
    except RunError as error:
        _say(f"error: {error}")
        if error.hint:
            _say(f"  {error.hint}")
        return error.exit_code
    except OSError as error:
        _say(f"error: {as_run_error(error, Path())}")
        return 1
    finally:
        logging.shutdown()


def _say(line: str) -> None:
    # A terminal that was closed does not keep the process from leaving.
    with suppress(OSError):
        sys.stderr.write(plain(line) + "\n")

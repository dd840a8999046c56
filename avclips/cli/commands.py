"""``avclips COMMAND``, or ``python -m avclips COMMAND``: every script, and a look at a folder, by one name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from .. import __version__
from ..core.errors import RunError
from ..core.files import see_that_it_is_a_folder
from ..core.suggest import did_you_mean
from ..datasets.known import DATASETS, dataset_of
from .bootstrap import start
from .tools import TOOLS, run_tool

# The commands that look at a folder, with the option of a script that does it.
_LOOKS = {"status": "--status", "verify": "--verify"}
_HELP = """\
usage: avclips COMMAND [OPTIONS]
       avclips COMMAND --help

  general    the clips of General AVQA                     download_general_avqa.py
  music      the videos of MUSIC-AVQA                      download_music_avqa.py
  audioset   the clips of AudioSet                         download_audioset.py
  vggsound   the clips of VGG-Sound                        download_vggsound.py
  acav100m   the clips of a list of ACAV100M's             download_acav100m.py
  clips      the clips of a list of your own               download_clips.py

  status DIR             how far a data folder is
  verify DIR [--repair]  look at every file of a data folder
{tools}
  --version, --help
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code. ``argv``: the words behind the program's name, None for its own."""
    words = list(sys.argv[1:] if argv is None else argv)
    command, rest = (words[0], words[1:]) if words else ("", [])
    if command in ("-h", "--help", "help"):
        print(_HELP.format(tools="".join(f"  {name:<10} {does}\n" for name, (_, does) in TOOLS.items())), end="")
        return 0
    if command == "--version":
        print(f"avclips {__version__}")
        return 0
    if command == "--requirements":
        return start("clips", [command])
    if command in _LOOKS:
        return _look(command, rest)
    if command in TOOLS:
        return run_tool(command, rest)
    if command not in DATASETS:
        known = [*DATASETS, *_LOOKS, *TOOLS]
        if not command:
            return _misused(f"no command is named: one of {' '.join(known)}")
        if command.startswith("-"):
            options = ["--help", "--version", "--requirements"]
            return _misused(f"there is no option {command}{did_you_mean(command, options)}; a command comes first")
        return _misused(f"there is no command {command!r}{did_you_mean(command, known)}")
    return _run(command, command, rest)


def _run(command: str, dataset: str, words: Sequence[str]) -> int:
    # What messages call the program.
    sys.argv[0] = f"avclips {command}"
    return start(dataset, list(words))


def _look(command: str, words: Sequence[str]) -> int:
    """Look at a folder, of whichever dataset: the folder itself says which."""
    usage = f"avclips {command} DIR" + (" [--repair]" if command == "verify" else "")
    if any(word in ("-h", "--help") for word in words):
        print(
            f"usage: {usage} [OPTIONS]\n\nThe options are those of the folder's dataset: avclips general --help."
        )
        return 0
    if not words or words[0].startswith("-"):
        return _misused(f"the folder is missing: {usage}")
    folder, rest = words[0], list(words[1:])
    if rest and not rest[0].startswith("-"):
        return _misused(f"there is no place for {rest[0]!r}: {usage}")
    if any(word.partition("=")[0] == "--data-dir" for word in rest):
        return _misused(f"--data-dir names the folder a second time: {usage}")
    try:
        see_that_it_is_a_folder(folder)
        dataset = dataset_of(Path(folder))
    except RunError as error:
        return _failed(str(error), error.hint)
    except ValueError as error:
        return _failed(str(error), "name a folder that a download made")
    return _run(command, dataset, ["--data-dir", folder, _LOOKS[command], *rest])


def _misused(message: str) -> int:
    return _failed(message, "see avclips --help", 2)


def _failed(message: str, hint: str, code: int = 1) -> int:
    sys.stderr.write(f"error: {message}\n  {hint}\n")
    return code

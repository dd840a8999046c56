"""What a script does before anything that has to be installed is imported.

A node that lacks a package, or has an old Python, gets one message instead of a traceback. Written so that old
Pythons can read it too.
"""

import sys
from pathlib import Path

from ..datasets.known import dataset_named
from .early import leave_quietly


def start(dataset, argv=None):  # type: (str, object) -> int
    """Run the script of a dataset, named as in DATASETS; return its exit code.

    ``argv``: the words behind the script's name, None for the process's own.
    """
    if argv is None:
        leave_quietly()
    if sys.version_info < (3, 11):  # noqa: UP036 - what it says of itself is the point
        return _complain("Python 3.11 or newer is needed; this is " + sys.version.split()[0])
    if (sys.argv[1:] if argv is None else argv) == ["--requirements"]:
        print(requirements(), end="")
        return 0
    from importlib import import_module

    try:
        main = import_module("avclips.cli.main").main
        # It imports what its words need: help needs nothing that has to be installed.
        return int(main(dataset_named(dataset), argv))
    except ModuleNotFoundError as error:
        return not_installed(error)


def not_installed(error):  # type: (ModuleNotFoundError) -> int
    """Say what is missing, and what brings it, in place of a traceback; the exit code."""
    if (error.name or "").startswith("avclips"):
        raise error
    hint = f"{sys.executable} -m pip install {' '.join(map(repr, requirements().split()))}"
    return _complain(f"the Python package {error.name} is not installed", hint)


def requirements():  # type: () -> str
    """What has to be installed, a line each as pip reads it.

    It lies beside the package, in a single file too; an installed package has it in its metadata.
    """
    path = Path(__file__).resolve().parent.parent.parent / "requirements.txt"
    try:
        text = __loader__.get_data(str(path)).decode("utf-8")  # type: ignore[name-defined]
    except OSError:
        from importlib.metadata import requires

        text = "\n".join(line for line in requires("avclips") or [] if "extra ==" not in line)
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return "".join(line + "\n" for line in lines if line)


def _complain(message, hint=""):  # type: (str, str) -> int
    sys.stderr.write("error: " + message + "\n" + ("  " + hint + "\n" if hint else ""))
    return 1

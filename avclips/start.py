"""The door: what a script does before anything that has to be installed is imported.

A node that lacks a package, or has an old Python, gets one message instead of a traceback. Written so that old
Pythons can read it too.
"""

import sys
from pathlib import Path


def start(dataset):  # type: (str) -> int
    """Run the script of ``dataset``, a module of avclips.datasets; return its exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - what it says of itself is the point
        return _complain("Python 3.11 or newer is needed; this is " + sys.version.split()[0])
    if sys.argv[1:] == ["--requirements"]:
        print(requirements(), end="")
        return 0
    from importlib import import_module

    try:
        cli = import_module("avclips.cli")
        module = import_module("avclips.datasets." + dataset)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("avclips"):
            raise
        hint = f"{sys.executable} -m pip install {' '.join(map(repr, requirements().split()))}"
        return _complain(f"the Python package {error.name} is not installed", hint)
    return int(cli.main(getattr(module, dataset.upper())))


def requirements():  # type: () -> str
    """What has to be installed, as pip reads it; it lies beside the package, in a single file too."""
    path = Path(__file__).resolve().parent.parent / "requirements.txt"
    text = __loader__.get_data(str(path)).decode("utf-8")  # type: ignore[name-defined]
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return "".join(line + "\n" for line in lines if line)


def _complain(message, hint=""):  # type: (str, str) -> int
    sys.stderr.write("error: " + message + "\n" + ("  " + hint + "\n" if hint else ""))
    return 1

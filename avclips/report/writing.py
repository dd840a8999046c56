"""From a folder, or an output of shards, to report.html and its pictures."""

from __future__ import annotations

import json
from pathlib import Path

from .. import __version__
from ..catalog import samples
from ..catalog.again import command_of
from ..core.errors import UsageError
from ..core.extras import extras
from ..core.files import is_local, unfinished, whole
from ..datasets.known import dataset_named, dataset_of
from ..state.manifest import now
from .figures import figures
from .numbers import add_history, of_samples
from .page import page

NEEDS = {"matplotlib": "reports are drawn"}
# More clips than there are, and more nats than any table has.
_MOST = 1e12
FILE, PICTURES = "report.html", "report_pictures"


def write_report(source: str, target: Path | None = None) -> Path:
    """Write the report of ``source``; returns its path.

    ``target``: None: report.html in the data folder. RunError where ``source`` holds no download, UsageError where
    matplotlib is missing, or a target is.
    """
    extras(NEEDS)
    local = is_local(source)
    if target is None:
        if not local:
            raise UsageError("a report of an object store needs a place here", "name it with --output FILE.html")
        target = Path(source) / FILE
    if target.suffix not in (".html", ".htm"):
        raise UsageError(f"a report is HTML, and {target} is called otherwise", "--output FILE.html")
    if target.is_dir():
        raise UsageError(f"{target} is a folder", "name a file in it: --output FILE.html")
    title, again = _named(source)
    numbers = of_samples(source, samples(source), title)
    if local:
        add_history(numbers, Path(source))
        numbers.curve = _curve(Path(source))
    pictures = list(figures(numbers))
    folder = target.with_name(PICTURES if target.name == FILE else f"{target.stem}_pictures")
    folder.mkdir(parents=True, exist_ok=True)
    for name, _, png in pictures:
        with unfinished(folder / f"{name}.png") as part:
            part.write_bytes(png)
    with whole(target) as stream:
        stream.write(page(numbers, title, pictures, again, f"{now()}, avclips {__version__}"))
    return target


def _named(source: str) -> tuple[str, str]:
    """What the dataset is called, and the command that goes on with its folder."""
    try:
        command = dataset_of(Path(source))
    except ValueError:
        return f"The clips of {source}", ""
    return str(dataset_named(command).title), command_of(Path(source))


def _curve(folder: Path) -> dict[str, list[float]] | None:
    """The curve of a selection that was made of this folder's clips."""
    path = folder / "curation" / "select" / "curve.json"
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        curve = {name: [float(point[name]) for point in said["curve"]] for name in ("clips", "mi", "random")}
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    # What no plot has room for is no curve.
    return curve if all(abs(value) < _MOST for values in curve.values() for value in values) else None

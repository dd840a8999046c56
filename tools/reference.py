"""docs/reference.md: every option of every command, and every reason for which a clip is missing, out of the code.

python -m tools.reference          # writes it anew: make docs does
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from avclips.cli.options import make_parser
from avclips.cli.tools import TOOLS
from avclips.core.errors import REASONS
from avclips.datasets.base import Dataset
from avclips.datasets.known import DATASETS, dataset_named
from avclips.pacing.retries import NOT_TODAY

from .requirements import ROOT

FILE = ROOT / "docs" / "reference.md"
_HEAD = """\
# Reference

Every option of every command, and every reason for which a clip is missing: `make docs` writes this page out of
the code. What the options are for stands in [options.md](options.md).
"""


def reference() -> str:
    """The page."""
    return "\n".join([_HEAD, *_datasets(), *_tools(), *_reasons()]) + "\n"


def _datasets() -> Iterator[str]:
    parsers = {name: make_parser(_dataset(name)) for name in DATASETS}
    options = {name: dict(_options(parser)) for name, parser in parsers.items()}
    groups: dict[str, dict[str, tuple[str, list[str]]]] = {}
    for name, parser in parsers.items():
        for group in parser._action_groups:
            for action in group._group_actions:
                called = _called(action)
                text, of = groups.setdefault(group.title or "", {}).setdefault(called, (_help(parser, action), []))
                of.append(name)
    yield "## Downloads\n"
    yield "`avclips general` and `download_general_avqa.py` are the same; so are the others and their scripts.\n"
    for title, rows in groups.items():
        if rows and title != "options":
            yield f"### {title[0].upper()}{title[1:]}\n"
            yield "| option | | of |\n|---|---|---|"
            for called, (text, of) in rows.items():
                yield f"| {called} | {text} | {'all' if len(of) == len(options) else ', '.join(of)} |"
            yield ""


def _dataset(name: str) -> Dataset:
    found: Dataset = dataset_named(name)
    return found


def _tools() -> Iterator[str]:
    for name, (module, does) in sorted(TOOLS.items()):
        parser = import_module(f"avclips.cli.{module}").parser()
        yield f"## avclips {name}\n"
        yield f"It gives {does}.\n" if "." in does.split()[0] else f"{does[0].upper()}{does[1:]}.\n"
        yield "| option | |\n|---|---|"
        yield from (f"| {called} | {text} |" for called, text in _options(parser))
        yield ""


def _options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        if action.help != argparse.SUPPRESS and action.dest != "help":
            yield _called(action), _help(parser, action)


def _called(action: argparse.Action) -> str:
    words = [*action.option_strings[:1]] or [str(action.metavar or action.dest)]
    if action.option_strings and action.nargs != 0:
        if action.choices is not None:
            words.append("{" + ",".join(map(str, action.choices)) + "}")
        else:
            metavar = action.metavar or action.dest.upper()
            words.append(metavar if isinstance(metavar, str) else " ".join(metavar))
        if action.nargs in ("*", "+"):
            words.append("...")
    return f"`{' '.join(words)}`".replace("|", "\\|")


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = parser._get_formatter()._expand_help(action) if action.help else ""
    text = text.replace(str(Path.home()), "~")
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _reasons() -> Iterator[str]:
    yield "## Reasons\n"
    yield "| reason | what it means | |\n|---|---|---|"
    for reason, words in REASONS.items():
        later = "passes, but hardly today" if reason in NOT_TODAY else ""
        yield f"| `{reason}` | {words} | {later} |"


if __name__ == "__main__":
    FILE.write_text(reference(), encoding="utf-8")

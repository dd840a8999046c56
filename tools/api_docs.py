"""docs/api.md out of the docstrings of ``avclips`` and of what exports and loaders offer.

    python -m tools.api_docs            # write it
    python -m tools.api_docs --check    # exit code 1 where it is not what would be written

A test holds the page to the code. What torch is needed for is described in docs/loaders.md.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, Literal, get_args, get_origin

from .requirements import ROOT

PAGE = ROOT / "docs" / "api.md"
# The sections: a title, a few words, and the names, each with its module.
_SECTIONS: tuple[tuple[str, str, Sequence[tuple[str, str]]], ...] = (
    ("Download", "", [("avclips", name) for name in ("download", "Result", "Progress")]),
    (
        "Settings",
        "`download` takes each field as a keyword, where a path may be a text and a tuple any sequence. What is "
        "left out is as in the dataset's script; `state_dir` too, by which all runs on a connection share a pace.",
        [("avclips", name) for name in ("Settings", "Identity", "Columns")],
    ),
    (
        "Look at a download",
        "None of these needs yt-dlp or torch.",
        [
            ("avclips", name)
            for name in ("open_dataset", "OpenedDataset", "samples", "questions", "Sample", "Place")
        ],
    ),
    (
        "Exports",
        "`avclips export` by hand: [exports.md](exports.md).",
        [
            ("avclips.exports.hf", "to_hf"),
            ("avclips.exports.lhotse", "to_lhotse"),
            ("avclips.exports.folder", "to_folder"),
            ("avclips.exports.tars", "to_webdataset"),
            ("avclips.exports.chosen", "Exported"),
        ],
    ),
    (
        "Errors",
        "",
        [("avclips", name) for name in ("AvclipsError", "RunError", "UsageError", "GaveUp", "Stopped")],
    ),
    ("Clips", "", [("avclips", "Clip")]),
)
_HEAD = """\
# From Python

<!-- python -m tools.api_docs writes this page out of the docstrings. -->

```python
import avclips

result = avclips.download("clips", data_dir="data/mine", clip_list="my_list.csv", workers=2)
print(result.done, result.failed, result.missing, result.reasons)

for sample in avclips.open_dataset("data/mine").done():
    print(sample.id, sample.files["video"].path, sample.facts["duration"])
```

`import avclips` imports nothing that has to be installed; each name brings what it needs. The package is typed
(`py.typed`). `download` runs in the thread that calls it:

```python
stop = threading.Event()  # stop.set(), from another thread or from progress, makes download raise Stopped
avclips.download("general", data_dir="data/avqa", stop=stop, quiet=True, progress=lambda p: print(p.done, p.words))
```

In a notebook the bar is the notebook's, and the stop button is Ctrl-C: KeyboardInterrupt; what was done is kept,
and the same cell goes on. Signals, log and `gc` are given back when the call returns.
"""


def main(argv: Sequence[str]) -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(prog="python -m tools.api_docs", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 where the page is another"
    )
    text = page()
    if parser.parse_args(argv).check:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


def page() -> str:
    """The text of the page."""
    parts = [_HEAD]
    for title, words, names in _SECTIONS:
        parts.append(f"## {title}\n" + (f"\n{words}\n" if words else ""))
        parts += [_entry(name, getattr(import_module(module), name), module) for module, name in names]
    return "\n".join(parts)


def covered() -> set[str]:
    """The names of ``avclips`` that the page has."""
    return {name for _, _, names in _SECTIONS for module, name in names if module == "avclips"}


def _entry(name: str, found: Any, module: str) -> str:
    lines = [f"### `{name}`", ""]
    if module != "avclips":
        lines += [f"`from {module} import {name}`", ""]
    if inspect.isfunction(found):
        lines += _code(_signature(name, found))
    lines += [_text(found), ""]
    if inspect.isclass(found):
        if dataclasses.is_dataclass(found) or issubclass(found, tuple):
            lines += _code(_fields(found))
        for member, function in _methods(found):
            lines += [*_code(_signature(member, function)), _text(function), ""]
    return "\n".join(lines)


def _code(text: str) -> list[str]:
    return ["```python", text, "```", ""] if text else []


def _text(found: Any) -> str:
    """A docstring as Markdown: its names in single backticks."""
    return re.sub(r"``([^`]+)``", r"`\1`", inspect.getdoc(found) or "")


def _signature(name: str, function: Any) -> str:
    """How it is called, one parameter a line where one line is too long."""
    if isinstance(function, property):
        return f"{name}: {inspect.signature(function.fget).return_annotation}"
    signature = inspect.signature(function)
    words, by_name = [], False
    for each in signature.parameters.values():
        if each.kind is each.KEYWORD_ONLY and not by_name:
            words.append("*")
            by_name = True
        if each.name != "self":
            star = {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "")
            default = "" if each.default is each.empty else f" = {each.default!r}"
            words.append(f"{star}{each.name}: {each.annotation}{default}")
    line = f"{name}({', '.join(words)}) -> {signature.return_annotation}"
    if len(line) <= 100:
        return line
    return f"{name}(\n" + "".join(f"    {word},\n" for word in words) + f") -> {signature.return_annotation}"


def _fields(found: Any) -> str:
    """The fields of a dataclass, or of a tuple with names, as they stand in its source, comments among them."""
    source = inspect.getsource(found)
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.ClassDef)
    first, *others = tree.body
    ends = next((each.lineno - 1 for each in others if not isinstance(each, ast.AnnAssign)), None)
    lines = source.splitlines()[first.end_lineno : ends]
    # A decorator of the method that follows.
    text = re.sub(r"\n@\w+\s*$", "", textwrap.dedent("\n".join(lines)).strip())
    names = vars(sys.modules[found.__module__])
    for alias in {name for name, value in names.items() if get_origin(value) is Literal}:
        values = ", ".join(f'"{each}"' for each in get_args(names[alias]))
        text = re.sub(rf"(?<=: ){alias}\b", f"Literal[{values}]", text)
    return text.strip()


def _methods(found: Any) -> Iterator[tuple[str, Any]]:
    for name, member in vars(found).items():
        public = not name.startswith("_") or name in ("__getitem__", "__contains__")
        if public and (inspect.isfunction(member) or isinstance(member, property)) and inspect.getdoc(member):
            yield name, member


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""yt-dlp as its next release may be: every client that it asks has another name, and it asks one more.

Knows where yt-dlp keeps its clients, and no client's name. Nothing of ours may depend on which they are: with
AVCLIPS_TEST_CLIENTS=next all tests run like this. For a child process sitecustomize.py, beside this file, does it,
which takes this folder on PYTHONPATH (variables()).
"""

from __future__ import annotations

import copy
import importlib.abc
import importlib.machinery
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

SWITCH = "AVCLIPS_TEST_CLIENTS"
ENDING = "_next"
ONE_MORE = "console"
_MODULE = "yt_dlp.extractor.youtube._video"


def asked_for() -> bool:
    """Whether the tester wants it; a misspelt wish is an error."""
    wish = os.environ.get(SWITCH, "")
    if wish not in ("", "next"):
        raise ValueError(f"{SWITCH} is {wish!r}; it can only be 'next'")
    return wish == "next"


def variables() -> dict[str, str]:
    """What gives a child process such a yt-dlp."""
    return {"PYTHONPATH": str(Path(__file__).parent), SWITCH: "next"}


def install() -> None:
    """Have yt-dlp's module of clients changed when it is imported, or now, if it is there already."""
    if _MODULE in sys.modules:
        change(sys.modules[_MODULE])
    else:
        sys.meta_path.insert(0, _Finder())


def change(video: ModuleType) -> None:
    """Rename what a guest and an account ask, and add one. The page's own client stays: its name is the page's."""
    clients, extractor = video.INNERTUBE_CLIENTS, video.YoutubeIE
    sets = {
        name: getattr(extractor, name) for name in vars(extractor) if re.fullmatch(r"_DEFAULT\w*_CLIENTS", name)
    }
    old = {name for names in sets.values() for name in names} - {extractor._DEFAULT_WEBPAGE_CLIENT}
    for name in old:
        clients[name + ENDING] = _renamed(clients.pop(name), ENDING)
    guest = next(name for name in sets["_DEFAULT_CLIENTS"] if name in old)
    clients[ONE_MORE] = _renamed(clients[guest + ENDING], "_CONSOLE") | {"SUPPORTS_COOKIES": True}
    for name, names in sets.items():
        now = [each + ENDING if each in old else each for each in names]
        # Without JavaScript, not every client can be asked.
        setattr(extractor, name, tuple(now if "JSLESS" in name else [ONE_MORE, *now]))


def _renamed(client: dict[str, Any], ending: str) -> dict[str, Any]:
    renamed = copy.deepcopy(client)
    renamed["INNERTUBE_CONTEXT"]["client"]["clientName"] += ending.upper()
    renamed["INNERTUBE_CONTEXT_CLIENT_NAME"] += 1000
    return renamed


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module as it is found anyway, and changes it once it is there."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != _MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        change(module)

"""An import only goes down: the map in avclips/__init__.py against what the modules import."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import avclips

PACKAGE = Path(avclips.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")


def floors() -> dict[str, int]:
    found: dict[str, int] = {}
    for number, names in re.findall(r"^ {4}(\d+) +([a-z0-9_ ]+?)(?: {3,}|$)", avclips.__doc__ or "", re.MULTILINE):
        found |= dict.fromkeys(names.split(), int(number))
    return found


def room(path: Path) -> str:
    """A module of a package inside is of that package's floor."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    depth = len(path.relative_to(PACKAGE).parts)
    rooms: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            rooms |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("avclips"):
            rooms.add((node.module or "").split(".")[1])
    return rooms


def foreign_imports(path: Path) -> set[str]:
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    names = {alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names}
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    names |= {node.module or "" for node in tree if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", MODULES, ids=room)
def test_a_module_imports_from_lower_floors_only(path: Path) -> None:
    here = floors()[room(path)]
    assert {name: floors()[name] for name in imported_rooms(path) if floors()[name] >= here} == {}


def test_the_map_names_every_room_and_no_other() -> None:
    assert set(floors()) == {room(path) for path in MODULES}


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("yt_dlp", {"cookies", "sites", "youtube", "ytdlp_args", "ytdlp_net"}),
        ("subprocess", {"media"}),
        ("requests", {"dataset", "drive"}),
        ("gdown", {"drive"}),
        ("zipfile", {"archives", "cluster", "drive"}),
        ("argparse", {"options", "options_job", "options_run", "parser", "quantities"}),
        ("csv", {"csvs", "datasets", "list_text"}),
        ("tqdm", {"drive", "logs", "progress", "report", "watch"}),
    ],
)
def test_a_library_is_known_to_its_room_alone(name: str, allowed: set[str]) -> None:
    assert {room(path) for path in MODULES if name in foreign_imports(path)} == allowed


def test_only_the_upper_rooms_print() -> None:
    printing = {
        room(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert printing == {"cli", "report", "start"}

"""What is wrong with a Python program that a document shows: names of avclips, and keywords of its calls.

The package is read, not imported, so that what needs torch is judged as well.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

from tests.support.script import ROOT

_ALL = "**"


def wrong(text: str) -> list[str]:
    """What is wrong with a program; SyntaxError where it is none."""
    tree = ast.parse(text)
    found, names = [], {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "avclips":
            for alias in node.names:
                definition = _find(node.module or "", alias.name)
                names[alias.asname or alias.name] = definition
                found += [] if definition else [f"{node.module} has no {alias.name}"]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names if alias.name.split(".")[0] == "avclips"]
            found += [f"there is no {module}" for module in modules if _file(module) is None]
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        definition = names.get(call.func.id) if isinstance(call.func, ast.Name) else None
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "avclips":
            definition = _find("avclips", call.func.attr)
            found += [] if definition else [f"avclips has no {call.func.attr}"]
        if definition:
            known = keywords(*definition)
            said = [each.arg for each in call.keywords if each.arg]
            found += [f"{definition[1]} has no {name}=" for name in said if not {name, _ALL} & known]
    return found


@functools.cache
def keywords(module: str, name: str) -> frozenset[str]:
    """What may be said by name to a function or class of ours; ``**`` among them: anything."""
    node = _definition(module, name)
    if isinstance(node, ast.FunctionDef):
        return frozenset(_arguments(module, node))
    assert isinstance(node, ast.ClassDef)
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            return frozenset(_arguments(module, method)) - {"self"}
    fields = {
        each.target.id
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }
    for base in node.bases:
        place = _find(module, getattr(base, "id", ""))
        fields |= keywords(*place) if place else frozenset()
    return frozenset(fields)


def _arguments(module: str, node: ast.FunctionDef) -> Iterator[str]:
    yield from (each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs))
    if node.args.kwarg is None:
        return
    # **options: Unpack[Keywords], or the fields of Settings.
    hint = node.args.kwarg.annotation
    typed = hint.slice.id if isinstance(hint, ast.Subscript) and isinstance(hint.slice, ast.Name) else None
    if typed is not None and (place := _find(module, typed)):
        yield from keywords(*place)
    elif module == "avclips.api.downloading":
        yield from keywords("avclips.core.settings", "Settings")
    else:
        yield _ALL


# -- where a name is defined ---------------------------------------------------------------------------------


def _file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    return next((each for each in (path / "__init__.py", path.with_suffix(".py")) if each.is_file()), None)


@functools.cache
def _tree(module: str) -> ast.Module | None:
    path = _file(module)
    return ast.parse(path.read_text(encoding="utf-8")) if path else None


def _definition(module: str, name: str) -> ast.stmt | None:
    tree = _tree(module)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return node
        if isinstance(node, ast.Assign) and any(getattr(each, "id", "") == name for each in node.targets):
            return node
    return None


def _find(module: str, name: str) -> tuple[str, str] | None:
    """Where a name of a module is defined, through the imports that hand it on."""
    node = _definition(module, name)
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return module, name
    tree, is_package = _tree(module), (_file(module) or Path()).name == "__init__.py"
    for each in ast.walk(tree) if tree else ():
        if isinstance(each, ast.ImportFrom) and any((a.asname or a.name) == name for a in each.names):
            parts = module.split(".")
            above = parts[: len(parts) - each.level + is_package] if each.level else []
            found = _find(".".join([*above, *((each.module or "").split(".") if each.module else [])]), name)
            if found:
                return found
    return (module, name) if node is not None else None

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


Found = tuple[str, str]


def wrong(text: str) -> list[str]:
    """What is wrong with a program; SyntaxError where it is none."""
    tree = ast.parse(text)
    found, names = _imported(tree)
    objects = _objects(tree, names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in objects:
            kind = objects[node.value.id]
            if node.attr not in members(*kind):
                found.append(f"{kind[1]} has no {node.attr}")
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "avclips" and "avclips" in names:
            found += [] if _find("avclips", node.attr) else [f"avclips has no {node.attr}"]
        elif isinstance(node, ast.Call) and (definition := _called(node, names, objects)):
            known = keywords(*definition)
            said = [each.arg for each in node.keywords if each.arg]
            found += [f"{definition[1]} has no {name}=" for name in said if not {name, _ALL} & known]
    return found


def _imported(tree: ast.Module) -> tuple[list[str], dict[str, Found | None]]:
    """What is wrong with the imports from avclips, and what each name then is; "avclips" itself is None."""
    found: list[str] = []
    names: dict[str, Found | None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "avclips":
            for alias in node.names:
                definition = _find(node.module or "", alias.name)
                names[alias.asname or alias.name] = definition
                found += [] if definition else [f"{node.module} has no {alias.name}"]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names if alias.name.split(".")[0] == "avclips"]
            found += [f"there is no {module}" for module in modules if _file(module) is None]
            names |= dict.fromkeys((module.split(".")[0] for module in modules), None)
    return found, names


def _objects(tree: ast.Module, names: dict[str, Found | None]) -> dict[str, Found]:
    """The classes of what is assigned to a name from a call of ours, in the order of the program."""
    objects: dict[str, Found] = {}
    for node in (each for each in ast.walk(tree) if isinstance(each, ast.Assign)):
        if isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Call):
            made = _called(node.value, names, objects)
            kind = made and _made_by(*made)
            if kind:
                objects[node.targets[0].id] = kind
            else:
                objects.pop(node.targets[0].id, None)
    return objects


def _made_by(module: str, name: str) -> Found | None:
    """The class of what a class or function gives, if it is one of ours."""
    node = _definition(module, name)
    if isinstance(node, ast.ClassDef):
        return module, name
    returns = node.returns if isinstance(node, ast.FunctionDef) else None
    kind = _find(module, returns.id) if isinstance(returns, ast.Name) else None
    return kind if kind and isinstance(_definition(*kind), ast.ClassDef) else None


def _called(call: ast.Call, names: dict[str, Found | None], objects: dict[str, Found]) -> Found | None:
    """The function, class or method of ours that is called."""
    if isinstance(call.func, ast.Name):
        return names.get(call.func.id)
    if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
        return None
    if call.func.value.id == "avclips" and "avclips" in names:
        return _find("avclips", call.func.attr)
    kind = objects.get(call.func.value.id)
    return _method(*kind, call.func.attr) if kind else None


def _method(module: str, name: str, method: str) -> Found | None:
    """Where a method is defined, if it is: its module, and CLASS.METHOD."""
    for place, node in _classes(module, name):
        if any(isinstance(each, ast.FunctionDef) and each.name == method for each in node.body):
            return place, f"{node.name}.{method}"
    return None


def _classes(module: str, name: str) -> Iterator[tuple[str, ast.ClassDef]]:
    """A class and those of ours that it is made from, each with its module."""
    node = _definition(module, name)
    if isinstance(node, ast.ClassDef):
        yield module, node
        for base in node.bases:
            place = _find(module, base.id) if isinstance(base, ast.Name) else None
            yield from _classes(*place) if place else ()


@functools.cache
def members(module: str, name: str) -> frozenset[str]:
    """The attributes of a class of ours: methods, fields, and what its methods set."""
    found: set[str] = set()
    for _, node in _classes(module, name):
        assigned = [each for each in node.body if isinstance(each, ast.Assign)]
        found |= {target.id for each in assigned for target in each.targets if isinstance(target, ast.Name)}
        for each in ast.walk(node):
            if isinstance(each, ast.FunctionDef):
                found.add(each.name)
            elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                found.add(each.target.id)
            elif isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store):
                found.add(each.attr)
    return frozenset(found)


def _class(module: str, name: str) -> ast.ClassDef:
    node = _definition(module, name)
    assert isinstance(node, ast.ClassDef)
    return node


@functools.cache
def keywords(module: str, name: str) -> frozenset[str]:
    """What may be said by name to a function or class of ours; ``**`` among them: anything."""
    if "." in name:
        kind, _, method = name.partition(".")
        node = next(each for each in ast.walk(_class(module, kind)) if getattr(each, "name", "") == method)
    else:
        node = _definition(module, name)
    if isinstance(node, ast.FunctionDef):
        return frozenset(_arguments(module, node)) - {"self"}
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

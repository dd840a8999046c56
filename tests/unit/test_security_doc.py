"""SECURITY.md: each line names tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
TEXT = (TESTS.parent / "SECURITY.md").read_text(encoding="utf-8")
# A test of the suite, or one that is run apart.
NAMED = re.compile(r"`(test_\w+\.py)?(?:::(test_\w+))?`|\bthe soak\b")


def rows(text: str) -> list[tuple[str, str]]:
    """The lines of the tables whose second column is of tests: what is said, and what shows it."""
    found: list[tuple[str, str]] = []
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 2 and cells[1] == "The tests":
            inside = True
        elif len(cells) != 2:
            inside = False
        elif inside and set(cells[0]) != {"-"}:
            found.append((cells[0], cells[1]))
    return found


def lacking(said: str, tests: str) -> list[str]:
    """What is wrong with the tests that a line names."""
    wrong, file, count = [], "", 0
    for match in NAMED.finditer(tests):
        count += 1
        if match[0] == "the soak":
            file = "soak/__main__.py"
        file = match[1] or file
        path = next(TESTS.rglob(file), None) if file else None
        if path is None:
            wrong.append(f"there is no {file}")
        elif match[2] and match[2] not in functions(path):
            wrong.append(f"there is no {match[2]} in {file}")
    # What somebody *can* do needs no test.
    return wrong if count or said.startswith("*can*") else [*wrong, "no test is named"]


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


ROWS = rows(TEXT)


@pytest.mark.parametrize(("said", "tests"), ROWS, ids=[said[:60] for said, _ in ROWS])
def test_each_line_has_its_tests(said: str, tests: str) -> None:
    assert lacking(said, tests) == []


def test_every_table_is_read() -> None:
    assert TEXT.count("| The tests |") == 8 and len(ROWS) > 30
    assert TEXT.count("`::") + TEXT.count("`test_") == sum(len(re.findall("`(?:::|test_)", t)) for _, t in ROWS)


@pytest.mark.parametrize(
    ("said", "tests", "wrong"),
    [
        ("cannot", "`test_security_doc.py::test_every_table_is_read`, the soak", []),
        ("cannot", "`test_security_doc.py`, `::test_every_table_is_read`", []),
        ("cannot", "`test_nowhere.py`", ["there is no test_nowhere.py"]),
        ("cannot", "`test_security_doc.py`, `::test_no`", ["there is no test_no in test_security_doc.py"]),
        ("cannot", "", ["no test is named"]),
        ("*can*", "", []),
    ],
)
def test_what_is_wrong_is_seen(said: str, tests: str, wrong: list[str]) -> None:
    assert lacking(said, tests) == wrong

"""The tree of errors as it is drawn is the tree that is there."""

from __future__ import annotations

import inspect
import re

import pytest

from avclips.core import errors
from avclips.core.errors import REASONS, AvclipsError, Blocked, ClipError, RunError

CLASSES = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if cls.__module__ == errors.__name__]


def drawn() -> dict[str, str | None]:
    """The tree in the docstring: each class's name and its parent's, by the depth of the drawing."""
    parents: dict[str, str | None] = {}
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.fullmatch(r" {4}([ │├└]*)([A-Z][A-Za-z]+)(?: {2,}.*)?", line):
            depth = len(match[1])
            path = [(at, name) for at, name in path if at < depth]
            parents[match[2]] = path[-1][1] if path else None
            path.append((depth, match[2]))
    return parents


def test_the_tree() -> None:
    real = {cls.__name__: None if cls is AvclipsError else cls.__bases__[0].__name__ for cls in CLASSES}
    assert drawn() == real
    assert all(len(cls.__bases__) == 1 for cls in CLASSES)
    assert AvclipsError.__bases__ == (Exception,)


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if issubclass(cls, ClipError)])
def test_a_clips_error(cls: type[ClipError]) -> None:
    error = cls("private", "its words")
    assert (error.reason, error.detail, str(error)) == ("private", "its words", "its words")
    assert cls("private").detail == "private video"
    assert error.permanent == (cls.__name__ in ("Gone", "Restricted"))
    with pytest.raises(ValueError, match="unknown reason 'privat'"):
        cls("privat")


def test_what_else_they_carry() -> None:
    assert (Blocked("bot_check").retry_after, Blocked("bot_check", "", 5.0).retry_after) == (None, 5.0)
    assert {cls.__name__: cls.exit_code for cls in CLASSES if issubclass(cls, RunError)} == {
        "GaveUp": 75,
        "RunError": 1,
        "UsageError": 2,
    }
    assert (str(RunError("a", "b")), RunError("a", "b").hint, RunError("a").hint) == ("a", "b", "")


def test_every_reason_is_one_word_with_a_meaning() -> None:
    assert [reason for reason in REASONS if not re.fullmatch(r"[a-z_]+", reason)] == []
    assert [reason for reason, words in REASONS.items() if not words or words.endswith(".")] == []
    assert len(set(REASONS.values())) == len(REASONS)

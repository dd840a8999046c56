"""--labels: which classes a user means, by their names as people write them."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ..core.errors import UsageError
from .csv_reader import reader

# So many words at most are one name; "Clickety-clack, train and a, b, c" has few commas.
_LONGEST = 6
# So many names that are no class are told; a file may have thousands.
_SHOWN = 10


def choose_labels(asked: Sequence[str], classes: Mapping[str, str]) -> frozenset[str]:
    """The classes that ``asked`` names; all of ``classes``'s values may be meant where nothing is asked.

    ``classes``: each name or id that may be written -> the class. Each word of ``asked`` is a name, a list of
    names with commas between them (some names have commas themselves), or a file with a name in each line.
    UsageError names what is no class, and the nearest that are.
    """
    known = {name.casefold(): found for name, found in classes.items()}
    names = list(_names(asked, known))
    if asked and not names:
        # An empty variable of a shell must not mean everything.
        raise UsageError("--labels names no class", 'such as --labels "Dog,Speech"')
    if wrong := list(dict.fromkeys(name for name in names if name.casefold() not in known)):
        raise _no_class(wrong, classes)
    return frozenset(known[name.casefold()] for name in names)


def _names(asked: Iterable[str], known: Mapping[str, str]) -> Iterator[str]:
    for text in asked:
        names = list(_split(text, known))
        if any(name.casefold() in known for name in names):
            yield from names
        elif (path := _file(text)) is not None:
            for line in _lines(path):
                yield from _split(line, known)
        else:
            yield from names


def _file(text: str) -> Path | None:
    """What is there as a file, or is called like one."""
    path = Path(text)
    with suppress(OSError, ValueError):
        if path.is_file() or (path.suffix and "/" in text) or path.suffix in (".txt", ".csv", ".tsv"):
            return path
    return None


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise UsageError(f"--labels {path} cannot be read: {why}", "it has a class in each line") from error
    found = [line.strip() for line in lines if line.strip(" ,") and not line.startswith("#")]
    if not found:
        raise UsageError(f"--labels {path} names no class", "write one in each line")
    return found


def _split(text: str, known: Mapping[str, str]) -> Iterator[str]:
    """The names in a text, the longest known one first: "Male speech, man speaking,Dog" are two."""
    try:
        rows = reader(text.splitlines(), skipinitialspace=True)
        words = [word.strip() for row in rows for word in row if word.strip()]
    except csv.Error as error:
        raise UsageError(
            f"--labels {text[:60]!r} cannot be read: {error}", 'such as --labels "Dog,Speech"'
        ) from error
    while words:
        ends = range(min(_LONGEST, len(words)), 0, -1)
        end = next((n for n in ends if ", ".join(words[:n]).casefold() in known), 1)
        yield ", ".join(words[:end])
        words = words[end:]


def _no_class(names: Sequence[str], classes: Mapping[str, str]) -> UsageError:
    """Says of every name that is no class what was likely meant."""
    if len(names) == 1:
        hint = _nearest(names[0], classes)
    else:
        near = {name: _nearest(name, classes) for name in names[:_SHOWN]}
        hint = " | ".join(f"{name!r}: {words}" for name, words in near.items())
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return UsageError(f"--labels: no class is called {', '.join(map(repr, names[:_SHOWN]))}{more}", hint)


def _nearest(name: str, classes: Mapping[str, str]) -> str:
    by_folded = {each.casefold(): each for each in classes}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=5, cutoff=0.5)
    near += [each for each in by_folded if name.casefold() in each and each not in near][: 5 - len(near)]
    return f"the nearest: {'; '.join(by_folded[each] for each in near)}" if near else "see the names in metadata/"

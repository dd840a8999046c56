"""Lists of objects: jsonl and json, also those that are objects themselves, by video or by class.

An object is read where its shape leaves one meaning: ``{"database": {ID: {...}}}``, ``{"videos": {CLASS: [ID]}}``,
``{ID: {"timestamps": [...]}}``. The columns that its keys make are called ``video`` and ``class``.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..core.errors import UsageError
from .files import Source, text_of
from .table import SAMPLE, SHAPE, Looks, Row, Rows, Table, is_word

_VIDEO, _CLASS, _SPLIT = "video", "class", "split"
_SPLITS = frozenset("train val valid validation test dev eval trainval".split())
# What the parts of a video are called where there is an object for each.
_SEGMENT = re.compile(r"segment|timestamp|interval|span|start", re.IGNORECASE)


def jsonl_table(source: Source, codec: str, _: Looks, __: str | None) -> Table:
    """An object in each line."""

    def rows(_: Collection[str]) -> Iterator[Row]:
        with text_of(source, codec) as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    where = f"line {number}"
                    yield where, _object(_parsed(line, f"{source.name}, {where}"), f"{source.name}, {where}")

    def count() -> int:
        with text_of(source, codec) as stream:
            return sum(bool(line.strip()) for line in stream)

    return _of_objects(source, rows, count)


def json_table(source: Source, codec: str, looks: Looks, __: str | None) -> Table:
    """A list of objects or of videos, or an object of either."""
    with text_of(source, codec) as stream:
        text = stream.read()
    if not text.strip():
        raise UsageError(f"{source.name} is empty", SHAPE)
    value = _parsed(text, source.name)
    if isinstance(value, list):
        records: list[Row] | None = None
        if value and all(isinstance(each, str) for each in value) and looks.is_video(value[0].strip()):
            value = [{_VIDEO: each} for each in value]
    elif isinstance(value, dict):
        found = _Objects(looks).rows(value, {})
        records = list(found) if found is not None else None
        if not records:
            hint = f"{SHAPE}, or an object of videos or of classes"
            raise UsageError(f"{source.name} holds an object, not a list", hint)
    else:
        raise UsageError(f"{source.name} holds {_kind(value)}, not a list", SHAPE)

    def rows(_: Collection[str]) -> Iterator[Row]:
        if records is not None:
            yield from records
            return
        for number, record in enumerate(value, 1):
            yield f"record {number}", _object(record, f"{source.name}, record {number}")

    return _of_objects(source, rows, lambda: len(value if records is None else records))


def _of_objects(source: Source, rows: Rows, count: Any) -> Table:
    head = [row for _, row in itertools.islice(rows(()), SAMPLE)]
    if not head:
        raise UsageError(f"{source.name} holds no record", SHAPE)
    columns = tuple(dict.fromkeys(itertools.chain(*head)))
    return Table(source.name, columns, True, rows, lambda name: [row.get(name) for row in head], count=count)


# -- objects -------------------------------------------------------------------------------------------------


class _Objects:
    """The rows of an object, or None where it has none that is plain."""

    def __init__(self, looks: Looks) -> None:
        self._looks = looks

    def rows(self, value: Mapping[str, Any], beside: Mapping[str, Any]) -> Iterator[Row] | None:
        """``beside``: what the keys above say of each row."""
        if self._names_videos(list(value)):
            return self._of_videos(value, beside)
        if value and all(self._is_of_class(each) for each in value.values()):
            return self._of_classes(value, beside)
        inner = [(name, each) for name, each in value.items() if isinstance(each, (dict, list)) and each]
        found = [rows for name, each in inner if (rows := self._of_part(each, name, beside)) is not None]
        # Of several, there is no telling which is meant.
        return found[0] if len(found) == 1 else None

    def _of_part(self, value: Any, name: str, beside: Mapping[str, Any]) -> Iterator[Row] | None:
        if isinstance(value, dict):
            return self.rows(value, beside)
        return self._of_list(value, name, beside) if self._is_of_class(value) else None

    def _names_videos(self, keys: list[Any]) -> bool:
        some = [key for key in keys[:SAMPLE] if not is_word(key)]
        return bool(some) and 2 * sum(map(self._looks.is_video, some)) > len(keys[:SAMPLE])

    def _is_of_class(self, value: Any) -> bool:
        """Whether it is what a class has: videos, objects, or an object of videos."""
        if isinstance(value, dict):
            return self._names_videos(list(value))
        if not isinstance(value, list) or not value:
            return value == []
        if isinstance(value[0], str):
            return 2 * sum(isinstance(each, str) and self._looks.is_video(each.strip()) for each in value) > len(
                value
            )
        return all(isinstance(each, dict) for each in value)

    def _of_classes(self, value: Mapping[str, Any], beside: Mapping[str, Any]) -> Iterator[Row]:
        name = _SPLIT if {key.lower() for key in value} <= _SPLITS else _CLASS
        for key, inner in value.items():
            said = {**beside, name: key}
            if isinstance(inner, dict):
                yield from self._of_videos(inner, said)
            else:
                yield from self._of_list(inner, key, said)

    def _of_list(self, values: list[Any], key: str, said: Mapping[str, Any]) -> Iterator[Row]:
        for number, each in enumerate(values, 1):
            row = {**said, **each} if isinstance(each, dict) else {**said, _VIDEO: each}
            yield f"entry {key[:60]!r}, {number}", row

    def _of_videos(self, value: Mapping[str, Any], beside: Mapping[str, Any]) -> Iterator[Row]:
        for key, inner in value.items():
            where, said = f"entry {key[:60]!r}", {**beside, _VIDEO: key}
            if not isinstance(inner, (dict, list)):
                yield where, {**said, "value": inner}
            elif isinstance(inner, dict):
                parts = _segments(inner)
                if parts is None:
                    yield where, {**inner, **said}
                    continue
                outer = {name: each for name, each in inner.items() if each is not parts}
                for number, part in enumerate(parts, 1):
                    yield f"{where}, {number}", {**outer, **part, **said}
            elif inner and all(isinstance(each, dict) for each in inner):
                for number, each in enumerate(inner, 1):
                    yield f"{where}, {number}", {**each, **said}
            else:
                yield where, {**said, "clips": inner}


def _segments(record: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The one list of a video's parts: objects that each have a time."""
    found = [
        value
        for value in record.values()
        if isinstance(value, list)
        and value
        and all(isinstance(each, dict) and any(map(_SEGMENT.search, each)) for each in value)
    ]
    return found[0] if len(found) == 1 else None


# -- what can be wrong ---------------------------------------------------------------------------------------


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        hint = "write it anew"
        if error.msg == "Extra data":
            hint = "a file with an object on each line is called .jsonl"
        place = f"line {error.lineno}, column {error.colno}" if "\n" in text.rstrip() else f"column {error.colno}"
        raise UsageError(f"{where} is not whole JSON: {error.msg} at {place}", hint) from error
    except (RecursionError, ValueError) as error:
        raise UsageError(f"{where} cannot be read: {error}", "write it anew") from error


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{where} holds {_kind(value)}, not an object", SHAPE)
    return value


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return kinds.get(type(value), "a number")

"""Arrays of objects, some at a time: the values are those that json reads, or json is left to read them."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avclips.core import json_array
from avclips.core.json_array import values_in


class Whole(Exception):
    """It was read whole."""


def read(path: Path, text: str | bytes, at_once: int, msgspec: bool, whole: Any = None) -> list[Any]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))

    def by_json() -> list[Any]:
        if whole is not None:
            raise whole
        return list(json.loads(path.read_text("utf-8-sig")))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_array, "_AT_ONCE", at_once)
        if not msgspec:
            patch.setitem(sys.modules, "msgspec", None)
        return list(itertools.chain(*values_in(path, "name", by_json)))


TEXT = st.text(st.sampled_from('a{}[],":\\ é\n\u2028'), max_size=6)
VALUE = st.recursive(
    st.none() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
RECORD = st.dictionaries(TEXT, VALUE, max_size=3) | VALUE
NAMED = st.tuples(st.dictionaries(TEXT, VALUE, max_size=3), TEXT).map(lambda each: {**each[0], "name": each[1]})


@settings(deadline=None, derandomize=True, max_examples=300)
@given(
    records=st.lists(NAMED | RECORD, min_size=1, max_size=12),
    at_once=st.integers(1, 60),
    indent=st.sampled_from([None, 1]),
    msgspec=st.booleans(),
)
def test_any_records(
    tmp_path_factory: pytest.TempPathFactory, records: list[Any], at_once: int, indent: int | None, msgspec: bool
) -> None:
    text = json.dumps(records, indent=indent, ensure_ascii=False)
    found = read(tmp_path_factory.getbasetemp() / "array.json", text, at_once, msgspec)
    assert found == [each.get("name") if isinstance(each, dict) else None for each in records]


GOOD = '{"name": "a", "b": [1, {"c": "},"}]}'


@pytest.mark.parametrize("msgspec", [True, False])
@pytest.mark.parametrize("at_once", [7, 1000])
@pytest.mark.parametrize("front", ["", "\ufeff", " \r\n\t"])
def test_good_ones_are_not_read_whole(tmp_path: Path, front: str, at_once: int, msgspec: bool) -> None:
    plain = ", ".join(['{"name": "a"}'] * 50)
    found = read(tmp_path / "array.json", f"{front}[{plain}]\n", at_once, msgspec, whole=Whole())
    assert found == ["a"] * 50
    assert read(tmp_path / "array.json", f"[{GOOD}]", 1000, msgspec, whole=Whole()) == ["a"]


@pytest.mark.parametrize("msgspec", [True, False])
@pytest.mark.parametrize("at_once", [7, 1000])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[ ]",
        "{}",
        "null",
        f"[{GOOD},]",
        f"[{GOOD},,{GOOD}]",
        f"[{GOOD} {GOOD}]",
        f"[{GOOD}, {GOOD}",
        f"[{GOOD}, {GOOD}]]",
        f"[{GOOD}], [{GOOD}]",
        f"[{GOOD}]x",
        f"{{}}[{GOOD}]",
        f"[{GOOD}, {GOOD[:-1]}]",
        f"\xa0[{GOOD}]",
        b"[\xff]",
    ],
)
def test_broken_ones_are_left_to_who_reads_them_whole(
    tmp_path: Path, text: str | bytes, at_once: int, msgspec: bool
) -> None:
    with pytest.raises(Whole):
        read(tmp_path / "array.json", text, at_once, msgspec, whole=Whole())


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Whole):
        list(values_in(tmp_path / "none.json", "name", lambda: (_ for _ in ()).throw(Whole())))

"""Tables of every format: the same rows out of each, and what is said of a file that is none."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avclips.core.errors import UsageError
from avclips.lists.reader import FORMATS, open_table
from avclips.lists.table import SAMPLE, Looks, Table

PIP = f"{sys.executable} -m pip install"

MANY = settings(
    deadline=None,
    derandomize=True,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def named(cells: Sequence[str]) -> bool:
    """In these tests a header is one that says ``video``."""
    return "video" in cells


LOOKS = Looks(named, lambda text: False)
ANY_HEADER = Looks(lambda cells: True, lambda text: False)


def written(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def parquet(folder: Path, columns: dict[str, Any]) -> Path:
    path = folder / "list.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def table(path: Path, encoding: str = "utf-8") -> Table:
    return open_table(path, encoding, LOOKS)


def rows(path: Path, encoding: str = "utf-8") -> list[tuple[str, dict[str, Any]]]:
    found = table(path, encoding)
    return [(where, dict(cells)) for where, cells in found.rows(found.columns)]


def complaint(path: Path, encoding: str = "utf-8") -> str:
    """What is said of a file, without its name; it is a usage error, and advises something."""
    with pytest.raises(UsageError) as caught:
        rows(path, encoding)
    assert caught.value.exit_code == 2 and caught.value.hint and "\n" not in str(caught.value)
    return str(caught.value).removeprefix(str(path))


# -- the same two rows in every format -------------------------------------------------------------------------

TWO = [{"video": "abcdefghijk", "start": "1.5"}, {"video": "ABCDEFGHIJK", "start": "20"}]


def in_format(folder: Path, ending: str) -> Path:
    lines = {"csv": "video,start\nabcdefghijk,1.5\nABCDEFGHIJK,20\n"}
    lines["tsv"] = lines["csv"].replace(",", "\t")
    lines["json"] = json.dumps(TWO, indent=1)
    lines["jsonl"] = lines["ndjson"] = "".join(json.dumps(row) + "\n" for row in TWO)
    if ending == "parquet":
        return parquet(folder, {name: [row[name] for row in TWO] for name in TWO[0]})
    return written(folder, f"list.{ending}", lines[ending])


@pytest.mark.parametrize("ending", [each for each in FORMATS if each != "txt"])
def test_every_format_gives_the_same_rows(tmp_path: Path, ending: str) -> None:
    path = in_format(tmp_path, ending)
    found = table(path)
    assert (found.name, found.columns, found.named) == (str(path), ("video", "start"), True)
    assert found.head("start") == ["1.5", "20"] and found.count() in (None, 2)
    assert [cells for _, cells in rows(path)] == TWO
    unit = {"parquet": "row 2", "json": "record 2", "jsonl": "line 2", "ndjson": "line 2"}.get(ending, "line 3")
    assert rows(path)[1][0] == unit


@pytest.mark.parametrize("ending", [each for each in FORMATS if each != "txt"])
def test_rows_are_read_again_and_only_what_is_wanted_must_come(tmp_path: Path, ending: str) -> None:
    found = table(in_format(tmp_path, ending))
    for _ in range(2):
        assert [cells["start"] for _, cells in found.rows(["start"])] == ["1.5", "20"]
    half = found.rows(["start"])
    next(half)
    assert len(list(found.rows(["start"]))) == 2 and len(list(half)) == 1


def test_the_sample_is_a_beginning_and_the_rows_are_all(tmp_path: Path) -> None:
    columns = {"video": [f"{number:011d}" for number in range(10_000)]}
    text = "\n".join(["video", *columns["video"]])
    for path in (written(tmp_path, "list.csv", text), parquet(tmp_path, columns)):
        found = table(path)
        assert found.head("video") == columns["video"][:SAMPLE]
        assert [cells["video"] for _, cells in found.rows(["video"])] == columns["video"]
    assert rows(path)[-1][0] == "row 10000"


@pytest.mark.parametrize("name", ["LIST.CSV", "my.list.v2.csv"])
def test_the_ending_is_what_counts(tmp_path: Path, name: str) -> None:
    assert rows(written(tmp_path, name, "video\nx\n")) == [("line 2", {"video": "x"})]


# -- csv, tsv, txt ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("video,start\na,1", [("line 2", {"video": "a", "start": "1"})]),
        ("video,start\r\na,1\r\n", [("line 2", {"video": "a", "start": "1"})]),
        ("video,start\ra,1\r", [("line 2", {"video": "a", "start": "1"})]),
        ("\ufeffvideo,start\na,1\n", [("line 2", {"video": "a", "start": "1"})]),
        ("\ufeff# a comment\nvideo\na\n", [("line 3", {"video": "a"})]),
        ("video, start\na, 1\n", [("line 2", {"video": "a", "start": "1"})]),
        (" video ,start\na,1\n", [("line 2", {"video": "a", "start": "1"})]),
        ('video,caption\na,"say ""hi"", all"\n', [("line 2", {"video": "a", "caption": 'say "hi", all'})]),
        ('video,caption\na,a 5" disc\n', [("line 2", {"video": "a", "caption": 'a 5" disc'})]),
        # A cell of several lines: the row is where it begins.
        ('video,caption\na,"b\n\nc"\nd,e\n', [
            ("line 2", {"video": "a", "caption": "b\n\nc"}), ("line 5", {"video": "d", "caption": "e"})]),
        ("\n\nvideo\n\na\n,,\n \nb\n\n", [("line 5", {"video": "a"}), ("line 8", {"video": "b"})]),
        # A row may be shorter than the header, or longer.
        ("video,start,end\na,1\nb,1,2,3\n", [
            ("line 2", {"video": "a", "start": "1"}), ("line 3", {"video": "b", "start": "1", "end": "2"})]),
        # Of two columns of one name, the first.
        ("video,x,x\na,1,2\n", [("line 2", {"video": "a", "x": "1"})]),
        # Comments are at the top; below, it may be a title.
        ("# one\n\n# two \"\nvideo\n", None),
        ("# one\n# two \"\nvideo,x\n#1 song,y\n", [("line 4", {"video": "#1 song", "x": "y"})]),
        # Without a header.
        ("a,1\nb,2\n", [("line 1", {"1": "a", "2": "1"}), ("line 2", {"1": "b", "2": "2"})]),
        ("a\nb,2\n", [("line 1", {"1": "a"}), ("line 2", {"1": "b", "2": "2"})]),
        ('# YTID, start\na, 1, "x,y"\n', [("line 2", {"1": "a", "2": "1", "3": "x,y"})]),
    ],
)  # fmt: skip
def test_a_csv(tmp_path: Path, content: str, expected: list[Any] | None) -> None:
    path = written(tmp_path, "list.csv", content)
    if expected is None:
        assert complaint(path) == " has a header and no row"
    else:
        assert rows(path) == expected
        # Tabs and commas are all that is between the two, but for quotes: in a tsv they are letters.
        if '"' not in content and not any("," in str(cells) for _, row in expected for cells in row.values()):
            assert rows(written(tmp_path, "list.tsv", content.replace(",", "\t"))) == expected


def test_a_txt_has_one_cell_a_line(tmp_path: Path) -> None:
    content = '\ufeff# mine\r\n a \r\n\r\nhttps://x.example/a,b?c="\r\n# a comment\r\nb'
    path = written(tmp_path, "list.txt", content)
    expected = [("line 2", "a"), ("line 4", 'https://x.example/a,b?c="'), ("line 6", "b")]
    assert rows(path) == [(where, {"1": cell}) for where, cell in expected]
    assert rows(written(tmp_path, "list.txt", "video\na\n")) == [("line 2", {"video": "a"})]


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("latin-1", "latin-1"),
        ("UTF8", "utf-8"),
        ("utf-16", "utf-16"),
        ("cp1252", "cp1252"),
        ("gb18030", "gb18030"),
    ],
)
def test_another_encoding(tmp_path: Path, encoding: str, codec: str) -> None:
    path = written(tmp_path, "list.csv", "video\ncafé\n".encode(codec))
    assert rows(path, encoding) == [("line 2", {"video": "café"})]


# -- json, jsonl, parquet --------------------------------------------------------------------------------------


def test_values_of_json_stay_what_they_are(tmp_path: Path) -> None:
    row = {"video": "a", "start": 1, "clips": [[0, "0:09"]], "note": None, "é": {"x": True}}
    other = {"video": "b", "more": 1.5}
    for name, text in (
        ("list.json", json.dumps([row, other])),
        ("list.jsonl", f"{json.dumps(row)}\r\n\r\n{json.dumps(other, ensure_ascii=False)}"),
        ("list.json", "\ufeff" + json.dumps([row, other], indent=4, ensure_ascii=False)),
    ):
        path = written(tmp_path, name, text)
        assert [cells for _, cells in rows(path)] == [row, other]
        assert table(path).columns == ("video", "start", "clips", "note", "é", "more")


def test_values_of_parquet_are_pythons(tmp_path: Path) -> None:
    columns = {"video": ["a", None], "start": [1, 2], "end": [1.5, float("inf")], "clips": [[["0", "1"]], []]}
    assert rows(parquet(tmp_path, columns)) == [
        ("row 1", {"video": "a", "start": 1, "end": 1.5, "clips": [["0", "1"]]}),
        ("row 2", {"video": None, "start": 2, "end": float("inf"), "clips": []}),
    ]


# -- files that are none ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        *((f"list.{ending}", "", " is empty") for ending in ("csv", "tsv", "txt", "json")),
        *((f"list.{ending}", "\ufeff\r\n\n", " is empty") for ending in ("csv", "tsv", "txt", "json")),
        ("list.csv", "# only\n# comments\n", " is empty"),
        ("list.txt", "# only\n# comments\n", " is empty"),
        ("list.jsonl", "\n", " holds no record"),
        ("list.json", "[]", " holds no record"),
        *((f"list.{ending}", "video\n", " has a header and no row") for ending in ("csv", "tsv", "txt")),
        ("list.csv", "video,x\n,\n", " has a header and no row"),
        ("list.csv", 'video,x\na,b\nc,"d\ne,f\n', ", line 3: a quote is opened and never closed"),
        ("list.csv", '"video', ", line 1: a quote is opened and never closed"),
        ("list.csv", 'video,x\na,b\nc,"' + "d,e\n" * 50_000, ", line 3: a quote is opened and never closed"),
        ("list.csv", b"video\na\ncaf\xe9\n", ", line 3: not utf-8 text"),
        ("list.tsv", b"video\n" + b"a\n" * 50_000 + b"\xff\n", ", line 50002: not utf-8 text"),
        ("list.txt", b"a\nb\xc3", ", line 2: not utf-8 text"),
        ("list.json", b'[{"video": "a"},\n{"video": "caf\xe9"}]', ", line 2: not utf-8 text"),
        ("list.jsonl", b'{"video": "a"}\n{"video": "caf\xe9"}\n', ", line 2: not utf-8 text"),
        ("list.csv", "video\na\n".encode("utf-16"), ", line 1: not utf-8 text"),
        ("list.json", '[{"video": "abc', " is not whole JSON: Unterminated string starting at at column 12"),
        ("list.json", '[{"video": 1},\n', " is not whole JSON: Expecting value at"),
        ("list.json", "video,start\n", " is not whole JSON: Expecting value at column 1"),
        ("list.json", '{"a": 1}\n{"a": 2}\n', " is not whole JSON: Extra data at line 2, column 1"),
        ("list.json", "[" * 100_000, " cannot be read: maximum recursion depth exceeded"),
        ("list.json", f"[{'1' * 5000}]", " cannot be read: Exceeds the limit"),
        ("list.json", '{"a": 1}', " holds an object, not a list"),
        ("list.json", '"abc"', " holds a text, not a list"),
        ("list.json", "null", " holds null, not a list"),
        ("list.json", "true", " holds a truth value, not a list"),
        ("list.json", "1.5", " holds a number, not a list"),
        ("list.json", '[{"a": 1}, ["a"]]', ", record 2 holds a list, not an object"),
        ("list.json", '["no video"]', ", record 1 holds a text, not an object"),
        ("list.jsonl", '{"a": 1}\n\n{"a": 1', ", line 3 is not whole JSON: Expecting ',' delimiter at column"),
        ("list.jsonl", '{"a": 1}\n[1]\n', ", line 2 holds a list, not an object"),
        ("list.jsonl", "[\n", ", line 1 is not whole JSON: Expecting value at"),
        ("list.parquet", b"", " cannot be read as parquet: "),
        ("list.parquet", b"video,start\n" * 50, " cannot be read as parquet: Parquet magic bytes not found"),
        ("list.xlsx", b"PK", ": no list that can be read ends in '.xlsx'"),
        ("list", "video\na\n", ": no list that can be read ends in 'nothing'"),
        ("list.csv.gz", b"", " is empty"),
        ("list.xlsx.gz", b"", ": no list that can be read ends in '.gz'"),
    ],
)  # fmt: skip
def test_a_file_that_is_none(tmp_path: Path, name: str, content: bytes | str, why: str) -> None:
    assert complaint(written(tmp_path, name, content)).startswith(why)


def test_what_is_wrong_far_down_is_found_there(tmp_path: Path) -> None:
    good = "".join(f'{{"video": {number}}}\n' for number in range(5000))
    found = table(written(tmp_path, "list.jsonl", good + "{"))
    with pytest.raises(UsageError, match="line 5001 is not whole JSON"):
        list(found.rows(["video"]))


def test_half_a_parquet(tmp_path: Path) -> None:
    whole = parquet(tmp_path, {"video": ["a"] * 1000}).read_bytes()
    assert complaint(written(tmp_path, "list.parquet", whole[:-20])).startswith(" cannot be read as parquet: ")
    broken = whole[:4] + b"\xff" * 40 + whole[44:]
    assert complaint(written(tmp_path, "list.parquet", broken)).startswith(" cannot be read as parquet: ")
    assert complaint(parquet(tmp_path, {"video": pyarrow.array([], pyarrow.string())})) == " has no row"


def test_the_known_endings_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        table(written(tmp_path, "list.xls", ""))
    assert caught.value.hint == (
        "known: .csv, .tsv, .txt, .json, .jsonl, .ndjson, .parquet, each also with .gz, .zst, .bz2 or .xz"
    )


@pytest.mark.parametrize("ending", FORMATS)
def test_no_file(tmp_path: Path, ending: str) -> None:
    assert "No such file or directory" in complaint(tmp_path / f"list.{ending}")
    (tmp_path / f"folder.{ending}").mkdir()
    assert complaint(tmp_path / f"folder.{ending}") == " is a folder without a list"


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_file_of_somebody_else(tmp_path: Path) -> None:
    path = written(tmp_path, "list.csv", "video\na\n")
    path.chmod(0)
    assert complaint(path) == " cannot be read: Permission denied"


@pytest.mark.parametrize("encoding", ["utf-9", "", "hex", "rot13", "undefined", "a\0b", "é"])
def test_no_encoding(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(UsageError) as caught:
        table(written(tmp_path, "list.csv", "video\na\n"), encoding)
    assert str(caught.value) == f"--encoding {encoding!r} is none that Python knows"


def test_bytes_that_are_not_text_are_explained(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        table(written(tmp_path, "list.csv", b"video\ncaf\xe9\n"))
    assert caught.value.hint == "save it as UTF-8, or say what it is: --encoding latin-1"


def test_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet(tmp_path, {"video": ["a"]})

    def import_module(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", import_module)
    with pytest.raises(UsageError) as caught:
        table(path)
    assert "pyarrow" in str(caught.value) and caught.value.hint == f"{PIP} 'pyarrow>=17'"


CONTENT = st.binary(max_size=200) | st.text("abc,\t\"'#[]{}:1 \n\r\ufeffé", max_size=200).map(str.encode)


@MANY
@given(content=CONTENT, ending=st.sampled_from(list(FORMATS)))
def test_any_bytes_are_rows_or_one_complaint(tmp_path: Path, content: bytes, ending: str) -> None:
    try:
        for where, cells in rows(written(tmp_path, f"list.{ending}", content)):
            assert where and isinstance(cells, dict)
    except UsageError as error:
        assert str(tmp_path) in str(error) and error.hint


@MANY
@given(st.lists(st.lists(st.text('ab,"\n\r#é ', min_size=1).map(lambda cell: f"x{cell}"), min_size=2), min_size=1))
def test_quoted_cells_come_back(tmp_path: Path, expected: list[list[str]]) -> None:
    path = tmp_path / "list.csv"
    quoted = (",".join('"' + cell.replace('"', '""') + '"' for cell in cells) for cells in expected)
    path.write_bytes("\r\n".join(quoted).encode())
    assert [list(cells.values()) for _, cells in rows(path)] == expected


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_what_stands_between_the_cells_of_a_csv(tmp_path: Path, between: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f'# a; comment\n\nvideo{between}note\nx{between}"a;b,c"\n')
    table = open_table(path, "utf-8", ANY_HEADER)
    assert table.columns == ("video", "note")
    assert [cells for _, cells in table.rows(table.columns)] == [{"video": "x", "note": "a;b,c"}]


@pytest.mark.parametrize(("codec", "likely"), [("utf-16", "utf-16"), ("latin-1", "latin-1")])
def test_the_letters_that_a_file_may_have(tmp_path: Path, codec: str, likely: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes("video\ncaf\xe9\n".encode(codec))
    with pytest.raises(UsageError) as caught:
        open_table(path, "utf-8", ANY_HEADER)
    assert (caught.value.hint or "").endswith(f"--encoding {likely}")
    assert open_table(path, likely, ANY_HEADER).columns == ("video",)

"""A user's table of ids: every shape that it may have, and what is said of one that cannot be meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avclips.core.errors import RunError, UsageError
from avclips.lists.id_map import Place, clock_time, read_id_map

ID, OTHER = "abcde-ghij0", "_bcdefghijk"
HINT = "it needs the columns video_id and youtube_id, and may have start and end"


def csv_file(folder: Path, *lines: str, encoding: str = "utf-8", newline: str = "\n") -> Path:
    path = folder / "ids.csv"
    path.write_bytes(newline.join([*lines, ""]).encode(encoding))
    return path


def json_file(folder: Path, value: Any) -> Path:
    path = folder / "ids.json"
    path.write_text(json.dumps(value))
    return path


def complaint(path: Path) -> str:
    """What is said of a table, without its name; it is always a usage error with the same advice."""
    with pytest.raises(UsageError) as caught:
        read_id_map(path)
    assert caught.value.exit_code == 2 and caught.value.hint in (HINT, "leave one of them")
    return str(caught.value).removeprefix(str(path))


# -- csv -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_csv(tmp_path: Path, encoding: str, newline: str) -> None:
    lines = ("video_id,youtube_id,start,end", f"00000028,{ID},1:15,2:15.5", f"sa00000001,{OTHER},,")
    found = read_id_map(csv_file(tmp_path, *lines, encoding=encoding, newline=newline))
    assert found == {"00000028": Place(ID, 75.0, 135.5), "sa00000001": Place(OTHER, 0.0, None)}


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (("youtube_id,video_id", f"{ID},00000028"), Place(ID)),
        (("end,note,youtube_id,start,video_id", f"9,a note,{ID},3,00000028"), Place(ID, 3.0, 9.0)),
        (("video_id, youtube_id, start, end", f" 00000028 , {ID} , 3 , 9 "), Place(ID, 3.0, 9.0)),
        (("video_id, youtube_id, start, end", f"00000028, {ID}, , "), Place(ID)),
        (("video_id,youtube_id,start", f"00000028,{ID},0:03"), Place(ID, 3.0, None)),
        (("video_id,youtube_id,end", f"00000028,{ID},0:03"), Place(ID, 0.0, 3.0)),
        # A row may be shorter than the header, or longer.
        (("video_id,youtube_id,start,end", f"00000028,{ID}"), Place(ID)),
        (("video_id,youtube_id", f"00000028,{ID},some,words"), Place(ID)),
        (("video_id,youtube_id", "", f'"00000028","{ID}"', ""), Place(ID)),
        (("video_id,youtube_id", f"00000028,{ID}", f"00000028,https://youtu.be/{ID}"), Place(ID)),
    ],
)
def test_what_a_csv_may_look_like(tmp_path: Path, lines: tuple[str, ...], place: Place) -> None:
    assert read_id_map(csv_file(tmp_path, *lines)) == {"00000028": place}


@pytest.mark.parametrize(
    "address",
    [
        f"https://www.youtube.com/watch?v={ID}",
        f"http://youtube.com/watch?v={ID}",
        f"https://m.youtube.com/watch?v={ID}&t=15s",
        f"https://music.youtube.com/watch?list=PL0&v={ID}&index=2",
        f"https://youtu.be/{ID}",
        f"https://youtu.be/{ID}?si=abc&t=3",
        f"https://www.youtube.com/shorts/{ID}",
        f"https://www.youtube.com/watch?v={ID}#t=3",
    ],
)
def test_an_address_will_do_for_an_id(tmp_path: Path, address: str) -> None:
    found = read_id_map(csv_file(tmp_path, "video_id,youtube_id", f"00000028,{address}"))
    assert found == {"00000028": Place(ID)}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f",{ID}", "no video_id"),
        (f" ,{ID}", "no video_id"),
        ("00000028,", "'' is not a YouTube id"),
        ("00000028", "'' is not a YouTube id"),
        ("00000028,abcdefghij", "'abcdefghij' is not a YouTube id"),
        ("00000028,abcdefghijkl", "'abcdefghijkl' is not a YouTube id"),
        ("00000028,abcdefghi/k", "'abcdefghi/k' is not a YouTube id"),
        (f"00000028,https://vimeo.com/{ID}", f"'https://vimeo.com/{ID}' is not a YouTube id"),
        (f"00000028,https://evil.example/youtu.be/{ID}", f"'https://evil.example/youtu.be/{ID}' is not a"),
        ("00000028,https://youtu.be/abcdefghijkl", "'https://youtu.be/abcdefghijkl' is not a YouTube id"),
        (f"00000028,{ID},soon", "'soon' is not a time such as 75, 1:15 or 0:01:15"),
        (f"00000028,{ID},-1", "'-1' is not a time such as"),
        (f"00000028,{ID},5,5", "the end 5 is not after the start 5"),
        (f"00000028,{ID},1:10,0:50", "the end 50 is not after the start 70"),
        (f"00000028,{ID},,0", "the end 0 is not after the start 0"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, why: str) -> None:
    path = csv_file(tmp_path, "video_id,youtube_id,start,end", f"00000001,{ID},,", "", line)
    assert complaint(path).startswith(f", line 4: {why}")


def test_a_video_named_twice_is_named_once_or_not_at_all(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "video_id,youtube_id", f"00000028,{ID}", f"00000028,{OTHER}")
    assert complaint(path) == ", line 3: 00000028 is named twice, differently"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", ", line 1: no column video_id and youtube_id"),
        (b"video_id;youtube_id\n00000028;abcdefghijk\n", ", line 1: no column video_id and youtube_id"),
        (b"video_id,url\n00000028,abcdefghijk\n", ", line 1: no column youtube_id"),
        (b"00000028,abcdefghijk\n", ", line 1: no column video_id and youtube_id"),
        (b"video_id,youtube_id\n", " names no video"),
        (b"video_id,youtube_id\ncaf\xe9,abcdefghijk\n", " cannot be read: "),
        (b"video_id,youtube_id\n" + b"x" * 200_000, ", line 2: '' is not a YouTube id"),
        (None, " cannot be read: No such file or directory"),
    ],
)
def test_a_csv_that_is_none(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "ids.csv"
    if content is not None:
        path.write_bytes(content)
    assert complaint(path).startswith(why)


# -- JSON ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        {"00000028": ID, "sa00000001": {"youtube_id": OTHER, "start": 3, "end": "0:09"}},
        {
            "00000028": f"https://youtu.be/{ID}",
            "sa00000001": {"video_id": "ignored", "youtube_id": OTHER, "start": "3.0", "end": 9.0},
        },
        [
            {"video_id": "00000028", "youtube_id": ID, "start": None, "end": ""},
            {"video_id": "sa00000001", "youtube_id": OTHER, "start": "0:00:03", "end": 9, "note": "x"},
        ],
    ],
)
@pytest.mark.parametrize("name", ["ids.json", "IDS.JSON"])
def test_json(tmp_path: Path, value: Any, name: str) -> None:
    path = json_file(tmp_path, value).rename(tmp_path / name)
    assert read_id_map(path) == {"00000028": Place(ID), "sa00000001": Place(OTHER, 3.0, 9.0)}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"00000001": ID, "00000028": "short"}, ", entry '00000028': 'short' is not a YouTube id"),
        ({"00000028": None}, ", entry '00000028': '' is not a YouTube id"),
        ({"00000028": {}}, ", entry '00000028': '' is not a YouTube id"),
        ({"00000028": [ID]}, f", entry '00000028': \"['{ID}']\" is not a YouTube id"),
        ({"": ID}, ", entry '': no video_id"),
        ({"00000028": {"youtube_id": ID, "start": -1}}, ", entry '00000028': -1 is not a time"),
        ({"00000028": {"youtube_id": ID, "start": True}}, ", entry '00000028': True is not a time"),
        ({"00000028": {"youtube_id": ID, "start": [3]}}, ", entry '00000028': [3] is not a time"),
        ({"00000028": {"youtube_id": ID, "end": float("nan")}}, ", entry '00000028': nan is not a time"),
        ({"00000028": {"youtube_id": ID, "end": float("inf")}}, ", entry '00000028': inf is not a time"),
        ({"00000028": {"youtube_id": ID, "start": 9, "end": 3}}, ", entry '00000028': the end 3 is not after"),
        ([{"video_id": "00000001", "youtube_id": ID}, "00000028"], ", record 2: no video_id"),
        ([{"video_id": 28, "youtube_id": ID}], ", record 1: no video_id"),
        ([{"video_id": "00000028", "url": ID}], ", record 1: '' is not a YouTube id"),
        (
            [{"video_id": "00000028", "youtube_id": ID}, {"video_id": "00000028", "youtube_id": ID, "start": 1}],
            ", record 2: 00000028 is named twice, differently",
        ),
        ({}, " names no video"),
        ([], " names no video"),
        ("x", " holds neither a list nor an object"),
        (None, " holds neither a list nor an object"),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, value: Any, why: str) -> None:
    assert complaint(json_file(tmp_path, value)).startswith(why)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"00000028": "abc', " is not whole JSON: Unterminated string starting at at line 1, column 14"),
        (b"video_id,youtube_id\n", " is not whole JSON: Expecting value at line 1, column 1"),
        (b'{"caf\xe9": "abcdefghijk"}', " is not UTF-8 text: byte 5 cannot be read"),
        (None, " cannot be read: No such file or directory"),
    ],
)
def test_a_json_that_is_none(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "ids.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_id_map(path)
    assert str(caught.value).startswith(f"{path}{why}") and caught.value.hint == HINT


# -- times ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0), ("75", 75.0), ("75.5", 75.5), ("0:00", 0.0), ("1:15", 75.0), ("1:15.25", 75.25),
        ("0:01:15", 75.0), ("1:02:03", 3723.0), (" 3 ", 3.0), ("90:00", 5400.0), ("0:90", 90.0),
    ],
)  # fmt: skip
def test_a_time(text: str, seconds: float) -> None:
    assert clock_time(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ":",
        "1:",
        ":15",
        "-1",
        "+1",
        "1.5:00",
        "1:2:3:4",
        "1e3",
        "nan",
        "inf",
        "1,5",
        "1.",
        ".5",
        "1h",
        "٣",
    ],
)
def test_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time such as 75, 1:15 or 0:01:15"):
        clock_time(text)

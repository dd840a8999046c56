"""The cells of a list as values: seconds, spans, lists, videos, and what JSON can hold of them."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from avclips.core.files import is_plain_name
from avclips.lists.addresses import cleaned, is_address, video_of, youtube_id
from avclips.lists.cells import as_json, intervals, list_of, seconds, short
from avclips.lists.rows import made_id
from tests.support.list_of import ID

VIMEO = "https://vimeo.com/123"


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("0", 0.0), ("75", 75.0), ("075", 75.0), ("75.5", 75.5), (" 75 ", 75.0), ("30.000", 30.0), ("75.", 75.0),
        ("1:15", 75.0), ("0:01:15.28", 75.28), ("1e-05", 0.00001), ("1E2", 100.0),
        (0, 0.0), (75, 75.0), (75.5, 75.5), (999_999, 999_999.0),
        (".5", 0.5), ("+1", 1.0), ("+.25", 0.25), ("1,5", 1.5), ("0,125", 0.125), ("1,0625", 1.0625),
        ("0:01:15,28", 75.28), ("1:15,280", 75.28), (Decimal("0.5"), 0.5), (Decimal("75"), 75.0),
        (timedelta(seconds=3, milliseconds=250), 3.25), (time(0, 1, 15, 500_000), 75.5),
        # What programs write of 13.28, and what is less than a microsecond.
        ("13.280000000000001", 13.28), (13.280000000000001, 13.28), (1e-9, 0.0),
    ],
)  # fmt: skip
def test_seconds(cell: Any, value: float) -> None:
    assert seconds(cell) == value


@pytest.mark.parametrize(
    "cell",
    ["", "-1", "+-1", "nan", "inf", "1_000", "٣", "1,500", "12,345", "1,5,5", ",", ".", "+", "1.5.5", "soon",
     "1:2:3:4", "1e400", "1000000", "9" * 500, "1:-2",
     -1, -0.5, math.nan, math.inf, 10**400, 1_000_000, True, None, [1], {"s": 1}, b"1",
     Decimal("NaN"), Decimal("-1"), Decimal("1e9"), timedelta(seconds=-1), date(2020, 1, 1)],
)  # fmt: skip
def test_no_seconds(cell: Any) -> None:
    with pytest.raises(ValueError, match="is not a time") as caught:
        seconds(cell)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("[69, 79]", [(69.0, 79.0)]),
        ("[[69, 79]]", [(69.0, 79.0)]),
        ("[[0, 9.5], [20, 30]]", [(0.0, 9.5), (20.0, 30.0)]),
        ("[['0:00:13.280', '0:00:20.120']]", [(13.28, 20.12)]),
        ("[['0:00:13.280', '0:00:20.120'], ['1:00', '1:10']]", [(13.28, 20.12), (60.0, 70.0)]),
        ('["0:10", "0:20"]', [(10.0, 20.0)]),
        ('[["0:10", 20]]', [(10.0, 20.0)]),
        ("(1, 2)", [(1.0, 2.0)]),
        ("[(1, 2), (3.5, 4)]", [(1.0, 2.0), (3.5, 4.0)]),
        ("  [ [1,2] ]  ", [(1.0, 2.0)]),
        ([1, 2], [(1.0, 2.0)]),
        ([[1, 2], ["0:03", "4.5"]], [(1.0, 2.0), (3.0, 4.5)]),
        ([(1, 2)], [(1.0, 2.0)]),
        # As HD-VILA has them, and others.
        ([{"clip_id": "x.0.mp4", "span": ["00:17:02.461", "00:17:05.299"]}], [(1022.461, 1025.299)]),
        ([{"span": [1, 2]}, {"span": [3, 4]}, [5, 6]], [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)]),
        ([{"segment": [1, 2], "label": "x"}], [(1.0, 2.0)]),
        ([{"start": 1, "end": "0:02"}], [(1.0, 2.0)]),
        ([{"Start_Time": "0:01", "End_Time": "0:02", "text": "x"}], [(1.0, 2.0)]),
        ({"start": 1, "end": 2}, [(1.0, 2.0)]),
        ('[{"start": 1, "end": 2.5}]', [(1.0, 2.5)]),
        ("[{'span': ['0:01', '0:02']}]", [(1.0, 2.0)]),
    ],
)
def test_spans(cell: Any, found: list[tuple[float, float]]) -> None:
    assert intervals(cell) == found


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        *((cell, "is not a list of clips such as") for cell in (
            None, "", "[]", "[", "[[1, 2], [3]]", "[1, 2, 3]", "[[1, 2], 3]", "[[[1, 2]]]", 5, "5",
            {"a": 1}, "{1: 2}", "[[1, 2]", "x", [], [[]], [[1, 2, 3]], "[" * 500, "[" * 99_999, "[a]", "[[1 2]]",
            "[" + "(" * 200, {"start": 1}, [{"start": 1}], [{"end": 1}], [{"span": 1}], [{"frames": [1, 2]}], {})),
        ([{"start": 2, "end": 1}], "the end 1 is not after the start 2"),
        ([{"span": [1, "x"]}], "'x' is not a time"),
        ("[[1, 'x']]", "'x' is not a time"),
        ("[[1, None]]", "None is not a time"),
        ([[1, None]], "None is not a time"),
        ("[NaN, 2]", "nan is not a time"),
        ("[-1, 2]", "-1 is not a time"),
        ("[[5, 5]]", "the end 5 is not after the start 5"),
        ("[[1, 2], [9, 3.5]]", "the end 3.5 is not after the start 9"),
    ],
)  # fmt: skip
def test_no_spans(cell: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        intervals(cell)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ('["a", "b"]', ["a", "b"]),
        ("['it\\'s (a) \"b\"', 'c']", ["it's (a) \"b\"", "c"]),
        ('["it\'s", \'c\']', ["it's", "c"]),
        ("[0.4, 0.5]", [0.4, 0.5]),
        ("('a', 'b')", ["a", "b"]),
        ([1, 2], [1, 2]),
        ((1, 2), [1, 2]),
        *((cell, None) for cell in ("", "a", "[music]", "[a", "['\\d' 1]", "(x for x in y)", "['a'](0)")),
        *((cell, None) for cell in (None, 5, {})),
    ],
)  # fmt: skip
def test_a_list_in_a_cell(cell: Any, found: list[Any] | None) -> None:
    assert list_of(cell) == found


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0, "0"), (69.0, "69"), (13.28, "13.28"), (0.00001, "0.00001"), (100.0, "100"), (10.5, "10.5")],
)
def test_a_number_in_short(number: float, text: str) -> None:
    assert short(number) == text
    assert made_id(ID, number, 1000.0) == f"{ID}_{text}_1000"
    assert made_id(ID, 0.0, None) == ID


@pytest.mark.parametrize(
    "address",
    [
        ID,
        f"https://www.youtube.com/watch?v={ID}",
        f"HTTPS://WWW.YouTube.com/watch?v={ID}",
        f"http://youtube.com/watch?v={ID}&t=15s",
        f"https://m.youtube.com/watch?list=PL0&v={ID}&index=2",
        f"https://www.youtube.com/watch/?v={ID}",
        f"www.youtube.com/watch?v={ID}#t=3",
        f"https://youtu.be/{ID}",
        f"youtu.be/{ID}?si=abc&t=3",
        f"https://www.youtube.com/shorts/{ID}?feature=share",
        f"https://www.youtube.com/embed/{ID}?start=3&end=9",
        f"https://www.youtube-nocookie.com/embed/{ID}",
        f"https://www.youtube.com/live/{ID}",
        f"https://www.youtube.com/v/{ID}",
        f"https://www.youtube.com/e/{ID}",
        f"https://www.youtube.com/watch/{ID}?t=3",
        f"//www.youtube.com/watch?v={ID}",
        f"//youtu.be/{ID}",
        f"https://www.youtube.com:443/watch?v={ID}",
        f"http://youtu.be:80/{ID}?t=3",
        f"https://www.youtube.com./watch?v={ID}",
        f"https://www.youtube.com/watch?feature=x&amp;v={ID}",
        f"https://www.youtube.com/watch?v=\u200b{ID}",
        f"\u200e{ID}\ufeff",
    ],
)
def test_every_address_of_a_video_on_youtube_is_its_id(address: str) -> None:
    assert youtube_id(cleaned(address)) == ID
    assert video_of(f" {address} ") == (ID, None)
    assert video_of(address.encode()) == (ID, None)
    assert not is_address(cleaned(address))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (VIMEO, "vimeo-com-123"),
        ("http://www.example.org/a/b.mp4?x=1&y=2", "example-org-a-b-mp4"),
        ("https://me:secret@example.org/a", "example-org-a"),
        ("https://example.org", "example-org"),
        ("https://example.org?v=1", "example-org"),
        ("https://127.0.0.1:8000/é/ü", "127-0-0-1-8000"),
        ("https://例え.jp/", "jp"),
        ("https://例え/", ""),
        ("https://x.example/" + "a" * 500, "x-example-" + "a" * 50),
        (f"https://evil.example/youtu.be/{ID}", f"evil-example-youtu-be-{ID}"),
    ],
)
def test_another_address_has_a_short_plain_name(url: str, words: str) -> None:
    name, address = video_of(url)
    digest = hashlib.sha256(url.encode()).hexdigest()[:16]
    assert (name, address) == (f"{words}-{digest}" if words else digest, url)
    assert is_plain_name(name) and len(name) <= 80


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        (None, "no video"),
        ("", "no video"),
        ("  ", "no video"),
        *((cell, "is neither a YouTube id nor the address of a video") for cell in (
            "abcdefghij", "abcdefghijkl", "a b", "one.mp4", "ftp://x.example/1", "https://", "https:///x", "https://?x",
            "https://x.example/a b", "../x", "youtube.com", "https://www.youtube.com/watch?v=short", 1395, True,
            "https://www.youtube.com/clip/Ugkxyz12345", "https://www.youtube.com:81/watch?v=" + ID,
            "https://www.youtube.com/@channel", "https://youtu.be/abcdefghijkl", [ID], {"url": ID}, math.nan, b"x",
            "x" * 100_000)),
    ],
)  # fmt: skip
def test_no_video(cell: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        video_of(cell)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("value", "there"),
    [
        (None, None), ("x", "x"), (True, True), (5, 5), (1.5, 1.5), (math.nan, None), (-math.inf, None),
        ([1, (math.nan,)], [1, [None]]), ({"a": b"x", 1: {2}}, {"a": "x", "1": "{2}"}), (10**310, str(10**310)),
    ],
)  # fmt: skip
def test_a_value_as_json(value: Any, there: Any) -> None:
    assert as_json(value) == there
    json.dumps(as_json(value), allow_nan=False)

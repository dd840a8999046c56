"""The clip in one cell: its shape over the column, its unit, and what --cell-format and --time-unit say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avclips.core.settings import Columns
from avclips.lists.compound_cells import is_compound, shape_of
from tests.support.list_of import ID, OTHER, THIRD, complaint, listing, metas, times

A, B, C = ID, OTHER, THIRD


@pytest.mark.parametrize(
    ("cells", "template", "length"),
    [
        ([f"{A}_000300", f"{B}_000000"], "{id}_{start}", 10.0),
        ([f"{A}_000300.mp4", f"{B}_000000.mp4"], "{id}_{start}", 10.0),
        ([f"a/b/{A}_000030.wav", f"c/{B}_000000.wav"], "{id}_{start}", 10.0),
        ([f"v_{A}_000030", f"v_{B}_000040"], "v_{id}_{start}", 10.0),
        ([f"{A}_069", f"{B}_205"], "{id}_{start}", 10.0),
        ([f"{A}_20_30", f"{B}_0_10"], "{id}_{start}_{end}", None),
        ([f"{A}_20_30", f"{B}_101.8_111.8"], "{id}_{start}_{end}", None),
        ([f"{A}_60.0_210.0"], "{id}_{start}_{end}", None),
        ([f"Y{A}_30.000_40.000.wav"], "Y{id}_{start}_{end}", None),
        ([f"{A}_000055_000065"], "{id}_{start}_{end}", None),
        ([f"{A}_30000", f"{B}_0", f"{C}_170000"], "{id}_{start}", None),
        ([f"{A}_120", f"{B}_300"], "{id}_{start}", None),
        ([f"v_{A}", f"v_{B}"], "v_{id}", None),
        # One in ten may be wrong.
        ([f"{A}_20_30"] * 9 + ["x"], "{id}_{start}_{end}", None),
    ],
)
def test_a_shape(cells: list[str], template: str, length: float | None) -> None:
    found = shape_of(cells)
    assert found is not None and (found.template, found.length) == (template, length)
    assert all(is_compound(cell) for cell in cells[:9])


@pytest.mark.parametrize(
    "cells",
    [
        [], [""], [None], [A], [A, f"{B}_20_30"], [f"{A}_20_30", "x"], [f"{A}_x"], [f"{A}_20_"], [f"{A}.mp4"],
        [f"Y{A}.wav"], ["1041_TIE_NEU_XX"], ["P01_11_0"], [f"v_{A}_3", f"{B}_4"], [f"https://youtu.be/{A}"],
        ["esa00000028.mp4"],
    ],
)  # fmt: skip
def test_no_shape(cells: list[Any]) -> None:
    assert shape_of(cells) is None


@pytest.mark.parametrize(
    ("lines", "chosen", "clips"),
    [
        ("{A}_000300,x\n{B}_000000,y\n", {}, [("{A}_000300", 300, 310), ("{B}_000000", 0, 10)]),
        ("{A}_000300\n", {"clip_length": 4.0}, [("{A}_000300", 300, 304)]),
        ("{A}_20_30.mp4\n{B}_101.8_111.8.mp4\n", {}, [("{A}_20_30", 20, 30), ("{B}_101.8_111.8", 101.8, 111.8)]),
        # Milliseconds, by all of the column.
        ("{A}_18000_28000\n{B}_0_10000\n", {}, [("{A}_18000_28000", 18, 28), ("{B}_0_10000", 0, 10)]),
        ("{A}_30000\n{B}_0\n{C}_170000\n", {}, [
            ("{A}_30000", 30, 40), ("{B}_0", 0, 10), ("{C}_170000", 170, 180)]),
        ("{A}_18000_28000\n", {"time_unit": "s"}, [("{A}_18000_28000", 18000, 28000)]),
        ("{A}_0_5\n{A}_10_20\n", {"time_unit": "ms"}, [("{A}_0_5", 0, 0.005), ("{A}_10_20", 0.01, 0.02)]),
        ("{A}_25_50\n", {"time_unit": "frames@25"}, [("{A}_25_50", 1, 2)]),
        ("{A}_7200_7800\n{B}_0_600\n", {}, [("{A}_7200_7800", 7200, 7800), ("{B}_0_600", 0, 600)]),
        ("{A}_5\n{B}_3600\n", {"clip_length": 5.0}, [("{A}_5", 5, 10), ("{B}_3600", 3600, 3605)]),
        # ID_START,LENGTH,CLASS
        ("{A}_2,10,23\n{B}_37,10,16\n", {}, [("{A}_2", 2, 12), ("{B}_37", 37, 47)]),
        # As it is said.
        ("x-{A}..20..30\n", {"cell_format": "x-{id}..{start}..{end}"}, [("x-{A}..20..30", 20, 30)]),
        # A name that no file can have gives way.
        ("x-{A}@20..30\n", {"cell_format": "x-{id}@{start}..{end}"}, [("{A}_20_30", 20, 30)]),
        ("{A}_30,clip\n", {"cell_format": "{id}_{start}", "clip_length": 2.0}, [("{A}_30", 30, 32)]),
        ("30_{A}.mp4\n", {"cell_format": "{start}_{id}", "clip_length": 2.0}, [("30_{A}", 30, 32)]),
        # The ids are clips' names: --id-col says otherwise.
        ("{A}_20_30,n1\n", {"columns": Columns(id="2")}, [("n1", 20, 30)]),
    ],
)  # fmt: skip
def test_clips_of_cells(tmp_path: Path, lines: str, chosen: dict[str, Any], clips: list[Any]) -> None:
    names = {"{A}": A, "{B}": B, "{C}": C}

    def filled(text: str) -> str:
        for name, value in names.items():
            text = text.replace(name, value)
        return text

    found = listing(tmp_path, filled(lines), **chosen)
    assert [(clip.id, clip.start, clip.end) for clip in found.clips] == [
        (filled(name), start, end) for name, start, end in clips
    ]
    assert found.skipped == [] and found.named


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (f"{A}_0_400\n{B}_0_10000\n", "are the numbers in '1' seconds or milliseconds?"),
        (f"{A}_700\n{B}_90000\n", "are the numbers in '1' seconds or milliseconds?"),
        (f"{A}_30\n{B}_40\n", "list.csv says where a clip starts ('1', as {id}_{start}), not where it ends"),
    ],
)
def test_what_has_to_be_asked(tmp_path: Path, content: str, why: str) -> None:
    message, hint = complaint(tmp_path, content)
    assert message == why and ("--time-unit" in hint or "--clip-length" in hint)


def test_the_unit_is_that_of_the_whole_column(tmp_path: Path) -> None:
    """What comes behind the first rows counts as well."""
    lines = [f"{A}_{start}_{start + 10_000}" for start in range(0, 200_000, 1000)]
    message, _ = complaint(tmp_path, "\n".join([*lines, f"{A}_0_10"]))
    assert message == "are the numbers in '1' seconds or milliseconds?"
    assert listing(tmp_path, "\n".join(lines)).remarks == ["columns: clip from '1' as {id}_{start}_{end} in ms"]


def test_a_cell_of_another_shape_is_left_out(tmp_path: Path) -> None:
    rows = [f"{A}_{number}_{number + 10}" for number in range(20)]
    found = listing(tmp_path, "\n".join([*rows, A, "", "#NAME?", f"{B}_30_20"]))
    assert len(list(found.clips)) == 20 and found.rows == 23
    assert [line.partition(": ")[2] for line in found.skipped] == [
        f"'{A}' is no clip such as {{id}}_{{start}}_{{end}}",
        "'#NAME?' is no clip such as {id}_{start}_{end}",
        "the end 20 is not after the start 30",
    ]


@pytest.mark.parametrize(
    ("header", "cell", "url"),
    [
        ("filename,onset,offset", f"{A}_20_30", "filename"),
        ("video_id,label", f"{A}_000030", "video_id"),
        ("segment_id,start_time_seconds", f"{A}_30000", "segment_id"),
        ("id,caption", f"{A}_000030", "id"),
        ("a,b", f"{A}_20_30", "a"),
        ("a,b", f"{A}_000030", "a"),
        # A column of ids comes before one of clips' names; a number behind an id may be that of a question.
        ("video_name,question_id", f"{A},v_{A}_3", "video_name"),
        ("video_id,clip_id,start,end", f"{A},{A}_0000090,1,2", "video_id"),
    ],
)
def test_the_column_of_clips(tmp_path: Path, header: str, cell: str, url: str) -> None:
    more = ",1,2"[: 2 * (header.count(",") - cell.count(","))] if "start,end" not in header else ",1,2"
    found = listing(tmp_path, f"{header}\n{cell}{more}\n")
    assert f"from '{url}'" in found.remarks[0]


def test_times_that_count_from_the_clip(tmp_path: Path) -> None:
    rows = [f"{A}_60_70\t8\t10\tdog", f"{A}_60_70\t0\t8\tcat", f"{B}_0_10\t0\t1\tcow"]
    content = "\n".join(["filename\tonset\toffset\tevent_labels", *rows])
    found = listing(tmp_path, content)
    assert times(found) == [(f"{A}_60_70", A, 60.0, 70.0), (f"{B}_0_10", B, 0.0, 10.0)]
    assert metas(found) == [{"event_labels": ["dog", "cat"]}, {"event_labels": ["cow"]}]
    assert found.remarks[1] == (
        "'onset', 'offset': counted from the clip, and not taken for times of the video; --keep-cols keeps them"
    )
    columns = Columns(keep=("onset", "offset", "event_labels"))
    assert metas(listing(tmp_path, content, columns=columns)) == [
        {"onset": ["8", "0"], "offset": ["10", "8"], "event_labels": ["dog", "cat"]},
        {"onset": ["0"], "offset": ["1"], "event_labels": ["cow"]},
    ]


def test_windows_that_count_from_the_clip(tmp_path: Path) -> None:
    row = {"qid": 7, "query": "x", "duration": 150, "vid": f"{A}_60.0_210.0", "relevant_windows": [[8, 20]]}
    found = listing(tmp_path, [row], "list.jsonl")
    assert times(found) == [(f"{A}_60.0_210.0", A, 60.0, 210.0)]
    assert found.remarks[1].startswith("'relevant_windows': counted from the clip")


@pytest.mark.parametrize(
    "content",
    [
        f"url,start,end\n{A},0,10\n{B},0,3\n{C},6,8\n",
        f"url,quality,start,end\n{A},hd,0,10\n{B},sd,0.5,3\n{C},hd,6,8\n",
    ],
)
def test_clips_of_the_first_ten_seconds_are_what_they_say(tmp_path: Path, content: str) -> None:
    """Some last all of them, none ends later: that alone makes no list one of events in a clip."""
    found = listing(tmp_path, content, "list.csv")
    assert [(clip.video, clip.end) for clip in found.clips] == [(A, 10.0), (B, 3.0), (C, 8.0)]


def test_times_that_may_count_from_a_clip_are_asked_about(tmp_path: Path) -> None:
    rows = [f"dog&{each}&good&{start}&{end}" for each, start, end in ((A, 0, 10), (B, 6, 8), (C, 0, 10))]
    message, hint = complaint(tmp_path, "\n".join(rows), "list.txt")
    assert "do the times in '4' and '5' count from the video, or from a ten-second clip of it?" in message
    assert "--start-col 4 --end-col 5" in hint and "--preset ave" in hint
    columns = Columns(start="4", end="5")
    assert len(list(listing(tmp_path, "\n".join(rows), "list.txt", columns=columns).clips)) == 3


EVENTS = f"filename\tonset\toffset\tlabel\n{A}_20_30\t1\t4\tdog\n{B}_0_10\t2\t5\tcat\n"


def test_what_is_said_of_times_beside_a_clip_is_believed(tmp_path: Path) -> None:
    """And told as it is."""
    found = listing(tmp_path, EVENTS, "list.tsv", columns=Columns(start="onset", end="offset"))
    assert times(found) == [(f"{A}_1_4", A, 1.0, 4.0), (f"{B}_2_5", B, 2.0, 5.0)]
    assert found.remarks[0] == (
        "columns: video from 'filename' as {id}_{start}_{end}, whose times do not count, start from 'onset', "
        "end from 'offset', kept 'label'"
    )
    found = listing(tmp_path, EVENTS, "list.tsv", columns=Columns(start="onset", end=""), clip_length=2.0)
    assert times(found) == [(f"{A}_1_3", A, 1.0, 3.0), (f"{B}_2_4", B, 2.0, 4.0)]
    assert found.remarks[0].endswith(", kept 'label', 2 s each")


def test_two_ends_of_a_clip(tmp_path: Path) -> None:
    message, hint = complaint(tmp_path, EVENTS, "list.tsv", columns=Columns(duration="offset"))
    assert message == (
        "list.tsv: the cells of 'filename' say where a clip ends (as {id}_{start}_{end}), and so does "
        "--duration-col offset"
    )
    assert hint == "leave --duration-col out, or name a column of starts too: --start-col"


@pytest.mark.parametrize(
    ("content", "chosen", "line"),
    [
        (f"{A}_20_30\n", {}, "clip from '1' as {id}_{start}_{end}"),
        (f"{A}_000020\n", {}, "clip from '1' as {id}_{start}, 10 s each"),
        (f"{A}_000020\n", {"clip_length": 3.0}, "clip from '1' as {id}_{start}, 3 s each"),
        (f"{A}_18000_28000\n{B}_0_10000\n", {}, "clip from '1' as {id}_{start}_{end} in ms"),
        (f"{A}_2,10,5\n{B}_30,10,7\n", {}, "clip from '1' as {id}_{start}, duration from '2'"),
        (f"v_{A}\n", {}, "video from '1' as v_{id}, whole videos"),
        (f"{A}_50_100\n", {"time_unit": "frames@25"},
            "clip from '1' as {id}_{start}_{end} in frames, times in frames at 25 a second"),
    ],
)  # fmt: skip
def test_the_line_says_what_was_read_as_what(
    tmp_path: Path, content: str, chosen: dict[str, Any], line: str
) -> None:
    assert listing(tmp_path, content, **chosen).remarks[0] == f"columns: {line}"

"""Units, lengths of videos, kept columns: what of a row's meaning does not stand in its cells alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avclips.core.errors import RunError
from avclips.core.settings import Columns
from avclips.lists.column_names import unit_in
from avclips.lists.meaning import Meaning
from avclips.lists.unique_clips import UniqueClips
from tests.support.list_of import ID, OTHER, THIRD, complaint, listing, metas, times

# -- units ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        *(
            (name, "s")
            for name in "start starts start_s end_sec times items status timestamps duration bonus".split()
        ),
        *((name, "ms") for name in "start_ms endMs start_time_ms time_start_ms duration_ms begin_msec".split()),
        *((name, "ms") for name in ("onset_millis", "stop_milliseconds", "offset ms", "clip_ms")),
        *((name, "us") for name in "start_us end_usec start_micros end_microseconds start_time_us".split()),
        *((name, "frames") for name in "start_frame frame_start endFrame begin_frames end_frame_idx".split()),
    ],
)
def test_a_unit_in_a_name(name: str, unit: str) -> None:
    assert unit_in(name) == unit


@pytest.mark.parametrize(
    ("content", "chosen"),
    [
        ("url,start_ms,end_ms\n{},1500,4250\n", {}),
        ("url,start_us,end_us\n{},1500000,4250000\n", {}),
        ("url,start_ms,end\n{},1500,4250\n", {}),
        ("url,start_ms,duration_ms\n{},1500,2750\n", {}),
        ("url,start,duration_ms\n{},1.5,2750\n", {}),
        ("url,start_ms,end_ms\n{},0:01.5,0:04.25\n", {}),
        ("url,start_ms\n{},1500\n", {"clip_length": 2.75}),
        ("url,start_frame,end_frame,fps\n{},36,102,24\n", {}),
        ("url,start_frame,end_frame,rate\n{},36,102,24\n", {"columns": Columns(fps="rate")}),
        ("url,start_frame,end_frame\n{},36,102\n", {"time_unit": "frames@24"}),
        ("url,start,end,video_fps\n{},36,102,24\n", {"time_unit": "frames"}),
        ("url,start,end\n{},1500,4250\n", {"time_unit": "ms"}),
        ("{},1500,4250\n", {"time_unit": "ms"}),
        ("{},1500000,4250000\n", {"time_unit": "us", "columns": Columns(start="2", end="3")}),
        ("url,start_ms,end_ms\n{},1.5,4.25\n", {"time_unit": "s"}),
        ('url,clips\n{},"[[1500, 4250]]"\n', {"time_unit": "ms"}),
        ('url,span_ms\n{},"[1500, 4250]"\n', {"columns": Columns(clip="span_ms")}),
        ('url,idx,fps\n{},"[36, 102]",24\n', {"time_unit": "frames", "columns": Columns(clip="idx")}),
    ],
)
def test_times_in_a_unit(tmp_path: Path, content: str, chosen: dict[str, Any]) -> None:
    assert times(listing(tmp_path, content.format(ID), **chosen)) == [(f"{ID}_1.5_4.25", ID, 1.5, 4.25)]


def test_frames_of_each_video(tmp_path: Path) -> None:
    content = f"url,start_frame,end_frame,fps\n{ID},25,50,25\n{OTHER},25,50,50\n{THIRD},25,50,\n{ID},1,2,x\n"
    found = listing(tmp_path, content)
    assert [(clip.start, clip.end) for clip in found.clips] == [(1.0, 2.0), (0.5, 1.0)]
    assert [line.partition(": ")[2] for line in found.skipped] == ["no frames a second in 'fps'"] * 2
    assert found.remarks[0].endswith("fps from 'fps', times in frames")


def test_frames_without_a_rate(tmp_path: Path) -> None:
    message, hint = complaint(tmp_path, f"url,start_frame,end_frame\n{ID},1,2\n")
    assert message == "list.csv has times in frames: how many are a second?"
    assert "--fps-col" in hint and "--time-unit frames@25" in hint


# -- how long the video is -----------------------------------------------------------------------------------

FRAMES = {"video_id": ID, "video_duration": 734.56, "video_fps": 25.0, "clip_duration": 6.12,
          "clip_start_end_idx": [11391, 11544]}  # fmt: skip


def test_it_is_the_column_that_holds_the_times_which_is_asked_about(tmp_path: Path) -> None:
    message, hint = complaint(tmp_path, [FRAMES], "list.json")
    assert message.startswith("list.json: is 'clip_start_end_idx' a time of the clips?")
    assert "--time-unit frames --fps-col video_fps" in hint
    columns = Columns(clip="clip_start_end_idx", fps="video_fps")
    found = listing(tmp_path, [FRAMES], "list.json", columns=columns, time_unit="frames")
    assert times(found) == [(f"{ID}_455.64_461.76", ID, 455.64, 461.76)]


def test_clips_behind_their_video(tmp_path: Path) -> None:
    columns = Columns(clip="clip_start_end_idx")
    message, hint = complaint(tmp_path, [FRAMES], "list.json", columns=columns)
    assert message == (
        "list.json: most clips end behind their video, the first at 11544 s of 734.56 ('video_duration')"
    )
    assert "--time-unit" in hint and '--duration-col ""' in hint
    columns = Columns(clip="clip_start_end_idx", duration="")
    assert len(list(listing(tmp_path, [FRAMES], "list.json", columns=columns).clips)) == 1


@pytest.mark.parametrize("name", ["duration", "video_duration", "length"])
def test_a_clip_behind_its_video_is_left_out(tmp_path: Path, name: str) -> None:
    rows = [f"{ID},{start},{start + 10},100" for start in (0, 30, 60, 90)]
    content = f"url,start,end,{name}\n" + "\n".join([*rows, f"{OTHER},95,100.9,100", f"{OTHER},95,105,100", ""])
    found = listing(tmp_path, content)
    assert len(list(found.clips)) == 5
    assert found.skipped == [f"list.csv, line 7: the end 105 is behind the video, which has 100 s ('{name}')"]


@pytest.mark.parametrize("duration", ["10", "", "x"])
def test_how_long_a_clip_is_beside_its_end(tmp_path: Path, duration: str) -> None:
    found = listing(tmp_path, f"url,start,end,duration\n{ID},60,70,{duration}\n{OTHER},80,90,10\n")
    assert len(list(found.clips)) == 2 and found.skipped == []


# -- what is kept --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "keep", "said"),
    [
        # Every row's value is kept, and a column is of one kind.
        (f"url,start,end,label\n{ID},1,2,a\n{ID},1,2,b\n{OTHER},1,2,c\n", (), [
            {"label": ["a", "b"]}, {"label": ["c"]}]),
        (f"url,start,end,label,split\n{ID},1,2,a,x\n{ID},1,2,b,x\n{OTHER},1,2,c,x\n", ("label", "split"), [
            {"label": ["a", "b"], "split": "x"}, {"label": ["c"], "split": "x"}]),
        (f"url,start,end,label\n{ID},1,2,a\n{ID},1,2,a\n", (), [{"label": "a"}]),
        # The same row twice is one; each list has a value for each of the others.
        (f"url,start,end,n,m\n{ID},1,2,a,x\n{ID},1,2,a,y\n{ID},1,2,b,x\n{ID},1,2,a,x\n", ("n", "m"), [
            {"n": ["a", "a", "b"], "m": ["x", "y", "x"]}]),
        (f"url,start,end,n,caption\n{ID},1,2,7,a\n{ID},1,2,8,a\n{ID},1,2,9,\n", ("n",), [
            {"n": ["7", "8", "9"], "caption": "a"}]),
        (f"url,start,end,n,caption\n{ID},1,2,7,\n{ID},1,2,8,a\n{ID},1,2,9,b\n", ("n",), [
            {"n": ["7", "8", "9"], "caption": "a", "captions": [None, "a", "b"]}]),
    ],
)  # fmt: skip
def test_what_all_rows_of_a_clip_say(tmp_path: Path, content: str, keep: tuple[str, ...], said: list[Any]) -> None:
    assert metas(listing(tmp_path, content, columns=Columns(keep=keep))) == said


@pytest.mark.parametrize(
    ("header", "columns", "said"),
    [
        ("text,caption", Columns(caption="text", keep=("caption",)), {"caption": "1", "list_caption": "2"}),
        ("text,Caption", Columns(caption="text", keep=("Caption",)), {"caption": "1", "list_Caption": "2"}),
        ("text,captions", Columns(caption="text", keep=("captions",)), {"caption": "1", "list_captions": "2"}),
        ("caption,x", Columns(caption="", keep=("caption",)), {"list_caption": "1"}),
        ("caption,x", Columns(keep=("caption",)), {"caption": "1"}),
        ("link,x", Columns(keep=("url",)), {"list_url": ID}),
        # As the tables of shards call them, in capitals or not.
        ("Title,list_title", Columns(keep=("Title", "list_title")), {"Title": "1", "list_title": "2"}),
        ("foo,Foo", Columns(keep=("foo", "Foo")), {"foo": "1", "list_Foo": "2"}),
        ("youtube_id,x", Columns(url="url", keep=("youtube_id",)), {"list_youtube_id": "1"}),
    ],
)
def test_names_that_are_taken(tmp_path: Path, header: str, columns: Columns, said: dict[str, Any]) -> None:
    found = listing(tmp_path, f"url,start,end,{header}\n{ID},1,2,1,2\n", columns=columns)
    assert metas(found) == [said]
    renamed = [name for name in said if name not in header.split(",") and name.startswith("list_")]
    assert any(f"as {name!r}" in remark for name in renamed for remark in found.remarks) is bool(renamed)


# -- every row is a clip's, or left out ----------------------------------------------------------------------


def test_rows_are_counted(tmp_path: Path) -> None:
    content = f"url,start,end\n{ID},1,2\n{ID},1,2\nx,1,2\n\n{OTHER},3,1\n{OTHER},1,3\n"
    found = listing(tmp_path, content)
    assert (found.rows, len(found.skipped), len(list(found.clips))) == (5, 2, 2)


def test_a_row_that_is_lost_is_a_fault_of_ours() -> None:
    book = UniqueClips(Meaning(Columns(url="url", start="start", end="end"), None))
    book.take({"url": ID, "start": 1, "end": 2})
    book.see_that_nothing_is_lost(3, 2, None)
    book.see_that_nothing_is_lost(1, 0, 1)
    for rows, left_out, counted in ((2, 0, None), (1, 0, 2), (1, 1, None)):
        with pytest.raises(RunError, match="by another count"):
            book.see_that_nothing_is_lost(rows, left_out, counted)

"""Columns: what the names of public lists are taken for, presets, and what is said of a name that is not there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avclips.core.errors import UsageError
from avclips.core.settings import Columns, Settings
from avclips.lists.column_guesses import header_test
from avclips.lists.columns import about, delimiter_of_list, find_columns, looks_of
from avclips.lists.reader import open_table
from avclips.lists.table import Table

ID, OTHER = "abcde-ghij0", "_bcdefghijk"
URL = f"https://www.youtube.com/watch?v={ID}"


def table(folder: Path, content: str, asked: Settings, name: str = "list.csv") -> Table:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return open_table(path, "utf-8", looks_of(asked), delimiter_of_list(asked))


def found(folder: Path, content: str, name: str = "list.csv", **settings: Any) -> Columns:
    asked = Settings(folder, **settings)
    columns = find_columns(table(folder, content, asked, name), asked)
    # Whether a later address may have times is a question of its own.
    return replace(columns, in_url=bool(columns.in_url))


def complaint(folder: Path, content: str, **settings: Any) -> tuple[str, str]:
    with pytest.raises(UsageError) as caught:
        found(folder, content, **settings)
    return str(caught.value).replace(str(folder / "list.csv"), "LIST"), caught.value.hint


# -- guesses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "row", "columns"),
    [
        ("url", ID, Columns(url="url")),
        ("videoID,start,end", f"{ID},1,2", Columns("videoID", "start", "end")),
        ("YTID,start_seconds,end_seconds,positive_labels", f"{ID},1,2,x",
            Columns("YTID", "start_seconds", "end_seconds", keep=("positive_labels",))),
        ("label,youtube_id,time_start,time_end,split", f"x,{ID},1,2,train",
            Columns("youtube_id", "time_start", "time_end", keep=("label",))),
        ("video_id,start_time,duration,suffix,has_flip", f"{ID},0:01,1:00,,N",
            Columns("video_id", "start_time", duration="duration")),
        ("YoutubeID,Start_timestamp,End_timestamp,Caption", f"{ID},00:00:01.5,00:00:02.0,x",
            Columns("YoutubeID", "Start_timestamp", "End_timestamp", caption="Caption")),
        ("videoID,url,timestamp,caption,matching_score", f'''{ID},{URL},"[['0:01', '0:02']]","['x']",[0.4]''',
            Columns("url", clip="timestamp", caption="caption")),
        ("clip_id,video_url,video_id,timestamp,text", f'''7,{URL},a/b.mp4,"['00:00:01', '00:00:02']",x''',
            Columns("video_url", clip="timestamp", id="clip_id", caption="text")),
        # The id of a clip that is called the video's, beside the address.
        ("videoID,url,start,end", f"{ID}_0,{URL},1,2", Columns("url", "start", "end")),
        ("video_id,url,start time,end time,id", f"video0,{URL},1,2,0",
            Columns("url", "start time", "end time", id="id")),
        ("url,start,end", "https://vimeo.com/1,1,2", Columns("url", "start", "end")),
        # What is on YouTube comes before other addresses, and addresses before other words.
        ("url,youtube_id", f"https://x.example/1,{ID}", Columns("youtube_id")),
        ("video,link", "one.mp4,https://x.example/1", Columns("link")),
        ("link,ytid", "x,y", Columns("link")),
        ("id,start,end", f"{ID},1,2", Columns("id", "start", "end")),
        ("ID,video", f"{ID},one.mp4", Columns("ID")),
        ("Video,Begin,End,Description", f"{ID},1,2,x", Columns("Video", "Begin", "End", caption="Description")),
        ("segment_id,yt_id,segment_start,segment_end", f"x1,{ID},1,2",
            Columns("yt_id", "segment_start", "segment_end", id="segment_id")),
        ("url,t_start,t_end", f"{URL},1,2", Columns("url", "t_start", "t_end")),
        ("url,start,end,duration", f"{URL},1,2,300", Columns("url", "start", "end")),
        # Without a start, it is how long the video is.
        ("url,title,duration", f"{URL},x,300", Columns("url")),
        ("url,end", f"{URL},300", Columns("url", end="end")),
        # An id that is the video's, of more than one row, or no name of a file, is not the clip's.
        ("url,id,start,end", f"{URL},{ID},1,2", Columns("url", "start", "end")),
        ("url,id,start,end", f"{URL},x,1,2\n{URL},x,3,4", Columns("url", "start", "end")),
        ("url,id,start,end", f"{URL},a/b,1,2", Columns("url", "start", "end")),
        ("url,id,start,end", f"{URL},x.1,1,2\n{URL},x.2,3,4", Columns("url", "start", "end", id="id")),
        # A timestamp may be a date.
        ("url,timestamp,start,end", f"{URL},2020-01-01,1,2", Columns("url", "start", "end")),
        ("url,timestamp", f"{URL},2020-01-01", Columns("url")),
        ("url,segments", f'{URL},\n{URL},"[[1,2],[3,4]]"', Columns("url", clip="segments")),
        ("url,clip", f"{URL},one.mp4", Columns("url")),
    ],
)  # fmt: skip
def test_a_guess_from_names(tmp_path: Path, header: str, row: str, columns: Columns) -> None:
    assert found(tmp_path, f"{header}\n{row}\n") == columns
    assert found(tmp_path, f"\ufeff{header.upper()}\r\n{row}\r\n") == Columns(
        *(getattr(columns, role) and getattr(columns, role).upper() for role in
          ("url", "start", "end", "duration", "clip", "id", "caption")),
        keep=tuple(name.upper() for name in columns.keep),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (ID, Columns("1")),
        (f"{URL}\n{OTHER}\n", Columns("1")),
        ("https://vimeo.com/1", Columns("1")),
        (f"{ID},1.5,2", Columns("1", "2", "3")),
        (f"{ID},0:01,0:02,x,0.5", Columns("1", "2", "3")),
        (f'{ID}, 30.000, 40.000, "/m/09x0r,/t/dd00088"', Columns("1", "2", "3")),
        (f'shard-000000,{ID}_069.mp4,{ID},"[69, 79]"', Columns("3", clip="4")),
        # A word of eleven letters is not as many videos as there are videos.
        (f"shard-00000,{ID}\nshard-00000,{OTHER}", Columns("2")),
        (f"0,{ID},1,2", Columns("2", "3", "4")),
        (f"{ID},x,1,y,2", Columns("1", "3", "5")),
        # A label that is a usual name is no header.
        (f"{ID},1,2,video", Columns("1", "2", "3")),
        # A wrong row among right ones.
        (f"{ID},1,2\nx,y,z\n{OTHER},1,2\n{OTHER},3,4", Columns("1", "2", "3")),
        (f'{URL}\t{{"Title":"x"}}', Columns("1")),
    ],
)
def test_a_guess_without_a_header(tmp_path: Path, content: str, columns: Columns) -> None:
    ending = "tsv" if "\t" in content else "csv"
    assert found(tmp_path, content, f"list.{ending}") == columns


@pytest.mark.parametrize("content", [f"{ID},1,people marching,test", f"{ID},10,3", f"{ID},10,20\n{OTHER},30,20"])
def test_a_start_alone_without_a_header(tmp_path: Path, content: str) -> None:
    message, hint = complaint(tmp_path, content)
    assert message == "LIST says where a clip starts ('2'), not where it ends"
    assert all(option in hint for option in ("--end-col", "--duration-col", "--clip-length"))
    assert found(tmp_path, content, clip_length=10.0) == Columns("1", "2")


def test_a_length_that_is_said_makes_the_second_number_no_end(tmp_path: Path) -> None:
    assert found(tmp_path, f"{ID},10,500", clip_length=10.0) == Columns("1", "2")
    assert found(tmp_path, f"url,start,end\n{ID},10,500", clip_length=10.0) == Columns("url", "start", "end")


@pytest.mark.parametrize(
    ("cells", "asked", "header"),
    [
        (["videoID", "x"], Columns(), True),
        (["description", "x"], Columns(), True),
        ([" Video ID ", "x"], Columns(), True),
        (["a", "b"], Columns(), True),
        # A row whose video is broken is a row all the same; pandas numbers what has no names.
        (["a", "12"], Columns(), False),
        (["#NAME?", "x"], Columns(), False),
        (["0", "1", "2"], Columns(), True),
        (["video", "0:12"], Columns(), False),
        ([f"{ID}_20_30", "x"], Columns(), False),
        ([f"v_{ID}_000030.mp4", "x"], Columns(), False),
        ([ID, "12"], Columns(), False),
        ([ID, "start"], Columns(), True),
        ([ID, "start", "12"], Columns(), False),
        ([ID, "0:12", "text"], Columns(), False),
        ([URL, "x"], Columns(), False),
        (["https://vimeo.com/1"], Columns(), False),
        (["elevenChars", "mine"], Columns(), False),
        # A word is a word.
        (["event_label", "mine"], Columns(), True),
        (["elevenchars", "mine"], Columns(url="mine"), True),
        (["elevenchars", "mine", "1"], Columns(keep=("mine",)), True),
        # Numbers are the names of columns without names.
        ([ID, "1", "2"], Columns(url="1", start="2"), False),
        # Who counts columns says that they have no names: no row is lost to a word in it.
        ([ID, "video"], Columns(url="1"), False),
        (["speech", ID], Columns(url="2"), False),
        (["elevenchars", "mine"], Columns(url="1"), False),
        ([f"{ID}_000030", "label"], Columns(url="1"), False),
        ([ID, "start"], Columns(keep=("2",)), False),
        # But what cannot be a clip.
        (["youtube_id", "label"], Columns(url="1"), True),
        (["description", "label"], Columns(url="1"), True),
        ([ID, "start"], Columns(url="2"), True),
        ([ID, "start"], Columns(url="7"), True),
        (["0", "1"], Columns(url="1"), True),
    ],
)
def test_what_a_header_is(cells: list[str], asked: Columns, header: bool) -> None:
    assert header_test(asked)(cells) is header


WHO_KNOWS = (
    "LIST: the addresses in 'url' say where a clip starts (at 90 s), not where it ends",
    'say the seconds of each with --clip-length, or that whole videos are meant: --start-col ""',
)


@pytest.mark.parametrize(
    ("content", "asked", "in_url"),
    [
        (f"url\n{URL}&start=30&end=40\n", {}, True),
        (f"url,label\n{URL}\n{URL}&start=30&end=40\n", {}, True),
        (f"url,n\n{URL}&start=30&end=40,7\n", {}, True),
        (f"url\n{URL}&end=40\n", {}, True),
        (f"url\n{URL}&t=90\n", {"clip_length": 10.0}, True),
        (f"url,duration\n{URL}&t=90,10\n", {"columns": Columns(duration="duration")}, True),
        (f"url,end\n{URL}&t=90,100\n", {}, True),
        (f"url\n{URL}\n", {}, None),
        (f"url\n{URL}&t=0\n", {}, None),
        (f"url\n{URL}&t=soon\n", {}, None),
        (f"url\n{URL}\n", {"clip_length": 10.0}, None),
        ("url\nhttps://x.example/a?t=90\n", {}, None),
        # A column says it better, or somebody that there is none.
        (f"url,start,end\n{URL}&start=30&end=40,1,2\n", {}, False),
        (f'url,clips\n{URL}&t=90,"[[1, 2]]"\n', {}, False),
        (f"url\n{URL}&t=90\n", {"columns": Columns(start="")}, False),
        (f"url\n{URL}&start=30&end=40\n", {"columns": Columns(start="")}, False),
        (f"url\n{URL}&t=90\n", {}, WHO_KNOWS),
        (f"url\n{URL}\n{URL}&t=1m30s\n", {}, WHO_KNOWS),
        (f"url,duration\n{URL}&t=90,300\n", {}, WHO_KNOWS),
    ],
)  # fmt: skip
def test_times_in_addresses(tmp_path: Path, content: str, asked: dict[str, Any], in_url: Any) -> None:
    if in_url == WHO_KNOWS:
        assert complaint(tmp_path, content, **asked) == WHO_KNOWS
    else:
        settings = Settings(tmp_path, **asked)
        assert find_columns(table(tmp_path, content, settings), settings).in_url is in_url


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"url": URL, "annotations": [{"segment": [1, 2], "label": "x"}]}, "annotations"),
        ({"url": URL, "events": [[1.5, 2.5], [3, 4]]}, "events"),
        ({"url": URL, "windows": "[[1, 2]]"}, "windows"),
        # It is called as clips are, and cannot be read as such.
        ({"url": URL, "clip": [{"clip_id": "x.0.mp4", "frames": [0, 250]}]}, "clip"),
        ({"url": URL, "timestamps": {"0": "a"}}, "timestamps"),
        ({"url": URL, "segments": "[[1, 2, 'x']]"}, "segments"),
    ],
)
def test_several_times_are_not_overlooked(tmp_path: Path, record: dict[str, Any], name: str) -> None:
    with pytest.raises(UsageError, match=f"is '{name}' a time of the clips") as caught:
        found(tmp_path, json.dumps([record]), "list.json")
    assert caught.value.hint == 'name it with --clip-col, or say that there is none: --start-col ""'
    assert found(tmp_path, json.dumps([record]), "list.json", columns=Columns(start="")).url == "url"


@pytest.mark.parametrize("cell", [["a", "b"], [640, 360], [1], [], {}, "[music]", {"a": 1}])
def test_what_is_no_list_of_times(tmp_path: Path, cell: Any) -> None:
    assert found(tmp_path, json.dumps([{"url": URL, "tags": cell}]), "list.json") == Columns("url")


# -- what is asked for -----------------------------------------------------------------------------------------

LISTED = "url,link,begin,end,duration,timestamp,id,caption,note"
ROW = f'{URL},{URL},1,2,3,"[[1, 2]]",x,words,n'


@pytest.mark.parametrize(
    ("asked", "columns"),
    [
        (Columns(), Columns("url", "begin", "end", id="id", caption="caption")),
        (Columns(url="link"), Columns("link", "begin", "end", id="id", caption="caption")),
        (Columns(end="duration"), Columns("url", "begin", "duration", id="id", caption="caption")),
        (Columns(duration="duration"), Columns("url", "begin", None, "duration", id="id", caption="caption")),
        (Columns(start="note"), Columns("url", "note", "end", id="id", caption="caption")),
        (Columns(clip="timestamp"), Columns("url", clip="timestamp", id="id", caption="caption")),
        (Columns(id="note"), Columns("url", "begin", "end", id="note", caption="caption")),
        (Columns(caption="note"), Columns("url", "begin", "end", id="id", caption="note")),
        (Columns(caption="id"), Columns("url", "begin", "end", caption="id")),
        (Columns(keep=("note", "id")),
            Columns("url", "begin", "end", id="id", caption="caption", keep=("note", "id"))),
        # An empty name is for none.
        (Columns(id="", caption=""), Columns("url", "begin", "end")),
        (Columns(start="", end=""), Columns("url", id="id", caption="caption")),
        (Columns(end=""), Columns("url", "begin", None, None, id="id", caption="caption")),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_taken(tmp_path: Path, asked: Columns, columns: Columns) -> None:
    assert found(tmp_path, f"{LISTED}\n{ROW}\n", columns=asked, clip_length=5.0) == columns


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        (Columns(start="strat"), "LIST has no column 'strat' (--start-col): its columns are 'url', 'start'",
            "did you mean 'start'?"),
        (Columns(url="URL"), "LIST has no column 'URL' (--url-col)", "did you mean 'url'?"),
        (Columns(end="zzz"), "LIST has no column 'zzz' (--end-col)", "name one of these"),
        (Columns(duration="1"), "LIST has no column '1' (--duration-col)",
            "its columns have names (a first row that names no clip is a header): did you mean 'url'?"),
        (Columns(duration="7"), "LIST has no column '7' (--duration-col)", "name one of these"),
        (Columns(clip="x"), "LIST has no column 'x' (--clip-col)", "name one of these"),
        (Columns(id="x"), "LIST has no column 'x' (--id-col)", "name one of these"),
        (Columns(caption="x"), "LIST has no column 'x' (--caption-col)", "name one of these"),
        (Columns(keep=("url", "x")), "LIST has no column 'x' (--keep-cols)", "name one of these"),
        (Columns(clip="a", start="b"), "--clip-col and --start-col exclude each other", "give one of them"),
        (Columns(clip="a", end="b"), "--clip-col and --end-col exclude each other", "give one of them"),
        (Columns(clip="a", duration="b"), "--clip-col and --duration-col exclude each other", "give one of them"),
        (Columns(end="a", duration="b"), "--end-col and --duration-col exclude each other", "give one of them"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant(tmp_path: Path, asked: Columns, message: str, hint: str) -> None:
    said = complaint(tmp_path, f"url,start\n{URL},1\n", columns=asked)
    assert said[0].startswith(message) and said[1] == hint


def test_a_wrong_name_without_a_header(tmp_path: Path) -> None:
    message, _ = complaint(tmp_path, f"{ID},1,2\n", columns=Columns(url="4"))
    assert message == "LIST has no column '4' (--url-col): without a header, they are '1', '2', '3'"


@pytest.mark.parametrize(
    "content", ["a,b\nx,y\n", "index,mid,display_name\n0,/m/09x0r,Speech\n", "id,start\n7,1\n"]
)
def test_no_video_column(tmp_path: Path, content: str) -> None:
    message, hint = complaint(tmp_path, content)
    names = ", ".join(map(repr, content.partition("\n")[0].split(",")))
    assert message == f"no column of LIST is known to name a video: its columns are {names}"
    assert "--url-col" in hint


def test_no_more_columns_are_listed_than_can_be_read(tmp_path: Path) -> None:
    message, _ = complaint(tmp_path, ",".join(f"a{n}" for n in range(1000)) + "\n" + "x," * 1000)
    assert len(message) < 400 and message.endswith("'a29', ...")


def test_the_columns_of_json_are_those_of_its_first_records(tmp_path: Path) -> None:
    records = [{"url": URL}, {"url": URL, "start": 1, "end": 2, "caption": "x"}]
    assert found(tmp_path, json.dumps(records), "list.json") == Columns("url", "start", "end", caption="caption")


# -- presets: each is tried in test_presets.py ------------------------------------------------------------------


def test_a_preset_gives_way_to_what_is_asked(tmp_path: Path) -> None:
    content = f"label,youtube_id,time_start,time_end,seconds\nx,{ID},1,11,9\n"
    asked = Columns(duration="seconds", keep=("time_end",))
    columns = Columns("youtube_id", "time_start", duration="seconds", keep=("time_end",))
    assert found(tmp_path, content, preset="kinetics", columns=asked) == columns


def test_a_list_that_is_not_the_presets(tmp_path: Path) -> None:
    message, hint = complaint(tmp_path, f"label,youtube_id,start,end\nx,{ID},1,2\n", preset="kinetics")
    assert message.startswith("LIST has no column 'time_start' (--preset kinetics): its columns are 'label'")
    takes = "'youtube_id', 'time_start', 'time_end' (and mostly 'label', 'split', 'is_cc')"
    assert hint == (
        f"is it the list of Kinetics-400, 600, 700, which has {takes}? without --preset, columns are guessed"
    )


def test_a_list_that_is_another_presets(tmp_path: Path) -> None:
    content = f"audiocap_id,youtube_id,start_time,caption\n1,{ID},1,x\n"
    _, hint = complaint(tmp_path, content, preset="kinetics")
    assert hint.endswith("? did you mean --preset audiocaps?")
    message, hint = complaint(tmp_path, content, preset="ave")
    assert message.startswith("LIST has no column 'VideoID' (--preset ave): its columns are ")
    assert ", or '2' (and mostly '1', '3', '4', '5')? without --preset, columns are guessed" in hint


# -- what is said ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "length", "line"),
    [
        (Columns("url"), None, "video from 'url', whole videos"),
        (Columns("url"), 10.0, "video from 'url', 10 s each"),
        (Columns("videoID", "start", "end"), 10.0, "video from 'videoID', start from 'start', end from 'end'"),
        (Columns("1", "2"), 2.5, "video from '1', start from '2', 2.5 s each"),
        (Columns("1", "2", duration="3"), None, "video from '1', start from '2', duration from '3'"),
        (Columns("1", in_url=True), None, "video from '1', times from the addresses"),
        (Columns("1", in_url=True), 10.0, "video from '1', times from the addresses, 10 s each"),
        (Columns("1", duration="3", in_url=True), None,
            "video from '1', duration from '3', times from the addresses"),
        (Columns("1", in_url=None), None, "video from '1', whole videos"),
        (Columns("u", clip="c", id="i", caption="t", keep=("a", "b")), None,
            "video from 'u', clip from 'c', id from 'i', caption from 't', kept 'a', 'b'"),
    ],
)  # fmt: skip
def test_the_guess_in_one_line(columns: Columns, length: float | None, line: str) -> None:
    assert about(columns, length) == f"columns: {line}"


def test_a_column_of_ids_beside_one_of_addresses(tmp_path: Path) -> None:
    """Whoever keeps both fills the ids for YouTube alone."""
    rows = [f"https://youtu.be/abcde-ghij{n},abcde-ghij{n},1,2" for n in range(4)]
    rows += [f"https://vimeo.com/{n},,1,2" for n in range(6)]
    content = "\n".join(["url,youtube_id,start,end", *rows])
    assert found(tmp_path, content).url == "url"
    assert found(tmp_path, "\n".join(["url,youtube_id,start,end", *rows[:4]])).url is not None

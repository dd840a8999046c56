"""A user's list of clips: cells as values, rows as clips, rows that are left out, and public lists in small."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avclips.core.errors import UsageError
from avclips.core.files import is_plain_name
from avclips.core.model import Clip
from avclips.core.settings import Columns, Settings
from avclips.core.sites import watch_url
from avclips.datasets.base import Listing
from avclips.datasets.clip_list import CLIPS, read_clips

ID, OTHER, THIRD = "abcde-ghij0", "_bcdefghijk", "-abcdefghij"
VIMEO = "https://vimeo.com/123"
MANY = settings(
    deadline=None,
    derandomize=True,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def listing(folder: Path, content: Any, name: str = "list.csv", **chosen: Any) -> Listing:
    path = folder / name
    if isinstance(content, str):
        path.write_bytes(content.encode("utf-8", "surrogatepass"))
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in content))
    elif path.suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(content), path)
    else:
        path.write_text(json.dumps(content))
    return read_clips(folder, Settings(folder, clip_list=path, **chosen))


def brief(found: Listing) -> list[tuple[str, str, float, float | None]]:
    return [(clip.id, clip.video, clip.start, clip.end) for clip in found.clips]


def metas(found: Listing) -> list[dict[str, Any]]:
    return [dict(clip.meta) for clip in found.clips]


# -- rows ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "chosen", "clips"),
    [
        (f"url,start,end\n{ID},1,2.5\n", {}, [(f"{ID}_1_2.5", ID, 1.0, 2.5)]),
        (f"url,start,end\nhttps://youtu.be/{ID}?t=9,0:01,1:02:03.5\n", {}, [(f"{ID}_1_3723.5", ID, 1.0, 3723.5)]),
        (f"url,start,duration\n{ID},0.1,0.2\n", {}, [(f"{ID}_0.1_0.3", ID, 0.1, 0.3)]),
        (f"url,start\n{ID},69\n", {"clip_length": 10.0}, [(f"{ID}_69_79", ID, 69.0, 79.0)]),
        (f"url,start,end\n{ID},69,\n{ID},1,2\n", {"clip_length": 10.0}, [
            (f"{ID}_69_79", ID, 69.0, 79.0), (f"{ID}_1_2", ID, 1.0, 2.0)]),
        (f"url\n{ID}\n", {"clip_length": 10.0}, [(f"{ID}_0_10", ID, 0.0, 10.0)]),
        (f"url,end\n{ID},9\n", {}, [(f"{ID}_0_9", ID, 0.0, 9.0)]),
        (f"url,duration\n{ID},9\n", {}, [(ID, ID, 0.0, None)]),
        (f"url,duration\n{ID},9\n", {"columns": Columns(duration="duration")}, [(f"{ID}_0_9", ID, 0.0, 9.0)]),
        (f"url\n{ID}\n", {}, [(ID, ID, 0.0, None)]),
        (f"url,start,end,id\n{ID},1,2,x-1\n", {}, [("x-1", ID, 1.0, 2.0)]),
        (f"url,id\n{ID},x.1\n", {}, [("x.1", ID, 0.0, None)]),
        (f"url,clips\n{ID},\"[[1, 2], ['0:03', '0:04']]\"\n", {}, [
            (f"{ID}_1_2", ID, 1.0, 2.0), (f"{ID}_3_4", ID, 3.0, 4.0)]),
        (f'url,clips,id\n{ID},"[[1, 2], [3, 4]]",x\n{OTHER},"[[5, 6]]",y\n', {}, [
            ("x_0", ID, 1.0, 2.0), ("x_1", ID, 3.0, 4.0), ("y", OTHER, 5.0, 6.0)]),
        (f"a,b,c\n{ID},1,2\n", {"columns": Columns("a", "b", "c")}, [(f"{ID}_1_2", ID, 1.0, 2.0)]),
        (f"{ID},x,1,2\n", {"columns": Columns(start="3", duration="4")}, [(f"{ID}_1_3", ID, 1.0, 3.0)]),
        # All clips of a video stand together, where its first stands.
        (f"url,start,end\n{ID},5,6\n{OTHER},1,2\n{ID},1,2\n{OTHER},0,1\n", {}, [
            (f"{ID}_5_6", ID, 5.0, 6.0), (f"{ID}_1_2", ID, 1.0, 2.0),
            (f"{OTHER}_1_2", OTHER, 1.0, 2.0), (f"{OTHER}_0_1", OTHER, 0.0, 1.0)]),
        # Each once: by its span, or by its id.
        (f"url,start,end\n{ID},1,2\nyoutu.be/{ID},1.0,0:02\n", {}, [(f"{ID}_1_2", ID, 1.0, 2.0)]),
        (f"url,start,end,id\n{ID},1,2,x\n{ID},1,2,x\n", {"columns": Columns(id="id")}, [("x", ID, 1.0, 2.0)]),
        (f"url,start,end,id\n{ID},1,2,x\n{ID},1,2,y\n", {}, [("x", ID, 1.0, 2.0), ("y", ID, 1.0, 2.0)]),
        (f'url,clips\n{ID},"[[1, 2], [1, 2]]"\n', {}, [(f"{ID}_1_2", ID, 1.0, 2.0)]),
    ],
)  # fmt: skip
def test_rows_as_clips(tmp_path: Path, content: str, chosen: dict[str, Any], clips: list[Any]) -> None:
    found = listing(tmp_path, content, **chosen)
    assert brief(found) == clips and found.skipped == [] and found.files == {}
    assert found.remarks[0].partition(": ")[0] == "columns"
    assert all(
        is_plain_name(clip.id) and found.url_of(clip.video) == watch_url(clip.video) for clip in found.clips
    )


@pytest.mark.parametrize(
    ("content", "chosen", "captions"),
    [
        (f"url,start,end,text\n{ID},1,2,a\n{ID},1,2,b\n{ID},1,2,a\n{ID},1,2,c\n", {}, ["a", "b", "c"]),
        (f"url,start,end,text\n{ID},1,2,a\n{ID},1,2,a\n", {}, None),
        (f"url,start,end,text\n{ID},1,2,\n{ID},1,2,a\n{ID},1,2,b\n", {}, ["a", "b"]),
        (f"youtube_id,start_time,caption\n{ID},1,a\n{ID},1,b\n", {"preset": "audiocaps"}, ["a", "b"]),
    ],
)
def test_a_clip_that_is_described_several_times(
    tmp_path: Path, content: str, chosen: dict[str, Any], captions: list[str] | None
) -> None:
    found = listing(tmp_path, content, **chosen)
    (clip,) = found.clips
    assert (clip.meta["caption"], clip.meta.get("captions")) == ("a", captions)
    rows = content.count("\n") - 1
    assert found.remarks[-1] == f"{rows - 1} rows name a clip that an earlier row names: it is fetched once"


@pytest.mark.parametrize(
    ("address", "start"),
    [
        *(
            (f"https://youtu.be/{ID}?t=42", 42),
            (f"youtu.be/{ID}?t=42s", 42),
            (f"https://youtu.be/{ID}#t=1m5s", 65),
        ),
        *((f"https://www.youtube.com/watch?v={ID}&t=1h2m3s", 3723), (f"https://youtu.be/{ID}?start=7", 7)),
        *((f"https://youtu.be/{ID}", 0), (f"https://youtu.be/{ID}?t=", 0), (f"https://youtu.be/{ID}?t=soon", 0)),
        *((ID, 0), (f"https://youtu.be/{ID}?at=5", 0), (f"https://youtu.be/{ID}?t=-5", 0)),
    ],
)
def test_an_address_that_names_a_start(tmp_path: Path, address: str, start: int) -> None:
    assert brief(listing(tmp_path, f"{address}\n", clip_length=5.0)) == [
        (f"{ID}_{start}_{start + 5}", ID, float(start), start + 5.0)
    ]
    # A column says it better.
    assert brief(listing(tmp_path, f"url,start,end\n{address},1,2\n")) == [(f"{ID}_1_2", ID, 1.0, 2.0)]
    # A whole video has no start: whoever means one says it.
    whole, content = [(ID, ID, 0.0, None)], f"url,name\n{address},x\n"
    assert brief(listing(tmp_path, content, columns=Columns(start=""))) == whole
    if start:
        with pytest.raises(UsageError, match=rf"say where a clip starts \(at {start} s\)"):
            listing(tmp_path, content)
    else:
        assert brief(listing(tmp_path, content)) == whole


@pytest.mark.parametrize("header", ["vid,From,To", "vid,s,e", "vid,note,at", ",vid,at", "vid,where,"])
def test_times_are_not_overlooked(tmp_path: Path, header: str) -> None:
    """Whole videos are a hundred times as much."""
    names = header.split(",")
    cells = {"": "7", "vid": ID, "note": "x", "where": "1:05"}
    content = f"{header}\n{','.join(cells.get(name, '1:05') for name in names)}\n"
    with pytest.raises(UsageError, match=r"is '(From|s|start_ms|at|where)' a time of the clips\?") as caught:
        listing(tmp_path, content)
    assert "--start-col" in (caught.value.hint or "")
    assert brief(listing(tmp_path, content, columns=Columns(url="vid", start=""))) == [(ID, ID, 0.0, None)]


@pytest.mark.parametrize("header", ["vid", "index,vid", "vid,duration", "Unnamed: 0,vid", "vid,caption"])
def test_numbers_that_are_no_times_of_a_clip(tmp_path: Path, header: str) -> None:
    row = ",".join(ID if name == "vid" else "12" for name in header.split(","))
    assert brief(listing(tmp_path, f"{header}\n{row}\n")) == [(ID, ID, 0.0, None)]


def test_an_id_that_is_wrong_in_a_few_rows(tmp_path: Path) -> None:
    rows = [f"{ID},{n},{n + 1},c{n}" for n in range(20)]
    content = "\n".join(["url,start,end,id", *rows, f"{ID},30,31,c3", f"{ID},40,41,a b", ""])
    found = listing(tmp_path, content)
    assert len(list(found.clips)) == 20 and [clip.id for clip in found.clips][3] == "c3"
    assert [line.partition(": ")[2] for line in found.skipped] == [
        "the id 'c3' was another clip's before", "the id 'a b' cannot be the name of a file"
    ]  # fmt: skip


def test_a_column_that_is_called_id_and_is_none_is_told(tmp_path: Path) -> None:
    found = listing(tmp_path, f"url,start,end,id\n{ID},1,2,x\n{ID},3,4,x\n")
    assert [clip.id for clip in found.clips] == [f"{ID}_1_2", f"{ID}_3_4"]
    assert (
        found.remarks[1] == "the column 'id' does not name clips, each another: --id-col id takes it all the same"
    )


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (",1,2,x", "no video"),
        ("short,1,2,x", "'short' is neither a YouTube id nor the address of a video"),
        (f"{ID},,2,x", "no start"),
        (f"{ID},1,,x", "no end"),
        (f"{ID}", "no start"),
        (f"{ID},-1,2,x", "'-1' is not a time such as 75, 1:15 or 0:01:15"),
        (f"{ID},1,soon,x", "'soon' is not a time such as 75, 1:15 or 0:01:15"),
        (f"{ID},nan,2,x", "no start"),
        (f"{ID},1,inf,x", "'inf' is not a time such as 75, 1:15 or 0:01:15"),
        (f"{ID},1,1e300,x", "'1e300' is not a time between 0 and 1000000 seconds"),
        (f"{ID},2,2,x", "the end 2 is not after the start 2"),
        (f"{ID},2.5,1,x", "the end 1 is not after the start 2.5"),
        (f"{ID},0.0000001,0.0000002,x", "the end 0 is not after the start 0"),
        (f"{ID},1,2", "no id"),
        (f"{ID},1,2,", "no id"),
        (f"{ID},1,2,../x", "the id '../x' cannot be the name of a file"),
        (f"{ID},1,2,a/b", "the id 'a/b' cannot be the name of a file"),
        (f"{ID},1,2,.x", "the id '.x' cannot be the name of a file"),
        (f"{ID},1,2,{'x' * 201}", f"the id {'x' * 60!r} cannot be the name of a file"),
        (f"{ID},3,4,good", "the id 'good' was another clip's before"),
        (f"{OTHER},1,2,good", "the id 'good' was another clip's before"),
    ],
)
def test_a_wrong_row_is_left_out(tmp_path: Path, row: str, why: str) -> None:
    chosen = {"columns": Columns(id="id")}
    found = listing(tmp_path, f"url,start,end,id\n{ID},1,2,good\n\n{row}\n{THIRD},1,2,last\n", **chosen)
    assert [clip.id for clip in found.clips] == ["good", "last"]
    assert found.skipped == [f"list.csv, line 4: {why}"]
    if "another" not in why:
        with pytest.raises(UsageError) as caught:
            listing(tmp_path, f"url,start,end,id\n{row}\n", **chosen)
        said = f"no row of {tmp_path / 'list.csv'} names a clip; the first: list.csv, line 2: {why}"
        assert (str(caught.value), caught.value.hint) == (
            said, "columns: video from 'url', start from 'start', end from 'end', id from 'id'")  # fmt: skip


def test_a_row_of_several_clips_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    rows = [{"url": ID, "clips": [[1, 2], [9, 3]]}, {"url": ID, "clips": [[4, 5]]}, {"url": ID}]
    found = listing(tmp_path, rows, "list.jsonl")
    assert brief(found) == [(f"{ID}_4_5", ID, 4.0, 5.0)]
    assert found.skipped == [
        "list.jsonl, line 1: the end 3 is not after the start 9",
        "list.jsonl, line 3: None is not a list of clips such as [[0, 9.5], [20, 30]]",
    ]


@pytest.mark.parametrize(
    ("name", "unit"), [("list.json", "record"), ("list.jsonl", "line"), ("list.parquet", "row")]
)
def test_a_wrong_row_of_other_formats(tmp_path: Path, name: str, unit: str) -> None:
    rows = [
        {"url": ID, "start": 1.0, "end": 2.0, "id": 7},
        {"url": None, "start": 1.0, "end": 2.0, "id": 8},
        {"url": ID, "start": math.nan, "end": 2.0, "id": 9},
        {"url": ID, "start": 3.0, "end": math.inf, "id": 10},
        {"url": ID, "start": 3.0, "end": 4.0, "id": None},
    ]
    found = listing(tmp_path, rows, name, columns=Columns(id="id"))
    assert brief(found) == [("7", ID, 1.0, 2.0)]
    times = " is not a time between 0 and 1000000 seconds"
    whys = ["no video", "no start", f"inf{times}", "no id"]
    assert found.skipped == [f"{name}, {unit} {number}: {why}" for number, why in enumerate(whys, 2)]


def test_numbers_as_ids(tmp_path: Path) -> None:
    for each, name in ((7, "7"), (7.0, "7"), ("7", "7")):
        assert brief(listing(tmp_path, [{"url": ID, "id": each}], "list.json"))[0][0] == name
    for each in (7.5, True, None, [7], {}):
        with pytest.raises(UsageError, match="no id"):
            listing(tmp_path, [{"url": ID, "id": each}], "list.json", columns=Columns(id="id"))


def test_no_list(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no list of clips is named"):
        read_clips(tmp_path, Settings(tmp_path))


# -- what the manifest says ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "meta"),
    [
        # A label is kept without being asked for.
        (Columns(), {"caption": "a dog, barking", "label": "dog"}),
        (Columns(caption=""), {"label": "dog"}),
        (Columns(caption="note"), {"label": "dog"}),
        (Columns(keep=("note",)), {"caption": "a dog, barking", "note": ""}),
        (Columns(keep=("label", "note")), {"caption": "a dog, barking", "label": "dog", "note": ""}),
        (Columns(keep=("caption", "start")), {"caption": "a dog, barking", "start": "1"}),
        # The journal reads this one.
        (Columns(caption="", keep=("youtube_id",)), {"youtube_id": ID}),
    ],
)
def test_what_is_kept(tmp_path: Path, columns: Columns, meta: dict[str, Any]) -> None:
    content = f'youtube_id,start,end,caption,label,note\nyoutu.be/{ID},1,2,"a dog, barking",dog,\n'
    assert metas(listing(tmp_path, content, columns=columns)) == [meta]


def test_values_are_kept_as_they_are(tmp_path: Path) -> None:
    row = {
        "url": ID,
        "start": 1,
        "end": 2,
        "caption": ["x", "y"],
        "score": 0.5,
        "tags": {"a": [1]},
        "bad": math.nan,
    }
    columns = Columns(keep=("score", "tags", "bad", "end"))
    for name in ("list.json", "list.jsonl", "list.parquet"):
        meta = {"caption": ["x", "y"], "score": 0.5, "tags": {"a": [1]}, "bad": None, "end": 2}
        assert metas(listing(tmp_path, [row], name, columns=columns)) == [meta]


def test_what_is_not_in_a_row_is_null(tmp_path: Path) -> None:
    rows = [{"url": ID, "note": "x"}, {"url": OTHER}]
    found = listing(tmp_path, rows, "list.json", columns=Columns(keep=("note",)))
    assert metas(found) == [{"note": "x"}, {"note": None}]


@pytest.mark.parametrize(
    ("caption", "score", "expected"),
    [
        ("['it\\'s', 'b']", "[0.4, 0.5]", [("it's", 0.4), ("b", 0.5)]),
        (["a", None], [1, 2], [("a", 1), (None, 2)]),
        ("one for both", [1, 2, 3], [("one for both", [1, 2, 3])] * 2),
        ("[music]", "", [("[music]", "")] * 2),
    ],
)
def test_lists_of_a_row_of_several_clips(tmp_path: Path, caption: Any, score: Any, expected: list[Any]) -> None:
    rows = [{"url": ID, "timestamp": "[['0:01', '0:02'], ['0:03', '0:04']]", "caption": caption, "score": score}]
    found = listing(tmp_path, rows, "list.json", columns=Columns(keep=("score",)))
    assert [(meta.get("caption"), meta["score"]) for meta in metas(found)] == expected


def test_videos_that_are_not_on_youtube(tmp_path: Path) -> None:
    content = f"url,start,end,note\n{VIMEO},1,2,x\n{ID},1,2,y\n{VIMEO},3,4,z\n{VIMEO}?a=b,1,2,x\n"
    found = listing(tmp_path, content, columns=Columns(keep=("note",)))
    name, other = (
        f"vimeo-com-123-{hashlib.sha256(each.encode()).hexdigest()[:16]}" for each in (VIMEO, f"{VIMEO}?a=b")
    )
    assert brief(found) == [
        (f"{name}_1_2", name, 1.0, 2.0),
        (f"{name}_3_4", name, 3.0, 4.0),
        (f"{ID}_1_2", ID, 1.0, 2.0),
        (f"{other}_1_2", other, 1.0, 2.0),
    ]
    about = {"youtube_id": None, "url": VIMEO}
    assert metas(found) == [
        {"note": "x"} | about,
        {"note": "z"} | about,
        {"note": "y"},
        {"note": "x"} | about | {"url": f"{VIMEO}?a=b"},
    ]
    assert [found.url_of(each) for each in (name, ID, other)] == [VIMEO, watch_url(ID), f"{VIMEO}?a=b"]


# -- public lists, in small ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "chosen", "clips"),
    [
        ("output.csv", f'shard-0,{ID}_069.mp4,{ID},"[69, 79]"\r\nshard-0,{OTHER}_205.mp4,{OTHER},"[205, 215]"\r\n',
            {}, [(f"{ID}_69_79", ID, 69.0, 79.0), (f"{OTHER}_205_215", OTHER, 205.0, 215.0)]),
        ("metadata.tsv", f'https://www.youtube.com/watch?v={ID}\t{{"Title": "a \\"b\\", c", "Duration": "37"}}\n',
            {}, [(ID, ID, 0.0, None)]),
        ("eval_segments.csv", "# Segments csv created Sun Mar  5 10:54:25 2017\n# num_ytids=2, num_segs=2\n"
            "# YTID, start_seconds, end_seconds, positive_labels\n"
            f'{ID}, 30.000, 40.000, "/m/09x0r,/t/dd00088"\n{OTHER}, 0.000, 9.500, "/m/012xff"\n', {},
            [(f"{ID}_30_40", ID, 30.0, 40.0), (f"{OTHER}_0_9.5", OTHER, 0.0, 9.5)]),
        ("vggsound.csv", f'{ID},1,people marching,test\n{OTHER},30,"female speech, woman speaking",train\n',
            {"clip_length": 10.0}, [(f"{ID}_1_11", ID, 1.0, 11.0), (f"{OTHER}_30_40", OTHER, 30.0, 40.0)]),
        ("list.txt", f"# mine\n{ID}\n\nhttps://youtu.be/{OTHER}\n", {},
            [(ID, ID, 0.0, None), (OTHER, OTHER, 0.0, None)]),
    ],
)  # fmt: skip
def test_a_public_list(tmp_path: Path, name: str, content: str, chosen: dict[str, Any], clips: list[Any]) -> None:
    found = listing(tmp_path, content, name, **chosen)
    assert brief(found) == clips and found.skipped == []


def test_the_guess_is_said(tmp_path: Path) -> None:
    found = listing(tmp_path, f"videoID,start,end\n{ID},1,2\n")
    assert found.remarks == ["columns: video from 'videoID', start from 'start', end from 'end'"]


def test_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(f"url,caption\n{ID},caf\xe9\n".encode("latin-1"))
    chosen = Settings(tmp_path, clip_list=tmp_path / "list.csv", encoding="latin-1")
    assert list(read_clips(tmp_path, chosen).clips) == [Clip(ID, ID, 0.0, None, {"caption": "café"})]


def test_the_dataset() -> None:
    assert (CLIPS.name, CLIPS.default_dir, CLIPS.log_name) == ("clips", "./data/clips", "clips_download.log")
    assert CLIPS.annotations(Settings(Path("x"))) == () and CLIPS.read_clips is read_clips
    assert {"list", "url-col", "clip-length", "preset", "keep-cols"} <= CLIPS.options


# -- rows of strangers -----------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [ID, OTHER, VIMEO, "1", "2.5", "0:03", "nan", "[[1, 2]]", "[1, 2]", "['a', 'b']", "", "x/y"]
)
CELLS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)
NAMES = ["url", "start", "end", "duration", "clips", "id", "caption", "note"]
ASKED = st.sampled_from(
    [Columns(), Columns(keep=("note", "url")), Columns(clip="clips"), Columns(duration="duration", id="id")]
)


def check(found: Listing) -> None:
    """What holds of every listing, whatever it was made of."""
    clips = list(found.clips)
    assert clips and len({clip.id for clip in clips}) == len(clips) == len(
        {(c.video, c.start, c.end) for c in clips}
    )
    for clip in clips:
        assert is_plain_name(clip.id) and is_plain_name(clip.video) and found.url_of(clip.video)
        assert clip.start >= 0 and (clip.end is None or clip.start < clip.end < math.inf)
        json.dumps(dict(clip.meta), allow_nan=False)


@MANY
@given(rows=st.lists(st.dictionaries(st.sampled_from(NAMES), CELLS), min_size=1, max_size=4), columns=ASKED)
def test_any_record_is_a_clip_or_is_left_out(tmp_path: Path, rows: list[Any], columns: Columns) -> None:
    # The first names every column.
    rows.insert(0, dict.fromkeys(NAMES))
    try:
        check(listing(tmp_path, rows, "list.json", columns=columns, clip_length=5.0))
    except UsageError as error:
        assert error.hint


@MANY
@given(
    rows=st.lists(st.lists(st.text(max_size=20) | WORDS, min_size=1), min_size=1, max_size=4), header=st.booleans()
)
def test_any_line_is_a_clip_or_is_left_out(tmp_path: Path, rows: list[list[str]], header: bool) -> None:
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in cells) for cells in rows]
    try:
        check(listing(tmp_path, "\n".join([",".join(NAMES)] * header + lines)))
    except UsageError as error:
        assert error.hint


@pytest.mark.parametrize("depth", [400, 900, 3000])
def test_a_cell_nested_deeply(tmp_path: Path, depth: int) -> None:
    row = f'{{"url": "{ID}", "caption": {"[" * depth}{"]" * depth}}}\n{{"url": "{OTHER}", "caption": "x"}}\n'
    try:
        check(listing(tmp_path, row, "list.jsonl"))
    except UsageError as error:
        assert "recursion" in str(error)

"""MUSIC-AVQA: records, rows of v2.0 and tables of ids as they come, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from avclips.core.errors import RunError, UsageError
from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.datasets.music_avqa import MUSIC_AVQA, read_additional, read_clips, read_questions

V2_CSV = "MUSIC-AVQA-v2.0_additional_videos.csv"
HEADER = "video_id,start_time,duration,suffix,has_flip"

REAL = ("00000028", "00009999", "12345678")
# One of each kind; the last three are as long as a YouTube id, and none.
SYNTHETIC = ("sa00000001", "va00000002", "vv00000003", "esa00000004", "eva00000005", "evv00000006")
A, B, C = REAL


def question(video_id: Any, **more: Any) -> dict[str, Any]:
    """A record in the schema of MUSIC-AVQA's files."""
    return {
        "video_id": video_id,
        "question_id": 7,
        "type": '["Audio-Visual", "Existential"]',
        "question_content": "Is the <Object> in the video always playing?",
        "templ_values": '["ukulele"]',
        "question_deleted": 0,
        "anser": "yes",
        **more,
    }


def write(folder: Path, split: str, ids: Sequence[Any]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"avqa-{split}.json").write_text(json.dumps([question(each) for each in ids], indent=2))


def write_v2(folder: Path, *rows: str) -> Path:
    path = folder / V2_CSV
    path.write_bytes("\ufeff".encode() + "\r\n".join([HEADER, *rows, ""]).encode())
    return path


def settings(*splits: str, edition: str = "updated", id_map: Path | None = None) -> Settings:
    return Settings(Path("unused"), splits=splits, annotations=edition, id_map=id_map)


def clip(video_id: str, *splits: str, kind: str = "real") -> Clip:
    return Clip(video_id, video_id, 0.0, None, {"splits": list(splits), "kind": kind, "youtube_id": None})


# -- the questions -------------------------------------------------------------------------------------------


def test_videos_of_all_splits_each_once_in_the_files_order(tmp_path: Path) -> None:
    write(tmp_path, "train", [B, A, B, "sa00000001"])
    write(tmp_path, "val", [C, "sa00000001", A])
    write(tmp_path, "test", [C, C])
    listing = read_clips(tmp_path, settings("train", "val", "test"))
    assert listing.clips == [
        clip(B, "train"),
        clip(A, "train", "val"),
        clip("sa00000001", "train", "val", kind="synthetic"),
        clip(C, "val", "test"),
    ]
    assert listing.skipped == [] and listing.remarks == []
    assert [each.id for each in read_clips(tmp_path, settings("test", "val")).clips] == [C, "sa00000001", A]
    assert read_clips(tmp_path, settings("test")).clips == [clip(C, "test")]


def test_the_overview(tmp_path: Path) -> None:
    write(tmp_path, "train", [B, "eva00000005", A, B])
    write(tmp_path, "val", ["vv00000003", A])
    overview = {
        "by_split": {"train": [B, "eva00000005", A], "val": ["vv00000003", A]},
        "all_ids": [B, "eva00000005", A, "vv00000003"],
        "real": [B, A],
        "synthetic": ["eva00000005", "vv00000003"],
    }
    # Of all the files that are there, whichever are asked for now.
    for splits in (("val", "train"), ("val",), ("train",)):
        assert read_clips(tmp_path, settings(*splits)).files["video_ids.json"] == overview


def test_the_original_edition_lies_in_a_folder_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, "val", [A])
    write(tmp_path / "original", "val", [B])
    assert [each.id for each in read_clips(tmp_path, settings("val")).clips] == [A]
    assert [each.id for each in read_clips(tmp_path, settings("val", edition="original")).clips] == [B]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "BOM"])
def test_other_peoples_copies(tmp_path: Path, newline: str, bom: bytes) -> None:
    odd = [
        question(A, type=["Audio"], templ_values=None, anser="é"),
        question(A, question_id=7, question_deleted="1", answer="their own spelling"),
        {"video_id": B},
    ]
    text = json.dumps(odd, indent=2, ensure_ascii=False)
    (tmp_path / "avqa-val.json").write_bytes(bom + text.replace("\n", newline).encode())
    listing = read_clips(tmp_path, settings("val"))
    assert listing.clips == [clip(A, "val"), clip(B, "val")] and listing.skipped == []


@pytest.mark.parametrize(
    ("record", "why"),
    [
        *[(each, "no video_id") for each in ({"question_id": 7}, "00000028", None, [], 28)],
        *[(question(each), "no video_id") for each in (None, 28, ["00000028"])],
        *[
            (question(each), f"{each[:60]!r} is no id of this dataset")
            for each in (
                "",
                "../x",
                "../../etc/00000028",
                "a/00000028",
                "0000028",
                "000000028",
                "00000028\n",
                " 00000028",
                "00000028.mp4",
                "0000002a",
                "٠٠٠٠٠٠٢٨",
                "dQw4w9WgXcQ",
                "sa0000001",
                "sa000000001",
                "SA00000001",
                "ev00000001",
                "xsa00000001",
                "00000028\0",
                "x" * 300,
            )
        ],
    ],
)
def test_a_record_that_names_no_video_is_left_out(tmp_path: Path, record: Any, why: str) -> None:
    (tmp_path / "avqa-val.json").write_text(json.dumps([question(A), record, question(B)]))
    listing = read_clips(tmp_path, settings("val"))
    assert [each.id for each in listing.clips] == [A, B]
    assert listing.skipped == [f"avqa-val.json, record 2: {why}"]
    (tmp_path / "avqa-val.json").write_text(json.dumps([record]))
    with pytest.raises(RunError, match="names a video: avqa-val.json, record 1: ") as caught:
        read_clips(tmp_path, settings("val"))
    assert str(caught.value).endswith(why)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"video_id": "000000', "is not whole JSON: Unterminated string starting at at line 1"),
        ("<!DOCTYPE html>", "is not whole JSON: Expecting value at line 1"),
        ("{}", "holds no list of questions"),
        ('"x"', "holds no list of questions"),
        ("[]", "holds no list of questions"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "avqa-val.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(RunError) as caught:
        read_questions(path)
    assert str(caught.value).startswith(f"{path} {message}")
    assert caught.value.hint == "delete it and run again, or get it from https://github.com/GeWu-Lab/MUSIC-AVQA"


@pytest.mark.parametrize("video_id", [*REAL, *SYNTHETIC])
def test_no_id_of_theirs_is_taken_for_one_of_youtubes(tmp_path: Path, video_id: str) -> None:
    write(tmp_path, "val", [video_id])
    listing = read_clips(tmp_path, settings("val"))
    assert [listing.url_of(each.video) for each in listing.clips] == [None]
    kinds = [each.meta["kind"] for each in listing.clips]
    assert kinds == ["real" if video_id in REAL else "synthetic"]


def test_each_archive_holds_its_own_kind() -> None:
    assert MUSIC_AVQA.drive is not None
    real, synthetic = MUSIC_AVQA.drive.archives
    v2 = ("dQw4w9WgXcQ", "dQw4w9WgXcQ_flip", "dQw4w9WgXcQ_#02")
    everything = [*REAL, *SYNTHETIC, *v2]
    assert [each for each in everything if real.holds(each)] == list(REAL)
    assert [each for each in everything if synthetic.holds(each)] == list(SYNTHETIC)


# -- the videos of v2.0 --------------------------------------------------------------------------------------


def more_clip(name: str, start: float, end: float, **meta: Any) -> Clip:
    return Clip(name, name[:11], start, end, {"splits": ["v2"], "kind": "real", **meta})


def test_the_rows_of_v2(tmp_path: Path) -> None:
    path = write_v2(
        tmp_path,
        "ab-cdefghi_,0:00,1:00,,N",
        "_bcdefghijk,1:10,0:54,,Y",
        "-cdefghijkl,12:03,1:00,_#02,N",
        "",
        "0cdefghijkl,1:02:03,59.5,_#03,Y",
        "0cdefghijkl,90,1:00,_#04,N",
    )
    assert read_additional(path) == [
        more_clip("ab-cdefghi_", 0.0, 60.0),
        more_clip("_bcdefghijk", 70.0, 124.0),
        more_clip("_bcdefghijk_flip", 70.0, 124.0, flip=True),
        more_clip("-cdefghijkl_#02", 723.0, 783.0),
        more_clip("0cdefghijkl_#03", 3723.0, 3782.5),
        more_clip("0cdefghijkl_#03_flip", 3723.0, 3782.5, flip=True),
        more_clip("0cdefghijkl_#04", 90.0, 150.0),
    ]


def test_without_a_bom_it_reads_the_same(tmp_path: Path) -> None:
    path = write_v2(tmp_path, "abcdefghijk,0:00,1:00,,N")
    with_bom = read_additional(path)
    path.write_text(path.read_text(encoding="utf-8-sig").replace("\r\n", "\n"))
    assert read_additional(path) == with_bom == [more_clip("abcdefghijk", 0.0, 60.0)]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("abcdefghijk,0:00,1:00,N", f"not {HEADER}"),
        ("abcdefghijk,0:00,1:00,,N,", f"not {HEADER}"),
        ("abcdefghijk,0:00,1:00,,y", f"not {HEADER}"),
        ("abcdefghijk,0:00,1:00,,", f"not {HEADER}"),
        ("abcdefghij,0:00,1:00,,N", "'abcdefghij' is not a YouTube id and a suffix"),
        ("00000028,0:00,1:00,,N", "'00000028' is not a YouTube id and a suffix"),
        ("../defghijk,0:00,1:00,,N", "'../defghijk' is not a YouTube id and a suffix"),
        ("abcdefghijk,0:00,1:00,/../x,N", "'abcdefghijk/../x' is not a YouTube id and a suffix"),
        ("abcdefghijk,0:00,1:00,_#2.mp4,N", "'abcdefghijk_#2.mp4' is not a YouTube id and a suffix"),
        ("abcdefghijk,zero,1:00,,N", "'zero' is not a time such as 75, 1:15 or 0:01:15"),
        ("abcdefghijk,-1,1:00,,N", "'-1' is not a time such as"),
        ("abcdefghijk,0:00,,,N", "'' is not a time such as"),
        ("abcdefghijk,0:00,1:00:00:00,,N", "'1:00:00:00' is not a time such as"),
        ("abcdefghijk,0:00,nan,,N", "'nan' is not a time such as"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, row: str, why: str) -> None:
    path = write_v2(tmp_path, "0bcdefghijk,0:00,1:00,,Y", "", row)
    with pytest.raises(RunError) as caught:
        read_additional(path)
    assert str(caught.value).startswith(f"{path}, line 4: {why}")
    assert caught.value.hint == "mend it, or delete the file and run again"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ", line 1: not video_id,start_time,duration,suffix,has_flip"),
        (b"abcdefghijk,0:00,1:00,,N\n", ", line 1: not"),
        (b"video_id,start,duration,suffix,has_flip\n", ", line 1: not"),
        (b"<!DOCTYPE html>", ", line 1: not"),
        (HEADER.encode() + b"\ncaf\xe9", " cannot be read: "),
        (None, " cannot be read: "),
    ],
)
def test_a_csv_that_is_none(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / V2_CSV
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_additional(path)
    assert str(caught.value).startswith(f"{path}{message}") and caught.value.hint == "delete it and run again"


def test_v2_comes_after_the_splits_and_is_on_youtube(tmp_path: Path) -> None:
    write(tmp_path, "val", [A])
    write_v2(tmp_path, "abcdefghijk,0:00,1:00,_#02,Y")
    listing = read_clips(tmp_path, settings("val", "v2"))
    names = ["abcdefghijk_#02", "abcdefghijk_#02_flip"]
    assert [each.id for each in listing.clips] == [A, *names]
    address = "https://www.youtube.com/watch?v=abcdefghijk"
    assert [listing.url_of(each.video) for each in listing.clips] == [None, address, address]
    overview = listing.files["video_ids.json"]
    assert overview["by_split"] == {"val": [A], "v2": names} and overview["all_ids"] == [A, *names]
    alone = read_clips(tmp_path, settings("v2"))
    assert [each.id for each in alone.clips] == names


# -- a table of ids ------------------------------------------------------------------------------------------


def test_a_table_says_what_is_on_youtube(tmp_path: Path) -> None:
    write(tmp_path, "val", [A, B, "eva00000005"])
    table = tmp_path / "ids.csv"
    table.write_text(
        f"video_id,youtube_id,start,end\n{B},abcdefghijk,1:15,2:15\neva00000005,abcdefghijk,,\n{C},0bcdefghijk,,\n"
    )
    listing = read_clips(tmp_path, settings("val", id_map=table))
    assert listing.clips == [
        clip(A, "val"),
        Clip(B, "abcdefghijk", 75.0, 135.0, {"splits": ["val"], "kind": "real"}),
        Clip("eva00000005", "abcdefghijk", 0.0, None, {"splits": ["val"], "kind": "synthetic"}),
    ]
    address = "https://www.youtube.com/watch?v=abcdefghijk"
    assert [listing.url_of(each.video) for each in listing.clips] == [None, address, address]
    assert listing.remarks == [f"{table} names 3 videos on YouTube, 2 of which are among the 3 asked for."]


def test_a_bad_table_is_a_usage_error(tmp_path: Path) -> None:
    write(tmp_path, "val", [A])
    (tmp_path / "ids.csv").write_text(f"video_id,youtube_id\n{A},short\n")
    with pytest.raises(UsageError, match=r"ids\.csv, line 2: 'short' is not a YouTube id"):
        read_clips(tmp_path, settings("val", id_map=tmp_path / "ids.csv"))


# -- where the files come from -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edition", "branch", "prefix"), [("updated", "json_update", ""), ("original", "json", "original/")]
)
def test_where_the_files_come_from(edition: str, branch: str, prefix: str) -> None:
    found = [(each.split, each.name, each.url, each.needed) for each in annotations(edition)]
    here = "https://raw.githubusercontent.com/GeWu-Lab/MUSIC-AVQA/main/data"
    there = "https://raw.githubusercontent.com/DragonLiu1995/MUSIC-AVQA-v2.0/HEAD/data"
    assert found == [
        *(
            (split, f"{prefix}avqa-{split}.json", f"{here}/{branch}/avqa-{split}.json", True)
            for split in ("train", "val", "test")
        ),
        ("v2", V2_CSV, f"{there}/{V2_CSV}", True),
    ]
    assert MUSIC_AVQA.splits == ("train", "val", "test", "v2")
    assert MUSIC_AVQA.usual_splits == ("train", "val", "test")


def test_what_comes_is_looked_at_before_it_is_kept(tmp_path: Path) -> None:
    page = tmp_path / ".page.part"
    page.write_text("<!DOCTYPE html><title>Sign in</title>")
    for annotation in annotations("updated"):
        with pytest.raises(RunError):
            annotation.check(page)


def annotations(edition: str) -> Sequence[Any]:
    return MUSIC_AVQA.annotations(settings("val", edition=edition))

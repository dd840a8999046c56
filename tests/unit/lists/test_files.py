"""Which files the words mean, and their bytes: packed ones, several, folders, patterns, standard input."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import sys
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from avclips.core.errors import UsageError
from avclips.core.settings import Settings
from avclips.datasets.base import Listing
from avclips.datasets.clip_list import read_clips
from tests.support.list_of import ID, OTHER, THIRD, complaint, listing, times, written

CSV = f"youtube_id,start,end\n{ID},1,3\n{OTHER},2,4\n"
BOTH = [(f"{ID}_1_3", ID, 1.0, 3.0), (f"{OTHER}_2_4", OTHER, 2.0, 4.0)]


def zst(content: bytes) -> bytes:
    packed = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(packed, "zstd") as stream:
        stream.write(content)
    return bytes(packed.getvalue())


PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zst, "zstd": zst}
CONTENTS = {
    "csv": CSV,
    "tsv": CSV.replace(",", "\t"),
    "jsonl": "".join(json.dumps({"youtube_id": v, "start": s, "end": e}) + "\n" for _, v, s, e in BOTH),
    "json": json.dumps([{"youtube_id": v, "start": s, "end": e} for _, v, s, e in BOTH]),
    "txt": f"{ID},1,3\n{OTHER},2,4\n",
}


def of_words(*words: Any, **chosen: Any) -> Listing:
    return read_clips(Path("x"), Settings(Path("x"), clip_list=tuple(words), **chosen))


@pytest.mark.parametrize("way", PACKERS)
@pytest.mark.parametrize("ending", CONTENTS)
def test_a_packed_list(tmp_path: Path, way: str, ending: str) -> None:
    packed = PACKERS[way](CONTENTS[ending].encode())
    assert times(listing(tmp_path, packed, f"list.{ending}.{way}")) == BOTH
    # What it is tells its first bytes, whatever it is called.
    assert times(listing(tmp_path, packed, f"named.{ending}")) == BOTH
    assert times(listing(tmp_path, CONTENTS[ending], f"unpacked.{ending}.{way}")) == BOTH


@pytest.mark.parametrize("way", PACKERS)
def test_half_a_packed_list(tmp_path: Path, way: str) -> None:
    rows = "".join(f"{n:011d},{n * 7919 % 1009},{n * 7919 % 1009 + 3}\n" for n in range(5000))
    packed = PACKERS[way](rows.encode())
    message, _ = complaint(tmp_path, packed[: len(packed) // 2], f"list.csv.{way}")
    assert message.startswith(f"list.csv.{way} cannot be unpacked ({way.removesuffix('d')}): ")


def test_packed_members_one_behind_the_other(tmp_path: Path) -> None:
    """As ``cat a.gz b.gz`` makes them, and bgzip."""
    first, second = CSV.splitlines(keepends=True)[:2], CSV.splitlines(keepends=True)[2:]
    for way in ("gz", "bz2", "xz", "zst"):
        packed = b"".join(PACKERS[way]("".join(lines).encode()) for lines in (first, second))
        assert times(listing(tmp_path, packed, f"list.csv.{way}")) == BOTH


def test_letters_that_are_none_in_a_packed_list(tmp_path: Path) -> None:
    message, hint = complaint(tmp_path, gzip.compress(b"youtube_id\na\ncaf\xe9\n"), "list.csv.gz")
    assert (message, hint) == (
        "list.csv.gz, line 3: not utf-8 text", "save it as UTF-8, or say what it is: --encoding latin-1"
    )  # fmt: skip


def test_a_packed_parquet(tmp_path: Path) -> None:
    path = written(tmp_path, [{"youtube_id": ID}], "list.parquet")
    message, hint = complaint(tmp_path, gzip.compress(path.read_bytes()), "list.parquet.gz")
    assert (message, hint) == ("list.parquet.gz is a packed parquet", "unpack it: parquet is packed by itself")


# -- several -------------------------------------------------------------------------------------------------


def parts(folder: Path) -> Path:
    made = folder / "parts"
    (made / "more").mkdir(parents=True)
    for number, (_, video, start, end) in enumerate(BOTH):
        name = f"part-{number}.csv" if number else "more/part-0.csv"
        written(made, f"youtube_id,start,end\n{video},{start},{end}\n", name)
    # What programs leave beside their parts.
    for name in ("_SUCCESS", ".part-0.csv.crc", "_metadata.csv", "README.md"):
        written(made, "x", name)
    return made


def test_a_folder_a_pattern_and_several_files(tmp_path: Path) -> None:
    folder = parts(tmp_path)
    every = sorted(folder.rglob("part-*.csv"))
    for words in ([folder], [f"{folder}/"], [f"{folder}/**/*.csv"], every, [f"{folder}/more/*", every[1]]):
        found = of_words(*words)
        assert times(found) == BOTH and found.rows == 2


def test_the_parts_may_have_other_columns_in_another_order(tmp_path: Path) -> None:
    one = written(tmp_path, f"youtube_id,start,end,label\n{ID},1,3,dog\n", "one.csv")
    two = written(tmp_path, [{"end": 4, "youtube_id": OTHER, "start": 2}], "two.jsonl")
    found = of_words(one, two)
    assert times(found) == BOTH and [clip.meta["label"] for clip in found.clips] == ["dog", None]


def test_a_row_says_in_which_part_it_is(tmp_path: Path) -> None:
    one = written(tmp_path, f"youtube_id,start,end\n{ID},1,3\n", "one.csv")
    two = written(tmp_path, f"youtube_id,start,end\nx,1,3\n{OTHER},3,1\n", "two.csv")
    assert of_words(one, two).skipped == [
        "two.csv, line 2: 'x' is neither a YouTube id nor the address of a video",
        "two.csv, line 3: the end 1 is not after the start 3",
    ]


@pytest.mark.parametrize(
    ("contents", "why", "hint"),
    [
        ({"a.csv": f"youtube_id\n{ID}\n", "b.csv": f"{ID}\n"}, "b.csv has no header, others have",
            "give all of them one, or fetch it by itself"),
        ({"a.csv": f"youtube_id\n{ID}\n", "b.csv": "name,x\na,b\n"}, "b.csv has no column of a.csv: 'name', 'x'",
            "fetch it by itself"),
    ],
)  # fmt: skip
def test_files_that_are_not_one_list(tmp_path: Path, contents: dict[str, str], why: str, hint: str) -> None:
    words = [written(tmp_path, content, name) for name, content in contents.items()]
    with pytest.raises(UsageError) as caught:
        of_words(*words)
    assert (str(caught.value).replace(f"{tmp_path}/", ""), caught.value.hint) == (why, hint)


def test_a_folder_of_several_kinds(tmp_path: Path) -> None:
    written(tmp_path, "x", "a.csv")
    written(tmp_path, "x", "b.tsv")
    with pytest.raises(UsageError, match=r"holds lists of several kinds: \.csv, \.tsv") as caught:
        of_words(tmp_path)
    assert caught.value.hint == f'say which: "{tmp_path}/*.csv"'


def test_a_data_folder_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    written(tmp_path / "metadata", "{}", "folder.json")
    with pytest.raises(UsageError, match="is a data folder, not a list$") as caught:
        of_words(tmp_path)
    assert caught.value.hint == f"name it with --data-dir {tmp_path}"


def test_a_name_that_is_nearly_a_files(tmp_path: Path) -> None:
    written(tmp_path, "x", "my_list.csv")
    with pytest.raises(UsageError, match=r"my_lst\.csv cannot be read: No such file") as caught:
        of_words(tmp_path / "my_lst.csv")
    assert caught.value.hint == f"did you mean {tmp_path}/my_list.csv?"


# -- words that are no files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "clips"),
    [
        ([ID], [(ID, ID, 0.0, None)]),
        ([f"https://youtu.be/{ID}", OTHER], [(ID, ID, 0.0, None), (OTHER, OTHER, 0.0, None)]),
        ([f"https://www.youtube.com/embed/{ID}?start=3&end=9"], [(f"{ID}_3_9", ID, 3.0, 9.0)]),
        ([f"{ID}_20_30"], [(f"{ID}_20_30", ID, 20.0, 30.0)]),
        ([f"{ID}_000030"], [(f"{ID}_000030", ID, 30.0, 40.0)]),
    ],
)
def test_videos_themselves(words: list[str], clips: list[Any]) -> None:
    assert times(of_words(*words)) == clips


def test_a_video_beside_a_list(tmp_path: Path) -> None:
    path = written(tmp_path, f"{ID}\n", "list.txt")
    assert [clip.video for clip in of_words(path, f"https://youtu.be/{OTHER}", THIRD).clips] == [ID, OTHER, THIRD]


def test_a_file_that_is_called_as_a_video_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ID).write_text("x")
    with pytest.raises(UsageError, match="no list that can be read ends in 'nothing'"):
        of_words(ID)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("none.csv", "none.csv cannot be read: No such file or directory"),
        ("no such video", "no such video cannot be read: No such file or directory"),
        ("parts/*.csv", r"no file is called like parts/\*.csv"),
        ("https://x.example/list.csv", "https://x.example/list.csv is on another machine"),
        ("s3://bucket/list.parquet", "s3://bucket/list.parquet is on another machine"),
    ],
)
def test_a_word_that_is_nothing(word: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        of_words(word)
    assert caught.value.hint


# -- standard input ------------------------------------------------------------------------------------------


class _Input:
    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


@pytest.mark.parametrize("ending", ["csv", "tsv", "json", "jsonl", "txt"])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    for content in (CONTENTS[ending].encode(), gzip.compress(CONTENTS[ending].encode())):
        monkeypatch.setattr(sys, "stdin", _Input(content))
        assert times(of_words("-")) == BOTH


def test_a_parquet_by_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"youtube_id": video, "start": start, "end": end} for _, video, start, end in BOTH]
    monkeypatch.setattr(sys, "stdin", _Input(written(tmp_path, rows, "list.parquet").read_bytes()))
    assert times(of_words("-")) == BOTH


def test_nothing_by_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", _Input(b""))
    with pytest.raises(UsageError, match="standard input is empty"):
        of_words("-")

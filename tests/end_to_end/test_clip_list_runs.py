"""Runs over a user's list: where they go on, what a dry run shows, and lists that cannot be meant."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avclips.cli import main
from avclips.datasets.clip_list import CLIPS
from tests.standin.fake_youtube import FakeVideo
from tests.support.clips_stage import (
    HURRY,
    IDS,
    PLAIN,
    Clips,
    page,
    row,
    staged,
)
from tests.support.script import results, snapshot

PIP = f"{sys.executable} -m pip install"

# -- runs ------------------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path, media_folder: Path) -> Iterator[Clips]:
    """Two pages and two videos, quick to have."""
    pages = {"one": page("list"), "two": page("base")}
    yield from staged(tmp_path, media_folder, pages, {"plain": FakeVideo(PLAIN), "heard": FakeVideo(PLAIN)})


def four(place: Clips) -> list[dict[str, Any]]:
    return [
        row(place.site.url("one"), "c1", caption="é"),
        row(IDS["plain"], "c2"),
        row(place.site.url("two"), "c3", 1, 2),
        row(f"https://www.youtube.com/watch?v={IDS['heard']}", "c4", 0, 1),
        row(place.site.url("one"), "c5", 9, 10),
    ]


@pytest.mark.slow
def test_it_goes_on_where_it_stopped(place: Clips) -> None:
    path = place.list(four(place))
    assert place.run(path, "--cut", "copy", "--max-clips", "2").code == 0
    assert len(place.completed) == 2
    assert place.run(path, "--cut", "copy").code == 0
    assert sorted(place.completed) == ["c1", "c2", "c3", "c4", "c5"] and place.failed == {}
    asked, before = len(place.site.log) + len(place.youtube.log), results(place)
    ended = place.run(path, "--cut", "copy")
    assert (ended.code, len(place.site.log) + len(place.youtube.log)) == (0, asked)
    assert "5 of 5 clips are done" in ended.out and results(place) == before
    # A file that is gone comes again, and it alone; of a longer list, what is new.
    place.mp4("c5").unlink()
    longer = [*four(place), row(IDS["heard"], "c6", 2, 3)]
    pages = len(place.site.requests("page"))
    assert place.run(place.list(longer, "longer.csv"), "--cut", "copy").code == 0
    assert len(place.site.requests("page")) == pages + 1 and len(place.completed) == 6
    ended = place.run(path, "--status")
    assert ended.code == 0 and "5 of 5 clips are done, 0 failed, 0 not tried yet." in ended.out


@pytest.mark.slow
def test_shards(place: Clips) -> None:
    path = place.list(four(place), "list.jsonl")
    for shard in ("0/2", "1/2"):
        assert place.run(path, "--cut", "copy", "--part", shard).code == 0
    assert place.published == {"c1", "c2", "c3", "c4", "c5"}
    shares = [place.json(f"download_progress.{n}-of-2.json")["completed"] for n in (0, 1)]
    assert sorted(shares[0] + shares[1]) == ["c1", "c2", "c3", "c4", "c5"]
    assert any({"c1", "c5"} <= set(share) for share in shares), "one extraction a video"
    assert place.youtube.extractions() == 2
    ended = place.run(path, "--status")
    assert "5 of 5 clips are done" in ended.out and ended.code == 0


def test_status_before_any_run(place: Clips) -> None:
    ended = place.run(place.list(four(place)), "--status")
    assert ended.code == 1 and "holds no download of a list of your own" in ended.err
    assert not place.data.exists()


def test_dry_run(place: Clips) -> None:
    rows = [*four(place), row("nonsense", "c6"), row(IDS["plain"], "c7", 9, 3), row(IDS["plain"], "c8", 60, 70)]
    path = place.list(rows)
    before = snapshot(place.base)
    ended = place.run(path, "--dry-run", "--keep-cols", "end")
    said = ended.out.splitlines()
    assert (ended.code, ended.err) == (0, "")
    assert (
        said[0]
        == "columns: video from 'url', start from 'start', end from 'end', id from 'id', caption from 'caption', "
        "kept 'end'"
    )
    assert said[1] == "left out: list.csv, line 7: 'nonsense' is neither a YouTube id nor the address of a video"
    assert said[2] == "left out: list.csv, line 8: the end 3 is not after the start 9"
    url = f"https://www.youtube.com/watch?v={IDS['plain']}"
    assert f"c1: {place.site.url('one')} from 3.5 to 8 s {{'caption': 'é', 'end': '8.0'}}" in said
    assert f"c8: {url} from 60 to 70 s (0:01:00 to 0:01:10) {{'end': '70'}}" in said
    assert said[-1] == "6 clips of 4 videos, 2 records left out. Nothing was fetched."
    new = {name for name in snapshot(place.base).keys() - before.keys() if not name.endswith((".out", ".err"))}
    assert new == set() and place.site.log == [] and place.youtube.log == []


def test_a_dry_run_shows_the_first_rows(place: Clips) -> None:
    path = place.base / "list.txt"
    path.write_text("".join(f"https://x.example/{n}\n" for n in range(50)) + "bad\n" * 30)
    said = place.run(path, "--dry-run").out.splitlines()
    assert [line.partition(":")[0] for line in said].count("left out") == 10 and len(said) == 22
    assert said[0] == "columns: video from '1', whole videos"
    assert said[11].startswith("x-example-0-") and said[11].endswith(": https://x.example/0 from 0 to the end")
    assert said[-1] == "50 clips of 50 videos, 30 records left out. Nothing was fetched."


def test_an_address_that_cannot_be_read_ends_no_run(place: Clips) -> None:
    rows = [row("https://[x/y", "odd"), row(place.site.url("two"), "good", 1, 2), row("https://[::1/z", "odder")]
    ended = place.run(place.list(rows), "--cut", "copy", scale=HURRY)
    assert ended.code in (0, 3) and place.completed == ["good"]


def test_without_pyarrow(place: Clips, tmp_path: Path) -> None:
    path = place.list(four(place), "list.parquet")
    (tmp_path / "poor").mkdir()
    (tmp_path / "poor" / "pyarrow.py").write_text("raise ImportError('none here')\n")
    place.more = {"PYTHONPATH": str(tmp_path / "poor")}
    ended = place.run(path)
    assert (ended.code, ended.err) == (
        2, f"error: parquet files are read by pyarrow, which is not here\n  {PIP} 'pyarrow>=17'\n"
    )  # fmt: skip


# -- lists that cannot be meant --------------------------------------------------------------------------------

ID = IDS["plain"]
GOOD_ROW = f"url,start,end\n{ID},1,2\n".encode()
BAD: dict[str, tuple[str, bytes | None, tuple[str, ...], str]] = {
    "missing": ("list.csv", None, (), "LIST cannot be read: No such file or directory"),
    "empty": ("list.csv", b"", (), "LIST is empty"),
    "only a header": ("list.csv", b"url,start,end\n", (), "LIST has a header and no row"),
    "no such format": ("list.xlsx", b"PK", (), "LIST: no list that can be read ends in '.xlsx'"),
    "no parquet": ("list.parquet", b"PAR1 not really", (), "LIST cannot be read as parquet: "),
    "wrong column": ("list.csv", GOOD_ROW, ("--url-col", "ulr"), "LIST has no column 'ulr'"),
    "no video": ("list.csv", b"name,start,end\nx,1,2\n", (), "no column of LIST is known to name a video"),
    "no end": ("list.csv", f"url,start\n{ID},1\n".encode(), (), "LIST says where a clip starts"),
    "Latin-1": ("list.csv", f"url,caption\n{ID},caf\xe9\n".encode("latin-1"), (), "LIST, line 2: not utf-8 text"),
    "UTF-16": ("list.csv", f"url\n{ID}\n".encode("utf-16"), (), "LIST, line 1: not utf-8 text"),
    "encoding": ("list.csv", f"url\n{ID}\n".encode(), ("--encoding", "utf8000"), "--encoding 'utf8000' is"),
    "reversed": ("list.csv", f"url,start,end\n{ID},9,3\n".encode(), (),
        "no row of LIST names a clip; the first: list.csv, line 2: the end 3 is not after the start 9"),
    "open quote": ("list.csv", f'url,caption\n{ID},x\nz,"y\n'.encode(), (), "LIST, line 3: a quote is"),
    "no object": ("list.jsonl", b'["x"]\n', (), "LIST, line 1 holds a list, not an object"),
    "half an object": ("list.jsonl", b'{"url": "x"}\n{"url": \n', (), "LIST, line 2 is not whole JSON: "),
    "jsonl as json": ("list.json", b'{"url": 1}\n{"url": 2}\n', (), "LIST is not whole JSON: Extra data"),
    "another's preset": ("list.csv", GOOD_ROW, ("--preset", "kinetics"),
        "LIST has no column 'youtube_id' (--preset kinetics)"),
    "two ends": ("list.csv", f"url,start,end,duration\n{ID},1,2,1\n".encode(),
        ("--end-col", "end", "--duration-col", "duration"), "--end-col and --duration-col exclude each other"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_list(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One message and a hint, code 2, and nothing else happens."""
    called, content, options, message = BAD[name]
    path, data = tmp_path / called, tmp_path / "data"
    if content is not None:
        path.write_bytes(content)
    code = main.main(CLIPS, [str(path), "--data-dir", str(data), "--dry-run", *options])
    said = capsys.readouterr()
    assert (code, said.out) == (2, ""), said.err
    error, hint = said.err.splitlines()
    assert error.replace(str(path), "LIST").startswith(f"error: {message}") and hint.startswith("  ")
    assert not data.exists()


GOOD: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "BOM": (b"\xef\xbb\xbfurl,start,end\n", ()),
    "CRLF": (b"url,start,end\r\n", ()),
    "BOM, CRLF": (b"\xef\xbb\xbfurl,start,end\r\n", ()),
    "comments": (b"# mine\n\nurl,start,end\n", ()),
    "other names": (b"a,b,c\n", ("--url-col", "a", "--start-col", "b", "--end-col", "c")),
    "Latin-1": ("\xe9,url,start,end\n".encode("latin-1"), ("--encoding", "latin-1")),
}


@pytest.mark.parametrize("name", GOOD)
def test_an_unusual_list(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    header, options = GOOD[name]
    end = b"\r\n" if b"\r\n" in header else b"\n"
    first = b"\xe9," if name == "Latin-1" else b""
    rows = [first + f"{ID},1,2".encode(), first + f"{ID},5,3".encode(), first + f"{ID},0:03,4.5".encode()]
    path = tmp_path / "list.csv"
    path.write_bytes(header + end.join(rows) + end)
    code = main.main(CLIPS, [str(path), "--data-dir", str(tmp_path / "data"), "--dry-run", *options])
    said = capsys.readouterr().out.splitlines()
    line = 3 + header.count(b"\n") - 1
    assert code == 0 and said[1:] == [
        f"left out: list.csv, line {line}: the end 3 is not after the start 5",
        f"{ID}_1_2: https://www.youtube.com/watch?v={ID} from 1 to 2 s",
        f"{ID}_3_4.5: https://www.youtube.com/watch?v={ID} from 3 to 4.5 s",
        "2 clips of 1 videos, 1 records left out. Nothing was fetched.",
    ]


def test_a_name_of_eleven_letters_is_no_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One clip that is called so, among addresses, is no reason to take the names for the videos."""
    path = tmp_path / "list.csv"
    rows = [f"https://vimeo.com/{n},{n},{n + 5},{name}" for n, name in enumerate(("cat", "basketball1", "dog"))]
    path.write_text("\n".join(["url,start,end,id", *rows]) + "\n")
    assert main.main(CLIPS, [str(path), "--data-dir", str(tmp_path / "data"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("columns: video from 'url', start from 'start', end from 'end'"), said
    assert "3 clips of 3 videos, 0 records left out." in said


def test_a_missing_list_is_said_before_anything_is_made(place: Clips) -> None:
    """A folder that the mistaken run had claimed would refuse the next one's settings."""
    missing = place.base / "no.csv"
    ended = place.run(missing)
    assert (ended.code, ended.err) == (
        2, f"error: {missing} cannot be read: No such file or directory\n  is it there, and yours to read?\n"
    )  # fmt: skip
    ended = place.run(place.list([row(place.site.url("two"), "good", 1, 2)]), "--cut", "copy")
    assert ended.code == 0 and place.completed == ["good"], ended.err


def test_bad_rows_are_left_out_and_said(place: Clips) -> None:
    rows = [row(place.site.url("two"), "good", 1, 2), row(IDS["plain"], "bad", 5, 3), row("", "none")]
    ended = place.run(place.list(rows), "--cut", "copy")
    assert ended.code == 0 and place.completed == ["good"]
    assert (
        "2 records are left out, see metadata/left_out.json; first list.csv, line 3: the end 3 is not after"
        in ended.out
    )
    assert "list.csv, line 4: no video" in (place.data / "clips_download.log").read_text()
    named = place.json("metadata/left_out.json")
    assert [line.partition(":")[0] for line in named] == ["list.csv, line 3", "list.csv, line 4"]
    said = place.run(place.list(rows), "--status").out
    assert f"2 records of the list are left out: see {place.data}/metadata/left_out.json." in said
    # A list without faults says so.
    assert place.run(place.list(rows[:1], "good.csv"), "--cut", "copy").code == 0
    assert place.json("metadata/left_out.json") == []

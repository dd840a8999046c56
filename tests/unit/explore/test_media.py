"""Which bytes are served, of which part of a file, and which are not."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avclips.catalog.sample import Place
from avclips.explore.media import Files, NotServed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    (made / "audio").mkdir(parents=True)
    (made / "audio" / "a.wav").write_bytes(b"0123456789")
    other = tmp_path / "other_disk"
    other.mkdir()
    (other / "b.mp4").write_bytes(b"elsewhere")
    for name in ("a.html", "a.mp4.part"):
        (made / "audio" / name).write_bytes(b"0123456789")
    (made / "videos").symlink_to(other)
    (tmp_path / "secret.wav").write_bytes(b"secret")
    (made / "audio" / "link.wav").symlink_to(tmp_path / "secret.wav")
    (made / "mine").symlink_to(tmp_path)
    return made


def content(files: Files, place: Place, kind: str, begin: int = 0, end: int | None = None) -> bytes:
    blob = files.blob(place, kind)
    return b"".join(blob.read(begin, blob.size if end is None else end))


def test_files_are_read_in_part(folder: Path) -> None:
    files = Files(str(folder))
    whole = Place(str(folder / "audio" / "a.wav"))
    assert files.blob(whole, "audio").type == "audio/wav"
    assert content(files, whole, "audio") == b"0123456789"
    assert content(files, whole, "audio", 2, 5) == b"234"
    # A folder that is linked to another disk is followed.
    assert content(files, Place(str(folder / "videos" / "b.mp4")), "video") == b"elsewhere"


@pytest.mark.parametrize(
    "path",
    [
        "audio/../../secret.wav",
        "../secret.wav",
        "audio/link.wav",
        "mine/secret.wav",
        "audio",
        "audio/no.wav",
        "audio/a.html",
        "audio/a.mp4.part",
    ],
)
def test_nothing_else_is_served(folder: Path, path: str) -> None:
    with pytest.raises(NotServed):
        Files(str(folder)).blob(Place(str(folder / path)), "audio")


@pytest.mark.parametrize(
    ("offset", "size", "found"),
    [(2, 3, b"234"), (2, None, b"23456789"), (2, 9, None), (11, None, None), (-1, 2, None)],
)
def test_a_part_of_a_file_is_served_where_it_lies_within_it(
    folder: Path, offset: int, size: int | None, found: bytes | None
) -> None:
    files, place = Files(str(folder)), Place(str(folder / "audio" / "a.wav"), offset, size)
    if found is None:
        with pytest.raises(NotServed, match="ends before"):
            files.blob(place, "audio")
    else:
        assert content(files, place, "audio") == found and content(files, place, "audio", 1, 3) == found[1:3]


def test_a_cell_is_served(folder: Path) -> None:
    table = folder / "00000.parquet"
    pq.write_table(pa.table({"mp4": [{"bytes": b"012", "path": "x"}, None]}), table)
    files = Files(str(folder))
    assert content(files, Place(str(table), row=0, column="mp4"), "video", 1, 2) == b"1"
    with pytest.raises(NotServed) as caught:
        files.blob(Place(str(table), row=1, column="mp4"), "video")
    assert str(folder) not in str(caught.value)


def test_a_store_serves_what_lies_in_its_output() -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    store.pipe("/out/00000.tar", b"0123456789")
    files = Files("memory://out")
    assert content(files, Place("memory://out/00000.tar", 2, 3), "video") == b"234"
    with pytest.raises(NotServed):
        files.blob(Place("memory://other/00000.tar", 2, 3), "video")


@pytest.mark.parametrize(
    ("kind", "start", "type"),
    [
        ("audio", b"fLaC", "audio/flac"),
        ("video", b"\x1aE\xdf\xa3", "video/x-matroska"),
        ("info", b"{", "application/json"),
    ],
)
def test_a_member_of_a_tar_has_the_type_of_its_bytes(folder: Path, kind: str, start: bytes, type: str) -> None:
    (folder / "00000.tar").write_bytes(b"x" * 5 + start + b"y" * 30)
    assert Files(str(folder)).blob(Place(str(folder / "00000.tar"), 5, 20), kind).type == type

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
    (made / "videos").symlink_to(other)
    (tmp_path / "secret.wav").write_bytes(b"secret")
    (made / "audio" / "link.wav").symlink_to(tmp_path / "secret.wav")
    (made / "mine").symlink_to(tmp_path)
    return made


def content(files: Files, place: Place, name: str, begin: int = 0, end: int | None = None) -> bytes:
    blob = files.blob(place, name)
    return b"".join(blob.read(begin, blob.size if end is None else end))


def test_files_are_read_in_part(folder: Path) -> None:
    files = Files(str(folder))
    whole = Place(str(folder / "audio" / "a.wav"))
    assert files.blob(whole, "a.wav").type == "audio/wav"
    assert content(files, whole, "a.wav") == b"0123456789"
    assert content(files, whole, "a.wav", 2, 5) == b"234"
    # A folder that is linked to another disk is followed.
    assert content(files, Place(str(folder / "videos" / "b.mp4")), "b.mp4") == b"elsewhere"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("audio/../../secret.wav", "a.wav"),
        ("../secret.wav", "a.wav"),
        ("audio/link.wav", "a.wav"),
        ("mine/secret.wav", "a.wav"),
        ("audio", "a.wav"),
        ("audio/no.wav", "a.wav"),
        ("audio/a.wav", "a.html"),
        ("audio/a.wav", "a"),
    ],
)
def test_nothing_else_is_served(folder: Path, path: str, name: str) -> None:
    with pytest.raises(NotServed):
        Files(str(folder)).blob(Place(str(folder / path)), name)


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
            files.blob(place, "a.mp4")
    else:
        assert content(files, place, "a.mp4") == found and content(files, place, "a.mp4", 1, 3) == found[1:3]


def test_a_cell_is_served(folder: Path) -> None:
    table = folder / "00000.parquet"
    pq.write_table(pa.table({"mp4": [{"bytes": b"012", "path": "x"}, None]}), table)
    files = Files(str(folder))
    assert content(files, Place(str(table), row=0, column="mp4"), "clip.mp4", 1, 2) == b"1"
    with pytest.raises(NotServed) as caught:
        files.blob(Place(str(table), row=1, column="mp4"), "clip.mp4")
    assert str(folder) not in str(caught.value)


def test_a_store_serves_what_lies_in_its_output() -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    store.pipe("/out/00000.tar", b"0123456789")
    files = Files("memory://out")
    assert content(files, Place("memory://out/00000.tar", 2, 3), "a.mp4") == b"234"
    with pytest.raises(NotServed):
        files.blob(Place("memory://other/00000.tar", 2, 3), "a.mp4")

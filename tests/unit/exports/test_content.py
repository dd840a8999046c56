"""The bytes of a file in each place that one can lie in, and what is said where they are not there."""

from __future__ import annotations

from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from avclips.catalog.sample import Place
from avclips.core.errors import RunError
from avclips.exports import content
from tests.support.samples_of import PICTURE

CELLS = [b"first", b"second", None, PICTURE, b"WEBVTT"]


@pytest.fixture
def table(tmp_path: Path) -> str:
    """Cells as our shards have them: typed media, plain bytes, texts; two rows a group."""
    media = [None if each is None else {"bytes": each, "path": "x"} for each in CELLS]
    texts = [None if each is None else each.decode("latin-1") for each in CELLS]
    columns = {"mp4": media, "bare": pyarrow.array(CELLS, pyarrow.large_binary()), "en.vtt": texts}
    path = tmp_path / "00000.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path, row_group_size=2)
    return str(path)


@pytest.mark.parametrize("column", ["mp4", "bare", "en.vtt"])
@pytest.mark.parametrize("row", [0, 1, 3, 4])
def test_a_cell(table: str, column: str, row: int) -> None:
    place = Place(table, row=row, column=column)
    assert content.read(place) == CELLS[row] and content.size_of(place) == len(CELLS[row] or b"")
    assert content.ending_of("any", place) == column.rpartition(".")[2]


@pytest.mark.parametrize(("row", "message"), [(2, "has nothing in row 2 of mp4"), (5, "has no row 5")])
def test_a_cell_that_is_not_there(table: str, row: int, message: str) -> None:
    with pytest.raises(RunError, match=message):
        content.read(Place(table, row=row, column="mp4"))


@pytest.mark.parametrize("address", ["{}", "file://{}"])
def test_bytes_of_a_tar_here_and_by_an_address(tmp_path: Path, address: str) -> None:
    (tmp_path / "a.tar").write_bytes(b"x" * 7 + PICTURE + b"y" * 7)
    place = Place(address.format(tmp_path / "a.tar"), 7, len(PICTURE))
    assert content.read(place) == PICTURE and not content.is_file(place)
    with pytest.raises(RunError, match="ends before byte"):
        content.read(Place(place.path, 7, 100))


def test_a_whole_file_by_an_address(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    place = Place(f"file://{tmp_path / 'a.wav'}")
    assert (content.read(place), content.size_of(place), content.is_file(place)) == (b"RIFF", 4, False)
    with pytest.raises(RunError, match="gone.wav"):
        content.size_of(Place(str(tmp_path / "gone.wav")))


@pytest.mark.parametrize(
    ("kind", "start", "ending"),
    [
        ("video", PICTURE, "mp4"),
        ("audio", PICTURE, "m4a"),
        ("video", b"\x1aE\xdf\xa3", "mkv"),
        ("audio", b"RIFF", "wav"),
        ("audio", b"fLaC", "flac"),
        ("frame", b"\xff\xd8\xff\xe0", "jpg"),
        ("subtitles.en", b"WEBVTT", "vtt"),
        ("subtitles.en", b"", "vtt"),
        ("audio", b"what?", "wav"),
        ("other", b"what?", "bin"),
    ],
)
def test_the_ending_of_what_has_no_name(tmp_path: Path, kind: str, start: bytes, ending: str) -> None:
    (tmp_path / "a.tar").write_bytes(b"x" * 5 + start + b"y" * 30)
    assert content.ending_of(kind, Place(str(tmp_path / "a.tar"), 5, max(30, len(start)))) == (ending)


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden"])
def test_an_id_that_is_no_files_name_becomes_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match="cannot be a file's name"):
        content.file_name(name, "audio", Place("a.wav"))

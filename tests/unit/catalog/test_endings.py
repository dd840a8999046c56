"""The endings of files, of cells, and of what lies in a tar without a name."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avclips.catalog.endings import ending_of
from avclips.catalog.places import Unreadable
from avclips.catalog.sample import Place
from tests.support.samples_of import PICTURE


@pytest.mark.parametrize("column", ["mp4", "bare.wav", "en.vtt"])
def test_the_ending_of_a_cell(column: str) -> None:
    assert ending_of("any", Place("gone.parquet", row=0, column=column)) == column.rpartition(".")[2]


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
    assert ending_of(kind, Place(str(tmp_path / "a.tar"), 5, max(30, len(start)))) == ending


@pytest.mark.parametrize(
    ("column", "kind", "cell", "ending"),
    [
        ("info", "info", b'{"title": "a"}', "json"),
        ("video", "video", PICTURE, "mp4"),
        ("audio", "audio", b"fLaC" + b"y" * 30, "flac"),
        ("a.b", "frame", b"\xff\xd8\xff\xe0", "jpg"),
    ],
)
def test_a_cell_whose_column_names_no_ending(
    tmp_path: Path, column: str, kind: str, cell: bytes, ending: str
) -> None:
    pq.write_table(pa.table({column: [cell]}), tmp_path / "a.parquet")
    assert ending_of(kind, Place(str(tmp_path / "a.parquet"), row=0, column=column)) == ending


def test_a_tar_that_ends_before_its_member(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"x" * 10)
    with pytest.raises(Unreadable):
        ending_of("video", Place(str(tmp_path / "a.tar"), 5, 30))

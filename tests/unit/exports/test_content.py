"""What files are called in an export."""

from __future__ import annotations

from pathlib import Path

import pytest

from avclips.catalog.sample import Place
from avclips.core.errors import RunError
from avclips.exports import content
from tests.support.samples_of import PICTURE


@pytest.mark.parametrize("column", ["mp4", "bare.wav", "en.vtt"])
def test_the_ending_of_a_cell(column: str) -> None:
    assert content.ending_of("any", Place("gone.parquet", row=0, column=column)) == column.rpartition(".")[2]


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
    assert content.ending_of(kind, Place(str(tmp_path / "a.tar"), 5, max(30, len(start)))) == ending


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden"])
def test_an_id_that_is_no_files_name_becomes_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match="cannot be a file's name"):
        content.file_name(name, "audio", Place("a.wav"))

"""What files are called in an export."""

from __future__ import annotations

from pathlib import Path

import pytest

from avclips.catalog.sample import Place
from avclips.core.errors import RunError
from avclips.exports import content


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden"])
def test_an_id_that_is_no_files_name_becomes_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match="cannot be a file's name"):
        content.file_name(name, "audio", Place("a.wav"))

"""A user's list in a folder, as the clips it names: for the tests of lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from avclips.core.errors import UsageError
from avclips.core.settings import Settings
from avclips.datasets.base import Listing
from avclips.datasets.clip_list import read_clips

ID, OTHER, THIRD = "abcde-ghij0", "_bcdefghijk", "-abcdefghij"


def written(folder: Path, content: Any, name: str = "list.csv") -> Path:
    """A list of that name: text and bytes as they are, records as the name's ending has them."""
    path = folder / name
    if isinstance(content, (str, bytes)):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in content))
    elif path.suffix == ".parquet":
        table = content if isinstance(content, pyarrow.Table) else pyarrow.Table.from_pylist(content)
        pyarrow.parquet.write_table(table, path)
    else:
        path.write_text(json.dumps(content))
    return path


def listing(folder: Path, content: Any, name: str = "list.csv", **chosen: Any) -> Listing:
    """How a list is understood; every row of it is accounted for."""
    found = read_clips(folder, Settings(folder, clip_list=written(folder, content, name), **chosen))
    assert found.rows >= len(found.skipped)
    return found


def times(found: Listing) -> list[tuple[str, str, float, float | None]]:
    return [(clip.id, clip.video, clip.start, clip.end) for clip in found.clips]


def metas(found: Listing) -> list[dict[str, Any]]:
    return [dict(clip.meta) for clip in found.clips]


def complaint(folder: Path, content: Any, name: str = "list.csv", **chosen: Any) -> tuple[str, str]:
    """What is said of a list that cannot be read, without its folder, and the advice."""
    with pytest.raises(UsageError) as caught:
        listing(folder, content, name, **chosen)
    assert caught.value.hint and "\n" not in str(caught.value)
    return str(caught.value).replace(f"{folder}/", ""), caught.value.hint

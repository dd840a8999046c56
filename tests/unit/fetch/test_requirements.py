"""What a run's settings want: told before anything is made, all at once, with the one command that mends it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from avclips.core import extras as extras_module
from avclips.core.errors import UsageError
from avclips.core.settings import Settings
from avclips.fetch.requirements import endings_of, needs_of
from avclips.fetch.shard_output import see_what_is_needed


@pytest.mark.parametrize(
    ("changed", "modules"),
    [
        ({}, set()),
        ({"clip_list": ("a.csv", "b.jsonl.gz")}, set()),
        ({"clip_list": ("a.csv", "b.parquet")}, {"pyarrow.parquet"}),
        ({"clip_list": ("a.csv.zst",)}, {"pyarrow"}),
        ({"output_format": "webdataset"}, set()),
        ({"output_format": "parquet", "output": "s3://bucket/x"}, {"s3fs"}),
        ({"output_format": "parquet", "output": "gs://bucket/x"}, {"gcsfs"}),
        ({"output_format": "parquet", "output": "/a/b"}, set()),
        # Nothing goes there.
        ({"output_format": "files", "output": "s3://bucket/x"}, set()),
    ],
)
def test_what_is_needed_by_list_and_store(changed: dict[str, Any], modules: set[str]) -> None:
    assert needs_of(Settings(Path(), **changed)).keys() == modules


def test_all_that_is_missing_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parquet list into tars on S3, where nothing of it is installed."""

    def lacks(module: str) -> None:
        raise ImportError(name=module.partition(".")[0])

    monkeypatch.setattr(extras_module.importlib, "import_module", lacks)
    settings = Settings(Path(), clip_list=("a.parquet",), output_format="webdataset", output="s3://bucket/x")
    with pytest.raises(UsageError) as caught:
        see_what_is_needed(settings, needs_of(settings))
    packages = "'pyarrow>=17' 's3fs>=2024.12' 'fsspec>=2024.12' 'webdataset>=1.0.2'"
    assert caught.value.hint == f"{sys.executable} -m pip install {packages}"


@pytest.mark.parametrize(
    ("changed", "first", "count"),
    [
        ({}, ".mp4", 3),
        ({"media": "audio"}, ".wav", 6),
        ({"media": "audio", "audio_format": "m4a"}, ".m4a", 6),
    ],
)
def test_which_files_of_archives_can_be_a_clips(changed: dict[str, Any], first: str, count: int) -> None:
    endings = endings_of(Settings(Path(), **changed))
    assert (endings[0], len(endings), len(set(endings))) == (first, count, count)

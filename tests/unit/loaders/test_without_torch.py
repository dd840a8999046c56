"""The package where there is no torch: it imports, and says in one line what is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import avclips.loaders

# A torch that is there is not found.
HIDDEN = """
import sys
sys.modules["torch"] = None
import avclips.loaders
try:
    from avclips.loaders import NAME
except Exception as error:
    print(type(error).__name__, error, error.hint, sep="; ")
"""


@pytest.mark.parametrize("name", ["AVQADataset", "ShardDataset", "collate"])
def test_what_is_missing_is_one_line(name: str) -> None:
    said = subprocess.run(
        [sys.executable, "-c", HIDDEN.replace("NAME", name)], capture_output=True, text=True, check=True
    ).stdout
    assert said.count("\n") == 1
    assert said.startswith("UsageError; datasets are loaded by torch, which is not here; ")
    assert "pip install 'torch>=" in said


def test_a_name_that_is_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = avclips.loaders.Nothing  # type: ignore[attr-defined]

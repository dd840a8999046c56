"""A place for archives, that nothing leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.made_archives import (
    Place,
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place in an empty folder; afterwards nothing lies beside the three folders of it."""
    base = tmp_path / "in" / "here"
    base.mkdir(parents=True)
    made = Place(base)
    yield made
    own = {made.packed, made.out, made.spill}
    beside = {path for path in tmp_path.rglob("*") if not own & {path, *path.parents}}
    assert beside == {base, base.parent}

"""docs/reference.md is what the code says today."""

from __future__ import annotations

from tools.reference import FILE, reference


def test_the_reference_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == reference(), "python -m tools.reference writes it anew"

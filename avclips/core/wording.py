"""How figures and settings are said to people."""

from __future__ import annotations

from typing import Any


def in_units(count: float) -> str:
    """Bytes in the unit that shows a figure: ``41.5 MB``, ``1.86 GB``."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        # What would be rounded to 1000 of a unit is 1 of the next.
        if round(count / size, 2 if unit == "GB" else 1) >= 1:
            return (
                f"{count / size:.2f} {unit}"
                if unit in ("TB", "GB") and count < 10 * size
                else f"{count / size:.1f} {unit}"
            )
    return f"{count:.0f} bytes"


def as_option(name: str, value: Any) -> str:
    """A setting as it was asked for: ``--audio-rate 16000``, ``--flat``, ``no --flat``, ``--keep-cols a b``."""
    option = f"--{name.replace('_', '-')}"
    if value is None or value is False or value == []:
        return f"no {option}"
    said = " ".join(map(str, value)) if isinstance(value, list) else value
    return option if value is True else f"{option} {said}"

"""When a line of a manifest was written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

# Seconds of 2000 and of 2200: what lies before or behind was no clock, and no plot has room for it.
_FROM, _TO = 946_684_800, 7_258_118_400


def seconds_of(line: Mapping[str, Any]) -> int | None:
    """Seconds since 1970; None where the line says none."""
    try:
        seconds = int(datetime.fromisoformat(line["time"]).timestamp())
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return seconds if _FROM <= seconds < _TO else None

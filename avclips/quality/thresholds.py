"""From which value on a quality flag is raised: the one place that says so. docs/flags.md gives the reasons.

Takes what a manifest says under ``flags``, and knows nothing of how it was measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

STILL = 0.95
"""Raised from this share of the pictures on that show what the one before showed."""
BLACK = 0.5
"""Raised from this share of black pictures on."""
SILENT = -60.0
"""Raised below this level, in dBFS (RMS over all channels)."""
CLIPPED = 0.001
"""Raised from this share of samples at full scale on."""
LETTERBOX = 0.1
"""Raised from this share of the height, or of the width, that is bars."""

NAMES = ("still", "black", "silent", "clipped", "dual_mono", "letterbox")
"""Every flag that can be raised."""


def raised(flags: Mapping[str, Any]) -> frozenset[str]:
    """Which flags are raised of a clip, out of NAMES. What was not measured, or is no number, raises none.

    ``flags``: as a manifest's line has them under that name: shares from 0 to 1, ``level`` in dBFS.
    """
    bars = max(_number(flags.get("letterbox"), 0.0), _number(flags.get("pillarbox"), 0.0))
    found = {
        "still": _number(flags.get("still"), 0.0) >= STILL,
        "black": _number(flags.get("black"), 0.0) >= BLACK,
        "silent": _number(flags.get("level"), 0.0) < SILENT,
        "clipped": _number(flags.get("clipped"), 0.0) >= CLIPPED,
        "dual_mono": flags.get("dual_mono") is True,
        "letterbox": bars >= LETTERBOX,
    }
    return frozenset(name for name in NAMES if found[name])


def lacking(line: Mapping[str, Any]) -> bool:
    """Whether a finished clip's line in the manifest has a picture, or a sound, without its flags."""
    found = line.get("flags")
    flags = found if isinstance(found, Mapping) else {}
    return any(line.get(kind) and name not in flags for kind, name in (("video", "still"), ("audio", "level")))


def _number(value: Any, otherwise: float) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return value
    return otherwise

"""The samples of WAV files, and how alike two sounds are."""

from __future__ import annotations

import re
import subprocess
import wave
from pathlib import Path
from typing import Any

import numpy as np

from tests.standin.fake_media import ffmpeg

Samples = np.ndarray[Any, Any]


def samples(path: Path) -> Samples:
    """All samples, an array a channel."""
    with wave.open(str(path)) as sound:
        assert sound.getsampwidth() == 2
        found = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
        return found.reshape(-1, sound.getnchannels())


def without_filling(due: Samples, got: Samples) -> Samples:
    """What ffmpeg decodes to the end of a file: older ones play what fills up the last packet."""
    filled = len(due) - len(got)
    if not 0 < filled < 2048:
        return due
    said = subprocess.run([ffmpeg(), "-version"], check=True, capture_output=True, text=True).stdout
    return due[: len(got)] if re.match(r"ffmpeg version n?[5-7]\.", said) else due


def is_in_step(got: Samples, due: Samples) -> bool:
    """Whether two sounds are alike, and most so when neither is moved."""
    likeness = {lag: likeness_at(got, due, lag) for lag in range(-20, 21)}
    return max(likeness, key=lambda lag: likeness[lag]) == 0 and likeness[0] > 0.9


def likeness_at(got: Samples, due: Samples, lag: int) -> float:
    """How alike two sounds are when one is moved by ``lag`` samples."""
    count = min(len(got), len(due)) - 200
    return float(np.corrcoef(got[100 : 100 + count], due[100 + lag : 100 + lag + count])[0, 1])

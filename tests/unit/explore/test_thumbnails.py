"""A clip's small picture has the colours of the clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avclips.core.clock import Clock
from avclips.explore.thumbnails import _arguments
from avclips.media.ffmpeg import Ffmpeg
from tests.standin import fake_media
from tests.support.made_files import PLAIN, made
from tests.unit.media.test_still import colours


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m"])
def test_colours_by_either_matrix(media_folder: Path, tmp_path: Path, matrix: str) -> None:
    words = ["-f", "lavfi", "-i", "pal100bars=size=512x256:rate=5:duration=1", "-vf"]
    words += [f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p", "-colorspace", matrix]
    film, small = made(media_folder, "mp4", *words, *PLAIN), tmp_path / "small.jpg"
    Ffmpeg(Path(fake_media.ffmpeg()), Clock()).run([*_arguments("video", film, 1.0), "-frames:v", "1", small])
    assert np.abs(colours(small) - colours(film)).max() < 8

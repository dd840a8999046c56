"""What of yt-dlp is made otherwise: what it then is."""

from __future__ import annotations

from typing import Any

import pytest
import yt_dlp

from avclips.sources.request_limits import Bounds
from avclips.sources.ytdlp_network import BoundedYoutubeDL


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"allowed_extractors": ["default"]},
        {"allowed_extractors": ["youtube"]},
        {"allowed_extractors": ["default", "-generic"]},
        {"allowed_extractors": ["all", "-youtube.*"]},
    ],
    ids=lambda asked: " ".join(asked.get("allowed_extractors", ["nothing said"])),
)
def test_the_sites_that_are_known(asked: dict[str, Any]) -> None:
    ours = BoundedYoutubeDL(asked, Bounds(lambda seconds: seconds, 1.0))
    theirs = yt_dlp.YoutubeDL(asked)
    assert list(ours._ies) == list(theirs._ies)
    assert [kind_of(each) for each in ours._ies.values()] == [kind_of(each) for each in theirs._ies.values()]
    assert ours._ies


def kind_of(extractor: Any) -> type:
    """Those that are imported when they are needed stand there as classes."""
    return extractor if isinstance(extractor, type) else type(extractor)

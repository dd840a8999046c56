"""Times that stand in the addresses of a list: which are read, and when it has to be asked what is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avclips.core.errors import UsageError
from avclips.core.settings import Columns, Settings
from avclips.datasets.base import Listing
from avclips.datasets.clip_list import read_clips
from avclips.lists.addresses import times_in

ID, OTHER = "abcde-ghij0", "_bcdefghijk"


def listing(folder: Path, content: str, **chosen: Any) -> Listing:
    path = folder / "list.csv"
    path.write_text(content, encoding="utf-8")
    return read_clips(folder, Settings(folder, clip_list=path, **chosen))


def brief(found: Listing) -> list[tuple[str, str, float, float | None]]:
    return [(clip.id, clip.video, clip.start, clip.end) for clip in found.clips]


EMBED = f"https://www.youtube.com/embed/{ID}"


@pytest.mark.parametrize(
    ("address", "times"),
    [
        (f"{EMBED}?start=30&end=40", (30.0, 40.0)),
        (f"{EMBED}?end=40&start=30", (30.0, 40.0)),
        (f"{EMBED}?start=30.5&amp;end=40.25", (30.5, 40.25)),
        (f"{EMBED}?end=40", (None, 40.0)),
        (f" {EMBED}?start=30 ", (30.0, None)),
        (f"https://youtu.be/{ID}?t=90", (90.0, None)),
        (f"https://youtu.be/{ID}?t=1m30s", (90.0, None)),
        (f"https://youtu.be/{ID}?t=1:30", (90.0, None)),
        (f"https://www.youtube.com/watch?v={ID}&t=1h2m3s", (3723.0, None)),
        (f"https://www.youtube.com/watch?v={ID}&t=2h", (7200.0, None)),
        (f"https://www.youtube.com/watch?time_continue=9&v={ID}", (9.0, None)),
        (f"https://www.youtube.com/watch?v={ID}#t=30,40", (30.0, 40.0)),
        (f"https://www.youtube.com/watch?v={ID}&t=5&start=30&end=40", (30.0, 40.0)),
        (f"https://www.youtube.com/watch?v={ID}&t=5&t=7", (5.0, None)),
        *((f"https://youtu.be/{ID}?{words}", (None, None)) for words in (
            "", "t=", "t=soon", "t=-5", "at=5", "t=5x", "t=m5", "end=", "list=t=5x", "t=1:2:3:4",
            "t=" + "9" * 99)),
        (ID, (None, None)),
        ("https://vimeo.com/1#t=30,40", (None, None)),
        ("https://x.example/watch?v=1&start=3&end=9", (None, None)),
        *((cell, (None, None)) for cell in (None, 5, [EMBED], "")),
    ],
)  # fmt: skip
def test_the_times_in_an_address(address: Any, times: tuple[float | None, float | None]) -> None:
    assert times_in(address) == times


@pytest.mark.parametrize(
    ("content", "chosen", "clips", "left_out"),
    [
        (f"{EMBED}?start=30&end=40\n{EMBED}?start=5&end=15\n", {},
            [(f"{ID}_30_40", ID, 30.0, 40.0), (f"{ID}_5_15", ID, 5.0, 15.0)], []),
        (f"{EMBED}?end=9.5\n", {}, [(f"{ID}_0_9.5", ID, 0.0, 9.5)], []),
        (f"{EMBED}?start=30&end=40\n{EMBED}?start=5\n{OTHER}\n", {}, [(f"{ID}_30_40", ID, 30.0, 40.0)],
            ["no end", "no end"]),
        (f"{EMBED}?start=30&end=40\n{EMBED}?start=5\n{OTHER}\n", {"clip_length": 3.0}, [
            (f"{ID}_30_40", ID, 30.0, 40.0), (f"{ID}_5_8", ID, 5.0, 8.0), (f"{OTHER}_0_3", OTHER, 0.0, 3.0)], []),
        (f"{EMBED}?start=30&end=30\n{EMBED}?start=5&end=15\n", {}, [(f"{ID}_5_15", ID, 5.0, 15.0)],
            ["the end 30 is not after the start 30"]),
        (f"url,duration\n{EMBED}?t=5,3\n", {"columns": Columns(duration="duration")},
            [(f"{ID}_5_8", ID, 5.0, 8.0)], []),
        (f"url,end\n{EMBED}?t=5,8\n{OTHER},8\n", {},
            [(f"{ID}_5_8", ID, 5.0, 8.0), (f"{OTHER}_0_8", OTHER, 0.0, 8.0)], []),
        # Behind those that were looked at.
        ("url\n" + f"{OTHER}\n" * 150 + f"{EMBED}?start=30&end=40\n", {},
            [(OTHER, OTHER, 0.0, None), (f"{ID}_30_40", ID, 30.0, 40.0)], []),
    ],
)  # fmt: skip
def test_times_in_the_addresses_of_a_list(
    tmp_path: Path, content: str, chosen: dict[str, Any], clips: list[Any], left_out: list[str]
) -> None:
    found = listing(tmp_path, content, **chosen)
    assert brief(found) == clips
    assert [line.partition(": ")[2] for line in found.skipped] == left_out


def test_a_start_alone_behind_those_that_were_looked_at(tmp_path: Path) -> None:
    content = "url\n" + f"{OTHER}\n" * 150 + f"{EMBED}?t=90\n"
    with pytest.raises(UsageError, match=r"in line 152 the address does say where a clip starts") as caught:
        listing(tmp_path, content)
    assert "--clip-length" in caught.value.hint and '--start-col ""' in caught.value.hint
    assert brief(listing(tmp_path, content, columns=Columns(start="")))[-1] == (ID, ID, 0.0, None)

"""The report: what it counts, and that its page holds it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from avclips.catalog.sample import Sample
from avclips.core.errors import UsageError
from avclips.report import numbers as counting
from avclips.report import values as thinning
from avclips.report.figures import figures
from avclips.report.numbers import add_history, of_samples
from avclips.report.pace import Refusal
from avclips.report.page import page
from avclips.report.values import Values
from avclips.report.writing import write_report

FACTS = {
    "duration": 10.0,
    "fps": 25.0,
    "width": 640,
    "height": 360,
    "bytes": 1_500_000,
    "bytes_fetched": 1_000_000,
}
FAILED = {"reason": "private", "permanent": True, "attempts": 1, "error": "This video is private"}
FLAGS = {"still": 0.99, "loudness": -23.0, "brightness": 100.0}
SAMPLES = [
    Sample("a", "clips", "v", 0.0, 10.0, "done", splits=("train",), labels=("dog", "park"), facts=FACTS),
    Sample(
        "b", "clips", "v", 0.0, 10.0, "done", splits=("train",), labels=("dog",), facts=FACTS | {"flags": FLAGS}
    ),
    Sample("c", "clips", "v", 0.0, 10.0, "failed", "age", splits=("val",), labels=("rain",)),
    Sample("d", "clips", "v", 0.0, 10.0, "missing", splits=("val",), labels=("<b>rain</b>",)),
]


def test_clips_are_counted() -> None:
    found = of_samples("./data", SAMPLES, "Clips")
    assert found.coverage["total"]["clips"] == 4 and found.coverage["splits"]["train"]["done"] == 2
    assert found.labels == {"dog": [2, 2], "park": [1, 1], "rain": [1, 0], "<b>rain</b>": [1, 0]}
    assert found.sizes == {"640 × 360": 2} and found.bytes == 3_000_000
    assert found.flags == {"still": 1} and found.flagged == 1
    assert found.histograms["Length (s)"].kept == [10.0, 10.0]
    assert found.histograms["Bytes fetched (MB)"].total == 2.0
    assert found.histograms["Loudness (LUFS)"].kept == [-23.0]


def test_hours_and_refusals_come_of_what_runs_wrote(tmp_path: Path) -> None:
    lines = [
        {"id": "a", "status": "done", "time": "2026-01-01T10:59:59Z"},
        {"id": "b", "status": "failed", "time": "2026-01-01T11:00:00Z"} | FAILED,
        # Of no clock.
        {"id": "e", "status": "done", "time": "9998-11-30T20:17:54Z"},
        {"id": "f", "status": "done", "time": "0001-01-01T00:00:00Z"},
        {"id": "c", "status": "done", "time": "2026-01-01T11:30:00Z"},
        {"id": "d", "status": "forgotten", "time": "2026-01-01T11:30:00Z"},
        {"id": "e", "status": "done", "time": 5},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "manifest.jsonl").write_text(text + '{"id": "f", "sta')
    (tmp_path / "manifest.0-of-2.jsonl").write_text(text.splitlines()[0] + "\n[]\n")
    head = "2026-01-01 12:00:00,001 WARNING avclips.progress.console: "
    (tmp_path / "clips_download.log").write_text(
        f"{head}the connection: YouTube refuses us (HTTP 429): waiting 0:30:00, then one video tries.\n"
        f"{head}connection: too many failed in a row, in this run: waiting 1 day, 2:00:00, then one video tries.\n"
        f"{head}the connection: still waiting, 0:20:00 to go.\n{head}refused a, not charged\n"
    )
    found = counting.Numbers("x")
    add_history(found, tmp_path)
    assert [*found.hours.values()] == [[2, 0], [1, 1]]
    at = datetime(2026, 1, 1, 12).astimezone()
    assert found.pace.refusals == [
        Refusal(at, at + timedelta(minutes=30), "the connection", "HTTP 429"),
        Refusal(at, at + timedelta(hours=26), "connection", "too many failed in a row"),
    ]


def test_many_values_are_thinned_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinning, "MOST_VALUES", 100)
    values = Values()
    for number in range(1000):
        values.add(number)
    values.add("no number")
    values.add(True)
    assert values.count == 1000 and values.total == sum(range(1000)) and 50 <= len(values.kept) < 100
    steps = {later - sooner for sooner, later in zip(values.kept, values.kept[1:], strict=False)}
    assert len(steps) == 1


def test_the_page_says_what_to_do_and_shows_text_as_text() -> None:
    found = of_samples("./data", SAMPLES, "Clips <x>")
    found.hours = {0: [5, 1], 3600: [2, 0]}
    begin, end = datetime(2026, 1, 1).astimezone(), datetime(2026, 1, 1, 2).astimezone()
    found.pace.refusals = [Refusal(begin, end, "connection", "HTTP 429")]
    found.curve = {"clips": [1.0, 2.0], "mi": [0.1, 0.2], "random": [0.1, 0.1]}
    drawn = list(figures(found))
    assert [name for name, _, _ in drawn] == [
        "splits", "reasons", "labels", "rate", "sizes", "flags", "curve",
        "length", "frames_a_second", "loudness", "brightness", "bytes_fetched",
    ]  # fmt: skip
    assert all(png[:8] == b"\x89PNG\r\n\x1a\n" for _, _, png in drawn)
    text = page(found, "Clips <x>", drawn, "avclips clips", "today")
    assert "Clips &lt;x&gt;" in text and "<x>" not in text
    assert "1 clips were not tried, or their files are gone: <code>avclips clips</code>" in text
    assert "--cookies" in text and "refused 1 times, for 2.0 hours" in text and "drop_flags" in text
    assert "needs a signed-in adult" in text and text.count("data:image/png;base64,") == len(drawn)


def test_the_same_numbers_give_the_same_pictures() -> None:
    first, second = (list(figures(of_samples("./data", SAMPLES))) for _ in range(2))
    assert first == second


def test_all_that_can_be_had_is_here() -> None:
    assert "Nothing: what can be had is here." in page(of_samples("x", SAMPLES[:1]), "t", [], "again", "today")


def test_a_folder_is_no_place_for_the_page(tmp_path: Path) -> None:
    (tmp_path / "old.html").mkdir()
    with pytest.raises(UsageError, match=r"old\.html is a folder"):
        write_report(str(tmp_path), tmp_path / "old.html")

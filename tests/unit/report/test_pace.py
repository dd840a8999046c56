"""The pace of a folder: out of logs, manifests and files of paces."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from avclips.pacing.pace import Block, Pace
from avclips.report.figures import figures
from avclips.report.numbers import Numbers, add_history, of_samples
from avclips.report.pace import PaceUsed, Refusal, RunSeen, pace_of
from avclips.report.pace_words import pace_rows
from avclips.report.page import page

DAY = datetime(2026, 1, 1).astimezone()
FAILED = {
    "status": "failed",
    "reason": "private",
    "permanent": True,
    "attempts": 1,
    "error": "This video is private",
}
BEGIN = "Clips -> ./data: yt-dlp 2026.10.26, deno 2.9.8, ffmpeg 7"


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return DAY + timedelta(hours=hour, minutes=minute, seconds=second)


def log(folder: Path, *lines: tuple[datetime, str], name: str = "clips_download.log") -> None:
    with open(folder / name, "a", encoding="utf-8") as stream:
        for when, text in lines:
            stream.write(f"{when:%Y-%m-%d %H:%M:%S},001 INFO avclips.progress.console: {text}\n")


def done(when: datetime, video: str, **more: Any) -> dict[str, Any]:
    return {
        "id": video,
        "status": "done",
        "youtube_id": video,
        "time": when.isoformat(),
        "bytes_fetched": 1,
    } | more


def test_videos_are_counted_by_hours_and_waits_between_them(tmp_path: Path) -> None:
    log(tmp_path, (at(9), BEGIN), (at(10, 30), "done"), (at(12), BEGIN), (at(13), "done"))
    refused = "direct: YouTube refuses us (HTTP 429 (too many)): waiting 0:30:00, then one video tries."
    log(tmp_path, (at(12, 5), refused))
    first = [
        done(at(9, 59, 0), "a"),
        done(at(9, 59, 2), "a", id="a2"),
        done(at(9, 59, 10), "b"),
        done(at(10, 0, 0), "a", id="a3"),
        # No site was asked for these.
        done(at(10, 0, 5), "c") | {"id": "c", "status": "forgotten"},
        {"id": "d", "status": "done", "youtube_id": "d", "time": at(10, 0, 6).isoformat()},
        {"id": "e", "youtube_id": "e", "time": at(10, 0, 7).isoformat()} | FAILED | {"reason": "not_archived"},
        {"id": "f", "youtube_id": "f", "time": at(10, 0, 20).isoformat()} | FAILED,
        {"id": "g", "status": "done", "youtube_id": "g", "time": "never", "bytes_fetched": 1},
        # Of another run; then the site refuses.
        done(at(12, 0, 5), "h"),
        done(at(12, 4, 5), "i"),
        done(at(12, 40), "j"),
    ]
    pace = pace_of(tmp_path, [first, [done(at(9, 30), "k"), done(at(9, 31), "l")]])
    hour = {int(at(each).timestamp()): each for each in range(24)}
    assert {hour[when]: count for when, count in pace.videos.items()} == {9: 4, 10: 2, 12: 3}
    assert sorted(pace.gaps.kept) == [10, 60, 70, 240]
    assert [(run.begin, run.end) for run in pace.runs] == [(at(9), at(10, 30)), (at(12), at(13))]
    assert pace.hours == 2.5
    assert pace.refusals == [Refusal(at(12, 5), at(12, 35), "direct", "HTTP 429 (too many)")]


def test_what_was_asked_for_is_the_sum_over_identities(tmp_path: Path) -> None:
    log(
        tmp_path,
        (at(8), "pace of early (pace-0): at most 1 videos an hour"),
        (at(9), BEGIN),
        (at(9), "pace of direct (pace-1): at most 270 videos an hour"),
        (at(9), "pace of http://proxy:8080 with cookies.txt (pace-2): at most 1000 videos an hour"),
        (at(10, 30), "4/9 done 3 failed 1"),
        (at(12), BEGIN),
        (at(12), "pace of direct: no limit"),
        (at(12, 10), "4/9 done 3 failed 1"),
        (at(14), BEGIN),
        (at(14, 1), "an older release says no pace"),
    )
    # Another part of the same list, on the same connection and on one of its own.
    log(
        tmp_path,
        (at(10), BEGIN),
        (at(10), "pace of direct (pace-1): at most 270 videos an hour"),
        (at(10), "pace of direct (pace-3): at most 30 videos an hour"),
        (at(10, 59), "done a"),
        name="clips_download.1-of-2.log",
    )
    pace = pace_of(tmp_path, [])
    found = [pace.asked(int(at(hour).timestamp())) for hour in (8, 9, 10, 11, 12, 14)]
    assert found == [None, 1270, 1300, None, None, None]
    assert pace.hours == pytest.approx(1 + 59 / 60 + 11 / 60)


@pytest.mark.parametrize(
    ("text", "who", "why", "wait"),
    [
        (
            "direct: YouTube refuses us (rate limited): waiting 1:00:00, then one video tries. Other --cookies",
            "direct", "rate limited", timedelta(hours=1),
        ),
        (
            "http://proxy:80 with c.txt: vimeo.com refuses us (a (b): c): waiting 2 days, 0:00:01, then one video",
            "http://proxy:80 with c.txt", "a (b): c", timedelta(days=2, seconds=1),
        ),
        (
            "direct: too many failed in a row, in this run or one on the same connection: waiting 0:01:00, then",
            "direct", "too many failed in a row", timedelta(minutes=1),
        ),
        ("direct: still waiting, 0:10:00 to go.", "", "", None),
        ("done a waiting 0:10:00", "", "", None),
        ("failed a: unknown: it is waiting 0:10:00", "", "", None),
        ("direct: YouTube refuses us (slow): waiting 9999 days, 0:00:00", "direct", "slow", timedelta(days=9999)),
        ("direct: YouTube refuses us (slow): waiting 99999999999 days, 0:00:00", "", "", None),
    ],
)  # fmt: skip
def test_refusals(tmp_path: Path, text: str, who: str, why: str, wait: timedelta | None) -> None:
    log(tmp_path, (at(9), text))
    expected = [] if wait is None else [Refusal(at(9), at(9) + wait, who, why)]
    assert pace_of(tmp_path, []).refusals == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0" * 100,
        "2026-13-45 25:61:61,001 INFO a: x -> y: yt-dlp 1\n",
        "2026-01-01 09:00:00,1 INFO a: " + ": (" * 99,
    ],
)
def test_a_log_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.log").write_text(text)
    pace = pace_of(tmp_path, [])
    assert (pace.runs, pace.refusals, list(pace_rows(pace))) == ([], [], [])


def test_what_is_no_log_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "folder.log").mkdir()
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "zeros.log").symlink_to("/dev/zero")
    (tmp_path / "gone.log").symlink_to("nowhere")
    log(tmp_path, (at(9), BEGIN))
    (tmp_path / "linked.log").symlink_to("clips_download.log")
    assert [run.begin for run in pace_of(tmp_path, []).runs] == [at(9), at(9)]


def test_how_an_identity_stands_now(tmp_path: Path) -> None:
    said = {
        "version": 1,
        "tokens": 1.0,
        "at": 1e9,
        "speed": 0.5,
        "probe_until": 0.0,
        "round": 1,
        "refused_at": 1.0,
    }
    (tmp_path / "pace-1.json").write_text(json.dumps(said | {"block": None}))
    (tmp_path / "metadata").mkdir()
    paces = [{"name": "direct", "file": str(tmp_path / "pace-1.json")}, {"name": "no", "file": str(tmp_path)}]
    (tmp_path / "metadata" / "asked.json").write_text(json.dumps({"paces": paces}))
    assert list(pace_rows(pace_of(tmp_path, []))) == [["now: direct", "at 50% of its pace, since it was refused"]]
    (tmp_path / "metadata" / "asked.json").write_text("{")
    assert pace_of(tmp_path, []).now == []


def used() -> PaceUsed:
    run = RunSeen(at(9), at(11), {"direct (pace-1)": 270, "http://proxy:1 (pace-2)": None})
    pace = PaceUsed({int(at(9).timestamp()): 240, int(at(10).timestamp()): 200}, runs=[run])
    for gap in (*[13.0] * 90, *[40.0] * 10):
        pace.gaps.add(gap)
    pace.refusals = [Refusal(at(10), at(10, 30), "direct", "rate limited")] * 2
    pace.refusals += [Refusal(at(10), at(11), "<b>", "rate limited")]
    pace.now = [("direct", Pace(1.0, 1e9, 0.25, block=Block("rate_limited", 1e9, 4e9, 1)))]
    return pace


def test_the_pace_in_words() -> None:
    rows = list(pace_rows(used()))
    assert rows[:-1] == [
        ["allowed, in the last run", "direct: at most 270 videos an hour; http://proxy:1: no limit"],
        ["asked for", "220 videos an hour: 440 in 2.0 hours of runs"],
        ["in the fullest hour", "240 videos"],
        ["from one video to the next", "half within 13 s, 95 % within 40 s"],
        ["refused: direct", "rate limited: 2 times, to wait for 1.0 hours in all"],
        ["refused: <b>", "rate limited: once, to wait for 1.0 hours in all"],
    ]
    assert rows[-1][0] == "now: direct" and rows[-1][1].startswith(
        "at 25% of its pace, since it was refused; it waits until 2096-"
    )


def test_the_page_and_its_pictures_have_it() -> None:
    numbers = of_samples("x", [])
    numbers.pace = used()
    drawn = list(figures(numbers))
    assert [name for name, _, _ in drawn] == ["pace", "waits"]
    text = page(numbers, "t", drawn, "", "today")
    assert (
        "<h2>The pace</h2>" in text and "refused: &lt;b&gt;" in text and "refused 3 times, for 2.0 hours" in text
    )
    assert "The pace" not in page(of_samples("x", []), "t", [], "", "today")


def test_a_folders_history_has_both(tmp_path: Path) -> None:
    lines = [done(at(9), "a"), done(at(9, 0, 30), "b"), {"id": "c", "status": "failed", "time": 5}]
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"id": "d')
    numbers = Numbers("x")
    add_history(numbers, tmp_path)
    assert [*numbers.hours.values()] == [[2, 0]] and [*numbers.pace.videos.values()] == [2]
    assert numbers.pace.gaps.kept == [30]

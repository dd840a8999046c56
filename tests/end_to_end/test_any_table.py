"""Every answer YouTube is known to give, through the real script: what each becomes, and what it costs the clip.

The stand-in speaks YouTube's words, yt-dlp makes its messages of them, and the run writes down what they mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.standin.fake_youtube import CASES, FakeVideo, Fault
from tests.support.script import QUICK, Ended, Stage, digest, stage

# Waits of hours pass in a second.
SCALE = 20_000


class Row(NamedTuple):
    """What a case becomes: done, or failed with a reason, for good or not; and how many tries were charged.

    ``times``: how many watch pages show the case before the video plays.
    """

    becomes: str
    permanent: bool = True
    attempts: int = 1
    times: int | None = None


DONE = "done"
# A refusal stands between two honest answers, so that its waits do not double. The bare "Video unavailable" comes
# first: later, it could be the refusals' echo.
TABLE = {
    "unavailable": Row("unavailable"),
    "bot_check": Row(DONE, times=1),
    "private": Row("private"),
    "captcha": Row(DONE, times=1),
    "removed_by_uploader": Row("removed"),
    "rate_limited": Row(DONE, times=1),
    "removed_terms": Row("removed"),
    "wrong_video": Row(DONE, times=1),
    "terminated": Row("terminated"),
    "page_and_api_429": Row(DONE, times=1),
    "copyright": Row("copyright"),
    "api_429": Row(DONE, times=1),
    "copyright_removal": Row("copyright"),
    "page_429_unavailable": Row(DONE, times=1),
    "country_copyright": Row("country"),
    "api_503": Row(DONE, attempts=2, times=1),
    "country": Row("country"),
    "page_429": Row(DONE),
    "age": Row("age"),
    "members": Row("members"),
    "members_level": Row("members"),
    "upcoming": Row("upcoming", permanent=False),
    "drm": Row("drm"),
    "no_formats_fit": Row("formats", permanent=False),
    "no_formats": Row("formats", permanent=False),
    "ok": Row(DONE),
}
REFUSALS = ("bot_check", "captcha", "rate_limited", "wrong_video", "page_and_api_429", "api_429")


def clip_of(number: int) -> str:
    return f"tablerow{number:03d}_000001"


CLIPS = {name: clip_of(number) for number, name in enumerate(TABLE)}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Iterator[tuple[Stage, Ended]]:
    """One run over a video of each kind."""
    videos = {CLIPS[name]: FakeVideo(QUICK, case=name, case_times=row.times) for name, row in TABLE.items()}
    with stage(tmp_path_factory.mktemp("table"), media_folder, videos) as told:
        yield told, told.run("--workers", "1", scale=SCALE)


def test_the_table_has_every_case() -> None:
    assert set(TABLE) == set(CASES)


@pytest.mark.parametrize("name", TABLE)
def test_a_case_becomes_what_it_means(table: tuple[Stage, Ended], name: str) -> None:
    told, row, clip = table[0], TABLE[name], CLIPS[name]
    if row.becomes == DONE:
        line = told.manifest_of(clip)
        assert clip in told.completed and clip in told.published, told.failed.get(clip)
        assert line["status"] == "done" and line["attempts"] == row.attempts
    else:
        entry = told.failed[clip]
        assert (entry["reason"], entry["permanent"]) == (row.becomes, row.permanent), entry["error"]
        assert entry["attempts"] == row.attempts and entry["error"] and entry["last_attempt"]
        assert clip not in told.completed


def test_the_run_says_what_happened(table: tuple[Stage, Ended]) -> None:
    told, ended = table
    done = sum(row.becomes == DONE for row in TABLE.values())
    # Another run may find the premiere over.
    assert ended.code == 3
    assert f"{done} of {len(TABLE)} clips are done, {len(TABLE) - done} failed, 0 not tried yet." in ended.out
    assert "YouTube refuses us" in ended.out and "--cookies" in ended.out
    assert all(f"refused {CLIPS[name]}, not charged" in told.log for name in REFUSALS)


MEDIA_FAULTS = {
    "no fault": (),
    "403 once": (Fault("status", status=403, times=1),),
    "403 once, behind the head": (Fault("status", status=403, times=1, itag=134, beyond=20_000),),
    "429 once": (Fault("status", status=429, retry_after=60, times=1, beyond=20_000),),
    "500 once": (Fault("status", status=500, times=1, beyond=20_000),),
    "reset": (Fault("reset", after=9000, times=1, beyond=20_000),),
    "truncate": (Fault("truncate", after=9000, times=1, beyond=20_000),),
    "truncate, in the head": (Fault("truncate", after=300, times=1),),
    "stall": (Fault("stall", after=9000, times=1, beyond=20_000),),
    "corrupt picture": (Fault("corrupt", itag=134, times=1, beyond=20_000),),
    "corrupt sound": (Fault("corrupt", itag=140, times=1, beyond=20_000),),
    "ignore_range": (Fault("ignore_range", times=1, beyond=20_000),),
}
FAULTY = {name: f"mediafault{number:x}_000001" for number, name in enumerate(MEDIA_FAULTS)}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Iterator[tuple[Stage, Ended]]:
    """One run over the same video again and again, each time with another fault on the way."""
    videos = {FAULTY[name]: FakeVideo(QUICK, faults=faults) for name, faults in MEDIA_FAULTS.items()}
    with stage(tmp_path_factory.mktemp("faulty"), media_folder, videos) as told:
        yield told, told.run("--workers", "2", "--yt-dlp-args", "--socket-timeout 2", scale=SCALE)


@pytest.mark.parametrize("name", MEDIA_FAULTS)
def test_a_fault_on_the_way_leaves_no_trace(faulty: tuple[Stage, Ended], name: str) -> None:
    told, clip, faultless = faulty[0], FAULTY[name], FAULTY["no fault"]
    assert clip in told.completed, told.failed.get(clip)
    assert digest(told.mp4(clip)) == digest(told.mp4(faultless))
    assert digest(told.wav(clip)) == digest(told.wav(faultless))


def test_all_faults_passed(faulty: tuple[Stage, Ended]) -> None:
    told, ended = faulty
    assert ended.code == 0 and f"{len(FAULTY)} of {len(FAULTY)} clips are done, 0 failed" in ended.out
    attempts = {name: told.manifest_of(clip)["attempts"] for name, clip in FAULTY.items()}
    # What is about us is not charged, what a resumed read heals neither; a broken clip takes a second try.
    free = ("no fault", "429 once", "500 once", "reset", "truncate", "stall")
    assert {name: attempts[name] for name in free} == dict.fromkeys(free, 1)
    assert attempts["corrupt picture"] == 2

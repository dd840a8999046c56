"""The real script and its identities: who may ask, how often, and what nobody else may learn of them.

What the stand-in was asked for, and when, is the witness. A busy machine only makes waits longer: asserted are
least waits and greatest counts, never speed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from http.cookies import SimpleCookie
from itertools import pairwise
from pathlib import Path
from signal import SIGHUP, SIGKILL, SIGTERM, Signals

import pytest

from tests.standin.fake_youtube import FakeVideo, FakeYouTube, Fault, Request
from tests.support.script import QUICK, Stage, annotation_files, stage

COPY = ("--cut", "copy")
HOUR = 3600.0
# Of a bot check: each further one in a row is waited for twice as long, up to the longest.
FIRST_WAIT, LONGEST_WAIT = 0.5 * HOUR, 6 * HOUR
BURST = 30
PLAYS, PRIVATE = FakeVideo(QUICK), FakeVideo(QUICK, case="private")
# They are in every cookie's value, also when YouTube has changed it.
SECRETS = ("FirstSecret", "OtherSecret")


def clips_of(word: str, count: int) -> list[str]:
    """So many clips, each of a video of its own."""
    return [f"{word:_<8}{number:03d}_000001" for number in range(count)]


def cookie_file(path: Path, secret: str) -> Path:
    rows = [f".youtube.com\tTRUE\t/\tTRUE\t4000000000\t{name}\t{secret}\n" for name in ("LOGIN_INFO", "SAPISID")]
    path.parent.mkdir(exist_ok=True)
    path.write_text("# Netscape HTTP Cookie File\n" + "".join(rows))
    path.chmod(0o444)
    return path


def port_of(proxy: str) -> int:
    return int(proxy.rpartition(":")[2])


def asked(youtube: FakeYouTube, port: int | None = None) -> list[float]:
    """When each extraction reached the stand-in, by one port or by all."""
    return sorted(request.time for request in youtube.requests("watch") if port in (None, request.port))


def about_videos(requests: Sequence[Request]) -> list[Request]:
    """All requests but those for the annotation files."""
    return [request for request in requests if request.kind != "file"]


def assert_waits(times: Sequence[float], scale: float) -> None:
    """Between one bot check and the next the script waited, ever longer; there may be but one."""
    found = [(after - before) * scale for before, after in pairwise(times)]
    least = [min(FIRST_WAIT * 2**number, LONGEST_WAIT) for number in range(len(found))]
    assert all(wait >= due for wait, due in zip(found, least, strict=True)), found


def assert_done(told: Stage, clips: Sequence[str]) -> None:
    """Just these clips are there, and no clip was charged for anything."""
    assert set(told.completed) == told.published == set(clips)
    assert told.failed == {}
    assert sorted((line["id"], line["status"], line["attempts"]) for line in told.manifest) == [
        (clip, "done", 1) for clip in sorted(clips)
    ]


# -- blocks --------------------------------------------------------------------------------------------------


def test_one_of_three_is_blocked_and_the_others_do_all(tmp_path: Path, media_folder: Path) -> None:
    clips, scale = clips_of("inthree", 14), 5000
    with stage(tmp_path, media_folder, dict.fromkeys(clips, PLAYS), ports=3) as three:
        youtube = three.youtube
        blocked, *others = map(port_of, youtube.proxies)
        youtube.refuse = lambda request: "bot_check" if request.port == blocked else None
        more = [word for proxy in youtube.proxies[1:] for word in ("--proxy", proxy)]
        ended = three.run(*more, *COPY, "--workers", "3", scale=scale)
        assert ended.code == 0 and "14 of 14 clips are done, 0 failed" in ended.out
        assert_done(three, clips)
        assert "not charged: bot_check" in three.log
        assert len(asked(youtube, blocked)) > 1
        assert_waits(asked(youtube, blocked), scale)
        assert {request.port for request in youtube.requests("media")} == set(others)
        assert sum(len(asked(youtube, port)) for port in others) == len(clips)


@pytest.mark.parametrize(("number", "code"), [(SIGTERM, 143), pytest.param(SIGKILL, -9, marks=pytest.mark.slow)])
def test_a_restart_in_the_middle_of_a_block_waits_for_its_end(
    tmp_path: Path, media_folder: Path, number: Signals, code: int
) -> None:
    clips, scale = clips_of("restart", 2), 700
    options = (*COPY, "--workers", "1", "--state-dir", tmp_path / "pace")
    with stage(tmp_path, media_folder, dict.fromkeys(clips, PLAYS)) as told:
        youtube = told.youtube
        youtube.refuse = lambda request: "bot_check"
        child = told.start(*options, scale=scale)
        child.until(lambda: "YouTube refuses us" in child.said())
        child.send(number)
        assert child.end().code == code
        refused, before = asked(youtube)[0], len(youtube.log)
        if number == SIGTERM:
            assert_done(told, [])
        youtube.refuse = lambda request: None
        ended = told.run(*options, scale=scale)
        assert ended.code == 0 and "2 of 2 clips are done, 0 failed" in ended.out
        assert_done(told, clips)
        again = min(request.time for request in about_videos(youtube.log[before:]))
        assert (again - refused) * scale >= FIRST_WAIT


@pytest.mark.slow
def test_always_blocked_it_gives_up_with_all_safe(tmp_path: Path, media_folder: Path) -> None:
    clips, scale, hours = clips_of("givesup", 3), 8000, 3
    options = (*COPY, "--workers", "1", "--give-up-after", str(hours))
    with stage(tmp_path, media_folder, dict.fromkeys(clips, PLAYS)) as told:
        youtube = told.youtube
        youtube.refuse = lambda request: "bot_check" if request.video != clips[0][:11] else None
        ended = told.run(*options, scale=scale)
        gave_up = time.time()
        assert ended.code == 75 and f"nothing was to be had for {hours} hours" in ended.err
        # Since the last answer: it may begin with one.
        read = max(request.time for request in youtube.requests("media"))
        assert (gave_up - read) * scale >= hours * HOUR
        assert_waits([at for at in asked(youtube) if at > read], scale)
        assert_done(told, clips[:1])
        assert told.json("download_progress.json")["total"] == len(clips)
        youtube.refuse = lambda request: None
        ended = told.run(*options, scale=scale)
        assert ended.code == 0 and "3 of 3 clips are done, 0 failed" in ended.out
        assert_done(told, clips)
        assert youtube.extractions(clips[0][:11]) == 1


@pytest.mark.slow
def test_a_hang_up_saves_and_the_same_command_goes_on(tmp_path: Path, media_folder: Path) -> None:
    done, stalls = clips = clips_of("hangup", 2)
    videos = {done: PLAYS, stalls: FakeVideo(QUICK, faults=(Fault("stall", beyond=20_000, after=1000),))}
    options = (*COPY, "--workers", "1")
    with stage(tmp_path, media_folder, videos) as told:
        youtube = told.youtube
        child = told.start(*options)
        child.until(lambda: any(request.sent >= 1000 for request in youtube.requests("media", stalls[:11])))
        child.send(SIGHUP)
        ended = child.end()
        assert ended.code == 129 and "SIGHUP" in ended.err and "Traceback" not in ended.said
        assert_done(told, [done])
        youtube.videos[stalls[:11]] = PLAYS
        ended = told.run(*options)
        assert ended.code == 0 and "2 of 2 clips are done, 0 failed" in ended.out
        assert_done(told, clips)
        assert youtube.extractions(done[:11]) == 1


# -- one pace ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", ["connection", pytest.param("account", marks=pytest.mark.slow)])
def test_two_runs_at_once_have_one_pace(tmp_path: Path, media_folder: Path, shared: str) -> None:
    train, val, scale, per_hour = clips_of("runone", 15), clips_of("runtwo", 15), 120, 270
    videos, files = dict.fromkeys([*train, *val], PRIVATE), annotation_files(train, val)
    options: list[str | Path] = ["--state-dir", tmp_path / "pace", "--videos-per-hour", str(per_hour)]
    options += ["--workers", "1"]
    if shared == "account":
        options += ["--cookies", cookie_file(tmp_path / "cookies.txt", SECRETS[0])]
    with stage(tmp_path / "train", media_folder, videos, files, ports=2) as one:
        youtube = one.youtube
        two = Stage(youtube, tmp_path / "val", youtube.proxies[0 if shared == "connection" else 1])
        runs = {"train": one, "val": two}
        children = [told.start(*options, "--splits", split, scale=scale) for split, told in runs.items()]
        assert [child.end().code for child in children] == [0, 0]
        for told, clips in ((one, train), (two, val)):
            assert {clip: line["reason"] for clip, line in told.failed.items()} == dict.fromkeys(clips, "private")
        # One that is gone counts double: the second time with its answer, which each run may still wait for.
        begun, rate = min(request.time for request in youtube.log), (per_hour - BURST) / HOUR * scale
        spent = [(2 * count - 2, BURST + rate * (at - begun)) for count, at in enumerate(asked(youtube), 1)]
        assert len(spent) == len(videos)
        assert all(tokens <= most for tokens, most in spent), spent


# -- cookies -------------------------------------------------------------------------------------------------


def login(request: Request) -> str:
    """The login that a request brought, or nothing."""
    cookies = SimpleCookie(request.cookie)
    return cookies["LOGIN_INFO"].value if "LOGIN_INFO" in cookies else ""


def test_each_sends_its_own_cookies_and_nobody_else_sees_them(tmp_path: Path, media_folder: Path) -> None:
    clips, gone = clips_of("cookies", 7), "itsprivate0_000001"
    folder = tmp_path / "mine"
    files = [cookie_file(folder / f"{number}.txt", secret) for number, secret in enumerate(SECRETS)]
    before = [(file.read_bytes(), file.stat()) for file in files]
    with stage(tmp_path, media_folder, {**dict.fromkeys(clips, PLAYS), gone: PRIVATE}, ports=2) as told:
        youtube = told.youtube
        # As YouTube does, the login is another after each page.
        youtube.cookie = lambda request: f"LOGIN_INFO={login(request)}+"
        more = ["--proxy", youtube.proxies[1], "--cookies", files[0], "--cookies", files[1]]
        ended = told.run(*more, *COPY, "--workers", "2", "--log-level", "DEBUG")
        assert ended.code == 0 and "7 of 8 clips are done, 1 failed" in ended.out
        for port, secret, other in zip(map(port_of, youtube.proxies), SECRETS, SECRETS[::-1], strict=True):
            mine = [request for request in youtube.log if request.port == port]
            logins = [login(request) for request in mine if request.kind == "watch"]
            assert logins == [secret + "+" * number for number in range(len(logins))] and len(logins) > 1
            assert all(secret in login(request) for request in mine if request.kind == "player")
            assert all(other not in request.cookie for request in mine)
            elsewhere = [request for request in mine if request.kind in ("media", "file")]
            assert elsewhere and all(secret not in request.cookie for request in elsewhere)
    after = [(file.read_bytes(), file.stat()) for file in files]
    for (was, stat_was), (now, stat_now) in zip(before, after, strict=True):
        assert was == now
        assert (stat_was.st_ino, stat_was.st_mtime_ns) == (stat_now.st_ino, stat_now.st_mtime_ns)
    assert sorted(folder.iterdir()) == files
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path not in files]
    assert {"manifest.jsonl", "failed_downloads.json", "avqa_general_download.log", "1.out", "1.err"} <= {
        path.name for path in left
    }
    assert [path for path in left for secret in SECRETS if secret.encode() in path.read_bytes()] == []

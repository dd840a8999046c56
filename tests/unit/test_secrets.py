"""What is never printed, logged or written: passwords of addresses; and letters that move a cursor."""

from __future__ import annotations

import http.server
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yt_dlp.networking

from avclips.cli.options import read_settings
from avclips.core.clock import Clock
from avclips.core.errors import Blocked, UsageError
from avclips.core.model import Clip, Outcome
from avclips.core.redact import plain, without_password, without_passwords
from avclips.core.settings import Identity, Settings
from avclips.datasets.clip_list import CLIPS
from avclips.shards.layout import Output
from avclips.shards.storage import Remote
from avclips.sources.streams import ending_of
from avclips.sources.youtube import _http_failure
from avclips.state.store import Store

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("ftp://me:SECRET@127.0.0.1:1/out", "ftp://127.0.0.1:1/out"),
        ("'s3://key:SE/CR@ET@bucket/a'", "'s3://bucket/a'"),
        ("http://me@host/a", "http://host/a"),
        ("http://me:SECRET@[::1]:80/a", "http://[::1]:80/a"),
        # An @ of a path is no sign-in.
        ("https://www.youtube.com/@channel", "https://www.youtube.com/@channel"),
        ("https://host:8080/@a/b", "https://host:8080/@a/b"),
        ("https://[::1]:8080/@a", "https://[::1]:8080/@a"),
        ("https://host?q=a@b", "https://host?q=a@b"),
        ("me@host", "me@host"),
    ],
)
def test_without_password(text: str, without: str) -> None:
    assert without_password(f"at {text} now") == f"at {without} now"
    assert without_passwords({"a": [text, 1, None], "b": {"c": text}}) == {
        "a": [without, 1, None],
        "b": {"c": without},
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("as it is: ä, 語", "as it is: ä, 語"),
        ("\x1b]0;owned\x07\x1b[2J", "\\x1b]0;owned\\x07\\x1b[2J"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("\x9b31m \u202e \u2028", "\\x9b31m \\u202e \\u2028"),
        ("http://me:\x1bSECRET@h", "http://h"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize("said", ["\xb2", "٣", "1e3", "-5", "Wed, 21 Oct 2026 07:28:00 GMT", "", "9" * 40, "5"])
def test_a_retry_after_that_is_no_number(said: str) -> None:
    response = yt_dlp.networking.Response(
        io.BytesIO(b""), "http://h", {"Retry-After": said}, status=429, reason="no"
    )
    failure = _http_failure(yt_dlp.networking.exceptions.HTTPError(response))
    assert isinstance(failure, Blocked)
    assert failure.retry_after == (5.0 if said == "5" else None)


@pytest.mark.parametrize(
    ("said", "ending"),
    [
        ("mp4", "mp4"),
        ("webm", "webm"),
        ("mp4/../../../../x", "mp4"),
        ("..", "mp4"),
        ("", "mp4"),
        (None, "mp4"),
        (["mp4"], "mp4"),
        ("a" * 300, "mp4"),
        ("m\0", "mp4"),
    ],
)
def test_an_ending_out_of_a_header(said: Any, ending: str) -> None:
    assert ending_of(said) == ending


# -- proxies ---------------------------------------------------------------------------------------------------


def test_proxies_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "proxies"
    path.write_text("# ours\nhttp://me:SECRET@a:1\n\n  direct \n")
    settings, _ = read_settings(CLIPS, ["list.csv", "--proxy-file", str(path), "--proxy", "http://b:2"])
    assert settings.identities == (Identity("http://b:2"), Identity("http://me:SECRET@a:1"), Identity(""))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"http://a:1\nme:SECRET@a\n", "line 2: not a proxy such as"),
        (b"# none\n", "names no proxy"),
        (b"\xff\xfe", "cannot be read: it is no text"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_of_no_proxies(
    tmp_path: Path, content: bytes | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "proxies"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SystemExit) as caught:
        read_settings(CLIPS, ["list.csv", "--proxy-file", str(path)])
    said = capsys.readouterr().err
    assert caught.value.code == 2 and words in said and "SECRET" not in said


@pytest.mark.parametrize(
    "words", [["--proxi", "http://me:SECRET@h:1"], ["--workers", "http://me:SECRET@h"], ["--part", "\x1b[2J"]]
)
def test_complaints_repeat_no_password(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(CLIPS, ["list.csv", *words])
    said = capsys.readouterr().err
    assert "SECRET" not in said and "\x1b" not in said and words[0] in said


# -- the real script -------------------------------------------------------------------------------------------


class _Site(http.server.BaseHTTPRequestHandler):
    """Answers that are odd in their headers."""

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        if "retry" in self.path and "Range" in self.headers:
            self.wfile.write(b"HTTP/1.1 429 Too Many\r\nRetry-After: \xb2\r\nContent-Length: 0\r\n\r\n")
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        if "ending" in self.path:
            self.send_header("x-amz-meta-file-type", "mp4/../../../../x")
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"abc")


@pytest.fixture
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def run(folder: Path, *options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "download_clips.py", folder / "list.csv", *options]
    environment = {**os.environ, "AVCLIPS_TIME_SCALE": "3000"}
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=300, check=False, env=environment
    )


def everything_in(folder: Path) -> str:
    return "\n".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def test_addresses_of_a_list_with_passwords(tmp_path: Path, site: str) -> None:
    names = ("retry", "ending", "plain")
    rows = "".join(f"http://me:SECRET@{site}/{name},0,1,http://me:SECRET@{site}\n" for name in names)
    (tmp_path / "list.csv").write_text("url,start,end,page\n" + rows + "http://me:SECRET@x y,5,1,\n")
    data = tmp_path / "data"
    shown = run(tmp_path, "--dry-run")
    ended = run(
        *(tmp_path, "--data-dir", data, "--state-dir", tmp_path / "s", "--sleep", "0", "--rate-limit", "0"),
        *("--workers", "1", "--min-free", "0", "--retry-attempts", "1", "--keep-cols", "page", "--info"),
        *("--log-level", "DEBUG"),
    )
    said = shown.stdout + shown.stderr + ended.stdout + ended.stderr
    assert "SECRET" not in said and "SECRET" not in everything_in(data) + everything_in(tmp_path / "s")
    assert "Traceback" not in said and shown.returncode == 0
    failed = json.loads((data / "failed_downloads.json").read_text())
    assert failed and "internal" not in {each["reason"] for each in failed.values()}
    assert (data / "clips_download.log").stat().st_mode & 0o007 == 0


@pytest.mark.parametrize("output", ["ftp://me:SECRET@127.0.0.1:1/out", "memory://me:SECRET@bucket/out"])
def test_an_output_with_a_password(tmp_path: Path, output: str) -> None:
    (tmp_path / "list.csv").write_text("url,start,end\naaaaaaaaaaa,0,1\n")
    ended = run(
        *(tmp_path, "--data-dir", tmp_path / "d", "--state-dir", tmp_path / "s", "--proxy", "http://127.0.0.1:1"),
        *("--output-format", "webdataset", "--output", output, "--min-free", "0", "--give-up-after", "0.0005"),
    )
    assert ended.returncode == (2 if output.startswith("ftp") else 75), ended.stderr
    assert "SECRET" not in ended.stdout + ended.stderr + everything_in(tmp_path / "d")
    assert "127.0.0.1:1/out" in ended.stderr or "memory://bucket/out" in ended.stdout


def test_escapes_of_a_list_do_not_reach_the_terminal(tmp_path: Path) -> None:
    rows = "http://x.example/\x1b]0;owned\x07\x1b[2J,0,1\n\x1b[31mno address\x1b[0m,0,1\n"
    (tmp_path / "list.csv").write_text("url,start,end\n" + rows)
    ended = run(tmp_path, "--dry-run")
    assert ended.returncode == 0 and "\\x1b]0;owned" in ended.stdout
    assert "\x1b" not in ended.stdout + ended.stderr and "\x07" not in ended.stdout


def test_a_failed_try_has_no_password(tmp_path: Path) -> None:
    store = Store(Settings(tmp_path), "clips", Clock())
    store.open()
    clip = Clip("a", "a", 0.0, 1.0)
    store.record(Outcome(clip, "failed", "http", "no http://me:SECRET@h/x", attempts=1))
    store.snapshot(force=True)
    store.close()
    assert "SECRET" not in everything_in(tmp_path) and "http://h/x" in everything_in(tmp_path)


def test_where_shards_go_is_told_without_password() -> None:
    remote = Remote("memory://me:SECRET@bucket/out")
    to = Output(remote, "webdataset")
    assert (to.url, to.address) == ("memory://bucket/out", remote.url) and "SECRET" in to.address
    with pytest.raises(UsageError) as caught:
        Remote("nosuch://me:SECRET@bucket/out")
    assert "SECRET" not in str(caught.value)

"""The stand-in Google Drive against the real gdown: what it downloads, resumes, lists, and takes for an error.

Several tables hold what gdown itself does, where our own code has to know of it.
"""

from __future__ import annotations

import io
import random
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import gdown
import pytest
import requests

from tests.standin.fake_drive import (
    BAD_ZIPS,
    REAL,
    SYNTHETIC,
    BadZip,
    FakeDrive,
    FakeDriveFile,
    Fault,
    bad_zip,
    zip_of,
)
from tests.standin.fake_youtube import FakeYouTube
from tests.support.script import Stage

FOLDER = "1WAryZZE0srLIZG8VHl22uZ3tpbGHtsrQ"
ID = "1Ovj5Ay8rDXaPy57CNCHes0A99S43lPBy"
OTHER_ID = "1made-up-id-of-the-synthetic-zip"
NAME = "MUSIC-AVQA-videos-Real.zip"
# gdown writes whole chunks only: what is left of one when the line breaks is lost.
CHUNK = 512 * 1024
CONTENT = random.Random(0).randbytes(3_000_001)

# gdown's words for everything that it takes for no file, but the quota page.
NO_FILE = "Cannot retrieve the public link of the file."
QUOTA = "Too many users have viewed or downloaded this file recently."
NO_RANGE = "Server did not honor the requested byte range; the partial file is preserved."
BROKEN = Fault("truncate", after=1_300_000, times=1)

Get = Callable[..., Any]


@pytest.fixture
def drive() -> FakeDrive:
    return FakeDrive(FOLDER, {NAME: FakeDriveFile(ID, CONTENT)})


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeYouTube]:
    with FakeYouTube(tmp_path_factory.mktemp("media")) as youtube:
        yield youtube
        assert youtube.unknown == []


@pytest.fixture
def youtube(proxy: FakeYouTube, drive: FakeDrive) -> FakeYouTube:
    proxy.sites = (drive,)
    return proxy


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "zips"
    folder.mkdir()
    return folder / NAME


@pytest.fixture
def get(youtube: FakeYouTube, target: Path) -> Get:
    """Has gdown download the file, as a program would that is to go on where it broke off."""
    fixed: dict[str, Any] = {"id": ID, "output": str(target), "quiet": True, "use_cookies": False, "resume": True}
    fixed |= {"proxy": youtube.proxy, "verify": youtube.ca_file, "timeout": (5, 1)}
    return lambda **more: gdown.download(**(fixed | more))


def change(drive: FakeDrive, **what: Any) -> None:
    drive.files[NAME] = replace(drive.files[NAME], **what)


def parts(target: Path) -> list[Path]:
    return list(target.parent.glob("*.part"))


def said(error: BaseException) -> str:
    """gdown wraps its lines."""
    return " ".join(str(error).split())


@pytest.mark.parametrize(
    ("large", "from_disk", "pages"),
    [(True, False, ["redirect", "warning", ""]), (False, True, ["redirect", ""])],
)
def test_gdown_downloads_a_file(
    drive: FakeDrive, get: Get, target: Path, tmp_path: Path, large: bool, from_disk: bool, pages: list[str]
) -> None:
    (tmp_path / "on-disk").write_bytes(CONTENT)
    change(drive, large=large, content=tmp_path / "on-disk" if from_disk else CONTENT)
    heard: list[tuple[int, int | None]] = []

    assert get(progress=lambda *so_far: heard.append(so_far)) == str(target)

    assert target.read_bytes() == CONTENT and parts(target) == []
    assert [request.page for request in drive.log] == pages
    assert [request.host for request in drive.log[:2]] == ["drive.google.com", "drive.usercontent.google.com"]
    assert drive.bytes_sent(ID) == len(CONTENT)
    assert heard[0] == (CHUNK, len(CONTENT)) and heard[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (BROKEN, gdown.DownloadError, "received 1048576 bytes but the server announced 3000001 bytes"),
        (replace(BROKEN, kind="reset"), gdown.DownloadError, "received 1048576 bytes but"),
        (replace(BROKEN, kind="stall"), requests.ConnectionError, "Read timed out."),
    ],
)
def test_gdown_resumes_after_a_break(
    drive: FakeDrive, get: Get, target: Path, fault: Fault, error: type[Exception], words: str
) -> None:
    change(drive, faults=(fault,))
    with pytest.raises(error) as caught:
        get()
    assert words in said(caught.value) and not target.exists()
    [part] = parts(target)
    assert part.name.startswith(NAME) and len(part.name) == len(NAME) + 8 + len(".part")
    assert part.read_bytes() == CONTENT[: 2 * CHUNK]
    assert drive.bytes_sent(ID) == 1_300_000

    get()

    assert target.read_bytes() == CONTENT and parts(target) == []
    # It asks for the whole once more and hangs up, then for the rest.
    _, dropped, rest = drive.sendings(ID)
    assert dropped.status == 200 and dropped.sent < len(CONTENT)
    assert (rest.status, rest.first, rest.last, rest.sent) == (206, 2 * CHUNK, 3_000_000, 3_000_001 - 2 * CHUNK)


@pytest.mark.parametrize(
    "what",
    [
        {"resume_faults": (Fault("ignore_range"),)},
        {"resume_faults": (Fault("status", status=403),)},
        {"content": CONTENT[: 2 * CHUNK]},  # the part is all there is: 416
    ],
    ids=["ignored", "forbidden", "complete"],
)
def test_gdown_never_gets_on_when_a_range_is_refused(
    drive: FakeDrive, get: Get, target: Path, what: dict[str, Any]
) -> None:
    change(drive, faults=(BROKEN,))
    with pytest.raises(gdown.DownloadError):
        get()
    change(drive, **what)
    for _ in range(2):
        with pytest.raises(gdown.DownloadError) as caught:
            get()
        assert said(caught.value) == NO_RANGE
    assert [part.stat().st_size for part in parts(target)] == [2 * CHUNK]


def test_gdown_splices_a_file_that_changed_between_two_calls(drive: FakeDrive, get: Get, target: Path) -> None:
    other = CONTENT[::-1]
    later = {"content": other, "modified": "Sun, 06 Mar 2022 08:00:00 GMT"}
    change(drive, faults=(BROKEN,))
    with pytest.raises(gdown.DownloadError):
        get()
    # Only what changes between the requests of one call is noticed.
    drive.refuse = lambda request: change(drive, **later) if len(drive.sendings()) == 2 else None
    with pytest.raises(gdown.DownloadError) as caught:
        get()
    assert said(caught.value) == NO_RANGE
    get()
    assert target.read_bytes() == CONTENT[: 2 * CHUNK] + other[2 * CHUNK :]


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("quota", QUOTA),
        ("permission", NO_FILE),
        ("missing", NO_FILE),
        ("sorry", NO_FILE),
        ("403", NO_FILE),
        ("500", NO_FILE),
        ("503", NO_FILE),
    ],
)
def test_pages_in_place_of_the_file(drive: FakeDrive, get: Get, target: Path, page: str, words: str) -> None:
    change(drive, page=page, page_times=1)
    with pytest.raises(gdown.FileURLRetrievalError) as caught:
        get()
    assert said(caught.value).startswith(f"Failed to retrieve file url: {words}")
    assert drive.bytes_sent() == 0 and list(target.parent.iterdir()) == []
    get()
    assert target.read_bytes() == CONTENT


def test_an_unknown_id_is_missing(get: Get) -> None:
    with pytest.raises(gdown.FileURLRetrievalError, match="Cannot retrieve the public link"):
        get(id=OTHER_ID)


def test_a_quota_page_in_place_of_the_rest_is_not_recognised(drive: FakeDrive, get: Get) -> None:
    change(drive, faults=(BROKEN,))
    with pytest.raises(gdown.DownloadError):
        get()
    drive.refuse = lambda request: "quota" if len(drive.sendings()) == 2 else None
    with pytest.raises(gdown.DownloadError) as caught:
        get()
    assert said(caught.value) == NO_RANGE


def test_gdown_goes_round_for_ever_when_the_warning_comes_again(drive: FakeDrive, get: Get) -> None:
    change(drive, page="warning")
    enough = threading.Event()

    def refuse(request: Any) -> None:
        if len(drive.log) == 20:
            enough.set()

    drive.refuse = refuse
    with pytest.raises(gdown.DownloadCancelled):
        get(cancel=enough)
    assert len(drive.log) > 20


def test_a_call_can_be_ended_and_resumed(drive: FakeDrive, get: Get, target: Path) -> None:
    class Enough(Exception):
        pass

    def progress(so_far: int, total: int | None) -> None:
        raise Enough

    with pytest.raises(Enough):
        get(progress=progress)
    assert [part.stat().st_size for part in parts(target)] == [CHUNK]
    get()
    assert target.read_bytes() == CONTENT


def test_gdown_lists_a_folder(drive: FakeDrive, youtube: FakeYouTube, capfd: pytest.CaptureFixture[str]) -> None:
    change(drive, content=b"x")
    drive.files["more & more/MUCIS-AVQA-videos-Synthetic.zip"] = FakeDriveFile(OTHER_ID, b"y")

    listed = gdown.download_folder(
        id=FOLDER, skip_download=True, quiet=True, use_cookies=False, proxy=youtube.proxy, verify=youtube.ca_file
    )

    assert {(file.path, file.id) for file in listed if not isinstance(file, str)} == {
        (NAME, ID),
        ("more & more/MUCIS-AVQA-videos-Synthetic.zip", OTHER_ID),
    }
    assert [(request.kind, request.page) for request in drive.log] == [("folder", "listing")] * 2
    # Even a quiet gdown tells the proxy, with its password.
    assert capfd.readouterr() == ("", f"Using proxy: {youtube.proxy}\n")


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("missing", "(status code 404)"),
        ("503", "(status code 503)"),
        # A page like any other: a folder without files.
        ("permission", None),
        ("quota", None),
    ],
)
def test_pages_in_place_of_a_folder(drive: FakeDrive, youtube: FakeYouTube, page: str, words: str | None) -> None:
    drive.refuse = lambda request: page if request.kind == "folder" else None
    options: dict[str, Any] = {"id": FOLDER, "skip_download": True, "quiet": True, "use_cookies": False}
    options |= {"proxy": youtube.proxy, "verify": youtube.ca_file}
    if words is None:
        assert gdown.download_folder(**options) == []
    else:
        with pytest.raises(gdown.DownloadError) as caught:
            gdown.download_folder(**options)
        assert words in said(caught.value)


@pytest.mark.parametrize(
    ("environment", "ours"),
    [
        ({}, True),
        # requests holds the environment's proxy higher than gdown's.
        ({"HTTPS_PROXY": "http://127.0.0.1:9"}, False),
        ({"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "*"}, True),
        ({"ALL_PROXY": "http://127.0.0.1:9"}, True),
    ],
)
def test_the_environments_proxy_comes_first(
    get: Get, target: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], ours: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with suppress(requests.exceptions.ProxyError):
        get()
    assert target.exists() == ours


def test_a_child_process_reaches_it(drive: FakeDrive, youtube: FakeYouTube, target: Path, tmp_path: Path) -> None:
    stage = Stage(youtube, tmp_path)
    code = "import gdown, sys; gdown.download(id=sys.argv[1], output=sys.argv[2], proxy=sys.argv[3], {})"
    for options, cookies in (("use_cookies=False", False), ("use_cookies=True", True)):
        command = [sys.executable, "-c", code.format(options), ID, f"{target}.{cookies}", stage.proxy]
        ended = subprocess.run(command, env=stage.environment(), capture_output=True, text=True, timeout=30)
        assert ended.returncode == 0, ended.stderr
        assert Path(f"{target}.{cookies}").read_bytes() == CONTENT
        assert (stage.home / ".cache" / "gdown" / "cookies.txt").exists() == cookies
    assert youtube.log == []


@pytest.mark.parametrize("folder", [REAL, SYNTHETIC])
@pytest.mark.parametrize("compress", [False, True])
def test_zips_have_the_official_layout(folder: str, compress: bool) -> None:
    files = {"00000028.mp4": bytes(1000), "00000029.mp4": b"b"}
    with zipfile.ZipFile(io.BytesIO(zip_of(files, folder, compress))) as archive:
        assert archive.namelist() == [f"{folder}/", f"{folder}/00000028.mp4", f"{folder}/00000029.mp4"]
        assert archive.testzip() is None
        assert (archive.infolist()[1].compress_size < 1000) == compress


@pytest.mark.parametrize("kind", BAD_ZIPS)
def test_bad_zips_are_bad_in_their_last_member(kind: BadZip) -> None:
    whole = bad_zip(kind, {"00000028.mp4": b"good", "00000029.mp4": b"bad"})
    if kind == "truncated":
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(io.BytesIO(whole))
        return
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        _, good, bad = archive.infolist()
        assert archive.read(good) == b"good" and good.filename == f"{REAL}/00000028.mp4"
        wrong = {
            "absolute": bad.filename.startswith("/"),
            "dotdot": ".." in bad.filename.split("/"),
            "backslash": ".." in bad.filename.split("\\"),
            "symlink": bad.external_attr >> 28 == 0o12,
            "encrypted": bad.flag_bits & 1 == 1,
            "bomb": bad.file_size > 500 * bad.compress_size,
            "corrupt": archive.testzip() == bad.filename if kind == "corrupt" else False,
        }
        assert [each for each, is_so in wrong.items() if is_so] == [kind]
        if kind == "encrypted":
            with pytest.raises(RuntimeError, match="password required"):
                archive.read(bad)


def test_an_id_that_gdown_would_pass_over_is_no_id() -> None:
    with pytest.raises(ValueError, match="no id of Drive's"):
        FakeDriveFile("short", b"")

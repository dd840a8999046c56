"""--cookies-from-browser: a browser's cookies, as yt-dlp reads them, for as long as a run lasts."""

from __future__ import annotations

import sqlite3
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from avclips.core.errors import UsageError
from avclips.core.settings import Identity
from avclips.pacing.pacer import name_of
from avclips.sources.cookies import cookies_of, key_of, who
from tests.standin.fake_youtube import FakeVideo
from tests.support.script import QUICK, stage

SECRET = "OfTheBrowser"


def firefox(folder: Path, cookies: int = 1) -> Path:
    """A profile of Firefox with so many cookies for YouTube."""
    folder.mkdir()
    with sqlite3.connect(folder / "cookies.sqlite") as database:
        database.execute(
            "CREATE TABLE moz_cookies (host TEXT, name TEXT, value TEXT, path TEXT, expiry INTEGER, "
            "isSecure INTEGER, originAttributes TEXT)"
        )
        for number in range(cookies):
            row = (".youtube.com", f"OURS{number}", SECRET, "/", 4_000_000_000, 1, "")
            database.execute("INSERT INTO moz_cookies VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    database.close()
    return folder


def test_a_profile_is_read(tmp_path: Path) -> None:
    found = cookies_of(Identity(browser=f"firefox:{firefox(tmp_path / 'profile', 2)}"))
    assert found is not None
    text, jar = found
    assert text.startswith("# Netscape HTTP Cookie File") and text.count(SECRET) == 2
    assert sorted(cookie.name for cookie in jar) == ["OURS0", "OURS1"]


@pytest.mark.parametrize(
    ("browser", "message"),
    [
        ("netscape", 'unsupported browser specified for cookies: "netscape". Supported browsers are: '),
        ("firefox+nokeyring", "unsupported keyring specified for cookies: "),
        ("firefox:{there}/none", "cannot be read: could not find firefox cookies database in "),
        ("firefox:{there}/empty", "has no cookie that can be read"),
    ],
)
def test_what_cannot_be_read_is_one_message(
    browser: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    firefox(tmp_path / "empty", 0)
    named = browser.format(there=tmp_path)
    with pytest.raises(UsageError) as caught:
        cookies_of(Identity(browser=named))
    assert str(caught.value).startswith(f"--cookies-from-browser {named}") and message in str(caught.value)
    assert capsys.readouterr() == ("", "")


def test_a_browser_is_the_same_person_tomorrow() -> None:
    """Its cookies change with each page that is looked at."""
    identity = Identity("http://me:pass@p:1", browser="firefox:work")
    assert key_of(identity, "one") == key_of(identity, "other") != key_of(Identity(), None)
    assert who(key_of(identity, "one")) not in ("guest", who("one"))
    assert name_of(identity) == "http://p:1 with firefox:work"


def test_the_site_gets_them_and_no_file_does(tmp_path: Path, media_folder: Path) -> None:
    clip = "browsers_01_000001"
    with stage(tmp_path, media_folder, {clip: FakeVideo(QUICK)}) as played:
        profile = firefox(tmp_path / "profile")
        ended = played.run("--cut", "copy", "--cookies-from-browser", f"firefox:{profile}")
        assert ended.code == 0 and played.published == {clip}, ended.said
        (asked, *_) = played.youtube.requests("watch")
        assert SimpleCookie(asked.cookie)["OURS0"].value == SECRET
        left = [path for path in tmp_path.rglob("*") if path.is_file() and profile not in path.parents]
        assert [path for path in left if SECRET.encode() in path.read_bytes()] == []
        assert SECRET not in ended.said


@pytest.mark.parametrize(
    ("name", "hint"), [("cookis.txt", "did you mean {}/cookies.txt?"), ("x", "export it as a")]
)
def test_a_file_of_cookies_that_is_not_there(tmp_path: Path, name: str, hint: str) -> None:
    (tmp_path / "cookies.txt").touch()
    with pytest.raises(UsageError) as caught:
        cookies_of(Identity(cookies=tmp_path / name))
    assert str(caught.value) == f"--cookies {tmp_path / name} cannot be read: No such file or directory"
    assert caught.value.hint.startswith(hint.format(tmp_path))


def test_a_file_of_cookies_that_is_no_text(tmp_path: Path) -> None:
    """Nothing of what is in it is shown."""
    path = tmp_path / "cookies.txt"
    path.write_bytes(b"\xff\xfeSECRET")
    with pytest.raises(UsageError, match=r"cannot be read: it is no text$"):
        cookies_of(Identity(cookies=path))

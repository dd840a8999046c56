"""Who asks, by cookies: out of a file, or out of a browser on this machine.

They are read once, at the start, and kept as text in memory: yt-dlp writes back to a file that it is given.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import warnings
from http.cookiejar import CookieJar, LoadError
from optparse import OptParseError
from pathlib import Path

import yt_dlp
from yt_dlp.cookies import YoutubeDLCookieJar
from yt_dlp.utils import DownloadError

from ..core.errors import UsageError
from ..core.settings import Identity
from ..core.suggest import near_path
from .messages import clean
from .ytdlp_log import Heard


def who(key: str | None) -> str:
    """Tells one person from another without saying anything of their cookies; ``key``: see key_of."""
    return "guest" if key is None else hashlib.sha256(key.encode()).hexdigest()[:16]


def key_of(identity: Identity, cookies: str | None) -> str | None:
    """What an identity is told from others by, from one start to the next; None for a guest.

    The cookies of a file are as they were exported; those of a browser are others each day.
    """
    return f"browser {identity.browser}" if identity.browser else cookies


def cookies_of(identity: Identity) -> tuple[str, CookieJar] | None:
    """The cookies of an identity, as text and as a jar; None for a guest. UsageError."""
    if identity.browser:
        return browser_cookies(identity.browser)
    return load_cookies(identity.cookies) if identity.cookies else None


def load_cookies(path: Path) -> tuple[str, CookieJar]:
    """A Netscape cookie file, as text and as a jar; UsageError with what is wrong where yt-dlp cannot read it."""
    hint = "export it as a Netscape cookies.txt, in a private window that you close afterwards"
    try:
        text = path.read_text(encoding="utf-8")
        jar = YoutubeDLCookieJar(io.StringIO(text))
        # yt-dlp prints the rows that it cannot read, and what is in them is secret.
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            jar.load(ignore_discard=True, ignore_expires=True)
    except LoadError as error:
        raise UsageError(f"--cookies {path} is not a cookie file in Netscape's format", hint) from error
    except (OSError, UnicodeDecodeError) as error:
        # Python's own words of what is no text show bytes of it.
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        near = near_path(path) if isinstance(error, FileNotFoundError) else None
        raise UsageError(
            f"--cookies {path} cannot be read: {why}", f"did you mean {near}?" if near else hint
        ) from error
    if not len(jar):
        raise UsageError(f"--cookies {path} is not a cookie file: no line of it can be read", hint)
    return text, jar


def browser_cookies(named: str) -> tuple[str, CookieJar]:
    """The cookies of a browser, as ``--cookies-from-browser`` of yt-dlp names and reads them. UsageError."""
    option = f"--cookies-from-browser {named}"
    hint = "close the browser and try again, or export its cookies and say --cookies FILE"
    said = Heard()
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            asked = yt_dlp.parse_options(["--cookies-from-browser", named]).options.cookiesfrombrowser
            with yt_dlp.YoutubeDL({"cookiesfrombrowser": asked, "quiet": True, "logger": said}) as ydl:
                jar = ydl.cookiejar
    except OptParseError as error:
        why = str(error).strip().splitlines()[-1].rpartition("error: ")[2]
        raise UsageError(f"{option}: {why}") from error
    except DownloadError as error:
        raise UsageError(f"{option} cannot be read: {clean(str(error))}", hint) from error
    if not len(jar):
        # Those of Chrome are encrypted: without its key, none is left.
        why = f" ({clean(said.warnings[-1])})" if said.warnings else ""
        raise UsageError(f"{option} has no cookie that can be read{why}", hint)
    text = io.StringIO()
    YoutubeDLCookieJar.save(_into(jar, text), ignore_discard=True, ignore_expires=True)
    return text.getvalue(), jar


def _into(jar: CookieJar, stream: io.StringIO) -> YoutubeDLCookieJar:
    copied = YoutubeDLCookieJar(stream)
    for cookie in jar:
        copied.set_cookie(cookie)
    return copied

"""How the annotation files of a dataset come into the folder: asked for, tried again, looked at.

Knows files and URLs; what stands in the files, their ``check`` knows.
"""

from __future__ import annotations

import logging
import os
from http.cookiejar import CookieJar
from pathlib import Path

import requests

from ..core.clock import Clock
from ..core.errors import RunError
from ..core.files import beside, move_whole
from ..core.redact import without_password
from ..core.settings import Settings
from .base import Annotation, Dataset

log = logging.getLogger("avclips.datasets.annotation_files")

ATTEMPTS = 5
# Seconds to connect, and between two pieces of the answer.
TIMEOUTS = (15.0, 60.0)
# GitHub and Drive answer these for a while, under load.
_PASSING = {408, 429, 500, 502, 503, 504}


def fetch_annotations(
    dataset: Dataset, settings: Settings, metadata: Path, clock: Clock, cookies: CookieJar | None = None
) -> list[str]:
    """Bring the annotation files that are not there yet; return a line for each optional one that did not come.

    A file already there is used as it is, so that a user can place one by hand. RunError for a needed one
    that cannot be had, or that does not hold what it should.
    """
    missing = []
    wanted = [each for each in dataset.annotations(settings) if not each.split or each.split in settings.splits]
    if not all((metadata / each.name).exists() for each in wanted):
        # Before a long wait for the others: one that was placed by hand may be half a file.
        for annotation in wanted:
            if (metadata / annotation.name).is_file():
                annotation.check(metadata / annotation.name)
    for annotation in wanted:
        try:
            _bring(annotation, settings, metadata, clock, cookies)
        except RunError as error:
            if annotation.needed:
                raise
            missing.append(f"going on without {annotation.name}: {error}")
    return missing


def _bring(
    annotation: Annotation, settings: Settings, metadata: Path, clock: Clock, cookies: CookieJar | None
) -> None:
    target = metadata / annotation.name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = beside(target)
        try:
            _download(annotation, settings, part, clock, cookies)
            _look_at(annotation, part)
            move_whole(part, target)
        finally:
            part.unlink(missing_ok=True)
        log.info("fetched %s from %s", target.name, annotation.url)
    elif not target.is_file():
        raise RunError(f"{target} is not a file", "move it away")


def _look_at(annotation: Annotation, part: Path) -> None:
    """Whether what came is the file: a login page, say, also comes with a 200."""
    try:
        annotation.check(part)
    except RunError as error:
        what = str(error).replace(f"{part}", "it")
        hint = f"look at the address in a browser, and put the file into {part.parent} by hand"
        raise RunError(f"{annotation.url} did not send {annotation.name}: {what}", hint) from error


def _download(
    annotation: Annotation, settings: Settings, part: Path, clock: Clock, cookies: CookieJar | None
) -> None:
    """Decides what a failed try means; ``_receive`` does the trying."""
    hint = f"put the file into {part.parent} by hand, or try again later"
    with _session(cookies) as session:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                _receive(session, annotation.url, part, settings.identities[0].proxy)
                return
            except requests.HTTPError as error:
                if error.response.status_code not in _PASSING or attempt == ATTEMPTS:
                    answer = f"HTTP {error.response.status_code} {error.response.reason}"
                    raise RunError(f"{annotation.url} answered {answer}", hint) from error
            except requests.RequestException as error:
                if attempt == ATTEMPTS:
                    raise RunError(f"{annotation.url} cannot be fetched: {_plainly(error)}", hint) from error
            log.warning("%s did not come, try %d of %d", annotation.name, attempt, ATTEMPTS)
            clock.sleep(2.0**attempt)


def _session(cookies: CookieJar | None) -> requests.Session:
    session = requests.Session()
    if cookies is not None:
        session.cookies.update(cookies)
    if not os.environ.get("REQUESTS_CA_BUNDLE") and os.environ.get("SSL_CERT_FILE"):
        # One variable for both: yt-dlp honours SSL_CERT_FILE, requests only its own.
        session.verify = os.environ["SSL_CERT_FILE"]
    return session


def _receive(session: requests.Session, url: str, part: Path, proxy: str | None) -> None:
    # With the request, not the session: there, proxy variables of the environment would win.
    # The empty one is the bare connection.
    proxies = None if proxy is None else {"http": proxy, "https": proxy}
    with session.get(url, stream=True, timeout=TIMEOUTS, proxies=proxies) as response:
        response.raise_for_status()
        with open(part, "wb") as stream:
            # urllib3 raises when fewer bytes come than were announced.
            for piece in response.iter_content(1 << 16):
                stream.write(piece)


def _plainly(error: requests.RequestException) -> str:
    """The innermost words of a requests error, which wraps them three times."""
    cause: BaseException = error
    while (inner := getattr(cause, "reason", None) or cause.__cause__ or cause.__context__) is not None:
        if not isinstance(inner, BaseException):
            break
        cause = inner
    return without_password(" ".join(str(cause).split()))[:300] or type(cause).__name__

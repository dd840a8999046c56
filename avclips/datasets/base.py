"""What a dataset is, and how its annotation files come into the folder.

Knows files and URLs; what stands in them is known to one module each under ``datasets/``.
"""

from __future__ import annotations

import itertools
import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import requests

from ..core.clock import Clock
from ..core.errors import RunError
from ..core.files import move_whole
from ..core.model import Clip
from ..core.redact import without_password
from ..core.settings import Settings
from ..core.sites import watch_url

log = logging.getLogger("avclips.datasets.base")

# In the metadata folder: the records of a list that name no clip, each with the reason.
LEFT_OUT = "left_out.json"
ATTEMPTS = 5
# Seconds to connect, and between two pieces of the answer.
TIMEOUTS = (15.0, 60.0)
# GitHub and Drive answer these for a while, under load.
_PASSING = {408, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Annotation:
    """One file of a dataset. ``split`` names the split it lists, ``needed`` whether a run can do without it."""

    name: str
    url: str
    check: Callable[[Path], object]
    split: str | None = None
    needed: bool = True


@dataclass(frozen=True)
class Listing:
    """The clips a dataset's files list, and the records left out, each with the reason.

    ``clips`` may be gone through again and again; those of one video stand together (``together``). ``url_of``:
    the page of a clip's video, None where it is not known; ``files``: further JSON for the metadata folder, by
    name; ``remarks``: what a user should be told; ``named``: whether the ids are a user's words, which may have
    meant other clips before. ``rows``: how many records the list has, 0 where nobody counted: each
    made a clip, named one that was made before, or is left out.
    """

    clips: Iterable[Clip]
    skipped: Sequence[str] = field(default_factory=tuple)
    url_of: Callable[[str], str | None] = watch_url
    files: Mapping[str, Any] = field(default_factory=dict)
    remarks: Sequence[str] = field(default_factory=tuple)
    named: bool = False
    rows: int = 0


def together(clips: Iterable[Clip]) -> list[Clip]:
    """The clips with those of one video side by side, in the order of the first of each."""
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        groups.setdefault(clip.video, []).append(clip)
    return list(itertools.chain(*groups.values()))


def id_files(clips: Iterable[Clip], url_of: Callable[[str], str | None] = watch_url) -> dict[str, Any]:
    """The JSON files that name all clips, and the page of each one's video."""
    urls = {clip.id: url_of(clip.video) for clip in clips}
    return {"required_video_ids.json": list(urls), "video_url_mapping.json": urls}


@dataclass(frozen=True)
class Finished:
    """The clips that are done, for the tables that a dataset keeps of them.

    ``folder``: the data folder. ``lines()``: what the manifest says of each, as it is read; ``file_of(id)``: the
    clip's sound, or else its picture, beneath the folder; None where it is not there.
    """

    folder: Path
    lines: Callable[[], Iterator[Mapping[str, Any]]]
    file_of: Callable[[str], str | None]


@dataclass(frozen=True)
class DriveArchive:
    """One of a dataset's own archives on Google Drive.

    ``name``: what it is called here; ``file_id`` its id there, or where that is not known, ``word`` one that its
    name there holds. ``holds(clip_id)``: whether it is where the clip should be; ``size`` in bytes, about.
    """

    title: str
    name: str
    size: int
    holds: Callable[[str], bool]
    word: str
    file_id: str | None = None


@dataclass(frozen=True)
class Drive:
    """A folder on Google Drive, and the archives in it."""

    folder_id: str
    archives: tuple[DriveArchive, ...]


@dataclass(frozen=True)
class Dataset:
    """One dataset: what its files are called and how they are read.

    ``annotations(settings)`` are the files that a run needs. ``read_clips(metadata_folder, settings)`` returns a
    Listing, or raises RunError where a file cannot be read. ``splits``: what --splits takes, and
    ``usual_splits`` its default. ``log_name``: the log file in the data folder. ``options``: those that only some
    datasets have, and ``defaults`` its own for some of them. ``drive``: where its videos lie as archives.
    ``files``: in words, what comes of a clip. ``audio_folder``: what the folder of sounds is called, and
    ``audio_folder_once`` what it was, in a data folder that has it and goes on with it.
    ``write_tables(finished, metadata_folder, settings)`` writes what the dataset's users expect besides, of what
    is there.
    """

    name: str
    title: str
    default_dir: str
    log_name: str
    annotations: Callable[[Settings], Sequence[Annotation]]
    read_clips: Callable[[Path, Settings], Listing]
    clip_seconds: float
    splits: tuple[str, ...]
    usual_splits: tuple[str, ...]
    options: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    drive: Drive | None = None
    files: str = "videos/ID.mp4 and audio/ID.wav"
    audio_folder: str = "audio"
    audio_folder_once: str = "audio"
    write_tables: Callable[[Finished, Path, Settings], None] | None = None

    def sounds_in(self, folder: Path) -> str:
        """What the folder of sounds is called in this data folder."""
        return self.audio_folder_once if (folder / self.audio_folder_once).is_dir() else self.audio_folder


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
        part = target.with_name(f".{target.name}.{socket.gethostname()}-{os.getpid()}.part")
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

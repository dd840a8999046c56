"""A dataset's own archives on Google Drive, fetched with gdown.

gdown (an extra) knows Drive's listing, its confirmation page and how to resume; this module says where the archive
goes, whether there is room for it, and what its errors mean. An archive has its name only when it is whole.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import logging
import os
import sys
import threading
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import requests
from filelock import FileLock, Timeout
from tqdm import tqdm

from ..core.clock import Clock
from ..core.errors import GaveUp, RunError, Stopped
from ..core.extras import pip
from ..core.files import as_run_error, free_bytes
from ..core.redact import one_line
from ..core.settings import Settings
from ..pacing.pace import retry_delay
from ..progress.console import say
from .annotation_files import TIMEOUTS
from .base import Drive, DriveArchive

log = logging.getLogger("avclips.datasets.google_drive")

# So many tries in a row that bring nothing, and it is given up; what came is kept for the next run.
FRUITLESS = 8
SAY_EVERY = 60.0
_QUOTA = ("too many users", "quota")
_NOT_HONOURED = "did not honor the requested byte range"
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class DriveFolder:
    """The archives of one dataset, and the folder they are fetched into."""

    def __init__(self, drive: Drive, folder: Path, settings: Settings, clock: Clock) -> None:
        self._drive = drive
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._stopped = threading.Event()
        clock.on_stop(self._stopped.set)

    def gdown(self) -> Any:
        """The module; RunError where it is missing or too old."""
        return _gdown(self.by_hand())

    def fetch(self, archive: DriveArchive) -> Path:
        """The archive, whole; what an earlier run fetched of it is gone on from. RunError, GaveUp, Stopped."""
        gdown = self.gdown()
        target = self._folder / archive.name
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._alone(archive):
            fetched = self._mark(target)
            if not target.exists():
                say(f"Fetching {archive.title} ({archive.size / 1e9:.2f} GB) from Google Drive into {target} ...")
                self._download(gdown, archive, target)
                fetched.touch()
            try:
                zipfile.ZipFile(target).close()
            except OSError as error:
                # About the disk or its mount, not about the archive.
                raise as_run_error(error, self._folder) from error
            except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, ValueError) as error:
                if not fetched.exists():
                    raise RunError(
                        f"{target} is no whole zip: {error}", "move it away, or wait until it is copied"
                    ) from error
                # It was fetched, and can be fetched again: nothing is lost with it.
                target.unlink()
                fetched.unlink()
                raise RunError(
                    f"what Google Drive sent as {archive.name} is no whole zip: {error}; it was deleted",
                    "start the same command again; " + self.by_hand(),
                ) from error
        return target

    def finished_with(self, path: Path, missing: Sequence[str]) -> None:
        """Delete an archive whose videos are all taken, unless it is to be kept, or other shards need it."""
        if self._settings.keep_archives or self._settings.part is not None:
            return
        if missing:
            say(
                f"{path} is kept: {len(missing)} of its videos are not done (the first: {missing[0]}). "
                "If they cannot be read, delete it: the next run fetches it anew."
            )
            return
        if not self._mark(path).exists():
            say(f"{path} is kept: it was not fetched by this program.")
            return
        path.unlink(missing_ok=True)
        self._mark(path).unlink(missing_ok=True)
        log.info("%s is deleted: all of its videos are taken", path)
        with contextlib.suppress(OSError):
            (self._folder / f".{path.name}.lock").unlink(missing_ok=True)
            self._folder.rmdir()

    def _mark(self, path: Path) -> Path:
        """Stands beside an archive that was fetched here: what a user put there is not ours to delete."""
        return self._folder.parent / "metadata" / f".{path.name}.fetched"

    def by_hand(self) -> str:
        """What a user can do without this module."""
        url = f"https://drive.google.com/drive/folders/{self._drive.folder_id}"
        sizes = " and ".join(f"{each.title} ({each.size / 1e9:.2f} GB)" for each in self._drive.archives)
        return f"fetch {sizes} in a browser from {url}, and give what you got: --archives PATH ..."

    @contextlib.contextmanager
    def _alone(self, archive: DriveArchive) -> Iterator[None]:
        """Of several shards, one fetches; the others wait for it."""
        lock = FileLock(self._folder / f".{archive.name}.lock")
        while True:
            try:
                lock.acquire(timeout=0)
                break
            except Timeout:
                self._clock.sleep(5.0)
            except (OSError, NotImplementedError):
                # No locks here; then each fetches for itself, in the worst case.
                break
        try:
            yield
        finally:
            lock.release()

    def _download(self, gdown: Any, archive: DriveArchive, target: Path) -> None:
        """Try until nothing more comes for a while: a file so large breaks off more than once."""
        fruitless, had, shortened = 0, self._received(target), False
        while True:
            try:
                self._try(gdown, archive, target)
                return
            except (gdown.exceptions.DownloadError, requests.ConnectionError, requests.Timeout) as error:
                has = self._received(target)
                fruitless, had = (0 if has > had else fruitless + 1), has
                part = self._part(target)
                if _NOT_HONOURED in str(error) and not shortened and part and has:
                    # A part that was whole before it got its name: nothing is left to ask for, but its last byte.
                    shortened = True
                    os.truncate(part, has - 1)
                    continue
                # Drive has one page for too many requests and for a private file: if some of it came, it passes.
                refused = isinstance(error, gdown.exceptions.FileURLRetrievalError) and (
                    _is_quota(error) or not has
                )
                if refused or fruitless >= FRUITLESS:
                    raise self._meaning(archive, error) from error
                log.warning("%s broke off at %d bytes: %s", archive.name, has, error)
            self._clock.sleep(retry_delay(fruitless + 1))

    def _try(self, gdown: Any, archive: DriveArchive, target: Path) -> None:
        """One call of gdown; its DownloadError and the errors of a connection pass."""
        try:
            with _through(self._settings.identities[0].proxy), contextlib.redirect_stderr(io.StringIO()):
                file_id = archive.file_id or self._look_up(gdown, archive)
                with _Progress(archive, self._folder, self._settings.min_free) as progress:
                    gdown.download(
                        id=file_id,
                        output=str(target),
                        quiet=True,
                        use_cookies=False,
                        verify=_certificates(),
                        resume=True,
                        timeout=TIMEOUTS,
                        progress=progress.at,
                        cancel=self._stopped,
                    )
            # gdown's own are the owner's alone.
            target.chmod(0o644)
        except gdown.exceptions.DownloadCancelled:
            raise Stopped from None
        except (KeyError, AssertionError) as error:
            raise RunError(
                f"Google Drive answered something that gdown cannot read: {error!r}", self.by_hand()
            ) from error
        except requests.RequestException as error:
            if isinstance(error, (requests.ConnectionError, requests.Timeout)) and not isinstance(
                error, (requests.exceptions.SSLError, requests.exceptions.ProxyError)
            ):
                raise
            raise self._meaning(archive, error) from error
        except OSError as error:
            raise as_run_error(error, self._folder) from error

    def _part(self, target: Path) -> Path | None:
        """What gdown has of a file, under a name of its own."""
        return next(iter(sorted(self._folder.glob(f"{target.name}*.part"))), None)

    def _received(self, target: Path) -> int:
        part = self._part(target)
        return part.stat().st_size if part else 0

    def _look_up(self, gdown: Any, archive: DriveArchive) -> str:
        """The id of an archive of which only the name is known."""
        listed = gdown.download_folder(
            id=self._drive.folder_id,
            skip_download=True,
            quiet=True,
            use_cookies=False,
            verify=_certificates(),
            timeout=TIMEOUTS,
        )
        for file in listed:
            if archive.word in file.path.lower() and file.path.lower().endswith(".zip"):
                return str(file.id)
        names = ", ".join(file.path for file in listed) or "nothing (or it wants a sign-in)"
        raise RunError(f"{archive.title} are not in the folder on Google Drive; it lists {names}", self.by_hand())

    def _meaning(self, archive: DriveArchive, error: Exception) -> RunError:
        if _is_quota(error):
            return GaveUp(
                f"Google Drive sends {archive.title} to nobody for now: too many people fetched the file lately",
                "start the same command again tomorrow; or sign in, " + self.by_hand(),
            )
        return RunError(
            f"{archive.title} did not come from Google Drive: {one_line(error)}",
            "start the same command again, it goes on where it broke off; or " + self.by_hand(),
        )


def _is_quota(error: Exception) -> bool:
    words = " ".join(str(error).split()).lower()
    return any(sign in words for sign in _QUOTA)


def _gdown(by_hand: str) -> Any:
    try:
        import gdown
        import gdown.exceptions
    except ImportError:
        hint = f"{pip('gdown')}, to have it done for you; or {by_hand}"
        raise RunError("the videos lie in archives on Google Drive, and gdown is not installed", hint) from None
    if "cancel" not in inspect.signature(gdown.download).parameters:
        hint = f"{pip('--upgrade', 'gdown')}, to have it done for you; or {by_hand}"
        version = getattr(gdown, "__version__", "of an unknown version")
        raise RunError(
            f"the videos lie in archives on Google Drive, and gdown {version} is too old to fetch them", hint
        )
    return gdown


def _certificates() -> bool | str:
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True


@contextlib.contextmanager
def _through(proxy: str | None) -> Iterator[None]:
    """Have requests use ``proxy`` (None: the environment's; empty: none at all).

    By the environment, since gdown prints a proxy that it is told, password and all, and since for requests the
    environment's would win against it.
    """
    if proxy is None:
        yield
        return
    names = [form for name in _PROXY_VARIABLES for form in (name, name.upper())]
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ.update({"http_proxy": proxy, "https_proxy": proxy} if proxy else {"no_proxy": "*"})
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(before)


class _Progress:
    """A bar on a terminal, elsewhere a line a minute; and the room on the disk, seen before the first megabyte."""

    def __init__(self, archive: DriveArchive, folder: Path, min_free: int) -> None:
        self._archive = archive
        self._folder = folder
        self._min_free = min_free
        self._seen = False
        self._next_line = time.monotonic() + SAY_EVERY
        self._eye = sys.__stderr__
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def at(self, so_far: int, total: int | None) -> None:
        """Called by gdown after each piece, in bytes."""
        if not self._seen:
            self._seen = True
            self._check_space((total or self._archive.size) - so_far)
            if self._eye is not None and self._eye.isatty():
                self._bar = tqdm(total=total, unit="B", unit_scale=True, desc=self._archive.name, file=self._eye)
        if self._bar is not None:
            self._bar.update(so_far - self._bar.n)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + SAY_EVERY
            say(f"{self._archive.name}: {so_far / 1e9:.2f} of {(total or self._archive.size) / 1e9:.2f} GB")

    def _check_space(self, left: int) -> None:
        free = free_bytes(self._folder)
        if left > free - self._min_free:
            raise RunError(
                f"{self._archive.name} needs {left / 1e9:.2f} GB more, and {self._folder} has {free / 1e9:.2f} GB "
                f"free (--min-free: {self._min_free / 1e9:.2f})",
                "free some space, name another --data-dir, or lower --min-free",
            )

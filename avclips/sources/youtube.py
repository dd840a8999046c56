"""yt-dlp: what streams a video has, and single byte ranges of them.

The only module that knows yt-dlp. A YouTube belongs to one thread; its YoutubeDL is used again for that
thread's videos and made anew now and then, since its caches only grow. Foreign errors end here: what leaves
is a ClipError, a RunError (the disk) or Stopped.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import math
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yt_dlp
from yt_dlp.networking import Request
from yt_dlp.networking.exceptions import HTTPError, RequestError
from yt_dlp.utils import DownloadError, YoutubeDLError
from yt_dlp.version import __version__ as _version

from ..core.clock import Clock
from ..core.errors import Blocked, ClipError, Gone, Transient
from ..core.files import is_about_the_disk
from ..core.model import Video
from ..core.settings import Identity, Settings
from ..core.sites import YOUTUBE, site_of
from .cookies import key_of, who
from .format_choice import choose, smallest_video
from .messages import clean, read_failure
from .pages import leads_to_youtube, only_entry
from .request_limits import Bounds, OverBounds
from .streams import Stream, Streams, languages_in, stream_of, subtitles_in
from .ytdlp_log import Heard
from .ytdlp_network import BoundedYoutubeDL, bound_runtimes
from .ytdlp_parameters import parameters, with_environment

# Videos after which a YoutubeDL is thrown away with its caches.
RECYCLE_AFTER = 200
# How often one address may lead to another.
_STEPS = 5
# Bytes a second below which a body is given up after a minute, and tried later.
SLOWEST = 5000.0

# What servers say that know no ranges, or do not like this one.
_NO_RANGES = (400, 405, 416, 501)

YTDLP_VERSION: str = _version
# What a site says of a video.
ABOUT = (
    "title",
    "description",
    "channel",
    "upload_date",
    "tags",
    "categories",
    "language",
    "duration",
    "view_count",
)


class NoRanges(Transient):
    """More came than was asked for: a server that knows no ranges, or a fault."""


class YouTube:
    """yt-dlp for one thread."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        identity: Identity | None = None,
        cookies: str | None = None,
        asked_for: Mapping[str, Any] | None = None,
    ) -> None:
        """A YouTube that has asked for nothing yet.

        ``cookies``: the text of the identity's cookies; a private copy, since yt-dlp writes back to it.
        ``asked_for``: YoutubeDL parameters of the user's own (ytdlp_args.parse_ytdlp_args).
        """
        self._settings = settings
        self._clock = clock
        self._proxy = identity.proxy if identity else None
        self._cookies = cookies
        # Tells one cookie file from another without saying anything of it.
        self.who = who(key_of(identity or Identity(), cookies))
        self._asked_for = dict(asked_for or {})
        self._said = Heard()
        self._jar: io.StringIO | None = None
        self._ydl: yt_dlp.YoutubeDL | None = None
        self._used = 0
        # The formats of the last video.
        self._offered: Sequence[Mapping[str, Any]] = ()
        self._bounds = Bounds(clock.real, min(SLOWEST, (settings.rate_limit or SLOWEST * 2) / 2))
        # Until when the clip that is being read has to be there.
        self._clip_until = math.inf
        self._limit: int | None = None
        self._whole = False
        self.bytes_read = 0

    def close(self) -> None:
        """Let go of yt-dlp's connections."""
        if self._ydl is not None:
            self._ydl.close()
            self._ydl = None
            self._said.forget()
            if self._jar is not None:
                # YouTube changes an account's cookies as it goes; the old ones stop working.
                self._cookies = self._jar.getvalue() or self._cookies

    def describe(self, video: Video, suspected: bool = False) -> Streams:
        """One extraction: the formats of ``video`` that fit. Raises ClipError.

        ``suspected``: whether this identity was refused lately (see messages.read_failure).
        """
        elsewhere = site_of(video.url) != YOUTUBE
        self._used += 1
        self._said.clear()
        self._offered = ()
        self._bounds.extraction()
        try:
            info = self._extract(video.url, elsewhere)
        except YoutubeDLError as error:
            failure = read_failure(str(error), self._said.warnings, suspected, elsewhere)
            if failure.reason == "formats" and (why := self._said.why_so_few(video.url, self._offered)):
                failure = Transient(why, failure.detail)
            raise failure from error
        except OSError as error:
            raise Transient("network", f"{type(error).__name__}: {error}") from error
        finally:
            self._bounds.end()
        if not isinstance(info, dict):
            raise Transient("unknown", "yt-dlp returned nothing")
        # A playlist of less than a second is taken for a broadcast, too (findings/ytdlp-short-is-live.sh).
        is_told = elsewhere and info.get("live_status") == "is_live" and _is_hls(info)
        if info.get("live_status") in ("is_live", "is_upcoming", "post_live") and not is_told:
            raise Transient("upcoming", f"live_status is {info['live_status']}")
        return replace(self._streams(info, elsewhere), withheld=self._said.why_so_few(video.url, self._offered))

    def _choose(self, context: Mapping[str, Any]) -> list[dict[str, Any]]:
        self._offered = list(context["formats"])
        return choose(self._offered, self._settings.quality, self._settings.media)

    def _extract(self, url: str | None, elsewhere: bool) -> Any:
        ydl = self._instance()
        if not elsewhere:
            return ydl.extract_info(url, download=False)
        # Step by step: what a page only leads to may be many videos, or YouTube's, which has its own pace.
        found = ydl.extract_info(url, download=False, process=False)
        for _ in range(_STEPS):
            kind = found.get("_type", "video") if isinstance(found, dict) else "video"
            if kind == "video":
                break
            if kind in ("url", "url_transparent"):
                if leads_to_youtube(found):
                    raise Gone("unsupported", f"a page around a video on YouTube: name that one ({found['url']})")
                found = ydl.extract_info(found["url"], ie_key=found.get("ie_key"), download=False, process=False)
            else:
                found = only_entry(list(itertools.islice(found.get("entries") or (), 2)))
        return ydl.process_ie_result(found, download=False) if isinstance(found, dict) else found

    def _streams(self, info: Mapping[str, Any], elsewhere: bool) -> Streams:
        chosen = [stream_of(each) for each in info.get("requested_formats") or [info]]
        if elsewhere:
            # What pages say of lengths and sizes need not be so; the files tell.
            info = {**info, "duration": None}
            chosen = [replace(each, size=None) for each in chosen]
        sound = chosen[-1] if info.get("acodec") != "none" else None
        if sound is None and not self._settings.allow_silent:
            raise Gone("no_audio")
        picture = chosen[0] if self._settings.media == "both" else None
        unseen = smallest_video(self._offered, info) if picture is None else None
        about = {name: info.get(name) for name in ABOUT}
        subtitles = {language: subtitles_in(info, language) for language in self._settings.subtitles}
        return Streams(
            picture,
            sound,
            str(info.get("format_id")),
            info.get("duration"),
            about,
            {language: stream for language, stream in subtitles.items() if stream},
            elsewhere,
            unseen=stream_of(unseen) if unseen is not None else None,
            languages=languages_in(info) if subtitles else (),
        )

    def answers(self, url: str) -> bool:
        """Whether whoever has this address answers now, whatever it is that is said."""
        self._bounds.extraction()
        try:
            self._instance().urlopen(Request(url, method="HEAD")).close()
        except HTTPError as error:
            error.close()
            # A proxy's own word that it reaches nobody.
            return error.status not in (502, 503, 504)
        except (RequestError, OSError):
            return False
        finally:
            self._bounds.end()
        return True

    def begin_clip(self, seconds: float) -> None:
        """From here on, a clip is read, which may take so many seconds in all."""
        self._clip_until = time.monotonic() + seconds

    def size_of(self, stream: Stream) -> int | None:
        """The bytes of a file whose size was not told; None where its server knows no ranges. Raises ClipError."""
        headers = {**stream.headers, "Range": "bytes=0-0", "Accept-Encoding": "identity"}
        request = Request(stream.url, headers=headers)
        self._wait_for(stream)
        self._bounds.extraction()
        try:
            with contextlib.closing(self._instance().urlopen(request)) as answer:
                told = re.fullmatch(r"bytes 0-0/([0-9]{1,15})", answer.headers.get("Content-Range", ""))
        except HTTPError as error:
            error.close()
            if error.status in _NO_RANGES:
                return None
            raise _http_failure(error) from error
        except RequestError as error:
            raise read_failure(clean(str(error)), ()) from error
        except OSError as error:
            raise Transient("network", f"{type(error).__name__}: {error}") from error
        return int(told[1]) if told else None

    def read(self, stream: Stream, first: int, last: int, path: Path, short: bool = False) -> None:
        """Write bytes ``first``..``last`` (both included) of ``stream`` to ``path``, at the rate limit.

        ``short``: the stream may end before ``last``. Raises ClipError, RunError for a full disk, Stopped.
        """
        size = last - first + 1
        self._download(stream, path, size, {"Range": f"bytes={first}-{last}"})
        got = path.stat().st_size
        if got > size or (got < size and not short):
            raise Transient("network", f"the server sent {got} bytes instead of {size}")

    def read_whole(self, stream: Stream, path: Path, at_most: int) -> None:
        """Write all of ``stream`` to ``path``; Transient when it is larger than ``at_most`` bytes."""
        if stream.size is not None and stream.size > at_most:
            raise Transient("whole_file", f"{stream.size} bytes, --max-whole-file is {at_most}")
        self._whole = True
        try:
            self._download(stream, path, at_most, {})
        finally:
            self._whole = False
        if stream.size is not None and path.stat().st_size != stream.size:
            raise Transient("network", f"the server sent {path.stat().st_size} bytes instead of {stream.size}")

    def _download(self, stream: Stream, path: Path, at_most: int, headers: Mapping[str, str]) -> None:
        ydl = self._instance()
        self._wait_for(stream)
        path.unlink(missing_ok=True)
        self._limit = at_most
        self._bounds.media(self._clip_until - time.monotonic())
        self._said.clear()
        # Just these keys: a whole format dict brings chunk sizes that conflict with our range.
        info = {
            "url": stream.url,
            "protocol": stream.protocol,
            "ext": stream.ext,
            "http_headers": {**stream.headers, **headers},
        }
        try:
            ok, _ = ydl.dl(str(path), info)
        except HTTPError as error:
            error.close()
            raise _http_failure(error) from error
        except OverBounds as error:
            raise Transient(error.reason, str(error)) from error
        except (DownloadError, RequestError) as error:
            raise self._read_failure(error, path) from error
        except OSError as error:
            if is_about_the_disk(error):
                raise
            raise Transient("network", f"{type(error).__name__}: {error}") from error
        finally:
            self._bounds.end()
        if not ok or not path.exists():
            raise Transient("network", "; ".join(self._said.warnings) or "nothing was received")
        self.bytes_read += path.stat().st_size

    def _wait_for(self, stream: Stream) -> None:
        # Left to HttpFD, this wait could not be woken.
        self._clock.sleep(max(0.0, stream.available_at - time.time()))

    def _read_failure(self, error: Exception, path: Path) -> Exception:
        text = clean(str(error))
        if match := re.search(r"unable to (?:write data|open for writing): .*\[Errno (\d+)\]", text):
            return OSError(int(match[1]), os.strerror(int(match[1])), str(path))
        return read_failure(text, self._said.warnings)

    def _progressed(self, status: Mapping[str, Any]) -> None:
        """Called by yt-dlp with each block: the way to end a read from outside."""
        self._clock.check()
        got = status.get("downloaded_bytes") or 0
        promised = status.get("total_bytes") or 0
        if self._limit is not None and self._whole and max(got, promised) > self._limit:
            raise Transient("whole_file", f"{max(got, promised)} bytes, --max-whole-file is {self._limit}")
        if self._limit is not None and got > self._limit:
            raise NoRanges("network", f"the server sent more than the {self._limit} bytes asked for")

    def _instance(self) -> yt_dlp.YoutubeDL:
        bound_runtimes()
        if self._ydl is not None and self._used >= RECYCLE_AFTER:
            self.close()
        if self._ydl is None:
            self._used = 0
            self._jar = None if self._cookies is None else io.StringIO(self._cookies)
            settled = parameters(self._settings, self._proxy, self._jar)
            settled |= {"format": self._choose, "logger": self._said, **self._asked_for}
            self._ydl = BoundedYoutubeDL(with_environment(settled), self._bounds)
            self._ydl.add_progress_hook(self._progressed)
            # Only so is it heard that the web client's formats have no addresses.
            self._ydl.write_debug = self._said.aside
        return self._ydl


def _is_hls(info: Mapping[str, Any]) -> bool:
    chosen = info.get("requested_formats") or [info]
    return all(str(each.get("protocol")).startswith("m3u8") for each in chosen)


def _http_failure(error: HTTPError) -> ClipError:
    if error.status == 429:
        return Blocked("too_many_requests", str(error), _retry_after(error))
    if error.status == 403:
        return Transient("forbidden", "HTTP Error 403: Forbidden (on the media)")
    return Transient("http", str(error))


def _retry_after(error: HTTPError) -> float | None:
    value = error.response.headers.get("Retry-After", "")
    # Digits of other scripts are digits to Python, and no numbers.
    return float(value) if re.fullmatch(r"[0-9]{1,9}", value.strip()) else None


def javascript_runtime() -> str | None:
    """The JavaScript runtime that yt-dlp finds, "deno 2.9.8"; None too where a newer yt-dlp keeps it elsewhere."""
    # It asks for nothing: without its extractors it is made in a third of the time.
    with yt_dlp.YoutubeDL({"quiet": True, "logger": Heard()}, auto_init=False) as ydl:
        found = [each.info for each in getattr(ydl, "_js_runtimes", {}).values() if each is not None]
    return next((f"{info.name} {info.version}" for info in found if info and info.supported), None)

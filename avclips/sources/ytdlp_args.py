"""--yt-dlp-args: yt-dlp's own options, read by yt-dlp's own parser.

Only options that reach the way of a clip are taken: those of network, extraction and sign-in. Any other is
refused by name, since it would either break that way (-f, -o, --exec, --download-sections) or do nothing.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Sequence
from optparse import OptParseError
from typing import Any

import yt_dlp

from ..core.errors import UsageError

_OURS = {
    "proxy": "--proxy",
    "cookiefile": "--cookies",
    "cookiesfrombrowser": "--cookies-from-browser",
    "ratelimit": "--rate-limit",
    "sleep_interval": "--sleep",
    "max_sleep_interval": "--sleep",
    "format": "--quality",
    "outtmpl": "--data-dir",
    "paths": "--data-dir",
    "ffmpeg_location": "--ffmpeg",
}

# Destinations of yt-dlp's parser that reach the extraction or the reading of bytes and leave them whole.
_TAKEN = frozenset(
    """
    socket_timeout source_address impersonate legacy_server_connect no_check_certificate prefer_insecure
    geo_verification_proxy geo_bypass js_runtimes remote_components compat_opts extractor_args extractor_retries
    retries user_agent referer headers
    client_certificate client_certificate_key client_certificate_password cachedir mark_watched
    """.split()
)


def parse_ytdlp_args(text: str) -> dict[str, Any]:
    """YoutubeDL parameters for what ``text`` asks beyond yt-dlp's defaults; UsageError for what is refused.

    For the main thread, before there are others: yt-dlp's parser prints, and what it prints is caught.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"--yt-dlp-args: {error}") from error
    if any(re.match(r"-u|--usern|--ap-u", word) for word in words):
        # yt-dlp would ask for the password, which nobody under nohup can give.
        raise UsageError("--yt-dlp-args: YouTube takes no user names and passwords; use --cookies instead")
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            asked, default = yt_dlp.parse_options(words), yt_dlp.parse_options([])
    except OptParseError as error:
        # The usage of yt-dlp comes first; what is wrong is the last line.
        said_last = str(error).strip().splitlines()[-1]
        raise UsageError(f"--yt-dlp-args: {said_last.removeprefix('yt-dlp: error: ')}") from error
    except SystemExit:
        lines = said.getvalue().strip().splitlines()
        raise UsageError(f"--yt-dlp-args: {lines[-1] if lines else 'yt-dlp does not take them'}") from None
    if asked.urls:
        raise UsageError(f"--yt-dlp-args: {asked.urls[0]!r} is not an option")
    changed = {
        name for name, value in vars(asked.options).items() if value != getattr(default.options, name, None)
    }
    if refused := sorted(changed - _TAKEN):
        raise UsageError(_refusal(asked.parser, refused, words))
    return {key: value for key, value in asked.ydl_opts.items() if value != default.ydl_opts.get(key)}


def _refusal(parser: Any, destinations: Sequence[str], words: Sequence[str]) -> str:
    options = [option for group in (parser, *parser.option_groups) for option in group.option_list]
    named = [option for option in options if option.dest in destinations]
    # One option can change several settings: name the one that was written.
    spelt = [o for o in named if any(word.split("=")[0] in (*o._short_opts, *o._long_opts) for word in words)]
    option = next(iter(spelt or named), None)
    destination = option.dest if option else destinations[0]
    ours = f"; use {_OURS[destination]} instead" if destination in _OURS else ""
    return f"--yt-dlp-args: {option or destination} would break the way of a clip, or do nothing{ours}"

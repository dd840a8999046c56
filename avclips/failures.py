"""What YouTube's and yt-dlp's words mean: one table from messages to ClipErrors.

Pure text: nothing here imports yt-dlp or asks anybody. Blocked patterns come first, since the words for a
rate-limited session also begin with "Video unavailable". A message that no row knows is Transient and keeps
its words, so that the table can grow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .errors import Blocked, ClipError, Gone, Restricted, Transient

_Row = tuple[str, type[ClipError], str]

# (pattern searched for in the lower-cased message, what it is, the reason); the first that matches counts.
_TABLE: tuple[_Row, ...] = (
    (r"confirm you're not a bot", Blocked, "bot_check"),
    (r"captcha challenge", Blocked, "bot_check"),
    (r"rate-limited by youtube", Blocked, "rate_limited"),
    (r"content isn't available, try again later", Blocked, "rate_limited"),
    (r"ip is likely being blocked", Blocked, "wrong_video"),
    (r"http error 429", Blocked, "too_many_requests"),
    (r"too many requests", Blocked, "too_many_requests"),
    (r"live event will begin|premieres? in |premiere will begin|is upcoming", Transient, "upcoming"),
    (
        r"live stream recording is not available|processing this video|stream is offline|^offline\.?$",
        Transient,
        "upcoming",
    ),
    (r"confirm your age|inappropriate for some users|age-restricted", Restricted, "age"),
    (r"members-only content|members on level|only available to music premium", Restricted, "members"),
    (r"private video|video is private", Gone, "private"),
    (r"account associated with this video has been (terminated|closed)", Gone, "terminated"),
    (r"uploader has closed their youtube account|account.*terminated", Gone, "terminated"),
    # Words for one country also speak of copyright: the country is what can be changed.
    (r"blocked it (in your country|on this|from display)", Gone, "country"),
    (r"not made this video available in your country|not available in your country", Gone, "country"),
    (r"copyright", Gone, "copyright"),
    (
        r"removed by the uploader|has been removed|violat(es|ing) youtube|community guidelines",
        Gone,
        "removed",
    ),
    (r"this video does not exist|video is no longer available|incomplete youtube id", Gone, "removed"),
    (r"playback on other websites has been disabled", Restricted, "login"),
    (r"page needs to be reloaded", Transient, "http"),
    (r"requires payment|purchase", Restricted, "members"),
    (r"drm protected", Gone, "drm"),
    (
        r"requested format is not available|no video formats found|only images are available",
        Transient,
        "formats",
    ),
    (r"sign in|login required|log in", Restricted, "login"),
    (r"failed to extract any player response", Blocked, "no_player_response"),
    (r"http error 5\d\d|http error 4\d\d", Transient, "http"),
    (
        r"timed out|timeout|connection|unable to connect|name resolution|getaddrinfo|name or service",
        Transient,
        "network",
    ),
    (r"network is unreachable|no route to host|reset by peer|remote end closed", Transient, "network"),
    (
        r"ssl|certificate|eof occurred|proxy|bytes read|incompleteread|did not get any data",
        Transient,
        "network",
    ),
    (r"transport ?error|unable to download (webpage|api page)", Transient, "network"),
)

# What other sites' pages answer; YouTube's own page is never gone.
_ELSEWHERE: tuple[_Row, ...] = (
    (r"http error (404|410)", Gone, "removed"),
    (r"unsupported url|is not a valid url|unsupported url scheme", Gone, "unsupported"),
)

# Messages that have another cause behind them, which yt-dlp tells in its warnings alone.
_SHADOWS = re.compile(
    r"failed to extract any player response|no video formats found|requested format is not|unsupported url:"
)
_BARE_UNAVAILABLE = re.compile(r"(video unavailable\. )?(this )?(video )?(is )?(unavailable|not available)\.?$")


def clean(message: str) -> str:
    """The message without yt-dlp's prefix, in one line, with straight apostrophes."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", message).replace("\u2019", "'")
    text = re.sub(r"^ERROR:\s*", "", text.strip())
    text = re.sub(r"^\[[\w:+]+\]\s+(?:[\w-]+:\s+)?", "", text)
    return without_password(" ".join(text.split()))


def without_password(text: str) -> str:
    """The text with the names and passwords of proxies cut out of its URLs."""
    return re.sub(r"(\w://)[^\s'\"]*@", r"\1", text)


def read_failure(
    message: str, warnings: Sequence[str] = (), suspected: bool = False, elsewhere: bool = False
) -> ClipError:
    """Turn a message of yt-dlp's into a ClipError.

    ``warnings``: what yt-dlp said on the way there; the true cause of some messages stands only in them.
    ``suspected``: this identity was refused lately, so that a bare "Video unavailable" need not be true.
    ``elsewhere``: another site than YouTube was asked, whose page is gone when it says so.
    """
    text = clean(message)
    lowered = text.lower()
    # What yt-dlp says it leaves out for want of a PO token is advice, not what happened.
    said = [text for text in map(str.lower, map(clean, warnings)) if "may yield http error" not in text]
    if _BARE_UNAVAILABLE.match(lowered):
        return _unavailable(text, said, suspected)
    if _SHADOWS.search(lowered):
        for pattern, kind, reason in _TABLE:
            if kind in (Blocked, Transient) and reason not in ("formats", "upcoming"):
                cause = next((warning for warning in said if re.search(pattern, warning)), None)
                if cause is not None:
                    return kind(reason, f"{text} ({cause})")
    for pattern, kind, reason in (*_ELSEWHERE, *_TABLE) if elsewhere else _TABLE:
        if re.search(pattern, lowered):
            return kind(reason, text)
    return Transient("unknown", text)


def _unavailable(text: str, warnings: Sequence[str], suspected: bool) -> ClipError:
    if any("http error 429" in warning or "too many requests" in warning for warning in warnings):
        return Blocked("too_many_requests", f"{text} (after HTTP Error 429)")
    if suspected:
        return Transient("unavailable", f"{text} (said while we were being refused)")
    return Gone("unavailable", text)

"""What YouTube's and yt-dlp's words mean: one table from messages to ClipErrors.

Pure text: nothing here imports yt-dlp or asks anybody. Blocked patterns come first, since the words for a
rate-limited session also begin with "Video unavailable". A message that no row knows is Transient and keeps
its words, so that the table can grow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..core.errors import Blocked, ClipError, Gone, Restricted, Transient
from ..core.redact import without_password

_Row = tuple[str, type[ClipError], str]

# (pattern searched for in the lower-cased message, what it is, the reason); the first that matches counts.
_TABLE: tuple[_Row, ...] = (
    (r"confirm you're not a bot|helps protect our community|unusual traffic", Blocked, "bot_check"),
    (r"captcha challenge", Blocked, "bot_check"),
    (r"rate-limited by youtube", Blocked, "rate_limited"),
    (r"content isn't available, try again later", Blocked, "rate_limited"),
    (r"ip is likely being blocked", Blocked, "wrong_video"),
    (r"http error 429", Blocked, "too_many_requests"),
    (r"too many requests", Blocked, "too_many_requests"),
    (
        r"live (event|stream) (will begin|has ended)|premieres? in |premiere will begin|is upcoming",
        Transient,
        "upcoming",
    ),
    (
        r"live stream recording is not available|(processing this|video is being) |stream is offline|^offline\.?$",
        Transient,
        "upcoming",
    ),
    # A library's or a school's network, or an account of theirs: the video is there for others.
    (r"restricted mode|this video is restricted|google workspace", Transient, "restricted_mode"),
    # What one of yt-dlp's clients was told, while another may have been refused for a passing reason.
    (
        r"(isn't|not|no longer) (supported|available) (on|in) this (app|device)|unavailable on this device|"
        r"latest version of youtube|playback on other websites|error code: 15\d|blocked it (on this|from display)",
        Transient,
        "client",
    ),
    (r"confirm your age|inappropriate for some users|age-restricted", Restricted, "age"),
    (r"inappropriate or offensive to some|viewer discretion|suicide or self-harm", Restricted, "login"),
    (r"members-only content|members on level|premium members", Restricted, "members"),
    (r"private video|video is private", Gone, "private"),
    (r"account associated with this video has been (terminated|closed)", Gone, "terminated"),
    # Not "Your account has been terminated": that is about the cookies.
    (
        r"uploader has closed their youtube account|^(?!.*your (youtube )?account).*account.*terminated",
        Gone,
        "terminated",
    ),
    (r"channel does not exist", Gone, "terminated"),
    # Words for one country also speak of copyright: the country is what can be changed.
    (r"blocked it in your country|on this country domain|due to geo restriction", Gone, "country"),
    (r"not made this video available in your country|not available in your country", Gone, "country"),
    (r"copyright", Gone, "copyright"),
    (
        r"removed by the uploader|has been removed|violat(es|ing) youtube|community guidelines",
        Gone,
        "removed",
    ),
    (
        r"this video does not exist|video is no longer available|incomplete youtube id",
        Gone,
        "removed",
    ),
    (r"video isn't available any ?(more|longer)", Gone, "removed"),
    # It never came to be, and who uploads it again gives it another id.
    (r"its upload failed|processing of this video failed|video was not processed because", Gone, "removed"),
    (r"content (isn't|is not) available", Transient, "unavailable"),
    (r"page needs to be reloaded|an error occurred|something went wrong", Transient, "http"),
    (r"requires payment|purchase", Restricted, "members"),
    (r"drm protected", Gone, "drm"),
    (
        r"requested format is not available|no video formats found|only images are available",
        Transient,
        "formats",
    ),
    # Without a word of why, it has been said of every video to an address that YouTube distrusts.
    (r"^please sign in\b", Transient, "login"),
    (r"sign in|login required|log in|for registered users", Restricted, "login"),
    (r"a page that (took too long|goes on)", Transient, "slow"),
    (r"failed to extract any player response", Blocked, "no_player_response"),
    (r"http error 5\d\d|http error 4\d\d|youtube said:", Transient, "http"),
    # Sent on to a file, or to what is no web address: an answer, and no want of one.
    (r"no connection adapters|unsupported url scheme", Transient, "http"),
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
    (r"(challenge|signature) solving failed", Transient, "challenge"),
)

# What other sites' pages answer; YouTube's own page is never gone.
_ELSEWHERE: tuple[_Row, ...] = (
    (r"http error (404|410)", Gone, "removed"),
    (r"unsupported url|is not a valid url|no connection adapters", Gone, "unsupported"),
)

# Messages that have another cause behind them, which yt-dlp tells in its warnings alone.
_SHADOWS = re.compile(
    r"failed to extract any player response|no video formats found|requested format is not|unsupported url:"
)
# A title and a line below it may say the same, and each may end in a full stop or not.
_BARE_UNAVAILABLE = re.compile(
    r"((this )?(video )?(is )?(unavailable|not available|isn't available)(\.+ |\.*$))+$"
)
# On some sessions YouTube tries out DRM on every video, for one of yt-dlp's clients.
_DRM_FOR_ALL = "applies drm to all videos"


# What yt-dlp says of formats that YouTube has and it cannot read. Of its web client, which is never given others,
# it says so to those alone who look for faults.
_SABR = "missing a url"
_PO_TOKEN = "require a gvs po token"


def withheld(warnings: Sequence[str], asides: Sequence[str] = ()) -> str:
    """Why yt-dlp left out formats, "sabr" or "po_token"; empty where it did not say so.

    ``asides``: what it says when it is asked to be verbose.
    """
    aloud, quietly = (" ".join(texts).lower() for texts in (warnings, asides))
    if _SABR in aloud:
        return "sabr"
    if _PO_TOKEN in aloud or _PO_TOKEN in quietly:
        return "po_token"
    return "sabr" if _SABR in quietly else ""


def clean(message: str) -> str:
    """The message without yt-dlp's prefix, in one line, with straight apostrophes."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", message).replace("\u2019", "'")
    text = re.sub(r"^ERROR:\s*", "", text.strip())
    text = re.sub(r"^\[[\w:+]+\]\s+(?:[\w-]+:\s+)?", "", text)
    return without_password(" ".join(text.split()))


# The options of yt-dlp's that are ours, too.
_OURS = ("--cookies", "--cookies-from-browser", "--proxy")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+|\byt-dlp -U\b")
_REPORT = re.compile(r"please report this issue|confirm you are on the latest version", re.IGNORECASE)


def without_advice(text: str) -> str:
    """The text without the sentences that send to options which are not here, or to yt-dlp's people."""
    sentences = re.split(r"(?<=[.!?;])\s+", text)
    kept = [
        each
        for each in sentences
        if not _REPORT.search(each) and all(option in _OURS for option in _OPTION.findall(each))
    ]
    # What is nothing but advice is better than no word at all.
    return " ".join(kept).rstrip("; ") or text


def read_failure(
    message: str, warnings: Sequence[str] = (), suspected: bool = False, elsewhere: bool = False
) -> ClipError:
    """Turn a message of yt-dlp's into a ClipError.

    ``warnings``: what yt-dlp said on the way there; the true cause of some messages stands only in them.
    ``suspected``: this identity was refused lately, so that a bare "Video unavailable" need not be true.
    ``elsewhere``: another site than YouTube was asked, whose page is gone when it says so.
    """
    text = clean(message)
    lowered, text = text.lower(), without_advice(text)
    # What yt-dlp says it leaves out for want of a PO token is advice, not what happened.
    said = [text for text in map(str.lower, map(clean, warnings)) if "may yield http error" not in text]
    if _BARE_UNAVAILABLE.match(lowered):
        return _unavailable(text, said, suspected)
    if _SHADOWS.search(lowered):
        for pattern, kind, reason in _TABLE:
            if kind in (Blocked, Transient) and reason not in ("formats", "upcoming"):
                cause = next((warning for warning in said if re.search(pattern, warning)), None)
                if cause is not None:
                    return kind(reason, f"{text} ({without_advice(cause)})")
    if "drm protected" in lowered and any(_DRM_FOR_ALL in warning for warning in said):
        return Transient("client", f"{text} (to this session, on all videos)")
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

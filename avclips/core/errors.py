"""Everything that can go wrong, as a tree.

    AvclipsError
     ├ ClipError            one clip or video; the run goes on
     │  ├ Gone              final: the video, or its part, is not to be had by anybody like us
     │  ├ Restricted        final for this identity; other cookies may help
     │  ├ Transient         another try, later
     │  │  └ Killed         a child process was ended: says nothing of the files it was given
     │  └ Blocked           about us, not about the clip: the identity waits, the clip is not charged
     ├ RunError             nothing can go on: a message, a hint, exit code 1
     │  ├ UsageError        what was asked for cannot be meant: exit code 2
     │  └ GaveUp            refused for too long: exit code 75, the state is safe
     └ Stopped              the run was asked to stop; whoever sleeps or reads is woken by it

A ClipError carries a reason (one word of REASONS: what users filter by) and a detail (the words of whoever
complained, kept as they were said, so that an unknown message can be added to the table of reasons later).
"""

from __future__ import annotations

# What each reason means, in the words of the summary. The order is that of the tree above.
REASONS: dict[str, str] = {
    "private": "private video",
    "removed": "removed by its owner or the site",
    "terminated": "the account behind it was terminated",
    "copyright": "taken down for copyright",
    "country": "not available in this country (another --proxy may help)",
    "drm": "protected by DRM",
    "over": "the video ends before the clip starts",
    "no_audio": "the video has no sound (see --allow-silent)",
    "age": "needs a signed-in adult (cookies may help)",
    "members": "for members of the channel only (cookies may help)",
    "login": "needs a sign-in (cookies may help)",
    "unavailable": "YouTube says only: Video unavailable",
    "unsupported": "no address at which yt-dlp finds one video",
    "upcoming": "premiere or live stream that is not over yet",
    "not_archived": "not in the archives",
    "archive": "its file in the archives cannot be used",
    "restricted_mode": "hidden by Restricted Mode of this network or account (another --proxy may help)",
    "client": "YouTube refuses the client that yt-dlp speaks as (a newer yt-dlp may help)",
    "challenge": "yt-dlp could not solve YouTube's challenge (a newer yt-dlp[default,deno] may help)",
    "sabr": "YouTube has formats that it gives by SABR alone, which yt-dlp cannot read",
    "po_token": "YouTube has formats that it gives for a PO token alone",
    "formats": "no format that fits",
    "whole_file": "would cost more bytes than --max-whole-file allows",
    "network": "network trouble",
    "slow": "its server is too slow, or does not come to an end",
    "http": "the server answered with an error",
    "media": "ffmpeg could not cut it",
    "signal": "ffmpeg was ended by a signal (another may not be: --ffmpeg PATH)",
    "too_large": "its file is too large for a table (--output-format webdataset has no such bound)",
    "check": "the clip failed its check",
    "unknown": "a message that is not in our table",
    "internal": "a fault of this program",
    "bot_check": "YouTube asks us to prove that we are no bot",
    "rate_limited": "YouTube limits this session",
    "too_many_requests": "HTTP 429, too many requests",
    "wrong_video": "YouTube answers with another video",
    "no_player_response": "YouTube does not answer the player request",
    "forbidden": "HTTP 403 on the media",
    "trouble": "many videos in a row failed, too many for a fault of their own",
}


# Those that are also said of a clip that came, from what was left.
WITHHELD = ("sabr", "po_token")
# The exit code of a run, or a look, that nothing stopped: some clips may still come, or have to.
MORE_MAY_COME = 3


class AvclipsError(Exception):
    """Base of all errors that this program raises on purpose."""


class ClipError(AvclipsError):
    """One clip or video cannot be had, now or ever."""

    permanent = False

    def __init__(self, reason: str, detail: str = "") -> None:
        if reason not in REASONS:
            raise ValueError(f"unknown reason {reason!r}")
        super().__init__(detail or REASONS[reason])
        self.reason = reason
        self.detail = detail or REASONS[reason]


class Gone(ClipError):
    """Final."""

    permanent = True


class Restricted(ClipError):
    """Final for who we are now."""

    permanent = True


class Transient(ClipError):
    """Worth another try, later."""


class Killed(Transient):
    """A signal ended the child process that was at work: its own fault, or the machine's."""


class Blocked(ClipError):
    """The site refuses us, whatever we ask for.

    ``retry_after`` is the wait in seconds that the server named, or None.
    """

    def __init__(self, reason: str, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(reason, detail)
        self.retry_after = retry_after


class RunError(AvclipsError):
    """The run cannot go on; ``hint`` says what a person can do about it."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(RunError):
    """The command line, or the folder it names, cannot be what was meant."""

    exit_code = 2


class GaveUp(RunError):
    """Refused, or cut off, for longer than the user wants to wait."""

    exit_code = 75


class Stopped(AvclipsError):
    """The run is being stopped."""

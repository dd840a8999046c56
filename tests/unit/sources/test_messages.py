"""What YouTube's words mean, row by row: class and reason of every message."""

from __future__ import annotations

import pytest

from avclips.core.errors import Blocked, ClipError, Gone, Restricted, Transient
from avclips.core.redact import without_password
from avclips.sources.messages import clean, read_failure, withheld, without_advice

PREFIX = "ERROR: [youtube] -bc_DEF123: "
HELP = (
    " Use --cookies-from-browser or --cookies for the authentication. See  https://github.com/yt-dlp/yt-dlp/wiki"
)
REPORT = "; please report this issue on  https://github.com/yt-dlp/yt-dlp/issues?q= , filling out the template."
GONE = "Video unavailable. "
NO_MORE = GONE + "This video is no longer available "
RATE = (
    "The current session has been rate-limited by YouTube for up to an hour. It is recommended to use `-t sleep`"
)

ROWS: list[tuple[str, type[ClipError], str]] = [
    ("Private video. Sign in if you've been granted access to this video." + HELP, Gone, "private"),
    ("Private video. Sign in if you’ve been granted access to this video." + HELP, Gone, "private"),
    ("This video is private", Gone, "private"),
    (GONE + "This video has been removed by the uploader", Gone, "removed"),
    (GONE + "This video has been removed for violating YouTube's Terms of Service", Gone, "removed"),
    (GONE + "This video has been removed for violating YouTube’s Community Guidelines", Gone, "removed"),
    (
        NO_MORE + "because the YouTube account associated with this video has been terminated.",
        Gone,
        "terminated",
    ),
    (NO_MORE + "because the uploader has closed their YouTube account.", Gone, "terminated"),
    (NO_MORE + "due to a copyright claim by Acme", Gone, "copyright"),
    (GONE + "It was removed following a copyright removal request by Acme", Gone, "copyright"),
    (
        GONE + "This video contains content from Acme, who has blocked it in your country on copyright grounds",
        Gone,
        "country",
    ),
    ("The uploader has not made this video available in your country", Gone, "country"),
    (
        "The uploader has not made this video available in your country\nYou might want to use a VPN or a proxy "
        "server (with --proxy) to workaround.",
        Gone,
        "country",
    ),
    ("Sign in to confirm your age. This video may be inappropriate for some users." + HELP, Restricted, "age"),
    ("Join this channel to get access to members-only content like this video", Restricted, "members"),
    ("This video is available to this channel's members on level: Friend", Restricted, "members"),
    ("This video is available to this channel’s members on level: Friend", Restricted, "members"),
    ("Sign in to watch this." + HELP, Restricted, "login"),
    ("This live event will begin in 5 hours.", Transient, "upcoming"),
    ("Premieres in 23 minutes", Transient, "upcoming"),
    ("Sign in to confirm you’re not a bot." + HELP, Blocked, "bot_check"),
    ("Sign in to confirm you're not a bot." + HELP, Blocked, "bot_check"),
    (GONE + "YouTube is requiring a captcha challenge before playback", Blocked, "bot_check"),
    (GONE + "This content isn't available, try again later. " + RATE, Blocked, "rate_limited"),
    (GONE + "This content isn’t available, try again later.", Blocked, "rate_limited"),
    (
        GONE + "This content isn't available, try again later. Your account has been rate-limited by YouTube",
        Blocked,
        "rate_limited",
    ),
    ("All player responses are invalid. Your IP is likely being blocked by Youtube", Blocked, "wrong_video"),
    ("Failed to extract any player response" + REPORT, Blocked, "no_player_response"),
    ("No video formats found!" + REPORT, Transient, "formats"),
    ("Requested format is not available. Use --list-formats for a list", Transient, "formats"),
    ("This video is DRM protected", Gone, "drm"),
    ("Offline.", Transient, "upcoming"),
    ("This live stream recording is not available.", Transient, "upcoming"),
    ("We're processing this video. Check back later.", Transient, "upcoming"),
    # Of what the embedded client alone was told: another may have been refused for a passing reason.
    ("Playback on other websites has been disabled by the video owner", Transient, "client"),
    ("The page needs to be reloaded.", Transient, "http"),
    ("This video requires payment to watch", Restricted, "members"),
    # Of what was removed, "purchase" says nothing.
    (GONE + "This video has been removed by the uploader. Purchases are kept", Gone, "removed"),
    ("Only images are available for download", Transient, "formats"),
    ("Video unavailable", Gone, "unavailable"),
    (GONE + "This video is not available", Gone, "unavailable"),
    (GONE + "This video is unavailable.", Gone, "unavailable"),
    ("This video is unavailable", Gone, "unavailable"),
    ("This video is not available.", Gone, "unavailable"),
    ("This video isn't available", Gone, "unavailable"),
    # On a screen of its own, with a title and a line that repeats it.
    (GONE + "Video unavailable", Gone, "unavailable"),
    ("Video unavailable.. This video is unavailable.", Gone, "unavailable"),
    ("This video isn't available. Video unavailable", Gone, "unavailable"),
    (GONE + "This video isn't available any more.", Gone, "removed"),
    ("Private video.. Sign in if you've been granted access to this video" + HELP, Gone, "private"),
    ("This video is private. The owner has to grant you access", Gone, "private"),
    ("Something went wrong. This video is unavailable", Transient, "http"),
    (GONE + "This video isn't available", Gone, "unavailable"),
    # Of videos that are there, to sessions that are refused; and of others.
    ("This content isn't available.", Transient, "unavailable"),
    (GONE + "This content isn't available.", Transient, "unavailable"),
    (GONE + "This content isn't available.. Video unavailable", Transient, "unavailable"),
    # Words of people, and of interstitialViewModel, which yt-dlp 2026.10 reads: a title and what stands below.
    ("The following content has been identified by the YouTube community as inappropriate or offensive to some "
        "audiences. Viewer discretion is advised.", Restricted, "login"),
    ("Viewer discretion is advised. The following content may contain suicide or self-harm topics.",
        Restricted, "login"),
    ("The following content may contain suicide or self-harm topics.", Restricted, "login"),
    ("Sign in if you've been granted access to this video" + HELP, Restricted, "login"),
    ("This video is only available for registered users." + HELP, Restricted, "login"),
    ("This video is age-restricted and only available on YouTube. Learn more", Restricted, "age"),
    ("This video is age-restricted based on our Community Guidelines", Restricted, "age"),
    ("This video may be inappropriate for some users.", Restricted, "age"),
    ("This channel does not exist.", Gone, "terminated"),
    (GONE + "This video was removed by the uploader", Gone, "removed"),
    (GONE + "This video isn't available anymore", Gone, "removed"),
    ("This video has been removed for violating YouTube's policy on nudity or sexual content", Gone, "removed"),
    ("This video is unavailable because its upload failed", Gone, "removed"),
    ("Processing of this video failed", Gone, "removed"),
    ("This video was not processed because it was too long", Gone, "removed"),
    ("This content is not available on this country domain due to a legal complaint.", Gone, "country"),
    (GONE + "This content is not available on this country domain due to a court order.", Gone, "country"),
    (GONE + "This video is not available in your country due to a legal complaint from the government",
        Gone, "country"),
    ("This video is not available from your location due to geo restriction", Gone, "country"),
    (GONE + "This video is restricted. Please check the Google Workspace administrator and/or the network "
        "administrator restrictions.", Transient, "restricted_mode"),
    ("This video is restricted. Try signing in with a Google Apps account.", Transient, "restricted_mode"),
    ("This video is unavailable with Restricted Mode enabled. To view this video, you will need to disable "
        "Restricted Mode.", Transient, "restricted_mode"),
    (GONE + "This video is only available to Music Premium members", Restricted, "members"),
    ("This video is only available to YouTube Premium members", Restricted, "members"),
    ("Join this channel to get access to members-only content like this video, and other exclusive perks.",
        Restricted, "members"),
    ("This live event has ended.", Transient, "upcoming"),
    ("The live stream will begin shortly", Transient, "upcoming"),
    ("Premiere will begin shortly", Transient, "upcoming"),
    ("This live event will begin in a few moments.", Transient, "upcoming"),
    ("This video is being processed", Transient, "upcoming"),
    ("This helps protect our community. Learn more", Blocked, "bot_check"),
    ("Our systems have detected unusual traffic from your computer network.", Blocked, "bot_check"),
    ("Please sign in." + HELP, Transient, "login"),
    ("Please sign in" + HELP, Transient, "login"),
    ("Playback ID: abc123. An error occurred. Please try again later", Transient, "http"),
    ("Something went wrong. Refresh or try again later.", Transient, "http"),
    ("YouTube said: Request contains an invalid argument.", Transient, "http"),
    ("This app isn't supported on this device. Watch on the latest version of YouTube.", Transient, "client"),
    ("The following content is not available on this app.. Watch on the latest version of YouTube.",
        Transient, "client"),
    ("YouTube is no longer supported in this application or device.", Transient, "client"),
    ("This video is unavailable on this device.", Transient, "client"),
    (GONE + "Playback on other websites has been disabled by the video owner", Transient, "client"),
    ("This video is unavailable. Error code: 152 - 18", Transient, "client"),
    ("This video contains content from Acme, who has blocked it from display on this website or application",
        Transient, "client"),
    ("n challenge solving failed: Some formats may be missing.", Transient, "challenge"),
    # Of our own account: no video is gone for that.
    ("Your account has been terminated", Transient, "unknown"),
    ("This YouTube account has been terminated", Gone, "terminated"),
    ("unable to download video data: HTTP Error 403: Forbidden", Transient, "http"),
    ("unable to download video data: HTTP Error 429: Too Many Requests", Blocked, "too_many_requests"),
    ("unable to download video data: HTTP Error 503: Service Unavailable", Transient, "http"),
    ("Unable to download API page: HTTP Error 500: Internal Server Error", Transient, "http"),
    ("Unable to download webpage: [Errno -3] Temporary failure in name resolution", Transient, "network"),
    ("Unable to download webpage: [SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred", Transient, "network"),
    ("Unable to download webpage: ('Connection aborted.', ConnectionResetError(104))", Transient, "network"),
]  # fmt: skip


@pytest.mark.parametrize("curly", [False, True], ids=["straight", "curly"])
@pytest.mark.parametrize(("message", "kind", "reason"), ROWS, ids=[row[0][:60] for row in ROWS])
def test_a_message(message: str, kind: type[ClipError], reason: str, curly: bool) -> None:
    said = message.replace("'", "’") if curly else message
    error = read_failure(PREFIX + said)
    assert (type(error), error.reason) == (kind, reason)
    assert error.detail == without_advice(clean(message))


BUG = (
    "please report this issue on https://github.com/yt-dlp/yt-dlp/issues?q= , filling out the appropriate issue "
    "template. Confirm you are on the latest version using yt-dlp -U"
)
ADVICE = [
    ("Private video", "Private video"),
    ("Requested format is not available. Use --list-formats for a list of available formats",
     "Requested format is not available."),
    (f"No video formats found!; {BUG}", "No video formats found!"),
    (f"Failed to extract any player response; {BUG}", "Failed to extract any player response"),
    (f"Unable to extract title. {BUG[0].upper()}{BUG[1:]}", "Unable to extract title."),
    ("[SSL: UNSAFE_LEGACY] failure. Try using --legacy-server-connect", "[SSL: UNSAFE_LEGACY] failure."),
    ("For registered users. Use --cookies, --cookies-from-browser, --username and --password, --netrc-cmd, or "
     "--netrc (x) to provide account credentials. See https://h/FAQ for how to manually pass cookies",
     "For registered users. See https://h/FAQ for how to manually pass cookies"),
    # These we have.
    ("Sign in. Use --cookies-from-browser or --cookies for the authentication.",
     "Sign in. Use --cookies-from-browser or --cookies for the authentication."),
    ("Not in your country. You might want to use a VPN or a proxy server (with --proxy) to workaround.",
     "Not in your country. You might want to use a VPN or a proxy server (with --proxy) to workaround."),
    # No options.
    ("A film -- the second", "A film -- the second"),
    ("web-safari client; the rest", "web-safari client; the rest"),
    # Nothing but advice is better than no word.
    ("Use --list-formats", "Use --list-formats"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "told"), ADVICE)
def test_advice_that_names_what_is_not_here_is_cut(said: str, told: str) -> None:
    assert without_advice(said) == told
    assert read_failure(said).detail == told


@pytest.mark.parametrize(
    "message",
    [
        "[download] Got error: 4096 bytes read, 9000 more expected",
        "[download] Got error: HTTPSConnectionPool(host='x', port=443): Read timed out.",
        "ERROR: [download] Got error: ('Connection broken: IncompleteRead(5 bytes read, 3 more expected)')",
    ],
)
def test_a_read_that_broke_off(message: str) -> None:
    error = read_failure(message)
    assert (type(error), error.reason) == (Transient, "network")


HTTP_429 = "[youtube] abc: Unable to download API page: HTTP Error 429: Too Many Requests (caused by <HTTPError>)"
HTTP_503 = "[youtube] HTTP Error 503: Service Unavailable. Retrying (1/3)..."
TIMEOUT = "[youtube] abc: Unable to download webpage: (<urllib3>, 'Connection to www.youtube.com timed out.')"
BOT = "[youtube] Sign in to confirm you’re not a bot"
PO_TOKEN = (
    "[youtube] abc: web client https formats require a GVS PO Token which was not provided. They will be "
    "skipped as they may yield HTTP Error 403. You can manually pass a GVS PO Token for this client."
)
CHALLENGE = (
    "[youtube] abc: n challenge solving failed: Some formats may be missing. Ensure you have a supported "
    "JavaScript runtime and challenge solver script distribution installed."
)
DRM = (
    "[youtube] abc: Some tv client https formats have been skipped as they are DRM protected. The current session "
    "may have an experiment that applies DRM to all videos on the tv client. See  https://github.com/yt-dlp/yt-dlp"
)
OTHER = "[youtube] abc: Falling back to generic n function search"


@pytest.mark.parametrize(
    ("message", "warnings", "kind", "reason"),
    [
        ("Failed to extract any player response" + REPORT, [HTTP_429], Blocked, "too_many_requests"),
        ("Failed to extract any player response" + REPORT, [HTTP_503], Transient, "http"),
        ("Failed to extract any player response" + REPORT, [TIMEOUT], Transient, "network"),
        ("Failed to extract any player response" + REPORT, [OTHER], Blocked, "no_player_response"),
        ("No video formats found!" + REPORT, [OTHER, HTTP_429], Blocked, "too_many_requests"),
        ("No video formats found!" + REPORT, [HTTP_503] * 3, Transient, "http"),
        ("No video formats found!" + REPORT, [HTTP_503, HTTP_429], Blocked, "too_many_requests"),
        ("No video formats found!" + REPORT, [OTHER], Transient, "formats"),
        ("No video formats found!" + REPORT, [PO_TOKEN], Transient, "formats"),
        ("No video formats found!" + REPORT, [PO_TOKEN, HTTP_503], Transient, "http"),
        ("Failed to extract any player response" + REPORT, [PO_TOKEN], Blocked, "no_player_response"),
        ("Requested format is not available", [BOT], Blocked, "bot_check"),
        ("Requested format is not available", [OTHER], Transient, "formats"),
        ("Video unavailable", [HTTP_429], Blocked, "too_many_requests"),
        ("Video unavailable", [OTHER, HTTP_503], Gone, "unavailable"),
        ("Private video", [HTTP_429], Gone, "private"),
        ("This video is DRM protected", [HTTP_503], Gone, "drm"),
        ("This video is DRM protected", [DRM], Transient, "client"),
        ("No video formats found!" + REPORT, [CHALLENGE], Transient, "challenge"),
        ("Requested format is not available", [OTHER, CHALLENGE], Transient, "challenge"),
        ("Requested format is not available", [CHALLENGE, HTTP_503], Transient, "http"),
        ("Private video", [CHALLENGE], Gone, "private"),
        ("Something new", [HTTP_429], Transient, "unknown"),
    ],
)
def test_the_true_cause_stands_in_the_warnings(
    message: str, warnings: list[str], kind: type[ClipError], reason: str
) -> None:
    error = read_failure(PREFIX + message, warnings)
    assert (type(error), error.reason) == (kind, reason)


SABR = (
    "[youtube] abc: Some visionos client https formats have been skipped as they are missing a URL. YouTube may "
    "have enabled the SABR-only streaming experiment for the current session. See  https://github.com/yt-dlp/yt-dlp"
)
# As it was said until the autumn of 2025.
OLDER = (
    "[youtube] abc: Some tv client https formats have been skipped as they are missing a url. YouTube may have "
    "enabled the SABR-only or Server-Side Ad Placement experiment for the current session."
)
WEB = (
    "[youtube] abc: Some web client https formats have been skipped as they are missing a URL. YouTube is forcing "
    "SABR streaming for this client."
)


@pytest.mark.parametrize(
    ("warnings", "asides", "why"),
    [
        ([], [], ""),
        ([OTHER, HTTP_429], [OTHER], ""),
        ([SABR], [], "sabr"),
        ([OTHER, OLDER], [], "sabr"),
        ([], [OTHER, WEB], "sabr"),
        ([PO_TOKEN], [], "po_token"),
        # Of the web client it is always said.
        ([], [PO_TOKEN, WEB], "po_token"),
        ([SABR], [PO_TOKEN, WEB], "sabr"),
        ([CHALLENGE], [WEB], "sabr"),
    ],
)
def test_why_formats_are_left_out(warnings: list[str], asides: list[str], why: str) -> None:
    assert withheld(warnings, asides) == why


def test_a_cause_is_told_with_the_message() -> None:
    error = read_failure(PREFIX + "No video formats found!", [HTTP_503])
    assert error.detail == "No video formats found! (http error 503: service unavailable. retrying (1/3)...)"


@pytest.mark.parametrize(
    ("message", "warnings", "kind", "detail"),
    [
        ("Video unavailable", [], Transient, "Video unavailable (said while we were being refused)"),
        ("Video unavailable", [HTTP_429], Blocked, "Video unavailable (after HTTP Error 429)"),
        (
            "Video unavailable. This video has been removed by the uploader",
            [],
            Gone,
            "Video unavailable. This video has been removed by the uploader",
        ),
        ("Private video", [], Gone, "Private video"),
    ],
    ids=["bare", "bare after 429", "removed", "private"],
)
def test_while_we_are_refused(message: str, warnings: list[str], kind: type[ClipError], detail: str) -> None:
    error = read_failure(PREFIX + message, warnings, suspected=True)
    assert (type(error), error.detail) == (kind, detail)


@pytest.mark.parametrize("suspected", [False, True])
def test_an_unknown_message_keeps_its_words(suspected: bool) -> None:
    error = read_failure(PREFIX + "Der Hund bellt: 3 < 4 & “so” [x]", [OTHER], suspected)
    assert (type(error), error.reason) == (Transient, "unknown")
    assert error.detail == str(error) == "Der Hund bellt: 3 < 4 & “so” [x]"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("plain", "plain"),
        ("ERROR: [youtube] abc-_DEF123: Private video", "Private video"),
        ("\x1b[0;31mERROR:\x1b[0m [youtube] abc: Private video", "Private video"),
        ("ERROR: \x1b[1m[youtube:tab]\x1b[0m abc: gone", "gone"),
        ("[download] Got error: x", "Got error: x"),
        ("ERROR: unable to open for writing", "unable to open for writing"),
        ("  ERROR: [youtube] a: two\nlines\r\n  and\ttabs  ", "two lines and tabs"),
        ("you’re", "you're"),
        ("a: b: c", "a: b: c"),
        ("", ""),
    ],
)
def test_clean(message: str, text: str) -> None:
    assert clean(message) == text


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("http://h:1", "http://h:1"),
        ("at http://me:secret@h:1/x now", "at http://h:1/x now"),
        ("('socks5h://me@h:1', 'http://me:se/cr@et@h')", "('socks5h://h:1', 'http://h')"),
        ("me@example.org", "me@example.org"),
        ("http://h:1 me@example.org", "http://h:1 me@example.org"),
    ],
)
def test_without_password(text: str, without: str) -> None:
    assert without_password(text) == without
    assert clean(f"ERROR: Unable to connect: {text}") == f"Unable to connect: {without}"


def test_an_errors_words_hold_no_password() -> None:
    said = PREFIX + "Unable to connect to proxy http://me:secret@h:1"
    error = read_failure(said, [f"WARNING: {said}"])
    assert (error.reason, error.detail) == ("network", "Unable to connect to proxy http://h:1")


# -- other sites -----------------------------------------------------------------------------------------------

UNSUPPORTED = "Unsupported URL: https://media.example.org/watch/v"
MANIFEST = "[html5] v: Failed to download MPD manifest: HTTP Error {}"
GENERIC = "[generic] Falling back on generic information extractor"


@pytest.mark.parametrize(
    ("message", "kind", "reason", "on_youtube"),
    [
        ("[generic] v: Unable to download webpage: HTTP Error 404: Not Found (caused by <HTTPError 404>)",
            Gone, "removed", (Transient, "http")),
        ("Unable to download JSON metadata: HTTP Error 410: Gone", Gone, "removed", (Transient, "http")),
        # A site may refuse a machine, or for a while.
        ("[generic] v: Unable to download webpage: HTTP Error 403: Forbidden", Transient, "http", None),
        ("Unable to download webpage: HTTP Error 401: Unauthorized", Transient, "http", None),
        ("Unable to download webpage: HTTP Error 429: Too Many Requests", Blocked, "too_many_requests", None),
        ("Unable to download webpage: HTTP Error 503: Service Unavailable", Transient, "http", None),
        ("Unable to download webpage: HTTP Error 500: (caused by 4040)", Transient, "http", None),
        (UNSUPPORTED, Gone, "unsupported", (Transient, "unknown")),
        ("[generic] 'nonsense' is not a valid URL", Gone, "unsupported", (Transient, "unknown")),
        ("<urlopen error unsupported url scheme: rtsp>", Gone, "unsupported", (Transient, "http")),
        ("No connection adapters were found for 'file:///etc/x'", Gone, "unsupported", (Transient, "http")),
        # As on YouTube.
        ("[vimeo] 1: This video is private", Gone, "private", None),
        ("[vimeo] 1: This video is DRM protected", Gone, "drm", None),
        ("[vimeo] 1: The web client only works when logged-in. Login required", Restricted, "login", None),
        ("[vimeo] 1: No video formats found!", Transient, "formats", None),
        ("[generic] v: Unable to download webpage: timed out", Transient, "network", None),
        ("[vimeo] 1: Something new", Transient, "unknown", None),
    ],
)  # fmt: skip
def test_other_sites(
    message: str, kind: type[ClipError], reason: str, on_youtube: tuple[type[ClipError], str] | None
) -> None:
    error = read_failure(f"ERROR: {message}", [GENERIC], elsewhere=True)
    assert (type(error), error.reason) == (kind, reason)
    error = read_failure(f"ERROR: {message}", [GENERIC])
    assert (type(error), error.reason) == (on_youtube or (kind, reason))


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        ("429: Too Many Requests", Blocked, "too_many_requests"),
        ("503: Service Unavailable", Transient, "http"),
        ("500: Internal Server Error", Transient, "http"),
        ("403: Forbidden", Transient, "http"),
        ("404: Not Found", Transient, "http"),
    ],
)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_refused_manifest_stands_in_the_warnings(
    status: str, kind: type[ClipError], reason: str, elsewhere: bool
) -> None:
    """What the page says is that it has no video; that is not true, and not final."""
    error = read_failure(f"ERROR: {UNSUPPORTED}", [GENERIC, MANIFEST.format(status)], elsewhere=elsewhere)
    assert (type(error), error.reason) == (kind, reason)
    assert error.detail.startswith(f"{UNSUPPORTED} (failed to download mpd manifest: http error {status[:3]}")


@pytest.mark.parametrize(
    ("warning", "kind", "reason"),
    [
        ("[html5] v: Failed to download m3u8 information: The read operation timed out", Transient, "network"),
        ("[html5] v: Failed to download MPD manifest: [SSL] record layer failure", Transient, "network"),
        ("[generic] The url doesn't specify the protocol, trying with http", Gone, "unsupported"),
    ],
)
def test_other_causes_of_an_unsupported_page(warning: str, kind: type[ClipError], reason: str) -> None:
    error = read_failure(f"ERROR: {UNSUPPORTED}", [GENERIC, warning], elsewhere=True)
    assert (type(error), error.reason) == (kind, reason)

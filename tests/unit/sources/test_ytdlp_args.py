"""--yt-dlp-args: what goes on to yt-dlp, and what is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from avclips.core.errors import UsageError
from avclips.sources.ytdlp_args import parse_ytdlp_args

NO_PATH = "would break the way of a clip, or do nothing"


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", {}),
        ("   ", {}),
        ("--socket-timeout 5", {"socket_timeout": 5.0}),
        ("--retries 5", {"retries": 5}),
        ("--extractor-retries 1", {"extractor_retries": 1}),
        ("-4", {"source_address": "0.0.0.0"}),
        ("--source-address 10.0.0.1", {"source_address": "10.0.0.1"}),
        ("--no-check-certificates", {"nocheckcertificate": True}),
        ("--add-headers 'X-A:b c'", {"http_headers": {"x-a": "b c"}}),
        (
            "--extractor-args 'youtube:player_client=tv,web;lang=de'",
            {"extractor_args": {"youtube": {"player_client": ["tv", "web"], "lang": ["de"]}}},
        ),
        ("--no-cache-dir", {"cachedir": False}),
        ("--cache-dir /c", {"cachedir": "/c"}),
        ("--mark-watched", {"mark_watched": True}),
        ("-4 --retries 7", {"source_address": "0.0.0.0", "retries": 7}),
    ],
)
def test_what_is_taken(text: str, parameters: dict[str, Any]) -> None:
    assert parse_ytdlp_args(text) == parameters


def test_a_javascript_runtime_is_added_to_the_usual_one() -> None:
    assert parse_ytdlp_args("--js-runtimes node")["js_runtimes"].keys() == {"deno", "node"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-f best", f"-f/--format {NO_PATH}; use --quality instead"),
        ("--format 18", f"-f/--format {NO_PATH}; use --quality instead"),
        ("-o x.mp4", f"-o/--output {NO_PATH}; use --data-dir instead"),
        ("-P /tmp", f"-P/--paths {NO_PATH}; use --data-dir instead"),
        ("--exec ls", f"--exec {NO_PATH}"),
        ("--download-sections *1-2", f"--download-sections {NO_PATH}"),
        ("--cookies c.txt", f"--cookies {NO_PATH}; use --cookies instead"),
        (
            "--cookies-from-browser firefox",
            f"--cookies-from-browser {NO_PATH}; use --cookies-from-browser instead",
        ),
        ("--proxy http://h:1", f"--proxy {NO_PATH}; use --proxy instead"),
        ("-r 1M", f"-r/--limit-rate/--rate-limit {NO_PATH}; use --rate-limit instead"),
        ("--sleep-interval 3", f"--sleep-interval/--min-sleep-interval {NO_PATH}; use --sleep instead"),
        ("--print-to-file a b", f"--print-to-file {NO_PATH}"),
        ("--netrc-cmd ls", f"--netrc-cmd {NO_PATH}"),
        ("--external-downloader aria2c", f"--downloader/--external-downloader {NO_PATH}"),
        ("--ffmpeg-location /f", f"--ffmpeg-location {NO_PATH}; use --ffmpeg instead"),
        ("--enable-file-urls", f"--enable-file-urls {NO_PATH}"),
        ("--load-info-json x", f"--load-info-json {NO_PATH}"),
        ("--plugin-dirs x", f"--plugin-dirs {NO_PATH}"),
        ("-n", f"-n/--netrc {NO_PATH}"),
        ("--netrc", f"-n/--netrc {NO_PATH}"),
        ("--twofactor 1", f"-2/--twofactor {NO_PATH}"),
        *(
            (text, "YouTube takes no user names and passwords; use --cookies instead")
            for text in ("--username bob", "--username=bob", "-u bob", "-ubob", "-u bob -p x", "--ap-username bob")
        ),
        ("-U", f"-U/--update {NO_PATH}"),
        ("--ignore-errors", f"-i/--ignore-errors {NO_PATH}"),
        ("--simulate", f"-s/--simulate {NO_PATH}"),
        ("--print-traffic", f"--print-traffic {NO_PATH}"),
        ("--verbose", f"-v/--verbose {NO_PATH}"),
        ("-N 4", f"-N/--concurrent-fragments {NO_PATH}"),
        ("--retries 5 --exec ls", f"--exec {NO_PATH}"),
        ("https://youtu.be/x", "'https://youtu.be/x' is not an option"),
        ("nonsense", "'nonsense' is not an option"),
        ("--retries 5 6", "'6' is not an option"),
        ("'unbalanced", "No closing quotation"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_ytdlp_args(text)
    assert (str(caught.value), caught.value.exit_code) == (f"--yt-dlp-args: {message}", 2)


@pytest.mark.parametrize("text", ["-x", "--help", "--version", "--list-extractors", "-t mp4"])
def test_what_is_refused_in_some_words(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="^--yt-dlp-args: .") as caught:
        parse_ytdlp_args(text)
    said = capsys.readouterr()
    assert (said.out, said.err, len(str(caught.value).splitlines())) == ("", "", 1)


@pytest.mark.parametrize(
    "text",
    [
        "--no-such-option",
        "--socket-timeout soon",
        "--retries -1",
        "--retries",
        "--config-locations /none",
        "--color no",
    ],
)
def test_what_ytdlp_itself_refuses_is_one_line(text: str) -> None:
    with pytest.raises(UsageError, match="^--yt-dlp-args: .") as caught:
        parse_ytdlp_args(text)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("--no-such-option", "no such option: --no-such-option"),
        ("--socket-timeout soon", "invalid floating-point value: 'soon'"),
        ("--retries -1", "must be positive or 0"),
        ("--retries", "--retries option requires 1 argument"),
        ("--config-locations /none", "/none does not exist"),
    ],
)
def test_what_ytdlp_itself_refuses(text: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="^--yt-dlp-args: .") as caught:
        parse_ytdlp_args(text)
    said = capsys.readouterr()
    assert (said.out, said.err, str(caught.value).endswith(words)) == ("", "", True)

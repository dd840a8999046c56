"""The command line: what each option takes, and what is refused with code 2 and one message."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avclips.cli.arguments import hours, proxy_url, rate, seconds, size, whole_number
from avclips.cli.options import read_settings
from avclips.core.settings import Columns, Identity, Settings
from avclips.datasets.audioset import AUDIOSET
from avclips.datasets.base import Dataset
from avclips.datasets.clip_list import CLIPS
from avclips.datasets.general_avqa import GENERAL_AVQA
from avclips.datasets.music_avqa import MUSIC_AVQA
from avclips.datasets.vggsound import VGGSOUND
from avclips.lists.presets import PRESETS

DEFAULTS = Settings(Path("data/avqa"), splits=("train", "val"), state_dir=Path("/cache/avclips"))


@pytest.fixture(autouse=True)
def cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (size, "0", 0),
        (size, "1000", 1000),
        (size, "50K", 51200),
        (size, "50k", 51200),
        (size, "50KB", 51200),
        (size, "50KiB", 51200),
        (size, "4.2M", 4404019),
        (size, "1G", 1 << 30),
        (size, "1.5", 1),
        (size, " 2M ", 2 << 20),
        (rate, "0", None),
        (rate, "0K", None),
        (rate, "1K", 1024),
        (rate, "1024", 1024),
        (rate, "4.2M", 4404019),
        (seconds, "0", 0.0),
        (seconds, "2.5", 2.5),
        (seconds, "1e3", 1000.0),
        (hours, "0", 0.0),
        (hours, "24", 86400.0),
        (hours, "0.5", 1800.0),
        (whole_number(1), "1", 1),
        (whole_number(1), "007", 7),
        (whole_number(0), "0", 0),
        (whole_number(1), "999999999", 999_999_999),
        (proxy_url, "direct", ""),
        (proxy_url, "http://h:1", "http://h:1"),
        (proxy_url, "https://u:p@h:1/", "https://u:p@h:1/"),
        (proxy_url, "socks4://h", "socks4://h"),
        (proxy_url, "socks4a://h", "socks4a://h"),
        (proxy_url, "socks5://h:9", "socks5://h:9"),
        (proxy_url, "socks5h://h:9", "socks5h://h:9"),
    ],
)
def test_what_is_taken(read: Callable[[str], Any], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "texts"),
    [
        (size, ["", "K", "-1", "1T", "5 K", "1e3", "1,5M", "0x10", "nan", "inf", "5KBit", ".5M", "5.M",
                "\u0663K", "9" * 16, "0." + "1" * 10]),
        (rate, ["1", "1023", "0.5K", "fast", "-50K", ""]),
        (seconds, ["", "-1", "-0.1", "nan", "inf", "-inf", "3s", "1:30"]),
        (hours, ["", "-1", "nan", "inf", "1d"]),
        (whole_number(1), ["", "0", "-1", "1.0", "1e3", "many", "+1", " 1", "1\n", "1234567890", "\u0663"]),
        (proxy_url, ["", "Direct", "none", "host:1", "http://", "http:///x", "http:// h", "ftp://h", "socks://h", "socks6://h",
                     "http://h:0", "http://h:99999", "http://h:port", "http://me:secret@", "me:secret@h:1"]),
    ],
    ids=["size", "rate", "seconds", "hours", "whole_number", "proxy_url"],
)  # fmt: skip
def test_what_is_not(read: Callable[[str], Any], texts: list[str]) -> None:
    taken = []
    for text in texts:
        try:
            taken.append((text, read(text)))
        except argparse.ArgumentTypeError as error:
            # A proxy's may hold a password: that one is never repeated.
            assert (repr(text) in str(error)) is (read is not proxy_url)
    assert taken == []


@pytest.mark.parametrize(
    ("argv", "changed"),
    [
        ("", {}),
        ("--data-dir /d --workers 8 --rate-limit 4.2M --sleep 0", {
            "data_dir": Path("/d"), "workers": 8, "rate_limit": 4404019, "sleep": 0.0}),
        ("--rate-limit 0 --retry-attempts 1 --max-clips 3", {
            "rate_limit": None, "retry_attempts": 1, "max_clips": 3}),
        ("--splits val", {"splits": ("val",)}),
        ("--splits val train val", {"splits": ("val", "train")}),
        ("--splits val,train", {"splits": ("val", "train")}),
        ("--splits train, val", {"splits": ("train", "val")}),
        ("--retry-failed private,drm age", {"retry_failed": ("private", "drm", "age")}),
        # What they were called before.
        ("--max-videos 3 --shard 1/4", {"max_clips": 3, "part": (1, 4)}),
        ("--max-clips 5 --part 0/2 --quiet", {"max_clips": 5, "part": (0, 2), "quiet": True}),
        ("--fps 25 --size 224", {"fps": "25", "size": "224"}),
        ("--frame middle --cut copy", {"frame": "middle", "cut": "copy"}),
        ("--fps 29.97 --size 256x144", {"fps": "2997/100", "size": "256x144", "fit": "crop"}),
        ("--fps 30000/1001 --size 256X256 --fit pad --quality 1080", {
            "fps": "30000/1001", "size": "256x256", "fit": "pad", "quality": 1080}),
        ("--quality 720 --cut copy --audio-rate 16000 --audio-channels 1", {
            "quality": 720, "cut": "copy", "audio_rate": 16000, "audio_channels": 1}),
        ("--retry-failed", {"retry_failed": ()}),
        ("--retry-failed private drm", {"retry_failed": ("private", "drm")}),
        ("--cookies c.txt --proxy socks5h://h:1 --ffmpeg /f", {
            "identities": (Identity("socks5h://h:1", Path("c.txt")),), "ffmpeg": Path("/f")}),
        ("--videos-per-hour 0 --give-up-after 0.5 --min-free 0 --state-dir /s", {
            "videos_per_hour": 0, "give_up_after": 1800.0, "min_free": 0, "state_dir": Path("/s")}),
        ("--videos-per-hour 100 --min-free 1.5G", {"videos_per_hour": 100, "min_free": 3 << 29}),
        ("--yt-dlp-args=-4", {"ytdlp_args": "-4"}),
        ("--max-whole-file 1G --allow-silent --allow-mixed", {
            "max_whole_file": 1 << 30, "allow_silent": True, "allow_mixed": True}),
    ],
)  # fmt: skip
def test_settings(argv: str, changed: dict[str, Any]) -> None:
    settings, _ = read_settings(GENERAL_AVQA, argv.split())
    assert settings == replace(DEFAULTS, **changed)


ONE, TWO, P, Q = Path("1.txt"), Path("2.txt"), "http://p:1", "socks5h://q:2"


@pytest.mark.parametrize(
    ("argv", "identities"),
    [
        ("", [Identity()]),
        ("--proxy direct", [Identity("")]),
        (f"--proxy {P}", [Identity(P)]),
        ("--cookies 1.txt", [Identity(None, ONE)]),
        (f"--proxy {P} --proxy direct --proxy {Q}", [Identity(P), Identity(""), Identity(Q)]),
        ("--cookies 1.txt --cookies 2.txt", [Identity(None, ONE), Identity(None, TWO)]),
        (f"--proxy {P} --cookies 1.txt", [Identity(P, ONE)]),
        (f"--proxy {P} --proxy {Q} --cookies 1.txt --cookies 2.txt", [Identity(P, ONE), Identity(Q, TWO)]),
        (f"--cookies 1.txt --cookies 2.txt --proxy {P} --proxy direct", [Identity(P, ONE), Identity("", TWO)]),
        # One proxy for two accounts, and two ways for one account, are two identities.
        (f"--proxy {P} --proxy {P} --cookies 1.txt --cookies 2.txt", [Identity(P, ONE), Identity(P, TWO)]),
        (f"--proxy {P} --proxy {Q} --cookies 1.txt --cookies 1.txt", [Identity(P, ONE), Identity(Q, ONE)]),
        (f"--proxy {P} --proxy {Q} --workers 2", [Identity(P), Identity(Q)]),
        ("--cookies-from-browser firefox", [Identity(browser="firefox")]),
        # In the order in which they are said, with files among them.
        (
            f"--cookies-from-browser firefox:P --cookies 1.txt --proxy {P} --proxy direct",
            [Identity(P, browser="firefox:P"), Identity("", ONE)],
        ),
    ],
)
def test_identities(argv: str, identities: list[Identity]) -> None:
    settings, _ = read_settings(GENERAL_AVQA, argv.split())
    assert list(settings.identities) == identities


@pytest.mark.parametrize(
    ("argv", "chosen"),
    [
        ("", {"status": False, "verify": False, "repair": False, "log_level": "INFO"}),
        ("--status", {"status": True}),
        ("--verify", {"verify": True, "repair": False}),
        ("--verify --repair", {"verify": True, "repair": True}),
        ("--log-level DEBUG", {"log_level": "DEBUG"}),
    ],
)
def test_what_else_is_asked_for(argv: str, chosen: dict[str, Any]) -> None:
    _, found = read_settings(GENERAL_AVQA, argv.split())
    assert {name: getattr(found, name) for name in chosen} == chosen


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--nope"], "unknown option --nope"),
        (["--work", "3"], "unknown option --work: did you mean --workers?"),
        (["video.txt"], "there is no place for 'video.txt' (a folder is --data-dir PATH)"),
        (["--workers", "0"], "--workers: '0' is not a whole number from 1 up"),
        (["--workers"], "--workers: expected one argument"),
        (["--max-clips", "0"], "--max-clips: '0' is not a whole number from 1 up"),
        (["--retry-attempts", "0"], "--retry-attempts: '0' is not a whole number from 1 up"),
        (["--rate-limit", "5"], "--rate-limit: '5' is below 1K; 50K is 50 KiB a second, 0 is no limit"),
        (["--rate-limit", "x"], "--rate-limit: 'x' is not a size such as 50K, 4.2M or 0"),
        (["--sleep=-1"], "--sleep: '-1' is not a number of seconds"),
        (
            ["--proxy", "h:1"],
            "--proxy: not a proxy such as http://host:port, socks5h://host:port or direct",
        ),
        (["--audio-rate", "999"], "--audio-rate: '999' is not a whole number from 1000 up"),
        (["--audio-channels", "3"], "--audio-channels: '3' is unknown"),
        (["--quality", "2160"], "--quality: '2160' is unknown"),
        (["--cut", "fast"], "--cut: 'fast' is unknown"),
        (["--splits", "test"], "--splits: 'test' is unknown"),
        (["--splits"], "--splits: expected at least one argument"),
        (["--retry-failed", "sad"], "--retry-failed: 'sad' is unknown"),
        (["--log-level", "LOUD"], "--log-level: 'LOUD' is unknown"),
        (["--max-whole-file", "big"], "--max-whole-file: 'big' is not a size such as"),
        (["--status", "--verify"], "--verify: does not go with --status"),
        (["--videos-per-hour", "-1"], "--videos-per-hour: '-1' is not a whole number from 0 up"),
        (["--give-up-after", "soon"], "--give-up-after: 'soon' is not a number of"),
        (["--min-free=-1G"], "--min-free: '-1G' is not a size such as"),
        (
            ["--proxy", P, "--proxy", Q, "--cookies", "1.txt"],
            "2 --proxy and 1 --cookies cannot be paired: give as many of each",
        ),
        (
            ["--cookies", "1.txt", "--cookies", "2.txt", "--proxy", P],
            "1 --proxy and 2 --cookies cannot be paired: give as many of each",
        ),
        (
            ["--cookies-from-browser", "firefox", "--cookies", "1.txt", "--proxy", P],
            "1 --proxy and 2 --cookies cannot be paired: give as many of each",
        ),
        (["--cookies-from-browser", ":x"], "--cookies-from-browser: ':x' is not BROWSER[+KEYRING][:PROFILE]"),
        (["--split", "val"], "unknown option --split: did you mean --splits?"),
        (["--max-video", "3"], "unknown option --max-video: did you mean --max-clips?"),
        (["--cookie=x"], "unknown option --cookie: did you mean --cookies?"),
        (["-workers", "3"], "unknown option -workers: did you mean --workers?"),
        # Before what it may have led to.
        (["--wrkers", "3", "--quality", "9"], "unknown option --wrkers: did you mean --workers?"),
        (
            ["--splits", "trian,vla"],
            "--splits: 'trian' is unknown: did you mean train?; 'vla' is unknown: did you "
            "mean val? (it takes train, val)",
        ),
        (["--splits", ","], "--splits: names nothing"),
        (["--cut", "exakt"], "--cut: 'exakt' is unknown: did you mean exact? (it takes exact, copy)"),
        (
            ["--retry-failed", "privat,restricted"],
            "--retry-failed: 'privat' is unknown: did you mean private?; "
            "'restricted' is unknown: did you mean restricted_mode?",
        ),
        (["--frame", "first"], "--frame: 'first' is unknown (it takes middle)"),
        (["--frame", "middle", "--media", "audio"], "--frame goes with pictures: --media both"),
        (["--fps", "0"], "--fps: '0' is not a number of pictures a second, such as 25 or 30000/1001"),
        (["--fps", "1/0"], "--fps: '1/0' is not a number of pictures a second"),
        (["--fps", "241"], "--fps: '241' is not a number of pictures a second"),
        (["--size", "225"], "--size: '225' is no size: 224 (the smaller side) or 256x144, even numbers"),
        (["--size", "2x2"], "--size: '2x2' is no size"),
        (["--fps", "25", "--cut", "copy"], "--fps goes with --cut exact: a copy has the source's own pictures"),
        (["--size", "224", "--cut", "copy"], "--size goes with --cut exact"),
        (["--size", "224", "--media", "audio"], "--size goes with pictures"),
        (["--size", "224", "--fit", "pad"], "--fit goes with --size WxH"),
        (["--fit", "pad"], "--fit goes with --size WxH"),
        (["--config", "/nowhere.toml"], "--config /nowhere.toml cannot be read: No such file or directory"),
        (["--proxy", P, "--proxy", P], "the same --proxy and --cookies are given twice"),
        (["--proxy", "direct", "--proxy", "direct"], "the same --proxy and --cookies are given twice"),
        (["--cookies", "1.txt", "--cookies", "1.txt"], "the same --proxy and --cookies are given twice"),
        (
            ["--proxy", P, "--proxy", Q, "--workers", "1"],
            "2 identities need at least as many --workers",
        ),
        (["--repair"], "--repair goes with --verify"),
        (["--status", "--repair"], "--repair goes with --verify"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read_settings(GENERAL_AVQA, argv)
    said = capsys.readouterr()
    assert (caught.value.code, said.out) == (2, "")
    said_first, *rest = said.err.splitlines()
    assert said_first.startswith(f"error: {message}") and rest == ["  see --help"]


@pytest.mark.parametrize(
    "text",
    [
        "ftp://me:secret@h:1",
        "http://me:secret@h:port",
        "http://me:secret@[::1",
    ],
)
def test_a_proxys_password_is_not_repeated(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(GENERAL_AVQA, ["--proxy", text])
    assert "secret" not in capsys.readouterr().err


def test_help_tells_every_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read_settings(GENERAL_AVQA, ["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert caught.value.code == 0
    for default in (
        "./data/avqa|data/avqa",
        "50K",
        "200M",
        "360",
        "exact",
        "INFO",
        "4",
        "3.0",
        "5",
        "24",
        "2G",
        "/cache/avclips",
    ):
        assert any(f"(default: {text})" in said for text in default.split("|")), default


# -- what only some scripts have -------------------------------------------------------------------------------

OF_CLIPS = (
    "--url-col --start-col --end-col --duration-col --clip-col --id-col --caption-col --keep-cols --preset "
    "--fps-col --time-unit --cell-format --delimiter --list-presets "
    "--clip-length --encoding --info --subtitles --dry-run"
)
OF_SOME = {
    "general_avqa": (GENERAL_AVQA, "--splits"),
    "music_avqa": (MUSIC_AVQA, "--splits --annotations --id-map --keep-archives --v2"),
    "audioset": (AUDIOSET, "--splits --labels --strong --flat"),
    "vggsound": (VGGSOUND, "--splits --labels"),
    "clips": (CLIPS, OF_CLIPS),
}


@pytest.mark.parametrize("name", OF_SOME)
def test_help_shows_a_scripts_own_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    dataset, own = OF_SOME[name]
    with pytest.raises(SystemExit) as caught:
        read_settings(dataset, ["--help"])
    said = capsys.readouterr().out
    shown = set(re.findall(r"^  (?:-h, )?(--[a-z0-9-]+)", said, re.MULTILINE))
    every = {option for _, options in OF_SOME.values() for option in options.split()}
    assert caught.value.code == 0 and shown & every == set(own.split())
    assert shown - every == {
        "--help", "--config", "--quiet", "--metrics-file", "--report", "--cookies-from-browser", "--fps", "--size",
        "--fit", "--frame",
        "--data-dir", "--max-clips", "--retry-failed", "--archives", "--media", "--quality", "--cut", "--encode",
        "--video-format", "--audio-format", "--audio-rate", "--audio-channels", "--check", "--flags",
        "--allow-silent", "--allow-mixed", "--workers", "--rate-limit", "--sleep", "--retry-attempts",
        "--max-whole-file", "--yt-dlp-args", "--cookies", "--proxy", "--proxy-file", "--videos-per-hour",
        "--give-up-after", "--state-dir", "--part",
        "--min-free", "--ffmpeg", "--log-level", "--status", "--verify", "--repair", "--output-format", "--output",
        "--samples-per-shard", "--engine", "--spark-master", "--wandb",
    }  # fmt: skip
    assert ("LIST" in said) == (dataset is CLIPS) and str(Path(dataset.default_dir)) in said


@pytest.mark.parametrize("name", OF_SOME)
def test_what_another_script_has_is_unknown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    dataset, own = OF_SOME[name]
    words = ["list.csv"] if dataset is CLIPS else []
    for option in sorted({each for _, options in OF_SOME.values() for each in options.split()} - set(own.split())):
        with pytest.raises(SystemExit) as caught:
            read_settings(dataset, [*words, option])
        assert caught.value.code == 2 and f"unknown option {option}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("dataset", "words", "defaults"),
    [
        (GENERAL_AVQA, [], ("both", "wav", ("train", "val"), "data/avqa")),
        (MUSIC_AVQA, [], ("both", "wav", ("train", "val", "test"), "data/music_avqa")),
        (AUDIOSET, [], ("audio", "m4a", ("eval", "balanced_train"), "data/audioset")),
        (VGGSOUND, [], ("both", "wav", ("train", "test"), "data/vggsound")),
        (CLIPS, ["list.csv"], ("both", "wav", (), "data/clips")),
    ],
    ids=OF_SOME,
)
def test_a_datasets_defaults(dataset: Dataset, words: list[str], defaults: tuple[object, ...]) -> None:
    settings, _ = read_settings(dataset, words)
    found = (settings.media, settings.audio_format, settings.splits, str(settings.data_dir))
    assert found == defaults
    assert (settings.info, settings.subtitles, settings.labels, settings.strong, settings.flat) == (
        False, (), (), False, False
    )  # fmt: skip
    assert settings.columns == Columns() and settings.clip_list == (tuple(words) if words else None)


CLIPS_DEFAULTS = Settings(Path("data/clips"), state_dir=Path("/cache/avclips"), clip_list=("my.csv",))


@pytest.mark.parametrize(
    ("argv", "changed"),
    [
        ("", {}),
        ("--url-col u --start-col s --end-col e --id-col i --caption-col c", {
            "columns": Columns(url="u", start="s", end="e", id="i", caption="c")}),
        ("--duration-col d --clip-length 2.5", {"columns": Columns(duration="d"), "clip_length": 2.5}),
        ("--clip-col c --keep-cols a b", {"columns": Columns(clip="c", keep=("a", "b"))}),
        ("--time-unit ms --cell-format {id}_{start} --delimiter tab", {
            "time_unit": "ms", "cell_format": "{id}_{start}", "delimiter": "\t"}),
        ("--time-unit frames@23.976 --fps-col f --delimiter &", {
            "time_unit": "frames@23.976", "columns": Columns(fps="f"), "delimiter": "&"}),
        ("--preset kinetics --encoding latin-1", {"preset": "kinetics", "encoding": "latin-1"}),
        ("--info --subtitles en de en", {"info": True, "subtitles": ("en", "de")}),
        ("--media audio --audio-format m4a", {"media": "audio", "audio_format": "m4a"}),
        ("--video-format mkv --audio-format flac --audio-rate 16000", {
            "video_format": "mkv", "audio_format": "flac", "audio_rate": 16000}),
        ("--check packets --part 1/3", {"check": "packets", "part": (1, 3)}),
    ],
)  # fmt: skip
def test_settings_of_a_list(argv: str, changed: dict[str, Any]) -> None:
    settings, _ = read_settings(CLIPS, ["my.csv", *argv.split()])
    assert settings == replace(CLIPS_DEFAULTS, **changed)


def test_an_empty_name_of_a_column_is_for_none() -> None:
    settings, _ = read_settings(CLIPS, ["my.csv", "--id-col", "", "--caption-col="])
    assert settings.columns == Columns(id="", caption="")


@pytest.mark.parametrize(
    ("dataset", "argv", "changed"),
    [
        (AUDIOSET, "--labels Dog,Speech /m/0bt9lr --flat", {"labels": ("Dog,Speech", "/m/0bt9lr"), "flat": True}),
        (AUDIOSET, "--media both --audio-format wav", {"media": "both", "audio_format": "wav"}),
        (AUDIOSET, "--strong --splits eval", {"strong": True, "splits": ("eval",)}),
        (AUDIOSET, "--strong", {"strong": True, "splits": AUDIOSET.splits}),
        (VGGSOUND, "--splits test --labels A --labels B", {"splits": ("test",), "labels": ("A", "B")}),
    ],
)
def test_settings_of_a_dataset(dataset: Dataset, argv: str, changed: dict[str, Any]) -> None:
    plain, _ = read_settings(dataset, [])
    settings, _ = read_settings(dataset, argv.split())
    assert settings == replace(plain, **changed)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "LIST is missing: the file that names the clips, or addresses and ids themselves"),
        (["a.csv", "--preset", "mine"], "--preset: 'mine' is unknown"),
        (
            ["a.csv", "--time-unit", "min"],
            "--time-unit: 'min' is no unit: s, ms, us, frames or frames@25",
        ),
        (["a.csv", "--time-unit", "frames@0"], "--time-unit: 'frames@0' is no unit"),
        *(
            (["a.csv", "--cell-format", each], f"--cell-format: {each!r} is no format such as")
            for each in ("{start}_{end}", "ID_START", "{id}_{end}", "{id}_{id}", "{id}_{length}")
        ),
        (["a.csv", "--delimiter", "ab"], "--delimiter: 'ab' is no letter between cells"),
        (["a.csv", "--delimiter", '"'], "--delimiter: '\"' is no letter between cells"),
        (["a.csv", "--clip-length", "0"], "--clip-length: "),
        (["a.csv", "--clip-length", "nan"], "--clip-length: "),
        (["a.csv", "--clip-length", "-5"], "--clip-length: "),
        (["a.csv", "--subtitles"], "--subtitles: expected at least one argument"),
        (["a.csv", "--keep-cols"], "--keep-cols: expected at least one argument"),
        (["a.csv", "--dry-run", "--status"], "--status: does not go with --dry-run"),
        (["a.csv", "--dry-run", "--verify"], "--verify: does not go with --dry-run"),
        (["a.csv", "--media", "sound"], "--media: 'sound' is unknown"),
        (["a.csv", "--media", "audio", "--allow-silent"], "--allow-silent goes with pictures"),
        (["a.csv", "--video-format", "mkv", "--cut", "copy"], "--cut copy needs mp4"),
        (
            ["a.csv", "--audio-format", "m4a", "--audio-rate", "16000"],
            "--audio-format m4a keeps the source's packets",
        ),
        # Nothing that is near: not every option with two dashes is.
        (["a.csv", "--split", "train"], "unknown option --split\n"),
        (["a.csv", "--splits", "train"], "unknown option --splits"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_of_a_list(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read_settings(CLIPS, argv)
    said = capsys.readouterr()
    assert (caught.value.code, said.out) == (2, "")
    assert said.err.partition("error: ")[2].startswith(message)


def test_the_presets_are_those_of_the_columns() -> None:
    for name in PRESETS:
        assert read_settings(CLIPS, ["a.csv", "--preset", name])[0].preset == name


def test_the_presets_are_shown_without_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read_settings(CLIPS, ["--list-presets"])
    said = capsys.readouterr()
    assert caught.value.code == 0 and said.err == ""
    assert all(
        f"{name}: {preset.title}" in said.out and preset.source in said.out for name, preset in PRESETS.items()
    )


def test_a_list_may_be_several_words() -> None:
    words = ["a.csv", "parts", "-", "https://youtu.be/abcde-ghij0"]
    assert read_settings(CLIPS, [*words, "--data-dir", "x"])[0].clip_list == tuple(words)

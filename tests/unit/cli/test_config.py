"""--config: the options of a file, which say what a command line would, and are refused as its would be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avclips.cli.options import read_settings
from avclips.core.settings import Columns, Identity
from avclips.datasets.audioset import AUDIOSET
from avclips.datasets.base import Dataset
from avclips.datasets.clip_list import CLIPS
from avclips.datasets.general_avqa import GENERAL_AVQA

P = "http://p:1"


def write(folder: Path, text: str) -> str:
    path = folder / "run.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("dataset", "text", "argv", "changed"),
    [
        (GENERAL_AVQA, "", "", {}),
        (GENERAL_AVQA, "workers = 8\nsleep = 0.5\nrate-limit = '4.2M'", "", {
            "workers": 8, "sleep": 0.5, "rate_limit": 4404019}),
        # With - or with _, and what an option was called before.
        (GENERAL_AVQA, "max_clips = 3\nvideos_per_hour = 100", "", {"max_clips": 3, "videos_per_hour": 100}),
        (GENERAL_AVQA, "max-videos = 3\nshard = '1/4'", "", {"max_clips": 3, "part": (1, 4)}),
        (GENERAL_AVQA, "splits = ['train']", "", {"splits": ("train",)}),
        (GENERAL_AVQA, "splits = 'train,val'", "", {"splits": ("train", "val")}),
        (GENERAL_AVQA, "allow-silent = true\nquiet = false", "", {"allow_silent": True, "quiet": False}),
        (GENERAL_AVQA, "retry-failed = true", "", {"retry_failed": ()}),
        (GENERAL_AVQA, "retry-failed = []", "", {"retry_failed": ()}),
        (GENERAL_AVQA, "retry-failed = ['private', 'drm']", "", {"retry_failed": ("private", "drm")}),
        (GENERAL_AVQA, f"proxy = ['{P}', 'direct']", "", {"identities": (Identity(P), Identity(""))}),
        (GENERAL_AVQA, "cookies-from-browser = 'firefox'", "", {"identities": (Identity(browser="firefox"),)}),
        (GENERAL_AVQA, "yt-dlp-args = '-4 --no-check-certificates'", "", {
            "ytdlp_args": "-4 --no-check-certificates"}),
        (AUDIOSET, "labels = ['Dog', 'Male speech, man speaking']", "", {
            "labels": ("Dog", "Male speech, man speaking")}),
        # The dataset's own defaults stay where neither says a word.
        (AUDIOSET, "workers = 2", "", {"media": "audio", "audio_format": "m4a"}),
        (CLIPS, "list = 'a.csv'\nurl-col = 'u'\nkeep-cols = ['x', 'y']", "", {
            "clip_list": ("a.csv",), "columns": Columns(url="u", keep=("x", "y"))}),
        (CLIPS, "list = ['a.csv', 'b.csv']", "", {"clip_list": ("a.csv", "b.csv")}),
        # The command line counts before the file, of what may be said several times too.
        (GENERAL_AVQA, "workers = 8\nsleep = 0.5", "--workers 2", {"workers": 2, "sleep": 0.5}),
        (GENERAL_AVQA, f"proxy = '{P}'", "--proxy direct", {"identities": (Identity(""),)}),
        (GENERAL_AVQA, "cookies = 'a.txt'", "--cookies-from-browser firefox", {
            "identities": (Identity(browser="firefox"),)}),
        (GENERAL_AVQA, "max-videos = 3", "--max-clips 5", {"max_clips": 5}),
        (AUDIOSET, "labels = ['Dog']", "--labels Speech", {"labels": ("Speech",)}),
        (CLIPS, "list = 'a.csv'", "b.csv", {"clip_list": ("b.csv",)}),
    ],
)  # fmt: skip
def test_what_a_file_says(dataset: Dataset, text: str, argv: str, changed: dict[str, Any], tmp_path: Path) -> None:
    settings, _ = read_settings(dataset, [*argv.split(), "--config", write(tmp_path, text)])
    assert {name: getattr(settings, name) for name in changed} == changed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("workrs = 8", "unknown key workrs: did you mean workers?"),
        ("max_clip = 8", "unknown key max-clip: did you mean max-clips?"),
        ("zzzzz = 8", "unknown key zzzzz"),
        ("url-col = 'x'", "unknown key url-col"),
        ("list = 'x.csv'", "unknown key list: this script has a list of its own"),
        ("config = 'other.toml'", "unknown key config"),
        ("help = true", "unknown key help"),
        ("[run]\nworkers = 8", "[run] is a table; the options stand by themselves, KEY = VALUE"),
        ("max-clips = 1\nmax_clips = 2", "max-clips is there twice, with - and with _"),
        ("workers = 'four'", "--workers: 'four' is not a whole number from 1 up"),
        ("workers = 0", "--workers: '0' is not a whole number from 1 up"),
        ("workers = 2.5", "--workers: '2.5' is not a whole number from 1 up"),
        ("workers = true", "workers takes a text or a number, not true or false"),
        ("workers = [1, 2]", "workers takes a text or a number, not a list"),
        ("give-up-after = 2026-01-01", "give-up-after takes a text or a number, not a date or a time"),
        ("quiet = 'yes'", "quiet is true or false"),
        ("splits = ['trian']", "--splits: 'trian' is unknown: did you mean train? (it takes train, val)"),
        ("proxy = 'me:SECRET@h:1'", "--proxy: not a proxy such as"),
        ("cut = 'fast'", "--cut: 'fast' is unknown"),
        ("status = true\nverify = true", "--verify: does not go with --status"),
        ("workers 8", " is not TOML: "),
        ("workers = 'a", " is not TOML: "),
        ("\xff", " is not TOML: "),
    ],
)
def test_what_it_cannot_say(text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SystemExit) as caught:
        read_settings(GENERAL_AVQA, ["--config", str(path)])
    said = capsys.readouterr()
    first, *rest = said.err.splitlines()
    assert (caught.value.code, said.out, rest) == (2, "", ["  see --help"])
    assert first.startswith(f"error: --config {path}") and message in first and "SECRET" not in first


@pytest.mark.parametrize("key", ["lists", "LIST", "clip_list", "file", "input"])
def test_how_the_list_is_called(key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(CLIPS, ["--config", write(tmp_path, f"{key} = 'x.csv'")])
    assert f'unknown key {key.replace("_", "-")}: the list is list = "my_list.csv"' in capsys.readouterr().err


def test_a_file_without_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "workers = 2")
    with pytest.raises(SystemExit):
        read_settings(CLIPS, ["--config", path])
    assert f'(in {path}: list = "my_list.csv")' in capsys.readouterr().err


def test_what_does_not_go_together_is_seen_across_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "cut = 'copy'")
    with pytest.raises(SystemExit):
        read_settings(GENERAL_AVQA, ["--video-format", "mkv", "--config", path])
    assert "--cut copy needs mp4" in capsys.readouterr().err
    assert (
        read_settings(GENERAL_AVQA, ["--cut", "exact", "--video-format", "mkv", "--config", path])[0].cut
        == "exact"
    )

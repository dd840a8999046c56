"""What a line of a manifest may say: names that lead outside, and words of another kind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from avclips.core.clock import Clock
from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.state.manifest_line import is_right
from avclips.state.store import Store

ID = "aaaaaaaaaaa_0_1"
DONE: dict[str, Any] = {
    "id": ID,
    "status": "done",
    "youtube_id": "aaaaaaaaaaa",
    "asked": [0.0, 1.0],
    "attempts": 1,
    "time": "2026-11-01T00:00:00Z",
    "video": f"videos/{ID}.mp4",
    "audio": f"audio/{ID}.wav",
    "bytes": 10,
    "sha256": "0" * 64,
    "duration": 1.0,
    "fps": 25,
    "samples": 44100,
    "title": "a title",
}
FAILED: dict[str, Any] = {
    "id": ID,
    "status": "failed",
    "reason": "removed",
    "permanent": True,
    "attempts": 1,
    "error": "gone",
    "time": "2026-11-01T00:00:00Z",
}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"video": None},
        {"frame": f"frames/{ID}.jpg"},
        {"audio": None, "youtube_id": None, "source": "https://example.org/a"},
        {"video": f"videos/eval/3f/{ID}.mkv", "audio": f"wavs/eval/3f/{ID}.m4a"},
        {"info": f"info/{ID}.json", "subtitles": {"en": f"subtitles/{ID}.en.vtt", "de": None}},
        {"asked": [0, None], "turn": 2, "meta": {"label": "x", "captions": ["a", "b"]}},
        {"id": "a.b", "video": "videos/a.b.mp4", "audio": "audio/a.b.wav"},
        {"id": "a" * 200, "video": f"videos/{'a' * 200}.mp4", "audio": f"audio/{'a' * 200}.wav"},
        {"duration": None, "fps": None, "samples": None, "bytes_fetched": 0},
        # What a site calls its video is a site's word.
        {"title": ["odd"], "settings": {"quality": 360}, "adopted": True, "archive": "a.zip: b.mp4"},
    ],
)
def test_what_a_run_writes(more: dict[str, Any]) -> None:
    assert is_right(DONE | more)


@pytest.mark.parametrize(
    "more",
    [
        {"id": "../x"},
        {"id": ""},
        {"id": 5},
        {"id": ".hidden"},
        {"status": "odd"},
        {"status": ["done"]},
        {"video": "/home/me/thesis.pdf"},
        {"frame": f"frames/../{ID}.jpg"},
        {"frame": f"videos/{ID}.jpg"},
        {"frame": "frames/another.jpg"},
        {"frame": f"frames/deep/{ID}.jpg"},
        {"frame": 5},
        {"video": "videos/../../home/notes.txt"},
        {"video": f"videos/../{ID}.mp4"},
        {"video": f"videos//{ID}.mp4"},
        {"video": f"videos/./{ID}.mp4"},
        {"video": f"audio/{ID}.mp4"},
        {"video": f"{ID}.mp4"},
        {"video": "videos/another.mp4"},
        {"video": f"videos/{ID}"},
        {"video": f"videos/{ID}.m/p4"},
        {"video": f"videos/{ID}.tar.gz"},
        {"video": f"videos/.x/{ID}.mp4"},
        {"video": f"videos/one/{ID}.mp4", "audio": f"audio/two/{ID}.wav"},
        {"video": 5},
        {"audio": {}},
        {"audio": f"metadata/{ID}.wav"},
        {"info": "../../key.json"},
        {"info": f"info/x/../{ID}.json"},
        {"subtitles": {"en": "../home/key.pem"}},
        {"subtitles": {"en": f"subtitles/{ID}.de.vtt"}},
        {"subtitles": {"e/n": f"subtitles/{ID}.e/n.vtt"}},
        {"subtitles": ["en"]},
        {"youtube_id": ["x"]},
        {"source": 1},
        {"asked": [0]},
        {"asked": ["0", "1"]},
        {"asked": [float("nan"), 1]},
        {"attempts": [1]},
        {"attempts": True},
        {"time": 5},
        {"meta": "x"},
        {"turn": 0},
        {"turn": 1 << 60},
        {"turn": "2"},
        {"bytes": "many"},
        {"bytes": -1},
        {"bytes_fetched": 1.5},
        {"duration": "1"},
        {"duration": float("inf")},
        {"duration": 10**400},
        {"width": 1 << 70},
    ],
)
def test_what_nobody_is_to_believe(more: dict[str, Any]) -> None:
    assert not is_right(DONE | more)


@pytest.mark.parametrize(
    ("more", "right"),
    [
        ({}, True),
        ({"identities": ["guest"]}, True),
        ({"identities": 1}, False),
        ({"identities": [1]}, False),
        ({"reason": [1]}, False),
        ({"permanent": "x"}, False),
        ({"error": None}, False),
        ({"time": None}, False),
        ({"attempts": -1}, False),
        ({"youtube_id": ["x"]}, False),
    ],
)
def test_of_a_failure(more: dict[str, Any], right: bool) -> None:
    assert is_right(FAILED | more) is right
    assert not is_right({name: value for name, value in (FAILED | more).items() if name != "reason"})


@pytest.mark.parametrize("value", [None, [], 1, "done", {}, {"id": ID}])
def test_no_line_at_all(value: Any) -> None:
    assert not is_right(value)


@pytest.mark.parametrize("shard", [None, (0, 1)])
@pytest.mark.parametrize(
    "more",
    [
        {"youtube_id": ["x"]},
        {"reason": "age", "identities": 1},
        {"permanent": "x", "reason": [1]},
        {"status": "done", "video": 5, "audio": {}, "attempts": [1]},
        {"status": "done", "video": "../x.mp4"},
    ],
)
def test_a_run_goes_on_with_the_other_lines(
    tmp_path: Path, more: dict[str, Any], shard: Any, caplog: pytest.LogCaptureFixture
) -> None:
    lines = [FAILED | {"id": "a"} | more, FAILED | {"id": "b"}]
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    store = Store(Settings(tmp_path, part=shard), "clips", Clock())
    store.open()
    pending = store.pending([Clip("a", "a", 0.0, 1.0), Clip("b", "b", 0.0, 1.0)])
    store.snapshot(force=True)
    store.close()
    assert [clip.id for clip in pending] == ["a"]
    assert "no run's, are passed over: 1, the first at byte 0" in caplog.text


ROOT = Path(__file__).resolve().parents[3]


def test_a_folder_of_somebody_else_takes_nothing_of_ours(tmp_path: Path) -> None:
    """--verify --repair moves what is wrong out of the way; what its manifest names may lie anywhere."""
    home, data = tmp_path / "home", tmp_path / "data"
    (data / "metadata").mkdir(parents=True)
    home.mkdir()
    (home / "notes.txt").write_text("mine")
    known = {"media": "both", "quality": 360, "cut": "exact", "audio_rate": None, "audio_channels": None}
    (data / "metadata" / "folder.json").write_text(json.dumps({"dataset": "clips", "settings": known}))
    line = DONE | {"id": "notes", "video": "videos/../../home/notes.txt", "audio": None, "sha256": "0"}
    (data / "manifest.jsonl").write_text(json.dumps(line) + "\n")
    (tmp_path / "list.csv").write_text("url,start,end\naaaaaaaaaaa,0,1\n")
    options = ["--data-dir", str(data), "--state-dir", str(tmp_path / "s"), "--verify", "--repair"]
    command = [sys.executable, str(ROOT / "download_clips.py"), str(tmp_path / "list.csv"), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout) == (0, "0 clips are right, 0 are bad.\n"), ended.stderr
    assert (home / "notes.txt").read_text() == "mine" and not (data / "set_aside").exists()

"""Lines by msgspec: what is taken so is what is taken without it, and means the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avclips.state import manifest
from avclips.state.manifest import done_of, replay
from avclips.state.manifest_line import is_right
from avclips.state.quick_lines import quick_reader
from tests.unit.state.test_manifest_line import DONE, FAILED, ID

pytest.importorskip("msgspec")
READ = quick_reader()


def as_line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def meant(line: dict[str, Any]) -> tuple[Any, ...]:
    done = done_of(line)
    return line["id"], *done


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"video": None},
        {"frame": f"frames/{ID}.jpg", "frame_sha256": "ab"},
        {"audio": None, "youtube_id": None, "source": "https://example.org/a"},
        {"video": f"videos/eval/3f/{ID}.mkv", "audio": f"wavs/eval/3f/{ID}.m4a"},
        {"info": f"info/{ID}.json", "subtitles": {"en": f"subtitles/{ID}.en.vtt", "de": None}},
        {"asked": [0, None], "turn": 2, "meta": {"label": "x", "captions": ["ä", "b"]}, "withheld": "sabr"},
        {"duration": None, "fps": None, "samples": None, "bytes_fetched": 0, "subtitles_seen": ["en"]},
        {"title": ["odd"], "settings": {"quality": 360}, "adopted": True, "archive": "a.zip: b.mp4"},
    ],
)
def test_what_a_run_writes(more: dict[str, Any]) -> None:
    line = DONE | more
    assert READ(as_line(line)) == meant(line)


@pytest.mark.parametrize(
    "raw",
    [
        as_line(FAILED),
        as_line({"id": ID, "status": "forgotten"}),
        as_line(DONE)[:-20],
        b"\n",
        b"[]\n",
        # What only the other reader knows how to take, or to refuse.
        as_line(DONE | {"meta": {"label": "\udcff"}}),
        as_line(DONE | {"width": 640.0}),
        as_line(DONE | {"duration": float("inf")}),
        *(as_line(DONE | {"duration": sign << 53}) for sign in (1, -1)),
        *(as_line(DONE | {"fps": each}) for each in (1 << 53, 1 << 64, 2.0**53)),
        *(as_line(DONE | {"asked": each}) for each in ([1 << 53, None], [0, 1 << 53], [-(1 << 53), 1])),
        as_line(DONE)[:-2] + b', "title": "\xff"}\n',
        as_line(DONE | {"title": [0]}).replace(b"[0]", b"[" * 50_000 + b"]" * 50_000),
    ],
)
def test_what_is_left_to_the_other_reader(raw: bytes) -> None:
    assert READ(raw) is None


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 1 << 65),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from([ID, f"videos/{ID}.mp4", f"videos/../{ID}.mp4", f"audio/x/{ID}.wav", "done", "sabr", "../x"]),
    st.lists(st.one_of(st.integers(-1, 20), st.none(), st.text(max_size=2)), max_size=3),
    st.dictionaries(st.sampled_from(["en", "e/n"]), st.sampled_from([None, f"subtitles/{ID}.en.vtt", "x"])),
)
NAMES = st.sampled_from(
    [*DONE, "info", "subtitles", "subtitles_seen", "subtitles_error", "turn", "withheld", "meta"]
)


@settings(max_examples=500, deadline=None)
@given(more=st.dictionaries(NAMES, ODD, max_size=4))
def test_whatever_is_taken_is_taken_without_it_too(more: dict[str, Any]) -> None:
    line = DONE | more
    found = READ(as_line(line))
    assert found is None or (is_right(line) and found == meant(line))


@pytest.mark.parametrize("clip_id", ["a", "ab", "videos", "mp4", "v", "audio", "a.b", "a#b", "-_", "*", ""])
@pytest.mark.parametrize(
    ("video", "audio"),
    [
        ("videos/{}.mp4", "audio/{}.wav"),
        ("videos/{}/{}.mp4", "audio/{}/{}.wav"),
        ("videos/{}.{}.mp4", "audio/{}.wav"),
        ("videos/*.mp4", "audio/*.wav"),
        ("videos/*.mp4", "audio/{}.wav"),
        ("videos/{}*.mp4", "audio/{}.wav"),
        ("videos/{}.mp4", "audio/other.wav"),
        ("videos/{}{}.mp4", "audio/x.wav"),
        ("videos/other.mp4", "audio/{}{}.wav"),
        ("{}/{}.mp4", "{}/{}.wav"),
        ("videos/../{}.mp4", "audio/{}.wav"),
        ("videos/{}.mp4", "audio/x/{}.wav"),
        ("videos/{}.", "audio/{}.wav"),
        ("videos/{}mp4", "audio/{}wav"),
        ("{}", "{}"),
    ],
)
def test_names_that_look_like_others(clip_id: str, video: str, audio: str) -> None:
    line = DONE | {"id": clip_id, "video": video.replace("{}", clip_id), "audio": audio.replace("{}", clip_id)}
    assert READ(as_line(line)) == (meant(line) if is_right(line) else None)


def test_a_start_is_the_same_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [DONE | {"id": f"a{n}", "video": f"videos/a{n}.mp4", "audio": None} for n in range(4)]
    lines += [FAILED | {"id": "a1"}, FAILED, DONE | {"turn": 2}, lines[2], {"id": "a3", "status": "forgotten"}]
    path = tmp_path / "manifest.jsonl"
    path.write_bytes(b"".join(map(as_line, lines)) + b"broken\n")
    quick = replay([path])
    monkeypatch.setattr(manifest, "quick_reader", lambda: lambda raw: None)
    assert replay([path]) == quick
    assert (list(quick.done), list(quick.failed), list(quick.let_go)) == (["a0", ID, "a2"], ["a1"], ["a3"])

"""What the page says of a run at work, by the files that it writes."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from avclips.explore import live as looking
from avclips.explore.live import Live

FAILED = {"reason": "private", "permanent": True, "attempts": 1, "error": "This video is private"}


def line(name: str, status: str, minute: int, **more: Any) -> str:
    said = {"id": name, "status": status, "time": f"2026-01-01T10:{minute:02}:00Z"}
    return json.dumps(said | (FAILED if status == "failed" else {}) | more) + "\n"


def write(path: Path, *lines: str) -> None:
    with open(path, "a", encoding="utf-8") as stream:
        stream.writelines(lines)


def test_lines_are_counted_once_and_the_last_counts(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.jsonl"
    live = Live(tmp_path)
    assert live.look()["done"] == 0
    write(manifest, line("a", "done", 0, bytes=10), line("b", "failed", 1), "no line\n", line("c", "done", 6)[:20])
    first = live.look()
    assert (first["done"], first["failed"]) == (1, 1)
    assert first["reasons"] == [{"reason": "private", "count": 1, "words": "private video"}]
    # The line that was being written is whole now; what had failed came after all.
    write(manifest, line("c", "done", 6)[20:], line("b", "done", 7, turn=2))
    write(tmp_path / "manifest.0-of-2.jsonl", line("d", "done", 8), line("a", "forgotten", 9))
    (tmp_path / "download_progress.json").write_text('{"total": 7}')
    (tmp_path / "download_progress.0-of-2.json").write_text('{"total": 9}')
    now = live.look()
    assert (now["done"], now["failed"], now["total"]) == (3, 0, 9)
    start = now["history"][0][0]
    assert [(at - start, *counts) for at, *counts in now["history"]] == [(0, 1, 1, 10), (300, 3, 0, 0)]


def test_pages_that_ask_at_once_count_no_line_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "manifest.jsonl", *(line(f"c{number}", "done", 0) for number in range(20)))
    live, read = Live(tmp_path), looking.parse_line

    def slowly(raw: bytes) -> Any:
        time.sleep(0.001)
        return read(raw)

    monkeypatch.setattr(looking, "parse_line", slowly)
    threads = [threading.Thread(target=live.look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done for _, done, _, _ in live.look()["history"]) == 20


@pytest.mark.parametrize(
    ("owner", "age", "said"),
    [
        ('{"host": "node7", "pid": 12}', 10, "a run on node7 with pid 12"),
        ("[]", 10, "another run"),
        ("{", 10, ""),
        ('{"host": "node7", "pid": 12}', 1000, ""),
    ],
)
def test_who_is_at_work(tmp_path: Path, owner: str, age: float, said: str) -> None:
    path = tmp_path / ".owner.1-of-4.json"
    path.write_text(owner)
    os.utime(path, (time.time() - age,) * 2)
    assert Live(tmp_path).look()["running"] == said


@pytest.mark.parametrize(("left", "shown"), [(600.0, 1), (-5.0, 0)])
def test_a_block_is_shown_while_it_lasts(tmp_path: Path, left: float, shown: int) -> None:
    now = time.time()
    block = {"reason": "bot_check", "since": now - 60, "until": now + left, "waits": 1}
    pace = {
        "version": 1,
        "tokens": 1,
        "at": now,
        "speed": 1,
        "probe_until": 0,
        "round": 0,
        "refused_at": now,
        "block": block,
    }
    (tmp_path / "pace.json").write_text(json.dumps(pace | {"block": block}))
    (tmp_path / "metadata").mkdir()
    paces = [{"name": "guest", "file": str(tmp_path / "pace.json")}, {"name": "other", "file": "/no/such/file"}]
    (tmp_path / "metadata" / "asked.json").write_text(json.dumps({"settings": {}, "paces": paces}))
    found = Live(tmp_path).look()["blocks"]
    assert len(found) == shown and all(each["who"] == "guest" for each in found)

"""--metrics-file: its form, when it is written, and what happens where it cannot be."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from avclips.core.clock import Clock
from avclips.pacing.pacer import Pacer
from avclips.progress.console import Report
from avclips.progress.metrics import MetricsFile, lines
from avclips.progress.update import Progress


def pacer(name: str, **of: Any) -> Pacer:
    usual = {"name": name, "site": "YouTube", "block": None, "block_left": 0.0, "speed": 1.0}
    return cast(Pacer, SimpleNamespace(**(usual | of)))


def test_each_line_is_of_the_form() -> None:
    refused = pacer('a "proxy"\\x', block=object(), block_left=90.4, speed=0.5)
    said = list(lines(Progress(10, 6, 1, 12345, ""), [refused, refused, pacer("b")], True, 1e9))
    assert 'avclips_clips{state="left"} 3' in said and "avclips_fetched_bytes_total 12345" in said
    assert "avclips_paused 1" in said and "avclips_written_timestamp_seconds 1000000000" in said
    assert 'avclips_blocked_seconds{identity="a \\"proxy\\"\\\\x",site="YouTube"} 90' in said
    assert 'avclips_pace_ratio{identity="b",site="YouTube"} 1.000' in said
    names = [line.split()[2] for line in said if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    # Every value stands behind the type of its name.
    for number, line in enumerate(said):
        if not line.startswith("#"):
            assert f"# TYPE {line.split('{')[0].split()[0]} " in "\n".join(said[:number])


def test_it_is_written_now_and_then_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "avclips.prom"
    file = MetricsFile(path)
    file.offer(Progress(10, 0, 0, 0, ""), [pacer("a")], False)
    file.offer(Progress(10, 1, 0, 0, ""), [pacer("a")], False)
    assert 'state="done"} 0' in path.read_text()
    file.offer(Progress(10, 2, 0, 0, ""), [], False, last=True)
    text = path.read_text()
    assert 'state="done"} 2' in text and 'identity="a"' in text


def test_a_place_that_is_gone_does_not_end_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(Clock(), 1, 0, terminal=False, metrics=MetricsFile(tmp_path / "no" / "x.prom"))
    report.tick([], None)
    report.tick([], None)
    report.close()
    assert capsys.readouterr().out.count("The metrics are not written any more") == 1

"""Who asks, and how often: as a run's log says it, and as the report reads it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, cast

import pytest

from avclips.core.clock import Clock
from avclips.core.settings import Identity, Settings
from avclips.fetch.pool import Pool
from avclips.report.pace import pace_of

DIRECT, PROXY = Identity(proxy=""), Identity(proxy="http://user:secret@127.0.0.1:1")


@pytest.mark.parametrize(
    ("identities", "per_hour", "limits"),
    [
        ((DIRECT,), None, {"direct": 270}),
        ((DIRECT, PROXY), 100, {"direct": 100, "http://127.0.0.1:1": 100}),
        ((DIRECT,), 7, {"direct": 7}),
        ((DIRECT,), 1, {"direct": 1}),
        ((DIRECT,), 0, {"direct": None}),
    ],
)
@pytest.mark.parametrize("shared", [True, False])
def test_the_limits_are_logged(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    identities: tuple[Identity, ...],
    per_hour: int | None,
    limits: dict[str, int | None],
    shared: bool,
) -> None:
    state = tmp_path / "state" if shared else None
    settings = Settings(
        data_dir=tmp_path, identities=identities, videos_per_hour=per_hour, state_dir=state, workers=1
    )
    nobody = cast(Any, None)
    with caplog.at_level(logging.INFO):
        assert len(Pool(settings, Clock(), nobody).slots(nobody, nobody, nobody)) == 1
    said = [f"2026-01-01 09:00:00,001 INFO avclips.fetch.pool: {line}\n" for line in caplog.messages]
    greeted = "2026-01-01 09:00:00,000 INFO avclips.progress.console: Clips -> .: yt-dlp 2026.10.26\n"
    (tmp_path / "clips_download.log").write_text(greeted + "".join(said))
    [run] = pace_of(tmp_path, []).runs
    assert {name.partition(" (pace-")[0]: limit for name, limit in run.limits.items()} == limits
    assert all((" (pace-" in name) == shared for name in run.limits) and "secret" not in str(run.limits)

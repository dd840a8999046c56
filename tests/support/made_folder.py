"""Data folders as runs leave them, without a run: annotation files, clips that came, failed, or were not tried."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from avclips.cli.options import read_settings
from avclips.core.clock import Clock
from avclips.core.model import Clip, Outcome
from avclips.datasets.base import Dataset
from avclips.state.last_settings import remember
from avclips.state.store import Store

FACTS: dict[str, Any] = {
    "duration": 10.0, "width": 640, "height": 360, "fps": 25.0, "pictures": 250, "samples": 441000,
    "sample_rate": 44100, "channels": 2, "bytes": 100, "sha256": "ab", "audio_sha256": "cd",
}  # fmt: skip


def made_folder(
    dataset: Dataset,
    folder: Path,
    words: Sequence[str] = (),
    annotations: Mapping[str, Any] | None = None,
    done: Sequence[str] = (),
    failed: Mapping[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Path:
    """What a run with these words leaves of its list: ``done`` ids, and ``failed`` ones with their reasons.

    ``annotations``: files of metadata/, by name, as text or as what JSON is made of. ``facts``: of the finished,
    besides FACTS.
    """
    settings, _ = read_settings(
        dataset, [*words, "--data-dir", str(folder), "--state-dir", str(folder / ".paces")]
    )
    for name, content in (annotations or {}).items():
        path = folder / "metadata" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    store = Store(settings, dataset.name, Clock(), audio=dataset.sounds_in(folder))
    store.open()
    remember(settings)
    clips = {clip.id: clip for clip in dataset.read_clips(store.metadata, settings).clips}
    for clip_id in done:
        publish(store, clips[clip_id], facts)
    for clip_id, reason in (failed or {}).items():
        outcome = Outcome(clips[clip_id], "failed", reason, f"words of {reason}", permanent=True, attempts=1)
        store.record(outcome)
    store.snapshot(force=True)
    store.close()
    return folder


def publish(store: Store, clip: Clip, facts: Mapping[str, Any] | None = None) -> None:
    """Have a clip done, with files of 100 bytes."""
    names = {}
    paths = dict(zip(("video", "audio"), store.files.paths(clip.id, clip.folder), strict=True))
    for kind, path in paths.items():
        if kind == "audio" or store.files.videos.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(100))
            names[kind] = path.relative_to(store.folder).as_posix()
    store.record(Outcome(clip, "done", attempts=1, facts={"video": None, **names, **FACTS, **(facts or {})}))

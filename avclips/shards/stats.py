"""What shards add up to: the counts in a shard's stats file, of one shard and of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.files import sha256
from ..state.manifest import now
from ..state.subtitle_counts import Captions
from .sample import Sample


@dataclass
class Totals:
    """What the stats of the finished shards add up to; ``failed``: by reason.

    ``videos``: how many have clips that are done; ``withheld``: of these, how many came without their better
    formats, by the reason. ``captions``: what they have of the subtitles that were asked for.
    """

    shards: int = 0
    clips: int = 0
    done: int = 0
    may_come: int = 0
    seconds: float = 0.0
    bytes: int = 0
    bytes_fetched: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    videos: int = 0
    withheld: Counter[str] = field(default_factory=Counter)
    captions: Captions = field(default_factory=Captions)

    def add(self, stats: Mapping[str, Any]) -> None:
        """Count a shard."""
        self.shards += 1
        for name in ("clips", "done", "may_come", "seconds", "bytes", "bytes_fetched"):
            setattr(self, name, getattr(self, name) + stats[name])
        self.failed.update(stats["failed"])
        # Shards that were written before these were counted have none.
        self.videos += stats.get("videos", 0)
        self.withheld.update(stats.get("withheld", {}))
        self.captions.clips += stats["done"]
        self.captions.join(stats.get("subtitles") or {})


def stats_of(name: str, samples: Iterable[Sample], files: Mapping[str, Path]) -> dict[str, Any]:
    """What a shard's stats file says: counts, of failures by reason, and the sizes and digests of its files."""
    samples = list(samples)
    lines = [sample.line for sample in samples if sample.done and sample.line]
    failed = [sample.line or {"reason": "untried"} for sample in samples if not sample.done]
    # By video: all clips of one are in one shard.
    offered = {sample.clip.video: (sample.line or {}).get("withheld") for sample in samples if sample.done}
    captions = Captions()
    for line in lines:
        # What a run asks for is in each of its lines.
        captions.add(line, tuple(line.get("subtitles") or ()))
    return {
        "shard": name,
        "clips": len(samples),
        "done": len(lines),
        "failed": dict(Counter(line["reason"] for line in failed).most_common()),
        "videos": len(offered),
        "withheld": dict(Counter(why for why in offered.values() if why)),
        "may_come": sum(not line.get("permanent") for line in failed),
        "seconds": round(sum(line.get("duration") or 0.0 for line in lines), 3),
        "bytes": sum(path.stat().st_size for path in files.values()),
        "bytes_fetched": sum(line.get("bytes_fetched") or 0 for line in lines),
        **({"subtitles": lacking} if (lacking := captions.as_json()) else {}),
        "files": {each: path.stat().st_size for each, path in files.items()},
        "sha256": {each: sha256(path) for each, path in files.items()},
        "time": now(),
    }


def is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def are_stats(found: Mapping[str, Any]) -> bool:
    """Whether all is there, and of its kind, that is counted."""
    counts = ("clips", "done", "may_come", "bytes", "bytes_fetched")
    failed, seconds = found.get("failed"), found.get("seconds")
    right = all(is_count(found.get(name)) for name in counts) and isinstance(failed, dict)
    right = right and isinstance(seconds, (int, float)) and 0 <= seconds < 1e15
    right = right and isinstance(found.get("subtitles") or {}, dict)
    return right and isinstance(failed, dict) and all(map(is_count, failed.values()))

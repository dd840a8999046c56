"""What a run came to, in words: for its end, and for a look at its folder later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import REASONS, WITHHELD

NO_BETTER = (
    "A newer yt-dlp, other --cookies or none, or a plugin for PO tokens (see yt-dlp's wiki) may bring more."
)
# What fails so comes from other archives, not by asking again.
_NOT_BY_ASKING = ("not_archived", "archive")


def without_better(videos: int, withheld: Mapping[str, int]) -> list[str]:
    """How many videos came without their better formats, and what may help; nothing where none did.

    ``withheld``: how many of ``videos``, by the reason (errors.WITHHELD).
    """
    lines = [
        f"{withheld[why]:,} of {videos:,} videos offered only format 18, or HLS, here: {REASONS[why]}."
        for why in WITHHELD
        if withheld.get(why)
    ]
    return [*lines, NO_BETTER] if lines else []


def summary(
    done: int,
    wanted: int,
    failed: Mapping[str, Mapping[str, Any]],
    untried: int,
    limit: int | None = None,
    again: str = "",
) -> list[str]:
    """The last lines of a run: what is there, what failed and why, and what to do about it.

    ``failed``: clip id -> its manifest line, of the clips that were asked for. ``untried``: clips that no try
    was made for (a stop, --max-clips). ``limit``: of --max-clips, where it was reached. ``again``: the command
    that goes on, where whoever reads this has not just typed it.
    """
    lines = [f"{done} of {wanted} clips are done, {len(failed)} failed, {untried} not tried yet."]
    counts = Counter((line["reason"], bool(line["permanent"])) for line in failed.values())
    for (reason, permanent), count in counts.most_common():
        then = "final" if permanent else "another run tries again"
        lines.append(f"  {count:6d}  {reason}: {REASONS.get(reason, 'unknown reason')} ({then})")
    if any(line["reason"] in ("age", "members", "login") for line in failed.values()):
        lines.append(
            "Some videos want a signed-in viewer: --cookies FILE (of a throwaway account) may bring them."
        )
    if any(line["reason"] == "not_archived" for line in failed.values()):
        lines.append("What is in none of the archives comes when a run is given more of them: --archives PATH ...")
    if any(line["reason"] == "archive" for line in failed.values()):
        lines.append("What is broken in the archives stands in failed_downloads.json; it needs another archive.")
    passing = {
        reason: count
        for (reason, permanent), count in counts.most_common()
        if not permanent and reason not in _NOT_BY_ASKING
    }
    final = [reason for (reason, permanent), _ in counts.most_common() if permanent]
    if limit is not None and (untried or passing):
        lines.append(f"--max-clips {limit} is reached: more come with a larger one, or without it.")
    elif untried or passing:
        lines += _may_come(untried, passing, again) if again else ["What is missing comes with the same command."]
    if final and again:
        lines.append("To ask again for what is final (or take it out of failed_downloads.json):")
        lines.append(f"  {again} --retry-failed {' '.join(final)}")
    elif final:
        lines.append(
            "To ask again for what is final: --retry-failed [REASON ...], or take it out of failed_downloads.json."
        )
    return lines


def _may_come(untried: int, passing: Mapping[str, int], again: str) -> Iterator[str]:
    """How many clips may come with another run, why they did not so far, and the command that asks for them."""
    parts = [f"{untried:,} not tried yet"] if untried else []
    if passing:
        said = ", ".join(f"{count:,} {reason}" for reason, count in passing.items())
        parts.append(f"{sum(passing.values()):,} failed for what may pass ({said})")
    yield f"{untried + sum(passing.values()):,} clips may still come: {', '.join(parts)}. This asks for them:"
    yield f"  {again}"

"""What the line of a failed clip means: whether the clip is tried again, and whether a new line says more.

Knows lines of the manifest and settings, no files.
"""

from __future__ import annotations

from ..core.settings import Settings
from .manifest import Line

# Failures that other cookies may mend.
_FOR_OTHER_COOKIES = ("age", "members", "login")


def may_be_tried(line: Line | None, settings: Settings, identities: frozenset[str]) -> bool:
    """Whether a clip may be had by another try; ``line``: of its failure, None where there was none.

    ``identities``: those that would ask now.
    """
    if line is None or not line["permanent"]:
        return True
    asked = settings.retry_failed
    if asked is not None and (not asked or line["reason"] in asked):
        return True
    if line["reason"] == "not_archived" and (settings.archives or settings.id_map):
        # There is another place to look for it.
        return True
    if line["reason"] == "no_audio" and settings.allow_silent:
        return True
    # Restricted: other cookies are another person.
    return line["reason"] in _FOR_OTHER_COOKIES and bool(identities.difference(line.get("identities", ())))


def says_nothing_new(line: Line, before: Line | None) -> bool:
    """Whether that a clip is not on this machine was known, or is less than what a site said of it."""
    if before is None:
        return False
    same = all(line[name] == before.get(name) for name in ("reason", "permanent", "error"))
    return same or (before["permanent"] and before["reason"] not in ("not_archived", "archive"))

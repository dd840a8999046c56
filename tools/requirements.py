"""requirements*.txt -> constraints-oldest.txt: the lowest version of everything that they allow.

A lower bound names a release that exists, so that what is written here can be installed without asking anybody.
What is not named there comes as the newest that those allow.

    python -m tools.requirements          # writes constraints-oldest.txt anew: make constraints
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = (
    "requirements.txt",
    "requirements-scale.txt",
    "requirements-curate.txt",
    "requirements-explore.txt",
    "requirements-report.txt",
    "requirements-dev.txt",
)
OLDEST = ROOT / "constraints-oldest.txt"
_HEAD = f"# The lowest versions that {', '.join(FILES)} allow.\n# Written by `make constraints`; do not edit.\n"


def requirements() -> list[str]:
    """Every requirement of these files, in their order."""
    lines = [line for name in FILES for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    bare = (re.sub(r"(^|\s)#.*", "", line).strip() for line in lines)
    return [line for line in bare if line and not line.startswith("-")]


def name_of(requirement: str) -> str:
    """The package that a requirement names, without extras and versions."""
    return re.split(r"[\[<>=!~;\s]", requirement, maxsplit=1)[0]


def lower_bound(requirement: str) -> str | None:
    """The lowest version allowed; None where any is."""
    found = re.search(r">=\s*([0-9][0-9A-Za-z.]*)", requirement)
    return found[1] if found else None


def oldest(lines: Collection[str]) -> str:
    """A constraints file with every lower bound, as pip reads it: it takes no extras there."""
    bounds = {name_of(line): lower_bound(line) for line in lines}
    return _HEAD + "".join(f"{name}=={bounds[name]}\n" for name in sorted(bounds) if bounds[name])


def named(names: Collection[str]) -> list[str]:
    """The requirements of these packages; each must be one of ours."""
    lines = {name_of(line): line for line in requirements()}
    return [lines[name] for name in names]


if __name__ == "__main__":
    OLDEST.write_text(oldest(requirements()), encoding="utf-8")

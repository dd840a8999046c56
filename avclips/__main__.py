"""``python -m avclips COMMAND``, and the command ``avclips``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from avclips.cli.early import leave_quietly


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command of this program; returns its exit code. ``argv``: as ``cli.commands.main`` takes it."""
    leave_quietly()
    from avclips.cli.commands import main as run

    return run(argv)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Download ACAV100M, or a part of it; ``--help`` says how."""

import sys

from avclips.cli.bootstrap import start

if __name__ == "__main__":
    sys.exit(start("acav100m"))

#!/usr/bin/env python3
"""Choose clips as ACAV100M's authors did; the same as ``avclips curate``. ``--help`` says how."""

import sys

from avclips.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["curate", *sys.argv[1:]]))

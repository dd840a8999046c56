#!/usr/bin/env python3
"""Download the clips of a list of your own; ``--help`` says how."""

import sys

from avclips.cli.bootstrap import start

if __name__ == "__main__":
    sys.exit(start("clips"))

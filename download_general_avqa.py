#!/usr/bin/env python3
"""Download the clips of General AVQA; ``--help`` says how."""

import sys

from avclips.cli import main
from avclips.datasets.general_avqa import GENERAL_AVQA

if __name__ == "__main__":
    sys.exit(main(GENERAL_AVQA))

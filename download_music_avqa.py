#!/usr/bin/env python3
"""Download the videos of MUSIC-AVQA; ``--help`` says how."""

import sys

from avclips.cli import main
from avclips.datasets.music_avqa import MUSIC_AVQA

if __name__ == "__main__":
    sys.exit(main(MUSIC_AVQA))

"""``python -m avclips COMMAND``."""

import sys

from avclips.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())

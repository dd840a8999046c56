"""`make demo`: the whole program on made-up videos, and the explorer on what comes. Nothing goes online.

    python -m tools.demo [FOLDER] [--clips N] [--port N] [--no-page]

Ten kinds of event that are seen and heard are made as videos, half of the clips with a foreign sound. A stand-in
for YouTube shows them. The real script downloads the clips from it as it would from YouTube; then they are
curated, and shown. Each step is a line; what the programs say themselves is in FOLDER_videos/demo.log.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import time
from pathlib import Path
from types import FrameType

from avclips.cli.early import leave_quietly

FEWEST = 20
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Make what is not there yet, step by step, and show it; returns the exit code."""
    leave_quietly()
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description="See the whole program at work.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("data/demo"), help="[data/demo]")
    parser.add_argument("--clips", type=int, default=100, metavar="N", help=f"how many, from {FEWEST} up [100]")
    parser.add_argument("--port", type=int, default=8642, metavar="N", help="of the page [8642]")
    parser.add_argument("--no-page", action="store_true", help="end before the page is served")
    options = parser.parse_args()
    if options.clips < FEWEST:
        parser.error(f"--clips {options.clips}: a selection needs at least {FEWEST}")
    if not options.no_page and options.port and taken(options.port):
        parser.error(f"--port {options.port}: something listens there; name another, or 0 for any")
    # A third of a second, in which Ctrl-C ends this without further ado.
    from avclips.core.errors import RunError
    from tools.demo_steps import curated, ended

    for number in STOPPING:
        # Under nohup SIGHUP is ignored, and stays so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    try:
        began = time.monotonic()
        curated(options.folder.absolute(), options.clips)
        print(f"After {time.monotonic() - began:.0f} s all is in {options.folder}, a folder like any other:")
        for command in ("status", "report", "curate status --data-dir"):
            print(f"     python -m avclips {command} {options.folder}", flush=True)
    except KeyboardInterrupt as stopped:
        print("Stopped; the same command goes on from here.", file=sys.stderr)
        return 128 + int(stopped.args[0])
    except RunError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.no_page:
        return 0
    print("The explorer is at:", flush=True)
    try:
        return ended(
            ["-m", "avclips", "explore", str(options.folder.absolute()), "--port", str(options.port)], os.environ
        )
    except KeyboardInterrupt:
        return 0


def _stop(number: int, frame: FrameType | None) -> None:
    # What ends now is ended once: a second signal would leave files behind.
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(number)


def taken(port: int) -> bool:
    """Whether something listens at a port of this machine."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    sys.exit(main())

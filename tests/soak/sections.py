"""The other side of the soak test: the same clips cut by yt-dlp itself, with ``--download-sections``.

Knows: how a user would run that, and how long the results are. Knows not: which faults it meets.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.checks import seconds
from tests.soak.faults import SOCKET_TIMEOUT, RoughYouTube
from tests.soak.listing import Piece
from tests.standin import fake_media

# Seconds that one try may take, and tries of a clip that fails: as many as our own side has in a run.
PATIENCE, ATTEMPTS = 40.0, 5


@dataclass
class Sections:
    """What became of clips that yt-dlp cut itself. ``codes``: how tries ended; ``done``: exits with 0."""

    clips: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    done: int = 0
    short: list[float] = field(default_factory=list)
    took: float = 0.0


def by_sections(pieces: Sequence[Piece], youtube: RoughYouTube, work: Path) -> Sections:
    """Fetch clips with ``yt-dlp --download-sections``, again while it fails, and measure what it calls done."""
    bin_folder, out = work / "bin", work / "sections"
    bin_folder.mkdir()
    out.mkdir()
    (bin_folder / "ffmpeg").symlink_to(fake_media.ffmpeg())
    environment = {**os.environ, **youtube.environment()}
    environment["PATH"] = f"{bin_folder}{os.pathsep}{environment.get('PATH', '')}"
    found, started = Sections(len(pieces)), time.monotonic()

    def fetch(piece: Piece) -> list[int | None]:
        codes: list[int | None] = []
        while len(codes) < ATTEMPTS and 0 not in codes:
            for left in out.glob(f"{piece.clip}.*"):
                left.unlink()
            codes.append(_fetch_section(piece, youtube.proxy, bin_folder, out, environment))
        return codes

    with ThreadPoolExecutor(4) as pool:
        for piece, codes in zip(pieces, pool.map(fetch, pieces), strict=True):
            found.codes.update("hung" if code is None else "0" if code == 0 else "not 0" for code in codes)
            if 0 in codes:
                found.done += 1
                length = max([0.0, *(seconds(path) for path in out.glob(f"{piece.clip}.*"))])
                if length < piece.length - 0.5:
                    found.short.append(length)
    found.took = time.monotonic() - started
    return found


def _fetch_section(
    piece: Piece, proxy: str, bin_folder: Path, out: Path, environment: dict[str, str]
) -> int | None:
    """yt-dlp's exit code; None when it did not end."""
    command = [sys.executable, "-m", "yt_dlp", "--ignore-config", "--no-cache-dir", "--quiet"]
    command += ["--proxy", proxy, "--no-check-certificates", "--socket-timeout", SOCKET_TIMEOUT]
    command += ["--ffmpeg-location", str(bin_folder), "-f", "bv[height<=360][vcodec^=avc1]+ba[ext=m4a]"]
    command += ["--download-sections", f"*{piece.start}-{piece.start + 10}", "-o", f"{out}/{piece.clip}.%(ext)s"]
    command += ["--", piece.clip[:11]]
    with open(out / f"said-{piece.clip}.txt", "ab") as said:
        child = subprocess.Popen(
            command, env=environment, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        return child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # with the ffmpeg that it waits for
        child.wait()
        return None

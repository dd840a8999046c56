"""A part of the soak test: a list with hosts that are gone and servers that drip among those that are well.

Knows: what becomes of such a list, killed once on its way, and how much memory that takes. Knows not: YouTube.
"""

from __future__ import annotations

import http.server
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.standin import fake_media
from tests.standin.fake_media import PROGRESSIVE, Media
from tests.standin.rehearse import ROOT
from tests.standin.slow_server import SlowServer

GOOD, DEAD_HOSTS, DEAD_EACH = 40, 4, 6
DRIPS = ("page/1", "page/2", "status/1", "header/1", "endless/1", "endless-redirect/1", "body/1.mp4", "body/2.mp4")
# What may be said of what drips; a redirect leads to a page that is not there.
MEANS = {"slow", "network", "removed"}
SCALE, PATIENCE = "1000", 400.0
# The memory that one process may take.
MOST_MB = 300


@contextmanager
def films(content: bytes) -> Iterator[str]:
    """A server that has a film at every address."""

    class Films(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Films) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def with_dead_hosts(seed: int, work: Path, media: Path) -> list[str]:
    """Run the list until it ends with 3; returns what is wrong, a line each."""
    rng = random.Random(seed)
    film = fake_media.make(Media(duration=4, width=64, height=36, gop_seconds=2, fps=10), PROGRESSIVE, media)
    with films(film.read_bytes()) as good, SlowServer() as slow:
        rows = [(f"good{n}", f"{good}/{n}.mp4") for n in range(GOOD)]
        rows += [
            (f"dead{host}-{n}", f"http://127.0.{host + 1}.9:1/{n}.mp4")
            for host in range(DEAD_HOSTS)
            for n in range(DEAD_EACH)
        ]
        rows += [(f"drip-{path.replace('/', '-')}", slow.url(path)) for path in DRIPS]
        rows.append(("drip-handshake", slow.url("handshake", "https")))
        rng.shuffle(rows)
        text = "".join(f"{address},0,1,{name}\n" for name, address in rows)
        (work / "hosts.csv").write_text(f"url,start,end,id\n{text}")
        return _run(work, {name for name, _ in rows}, rng)


def _run(work: Path, names: set[str], rng: random.Random) -> list[str]:
    folder = work / "hosts"
    command = [sys.executable, str(ROOT / "download_clips.py"), str(work / "hosts.csv"), "--data-dir", str(folder)]
    command += ["--state-dir", str(work / "hosts-state"), "--sleep", "0", "--min-free", "0", "--workers", "4"]
    command += ["--cut", "copy", "--retry-attempts", "2"]
    # Whoever leads out of this machine reaches nobody.
    environment = {
        **os.environ,
        "AVCLIPS_TIME_SCALE": SCALE,
        "https_proxy": "http://127.0.0.1:1",
        "no_proxy": "127.0.0.1",
    }
    until, kill_at, peak = time.monotonic() + PATIENCE, rng.randrange(5, 20), 0
    code: int | None = None
    while code is None and time.monotonic() < until:
        with open(work / "hosts.out", "ab") as out:
            child = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        while child.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
            peak = max(peak, _memory(child.pid))
            if kill_at and len(list((folder / "videos").glob("*.mp4"))) >= kill_at:
                kill_at = 0
                child.send_signal(signal.SIGKILL)
        if child.poll() is None:
            child.kill()
        code = child.wait() if child.wait() >= 0 else None
    print(f"  a list with dead hosts and dripping servers: exit {code}, {peak} MB at most", flush=True)
    wrong = [] if code == 3 else [f"a list with dead hosts ended with {code}"]
    wrong += [] if peak <= MOST_MB else [f"a list with dead hosts took {peak} MB"]
    done = {path.stem for path in (folder / "videos").glob("*.mp4")}
    failed = json.loads((folder / "failed_downloads.json").read_text())
    reasons = {name: line["reason"] for name, line in failed.items()}
    good = {name for name in names if name.startswith("good")}
    wrong += [f"{name} was not fetched" for name in sorted(good - done)]
    wrong += [f"nothing is said of {name}" for name in sorted(names - done - reasons.keys())]
    wrong += [f"{name}: {why}" for name, why in reasons.items() if name.startswith("dead") and why != "network"]
    return wrong + [f"{name}: {why}" for name, why in reasons.items() if name[:4] == "drip" and why not in MEANS]


def _memory(pid: int) -> int:
    """The most that a process had in memory so far, in MB; 0 where that is not told."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0

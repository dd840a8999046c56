"""A longer fuzz: bytes and texts from strangers against everything that reads them.

    make fuzz [SECONDS=600] [SEED=n]        python -m tests.fuzz --seconds 600 --seed 1

Mutates real heads, annotation files, manifests and messages. A target may raise what it says that it raises;
anything else, a huge allocation or a long pause is a finding: its input is written to a file, and the exit
code is 1. Cases that were found belong into the tables of the tests.
"""

from __future__ import annotations

import argparse
import logging
import random
import signal
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from tests.fuzz.media import media_targets
from tests.fuzz.target import Target
from tests.fuzz.texts import text_targets

ROOT = Path(__file__).resolve().parents[2]
MOST_MEMORY = 64 * 1024 * 1024
MOST_SECONDS = 2.0
# Whatever is not back by then will never be.
HUNG_SECONDS = 30.0


def mutated(data: bytes, rng: random.Random) -> bytes:
    """``data`` with a few things wrong with it."""
    work = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(work) + 1)
        what = rng.randrange(7)
        if what == 0 and work:
            work[at % len(work)] ^= 1 << rng.randrange(8)
        elif what == 1:
            work[at:at] = rng.randbytes(rng.randrange(1, 9))
        elif what == 2:
            del work[at : at + rng.randrange(1, 64)]
        elif what == 3:
            work[at : at + 4] = rng.choice(
                (b"\xff\xff\xff\xff", bytes(4), b"\x80\x00\x00\x00", b"\x00\x00\x00\x01")
            )
        elif what == 4:
            work[at:at] = work[at : at + rng.randrange(1, 64)]
        elif what == 5:
            work[at:at] = rng.choice(
                (b'"', b"{", b"[", b"\\u0000", b"1e999", b"-1", b"null", b"\n", b"../", b"NaN")
            )
        else:
            del work[at:]
    return bytes(work)


class Hung(BaseException):
    """Nobody catches this one by mistake."""


def hang_up(number: int, frame: object) -> None:
    """Called by the alarm."""
    raise Hung


def attack(target: Target, data: bytes) -> str | None:
    """What is wrong with how ``target`` took ``data``, or None."""
    tracemalloc.reset_peak()
    # Of this thread's own work: the machine may have others.
    began = time.thread_time()
    signal.signal(signal.SIGALRM, hang_up)
    signal.setitimer(signal.ITIMER_REAL, HUNG_SECONDS)
    try:
        target.read(data)
    except target.allowed:
        pass
    except Hung:
        return f"not back after {HUNG_SECONDS:.0f} s"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    if (took := time.thread_time() - began) > MOST_SECONDS:
        return f"{took:.1f} s of computing"
    peak = tracemalloc.get_traced_memory()[1]
    return f"{peak} bytes of memory" if peak > MOST_MEMORY else None


def main() -> int:
    """Fuzz for a while; 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", nargs="+", metavar="TARGET", help="fuzz only these")
    chosen = parser.parse_args()
    folder = ROOT / ".cache" / "standin"
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(chosen.seed)
    all_targets = [
        target
        for target in (*media_targets(folder), *text_targets())
        if not chosen.only or target.name in chosen.only
    ]
    print(
        f"seed {chosen.seed}, {chosen.seconds:.0f} s, targets: {', '.join(t.name for t in all_targets)}",
        flush=True,
    )
    logging.getLogger("avclips").setLevel(logging.ERROR)
    tracemalloc.start()
    tries, until = 0, time.monotonic() + chosen.seconds
    while time.monotonic() < until:
        for target in all_targets:
            data = mutated(rng.choice(target.seeds), rng)
            complaint = attack(target, data)
            tries += 1
            if complaint is not None:
                found = Path(tempfile.mkdtemp(prefix="avclips-fuzz-")) / target.name
                found.write_bytes(data)
                print(f"FOUND in {target.name}: {complaint}\n  input: {found}\n  {data[:200]!r}")
                return 1
    print(f"{tries} inputs, nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main())

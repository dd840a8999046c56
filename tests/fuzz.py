"""A longer fuzz: bytes and texts from strangers against everything that reads them.

    make fuzz [SECONDS=600] [SEED=n]        python tests/fuzz.py --seconds 600 --seed 1

Mutates real heads, annotation files, journals and messages. A target may raise what it says that it raises;
anything else, a huge allocation or a long pause is a finding: its input is written to a file, and the exit
code is 1. Cases that were found belong into the tables of the tests.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from avclips import spans
from avclips.datasets import general_avqa
from avclips.errors import ClipError, RunError
from avclips.failures import read_failure
from avclips.files import is_plain_name
from avclips.journal import Journal
from avclips.measure import read_framecrc, read_wav
from avclips.pacer import read_pace
from fake_media import Media, make

ROOT = Path(__file__).resolve().parent.parent
MOST_MEMORY = 64 * 1024 * 1024
MOST_SECONDS = 2.0


@dataclass(frozen=True)
class Target:
    """Something that reads what strangers wrote; ``allowed`` is what it may raise."""

    name: str
    seeds: list[bytes]
    read: Callable[[bytes], object]
    allowed: tuple[type[Exception], ...]


def read_index(data: bytes) -> None:
    """The index, and a plan over it: what comes out must be usable."""
    found = spans.read_index(data)
    if isinstance(found, spans.NeedMore):
        assert len(data) < found.size <= spans.MAX_HEAD
        return
    for start, end in ((0, 10), (17, None), (10**6, 10**6 + 10)):
        span = spans.plan(found, Fraction(start), None if end is None else Fraction(end))
        if span is not None:
            assert 0 <= span.first <= span.last and 0 <= span.starts_at <= start


def in_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """A reader of bytes out of a reader of files."""
    path = Path(tempfile.mkdtemp(prefix="avclips-fuzz-")) / name

    def through_file(data: bytes) -> None:
        path.write_bytes(data)
        read(path)

    return through_file


def read_clips(path: Path) -> None:
    """What an annotation file names must be safe to use as a file name."""
    for clip in general_avqa.read_clips(path.parent, ["val"]).clips:
        assert is_plain_name(clip.id) and clip.start >= 0


def read_message(data: bytes) -> None:
    """Whatever YouTube says is some ClipError."""
    text = data.decode("utf-8", "replace")
    assert isinstance(read_failure(text, [text[::-1], text]), ClipError)


def targets(folder: Path) -> list[Target]:
    """Everything that is fuzzed, with real input to begin from."""
    media = Media(duration=24.0, width=160, height=90, fps=10)
    heads = [make(media, itag, folder).read_bytes()[:3000] for itag in (134, 140)]
    records = [{"id": 1, "video_name": "06GyG4-wONQ_000006", "video_id": 2, "multi_choice": ["a", None]}] * 3
    questions = [json.dumps(records).encode(), json.dumps(records, indent=4).replace("\n", "\r\n").encode()]
    rows = [b'06GyG4-wONQ,6,"a, b",test\r\n---g-f_I2yQ,1,people marching,test\n']
    done = {"id": "a", "status": "done", "video": "videos/a.mp4", "audio": None}
    failed = {
        "id": "a",
        "status": "failed",
        "reason": "x",
        "permanent": True,
        "attempts": 1,
        "error": "",
        "time": "",
    }
    lines = [b"\n".join(json.dumps(line).encode() for line in (done, failed, done))]
    pace = {"tokens": 3.5, "at": 1e9, "speed": 1.0, "round": 3, "refused_at": None, "probe_until": 0.0}
    block = {"reason": "bot_check", "since": 1e9, "until": 2e9, "waits": 2}
    paces = [json.dumps({"version": 1, **pace, "block": each}).encode() for each in (None, block)]
    listing = b"#tb 0: 1/12800\n#media_type 0: video\n#dimensions 0: 640x360\n0, -1024, 0, 512, 100, 0xf8dbff50\n"
    messages = [
        "Video unavailable",
        "Sign in to confirm you\u2019re not a bot. x",
        "HTTP Error 429: Too Many Requests",
    ]
    wav = (
        b"RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x44\xac\x00\x00\x10\xb1\x02"
        b"\x00\x04\x00\x10\x00data\x08\x00\x00\x00" + bytes(8)
    )
    return [
        Target("spans", heads, read_index, (spans.NoIndex,)),
        Target("questions", questions, in_file("val_qa.json", read_clips), (RunError,)),
        Target("labels", rows, in_file("vggsound.csv", general_avqa.read_labels), (RunError,)),
        Target("journal", lines, in_file("manifest.jsonl", lambda path: Journal(path).read(None)), ()),
        Target(
            "pace",
            paces,
            lambda data: read_pace(json.loads(data)),
            (ValueError, TypeError, KeyError, OverflowError),
        ),
        Target("listing", [listing], lambda data: read_framecrc(data.decode("latin-1")), (ClipError,)),
        Target("messages", [text.encode() for text in messages], read_message, ()),
        Target("wav", [wav], in_file("x.wav", read_wav), (ClipError,)),
    ]


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


def attack(target: Target, data: bytes) -> str | None:
    """What is wrong with how ``target`` took ``data``, or None."""
    tracemalloc.reset_peak()
    began = time.monotonic()
    try:
        target.read(data)
    except target.allowed:
        pass
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if time.monotonic() - began > MOST_SECONDS:
        return f"{time.monotonic() - began:.1f} s"
    peak = tracemalloc.get_traced_memory()[1]
    return f"{peak} bytes of memory" if peak > MOST_MEMORY else None


def main() -> int:
    """Fuzz for a while; 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    chosen = parser.parse_args()
    folder = ROOT / ".cache" / "standin"
    folder.mkdir(parents=True, exist_ok=True)
    rng, all_targets = random.Random(chosen.seed), targets(folder)
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

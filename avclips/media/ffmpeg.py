"""ffmpeg: run it, list and decode a file.

The only module that starts a child process. Every child has a deadline, no stdin, no shell, and may open
nothing but files; what it says is kept. A broken source is a Transient, a child that a signal ended a Killed,
a full disk the OSError it is.
"""

from __future__ import annotations

import errno
import functools
import logging
import math
import os
import re
import resource
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

from ..core.clock import Clock
from ..core.errors import Killed, RunError, Transient
from ..core.tested_versions import FFMPEG
from .file_type import container_of
from .measure import Track, read_framecrc

log = logging.getLogger(__name__)

READING = ("-threads", "1", "-protocol_whitelist", "file,pipe")
"""How a file is read: whatever it names, no other is opened."""
UNDECODED = ("-bsf:v", "setts=pts=PTS:dts=N-1000000000")
"""For listings of packets: each is decoded long before it is shown. Where a container does not say when, ffmpeg
guesses, and where a guess is late it moves the picture."""
FFMPEG_HINT = FFMPEG.upgrade
# Cutting ten seconds takes about one second of CPU; on a crowded node, many times that.
DEADLINE = 300.0
# All that is run for one clip, together: a stream in pieces is looked at piece by piece.
CLIP = 6 * DEADLINE
# Address space of a child in bytes; a cut at 720p takes a tenth of it.
MEMORY = 4 * 1024**3
# Bytes that a child may print, a million packets listed; as many are kept in memory, and the rest in a file.
MOST_PRINTED, IN_MEMORY = 64 << 20, 1 << 20
_WRITE_ERRORS = {
    "No space left on device": errno.ENOSPC,
    "Disk quota exceeded": errno.EDQUOT,
    "Read-only file system": errno.EROFS,
}


class Ffmpeg:
    """One ffmpeg binary."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._children: set[subprocess.Popen[bytes]] = set()
        # Of each thread, the seconds that are left of its clip.
        self._own = threading.local()
        clock.on_stop(self.kill_all)

    def kill_all(self) -> None:
        """End every child that runs now."""
        for child in list(self._children):
            child.kill()

    @contextmanager
    def of_a_clip(self) -> Iterator[None]:
        """What this thread runs within is for one clip, and is over after so many seconds together (``CLIP``)."""
        self._own.left = self._clock.real(CLIP, at_least=CLIP / 10)
        try:
            yield
        finally:
            del self._own.left

    def run(self, arguments: Sequence[str | Path]) -> str:
        """Run ffmpeg to its end and return its standard output; Transient if it fails or hangs.

        Killed where a signal ended it twice: once may have been another's doing, such as want of memory.
        """
        return "".join(self.lines(arguments))

    def lines(self, arguments: Sequence[str | Path]) -> Iterator[str]:
        """The same, as what it printed line by line: a listing may be long, and is not held in memory."""
        if _BASE in arguments:
            arguments = [self._source_base if word == _BASE else word for word in arguments]
        try:
            return _read_lines(self._run(arguments))
        except Killed as error:
            log.warning("%s: once more", error.detail)
            return _read_lines(self._run(arguments))

    def _run(self, arguments: Sequence[str | Path]) -> IO[bytes]:
        output = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by who reads it
        try:
            self._run_into(output, arguments)
        except BaseException:
            output.close()
            raise
        return output

    def _run_into(self, output: Any, arguments: Sequence[str | Path]) -> None:
        self._clock.check()
        left = getattr(self._own, "left", math.inf)
        if left <= 0:
            raise Transient("media", _TOO_LONG.format(CLIP))
        started = time.monotonic()
        try:
            self._run_for(output, arguments, left)
        finally:
            if left < math.inf:
                self._own.left = left - (time.monotonic() - started)

    def _run_for(self, output: Any, arguments: Sequence[str | Path], left: float) -> None:
        """Run it for as long as one run may take, and no longer than ``left`` seconds."""
        deadline = self._clock.real(DEADLINE, at_least=DEADLINE / 10)
        late = f"ffmpeg did not end within {DEADLINE:.0f} s" if deadline <= left else _TOO_LONG.format(CLIP)
        command = [str(self.path), "-v", "error", "-y", "-nostdin", "-xerror", *_ALONE, *map(str, arguments)]
        with tempfile.TemporaryFile() as said:
            # A session of its own, so that a Ctrl-C in the terminal reaches us and not the child.
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, start_new_session=True
            )
            self._children.add(child)
            try:
                _bound_memory(child.pid)
                _run_in_turn(child.pid)
                # A stop that came while the child was being started did not see it.
                self._clock.check()
                _keep(child, output, min(deadline, left), late)
            finally:
                if child.poll() is None:
                    child.kill()
                    child.wait()
                assert child.stdout is not None
                child.stdout.close()
                self._children.discard(child)
            self._clock.check()
            said.seek(0)
            complaint = said.read(64 * 1024).decode("utf-8", "replace").strip()
        if child.returncode != 0:
            raise _failure(complaint, child.returncode)
        output.seek(0)

    @functools.cached_property
    def version(self) -> str:
        """As ffmpeg names itself; RunError where it does not run, or is something else."""
        try:
            answer = subprocess.run(
                [self.path, "-hide_banner", "-version"],
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
            ).stdout
        except (OSError, subprocess.SubprocessError) as error:
            raise RunError(f"{self.path} does not run as ffmpeg: {error}", FFMPEG_HINT) from error
        match = re.match(r"ffmpeg version (\S+)", answer)
        if not match:
            raise RunError(f"{self.path} is not ffmpeg", FFMPEG_HINT)
        return match[1]

    @functools.cached_property
    def _source_base(self) -> str:
        """The word for the source's time base, which ffmpeg before 6.1 does not know, nor 8 the one before it."""
        try:
            self._run(
                ["-f", "lavfi", "-i", "color=duration=0.04", "-enc_time_base", _BASE, "-f", "null", "-"]
            ).close()
        except Transient as error:
            if _BASE in error.detail:
                return "-1"
        return _BASE

    def list_packets(self, path: Path) -> list[Track]:
        """The packets of a file, read but not decoded: which tracks it has, and how long they are."""
        arguments: list[str | Path] = [
            "-copyts",
            *READING,
            "-f",
            container_of(path),
            "-i",
            path,
            *_ALL,
            "-c",
            "copy",
            *UNDECODED,
            "-f",
            "framecrc",
            "pipe:1",
        ]
        return read_framecrc(self.lines(arguments))

    def measure(self, path: Path, at_most: Fraction | None = None, also: Sequence[str | Path] = ()) -> list[Track]:
        """Decode the file, whole or ``at_most`` so many seconds of it; Transient if that does not decode.

        ``also``: other outputs of the same decode.
        """
        stop = [] if at_most is None else ["-t", f"{float(at_most):.6f}"]
        # In the pictures' own time base: by default ffmpeg rounds their times to the frame rate.
        listing = ["-fps_mode", "passthrough", "-enc_time_base:v", _BASE, "-f", "framecrc", "pipe:1"]
        # -copyts: otherwise a file whose first picture is not at 0 (a silent one's, say) is moved there.
        arguments: list[str | Path] = ["-copyts", *READING, "-f", container_of(path), "-i", path]
        arguments += [*_ALL, *stop, *listing, *also]
        return read_framecrc(self.lines(arguments))


# Pictures and sound; an untrusted file may hold subtitles and data besides.
_ALL = ("-map", "0:v?", "-map", "0:a?")
# By default each graph of filters starts a thread for every core of the node, with a stack of its own, and each of
# a clip's few small pictures wakes them all: with 64 of them, a quarter more CPU.
_ALONE = ("-filter_threads", "1", "-filter_complex_threads", "1")
_TOO_LONG = "ffmpeg was at one clip for more than {:.0f} s"
# For -enc_time_base: pictures keep the ticks of their source.
_BASE = "demux"


def _keep(child: subprocess.Popen[bytes], output: IO[bytes], seconds: float, late: str) -> None:
    """Have what a child prints in ``output`` until it ends. ``late``: what is said where it does not."""
    assert child.stdout is not None
    ready, until, left = select.poll(), time.monotonic() + seconds, MOST_PRINTED
    ready.register(child.stdout, select.POLLIN)
    try:
        while ready.poll(1000 * max(0.0, until - time.monotonic())):
            block = os.read(child.stdout.fileno(), 1 << 16)
            if not block:
                child.wait(max(0.1, until - time.monotonic()))
                return
            if (left := left - len(block)) < 0:
                raise Transient("media", f"a file of which ffmpeg prints more than {MOST_PRINTED >> 20} MB")
            output.write(block)
    except subprocess.TimeoutExpired:
        pass
    raise Transient("media", late)


def _read_lines(output: IO[bytes]) -> Iterator[str]:
    with output:
        for line in output:
            yield line.decode("utf-8", "replace")


def _bound_memory(pid: int) -> None:
    """Have a child that an untrusted file drives mad end itself, not the node; where the system can."""
    if hasattr(resource, "prlimit"):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
        with suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_AS, (most, most))


def _run_in_turn(pid: int) -> None:
    """Have the child's threads not interrupt each other at each packet: a tenth less CPU, where it can be."""
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):
            os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))


def _failure(complaint: str, code: int) -> Exception:
    for words, number in _WRITE_ERRORS.items():
        if words in complaint:
            return OSError(number, os.strerror(number))
    if code < 0:
        return Killed("signal", f"ffmpeg was ended by {_signal(-code)}")
    # Without the addresses in ffmpeg's own memory.
    lines = re.sub(r" @ 0x[0-9a-f]+", "", complaint).splitlines()
    return Transient("media", lines[0] if lines else f"ffmpeg ended with {code} and no word")


def _signal(number: int) -> str:
    with suppress(ValueError):
        return f"signal {number} ({signal.Signals(number).name})"
    return f"signal {number}"

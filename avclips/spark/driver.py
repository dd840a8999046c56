"""Shards on many machines: Spark gives each to a machine, and this module sees that all of them come.

The driver keeps a few jobs at work at a time, each with a shard for every core: the list is taken as it is needed,
however long it is, and the last shards of one job do not keep the others waiting.
"""

from __future__ import annotations

import atexit
import functools
import importlib.resources
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
import zipfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from ..core.clock import Clock
from ..core.errors import GaveUp, RunError
from ..core.extras import extra
from ..core.redact import one_line
from ..shards.layout import Output
from ..shards.shard import Shard
from .java import use_java
from .task import Job, Result, clean_up, do_shard

log = logging.getLogger("avclips.spark.driver")

# Jobs at a time.
JOBS = 3
# So often may a shard fail by what somebody has to mend, and so many jobs in a row by themselves.
MOST_FAILURES = 3
# Packages that a session of our own takes, and what for.
NEEDS = {"pyspark.sql": "--engine spark is done"}
UrlOf = Callable[[str], str | None]
Item = tuple[Shard, Mapping[str, str | None]]


def open_session(master: str) -> Any:
    """A Spark session of our own. UsageError where Spark or Java is missing; RunError where it does not start."""
    see_java()
    sql = extra("pyspark.sql", NEEDS["pyspark.sql"]).sql
    # The Python that runs this, where the machines have the same; a user may say otherwise.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = sql.SparkSession.builder.master(master).appName("avclips")
    # A shard that takes long waits for its pace: a second try elsewhere would only ask for the same again.
    builder = builder.config("spark.speculation", "false").config("spark.ui.showConsoleProgress", "false")
    if master.startswith("local"):
        builder = builder.config("spark.ui.enabled", "false").config("spark.driver.bindAddress", "127.0.0.1")
        builder = builder.config("spark.driver.host", "127.0.0.1")
    try:
        with _own_signals():
            return builder.getOrCreate()
    except Exception as error:  # whatever Py4J wraps
        hint = "is the master there, and is its Spark of our version? see docs/scale.md"
        raise RunError(f"Spark does not start with {master}: {one_line(error)}", hint) from error


@contextmanager
def _own_signals() -> Iterator[None]:
    """SparkContext takes SIGINT for itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def see_java() -> str | None:
    """Find a Java for the Spark that is installed; returns what is to be told of it (see use_java)."""
    return use_java(extra("pyspark", NEEDS["pyspark.sql"]).__version__)


class Cluster:
    """The shards of one run on Spark's machines."""

    def __init__(self, session: Any, job: Job, clock: Clock) -> None:
        self._context = session.sparkContext
        self._job = job
        self._clock = clock
        self._context.addPyFile(str(zipped_package()))
        # What came back and is to be done again.
        self._again: deque[Item] = deque()
        self._failures: Counter[int] = Counter()
        self._jobs_failed = 0
        # Shards that came back since the last one that was there.
        self._refused: set[int] = set()
        # Another's jobs in the same session are not ours to end.
        self._group = f"avclips-{secrets.token_hex(8)}"

    @property
    def cores(self) -> int:
        """How many tasks can be at work at a time."""
        return max(1, int(self._context.defaultParallelism))

    def run(self, shards: Iterator[Shard], url_of: UrlOf, output: Output, look: Callable[[], None]) -> None:
        """Have all shards written; ``look`` is called every second. RunError, GaveUp, Stopped."""
        pool = ThreadPoolExecutor(JOBS, thread_name_prefix="job")
        jobs: dict[Future[list[Result]], list[Item]] = {}
        last = self._clock.now()
        try:
            while True:
                while len(jobs) < JOBS and (wave := self._wave(shards, url_of)):
                    jobs[pool.submit(self._submit, wave)] = wave
                if not jobs:
                    return
                done, _ = wait(jobs, timeout=1.0, return_when=FIRST_COMPLETED)
                self._clock.check()
                look()
                for each in done:
                    if self._take(each, jobs.pop(each), output):
                        last = self._clock.now()
                        self._refused.clear()
                # A shard that is being fetched may take days; one that came back did not.
                if all(shard.number in self._refused for wave in jobs.values() for shard, _ in wave):
                    self._give_up_in_time(last)
        except BaseException:
            self._context.cancelJobGroup(self._group)
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _wave(self, shards: Iterator[Shard], url_of: UrlOf) -> list[Item]:
        """A shard for every core; of those that came back, first."""
        wave = [self._again.popleft() for _ in range(min(len(self._again), self.cores))]
        while len(wave) < self.cores and (shard := next(shards, None)) is not None:
            wave.append((shard, {clip.video: url_of(clip.video) for clip in shard.clips}))
        return wave

    def _submit(self, wave: Sequence[Item]) -> list[Result]:
        self._context.setJobGroup(self._group, "avclips")
        task = functools.partial(_on_a_machine, self._job)
        return list(self._context.parallelize(wave, len(wave)).map(task).collect())

    def _take(self, job: Future[list[Result]], wave: Sequence[Item], output: Output) -> bool:
        """What became of a job; whether any of its shards is there now."""
        items = {shard.number: (shard, urls) for shard, urls in wave}
        try:
            results = job.result()
            self._jobs_failed = 0
        except Exception as error:  # whatever Py4J wraps: a machine that died too often, or has no Python of ours
            self._jobs_failed += 1
            said = words(error)
            log.warning("a job failed: %s", said)
            if self._jobs_failed >= MOST_FAILURES:
                hint = (
                    "see Spark's own log; what the machines run is said by PYSPARK_PYTHON; then the same command"
                )
                raise RunError(f"Spark's jobs fail: {said}", hint) from error
            there = frozenset[int]()
            with suppress(RunError):
                there = output.finished()
            self._again.extend(item for number, item in items.items() if number not in there)
            return False
        for result in results:
            if result.state == "failed":
                self._failures[result.number] += 1
                log.warning("shard %s on %s: %s", output.name(result.number), result.host, result.error)
                if self._failures[result.number] >= MOST_FAILURES:
                    raise RunError(f"{result.error} (on {result.host})", result.hint)
            if result.state != "there":
                self._refused.add(result.number)
                log.info("shard %s comes back from %s: %s", output.name(result.number), result.host, result.state)
                self._again.append(items[result.number])
        return any(result.state == "there" for result in results)

    def _give_up_in_time(self, last: float) -> None:
        if self._clock.now() - last > self._job.settings.give_up_after:
            hours = self._job.settings.give_up_after / 3600
            raise GaveUp(
                f"no machine could finish a shard for {hours:g} hours",
                "start the same command again later, perhaps with more --proxy, or fewer --videos-per-hour",
            )

    def clean_up(self) -> None:
        """Have every machine, as far as it can be reached, remove what is left of what others wrote."""
        count = 2 * self.cores
        task = functools.partial(_clean_a_machine, self._job)
        try:
            self._context.parallelize(range(count), count).foreach(task)
        except Exception as error:  # whatever Py4J wraps; it is no reason to fail a run
            log.warning("what is left on the machines could not be removed: %s", words(error))


def _on_a_machine(job: Job, item: Item) -> Result:
    return do_shard(job, *item)


def _clean_a_machine(job: Job, _: int) -> None:
    clean_up(job, job.output(), socket.gethostname())


def words(error: BaseException) -> str:
    """The last line that says something of what Spark tells at length."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line and not line.startswith(("at ", "File ", "...", "Driver stacktrace"))]
    told = [line for line in said if "Error" in line or "Exception" in line]
    return (told or said or [type(error).__name__])[-1][:300]


@functools.cache
def zipped_package() -> Path:
    """This package in one file, for machines that do not have it; machines that join late ask for it too."""
    folder = Path(tempfile.mkdtemp(prefix="avclips-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "avclips.zip"
    with zipfile.ZipFile(path, "w") as target:
        # Also out of a single file.
        _add(target, importlib.resources.files("avclips"), "avclips")
    return path


def _add(target: zipfile.ZipFile, source: Traversable, name: str) -> None:
    for each in sorted(source.iterdir(), key=lambda each: each.name):
        inner = f"{name}/{each.name}"
        if each.is_dir():
            _add(target, each, inner)
        elif inner.endswith(".py"):
            target.writestr(zipfile.ZipInfo(inner), each.read_bytes())


def drop_package() -> None:
    """Remove the file: nobody will ask for it any more."""
    shutil.rmtree(zipped_package().parent, ignore_errors=True)
    zipped_package.cache_clear()

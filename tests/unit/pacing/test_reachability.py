"""Whether a host is gone or the connection: who is asked, and what becomes of a list with such a host in it."""

from __future__ import annotations

import http.server
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from avclips.core.errors import GaveUp
from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.pacing.reachability import KNOWN, Beacons
from avclips.shards.shard import Shard
from avclips.spark.task import Job, do_shard
from tests.standin import fake_media
from tests.standin.fake_media import PROGRESSIVE, Media
from tests.support.script import ROOT
from tests.support.scripted import Script
from tests.unit.core.test_sites import Sites, numbered

GONE = "http://127.0.0.2:1/gone.mp4"
SMALL = Media(duration=6, width=64, height=36, gop_seconds=2, fps=10)


def test_whom_to_ask() -> None:
    beacons = Beacons()
    assert beacons.around(GONE) == [KNOWN]
    for address in ("https://one.example/v/1?a=b", "http://two.example:8080/v", "https://one.example/v/2", None):
        beacons.answered(address)
    # The last one that answered first, by its door alone, and not who is asked after.
    assert beacons.around(GONE) == ["https://one.example/", "http://two.example:8080/", KNOWN]
    assert beacons.around("https://one.example/v/3") == ["http://two.example:8080/", KNOWN]
    for address in ("ftp://three.example/x", "three", "http://[", ""):
        beacons.answered(address)
    beacons.answered("https://three.example/")
    assert beacons.around(GONE) == ["https://three.example/", "https://one.example/", KNOWN]


def test_earlier_runs_count_where_nobody_answered_yet() -> None:
    asked = []

    def earlier() -> Iterator[str | None]:
        asked.append(1)
        return itertools.chain(
            ["https://one.example/v", None, "no address"], itertools.repeat("https://two.example")
        )

    beacons = Beacons(earlier)
    assert beacons.around(GONE) == ["https://two.example/", "https://one.example/", KNOWN]
    assert beacons.around(GONE) and len(asked) == 1
    beacons = Beacons(earlier)
    beacons.answered("https://three.example/v")
    assert beacons.around(GONE) == ["https://three.example/", KNOWN] and len(asked) == 1


@pytest.mark.parametrize("count", [1, 5, 60])
def test_a_list_with_a_host_that_is_gone_ends(tmp_path: Path, count: int) -> None:
    """Also where it is the last, and the only one that is left."""
    gone = {f"X{n:03}": ["~network"] * 50 for n in range(count)}
    run = Sites(tmp_path, Script(gone), give_up_after=24 * 3600.0).of(f"a V1 {numbered('X', count)}")
    assert sorted(run.store.done) == ["V1", "a"]
    assert run.store.failed.keys() == gone.keys()
    assert {(line["reason"], line["permanent"], line["attempts"]) for line in run.store.failed.values()} == {
        ("network", False, 5)
    }
    assert run.report.troubles == [] and run.clock.now() < 6 * 3600


def test_a_connection_that_is_gone_is_waited_for(tmp_path: Path) -> None:
    """Nobody is reached, whoever is asked: no clip is charged, as ever."""
    run = Sites(tmp_path, Script({"X1": ["?network"] * 500}), step=60.0, give_up_after=24 * 3600.0)
    with pytest.raises(GaveUp):
        run.of("a X1")
    assert run.store.failed == {} and list(run.store.done) == ["a"]


# -- the script ------------------------------------------------------------------------------------------------


@pytest.fixture
def address(media_folder: Path) -> Iterator[str]:
    """Where a film can be had, directly."""
    film = fake_media.make(SMALL, PROGRESSIVE, media_folder).read_bytes()

    class Films(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Content-Length", str(len(film)))
            self.end_headers()
            self.wfile.write(film)

        def log_message(self, *words: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Films) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/film.mp4"
        server.shutdown()


def run(folder: Path, *options: str) -> tuple[int, str]:
    """The script over the list in a folder; nobody but this machine is reached, and hours take a second."""
    environment = {**os.environ, "AVCLIPS_TIME_SCALE": "3000", "https_proxy": "http://127.0.0.1:1"}
    command = [sys.executable, str(ROOT / "download_clips.py"), str(folder / "list.csv"), "--data-dir"]
    command += [str(folder / "data"), "--state-dir", str(folder / "state"), "--sleep", "0", "--min-free", "0"]
    command += ["--cut", "copy", "--retry-attempts", "2", *options]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.slow
def test_a_dead_host_in_a_short_list(tmp_path: Path, address: str) -> None:
    (tmp_path / "list.csv").write_text(f"url,start,end,id\n{GONE},0,1,gone\n{address},1,2,there\n")
    # The second run has nothing left but that host: who answered in the first is asked.
    for _ in range(2):
        code, said = run(tmp_path)
        failed = json.loads((tmp_path / "data" / "failed_downloads.json").read_text())
        assert code == 3 and list(failed) == ["gone"], said
        line = failed["gone"]
        assert (line["reason"], line["permanent"], line["attempts"]) == ("network", False, 2)
    assert [path.stem for path in (tmp_path / "data" / "videos").iterdir()] == ["there"]


@pytest.mark.slow
def test_shards_with_a_dead_host_are_written(tmp_path: Path, address: str) -> None:
    (tmp_path / "list.csv").write_text(f"url,start,end,id\n{GONE},0,1,gone\n{address},1,2,there\n")
    code, said = run(tmp_path, "--output-format", "webdataset")
    assert code == 3, said
    stats = json.loads((tmp_path / "data" / "shards" / "00000_stats.json").read_text())
    assert (stats["done"], stats["failed"]) == (1, {"network": 1})


@pytest.mark.slow
def test_a_task_of_a_cluster_with_a_dead_host_is_there(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was handed back for ever."""
    monkeypatch.setenv("AVCLIPS_TIME_SCALE", "10")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    settings = Settings(tmp_path / "data", workers=1, sleep=0.0, cut="copy", min_free=0, retry_attempts=2,
                        output_format="webdataset", engine="spark", state_dir=tmp_path / "state")  # fmt: skip
    shard = Shard(0, (Clip("there", "there", 1.0, 2.0), Clip("gone", "gone", 0.0, 1.0)))
    job = Job(settings, "clips", "audio", str(tmp_path / "out"), 1)
    assert do_shard(job, shard, {"gone": GONE, "there": address}).state == "there"
    assert json.loads((tmp_path / "out" / "00000_stats.json").read_text())["failed"] == {"network": 1}

"""Streams of shards: each sample once over ranks and workers, the same rest after a state, right items."""

from __future__ import annotations

import functools
import http.server
import io
import itertools
import json
import re
import tarfile
import threading
import warnings
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from avclips.core.errors import RunError, UsageError
from avclips.loaders import AVQADataset, ClipsDataset, ShardDataset
from tests.standin.rehearse import PIECES

# torch says so of five workers on two cores.
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")

DONE = {piece.clip for piece in PIECES if isinstance(piece.becomes, float)}
PER_TAR = 11


@pytest.fixture(scope="module")
def tars(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """One, three and seven tars of eleven samples, whose media nobody decodes."""
    made = {}
    for count in (1, 3, 7):
        folder = tmp_path_factory.mktemp(f"tars{count}")
        for shard in range(count):
            with tarfile.open(folder / f"{shard:05d}.tar", "w") as tar:
                for number in range(shard * PER_TAR, (shard + 1) * PER_TAR):
                    said = json.dumps({"id": f"clip{number:03d}", "youtube_id": "x", "start": 1.0}).encode()
                    for ending, content in (("mp4", b"x" * 3000), ("json", said)):
                        info = tarfile.TarInfo(f"clip{number:03d}.{ending}")
                        info.size = len(content)
                        tar.addfile(info, io.BytesIO(content))
        made[count] = folder
    return made


def stream(folder: Path, **options: Any) -> ShardDataset:
    return ShardDataset(folder, load=(), **options)


def batches(dataset: ShardDataset, workers: int, size: int = 4) -> list[list[str]]:
    loader = DataLoader(dataset, batch_size=size, num_workers=workers, collate_fn=dataset.collate)
    return [batch["id"] for batch in loader]


@pytest.mark.parametrize("workers", [0, 1, 2, 5])
@pytest.mark.parametrize("count", [1, 3, 7])
def test_each_sample_once_and_the_same_rest(tars: dict[int, Path], count: int, workers: int) -> None:
    """On two ranks; in the middle of an epoch another process goes on, with what would have come."""
    found = []
    for rank in (0, 1):
        make = functools.partial(stream, tars[count], shuffle=5, seed=3, rank=rank, world_size=2)
        first = make()
        taken = batches(first, workers)
        assert sum(map(len, taken)) == len(first)
        found += taken
        at = len(taken) // 2
        state = json.loads(json.dumps(first.state_dict(batches=at, batch_size=4, num_workers=workers)))
        second = make()
        second.load_state_dict(state)
        assert batches(second, workers) == taken[at:]
        # The pass after that is a whole one.
        assert batches(second, workers) == taken
    every = [f"clip{number:03d}" for number in range(count * PER_TAR)]
    assert sorted(itertools.chain(*found)) == every


@pytest.mark.parametrize("workers", [0, 2])
def test_a_state_at_any_batch(tars: dict[int, Path], workers: int) -> None:
    for shuffle, size in ((False, 3), (20, 5)):
        dataset = stream(tars[3], shuffle=shuffle)
        taken = batches(dataset, workers, size)
        for at in (0, 1, 2, len(taken) - 1, len(taken)):
            again = stream(tars[3], shuffle=shuffle)
            again.load_state_dict(dataset.state_dict(batches=at, batch_size=size, num_workers=workers))
            assert batches(again, workers, size) == taken[at:]
    with pytest.raises(UsageError, match=f"an epoch has {len(taken)} batches, not 100"):
        dataset.state_dict(batches=100, batch_size=5, num_workers=workers)


def test_a_state_without_a_loader(tars: dict[int, Path]) -> None:
    dataset = stream(tars[3], shuffle=7)
    items = iter(dataset)
    before = [next(items)["id"] for _ in range(13)]
    state = dataset.state_dict()
    rest = [item["id"] for item in items]
    again = stream(tars[3], shuffle=7)
    again.load_state_dict(state)
    assert again.state_dict() == state
    assert [item["id"] for item in again] == rest and len(before + rest) == 33
    assert [item["id"] for item in again] == before + rest


@pytest.mark.filterwarnings("ignore:'set_vital' is deprecated")
@pytest.mark.parametrize("workers", [0, 2])
def test_a_stateful_loader(tars: dict[int, Path], workers: int) -> None:
    """torchdata's asks each worker for its own state."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaders = pytest.importorskip("torchdata.stateful_dataloader")
    make = functools.partial(loaders.StatefulDataLoader, batch_size=4, num_workers=workers)
    dataset = stream(tars[3], shuffle=5)
    loader = make(dataset, collate_fn=dataset.collate)
    running = iter(loader)
    before = [next(running)["id"] for _ in range(3)]
    state = loader.state_dict()
    rest = [batch["id"] for batch in running]
    other = make(stream(tars[3], shuffle=5), collate_fn=dataset.collate)
    other.load_state_dict(state)
    assert [batch["id"] for batch in other] == rest
    assert [batch["id"] for batch in other] == before + rest


def test_epochs_differ_and_repeat(tars: dict[int, Path]) -> None:
    dataset = stream(tars[3], shuffle=True)
    loader = DataLoader(dataset, batch_size=None, num_workers=2, persistent_workers=True)
    orders = []
    for epoch in (0, 1, 1, 0):
        # Workers that outlive a pass hear of it, too.
        dataset.set_epoch(epoch)
        orders.append([item["id"] for item in loader])
    assert orders[0] == orders[3] != orders[1] == orders[2]
    assert sorted(orders[0]) == sorted(orders[1])
    plain = stream(tars[3])
    assert [item["id"] for item in plain] == sorted(orders[0])


def test_a_state_of_another_stream(tars: dict[int, Path]) -> None:
    state = stream(tars[3], shuffle=5).state_dict(batches=2, batch_size=4, num_workers=2)
    for other, words in (
        (stream(tars[7], shuffle=5), "of shards"),
        (stream(tars[3]), "of shuffle 5, not 0"),
        (stream(tars[3], shuffle=5, seed=1), "of seed 0, not 1"),
        (stream(tars[3], shuffle=5, rank=1, world_size=2), "of rank 0 of 1, not 1 of 2"),
    ):
        with pytest.raises(UsageError, match=words):
            other.load_state_dict(state)
    for wrong in ({}, {**state, "done": "x"}, {**state, "turn": None}):
        with pytest.raises(UsageError, match="no state of a ShardDataset"):
            stream(tars[3], shuffle=5).load_state_dict(wrong)
    three = stream(tars[3], shuffle=5)
    three.load_state_dict(state)
    with pytest.raises(UsageError, match="of 2 workers, and 1 read"):
        next(iter(three))


def test_a_state_that_workers_have_run_ahead_of(tars: dict[int, Path]) -> None:
    dataset = stream(tars[3])
    batches(dataset, 2)
    with pytest.raises(UsageError, match="run ahead of what was taken"):
        dataset.state_dict()


def test_whose_rank_it_is(tars: dict[int, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert len(stream(tars[3])) == 8 and len(stream(tars[3], rank=0, world_size=1)) == 33
    for wrong in ({"rank": 1}, {"rank": 2, "world_size": 2}, {"rank": -1, "world_size": 2}):
        with pytest.raises(UsageError):
            stream(tars[3], **wrong)


def test_the_items_are_those_of_the_files(avqa: Path, avqa_shards: Path) -> None:
    options: Any = {"num_frames": 3, "sample_rate": 16_000}
    files = {item["id"]: item for item in ClipsDataset(avqa, **options)}
    dataset = ShardDataset(avqa_shards / "shards", classes=["made up, with a comma"], **options)
    found = {item["id"]: item for item in dataset}
    assert found.keys() == files.keys() == DONE and len(dataset) == len(DONE)
    for name, item in found.items():
        due = files[name]
        assert torch.equal(item["video"], due["video"]) and torch.equal(item["audio"], due["audio"])
        same = (
            "start",
            "duration",
            "video_id",
            "label",
            "label_index",
            "labels",
            "sample_rate",
            "has_audio",
            "split",
        )
        assert {key: item[key] for key in same} == {key: due[key] for key in same}
    raw = next(iter(ShardDataset(avqa_shards / "shards", load=("bytes",))))
    assert raw["files"]["video"] == Path(files[raw["id"]]["video_path"]).read_bytes()
    questions = AVQADataset(avqa, "val", load=())
    assert {item["clip_id"] for item in questions} <= found.keys()


class Ranges(http.server.SimpleHTTPRequestHandler):
    """A folder by HTTP, with ranges, as stores have them."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        wanted = re.fullmatch(r"bytes=([0-9]+)-([0-9]*)", self.headers.get("Range") or "")
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        first, last = (int(wanted[1]), int(wanted[2] or len(content) - 1)) if wanted else (0, len(content) - 1)
        body = content[first : last + 1]
        self.send_response(206 if wanted else 200)
        self.send_header("Accept-Ranges", "bytes")
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def served(tars: dict[int, Path]) -> Iterator[str]:
    handler = functools.partial(Ranges, directory=str(tars[3]))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("workers", [0, 2])
def test_shards_by_http(served: str, tars: dict[int, Path], workers: int) -> None:
    pytest.importorskip("aiohttp")
    dataset = ShardDataset(f"{served}/{{00000..00002}}.tar", load=(), shuffle=4)
    assert batches(dataset, workers) == batches(stream(tars[3], shuffle=4), workers)


def test_shards_of_a_store(tars: dict[int, Path]) -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    for path in tars[3].glob("*.tar"):
        store.pipe_file(f"/loaded/{path.name}", path.read_bytes())
    dataset = ShardDataset("memory://loaded", load=("bytes",))
    assert [item["id"] for item in dataset] == [f"clip{number:03d}" for number in range(33)]
    assert next(iter(dataset))["files"] == {"video": b"x" * 3000}


def test_a_clip_without_sound_has_silence(tmp_path: Path) -> None:
    silence = tmp_path / "silent.wav"
    with wave.open(str(silence), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16_000))
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        for key, samples in (("a", 0), ("b", 8000)):
            said = json.dumps({"id": key, "samples": samples, "sample_rate": 8000 if samples else 0}).encode()
            for ending, content in (("wav", silence.read_bytes()), ("json", said)):
                info = tarfile.TarInfo(f"{key}.{ending}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    found = list(ShardDataset(tmp_path, load=("audio",)))
    assert [item["has_audio"] for item in found] == [False, True]
    assert [item["audio"].shape for item in found] == [(8000,), (8000,)]


def test_a_broken_sample_is_named(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        info = tarfile.TarInfo("bad.mp4")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"no mp"))
    with pytest.raises(RunError, match="bad: a file of 5 bytes cannot be decoded"):
        list(ShardDataset(tmp_path, load=("video",)))

"""Which shards a name means, how many samples they have, and what is read of a tar and of a table."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import fsspec
import pyarrow
import pyarrow.parquet
import pytest

from avclips.core.errors import RunError, UsageError
from avclips.loaders.shard_files import fingerprint, shard_files
from avclips.loaders.shard_tables import count_rows, table_samples
from avclips.loaders.shard_tars import count_samples, tar_samples

Samples = Iterable[tuple[str, Mapping[str, bytes]]]


def tar(samples: Samples, form: int = tarfile.PAX_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as out:
        for key, members in samples:
            for ending, content in members.items():
                info = tarfile.TarInfo(f"{key}.{ending}")
                info.size = len(content)
                out.addfile(info, io.BytesIO(content))
    return made.getvalue()


SAMPLES = [(f"clip{n}", {"mp4": bytes([n]) * (n * 700), "json": b"{}", "en.vtt": b"x" * n}) for n in range(6)]
LONG = [("a" * 150 + "é", {"mp4": b"long"}), ("in/a/folder.d/b", {"wav": b"b"})]


def rows(count: int) -> list[dict[str, Any]]:
    """Every third has failed."""
    cells = [None if n % 3 == 2 else {"bytes": bytes([n]) * n, "path": f"{n}.mp4"} for n in range(count)]
    return [{"id": f"c{n}", "status": "done" if cell else "failed", "reason": None, "fps": 25.0 + n, "mp4": cell}
            for n, cell in enumerate(cells)]  # fmt: skip


def table(path: Path, count: int = 12) -> Path:
    schema = pyarrow.schema(
        [("id", "string"), ("status", "string"), ("reason", "string"), ("fps", "double"),
         ("mp4", pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()}))]
    )  # fmt: skip
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows(count), schema), path, row_group_size=5)
    return path


def everything(_: str) -> bool:
    return True


@pytest.mark.parametrize("store", ["disk", "memory"])
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("samples", [SAMPLES, LONG, []], ids=["some", "long names", "none"])
def test_a_tar(tmp_path: Path, store: str, form: int, samples: list[Any]) -> None:
    address = str(tmp_path / "x.tar") if store == "disk" else f"memory://{tmp_path.name}-{form}/x.tar"
    with fsspec.open(address, "wb") as out:
        out.write(tar(samples, form))
    assert count_samples(address) == len(samples)
    found = list(tar_samples(address, range(len(samples)), set(), everything))
    assert [number for number, _ in found] == list(range(len(samples)))
    assert [(raw.key, raw.read()) for _, raw in found] == samples
    if samples is SAMPLES:
        some = tar_samples(address, range(1, 5), {2}, lambda ending: ending == "json")
        assert [(number, raw.key, raw.read()) for number, raw in some] == [
            (number, f"clip{number}", {"json": b"{}"}) for number in (1, 3, 4)
        ]
    with pytest.raises(RunError, match=f"has {len(samples)} samples, and should have {len(samples) + 2} at least"):
        list(tar_samples(address, range(len(samples) + 2), set(), everything))


def test_what_is_not_asked_for_is_not_read(tmp_path: Path) -> None:
    """Headers alone: a megabyte of pictures is passed over."""
    path = tmp_path / "x.tar"
    path.write_bytes(tar([("a", {"mp4": b"x" * 1_000_000, "json": b"1"})]))
    read: list[int] = []

    class Counting(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:
            read.append(size or 0)
            return super().read(size)

    from avclips.loaders import shard_tars

    before = shard_tars.opened
    try:
        shard_tars.opened = lambda address, buffering: Counting(address)
        ((_, raw),) = tar_samples(str(path), range(1), set(), lambda ending: ending == "json")
        assert raw.read() == {"json": b"1"}
    finally:
        shard_tars.opened = before
    assert sum(read) < 20_000


@pytest.mark.parametrize("content", [b"", b"\0" * 10_000, b"no tar" * 300, tar(SAMPLES)[:5000]])
def test_a_tar_that_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"x\.tar"):
        for _, raw in tar_samples(str(path), range(len(SAMPLES)), set(), everything):
            raw.read()


def test_a_table(tmp_path: Path) -> None:
    path = str(table(tmp_path / "x.parquet"))
    done = [row for row in rows(12) if row["status"] == "done"]
    assert count_rows(path) == len(done) == 8
    found = [(number, raw.read()) for number, raw in table_samples(path, range(1, 7), {3}, everything)]
    assert [number for number, _ in found] == [1, 2, 4, 5, 6]
    for number, members in found:
        row = done[number]
        assert members["mp4"] == row["mp4"]["bytes"]
        assert members[""] == {"id": row["id"], "status": "done", "fps": row["fps"]}
    without = [raw.read() for _, raw in table_samples(path, range(2), set(), lambda _: False)]
    assert [set(each) for each in without] == [{""}, {""}]
    with pytest.raises(RunError, match="has 8 samples, and should have 9 at least"):
        list(table_samples(path, range(9), set(), everything))


def test_a_table_without_media_or_none(tmp_path: Path) -> None:
    plain = tmp_path / "x.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"id": ["a"], "status": ["done"]}), plain)
    with pytest.raises(RunError, match="has no media: a table that lies beside a tar"):
        list(table_samples(str(plain), range(1), set(), everything))
    plain.write_bytes(b"PAR1 and no table")
    with pytest.raises(RunError, match=r"x\.parquet cannot be read"):
        count_rows(str(plain))


def test_what_a_name_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        (tmp_path / f"{number:05d}.tar").write_bytes(tar(SAMPLES[:number]))
        # The table beside a tar says what is in it, and is none of the shards.
        (tmp_path / f"{number:05d}.parquet").write_bytes(b"")
    (tmp_path / "00001_stats.json").write_text(json.dumps({"done": 41}))
    (tmp_path / "00002_stats.json").write_text("torn {")
    monkeypatch.chdir(tmp_path)
    paths = [str(tmp_path / f"{number:05d}.tar") for number in range(3)]
    for url in (tmp_path, str(tmp_path), f"{tmp_path}/*.tar", f"{tmp_path}/{{00000..00002}}.tar", paths):
        found = shard_files(url)
        assert [each.address for each in found] == paths
        # By the stats where they are; else counted.
        assert [each.count for each in found] == [0, 41, 2]
    assert [each.address for each in shard_files([paths[1], *paths])] == [paths[1], paths[0], paths[2]]
    # Wherever they lie, they are the same shards.
    assert fingerprint(shard_files("{00000..00002}.tar")) == fingerprint(shard_files(tmp_path))
    assert fingerprint(shard_files(paths[1:])) != fingerprint(shard_files(tmp_path))


def test_a_folder_of_tables(tmp_path: Path) -> None:
    table(tmp_path / "00000.parquet")
    (found,) = shard_files(f"file://{tmp_path}")
    assert found.is_table and found.count == 8


@pytest.mark.parametrize(
    ("urls", "words"),
    [([], "no shards are named"), ("EMPTY", "no shards are in"), ("EMPTY/*.tar", "no shards are in")],
)
def test_no_shards(tmp_path: Path, urls: Any, words: str) -> None:
    if isinstance(urls, str):
        urls = urls.replace("EMPTY", str(tmp_path))
    with pytest.raises(UsageError, match=words):
        shard_files(urls)


def test_a_shard_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be read"):
        shard_files(tmp_path / "00000.tar")


@pytest.mark.parametrize("method", ["glob", "cat"])
def test_a_store_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def fails(*args: object, **more: object) -> None:
        raise KeyError("of no class that is known")

    store = fsspec.filesystem("memory")
    store.pipe("/unreached/00000.tar", tar(SAMPLES))
    monkeypatch.setattr(type(store), method, fails)
    with pytest.raises(RunError, match="memory:/{2,3}unreached.* cannot be used now: 'of no class"):
        shard_files("memory://unreached")

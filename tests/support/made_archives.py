"""Folders, zips and tars of any kind, made of members; and a place in a test for them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from avclips.sources.archives import Archives

Members = Sequence[tuple[str, bytes]]
Maker = Callable[[Path, Members], None]

A, B, C, D = "-aaaaaaaaa0_000001", "bbbbbbbbbbb_000020", "_cccccccccc_000300", "PKdddddddd1_000004"
WANTED = (A, B, C, D)


def content(name: str, size: int = 5000) -> bytes:
    """Bytes that nothing shrinks, other ones for each name."""
    return random.Random(name).randbytes(size)


# -- makers -------------------------------------------------------------------------------------------------


def folder_of(path: Path, members: Members) -> None:
    for name, held in members:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(held)


def zip_with(method: int) -> Maker:
    def make(path: Path, members: Members) -> None:
        with zipfile.ZipFile(path, "w", method) as packed:
            for name, held in members:
                packed.writestr(name, held)

    return make


def tar_bytes(members: Members, form: int = tarfile.PAX_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as packed:
        for name, held in members:
            info = tarfile.TarInfo(name)
            info.size = len(held)
            packed.addfile(info, io.BytesIO(held))
    return made.getvalue()


def tar_with(compress: Callable[[bytes], bytes]) -> Maker:
    def make(path: Path, members: Members) -> None:
        path.write_bytes(compress(tar_bytes(members)))

    return make


def in_two(compress: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Two streams one behind the other, as programs write them that compress with several threads."""
    return lambda data: compress(data[:7000]) + compress(data[7000:])


TARS: dict[str, Maker] = {
    "tar.gz": tar_with(gzip.compress),
    "tar.xz": tar_with(lzma.compress),
    "tar.bz2": tar_with(bz2.compress),
    "gz of two streams": tar_with(in_two(gzip.compress)),
    "bz2 of two streams": tar_with(in_two(bz2.compress)),
    "xz of two streams": tar_with(in_two(lzma.compress)),
}
FILES: dict[str, Maker] = {
    "stored zip": zip_with(zipfile.ZIP_STORED),
    "deflated zip": zip_with(zipfile.ZIP_DEFLATED),
    "tar": tar_with(bytes),
    "GNU tar": lambda path, members: (path.write_bytes(tar_bytes(members, tarfile.GNU_FORMAT)), None)[1],
    **TARS,
}
KINDS: dict[str, Maker] = {"folder": folder_of, **FILES}


class Place:
    """A folder of a test: what is packed, where members go, and that nothing goes anywhere else."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.packed = base / "packed"
        self.out = base / "out"
        self.spill = base / "spill"
        self.out.mkdir()

    def archives(self, *ids: str) -> Archives:
        return Archives(frozenset(ids or WANTED), self.spill)

    def taken(self, found: Archives, clip_id: str) -> bytes:
        """The bytes of a clip's file; the target lies in a folder of its own."""
        target = self.out / "member.mp4"
        origin = found.extract(clip_id, target)
        assert str(self.base) in origin and clip_id in origin
        held = target.read_bytes()
        target.unlink()
        return held

    @property
    def spilled(self) -> list[Path]:
        return sorted(self.spill.rglob("*")) if self.spill.exists() else []


THREE: Members = [(f"{clip_id}.mp4", content(clip_id)) for clip_id in (A, B, C)]


def zip_bytes(members: Members = THREE, method: int = zipfile.ZIP_STORED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as packed:
        for name, held in members:
            packed.writestr(name, held)
    return made.getvalue()

"""Archives from strangers: members that are refused, archives that are broken or lie, and damage anywhere."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import os
import random
import shutil
import signal
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from avclips.core.errors import RunError, Transient
from avclips.sources import archive_member
from tests.support.made_archives import (
    FILES,
    KINDS,
    THREE,
    WANTED,
    A,
    B,
    C,
    Maker,
    Members,
    Place,
    content,
    tar_bytes,
    zip_bytes,
)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail when the block takes longer, even one that runs for ever and catches what it can."""

    class TooLate(BaseException):
        pass

    def ring(number: int, frame: FrameType | None) -> None:
        raise TooLate(f"it took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# -- members that are refused --------------------------------------------------------------------------------


def zip_of_one(name: str = f"{A}.mp4", held: bytes = b"x", mode: int = stat.S_IFREG | 0o644, **more: int) -> Maker:
    def make(path: Path, members: Members) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, held)
            for other, its in members:
                packed.writestr(other, its)

    return make


def tar_of_one(name: str = f"{A}.mp4", held: bytes = b"", ending: str = "", **more: object) -> Maker:
    def make(path: Path, members: Members) -> None:
        with tarfile.open(path, f"w:{ending}") as packed:
            info = tarfile.TarInfo(name)
            info.size = len(held)
            for key, value in more.items():
                setattr(info, key, value)
            packed.addfile(info, io.BytesIO(held))
            for other, its in members:
                info = tarfile.TarInfo(other)
                info.size = len(its)
                packed.addfile(info, io.BytesIO(its))

    return make


LEADS_OUT, NO_FILE = "leads out of the archive", "is a link or a device"
BOMB = bytes(3 << 20)
BAD_NAMES = {
    "absolute": f"/{A}.mp4",
    "dots": f"../{A}.mp4",
    "dots inside": f"a/../../../out/{A}.mp4",
    "windows dots": f"..\\..\\{A}.mp4",
    "windows drive": f"C:\\x\\{A}.mp4",
    "windows root": f"\\x\\{A}.mp4",
}
SPECIAL: dict[str, dict[str, object]] = {
    "symbolic link": {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
    "hard link": {"type": tarfile.LNKTYPE, "linkname": f"{B}.mp4"},
    "device": {"type": tarfile.BLKTYPE, "devmajor": 1, "devminor": 3},
    "pipe": {"type": tarfile.FIFOTYPE},
}
REFUSED: dict[str, tuple[Maker, str]] = {
    **{f"zip: {key}": (zip_of_one(name), LEADS_OUT) for key, name in BAD_NAMES.items()},
    **{f"tar: {key}": (tar_of_one(name), LEADS_OUT) for key, name in BAD_NAMES.items()},
    **{f"tar.gz: {key}": (tar_of_one(name, ending="gz"), LEADS_OUT) for key, name in BAD_NAMES.items()},
    "zip: symbolic link": (zip_of_one(held=b"/etc/passwd", mode=stat.S_IFLNK | 0o777), NO_FILE),
    "zip: device": (zip_of_one(mode=stat.S_IFCHR | 0o666), NO_FILE),
    **{f"tar: {key}": (tar_of_one(**more), NO_FILE) for key, more in SPECIAL.items()},  # type: ignore[arg-type]
    **{f"tar.gz: {key}": (tar_of_one(ending="gz", **more), NO_FILE) for key, more in SPECIAL.items()},  # type: ignore[arg-type]
    "zip: bomb": (zip_of_one(held=BOMB), "times its size"),
    **{
        f"tar.{each}: bomb": (tar_of_one(held=BOMB, ending=each), "times its size") for each in ("gz", "bz2", "xz")
    },
    "zip: size": (zip_of_one(held=content(A, 20_001)), "says that it has"),
    "tar: size": (tar_of_one(held=content(A, 20_001)), "says that it has"),
    "tar.gz: size": (tar_of_one(held=content(A, 20_001), ending="gz"), "says that it has"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_member_is_refused_and_the_others_come(
    place: Place, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard, why = REFUSED[case]
    if case.endswith("size"):
        monkeypatch.setattr(archive_member, "LARGEST", 20_000)
    shard(place.packed, [(f"{B}.mp4", content(B))])
    found = place.archives()
    assert found.add(place.packed) == 1
    assert not found.holds(A)
    assert why in found.refusal(A) and str(place.packed) in found.refusal(A) and A in found.refusal(A)
    assert place.taken(found, B) == content(B) and found.refusal(B) == ""
    assert place.spilled == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "folder"])
def test_a_size_at_the_bound_is_taken(place: Place, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_member, "LARGEST", 20_000)
    FILES[kind](place.packed, [(f"{A}.mp4", content(A, 20_000)), (f"{B}.mp4", content(B, 20_001))])
    found = place.archives()
    assert found.add(place.packed) == 1 and found.holds(A)
    assert place.taken(found, A) == content(A, 20_000)


def test_what_shrinks_much_but_is_small_is_no_bomb(place: Place) -> None:
    KINDS["deflated zip"](place.packed, [(f"{A}.mp4", bytes(900_000))])
    assert place.packed.stat().st_size < 9000
    found = place.archives()
    assert found.add(place.packed) == 1
    assert place.taken(found, A) == bytes(900_000)


def test_a_good_member_behind_a_refused_one_is_taken(place: Place) -> None:
    zip_of_one(f"../{A}.mp4")(place.packed, [(f"good/{A}.mp4", content(A))])
    found = place.archives()
    assert found.add(place.packed) == 1
    assert place.taken(found, A) == content(A)


# -- archives that are broken --------------------------------------------------------------------------------


def encrypted_zip() -> bytes:
    """The bit that says so, in the member's own head and in the directory."""
    made = bytearray(zip_bytes())
    made[made.index(b"PK\x03\x04") + 6] |= 1
    made[made.index(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


def with_header(tar: bytes, name: str, at: int, field: bytes) -> bytes:
    """A tar with another field in a member's header, whose sum is right again."""
    made = bytearray(tar)
    begin = made.index(f"{name}.mp4".encode())
    made[begin + at : begin + at + len(field)] = field
    made[begin + 148 : begin + 156] = b" " * 8
    made[begin + 148 : begin + 156] = b"%06o\0 " % sum(made[begin : begin + 512])
    return bytes(made)


def with_size(size: int, name: str = B) -> bytes:
    """A tar whose member says that it has this size, in the form that has room for any number."""
    field = b"\x80" + size.to_bytes(11, "big") if size >= 0 else b"\xff" + (256**11 + size).to_bytes(11, "big")
    return with_header(tar_bytes(THREE), name, 124, field)


def with_broken_header() -> bytes:
    made = bytearray(tar_bytes(THREE))
    made[made.index(f"{B}.mp4".encode()) + 20] ^= 1
    return bytes(made)


def of_long_names() -> bytes:
    """Headers that each say that a longer name follows."""
    header = tar_bytes([("x" * 150, b"")], tarfile.GNU_FORMAT)[:1024]
    return header * 3000 + tar_bytes(THREE)


WEB_PAGE = b"\n<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head></html>"
NOT_WHOLE = "is not a whole zip or tar"
BROKEN: dict[str, tuple[str, bytes, str]] = {
    "empty": ("x.zip", b"", NOT_WHOLE),
    "random bytes": ("x.zip", random.Random(1).randbytes(9000), NOT_WHOLE),
    "random bytes like a zip": ("x.zip", b"PK\x03\x04" + random.Random(1).randbytes(9000), NOT_WHOLE),
    "random bytes like gzip": ("x.tar.gz", b"\x1f\x8b\x08\x00" + random.Random(1).randbytes(9000), NOT_WHOLE),
    "random bytes like xz": ("x.tar.xz", b"\xfd7zXZ\x00" + random.Random(1).randbytes(9000), NOT_WHOLE),
    "random bytes like bzip2": ("x.tar.bz2", b"BZh91AY&SY" + random.Random(1).randbytes(9000), NOT_WHOLE),
    "a video": ("x.zip", b"\0\0\0\x18ftypmp42" + content("video"), NOT_WHOLE),
    "a gzip of something else": ("x.tar.gz", gzip.compress(content("other")), NOT_WHOLE),
    "a web page": ("x.zip", WEB_PAGE, "is a web page, not an archive"),
    "a web page as a tar": ("x.tar", b"<html lang=en>" + bytes(1000), "is a web page, not an archive"),
    "half a zip": ("x.zip", zip_bytes()[:8000], NOT_WHOLE),
    "a zip without its last bytes": ("x.zip", zip_bytes()[:-30], NOT_WHOLE),
    "half a tar": ("x.tar", tar_bytes(THREE)[:8000], NOT_WHOLE),
    "half a tar.gz": ("x.tar.gz", gzip.compress(tar_bytes(THREE))[:8000], NOT_WHOLE),
    "half a tar.xz": ("x.tar.xz", lzma.compress(tar_bytes(THREE))[:8000], NOT_WHOLE),
    "half a tar.bz2": ("x.tar.bz2", bz2.compress(tar_bytes(THREE))[:8000], NOT_WHOLE),
    "a damaged tar.gz": ("x.tar.gz", gzip.compress(tar_bytes(THREE))[:-8] + bytes(8), NOT_WHOLE),
    "a password": ("x.zip", encrypted_zip(), "is protected by a password"),
    "a broken header": ("x.tar", with_broken_header(), NOT_WHOLE),
    "a broken header, packed": ("x.tar.gz", gzip.compress(with_broken_header()), NOT_WHOLE),
    "names without end": ("x.tar", of_long_names(), NOT_WHOLE),
    "names without end, packed": ("x.tar.gz", gzip.compress(of_long_names()), NOT_WHOLE),
    "a size beyond its end": ("x.tar", with_size(1 << 20), NOT_WHOLE),
    "a size beyond its end, packed": ("x.tar.gz", gzip.compress(with_size(1 << 20)), NOT_WHOLE),
    "a size of exabytes": ("x.tar", with_size(1 << 62), "x.tar"),
    "a size of exabytes, packed": ("x.tar.gz", gzip.compress(with_size(1 << 62)), NOT_WHOLE),
    "a size beyond numbers": ("x.tar", with_size(1 << 80), NOT_WHOLE),
    "a size beyond numbers, packed": ("x.tar.bz2", bz2.compress(with_size(1 << 80)), NOT_WHOLE),
    "a negative size": ("x.tar", with_size(-512), NOT_WHOLE),
    "a negative size, packed": ("x.tar.gz", gzip.compress(with_size(-512)), NOT_WHOLE),
    "a negative size of the last": ("x.tar", with_size(-1, C), NOT_WHOLE),
    "a negative size back to the first": ("x.tar", with_size(-6144), NOT_WHOLE),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_archive_is_named(place: Place, case: str) -> None:
    """Whether it is given by its name, or with the folder in which it lies."""
    name, made, why = BROKEN[case]
    place.packed.mkdir()
    path = place.packed / name
    path.write_bytes(made)
    for given in (path, place.packed):
        with within(5.0), pytest.raises(RunError) as caught:
            place.archives().add(given)
        assert str(path) in str(caught.value) and why in str(caught.value)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 300 + len(str(path))
        assert len(caught.value.hint) > 10


def test_what_is_not_there_is_named(place: Place) -> None:
    with pytest.raises(RunError, match="no such file or folder") as caught:
        place.archives().add(place.packed)
    assert str(place.packed) in str(caught.value) and caught.value.hint


@pytest.mark.parametrize("kind", FILES)
def test_what_may_not_be_read_is_named(place: Place, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    FILES[kind](place.packed, THREE)
    forbid(place.packed, monkeypatch)
    with pytest.raises(RunError, match="Permission denied") as caught:
        place.archives().add(place.packed)
    assert str(place.packed) in str(caught.value) and "owner" in caught.value.hint


def forbid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a file that nobody may open: root may open all."""
    usual = open

    def checked(file: object, *args: object, **more: object) -> object:
        if str(file) == str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return usual(file, *args, **more)  # type: ignore[call-overload]

    monkeypatch.setattr("builtins.open", checked)


# -- members that are broken ---------------------------------------------------------------------------------


def damaged(made: bytes, of: bytes) -> bytes:
    """One byte in the middle of a member is another."""
    at = made.index(of[:100]) + len(of) // 2
    return made[:at] + bytes([made[at] ^ 1]) + made[at + 1 :]


def lying_zip(size: int) -> bytes:
    """A zip whose directory says that the second member has another size."""
    made = bytearray(zip_bytes())
    entry = made.index(b"PK\x01\x02", made.index(b"PK\x01\x02") + 1)
    made[entry + 24 : entry + 28] = struct.pack("<I", size)
    return bytes(made)


def deflated_and_damaged() -> bytes:
    """The second member is packed, and its packed bytes are others."""
    made = bytearray(zip_bytes([THREE[0], (f"{B}.mp4", b"words " * 2000), THREE[2]], zipfile.ZIP_DEFLATED))
    begin = made.index(f"{B}.mp4".encode()) + len(B) + 4
    made[begin : begin + 20] = b"\xff" * 20
    return bytes(made)


def of_another_method(number: int) -> bytes:
    """A zip whose second member is packed in a way that is not supported."""
    made = bytearray(zip_bytes())
    entry = made.index(b"PK\x01\x02", made.index(b"PK\x01\x02") + 1)
    head = made.index(b"PK\x03\x04", made.index(b"PK\x03\x04") + 1)
    made[entry + 10 : entry + 12] = made[head + 8 : head + 10] = struct.pack("<H", number)
    return bytes(made)


BROKEN_MEMBERS = {
    "a wrong sum": damaged(zip_bytes(), content(B)),
    "packed bytes that are none": deflated_and_damaged(),
    "more than it says": lying_zip(4000),
    "less than it says": lying_zip(6000),
    "less than it says by far": lying_zip(500_000_000),
    "deflate64": of_another_method(9),
}


@pytest.mark.parametrize("case", BROKEN_MEMBERS)
def test_a_broken_member_is_named_and_the_others_come(place: Place, case: str) -> None:
    place.packed.write_bytes(BROKEN_MEMBERS[case])
    found = place.archives()
    assert found.add(place.packed) in (2, 3)
    if found.holds(B):
        with pytest.raises(Transient) as caught:
            found.extract(B, place.out / "m.mp4")
        assert caught.value.reason == "archive"
        assert f"{place.packed}:{B}.mp4: " in caught.value.detail and "\n" not in caught.value.detail
        assert len(caught.value.detail) > len(f"{place.packed}:{B}.mp4: ") + 5
    else:
        assert str(place.packed) in found.refusal(B)
    for clip_id in (A, C):
        assert place.taken(found, clip_id) == content(clip_id)


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_that_is_cut_off_meanwhile(place: Place, kind: str) -> None:
    KINDS[kind](place.packed, THREE)
    found = place.archives()
    assert found.add(place.packed) == 3
    if kind == "folder":
        (place.packed / f"{C}.mp4").unlink()
    else:
        os.truncate(place.packed, place.packed.stat().st_size // 2)
    with pytest.raises(Transient) as caught:
        found.extract(C, place.out / "m.mp4")
    assert (caught.value.reason, str(place.packed) in caught.value.detail) == ("archive", True)
    # Not half of it under another clip's name either.
    for clip_id in (B, A):
        try:
            held = place.taken(found, clip_id)
        except Transient:
            continue
        assert held == content(clip_id)


def test_damage_anywhere_is_never_a_traceback(place: Place) -> None:
    """Whatever bytes an archive is made of: a RunError, a Transient, or members as they were."""
    good: Mapping[str, bytes] = {
        "zip": zip_bytes(THREE, zipfile.ZIP_DEFLATED),
        "tar": tar_bytes(THREE),
        "gz": gzip.compress(tar_bytes(THREE)),
        "xz": lzma.compress(tar_bytes(THREE)),
        "bz2": bz2.compress(tar_bytes(THREE)),
    }
    chance = random.Random(7)
    for number in range(400):
        kind = list(good)[number % len(good)]
        made = bytearray(good[kind])
        for _ in range(chance.choice((1, 3, 30))):
            headers = chance.choice((512, len(made)))
            made[chance.randrange(min(headers, len(made)))] = chance.randrange(256)
        for name in (A, B, C) if kind in ("zip", "tar") and chance.random() < 0.7 else ():
            at = made.rfind(f"{name}.mp4".encode()) - 46 + chance.randrange(46)
            made[max(0, at)] = chance.choice((0, 1, 127, 128, 255))
        place.packed.write_bytes(bytes(made[: chance.choice((len(made), chance.randrange(len(made)))) or 1]))
        found = place.archives()
        with within(10.0):
            try:
                found.add(place.packed)
            except RunError as error:
                assert str(place.packed) in str(error)
                continue
            for clip_id in WANTED:
                try:
                    if found.holds(clip_id):
                        found.extract(clip_id, place.out / "m.mp4")
                except Transient as error:
                    assert error.reason == "archive"
        found.close()
        shutil.rmtree(place.spill, ignore_errors=True)


def test_sums_are_checked_over_the_whole_of_a_zip(place: Place) -> None:
    """The packed bytes are whole, and unpack to something else than what was packed."""
    made = bytearray(zip_bytes(THREE))
    entry = made.index(b"PK\x01\x02")
    made[entry + 16 : entry + 20] = struct.pack("<I", zlib.crc32(b"something else"))
    place.packed.write_bytes(made)
    found = place.archives()
    assert found.add(place.packed) == 3
    with pytest.raises(Transient, match="CRC"):
        found.extract(A, place.out / "m.mp4")
    assert place.taken(found, B) == content(B)

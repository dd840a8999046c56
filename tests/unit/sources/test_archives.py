"""Archives of a user's own: which clips lie in folders, zips and tars, and their bytes, whatever else is there."""

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
import threading
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from avclips.core.errors import RunError, Transient
from avclips.sources import archive_member
from avclips.sources.archives import Archives

Members = Sequence[tuple[str, bytes]]
Shard = Callable[[Path, Members], None]

A, B, C, D = "-aaaaaaaaa0_000001", "bbbbbbbbbbb_000020", "_cccccccccc_000300", "PKdddddddd1_000004"
WANTED = (A, B, C, D)


def content(name: str, size: int = 5000) -> bytes:
    """Bytes that no packer shrinks, other ones for each name."""
    return random.Random(name).randbytes(size)


# -- packers -------------------------------------------------------------------------------------------------


def folder_of(path: Path, members: Members) -> None:
    for name, held in members:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(held)


def zip_with(method: int) -> Shard:
    def shard(path: Path, members: Members) -> None:
        with zipfile.ZipFile(path, "w", method) as packed:
            for name, held in members:
                packed.writestr(name, held)

    return shard


def tar_bytes(members: Members, form: int = tarfile.PAX_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as packed:
        for name, held in members:
            info = tarfile.TarInfo(name)
            info.size = len(held)
            packed.addfile(info, io.BytesIO(held))
    return made.getvalue()


def tar_with(compress: Callable[[bytes], bytes]) -> Shard:
    def shard(path: Path, members: Members) -> None:
        path.write_bytes(compress(tar_bytes(members)))

    return shard


def in_two(compress: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Two streams one behind the other, as programs write them that compress with several threads."""
    return lambda data: compress(data[:7000]) + compress(data[7000:])


TARS: dict[str, Shard] = {
    "tar.gz": tar_with(gzip.compress),
    "tar.xz": tar_with(lzma.compress),
    "tar.bz2": tar_with(bz2.compress),
    "gz of two streams": tar_with(in_two(gzip.compress)),
    "bz2 of two streams": tar_with(in_two(bz2.compress)),
    "xz of two streams": tar_with(in_two(lzma.compress)),
}
FILES: dict[str, Shard] = {
    "stored zip": zip_with(zipfile.ZIP_STORED),
    "deflated zip": zip_with(zipfile.ZIP_DEFLATED),
    "tar": tar_with(bytes),
    "GNU tar": lambda path, members: (path.write_bytes(tar_bytes(members, tarfile.GNU_FORMAT)), None)[1],
    **TARS,
}
KINDS: dict[str, Shard] = {"folder": folder_of, **FILES}


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


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place in an empty folder; afterwards nothing lies beside the three folders of it."""
    base = tmp_path / "in" / "here"
    base.mkdir(parents=True)
    made = Place(base)
    yield made
    own = {made.packed, made.out, made.spill}
    beside = {path for path in tmp_path.rglob("*") if not own & {path, *path.parents}}
    assert beside == {base, base.parent}


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


# -- what is found -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_its_clips(place: Place, kind: str) -> None:
    held = {
        f"{D}.mp4": content(D),
        "train/notes.txt": b"notes",
        f"train/{A}.mp4": content(A),
        f"__MACOSX/train/._{A}.mp4": b"junk",
        f"train/._{B}.mp4": b"junk",
        "other/notwanted11_000001.mp4": content("other"),
        f"other/{C}.wav": b"sound",
        f"other/{C}.mp4.part": b"part",
        f"a/b/c/d/{B}.MP4": content(B),
        f"a/{C}": b"no ending",
    }
    KINDS[kind](place.packed, list(held.items()))
    found = place.archives()
    assert found.add(place.packed) == 3
    assert {clip_id: found.holds(clip_id) for clip_id in WANTED} == {A: True, B: True, C: False, D: True}
    assert not found.holds("notwanted11_000001") and not found.holds(f"._{A}")
    for clip_id in (B, A, D):
        assert place.taken(found, clip_id) == content(clip_id), clip_id
    assert found.extract(A, place.out / "m.mp4") == f"{place.packed}:train/{A}.mp4"
    assert {clip_id: found.refusal(clip_id) for clip_id in WANTED} == dict.fromkeys(WANTED, "")
    found.close()
    assert not any(found.holds(clip_id) for clip_id in WANTED)


@pytest.mark.parametrize("kind", FILES)
def test_places_follow_the_archive(place: Place, kind: str) -> None:
    order = [C, A, D, B]
    FILES[kind](place.packed, [(f"{clip_id}.mp4", content(clip_id)) for clip_id in order[:3]])
    more = place.packed.with_name("out") / "more"
    FILES[kind](more, [(f"{B}.mp4", content(B))])
    found = place.archives(*WANTED, "nowhere")
    assert (found.add(place.packed), found.add(more)) == (3, 1)
    assert sorted(["nowhere", *WANTED], key=found.place) == [*order, "nowhere"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("again", [f"x/{A}.mp4", f"{A}.mp4"], ids=["elsewhere", "of the same name"])
def test_of_two_files_of_a_clip_the_first_is_taken(place: Place, kind: str, again: str) -> None:
    if kind == "folder" and again == f"{A}.mp4":
        again = f"{A}.mp4/../{A}_.mp4"
    first, second, third = content("first"), content("second", 7000), content(B)
    members = [(f"{A}.mp4", first), (again, second), (f"y/{B}.mp4", third)]
    if kind == "folder":
        members[1] = (f"x/{A}.mp4", second)
    with pytest.warns(UserWarning, match="Duplicate") if _doubles(kind, again) else no_warning():
        KINDS[kind](place.packed, members)
    found = place.archives()
    assert found.add(place.packed) == 2
    assert place.taken(found, B) == third
    assert place.taken(found, A) == first
    assert place.spilled == []


def _doubles(kind: str, again: str) -> bool:
    return "zip" in kind and again == f"{A}.mp4"


@contextmanager
def no_warning() -> Iterator[None]:
    yield


def test_what_an_earlier_archive_has_is_not_taken_from_a_later_one(place: Place) -> None:
    place.packed.mkdir()
    early, late = place.packed / "2.zip", place.packed / "1.tar.gz"
    KINDS["stored zip"](early, [(f"{A}.mp4", b"early")])
    KINDS["tar.gz"](late, [(f"{A}.mp4", b"late"), (f"{B}.mp4", content(B))])
    found = place.archives()
    assert (found.add(early), found.add(late), found.add(late)) == (1, 1, 0)
    assert place.taken(found, B) == content(B) and place.spilled == []
    assert place.taken(found, A) == b"early"


def test_a_folder_gives_its_own_files_and_those_of_the_archives_in_it(place: Place) -> None:
    folder_of(place.packed, [(f"deep/er/{A}.mp4", content(A)), ("deep/readme.txt", b"words"), ("b.tar.xz/x", b"")])
    KINDS["deflated zip"](place.packed / "deep" / "b.ZIP", [(f"in/{B}.mp4", content(B)), (f"{A}.mp4", b"later")])
    KINDS["tar.gz"](place.packed / "c.tgz", [(f"{C}.mp4", content(C))])
    KINDS["tar"](place.packed / "deep" / "d.tar", [(f"{D}.mp4", content(D))])
    found = place.archives()
    assert found.add(place.packed) == 4
    assert {clip_id: place.taken(found, clip_id) for clip_id in WANTED} == {each: content(each) for each in WANTED}
    assert found.extract(B, place.out / "m.mp4") == f"{place.packed}/deep/b.ZIP:in/{B}.mp4"


def test_links_in_a_users_folder_are_followed_to_files(place: Place) -> None:
    folder_of(place.packed, [("store/one", content(A)), ("store/two.mp4", content(B))])
    (place.packed / f"{A}.mp4").symlink_to("store/one")
    (place.packed / f"{C}.mp4").symlink_to("nowhere")
    (place.packed / f"{B}.mp4").symlink_to(place.packed)
    found = place.archives()
    assert found.add(place.packed) == 1
    assert place.taken(found, A) == content(A)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_in_it(place: Place, kind: str) -> None:
    KINDS[kind](place.packed, [("readme.txt", b"words")])
    found = place.archives()
    assert found.add(place.packed) == 0
    assert not any(map(found.holds, WANTED))


def test_a_clip_that_was_refused_is_not_offered_again(place: Place) -> None:
    folder_of(place.packed, [(f"{A}.mp4", content(A)), (f"{B}.mp4", content(B))])
    found = place.archives()
    found.add(place.packed)
    found.refuse(A, "it is too long")
    assert not found.holds(A) and found.refusal(A) == "it is too long"
    assert found.holds(B) and found.refusal(B) == ""


# -- members that are refused --------------------------------------------------------------------------------


def zip_of_one(name: str = f"{A}.mp4", held: bytes = b"x", mode: int = stat.S_IFREG | 0o644, **more: int) -> Shard:
    def shard(path: Path, members: Members) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, held)
            for other, its in members:
                packed.writestr(other, its)

    return shard


def tar_of_one(name: str = f"{A}.mp4", held: bytes = b"", ending: str = "", **more: object) -> Shard:
    def shard(path: Path, members: Members) -> None:
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

    return shard


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
REFUSED: dict[str, tuple[Shard, str]] = {
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

THREE: Members = [(f"{clip_id}.mp4", content(clip_id)) for clip_id in (A, B, C)]


def zip_bytes(members: Members = THREE, method: int = zipfile.ZIP_STORED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as packed:
        for name, held in members:
            packed.writestr(name, held)
    return made.getvalue()


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


# -- the disk ------------------------------------------------------------------------------------------------


class Disk:
    """A disk on which there is no room behind so many bytes, until somebody frees some."""

    def __init__(self, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room: int | None = room
        usual, send, disk = open, os.sendfile, self

        class Full(io.FileIO):
            def write(self, data: object) -> int:
                disk.take(memoryview(data).nbytes)  # type: ignore[arg-type]
                return super().write(data)  # type: ignore[arg-type]

        def opened(file: object, mode: str = "r", *args: object, **more: object) -> object:
            if mode == "wb" and str(file).endswith(".mp4"):
                return Full(str(file), "wb")
            return usual(file, mode, *args, **more)  # type: ignore[call-overload]

        def sent(out: int, source: int, at: int, count: int) -> int:
            size = os.fstat(source).st_size
            self.take(min(count, size - at) if at < size else 0)
            return send(out, source, at, count)

        monkeypatch.setattr("builtins.open", opened)
        if hasattr(os, "sendfile"):
            monkeypatch.setattr(os, "sendfile", sent)

    def take(self, count: int) -> None:
        if self.room is None:
            return
        self.room -= count
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [A, C], ids=["itself", "what lies before it"])
def test_no_room_is_not_the_clips_fault_and_it_comes_when_there_is_some(
    place: Place, kind: str, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    KINDS[kind](place.packed, THREE)
    found = place.archives()
    assert found.add(place.packed) == 3
    with monkeypatch.context() as patched:
        disk = Disk(4000, patched)
        with pytest.raises(OSError, match="No space left") as caught:
            found.extract(first, place.out / "m.mp4")
        assert caught.value.errno == errno.ENOSPC
        disk.room = None
        for clip_id in (first, *({A, B, C} - {first})):
            assert place.taken(found, clip_id) == content(clip_id), clip_id
    (place.out / "m.mp4").unlink(missing_ok=True)
    assert place.spilled == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_may_be_asked_for_once_more(place: Place, kind: str) -> None:
    KINDS[kind](place.packed, THREE)
    found = place.archives()
    found.add(place.packed)
    for clip_id in (B, B, A, A, C, A, C):
        assert place.taken(found, clip_id) == content(clip_id)


# -- compressed tars -----------------------------------------------------------------------------------------

MANY = {f"video{number:06}_{number:06}": content(str(number), 20_000 + number) for number in range(16)}


@pytest.mark.parametrize("kind", TARS)
def test_any_order_and_several_threads(place: Place, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    between = [(f"{clip_id}.mp4", held) for clip_id, held in MANY.items()]
    between[3:3] = [("notwanted11_000001.mp4", content("x")), (f"again/{next(iter(MANY))}.mp4", b"again")]
    TARS[kind](place.packed, between)
    found = place.archives(*MANY)
    assert found.add(place.packed) == len(MANY)
    opened = []
    usual = tarfile.open
    monkeypatch.setattr(tarfile, "open", lambda *a, **k: opened.append(a) or usual(*a, **k))
    order = list(MANY)
    random.Random(kind).shuffle(order)
    wrong: list[str] = []

    def work(mine: Sequence[str], number: int) -> None:
        for clip_id in mine:
            target = place.out / f"{number}.mp4"
            found.extract(clip_id, target)
            if target.read_bytes() != MANY[clip_id]:
                wrong.append(clip_id)

    threads = [threading.Thread(target=work, args=(order[n::4], n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == [] and len(opened) == 1
    assert place.spilled == []
    found.close()


@pytest.mark.parametrize("kind", TARS)
def test_only_what_is_still_to_come_is_kept(place: Place, kind: str) -> None:
    ids = list(MANY)[:8]
    members = [(f"{clip_id}.mp4", MANY[clip_id]) for clip_id in ids]
    members.insert(4, (f"twice/{ids[0]}.mp4", b"twice"))
    members.insert(4, ("notwanted11_000001.mp4", content("x")))
    TARS[kind](place.packed, members)
    earlier = place.base / "out" / "earlier"
    folder_of(earlier, [(f"{ids[2]}.mp4", b"earlier")])
    found = place.archives(*ids)
    assert (found.add(earlier), found.add(place.packed)) == (1, 7)
    found.refuse(ids[3], "not that one")
    assert place.taken(found, ids[1]) == MANY[ids[1]]
    assert len(place.spilled) == 1
    assert place.taken(found, ids[7]) == MANY[ids[7]]
    # The first, and those between but for that of the folder and that refused.
    assert sorted(path.stat().st_size for path in place.spilled) == sorted(
        len(MANY[ids[number]]) for number in (0, 4, 5, 6)
    )
    for clip_id in (ids[5], ids[0], ids[6], ids[4]):
        assert place.taken(found, clip_id) == MANY[clip_id]
    assert place.spilled == []
    assert place.taken(found, ids[2]) == b"earlier"


LARGE: dict[str, Shard] = {
    "folder": folder_of,
    "stored zip": KINDS["stored zip"],
    "deflated zip": KINDS["deflated zip"],
    "tar": KINDS["tar"],
    "tar.gz": tar_with(lambda data: gzip.compress(data, 1)),
    # With a small dictionary: that of the usual one is 8 MB.
    "tar.xz": tar_with(lambda data: lzma.compress(data, preset=0)),
}


@pytest.mark.parametrize("kind", LARGE)
def test_memory_is_bounded(place: Place, kind: str) -> None:
    held = random.Random(1).randbytes(1 << 18) * 40
    LARGE[kind](place.packed, [("big.bin", held), (f"{A}.mp4", held), (f"{B}.mp4", held)])
    tracemalloc.start()
    try:
        found = place.archives()
        found.add(place.packed)
        for clip_id in (B, A):
            found.extract(clip_id, place.out / f"{clip_id}.mp4")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (place.out / f"{A}.mp4").stat().st_size == (place.out / f"{B}.mp4").stat().st_size == len(held)
    assert most < 6_000_000 < len(held), most


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

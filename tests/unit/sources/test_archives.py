"""Archives of a user's own: which clips lie in folders, zips and tars, and their bytes, whatever else is there."""

from __future__ import annotations

import errno
import gzip
import io
import lzma
import os
import random
import tarfile
import threading
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from tests.support.made_archives import (
    FILES,
    KINDS,
    TARS,
    THREE,
    WANTED,
    A,
    B,
    C,
    D,
    Maker,
    Place,
    content,
    folder_of,
    tar_with,
)

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


LARGE: dict[str, Maker] = {
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

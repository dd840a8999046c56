"""A folder for results: on this machine, in memory as fsspec has it, and where there is none."""

from __future__ import annotations

import importlib
import os
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from avclips.core.errors import RunError, UsageError
from avclips.shards import storage
from avclips.shards.storage import Remote, StoreLost

PIP = f"{sys.executable} -m pip install"


@pytest.fixture(params=["path", "file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    urls = {"path": f"{tmp_path}/a [b]*/out", "file": f"file://{tmp_path}/out/", "memory": "memory://bucket/out"}
    yield urls[request.param]
    fsspec.filesystem("memory").store.clear()
    fsspec.filesystem("memory").pseudo_dirs[:] = [""]


def write(tmp_path: Path, content: bytes, name: str = "local") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_what_is_put_is_there(url: str, tmp_path: Path) -> None:
    place = Remote(url)
    assert place.names() == frozenset() and not place.has("a.tar") and place.url == url.rstrip("/")
    content = bytes(range(256)) * 5000
    place.put(write(tmp_path, content), "a.tar")
    place.put(write(tmp_path, b""), "b.json")
    assert place.names() == {"a.tar", "b.json"}
    assert place.has("a.tar") and place.read("a.tar") == content and place.read("b.json") == b""
    # Another look, by another.
    assert Remote(url).names() == {"a.tar", "b.json"}


def test_what_was_there_is_replaced(url: str, tmp_path: Path) -> None:
    place = Remote(url)
    for content in (b"a long one", b"short"):
        place.put(write(tmp_path, content), "a.tar")
        assert place.read("a.tar") == content
    assert place.names() == {"a.tar"}


def test_what_others_put_is_seen(url: str, tmp_path: Path) -> None:
    one, other = Remote(url), Remote(url)
    assert one.names() == frozenset()
    other.put(write(tmp_path, b"x"), "a.tar")
    assert one.has("a.tar") and one.names() == {"a.tar"}
    other.remove("a.tar")
    assert not one.has("a.tar") and one.names() == frozenset()


def test_remove(url: str, tmp_path: Path) -> None:
    place = Remote(url)
    place.put(write(tmp_path, b"x"), "a.tar")
    for _ in range(2):
        place.remove("a.tar")
        assert place.names() == frozenset()


def test_create_is_for_one(url: str) -> None:
    one, other = Remote(url), Remote(url)
    assert one.create("claim", b"mine") and not other.create("claim", b"theirs") and not one.create("claim", b"?")
    assert other.read("claim") == b"mine"
    one.remove("claim")
    assert other.create("claim", b"theirs")


def test_create_is_for_one_of_many_at_once(url: str) -> None:
    """Whoever was told that it made the file finds its own words in it, and nobody else was told so."""
    if url.startswith("memory:"):
        pytest.skip("fsspec's memory looks whether the file is there, and then writes: a thread may come between")
    places = [Remote(url) for _ in range(8)]
    together, made = threading.Barrier(len(places)), [[False] * len(places) for _ in range(30)]

    def work(who: int) -> None:
        for number, row in enumerate(made):
            together.wait(10)
            row[who] = places[who].create(f"claim{number}", str(who).encode())

    threads = [threading.Thread(target=work, args=(who,)) for who in range(len(places))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [sum(row) for row in made] == [1] * len(made)
    assert [places[0].read(f"claim{n}") for n in range(30)] == [str(row.index(True)).encode() for row in made]


def test_what_is_missing_cannot_be_read(url: str) -> None:
    with pytest.raises(StoreLost, match=rf"^{re.escape(url.rstrip('/'))} cannot be used now: "):
        Remote(url).read("nothing")


# -- whole, or not at all --------------------------------------------------------------------------------------


def test_a_source_that_is_gone_leaves_nothing(url: str, tmp_path: Path) -> None:
    place = Remote(url)
    place.put(write(tmp_path, b"before"), "a.tar")
    with pytest.raises(StoreLost):
        place.put(tmp_path / "gone", "a.tar")
    assert place.names() == {"a.tar"} and place.read("a.tar") == b"before"
    with pytest.raises(StoreLost):
        place.put(tmp_path / "gone", "b.tar")
    assert place.names() == {"a.tar"}


@pytest.mark.parametrize("broken", ["put_file", "mv"])
def test_what_breaks_off_leaves_nothing(
    url: str, broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of the copy, and behind it."""
    place = Remote(url)
    place.put(write(tmp_path, b"before"), "a.tar")
    seen = []

    def copied(self: Any, path: str, target: str, **more: Any) -> None:
        self.pipe_file(target, b"half")
        break_off()

    def break_off(*args: Any, **more: Any) -> None:
        seen.append(place.names())
        raise OSError(28, "No space left on device")

    # As where the two are on different file systems: nothing can be moved.
    monkeypatch.setattr("avclips.shards.storage._is_moved", lambda file, part: False)
    whole = type(place._fs)
    monkeypatch.setattr(whole, broken, copied if broken == "put_file" else break_off)
    with pytest.raises(StoreLost, match="No space left on device"):
        place.put(write(tmp_path, b"after"), "a.tar")
    # While it grew it had another name, which no reader takes for a shard.
    [grown] = [name for name in seen[0] if name != "a.tar"]
    assert grown.startswith(".a.tar.") and grown.endswith(".part")
    assert place.names() == {"a.tar"} and place.read("a.tar") == b"before"


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """It is there whole, or it is not: as webdataset opens what it sees."""
    place, reader = Remote(str(tmp_path / "out")), Remote(str(tmp_path / "out"))
    content = os.urandom(1 << 20) * 8
    source, over, seen = write(tmp_path, content), threading.Event(), set()

    def look() -> None:
        while not over.is_set():
            if "a.tar" in reader.names():
                seen.add(len(reader.read("a.tar")))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        place.put(source, "a.tar")
    finally:
        over.set()
        thread.join(30)
    assert seen <= {len(content)}


# -- a folder that is lost -------------------------------------------------------------------------------------


def lose(folder: Path, how: str) -> None:
    if how == "read-only":
        folder.chmod(0o500)
        return
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    if how == "a file":
        folder.write_text("in its place")


@pytest.mark.parametrize("how", ["gone", "a file", "read-only"])
def test_a_lost_folder(how: str, tmp_path: Path) -> None:
    if how == "read-only" and not os.geteuid():
        pytest.skip("nothing is read-only to root")
    folder = tmp_path / "out"
    place = Remote(str(folder))
    lose(folder, how)
    for act in (lambda: place.put(write(tmp_path, b"x"), "a.tar"), lambda: place.create("claim", b"x")):
        with pytest.raises(StoreLost) as caught:
            act()
        assert str(caught.value).startswith(f"{folder} cannot be used now: ") and "\n" not in str(caught.value)
        assert caught.value.hint == "is it there, and yours to write?" and isinstance(caught.value, RunError)
        assert not isinstance(caught.value, UsageError) and caught.value.exit_code == 1
    # It is there again, and so is everything.
    if how == "read-only":
        folder.chmod(0o700)
    else:
        folder.unlink(missing_ok=True)
        folder.mkdir()
    place.put(write(tmp_path, b"x"), "a.tar")
    assert place.names() == {"a.tar"}


def test_a_file_in_its_place_at_the_start(tmp_path: Path) -> None:
    path = write(tmp_path, b"a file")
    with pytest.raises(RunError, match=f"^{path} cannot be used now: "):
        Remote(str(path))
    assert path.read_bytes() == b"a file"


def test_a_drivers_words_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Remote(str(tmp_path))

    class Strange(Exception):
        pass

    for raised, said in ((Strange("a\n  b\n" + "c" * 1000), "a b c+$"), (Strange(), "Strange$")):

        def fail(*args: Any, raised: Exception = raised, **more: Any) -> None:
            raise raised

        monkeypatch.setattr(type(place._fs), "ls", fail)
        with pytest.raises(StoreLost, match=f"^{tmp_path} cannot be used now: {said}") as caught:
            place.names()
        assert len(str(caught.value)) < 500


# -- places that are none --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("url", "said"), [("nope://bucket/x", "nope://bucket/x is no place for results: ")])
def test_an_unknown_protocol(url: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Remote(url)
    assert str(caught.value).startswith(said) and "\n" not in str(caught.value)
    assert caught.value.hint == "name a folder, or s3://bucket/folder"


@pytest.mark.parametrize(
    ("url", "package"),
    [
        ("s3://bucket/x", "'s3fs>=2024.12'"),
        ("gs://bucket/x", "gcsfs"),
        ("abfs://bucket/x", "adlfs"),
        ("oss://bucket/x", "ossfs"),
    ],
)
def test_a_missing_driver(url: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package.strip("'").partition(">")[0], None)
    # Whatever was found before is looked for again.
    found: dict[str, object] = {}
    for name in ("_registry", "registry"):
        monkeypatch.setattr(importlib.import_module("fsspec.registry"), name, found)
    with pytest.raises(UsageError) as caught:
        Remote(url)
    assert str(caught.value).startswith(f"{url}: ") and "\n" not in str(caught.value)
    assert (caught.value.hint, caught.value.exit_code) == (f"{PIP} {package}", 2)


def test_without_fsspec(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(UsageError, match="^shards are written by fsspec, which is not here") as caught:
        Remote(str(tmp_path / "out"))
    assert caught.value.hint == f"{PIP} 'fsspec>=2024.12'" and not (tmp_path / "out").exists()


@pytest.mark.parametrize("url", ["memory://", "memory:///"])
def test_the_top_of_a_store(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no folder of that name on this machine."""
    monkeypatch.chdir(tmp_path)
    place = Remote(url)
    assert place._fs.protocol == "memory" and list(tmp_path.iterdir()) == []


def test_a_relative_folder_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = Remote("out/shards")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    place.put(write(tmp_path, b"x"), "a.tar")
    assert (tmp_path / "out" / "shards" / "a.tar").read_bytes() == b"x"


def test_object_stores_are_written_as_they_are() -> None:
    """There a file is there when its last byte is: renaming one would be another copy."""
    from s3fs import S3FileSystem  # slow to import, and of one test's

    assert storage._OBJECTS & storage._protocols(S3FileSystem)
    assert not storage._OBJECTS & storage._protocols(fsspec.filesystem("file"))

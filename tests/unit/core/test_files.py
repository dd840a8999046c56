"""Files appear whole or not at all; names and JSON of strangers."""

from __future__ import annotations

import errno
import os
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest

from avclips.core.errors import RunError
from avclips.core.files import (
    as_run_error,
    beside,
    exactly,
    free_bytes,
    is_about_the_disk,
    is_full,
    is_local,
    is_plain_name,
    move_whole,
    read_json,
    sha256,
    unfinished,
    whole,
    write_json,
)


def test_whole_shows_nothing_before_its_end(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("old")
    with whole(path) as stream:
        stream.write("né\n")
        stream.flush()
        assert path.read_text() == "old"
    assert path.read_bytes() == "né\n".encode()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("old", [None, "old"])
def test_whole_leaves_what_was_there(tmp_path: Path, old: str | None, error: type[BaseException]) -> None:
    path = tmp_path / "x.json"
    if old is not None:
        path.write_text(old)
    with pytest.raises(error), whole(path) as stream:
        stream.write("half")
        raise error
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == ({"x.json": old} if old else {})


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_whole_where_the_disk_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def refuse(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "x.json"
    path.write_text("old")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(os, call, refuse)
        write_json(path, {"a": 1})
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"x.json": "old"}


def test_whole_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole(tmp_path / "none" / "x"):
        raise AssertionError("the block was entered")


@pytest.mark.parametrize("error", [None, KeyError, KeyboardInterrupt])
def test_an_unfinished_file_takes_the_place_at_its_end(tmp_path: Path, error: type[BaseException] | None) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(b"old")
    (tmp_path / "secret").write_bytes(b"secret")
    # What somebody else put under its name is not written to.
    beside(path).symlink_to(tmp_path / "secret")
    with pytest.raises(error) if error else nullcontext(), unfinished(path) as part:
        part.write_bytes(b"new")
        assert path.read_bytes() == b"old"
        if error:
            raise error
    found = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    assert found == {"x.bin": b"old" if error else b"new", "secret": b"secret"}


@pytest.mark.parametrize(
    ("source", "local"),
    [
        ("data/avqa", True),
        (Path("/data/avqa"), True),
        ("s3://bucket/avqa", False),
        ("file:///data/avqa", False),
        ("simplecache::/data/avqa", False),
        ("a::b", True),
    ],
)
def test_is_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str | Path, local: bool) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a::b").mkdir()
    assert is_local(source) is local


def test_the_bytes_are_on_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("fsync"), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("replace"), replace(a, b)))
    write_json(tmp_path / "x", 1)
    move_whole(tmp_path / "x", tmp_path / "y")
    assert order == ["fsync", "replace", "fsync"] * 2


def test_move_whole_takes_the_place(tmp_path: Path) -> None:
    for name in ("new", "old"):
        (tmp_path / name).write_text(name)
    move_whole(tmp_path / "new", tmp_path / "old")
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"old": "new"}
    with pytest.raises(FileNotFoundError):
        move_whole(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old").read_text() == "new"


def test_json_has_a_line_for_each_entry(tmp_path: Path) -> None:
    write_json(tmp_path / "x", {"a": "é", "b": 2})
    assert (tmp_path / "x").read_text(encoding="utf-8") == '{\n "a": "é",\n "b": 2\n}\n'


def test_what_is_no_text_is_written_all_the_same(tmp_path: Path) -> None:
    write_json(tmp_path / "x", {"a": "x \ud83d y"})
    assert read_json(tmp_path / "x", "") == {"a": "x \ud83d y"}


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"a": [1, null]}', {"a": [1, None]}),
        (b"\xef\xbb\xbf[1]", [1]),
        (b'[\r\n1,\r\n"\xc3\xa9"\r\n]\r\n', [1, "é"]),
    ],
    ids=["plain", "BOM", "CRLF"],
)
def test_read_json(tmp_path: Path, content: bytes, value: object) -> None:
    (tmp_path / "x").write_bytes(content)
    assert read_json(tmp_path / "x", "") == value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[{"a": 1},\n {"b": ', "is not whole JSON: Expecting value at line 2, column 8"),
        (b'{"a": 1,\n\n "b" 2}', "is not whole JSON: Expecting ':' delimiter at line 3, column 6"),
        (b"", "is not whole JSON: Expecting value at line 1, column 1"),
        (b"<!DOCTYPE html>", "is not whole JSON: Expecting value at line 1, column 1"),
        (b"[1] [2]", "is not whole JSON: Extra data at line 1, column 5"),
        (b'["caf\xe9"]', "is not UTF-8 text: byte 5 cannot be read"),
        (b"\xff\xfe[\0]\0", "is not UTF-8 text: byte 0 cannot be read"),
        (b"[" * 200_000, "cannot be read: "),
        (b"[" + b"9" * 5000 + b"]", "cannot be read: "),
        (None, "cannot be read: No such file or directory"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_json_that_cannot_be_read(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "x.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_json(path, "mend it")
    said = str(caught.value)
    assert said.startswith(f"{path} {message}") and (said == f"{path} {message}" or message.endswith(": "))
    assert caught.value.hint == "mend it"


def test_a_folder_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be read: Is a directory"):
        read_json(tmp_path, "")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("dQw4w9WgXcQ_000010", True),
        ("-abcdefghij_000000", True),
        ("_x", True),
        ("a.b-c_d", True),
        ("7", True),
        ("a..b", True),
        ("a" * 200, True),
        ("a" * 201, False),
        ("a" * 300, False),
        ("", False),
        (".", False),
        ("..", False),
        ("../x", False),
        (".hidden", False),
        ("a/b", False),
        ("/a", False),
        ("a\\b", False),
        ("a\n", False),
        ("\na", False),
        ("a b", False),
        ("a\0", False),
        ("~", False),
        ("é", False),
        ("a:b", False),
        ("a*", False),
        ("\u0661", False),
    ],
)
def test_is_plain_name(name: str, plain: bool) -> None:
    assert is_plain_name(name) is plain


@pytest.mark.parametrize(
    ("number", "filename", "message", "hint"),
    [
        (errno.ENOSPC, "/d/x", "no room left in /d", "free some space"),
        (errno.EDQUOT, "/d/x", "no room left in /d", "free some space"),
        (errno.EACCES, "/d/x", "/d/x cannot be read or written: Permission denied", "check its owner"),
        (errno.EPERM, None, "/d cannot be read or written: Operation not permitted", "check its owner"),
        (errno.EROFS, None, "/d cannot be read or written: Read-only file system", "check its owner"),
        (errno.EIO, "/d/x", "trouble with /d/x: Input/output error", "its disk, or the server that has it"),
        (errno.EIO, None, "trouble with /d: Input/output error", "its disk, or the server that has it"),
        (errno.ENOTDIR, "/d/x", "/d/x: Not a directory", "a file stands where a folder should be"),
        (errno.EEXIST, "/d/x", "/d/x: File exists", "a file stands where a folder should be"),
    ],
)
def test_as_run_error(number: int, filename: str | None, message: str, hint: str) -> None:
    error = OSError(number, os.strerror(number), filename) if filename else OSError(number, os.strerror(number))
    found = as_run_error(error, Path("/d"))
    assert (type(found), str(found)) == (RunError, message)
    assert found.hint.startswith(hint)


@pytest.mark.parametrize(
    ("number", "full", "about_the_disk"),
    [
        (errno.ENOSPC, True, True),
        (errno.EDQUOT, True, True),
        (errno.EACCES, False, True),
        (errno.EPERM, False, True),
        (errno.EROFS, False, True),
        (errno.EIO, False, False),
        (errno.ECONNRESET, False, False),
        (None, False, False),
    ],
)
def test_what_an_error_is_about(number: int | None, full: bool, about_the_disk: bool) -> None:
    error = OSError("odd") if number is None else OSError(number, os.strerror(number))
    assert (is_full(error), is_about_the_disk(error)) == (full, about_the_disk)


def test_an_error_without_a_number() -> None:
    assert str(as_run_error(OSError("odd"), Path("/d"))) == "trouble with /d: odd"


@pytest.mark.parametrize(
    ("seconds", "fraction"),
    [
        (0.1, Fraction(1, 10)),
        (10.0, Fraction(10)),
        (10, Fraction(10)),
        (1.0000001, Fraction(10_000_001, 10_000_000)),
        (1e-7, Fraction(1, 10_000_000)),
        (12345.678, Fraction(12345678, 1000)),
        (1e22, Fraction(10**22)),
    ],
)
def test_exactly(seconds: float, fraction: Fraction) -> None:
    assert exactly(seconds) == fraction


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert sha256(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_free_bytes_are_those_of_an_ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(total=9, used=4, free=3))
    assert free_bytes(Path("/d")) == 3

"""The bytes of a file in each place that one can lie in, and what is said where they are not there."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import pyarrow
import pyarrow.parquet
import pytest

from avclips.catalog import places
from avclips.catalog.places import Unreadable, chunks, file_size, is_file, read, size
from avclips.catalog.sample import Place

CELLS = [b"first", b"second", None, b"\x00\x01", b"WEBVTT"]
CONTENT = bytes(range(100))
STORE = "memory://places"


@pytest.fixture(params=["disk", "file", "memory"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A folder with a file and a table of two rows a group: on this machine, and by addresses."""
    (tmp_path / "a.tar").write_bytes(CONTENT)
    write_table(tmp_path / "00000.parquet", CELLS)
    if request.param == "memory":
        store = fsspec.filesystem("memory")
        for path in tmp_path.iterdir():
            store.pipe(f"/places/{path.name}", path.read_bytes())
        yield STORE
        store.rm("/places", recursive=True)
    else:
        yield str(tmp_path) if request.param == "disk" else f"file://{tmp_path}"


def write_table(path: Path, cells: list[bytes | None]) -> None:
    """Cells as shards have them: typed media, plain bytes, texts."""
    media = [None if each is None else {"bytes": each, "path": "x"} for each in cells]
    texts = [None if each is None else each.decode("latin-1") for each in cells]
    columns = {"mp4": media, "bare": pyarrow.array(cells, pyarrow.large_binary()), "en.vtt": texts}
    columns["number"] = list(range(len(cells)))
    pyarrow.parquet.write_table(pyarrow.table(columns), path, row_group_size=2)


@pytest.mark.parametrize(("offset", "length"), [(0, None), (7, None), (7, 20), (7, 0), (0, 100)])
@pytest.mark.parametrize(("begin", "end"), [(0, None), (0, 5), (3, 10), (3, 3), (19, 200), (200, 300)])
def test_a_part_is_what_a_slice_is(
    base: str, offset: int, length: int | None, begin: int, end: int | None
) -> None:
    place = Place(f"{base}/a.tar", offset, length)
    whole = CONTENT[offset : None if length is None else offset + length]
    assert size(place) == len(whole) and file_size(place.path) == len(CONTENT)
    assert read(place, begin, end) == whole[begin:end] == b"".join(chunks(place, begin, end))


def test_a_long_one_comes_in_chunks(monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    monkeypatch.setattr(places, "CHUNK", 30)
    assert [len(each) for each in chunks(Place(f"{base}/a.tar", 5, 70))] == [30, 30, 10]


@pytest.mark.parametrize("column", ["mp4", "bare", "en.vtt"])
@pytest.mark.parametrize("row", [0, 1, 3, 4])
def test_a_cell(base: str, column: str, row: int) -> None:
    place, cell = Place(f"{base}/00000.parquet", row=row, column=column), CELLS[row]
    assert cell is not None and read(place) == cell and size(place) == len(cell)
    assert read(place, 1, 3) == cell[1:3] == b"".join(chunks(place, 1, 3))


@pytest.mark.parametrize(
    ("name", "place", "words"),
    [
        ("gone.wav", {}, "gone.wav cannot be read"),
        ("gone.wav", {"offset": 3, "size": 4}, "gone.wav"),
        ("a.tar", {"offset": 90, "size": 11}, "a.tar ends before byte 101"),
        ("a.tar", {"offset": 900, "size": 11}, "a.tar ends before byte 911"),
        ("gone.parquet", {"row": 0, "column": "mp4"}, "gone.parquet"),
        ("a.tar", {"row": 0, "column": "mp4"}, "[Pp]arquet"),
        ("00000.parquet", {"row": 5, "column": "mp4"}, "has no row 5"),
        ("00000.parquet", {"row": -1, "column": "mp4"}, "has no row -1"),
        ("00000.parquet", {"row": 2, "column": "mp4"}, "has nothing in row 2 of mp4"),
        ("00000.parquet", {"row": 2, "column": "bare"}, "has nothing in row 2 of bare"),
        ("00000.parquet", {"row": 0, "column": "number"}, "has nothing in row 0 of number"),
        ("00000.parquet", {"row": 0, "column": "none"}, "has no column none"),
    ],
)
def test_what_is_not_there(base: str, name: str, place: dict[str, int | str], words: str) -> None:
    wrong = Place(f"{base}/{name}", **place)  # type: ignore[arg-type]
    for look in (read, lambda each: list(chunks(each))):
        with pytest.raises(Unreadable, match=words) as caught:
            look(wrong)
        assert caught.value.hint and str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


class OfALibrary(Exception):
    """As drivers raise them: of no class that anybody knows."""


@pytest.mark.parametrize("method", ["cat_file", "open", "size"])
def test_whatever_a_driver_raises(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def fails(*args: object, **more: object) -> None:
        raise OfALibrary("no credentials\nwere found")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), method, fails)
    look = {"cat_file": read, "open": lambda place: list(chunks(place)), "size": size}[method]
    with pytest.raises(Unreadable, match="a.wav cannot be read: no credentials were found"):
        look(Place(f"{STORE}/a.wav"))


def test_no_password_is_said() -> None:
    with pytest.raises(Unreadable) as caught:
        read(Place("memory://user:secret@store/gone.tar", 1, 2))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (Place("/data/a.wav"), True),
        (Place("simplecache::/data/a.wav"), False),
        (Place("s3://data/a.wav"), False),
        (Place("/data/a.tar", 512, 7), False),
        (Place("/data/a.tar", 0, 7), False),
        (Place("/data/a.tar", 512), False),
        (Place("/data/a.parquet", row=0, column="mp4"), False),
    ],
)
def test_what_is_a_file_by_itself(place: Place, expected: bool) -> None:
    assert is_file(place) is expected


def test_a_folder_may_be_named_as_a_chain_of_addresses_is(tmp_path: Path) -> None:
    path = tmp_path / "simplecache::x" / "a.wav"
    path.parent.mkdir()
    path.write_bytes(b"RIFF")
    assert is_file(Place(str(path))) and read(Place(str(path))) == b"RIFF"


def test_a_table_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "a.parquet"), row=0, column="mp4")
    for content in (b"old", b"newer"):
        write_table(tmp_path / "a.parquet", [content])
        assert read(place) == content


def test_a_row_group_is_read_once_for_its_clips(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = str(tmp_path / "a.parquet")
    write_table(Path(path), [bytes([number]) for number in range(6)])
    opened, original = [], places.opened_table
    monkeypatch.setattr(places, "opened_table", lambda path: (opened.append(path), original(path))[1])
    for row in range(6):
        for name in ("mp4", "en.vtt"):
            assert read(Place(path, row=row, column=name)) == bytes([row])
    # Where its groups end, and two columns of each of three groups.
    assert len(opened) == 1 + 2 * 3


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_threads_and_a_forked_process_read_the_same(base: str) -> None:
    cells = [
        (Place(f"{base}/00000.parquet", row=row, column="mp4"), cell) for row, cell in enumerate(CELLS) if cell
    ]
    cells.append((Place(f"{base}/a.tar", 3, 4), CONTENT[3:7]))
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda each: read(each[0]) == each[1], cells * 8))
    child = multiprocessing.get_context("fork").Process(target=see_all, args=(cells,))
    child.start()
    child.join()
    assert child.exitcode == 0


def see_all(cells: list[tuple[Place, bytes]]) -> None:
    assert all(read(place) == content for place, content in cells)

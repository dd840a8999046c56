"""What a clip may cost: bytes and seconds by its length, tables and listings of so many packets; rows by size."""

from __future__ import annotations

import itertools
import struct
import tracemalloc
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pyarrow.parquet
import pytest

from avclips.containers import fragments, movie_fragments, mp4, webm
from avclips.containers.hls import Part
from avclips.containers.movie_fragments import Defaults, read_fragments
from avclips.containers.mp4 import NoTable, read_moov
from avclips.containers.samples import Samples
from avclips.core.clock import Clock
from avclips.core.errors import Transient
from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.media import demux, measure
from avclips.media import ffmpeg as ffmpeg_module
from avclips.media.ffmpeg import Ffmpeg
from avclips.reading.byte_reader import ByteReader, append, bytes_for, seconds_for
from avclips.reading.reader import Reading
from avclips.shards import table_writer
from avclips.shards.members import Layout
from avclips.shards.sample import Sample
from avclips.shards.table_writer import write_rows
from avclips.sources.streams import Stream, Streams
from tests.support.served import NoFfmpeg, Served, stream_at

MB = 1 << 20


@pytest.mark.parametrize(
    ("seconds", "quality", "whole_file", "most"),
    [
        # A short clip costs no more than a whole file may, a long one as much as its seconds need.
        (10, 360, 200 * MB, 200 * MB),
        (0, 360, 1, 30 * 323_200),
        (1, 360, 2 * MB, 31 * 323_200),
        (3600, 360, 200 * MB, 3630 * 323_200),
        (3600, 1080, 200 * MB, 3630 * 2_396_800),
        (10, 1080, 0, 40 * 2_396_800),
    ],
)
def test_the_bytes_of_a_clip(tmp_path: Path, seconds: float, quality: int, whole_file: int, most: int) -> None:
    assert bytes_for(seconds, Settings(tmp_path, quality=quality, max_whole_file=whole_file)) == most


@pytest.mark.parametrize(
    ("size", "rate_limit", "seconds"),
    [(51_200_000, 51_200, 2600), (51_200_000, None, 2600), (51_200_000, 10_240, 10_600), (0, None, 600),
     (51_200_000, 10 * MB, 2600)],
)  # fmt: skip
def test_the_seconds_of_a_clip(tmp_path: Path, size: int, rate_limit: int | None, seconds: float) -> None:
    assert seconds_for(size, Settings(tmp_path, rate_limit=rate_limit)) == seconds


@dataclass
class Serves:
    """A stand-in for YouTube whose files are as long as anybody asks for; ``sent``: the bytes of each read."""

    part: int = 0
    sent: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def begin_clip(self, seconds: float) -> None:
        self.seconds = seconds

    def read(self, stream: Stream, first: int, last: int, path: Path, short: bool = False) -> None:
        self._write(path, last - first + 1)

    def read_whole(self, stream: Stream, path: Path, at_most: int) -> None:
        if self.part > at_most:
            raise Transient("whole_file", f"{self.part} bytes, --max-whole-file is {at_most}")
        self._write(path, self.part)

    def _write(self, path: Path, size: int) -> None:
        self.sent.append(size)
        with open(path, "wb") as file:
            # Of holes: it takes no room.
            file.truncate(size)


STREAM = Stream("http://h/v", {}, "0", "mp4", "https", None, 0.0, "avc1")
Reader = Callable[..., tuple[ByteReader, Serves]]


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    def made(seconds: float = 1.0, whole_file: int = 2 * MB, part: int = 0) -> tuple[ByteReader, Serves]:
        serves = Serves(part)
        settings = Settings(tmp_path, max_whole_file=whole_file)
        found = ByteReader(serves, settings, tmp_path)  # type: ignore[arg-type]
        found.begin(seconds)
        return found, serves

    return made


def test_one_fragment_that_is_too_large_is_not_asked_for(reader: Reader) -> None:
    found, serves = reader()
    found.head(STREAM, 0, 4096)
    with pytest.raises(Transient, match=rf"^{600 * MB + 4096} bytes or more for one clip, --max-whole") as caught:
        found.body(STREAM, 4096, 4096 + 600 * MB - 1)
    assert caught.value.reason == "whole_file" and serves.sent == [4096]


def test_many_pieces_are_counted_together(reader: Reader) -> None:
    found, serves = reader(part=MB)
    with pytest.raises(Transient, match=r"bytes or more for one clip, --max-whole-file is 2097152$") as caught:
        for number in range(1200):
            found.part(STREAM, Part(f"http://h/{number}"))
    assert caught.value.reason == "whole_file"
    assert sum(serves.sent) == 9 * MB <= bytes_for(1.0, Settings(Path())) and serves.seconds > 600


def test_each_clip_has_its_own(reader: Reader) -> None:
    """What another clip of the video had costs it nothing."""
    found, serves = reader(part=4 * MB)
    for number in range(20):
        found.begin(1.0)
        for part in (number, number + 1):
            found.part(STREAM, Part(f"http://h/{part}", 0, 4 * MB - 1))
    assert len(serves.sent) == 21


def test_bodies_are_not_held_in_memory(reader: Reader) -> None:
    found, _ = reader(600.0, 200 * MB)
    tracemalloc.start()
    try:
        first = found.body(STREAM, 0, 50 * MB - 1)
        # Put together of what is there and what is not.
        both = found.body(STREAM, MB, 60 * MB - 1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (first.stat().st_size, both.stat().st_size) == (50 * MB, 59 * MB)
    assert peak < 8 * MB


@pytest.mark.parametrize(
    ("first", "count", "what"), [(0, None, b"abcdef"), (2, None, b"cdef"), (1, 3, b"bcd"), (5, 9, b"f")]
)
def test_append(tmp_path: Path, first: int, count: int | None, what: bytes) -> None:
    (tmp_path / "x").write_bytes(b"abcdef")
    with open(tmp_path / "y", "wb") as target:
        target.write(b"-")
        append(target, tmp_path / "x", first, count)
    assert (tmp_path / "y").read_bytes() == b"-" + what


# -- tables ----------------------------------------------------------------------------------------------------


def box(kind: bytes, *bodies: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, bodies)), kind) + b"".join(bodies)


def full(kind: bytes, *body: bytes) -> bytes:
    return box(kind, bytes(4), *body)


def sound(count: int) -> bytes:
    """A track of ``count`` packets of two lengths, all in one chunk at byte 100."""
    entry = box(b"mp4a", bytes(6), struct.pack(">HHHIHHHHI", 1, 0, 0, 0, 2, 16, 0, 0, 44100 << 16))
    sizes = struct.pack(f">{count}I", *itertools.islice(itertools.cycle((300, 301)), count))
    stsd, stts = full(b"stsd", struct.pack(">I", 1), entry), full(b"stts", struct.pack(">III", 1, count, 1024))
    stsz = full(b"stsz", struct.pack(">II", 0, count), sizes)
    stsc = full(b"stsc", struct.pack(">IIII", 1, 1, count, 1))
    stbl = box(b"stbl", stsd, stts, stsc, stsz, full(b"stco", struct.pack(">II", 1, 100)))
    mdhd = full(b"mdhd", struct.pack(">IIIII", 0, 0, 44100, 0, 0))
    return box(b"trak", box(b"mdia", mdhd, full(b"hdlr", bytes(4), b"soun", bytes(13)), box(b"minf", stbl)))


@pytest.mark.slow
def test_a_long_table_is_packed_and_right() -> None:
    count = 300_000
    moov = box(b"moov", sound(count))
    tracemalloc.start()
    try:
        (track,) = read_moov(moov)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(isinstance(each, array) for each in (track.times, track.decode, track.durations, track.sizes))
    assert list(track.times) == list(track.decode) == list(range(0, 1024 * count, 1024))
    assert (
        list(track.offsets[:4]) == [100, 400, 701, 1001] and track.offsets[-1] == 100 + 300 * (count - 1) + 149_999
    )
    # A tuple of numbers takes a hundred and seventy bytes a packet.
    assert peak < 80 * count
    (few,) = read_moov(box(b"moov", sound(5)))
    assert few.cut(1, 3).sizes == (301, 300) and list(track.cut(1, 3).sizes) == [301, 300]


def test_so_many_samples_of_all_tracks_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mp4, "MAX_SAMPLES", 110)
    assert len(read_moov(box(b"moov", sound(50), sound(50)))) == 2
    with pytest.raises(NoTable, match="samples$"):
        read_moov(box(b"moov", sound(60), sound(60)))


def head(track: int) -> Samples:
    return Samples("audio", "mp4a", 0, 0, 1000, (), (), (), (), None, track=track)


def fragment(track: int, count: int) -> bytes:
    """A fragment of ``count`` samples of one byte, of which the table says nothing."""
    tfhd = box(b"tfhd", struct.pack(">II", 0x020000, track))
    trun = box(b"trun", struct.pack(">II", 0, count))
    return box(b"moof", box(b"traf", tfhd, trun)) + box(b"mdat", bytes(count + 100))


def test_so_many_samples_of_fragments_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movie_fragments, "MAX_SAMPLES", 100)
    heads, usual = {n: head(n) for n in (1, 2)}, {n: Defaults(10, 1, 0) for n in (1, 2)}
    found = read_fragments(heads, usual, fragment(1, 60) + fragment(2, 40))
    assert [len(each.times) for each in found.values()] == [60, 40]
    with pytest.raises(NoTable):
        read_fragments(heads, usual, fragment(1, 60) + fragment(2, 41))


# -- listings --------------------------------------------------------------------------------------------------


def listing(count: int) -> Iterator[str]:
    yield "#tb 0: 1/1000\n"
    yield "#media_type 0: audio\n"
    for number in range(count):
        yield f"0, {number}, {number}, 1, 1, 0x00000000\n"


@pytest.mark.parametrize("read", [measure.read_framecrc, demux._read_listing])
def test_a_listing_has_so_many_packets(monkeypatch: pytest.MonkeyPatch, read: Callable[..., object]) -> None:
    for module in (measure, demux):
        monkeypatch.setattr(module, "MAX_PACKETS", 1000)
    read(listing(1000))
    with pytest.raises(Transient, match="^more than 1000 packets$"):
        # Not read to its end, which it has not.
        read(itertools.chain(listing(1000), itertools.repeat("0, 1, 1, 1, 1, 0x00000000\n")))


def test_a_child_that_prints_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg_module, "MOST_PRINTED", 4 * MB)
    script = tmp_path / "ffmpeg"
    script.write_text("#!/bin/sh\nexec yes 0, 1, 1, 1, 1, 0x00000000\n")
    script.chmod(0o755)
    ffmpeg = Ffmpeg(script, Clock(1.0))
    tracemalloc.start()
    try:
        with pytest.raises(Transient, match="prints more than 4 MB"):
            ffmpeg.lines([])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * MB and ffmpeg._children == set()


# -- rows ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        ([5, 5, 5], [3]),
        ([60, 50, 40, 10, 100, 1], [1, 3, 1, 1]),
        # One that is larger than all that may be together is by itself.
        ([10, 500, 10, 10], [1, 1, 2]),
        ([0, None, 0], [3]),
        ([None], [1]),
        ([100, None, None, 100], [3, 1]),
        ([1] * 9, [4, 4, 1]),
    ],
)
def test_rows_are_written_by_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int | None], groups: list[int]
) -> None:
    monkeypatch.setattr(table_writer, "_AT_ONCE", 100)
    monkeypatch.setattr(table_writer, "_ROWS_AT_ONCE", 4)
    samples, contents = [], []
    for number, size in enumerate(sizes):
        contents.append(None if size is None else bytes([number]) * size)
        line = {"id": str(number), "status": "done", "video": f"{number}.mp4" if size is not None else None}
        if contents[-1] is not None:
            (tmp_path / f"{number}.mp4").write_bytes(contents[-1])
        samples.append(Sample(Clip(str(number), "v", 0.0, 1.0), line))
    write_rows(tmp_path / "x.parquet", samples, tmp_path, Layout({}, ("mp4",)))
    with pyarrow.parquet.ParquetFile(tmp_path / "x.parquet") as file:
        assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == groups
        table = file.read()
    assert [cell and cell["bytes"] for cell in table["mp4"].to_pylist()] == contents
    assert table["id"].to_pylist() == [str(n) for n in range(len(sizes))]


def test_a_file_that_shrinks_while_it_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.mp4").write_bytes(bytes(10))
    sample = Sample(Clip("a", "v", 0.0, 1.0), {"id": "a", "status": "done", "video": "a.mp4"})
    stat = Path.stat
    monkeypatch.setattr(Path, "stat", lambda path, **how: replace_size(stat(path, **how), path))
    with pytest.raises(OSError, match="became shorter"):
        write_rows(tmp_path / "x.parquet", [sample], tmp_path, Layout({}, ("mp4",)))


def replace_size(told: object, path: Path) -> object:
    class Longer:
        st_size = 11

    return Longer() if path.name == "a.mp4" else told


# -- boxes and elements that are too many --------------------------------------------------------------------


FREE, VOID = struct.pack(">I4s", 8, b"free"), b"\xec\x80"
FEW = 50


def webm_head(content: bytes) -> bytes:
    return bytes.fromhex("1a45dfa380 18538067 01ffffffffffffff") + content


READERS: dict[str, Callable[[int], object]] = {
    "children": lambda count: sum(1 for _ in movie_fragments.children(FREE * count, 0, 8 * count)),
    "fragments": lambda count: fragments.check_boxes(
        fragments.Index(b"", 1, (0, 8 * count), (0, 1)),
        fragments.FragmentRange(0, 8 * count - 1, Fraction(0)),
        FREE * count,
    ),
    "clusters": lambda count: webm.check_clusters(
        fragments.Index(b"", 1, (0, 3 + 2 * count), (0, 1), "webm"),
        0,
        b"\x1f\x43\xb6\x75\x80" + VOID * (count - 1),
    ),
    "blocks": lambda count: list(webm._children(VOID * count, webm._Element(0, 0, 0, 2 * count))),
}


@pytest.mark.parametrize("name", READERS)
def test_so_many_boxes_are_believed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the smallest ones, a large file would keep a core busy for minutes."""
    for module in (movie_fragments, fragments, webm, mp4):
        monkeypatch.setattr(module, "MOST_BOXES", FEW)

    def said(count: int) -> str:
        try:
            return str(READERS[name](count))
        except (NoTable, fragments.NoIndex) as error:
            return str(error)

    assert f"more than {FEW}" not in said(FEW) and f"more than {FEW}" in said(FEW + 1)


@pytest.mark.parametrize(
    "head",
    [
        struct.pack(">I4s", 8, b"ftyp") + FREE * 400_000,
        struct.pack(">I4s", 8, b"ftyp") + (struct.pack(">I4s", 4000, b"free") + bytes(3992)) * 900,
        webm_head(VOID * 1_500_000),
        webm_head((b"\xec\x40\x02" + bytes(2)) * 900),
        webm_head((b"\xec\x4f\xa0" + bytes(4000)) * 900),
    ],
    ids=["the smallest boxes", "boxes", "the smallest elements", "elements", "larger elements"],
)
def test_a_head_in_small_steps(tmp_path: Path, head: bytes) -> None:
    """What it is asked for does not grow with how it is cut up."""
    served = Counted({"http://h/v": head})
    settings = Settings(tmp_path, max_whole_file=MB)
    streams = Streams(stream_at("http://h/v"), None, "0", 8.0, elsewhere=True)
    reading = Reading(served, NoFfmpeg(), settings, streams, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(Transient):
        reading.job(Clip("a", "a", 0.0, 1.0))
    assert 0 < served.reads < 30


@dataclass
class Counted(Served):
    """Served, which counts what it is asked for."""

    reads: int = 0

    def read(self, stream: Stream, first: int, last: int, path: Path, short: bool = False) -> None:
        self.reads += 1
        super().read(stream, first, last, path, short)

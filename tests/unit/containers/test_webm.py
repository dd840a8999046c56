"""WebM files by their Cues: real ones beside PyAV's reading, and those that do not add up."""

from __future__ import annotations

import itertools
import math
import struct
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avclips.containers.fragments import MAX_HEAD, Index, NeedMore, NoIndex, guess_head
from avclips.containers.webm import check_clusters, heard, inside_segment, last_padding, read_index
from avclips.core.clock import Clock
from avclips.media.ffmpeg import Ffmpeg
from avclips.reading.indexed import Clusters
from tests.standin import fake_media
from tests.standin.fake_media import CLUSTER, CUES, INFO, SEGMENT, Media
from tests.support.made_files import PICTURE as FILM
from tests.support.made_files import SOUND, made
from tests.support.planned import plan

MEDIA = Media(duration=24, width=64, height=36, gop_seconds=2, sample_rate=48000)
FEW = settings(deadline=None, derandomize=True, max_examples=200)
EBML, TRACKS, TAGS, VOID = 0x1A45DFA3, 0x1654AE6B, 0x1254C367, 0xEC
# The samples of Opus that libopus puts before the first, and the milliseconds of a packet.
DELAY, PACKET = 312, 20


def real(itag: int, folder: Path) -> tuple[Path, bytes, Index]:
    """A real file and its index."""
    path = fake_media.make(MEDIA, itag, folder)
    content = path.read_bytes()
    index = read_index(content, len(content))
    assert isinstance(index, Index)
    return path, content, index


@pytest.mark.parametrize("itag", [243, 251])
def test_the_index_of_a_real_file(media_folder: Path, itag: int) -> None:
    path, content, index = real(itag, media_folder)
    (segment,) = (inside for kind, _, inside, _ in fake_media.elements(content) if kind == SEGMENT)
    top = list(fake_media.elements(content, segment))
    clusters = [(at, end) for kind, at, _, end in top if kind == CLUSTER]
    assert index.offsets == (*(at for at, _ in clusters), len(content))
    assert (index.timescale, index.container) == (1000, "webm")
    with av.open(str(path)) as container:
        packets = [p for p in container.demux() if p.size]
        assert container.duration is not None and index.times[-1] == container.duration / 1000
    firsts = [next(p for p in packets if at <= (p.pos or 0) < end) for at, end in clusters]
    assert len(firsts) == (12 if itag == 243 else 3) and index.times[0] == 0
    for told, first in zip(index.times, firsts, strict=False):
        assert first.is_keyframe and first.pts is not None
        # PyAV has the encoder's delay, rounded to the millisecond, before 0.
        assert told == first.pts if itag == 243 else abs(first.pts + DELAY / 48 - told) <= 1
    assert (index.earliest, index.tracks) == (0, ("video",) if itag == 243 else ("audio",))
    assert index.delay == (0 if itag == 243 else DELAY)
    assert content[: len(index.init)][:40] == index.init[:40]
    held = {kind: content[at:end] for kind, at, _, end in top}
    assert index.init.endswith(held[INFO] + held[TRACKS])


@pytest.mark.parametrize("itag", [243, 251])
def test_the_head_and_some_clusters_are_a_file(media_folder: Path, tmp_path: Path, itag: int) -> None:
    path, content, index = real(itag, media_folder)
    span = plan(index, Fraction(11), Fraction(13))
    assert span is not None and span.first > index.offsets[0]
    part = tmp_path / "part.webm"
    part.write_bytes(index.init + content[span.first : span.last + 1])
    with av.open(str(path)) as whole, av.open(str(part)) as some:
        due = {p.pts: bytes(p) for p in whole.demux() if p.size}
        got = {p.pts: bytes(p) for p in some.demux() if p.size}
    assert got.items() <= due.items()
    # Opus: a packet begins a delay before it is heard.
    assert min(got) <= 11000 and max(got) >= 13000 - PACKET - DELAY * 1000 / 48000 - 1


@pytest.mark.parametrize(
    ("packet", "delay", "timescale", "due"),
    [
        # Of libopus' 312 samples, 6.5 ms, ffmpeg makes 7: where the first block's stamp is 0, and where not.
        (-7, DELAY, 1000, 0),
        (494, DELAY, 1000, 501),
        (495, DELAY, 1000, 502),
        (-3, 120, 1000, 0),
        (-2, 119, 1000, 0),
        (-312, DELAY, 48_000, 0),
        # Vorbis has none.
        (40, 0, 1000, 40),
    ],
)
def test_where_opus_is_heard(packet: int, delay: int, timescale: int, due: int) -> None:
    at = heard(Fraction(packet, timescale), Fraction(delay, 48_000), timescale)
    assert at == Fraction(due, timescale)


class Served:
    """A reader of one file."""

    def __init__(self, content: bytes, folder: Path) -> None:
        self.content, self.folder = content, folder

    def body(self, stream: object, first: int, last: int) -> Path:
        path = self.file("body")
        path.write_bytes(self.content[first : last + 1])
        return path

    def file(self, name: str) -> Path:
        return self.folder / name


def test_opus_begins_with_the_picture_beside_it(media_folder: Path, tmp_path: Path) -> None:
    """What its encoder put in front, which ffmpeg rounds to milliseconds, does not move it."""
    words = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus")
    content = made(media_folder, "webm", *FILM, *SOUND, *words, "-cues_to_front", "1").read_bytes()
    index = read_index(content, len(content))
    assert isinstance(index, Index) and index.delay == DELAY
    ffmpeg = Ffmpeg(Path(fake_media.ffmpeg()), Clock())
    clusters = Clusters(Served(content, tmp_path), None, index, ffmpeg)  # type: ignore[arg-type]
    assert [clusters.begin(kind).shown for kind in ("video", "audio")] == [0, 0]
    assert clusters.first_packet("audio") == Fraction(-DELAY, 48_000)


@pytest.mark.parametrize("itag", [243, 251])
def test_asking_again_comes_to_an_end(media_folder: Path, itag: int) -> None:
    _, content, index = real(itag, media_folder)
    asked = [0]
    while isinstance(found := read_index(content[: asked[-1]], len(content)), NeedMore):
        assert found.size > asked[-1]
        asked.append(found.size)
    assert found == index
    # Never a byte of media, but for an element's header.
    assert asked[-1] <= index.offsets[0] + 16 and len(asked) < 20
    assert isinstance(read_index(content[: guess_head(24)], len(content)), Index)


@pytest.mark.parametrize("itag", [243, 251])
def test_the_clusters_of_a_real_file(media_folder: Path, itag: int) -> None:
    _, content, index = real(itag, media_folder)
    for since in range(0, 24, 3):
        span = plan(index, Fraction(since), Fraction(since + 4))
        assert span is not None
        body = content[span.first : span.last + 1]
        assert check_clusters(index, span.first, body) is None
        assert check_clusters(index, span.first, bytes(8) + body[8:]) is not None
        assert check_clusters(index, span.first, body[1:] + b"\0") is not None


# -- files made by hand ----------------------------------------------------------------------------------


def number(value: int, length: int = 8) -> bytes:
    """A size as EBML has it."""
    return (value | 1 << 7 * length).to_bytes(length, "big")


UNKNOWN = b"\x01" + b"\xff" * 7


def element(id: int, *inside: bytes, size: bytes | None = None) -> bytes:
    """An element; ``size`` is another than its own."""
    content = b"".join(inside)
    return id.to_bytes((id.bit_length() + 7) // 8, "big") + (size or number(len(content))) + content


def whole(id: int, value: int) -> bytes:
    """An element that holds a number."""
    return element(id, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"), size=None)


def cue(when: int, where: int) -> bytes:
    """A cue: a time, and the place of a cluster."""
    return element(0xBB, whole(0xB3, when), element(0xB7, whole(0xF7, 1), whole(0xF1, where)))


def info(duration: bytes | None = struct.pack(">d", 9000.0), scale: int | None = 1_000_000) -> bytes:
    """The clock and the duration of a file."""
    clock = b"" if scale is None else whole(0x2AD7B1, scale)
    return element(INFO, clock, b"" if duration is None else element(0x4489, duration))


def tracks(codec: bytes = b"V_VP9", kind: int = 1, delay: int | None = None) -> bytes:
    """A track; ``delay``: the nanoseconds that its encoder put in front."""
    inside = [whole(0xD7, 1), whole(0x83, kind), element(0x86, codec)]
    return element(TRACKS, element(0xAE, *inside, *([] if delay is None else [whole(0x56AA, delay)])))


def cues(*points: tuple[int, int]) -> bytes:
    """The Cues of these times and places."""
    return element(CUES, *(cue(*point) for point in points))


PLACES = (1000, 1500, 2500)
GOOD = cues((0, 1000), (3000, 1500), (5980, 2500))
LENGTH = 4000


def webm(
    *parts: bytes, size: bytes | None = None, front: bytes = element(EBML, b"abc"), segment: int = SEGMENT
) -> bytes:
    """The head of a file whose segment holds these parts and ends at byte 4000 of its content."""
    return front + element(segment, *parts, size=size or number(LENGTH))


START = len(webm())


def index_of(times: Sequence[int], places: Sequence[int] = PLACES, timescale: int = 1000) -> tuple[object, ...]:
    """What is read of a file whose clusters are in these places."""
    return timescale, tuple(START + place for place in (*places, LENGTH)), tuple(times)


def told(head: bytes, size: int | None = START + LENGTH) -> tuple[object, ...]:
    """What is read of a file, without what goes before its clusters."""
    found = read_index(head, size)
    assert isinstance(found, Index) and found.container == "webm"
    return found.timescale, found.offsets, found.times


TIMES = (0, 3000, 5980, 9000)
OTHER = element(VOID, bytes(50)) + element(TAGS, b"xyz")


@pytest.mark.parametrize(
    ("head", "due"),
    [
        (webm(info(), tracks(), GOOD), index_of(TIMES)),
        (webm(GOOD, tracks(), info()), index_of(TIMES)),
        (webm(OTHER, info(), OTHER, tracks(), OTHER, GOOD, OTHER), index_of(TIMES)),
        (webm(info(), tracks(), GOOD, size=UNKNOWN), index_of(TIMES)),
        (webm(info(), tracks(), GOOD) + element(CLUSTER, bytes(99)), index_of(TIMES)),
        (webm(info(struct.pack(">f", 9000.4)), tracks(), GOOD), index_of(TIMES)),
        (webm(info(scale=None), tracks(), GOOD), index_of(TIMES)),
        (webm(info(scale=1000), tracks(), GOOD), index_of(TIMES, timescale=10**6)),
        (webm(info(scale=10**9), tracks(), GOOD), index_of(TIMES, timescale=1)),
        # Each twice, or in another order: they are what they are.
        (webm(info(), tracks(), cues((0, 1000), (0, 1000), (3000, 1500), (5980, 2500))), index_of(TIMES)),
        (webm(info(), tracks(), cues((5980, 2500), (0, 1000), (3000, 1500))), index_of(TIMES)),
        # A cluster has a cue for each track that begins in it: the earliest counts.
        (
            webm(info(), tracks(), cues((0, 1000), (7, 1000), (3040, 1500), (3000, 1500), (5980, 2500))),
            index_of(TIMES),
        ),
        # Times are as they are written, of Opus too: what is rounded is put right when its packets are there.
        (
            webm(info(), tracks(b"A_OPUS"), cues((0, 1000), (3001, 1500), (5979, 2500))),
            index_of((0, 3001, 5979, 9000)),
        ),
        (webm(info(), tracks(), cues((0, 1000))), index_of((0, 9000), (1000,))),
        # An id of eight bytes is nobody's, and passed over like any that is not known.
        (webm(info(), b"\x01" + bytes(7) + number(3) + b"abc", tracks(), GOOD), index_of(TIMES)),
    ],
)  # fmt: skip
def test_the_index_of_a_head_made_by_hand(head: bytes, due: tuple[object, ...]) -> None:
    assert told(head) == due


def test_what_goes_before_the_clusters() -> None:
    front = element(EBML, b"abc")
    found = read_index(webm(OTHER, tracks(), GOOD, info(), front=front), START + LENGTH)
    assert isinstance(found, Index)
    assert found.init == front + element(SEGMENT, size=UNKNOWN) + info() + tracks()


@pytest.mark.parametrize(
    ("inside", "kinds", "delay"),
    [
        (tracks(), ("video",), 0),
        (tracks(b"A_OPUS", 2, 6_500_000), ("audio",), 312),
        (tracks(b"A_OPUS", 2, 80_000_000), ("audio",), 3840),
        (tracks(b"A_OPUS", 2), ("audio",), 0),
        # No other codec counts it so.
        (tracks(b"A_AAC", 2, 6_500_000), ("audio",), 0),
        # Subtitles are nobody's.
        (tracks(b"S_TEXT/WEBVTT", 17), (), 0),
    ],
)
def test_the_tracks_of_a_file(inside: bytes, kinds: tuple[str, ...], delay: int) -> None:
    found = read_index(webm(info(), inside, GOOD), START + LENGTH)
    assert isinstance(found, Index) and (found.tracks, found.delay) == (kinds, delay)


def late(time: int, place: int) -> bytes:
    """A file whose first cue is not at 0, up to where its clusters begin, and the header of the first."""
    content = webm(info(), tracks(), cues((time, place), (5980, 2500)))
    return content + element(VOID, bytes(START + 1000 - len(content) - 9)) + element(CLUSTER, bytes(500))


def test_a_file_that_begins_late() -> None:
    head = late(1234, 1000)
    found = read_index(head, START + LENGTH)
    assert isinstance(found, Index) and (found.earliest, found.times) == (1234, (0, 4746, 7766))
    # Whether a cluster stands before the first that has a cue is seen when the head reaches it.
    asked = read_index(head[: START + 900], START + LENGTH)
    assert isinstance(asked, NeedMore) and START + 900 < asked.size <= START + 1016


def test_cues_that_leave_out_the_first_cluster() -> None:
    with pytest.raises(NoIndex, match=BEGIN):
        read_index(late(1234, 1509), START + LENGTH)


@pytest.mark.parametrize("head", [webm(info(), tracks(), GOOD), webm(OTHER, tracks(), GOOD, OTHER, info())])
def test_every_piece_of_a_head_asks_for_more_and_never_too_much(head: bytes) -> None:
    for length in range(len(head)):
        found = read_index(head[:length], START + LENGTH)
        assert isinstance(found, NeedMore)
        assert length < found.size <= max(length, START) + 64 or found.size <= len(head)


CLIENT = element(CLUSTER, bytes(20))
ADDED = "do not add up"
BEGIN = "do not begin"
LEAVES = "leaves its parent"
TIME = "without a clock or a duration"


@pytest.mark.parametrize(
    ("head", "why"),
    [
        # The front of a file.
        (b"\0" * 60, "no EBML element"),
        (element(TAGS, b"abc") + webm(info(), tracks(), GOOD), "not a WebM"),
        (element(EBML, size=UNKNOWN) + bytes(60), "not a WebM"),
        (element(EBML, size=number(1 << 55)) + bytes(60), "a head of"),
        (webm(info(), tracks(), GOOD, segment=TAGS), "no Segment"),
        # What comes before the Cues.
        (webm(info(), tracks(), CLIENT, GOOD), "clusters before"),
        (webm(element(CLUSTER, size=UNKNOWN)), "clusters before"),
        (webm(info(), element(TRACKS, size=UNKNOWN)), "unknown size"),
        (webm(info(), element(CUES, size=b"\xff")), "unknown size"),
        (webm(info(), element(VOID, size=b"\x7f\xff")), "unknown size"),
        (webm(info(), element(VOID, size=number(MAX_HEAD)), tracks(), GOOD), "a head of"),
        (webm(info(), element(CUES, size=number((1 << 56) - 2))), "a head of"),
        # Numbers that are none.
        (webm(info(), b"\0" + bytes(50), tracks(), GOOD), "no EBML element"),
        (webm(info(), b"\xec\0" + bytes(50), tracks(), GOOD), "no EBML element"),
        # The clock.
        (webm(info(None), tracks(), GOOD), TIME),
        (webm(info(scale=0), tracks(), GOOD), TIME),
        (webm(info(scale=10**9 + 1), tracks(), GOOD), TIME),
        (webm(info(scale=1 << 64), tracks(), GOOD), TIME),
        (webm(info(scale=3), tracks(), GOOD), BEGIN),
        (webm(info(struct.pack(">d", math.nan)), tracks(), GOOD), "broken duration"),
        (webm(info(struct.pack(">f", math.nan)), tracks(), GOOD), "broken duration"),
        (webm(info(struct.pack(">d", math.inf)), tracks(), GOOD), "broken duration"),
        (webm(info(struct.pack(">d", -math.inf)), tracks(), GOOD), "broken duration"),
        (webm(info(struct.pack(">d", 0.0)), tracks(), GOOD), ADDED),
        (webm(info(struct.pack(">d", -9000.0)), tracks(), GOOD), ADDED),
        (webm(info(struct.pack(">d", 5980.0)), tracks(), GOOD), ADDED),
        # The cues.
        (webm(info(), tracks(), cues()), BEGIN),
        (webm(info(), tracks(b"A_VORBIS"), GOOD), "Vorbis"),
        (webm(info(), tracks(), cues((0, 0), (3000, 1500))), BEGIN),
        (webm(info(), tracks(), cues((0, 1000), (3000, LENGTH))), ADDED),
        (webm(info(), tracks(), cues((0, 1000), (3000, LENGTH + 1))), ADDED),
        (webm(info(), tracks(), cues((0, 1000), (3000, 1 << 64))), ADDED),
        (webm(info(), tracks(), cues((0, 1000), (9000, 1500))), ADDED),
        (webm(info(), tracks(), cues((0, 1000), (1 << 64, 1500))), ADDED),
        (webm(info(), tracks(), cues((0, 1500), (3000, 1000))), ADDED),
        (webm(info(), tracks(), cues((0, 1000), (3000, 1500), (3000, 1600))), ADDED),
        (webm(info(), tracks(), element(CUES, element(0xBB))), "says nothing"),
        (webm(info(), tracks(), element(CUES, element(0xBB, whole(0xB3, 0)))), "says nothing"),
        (webm(info(), tracks(), element(CUES, element(0xBB, whole(0xB3, 0), element(0xB7)))), "says nothing"),
        (webm(info(), tracks(), element(CUES, element(VOID, bytes(9)))), BEGIN),
        (webm(info(), tracks(), GOOD, size=number(50)), ADDED),
        # Elements that leave their parents.
        (webm(info(), tracks(), element(CUES, element(0xBB, size=number(1)))), LEAVES),
        (webm(info(), tracks(), element(CUES, element(0xBB, size=UNKNOWN)), OTHER), LEAVES),
        (webm(info(), tracks(), element(CUES, element(0xBB, element(0xB3, size=number(9)))), OTHER), LEAVES),
        (webm(info(), tracks(), element(CUES, b"\xbb"), OTHER), LEAVES),
        (webm(info(), tracks(), element(CUES, b"\xbb\x40"), OTHER), LEAVES),
        (webm(element(INFO, element(0x4489, size=number(8))), bytes(8), tracks(), GOOD), "leaves|EBML"),
        (webm(info(), element(TRACKS, element(0xAE, size=number(99))), GOOD), LEAVES),
        (webm(info(), element(TRACKS, element(0xAE, element(0x86, size=number(99)))), GOOD), LEAVES),
    ],
)  # fmt: skip
def test_what_has_no_index(head: bytes, why: str) -> None:
    with pytest.raises(NoIndex, match=why):
        read_index(head + bytes(60), START + LENGTH)


def test_a_file_of_unknown_size() -> None:
    with pytest.raises(NoIndex, match="unknown size"):
        read_index(webm(info(), tracks(), GOOD, size=UNKNOWN), None)
    assert told(webm(info(), tracks(), GOOD), None) == index_of(TIMES)


@pytest.mark.parametrize("duration", [1e18, 1e300, 1.7e308])
def test_a_duration_without_measure_is_only_long(duration: float) -> None:
    found = read_index(webm(info(struct.pack(">d", duration)), tracks(b"A_OPUS"), GOOD), START + LENGTH)
    assert isinstance(found, Index) and found.times[:-1] == TIMES[:-1]
    span = plan(found, Fraction(7), None)
    assert span is not None and (span.first, span.last) == (START + 2500, START + LENGTH - 1)


@pytest.mark.parametrize("missing", [1, LENGTH - 2500, LENGTH - 1200])
def test_cues_beyond_the_end_of_the_file(missing: int) -> None:
    with pytest.raises(NoIndex):
        read_index(webm(info(), tracks(), GOOD), START + LENGTH - missing)


@pytest.mark.parametrize("content", [b"", b"\x46", b"\x46\x1c\x40" + bytes(4), b"\x46\x1c\x40" + bytes(6)])
def test_a_duration_of_another_size(content: bytes) -> None:
    clock = element(INFO, element(0x4489, content), element(0x4661, bytes(8)))
    with pytest.raises(NoIndex):
        read_index(webm(clock, tracks(), GOOD), START + LENGTH)


def test_a_cluster_within_the_cues() -> None:
    place = len(webm(info(), tracks())) - START + 20
    with pytest.raises(NoIndex):
        read_index(webm(info(), tracks(), cues((0, place), (3000, 1500))), START + LENGTH)


def test_many_small_elements_cost_no_more_than_their_bytes() -> None:
    head = webm(info(), tracks(), element(CUES, b"\xec\x80" * 120_000)) + bytes(1)
    began = time.process_time()
    with pytest.raises(NoIndex):
        read_index(head, START + LENGTH)
    assert time.process_time() - began < 0.4


@FEW
@given(st.data())
def test_whatever_comes_is_an_index_or_no_index(data: st.DataObject) -> None:
    content = bytearray(webm(OTHER, info(), tracks(b"A_OPUS"), GOOD))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        put = data.draw(st.binary(min_size=1, max_size=9) | st.sampled_from([UNKNOWN, b"\xff" * 4, bytes(4)]))
        content[at : at + len(put)] = put
    size = data.draw(st.none() | st.integers(0, 9999))
    try:
        found = read_index(bytes(content), size)
    except NoIndex:
        return
    if isinstance(found, NeedMore):
        assert len(content) < found.size <= MAX_HEAD
    else:
        assert found.timescale > 0 and len(found.offsets) == len(found.times) > 1 and found.times[0] == 0
        assert all(a < b for a, b in itertools.pairwise(found.offsets))
        assert all(a <= b for a, b in itertools.pairwise(found.times))


# -- clusters --------------------------------------------------------------------------------------------

TWO = Index(b"", 1000, (1000, 1050, 1100), (0, 5000, 10000), "webm")
ONE = element(CLUSTER, bytes(38))  # 50 bytes


@pytest.mark.parametrize(
    ("first", "body", "complaint"),
    [
        (1000, ONE * 2, None),
        (1050, ONE, None),
        (1050, element(CLUSTER, size=UNKNOWN) + b"x" * 38, None),
        (1050, element(CLUSTER, bytes(8)) + element(VOID, bytes(11)), None),
        (1050, element(CLUSTER, bytes(8)) + element(CUES, size=UNKNOWN) + bytes(6), None),
        # What is not whole is not looked at: its bytes were counted.
        (1050, ONE[:49], None),
        (1000, ONE, None),
        (1000, b"", None),
        (1050, element(TAGS, bytes(38)), "no cluster at byte 1050"),
        (1050, element(TAGS, size=UNKNOWN) + bytes(38), "no cluster at byte 1050"),
        (1000, ONE + element(VOID, bytes(8)) + element(CLUSTER, bytes(21)), "no cluster at byte 1050"),
        (1000, element(CLUSTER, bytes(39)) + ONE[1:], "byte 1000 that leaves its cluster"),
        (1000, element(CLUSTER, bytes(88)), "byte 1000 that leaves its cluster"),
        (1050, element(CLUSTER, bytes(37)) + b"\xec", "byte 1099 that leaves its cluster"),
        (1050, element(CLUSTER, bytes(36)) + b"\xec\x81", "byte 1098 that leaves its cluster"),
        (1050, element(CLUSTER, bytes(36)) + b"\xec\x80", None),
        (1050, element(CLUSTER, size=number((1 << 56) - 2)) + bytes(38), "byte 1050 that leaves its cluster"),
        (1050, bytes(50), "no EBML element"),
        (1050, element(CLUSTER, bytes(36)) + b"\0\0", "no EBML element"),
    ],
)
def test_check_clusters(first: int, body: bytes, complaint: str | None) -> None:
    found = check_clusters(TWO, first, body)
    assert found == complaint if complaint is None else found is not None and complaint in found


# -- what is not heard at the end ------------------------------------------------------------------------


BLOCK, PICTURE = b"\x81" + bytes(8), element(0xA3, b"\x82" + bytes(8))


def group(padding: bytes | None = None, block: bytes = BLOCK) -> bytes:
    """A block in a group; ``padding``: its nanoseconds that are not heard."""
    return element(0xA0, element(0xA1, block), *([] if padding is None else [element(0x75A2, padding)]))


PADDED = group((13_500_000).to_bytes(4, "big"))
SIMPLE = element(0xA3, BLOCK)


@pytest.mark.parametrize(
    ("data", "padding"),
    [
        (element(CLUSTER, SIMPLE, PADDED), 13_500_000),
        (element(CLUSTER, SIMPLE) + element(CLUSTER, SIMPLE, PADDED), 13_500_000),
        (element(CLUSTER, SIMPLE, PADDED) + CLIENT[:0] + element(TAGS, b"abc"), 13_500_000),
        (element(CLUSTER, SIMPLE, group(b"\x00\xcd\xfe\x60")), 13_500_000),
        (element(CLUSTER, SIMPLE, group(b"\x01")), 1),
        # Only of the last: what an earlier packet lacks is in the middle.
        (element(CLUSTER, PADDED, group()), 0),
        (element(CLUSTER, PADDED, SIMPLE), 0),
        # Of a file with both, the last block may be a picture's.
        (element(CLUSTER, PADDED, PICTURE), 13_500_000),
        (element(CLUSTER, PADDED, group(None, b"\x82" + bytes(8))), 13_500_000),
        (element(CLUSTER, PADDED, PICTURE, SIMPLE), 0),
        (element(CLUSTER, element(0xA0, element(0x75A2, b"\x01"))), 0),
        (element(CLUSTER, PADDED) + element(CLUSTER, SIMPLE, group()), 0),
        (element(CLUSTER, PADDED) + element(CLUSTER, SIMPLE), 0),
        # The sound may end clusters before the picture does.
        (element(CLUSTER, SIMPLE, PADDED, PICTURE) + element(CLUSTER, PICTURE), 13_500_000),
        (element(CLUSTER, PADDED, PICTURE) + element(CLUSTER, PICTURE) + element(CLUSTER, PICTURE, SIMPLE), 0),
        # It is a signed number, and less than nothing is added at the beginning, not here.
        (element(CLUSTER, group(b"\xff")), 0),
        (element(CLUSTER, group(b"\xff\x32\x01\xa0")), 0),
        (element(CLUSTER, group(b"")), 0),
        (element(CLUSTER, SIMPLE), 0),
        (element(TAGS, PADDED), 0),
        (b"", 0),
        # What is broken tells nothing.
        (element(CLUSTER, SIMPLE, PADDED)[:-1], 0),
        (element(CLUSTER, size=UNKNOWN) + PADDED, 0),
        (element(CLUSTER, element(0xA0, element(0x75A2, size=number(99)))), 0),
        (bytes(60), 0),
    ],
)
def test_the_padding_of_the_last_packet(data: bytes, padding: int) -> None:
    assert last_padding(data) == padding
    assert last_padding(b"\xec\x80" + data, 2) == padding


def test_a_real_last_packet(media_folder: Path) -> None:
    """Twenty-four seconds and the encoder's delay are no whole number of packets."""
    _, content, index = real(251, media_folder)
    due = -(24 * 48000 + DELAY) % (PACKET * 48)
    assert abs(last_padding(content[index.offsets[-2] :]) * 48 / 1_000_000 - due) < 1
    assert last_padding(content, inside_segment(content)) == last_padding(content[index.offsets[-2] :]) > 0
    assert last_padding(content[index.offsets[0] : index.offsets[1]]) == 0


def test_where_a_segment_begins() -> None:
    head = webm(info(), tracks())
    assert inside_segment(head) == START
    front = element(EBML, b"abc")
    for broken in (b"", bytes(9), front, front + bytes(9), front + element(TAGS), element(EBML, size=UNKNOWN)):
        assert inside_segment(broken) == len(broken)

"""A longer fuzz: bytes and texts from strangers against everything that reads them.

    make fuzz [SECONDS=600] [SEED=n]        python tests/fuzz.py --seconds 600 --seed 1

Mutates real heads, annotation files, journals and messages. A target may raise what it says that it raises;
anything else, a huge allocation or a long pause is a finding: its input is written to a file, and the exit
code is 1. Cases that were found belong into the tables of the tests.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import random
import signal
import struct
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from avclips import hls, mp4, progressive, spans, webm
from avclips.clip import Settings
from avclips.datasets import audioset, clips, general_avqa, vggsound
from avclips.errors import ClipError, RunError
from avclips.failures import read_failure
from avclips.files import is_plain_name
from avclips.journal import replay
from avclips.measure import read_framecrc, read_wav
from avclips.pacer import read_pace
from avclips.subtitles import cut_vtt
from fake_media import PLAYLIST, PROGRESSIVE, Media, boxes, make, make_hls

ROOT = Path(__file__).resolve().parent.parent
MOST_MEMORY = 64 * 1024 * 1024
MOST_SECONDS = 2.0
# Whatever is not back by then will never be.
HUNG_SECONDS = 30.0
# Clips that the fuzzed indexes are asked for: start and end.
CLIPS = [
    (Fraction(start), None if end is None else Fraction(end))
    for start, end in ((0, None), (0, 10), ("7.3", "17.3"), (17, None), (-1, 6), (10**6, 10**6 + 10))
]


@dataclass(frozen=True)
class Target:
    """Something that reads what strangers wrote; ``allowed`` is what it may raise."""

    name: str
    seeds: list[bytes]
    read: Callable[[bytes], object]
    allowed: tuple[type[Exception], ...]


def read_index(data: bytes) -> None:
    """The index, and a plan over it: what comes out must be usable."""
    found = spans.read_index(data)
    if isinstance(found, spans.NeedMore):
        assert len(data) < found.size <= spans.MAX_HEAD
        return
    for start, end in ((0, 10), (17, None), (10**6, 10**6 + 10)):
        span = spans.plan(found, Fraction(start), None if end is None else Fraction(end))
        if span is not None:
            assert 0 <= span.first <= span.last and 0 <= span.starts_at <= start


def index_of(data: bytes) -> spans.Index | None:
    """The index of a stream that has one."""
    with suppress(spans.NoIndex):
        found = spans.read_index(data)
        return found if isinstance(found, spans.Index) else None
    return None


def read_windows(data: bytes) -> None:
    """The times of fragments after a stranger's index: inside the clip, in order, and no more than there are."""
    index = index_of(data)
    if index is None:
        return
    for start, end in CLIPS:
        found = spans.windows(index, start, end)
        length = index.duration - start if end is None else min(end, index.duration) - start
        assert len(found) < len(index.times)
        assert all(0 <= since < until <= length for since, until in found)
        assert all(until <= since for (_, until), (since, _) in itertools.pairwise(found))
        span = spans.plan(index, start, end)
        assert not found or (span is not None and span.starts_at <= start + found[0][0])
    assert sum(until - since for since, until in spans.windows(index, Fraction(0), None)) == index.duration


def read_boxes(data: bytes) -> None:
    """A stranger's fragments under a stranger's index: they are right if each of them is right alone."""
    index = index_of(data)
    if index is None:
        return
    for start, end in CLIPS:
        span = spans.plan(index, start, end)
        if span is None:
            continue
        inside = [
            (first, behind)
            for first, behind in itertools.pairwise(index.offsets)
            if span.first <= first and behind <= span.last + 1
        ]
        right = spans.check_boxes(index, span, data[span.first : span.last + 1]) is None
        assert inside and right == all(is_right(data, *each) for each in inside)
        if right:
            for first, behind in inside[0], inside[-1]:
                content = data[first:behind]
                assert b"moof" in content and b"mdat" in content
                assert not is_right(data, first, behind - 1) and not is_right(data, first, behind + 1)
                assert not is_right(bytes(8) + content[8:], 0, behind - first)


def is_right(data: bytes, first: int, behind: int) -> bool:
    """Whether a stream's bytes from ``first`` up to ``behind`` could be a fragment."""
    alone = spans.Index(b"", 1, (first, behind), (0, 1))
    return spans.check_boxes(alone, spans.Span(first, behind - 1, Fraction(0)), data[first:behind]) is None


def read_moov(data: bytes) -> None:
    """The tables of a file: as many of each as there are samples."""
    for track in mp4.read_moov(data):
        count = len(track.times)
        assert count == len(track.durations) == len(track.offsets) == len(track.sizes)
        assert track.timescale > 0 and all(0 <= key < count for key in track.keys or ())
        assert min((*track.durations, *track.offsets, *track.sizes), default=0) >= 0


def read_plain(data: bytes) -> None:
    """The table of a plain MP4, and the stretches of clips: in the file, with the pictures that are shown."""
    size = 10**6
    found = progressive.read_table(data, size)
    if isinstance(found, spans.NeedMore):
        assert len(data) < found.size <= spans.MAX_HEAD
        return
    assert data.startswith(found.head) and all(track.times for track in found.tracks)
    picture = next(track for track in found.tracks if track.kind == "video")
    for start, end in CLIPS:
        stretch = progressive.plan(found, start, end)
        if stretch is None or end is None:
            assert stretch is None
            continue
        assert 0 <= stretch.first <= stretch.last < size and stretch.last + 1 - stretch.first <= size // 2
        assert stretch.lead <= start + Fraction(1, 1000) and stretch.until > end
        keys = range(len(picture.times)) if picture.keys is None else picture.keys
        key = max(each for each in keys if picture.seconds(each) == stretch.lead - Fraction(1, 1000))
        for number in range(key, len(picture.times)):
            if picture.seconds(number) < end:
                assert stretch.first <= picture.offsets[number]
                assert picture.offsets[number] + picture.sizes[number] <= stretch.last + 1


def read_cues(data: bytes) -> None:
    """The index of a WebM file, plans over it, and its clusters: they are right if each is right alone."""
    found = webm.read_index(data, len(data))
    if isinstance(found, spans.NeedMore):
        assert len(data) < found.size <= spans.MAX_HEAD
        return
    assert found.timescale > 0 and len(found.offsets) == len(found.times) > 1 and found.times[0] == 0
    assert found.offsets[-1] <= len(data)
    assert all(a < b for a, b in itertools.pairwise(found.offsets))
    assert all(a <= b for a, b in itertools.pairwise(found.times))
    for start, end in CLIPS:
        span = spans.plan(found, start, end)
        if span is None:
            continue
        assert 0 <= span.first <= span.last < len(data) and span.starts_at <= max(start, 0)
        body = data[span.first : span.last + 1]
        inside = [
            replace(found, offsets=each, times=(0, 1))
            for each in itertools.pairwise(found.offsets)
            if span.first <= each[0] and each[1] <= span.last + 1
        ]
        alone = [webm.check_clusters(each, each.offsets[0], data[slice(*each.offsets)]) for each in inside]
        assert inside and (webm.check_clusters(found, span.first, body) is None) == (not any(alone))
        assert webm.check_clusters(found, span.first, bytes(8) + body[8:]) is not None


def read_playlist(data: bytes) -> None:
    """An HLS playlist, and the pieces of clips: all that may hold them."""
    found = hls.read_playlist(data.decode("utf-8", "replace"), "https://manifest.test/a/index.m3u8")
    assert 0 < len(found.parts) == len(found.times) - 1 <= hls.MAX_PARTS and found.duration > 0
    assert all(a <= b for a, b in itertools.pairwise(found.times))
    for part in (found.head, *found.parts):
        assert part is None or part.url.startswith(("http://", "https://"))
        assert part is None or part.first is None or (part.last is not None and 0 <= part.first <= part.last)
    for start, end in CLIPS:
        first, last = hls.covering(found, start, end)
        assert 0 <= first <= last < len(found.parts)
        until = found.duration if end is None else min(end, found.duration)
        if max(start, 0) < until:
            assert found.times[first] <= max(start, 0) and found.times[last + 1] >= until


def box(kind: bytes, body: bytes = b"") -> bytes:
    """An MP4 box."""
    return struct.pack(">I4s", 8 + len(body), kind) + body


def stream(fragments: list[bytes], timescale: int, ticks: int) -> bytes:
    """A whole stream: head, index, and the fragments, each of which lasts so many ticks."""
    entries = b"".join(struct.pack(">III", len(each), ticks, 0x90000000) for each in fragments)
    fixed = struct.pack(">4x2I2I2xH", 1, timescale, 0, 0, len(fragments))
    return box(b"ftyp", b"dash") + box(b"moov", bytes(30)) + box(b"sidx", fixed + entries) + b"".join(fragments)


def element(name: int, *inside: bytes) -> bytes:
    """An EBML element."""
    body = b"".join(inside)
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + (len(body) | 1 << 28).to_bytes(4, "big") + body


def clusters(number: int) -> bytes:
    """A WebM file of so many small clusters, each of which lasts 2.4 s."""
    each = element(0x1F43B675, element(0xE7, b"\0\0"), element(0xA3, bytes(9)))
    info = element(
        0x1549A966, element(0x2AD7B1, b"\x0f\x42\x40"), element(0x4489, struct.pack(">d", number * 2400))
    )
    tracks = element(0x1654AE6B, element(0xAE, element(0x86, b"A_OPUS")))
    cue = len(element(0xBB, element(0xB3, bytes(4)), element(0xB7, element(0xF1, bytes(4)))))
    behind = len(info) + len(tracks) + 8 + number * cue
    cues = [
        element(
            0xBB,
            element(0xB3, struct.pack(">I", n * 2400)),
            element(0xB7, element(0xF1, struct.pack(">I", behind + n * len(each)))),
        )
        for n in range(number)
    ]
    return element(0x1A45DFA3) + element(0x18538067, info, tracks, element(0x1C53BB6B, *cues), each * number)


def in_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """A reader of bytes out of a reader of files."""
    path = Path(tempfile.mkdtemp(prefix="avclips-fuzz-")) / name

    def through_file(data: bytes) -> None:
        path.write_bytes(data)
        read(path)

    return through_file


def read_clips(path: Path) -> None:
    """What an annotation file names must be safe to use as a file name."""
    for clip in general_avqa.read_clips(path.parent, ["val"]).clips:
        assert is_plain_name(clip.id) and clip.start >= 0


def read_list(path: Path) -> None:
    """Any list gives clips that may be files, or one message."""
    settings = Settings(path.parent, clip_list=path, clip_length=10.0)
    for clip in clips.read_clips(path.parent, settings).clips:
        assert is_plain_name(clip.id) and clip.start >= 0 and (clip.end is None or clip.end > clip.start)


def read_subtitles(data: bytes) -> None:
    """What is cut out of subtitles lies within the clip."""
    cut_vtt(data.decode("utf-8", "replace"), 3.0, 13.0)


def read_message(data: bytes) -> None:
    """Whatever YouTube says is some ClipError."""
    text = data.decode("utf-8", "replace")
    assert isinstance(read_failure(text, [text[::-1], text]), ClipError)


def targets(folder: Path) -> list[Target]:
    """Everything that is fuzzed, with real input to begin from."""
    media = Media(duration=24.0, width=160, height=90, fps=10)
    heads = [make(media, itag, folder).read_bytes()[:3000] for itag in (134, 140)]
    whole = [make(replace(media, duration=8.0, gop_seconds=2.0), itag, folder).read_bytes() for itag in (134, 140)]
    pieces = [box(b"styp", b"msdh") + box(b"moof", bytes(12)) + box(b"mdat", bytes(n)) for n in range(20, 30)]
    wide = box(b"moof", bytes(12)) + struct.pack(">I4sQ", 1, b"mdat", 24) + bytes(8)
    empty = b"".join(struct.pack(">I", 8) + n.to_bytes(4) for n in range(400)) + box(b"moof") + box(b"mdat")
    many = stream([box(b"moof") + box(b"mdat")] * 300, 90000, 450450)
    # By hand and small: in a real stream most of what goes wrong goes wrong inside the pictures.
    whole += [stream(pieces, 1000, 2400), stream([wide] * 5, 12800, 64000), stream([empty, wide], 1, 12), many]
    indexes = [*heads, stream([b"x" * 40, b"x" * 50], 3, 16), many[:3690]]
    plain = replace(media, duration=8.0, fps=5, variant="faststart")
    tables = [make(plain, itag, folder).read_bytes() for itag in (134, 140)]
    tables.append(make(plain, PROGRESSIVE, folder).read_bytes())
    moovs = [table[at : at + size] for table in tables for kind, at, size in boxes(table) if kind == "moov"]
    plains = [table[: table.index(b"mdat") + 8] for table in (tables[0], tables[2])]
    webms = [make(replace(media, duration=8.0, gop_seconds=2.0), itag, folder).read_bytes() for itag in (243, 251)]
    webms += [clusters(3), clusters(200)]
    playlists = [(make_hls(media, itag, folder) / PLAYLIST).read_bytes() for itag in (93, 230)]
    playlists.append(
        b'#EXTM3U\r\n#EXT-X-KEY:METHOD=NONE\r\n#EXT-X-MAP:URI="/i.mp4",BYTERANGE="80@0"\r\n#EXTINF:5.005,a\r\n'
        b"#EXT-X-BYTERANGE:50@80\r\n/i.mp4\r\n#EXTINF:5\r\n#EXT-X-BYTERANGE:5\r\n/i.mp4\r\n#EXTINF:9,\r\n"
        b"//x.test/b?c=d\r\n#EXT-X-ENDLIST\r\n"
    )
    records = [{"id": 1, "video_name": "06GyG4-wONQ_000006", "video_id": 2, "multi_choice": ["a", None]}] * 3
    questions = [json.dumps(records).encode(), json.dumps(records, indent=4).replace("\n", "\r\n").encode()]
    rows = [b'06GyG4-wONQ,6,"a, b",test\r\n---g-f_I2yQ,1,people marching,test\n']
    segments = [b'# Segments csv\n# YTID, start, end, x\n--4gqARaEJE, 0.500, 10.000, "/m/068hy,/m/07q6cd_"\n']
    events = [b"segment_id\tstart_time_seconds\tend_time_seconds\tlabel\n-9O1cb8z7Mk_0\t1.598\t2.307\t/m/032s66\n"]
    lists = [
        b"videoID,url,timestamp,caption\r\n06GyG4-wONQ,https://youtu.be/06GyG4-wONQ,\"[['0:00:13.280', "
        b"'0:00:20.120']]\",\"['a man']\"\r\n",
        b'shard-000000,NgI3xyMX1Ss_069.mp4,NgI3xyMX1Ss,"[69, 79]"\r\n',
    ]
    entry = {
        "url": "https://x.test/a?b",
        "start": "0:10",
        "duration": 3.5,
        "id": "a_1",
        "clips": [[1, 2], ["3", 4]],
    }
    lists_of_json = [json.dumps([entry, {**entry, "id": 7}]).encode(), json.dumps(entry).encode() + b"\n"]
    subtitles = [
        b"WEBVTT\nKind: captions\n\nNOTE x\n\n1\n00:00:01.000 --> 00:00:04.000 align:start\nwords"
        b"<00:00:03.500><c> more</c>\n\n00:12.000 --> 00:19.000\nend\n"
    ]
    done = {"id": "a", "status": "done", "video": "videos/a.mp4", "audio": None}
    failed = {
        "id": "a",
        "status": "failed",
        "reason": "x",
        "permanent": True,
        "attempts": 1,
        "error": "",
        "time": "",
    }
    lines = [b"\n".join(json.dumps(line).encode() for line in (done, failed, done))]
    pace = {"tokens": 3.5, "at": 1e9, "speed": 1.0, "round": 3, "refused_at": None, "probe_until": 0.0}
    block = {"reason": "bot_check", "since": 1e9, "until": 2e9, "waits": 2}
    paces = [json.dumps({"version": 1, **pace, "block": each}).encode() for each in (None, block)]
    listing = b"#tb 0: 1/12800\n#media_type 0: video\n#dimensions 0: 640x360\n0, -1024, 0, 512, 100, 0xf8dbff50\n"
    messages = [
        "Video unavailable",
        "Sign in to confirm you\u2019re not a bot. x",
        "HTTP Error 429: Too Many Requests",
    ]
    wav = (
        b"RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x44\xac\x00\x00\x10\xb1\x02"
        b"\x00\x04\x00\x10\x00data\x08\x00\x00\x00" + bytes(8)
    )
    return [
        Target("spans", heads, read_index, (spans.NoIndex,)),
        Target("windows", indexes, read_windows, ()),
        Target("boxes", whole, read_boxes, ()),
        Target("moov", moovs, read_moov, (mp4.NoTable,)),
        Target("plain", plains, read_plain, (spans.NoIndex,)),
        Target("webm", webms, read_cues, (spans.NoIndex,)),
        Target("hls", playlists, read_playlist, (spans.NoIndex,)),
        Target("questions", questions, in_file("val_qa.json", read_clips), (RunError,)),
        Target("labels", rows, in_file("vggsound.csv", vggsound.read_labels), (RunError,)),
        Target(
            "segments", segments, in_file("x.csv", lambda path: list(audioset.read_segments(path))), (RunError,)
        ),
        Target("events", events, in_file("x.tsv", lambda path: list(audioset.read_events(path))), (RunError,)),
        Target("csv", [*rows, *segments, *lists], in_file("x.csv", read_list), (RunError,)),
        Target("json", lists_of_json, in_file("x.json", read_list), (RunError,)),
        Target("jsonl", lists_of_json, in_file("x.jsonl", read_list), (RunError,)),
        Target("subtitles", subtitles, read_subtitles, (ValueError,)),
        Target("journal", lines, in_file("manifest.jsonl", lambda path: replay([path])), ()),
        Target(
            "pace",
            paces,
            lambda data: read_pace(json.loads(data)),
            (ValueError, TypeError, KeyError, OverflowError),
        ),
        Target("listing", [listing], lambda data: read_framecrc(data.decode("latin-1")), (ClipError,)),
        Target("messages", [text.encode() for text in messages], read_message, ()),
        Target("wav", [wav], in_file("x.wav", read_wav), (ClipError,)),
    ]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """``data`` with a few things wrong with it."""
    work = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(work) + 1)
        what = rng.randrange(7)
        if what == 0 and work:
            work[at % len(work)] ^= 1 << rng.randrange(8)
        elif what == 1:
            work[at:at] = rng.randbytes(rng.randrange(1, 9))
        elif what == 2:
            del work[at : at + rng.randrange(1, 64)]
        elif what == 3:
            work[at : at + 4] = rng.choice(
                (b"\xff\xff\xff\xff", bytes(4), b"\x80\x00\x00\x00", b"\x00\x00\x00\x01")
            )
        elif what == 4:
            work[at:at] = work[at : at + rng.randrange(1, 64)]
        elif what == 5:
            work[at:at] = rng.choice(
                (b'"', b"{", b"[", b"\\u0000", b"1e999", b"-1", b"null", b"\n", b"../", b"NaN")
            )
        else:
            del work[at:]
    return bytes(work)


class Hung(BaseException):
    """Nobody catches this one by mistake."""


def hang_up(number: int, frame: object) -> None:
    """Called by the alarm."""
    raise Hung


def attack(target: Target, data: bytes) -> str | None:
    """What is wrong with how ``target`` took ``data``, or None."""
    tracemalloc.reset_peak()
    began = time.monotonic()
    signal.signal(signal.SIGALRM, hang_up)
    signal.setitimer(signal.ITIMER_REAL, HUNG_SECONDS)
    try:
        target.read(data)
    except target.allowed:
        pass
    except Hung:
        return f"not back after {HUNG_SECONDS:.0f} s"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    if time.monotonic() - began > MOST_SECONDS:
        return f"{time.monotonic() - began:.1f} s"
    peak = tracemalloc.get_traced_memory()[1]
    return f"{peak} bytes of memory" if peak > MOST_MEMORY else None


def main() -> int:
    """Fuzz for a while; 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", nargs="+", metavar="TARGET", help="fuzz only these")
    chosen = parser.parse_args()
    folder = ROOT / ".cache" / "standin"
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(chosen.seed)
    all_targets = [target for target in targets(folder) if not chosen.only or target.name in chosen.only]
    print(
        f"seed {chosen.seed}, {chosen.seconds:.0f} s, targets: {', '.join(t.name for t in all_targets)}",
        flush=True,
    )
    logging.getLogger("avclips").setLevel(logging.ERROR)
    tracemalloc.start()
    tries, until = 0, time.monotonic() + chosen.seconds
    while time.monotonic() < until:
        for target in all_targets:
            data = mutated(rng.choice(target.seeds), rng)
            complaint = attack(target, data)
            tries += 1
            if complaint is not None:
                found = Path(tempfile.mkdtemp(prefix="avclips-fuzz-")) / target.name
                found.write_bytes(data)
                print(f"FOUND in {target.name}: {complaint}\n  input: {found}\n  {data[:200]!r}")
                return 1
    print(f"{tries} inputs, nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A longer fuzz: bytes and texts from strangers against everything that reads them.

    make fuzz [SECONDS=600] [SEED=n]        python -m tests.fuzz --seconds 600 --seed 1

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

from avclips.containers import fragments, hls, movie_fragments, mp4, mpeg_ts, packed_audio, progressive, webm
from avclips.containers.mp4_writer import TrackOut, write_mp4
from avclips.containers.samples import Samples
from avclips.containers.webvtt import cut_vtt
from avclips.core.errors import ClipError, RunError
from avclips.core.files import is_plain_name
from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.datasets import audioset, clip_list, general_avqa, vggsound
from avclips.media.cut_plan import Material, plan_frames, plan_sound
from avclips.media.file_type import container_of
from avclips.media.measure import read_framecrc, read_wav
from avclips.media.splice import spliced
from avclips.media.splice_plan import NotSpliced
from avclips.media.tracks import copied_video
from avclips.pacing.pace_file import read_pace
from avclips.reading.indexed import moov_in
from avclips.reading.stream import around
from avclips.shards.sample import Sample
from avclips.shards.stats import stats_of
from avclips.sources.messages import read_failure
from avclips.state.manifest import finished, replay
from tests.fuzz.layouts import alone, in_manifest, in_playlist, read_layout
from tests.standin.fake_media import PLAYLIST, PROGRESSIVE, Media, boxes, make, make_hls, segments
from tests.support.planned import plan

ROOT = Path(__file__).resolve().parents[2]
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
    found = fragments.read_index(data)
    if isinstance(found, fragments.NeedMore):
        assert len(data) < found.size <= fragments.MAX_HEAD
        return
    for start, end in ((0, 10), (17, None), (10**6, 10**6 + 10)):
        span = plan(found, Fraction(start), None if end is None else Fraction(end))
        if span is not None:
            assert 0 <= span.first <= span.last and 0 <= span.starts_at <= start


def index_of(data: bytes) -> fragments.Index | None:
    """The index of a stream that has one."""
    with suppress(fragments.NoIndex):
        found = fragments.read_index(data)
        return found if isinstance(found, fragments.Index) else None
    return None


def read_boxes(data: bytes) -> None:
    """A stranger's fragments under a stranger's index: they are right if each of them is right alone."""
    index = index_of(data)
    if index is None:
        return
    for start, end in CLIPS:
        span = plan(index, start, end)
        if span is None:
            continue
        inside = [
            (first, behind)
            for first, behind in itertools.pairwise(index.offsets)
            if span.first <= first and behind <= span.last + 1
        ]
        right = fragments.check_boxes(index, span, data[span.first : span.last + 1]) is None
        assert inside and right == all(is_right(data, *each) for each in inside)
        if right:
            for first, behind in inside[0], inside[-1]:
                content = data[first:behind]
                assert b"moof" in content and b"mdat" in content
                assert not is_right(data, first, behind - 1) and not is_right(data, first, behind + 1)
                assert not is_right(bytes(8) + content[8:], 0, behind - first)


def is_right(data: bytes, first: int, behind: int) -> bool:
    """Whether a stream's bytes from ``first`` up to ``behind`` could be a fragment."""
    alone = fragments.Index(b"", 1, (first, behind), (0, 1))
    return (
        fragments.check_boxes(alone, fragments.FragmentRange(first, behind - 1, Fraction(0)), data[first:behind])
        is None
    )


def read_moov(data: bytes) -> None:
    """The tables of a file: as many of each as there are samples."""
    for track in mp4.read_moov(data):
        count = len(track.times)
        assert count == len(track.durations) == len(track.offsets) == len(track.sizes)
        assert track.timescale > 0 and all(0 <= key < count for key in track.keys or ())
        assert min((*track.durations, *track.offsets, *track.sizes), default=0) >= 0


def read_plain(data: bytes) -> None:
    """The table of a plain MP4, and the stretches of clips: each from a key frame, and over all of its seconds."""
    size = 10**6
    found = progressive.read_table(data, size)
    if isinstance(found, fragments.NeedMore):
        assert len(data) < found.size <= mp4.MAX_MOOV
        return
    for track in found.tracks:
        assert track.times
        assert all(at >= 0 and at + lasts <= size for at, lasts in zip(track.offsets, track.sizes, strict=True))
        for start, end in CLIPS:
            stretch = track.cut(*around(track, start, end))
            assert stretch.times and (
                track.kind != "video"
                or stretch.keys is None
                or 0 in stretch.keys
                or not track.keys
                or track.keys[0] > 0
            )
            plan_any(stretch, start, end)


def plan_any(samples: Samples, start: Fraction, end: Fraction | None) -> None:
    """What is due of any table: numbers that are in it, or a ClipError."""
    material = Material(Path(), samples, Fraction(0))
    with suppress(ClipError):
        if samples.kind == "video":
            picture = plan_frames(material, start, end)
            assert 0 <= picture.first <= min(picture.frames) and max(picture.frames) == picture.last < len(
                samples.times
            )
            assert all(time >= 0 for time in picture.times) and picture.ends >= picture.times[-1]
            copied_video(picture)
        elif 0 < samples.sample_rate <= 192_000:
            sound = plan_sound(material, start, end, samples.sample_rate)
            assert 0 <= sound.first <= sound.last < len(samples.times) and sound.count >= 0
            assert all(min(each.silence, each.skip) >= 0 < each.count for each in sound.pieces)


def read_moofs(data: bytes) -> None:
    """A file in fragments: packets that lie in it, and plans over them."""
    moov = moov_in(data)
    heads = {track.track: track for track in mp4.read_moov(moov)}
    defaults = movie_fragments.read_defaults(moov)
    movie_fragments.first_fragment(heads, defaults, data[len(moov) :])
    for track in movie_fragments.read_fragments(heads, defaults, data).values():
        places = zip(track.offsets, track.sizes, strict=True)
        assert all(at >= 0 and at + size <= len(data) for at, size in places)
        assert len(track.times) == len(track.decode) == len(track.durations) <= len(data)
        if track.times:
            for start, end in CLIPS:
                plan_any(track, start, end)


def write_again(path: Path) -> None:
    """What is written of a table is read as it was."""
    for track in mp4.read_file(path):
        zero = min(track.decode, default=0)
        if not track.times or len(track.entry) > 10_000 or max(map(abs, track.times)) > 1 << 31:
            continue
        if not 0 < track.timescale < 1 << 32 or any(a > b for a, b in itertools.pairwise(track.decode)):
            continue
        fields = [[time - zero for time in each] for each in (track.decode, track.times)]
        out = TrackOut(
            *(track.kind, track.entry, track.timescale, *fields, track.durations, path),
            *(track.offsets, track.sizes, track.keys),
        )
        write_mp4(path.with_name("again.mp4"), [out])
        (found,) = mp4.read_file(path.with_name("again.mp4"))
        assert (list(found.decode), list(found.times)) == (fields[0], fields[1])
        assert (found.sizes, found.keys) == (track.sizes, track.keys)


def read_splice(path: Path) -> None:
    """Whether the pictures of a table can be spliced, by their sets and units: a plan that holds, or why not."""
    for track in mp4.read_file(path):
        for start, end in CLIPS if track.kind == "video" else ():
            with suppress(ClipError, NotSpliced):
                picture = plan_frames(Material(path, track, Fraction(0)), start, end)
                found = spliced(picture).plan
                kept = [*found.head, *found.copied, *found.tail]
                assert sorted(kept) == sorted(picture.frames) and {*found.head, *found.tail} <= {*found.decoded}


def read_transport(data: bytes) -> None:
    """A transport stream: no byte more, and counters alone are others."""
    assert len(mpeg_ts.without_names(data)) == len(data)
    half = len(data) // 2 // mpeg_ts.PACKET * mpeg_ts.PACKET
    pieces = [data[:half], data[half:]]
    found = mpeg_ts.continued(pieces)
    assert list(map(len, found)) == list(map(len, pieces)) and mpeg_ts.continued(found) == found


def read_packed(data: bytes) -> None:
    """A piece of packed sound: a time of MPEG's clock, and what follows the tag."""
    second, rest = packed_audio.without_tag(data)
    assert data.endswith(rest) and (second is None or 0 <= second * packed_audio.CLOCK < packed_audio.WRAP)
    packed_audio.is_packed_audio(data)


def read_padding(data: bytes) -> None:
    """What is not heard at the end of a WebM."""
    assert webm.last_padding(data, webm.inside_segment(data)) >= 0 <= webm.last_padding(data)


def read_cues(data: bytes) -> None:
    """The index of a WebM file, plans over it, and its clusters: they are right if each is right alone."""
    found = webm.read_index(data, len(data))
    if isinstance(found, fragments.NeedMore):
        assert len(data) < found.size <= fragments.MAX_HEAD
        return
    assert found.timescale > 0 and len(found.offsets) == len(found.times) > 1 and found.times[0] == 0
    assert found.offsets[-1] <= len(data) and found.earliest >= 0 and found.delay >= 0
    assert all(a < b for a, b in itertools.pairwise(found.offsets))
    assert all(a <= b for a, b in itertools.pairwise(found.times))
    for start, end in CLIPS:
        span = plan(found, start, end)
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
        assert part is None or part.key is None or len(part.key.vector) == 16
    assert all(0 < number <= len(found.parts) for number in found.breaks)


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
    for clip in clip_list.read_clips(path.parent, settings).clips:
        assert is_plain_name(clip.id) and clip.start >= 0 and (clip.end is None or clip.end > clip.start)


def read_subtitles(data: bytes) -> None:
    """What is cut out of subtitles lies within the clip."""
    cut_vtt(data.decode("utf-8", "replace"), 3.0, 13.0)


def read_manifest(path: Path) -> object:
    """As a run does that was begun beside another; what it says of files is what stats are counted of."""
    told = replay([path, path])
    lines = finished([path])
    assert set(told.done) == set(lines)
    return stats_of("00000", [Sample(Clip(each, each, 0.0, 1.0), line) for each, line in lines.items()], {})


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
    playlists.append(
        b'#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x0102\n#EXTINF:5,\n1.ts\n'
        b'#EXT-X-DISCONTINUITY\n#EXT-X-KEY:METHOD=AES-128,URI="k2",KEYFORMAT="identity"\n#EXTINF:5,\n2.ts\n'
        b"#EXT-X-KEY:METHOD=NONE\n#EXTINF:5,\n3.ts\n#EXT-X-ENDLIST\n"
    )
    small = replace(media, duration=2.0, gop_seconds=1.0, fps=5)
    fragments = [make(replace(small, variant="fragmented"), itag, folder).read_bytes() for itag in (134, 140)]
    streams = [segments(make_hls(small, 93, folder))[0].read_bytes()[: 188 * 60]]
    owner = b"com.apple.streaming.transportStreamTimestamp\0" + bytes(6) + b"\1\2"
    frame = b"PRIV" + len(owner).to_bytes(4, "big") + b"\0\0" + owner
    packed = [b"ID3\4\0\0\0\0\0" + bytes([len(frame)]) + frame + b"\xff\xf1\x50\x80" + bytes(20)]
    eight = replace(media, duration=8.0, gop_seconds=2.0, fps=5)
    streams_of_eight = [make(eight, itag, folder).read_bytes() for itag in (134, 140)]
    both = make(replace(eight, variant="faststart"), PROGRESSIVE, folder).read_bytes()
    index = fragments.read_index(streams_of_eight[0])
    assert isinstance(index, fragments.Index)
    rendition = make_hls(eight, 230, folder)
    fragmented = (rendition / PLAYLIST).read_bytes(), segments(rendition)[0].read_bytes()
    records = [{"id": 1, "video_name": "06GyG4-wONQ_000006", "video_id": 2, "multi_choice": ["a", None]}] * 3
    questions = [json.dumps(records).encode(), json.dumps(records, indent=4).replace("\n", "\r\n").encode()]
    rows = [b'06GyG4-wONQ,6,"a, b",test\r\n---g-f_I2yQ,1,people marching,test\n']
    parts = [b'# Segments csv\n# YTID, start, end, x\n--4gqARaEJE, 0.500, 10.000, "/m/068hy,/m/07q6cd_"\n']
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
        Target("spans", [*heads, many[:3690]], read_index, (fragments.NoIndex,)),
        Target("boxes", whole, read_boxes, ()),
        Target("moov", moovs, read_moov, (mp4.NoTable,)),
        Target("plain", plains, read_plain, (fragments.NoIndex,)),
        Target("moof", fragments, read_moofs, (mp4.NoTable,)),
        Target("again", tables, in_file("x.mp4", write_again), (mp4.NoTable,)),
        Target("splice", tables[::2], in_file("x.mp4", read_splice), (mp4.NoTable,)),
        Target(
            "container",
            [*(each[:200] for each in (*tables, *webms)), *streams],
            in_file("x", container_of),
            (ClipError,),
        ),
        Target("transport", streams, read_transport, ()),
        Target("packed", packed, read_packed, ()),
        Target("layout", [*streams_of_eight, both, *webms], read_layout(alone), ()),
        Target("layout of HLS", [fragmented[1]], read_layout(in_playlist(fragmented[0])), ()),
        Target("layout of DASH", streams_of_eight[:1], read_layout(in_manifest(index.offsets)), ()),
        Target("padding", webms, read_padding, ()),
        Target("webm", webms, read_cues, (fragments.NoIndex,)),
        Target("hls", playlists, read_playlist, (fragments.NoIndex,)),
        Target("questions", questions, in_file("val_qa.json", read_clips), (RunError,)),
        Target("labels", rows, in_file("vggsound.csv", vggsound.read_labels), (RunError,)),
        Target("segments", parts, in_file("x.csv", lambda path: list(audioset.read_segments(path))), (RunError,)),
        Target("events", events, in_file("x.tsv", lambda path: list(audioset.read_events(path))), (RunError,)),
        Target("csv", [*rows, *parts, *lists], in_file("x.csv", read_list), (RunError,)),
        Target("json", lists_of_json, in_file("x.json", read_list), (RunError,)),
        Target("jsonl", lists_of_json, in_file("x.jsonl", read_list), (RunError,)),
        Target("subtitles", subtitles, read_subtitles, (ValueError,)),
        Target("journal", lines, in_file("manifest.jsonl", read_manifest), ()),
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
    # Of this thread's own work: the machine may have others.
    began = time.thread_time()
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
    if (took := time.thread_time() - began) > MOST_SECONDS:
        return f"{took:.1f} s of computing"
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

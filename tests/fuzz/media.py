"""The containers that are fuzzed: what reads them, and real media to begin from."""

from __future__ import annotations

import itertools
import struct
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from avclips.containers import fragments, hls, movie_fragments, mp4, mpeg_ts, packed_audio, progressive, webm
from avclips.containers.mp4_writer import TrackOut, write_mp4
from avclips.containers.samples import Samples
from avclips.core.errors import ClipError
from avclips.media.cut_plan import Material, plan_frames, plan_sound
from avclips.media.file_type import container_of
from avclips.media.key_frames import with_true_keys
from avclips.media.splice import spliced
from avclips.media.splice_plan import NotSpliced
from avclips.media.tracks import copied_video
from avclips.reading.indexed import moov_in
from avclips.reading.stream import around
from tests.fuzz.layouts import alone, in_manifest, in_playlist, read_layout
from tests.fuzz.made import box, clusters, stream
from tests.fuzz.target import Target, in_file
from tests.standin.fake_media import PLAYLIST, PROGRESSIVE, Media, boxes, make, make_hls, segments
from tests.support.planned import plan

# Clips that the fuzzed indexes are asked for: start and end.
CLIPS = [
    (Fraction(start), None if end is None else Fraction(end))
    for start, end in ((0, None), (0, 10), ("7.3", "17.3"), (17, None), (-1, 6), (10**6, 10**6 + 10))
]
MEDIA = Media(duration=24.0, width=160, height=90, fps=10)


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
    for track in (with_true_keys(path, track) for track in mp4.read_file(path)):
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


def media_targets(folder: Path) -> list[Target]:
    """Everything that reads containers; ``folder``: where media is made once."""
    return [
        *index_targets(folder),
        *table_targets(folder),
        *webm_targets(folder),
        *stream_targets(folder),
        *layout_targets(folder),
    ]


def index_targets(folder: Path) -> list[Target]:
    """Fragments, and the index of a stream of them."""
    heads = [make(MEDIA, itag, folder).read_bytes()[:3000] for itag in (134, 140)]
    whole = [make(replace(MEDIA, duration=8.0, gop_seconds=2.0), itag, folder).read_bytes() for itag in (134, 140)]
    pieces = [box(b"styp", b"msdh") + box(b"moof", bytes(12)) + box(b"mdat", bytes(n)) for n in range(20, 30)]
    wide = box(b"moof", bytes(12)) + struct.pack(">I4sQ", 1, b"mdat", 24) + bytes(8)
    empty = b"".join(struct.pack(">I", 8) + n.to_bytes(4) for n in range(400)) + box(b"moof") + box(b"mdat")
    many = stream([box(b"moof") + box(b"mdat")] * 300, 90000, 450450)
    # By hand and small: in a real stream most of what goes wrong goes wrong inside the pictures.
    whole += [stream(pieces, 1000, 2400), stream([wide] * 5, 12800, 64000), stream([empty, wide], 1, 12), many]
    small = replace(MEDIA, duration=2.0, gop_seconds=1.0, fps=5)
    fragmented = [make(replace(small, variant="fragmented"), itag, folder).read_bytes() for itag in (134, 140)]
    return [
        Target("index", [*heads, many[:3690]], read_index, (fragments.NoIndex,)),
        Target("boxes", whole, read_boxes, ()),
        Target("moof", fragmented, read_moofs, (mp4.NoTable,)),
    ]


def tables_in(folder: Path) -> list[bytes]:
    """Plain MP4 files, of a picture, of sound, and of both."""
    plain = replace(MEDIA, duration=8.0, fps=5, variant="faststart")
    tables = [make(plain, itag, folder).read_bytes() for itag in (134, 140)]
    tables.append(make(plain, PROGRESSIVE, folder).read_bytes())
    return tables


def table_targets(folder: Path) -> list[Target]:
    """Plain MP4 files, and what is written of them again."""
    tables = tables_in(folder)
    moovs = [table[at : at + size] for table in tables for kind, at, size in boxes(table) if kind == "moov"]
    plains = [table[: table.index(b"mdat") + 8] for table in (tables[0], tables[2])]
    return [
        Target("moov", moovs, read_moov, (mp4.NoTable,)),
        Target("plain", plains, read_plain, (fragments.NoIndex,)),
        Target("again", tables, in_file("x.mp4", write_again), (mp4.NoTable,)),
        Target("splice", tables[::2], in_file("x.mp4", read_splice), (mp4.NoTable,)),
    ]


def webms_in(folder: Path) -> list[bytes]:
    """WebM files, made by ffmpeg and by hand."""
    webms = [make(replace(MEDIA, duration=8.0, gop_seconds=2.0), itag, folder).read_bytes() for itag in (243, 251)]
    webms += [clusters(3), clusters(200)]
    return webms


def webm_targets(folder: Path) -> list[Target]:
    """WebM files and their cues."""
    webms = webms_in(folder)
    return [
        Target("padding", webms, read_padding, ()),
        Target("webm", webms, read_cues, (fragments.NoIndex,)),
    ]


def stream_targets(folder: Path) -> list[Target]:
    """Playlists, and the pieces that they name."""
    playlists = [(make_hls(MEDIA, itag, folder) / PLAYLIST).read_bytes() for itag in (93, 230)]
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
    small = replace(MEDIA, duration=2.0, gop_seconds=1.0, fps=5)
    streams = [segments(make_hls(small, 93, folder))[0].read_bytes()[: 188 * 60]]
    owner = b"com.apple.streaming.transportStreamTimestamp\0" + bytes(6) + b"\1\2"
    frame = b"PRIV" + len(owner).to_bytes(4, "big") + b"\0\0" + owner
    packed = [b"ID3\4\0\0\0\0\0" + bytes([len(frame)]) + frame + b"\xff\xf1\x50\x80" + bytes(20)]
    containers = [each[:200] for each in (*tables_in(folder), *webms_in(folder))]
    return [
        Target(
            "container",
            [*containers, *streams],
            in_file("x", container_of),
            (ClipError,),
        ),
        Target("transport", streams, read_transport, ()),
        Target("packed", packed, read_packed, ()),
        Target("hls", playlists, read_playlist, (fragments.NoIndex,)),
    ]


def layout_targets(folder: Path) -> list[Target]:
    """Whole streams as clips are read out of them, in every layout."""
    webms = webms_in(folder)
    eight = replace(MEDIA, duration=8.0, gop_seconds=2.0, fps=5)
    streams_of_eight = [make(eight, itag, folder).read_bytes() for itag in (134, 140)]
    both = make(replace(eight, variant="faststart"), PROGRESSIVE, folder).read_bytes()
    index = fragments.read_index(streams_of_eight[0])
    assert isinstance(index, fragments.Index)
    rendition = make_hls(eight, 230, folder)
    fragmented = (rendition / PLAYLIST).read_bytes(), segments(rendition)[0].read_bytes()
    return [
        Target("layout", [*streams_of_eight, both, *webms], read_layout(alone), ()),
        Target("layout of HLS", [fragmented[1]], read_layout(in_playlist(fragmented[0])), ()),
        Target("layout of DASH", streams_of_eight[:1], read_layout(in_manifest(index.offsets)), ()),
    ]

"""Exact cuts that keep the source's own packets: frame by frame against the source, and why some keep none."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from avclips.containers.mp4 import read_file
from avclips.containers.timeline import origins
from avclips.core.clock import Clock
from avclips.core.errors import Transient
from avclips.core.settings import Cut
from avclips.media.cut import Job, cut
from avclips.media.cut_plan import Material
from avclips.media.demux import open_file
from avclips.media.encoding import encoded_video
from avclips.media.ffmpeg import Ffmpeg
from avclips.media.filters import Shape
from avclips.media.measure import Encode, Expected
from avclips.reading.stream import WholeFile
from tests.standin import fake_media
from tests.support.made_files import AAC, B_FRAMES, H264, PLAIN, SOUND, frames, made, nal_types, packets

# Up to this, pixels of a frame that was encoded anew differ from the source's on average; of another frame, more.
NEAR = 4.0
BASE = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate={rate}:duration=3,format={pixels}")
MUCH = 1 << 62


@pytest.fixture(scope="module")
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(Path(fake_media.ffmpeg()), Clock())


@pytest.fixture
def make(media_folder: Path) -> Callable[..., Path]:
    """A film of three seconds, encoded by these words."""

    def one(*words: str, rate: str = "25", pixels: str = "yuv420p", ending: str = "mp4") -> Path:
        source = [word.format(rate=rate, pixels=pixels) for word in BASE]
        return made(media_folder, ending, *source, *SOUND, *words, *AAC)

    return one


def job(path: Path, ffmpeg: Ffmpeg, work: Path, start: str, end: str | None, how: Cut = "exact") -> Job:
    opened = open_file(path, ffmpeg, work)
    layout = WholeFile(opened)
    zero = origins({kind: layout.begin(kind) for kind in opened}, together=True)
    held = {
        kind: Material(*layout.packets(kind, zero[kind], None), zero[kind], begins=layout.begin(kind).shown)
        for kind in opened
    }
    till = None if end is None else Fraction(end)
    return Job(held["video"], held.get("audio"), Fraction(start), till, how, decode=True)


def cut_of(wanted: Job, ffmpeg: Ffmpeg, folder: Path) -> tuple[Expected, Path]:
    expected = cut(wanted, ffmpeg, folder, folder / "o.mp4", folder / "o.wav")
    return expected, folder / "o.mp4"


def pictures(path: Path) -> list[tuple[Fraction, np.ndarray[Any, Any]]]:
    with av.open(str(path)) as container:
        return [(frame.pts * frame.time_base, frame.to_ndarray()) for frame in container.decode(video=0)]


# -- what is kept ----------------------------------------------------------------------------------------------

OPEN = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-x264-params", "open-gop=1:keyint=25:scenecut=0")
PYRAMID = (*H264, "-bf", "4", "-x264-params", "b-pyramid=normal:b-adapt=0")
GOPS = {"plain": PLAIN, "two B frames": B_FRAMES, "a pyramid": PYRAMID}


@pytest.mark.parametrize(
    ("start", "end", "least", "most_head"),
    [
        ("0", "2", 40, 0),
        ("0", None, 75, 0),
        ("1", "2.04", 17, 0),
        ("0.52", "2.6", 20, 12),
        ("0.53", "2.61", 20, 11),
        ("0.04", "2.36", 25, 24),
        ("0.96", "3", 50, 1),
    ],
)
@pytest.mark.parametrize("gop", GOPS)
def test_the_frames_due_and_no_others_most_of_them_as_they_were(
    make: Callable[..., Path],
    ffmpeg: Ffmpeg,
    tmp_path: Path,
    gop: str,
    start: str,
    end: str | None,
    least: int,
    most_head: int,
) -> None:
    source = make(*GOPS[gop])
    expected, film = cut_of(job(source, ffmpeg, tmp_path, start, end), ffmpeg, tmp_path)
    begin, till = Fraction(start), Fraction(end or MUCH)
    due = [(time - begin, look) for time, look in pictures(source) if begin <= time < till]
    got, encode = pictures(film), expected.encode
    assert [round(time * 1000) for time, _ in got] == [round(time * 1000) for time, _ in due]
    assert encode is not None and encode.why == "" and expected.decoded == len(due)
    assert encode.head == most_head and encode.copied >= least
    assert encode.head + encode.copied + encode.tail == len(due) and (encode.tail == 0 or encode.tail >= 8)
    for place, ((_, mine), (_, theirs)) in enumerate(zip(got, due, strict=True)):
        if encode.head <= place < encode.head + encode.copied:
            assert np.array_equal(mine, theirs), place
        else:
            assert np.abs(mine.astype(int) - theirs).mean() < NEAR, place


@pytest.mark.parametrize("how", ["needed", "all", "copy"])
@pytest.mark.parametrize("gop", ["plain", "two B frames"])
@pytest.mark.parametrize(
    ("rate", "end"), [("25", "2.605"), ("25", "2.6"), ("30000/1001", "2.5"), ("24000/1001", "2.47")]
)
def test_the_mean_rate_is_the_sources_wherever_a_clip_ends(
    make: Callable[..., Path], ffmpeg: Ffmpeg, tmp_path: Path, gop: str, rate: str, end: str, how: str
) -> None:
    """Readers such as OpenCV find frames by it."""
    wanted = job(make(*GOPS[gop], rate=rate), ffmpeg, tmp_path, "0.52", end, "copy" if how == "copy" else "exact")
    expected, film = cut_of(replace(wanted, encode_all=how == "all"), ffmpeg, tmp_path)
    assert how != "needed" or (expected.encode is not None and expected.encode.copied)
    with av.open(str(film)) as container:
        mean, lasts = container.streams.video[0].average_rate, container.duration
        assert mean is not None and abs(float(mean / Fraction(rate)) - 1) < 1e-4
        # The film ends with the clip all the same.
        assert lasts is not None and abs(lasts / 1e6 - (float(end) - 0.52)) < 0.05


@pytest.mark.parametrize("gop", GOPS)
def test_every_key_frame_is_found_by_a_jump(
    make: Callable[..., Path], ffmpeg: Ffmpeg, tmp_path: Path, gop: str
) -> None:
    _, film = cut_of(job(make(*GOPS[gop]), ffmpeg, tmp_path, "0.52", "2.61"), ffmpeg, tmp_path)
    shown = dict(pictures(film))
    keys = [packet.time for packet in packets(film)["video"] if packet.key]
    assert len(keys) >= 3
    for time in reversed(keys):
        with av.open(str(film)) as container:
            stream = container.streams.video[0]
            container.seek(round(time / stream.time_base), stream=stream)
            first = next(container.decode(stream))
            assert first.pts * first.time_base == time and np.array_equal(first.to_ndarray(), shown[time])


def test_times_that_are_uneven_stay(make: Callable[..., Path], ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    source = make("-vf", "select='mod(n,7)'", "-fps_mode", "passthrough", *B_FRAMES)
    expected, film = cut_of(job(source, ffmpeg, tmp_path, "0.5", "2.7"), ffmpeg, tmp_path)
    whole = frames(source)
    due = [time - whole[0] - Fraction(1, 2) for time in whole]
    due = [time for time in due if 0 <= time < Fraction(22, 10)]
    assert expected.encode is not None and expected.encode.copied > 20
    assert [round(time * 1000) for time in frames(film)] == [round(time * 1000) for time in due]


def test_a_decoder_never_waits_for_a_frame(make: Callable[..., Path], ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    """Each packet is decoded before it is shown, and none before the one in front of it."""
    _, film = cut_of(job(make(*PYRAMID), ffmpeg, tmp_path, "0.52", "2.61"), ffmpeg, tmp_path)
    found = packets(film)["video"]
    assert all(packet.decode <= packet.time for packet in found)
    assert all(one.decode < other.decode for one, other in pairwise(found))


def test_sets_in_the_packets_that_say_the_same(
    make: Callable[..., Path], ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path
) -> None:
    """As of every film that was in a transport stream."""
    again = ("-c", "copy", "-bsf:v", "h264_mp4toannexb")
    source = made(media_folder, "mp4", "-i", make(*B_FRAMES), *again)
    keys = [packet for packet in packets(source)["video"] if packet.key]
    assert len(keys) == 3 and all({7, 8} <= nal_types(packet.content) for packet in keys)
    expected, film = cut_of(job(source, ffmpeg, tmp_path, "0.52", "2.6"), ffmpeg, tmp_path)
    assert expected.encode is not None and expected.encode.copied > 20
    assert len(pictures(film)) == 52


@pytest.mark.parametrize("number", [0, 1, 5])
def test_the_encoders_sets_have_a_number_of_their_own(
    make: Callable[..., Path], ffmpeg: Ffmpeg, tmp_path: Path, number: int
) -> None:
    source = make(*PLAIN, "-x264-params", f"sps-id={number}")
    expected, film = cut_of(job(source, ffmpeg, tmp_path, "0.52", "2.6"), ffmpeg, tmp_path)
    assert expected.encode == Encode(12, 40, 0)
    track = next(track for track in read_file(film) if track.kind == "video")
    assert {unit[0] & 31 for unit in _sets(track.entry)} == {7, 8} and len(_sets(track.entry)) == 4


def _sets(entry: bytes) -> list[bytes]:
    at, found = entry.index(b"avcC") + 9, []
    for mask in (31, 255):
        count, at = entry[at] & mask, at + 1
        for _ in range(count):
            (size,) = struct.unpack_from(">H", entry, at)
            found.append(entry[at + 2 : at + 2 + size])
            at += 2 + size
    return found


# -- why all is encoded ----------------------------------------------------------------------------------------

INTERLACED = ("-vf", "scale=160:96", *H264, "-x264-params", "interlaced=1")


@pytest.mark.parametrize(
    ("words", "pixels", "why"),
    [
        (OPEN, "yuv420p", "no IDR picture inside"),
        ((*H264, "-g", "250", "-keyint_min", "250"), "yuv420p", "no IDR picture inside"),
        (INTERLACED, "yuv420p", "it is interlaced"),
        (H264, "yuv420p10le", "its profile is 110"),
        (H264, "yuv444p", "its profile is 244"),
        (("-c:v", "mpeg4", "-g", "25"), "yuv420p", "it is not H.264 with its sets in front"),
    ],
)
def test_a_source_that_keeps_nothing(
    make: Callable[..., Path],
    ffmpeg: Ffmpeg,
    tmp_path: Path,
    words: Sequence[str],
    pixels: str,
    why: str,
) -> None:
    expected, film = cut_of(job(make(*words, pixels=pixels), ffmpeg, tmp_path, "0.52", "2.6"), ffmpeg, tmp_path)
    assert expected.encode == Encode(52, 0, 0, why)
    assert len(frames(film)) == 52


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"encode_all": True}, "--encode all"),
        ({"shape": Shape(fps=Fraction(25))}, "--fps"),
        ({"shape": Shape(size="48")}, "scaled"),
        ({"scale": 48}, "scaled"),
        ({"flip": True}, "mirrored"),
    ],
)
def test_what_is_asked_for_keeps_nothing(
    make: Callable[..., Path], ffmpeg: Ffmpeg, tmp_path: Path, asked: dict[str, Any], why: str
) -> None:
    wanted = replace(job(make(*PLAIN), ffmpeg, tmp_path, "0.52", "2.6"), **asked)
    expected, film = cut_of(wanted, ffmpeg, tmp_path)
    assert expected.encode == Encode(52, 0, 0, why) and len(frames(film)) == 52


TURNED = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"matrix": TURNED}, "it is turned"),
    ],
)
def test_a_track_that_keeps_nothing(
    make: Callable[..., Path], ffmpeg: Ffmpeg, tmp_path: Path, changed: dict[str, Any], why: str
) -> None:
    wanted = job(make(*PLAIN), ffmpeg, tmp_path, "0.52", "2.6")
    assert wanted.video is not None
    video = replace(wanted.video, samples=replace(wanted.video.samples, **changed))
    expected, _ = cut_of(replace(wanted, video=video), ffmpeg, tmp_path)
    assert expected.encode == Encode(52, 0, 0, why)


def test_packets_with_other_sets_keep_nothing(make: Callable[..., Path], ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    """Two films of other encoders in one stream: the description has the sets of the first alone."""
    parts = []
    for name, words in {"one": PLAIN, "other": (*PLAIN, "-refs", "4")}.items():
        parts.append(tmp_path / f"{name}.h264")
        run(ffmpeg, "-i", make(*words), "-map", "0:v", "-c", "copy", parts[-1])
    (tmp_path / "both.h264").write_bytes(b"".join(part.read_bytes() for part in parts))
    run(ffmpeg, "-r", "25", "-i", tmp_path / "both.h264", "-c", "copy", tmp_path / "both.mp4")
    expected, film = cut_of(job(tmp_path / "both.mp4", ffmpeg, tmp_path, "2.52", "4.6"), ffmpeg, tmp_path)
    assert expected.encode == Encode(52, 0, 0, "its packets have parameter sets of their own")
    assert len(frames(film)) == 52


def test_a_splice_that_fails_its_check_is_encoded_whole(
    make: Callable[..., Path], ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    """A description with colours that the packets do not tell: the encoder is told of them, and tells them."""
    wanted = job(make(*PLAIN), ffmpeg, tmp_path, "0.52", "2.6")
    assert wanted.video is not None
    samples = wanted.video.samples
    colours = struct.pack(">I4s4sHHHB", 19, b"colr", b"nclx", 9, 16, 9, 0)
    entry = struct.pack(">I", len(samples.entry) + len(colours)) + samples.entry[4:] + colours
    video = replace(wanted.video, samples=replace(samples, entry=entry))
    expected, film = cut_of(replace(wanted, video=video), ffmpeg, tmp_path)
    assert expected.encode == Encode(52, 0, 0, "the encoder's colour is another")
    assert len(frames(film)) == 52


def _without_key(words: list[Any]) -> list[Any]:
    at = words.index("-force_key_frames")
    return words[:at] + words[at + 4 :]


def _with(option: str, change: Callable[[str], str]) -> Callable[[list[Any]], list[Any]]:
    def changed(words: list[Any]) -> list[Any]:
        at = words.index(option) + 1
        return [*words[:at], change(words[at]), *words[at + 1 :]]

    return changed


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_without_key, "the encoder begins with no IDR picture|the encoder mixes what is shown before and behind"),
        (
            _with("-filter:v", lambda words: f"{words},select='not(eq(n,5))'"),
            "19 frames were encoded instead of 20",
        ),
        (_with("-filter:v", lambda words: f"{words},setpts=PTS+N*400"), "the source gives its frames other times"),
        (_with("-filter:v", lambda words: f"{words},scale=160:96"), "the encoder's crop is another"),
        (_with("-x264-params", lambda words: f"{words}:fullrange=on"), "the encoder's range is another"),
        (_with("-filter:v", lambda _: "select=0"), "no frame of the clip could be decoded"),
    ],
)
def test_an_encoder_that_did_other_things(
    make: Callable[..., Path],
    ffmpeg: Ffmpeg,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[list[Any]], list[Any]],
    why: str,
) -> None:
    """Each of its mistakes is seen, and all frames are encoded in its place."""

    def mistaken(*words: Any, **more: Any) -> list[Any]:
        told = encoded_video(*words, **more)
        return change(told) if more.get("between") else told

    monkeypatch.setattr("avclips.media.cut.encoded_video", mistaken)
    expected, film = cut_of(job(make(*B_FRAMES), ffmpeg, tmp_path, "0.52", "2.6"), ffmpeg, tmp_path)
    assert expected.encode is not None and re.match(why, expected.encode.why), expected.encode
    assert (expected.encode.head, expected.encode.copied) == (52, 0) and len(frames(film)) == 52


def test_packets_that_do_not_decode_are_told(make: Callable[..., Path], ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    """A splice copies them unseen: with --check decode they are looked at, and the clip is refused."""
    wanted = job(make(*PLAIN), ffmpeg, tmp_path, "0.52", "2.6")
    assert wanted.video is not None
    table, data = wanted.video.samples, bytearray(wanted.video.path.read_bytes())
    # Of one packet of the copied part, all behind its length and what it calls itself.
    begin, size = table.offsets[40], table.sizes[40]
    data[begin + 5 : begin + size] = bytes(size - 5)
    (tmp_path / "spoilt").write_bytes(data)
    spoilt = replace(wanted, video=replace(wanted.video, path=tmp_path / "spoilt"))
    with pytest.raises(Transient):
        cut_of(spoilt, ffmpeg, tmp_path)


def run(ffmpeg: Ffmpeg, *words: str | Path) -> None:
    subprocess.run([ffmpeg.path, "-v", "error", "-y", *words], check=True)


# -- what holds of every exact cut -----------------------------------------------------------------------------


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("rate", ["25", "30000/1001", "12.5"])
def test_the_packets_say_how_many_frames_a_second_there_are(
    make: Callable[..., Path], ffmpeg: Ffmpeg, tmp_path: Path, rate: str, everything: bool
) -> None:
    """Not ticks: a reader that believed in 102,400 frames a second found the next one for each time."""
    wanted = replace(job(make(*PLAIN, rate=rate), ffmpeg, tmp_path, "0.52", "2.6"), encode_all=everything)
    expected, film = cut_of(wanted, ffmpeg, tmp_path)
    assert expected.encode is not None and bool(expected.encode.copied) != everything
    raw = tmp_path / "raw.h264"
    run(ffmpeg, "-i", film, "-map", "0:v", "-c", "copy", raw)
    with av.open(str(raw)) as container:
        assert container.streams.video[0].codec_context.framerate == Fraction(rate)


def test_of_the_sound_one_packet_is_hidden(make: Callable[..., Path], ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    """As many as prepare its decoder, and not all since the pictures' key frame."""
    _, film = cut_of(job(make(*PLAIN), ffmpeg, tmp_path, "0.93", "2.6"), ffmpeg, tmp_path)
    before = [packet.time for packet in packets(film)["audio"] if packet.time < 0]
    assert len(before) <= 2 and min(before) > Fraction(-2 * 1024, 44100)


@pytest.mark.parametrize("clock", [600, 1000, 5_644_800])
def test_whatever_clock_the_film_has(
    make: Callable[..., Path], ffmpeg: Ffmpeg, tmp_path: Path, clock: int
) -> None:
    """The clock in which edit lists count their lengths is the file's own: ffmpeg 9 writes 5,644,800."""
    source = tmp_path / "clock.mp4"
    run(ffmpeg, "-i", make(*B_FRAMES), "-c", "copy", "-movie_timescale", str(clock), source)
    expected, film = cut_of(job(source, ffmpeg, tmp_path, "0.52", "2.6"), ffmpeg, tmp_path)
    assert expected.encode is not None and expected.encode.copied > 20
    assert [round(time * 1000) for time in frames(film)] == [40 * number for number in range(52)]


def test_the_same_splice_gives_the_same_bytes(make: Callable[..., Path], ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    wanted = job(make(*B_FRAMES), ffmpeg, tmp_path, "0.52", "2.6")
    films = [cut_of(wanted, ffmpeg, tmp_path)[1].read_bytes() for _ in range(2)]
    assert films[0] == films[1]


def test_no_file_of_the_source_is_changed(make: Callable[..., Path], ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    wanted = job(make(*B_FRAMES), ffmpeg, tmp_path, "0.52", "2.6")
    assert wanted.video is not None
    before = wanted.video.path.read_bytes()
    cut_of(wanted, ffmpeg, tmp_path)
    assert wanted.video.path.read_bytes() == before

"""Local files of every kind: what they are by their first bytes, and that PyAV finds the same packets in them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from avclips.containers.samples import Samples as Table
from avclips.containers.timeline import begin_of
from avclips.core.clock import Clock
from avclips.core.errors import Transient
from avclips.media.cut import Job, cut
from avclips.media.cut_plan import Material
from avclips.media.demux import Opened, open_file, without_empty
from avclips.media.ffmpeg import Ffmpeg
from avclips.media.file_type import container_of
from avclips.reading.stream import WholeFile
from tests.standin import fake_media
from tests.support.made_files import AAC, B_FRAMES, PICTURE, PLAIN, SOUND, contents, made, packets
from tests.support.sounds import Samples
from tests.support.sounds import samples as samples_of

OPUS, VORBIS = ("-c:a", "libopus", "-ar", "48000", "-b:a", "64k"), ("-c:a", "libvorbis")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "100k")
MPEG2, MP2, MP3 = ("-c:v", "mpeg2video", "-bf", "2"), ("-c:a", "mp2"), ("-c:a", "libmp3lame")
BOTH = (*PICTURE, *SOUND)

# What ffmpeg calls a container, the ending of a file's name, and how it is made.
FILES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "mp4": ("mov", "mp4", (*BOTH, *B_FRAMES, *AAC)),
    "mp4, fragments": ("mov", "mp4", (*BOTH, *B_FRAMES, *AAC, "-movflags", "+frag_keyframe+empty_moov")),
    "mp4, fragments and a sidx": ("mov", "mp4", (*PICTURE, *B_FRAMES, "-movflags", "+dash+global_sidx")),
    "mov": ("mov", "mov", (*BOTH, *B_FRAMES, *AAC)),
    "mkv": ("matroska", "mkv", (*BOTH, *B_FRAMES, *AAC)),
    "mkv, MP3": ("matroska", "mkv", (*BOTH, *PLAIN, *MP3)),
    "webm": ("matroska", "webm", (*BOTH, *VP9, *OPUS)),
    "ts": ("mpegts", "ts", (*BOTH, *B_FRAMES, *AAC)),
    "ts, MP2": ("mpegts", "ts", (*BOTH, *MPEG2, *MP2)),
    "flv": ("flv", "flv", (*BOTH, *B_FRAMES, *AAC)),
    "avi": ("avi", "avi", (*BOTH, "-c:v", "mpeg4", *MP3)),
    "mpg": ("mpeg", "mpg", (*BOTH, *MPEG2, *MP2)),
    "opus": ("ogg", "ogg", (*SOUND, *OPUS)),
    "mp3": ("mp3", "mp3", (*SOUND, *MP3)),
    "aac": ("aac", "aac", (*SOUND, *AAC)),
}  # fmt: skip
# How far times may be rounded: in ffmpeg's AVI and MPEG-PS pictures have none but by their rate.
ROUNDED = Fraction(2, 1000)


@pytest.fixture(scope="module")
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(Path(fake_media.ffmpeg()), Clock())


def opened(path: Path, ffmpeg: Ffmpeg, tmp_path: Path) -> Opened:
    """The file under a name that says nothing."""
    shutil.copy(path, tmp_path / "film")
    (tmp_path / "work").mkdir()
    return open_file(tmp_path / "film", ffmpeg, tmp_path / "work")


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_any_kind_has_pyavs_packets(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, name: str
) -> None:
    kind, ending, words = FILES[name]
    path = made(media_folder, ending, *words)
    assert container_of(path) == kind
    due, found = packets(path, {"ignore_editlist": "1"} if kind == "mov" else None), opened(path, ffmpeg, tmp_path)
    assert found.keys() == due.keys()
    for each, (file, samples) in found.items():
        shift = Fraction(samples.shift or 0, samples.timescale) if kind == "mov" else 0
        times = [Fraction(time, samples.timescale) - shift for time in samples.times]
        assert len(times) == len(due[each]) > 20
        # ffmpeg's QuickTime has delays below 0, which libav adds to all times where no edit list takes it away.
        moved = due[each][0].time - times[0] if name == "mov" else 0
        assert max(abs(a + moved - b.time) for a, b in zip(times, due[each], strict=True)) <= ROUNDED
        keys = range(len(times)) if samples.keys is None else samples.keys
        if each == "video" and kind not in ("mpeg", "mpegts"):
            assert [number in keys for number in range(len(times))] == [packet.key for packet in due[each]]
        held = contents(file, samples.offsets, samples.sizes)
        if kind in ("mov", "matroska", "flv"):
            assert held == [packet.content for packet in due[each]]
        # What is heard or shown at all.
        assert sum(map(len, held)) > 0 and all(lasts >= 0 for lasts in samples.durations)


@pytest.mark.parametrize("name", FILES)
def test_where_a_file_begins_is_where_pyav_begins(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, name: str
) -> None:
    """An encoder's delay is hidden as a decoder hides it, and an edit list is applied."""
    _, ending, words = FILES[name]
    path = made(media_folder, ending, *words)
    for kind, (_, samples) in opened(path, ffmpeg, tmp_path).items():
        begin = begin_of(samples)
        with av.open(str(path)) as container:
            first = next(frame for frame in container.decode(**{kind: 0}) if frame.pts is not None)
            assert begin is not None and first.pts is not None
            assert abs(begin.shown - first.pts * first.time_base) <= ROUNDED


HEARD = {name: each for name, each in FILES.items() if "sidx" not in name} | {
    "vorbis": ("ogg", "ogg", (*SOUND, *VORBIS)),
    "flac": ("flac", "flac", (*SOUND, "-c:a", "flac")),
}


# MP2's decoder adds what came before; of the fragments, the first packet stands apart.
SUMMED = ("ts, MP2", "mpg", "mp4, fragments")


def pcm(words: Sequence[str | Path]) -> Samples:
    """What ffmpeg decodes, a row a sample."""
    command = [fake_media.ffmpeg(), "-v", "error", "-nostdin", *words, "-map", "0:a:0", "-f", "s16le", "-"]
    ended = subprocess.run(command, capture_output=True)
    if ended.returncode < 0:
        pytest.skip(f"this ffmpeg is ended by signal {-ended.returncode} where it decodes the whole")
    assert ended.returncode == 0, ended.stderr
    return np.frombuffer(ended.stdout, "<i2").reshape(-1, 2)


@pytest.mark.parametrize("name", HEARD)
def test_a_sound_is_that_of_the_whole_file_to_the_sample(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, name: str
) -> None:
    """What the container hides is hidden, and nothing more: MP3's delay, Opus' pre-skip, AAC's first packet."""
    _, ending, words = HEARD[name]
    path = made(media_folder, ending, *words)
    found = opened(path, ffmpeg, tmp_path)
    layout, (_, samples) = WholeFile({"audio": found["audio"]}), found["audio"]
    zero, rate = layout.begin("audio").shown, 48000 if samples.codec == "Opus" else 44100
    whole = pcm(["-i", path])
    for start in (Fraction(0), Fraction(3, 2)):
        file, table = layout.packets("audio", zero + start - Fraction(2, 5), zero + start + 1)
        job = Job(None, Material(file, table, zero, begins=zero), start, start + 1)
        cut(job, ffmpeg, tmp_path / "work", tmp_path / "o.mp4", tmp_path / "o.wav")
        got = samples_of(tmp_path / "o.wav").astype(int)
        assert len(got) == rate
        at = round(start * rate)
        if name == "mp4, fragments" and start:
            # Its second packet is 2504 samples late, which ffmpeg's raw output leaves out.
            at -= 2504
        if name == "mkv":
            # Of AAC, the delay is known as milliseconds are.
            far = {
                n: np.abs(got[100:40_000] - whole[at + n + 100 : at + n + 40_000]).mean() for n in range(-44, 45)
            }
            assert min(far.values()) < 1.0
        elif name != "mp4, fragments" or start:
            # Where a decoder did not begin with the same packet, sums differ by what rounding leaves.
            assert np.abs(got - whole[at : at + rate]).max() <= (1 if name in SUMMED else 0)


@pytest.mark.parametrize(
    ("ending", "words", "codec"),
    [
        ("ogg", (*SOUND, *VORBIS), "mp4a.dd"),
        ("flac", (*SOUND, "-c:a", "flac"), "fLaC"),
    ],
)
def test_packets_of_no_fixed_length_are_counted(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, ending: str, words: tuple[str, ...], codec: str
) -> None:
    """By decoding them: each begins at the sample where the one before ends, and all are there."""
    path = made(media_folder, ending, *words)
    (_, samples) = opened(path, ffmpeg, tmp_path)["audio"]
    assert (samples.codec, samples.timescale) == (codec, 44100)
    ends = list(map(int.__add__, samples.times, samples.durations))
    assert ends[:-1] == list(samples.times[1:])
    with av.open(str(path)) as container:
        assert ends[-1] - samples.times[0] == sum(frame.samples for frame in container.decode(audio=0))


def test_opus_is_as_long_as_it_was_made(ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path) -> None:
    (_, samples) = opened(made(media_folder, "webm", *SOUND, *OPUS), ffmpeg, tmp_path)["audio"]
    lasting = samples.times[-1] + samples.durations[-1] - samples.since
    # Three seconds; the container counts milliseconds.
    assert abs(Fraction(lasting, samples.timescale) - 3) <= Fraction(1, 1000)


@pytest.mark.parametrize(("ending", "picture"), [("webm", VP9), ("mkv", PLAIN)])
def test_opus_begins_with_its_picture(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, ending: str, picture: tuple[str, ...]
) -> None:
    """Its encoder's 6.5 ms, of which ffmpeg makes 7, do not move it."""
    found = opened(made(media_folder, ending, *BOTH, *picture, *OPUS), ffmpeg, tmp_path)
    begins = {kind: begin_of(samples) for kind, (_, samples) in found.items()}
    assert {kind: begin and begin.shown for kind, begin in begins.items()} == {"video": 0, "audio": 0}
    _, sound = found["audio"]
    assert Fraction(sound.times[0], sound.timescale) == Fraction(-312, 48_000)


def test_what_an_mp4_cannot_hold_is_put_there_frame_by_frame(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path
) -> None:
    path = made(media_folder, "avi", *PICTURE, "-c:v", "msmpeg4v2")
    file, samples = opened(path, ffmpeg, tmp_path)["video"]
    assert samples.codec == "avc1" and len(samples.times) == 75
    with av.open(str(path)) as one, av.open(str(file)) as other:
        pairs = list(zip(one.decode(video=0), other.decode(video=0), strict=True))
    assert len(pairs) == 75 and all((a.to_ndarray() == b.to_ndarray()).all() for a, b in pairs)


def test_a_cover_is_no_film(ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path) -> None:
    cover = made(media_folder, "png", "-f", "lavfi", "-i", "color=red:size=64x64", "-frames:v", "1")
    words = ("-i", cover, "-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v", "attached_pic")
    path = made(media_folder, "m4a", *SOUND, *words, *AAC)
    assert opened(path, ffmpeg, tmp_path).keys() == {"audio"}


EMPTY = Table(
    *("video", "avc1", 160, 90, 100, (0, 30, 10, 20, 40, 50), (10,) * 6, (1, 2, 3, 3, 3, 4), (1, 1, 1, 1, 1, 1)),
    keys=(0, 4),
    decode=(0, 10, 20, 30, 40, 50),
)


@pytest.mark.parametrize(
    ("sizes", "times", "durations", "keys"),
    [
        ((1, 1, 1, 1, 1, 1), (0, 30, 10, 20, 40, 50), (10,) * 6, (0, 4)),
        ((1, 1, 1, 0, 1, 1), (0, 30, 10, 40, 50), (10, 10, 20, 10, 10), (0, 3)),
        ((1, 0, 0, 1, 0, 1), (0, 20, 50), (20, 30, 10), (0,)),
        # The last of them stands to the end.
        ((1, 1, 1, 1, 0, 0), (0, 30, 10, 20), (10, 30, 10, 10), (0,)),
        ((0, 1, 1, 1, 1, 1), (30, 10, 20, 40, 50), (10,) * 5, (3,)),
        ((0,) * 6, (), (), ()),
    ],
)
def test_pictures_of_no_byte_are_none(
    sizes: tuple[int, ...], times: tuple[int, ...], durations: tuple[int, ...], keys: tuple[int, ...]
) -> None:
    found = without_empty(replace(EMPTY, sizes=sizes))
    assert (found.times, tuple(found.durations), found.keys) == (times, durations, keys)
    assert all(found.sizes) and len(found.offsets) == len(found.decode) == len(times)
    sound = replace(EMPTY, kind="audio", sizes=sizes)
    assert without_empty(sound) == sound


# -- by their first bytes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x20ftypisom", "mov"),
        (b"\0\0\0\x20moov", "mov"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "mov"),
        (b"\0\0\0\x18styp", "mov"),
        (b"\x1aE\xdf\xa3\x01", "matroska"),
        (b"G" + bytes(187) + b"G", "mpegts"),
        (b"G" + bytes(187), "mpegts"),
        (b"FLV\x01\x05", "flv"),
        (b"RIFF\x24\0\0\0AVI LIST", "avi"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "wav"),
        (b"\0\0\x01\xba\x44", "mpeg"),
        (b"OggS\0", "ogg"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
        (b"fLaC\0", "flac"),
        (b"ID3\x04", "mp3"),
        (b"\xff\xfb\x90", "mp3"),
        (b"\xff\xf1\x50", "aac"),
        (b"\n\n\n\nftyp", "mov"),
    ],
)
def test_what_a_file_is(tmp_path: Path, head: bytes, kind: str) -> None:
    (tmp_path / "x.mp4").write_bytes(head)
    assert container_of(tmp_path / "x.mp4") == kind


PLAYLISTS = {
    "HLS": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n",
    "ffconcat": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "DASH": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
    "SDP": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 96\n",
    "subtitles": b"WEBVTT\n\n00:00.000 --> 00:01.000\nx\n",
    "HTML": b"<!DOCTYPE html><html>",
    "nothing": b"",
    "zeros": bytes(400),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "RIFF of another kind": b"RIFF\x24\0\0\0WEBPVP8 ",
    "one byte": b"G",
    "text": b"G" * 100 + b"x" * 200,
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_what_is_no_film(ffmpeg: Ffmpeg, tmp_path: Path, name: str) -> None:
    """A playlist of other files, above all: ffmpeg would read what it names."""
    path = tmp_path / "film.mp4"
    path.write_bytes(PLAYLISTS[name])
    with pytest.raises(Transient, match="^not a media file of a kind that is known$") as caught:
        open_file(path, ffmpeg, tmp_path)
    assert caught.value.reason == "formats"


@pytest.mark.parametrize("name", ["mp4", "mkv", "ts", "flv", "avi", "mpg", "webm"])
@pytest.mark.parametrize("kept", [300, 3000])
def test_a_file_that_was_cut_off(ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, name: str, kept: int) -> None:
    """Transient, or the packets that are there: never a traceback, nor a packet that is not."""
    _, ending, words = FILES[name]
    path = tmp_path / "film"
    path.write_bytes(made(media_folder, ending, *words).read_bytes()[:kept])
    try:
        found = open_file(path, ffmpeg, tmp_path)
    except Transient as error:
        assert len(error.detail.splitlines()) == 1
        return
    for file, samples in found.values():
        assert max(map(int.__add__, samples.offsets, samples.sizes)) <= file.stat().st_size


def test_a_table_whose_samples_are_not_there(ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path) -> None:
    words = (*BOTH, *B_FRAMES, *AAC, "-movflags", "+faststart")
    content = made(media_folder, "mp4", *words).read_bytes()
    (tmp_path / "film").write_bytes(content[:-1000])
    with pytest.raises(Transient, match="behind the end") as caught:
        open_file(tmp_path / "film", ffmpeg, tmp_path)
    assert caught.value.reason == "formats"

"""Cuts by the real ffmpeg: what they hold is the source's, to the frame and to the sample."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from avclips.containers.timeline import origins
from avclips.core.clock import Clock
from avclips.core.errors import Gone, Transient
from avclips.core.settings import Cut
from avclips.media.cut import Job, cut
from avclips.media.cut_plan import Material
from avclips.media.demux import open_file
from avclips.media.ffmpeg import Ffmpeg
from avclips.media.measure import Track, judge, read_wav
from avclips.reading.stream import WholeFile
from tests.standin import fake_media
from tests.standin.fake_media import Media
from tests.support.made_files import frames
from tests.support.sounds import samples

MEDIA = Media(duration=6, width=64, height=36, gop_seconds=2)
SLOW, NTSC = replace(MEDIA, fps=12.5), replace(MEDIA, fps=30000 / 1001)


@pytest.fixture(scope="module")
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(Path(fake_media.ffmpeg()), Clock())


def job(
    media: Media,
    folder: Path,
    ffmpeg: Ffmpeg,
    work: Path,
    start: str,
    length: str | None,
    how: Cut,
    sound: bool = True,
) -> Job:
    """The cut of a whole picture and a whole sound, each in a file of its own."""
    begin, end = Fraction(start), None if length is None else Fraction(start) + Fraction(length)
    layouts = {}
    for kind, itag in (("video", 134), ("audio", 140)):
        if kind == "video" or sound:
            layouts[kind] = WholeFile(open_file(fake_media.make(media, itag, folder), ffmpeg, work))
    zero = origins({kind: layout.begin(kind) for kind, layout in layouts.items()}, together=False)
    held = {
        kind: Material(*layout.packets(kind, zero[kind], None), zero[kind], begins=layout.begin(kind).shown)
        for kind, layout in layouts.items()
    }
    return Job(held["video"], held.get("audio"), begin, end, how)


def picture(tracks: list[Track]) -> Track:
    return next(track for track in tracks if track.kind == "video")


@pytest.mark.parametrize(
    ("spec", "how", "start", "length", "pictures"),
    [
        (MEDIA, "exact", "0", "1", range(25, 26)),
        (MEDIA, "exact", "1.52", "2", range(50, 51)),
        (MEDIA, "exact", "3", "2", range(50, 51)),
        # Behind the source's end there is nothing.
        (MEDIA, "exact", "5", "2", range(25, 26)),
        (MEDIA, "exact", "5", None, range(25, 26)),
        # Between two pictures: each keeps its own time.
        (MEDIA, "exact", "1.51", "2", range(50, 51)),
        (NTSC, "exact", "3", "2", range(60, 61)),
        (NTSC, "exact", "1.7", "2", range(60, 61)),
        (SLOW, "exact", "1.51", "2", range(25, 26)),
        (MEDIA, "copy", "3", "2", range(50, 54)),
        (MEDIA, "copy", "1.51", "2", range(50, 54)),
    ],
)
def test_a_cut_holds_the_sources_samples(
    ffmpeg: Ffmpeg,
    media_folder: Path,
    tmp_path: Path,
    spec: Media,
    how: Cut,
    start: str,
    length: str | None,
    pictures: range,
) -> None:
    mp4, wav = tmp_path / "o.mp4", tmp_path / "o.wav"
    expected = cut(job(spec, media_folder, ffmpeg, tmp_path, start, length, how), ffmpeg, tmp_path, mp4, wav)
    tracks = ffmpeg.measure(mp4)
    assert judge(expected, tracks, read_wav(wav), how) is None
    assert len(expected.pictures) == pictures.start and len(picture(tracks).times) in pictures
    ffmpeg.run(["-i", fake_media.make(spec, 140, media_folder), "-c:a", "pcm_s16le", tmp_path / "all.wav"])
    first = round(Fraction(start) * 44100)
    behind = None if length is None else first + round(Fraction(length) * 44100)
    assert np.array_equal(samples(wav), samples(tmp_path / "all.wav")[first:behind])


@pytest.mark.parametrize("how", ["exact", "copy"])
def test_a_long_file_gives_the_same_as_from_its_beginning(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, how: Cut
) -> None:
    """Decoded from fifteen seconds before: sample by sample what a decoder of the whole makes."""
    spec = replace(MEDIA, duration=40)
    mp4, wav = tmp_path / "o.mp4", tmp_path / "o.wav"
    expected = cut(job(spec, media_folder, ffmpeg, tmp_path, "35.3", "2", how), ffmpeg, tmp_path, mp4, wav)
    assert judge(expected, ffmpeg.measure(mp4), read_wav(wav), how) is None
    ffmpeg.run(["-i", fake_media.make(spec, 140, media_folder), "-c:a", "pcm_s16le", tmp_path / "all.wav"])
    first = round(Fraction("35.3") * 44100)
    assert np.array_equal(samples(wav), samples(tmp_path / "all.wav")[first : first + 88_200])


@pytest.mark.parametrize("how", ["exact", "copy"])
def test_the_same_cut_gives_the_same_bytes(ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, how: Cut) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        one = job(MEDIA, media_folder, ffmpeg, tmp_path / name, "1.51", "2", how)
        cut(one, ffmpeg, tmp_path / name, tmp_path / f"{name}.mp4", tmp_path / f"{name}.wav")
    for ending in ("mp4", "wav"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


@pytest.mark.parametrize("how", ["exact", "copy"])
def test_a_silent_cut_keeps_its_pictures_times(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, how: Cut
) -> None:
    """Without a sound at 0 nothing is moved there."""
    mp4 = tmp_path / "o.mp4"
    expected = cut(
        job(MEDIA, media_folder, ffmpeg, tmp_path, "1.51", "2", how, sound=False),
        ffmpeg,
        tmp_path,
        mp4,
        tmp_path / "no",
    )
    assert expected.sound is None and not (tmp_path / "no").exists()
    assert judge(expected, ffmpeg.measure(mp4), None, how) is None
    shown = frames(mp4)[:50]
    assert [round(time * 1000) for time in shown] == [10 + 40 * number for number in range(50)]


def test_a_frame_that_stands_is_a_clip(ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path) -> None:
    """Between two frames none begins: the one before is shown at 0, as long as the clip."""
    mp4, wav = tmp_path / "o.mp4", tmp_path / "o.wav"
    expected = cut(job(SLOW, media_folder, ffmpeg, tmp_path, "1.61", "0.05", "exact"), ffmpeg, tmp_path, mp4, wav)
    assert expected.pictures == (0.0,)
    tracks = ffmpeg.measure(mp4)
    assert judge(expected, tracks, read_wav(wav), "exact") is None
    assert picture(tracks).end == pytest.approx(0.05, abs=0.001)


def test_a_cut_behind_the_end(ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Gone) as caught:
        cut(
            job(MEDIA, media_folder, ffmpeg, tmp_path, "6.5", "1", "exact"),
            *(ffmpeg, tmp_path, tmp_path / "o.mp4", tmp_path / "o.wav"),
        )
    assert caught.value.reason == "over"


def test_a_cut_of_packets_that_are_spoilt(ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path) -> None:
    """A frame that does not decode is told, and no clip is made without it."""
    wanted = job(MEDIA, media_folder, ffmpeg, tmp_path, "1", "2", "exact")
    assert wanted.video is not None
    data = bytearray(wanted.video.path.read_bytes())
    table = wanted.video.samples
    for number in range(30, 45):
        data[table.offsets[number] : table.offsets[number] + table.sizes[number]] = b"\xff" * table.sizes[number]
    (tmp_path / "spoilt").write_bytes(data)
    spoilt = replace(wanted, video=replace(wanted.video, path=tmp_path / "spoilt"))
    with pytest.raises(Transient):
        cut(spoilt, ffmpeg, tmp_path, tmp_path / "o.mp4", tmp_path / "o.wav")

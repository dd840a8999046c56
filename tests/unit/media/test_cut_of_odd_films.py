"""Cuts of films whose tables are wrong, or say what few do: frame by frame against PyAV's reading of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from avclips.containers.mp4 import read_file
from avclips.core.clock import Clock
from avclips.core.errors import Transient
from avclips.core.settings import Cut
from avclips.media.ffmpeg import Ffmpeg
from tests.standin import fake_media
from tests.support.changed_boxes import body_of, key_frames, rows, two_films, with_boxes
from tests.support.made_files import B_FRAMES, PICTURE, PLAIN, made
from tests.unit.media.test_splice import NEAR, cut_of, job, pictures

# No picture is whole but the first; each is renewed in part, all of it within a second.
REFRESHED = ("-c:v", "libx264", "-preset", "veryfast", "-x264-params", "intra-refresh=1:keyint=25")
# The same pictures with parameters of another kind: decoded by the other film's, they are 10 of 255 levels off.
OTHER = ("-x264-params", "no-psy=1:chroma-qp-offset=12")


@pytest.fixture(scope="module")
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(Path(fake_media.ffmpeg()), Clock())


def see_that_it_is_due(
    film: Path, whole: Path, ffmpeg: Ffmpeg, folder: Path, start: str, end: str, how: Cut = "exact"
) -> str:
    """Cut ``film``, whose pictures are due as PyAV shows them of ``whole``; returns why none stayed as it was."""
    expected, came = cut_of(job(film, ffmpeg, folder, start, end, how), ffmpeg, folder)
    shown = pictures(whole)
    begin, till = Fraction(start), Fraction(end)
    due = [(time - shown[0][0] - begin, look) for time, look in shown]
    due = [(time, look) for time, look in due if 0 <= time < till - begin]
    got = pictures(came)
    assert [round(time * 1000) for time, _ in got] == [round(time * 1000) for time, _ in due]
    for place, ((_, mine), (_, theirs)) in enumerate(zip(got, due, strict=True)):
        assert np.abs(mine.astype(int) - theirs).mean() < NEAR, place
    return expected.encode.why if expected.encode else ""


# -- key frames that are none ----------------------------------------------------------------------------------

NO_IDR = "no IDR picture inside"


@pytest.mark.parametrize("how", ["exact", "copy"])
@pytest.mark.parametrize("ending", ["mp4", "ts", "mkv"])
@pytest.mark.parametrize("b_frames", ["0", "3"])
@pytest.mark.parametrize(("start", "end"), [("0.52", "1.2"), ("2.03", "2.6")])
def test_a_film_without_whole_pictures(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, b_frames: str, ending: str, how: Cut, start: str, end: str
) -> None:
    """What its containers call key frames are recovery points, from which pictures become right later."""
    film = made(media_folder, ending, *PICTURE, *REFRESHED, "-bf", b_frames)
    why = see_that_it_is_due(film, film, ffmpeg, tmp_path, start, end, how)
    assert why == ("" if how == "copy" else NO_IDR)


@pytest.mark.parametrize(("start", "end"), [("0", "1"), ("0.52", "2.6"), ("2.04", "2.4"), ("2.96", "3")])
@pytest.mark.parametrize(
    "named",
    [
        pytest.param(None, id="no table: all"),
        pytest.param(range(75), id="all"),
        pytest.param(range(0, 75, 10), id="wrong ones"),
        pytest.param([50], id="only a late one"),
        pytest.param([], id="none"),
    ],
)
def test_a_table_of_key_frames_that_is_wrong(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, named: Sequence[int] | None, start: str, end: str
) -> None:
    film = made(media_folder, "mp4", *PICTURE, *PLAIN)
    table = None if named is None else key_frames(*named)
    odd = with_boxes(film, tmp_path / "odd.mp4", {b"stss": table})
    see_that_it_is_due(odd, film, ffmpeg, tmp_path, start, end)


# -- several descriptions --------------------------------------------------------------------------------------


@pytest.fixture
def joined(media_folder: Path, tmp_path: Path) -> tuple[Path, Path, Path]:
    one = made(media_folder, "mp4", *PICTURE, *B_FRAMES)
    other = made(media_folder, "mp4", *PICTURE, *B_FRAMES, *OTHER)
    return one, other, two_films(media_folder, one, other, tmp_path / "joined.mp4")


@pytest.mark.parametrize("how", ["exact", "copy"])
@pytest.mark.parametrize(
    ("which", "start", "end"), [(0, "0.52", "2.6"), (0, "1", "3"), (1, "0", "2"), (1, "0.52", "2.6")]
)
def test_each_packet_is_decoded_by_its_own_description(
    ffmpeg: Ffmpeg, joined: tuple[Path, Path, Path], tmp_path: Path, which: int, start: str, end: str, how: Cut
) -> None:
    """A film that was put together of two, as editors do it."""
    *films, whole = joined
    begin, till = Fraction(start) + 3 * which, Fraction(end) + 3 * which
    expected, came = cut_of(job(whole, ffmpeg, tmp_path, str(begin), str(till), how), ffmpeg, tmp_path)
    alone = tmp_path / "alone"
    alone.mkdir()
    _, due = cut_of(job(films[which], ffmpeg, alone, start, end, how), ffmpeg, alone)
    assert how == "copy" or (expected.encode is not None and expected.encode.copied)
    mine, theirs = pictures(came), pictures(due)
    assert len(mine) == len(theirs) >= 48
    for place, ((_, look), (_, wanted)) in enumerate(zip(mine, theirs, strict=True)):
        assert np.abs(look.astype(int) - wanted).mean() < 1, place


def test_a_clip_over_the_place_where_its_description_changes(
    ffmpeg: Ffmpeg, joined: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    wanted = job(joined[2], ffmpeg, tmp_path, "2.52", "4")
    with pytest.raises(Transient, match="its video changes within the clip to another description"):
        cut_of(wanted, ffmpeg, tmp_path)


# -- packets of no byte ----------------------------------------------------------------------------------------


def _emptied(film: Path, numbers: Sequence[int], target: Path) -> Path:
    """The film in which these packets have no byte; each packet is a chunk of its own."""
    track = next(track for track in read_file(film) if track.kind == "video")
    sizes = [0 if number in numbers else size for number, size in enumerate(track.sizes)]
    changed = {
        b"stsz": body_of(film.read_bytes(), b"stsz")[:12] + b"".join(size.to_bytes(4, "big") for size in sizes),
        b"stsc": rows(">III", (1, 1, 1)),
        b"stco": rows(">I", *((offset,) for offset in track.offsets)),
    }
    return with_boxes(film, target, changed)


@pytest.mark.parametrize("how", ["exact", "copy"])
@pytest.mark.parametrize(("start", "end"), [("0", "1"), ("0.52", "2.6"), ("1.96", "3")])
def test_where_a_packet_has_no_byte_the_picture_before_goes_on(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, start: str, end: str, how: Cut
) -> None:
    film = made(media_folder, "mp4", *PICTURE, *B_FRAMES, "-x264-params", "b-adapt=0:b-pyramid=none")
    track = next(track for track in read_file(film) if track.kind == "video")
    # Pictures to which no other refers: shown before the one that is decoded before them.
    spare = [n for n in range(1, 75) if track.times[n] < track.times[n - 1]][3::6]
    assert len(spare) >= 4
    odd = _emptied(film, spare, tmp_path / "odd.mp4")
    see_that_it_is_due(odd, odd, ffmpeg, tmp_path, start, end, how)

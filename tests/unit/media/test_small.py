"""Small outputs of real decodes: their flags are those that PyAV and numpy count, and clips are as without."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from avclips.core.clock import Clock
from avclips.core.errors import Killed, Transient
from avclips.core.settings import Cut
from avclips.media.cut import cut
from avclips.media.ffmpeg import Ffmpeg
from avclips.media.inspect import flags_of, measure_sound
from avclips.media.small import Small, escaped, with_small
from avclips.quality.pictures import BAR, DARK, MOST_UNMOVED, SIDE
from tests.standin import fake_media
from tests.support.made_files import AAC, PLAIN, made
from tests.support.sounds import samples
from tests.unit.media.test_cut import MEDIA, job

SHOWN = "testsrc2=size=192x96:rate=25:duration=4,pad=192:128:0:16"
# A second that moves, two of the last picture, one of black.
FILM = f"{SHOWN},trim=end=1,tpad=stop_mode=clone:stop_duration=2,tpad=stop_duration=1:color=black,format=yuv420p"
NOISE = "anoisesrc=duration=4:sample_rate=44100:color=pink:amplitude=0.5:seed=3"


@pytest.fixture(scope="module")
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(Path(fake_media.ffmpeg()), Clock())


def film(folder: Path, picture: str = FILM, sound: str = NOISE, said: tuple[str, ...] = ()) -> Path:
    return made(folder, "mp4", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, *PLAIN, *said, *AAC)


def wav(folder: Path, sound: str, channels: int = 2, rate: int = 48_000) -> Path:
    return made(folder, "wav", "-f", "lavfi", "-i", sound, "-ac", str(channels), "-ar", str(rate))


def small_pictures(path: Path) -> np.ndarray:
    """By PyAV: of five pictures a second, luma from 0 to 255, each point the mean of the pixels within."""
    with av.open(str(path)) as container:
        frames = [(float(frame.time), frame.to_ndarray()) for frame in container.decode(video=0)]
    height = frames[0][1].shape[0] * 2 // 3
    found = []
    for number in range(round(5 * (frames[-1][0] + 0.04))):
        luma = [frame[:height] for time, frame in frames if time <= number / 5 + 1e-6][-1].astype(float)
        points = luma.reshape(SIDE, height // SIDE, SIDE, luma.shape[1] // SIDE).mean((1, 3))
        found.append(np.clip((points - 16) * 255 / 219, 0, 255))
    return np.array(found)


@pytest.mark.parametrize("said", [(), ("-colorspace", "bt709")])
def test_flags_of_pictures_are_those_that_pyav_shows(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, said: tuple[str, ...]
) -> None:
    path = film(media_folder, said=said)
    found, points = flags_of(path, None, ffmpeg, Small(tmp_path)), small_pictures(path)
    moved = np.abs(np.diff(np.rint(points), axis=0)).max((1, 2))
    assert found["still"] == pytest.approx(np.mean(moved <= MOST_UNMOVED), abs=0.06) and 0.6 < found["still"] < 0.8
    assert found["black"] == pytest.approx(np.mean((points <= DARK).mean((1, 2)) >= 0.98), abs=0.05)
    assert found["black"] > 0.1
    assert found["brightness"] == pytest.approx(points.mean() / 255, abs=0.01)
    lit = np.flatnonzero(points.max((0, 2)) > BAR)
    assert found["letterbox"] == pytest.approx(0.25, abs=1 / SIDE) and (lit[0], lit[-1]) == (4, 27)
    assert found["pillarbox"] == 0 and len(found["picture_hashes"]) == 2
    assert "level" not in found


@pytest.mark.parametrize("ending", ["wav", "flac", "m4a"])
def test_flags_of_sound_are_those_of_its_samples(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, ending: str
) -> None:
    source, path = wav(media_folder, f"{NOISE},volume=8", rate=44_100), tmp_path / f"x.{ending}"
    if ending == "wav":
        path = source
    else:
        # Noise that an encoder leaves to the decoder (PNS) is another one in each channel.
        ffmpeg.run(["-i", source, *((*AAC, "-aac_pns", "0") if ending == "m4a" else ("-sample_fmt", "s16")), path])
    found = flags_of(None, path, ffmpeg, Small(tmp_path))
    ffmpeg.run(["-i", path, "-c:a", "pcm_s16le", tmp_path / "decoded.wav"])
    due = samples(tmp_path / "decoded.wav")
    assert found["level"] == pytest.approx(10 * np.log10(np.mean((due / 32768) ** 2)), abs=0.1)
    assert found["clipped"] == pytest.approx(np.mean((due == 32767) | (due == -32768)), abs=2e-4)
    assert found["clipped"] > 0.001
    assert found["dual_mono"] is True and len(found["sound_print"]) == 4 * 26
    assert "still" not in found


@pytest.mark.parametrize(
    ("sound", "channels", "loudness"),
    [
        # EBU Tech 3341, cases 1 to 3, shortened: a sine of 1 kHz at this peak in both channels.
        ("sine=1000:duration=6,volume=8*0.0708", 2, -23.0),
        ("sine=1000:duration=6,volume=8*0.0224", 2, -33.0),
        ("sine=1000:duration=46,volume='8*if(between(t,3,43),0.0708,0.0158)':eval=frame", 2, -23.0),
        # A channel alone is 3 LU below two.
        ("sine=1000:duration=6,volume=8*0.0708", 1, -26.0),
        ("sine=1000:duration=6,volume=0", 2, None),
    ],
)
def test_loudness_is_that_of_ebu_r128(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, sound: str, channels: int, loudness: float | None
) -> None:
    path = wav(media_folder, f"{sound},pan={'stereo|c0=c0|c1=c0' if channels == 2 else 'mono|c0=c0'}", channels)
    found = flags_of(None, path, ffmpeg, Small(tmp_path))
    assert found["loudness"] == (None if loudness is None else pytest.approx(loudness, abs=0.1))
    assert loudness is not None or (found["level"], found["sound_print"]) == (-120.0, "")


@pytest.mark.parametrize(("how", "every"), [("copy", False), ("exact", False), ("exact", True)])
def test_a_cut_is_the_same_with_small_outputs(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, how: Cut, every: bool
) -> None:
    made_of = replace(
        job(MEDIA, media_folder, ffmpeg, tmp_path, "1.5", "3", how),
        decode=True,
        encode_all=every,
    )
    kept = []
    for small in (None, Small(tmp_path)):
        mp4, sound = tmp_path / f"{small is None}.mp4", tmp_path / f"{small is None}.wav"
        expected = cut(replace(made_of, small=small), ffmpeg, tmp_path, mp4, sound)
        kept.append((expected, mp4.read_bytes(), sound.read_bytes()))
    assert kept[0] == kept[1]
    found = Small(tmp_path).flags(measure_sound(sound, ffmpeg), sound)
    (tmp_path / "again").mkdir()
    alone = flags_of(mp4, sound, ffmpeg, Small(tmp_path / "again"))
    # Encoding changes a little what a point is.
    assert found["brightness"] == pytest.approx(alone["brightness"], abs=0.01)
    assert {name: value for name, value in found.items() if name in _OF_SOUND} == {
        name: alone[name] for name in _OF_SOUND
    }


_OF_SOUND = ("level", "loudness", "clipped", "dual_mono", "sound_print")


def test_any_folder_can_be_written_to(ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "it's: [a] \\ folder, 100%; so"
    folder.mkdir()
    path = wav(media_folder, NOISE)
    assert flags_of(None, path, ffmpeg, Small(folder))["loudness"] is not None
    assert escaped(Path("/a b/c.d")) == "/a b/c.d"


def test_no_flag_costs_a_clip(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An ffmpeg may have been built without a filter."""
    tried: list[bool] = []
    small = Small(tmp_path)

    def run(too: bool) -> str:
        tried.append(too)
        if too:
            small.grey.write_bytes(b"half")
            raise Transient("media", "No such filter: 'ebur128'")
        return "done"

    with caplog.at_level(logging.WARNING):
        assert with_small(small, run) == "done"
    assert tried == [True, False] and "No such filter" in caplog.text
    assert small.flags(None) == {} and not small.grey.exists()


def test_what_is_wrong_with_the_media_is_said(tmp_path: Path) -> None:
    def broken(too: bool) -> str:
        raise Transient("media", "with" if too else "without")

    def killed(too: bool) -> str:
        assert too
        raise Killed("signal", "ended")

    with pytest.raises(Transient, match="^without$"):
        with_small(Small(tmp_path), broken)
    with pytest.raises(Killed):
        with_small(Small(tmp_path), killed)


def test_short_sounds_have_what_can_be_told(ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path) -> None:
    """Loudness is of 0.4 s at least, and a fingerprint of 0.8 s."""
    found = flags_of(None, wav(media_folder, f"{NOISE},atrim=end=0.2"), ffmpeg, Small(tmp_path))
    assert (found["loudness"], found["sound_print"]) == (None, "") and found["level"] > -60

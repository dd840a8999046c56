"""What a cut holds against what it should hold: listings, WAV headers, judgements."""

from __future__ import annotations

import json
import wave
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from avclips.core.errors import RunError, Transient
from avclips.core.settings import Cut, Identity, Settings
from avclips.datasets.vggsound import read_labels
from avclips.media.measure import Expected, Sound, Track, facts, judge, judge_alone, read_framecrc, read_wav
from avclips.pacing.pace import LONGEST_WAIT
from avclips.pacing.pace_file import read_pace
from avclips.pacing.pacer import make_pacer
from tests.support.fake_clock import FakeClock

LISTING = """\
#software: Lavf61.7.100
#tb 0: 1/12800
#media_type 0: video
#codec_id 0: h264
#dimensions 0: 640x360
#sar 0: 1/1
#tb 1: 1/44100
#media_type 1: audio
#codec_id 1: aac
#sample_rate 1: 44100
#channel_layout_name 1: stereo
0,      -1024,          0,      512,     4211, 0x2f1b3c4d, S=1,       36
1,      -1024,      -1024,     1024,      371, 0x5e6f7a8b
0,       -512,       1024,      512,      200, 0x00000001, F=0x0
0,          0,        512,      512,      150, 0x00000002, F=0x0
1,          0,          0,     1024,      371, 0x5e6f7a8b
"""


def ms(*times: float) -> list[float]:
    return [time / 1000 for time in times]


def picture(*times: float, each: float = 40, size: tuple[int, int] = (640, 360)) -> Track:
    """A picture track with one picture at each of these milliseconds."""
    ends = [(time + each) / 1000 for time in times]
    return Track("video", "h264", *size, times=ms(*times), ends=ends)


SOUND = Track("audio", "aac", sample_rate=44100, times=ms(0), ends=ms(10_000))


def test_read_framecrc() -> None:
    video, audio = read_framecrc(LISTING)
    assert video == Track(
        *("video", "h264", 640, 360, 0),
        times=[0.0, 1 / 25, 2 / 25],
        ends=[1 / 25, 3 / 25, 2 / 25],
    )
    assert audio == Track(
        *("audio", "aac", 0, 0, 44100, 2),
        times=[-1024 / 44100, 0.0],
        ends=[0.0, 1024 / 44100],
    )
    assert (video.end, audio.end, Track().end) == (3 / 25, 1024 / 44100, 0)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", []),
        ("#software: Lavf61\n", []),
        ("#tb 1: 1/2\n#media_type 1: audio\n#tb 0: 1/3\n#media_type 0: video\n", ["video", "audio"]),
    ],
)
def test_listings_without_packets(text: str, kinds: list[str]) -> None:
    tracks = read_framecrc(text)
    assert [track.kind for track in tracks] == kinds
    assert [track.times for track in tracks] == [[]] * len(kinds)


@pytest.mark.parametrize(
    "line",
    [
        "0,      -10",
        "0,      -1024,          0",
        "0,      -1024,          0,      5x2,     4211, 0x2f1b3c4d",
        "0,      -1024,       NOPTS,     512,     4211, 0x2f1b3c4d",
        "7,      -1024,          0,      512,     4211, 0x2f1b3c4d",
        "0",
        "0a,     -1024,          0,      512,     4211, 0x2f1b3c4d",
        "#tb 0: 1/0",
        "#tb 0: 1/",
        "#tb 0: one",
        "#dimensions 0: 640",
        "#dimensions 0: 640x",
        "#sample_rate 1: ",
        "\u00b2,      -1024,          0,      512,     4211, 0x2f1b3c4d",
    ],
)
def test_a_listing_that_broke_off(line: str) -> None:
    with pytest.raises(Transient, match="^ffmpeg's listing cannot be read: ") as caught:
        read_framecrc(LISTING + line)
    assert caught.value.reason == "media"


def test_a_listing_cut_anywhere_is_read_or_refused() -> None:
    for length in range(len(LISTING)):
        try:
            assert len(read_framecrc(LISTING[:length])) <= 2
        except Transient as error:
            assert error.reason == "media"


# WAV


def wav_bytes(folder: Path, samples: int = 100, channels: int = 2, width: int = 2) -> bytes:
    with wave.open(str(folder / "made.wav"), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(8000)
        file.writeframes(b"\1" * samples * channels * width)
    return (folder / "made.wav").read_bytes()


@pytest.mark.parametrize(("samples", "channels"), [(100, 2), (7, 1), (0, 1)])
def test_a_whole_wav(tmp_path: Path, samples: int, channels: int) -> None:
    wav_bytes(tmp_path, samples, channels)
    assert read_wav(tmp_path / "made.wav") == Sound(samples, 8000, channels)


@pytest.mark.parametrize(
    ("width", "cut", "message"),
    [
        (2, slice(0, -1), "x.wav does not hold its 100 samples of 16 bits"),
        (2, slice(0, -200), "x.wav does not hold its 100 samples of 16 bits"),
        (2, slice(0, 44), "x.wav does not hold its 100 samples of 16 bits"),
        (3, slice(None), "x.wav does not hold its 100 samples of 24 bits"),
        (1, slice(None), "x.wav does not hold its 100 samples of 8 bits"),
        (2, slice(0, 0), "x.wav is not a WAV file: "),
        (2, slice(0, 20), "x.wav is not a WAV file: "),
        (2, slice(0, 36), "x.wav is not a WAV file: "),
        (2, slice(8, None), "x.wav is not a WAV file: file does not start with RIFF id"),
    ],
)
def test_a_broken_wav(tmp_path: Path, width: int, cut: slice, message: str) -> None:
    (tmp_path / "x.wav").write_bytes(wav_bytes(tmp_path, width=width)[cut])
    with pytest.raises(Transient) as caught:
        read_wav(tmp_path / "x.wav")
    assert caught.value.reason == "check"
    assert caught.value.detail.startswith(message)


HEADER = bytes.fromhex("52494646b4010000 57415645 666d7420 10000000 01000100 401f0000 007d0000 02001000")


@pytest.mark.parametrize(
    "content",
    [
        # A fmt chunk that claims more than the file has, and one that swallows what follows.
        HEADER[:16] + b"\x10\0\0\x01" + HEADER[20:] + b"data\x90\1\0\0" + b"\1" * 400,
        HEADER[:16] + b"\xff\xff\xff\xff" + HEADER[20:] + b"data\x90\1\0\0" + b"\1" * 400,
        HEADER[:16] + b"\x0e\0\0\0" + HEADER[20:] + b"data\x90\1\0\0" + b"\1" * 400,
        HEADER[:16] + bytes(4) + HEADER[20:] + b"data\x90\1\0\0" + b"\1" * 400,
        # No channel, no data, a data chunk before the fmt chunk, one that is far too long.
        HEADER[:22] + bytes(2) + HEADER[24:] + b"data\x90\1\0\0" + b"\1" * 400,
        HEADER,
        HEADER[:12] + b"data\x90\1\0\0" + b"\1" * 400,
        HEADER + b"data\xff\xff\xff\x7f" + b"\1" * 400,
    ],
    ids=["long", "longest", "short", "empty", "no channel", "no data", "data first", "too much data"],
)
def test_a_wav_with_a_broken_chunk(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(Transient) as caught:
        read_wav(tmp_path / "x.wav")
    assert caught.value.reason == "check"


# Judgements: two pictures and 10 s of sound were to come


def due(*times: float, sound: float | None = 10_000, length: float | None = 10_000) -> Expected:
    return Expected(
        tuple(ms(*times)),
        None if sound is None else ms(sound)[0],
        None if length is None else ms(length)[0],
    )


RIGHT = Sound(441_000, 44100, 2)


@pytest.mark.parametrize(
    ("expected", "tracks", "wav", "complaint"),
    [
        (due(0, 40), [picture(0, 40), SOUND], RIGHT, None),
        (due(0, 40), [picture(0.9, 40.5), SOUND], RIGHT, None),
        (due(0, 40), [picture(0, 41.1), SOUND], RIGHT, "a picture 1.1 ms off its time"),
        (due(0, 40), [picture(-2, 40), SOUND], RIGHT, "a picture 2.0 ms off its time"),
        (due(0, 40), [picture(0), SOUND], RIGHT, "1 pictures instead of 2"),
        (due(0, 40), [picture(0, 40, 80), SOUND], RIGHT, "3 pictures instead of 2"),
        (due(0, 40), [SOUND], RIGHT, "no picture in the result"),
        (due(0, 40), [picture(), SOUND], RIGHT, "no picture in the result"),
        (due(0, 40), [picture(0, 40), picture(0, 40), SOUND], RIGHT, "no picture in the result"),
        (due(0, 40), [picture(0, 40)], RIGHT, "no sound in the result"),
        (due(0, 40), [picture(0, 40), Track("audio")], RIGHT, "no sound in the result"),
        (due(0, 40), [picture(0, 40), SOUND], None, "no sound in the result"),
        (due(0, 40), [picture(0, 40), SOUND], Sound(440_999, 44100, 2),
         "the sound has 440999 samples instead of 441000"),
        (due(0, 40), [picture(0, 40), SOUND], Sound(441_001, 44100, 2),
         "the sound has 441001 samples instead of 441000"),
        (due(0, 40), [picture(0, 40), SOUND], Sound(160_000, 16000, 1), None),
        (due(0, 40, sound=None), [picture(0, 40)], None, None),
        # The source ends within the clip: up to a packet of filling.
        (due(0, 40, sound=5000), [picture(0, 40), SOUND], Sound(222_548, 44100, 2), None),
        (due(0, 40, sound=5000), [picture(0, 40), SOUND], Sound(218_452, 44100, 2), None),
        (due(0, 40, sound=5000), [picture(0, 40), SOUND], Sound(222_549, 44100, 2),
         "the sound has 222549 samples instead of 220500"),
        (due(0, 40, sound=5000, length=None), [picture(0, 40), SOUND], Sound(220_600, 44100, 2), None),
    ],
)  # fmt: skip
def test_judge_an_exact_cut(
    expected: Expected, tracks: list[Track], wav: Sound | None, complaint: str | None
) -> None:
    assert judge(expected, tracks, wav, "exact") == complaint


TEN = [*range(0, 400, 40)]


@pytest.mark.parametrize(
    ("wanted", "track", "length", "complaint"),
    [
        (TEN, picture(*TEN), 400, None),
        (TEN, picture(*range(0, 440, 40)), 400, None),
        (TEN, picture(*range(0, 720, 40)), 400, None),
        (TEN, picture(*range(0, 760, 40)), 400, "19 pictures instead of 10, the end 0.360 s late"),
        (TEN, picture(*TEN[:-1]), 400, "9 pictures instead of 10, the end -0.040 s late"),
        (TEN, picture(*TEN[:-1], 610), 400, None),
        (TEN, picture(*TEN[:-1], 611), 400, "10 pictures instead of 10, the end 0.251 s late"),
        (TEN, picture(*TEN[:-1], 9000), None, None),
        # Of a slow video, the pictures of the reorder delay take seconds.
        ([0, 1000, 2000], picture(0, 1000, 2000, 3000, 4000, each=1000), 3000, None),
        ([0, 1000, 2000], picture(0, 1000, each=1000), 3000, "2 pictures instead of 3, the end -1.000 s late"),
    ],
)
def test_judge_a_copy(wanted: list[float], track: Track, length: float | None, complaint: str | None) -> None:
    expected = due(*wanted, sound=None, length=length)
    assert judge(expected, [track], None, "copy") == complaint


@pytest.mark.parametrize("cut", ["exact", "copy"])
def test_judge_looks_at_the_sound_of_either_cut(cut: Cut) -> None:
    said = judge(due(0, 40), [picture(0, 40), SOUND], Sound(9, 44100, 2), cut)
    assert said == "the sound has 9 samples instead of 441000"


ANY = Settings(Path())


@pytest.mark.parametrize(
    ("track", "wav", "settings", "complaint"),
    [
        (picture(0, 9960), RIGHT, ANY, None),
        (picture(0, 9960), None, ANY, None),
        (picture(0, 9710), RIGHT, ANY, None),
        (picture(0, 10_210), RIGHT, ANY, None),
        (picture(0, 9709), RIGHT, ANY, "its picture has 9.749 s instead of 10"),
        (picture(0, 14_960), RIGHT, ANY, "its picture has 15.000 s instead of 10"),
        (picture(), RIGHT, ANY, "it has no picture"),
        (SOUND, RIGHT, ANY, "it has no picture"),
        (picture(0, 9960, size=(360, 640)), RIGHT, ANY, None),
        (picture(0, 9960, size=(854, 480)), RIGHT, ANY, "its picture is 854x480"),
        (picture(0, 9960, size=(854, 480)), RIGHT, replace(ANY, quality=480), None),
        (picture(0, 9960), RIGHT, replace(ANY, audio_rate=44100, audio_channels=2), None),
        (picture(0, 9960), RIGHT, replace(ANY, audio_rate=16000), "its sound has 44100 samples a second"),
        (picture(0, 9960), RIGHT, replace(ANY, audio_channels=1), "its sound has 2 channels"),
        (picture(0, 9960), Sound(440_999, 44100, 2), ANY, "its sound has 440999 samples instead of 441000"),
    ],
)
def test_judge_alone(track: Track, wav: Sound | None, settings: Settings, complaint: str | None) -> None:
    assert judge_alone([track], wav, Fraction(10), settings) == complaint


def test_without_a_length_any_will_do() -> None:
    assert judge_alone([picture(0, 99_960)], Sound(1, 1, 1), None, ANY) is None


@pytest.mark.parametrize(
    ("track", "wav", "found"),
    [
        (picture(0, 40, 80), RIGHT, (0.12, 3, 640, 360, 25.0, 441_000, 44100, 2)),
        (picture(20, 60), None, (0.1, 2, 640, 360, 25.0, None, None, None)),
        (picture(0, each=0), None, (0.0, 1, 640, 360, None, None, None, None)),
    ],
)
def test_facts(track: Track, wav: Sound | None, found: tuple[object, ...]) -> None:
    names = ("duration", "pictures", "width", "height", "fps", "samples", "sample_rate", "channels")
    assert facts([SOUND, track], wav) == dict(zip(names, found, strict=True))


# What the fuzz found in other rooms


@pytest.mark.parametrize("start", ["6\x1f", "\u00b2", "\u0663", "6\u00a0", "+6", "1_0", "1234567", "", " "])
def test_a_start_that_python_would_take_for_a_number(tmp_path: Path, start: str) -> None:
    path = tmp_path / "vggsound.csv"
    path.write_text(f"06GyG4-wONQ,{start},sea waves,train\n", encoding="utf-8")
    with pytest.raises(RunError, match=f"^{path}, line 1: not 'YouTube id,start,label,split'$"):
        read_labels(path)


PACE = '{"version": 1, "tokens": 3.5, "at": 1e9, "speed": 1.0, "round": 3, "refused_at": 1e9, "probe_until": 0.0, '
FREE, BLOCK = '"block": null}', '"block": {"reason": "bot_check", "since": 1e9, "until": 2e9, "waits": 2}}'


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *((PACE + FREE, number) for number in ('"tokens": 3.5', '"at": 1e9', '"speed": 1.0', '"round": 3')),
        (PACE + FREE, '"probe_until": 0.0'),
        (PACE + BLOCK, '"waits": 2'),
    ],
)
@pytest.mark.parametrize("wrong", ["1e999", "-1e999", "NaN"])
def test_numbers_of_a_pace_that_are_none(text: str, number: str, wrong: str) -> None:
    assert read_pace(json.loads(text)).round == 3
    with pytest.raises((ValueError, OverflowError)):
        read_pace(json.loads(text.replace(number, f"{number.partition(':')[0]}: {wrong}")))


@pytest.mark.parametrize("wrong", ["1e999", "-1e999", "NaN"])
@pytest.mark.parametrize("number", ['"since": 1e9', '"until": 2e9'])
def test_a_block_of_no_time_holds_nobody_up_for_long(tmp_path: Path, number: str, wrong: str) -> None:
    clock = FakeClock()
    pacer = make_pacer(Identity(), None, 0, tmp_path, clock)
    pacer.wait()
    (path,) = tmp_path.glob("pace-*.json")
    text = (PACE + BLOCK).replace("e9", "e3").replace(number.replace("e9", "e3"), f"{number[:7]}: {wrong}")
    path.write_text(text)
    pacer.wait()
    assert sum(clock.sleeps) <= LONGEST_WAIT


def test_times_beyond_any_float() -> None:
    with pytest.raises(Transient):
        read_framecrc("#tb 0: 1/12800\n#media_type 0: video\n0, 0, " + "9" * 400 + ", 512, 100, 0xf8\n")

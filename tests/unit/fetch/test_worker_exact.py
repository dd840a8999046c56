"""Clips hold exactly their seconds: each is compared with a cut of the whole file, in samples and in pictures.

The Worker runs in this process, since only it takes starts that are no whole seconds. The references are made by
the same ffmpeg out of whole files, and looked at with PyAV and numpy.
"""

from __future__ import annotations

import subprocess
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from avclips.core.clock import Clock
from avclips.core.model import Clip, Video
from avclips.core.settings import Identity, Settings
from avclips.fetch.worker import Worker
from avclips.media.ffmpeg import Ffmpeg
from avclips.pacing.pacer import make_pacer
from avclips.sources.archives import Archives
from avclips.sources.youtube import YouTube
from avclips.state.store import Store
from tests.standin.fake_media import HLS, PROGRESSIVE, Media, ffmpeg, make
from tests.standin.fake_youtube import FakeVideo, FakeYouTube
from tests.support.sounds import is_in_step, samples, without_filling

Frames = np.ndarray[Any, Any]

ID = "exactvideo1"
LENGTH = 10.0
MINUTE = Media(duration=60.0)
# A copy may end this many pictures late: the decoder's reorder delay with two B-frames in a row.
REORDERED = 3


@dataclass(frozen=True)
class Source:
    """One way in which a video can be offered, and the seconds at which its clips start."""

    media: Media
    starts: tuple[float, ...] = (17.3, 54.5)
    itags: tuple[int | str, ...] = (134, 140, 18)

    def file(self, folder: Path, kind: str) -> Path:
        alone = {"picture": (134, 243), "sound": (140, 251)}[kind]
        if set(self.itags) & set(HLS):
            # HLS is these, packed otherwise.
            return make(self.media, alone[0], folder)
        return make(self.media, next((itag for itag in alone if itag in self.itags), PROGRESSIVE), folder)


# At 10.01, a fragment of sound has just begun: its first packet needs the one before, of another fragment.
SOURCES = {
    "25 fps": Source(Media(duration=330.0), (0.0, 10.01, 17.0, 299.9, 300.0, 302.3, 309.98, 323.45)),
    "29.97 fps, 48 kHz": Source(replace(MINUTE, fps=30000 / 1001, sample_rate=48000), (0.0, 17.0, 54.5)),
    "no index": Source(replace(MINUTE, variant="fragmented")),
    "plain mp4": Source(replace(MINUTE, variant="faststart")),
    "one file": Source(MINUTE, itags=(PROGRESSIVE,)),
    "webm": Source(replace(MINUTE, sample_rate=48000), itags=(243, 251)),
    "HLS, TS": Source(MINUTE, itags=("hls-ts",)),
    "HLS, fMP4": Source(MINUTE, itags=("hls-fmp4",)),
    "silent": Source(replace(MINUTE, audio=False), itags=(134,)),
    "10 fps": Source(Media(duration=14.0, fps=10), (0.0, 1.0, 3.25)),
}
# Other containers than mp4 and wav, from sources of which one start lies within a packet of sound.
SHORT = {"short": Source(Media(duration=14.0, fps=30000 / 1001, sample_rate=48000), (0.0, 3.25))}
OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("10 fps", {"video_format": "mkv", "audio_format": "flac"}),
    ("short", {"video_format": "mkv", "audio_format": "m4a"}),
]
PACKET = 1024


@dataclass
class Cut:
    """The clips of one source as the Worker made them, and where references go."""

    source: Source
    settings: Settings
    media: Path
    failures: list[Any] = field(default_factory=list)

    def video(self, start: float) -> Path:
        return self.settings.data_dir / "videos" / f"{name_of(start)}.{self.settings.video_format}"

    def audio(self, start: float) -> Path:
        return self.settings.data_dir / "audio" / f"{name_of(start)}.{self.settings.audio_format}"

    def whole(self, kind: str) -> Path:
        return self.source.file(self.media, kind)


def name_of(start: float) -> str:
    return f"from_{start}"


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Iterator[Callable[..., Cut]]:
    """Has the Worker cut all clips of a source, once for each kind of settings."""
    made: dict[Any, Cut] = {}

    def get(name: str, **shape: Any) -> Cut:
        key = (name, *sorted(shape.items()))
        if key not in made:
            source = (SOURCES | SHORT)[name]
            shape["allow_silent"] = not source.media.audio
            made[key] = work(source, tmp_path_factory.mktemp("cut"), media_folder, shape)
        return made[key]

    yield get


def work(source: Source, folder: Path, media: Path, shape: dict[str, Any]) -> Cut:
    clock = Clock(1.0)
    with FakeYouTube(media, {ID: FakeVideo(source.media, itags=source.itags)}) as youtube:
        settings = Settings(folder, rate_limit=None, sleep=0.0, **shape)
        store = Store(settings, "a test", clock)
        store.open()
        asking = Identity(youtube.proxy)
        pacer = make_pacer(asking, None, 0, None, clock)
        reader = YouTube(settings, clock, asking, asked_for={"nocheckcertificate": True})
        worker = Worker(settings, clock, pacer, reader, Ffmpeg(Path(ffmpeg()), clock), store, Archives((), folder))
        clips = tuple(Clip(name_of(start), ID, start, start + LENGTH) for start in source.starts)
        video = Video(ID, f"https://www.youtube.com/watch?v={ID}", clips)
        outcomes = list(worker.run(video, pacer.wait()))
        worker.close()
        store.close()
    assert [(outcome.clip.id, outcome.status, outcome.detail) for outcome in outcomes] == [
        (name_of(start), "done", "") for start in source.starts
    ]
    return Cut(source, settings, media)


def run_ffmpeg(*arguments: object) -> None:
    subprocess.run([ffmpeg(), "-v", "error", "-y", "-nostdin", *map(str, arguments)], check=True)


def reference_wavs(cut: Cut, folder: Path, *shape: object) -> list[Path]:
    """What ffmpeg cuts out of the whole sound, decoding it from its beginning once for all clips."""
    paths = [folder / f"{name_of(start)}.wav" for start in cut.source.starts]
    # Matroska counts milliseconds, and older ffmpeg from before the first sample that is heard.
    numbered = ["-filter:a", "asetpts=N/SR/TB"] if cut.whole("sound").suffix == ".webm" else []
    outputs: list[object] = []
    for start, path in zip(cut.source.starts, paths, strict=True):
        outputs += ["-map", "0:a", *numbered, "-ss", start, "-t", LENGTH, *shape, path]
    run_ffmpeg("-i", cut.whole("sound"), *outputs)
    return paths


def pictures(path: Path) -> Iterator[tuple[Fraction, Frames]]:
    """The pictures that a reader on libav sees, each with its time."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.pts * frame.time_base, frame.to_ndarray()


def times(path: Path) -> list[Fraction]:
    """When each picture is shown, without decoding any."""
    with av.open(str(path)) as container:
        return sorted(p.pts * p.time_base for p in container.demux(video=0) if p.pts is not None and p.size)


def pictures_at(path: Path, wanted: Sequence[Fraction]) -> dict[Fraction, Frames]:
    """The pictures of a file that are shown at these times."""
    found = {}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        # A second before: libav seeks by the times of decoding, which are earlier.
        container.seek(int((min(wanted) - 1) / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            time = frame.pts * frame.time_base
            if time in wanted:
                found[time] = frame.to_ndarray()
            if time > max(wanted):
                break
    return found


def is_its_own(picture: Frames, number: int, source: Path, of_source: Sequence[Fraction]) -> bool:
    """Whether a picture is number so-and-so of the source, and clearly not one of its neighbours."""
    numbers = [n for n in (number - 1, number, number + 1) if 0 <= n < len(of_source)]
    there = pictures_at(source, [of_source[n] for n in numbers])
    away = {n: float(np.abs(picture.astype(int) - there[of_source[n]]).mean()) for n in numbers}
    own = away.pop(number)
    return own < 3.0 and len(away) > 0 and own * 1.5 < min(away.values())


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if source.media.audio])
def test_the_sound_is_the_whole_files_to_the_sample(cut: Callable[..., Cut], name: str, tmp_path: Path) -> None:
    made = cut(name)
    for start, path in zip(made.source.starts, reference_wavs(made, tmp_path), strict=True):
        due, got = samples(path), samples(made.audio(start))
        rate = made.source.media.sample_rate
        if start + LENGTH > made.source.media.duration:
            due = without_filling(due, got)
        else:
            assert len(due) == 10 * rate
        assert got.shape == due.shape and np.array_equal(got, due), f"at {start}"


@pytest.mark.parametrize(("name", "shape"), [*((name, {}) for name in SOURCES), *OTHERS])
def test_an_exact_cut_has_the_pictures_of_its_seconds(
    cut: Callable[..., Cut], name: str, shape: dict[str, Any]
) -> None:
    made = cut(name, **shape)
    source = made.whole("picture")
    of_source = times(source)
    for start in made.source.starts:
        begin = Fraction(str(start)) + of_source[0]
        first, behind = bisect_left(of_source, begin), bisect_left(of_source, begin + 10)
        due = [time - begin for time in of_source[first:behind]]
        got = list(pictures(made.video(start)))
        assert len(got) == len(due), f"at {start}"
        worst = max(abs(time - due_at) for (time, _), due_at in zip(got, due, strict=True))
        assert worst <= Fraction(1, 1000), f"at {start}: {float(worst)} s"
        assert is_its_own(got[0][1], first, source, of_source), f"at {start}"
        assert is_its_own(got[-1][1], behind - 1, source, of_source), f"at {start}"


@pytest.mark.parametrize("name", SOURCES)
def test_a_copy_has_the_pictures_of_a_copied_cut(cut: Callable[..., Cut], name: str, tmp_path: Path) -> None:
    made = cut(name, cut="copy")
    for start in made.source.starts:
        reference = tmp_path / f"{start}.mp4"
        run_ffmpeg("-ss", start, "-i", made.whole("picture"), "-t", LENGTH, "-map", "0:v", "-c", "copy", reference)
        same, extra = 0, 0
        for got, due in zip_longest(pictures(made.video(start)), pictures(reference)):
            if got is None or due is None:
                extra += 1
            else:
                assert np.array_equal(got[1], due[1]), f"at {start}: picture {same} differs"
                same += 1
        seconds = Fraction(str(min(LENGTH, made.source.media.duration - start)))
        assert same >= int(seconds * Fraction(made.source.media.fps)) and extra <= REORDERED, f"at {start}"


def test_the_sound_of_a_copy_is_the_same(cut: Callable[..., Cut]) -> None:
    exact, copied = cut("no index"), cut("no index", cut="copy")
    for start in exact.source.starts:
        assert exact.audio(start).read_bytes() == copied.audio(start).read_bytes()


def test_flac_is_the_whole_files_to_the_sample(cut: Callable[..., Cut], tmp_path: Path) -> None:
    made = cut(OTHERS[0][0], **OTHERS[0][1])
    for start, path in zip(made.source.starts, reference_wavs(made, tmp_path), strict=True):
        with av.open(str(made.audio(start))) as container:
            stream = container.streams.audio[0]
            assert (stream.codec_context.name, stream.sample_rate) == ("flac", made.source.media.sample_rate)
            got = np.concatenate([frame.to_ndarray().reshape(-1, 2) for frame in container.decode(stream)])
        due = samples(path)
        assert got.dtype == np.int16 and len(due) == 10 * made.source.media.sample_rate
        assert got.shape == due.shape and np.array_equal(got, due), f"at {start}"


def test_m4a_has_the_sources_packets_and_begins_at_the_clip(cut: Callable[..., Cut], tmp_path: Path) -> None:
    made = cut(OTHERS[1][0], **OTHERS[1][1])
    rate = made.source.media.sample_rate
    of_source = sound_packets(made.whole("sound"))
    for start, path in zip(made.source.starts, reference_wavs(made, tmp_path), strict=True):
        got = sound_packets(made.audio(start))
        assert likewise(got, of_source, Fraction(str(start)), rate, most_hidden=2), f"at {start}"
        decoded = tmp_path / "decoded.wav"
        run_ffmpeg("-i", made.audio(start), decoded)
        got, due = samples(decoded), samples(path)
        assert len(due) == 10 * rate and abs(len(got) - len(due)) <= PACKET, f"at {start}"
        # Not to the sample: the noise that AAC fills in is another one after another first packet.
        assert is_in_step(got[:, 0].astype(float), due[:, 0].astype(float)), f"at {start}"


@pytest.mark.parametrize(("name", "shape"), OTHERS)
def test_the_sound_beside_the_pictures_is_the_sources(
    cut: Callable[..., Cut], name: str, shape: dict[str, Any]
) -> None:
    """In Matroska, which has no edit list, too."""
    made = cut(name, **shape)
    of_source = sound_packets(made.whole("sound"))
    for start in made.source.starts:
        with av.open(str(made.video(start))) as container:
            assert container.format.name == "matroska,webm"
        got = sound_packets(made.video(start))
        rate = made.source.media.sample_rate
        assert likewise(got, of_source, Fraction(str(start)), rate, Fraction(1, 1000), most_hidden=2)
        with av.open(str(made.video(start))) as container:
            heard = next(container.decode(audio=0))
        # A reader passes over the first packet; from the start on, nothing is lost by that.
        assert heard.time is not None and heard.time <= 0.001


def sound_packets(path: Path) -> list[tuple[Fraction, bytes]]:
    """The packets of a file's sound: when each begins, and its bytes."""
    with av.open(str(path)) as container:
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(audio=0) if p.pts is not None and p.size]


def likewise(
    got: Sequence[tuple[Fraction, bytes]],
    of_source: Sequence[tuple[Fraction, bytes]],
    start: Fraction,
    rate: int,
    rounding: Fraction = Fraction(0),
    most_hidden: int = 1,
) -> bool:
    """Whether these are the source's packets of ten seconds, and each at its time less the start."""
    lasts, slack = Fraction(PACKET, rate), Fraction(1, rate) + rounding
    first = next(number for number, (_, held) in enumerate(of_source) if held == got[0][1])
    due = of_source[first : first + len(got)]
    return (
        [held for _, held in got] == [held for _, held in due]
        and all(abs(time - (at - start)) <= slack for (time, _), (at, _) in zip(got, due, strict=True))
        and -lasts * most_hidden - slack < got[0][0] <= slack
        and abs(got[-1][0] + lasts - 10) <= lasts + slack
    )


def test_another_rate_and_one_channel(cut: Callable[..., Cut], tmp_path: Path) -> None:
    made = cut("29.97 fps, 48 kHz", cut="copy", audio_rate=16000, audio_channels=1)
    for start, path in zip(
        made.source.starts, reference_wavs(made, tmp_path, "-ar", 16000, "-ac", 1), strict=True
    ):
        got, due = (samples(each)[:, 0].astype(float) for each in (made.audio(start), path))
        assert len(got) == 160_000 or start + LENGTH > made.source.media.duration
        assert is_in_step(got, due), f"at {start}"

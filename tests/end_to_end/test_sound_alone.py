"""--media audio: the clip's sound is the source's, to the packet or to the sample, and no picture is asked for.

The Worker runs in this process, against a stand-in for YouTube; what it leaves is compared with the whole stream,
read with PyAV.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from avclips.core.clock import Clock
from avclips.core.model import Clip, Outcome, Video
from avclips.core.settings import Identity, Settings
from avclips.fetch.existing import Local
from avclips.fetch.worker import Worker
from avclips.media.cut_plan import BEFORE, USUALLY_BEFORE
from avclips.media.ffmpeg import Ffmpeg
from avclips.pacing.pacer import make_pacer
from avclips.progress.forecast import clip_bytes, expectation
from avclips.sources.archives import Archives
from avclips.sources.format_choice import choose
from avclips.sources.youtube import YouTube
from avclips.state.store import Store
from tests.matrix.media import HE_AAC, PACKETS, RATES
from tests.standin.fake_media import PROGRESSIVE, Media, ffmpeg, make
from tests.standin.fake_youtube import FakeVideo, FakeYouTube, Request
from tests.support.script import QUICK, digest, stage
from tests.unit.fetch.test_worker_exact import PACKET, is_in_step, samples, sound_packets

ID = "soundalone1"
LENGTH = Fraction(10)
MINUTE = Media(duration=60.0)
# At 10.01, a fragment of sound has just begun; the last reaches beyond the video's end.
STARTS = (0.0, 10.01, 17.0, 49.9, 54.5)

Array = np.ndarray[Any, Any]


@dataclass
class Heard:
    """What the Worker made of the clips of one video, and what was asked for meanwhile."""

    settings: Settings
    outcomes: list[Outcome]
    media: list[Request]
    source: Path

    def file(self, start: float) -> Path:
        return self.settings.data_dir / "audio" / f"from_{start}.{self.settings.audio_format}"

    @property
    def files(self) -> set[Path]:
        return {path for path in self.settings.data_dir.glob("[av]*/**/*") if path.is_file()}

    @property
    def itags(self) -> set[int | None]:
        return {request.itag for request in self.media}


def hear(
    video: FakeVideo, source: int, starts: tuple[float, ...], folder: Path, media: Path, **shape: Any
) -> Heard:
    """Have the Worker fetch ten seconds from each start. ``source``: the itag to compare with."""
    clock = Clock(1.0)
    with FakeYouTube(media, {ID: video}) as youtube:
        settings = Settings(folder, rate_limit=None, sleep=0.0, media="audio", **shape)
        store = Store(settings, "a test", clock)
        store.open()
        asking = Identity(youtube.proxy)
        pacer = make_pacer(asking, None, 0, None, clock)
        reader = YouTube(settings, clock, asking, asked_for={"nocheckcertificate": True})
        worker = Worker(settings, clock, pacer, reader, Ffmpeg(Path(ffmpeg()), clock), store, Archives((), folder))
        clips = tuple(Clip(f"from_{start}", ID, start, start + float(LENGTH)) for start in starts)
        outcomes = list(worker.run(Video(ID, f"https://www.youtube.com/watch?v={ID}", clips), pacer.wait()))
        worker.close()
        store.close()
        asked = youtube.requests("media")
    return Heard(settings, outcomes, asked, make(video.media, source, media) if source else Path())


def fetched(*arguments: Any, **shape: Any) -> Heard:
    heard = hear(*arguments, **shape)
    assert [(each.status, each.detail) for each in heard.outcomes] == [("done", "")] * len(heard.outcomes)
    assert heard.files == {heard.file(each.clip.start) for each in heard.outcomes}
    for each in heard.outcomes:
        facts, file = each.facts, heard.file(each.clip.start)
        assert (facts["video"], facts["sha256"]) == (None, None) and not {"pictures", "width", "fps"} & set(facts)
        assert (facts["audio_sha256"], facts["bytes"]) == (digest(file), file.stat().st_size)
        assert facts["audio"] == f"audio/{file.name}" and facts["settings"]["media"] == "audio"
    return heard


def decoded(path: Path) -> tuple[float, Array]:
    """When the sound that a reader on libav hears begins, and its samples, a row a channel."""
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["audio"]
        frames = list(container.decode(audio=0))
    first = frames[0].time
    assert first is not None
    return first, np.concatenate([frame.to_ndarray() for frame in frames], axis=1)


def decoded_from(source: Path, first: int, count: int) -> Array:
    """The samples of some packets of the source, the first one being the decoder's first as well."""
    with av.open(str(source)) as container:
        stream = container.streams.audio[0]
        packets = [packet for packet in container.demux(stream) if packet.size][first : first + count]
        frames = [frame for packet in packets for frame in stream.codec_context.decode(packet)]
        frames += stream.codec_context.decode(None)
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1)


def whole(source: Path) -> Array:
    """All samples of a file's sound as ffmpeg makes 16 bits of them, a row each."""
    command = [ffmpeg(), "-v", "error", "-nostdin", "-i", str(source), "-map", "0:a:0", "-f", "s16le", "-"]
    found = np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, "<i2")
    return found.reshape(-1, 2)


def assert_packets(
    heard: Heard, start: float, packet: Fraction, slack: Fraction, lead: Fraction
) -> tuple[int, int]:
    """The file holds the source's packets of its ten seconds, each at its time; number of the first, and count.

    ``packet``: the seconds of one; ``slack``: by which a time may be rounded; ``lead``: the most before the start.
    """
    of_source, got = sound_packets(heard.source), sound_packets(heard.file(start))
    since = Fraction(str(start))
    first = next(number for number, (_, held) in enumerate(of_source) if held == got[0][1])
    due = of_source[first : first + len(got)]
    assert [held for _, held in got] == [held for _, held in due], f"at {start}"
    off = [time - (at - since) for (time, _), (at, _) in zip(got, due, strict=True)]
    assert max(map(abs, off)) <= slack, f"at {start}: {float(max(off))} s"
    assert -lead <= got[0][0] <= slack, f"at {start}: from {float(got[0][0])} s"
    until = min(LENGTH, of_source[-1][0] + packet - since)
    assert abs(got[-1][0] + packet - until) <= packet + slack, f"at {start}: until {float(got[-1][0])} s"
    return first, len(got)


# -- which format --------------------------------------------------------------------------------------------


def sound(name: str, codec: str | None = "mp4a.40.2", **more: Any) -> dict[str, Any]:
    return {"format_id": name, "vcodec": "none", "acodec": codec, "protocol": "https"} | more


def film(name: str, height: int, codec: str | None = "mp4a.40.2", **more: Any) -> dict[str, Any]:
    size = {"width": height * 16 // 9, "height": height}
    return {"format_id": name, "vcodec": "avc1.4d401e", "acodec": codec, "protocol": "https"} | size | more


PICTURE = film("134", 360, "none")
HLS_SOUND = {"format_id": "234", "vcodec": "none", "acodec": None, "protocol": "m3u8_native"}


@pytest.mark.parametrize(
    ("formats", "chosen"),
    [
        ([PICTURE, sound("140")], "140"),
        ([PICTURE, sound("139"), sound("140")], "140"),
        ([PICTURE, sound("140"), sound("251", "opus")], "140"),
        ([PICTURE, sound("251", "opus"), film("18", 360)], "251"),
        # The original, and not its levelled variant.
        ([sound("140-1", language_preference=10), sound("140-0", language_preference=-1)], "140-1"),
        ([sound("140"), sound("140-drc", format_note="medium, DRC")], "140"),
        # One that cannot be had is none.
        ([sound("140", has_drm=True), sound("251", "opus")], "251"),
        ([sound("140", protocol="rtmp"), film("18", 360)], "18"),
        # In pieces, rather than with pictures.
        ([HLS_SOUND, film("18", 360)], "234"),
        ([film("93", 360, protocol="m3u8_native"), film("18", 360)], "18"),
        # With the fewest pictures, of any size.
        ([film("18", 360), film("22", 720)], "18"),
        ([film("22", 720), film("37", 1080)], "22"),
        ([film("a", 240, language_preference=-1), film("b", 720, language_preference=10)], "b"),
        # Other sites name less.
        ([sound("mp3", "mp3")], "mp3"),
        ([sound("nameless", None)], "nameless"),
        ([{"format_id": "0", "protocol": "https", "vcodec": None, "acodec": None}], "0"),
        # Of a silent video, whatever there is says so.
        ([PICTURE], "134"),
        ([sound("140", has_drm=True)], None),
        ([], None),
    ],
)
def test_which_format_has_the_sound(formats: list[dict[str, Any]], chosen: str | None) -> None:
    found = choose(formats, 360, media="audio")
    assert [each["format_id"] for each in found] == ([] if chosen is None else [chosen])
    assert all("requested_formats" not in each for each in found)


# -- m4a -----------------------------------------------------------------------------------------------------

AAC = Fraction(PACKET, 44100)
TICK = Fraction(1, 44100)


@pytest.fixture(scope="module")
def adaptive(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Heard:
    folder = tmp_path_factory.mktemp("adaptive")
    return fetched(FakeVideo(MINUTE), 140, STARTS, folder, media_folder, audio_format="m4a")


@pytest.mark.parametrize("start", STARTS)
def test_m4a_has_the_sources_own_packets(adaptive: Heard, start: float) -> None:
    first, count = assert_packets(adaptive, start, AAC, TICK, 2 * AAC)
    begins, got = decoded(adaptive.file(start))
    of_source = sound_packets(adaptive.source)
    # What lies before the clip is hidden by an edit list, exact to the sample.
    hidden = max(0, round((Fraction(str(start)) - of_source[first][0]) * 44100))
    due = decoded_from(adaptive.source, first, count)[:, hidden:]
    assert abs(begins) <= TICK
    assert got.shape[1] <= due.shape[1] and due.shape[1] - got.shape[1] <= PACKET
    assert np.array_equal(got, due[:, : got.shape[1]])
    # And it is what is heard there in the whole video; AAC's own noise depends on where the decoder began.
    there = whole(adaptive.source)[round(Fraction(str(start)) * 44100) :][: got.shape[1]]
    assert is_in_step(got[0], there[:, 0].astype(float))


def test_m4a_asks_for_the_sound_alone(adaptive: Heard) -> None:
    assert adaptive.itags == {140}
    # One head for all clips, and of the rest nothing twice.
    heads, bodies = ([r for r in adaptive.media if (r.first == 0) == head] for head in (True, False))
    assert len(heads) == 1
    spans = sorted((request.first or 0, request.last or 0) for request in bodies)
    assert all(last < first for (_, last), (first, _) in itertools.pairwise(spans))
    lasting = [each.facts["duration"] for each in adaptive.outcomes]
    assert lasting[:4] == pytest.approx([10.0] * 4, abs=float(2 * AAC))
    assert lasting[4] == pytest.approx(5.5, abs=float(2 * AAC))


@dataclass(frozen=True)
class Offer:
    """A way in which a video's sound can be offered; what may be asked for, and what it is compared with."""

    itags: tuple[int | str, ...]
    asked: set[int]
    source: int = 140
    packet: Fraction = AAC
    slack: Fraction = TICK
    # The most that lies before the start: AAC's first packet is there for the decoder.
    lead: Fraction = 2 * AAC
    media: Media = MINUTE


OFFERS = {
    # Beside pictures, ffmpeg seeks to one of theirs; what lies between is hidden.
    "one file": Offer((PROGRESSIVE,), {PROGRESSIVE}, lead=Fraction(5)),
    # Each begins a cluster of ten seconds; Matroska counts milliseconds.
    "opus": Offer((243, 251), {251}, 251, Fraction(1, 50), Fraction(2, 1000), Fraction(1, 10)),
    "opus beside H.264": Offer((134, 251), {251}, 251, Fraction(1, 50), Fraction(2, 1000), Fraction(1, 10)),
    "HLS, TS": Offer(("hls-ts",), {93}, slack=Fraction(1, 1000), lead=Fraction(5)),
    "HLS, fMP4": Offer(("hls-fmp4",), {234}, slack=Fraction(1, 1000)),
    "no index": Offer((134, 140), {140}, media=replace(MINUTE, variant="fragmented")),
}


@pytest.mark.parametrize("name", OFFERS)
def test_m4a_from_wherever_the_sound_is(tmp_path: Path, media_folder: Path, name: str) -> None:
    offer = OFFERS[name]
    starts = (0.0, 17.3, 54.5)
    video = FakeVideo(offer.media, itags=offer.itags)
    heard = fetched(video, offer.source, starts, tmp_path, media_folder, audio_format="m4a")
    assert heard.itags == offer.asked
    for start in starts:
        assert_packets(heard, start, offer.packet, offer.slack, offer.lead)
        begins, got = decoded(heard.file(start))
        rate = 48000 if offer.source == 251 else 44100
        assert abs(begins) <= offer.slack
        there = whole(heard.source)[round(Fraction(str(start)) * rate) :][: got.shape[1]]
        assert is_near(got[0], there[:, 0].astype(float), offer.slack * rate)


def is_near(got: Array, due: Array, slack: Fraction) -> bool:
    """Whether two sounds are alike, and most so when moved by no more than the rounding of their times."""
    most = int(slack) + 1
    likeness = {lag: alike(got, due, lag) for lag in range(-most - 20, most + 21)}
    best = max(likeness, key=lambda lag: likeness[lag])
    return abs(best) <= most and likeness[best] > 0.9


def alike(got: Array, due: Array, lag: int) -> float:
    # A second is enough, from the first half one on: Opus needs a little to swing in.
    return float(np.corrcoef(got[22_050:66_150], due[22_050 + lag : 66_150 + lag])[0, 1])


# -- wav and flac --------------------------------------------------------------------------------------------


def test_wav_and_flac_are_the_whole_files_to_the_sample(tmp_path: Path, media_folder: Path) -> None:
    starts = (10.01, 54.5)
    wav, flac = (
        fetched(FakeVideo(MINUTE), 140, starts, tmp_path / form, media_folder, audio_format=form)
        for form in ("wav", "flac")
    )
    every = whole(wav.source)
    for start in starts:
        due = every[round(start * 44100) :][: 10 * 44100]
        assert np.array_equal(samples(wav.file(start)), due), f"at {start}"
        assert np.array_equal(whole(flac.file(start)), due), f"at {start}"
    assert wav.itags == flac.itags == {140}


def test_another_rate_has_exactly_its_samples(tmp_path: Path, media_folder: Path) -> None:
    shape = {"audio_rate": 16000, "audio_channels": 1}
    starts = (0.0, 10.01, 17.0)
    alone = fetched(FakeVideo(MINUTE), 140, starts, tmp_path, media_folder, **shape)
    for start in starts:
        assert samples(alone.file(start)).shape == (160_000, 1)
    assert {each.facts["samples"] for each in alone.outcomes} == {160_000}


# -- no sound ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("itags", [(134,), (243,), ("hls-ts",), (134, "hls-fmp4")], ids=str)
def test_a_silent_video(tmp_path: Path, media_folder: Path, itags: tuple[int | str, ...]) -> None:
    silent = FakeVideo(replace(QUICK, audio=False), itags=itags)
    heard = hear(silent, 0, (0.0, 3.0), tmp_path, media_folder, audio_format="m4a")
    assert [(each.status, each.reason, each.permanent) for each in heard.outcomes] == [
        ("failed", "no_audio", True)
    ] * 2
    assert (heard.files, heard.media) == (set(), [])


def test_a_clip_behind_the_end(tmp_path: Path, media_folder: Path) -> None:
    heard = hear(FakeVideo(QUICK), 0, (14.5, 99.0), tmp_path, media_folder, audio_format="m4a")
    assert [(each.status, each.reason) for each in heard.outcomes] == [("failed", "over")] * 2
    assert heard.files == set()


# -- what a user has already ---------------------------------------------------------------------------------

TEN = Clip("localvideo1", "localvideo1", 3.0, 13.0)
Take = Callable[..., Path]


@pytest.fixture
def take(tmp_path: Path) -> Iterator[Take]:
    """The sound that is published of a file under the clip's name in a folder of the user's."""
    stores: list[Store] = []

    def get(file: Path, clip: Clip = TEN, **shape: Any) -> Path:
        base = tmp_path / str(len(stores))
        (base / "mine").mkdir(parents=True)
        shutil.copy(file, base / "mine" / f"{clip.id}.mp4")
        settings, clock = Settings(base / "data", **shape), Clock(1.0)
        stores.append(Store(settings, "a test", clock))
        stores[-1].open()
        archives = Archives({clip.id}, stores[-1].spill)
        archives.add(base / "mine")
        outcome = Local(settings, Ffmpeg(Path(ffmpeg()), clock), stores[-1], archives).take(clip)
        assert outcome is not None, archives.refusal(clip.id)
        assert (outcome.status, outcome.facts["archive"]) == ("done", f"{base / 'mine'}:{clip.id}.mp4")
        if settings.media == "audio":
            assert outcome.facts["video"] is None and not list((base / "data").glob("videos/*"))
        return stores[-1].files.paths(clip.id)[1]

    yield get
    for store in stores:
        store.close()


@pytest.fixture(scope="module")
def ten_seconds(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Callable[[str], Path]:
    """A clip that somebody cut, its sound by so much later than its picture."""
    both, folder = make(QUICK, PROGRESSIVE, media_folder), tmp_path_factory.mktemp("clips")

    def cut(late: str) -> Path:
        path = folder / f"{late}.mp4"
        inputs = ["-i", both, *(["-itsoffset", late] if late != "0" else []), "-i", both]
        maps = ["-map", "0:v", "-map", "1:a", "-t", "10", "-c", "copy"]
        subprocess.run([ffmpeg(), "-v", "error", "-y", "-nostdin", *inputs, *maps, path], check=True)
        return path

    return cut


def test_the_sound_of_a_file_in_an_archive(take: Take, ten_seconds: Callable[[str], Path]) -> None:
    file = ten_seconds("0")
    got = sound_packets(take(file, media="audio", audio_format="m4a"))
    due = sound_packets(file)
    assert got == due[: len(got)] and len(due) - len(got) <= 1
    assert take(file, media="audio").read_bytes() == take(file).read_bytes()


def test_the_sound_of_a_whole_video_in_an_archive(take: Take, ten_seconds: Callable[[str], Path]) -> None:
    file, clip = ten_seconds("0"), TEN._replace(start=0.0, end=None)
    got = sound_packets(take(file, clip, media="audio", audio_format="m4a"))
    assert [held for _, held in got] == [held for _, held in sound_packets(file)]
    assert take(file, clip, media="audio").read_bytes() == take(file, clip).read_bytes()


def test_a_sound_that_begins_after_its_picture_keeps_its_time(
    take: Take, ten_seconds: Callable[[str], Path]
) -> None:
    """Seconds of the clip, not of its sound: the same with pictures and without."""
    file = ten_seconds("0.5")
    alone, beside = samples(take(file, media="audio")), samples(take(file))
    assert not beside[:22_000].any() and beside[22_100:30_000].any()
    assert alone.shape == beside.shape and np.array_equal(alone, beside)


def test_a_run_for_the_sound_alone_takes_archives_first(
    tmp_path: Path, media_folder: Path, ten_seconds: Callable[[str], Path]
) -> None:
    mine, asked = "soundmine01_000003", "soundasked1_000002"
    with stage(tmp_path, media_folder, {mine: FakeVideo(QUICK), asked: FakeVideo(QUICK)}) as run:
        (tmp_path / "mine").mkdir()
        shutil.copy(ten_seconds("0"), tmp_path / "mine" / f"{mine}.mp4")
        ended = run.run("--media", "audio", "--archives", tmp_path / "mine")
        assert ended.code == 0 and "2 of 2 clips are done" in ended.out, ended.said
        assert run.asked_videos() == {asked[:11]}
        assert {request.itag for request in run.youtube.requests("media")} == {140}
        assert {path.name for path in (run.data / "audio").iterdir()} == {f"{mine}.wav", f"{asked}.wav"}
        assert not (run.data / "videos").exists()
        assert len(samples(run.wav(mine))) == len(samples(run.wav(asked))) == 441_000
        ended = run.run("--media", "audio", "--allow-silent")
        assert ended.code == 2 and "--allow-silent goes with pictures" in ended.err, ended.said
        # With pictures, it would be another folder; what they would look like is nobody's concern.
        ended = run.run()
        assert ended.code == 2 and "was made with --media audio" in ended.err, ended.said
        ended = run.run("--media", "audio", "--cut", "copy", "--quality", "720", "--verify")
        assert ended.code == 0 and "2 clips are right, 0 are bad." in ended.out, ended.said


# -- what it takes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "least", "most"),
    [
        ({"audio_format": "m4a"}, 100_000, 500_000),
        ({"audio_format": "wav"}, 1_764_000, 2_000_000),
        ({"audio_format": "wav", "audio_rate": 16000, "audio_channels": 1}, 320_000, 400_000),
    ],
)
def test_room_for_the_sound_alone(tmp_path: Path, shape: dict[str, Any], least: int, most: int) -> None:
    """No run is refused for want of room for pictures that nobody asked for."""
    assert least <= clip_bytes(Settings(tmp_path, media="audio", **shape), 10.0) <= most


def test_it_takes_less_time_than_with_pictures(tmp_path: Path) -> None:
    def said(media: Any) -> str:
        return expectation(100_000, 100_000, [], 1, Settings(tmp_path, media=media, sleep=0.0))

    assert said("both") == "100000 clips of 100000 videos: at least 22.6 days, by --rate-limit."
    # A stretch of sound that holds ten seconds has about a third of a megabyte.
    assert said("audio") != said("both")


def test_he_aac_has_its_upper_half_where_a_clip_begins() -> None:
    """It comes with a header, in one packet of ten; from whichever a decoder begins, what is read has it."""
    with av.open(str(HE_AAC)) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0)][:80]
        extra = container.streams.audio[0].codec_context.extradata
    whole = upper_half(packets, extra)
    # The packets that a decoder gives without it, by the one that it begins with.
    waits = []
    for first in range(40, 60):
        pairs = zip(upper_half(packets[first:], extra), whole[first:], strict=True)
        waits.append(next(at for at, (got, due) in enumerate(pairs) if got > due * 0.3))
    assert (min(waits), max(waits)) == (0, 9)
    packet = Fraction(PACKETS["he-aac"], RATES["aac"])
    # Two more, until it is as it would have been.
    enough = packet * (max(waits) + 2)
    assert enough <= min(BEFORE["mp4a.40.5"], BEFORE["mp4a.40.29"], USUALLY_BEFORE)


def upper_half(packets: list[bytes], extra: bytes | None) -> list[float]:
    """How loud each packet decodes to be, at 13 to 16 kHz."""
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = extra
    frames = [frame.to_ndarray()[0] for packet in packets for frame in decoder.decode(av.Packet(packet))]
    return [
        float(np.abs(np.fft.rfft(frame))[len(frame) * 3 // 10 : len(frame) * 36 // 100].mean()) for frame in frames
    ]

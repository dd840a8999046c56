"""Clips from files that a user has: measured, cut where they are the clip, and left alone where they are not.

The files are small and real, and so is the ffmpeg. A stand-in for YouTube tells who was asked for what.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from avclips.core.clock import Clock
from avclips.core.errors import Transient
from avclips.core.model import Clip, Outcome
from avclips.core.settings import Settings
from avclips.fetch import publish
from avclips.fetch.existing import Local
from avclips.media.ffmpeg import Ffmpeg
from avclips.media.inspect import measure_sound
from avclips.media.measure import Sound
from avclips.media.small import Small
from avclips.sources.archives import Archives
from avclips.state.store import Store
from tests.standin.fake_media import PROGRESSIVE, Media, ffmpeg, make
from tests.standin.fake_youtube import FakeVideo
from tests.support.made_archives import KINDS
from tests.support.script import QUICK, digest, results, seconds_of, stage
from tests.support.sounds import without_filling
from tests.unit.fetch.test_worker_exact import is_its_own, pictures, samples, times
from tests.unit.media.test_still import NEAR, apart, grey, shown_at

ID = "localvideo1_000003"
TEN = Clip(ID, "localvideo1", 3.0, 13.0)
WHOLE = Clip(ID, "localvideo1", 0.0, None)
# Without pictures that are decoded in another order than shown, a copy can be cut anywhere.
SIMPLE = replace(QUICK, bframes=0)
LARGE = Media(duration=10.0, fps=5, width=854, height=480)

Samples = np.ndarray[Any, Any]
Make = Callable[..., Path]


@pytest.fixture(scope="module")
def file_of(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Make:
    """A file that ffmpeg makes of the stand-in's: ``{picture}`` and ``{sound}``, and ``{both}`` as they are."""
    folder, made = tmp_path_factory.mktemp("files"), dict[tuple[str, Media], Path]()

    def get(words: str, media: Media = QUICK) -> Path:
        itags = {"both": PROGRESSIVE, "picture": 134, "sound": 140}
        streams = {name: make(media, itag, media_folder) for name, itag in itags.items() if f"{{{name}}}" in words}
        if words == "{both}":
            return streams["both"]
        if (words, media) not in made:
            path = folder / f"{len(made)}.mp4"
            arguments = [word.format_map(streams) for word in words.split()]
            subprocess.run([ffmpeg(), "-v", "error", "-nostdin", *arguments, str(path)], check=True)
            made[words, media] = path
        return made[words, media]

    return get


class Here:
    """One worker's Local on a data folder; archives are given as folders and files."""

    def __init__(self, base: Path, *given: Path, wanted: str = ID, **shape: Any) -> None:
        settings = Settings(base / "data", **shape)
        clock = Clock(1.0)
        self.folder = settings.data_dir
        self.store = Store(settings, "a test", clock)
        self.store.open()
        self.archives = Archives({wanted}, self.store.spill)
        for path in given:
            self.archives.add(path)
        self.local = Local(settings, Ffmpeg(Path(ffmpeg()), clock), self.store, self.archives)
        self.video, self.audio = self.store.files.paths(wanted)

    def take(self, clip: Clip = TEN) -> Outcome | None:
        assert self.local.has(clip)
        return self.local.take(clip)

    def facts(self, clip: Clip = TEN) -> dict[str, Any]:
        """What the manifest would say of a clip that is taken; its files are there and are what it says."""
        outcome = self.take(clip)
        assert outcome is not None, self.archives.refusal(clip.id)
        assert (outcome.status, outcome.clip) == ("done", clip)
        found = dict(outcome.facts)
        assert found["sha256"] == digest(self.video) and found["bytes"] == self.video.stat().st_size
        assert (found["audio_sha256"] and digest(self.audio)) == found["audio_sha256"]
        assert self.left == []
        return found

    def refused(self, clip: Clip = TEN) -> str:
        """Why the clip's file is not taken: nothing is published, and it is not offered again."""
        assert self.take(clip) is None
        assert not self.video.exists() and not self.audio.exists() and self.left == []
        assert not self.local.has(clip)
        assert str(self.local.refusal(clip)) != ""
        return self.archives.refusal(clip.id)

    @property
    def left(self) -> list[Path]:
        """What lies about of unfinished work."""
        return [path for path in self.folder.glob(".tmp/*/*") if path != self.store.spill]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Callable[..., Here]]:
    """Local for one file in a folder, under the clip's name."""
    opened: list[Here] = []

    def get(file: Path | None = None, **shape: Any) -> Here:
        folder = tmp_path / "mine"
        (folder / "deep").mkdir(parents=True, exist_ok=True)
        if file is not None:
            shutil.copy(file, folder / "deep" / f"{ID}.mp4")
        opened.append(Here(tmp_path, folder, **shape))
        return opened[-1]

    yield get
    for each in opened:
        each.store.close()


def decoded_sound(path: Path) -> Samples:
    """The samples of a file as PyAV has them, on the way through 16 bits as in a WAV."""
    command = [ffmpeg(), "-v", "error", "-nostdin", "-i", str(path), "-map", "0:a:0", "-f", "s16le", "-"]
    found = np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, "<i2")
    with av.open(str(path)) as container:
        return found.reshape(-1, container.streams.audio[0].channels)


# -- a clip of ten seconds -----------------------------------------------------------------------------------

LASTING = {
    "the clip": (10.0, 50),
    "a little longer": (10.8, 50),
    "a little shorter": (9.4, 47),
    "longer": (11.4, 0),
    "the whole video": (14.0, 0),
    "shorter": (8.6, 0),
    "half of it": (5.0, 0),
}


@pytest.mark.parametrize("case", LASTING)
@pytest.mark.parametrize("cut", ["exact", "copy"])
def test_a_file_of_about_the_clips_length_is_the_clip(
    file_of: Make, here: Callable[..., Here], case: str, cut: str
) -> None:
    lasting, count = LASTING[case]
    file = file_of(f"-i {{both}} -t {lasting} -c copy", SIMPLE)
    found = here(file, cut=cut)
    if not count:
        assert "instead of 10" in found.refused()
        return
    facts = found.facts()
    seen = [time for time, _ in pictures(found.video)]
    if cut == "exact":
        assert (facts["pictures"], facts["duration"]) == (count, pytest.approx(count / 5))
        assert seen == [Fraction(number, 5) for number in range(count)]
    else:
        assert count <= len(seen) <= count + 3 and facts["pictures"] >= count
    of_source = times(file)
    assert is_its_own(next(pictures(found.video))[1], 0, file, of_source)
    due = decoded_sound(file)[: 10 * QUICK.sample_rate]
    assert np.array_equal(samples(found.audio), due) and facts["samples"] == len(due)
    assert len(due) == pytest.approx(min(lasting, 10) * QUICK.sample_rate, abs=2048)
    assert facts["archive"] == f"{found.folder.parent}/mine:deep/{ID}.mp4"
    assert "adopted" not in facts


@pytest.mark.parametrize(
    ("cut", "quality", "size"),
    [("exact", 360, (640, 360)), ("exact", 480, (854, 480)), ("copy", 480, (854, 480)), ("copy", 360, None)],
)
def test_a_larger_picture_is_made_smaller_where_it_is_encoded_anew(
    file_of: Make,
    here: Callable[..., Here],
    media_folder: Path,
    cut: str,
    quality: int,
    size: tuple[int, int] | None,
) -> None:
    picture = make(replace(LARGE, width=640, height=360), 135, media_folder)
    file = file_of(f"-i {picture} -i {{sound}} -t 10 -c copy", LARGE)
    found = here(file, cut=cut, quality=quality)
    if size is None:
        assert "854x480" in found.refused() and "--quality" in found.archives.refusal(ID)
        return
    facts = found.facts()
    assert (facts["width"], facts["height"]) == size
    with av.open(str(found.video)) as container:
        first = next(container.decode(video=0))
        assert (first.width, first.height) == size
    assert facts["pictures"] in (50, 51, 52) and len(samples(found.audio)) == 441_000


def test_a_portrait_picture_is_measured_by_its_smaller_side(file_of: Make, here: Callable[..., Here]) -> None:
    file = file_of("-i {both} -t 10 -c:a copy -c:v libx264 -preset ultrafast -vf scale=480:854")
    facts = here(file).facts()
    assert (facts["width"], facts["height"], facts["pictures"]) == (360, 640, 50)


BROKEN = {
    "no sound": ("-i {picture} -t 10 -c copy", "it has no sound (see --allow-silent)"),
    "no picture": ("-i {sound} -t 10 -c copy", "it has no picture"),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("clip", [TEN, WHOLE], ids=["ten seconds", "whole"])
def test_a_file_without_sound_or_picture(file_of: Make, here: Callable[..., Here], case: str, clip: Clip) -> None:
    words, why = BROKEN[case]
    assert here(file_of(words)).refused(clip) == why


@pytest.mark.parametrize("clip", [TEN, WHOLE], ids=["ten seconds", "whole"])
def test_a_silent_file_where_silence_is_allowed(file_of: Make, here: Callable[..., Here], clip: Clip) -> None:
    file = file_of("-i {picture} -t 10 -c copy")
    found = here(file, allow_silent=True)
    facts = found.facts(clip)
    assert facts["audio"] is None and facts["samples"] is None and not found.audio.exists()
    assert found.video.read_bytes() == file.read_bytes() if clip is WHOLE else facts["pictures"] == 50


NO_MP4: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda good: b"",
    "a web page": lambda good: b"<!DOCTYPE html><html>Sign in</html>",
    "zeros": lambda good: bytes(len(good)),
    "half": lambda good: good[: len(good) // 2],
    "half, with its end": lambda good: good[: len(good) // 3] + bytes(len(good) // 3) + good[len(good) * 2 // 3 :],
    "a flood": lambda good: good[:-40_000] + bytes(range(256)) * 150,
}


@pytest.mark.parametrize("case", NO_MP4)
@pytest.mark.parametrize("clip", [TEN, WHOLE], ids=["ten seconds", "whole"])
def test_what_does_not_decode_is_not_taken(
    file_of: Make, here: Callable[..., Here], tmp_path: Path, case: str, clip: Clip
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(NO_MP4[case](file_of("-i {both} -t 10 -c copy -movflags +faststart").read_bytes()))
    why = here(broken).refused(clip)
    assert why and "\n" not in why


def test_the_next_archive_is_not_tried_and_the_first_is_left_as_it_was(
    file_of: Make, here: Callable[..., Here]
) -> None:
    file = file_of("{both}")
    found = here(file)
    mine = found.folder.parent / "mine" / "deep" / f"{ID}.mp4"
    assert "instead of 10" in found.refused()
    assert mine.read_bytes() == file.read_bytes()


@pytest.mark.parametrize("late", ["0.03", "0.5"])
@pytest.mark.parametrize("clip", [TEN, WHOLE], ids=["ten seconds", "whole"])
def test_sound_that_begins_later_than_the_picture_stays_in_step(
    file_of: Make, here: Callable[..., Here], clip: Clip, late: str
) -> None:
    """Silence comes first: the WAV's samples are at their times in the clip. Or the file is not taken at all."""
    file = file_of(
        f"-t 10 -i {{picture}} -itsoffset {late} -i {{sound}} -map 0:v -map 1:a -t 10.8 -c copy", SIMPLE
    )
    found = here(file)
    if found.take(clip) is None:
        return
    silent = round(float(late) * SIMPLE.sample_rate)
    got, due = samples(found.audio), decoded_sound(file)
    assert not got[:silent].any()
    assert np.array_equal(got[silent:], due[: len(got) - silent])
    assert clip is WHOLE or len(got) == 441_000


def test_what_an_edit_list_hides_does_not_count(file_of: Make, here: Callable[..., Here]) -> None:
    """As ffmpeg copies from the middle of a video: the pictures from the key frame on are there, and not shown."""
    file = file_of("-ss 3.3 -i {both} -t 10 -c copy", SIMPLE)
    found = here(file)
    assert len(packets(file, "video")) > 60 and found.facts()["pictures"] == 50
    assert is_its_own(
        next(pictures(found.video))[1], 17, file_of("{both}", SIMPLE), times(file_of("{both}", SIMPLE))
    )


# -- a clip that is its whole video --------------------------------------------------------------------------

AS_IT_IS = {
    "faststart": "{both}",
    "moov at its end": "-i {both} -c copy",
    "fragments": "-i {both} -c copy -movflags +frag_keyframe+delay_moov",
    "MP3": "-i {both} -t 3 -c:v copy -c:a libmp3lame",
    "two sounds": "-i {both} -t 3 -map 0:v -map 0:a -map 0:a -c copy",
    "one channel": "-i {both} -t 3 -c:v copy -c:a aac -ac 1 -ar 22050",
    "six channels": "-i {both} -t 3 -c:v copy -c:a aac -ac 6",
    "MPEG-4 Visual": "-i {both} -t 3 -c:v mpeg4 -c:a copy",
}


@pytest.mark.parametrize("case", AS_IT_IS)
def test_a_whole_video_is_published_byte_for_byte(file_of: Make, here: Callable[..., Here], case: str) -> None:
    file = file_of(AS_IT_IS[case])
    found = here(file, quality=360)
    facts = found.facts(WHOLE)
    assert facts["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    got = samples_of(found.audio)
    due = without_filling(decoded_sound(file), got)
    assert np.array_equal(got, due) and facts["samples"] == len(due)
    assert (facts["width"], facts["height"], facts["pictures"]) == (640, 360, len(times(file)))
    assert facts["channels"] == due.shape[1]


def samples_of(wav: Path) -> Samples:
    """The samples behind a WAV's header, whichever of the two forms that has."""
    made = wav.read_bytes()
    channels = int.from_bytes(made[22:24], "little")
    begin = made.index(b"data") + 8
    return np.frombuffer(made[begin:], "<i2").reshape(-1, channels)


def test_a_whole_video_larger_than_the_quality_stays_as_it_is(
    file_of: Make, here: Callable[..., Here], media_folder: Path
) -> None:
    picture = make(replace(LARGE, width=640, height=360), 135, media_folder)
    file = file_of(f"-i {picture} -i {{sound}} -t 10 -c copy", LARGE)
    found = here(file)
    facts = found.facts(WHOLE)
    assert (facts["width"], facts["height"]) == (854, 480) and digest(found.video) == digest(file)


@pytest.mark.parametrize("audio_format", ["wav", "flac", "m4a"])
def test_a_whole_video_goes_into_another_container(
    file_of: Make, here: Callable[..., Here], audio_format: str
) -> None:
    file = file_of("{both}")
    found = here(file, video_format="mkv", audio_format=audio_format)
    facts = found.facts(WHOLE)
    assert (found.video.suffix, found.audio.suffix) == (".mkv", f".{audio_format}")
    assert packets(found.video, "video") == packets(file, "video") and len(packets(file, "video")) == 70
    assert packets(found.video, "audio") == packets(file, "audio")
    assert facts["pictures"] == 70
    with av.open(str(found.video)) as container:
        assert container.format.name == "matroska,webm"
    if audio_format == "m4a":
        assert packets(found.audio, "audio") == packets(file, "audio")
    elif audio_format == "flac":
        assert np.array_equal(decoded_sound(found.audio), decoded_sound(file))
    else:
        assert np.array_equal(samples(found.audio), decoded_sound(file))


def packets(path: Path, kind: str) -> list[bytes]:
    """The packets of a file's first stream of a kind, by their bytes."""
    with av.open(str(path)) as container:
        stream = next(each for each in container.streams if each.type == kind)
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


# -- files put by hand ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape", [{}, {"audio_format": "flac"}, {"audio_rate": 16000, "audio_channels": 1}], ids=str
)
def test_a_whole_video_put_by_hand_gets_its_sound_and_stays(
    file_of: Make, here: Callable[..., Here], shape: dict[str, Any]
) -> None:
    file = file_of("{both}")
    found = here(**shape)
    shutil.copy(file, found.video)
    before = found.video.stat()
    facts = found.facts(WHOLE)
    assert facts["adopted"] is True and "archive" not in facts
    assert digest(found.video) == digest(file)
    after = found.video.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    if "audio_rate" in shape:
        assert samples(found.audio).shape == (pytest.approx(14 * 16000, abs=1000), 1)
    else:
        assert np.array_equal(decoded_sound(found.audio), decoded_sound(file))
    assert not (found.folder / "set_aside").exists()


@pytest.mark.parametrize(
    ("clip", "words", "archived"),
    [
        (TEN, "{both}", None),
        (TEN, "{both}", "-i {both} -t 10 -c copy"),
        (WHOLE, "-i {sound} -c copy", None),
        (WHOLE, "-i {picture} -c copy", "{both}"),
    ],
    ids=["a whole video", "and the right one in an archive", "no picture", "silent, and whole in an archive"],
)
def test_a_wrong_file_put_by_hand_is_set_aside(
    file_of: Make, here: Callable[..., Here], clip: Clip, words: str, archived: str | None
) -> None:
    found = here(file_of(archived) if archived else None)
    shutil.copy(file_of(words), found.video)
    if archived:
        assert "archive" in found.facts(clip)
    else:
        assert found.take(clip) is None and not found.video.exists() and not found.audio.exists()
    aside = found.folder / "set_aside" / f"{ID}.mp4"
    assert digest(aside) == digest(file_of(words))


@pytest.mark.parametrize("put", ["in an archive", "by hand"])
def test_where_ffmpeg_is_ended_nothing_is_held_against_the_file(
    file_of: Make, here: Callable[..., Here], tmp_path: Path, put: str
) -> None:
    file = file_of("-i {both} -t 10 -c copy")
    found = here(file if put == "in an archive" else None, audio_format="m4a")
    if put == "by hand":
        shutil.copy(file, found.video)
        shutil.copy(make(QUICK, 140, tmp_path), found.audio)
    before = sorted(found.folder.glob("[!.]*/*"))
    right = found.local._ffmpeg.path
    killed = tmp_path / "killed"
    killed.write_text("#!/bin/sh\nkill -11 $$\n")
    killed.chmod(0o755)
    found.local._ffmpeg.path = killed
    outcome = found.take()
    assert outcome is not None
    assert (outcome.status, outcome.reason, outcome.permanent) == ("failed", "signal", False)
    assert outcome.detail == "ffmpeg was ended by signal 11 (SIGSEGV)"
    assert sorted(found.folder.glob("[!.]*/*")) == before and found.left == []
    found.local._ffmpeg.path = right
    if put == "in an archive":
        assert "archive" in found.facts()


# -- whole runs ----------------------------------------------------------------------------------------------

IN_FOLDER, IN_ZIP, ON_YOUTUBE = "archivefold_000003", "-archivezip_000000", "fromyoutube_000002"
EVERY = (IN_FOLDER, ON_YOUTUBE, IN_ZIP)


def run_with(base: Path, media: Path, clips: Sequence[str] = EVERY) -> Any:
    return stage(base, media, {clip: FakeVideo(QUICK) for clip in clips})


def test_what_is_in_archives_is_asked_of_nobody(tmp_path: Path, media_folder: Path, file_of: Make) -> None:
    clip = file_of("-i {both} -t 10 -c copy").read_bytes()
    mine, packed = tmp_path / "mine", tmp_path / "packed.zip"
    KINDS["folder"](mine, [(f"val/{IN_FOLDER}.mp4", clip), ("val/readme.txt", b"words")])
    KINDS["stored zip"](packed, [(f"clips/{IN_ZIP}.mp4", clip), ("clips/notwanted11_000001.mp4", clip)])
    before = digest(packed)
    with run_with(tmp_path, media_folder) as run:
        ended = run.run("--archives", mine, packed)
        assert ended.code == 0 and "3 of 3 clips are done, 0 failed, 0 not tried yet." in ended.out, ended.said
        assert run.asked_videos() == {ON_YOUTUBE[:11]}
        assert run.published == set(run.completed) == set(EVERY)
        assert {each: run.manifest_of(each).get("archive") for each in EVERY} == {
            IN_FOLDER: f"{mine}:val/{IN_FOLDER}.mp4",
            IN_ZIP: f"{packed}:clips/{IN_ZIP}.mp4",
            ON_YOUTUBE: None,
        }
        for each in EVERY:
            assert run.manifest_of(each)["pictures"] == 50 == len(times(run.mp4(each)))
            assert seconds_of(run.wav(each)) == 10.0
        assert digest(packed) == before and (mine / "val" / f"{IN_FOLDER}.mp4").read_bytes() == clip
        asked, first = len(run.youtube.log), results(run)

        ended = run.run("--archives", mine, packed)
        assert ended.code == 0 and len(run.youtube.log) == asked and results(run) == first
        assert len(run.manifest) == 3


def test_what_is_not_the_clip_comes_from_youtube(tmp_path: Path, media_folder: Path, file_of: Make) -> None:
    mine = tmp_path / "mine"
    whole, half = file_of("{both}").read_bytes(), file_of("-i {both} -t 5 -c copy").read_bytes()
    KINDS["folder"](mine, [(f"{IN_FOLDER}.mp4", whole), (f"{IN_ZIP}.mp4", half), (f"{ON_YOUTUBE}.mp4", b"")])
    with run_with(tmp_path, media_folder) as run:
        ended = run.run("--archives", mine)
        assert ended.code == 0 and "3 of 3 clips are done" in ended.out, ended.said
        assert run.asked_videos() == {each[:11] for each in EVERY}
        assert run.published == set(EVERY) and not (run.data / "set_aside").exists()
        assert not any("archive" in line for line in run.manifest)
        assert run.log.count("is not taken from the archives") == 3
        assert "it has 14.000 s instead of 10" in run.log
        told = [line[9:] for line in ended.out.splitlines() if "not taken" in line]
        log = run.data / "avqa_general_download.log"
        assert len(told) == 1 and told[0].startswith("The archives' files of 3 clips were not taken, the first ")
        assert told[0].endswith(f'For all of them: grep "not taken" {log}')
        assert log.read_text().count("is not taken") == 3


def test_what_is_called_otherwise_is_said(tmp_path: Path, media_folder: Path, file_of: Make) -> None:
    """A folder that gives nothing, though it is full of films: an id was likely written in another way."""
    mine = tmp_path / "mine"
    clip = file_of("-i {both} -t 10 -c copy").read_bytes()
    KINDS["folder"](mine, [("a/other0.mp4", clip), ("b/other1.wav", b""), ("readme.txt", b"")])
    with run_with(tmp_path, media_folder, [ON_YOUTUBE]) as run:
        ended = run.run("--archives", mine)
        (told,) = [line for line in ended.out.splitlines() if "clips are in" in line]
        assert told.endswith(
            f"0 clips are in {mine}. It has 2 films and sounds, which are called otherwise ('a/other0.mp4', ...): "
            f"a clip's file is called by its id ('{ON_YOUTUBE}' is one), with any ending of a film or a sound."
        )
        assert "not taken" not in ended.out
        # Nothing is wanted any more.
        assert "called otherwise" not in run.run("--archives", mine).out


def test_an_archive_that_cannot_be_read_ends_the_run(tmp_path: Path, media_folder: Path) -> None:
    quota = tmp_path / "quota.zip"
    quota.write_bytes(b"<!doctype html><html>Quota exceeded</html>")
    with run_with(tmp_path, media_folder, [ON_YOUTUBE]) as run:
        ended = run.run("--archives", quota)
        assert ended.code == 1 and f"{quota} is a web page, not an archive" in ended.err
        assert run.asked_videos() == set() and run.published == set()


def test_max_clips_takes_so_many_of_an_archive(tmp_path: Path, media_folder: Path, file_of: Make) -> None:
    clip = file_of("-i {both} -t 10 -c copy").read_bytes()
    KINDS["tar.gz"](tmp_path / "packed", [(f"{each}.mp4", clip) for each in EVERY])
    with run_with(tmp_path, media_folder) as run:
        for count in (1, 3):
            ended = run.run("--archives", tmp_path / "packed", "--max-clips", str(count))
            assert ended.code == 0 and f"{count} of 3 clips are done" in ended.out, ended.said
            assert len(run.published) == count
        assert run.asked_videos() == set() and not list(run.data.glob(".tmp/*/spill"))


@pytest.mark.parametrize("unread", [1, 2, 3])
def test_flac_that_libav_cannot_read_is_made_of_other_frames(
    file_of: Make, here: Callable[..., Here], monkeypatch: pytest.MonkeyPatch, unread: int
) -> None:
    """Its parser takes some samples for a frame's beginning; in frames of another length they lie elsewhere."""
    frames: list[set[int]] = []

    def measured(path: Path, ffmpeg: Ffmpeg, small: Small | None) -> Sound:
        with av.open(str(path)) as container:
            frames.append({frame.samples for frame in itertools.islice(container.decode(audio=0), 3)})
        if len(frames) <= unread:
            raise Transient("media", "[flac] invalid residual")
        return measure_sound(path, ffmpeg, small)

    file = file_of("{both}")
    monkeypatch.setattr(publish, "measure_sound", measured)
    found = here(file, audio_format="flac")
    outcome = found.take(WHOLE)
    assert (outcome is not None and outcome.status == "done") == (unread < 3)
    assert frames[1:3] == [{4096}, {2304}][: len(frames) - 1] and len(frames) == min(3, unread + 1)
    if unread < 3:
        assert np.array_equal(decoded_sound(found.audio), decoded_sound(file))
    else:
        assert not found.audio.exists()


@pytest.mark.parametrize("way", ["kept whole", "cut", "put by hand"])
def test_a_frame_of_what_is_here(file_of: Make, here: Callable[..., Here], way: str) -> None:
    """Whatever a clip is made of, its frame in the middle is made with it."""
    clip, words = (TEN, "-i {both} -t 10 -c copy") if way == "cut" else (WHOLE, "{both}")
    file = file_of(words)
    found = here(None if way == "put by hand" else file, frame="middle")
    if way == "put by hand":
        shutil.copy(file, found.video)
        subprocess.run([ffmpeg(), "-v", "error", "-i", str(file), "-vn", str(found.audio)], check=True)
    facts = found.facts(clip)
    still = found.folder / "frames" / f"{ID}.jpg"
    assert facts["frame"] == f"frames/{ID}.jpg" and facts["frame_sha256"] == digest(still)
    assert apart(grey(still), shown_at(found.video, facts["duration"] / 2)) < NEAR

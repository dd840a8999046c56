"""ffmpeg: which words it is given, and how it ends: well, badly, late, or never."""

from __future__ import annotations

import errno
import resource
import subprocess
import sys
import threading
import wave
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

import fake_media
from avclips import media
from avclips.clip import Cut
from avclips.errors import RunError, Stopped, Transient
from avclips.measure import judge, read_wav
from avclips.media import Ffmpeg, Job, Source, cut_arguments, find_ffmpeg
from avclips.pace import Clock
from fake_media import Media

REAL = Path(fake_media.ffmpeg())
READ = "-threads 1 -protocol_whitelist file,pipe"
CRC = "-c copy -f framecrc -flush_packets 0 pipe:1"
PLAIN = "-map_metadata -1 -fflags +bitexact"
PASS = "-fps_mode passthrough -enc_time_base demux"
X264 = (
    "-c:v libx264 -preset veryfast -crf 18 -threads 1 -x264-params subme=1:me=dia:partitions=i8x8,i4x4:weightp=0"
)
LONG, LONG_A = Source(Path("v"), Fraction(301, 10)), Source(Path("a"), Fraction("3599.9"))
V, A = Source(Path("v"), Fraction(7, 3)), Source(Path("a"), Fraction(1, 10))
TEN = Fraction(10)

Script = Callable[[str], Ffmpeg]


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (
            Job(V, A, TEN),
            f"{READ} -i v {READ} -i a {READ} -ss 0.100000 -i a "
            "-map 0:v:0 -filter:v trim=start=2.333333:end=12.333333,setpts=PTS-round(2.333333/TB) "
            f"{PASS} {X264} -map 2:a:0 -c:a copy -t 10.000000 {PLAIN} -movflags +faststart o.mp4 "
            "-map 1:a:0 -filter:a atrim=start=0.100000:duration=10.000000,asetpts=PTS-STARTPTS,"
            "asetnsamples=n=44100:p=0 "
            f"-c:a pcm_s16le {PLAIN} o.wav -map 0:v:0 -map 1:a:0 {CRC}",
        ),
        (
            Job(V, A, None),
            f"{READ} -i v {READ} -i a {READ} -ss 0.100000 -i a "
            f"-map 0:v:0 -filter:v trim=start=2.333333,setpts=PTS-round(2.333333/TB) {PASS} {X264} "
            f"-map 2:a:0 -c:a copy {PLAIN} -movflags +faststart o.mp4 "
            "-map 1:a:0 -filter:a atrim=start=0.100000,asetpts=PTS-STARTPTS,"
            "asetnsamples=n=44100:p=0 "
            f"-c:a pcm_s16le {PLAIN} o.wav -map 0:v:0 -map 1:a:0 {CRC}",
        ),
        (
            Job(V, A, TEN, "copy"),
            f"{READ} -ss 2.333333 -i v {READ} -i a {READ} -ss 0.100000 -i a -map 0:v:0 -c:v copy "
            f"-map 2:a:0 -c:a copy -t 10.000000 {PLAIN} -movflags +faststart o.mp4 "
            "-map 1:a:0 -filter:a atrim=start=0.100000:duration=10.000000,asetpts=PTS-STARTPTS,"
            "asetnsamples=n=44100:p=0 "
            f"-c:a pcm_s16le {PLAIN} o.wav -map 0:v:0 -map 1:a:0 {CRC}",
        ),
        (
            Job(V, None, TEN),
            f"{READ} -i v -map 0:v:0 "
            "-filter:v trim=start=2.333333:end=12.333333,setpts=PTS-round(2.333333/TB) "
            f"{PASS} {X264} -t 10.000000 {PLAIN} -movflags +faststart o.mp4 -map 0:v:0 {CRC}",
        ),
        (
            Job(V, None, None, "copy"),
            f"{READ} -ss 2.333333 -i v -map 0:v:0 -c:v copy {PLAIN} -movflags +faststart o.mp4 -map 0:v:0 {CRC}",
        ),
        (
            # A file that was fetched whole is passed over up to 15 s before the clip, to which the filters count.
            Job(LONG, LONG_A, TEN),
            f"{READ} -noaccurate_seek -ss 15.000000 -i v {READ} -noaccurate_seek -ss 3584.000000 -i a "
            f"{READ} -ss 3599.900000 -i a -map 0:v:0 "
            "-filter:v trim=start=15.100000:end=25.100000,setpts=PTS-round(15.100000/TB) "
            f"{PASS} {X264} -map 2:a:0 -c:a copy -t 10.000000 {PLAIN} -movflags +faststart o.mp4 "
            "-map 1:a:0 -filter:a atrim=start=15.900000:duration=10.000000,asetpts=PTS-STARTPTS,"
            "asetnsamples=n=44100:p=0 "
            f"-c:a pcm_s16le {PLAIN} o.wav -map 0:v:0 -map 1:a:0 {CRC}",
        ),
        (
            Job(LONG, Source(Path("a"), Fraction(30)), None, "copy"),
            f"{READ} -ss 30.100000 -i v {READ} -i a {READ} -ss 30.000000 -i a -map 0:v:0 -c:v copy "
            f"-map 2:a:0 -c:a copy {PLAIN} -movflags +faststart o.mp4 "
            "-map 1:a:0 -filter:a atrim=start=30.000000,asetpts=PTS-STARTPTS,"
            "asetnsamples=n=44100:p=0 "
            f"-c:a pcm_s16le {PLAIN} o.wav -map 0:v:0 -map 1:a:0 {CRC}",
        ),
        (
            Job(V, A, TEN, "copy", 16000, 1),
            f"{READ} -ss 2.333333 -i v {READ} -i a {READ} -ss 0.100000 -i a -map 0:v:0 -c:v copy "
            f"-map 2:a:0 -c:a copy -t 10.000000 {PLAIN} -movflags +faststart o.mp4 -map 1:a:0 "
            "-filter:a aresample=16000,atrim=start=0.100000:duration=10.000000,asetpts=PTS-STARTPTS,"
            "asetnsamples=n=44100:p=0 "
            f"-c:a pcm_s16le -ac 1 {PLAIN} o.wav -map 0:v:0 -map 1:a:0 {CRC}",
        ),
    ],
    ids=[
        "exact",
        "exact to the end",
        "copy",
        "silent",
        "silent copy to the end",
        "long",
        "long copy",
        "resampled",
    ],
)
def test_the_words_of_a_cut(job: Job, words: str) -> None:
    assert " ".join(map(str, cut_arguments(job, Path("o.mp4"), Path("o.wav")))) == words


# Real cuts

MEDIA = Media(duration=6, width=64, height=36, gop_seconds=2)


def samples(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        return file.readframes(file.getnframes())


@pytest.fixture(scope="module")
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(REAL, Clock())


SLOW, NTSC = replace(MEDIA, fps=12.5), replace(MEDIA, fps=30000 / 1001)


@pytest.mark.parametrize(
    ("spec", "cut", "start", "length", "pictures"),
    [
        (MEDIA, "exact", "0", "1", range(25, 26)),
        (MEDIA, "exact", "1.52", "2", range(50, 51)),
        (MEDIA, "exact", "3", "2", range(50, 51)),
        (MEDIA, "exact", "5", "2", range(25, 26)),
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
    cut: Cut,
    start: str,
    length: str,
    pictures: range,
) -> None:
    video, audio = (fake_media.make(spec, itag, media_folder) for itag in (134, 140))
    at, mp4, wav = Fraction(start), tmp_path / "o.mp4", tmp_path / "o.wav"
    expected = ffmpeg.cut(Job(Source(video, at), Source(audio, at), Fraction(length), cut), mp4, wav)
    tracks = ffmpeg.measure(mp4)
    assert judge(expected, tracks, read_wav(wav), cut) is None
    assert len(expected.pictures) == pictures.start
    assert len(next(track for track in tracks if track.kind == "video").times) in pictures
    ffmpeg.run(["-i", audio, "-c:a", "pcm_s16le", tmp_path / "all.wav"])
    first = round(at * 44100)
    # Behind the source's end there is nothing.
    assert samples(wav) == samples(tmp_path / "all.wav")[first * 4 : (first + round(Fraction(length) * 44100)) * 4]


@pytest.mark.parametrize("cut", ["exact", "copy"])
def test_a_long_file_is_sought_and_gives_the_same(
    ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path, cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if it were decoded from its beginning: sample by sample, and byte by byte."""
    spec = replace(MEDIA, duration=40)
    video, audio = (fake_media.make(spec, itag, media_folder) for itag in (134, 140))
    made = []
    for before in (15, 1000):
        monkeypatch.setattr(media, "SEEK_BEFORE", before)
        mp4, wav = tmp_path / f"{before}.mp4", tmp_path / f"{before}.wav"
        job = Job(Source(video, Fraction("35.3")), Source(audio, Fraction("35.3")), Fraction(2), cut)
        expected = ffmpeg.cut(job, mp4, wav)
        assert judge(expected, ffmpeg.measure(mp4), read_wav(wav), cut) is None
        made.append((len(expected.pictures), expected.sound, samples(wav), mp4.read_bytes()))
    assert made[0] == made[1]
    ffmpeg.run(["-i", audio, "-c:a", "pcm_s16le", tmp_path / "all.wav"])
    first = round(Fraction("35.3") * 44100)
    assert made[0][2] == samples(tmp_path / "all.wav")[first * 4 : (first + 88200) * 4]


def test_a_measure_may_end_early(ffmpeg: Ffmpeg, media_folder: Path) -> None:
    (track,) = ffmpeg.measure(fake_media.make(MEDIA, 134, media_folder), Fraction(1))
    # In the file's own time, in which the reorder delay is two pictures.
    assert (track.kind, track.width, track.height) == ("video", 640, 360)
    assert track.times == [n / 25 for n in range(2, 25)]


def test_a_silent_cut_keeps_its_pictures_times(ffmpeg: Ffmpeg, media_folder: Path, tmp_path: Path) -> None:
    """Without a sound at 0 nothing is moved there."""
    video = fake_media.make(MEDIA, 134, media_folder)
    job = Job(Source(video, Fraction("1.51")), None, Fraction(2))
    expected = ffmpeg.cut(job, tmp_path / "o.mp4", tmp_path / "o.wav")
    (track,) = ffmpeg.measure(tmp_path / "o.mp4")
    assert judge(expected, [track], None, "exact") is None
    assert (len(track.times), round(track.times[0] * 1000)) == (50, 10)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\0" * 5000], ids=["empty", "HTML", "zeros"])
def test_what_is_no_media(ffmpeg: Ffmpeg, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.mp4").write_bytes(content)
    with pytest.raises(Transient) as caught:
        ffmpeg.measure(tmp_path / "x.mp4")
    assert (caught.value.reason, len(caught.value.detail.splitlines())) == ("media", 1)


def test_ffmpeg_opens_no_url(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    (tmp_path / "x.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(Transient):
        ffmpeg.measure(tmp_path / "x.m3u8")
    with pytest.raises(Transient, match="whitelist|Protocol|Invalid argument|error"):
        ffmpeg.measure(Path("http://127.0.0.1:9/x.mp4"))


# Made-up programs


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """An ffmpeg that is a few lines of shell."""

    def write(lines: str) -> Ffmpeg:
        path = tmp_path / "ffmpeg"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)
        return Ffmpeg(path, Clock())

    return write


def test_what_it_says_and_how_it_is_called(script: Script) -> None:
    said = script('echo "$@"; echo warning >&2; cat').run(["-i", Path("/x y")])
    assert said == "-v error -y -nostdin -xerror -i /x y\n"


@pytest.mark.parametrize(
    ("lines", "detail"),
    [
        ("echo one >&2; echo two >&2; exit 1", "one"),
        ("exit 3", "ffmpeg ended with 3 and no word"),
        ("kill -9 $$", "ffmpeg ended with -9 and no word"),
        (r"printf 'caf\351\n' >&2; exit 1", "caf\ufffd"),
    ],
)
def test_a_failure_is_the_clips(script: Script, lines: str, detail: str) -> None:
    with pytest.raises(Transient) as caught:
        script(lines).run([])
    assert (caught.value.reason, caught.value.detail) == ("media", detail)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("No space left on device", errno.ENOSPC),
        ("Disk quota exceeded", errno.EDQUOT),
        ("Read-only file system", errno.EROFS),
    ],
)
def test_a_failure_of_the_disk_is_not(script: Script, words: str, number: int) -> None:
    with pytest.raises(OSError, match=words) as caught:
        script(f"echo 'av_interleaved_write_frame(): {words}' >&2; exit 228").run([])
    assert caught.value.errno == number


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="no prlimit on this system")
def test_a_child_may_take_so_much_memory(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MEMORY", 3 << 30)
    # Asked until it is there: the child may begin before it is bounded.
    said = script("while [ $(ulimit -v) = unlimited ]; do sleep 0.01; done; ulimit -v; ulimit -Hv").run([])
    assert said.split() == [str(3 << 20)] * 2


def test_a_child_that_ended_already_is_not_bounded(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*args: object) -> None:
        raise ProcessLookupError

    monkeypatch.setattr(media.resource, "prlimit", gone)
    assert script("echo well").run([]) == "well\n"


def test_a_child_that_hangs_is_killed(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = script("exec sleep 1000")
    monkeypatch.setattr(hanging._clock, "real", lambda seconds, at_least: 0.01)
    children = []
    popen = media.subprocess.Popen
    monkeypatch.setattr(media.subprocess, "Popen", lambda *a, **k: children.append(popen(*a, **k)) or children[-1])
    with pytest.raises(Transient, match="^ffmpeg did not end within 300 s$"):
        hanging.run([])
    assert [child.returncode for child in children] == [-9]


def test_a_stop_kills_the_children(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = script("exec sleep 1000")
    ended: list[BaseException] = []
    started = threading.Barrier(3, timeout=30)
    communicate = subprocess.Popen.communicate

    def told(child: subprocess.Popen[bytes], **how: float) -> tuple[bytes, bytes]:
        started.wait()
        return communicate(child, **how)

    def run() -> None:
        try:
            hanging.run([])
        except Stopped as error:
            ended.append(error)

    monkeypatch.setattr(subprocess.Popen, "communicate", told)
    runs = [threading.Thread(target=run) for _ in range(2)]
    for thread in runs:
        thread.start()
    started.wait()
    hanging._clock.stop()
    for thread in runs:
        thread.join(30)
    assert [type(error) for error in ended] == [Stopped] * 2
    with pytest.raises(Stopped):
        hanging.run([])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("echo 'ffmpeg version 7.1'; exit 1", "does not run as ffmpeg"),
        ("echo Python 3.11", "is not ffmpeg"),
        ("true", "is not ffmpeg"),
        ("[ $1 = -hide_banner ] && echo 'ffmpeg version 7.1-x Copyright' || { echo Unknown encoder >&2; exit 1; }",
         r"\(7.1-x\) cannot .*Unknown encoder"),
    ],
    ids=["fails", "another program", "silent", "cannot encode"],
)  # fmt: skip
def test_what_is_not_ffmpeg(script: Script, lines: str, message: str) -> None:
    with pytest.raises(RunError, match=message) as caught:
        script(lines).version  # noqa: B018
    assert "--ffmpeg PATH" in caught.value.hint


@pytest.mark.parametrize("content", [None, b"\x7fELF"], ids=["missing", "not a program"])
def test_what_does_not_run_at_all(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "x").write_bytes(content)
        (tmp_path / "x").chmod(0o755)
    with pytest.raises(RunError, match="does not run as ffmpeg"):
        Ffmpeg(tmp_path / "x", Clock()).version  # noqa: B018


def test_the_wheels_ffmpeg_will_do(ffmpeg: Ffmpeg) -> None:
    assert find_ffmpeg(None) == REAL
    assert ffmpeg.version == subprocess.run([REAL, "-version"], capture_output=True, text=True).stdout.split()[2]


def test_the_ffmpeg_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: Script) -> None:
    made = script("true").path
    assert find_ffmpeg(made) == made
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_ffmpeg(Path("ffmpeg")) == made
    for missing in ("/no/such", "no-such", str(tmp_path)):
        with pytest.raises(RunError, match=f"^--ffmpeg {missing}: no such program$"):
            find_ffmpeg(Path(missing))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    assert find_ffmpeg(None) == made
    monkeypatch.setenv("PATH", "/no/such")
    with pytest.raises(RunError, match="^no ffmpeg found$"):
        find_ffmpeg(None)


def test_the_words_of_a_measure(script: Script) -> None:
    told: list[str] = []
    ffmpeg = script("")
    ffmpeg.run = lambda words: told.append(" ".join(map(str, words))) or ""  # type: ignore[method-assign, func-returns-value]
    for at_most in (None, Fraction(31, 2)):
        assert ffmpeg.measure(Path("x.mp4"), at_most) == []
    end = "-fps_mode passthrough -enc_time_base:v demux -f framecrc pipe:1"
    assert told == [f"-copyts {READ} -i x.mp4 -map 0:v? -map 0:a? {stop}{end}" for stop in ("", "-t 15.500000 ")]

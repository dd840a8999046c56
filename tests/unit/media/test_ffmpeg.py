"""ffmpeg: how it is run, and how it ends: well, badly, late, or never."""

from __future__ import annotations

import errno
import resource
import subprocess
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import IO

import pytest

from avclips.core.clock import Clock
from avclips.core.errors import Killed, Stopped, Transient
from avclips.media import ffmpeg as ffmpeg_module
from avclips.media.ffmpeg import Ffmpeg
from tests.standin import fake_media
from tests.standin.fake_media import Media

REAL = Path(fake_media.ffmpeg())
READ = "-threads 1 -protocol_whitelist file,pipe"

Script = Callable[[str], Ffmpeg]


MEDIA = Media(duration=6, width=64, height=36, gop_seconds=2)


@pytest.fixture(scope="module")
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(REAL, Clock())


def test_a_measure_may_end_early(ffmpeg: Ffmpeg, media_folder: Path) -> None:
    (track,) = ffmpeg.measure(fake_media.make(MEDIA, 134, media_folder), Fraction(1))
    # In the file's own time, in which the reorder delay is two pictures.
    assert (track.kind, track.width, track.height) == ("video", 640, 360)
    assert track.times == [n / 25 for n in range(2, 25)]


@pytest.mark.parametrize("content", [b"", b"<html>", b"\0" * 5000], ids=["empty", "HTML", "zeros"])
def test_what_is_no_media(ffmpeg: Ffmpeg, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.mp4").write_bytes(content)
    for look in (ffmpeg.measure, ffmpeg.list_packets):
        with pytest.raises(Transient, match="^not a media file of a kind that is known$") as caught:
            look(tmp_path / "x.mp4")
        assert caught.value.reason == "formats"


def test_what_only_begins_like_media(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0" + bytes(5000))
    with pytest.raises(Transient) as caught:
        ffmpeg.measure(tmp_path / "x.mp4")
    assert (caught.value.reason, len(caught.value.detail.splitlines())) == ("media", 1)


def test_ffmpeg_opens_no_url(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    (tmp_path / "x.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(Transient, match="kind that is known"):
        ffmpeg.measure(tmp_path / "x.m3u8")
    # ffmpeg itself, were it told to: it may read files alone.
    for words in (["-f", "hls", "-i", tmp_path / "x.m3u8"], ["-i", "http://127.0.0.1:9/x.mp4"]):
        with pytest.raises(Transient, match="whitelist|Protocol|Invalid argument|error"):
            ffmpeg.run([*READ.split(), *words, "-f", "null", "-"])


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
    alone = "-filter_threads 1 -filter_complex_threads 1"
    assert said == f"-v error -y -nostdin -xerror {alone} -i /x y\n"


@pytest.mark.parametrize(
    ("lines", "detail"),
    [
        ("echo one >&2; echo two >&2; exit 1", "one"),
        ("exit 3", "ffmpeg ended with 3 and no word"),
        (r"printf 'caf\351\n' >&2; exit 1", "caf\ufffd"),
    ],
)
def test_a_failure_is_the_clips(script: Script, lines: str, detail: str) -> None:
    with pytest.raises(Transient) as caught:
        script(lines).run([])
    assert (caught.value.reason, caught.value.detail) == ("media", detail)


@pytest.mark.parametrize(
    ("signal", "detail"),
    [
        (9, "ffmpeg was ended by signal 9 (SIGKILL)"),
        (11, "ffmpeg was ended by signal 11 (SIGSEGV)"),
        (40, "ffmpeg was ended by signal 40"),
    ],
)
def test_a_child_that_a_signal_ends_is_begun_once_more(
    script: Script, tmp_path: Path, signal: int, detail: str
) -> None:
    begun = tmp_path / "begun"
    with pytest.raises(Killed) as caught:
        script(f"echo so >> {begun}; echo words >&2; kill -{signal} $$").run([])
    assert (caught.value.reason, caught.value.detail, caught.value.permanent) == ("signal", detail, False)
    assert begun.read_text() == "so\nso\n"
    begun.unlink()
    once = script(f"[ -e {begun} ] && echo well && exit; touch {begun}; kill -{signal} $$")
    assert once.run([]) == "well\n"


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        (":", "demux"),
        ('case "$*" in *lavfi*demux*) echo "Invalid time base: demux" >&2; exit 1;; esac', "-1"),
    ],
)
def test_the_word_for_the_sources_ticks(script: Script, lines: str, word: str) -> None:
    said = script(f'{lines}; echo "$@"').run(["-enc_time_base", "demux", Path("demux")])
    assert said.splitlines()[-1].endswith(f"-enc_time_base {word} demux")


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
    monkeypatch.setattr(ffmpeg_module, "MEMORY", 3 << 30)
    # Asked until it is there: the child may begin before it is bounded.
    said = script("while [ $(ulimit -v) = unlimited ]; do sleep 0.01; done; ulimit -v; ulimit -Hv").run([])
    assert said.split() == [str(3 << 20)] * 2


def test_a_child_that_ended_already_is_not_bounded(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*args: object) -> None:
        raise ProcessLookupError

    monkeypatch.setattr(ffmpeg_module.resource, "prlimit", gone)
    assert script("echo well").run([]) == "well\n"


def test_a_child_that_hangs_is_killed(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = script("exec sleep 1000")
    monkeypatch.setattr(hanging._clock, "real", lambda seconds, at_least: 0.01)
    children = []
    popen = ffmpeg_module.subprocess.Popen
    monkeypatch.setattr(
        ffmpeg_module.subprocess, "Popen", lambda *a, **k: children.append(popen(*a, **k)) or children[-1]
    )
    with pytest.raises(Transient, match="^ffmpeg did not end within 300 s$"):
        hanging.run([])
    assert [child.returncode for child in children] == [-9]


def test_all_of_a_clips_children_together_have_an_end(
    script: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """However short each is: a stream in pieces is looked at piece by piece."""
    monkeypatch.setattr(ffmpeg_module, "CLIP", 0.4)
    ffmpeg = script(f'case "$*" in *slow) exec sleep 1000;; esac; touch {tmp_path}/quick')
    said = "^ffmpeg was at one clip for more than 0 s$"
    with ffmpeg.of_a_clip():
        with pytest.raises(Transient, match=said) as caught:
            ffmpeg.run(["slow"])
        assert caught.value.reason == "media"
        # What has no time is not begun.
        with pytest.raises(Transient, match=said):
            ffmpeg.run(["quick"])
    assert not (tmp_path / "quick").exists()
    with ffmpeg.of_a_clip():
        assert ffmpeg._own.left > 0
    # Of no clip, but of a trial.
    assert ffmpeg.run(["quick"]) == "" and (tmp_path / "quick").exists()


def test_a_stop_kills_the_children(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = script("exec sleep 1000")
    ended: list[BaseException] = []
    started = threading.Barrier(3, timeout=30)
    keep = ffmpeg_module._keep

    def told(child: subprocess.Popen[bytes], output: IO[bytes], seconds: float, late: str) -> None:
        started.wait()
        keep(child, output, seconds, late)

    def run() -> None:
        try:
            hanging.run([])
        except Stopped as error:
            ended.append(error)

    monkeypatch.setattr(ffmpeg_module, "_keep", told)
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


def test_the_words_of_a_measure(script: Script, tmp_path: Path) -> None:
    told: list[str] = []
    ffmpeg = script("")
    ffmpeg.lines = lambda words: told.append(" ".join(map(str, words))) or ""  # type: ignore[method-assign, func-returns-value]
    # By its first bytes, and not by its name.
    path = tmp_path / "x.mp4"
    path.write_bytes(b"\x1aE\xdf\xa3")
    for at_most in (None, Fraction(31, 2)):
        assert ffmpeg.measure(path, at_most) == []
    assert ffmpeg.list_packets(path) == []
    begin = f"-copyts {READ} -f matroska -i {path} -map 0:v? -map 0:a?"
    end = "-fps_mode passthrough -enc_time_base:v demux -f framecrc pipe:1"
    assert told == [
        *(f"{begin} {stop}{end}" for stop in ("", "-t 15.500000 ")),
        f"{begin} -c copy -bsf:v setts=pts=PTS:dts=N-1000000000 -f framecrc pipe:1",
    ]

"""Which ffmpeg is taken: those that there are, each as it does in a trial."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import pytest

from avclips.core.clock import Clock
from avclips.core.errors import RunError
from avclips.media.ffmpeg import Ffmpeg
from avclips.media.ffmpeg_trial import find_ffmpeg, try_out
from tests.standin import fake_media

REAL = Path(fake_media.ffmpeg())

# An ffmpeg with a fault: the real one, unless these lines have it do otherwise.
WRAPPER = """#!{python}
import os, signal, subprocess, sys
words = sys.argv[1:]
open({log!r}, "a").write(" ".join(words) + "\\n")
{lines}
os.execv({real!r}, [{real!r}, *words])
"""
NO_ENCODER = 'if "libx264" in words: sys.exit("Unknown encoder libx264")'
# One that leaves out the last of six frames.
HIDES_THE_LAST = """
import re
for number, word in enumerate(words):
    if found := re.match(r"(trim=start_pts=[0-9]+:end_pts=)([0-9]+)(.*)", word):
        words[number] = found[1] + str(int(found[2]) - 1) + found[3]
"""
NO_LISTING = 'if "framecrc" in words: os.dup2(os.open("/dev/null", os.O_WRONLY), 1)'
DIES_OF_STREAMS = 'if "mpegts" in words: os.kill(os.getpid(), signal.SIGSEGV)'
LISTS_NO_STREAM = 'if "mpegts" in words: sys.exit("Invalid data found")'

Faulty = Callable[..., Path]


@pytest.fixture
def faulty(tmp_path: Path) -> Faulty:
    """An ffmpeg with a fault, in a folder of its own; its words stand beside it."""

    def write(lines: str = "", name: str = "wheel") -> Path:
        path = tmp_path / name / "ffmpeg"
        path.parent.mkdir()
        log = str(path.with_name("log"))
        path.write_text(
            WRAPPER.format(python=sys.executable, log=log, lines=lines.format(real=str(REAL)), real=str(REAL))
        )
        path.chmod(0o755)
        return path

    return write


def said_of_trials(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "avclips.media.ffmpeg_trial"]


def has_worked(path: Path) -> bool:
    return path.with_name("log").exists()


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path | None, Path | None], None]:
    """Sets which ffmpeg the wheel has, and which the system."""

    def put(wheel: Path | None, system: Path | None) -> None:
        if wheel is None:
            monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
        else:
            monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(wheel))
        monkeypatch.setenv("PATH", str(system.parent) if system else "/no/such")

    return put


def test_the_real_one_can_do_all() -> None:
    assert try_out(Ffmpeg(REAL, Clock())) is None
    assert find_ffmpeg(None, Clock()).path == REAL


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not run as ffmpeg"),
        (b"\x7fELF", "does not run as ffmpeg"),
        (b"#!/bin/sh\necho 'ffmpeg version 7.1'; exit 1", "does not run as ffmpeg"),
        (b"#!/bin/sh\nkill -11 $$", "does not run as ffmpeg: .*SIGSEGV"),
        (b"#!/bin/sh\necho Python 3.11", "is not ffmpeg"),
        (b"#!/bin/sh\ntrue", "is not ffmpeg"),
    ],
    ids=["missing", "not a program", "fails", "dies", "another program", "silent"],
)
def test_what_is_not_ffmpeg(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "ffmpeg"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o755)
    with pytest.raises(RunError, match=f"^{path} {message}") as caught:
        try_out(Ffmpeg(path, Clock()))
    assert "--ffmpeg PATH" in caught.value.hint


@pytest.mark.parametrize(
    ("lines", "lacks"),
    [
        (NO_ENCODER, "Unknown encoder libx264"),
        (HIDES_THE_LAST, "5 frames were encoded instead of 6"),
        ('if "-filter:a" in words: os.kill(os.getpid(), 9)', r"ffmpeg was ended by signal 9 \(SIGKILL\)"),
    ],
)
def test_one_that_cannot_cut(faulty: Faulty, lines: str, lacks: str) -> None:
    path = faulty(lines)
    with pytest.raises(RunError, match=rf"^{path} \(\S+\) cannot do what a cut needs: {lacks}$") as caught:
        try_out(Ffmpeg(path, Clock()))
    assert "--ffmpeg PATH" in caught.value.hint
    with pytest.raises(RunError, match=lacks):
        find_ffmpeg(path, Clock())


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (DIES_OF_STREAMS, "ffmpeg was ended by signal 11 (SIGSEGV)"),
        (LISTS_NO_STREAM, "Invalid data found"),
        (NO_LISTING, "ffmpeg lists other packets of video than it wrote"),
    ],
)
def test_one_that_cannot_read_a_transport_stream(
    faulty: Faulty, there: Callable[..., None], caplog: pytest.LogCaptureFixture, lines: str, why: str
) -> None:
    path = faulty(lines)
    lack = try_out(Ffmpeg(path, Clock()))
    assert lack is not None
    assert lack.startswith(f"{path} (") and lack.endswith(f") cannot read a transport stream: {why}")
    # Better than none, and than one that cannot cut at all; said, and asked for it is taken.
    there(path, faulty(NO_ENCODER, "system"))
    for asked in (None, path):
        caplog.clear()
        assert find_ffmpeg(asked, Clock()).path == path
        assert [words.startswith(lack) for words in said_of_trials(caplog)] == [True]


def test_the_systems_is_not_looked_at_where_the_wheels_will_do(faulty: Faulty, there: Callable[..., None]) -> None:
    wheel, system = faulty(), faulty("", "system")
    there(wheel, system)
    assert find_ffmpeg(None, Clock()).path == wheel
    assert has_worked(wheel) and not has_worked(system)


@pytest.mark.parametrize("lines", [NO_ENCODER, HIDES_THE_LAST, DIES_OF_STREAMS, "sys.exit(1)"])
def test_the_systems_is_taken_where_it_can_do_more(
    faulty: Faulty, there: Callable[..., None], caplog: pytest.LogCaptureFixture, lines: str
) -> None:
    wheel, system = faulty(lines), faulty("", "system")
    there(wheel, system)
    assert find_ffmpeg(None, Clock()).path == system
    (said,) = said_of_trials(caplog)
    assert said.startswith(str(wheel)) and said.endswith(f"; {system} is used")
    there(None, system)
    assert find_ffmpeg(None, Clock()).path == system


def test_where_none_will_do_each_is_named(faulty: Faulty, there: Callable[..., None]) -> None:
    wheel, system = faulty(HIDES_THE_LAST), faulty(NO_ENCODER, "system")
    there(wheel, system)
    with pytest.raises(RunError, match=f"^{wheel} .*5 frames were encoded instead of 6; {system} .*libx264$"):
        find_ffmpeg(None, Clock())
    there(None, None)
    with pytest.raises(RunError, match="^no ffmpeg found$"):
        find_ffmpeg(None, Clock())


def test_the_ffmpeg_asked_for(
    tmp_path: Path, faulty: Faulty, there: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = faulty("", "asked")
    assert find_ffmpeg(asked, Clock()).path == asked
    there(REAL, asked)
    assert find_ffmpeg(Path("ffmpeg"), Clock()).path == asked
    for missing in ("/no/such", "no-such", str(tmp_path)):
        with pytest.raises(RunError, match=f"^--ffmpeg {missing}: no such program$"):
            find_ffmpeg(Path(missing), Clock())

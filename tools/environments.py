"""Environments of their own for other versions, and the seam tests run in them.

The seam is where a release of somebody else can break us: what yt-dlp finds and says, what ffmpeg cuts, what
webdataset and pyarrow read. An environment is made by pip alone, and lies beside the project, ignored by git.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from .requirements import ROOT, named

SEAM_TESTS = (
    "unit/fetch/test_worker_exact", "unit/sources/test_youtube", "unit/sources/test_refusals",
    "unit/sources/test_messages", "unit/sources/test_format_choice", "unit/sources/test_ytdlp_args",
    "unit/media/test_ffmpeg", "end_to_end/test_parts", "unit/shards/test_tar_writer",
)  # fmt: skip
# Of the requirements: what those tests need, without linters, Spark and a store's server.
SEAM_PACKAGES = (
    "yt-dlp", "requests", "tqdm", "filelock", "imageio-ffmpeg", "webdataset", "pyarrow", "fsspec",
    "pytest", "pytest-xdist", "trustme", "numpy", "av", "hypothesis",
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """How a run of tests ended: counts, and the names of the tests that failed."""

    passed: int
    failed: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.passed} passed, {len(self.failed)} failed"


class Environment:
    """A venv in ``folder``; ``fresh``: what was there before goes."""

    def __init__(self, folder: Path, fresh: bool = False) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        if fresh or not self.python.exists():
            venv.create(folder, clear=True, with_pip=True)

    def install(self, *words: str) -> None:
        """pip install; its errors end the tool, and are seen."""
        command: list[str | Path] = [
            self.python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            *words,
        ]
        if code := subprocess.run(command).returncode:
            sys.exit(code)

    def ask(self, *words: str) -> str:
        """The standard output of a Python program that knows the project and its tests; it must end well."""
        done = subprocess.run([self.python, *words], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=bare())
        if done.returncode:
            sys.exit(done.returncode)
        return done.stdout

    def test(self, report: Path, processes: int, ffmpeg: str | None = None) -> Result:
        """Run the seam tests; ``report`` keeps pytest's XML, and beside it what pytest said.

        ``ffmpeg``: the path of another than the wheel's.
        """
        report.parent.mkdir(parents=True, exist_ok=True)
        report.unlink(missing_ok=True)
        command: list[str | Path] = [self.python, "-m", "pytest", f"--junitxml={report}", "-p", "no:cacheprovider"]
        command += ["--numprocesses", str(processes), "--dist", "loadfile", "--no-loadscope-reorder"]
        command += [ROOT / "tests" / f"{name}.py" for name in SEAM_TESTS]
        with report.with_suffix(".log").open("wb") as log:
            other = {"AVCLIPS_TEST_FFMPEG": ffmpeg} if ffmpeg else {}
            code = subprocess.run(
                command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT, env=os.environ | other
            ).returncode
        if code not in (0, 1) or not report.exists():
            sys.exit(f"pytest did not run (exit code {code}): see {report.with_suffix('.log')}")
        return read_result(report)


def bare() -> dict[str, str]:
    """The variables of a program that knows the project and its tests, and nothing of the tester's."""
    paths = {"PYTHONPATH": f"{ROOT}", "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    return paths | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(ROOT / ".cache" / "huggingface")}


def read_result(report: Path) -> Result:
    """What pytest's XML says."""
    cases = ElementTree.parse(report).getroot().findall(".//testcase")
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = sum(case.find("skipped") is not None for case in cases)
    names = [f"{case.get('classname', '').removeprefix('tests.')}::{case.get('name')}" for case in failed]
    return Result(len(cases) - len(failed) - skipped, tuple(dict.fromkeys(names)))


def seam_requirements(but: Sequence[str] = ()) -> list[str]:
    """What pip is told to install for the seam tests; ``but``: what comes in a version of its own."""
    return named([name for name in SEAM_PACKAGES if name not in but])

"""run_avqa_download.sh: what it makes of its words, where it finds itself, how .venv comes about, how it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import IO

import pytest

from tests.standin.fake_youtube import FakeVideo, Fault
from tests.support.script import QUICK, Ended, Stage, stage, usual_signals

ROOT = Path(__file__).resolve().parents[2]
SHELL = "run_avqa_download.sh"
PROGRAMS = (
    *("download_general_avqa.py", "download_music_avqa.py", "tests/standin/rehearse.py"),
    *("download_audioset.py", "download_vggsound.py", "download_clips.py", "curate_acav100m.py"),
)
NEEDS = ("yt_dlp", "trustme")

# A Python that runs no program but says what it was asked: an argument a line, then where. A virtual environment
# of it has the packages of which pip left a file beside it; every -m is a line in $CALLS.
STUB = """#!/bin/sh
case $1 in
-u)
    printf '%s\\n' "$@"
    echo "in $(pwd), task ${SLURM_ARRAY_TASK_ID-none}"
    exit "${CODE:-0}"
    ;;
-m)
    echo "$*" >> "$CALLS"
    case $2 in
    venv)
        [ "$3" = --clear ] && rm -rf "$4" && mkdir -p "$4/bin" && cp "$0" "$4/bin/python" && : > "$4/bin/pip"
        chmod +x "$4/bin/pip"
        ;;
    pip)
        if [ -n "${PIP_WAITS:-}" ]; then echo $$ > "$CALLS.pid"; exec /bin/sleep "$PIP_WAITS"; fi
        [ -z "${PIP_FAILS:-}" ] || exit 1
        case $* in *trustme*) : > "$0.trustme" ;; *) : > "$0.yt_dlp" ;; esac
        ;;
    esac
    ;;
-c)
    for name in yt_dlp trustme; do
        case $2 in *"import $name"*) [ -e "$0.$name" ] ;; esac || exit 1
    done
    ;;
esac
"""
# The nodes' naps, shorter: an owner tells of itself each 0.02 s, and counts as dead after 45 looks, 0.06 s apart.
# On a busy machine one that is alive may be silent for a second.
SLEEP = """#!/bin/sh
case $1 in
2) exec /bin/sleep 0.06 ;;
5) exec /bin/sleep 0.02 ;;
*) exec /bin/sleep "0.0$1" ;;
esac
"""


@dataclass(frozen=True)
class Project:
    """A copy of the project's outside in a folder with spaces, for which ``make_venv`` made a .venv or not."""

    folder: Path
    bin: Path

    @property
    def script(self) -> Path:
        return self.folder / SHELL

    @property
    def venv(self) -> Path:
        return self.folder / ".venv"

    def make_venv(self) -> None:
        python = self.venv / "bin" / "python"
        python.parent.mkdir(parents=True)
        shutil.copy(self.bin / "python3.11", python)
        executable(python.with_name("pip"), "")
        for name in NEEDS:
            python.with_name(f"python.{name}").touch()
        shutil.copy(self.folder / "requirements.txt", self.venv)

    @property
    def calls(self) -> list[str]:
        """What Python was asked with -m: venv and pip."""
        path = self.bin / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def start(
        self,
        *words: str,
        by: Path | str | None = None,
        where: Path | None = None,
        err: int | IO[str] = subprocess.PIPE,
        **more: str,
    ) -> subprocess.Popen[str]:
        own = {"PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": str(self.bin), "CALLS": str(self.bin / "calls")}
        own["PYTHON"] = str(self.bin / "python3.11")
        with usual_signals():
            return subprocess.Popen(
                [str(by or self.script), *words],
                cwd=where or self.folder,
                env=own | more,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            )

    def run(self, *words: str, by: Path | str | None = None, where: Path | None = None, **more: str) -> Ended:
        return self.end(self.start(*words, by=by, where=where, **more))

    @staticmethod
    def end(process: subprocess.Popen[str]) -> Ended:
        with process:
            try:
                out, err = process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Ended(process.returncode, out, err or "")

    def argv(self, ended: Ended) -> list[str]:
        """The program's name in the project, and its arguments."""
        assert ended.code == 0, ended.said
        unbuffered, program, *arguments = ended.out.splitlines()[:-1]
        assert unbuffered == "-u"
        return [str(Path(program).relative_to(self.folder)), *arguments]

    @property
    def lock(self) -> Path:
        return self.folder / ".venv.lock"

    def until_pip_runs(self) -> int:
        """The pid of a pip that waits."""
        path, due = self.bin / "calls.pid", time.monotonic() + 20
        while not (path.exists() and path.read_text().strip()):
            assert time.monotonic() < due, "pip was never called"
            time.sleep(0.01)
        return int(path.read_text())


@pytest.fixture
def bare(tmp_path: Path) -> Project:
    """A project without .venv."""
    folder, tools = tmp_path / "pro ject", tmp_path / "bin"
    for name in (SHELL, "requirements.txt", *PROGRAMS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    shutil.copy(ROOT / SHELL, folder)
    (folder / "requirements.txt").write_text("yt-dlp\n")
    tools.mkdir()
    executable(tools / "python3.11", STUB)
    executable(tools / "sleep", SLEEP)
    return Project(folder, tools)


@pytest.fixture
def project(bare: Project) -> Project:
    bare.make_venv()
    return bare


def executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


# -- words -----------------------------------------------------------------------------------------------------

GENERAL, MUSIC, REHEARSAL, *_ = PROGRAMS
WORDS: list[tuple[list[str], list[str]]] = [
    (["./d"], [MUSIC, "--data-dir", "./d"]),
    (["d/"], [MUSIC, "--data-dir", "d/"]),
    (["."], [MUSIC, "--data-dir", "."]),
    (["/d/e", "4", "50K", "3.0"], [MUSIC, *"--data-dir /d/e --workers 4 --rate-limit 50K --sleep 3.0".split()]),
    (["music", "d", "2"], [MUSIC, *"--data-dir d --workers 2".split()]),
    (["general", "./4", "2"], [GENERAL, *"--data-dir ./4 --workers 2".split()]),
    (["general", "2024.data"], [GENERAL, "--data-dir", "2024.data"]),
    (["music", "music"], [MUSIC, "--data-dir", "music"]),
    (
        ["audioset", "d", "2", "50K"],
        ["download_audioset.py", *"--data-dir d --workers 2 --rate-limit 50K".split()],
    ),
    (["vggsound", "d", "--splits", "test"], ["download_vggsound.py", *"--data-dir d --splits test".split()]),
    (
        ["clips", "a b.csv", "d", "8", "--info"],
        ["download_clips.py", "a b.csv", *"--data-dir d --workers 8 --info".split()],
    ),
    (["./music"], [MUSIC, "--data-dir", "./music"]),
    (["general", "a b", "4", "50K"], [GENERAL, "--data-dir", "a b", *"--workers 4 --rate-limit 50K".split()]),
    (["./d", "--status"], [MUSIC, *"--data-dir ./d --status".split()]),
    (["./d", "2", "--proxy", "direct"], [MUSIC, *"--data-dir ./d --workers 2 --proxy direct".split()]),
    (
        ["./d", "2", "0", "0", "--cut", "copy"],
        [MUSIC, *"--data-dir ./d --workers 2 --rate-limit 0 --sleep 0".split()],
    ),
    (["./d", "--yt-dlp-args", "-4 --x 'y z'", "", "*"], [MUSIC, "--data-dir", "./d"]),
    (["./d", "--", "-5"], [MUSIC, *"--data-dir ./d -- -5".split()]),
    (["./d", "02", "4.2M", ".5"], [MUSIC, *"--data-dir ./d --workers 02 --rate-limit 4.2M --sleep .5".split()]),
    (["./d", "2", "50KiB", "3."], [MUSIC, *"--data-dir ./d --workers 2 --rate-limit 50KiB --sleep 3.".split()]),
    (["rehearse"], [REHEARSAL]),
    (["rehearse", "a b", "--x"], [REHEARSAL, "a b", "--x"]),
]


@pytest.mark.parametrize(("words", "argv"), WORDS, ids=[" ".join(words) for words, _ in WORDS])
def test_words(project: Project, words: list[str], argv: list[str]) -> None:
    for name in (word for word in words if word.endswith(".csv")):
        (project.folder / name).touch()
    said = project.argv(project.run(*words))
    assert said[: len(argv)] == argv
    # What is not named above goes on as it is.
    assert said[len(argv) :] == words[len(words) - (len(said) - len(argv)) :]
    assert project.calls == []


ONE_OF = "one of general music audioset vggsound clips acav100m curate rehearse"
MISUSED = [
    ("generl", "unknown dataset 'generl': did you mean general?"),
    ("generl ./d 4 50K", "unknown dataset 'generl': did you mean general?"),
    ("generl --help", "unknown dataset 'generl': did you mean general?"),
    ("GENERAL d", "unknown dataset 'GENERAL': did you mean general?"),
    ("general_avqa d", "unknown dataset 'general_avqa': did you mean general?"),
    ("musci d", "unknown dataset 'musci': did you mean music?"),
    ("vgg d", "unknown dataset 'vgg': did you mean vggsound?"),
    ("acav d", "unknown dataset 'acav': did you mean acav100m?"),
    ("clip l.csv d", "unknown dataset 'clip': did you mean clips?"),
    ("curat run", "unknown dataset 'curat': did you mean curate?"),
    ("curate", "no stage is named: ./run_avqa_download.sh curate run METADATA --data-dir DIR"),
    ("rehersal", "unknown dataset 'rehersal': did you mean rehearse?"),
    ("kinetics d", f"unknown dataset 'kinetics': {ONE_OF}, or a folder of MUSIC-AVQA as a path, ./kinetics"),
    ("d", f"unknown dataset 'd': {ONE_OF}, or a folder of MUSIC-AVQA as a path, ./d"),
    ("4", f"unknown dataset '4': {ONE_OF}, or a folder of MUSIC-AVQA as a path, ./4"),
    ("", f"no dataset is named: {ONE_OF}"),
    ("--proxy=http://me:SECRET@h d", "a dataset comes first, " + ONE_OF + ", then its folder, and behind them "
     "options such as --proxy"),
    ("general", "no folder is named: ./run_avqa_download.sh general DATA_DIR"),
    ("general --status", "no folder is named: ./run_avqa_download.sh general DATA_DIR"),
    ("clips", "no list is named: ./run_avqa_download.sh clips LIST DATA_DIR"),
    ("clips x.csv", "no folder is named: ./run_avqa_download.sh clips LIST DATA_DIR"),
    ("general 4 50K 3.0", "'4' is a number where the folder is expected: ./run_avqa_download.sh general DATA_DIR "
     "[WORKERS [RATE [SLEEP]]]; a folder of that name is ./4"),
    # Numbers, before minutes of set-up.
    ("general d four", "WORKERS is 'four': it is a whole number from 1 up, such as 4"),
    ("general d 0", "WORKERS is '0': it is a whole number from 1 up, such as 4"),
    ("general d 50K 4", "WORKERS is '50K': it is a whole number from 1 up, such as 4"),
    ("./d 4 fast", "RATE is 'fast': it is bytes a second, such as 50K or 4.2M, 0 for no limit"),
    ("./d 4 50K 3s", "SLEEP is '3s': it is seconds, such as 3.0, 0 for none"),
    ("./d 4 50K 3.0 more", "there is no place for 'more': behind WORKERS, RATE and SLEEP come options"),
    ("clips x.csv d 4 0 0 more", "there is no place for 'more': behind WORKERS, RATE and SLEEP come options"),
    ("clips x.csv d", "LIST is x.csv: there is no such file"),
    ("acav100m lists/x.csv.gz d", "LIST is lists/x.csv.gz: there is no such file"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "message"), MISUSED, ids=[words for words, _ in MISUSED])
def test_what_cannot_be_meant_makes_no_folder(bare: Project, words: str, message: str) -> None:
    """One message, then where to read on; nothing is set up or begun."""
    before = sorted(bare.folder.iterdir())
    ended = bare.run(*words.split())
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [f"error: {message}", "  see ./run_avqa_download.sh --help"]
    assert sorted(bare.folder.iterdir()) == before and bare.calls == []


def test_a_folder_that_a_mistake_made_once_is_not_gone_on_with(project: Project) -> None:
    (project.folder / "generl").mkdir()
    assert project.run("generl").code == 2


def test_an_empty_word_is_no_folder(project: Project) -> None:
    assert project.run("").code == project.run("general", "").code == 2


def test_control_characters_are_not_shown_again(project: Project) -> None:
    assert "\x1b" not in project.run("\x1b[2J").err


@pytest.mark.parametrize(
    "words", ["-h", "--help", "help", "general -h", "music --help", "clips help", "rehearse -h"]
)
def test_help(bare: Project, words: str) -> None:
    ended = bare.run(*words.split())
    assert ended.code == 0 and ended.out.startswith("usage:") and ended.err == "" and not bare.venv.exists()


@pytest.mark.parametrize("code", [0, 1, 2, 3, 75, 143])
def test_the_exit_code_is_the_programs(project: Project, code: int) -> None:
    assert project.run("./d", CODE=str(code)).code == code


# -- where it is -----------------------------------------------------------------------------------------------


def test_from_any_folder_and_through_links(project: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    (elsewhere / "link").symlink_to(Path("..") / "pro ject" / SHELL)
    (elsewhere / "link to it").symlink_to(elsewhere / "link")
    for by in (project.script, f"../pro ject/{SHELL}", "./link", elsewhere / "link to it"):
        ended = project.run("./d", by=by, where=elsewhere, CDPATH=str(tmp_path))
        assert project.argv(ended) == [MUSIC, "--data-dir", "./d"]
        assert f"in {elsewhere}, " in ended.out


@dataclass(frozen=True)
class Spooled:
    """What Slurm says of a job, the variables of which name its folders; ``found``: whether that will do."""

    command: str
    variables: str = "SLURM_SUBMIT_DIR={there}"
    found: bool = True


# {here}: the project; {there}: another folder. Slurm says the path as it was typed, and then the words.
SPOOLED = {
    "absolute": Spooled("{here}/run_avqa_download.sh general d 4"),
    "without words": Spooled("{here}/run_avqa_download.sh"),
    "relative": Spooled("./run_avqa_download.sh a b/c", "SLURM_SUBMIT_DIR={here}"),
    "relative to above": Spooled("pro ject/run_avqa_download.sh d", "SLURM_SUBMIT_DIR={here}/.."),
    "a link": Spooled("{there}/link d"),
    "another name": Spooled("{here}/mine d"),
    "nothing": Spooled("", "SLURM_SUBMIT_DIR={here}"),
    "from standard input": Spooled("(null)", "SLURM_SUBMIT_DIR={here}"),
    "elsewhere": Spooled("{there}/run_avqa_download.sh d", found=False),
    "nowhere": Spooled("(null)", "SLURM_JOB_NAME=x", found=False),
    "named": Spooled("(null)", "AVCLIPS_HOME={here}"),
    "named wrongly": Spooled("{here}/run_avqa_download.sh d", "AVCLIPS_HOME={there}", found=False),
    "named relatively": Spooled("(null)", "AVCLIPS_HOME=../pro ject"),
}


@pytest.mark.parametrize("name", SPOOLED)
def test_a_batch_job_finds_the_project(project: Project, tmp_path: Path, name: str) -> None:
    case, there = SPOOLED[name], tmp_path / "there"
    spool = tmp_path / "spool" / "job00007" / "slurm_script"
    for folder in (there, spool.parent):
        folder.mkdir(parents=True)
    shutil.copy(project.script, spool)
    shutil.copy(project.script, project.folder / "mine")
    (there / "link").symlink_to(project.script)
    command = case.command.format(here=project.folder, there=there)
    record = f"JobId=7 ArrayJobId=6 JobName=x\n   Comment=Command=/x\n   Command={command}\n   WorkDir={there}\n\n"
    executable(project.bin / "scontrol", f"#!/bin/sh\n[ \"$*\" = 'show job 7' ] && cat <<'X'\n{record}{record}X\n")
    variable, _, value = case.variables.format(here=project.folder, there=there).partition("=")
    own = {"SLURM_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "3", variable: value}
    ended = project.run("general", "./d", by=spool, where=there, **own)
    if case.found:
        assert project.argv(ended) == [GENERAL, "--data-dir", "./d"]
        assert f"in {there}, task 3" in ended.out
    else:
        assert ended.code == 1 and ended.out == ""
        assert "there is no" in ended.err or "submit it from the project's folder" in ended.err
        assert GENERAL in ended.err and "AVCLIPS_HOME" in ended.err


def test_a_step_of_another_job_finds_the_project(project: Project, tmp_path: Path) -> None:
    """A user's own job script calls it: scontrol would name that, and is not there besides."""
    ended = project.run("./d", where=tmp_path, SLURM_JOB_ID="7", SLURM_SUBMIT_DIR=str(tmp_path))
    assert project.argv(ended)[0] == MUSIC


def test_without_the_project_it_says_so(project: Project) -> None:
    (project.folder / MUSIC).unlink()
    ended = project.run("./d")
    assert ended.code == 1 and f"{MUSIC} is not beside this script" in ended.err


# -- .venv -----------------------------------------------------------------------------------------------------


def test_venv_is_made_once_and_brought_up_to_date(bare: Project) -> None:
    made = [f"-m venv --clear {bare.venv}", "-m pip install -r requirements.txt"]
    assert bare.argv(bare.run("./d")) == [MUSIC, "--data-dir", "./d"]
    assert shorn(bare) == made
    bare.run("./d")
    assert shorn(bare) == made
    (bare.folder / "requirements.txt").write_text("yt-dlp>=2\n")
    bare.run("./d")
    assert shorn(bare) == [*made, made[1]]
    # The user's own environment, without the packages.
    (bare.venv / "bin" / "python.yt_dlp").unlink()
    bare.run("./d")
    assert shorn(bare) == [*made, made[1], made[1]]
    bare.run("rehearse")
    bare.run("rehearse")
    assert shorn(bare)[4:] == ["-m pip install trustme"]
    (bare.folder / "requirements-curate.txt").write_text("numpy\n")
    for _ in range(2):
        assert bare.argv(bare.run("curate", "filter", "m.tsv")) == ["curate_acav100m.py", "filter", "m.tsv"]
    assert shorn(bare)[5:] == ["-m pip install -r requirements-curate.txt"]
    assert not bare.lock.exists()


def shorn(project: Project) -> list[str]:
    """The calls without the options that make pip quiet, and without folders."""
    calls = (call.replace(f"{project.folder}/requirements", "requirements") for call in project.calls)
    return [" ".join(word for word in call.split(" ") if word not in QUIETLY) for call in calls]


QUIETLY = ("--quiet", "--no-input", "--disable-pip-version-check")


def test_starts_at_once_make_one_venv(bare: Project) -> None:
    # It is not made before all of them have come.
    python, come = bare.bin / "python3.11", bare.bin / "come"
    patient = python.read_text().replace("venv)", f"venv) while [ ! -e '{come}' ]; do /bin/sleep 0.02; done;")
    executable(bare.bin / "slow", patient)
    shutil.move(bare.bin / "slow", python)
    paths = [bare.bin / f"{number}.err" for number in range(4)]
    with ExitStack() as files:
        said = [files.enter_context(path.open("w")) for path in paths]
        tasks = [
            bare.start("./d", err=err, SLURM_JOB_ID=str(n), SLURM_ARRAY_TASK_ID=str(n))
            for n, err in enumerate(said)
        ]
        due = time.monotonic() + 30
        while sum("Waiting for" in path.read_text() for path in paths) < 3:
            assert time.monotonic() < due, [path.read_text() for path in paths]
            time.sleep(0.01)
        come.touch()
        ends = [bare.end(task) for task in tasks]
    assert [bare.argv(ended) for ended in ends] == [[MUSIC, "--data-dir", "./d"]] * 4
    assert len(bare.calls) == 2
    assert sum("Waiting for" in path.read_text() for path in paths) == 3
    assert not bare.lock.exists()


@pytest.mark.parametrize("by", [SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_setup(bare: Project, by: signal.Signals) -> None:
    task = bare.start("./d", PIP_WAITS="60")
    pip = bare.until_pip_runs()
    task.send_signal(by)
    assert bare.end(task).code == 128 + by
    assert not bare.lock.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pip, 0)
    assert bare.run("./d").code == 0


@pytest.fixture
def torn(bare: Project) -> Iterator[Project]:
    """A project whose set-up was killed in the middle."""
    task = bare.start("./d", PIP_WAITS="60")
    pip = bare.until_pip_runs()
    task.send_signal(SIGKILL)
    os.kill(pip, SIGKILL)
    bare.end(task)
    assert bare.lock.exists()
    yield bare
    assert not bare.lock.exists()


def test_a_killed_setup_is_taken_over_by_one(torn: Project) -> None:
    tasks = [torn.start("./d") for _ in range(3)]
    assert [torn.end(task).code for task in tasks] == [0, 0, 0]
    # The killed one's pip, and its successor's, which trusts nothing that it finds.
    again = "-m pip install --force-reinstall -r requirements.txt"
    assert shorn(torn) == [f"-m venv --clear {torn.venv}", again.replace("--force-reinstall ", ""), again]


def test_a_venv_killed_before_it_had_pip_is_made_anew(bare: Project) -> None:
    (bare.venv / "bin").mkdir(parents=True)
    shutil.copy(bare.bin / "python3.11", bare.venv / "bin" / "python")
    assert bare.run("./d", SLURM_JOB_ID="7").code == 0
    assert shorn(bare)[0] == f"-m venv --clear {bare.venv}"


def test_a_setup_killed_before_it_had_a_name_is_taken_over(bare: Project) -> None:
    bare.lock.mkdir()
    assert bare.run("./d").code == 0
    assert not bare.lock.exists()


def test_a_pip_that_takes_long_says_that_it_is_at_work(bare: Project) -> None:
    task = bare.start("./d", PIP_WAITS="60")
    pip = bare.until_pip_runs()
    assert task.stderr is not None
    assert "Setting up" in task.stderr.readline()
    assert [task.stderr.readline() for _ in range(2)] == [f"  pip is at work: {n} s\n" for n in (10, 20)]
    os.kill(pip, SIGKILL)
    ended = bare.end(task)
    # It has ended with it.
    assert ended.code == 1 and ended.err.splitlines()[-1].startswith("error: pip could not install")


def test_pip_fails(bare: Project) -> None:
    ended = bare.run("./d", PIP_FAILS="1")
    assert ended.code == 1 and "pip could not install" in ended.err and not bare.lock.exists()
    assert bare.run("./d").code == 0


def test_a_folder_that_takes_nothing(bare: Project) -> None:
    bare.lock.write_text("a file in its place")
    ended = bare.run("./d")
    assert ended.code == 1 and "takes nothing" in ended.err and bare.calls == []


@pytest.mark.parametrize(("job", "code"), [("7", 1), ("", 0)])
def test_a_venv_of_other_nodes(project: Project, job: str, code: int) -> None:
    """Its Python is not here: on a cluster others may be running on it, at home it was replaced."""
    (project.venv / "bin" / "python").unlink()
    ended = project.run("./d", SLURM_JOB_ID=job)
    assert ended.code == code and bool(project.calls) is (code == 0)
    assert not code or "may be in use on other nodes" in ended.err
    assert not project.lock.exists()


def test_no_python(bare: Project) -> None:
    ended = bare.run("./d", PYTHON="/nowhere/python3")
    assert ended.code == 1 and "/nowhere/python3, which does not run" in ended.err
    assert bare.calls == [] and not bare.lock.exists()


# -- the real program ------------------------------------------------------------------------------------------

CLIPS = [f"shell00000{n}_000000" for n in range(3)]


class ShellStage(Stage):
    """The stage of another, played on by the shell script, in a project of links to the real one."""

    def __init__(self, other: Stage, tools: Path) -> None:
        super().__init__(other.youtube, other.base)
        self.data = other.base / "a place" / "av qa"
        self.data.parent.mkdir()
        self._project = other.base / "pro ject"
        python = self._project / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        # No link: a virtual environment is found by its Python's own path.
        executable(python, f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        for name in ("requirements.txt", *PROGRAMS[:2]):
            (self._project / name).symlink_to(ROOT / name)
        shutil.copy(ROOT / SHELL, self._project)
        shutil.copy(ROOT / "requirements.txt", self._project / ".venv")

    def command(self, *options: str | Path) -> list[str]:
        words = ["general", self.data.name, "2", "0", "0", "--proxy", self.youtube.proxy]
        return [str(self._project / SHELL), *words, *map(str, options)]


def test_sigterm_to_the_script_saves_and_the_same_command_goes_on(tmp_path: Path, media_folder: Path) -> None:
    stalled = FakeVideo(QUICK, faults=(Fault("stall", beyond=20_000, after=1000),))
    videos = {clip: FakeVideo(QUICK) for clip in CLIPS[:2]} | {CLIPS[2]: stalled}
    with stage(tmp_path, media_folder, videos) as other:
        played = ShellStage(other, tmp_path)
        child = played.start(before=["nohup"])
        child.until(lambda: len(played.published) == 2 and in_the_middle(played))
        child.send(SIGTERM)
        ended = child.end()
        assert ended.code == 128 + SIGTERM and "SIGTERM" in ended.err, ended.said
        assert set(played.completed) == set(CLIPS[:2]) and played.failed == {}
        played.youtube.videos[CLIPS[2][:11]] = FakeVideo(QUICK)
        ended = played.start().end()
        assert ended.code == 0 and "3 of 3 clips are done" in ended.out, ended.said
        assert set(played.completed) == set(CLIPS)


def in_the_middle(played: Stage) -> bool:
    return sum(request.sent for request in played.youtube.requests("media", CLIPS[2][:11])) >= 1000

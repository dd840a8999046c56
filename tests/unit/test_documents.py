"""README, docs and examples: what they link to is there, and what they tell people to type can be meant."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from avclips.cli.options import make_parser
from avclips.core.tested_versions import FFMPEG, YT_DLP
from avclips.datasets.known import dataset_named
from tests.support import programs
from tests.support.documented import commands, named, options_of_ours, wrong
from tests.support.documents import Block, anchors, blocks, links, pages, prose, spans
from tests.support.script import ROOT

PAGES = pages()
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
BLOCKS = [block for page in PAGES for block in blocks(page)]
# Made by `make test-browser AVCLIPS_SCREENSHOTS=docs/pictures` and tools/terminal_picture.py.
PICTURES = {
    f"docs/pictures/{name}"
    for name in (
        "explorer-grid.png",
        "explorer-clip.png",
        "explorer-map.png",
        "rehearse.svg",
        "curation-precision.svg",
        "curation-pretrain.svg",
    )
}


def of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


# -- links ---------------------------------------------------------------------------------------------------


def broken(page: Path, text: str) -> list[str]:
    """The links of a page that lead nowhere."""
    found = []
    for link in links(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_relative_to(ROOT) or not target.exists():
            found.append(f"there is no {link}")
        elif anchor and anchor not in anchors(text if target == page else target.read_text(encoding="utf-8")):
            found.append(f"there is no heading {link}")
    return found


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "[a](docs/index.md), [b](https://example.org/nothing), ![c](docs/nothing.png)",
            ["there is no docs/nothing.png"],
        ),
        ("# A `word`, and two\n[a](#a-word-and-two)\n[b](#a-word)", ["there is no heading #a-word"]),
        ("[a](docs/folder.md#reasons) [b](docs/folder.md#rhymes)", ["there is no heading docs/folder.md#rhymes"]),
        ("# Twice\n# Twice\n[a](#twice-1) [b](#twice-2)", ["there is no heading #twice-2"]),
        ("`[a](nothing.md)`\n```\n[a](nothing.md)\n```", []),
        ("[a](../outside.md)", ["there is no ../outside.md"]),
    ],
)
def test_a_link_that_leads_nowhere_is_seen(text: str, found: list[str]) -> None:
    assert broken(ROOT / "README.md", text) == found


def test_the_pictures_are_shown() -> None:
    shown = {
        str((page.parent / link).resolve().relative_to(ROOT))
        for page in PAGES
        for link in links(page.read_text(encoding="utf-8"))
        if link.endswith((".png", ".svg")) and "docs/pictures" in str((page.parent / link).resolve())
    }
    assert shown == PICTURES


def test_the_site_has_every_page() -> None:
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    found: list[str] = []
    for name in re.findall(r": ([\w*-]+\.md)$", nav, re.MULTILINE):
        matching = sorted(path.name for path in (ROOT / "docs").glob(name))
        assert matching, f"there is no docs/{name}"
        found += matching
    assert sorted(found) == sorted(path.name for path in ROOT.glob("docs/*.md"))


# -- commands ------------------------------------------------------------------------------------------------

SHELL = of("bash")
SENTENCES = re.compile(
    r"(?:python3?|avclips|make|pip|docker|sbatch|\./run_avqa_download\.sh|\.venv(?:-dev)?/bin/\w+) "
)


def in_shell(text: str) -> list[str]:
    return [each for command in commands(text) for each in wrong(command)]


@pytest.mark.parametrize("block", SHELL, ids=map(str, SHELL))
def test_every_command_can_be_run(block: Block) -> None:
    assert list(commands(block.text)), "a block of commands without one"
    assert in_shell(block.text) == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/*.sh")), ids=lambda path: path.name)
def test_every_command_of_an_example_can_be_run(path: Path) -> None:
    assert in_shell(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_in_sentences(page: Path) -> None:
    shown = [span for span in spans(page.read_text(encoding="utf-8")) if SENTENCES.match(span)]
    # [--what N] may be left out; of {one,other} one is taken.
    said = [re.sub(r"\{(\w+),[^}]*\}", r"\1", re.sub(r"\[(--[^]]+)\]", r"\1", span)) for span in shown]
    assert [each for span in said for command in commands(span) for each in named(command)] == []


# Options of others' programs, and what is shown as a mistake.
OF_OTHERS = {
    "--upgrade",
    "--array",
    "--extractor-args",
    "--download-sections",
    "--user",
    "--split",
    "--requirements",
}
# Of tools that a developer runs.
OF_TOOLS = {"--case", "--section", "--only"}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_option_in_a_sentence_is_one(page: Path) -> None:
    ours = options_of_ours()
    said = {
        option
        for span in spans(page.read_text(encoding="utf-8"))
        for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", span)
    }
    assert said - ours - OF_OTHERS - OF_TOOLS == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("avclips coverage data --latex | tail -3 > out.txt 2>&1 &", []),
        ("avclips coverage data --late", "unknown option --late"),
        ("python -m avclips covrage data", "no command 'covrage'"),
        ("python download_general_avqa.py --split val", "unknown option --split"),
        ("python download_vggsound.py --splits test --workers 4", []),
        ("nohup ./run_avqa_download.sh general ./data 4 50K 3.0 --fps 25 > a.out 2>&1 &", []),
        ("./run_avqa_download.sh general ./data four", "--workers"),
        ("./run_avqa_download.sh avqa ./data", "no dataset avqa"),
        ("sbatch --wrap 'bash run_avqa_download.sh audioset d --part $SLURM_ARRAY_TASK_ID/20'", []),
        ("sbatch --wrap 'bash run_avqa_download.sh audioset d --parts 1/2'", "unknown option --parts"),
        ("sbatch --arrays=1 run_avqa_download.sh general d", "sbatch --arrays"),
        ("avclips curate select --data-dir d --kept 0.2", "--kept"),
        ("avclips curate choose --data-dir d", "no stage ['choose']"),
        ("make test SEED=1 # a comment", []),
        ("make tests", "no target tests"),
        ("make soak SEEDS=1", "no variable SEEDS"),
        ("pip install -r requirements-scale.txt && pip install '.[scale,torch]'", []),
        ("pip install -r requirements-big.txt", "there is no requirements-big.txt"),
        ("pip install '.[big]'", "no extra big"),
        ("pip install somebody-elses", "no requirements file"),
        ("python -m tools.reader", "no module tools.reader"),
        ("python -m tools.readers --onyl PyAV", "no option --onyl"),
        ("docker run --rm avclips general --data-dri d", "unknown option --data-dri"),
        ("python download_avqa.py", "there is no download_avqa.py"),
        ("X=$(python -c 'import json') rm -rf /", "rm is no command that is known"),
    ],
)
def test_a_command_that_cannot_be_run_is_seen(text: str, found: str | list[str]) -> None:
    said = in_shell(text)
    assert said == found if isinstance(found, list) else len(said) == 1 and found in said[0]


# -- programs, tables, settings ------------------------------------------------------------------------------

# The signatures that docs/api.md shows are compared with the code by its own test.
PYTHON = [block for block in of("python") if not (block.page.name == "api.md" and ") -> " in block.text)]


@pytest.mark.parametrize("page", sorted({block.page for block in PYTHON}), ids=lambda page: page.name)
def test_every_program_can_be_meant(page: Path) -> None:
    """A page's programs go on from each other."""
    assert programs.wrong("\n".join(block.text for block in PYTHON if block.page == page)) == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/*.py")), ids=lambda path: path.name)
def test_every_example_can_be_meant(path: Path) -> None:
    assert programs.wrong(path.read_text(encoding="utf-8")) == []


def test_the_notebook_can_be_meant() -> None:
    cells = json.loads((ROOT / "examples" / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert code and programs.wrong("\n".join(code)) == []
    # No result, and no path of whoever saved it last.
    assert all(cell["outputs"] == [] for cell in cells if cell["cell_type"] == "code")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from avclips.loaders import AVQADataset\nAVQADataset('d', split='val', num_frames=8, mono=True)", []),
        ("from avclips.loaders import AVQADataset\nAVQADataset('d', frames=8)", ["AVQADataset has no frames="]),
        ("from avclips.loaders import ShardDataset\nShardDataset('d', seed=1, load=('audio',), fold=1)",
         ["ShardDataset has no fold="]),
        ("from avclips.loaders import AVQA", ["avclips.loaders has no AVQA"]),
        ("import avclips\navclips.download('music', data_dir='d', workers=2, rest=1)", ["download has no rest="]),
        ("import avclips\navclips.upload('d')", ["avclips has no upload"]),
        ("import avclips\ndata = avclips.open_dataset('d')\ndata.done(split='val')\ndata.refresh()", []),
        ("import avclips\ndata = avclips.open_dataset('d')\ndata.finished()", ["OpenedDataset has no finished"]),
        ("import avclips\ndata = avclips.open_dataset('d')\ndata.done(part='val')",
         ["OpenedDataset.done has no part="]),
        ("import avclips\nresult = avclips.download('music')\nresult.done, result.gone", ["Result has no gone"]),
        ("from avclips.loaders import AVQADataset as A\na = A('d')\na.collate, a.classes, a.batch",
         ["AVQADataset has no batch"]),
        ("from avclips.loaders import ShardDataset\nd = ShardDataset('d')\nd.state_dict(batches=1, batch=2)",
         ["ShardDataset.state_dict has no batch="]),
        ("from avclips import Settings\nSettings(workers=1, worker=1)", ["Settings has no worker="]),
        ("import avclips.nothing", ["there is no avclips.nothing"]),
        ("from avclips.datasets.acav100m import ACAV100M, ACAV", ["avclips.datasets.acav100m has no ACAV"]),
    ],
)  # fmt: skip
def test_a_program_that_cannot_be_meant_is_seen(text: str, found: list[str]) -> None:
    assert programs.wrong(text) == found


@pytest.mark.parametrize("block", of("json"), ids=map(str, of("json")))
def test_json(block: Block) -> None:
    assert json.loads(block.text)


@pytest.mark.parametrize("block", of("toml"), ids=map(str, of("toml")))
def test_every_setting_of_a_file_is_one(block: Block) -> None:
    """The head of such a block is the command that reads it, and names the dataset."""
    script = re.match(r"# python download_(\w+)\.py --config ", block.text)
    assert script is not None
    known = {name.removeprefix("--").replace("-", "_") for name in make_parser(dataset_named(script[1])).actions()}
    assert {name.replace("-", "_") for name in tomllib.loads(block.text)} <= known


def test_no_language_is_left_out() -> None:
    assert {block.language for block in BLOCKS} == {"", "bash", "bibtex", "json", "python", "toml"}


# -- the image -----------------------------------------------------------------------------------------------


def test_the_image() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    # What a connection has spent outlives a container that is removed.
    assert "VOLUME /data" in lines and any(line.startswith("ENV XDG_CACHE_HOME=/data/") for line in lines)
    allowed = set((ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines())
    shown = [line[2:] for line in lines if line.startswith("# docker ")]
    assert shown and [each for line in shown for each in in_shell(line)] == []
    for line in lines:
        if line.startswith("COPY "):
            for source in line.split()[1:-1]:
                # Everything is left out of the context but what stands behind a "!".
                assert list(ROOT.glob(source)) and f"!{source}" in allowed, source
        for extras in re.findall(r"avclips\[[\w,]+\]", line):
            assert wrong(["pip", "install", extras.replace("avclips", ".")]) == []


# -- what is named, and what there is ------------------------------------------------------------------------


def test_the_table_of_packages_has_all_of_them() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## The packages")[2]
    rows = re.findall(r"^\| (`[^|]+) \|", text.partition("\n## ")[0], re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(path.parent.name for path in ROOT.glob("avclips/*/__init__.py"))


def test_the_versions_are_those_that_are_tested() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    said = text.partition("## Versions")[2].partition("\n\n")[2].partition("\n\n")[0]
    assert re.findall(r"\d+(?:\.\d+)+", said) == [*YT_DLP.versions, *FFMPEG.versions]


def test_every_target_of_make_is_described() -> None:
    """In CONTRIBUTING.md or docs/development.md, but for those whose one line in `make` says all."""
    text = "".join(
        (ROOT / name).read_text(encoding="utf-8") for name in ("CONTRIBUTING.md", "docs/development.md")
    )
    targets = re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    lacking = {target for target in targets if not re.search(rf"`?make(?: [a-z-]+)* {target}\b", text)}
    assert lacking <= {"help", "format", "rehearse", "single-file", "clean"}


# -- options and their defaults ------------------------------------------------------------------------------


def test_defaults_are_those_of_the_program() -> None:
    """The rows of docs/options.md whose last cell is a value, beside the parser of General AVQA."""
    actions = make_parser(dataset_named("general")).actions()
    compared = 0
    for row in (ROOT / "docs" / "options.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)]
        match = re.match(r"`(--[\w-]+)", cells[1]) if len(cells) == 5 and "`, `" not in cells[1] else None
        default = actions[match[1]].default if match else None
        if match and default and isinstance(default, (str, int, float)) and not isinstance(default, bool):
            assert str(default) == re.split(r"[ ;]", cells[3])[0].strip("`"), row
            compared += 1
    assert compared > 8


# -- words ---------------------------------------------------------------------------------------------------


def test_a_page_has_a_title_and_soon_a_command() -> None:
    """What a person wants to do comes before how it is done, for pages that are about something to do."""
    to_look_up = {"architecture.md", "faq.md", "findings.md", "index.md", "readers.md", "reference.md", "scale.md"}
    for page in sorted(ROOT.glob("docs/*.md")):
        text = page.read_text(encoding="utf-8")
        assert text.startswith("# "), page.name
        assert not re.search(r"\b(yours|theirs|hers)\b", " ".join(prose(text).split()), re.I), page.name
        if page.name not in to_look_up:
            assert any(each.language in ("bash", "python") and each.line <= 12 for each in blocks(page)), page.name

"""``avclips curate``: its stages, what `run` makes of its options, and how far each stage is."""

from __future__ import annotations

import argparse
import functools
import json
import shlex
import shutil
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest

from avclips.catalog import samples
from avclips.cli import curate, curate_run, tools
from avclips.cli.commands import main
from avclips.core.errors import UsageError
from avclips.core.signals import Signals
from avclips.curate import record
from avclips.curate.clip_set import clips_digest
from avclips.curate.folders import stage_folder
from avclips.datasets.general_avqa import GENERAL_AVQA
from tests.support.made_folder import made_folder


@pytest.fixture(autouse=True)
def _no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "Signals", lambda: Signals(take=False))


def said(words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    curate_run.arguments(parser)
    return parser.parse_args(["m.tsv", "--data-dir", "d", *shlex.split(words)])


def test_every_stage_has_options_and_a_way_to_run() -> None:
    here = Path(curate.__file__).parent
    modules = {path.stem for path in here.glob("curate_*.py")} - {"curate_arguments"}
    assert modules <= {module for module, _ in curate.STAGES.values()}
    assert {curate.STAGES[stage][0] for stage in curate_run.ORDER} <= modules
    for name in modules:
        made = import_module(f"avclips.cli.{name}")
        made.arguments(argparse.ArgumentParser(prog=name))
        assert callable(made.run)


@pytest.mark.parametrize(
    ("words", "steps"),
    [
        (
            "",
            ["filter m.tsv --data-dir d", *(f"{stage} --data-dir d" for stage in curate_run.ORDER[1:])],
        ),
        (
            "--keep 0.2 --seed 7 --fast",
            [
                "filter m.tsv --data-dir d", "download --data-dir d", "segment --data-dir d --fast",
                "features --data-dir d", "cluster --data-dir d --seed 7",
                "select --data-dir d --keep 0.2 --seed 7", "export --data-dir d",
            ],
        ),
        (
            "--until segment --with 'download --workers 8' --with 'filter --languages en' --with 'segment --fast'",
            ["filter m.tsv --data-dir d --languages en", "download --data-dir d -- --workers 8",
             "segment --data-dir d --fast"],
        ),
        (
            "--until segment --propose 10 --with 'download --workers 8'",
            ["filter m.tsv --data-dir d", "segment --data-dir d --propose --fixed 10 -- --workers 8"],
        ),
    ],
)  # fmt: skip
def test_the_steps_of_a_run(words: str, steps: list[str]) -> None:
    assert [str(step) for step in curate_run.steps_of(said(words))] == [f"avclips curate {step}" for step in steps]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--with 'fliter --x'", "begins with no stage"),
        ("--until filter --with 'segment --fast'", "is not done here"),
        ("--with 'filter \"b'", "No closing quotation"),
    ],
)
def test_steps_that_cannot_be_meant(words: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        list(curate_run.steps_of(said(words)))


def test_words_of_a_late_stage_are_read_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.tsv").write_text("")
    words = ["run", str(tmp_path / "m.tsv"), "--data-dir", str(tmp_path), "--with", "segment --fsat"]
    with pytest.raises(SystemExit) as caught:
        main(["curate", *words])
    assert caught.value.code == 2
    assert "--fsat" in capsys.readouterr().err
    assert not (tmp_path / "curation").exists()


def test_a_stage_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["curate", "segmnet", "--help"]) == 2
    assert "did you mean segment?" in capsys.readouterr().err
    assert main(["curate"]) == 2
    assert "no stage is named: one of filter download" in capsys.readouterr().err


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"title": "A dog in the snow", "duration": seconds} for seconds in (5, 60)]
    (tmp_path / "m.tsv").write_text("".join(f"dQw4w9WgXc{n}\t{json.dumps(row)}\n" for n, row in enumerate(rows)))
    data = tmp_path / "data"
    words = ["filter", str(tmp_path / "m.tsv"), "--data-dir", str(data), "--rules", "duration", "--dry-run"]
    assert main(["curate", *words]) == 0
    out = capsys.readouterr().out
    assert "2 rows: 1 kept, 1 dropped" in out
    assert "nothing was written" in out
    assert not data.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--min-seconds 50 --max-seconds 40", "is above"),
        ("--rules duraton", "did you mean duration"),
        ("--keywords none.txt", "No such file"),
    ],
)
def test_filters_that_cannot_be_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, message: str
) -> None:
    (tmp_path / "m.tsv").write_text("")
    assert main(["curate", "filter", str(tmp_path / "m.tsv"), "--data-dir", str(tmp_path), *words.split()]) == 2
    assert message in capsys.readouterr().err


def test_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["curate", "status", "--data-dir", str(tmp_path)]) == 2
    assert "nothing was curated" in capsys.readouterr().err
    for stage in ("filter", "segment"):
        record.begin(stage_folder(tmp_path, stage), record.Record(stage, {}, {}))
    counts = {"rows": 12345, "kept": 7, "share": 0.123456789, "first": {"duration": 1}}
    record.finish(stage_folder(tmp_path, "filter"), counts)
    assert main(["curate", "status", "--data-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[:4] == [
        "filter    finished: rows 12,345, kept 7, share 0.1235",
        "download  not begun",
        "segment   begun, not finished",
        "features  not begun",
    ]


IDS = [f"{letter * 11}_000010" for letter in "abc"]


def downloaded(data_dir: Path, done: Sequence[str]) -> None:
    """What a run leaves of a list of IDS."""
    questions = [{"video_name": name} for name in IDS]
    annotations = {f"{split}_qa.json": questions for split in ("train", "val")}
    made_folder(GENERAL_AVQA, data_dir, annotations=annotations, done=done)


def curated(data_dir: Path) -> dict[str, record.Record]:
    """A data folder in which every stage from features on is finished, and made from the one before it."""
    downloaded(data_dir, IDS[:2])
    clips, _ = clips_digest(functools.partial(samples, data_dir))
    made: dict[str, record.Record] = {}
    for stage, inputs in (
        ("features", ()), ("cluster", ("features",)), ("select", ("cluster",)), ("export", ("select",)),
        ("tensors", ()), ("pretrain", ("tensors",)),
    ):  # fmt: skip
        of = {name: made[name].fingerprint() for name in inputs}
        made[stage] = record.Record(stage, {}, of if inputs else {"clips": clips})
        record.begin(stage_folder(data_dir, stage), made[stage])
        record.finish(stage_folder(data_dir, stage), {"clips": 1000})
    for part in ("", "ids"):
        folder = stage_folder(data_dir, "evaluate") / part
        folder.mkdir(parents=True)
        said = {"features": made["features"].fingerprint(), "clips": 900}
        (folder / "probe.json").write_text(json.dumps(said))
    return made


@pytest.mark.parametrize(
    ("again", "gone", "said"),
    [
        ((), (), {}),
        (("select",), (), {"export": "of another selection than {select} has"}),
        ((), ("select",), {"export": "what it was made from is not in {select}"}),
        (("tensors",), (), {"pretrain": "of other tensors than {tensors} has"}),
        (
            # And so on, whatever is made from it.
            ("features",),
            (),
            {
                "cluster": "of other features than {features} has",
                "select": "{cluster}, which it was made from, is to be made anew first",
                "export": "{select}, which it was made from, is to be made anew first",
                "probe": "of other features than {features} has",
            },
        ),
    ],
)
def test_status_says_what_is_of_another_run(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    again: tuple[str, ...],
    gone: tuple[str, ...],
    said: dict[str, str],
) -> None:
    made = curated(tmp_path)
    for stage in (*again, *gone):
        shutil.rmtree(stage_folder(tmp_path, stage))
    for stage in again:
        record.begin(stage_folder(tmp_path, stage), record.Record(stage, {"seed": 7}, made[stage].inputs))
        record.finish(stage_folder(tmp_path, stage), {"clips": 1000})
    assert main(["curate", "status", "--data-dir", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    for stage in (*made, "probe"):
        found = [line for line in lines if line.startswith(stage)]
        assert len(found) == (2 if stage == "probe" else 1), stage
        for line in found:
            if stage in gone:
                assert line.endswith(" not begun")
                continue
            assert "finished" in line
            _, _, of = line.partition("; ")
            folders = {name: stage_folder(tmp_path, name) for name in made}
            assert of == said.get(stage, "").format(**folders), line
    assert lines[-1].startswith("probe     finished of ids: clips 900")


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (IDS[:2], ""),
        (IDS[1:2], "of other clips than are here now"),
        (IDS[:3], "of other clips than are here now"),
        ([], "the clips that it was made from cannot be read: {folder} is neither a data folder nor"),
    ],
)
def test_status_says_what_is_of_other_clips(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], now: list[str], said: str
) -> None:
    """And what is made of that."""
    curated(tmp_path)
    shutil.rmtree(tmp_path / "metadata")
    for name in ("videos", "audio", "manifest.jsonl"):
        path = tmp_path / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if now:
        downloaded(tmp_path, now)
    assert main(["curate", "status", "--data-dir", str(tmp_path)]) == 0
    told = {line.split()[0]: line.partition("; ")[2] for line in capsys.readouterr().out.splitlines()}
    for stage in ("features", "tensors"):
        assert told[stage].startswith(said.format(folder=tmp_path)) and bool(told[stage]) == bool(said)
    for stage in ("cluster", "pretrain", "probe", "export"):
        assert told[stage].endswith("which it was made from, is to be made anew first" if said else ""), stage
        assert bool(told[stage]) == bool(said)


def test_status_of_probes_that_say_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    curated(tmp_path)
    (stage_folder(tmp_path, "evaluate") / "probe.json").write_text("[]")
    assert main(["curate", "status", "--data-dir", str(tmp_path)]) == 1
    assert "does not say what was probed" in capsys.readouterr().err

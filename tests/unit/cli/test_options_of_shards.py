"""The options of shards and engines: what they come to, and what cannot be meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avclips.cli.options import read_settings
from avclips.datasets.acav100m import ACAV100M
from avclips.datasets.base import Dataset
from avclips.datasets.clip_list import CLIPS
from avclips.datasets.general_avqa import GENERAL_AVQA


@pytest.mark.parametrize(
    ("dataset", "argv", "changed"),
    [
        (CLIPS, "", {"output_format": "files", "output": None, "samples_per_shard": 1000, "engine": "threads"}),
        (CLIPS, "--output-format webdataset", {"output_format": "webdataset", "output": None}),
        (CLIPS, "--output-format parquet --output s3://bucket/x --samples-per-shard 7", {
            "output_format": "parquet", "output": "s3://bucket/x", "samples_per_shard": 7}),
        (CLIPS, "--output-format parquet --part 1/3 --max-clips 5", {"part": (1, 3), "max_clips": 5}),
        (CLIPS, "--output-format webdataset --retry-failed --archives a", {
            "retry_failed": (), "archives": (Path("a"),)}),
        (CLIPS, "--output-format webdataset --status", {"output_format": "webdataset"}),
        (ACAV100M, "", {"output_format": "webdataset", "samples_per_shard": 1000, "workers": 4}),
        (ACAV100M, "--output-format files", {"output_format": "files"}),
        (ACAV100M, "--engine spark", {"engine": "spark", "spark_master": "local[*]", "workers": 1}),
        (ACAV100M, "--engine spark --workers 3 --wandb", {"workers": 3, "wandb": True}),
        (ACAV100M, "--dry-run", {"clip_list": ("my.csv",), "data_dir": Path("data/acav100m")}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_where_it_goes(dataset: Dataset, argv: str, changed: dict[str, Any]) -> None:
    settings, _ = read_settings(dataset, ["my.csv", *argv.split()])
    assert {name: getattr(settings, name) for name in changed} == changed


def test_sparks_tasks_are_no_shares_of_slurms(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job of an array that starts Spark is one of its own."""
    for name, value in {"ID": "2", "COUNT": "4", "MIN": "0", "MAX": "3", "STEP": "1"}.items():
        monkeypatch.setenv(f"SLURM_ARRAY_TASK_{name}", value)
    assert read_settings(ACAV100M, ["my.csv"])[0].part == (2, 4)
    assert read_settings(ACAV100M, ["my.csv", "--engine", "spark"])[0].part is None


@pytest.mark.parametrize(
    ("dataset", "argv", "message"),
    [
        (CLIPS, "--output out", "--output goes with --output-format webdataset or parquet"),
        (CLIPS, "--wandb", "--wandb goes with --output-format webdataset or parquet"),
        (CLIPS, "--engine spark", "--engine spark writes shards: --output-format webdataset or parquet"),
        (ACAV100M, "--output-format files --output out", "--output goes with --output-format webdataset or"),
        (ACAV100M, "--output-format files --engine spark", "--engine spark writes shards: "),
        (ACAV100M, "--allow-mixed", "--allow-mixed goes with --output-format files"),
        (CLIPS, "--output-format parquet --allow-mixed", "--allow-mixed goes with --output-format files"),
        (ACAV100M, "--wandb", "--wandb goes with --engine spark"),
        # What would be passed over without a word; the value that is so by default, too.
        (CLIPS, "--samples-per-shard 1000", "--samples-per-shard goes with --output-format webdataset or parquet"),
        (
            ACAV100M,
            "--output-format files --samples-per-shard 7",
            "--samples-per-shard goes with --output-format ",
        ),
        (CLIPS, "--spark-master local[2]", "--spark-master goes with --engine spark"),
        (ACAV100M, "--spark-master local[*]", "--spark-master goes with --engine spark"),
        (
            ACAV100M,
            "--engine spark --part 0/2",
            "--part, --archives, --max-clips and --metrics-file go with --engine threads",
        ),
        (
            ACAV100M,
            "--engine spark --cookies-from-browser firefox",
            "--cookies-from-browser goes with --engine threads",
        ),
        (
            ACAV100M,
            "--engine spark --archives a",
            "--part, --archives, --max-clips and --metrics-file go with --engine",
        ),
        (
            ACAV100M,
            "--engine spark --max-clips 3",
            "--part, --archives, --max-clips and --metrics-file go with --engine",
        ),
        (CLIPS, "--output-format tar", "--output-format: 'tar' is unknown"),
        (CLIPS, "--samples-per-shard 0", "--samples-per-shard: '0' is not a whole number from 1 up"),
        (CLIPS, "--engine ray", "--engine: 'ray' is unknown"),
        (ACAV100M, "--url-col x", "unknown option --url-col"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_meant_of_shards(
    dataset: Dataset, argv: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        read_settings(dataset, ["my.csv", *argv.split()])
    said = capsys.readouterr()
    assert (caught.value.code, said.out) == (2, "")
    assert said.err.partition("error: ")[2].startswith(message)


@pytest.mark.parametrize(
    ("output", "meant"),
    [
        ("s3:/bucket/x", "s3://bucket/x"),
        ("s3:bucket/x", "s3://bucket/x"),
        ("gs:/bucket", "gs://bucket"),
        ("s3://bucket/x", None),
        ("file:///scratch/x", None),
        ("./s3:/x", None),
        ("shards", None),
    ],
)
def test_an_address_with_a_slash_too_few(
    output: str, meant: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data-dir", str(tmp_path), "--output-format", "parquet", "--output", output]
    if meant is None:
        assert read_settings(GENERAL_AVQA, words)[0].output == output
        return
    with pytest.raises(SystemExit):
        read_settings(GENERAL_AVQA, words)
    assert (
        capsys.readouterr().err
        == f"error: --output: {output} is no address: did you mean {meant}?\n  see --help\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--quality", "360p"], "--quality: '360p' is unknown: did you mean 360? (it takes 360, 480, 720, 1080)"),
        (["--quality", "541"], "--quality: '541' is unknown (it takes 360, 480, 720, 1080)"),
        (["--audio-channels", "two"], "--audio-channels: 'two' is unknown (it takes 1, 2)"),
    ],
)
def test_a_number_of_a_few(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(GENERAL_AVQA, words)
    assert capsys.readouterr().err.startswith(f"error: {said}")

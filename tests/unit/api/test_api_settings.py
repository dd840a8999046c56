"""Keywords of a call as Settings: what each type is made of, what is refused, and what a dataset says itself."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from avclips import Columns, Identity, Settings, UsageError, download
from avclips.api.settings import checked, settings_for
from avclips.cli.options import read_settings
from avclips.datasets.known import DATASETS, dataset_named

CLIPS = {"clip_list": "list.csv"}


@pytest.mark.parametrize(
    ("name", "value", "due"),
    [
        ("workers", 2, 2),
        ("sleep", 1, 1.0),
        ("rate_limit", None, None),
        ("clip_list", "list.csv", "list.csv"),
        ("clip_list", ["a.csv", Path("b.csv")], ("a.csv", Path("b.csv"))),
        ("ffmpeg", "/opt/ffmpeg", Path("/opt/ffmpeg")),
        ("archives", "a.zip", (Path("a.zip"),)),
        ("archives", ["a.zip", Path("b")], (Path("a.zip"), Path("b"))),
        ("subtitles", "en", ("en",)),
        ("retry_failed", [], ()),
        ("retry_failed", None, None),
        ("identities", Identity("http://p:1"), (Identity("http://p:1"),)),
        ("columns", {"start": "from"}, Columns(start="from")),
        ("part", [0, 2], (0, 2)),
        ("cut", "copy", "copy"),
        ("encode", None, None),
        ("info", True, True),
    ],
)
def test_a_value_becomes_what_its_field_holds(name: str, value: Any, due: Any) -> None:
    found = getattr(settings_for(dataset_named("clips"), "data", CLIPS | {name: value}), name)
    assert found == due and type(found) is type(due)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"worker": 3}, "there is no setting 'worker': did you mean workers?"),
        ({"data_dir": "x"}, "there is no setting 'data_dir'"),
        ({"workers": "3"}, "workers='3' is not a whole number"),
        ({"workers": True}, "workers=True is not a whole number"),
        ({"workers": 2.5}, "workers=2.5 is not a whole number"),
        ({"info": 1}, "info=1 is not True or False"),
        ({"cut": "exakt"}, "cut='exakt' is not 'exact' or 'copy': did you mean exact?"),
        ({"ffmpeg": 3}, "ffmpeg=3 is not a path or None"),
        ({"part": (1, 2, 3)}, "part=(1, 2, 3) is not a sequence of a whole number or None"),
        ({"identities": "http://p:1"}, "identities='http://p:1' is not a sequence of a Identity"),
        ({"columns": {"starts": "x"}}, "columns={'starts': 'x'} is not a Columns"),
        ({"workers": 0}, "workers=0 is not 1 or more"),
        ({"samples_per_shard": 0}, "samples_per_shard=0 is not 1 or more"),
        ({"sleep": -1}, "sleep=-1.0 is not 0 or more"),
        ({"sleep": float("nan")}, "sleep=nan is not 0 or more"),
        ({"rate_limit": 0}, "rate_limit=0 is not 1024 or more"),
        ({"quality": 0}, "quality=0 is none of 360, 480, 720, 1080"),
        ({"audio_channels": 3}, "audio_channels=3 is none of 1, 2"),
        ({"clip_length": 0}, "clip_length=0.0 is no length of a clip"),
        ({"retry_failed": "privat"}, "retry_failed: 'privat' is no reason: did you mean private?"),
        ({"part": (5, 2)}, "part=(5, 2) is not (I, N)"),
        ({"part": (0, 0)}, "part=(0, 0) is not (I, N)"),
        ({"time_unit": "hours"}, "time_unit: 'hours' is no unit"),
        ({"cell_format": "{x}"}, "cell_format: '{x}' is no format"),
        ({"delimiter": "ab"}, "delimiter: 'ab' is no letter between cells"),
        ({"video_format": "mkv", "cut": "copy"}, "cut='copy' needs mp4"),
        ({"audio_format": "m4a", "audio_rate": 16000}, "audio_format='m4a' keeps the source's packets"),
        ({"media": "audio", "allow_silent": True}, "allow_silent goes with pictures"),
        ({"media": "audio", "frame": "middle"}, "frame goes with pictures: media='both'"),
        ({"fps": "25", "cut": "copy"}, "fps goes with cut='exact'"),
        ({"fps": "fast"}, "fps: 'fast' is not a number of pictures a second"),
        ({"size": "225"}, "size: '225' is no size"),
        ({"fit": "crop", "size": "224"}, "fit goes with size='WxH'"),
        ({"output": "s3://x"}, "output goes with output_format='webdataset' or parquet"),
        ({"output": "s3:/x", "output_format": "parquet"}, "did you mean s3://x?"),
        ({"allow_mixed": True, "output_format": "parquet"}, "allow_mixed goes with output_format='files'"),
        ({"wandb": True, "output_format": "parquet"}, "wandb goes with engine='spark'"),
        ({"engine": "spark"}, "engine='spark' writes shards: output_format='webdataset' or parquet"),
        ({"engine": "spark", "output_format": "parquet", "max_clips": 3}, "metrics_file go with engine='threads'"),
        (
            {"engine": "spark", "output_format": "parquet", "identities": Identity(browser="firefox")},
            "Identity(browser=...) goes with engine='threads'",
        ),
        ({"identities": [Identity(), Identity("http://p:1")], "workers": 1}, "at least as many workers"),
        ({"clip_list": None}, "no list is named"),
    ],
)
def test_what_cannot_be_meant(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked(settings_for(dataset_named("clips"), "data", CLIPS | given))
    assert message in str(caught.value)


def test_pictures_are_as_on_the_command_line() -> None:
    words = ["list.csv", "--fps", "29.970", "--size", "256X144"]
    by_words, _ = read_settings(dataset_named("clips"), words)
    by_name = checked(Settings(Path("data"), fps="29.970", size="256X144"))
    assert (by_name.fps, by_name.size, by_name.fit) == (by_words.fps, by_words.size, by_words.fit)
    assert (by_name.size, by_name.fit) == ("256x144", "crop")
    # What the command line made is taken as it is.
    by_words, _ = read_settings(dataset_named("clips"), ["list.csv", "--fps", "239.999999", "--delimiter", "tab"])
    assert checked(by_words) == by_words


@pytest.mark.parametrize("name", DATASETS)
def test_what_nobody_says_is_as_on_the_command_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_ARRAY_TASK_ID", raising=False)
    dataset = dataset_named(name)
    listed = "list" in dataset.options
    by_words, _ = read_settings(dataset, ["list.csv"] if listed else [])
    by_name = settings_for(dataset, None, {"clip_list": ("list.csv",)} if listed else {})
    differ = {
        each.name for each in fields(Settings) if getattr(by_words, each.name) != getattr(by_name, each.name)
    }
    assert differ == set()


def test_splits_are_those_of_the_dataset() -> None:
    general = dataset_named("general")
    assert settings_for(general, "data", {"splits": "val"}).splits == ("val",)
    with pytest.raises(UsageError, match="there is no split 'vall': did you mean val"):
        settings_for(general, "data", {"splits": ["vall"]})


@pytest.mark.parametrize(
    ("dataset", "given", "message"),
    [
        ("generall", {}, "there is no dataset 'generall': did you mean general?"),
        ("clips", {"settings": Settings(Path("d")), "workers": 2}, "workers and settings= are both given"),
        ("clips", {"settings": Settings(Path("d")), "data_dir": "e"}, "data_dir and settings= are both given"),
        ("clips", {"settings": Settings(Path("d"), fit="pad")}, "fit goes with size='WxH'"),
        ("clips", {"clip_list": "list.csv", "session": object()}, "engine='spark' writes shards"),
    ],
)
def test_a_call_that_cannot_be_meant_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: str, given: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        download(dataset, **given)
    assert message in str(caught.value) and list(tmp_path.iterdir()) == []

"""Linear probes: folds that keep videos together, labels from lists and files, figures known beforehand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from avclips.cli.commands import main
from avclips.core.errors import UsageError
from avclips.curate.evaluate.labelled import Labelled, of_features, read_labels
from avclips.curate.evaluate.probe import probe, splits
from avclips.curate.features.parts import write_part
from avclips.curate.folders import stage_folder
from avclips.curate.record import Record, begin, finish

CLASSES, EACH = 7, 12
NAMES = [f"class{number % CLASSES}" for number in range(CLASSES * EACH)]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Two clips a video; the sound tells the classes, the picture is noise."""
    folder = stage_folder(tmp_path, "features")
    layers = [["a/audio/0", "audio", CLASSES], ["a/video/0", "video", 3]]
    begin(folder, Record("features", {"layers": layers}, {}))
    random = np.random.default_rng(0)
    kinds = np.arange(len(NAMES)) % CLASSES
    heard = (np.eye(CLASSES)[kinds] + 0.1 * random.normal(size=(len(kinds), CLASSES))).astype(np.float16)
    seen = random.normal(size=(len(kinds), 3)).astype(np.float16)
    rows = [
        # Clips CLASSES apart are of one class, and of one video where their numbers are 2n and 2n + 1 of it.
        {"id": f"c{at}", "kept": True, "video": f"v{at % CLASSES}_{at // CLASSES // 2}", "labels": [name]}
        for at, name in enumerate(NAMES)
    ]
    write_part(folder, 0, {"a/audio/0": heard, "a/video/0": seen}, rows)
    finish(folder, {"kept": len(NAMES)})
    return tmp_path


def loaded(data_dir: Path, labels: str = "") -> Labelled:
    given = None
    if labels:
        (data_dir / "labels.csv").write_text(labels)
        given = read_labels(data_dir / "labels.csv")
    return of_features(stage_folder(data_dir, "features"), given)


def test_what_tells_is_found_and_noise_is_chance(data_dir: Path) -> None:
    found = probe(loaded(data_dir), folds=3)
    means = {name: np.mean([each.top1 for each in found if each.features == name]) for name in ("audio", "video")}
    assert means["audio"] == 1.0
    assert means["video"] < 3 / CLASSES
    assert all(each.top5 is not None and each.top5 >= each.top1 for each in found)
    assert found == probe(loaded(data_dir), folds=3)
    assert {each.features for each in found} == {"audio", "video", "both"}


def test_clips_of_a_video_are_in_one_fold_and_each_is_tested_once(data_dir: Path) -> None:
    data = loaded(data_dir)
    tested = np.zeros(len(data.classes), int)
    for _, train, test in splits(data, 4, seed=1):
        assert not set(data.videos[train]) & set(data.videos[test])
        assert len(train) + len(test) == len(data.classes)
        tested[test] += 1
    assert (tested == 1).all()


@pytest.mark.parametrize(
    ("folds", "expected"),
    [
        (["1", "2", "3"], {"1": 28, "2": 28, "3": 28}),
        (["train", "test"], {"test": 42}),
        # A clip without one is used by none.
        (["1", "2", ""], {"1": 28, "2": 28}),
    ],
)
def test_folds_of_the_labels_file(data_dir: Path, folds: list[str], expected: dict[str, int]) -> None:
    lines = [f"c{at},x{at % 2},{folds[at % len(folds)]}\n" for at in range(len(NAMES))]
    data = loaded(data_dir, "id,label,fold\n" + "".join(lines))
    assert data.names == ("x0", "x1")
    assert {name: len(test) for name, _, test in splits(data, 5, 0)} == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,name\nc0,x\n", "no column label"),
        ("id,label\nc0,x\nc0,y\n", "names a clip twice"),
        ("id,label,label\nc0,x,y\n", "has the column label twice"),
        ("id,label\nc0,x,1,2\n", "is no CSV file"),
        ("id,label\nc0,x\nc1,x\n", "2 of 84 clips have a label, of 1 classes"),
        ("id,label,fold\nc0,x,1\nc1,y,1\n", "the labels name 1 folds"),
        # A slip of the pen would be a fold of its own.
        ("id,label,fold\nc0,x,train\nc1,y,Test\n", "the folds 'Test', 'train': train and test are one fold"),
        ("id,label,fold\nc0,x,train\nc1,y,tset\n", "the folds 'train', 'tset': train and test are one fold"),
        ("id,label,fold\nc0,x,train\nc1,y,test\nc2,y,val\n", "'val': train and test are one fold"),
        ("id,label,fold\nc0,x,test\nc1,y,test \n", "'test', 'test ', of which two differ in small letters"),
        ("id,label,fold\nc0,x,a\nc1,y,A\nc2,y,\n", "the folds 'A', 'a', of which two differ"),
        ("id,label\n" + "".join(f"c{at},x{at}\n" for at in range(20)), "no class has 5 clips, one for each fold"),
    ],
)
def test_labels_that_cannot_be_used(data_dir: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        probe(loaded(data_dir, text))


def test_classes_with_fewer_clips_than_folds_within_folds(data_dir: Path) -> None:
    """Of three clips each, two are trained on: too few to choose how much the probe is held back."""
    lines = [f"c{at},x{at % CLASSES},{at // CLASSES + 1}\n" for at in range(2 * CLASSES, 5 * CLASSES)]
    found = probe(loaded(data_dir, "id,label,fold\n" + "".join(lines)))
    assert {each.strength for each in found} == {0.001} and {each.trained for each in found} == {14}


@pytest.mark.filterwarnings("error")
def test_classes_that_are_hopeless_are_ordered_too() -> None:
    """Where a classifier gives a probability of 0 to several classes, one is still above another."""
    kinds = np.repeat(np.arange(8), 6)
    rows = np.eye(8)[kinds].astype(np.float32) * 1e4
    rows[::5] *= -1000
    videos = np.array([f"v{at}" for at in range(48)])
    data = Labelled({"a": rows}, {"a": "audio"}, tuple("abcdefgh"), kinds, videos, None)
    assert all(each.top5 is not None and each.top5 >= each.top1 for each in probe(data, folds=3))


def test_the_command(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = data_dir / "ids.txt"
    ids.write_text("".join(f"c{at}\n" for at in range(70)))
    words = ["curate", "evaluate", "probe", "--data-dir", str(data_dir), "--folds", "2", "--each-layer"]
    assert main([*words, "--ids", str(ids)]) == 0
    table = capsys.readouterr().out
    assert "70 clips of 35 videos, 7 classes" in table and "| audio | 1.000 |" in table
    assert "the clips of ids.txt" in table and "\n\nprobe.json, probe.md are in" in table
    said = json.loads((stage_folder(data_dir, "evaluate") / "ids" / "probe.json").read_text())
    assert said["classes"] == {f"class{number}": 10 for number in range(CLASSES)}
    assert [row["features"] for row in said["means"]] == ["audio", "video", "both", "a/audio/0", "a/video/0"]
    assert main([*words[:5], "--folds", "1000"]) == 2
    assert "videos are no 1000 folds" in capsys.readouterr().err


FOLDS = "".join(f"c{at},x{at % 2},{('1', '2', '')[at % 3]}\n" for at in range(len(NAMES)))


@pytest.mark.parametrize(
    ("labels", "ids", "said"),
    [
        ("", "", []),
        (FOLDS.replace("fold", ""), "", ["28 of 84 clips with a label have no fold: they are in no probe"]),
        (FOLDS, "c0\nc1\nc2\nc3\nc4\nc5\n", ["2 of 6 clips with a label have no fold: they are in no probe"]),
        (
            FOLDS.replace("c2,", "C2,").replace(",,", ","),
            "",
            [
                "1 of 84 lines of the labels name no clip with features in {folder}: C2",
                "27 of 83 clips with a label have no fold: they are in no probe",
            ],
        ),
        (
            "",
            "".join(f"{name}{at}\n" for at in range(40) for name in ("c", "d")),
            ["40 of 80 of the ids name no clip with features in {folder}: d0, d1, d10, ..."],
        ),
    ],
)
def test_what_is_passed_over_is_counted(
    data_dir: Path, capsys: pytest.CaptureFixture[str], labels: str, ids: str, said: list[str]
) -> None:
    words = ["curate", "evaluate", "probe", "--data-dir", str(data_dir)]
    for option, text in (("labels", labels and "id,label,fold\n" + labels), ("ids", ids)):
        if text:
            (data_dir / option).write_text(text)
            words += [f"--{option}", str(data_dir / option)]
    assert main(words) == 0
    warnings = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning: ")]
    folder = stage_folder(data_dir, "features")
    assert warnings == [f"warning: {line.format(folder=folder)}" for line in said]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no clip: it is empty"),
        (" \n", "names no clip: it is empty"),
        ("d0\nd1\n", "none of the 2 ids is that of one of the 84 clips with features"),
        ("c0\nc7\n", "2 of 2 clips have a label, of 1 classes"),
    ],
)
def test_ids_that_leave_nothing(data_dir: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    (data_dir / "ids.txt").write_text(text)
    words = ["curate", "evaluate", "probe", "--data-dir", str(data_dir), "--ids", str(data_dir / "ids.txt")]
    assert main(words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("inside", ["", "deeper/still"])
@pytest.mark.parametrize("words", ["evaluate probe --data-dir {here}", "retrieve --data-dir {here}"])
def test_where_nothing_can_be_written_is_said_before_the_work(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str, inside: str
) -> None:
    file = data_dir / "file"
    file.write_text("")
    for module in ("avclips.curate.evaluate.probe.probe", "avclips.curate.retrieve.clips.of_features"):
        monkeypatch.setattr(module, lambda *words: pytest.fail("it is at work"))
    code = main(["curate", *words.format(here=data_dir).split(), "--output", str(file / inside)])
    assert (code, file.read_text()) == (2, "")
    assert f"{file / inside} cannot be made: {file} is no folder" in capsys.readouterr().err

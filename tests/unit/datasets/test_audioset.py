"""AudioSet's lists as they come, where its clips lie, and what its options mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from avclips.cli.options import read_settings
from avclips.core.errors import RunError, UsageError
from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.datasets.audioset import AUDIOSET, read_classes, read_events, read_segments, two_digits
from tests.support.audioset_lists import (
    BAL,
    CLASSES,
    DIGITS,
    END,
    EVAL,
    EVENTS,
    HALF,
    HEAD,
    RARE,
    SEGMENTS,
    STRONG_CLASSES,
    annotation_files,
    listed,
    listing,
    lists,
)


def test_the_clips_of_two_splits(tmp_path: Path) -> None:
    found = listing(lists(tmp_path / "m"), "eval", "balanced_train")
    man, bee = "Male speech, man speaking", "Bee, wasp, etc."
    due = [
        (EVAL, 0.0, 10.0, "eval", ["/m/09x0r", "/m/05zppz"], ["Speech", man]),
        (HALF, 2.5, 12.5, "eval", ["/m/0bt9lr"], ["Dog"]),
        (BAL, 3.0, 13.0, "balanced_train", ["/m/01h3n"], [bee]),
        # A class that the list of classes does not know keeps its id.
        (END, 10.0, 20.0, "balanced_train", ["/m/09x0r", "/m/0unknown"], ["Speech", "/m/0unknown"]),
    ]
    clips = [
        Clip(name, name, start, end, {"split": split, "tags": tags, "labels": labels}, f"{split}/{DIGITS[name]}")
        for name, start, end, split, tags, labels in due
    ]
    assert list(found.clips) == clips
    # Again and again, without a list of them.
    assert list(found.clips) == clips and not isinstance(found.clips, Sequence)
    assert (found.skipped, found.files, found.remarks) == ((), {}, ())
    assert found.url_of(EVAL) == "https://www.youtube.com/watch?v=-evalclip01"


def test_splits_come_in_the_order_asked_for(tmp_path: Path) -> None:
    folder = lists(tmp_path / "m")
    assert [clip.id for clip in listed(folder, "unbalanced_train", "eval")] == [RARE, EVAL, HALF]
    (folder / "eval_segments.csv").unlink()
    assert [clip.id for clip in listed(folder, "unbalanced_train")] == [RARE]


def test_all_in_one_folder(tmp_path: Path) -> None:
    assert {clip.folder for clip in listed(lists(tmp_path / "m"), "eval", "balanced_train", flat=True)} == {""}


@pytest.mark.parametrize("name", DIGITS)
def test_two_digits_as_a_shell_finds_them(name: str) -> None:
    assert two_digits(name) == DIGITS[name]


@pytest.mark.parametrize(
    ("labels", "clips"),
    [
        ((), [EVAL, HALF, BAL, END, RARE]),
        (("Dog",), [HALF, RARE]),
        (("/m/0bt9lr",), [HALF, RARE]),
        (("male speech, man speaking,dog",), [EVAL, HALF, RARE]),
        (("bee, wasp, etc.", "Male speech, man speaking"), [EVAL, BAL]),
    ],
)
def test_labels(tmp_path: Path, labels: tuple[str, ...], clips: list[str]) -> None:
    assert [clip.id for clip in listed(lists(tmp_path / "m"), *AUDIOSET.splits, labels=labels)] == clips


def test_labels_that_no_clip_has(tmp_path: Path) -> None:
    folder = lists(tmp_path / "m")
    with pytest.raises(UsageError, match="no class is called 'Cat'"):
        listing(folder, "eval", labels=("Cat",))
    with pytest.raises(RunError, match="no clip is in eval or balanced_train with these labels"):
        (folder / "balanced_train_segments.csv").write_text(SEGMENTS["unbalanced_train"])
        listing(folder, "eval", "balanced_train", labels=("Bee, wasp, etc.",))


def test_labels_with_strong_are_those_of_the_events(tmp_path: Path) -> None:
    """A clip's own labels say less: some of them are of no event, and events have classes of their own."""
    folder = lists(tmp_path / "m")
    events = f"{HALF}_2500\t0.0\t1.5\t/m/0bt9lr\n{EVAL}_0\t1\t2\t/g/11b630rrvh\n"
    (folder / "audioset_eval_strong.tsv").write_text(EVENTS + events)
    (folder / "mid_to_display_name.tsv").write_text(f"{STRONG_CLASSES}/g/11b630rrvh\tKettle whistle\n")
    for labels, clips in (("Dog", [HALF]), ("kettle whistle", [EVAL]), ("/g/11b630rrvh,Dog", [EVAL, HALF])):
        assert [clip.id for clip in listed(folder, "eval", strong=True, labels=(labels,))] == clips
    with pytest.raises(RunError, match="^no clip is in eval with these labels$"):
        listing(folder, "eval", strong=True, labels=("Speech",))
    with pytest.raises(UsageError, match="no class is called 'Kettle whistle'"):
        listing(folder, "eval", labels=("Kettle whistle",))


@pytest.mark.parametrize(
    ("splits", "clips"),
    [
        (("eval",), [HALF]),
        # An event that is said not to be there is no label.
        (("unbalanced_train",), [RARE]),
        (("eval", "balanced_train", "unbalanced_train"), [HALF, RARE]),
    ],
)
def test_strong(tmp_path: Path, splits: tuple[str, ...], clips: list[str]) -> None:
    assert [clip.id for clip in listed(lists(tmp_path / "m"), *splits, strong=True)] == clips
    with pytest.raises(RunError, match="no clip is in balanced_train"):
        listing(tmp_path / "m", "balanced_train", strong=True)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"splits": ("eval",)}, ["eval_segments.csv"]),
        ({"splits": ("eval", "balanced_train")}, ["eval_segments.csv", "balanced_train_segments.csv"]),
        (
            {"splits": ("eval",), "strong": True},
            ["eval_segments.csv", "mid_to_display_name.tsv", "audioset_eval_strong.tsv"],
        ),
        (
            {"splits": ("balanced_train", "unbalanced_train"), "strong": True},
            [
                *("balanced_train_segments.csv", "unbalanced_train_segments.csv"),
                *("mid_to_display_name.tsv", "audioset_train_strong.tsv"),
            ],
        ),
    ],
)
def test_which_files_are_fetched(tmp_path: Path, settings: dict[str, Any], names: list[str]) -> None:
    found = AUDIOSET.annotations(Settings(tmp_path, **settings))
    wanted = [each for each in found if each.split is None or each.split in settings["splits"]]
    assert sorted(each.name for each in wanted) == sorted(["class_labels_indices.csv", *names])
    assert {each.url for each in wanted} <= set(annotation_files())
    folder = lists(tmp_path / "m")
    for each in wanted:
        each.check(folder / each.name)
        (folder / "empty").write_text("")
        with pytest.raises(RunError):
            each.check(folder / "empty")


GOOD = f'{EVAL}, 0.000, 10.000, "/m/09x0r,/m/05zppz"\n'


@pytest.mark.parametrize(
    "content",
    [
        (HEAD + GOOD).encode(),
        b"\xef\xbb\xbf" + (HEAD + GOOD).encode(),
        (HEAD + GOOD).replace("\n", "\r\n").encode(),
        GOOD.encode(),
        (HEAD + "\n" + GOOD + "\n").encode(),
        GOOD.rstrip().encode(),
        GOOD.replace(", ", ",").encode(),
    ],
    ids=["theirs", "BOM", "CRLF", "no comments", "blank lines", "no last newline", "no blanks"],
)
def test_other_peoples_copies(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "eval_segments.csv"
    path.write_bytes(content)
    assert list(read_segments(path)) == [(EVAL, 0.0, 10.0, "/m/09x0r,/m/05zppz")]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (f"{HALF}, 0.000, 10.000", "not 'YTID, start, end, \"mids\"'"),
        (f"{HALF}, 0.000, 10.000, /m/09x0r,/m/05zppz", "not 'YTID, start, end, \"mids\"'"),
        (f'{HALF}, zero, 10.000, "/m/09x0r"', "not 'YTID, start, end, \"mids\"'"),
        (f'{HALF}, , 10.000, "/m/09x0r"', "not 'YTID, start, end, \"mids\"'"),
        ("   ", "not 'YTID, start, end, \"mids\"'"),
        ("#" + HALF, "not 'YTID, start, end, \"mids\"'"),
        (f'{HALF}, 10.000, 0.000, "/m/09x0r"', "from 10.000 to 0.000 s is no clip"),
        (f'{HALF}, 10.000, 10.000, "/m/09x0r"', "from 10.000 to 10.000 s is no clip"),
        (f'{HALF}, -1.000, 9.000, "/m/09x0r"', "from -1.000 to 9.000 s is no clip"),
        (f'{HALF}, nan, 10.000, "/m/09x0r"', "from nan to 10.000 s is no clip"),
        (f'{HALF}, 0.000, nan, "/m/09x0r"', "from 0.000 to nan s is no clip"),
        (f'{HALF}, 0.000, inf, "/m/09x0r"', "from 0.000 to inf s is no clip"),
        ('tooshort, 0.000, 10.000, "/m/09x0r"', "'tooshort' is not a YouTube id"),
        ('../../../ab, 0.000, 10.000, "/m/09x0r"', "'../../../ab' is not a YouTube id"),
        ('evalclip_é2, 0.000, 10.000, "/m/09x0r"', "'evalclip_é2' is not a YouTube id"),
        (f'{HALF}x, 0.000, 10.000, "/m/09x0r"', f"'{HALF}x' is not a YouTube id"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, row: str, why: str) -> None:
    path = tmp_path / "eval_segments.csv"
    path.write_text(f"{HEAD}{GOOD}{row}\n{GOOD}", encoding="utf-8")
    with pytest.raises(RunError) as caught:
        list(read_segments(path))
    assert str(caught.value) == f"{path}, line 5: {why}"
    assert "audioset/download.html" in (caught.value.hint or "")


@pytest.mark.parametrize("behind", ["", f'{HALF}, 0.000, 10.000, "/m/0bt9lr"\n'], ids=["the last", "another"])
def test_a_line_that_was_cut_off_among_its_classes(tmp_path: Path, behind: str) -> None:
    """The next clip is not to be taken for one of them."""
    path = tmp_path / "eval_segments.csv"
    path.write_text(HEAD + GOOD + GOOD[:-6] + "\n" + behind)
    with pytest.raises(RunError, match=f"^{path}"):
        list(read_segments(path))


@pytest.mark.parametrize("content", ["", HEAD, "\n\n", "<!DOCTYPE html><html></html>\n"])
def test_a_list_without_a_clip(tmp_path: Path, content: str) -> None:
    check = next(each.check for each in AUDIOSET.annotations(Settings(tmp_path)) if each.split == "eval")
    path = tmp_path / "eval_segments.csv"
    path.write_text(content)
    with pytest.raises(RunError, match=f"^{path}"):
        check(path)


def test_letters_of_another_code(tmp_path: Path) -> None:
    path = tmp_path / "eval_segments.csv"
    path.write_bytes((HEAD + GOOD).encode() + "é".encode("latin-1"))
    with pytest.raises(RunError, match=f"^{path} cannot be read: 'utf-8' codec"):
        list(read_segments(path))
    with pytest.raises(RunError, match="cannot be read: .*No such file"):
        list(read_segments(tmp_path / "none.csv"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "does not begin with"),
        ("index,mid,display_name\n", "names no class"),
        ('0,/m/09x0r,"Speech"\n', "does not begin with"),
        (f"{CLASSES}5,/m/04rlf\n", "line 6: not 'index,mid,display_name'"),
        (f"{CLASSES}5,/m/04rlf,Male singing, man\n", "line 6: not 'index,mid,display_name'"),
    ],
)
def test_classes_that_are_none(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "class_labels_indices.csv"
    path.write_text(content)
    with pytest.raises(RunError, match=f"^{path}.*{why}"):
        read_classes(path)
    path.write_text("\ufeff" + CLASSES.replace("\n", "\r\n"))
    assert read_classes(path)["/m/05zppz"] == "Male speech, man speaking"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (f"{HALF}_2500\t0.0\t1.5", "not a segment's id, two times and a mid"),
        (f"{HALF}_2500\t0.0\t1.5\t/m/0bt9lr\tPRESENT", "not a segment's id, two times and a mid"),
        (f"{HALF}\t0.0\t1.5\t/m/0bt9lr", "not a segment's id, two times and a mid"),
        (f"{HALF}_2.5\t0.0\t1.5\t/m/0bt9lr", "not a segment's id, two times and a mid"),
        (f"{HALF}_2500,0.0,1.5,/m/0bt9lr", "not a segment's id, two times and a mid"),
    ],
)
def test_a_broken_event_is_named(tmp_path: Path, row: str, why: str) -> None:
    path = tmp_path / "audioset_eval_strong.tsv"
    path.write_text(f"{EVENTS}{row}\n")
    with pytest.raises(RunError) as caught:
        list(read_events(path))
    assert str(caught.value) == f"{path}, line 2: {why}"
    path.write_text(f"{row}\n")
    with pytest.raises(RunError, match=f"^{path}, line 1: not segment_id, start_time_seconds"):
        list(read_events(path))


def test_events_as_they_stand(tmp_path: Path) -> None:
    folder = lists(tmp_path / "m")
    assert list(read_events(folder / "audioset_eval_strong.tsv")) == [
        (HALF, "0.0", "1.5", "/m/0bt9lr"),
        (HALF, "3.25", "10.0", "/m/0other"),
    ]
    assert list(read_events(folder / "audioset_train_strong.tsv")) == [(RARE, "0.5", "1", "/m/0bt9lr")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--allow-silent"], "--allow-silent goes with pictures"),
        (["--audio-rate", "16000"], "--audio-format m4a keeps the source's packets"),
        (["--splits", "train"], "--splits: 'train' is unknown: did you mean balanced_train?"),
        (["--info"], "unknown option --info"),
    ],
)
def test_what_cannot_be_meant(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read_settings(AUDIOSET, options)
    assert ended.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "due"),
    [
        ([], {"splits": ("eval", "balanced_train"), "media": "audio", "audio_format": "m4a", "flat": False}),
        (["--splits", "unbalanced_train"], {"splits": ("unbalanced_train",)}),
        # The events are of clips in all splits.
        (["--strong"], {"splits": AUDIOSET.splits, "strong": True}),
        (["--strong", "--splits", "eval"], {"splits": ("eval",), "strong": True}),
        (["--media", "both", "--flat"], {"media": "both", "flat": True, "audio_format": "m4a"}),
        (["--labels", "Dog,Speech", "Dog,Speech", "x"], {"labels": ("Dog,Speech", "x")}),
    ],
)
def test_what_the_options_mean(options: list[str], due: dict[str, Any]) -> None:
    settings, _ = read_settings(AUDIOSET, options)
    assert {name: getattr(settings, name) for name in due} == due

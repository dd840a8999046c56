"""AudioSet: its lists as they come, where its clips lie, and whole runs of its script against a stand-in."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from avclips.cli.options import read_settings
from avclips.core.errors import RunError, UsageError
from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.datasets.audioset import AUDIOSET, read_classes, read_clips, read_events, read_segments, two_digits
from avclips.datasets.base import Listing
from tests.standin.fake_media import Media, make
from tests.standin.fake_youtube import FakeVideo, FakeYouTube
from tests.support.script import QUICK, ROOT, Ended, Stage, digests

SCRIPT = ROOT / "download_audioset.py"
CORPUS = "https://storage.googleapis.com/us_audioset/youtube_corpus"

HEAD = """\
# Segments csv created Sun Mar  5 10:54:25 2017
# num_ytids=2, num_segs=2, num_unique_labels=3, num_positive_labels=4
# YTID, start_seconds, end_seconds, positive_labels
"""
CLASSES = """\
index,mid,display_name
0,/m/09x0r,"Speech"
1,/m/05zppz,"Male speech, man speaking"
72,/m/0bt9lr,"Dog"
131,/m/01h3n,"Bee, wasp, etc."
"""
STRONG_CLASSES = "/m/09x0r\tSpeech\n/m/05zppz\tMale speech, man speaking\n/m/0bt9lr\tDog\n"
EVENTS = "segment_id\tstart_time_seconds\tend_time_seconds\tlabel\n"
POSNEG = "segment_id\tstart_time_seconds\tend_time_seconds\tlabel\tpresent\n"

# printf %s YTID | sha256sum | cut -c1-2
EVAL, HALF, BAL, END, RARE = "-evalclip01", "evalclip_02", "balanced_01", "balanced_02", "unbalanced1"
DIGITS = {EVAL: "a0", HALF: "cc", BAL: "75", END: "ec", RARE: "16"}

SEGMENTS = {
    "eval": f'{HEAD}{EVAL}, 0.000, 10.000, "/m/09x0r,/m/05zppz"\n{HALF}, 2.500, 12.500, "/m/0bt9lr"\n',
    "balanced_train": f'{HEAD}{BAL}, 3.000, 13.000, "/m/01h3n"\n{END}, 10.000, 20.000, "/m/09x0r,/m/0unknown"\n',
    "unbalanced_train": f'{HEAD}{RARE}, 30.000, 34.000, "/m/0bt9lr,/m/09x0r"\n',
}
EVAL_EVENTS = f"{EVENTS}{HALF}_2500\t0.0\t1.5\t/m/0bt9lr\n{HALF}_2500\t3.25\t10.0\t/m/0other\n"
TRAIN_EVENTS = f"{POSNEG}{BAL}_3000\t0.0\t9.6\t/m/01h3n\tNOT_PRESENT\n{RARE}_30000\t0.5\t1\t/m/0bt9lr\tPRESENT\n"


def lists(folder: Path) -> Path:
    """A metadata folder with small samples of all lists."""
    folder.mkdir(exist_ok=True)
    for split, text in SEGMENTS.items():
        (folder / f"{split}_segments.csv").write_text(text)
    (folder / "class_labels_indices.csv").write_text(CLASSES)
    (folder / "mid_to_display_name.tsv").write_text(STRONG_CLASSES)
    (folder / "audioset_eval_strong.tsv").write_text(EVAL_EVENTS)
    (folder / "audioset_train_strong.tsv").write_text(TRAIN_EVENTS)
    return folder


def listed(folder: Path, *splits: str, **settings: Any) -> list[Clip]:
    return list(listing(folder, *splits, **settings).clips)


def listing(folder: Path, *splits: str, **settings: Any) -> Listing:
    return read_clips(folder, Settings(folder, splits=splits, **settings))


# -- lists ---------------------------------------------------------------------------------------------------


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


# -- whole runs ----------------------------------------------------------------------------------------------

# Of the last one's ten seconds, the video has four.
LASTS = {EVAL: 10.0, HALF: 10.0, BAL: 10.0, END: 4.0}
FILES = {
    name: f"audio/{'eval' if name in (EVAL, HALF) else 'balanced_train'}/{DIGITS[name]}/{name}.m4a"
    for name in LASTS
}
PACKETS = 2 * 1024 / 44100


def annotation_files() -> dict[str, bytes]:
    """The lists at their true addresses."""
    files = {f"{CORPUS}/v1/csv/{split}_segments.csv": text.encode() for split, text in SEGMENTS.items()}
    files[f"{CORPUS}/v1/csv/class_labels_indices.csv"] = CLASSES.encode()
    files[f"{CORPUS}/strong/mid_to_display_name.tsv"] = STRONG_CLASSES.encode()
    files[f"{CORPUS}/strong/audioset_eval_strong.tsv"] = EVAL_EVENTS.encode()
    files[f"{CORPUS}/strong/audioset_train_strong.tsv"] = TRAIN_EVENTS.encode()
    return files


def videos(**other: Any) -> dict[str, FakeVideo]:
    return {
        name: FakeVideo(replace(QUICK, seed=seed), title=f"The title of {name}", **other)
        for seed, name in enumerate(LASTS, 1)
    }


@contextmanager
def audioset(
    base: Path, media: Path, there: Mapping[str, FakeVideo] | None = None, like: Path | None = None
) -> Iterator[Stage]:
    """A stage for the script of AudioSet; its folder is a copy of ``like``."""
    with FakeYouTube(media, videos() if there is None else there, files=annotation_files()) as youtube:
        run = Stage(youtube, base, script=SCRIPT)
        if like is not None:
            shutil.copytree(like, run.data)
        yield run
        assert youtube.unknown == []


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Iterator[tuple[Stage, Ended]]:
    """A folder after a first run, and what the run said; nobody is to change it."""
    with audioset(tmp_path_factory.mktemp("audioset"), media_folder) as run:
        yield run, run.run()


def files_of(run: Stage) -> set[str]:
    """All that stands beneath the folder of sounds."""
    return {path.relative_to(run.data).as_posix() for path in run.data.glob("audio/**/*") if path.is_file()}


def assert_tables(run: Stage, *names: str) -> None:
    """The tables list these clips, and each file that they name is there."""
    tables = {"": {*names}, "_eval": {EVAL, HALF} & {*names}, "_balanced_train": {BAL, END} & {*names}}
    for ending, due in tables.items():
        path = run.data / f"audioset_metadata{ending}.json"
        table = json.loads(path.read_text()) if path.exists() else {}
        assert set(table) == due, path.name
        assert all((run.data / entry["path"]).is_file() for entry in table.values())


def test_a_run_leaves_the_sound_of_every_clip(made: tuple[Stage, Ended]) -> None:
    run, ended = made
    assert ended.code == 0 and "4 of 4 clips are done" in ended.out, ended.said
    assert files_of(run) == set(FILES.values()) and not (run.data / "videos").exists()
    for name, file in FILES.items():
        with av.open(str(run.data / file)) as container:
            assert [stream.type for stream in container.streams] == ["audio"]
            assert container.streams[0].codec_context.name == "aac"
            frames = [(frame.time, frame.samples / frame.sample_rate) for frame in container.decode(audio=0)]
        assert abs(sum(lasts for _, lasts in frames) - LASTS[name]) <= PACKETS
    assert set(run.completed) == set(LASTS) and run.failed == {}


def test_no_byte_of_a_picture_is_asked_for(made: tuple[Stage, Ended]) -> None:
    run, _ = made
    assert {request.itag for request in run.youtube.requests("media")} == {140}
    assert {name: run.youtube.extractions(name) for name in LASTS} == dict.fromkeys(LASTS, 1)
    # The lists that were not asked for stay where they are.
    assert {path.name for path in (run.data / "metadata").iterdir()} == {
        *(
            "class_labels_indices.csv",
            "eval_segments.csv",
            "balanced_train_segments.csv",
            "folder.json",
            "asked.json",
        )
    }


def test_the_tables(made: tuple[Stage, Ended]) -> None:
    run, _ = made
    assert_tables(run, *LASTS)
    every = run.json("audioset_metadata.json")
    assert every[HALF] == {
        "url": f"https://www.youtube.com/watch?v={HALF}",
        "path": FILES[HALF],
        "start": 2.5,
        "end": 12.5,
        "split": "eval",
        "tags": ["/m/0bt9lr"],
        "labels": ["Dog"],
        "title": f"The title of {HALF}",
    }
    assert every[END]["labels"] == ["Speech", "/m/0unknown"] and every[END]["end"] == 20.0
    assert {name: entry["path"] for name, entry in every.items()} == FILES
    parts = [run.json(f"audioset_metadata_{split}.json") for split in ("eval", "balanced_train")]
    assert parts[0] | parts[1] == every


def test_what_is_gone_comes_again_and_nothing_else(
    made: tuple[Stage, Ended], tmp_path: Path, media_folder: Path
) -> None:
    first = digests((made[0].data / file) for file in FILES.values())
    with audioset(tmp_path, media_folder, like=made[0].data) as run:
        ended = run.run()
        assert ended.code == 0 and "4 of 4 clips are done" in ended.out, ended.said
        assert run.youtube.log == []
        (run.data / FILES[HALF]).unlink()
        assert "3 of 4 clips are done" in run.run("--status").out
        assert run.run().code == 0
        assert run.asked_videos() == {HALF}
        assert digests(run.data / file for file in FILES.values()) == first
        assert_tables(run, *LASTS)
        # Another kind of file belongs into another folder.
        ended = run.run("--audio-format", "wav")
        assert ended.code == 2 and "was made with --audio-format m4a" in ended.err, ended.said
        assert files_of(run) == set(FILES.values())


def test_a_folder_whose_sounds_are_in_wavs_goes_on_there(
    made: tuple[Stage, Ended], tmp_path: Path, media_folder: Path
) -> None:
    """As it was made before the folder was called audio/."""
    with audioset(tmp_path, media_folder, like=made[0].data) as run:
        (run.data / "audio").rename(run.data / "wavs")
        manifest = run.data / "manifest.jsonl"
        manifest.write_text(manifest.read_text().replace('"audio": "audio/', '"audio": "wavs/'))
        (run.data / FILES[HALF].replace("audio/", "wavs/", 1)).unlink()
        ended = run.run()
        assert ended.code == 0 and "4 of 4 clips are done" in ended.out, ended.said
        assert run.asked_videos() == {HALF} and not (run.data / "audio").exists()
        there = {path.relative_to(run.data).as_posix() for path in run.data.glob("wavs/**/*") if path.is_file()}
        assert there == {file.replace("audio/", "wavs/", 1) for file in FILES.values()}
        assert {entry["path"] for entry in run.json("audioset_metadata.json").values()} == there
        assert "4 of 4 clips are done" in run.run("--status").out
        assert "4 clips are right, 0 are bad" in run.run("--verify").out


def test_verify_and_repair(made: tuple[Stage, Ended], tmp_path: Path, media_folder: Path) -> None:
    with audioset(tmp_path, media_folder, like=made[0].data) as run:
        bad = run.data / FILES[BAL]
        bad.write_bytes(bad.read_bytes()[:-1])
        (run.data / FILES[EVAL]).unlink()
        ended = run.run("--verify")
        assert ended.code == 3 and "2 clips are right, 1 are bad." in ended.out, ended.said
        assert f"{BAL}: {FILES[BAL]} is not what was downloaded" in ended.out and bad.exists()
        ended = run.run("--verify", "--repair")
        aside = run.data / "set_aside" / f"{BAL}.m4a"
        assert ended.code == 3 and f"moved to {aside}" in ended.out, ended.said
        assert aside.exists() and not bad.exists() and set(run.completed) == {HALF, END}
        assert run.youtube.log == []
        assert run.run().code == 0 and run.asked_videos() == {EVAL, BAL}
        assert files_of(run) == set(FILES.values())
        assert "4 clips are right, 0 are bad." in run.run("--verify").out


def test_what_stands_under_a_clips_name_is_looked_at(
    made: tuple[Stage, Ended], tmp_path: Path, media_folder: Path
) -> None:
    with audioset(tmp_path, media_folder) as run:
        for name in (EVAL, HALF):
            (run.data / FILES[name]).parent.mkdir(parents=True)
        shutil.copy(made[0].data / FILES[EVAL], run.data / FILES[EVAL])
        wrong = make(Media(duration=2.0), 140, media_folder)
        shutil.copy(wrong, run.data / FILES[HALF])
        ended = run.run("--splits", "eval")
        assert ended.code == 0 and "2 of 2 clips are done" in ended.out, ended.said
        assert run.asked_videos() == {HALF}
        assert run.manifest_of(EVAL)["adopted"] is True and run.manifest_of(EVAL)["audio"] == FILES[EVAL]
        assert (run.data / "set_aside" / f"{HALF}.m4a").read_bytes() == wrong.read_bytes()
        assert (run.data / FILES[HALF]).read_bytes() == (made[0].data / FILES[HALF]).read_bytes()
        assert_tables(run, EVAL, HALF)
        assert run.json("audioset_metadata.json")[EVAL]["title"] is None


def test_the_tables_list_no_clip_that_is_gone(
    made: tuple[Stage, Ended], tmp_path: Path, media_folder: Path
) -> None:
    """Not even where it was a split's last."""
    there = videos() | {name: FakeVideo(QUICK, case="private") for name in (EVAL, HALF)}
    with audioset(tmp_path, media_folder, there, like=made[0].data) as run:
        for name in (EVAL, HALF):
            (run.data / FILES[name]).unlink()
        assert run.run().code == 0
        assert {name: entry["reason"] for name, entry in run.failed.items()} == dict.fromkeys(
            (EVAL, HALF), "private"
        )
        assert_tables(run, BAL, END)


def test_events_with_the_files_they_are_heard_in(
    made: tuple[Stage, Ended], tmp_path: Path, media_folder: Path
) -> None:
    with audioset(tmp_path, media_folder, like=made[0].data) as run:
        (run.data / FILES[EVAL]).unlink()
        ended = run.run("--strong", "--splits", "eval")
        # Only what has events is to be had, and that is there.
        assert ended.code == 0 and "1 of 1 clips are done" in ended.out and run.asked_videos() == set(), ended.said
        assert (run.data / "audioset_eval_strong.tsv").read_text() == (
            "filename\tonset\toffset\tevent_label\tmid\n"
            f"{FILES[HALF]}\t0.0\t1.5\tDog\t/m/0bt9lr\n"
            f"{FILES[HALF]}\t3.25\t10.0\t/m/0other\t/m/0other\n"
        )
        assert not (run.data / "audioset_train_strong.tsv").exists()
        assert_tables(run, HALF, BAL, END)


def test_a_run_that_is_stopped_leaves_right_tables(tmp_path: Path, media_folder: Path) -> None:
    with audioset(tmp_path, media_folder) as run:
        child = run.start("--workers", "1", "--sleep", "20")
        child.until(lambda: (run.data / "manifest.jsonl").exists() and len(run.manifest) == 1)
        child.send(signal.SIGTERM)
        ended = child.end()
        assert ended.code == 143 and "Traceback" not in ended.said, ended.said
        assert files_of(run) == {FILES[EVAL]} and run.completed == [EVAL]
        assert_tables(run, EVAL)


def test_flat_classes_and_samples(tmp_path: Path, media_folder: Path) -> None:
    with audioset(tmp_path, media_folder) as run:
        ended = run.run("--flat", "--labels", "dog,male speech, man speaking", "--audio-format", "wav")
        assert ended.code == 0 and "2 of 2 clips are done" in ended.out, ended.said
        assert files_of(run) == {f"audio/{EVAL}.wav", f"audio/{HALF}.wav"}
        assert {name: entry["path"] for name, entry in run.json("audioset_metadata.json").items()} == {
            name: f"audio/{name}.wav" for name in (EVAL, HALF)
        }


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


def test_a_class_that_is_none_is_named_at_once(tmp_path: Path, media_folder: Path) -> None:
    with audioset(tmp_path, media_folder) as run:
        ended = run.run("--labels", "Speach")
        assert ended.code == 2 and "no class is called 'Speach'" in ended.err, ended.said
        assert "the nearest: Speech" in ended.err and run.asked_videos() == set()

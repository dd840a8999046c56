"""The files of a pack, read by those whom they are for: webdataset's own loader, tarfile, pyarrow."""

from __future__ import annotations

import gc
import hashlib
import json
import tarfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.dataset
import pyarrow.parquet
import pytest
import webdataset

from avclips.core.model import Clip
from avclips.core.reserved_names import column_of
from avclips.shards.members import Layout
from avclips.shards.sample import Sample, layout_of, row_of
from avclips.shards.stats import stats_of
from avclips.shards.table_writer import read_failures, write_rows
from avclips.shards.tar_writer import key_of, write_tar

HALF = "half \ud83d a letter"
FACTS = {
    "sha256": "ab", "audio_sha256": "cd", "formats": "134+140", "title": "A title", "duration": 4.5, "fps": 25.0,
    "pictures": 112, "width": 640, "height": 360, "samples": 198450, "sample_rate": 44100, "channels": 2,
    "bytes": 1000, "bytes_fetched": 3000, "yt_dlp": "2026.8.19",
}  # fmt: skip


class Folder:
    """A data folder as a run leaves it, and a scratch beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path / "data"
        self.out = path / "out"
        for name in ("videos", "audio", "info", "subtitles"):
            (self.path / name).mkdir(parents=True)
        self.out.mkdir()

    def done(self, name: str, meta: dict[str, Any] | None = None, endings: Sequence[str] = ("mp4", "wav"),
             info: Any = None, subtitles: Sequence[str] = (), **more: Any) -> Sample:  # fmt: skip
        """A clip that came, with its files."""
        clip = Clip(name, "video" + name[:6], 3.5, 8.0, meta or {})
        line: dict[str, Any] = {"id": name, "status": "done", "time": "2026-01-01T00:00:00Z", **FACTS, **more}
        line |= {"video": None, "audio": None}
        for ending in endings:
            kind, folder = ("video", "videos") if ending in ("mp4", "mkv") else ("audio", "audio")
            line[kind] = self._write(f"{folder}/{name}.{ending}", f"{ending} of {name}".encode() * 50)
        if info is not None:
            line["info"] = self._write(f"info/{name}.json", json.dumps(info).encode())
        if subtitles:
            line["subtitles"] = {
                language: self._write(f"subtitles/{name}.{language}.vtt", f"WEBVTT {language}".encode())
                for language in subtitles
            } | {"xx": None}  # fmt: skip
        return Sample(clip, line)

    def _write(self, name: str, content: bytes) -> str:
        (self.path / name).write_bytes(content)
        return name

    def tar(self, samples: Sequence[Sample], name: str = "x.tar") -> Path:
        write_tar(self.out / name, samples, self.path)
        return self.out / name

    def table(self, samples: Sequence[Sample], name: str = "x.parquet", media: bool = True,
              layout: Layout | None = None) -> pyarrow.Table:  # fmt: skip
        write_rows(self.out / name, samples, self.path if media else None, layout)
        return pyarrow.parquet.read_table(self.out / name)


def failed(name: str, reason: str = "removed", permanent: bool = True, **meta: Any) -> Sample:
    line = {"status": "failed", "reason": reason, "permanent": permanent, "attempts": 1, "error": f"words {name}",
            "time": "2026-01-01T00:00:00Z"}  # fmt: skip
    return Sample(Clip(name, "video" + name[:6], 0.0, None, meta), line)


def untried(name: str, **meta: Any) -> Sample:
    return Sample(Clip(name, "video" + name[:6], 0.0, 10.0, meta), None)


def loaded(*paths: Path) -> list[dict[str, Any]]:
    """The samples as webdataset's loader gives them, which does not close its files."""
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        samples = list(webdataset.WebDataset(list(map(str, paths)), shardshuffle=False, empty_check=False))
        gc.collect()
    return [{name: value for name, value in each.items() if name not in _LOADERS} for each in samples]


_LOADERS = ("__url__", "__local_path__")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


# -- tars ------------------------------------------------------------------------------------------------------

ENDINGS = {
    "both": ("mp4", "wav"), "flac": ("mp4", "flac"), "m4a alone": ("m4a",), "silent": ("mp4",),
    "mkv": ("mkv", "wav"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDINGS)
def test_a_tar_holds_the_files(folder: Folder, name: str) -> None:
    sample = folder.done("abc_3.5_8", endings=ENDINGS[name])
    [found] = loaded(folder.tar([sample]))
    assert found.keys() == {"__key__", "json", *ENDINGS[name]}
    for ending in ENDINGS[name]:
        assert found[ending] == f"{ending} of abc_3.5_8".encode() * 50
    said = json.loads(found["json"])
    assert found["__key__"] == "abc_3~5_8" and said["id"] == "abc_3.5_8"
    blind = ("sha256", "fps", "pictures", "width", "height") if name == "m4a alone" else ()
    due = {key: value for key, value in FACTS.items() if key not in blind}
    assert {key: said.get(key) for key in FACTS} == due | dict.fromkeys(blind) and said["status"] == "done"


@pytest.mark.parametrize(
    "name", ["-begins_with_dash", "_3.5_8.25", "a#b.c.d", "x" * 200, "__like_meta__", "__a__.5", "UPPER.MP4", "1"]
)
def test_any_id_is_one_sample(folder: Folder, name: str) -> None:
    """A dot is where webdataset's endings begin, and names in two underscores are its own."""
    path = folder.tar([folder.done(name), folder.done("other")])
    found = loaded(path)
    assert [json.loads(each["json"])["id"] for each in found] == [name, "other"]
    assert found[0].keys() == {"__key__", "json", "mp4", "wav"} and "." not in found[0]["__key__"]
    with tarfile.open(path) as tar:
        assert {each.name.partition(".")[0] for each in tar} == {key_of(name), "other"}


def test_two_ids_are_two_samples(folder: Folder) -> None:
    """They differ in a dot alone: a loader must not take them for one, or for a fault."""
    samples = [folder.done("take_1.5"), folder.done("take_1p5")]
    found = loaded(folder.tar(samples))
    assert [json.loads(each["json"])["id"] for each in found] == ["take_1.5", "take_1p5"]


def test_samples_as_tuples(folder: Folder) -> None:
    """webdataset's ``to_tuple`` refuses a sample that lacks a member that is asked for."""
    samples = [folder.done("a", {"caption": "x"}), folder.done("b", endings=("mp4",)), folder.done("c")]
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        found = webdataset.WebDataset(str(folder.tar(samples)), shardshuffle=False)
        told = [(key, len(wav) > 0, txt) for key, wav, txt in found.to_tuple("__key__", "wav", "txt")]
        gc.collect()
    assert told == [("a", True, b"x"), ("b", True, b""), ("c", True, b"")]


CAPTIONS = {"words": "a dog barks", "letters": "ünï 😀\n", "half": HALF, "number": 7}


@pytest.mark.parametrize("name", CAPTIONS)
def test_captions(folder: Folder, name: str) -> None:
    sample = folder.done("abc", {"caption": CAPTIONS[name]})
    [found] = loaded(folder.tar([sample, failed("gone", caption="of nothing")]))
    due = str(CAPTIONS[name]).replace("\ud83d", "\\ud83d")
    # Captions of which any is text are texts.
    assert found["txt"].decode() == due and json.loads(found["json"])["caption"] == due


def test_no_caption_is_an_empty_text_where_others_have_one(folder: Folder) -> None:
    samples = [folder.done("abc", {"caption": None}), folder.done("def", {"caption": "x"}), folder.done("ghi")]
    assert [each["txt"] for each in loaded(folder.tar(samples))] == [b"", b"x", b""]
    assert "txt" not in loaded(folder.tar([folder.done("abc")]))[0]


def test_info_and_subtitles(folder: Folder) -> None:
    info = {"title": "é", "tags": ["x", HALF], "deep": {"a": [1, None]}}
    [found] = loaded(folder.tar([folder.done("a.b", info=info, subtitles=("en", "pt-BR"))]))
    assert found.keys() == {"__key__", "json", "mp4", "wav", "en.vtt", "pt-br.vtt"}
    assert found["en.vtt"] == b"WEBVTT en" and found["pt-br.vtt"] == b"WEBVTT pt-BR"
    # As text, like the table's: sites say other things of each video.
    assert json.loads(json.loads(found["json"])["info"]) == info


def test_what_is_not_done_is_in_no_tar(folder: Folder) -> None:
    path = folder.tar([failed("a"), folder.done("b"), untried("c"), failed("d", "network", False)])
    assert [each["__key__"] for each in loaded(path)] == ["b"]
    nothing = folder.tar([failed("a"), untried("c")], "nothing.tar")
    with tarfile.open(nothing) as tar:
        assert tar.getnames() == []
    # Among others it is passed over.
    assert [each["__key__"] for each in loaded(nothing, path)] == ["b"]


def test_the_same_clips_give_the_same_bytes(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    other = Folder(tmp_path / "again")

    def of(where: Folder) -> str:
        samples = [where.done("a.5", {"caption": "é"}, info={"x": 1}, subtitles=("en",)), where.done("b")]
        return hashlib.sha256(where.tar(samples).read_bytes()).hexdigest()

    assert of(folder) == of(other)


# -- tables ----------------------------------------------------------------------------------------------------


def test_a_row_for_each_clip(folder: Folder) -> None:
    samples = [folder.done("a", {"caption": "x"}), failed("b", caption="y"), untried("c", caption=None)]
    rows = folder.table(samples).to_pylist()
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert [row["status"] for row in rows] == ["done", "failed", "untried"]
    assert [row["reason"] for row in rows] == [None, "removed", None]
    assert [row["permanent"] for row in rows] == [None, True, None]
    assert [row["caption"] for row in rows] == ["x", "y", None]
    assert (rows[1]["error"], rows[1]["start"], rows[1]["end"]) == ("words b", 0.0, None)
    assert {name: rows[0][name] for name in FACTS} == FACTS
    mp4, wav = (folder.path / "videos" / "a.mp4").read_bytes(), (folder.path / "audio" / "a.wav").read_bytes()
    assert [row["mp4"] for row in rows] == [{"bytes": mp4, "path": "a.mp4"}, None, None]
    assert [row["wav"] for row in rows] == [{"bytes": wav, "path": "a.wav"}, None, None]


def test_the_table_of_tars_has_no_media(folder: Folder) -> None:
    table = folder.table([folder.done("a"), failed("b")], media=False)
    assert not {"mp4", "wav"} & set(table.column_names)
    assert row_of(folder.done("a")).keys() <= set(table.column_names)


def test_media_of_many_rows(folder: Folder) -> None:
    """More than are in memory at a time, with gaps, of different kinds."""
    endings = [("mp4",) if n % 5 == 4 else ("mp4", "flac") for n in range(41)]
    samples = [
        failed(f"c{n}") if n % 7 == 3 else folder.done(f"c{n}", None, endings[n], subtitles=("en",) * (n == 20))
        for n in range(41)
    ]
    rows = folder.table(samples).to_pylist()
    assert [row["id"] for row in rows] == [f"c{n}" for n in range(41)]
    for n, row in enumerate(rows):
        here = n % 7 != 3
        mp4 = {"bytes": f"mp4 of c{n}".encode() * 50, "path": f"c{n}.mp4"}
        flac = {"bytes": f"flac of c{n}".encode() * 50, "path": f"c{n}.flac"}
        assert row["mp4"] == (mp4 if here else None) and row["flac"] == (flac if here and n % 5 != 4 else None)
        assert row["en.vtt"] == (b"WEBVTT en" if n == 20 else None)


def test_info_is_in_a_table_of_media(folder: Folder) -> None:
    """The file itself is taken away: a table is all that is left of it."""
    info = {"title": "é", "tags": ["x"], "views": 7}
    [row] = folder.table([folder.done("a", info=info)]).to_pylist()
    kept = [value for name, value in row.items() if name.startswith("info")]
    assert kept and (json.loads(kept[0]) if isinstance(kept[0], str | bytes) else kept[0]) == info


# In one column, cell by cell; what a reader gets of them.
COLUMNS: dict[str, tuple[list[Any], list[Any]]] = {
    "texts": (["a", None, ""], ["a", None, ""]),
    "whole numbers": ([1, None, -(2**62)], [1, None, -(2**62)]),
    "numbers": ([1, 2.5, None], [1.0, 2.5, None]),
    "truths": ([True, None, False], [True, None, False]),
    "nothing": ([None, None, None], [None, None, None]),
    "a number and a text": ([1, "x", None], ["1", "x", None]),
    "a truth and a number": ([True, 2, None], ["true", "2", None]),
    "huge": ([2**70, 1, None], [str(2**70), "1", None]),
    "just too large": ([2**63, -(2**63), None], [str(2**63), str(-(2**63)), None]),
    "half a letter": ([HALF, "x", None], ["half \\ud83d a letter", "x", None]),
    "lists of numbers": ([[1, 2], [], None], [[1, 2], [], None]),
    "lists of texts": ([["a", "é"], None, []], [["a", "é"], None, []]),
    "lists of lists": ([[[1], []], [[2, 3]], None], [[[1], []], [[2, 3]], None]),
    "mixed lists": ([[1, "a"], [2], None], ['[1, "a"]', "[2]", None]),
    "objects": ([{"a": 1}, {"b": [None]}, {}], ['{"a": 1}', '{"b": [null]}', "{}"]),
    # A list for the whole column, or for none of it.
    "a list and a text": ([["a"], "b", None], [["a"], ["b"], None]),
    "a number and a list": ([1, [0.5, 2], None], [[1.0], [0.5, 2.0], None]),
    "a list of texts and a number": ([["a"], 1, None], ['["a"]', "1", None]),
}  # fmt: skip


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_of_a_list(folder: Folder, name: str) -> None:
    cells, due = COLUMNS[name]
    samples = [folder.done("a", {"kept": cells[0]}), failed("b", kept=cells[1]), untried("c", kept=cells[2])]
    assert folder.table(samples).column("kept").to_pylist() == due


# Of these nobody can say what their texts should be: they are read, and the rows are all there.
ODD: dict[str, list[Any]] = {
    "half letters in lists": [[HALF], ["x"], None],
    "half letters in lists of lists": [[[HALF]], [["x"]], None],
    "an empty list and a number": [[], 5, None],
    "an empty list and a text": [[], "x", None],
    "a list of nothing and a number": [[None], 5, None],
    "a list of lists of nothing": [[[]], [1], None],
    "a whole number that is no fraction": [2**60 + 1, 0.5, None],
    "large and small in lists": [[2**60 + 1, 0.5], [1], None],
    "huge in lists": [[2**70], [1], None],
    "a half letter in an object": [{"a": HALF}, {HALF: 1}, None],
}


@pytest.mark.parametrize("name", ODD)
def test_odd_columns(folder: Folder, name: str) -> None:
    cells = ODD[name]
    samples = [folder.done("a", {"kept": cells[0]}), failed("b", kept=cells[1]), untried("c", kept=cells[2])]
    table = folder.table(samples)
    assert table.column("id").to_pylist() == ["a", "b", "c"] and table.column("kept").to_pylist()[2] is None
    assert table.column("kept").null_count == 1


def test_a_column_that_some_clips_have(folder: Folder) -> None:
    """A row of a list may lack what others have."""
    rows = folder.table([folder.done("a"), failed("b", topic="x"), untried("c", number=3)]).to_pylist()
    assert [(row["topic"], row["number"]) for row in rows] == [(None, None), ("x", None), (None, 3)]


@pytest.mark.parametrize("name", ["title", "time", "duration", "bytes"])
def test_a_lists_column_is_kept_beside_ours(folder: Folder, name: str) -> None:
    """What was asked for with --keep-cols is somewhere, under whatever name."""
    [row] = folder.table([folder.done("a", {name: "the list's own"})]).to_pylist()
    assert "the list's own" in row.values()
    [said] = loaded(folder.tar([folder.done("b", {name: "the list's own"})]))
    assert "the list's own" in json.loads(said["json"]).values()


@pytest.mark.parametrize("name", ["mp4", "wav", "info"])
def test_a_lists_column_called_as_a_file(folder: Folder, name: str) -> None:
    table = folder.table([folder.done("a", {name: "a/path"})])
    assert len(set(table.column_names)) == len(table.column_names)
    [row] = table.to_pylist()
    assert "a/path" in row.values() and row["mp4"]["bytes"] == b"mp4 of a" * 50


def test_words_of_sites_that_are_no_utf_8(folder: Folder) -> None:
    sample = folder.done("a", {"caption": HALF}, title=HALF)
    gone = Sample(failed("b").clip, {**(failed("b").line or {}), "error": HALF})
    rows = folder.table([sample, gone]).to_pylist()
    assert (rows[0]["title"], rows[1]["error"]) == ("half \\ud83d a letter",) * 2


# -- several tables as one -------------------------------------------------------------------------------------

SHARDS: dict[str, list[list[Any]]] = {
    "captions": [["a", "b"], ["c", None]],
    "nothing at first": [[None, None], ["x", "y"]],
    "nothing at last": [["x", "y"], [None, None]],
    "numbers": [[1, 2], [3, None]],
    "nothing, then numbers": [[None, None], [3, 4]],
    "whole numbers, then fractions": [[1, 2], [3.25, None]],
    "numbers, then texts": [[1, 2], ["x", None]],
    "empty lists at first": [[[], []], [["x"], None]],
}


@pytest.mark.parametrize("name", SHARDS)
def test_shards_are_one_dataset(folder: Folder, name: str) -> None:
    """Their readers take all of them for one table."""
    shards = [
        [folder.done(f"s{number}{n}", {"kept": cell}) for n, cell in enumerate(cells)]
        for number, cells in enumerate(SHARDS[name])
    ]
    layout = layout_of([*shards[0], *shards[1]], folder.path)
    for number, samples in enumerate(shards):
        folder.table(samples, f"{number:05d}.parquet", layout=layout)
    table = pyarrow.dataset.dataset(folder.out, format="parquet").to_table()
    assert table.column("id").to_pylist() == ["s00", "s01", "s10", "s11"]
    assert len([each for each in table.column("mp4").to_pylist() if each]) == 4
    kept = [each for cells in SHARDS[name] for each in cells]
    assert [each is None for each in table.column("kept").to_pylist()] == [each is None for each in kept]


def test_a_shard_of_failures_alone_is_of_the_same_kind(folder: Folder) -> None:
    """In front of the others, too, whose columns a reader goes by."""
    layout = Layout({"caption": "text"}, ("mp4", "wav", "en.vtt"))
    shards = [
        [failed("a"), failed("b", "network", False), untried("c")],
        [folder.done("d", {"caption": "x"}, subtitles=("en",)), failed("e")],
        [folder.done("f")],
    ]
    for number, samples in enumerate(shards):
        folder.table(samples, f"{number:05d}.parquet", layout=layout)
    table = pyarrow.dataset.dataset(folder.out, format="parquet").to_table()
    assert table.column("id").to_pylist() == list("abcdef")
    assert table.column("duration").to_pylist() == [None, None, None, 4.5, None, 4.5]
    assert {"mp4", "wav"} <= set(table.column_names), "nobody would find the media"
    assert [bool(each) for each in table.column("mp4").to_pylist()] == [False, False, False, True, False, True]


def test_captions_that_only_later_shards_have(folder: Folder) -> None:
    """A clip without one has no word of it, and a shard of such clips is in front of the others."""
    layout = Layout({"caption": "text"}, ("mp4", "wav"))
    folder.table([folder.done("a"), failed("b")], "00000.parquet", layout=layout)
    folder.table([folder.done("c", {"caption": "x"})], "00001.parquet", layout=layout)
    table = pyarrow.dataset.dataset(folder.out, format="parquet").to_table()
    assert "caption" in table.column_names, "nobody would find the captions"
    assert table.column("caption").to_pylist() == [None, None, "x"]


def test_shards_without_media_are_one_dataset(folder: Folder) -> None:
    folder.table([failed("a"), untried("b")], "00000.parquet", media=False)
    folder.table([folder.done("c", {"caption": "x"})], "00001.parquet", media=False)
    table = pyarrow.dataset.dataset(folder.out, format="parquet").to_table()
    assert table.column("status").to_pylist() == ["failed", "untried", "done"]
    assert table.column("sha256").to_pylist() == [None, None, "ab"]


# -- what is read back, and counted ----------------------------------------------------------------------------


def test_outcomes_are_read_back(folder: Folder) -> None:
    samples = [folder.done("a"), failed("b"), failed("c", "network", False), untried("d")]
    folder.table(samples)
    found = list(read_failures((folder.out / "x.parquet").read_bytes()))
    assert found == [
        ("a", "done", None, False), ("b", "failed", "removed", True), ("c", "failed", "network", False),
        ("d", "untried", None, False),
    ]  # fmt: skip


def test_stats(folder: Folder) -> None:
    samples = [
        folder.done("a"), folder.done("b", duration=None, bytes_fetched=0), failed("c"), failed("d"),
        failed("e", "network", False), untried("f"),
    ]  # fmt: skip
    path = folder.tar(samples)
    found = stats_of("00007", samples, {"00007.tar": path})
    assert found.pop("time").endswith("Z")
    assert found == {
        "shard": "00007", "clips": 6, "done": 2, "failed": {"removed": 2, "network": 1, "untried": 1},
        "videos": 2, "withheld": {}, "may_come": 2, "seconds": 4.5,
        "bytes": path.stat().st_size, "bytes_fetched": 3000,
        "files": {"00007.tar": path.stat().st_size},
        "sha256": {"00007.tar": hashlib.sha256(path.read_bytes()).hexdigest()},
    }  # fmt: skip
    assert list(found["failed"]) == ["removed", "network", "untried"]


def test_stats_count_the_videos_that_came_without_their_better_formats(folder: Folder) -> None:
    samples = [
        folder.done("video1-a", withheld="sabr"), folder.done("video1-b", withheld="sabr"),
        folder.done("video2-a"), folder.done("video3-a", withheld="po_token"),
        folder.done("video4-a", withheld="sabr"), failed("video5-a"),
    ]  # fmt: skip
    found = stats_of("00007", samples, {})
    assert (found["done"], found["videos"], found["withheld"]) == (5, 4, {"sabr": 2, "po_token": 1})


def test_a_file_that_is_gone_is_no_empty_one(folder: Folder) -> None:
    sample = folder.done("a")
    (folder.path / "videos" / "a.mp4").unlink()
    with pytest.raises(FileNotFoundError):
        folder.tar([sample])
    with pytest.raises(FileNotFoundError):
        folder.table([sample])


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (["topic", "title", "ID"], ["topic", "list_title", "list_ID"]),
        # No two become one, for readers that know no capitals either.
        (["Title", "list_title"], ["list_Title", "list_list_title"]),
        (["duration", "list_duration", "list_list_Duration"],
            ["list_duration", "list_list_duration", "list_list_list_Duration"]),
        (["MP4", "en.VTT", "list_topic"], ["list_MP4", "list_en.VTT", "list_topic"]),
    ],
)  # fmt: skip
def test_no_column_of_a_list_is_called_as_another(names: list[str], columns: list[str]) -> None:
    assert [column_of(name) for name in names] == columns
    assert len({column.casefold() for column in columns}) == len(columns)

"""The index: what is found by words and facets, in which order, and what a second build writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avclips.catalog.sample import Place, Sample
from avclips.explore import query
from avclips.explore.index import build, open_index, questions_by_clip
from avclips.explore.query import Filter, match_of

VIDEO = {"video": Place("/data/videos/a.mp4")}
SAMPLES = [
    Sample("a", "avqa", "v1", 0.0, 10.0, "done", splits=("train",), labels=("dog barking",), files=VIDEO,
           facts={"duration": 10.0, "flags": {"still": 0.99}}, meta={"title": "A dog in Köln"}),
    Sample("b", "avqa", "v1", 10.0, 20.0, "done", splits=("train", "val"), labels=("rain",), files=VIDEO,
           facts={"duration": 3.5}, captions=("it rains on a <script>alert(1)</script> roof",)),
    Sample("c", "avqa", "v2", 0.0, 10.0, "failed", "private", "Private video", splits=("val",), labels=("rain",)),
    Sample("d", "avqa", "v3", 0.0, None, "missing"),
]  # fmt: skip
QUESTIONS = questions_by_clip(
    [
        {
            "clip_id": "b",
            "question": "Where does it come from?",
            "choices": ["the sky", "a hose"],
            "answer": "the sky",
        }
    ]
)
SCORES = {"a": 0.25, "b": 0.75}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = open_index(tmp_path / "index.sqlite", write=True)
    build(made, SAMPLES, QUESTIONS, SCORES)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("wanted", "order", "found"),
    [
        (Filter(), "list", "abcd"),
        (Filter(), "score", "bacd"),
        (Filter(), "short", "bacd"),
        (Filter(), "no such order", "abcd"),
        (Filter("dog"), "list", "a"),
        (Filter("koln do"), "list", "a"),
        (Filter("rain"), "list", "bc"),
        (Filter("hose"), "list", "b"),
        (Filter('"dog" OR rain'), "list", ""),
        (Filter("--- '"), "list", ""),
        (Filter(facets={"split": ["val"]}), "list", "bc"),
        (Filter(facets={"split": ["train", "val"]}), "list", "abc"),
        (Filter(facets={"split": ["val"], "status": ["done"]}), "list", "b"),
        (Filter(facets={"flag": ["still"]}), "list", "a"),
        (Filter(facets={"reason": ["private"]}), "list", "c"),
        (Filter(facets={"length": ["1 to 5 s"]}), "list", "b"),
        (Filter(facets={"no such facet": ["x"]}), "list", "abcd"),
        (Filter("rain", {"split": ["val"]}, 0.5), "list", "b"),
        (Filter(least=0.5), "list", "b"),
    ],
)
def test_clips_are_found(database: sqlite3.Connection, wanted: Filter, order: str, found: str) -> None:
    assert "".join(each["id"] for each in query.clips(database, wanted, order)) == found
    assert "".join(query.ids(database, wanted, order)) == found
    assert query.count(database, wanted) == len(found)


def test_a_page_is_a_part(database: sqlite3.Connection) -> None:
    assert [each["id"] for each in query.clips(database, Filter(), offset=1, limit=2)] == ["b", "c"]
    assert query.clips(database, Filter(), offset=-5, limit=-1) == []


def test_facets_are_counted_as_if_not_filtered_by_themselves(database: sqlite3.Connection) -> None:
    found = query.facets(database, Filter(facets={"split": ["train"]}))
    assert dict(found["split"]) == {"train": 2, "val": 2}
    assert dict(found["status"]) == {"done": 2}
    assert dict(query.facets(database, Filter())["label"]) == {"dog barking": 1, "rain": 2}
    assert dict(query.facets(database, Filter("dog"))["label"]) == {"dog barking": 1}


def test_a_clip_is_known_whole(database: sqlite3.Connection) -> None:
    number = query.number_of(database, "b")
    assert number is not None
    found: Mapping[str, Any] = query.clip(database, number) or {}
    assert found["questions"][0]["answer"] == "the sky" and found["score"] == 0.75
    assert found["files"]["video"]["path"] == "/data/videos/a.mp4"
    assert query.clip(database, 99) is None and query.number_of(database, "z") is None


def test_only_what_changed_is_written_again(database: sqlite3.Connection) -> None:
    assert build(database, SAMPLES, QUESTIONS, SCORES) == 0
    done = replace(SAMPLES[2], status="done", reason="", files=VIDEO, facts={"duration": 10.0})
    assert build(database, [SAMPLES[0], SAMPLES[1], done], QUESTIONS, SCORES) == 2
    assert query.count(database, Filter()) == 3
    assert query.count(database, Filter(facets={"status": ["done"]})) == 3
    assert "reason" not in {kind for kind, found in query.facets(database, Filter()).items() if found}
    assert build(database, [SAMPLES[0], SAMPLES[0]], QUESTIONS, {}) == 3


def test_what_another_version_or_program_left_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    path.write_bytes(b"no database at all" * 100)
    open_index(path, write=True).close()
    database = sqlite3.connect(path)
    database.execute("pragma user_version = 99")
    database.close()
    made = open_index(path, write=True)
    assert build(made, SAMPLES, {}, {}) == 4
    made.close()


@pytest.mark.parametrize(
    ("words", "match"),
    [("dog", ' "dog"*'), ("Dog bark", '"Dog" "bark"*'), ('"a" AND b*', '"a" "AND" "b"*'), ("…", "")],
)
def test_words_are_never_the_search_language(words: str, match: str) -> None:
    assert match_of(words) == match

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


def groups(database: sqlite3.Connection) -> dict[str, int]:
    """How many clips each group says it has."""
    return dict(database.execute("select facets, clips from groups where clips"))


def test_groups_count_what_is_there(database: sqlite3.Connection) -> None:
    # Twice the same facets, and the same clip twice.
    twin = replace(SAMPLES[2], id="e")
    assert build(database, [*SAMPLES, twin, twin], QUESTIONS, SCORES) == 1
    told = database.execute("select facets, count(*) from clips join groups using (g) group by g").fetchall()
    assert groups(database) == dict(told) and sorted(groups(database).values()) == [1, 1, 1, 2]
    assert query.facets(database, Filter(facets={"label": ["rain"]}))["reason"] == [("private", 2)]
    # One becomes another kind of clip, three go.
    other = replace(twin, status="done", reason="", files=VIDEO)
    assert build(database, [SAMPLES[0], other], QUESTIONS, SCORES) == 4
    assert query.count(database, Filter()) == sum(groups(database).values()) == 2
    assert dict(query.facets(database, Filter())["status"]) == {"done": 2}
    build(database, [], {}, {})
    assert groups(database) == {} and query.facets(database, Filter())["status"] == []
    assert [
        database.execute(f"select count(*) from {table}").fetchone()[0] for table in ("clips", "samples", "words")
    ] == [0] * 3


@pytest.mark.parametrize("order", sorted(query.ORDERS))
@pytest.mark.parametrize(
    "wanted",
    [
        Filter(),
        Filter(facets={"label": ["rare"]}),
        Filter(facets={"label": ["common"]}),
        Filter(facets={"label": ["rare", "common"], "split": ["val"]}),
        Filter("take", {"split": ["train"]}),
        Filter("take", {"label": ["common"]}, 0.3),
    ],
)
def test_filters_of_few_and_of_many_clips_find_the_same(tmp_path: Path, wanted: Filter, order: str) -> None:
    samples = [
        Sample(f"{number * 7919 % 1000:03}", "avqa", "v", 0.0, number % 13 / 2 if number % 5 else None, "done",
               splits=("val" if number % 3 else "train",), labels=("rare" if number % 100 == 0 else "common",),
               captions=("take",) if number % 2 else ())
        for number in range(1000)
    ]  # fmt: skip
    scores = {sample.id: index % 10 / 10 for index, sample in enumerate(samples) if index % 4}
    database = open_index(tmp_path / "index.sqlite", write=True)
    build(database, samples, {}, scores)

    def passes(sample: Sample) -> bool:
        facets = {"label": sample.labels, "split": sample.splits}
        there = all(set(values) & set(facets[kind]) for kind, values in wanted.facets.items())
        return (
            there
            and (not wanted.words or bool(sample.captions))
            and scores.get(sample.id, -1) >= (wanted.least or -1)
        )

    def key(pair: tuple[int, Sample]) -> tuple[Any, ...]:
        place, sample = pair
        score, seconds = scores.get(sample.id), sample.end
        return {
            "list": (place,), "id": (sample.id,), "score": (score is None, -(score or 0), place),
            "short": (seconds is None, seconds or 0, place), "long": (seconds is None, -(seconds or 0), place),
        }[order]  # fmt: skip

    found = [sample.id for _, sample in sorted(enumerate(samples), key=key) if passes(sample)]
    assert list(query.ids(database, wanted, order)) == found
    assert [card["id"] for card in query.clips(database, wanted, order, 3, 50)] == found[3:53]
    assert query.count(database, wanted) == len(found)
    told = query.facets(database, replace(wanted, facets={}))
    assert sum(many for _, many in told["split"]) == query.count(database, replace(wanted, facets={}))
    database.close()

"""What the end of a run says of subtitles: how many clips have none, why, and which languages were there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avclips.core.model import Clip
from avclips.shards.sample import Sample
from avclips.shards.stats import Totals, are_stats, stats_of
from avclips.state.subtitle_counts import Captions, without_subtitles


def line(name: str, has: dict[str, Any] | None, seen: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """The line of a finished clip that has these subtitles; None: none was asked for."""
    told = {} if has is None else {"subtitles": has}
    return {"id": name, "status": "done", **told, **({} if seen is None else {"subtitles_seen": seen}), **more}


EN, NO = {"en": "subtitles/a.en.vtt"}, {"en": None}


@pytest.mark.parametrize(
    ("lines", "asked", "words"),
    [
        ([line("a", EN)], ("en",), []),
        ([line("a", None)], (), []),
        (
            [line("a", EN), line("b", NO, ["de", "fr"]), line("c", NO, ["de"])],
            ("en",),
            ["2 of 3: the videos of 2 have none (other languages: 2 de, 1 fr)."],
        ),
        ([line("a", NO, [])], ("en",), ["1 of 1: the videos of 1 have none in any language."]),
        # A manifest of before this was written down.
        ([line("a", NO)], ("en",), ["1 of 1: the videos of 1 have none in any language."]),
        ([line("a", NO, ["en-GB"]), line("b", NO, ["en"])], ("en",), ["2 of 2: nothing is said in 2."]),
        ([line("a", NO, ["eng"])], ("en",), ["1 of 1: the videos of 1 have none (other languages: 1 eng)."]),
        (
            [line("a", NO, ["en"], subtitles_error={"en": "HTTP Error 429"})],
            ("en",),
            ["1 of 1: 1 could not be had (the log says why)."],
        ),
        (
            [line("a", None), line("b", {"de": None}, [])],
            ("en",),
            ["2 of 2: 2 were made without being asked for them (delete their files to have both)."],
        ),
        (
            [line("a", NO, [f"l{n}" for n in range(11)])],
            ("en",),
            [
                "1 of 1: the videos of 1 have none (other languages: 1 l0, "
                + ", ".join(f"1 l{n}" for n in range(1, 8))
                + ", 3 more)."
            ],
        ),
        # What is not of the list does not count.
        ([line("a", EN), line("x", NO, [])], ("en",), []),
    ],
)  # fmt: skip
def test_words(lines: list[dict[str, Any]], asked: tuple[str, ...], words: list[str]) -> None:
    assert without_subtitles(lines, asked, "abc") == [
        f"--subtitles en: {each.replace(': ', ' clips have no file: ', 1)}" for each in words
    ]


def test_a_line_for_each_language() -> None:
    found = without_subtitles([line("a", {"en": None, "de": "x", "fr": None}, ["de"])], ("en", "de", "fr"), "a")
    assert [each.split(":")[0] for each in found] == ["--subtitles en", "--subtitles fr"]
    found = without_subtitles([line("a", {"en": None, "de": "x", "fr": None}, ["de"])], ("fr", "en"), "a")
    assert [each.split(":")[0] for each in found] == ["--subtitles fr", "--subtitles en"]


def test_shards_add_up(tmp_path: Path) -> None:
    """The counts go through the stats files, and those of before there were any count as they are."""

    def stats(*lines: dict[str, Any]) -> dict[str, Any]:
        samples = [Sample(Clip(each["id"], "v", 0.0, 1.0), each) for each in lines]
        told: dict[str, Any] = json.loads(json.dumps(stats_of("00000", samples, {})))
        assert are_stats(told)
        return told

    totals = Totals()
    totals.add(stats(line("a", NO, ["de"]), line("b", EN)))
    totals.add(stats(line("c", NO, ["de", "en"])))
    plain = stats(line("d", EN))
    assert "subtitles" not in plain
    totals.add(plain)
    (said,) = totals.captions.words()
    assert said == (
        "--subtitles en: 2 of 4 clips have no file: the videos of 1 have none (other languages: 1 de); nothing "
        "is said in 1."
    )


@pytest.mark.parametrize(
    "told",
    [{"lacking": 3}, {"lacking": {"en": [1]}}, {"lacking": {"en": {"none": "7"}}}, {"seen": {"en": {"x": -1}}}],
)  # fmt: skip
def test_what_is_no_count_is_passed_over(told: dict[str, Any]) -> None:
    found = Captions()
    found.join(told)
    assert found.words() == []

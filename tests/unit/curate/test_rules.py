"""The rules, one by one, and the words that they look for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from avclips.core.errors import UsageError
from avclips.curate.metadata import Row, Unreadable
from avclips.curate.rules import RULES, FilterSettings, Rules, read_keywords, see_rules, shipped_keywords
from avclips.curate.words import Keywords, plain_text, words_of

ROW = Row("dQw4w9WgXcQ", "Our dog plays in the snow", "It was a lovely day with the whole family", 60, ())
DEFAULT = FilterSettings(keywords=tuple(shipped_keywords().items()))
COMPAT = replace(DEFAULT, compat=True)


@pytest.mark.parametrize(
    ("title", "description", "text"),
    [
        ("A", "B", "a b"),
        ("Tom &amp; Jerry", "&lt;b&gt;bold&lt;/b&gt;", "tom & jerry  bold "),
        ("<b>Let&#39;s Play</b>", "", " let's play  "),
        ("see https://x.example/minecraft?a=b&c now", "www.gta5.example", "see   now  "),
        ("3 < 4 and 5 > 2", "", "3 < 4 and 5 > 2 "),
    ],
)
def test_text(title: str, description: str, text: str) -> None:
    assert plain_text(title, description) == text


def test_words() -> None:
    assert words_of("let's play_the, über-game 5!") == ["lets", "play", "the", "über", "game", "5"]


@pytest.mark.parametrize(
    ("keyword", "text", "found"),
    [
        ("tutorial", "two tutorials for all", True),
        ("tutorials", "a tutorial", True),
        ("let's play", "we let’s playing", True),
        ("call of duty", "call of duty", True),
        # Whole words, in a row.
        ("call of duty", "call of the duty", False),
        ("game", "endgames", False),
        ("gta v", "gta vi", False),
        ("of duty", "call of", False),
    ],
)
def test_keywords_are_whole_words_in_a_row_in_any_form(keyword: str, text: str, found: bool) -> None:
    assert Keywords({"rule": [keyword]}).find(text) == ({"rule": keyword} if found else {})


@pytest.mark.parametrize(
    ("settings", "row", "fails"),
    [
        (DEFAULT, ROW, {}),
        (DEFAULT, replace(ROW, seconds=30), {}),
        (DEFAULT, replace(ROW, seconds=597), {}),
        (DEFAULT, replace(ROW, seconds=29.9), {"duration": "29.9 s"}),
        (DEFAULT, replace(ROW, seconds=598), {"duration": "598 s"}),
        (DEFAULT, replace(ROW, seconds=None), {"duration": "no length is told"}),
        (
            DEFAULT,
            replace(ROW, title="Onze hond speelt in de sneeuw", description="Het was een mooie dag met iedereen"),
            {"language": "nl"},
        ),
        (DEFAULT, replace(ROW, title="", description="123"), {"language": "no words"}),
        # What the site says counts before what the text looks like.
        (DEFAULT, replace(ROW, language="nl"), {"language": "nl"}),
        (replace(DEFAULT, languages=("nl",)), replace(ROW, language="nl"), {}),
        (DEFAULT, replace(ROW, categories=("pets & animals", "gaming")), {"category": "gaming"}),
        (replace(DEFAULT, categories=("sports",)), replace(ROW, categories=("gaming",)), {}),
        (DEFAULT, replace(ROW, description="all of Taylor Swift and the dog, again"), {}),
        (
            DEFAULT,
            replace(ROW, description="all of Taylor Swift and the dog, again", categories=("music",)),
            {"artist": "taylor swift"},
        ),
        (DEFAULT, replace(ROW, title="Minecraft dogs are in the snow"), {"gaming": "minecraft"}),
        (DEFAULT, replace(ROW, title="An animated dog is in the snow"), {"animation": "animation"}),
        (DEFAULT, replace(ROW, title="My dog (Official Video) in the snow"), {"official_video": "official video"}),
        (DEFAULT, replace(ROW, title="Tutorials for the dog in the snow"), {"tutorial": "tutorial"}),
        (
            DEFAULT,
            replace(ROW, title="Gameplay: how to train the dog in the snow", seconds=5),
            {"duration": "5 s", "gaming": "gameplay", "tutorial": "how to"},
        ),
        # The original stems a text for tutorials alone, and no keyword: "tutorial" is "tutori" there.
        (COMPAT, replace(ROW, title="Tutorials for the dog in the snow"), {}),
        (COMPAT, replace(ROW, title="How to train the dog in the snow"), {"tutorial": "how to"}),
        (COMPAT, replace(ROW, title="An animated dog is in the snow"), {"animation": "animated"}),
        (COMPAT, replace(ROW, title="Cartoons of the dog in the snow"), {}),
        (DEFAULT, replace(ROW, title="Cartoons of the dog in the snow"), {"animation": "cartoon"}),
        (replace(DEFAULT, rules=("tutorial",)), replace(ROW, seconds=5, language="nl"), {}),
    ],
)
def test_which_rules_a_row_fails(settings: FilterSettings, row: Row, fails: dict[str, str]) -> None:
    assert dict(Rules(settings).judge(row).fails) == fails


def test_rules_come_in_their_order() -> None:
    row = replace(ROW, title="Minecraft tutorials in the snow", seconds=5)
    settings = replace(DEFAULT, rules=("tutorial", "gaming", "duration"))
    assert [rule for rule, _ in Rules(settings).judge(row).fails] == ["tutorial", "gaming", "duration"]


def test_the_original_ends_at_a_missing_category() -> None:
    row = replace(ROW, has_category=False)
    assert Rules(DEFAULT).judge(row).fails == ()
    with pytest.raises(Unreadable, match="ends here"):
        Rules(COMPAT).judge(row)


def test_shipped_keywords_are_of_rules_and_found_in_themselves() -> None:
    for rule, keywords in shipped_keywords().items():
        assert rule in RULES
        assert all(rule in Keywords({rule: [keyword]}).find(plain_text(keyword, "")) for keyword in keywords)


def test_a_users_keywords(tmp_path: Path) -> None:
    plain = tmp_path / "podcast.txt"
    plain.write_text("# mine\nTalk  Show\n\ntalk show\ninterview # of people\n")
    assert read_keywords(plain) == ("podcast", ("talk show", "interview"))
    assert read_keywords(plain, "gaming")[0] == "gaming"
    original = tmp_path / "officialvideo_keywords.csv"
    original.write_text("a,b,c\nofficial,clip,\nvideo,,\n")
    assert read_keywords(original) == ("official_video", ("official clip", "video"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.txt", None, "No such file"),
        ("empty.txt", b"# nothing\n", "no keyword in it"),
        ("latin.txt", b"\xff", "not UTF-8"),
        ("duration.txt", b"x\n", "has no keywords"),
    ],
)
def test_keywords_that_are_none(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=words):
        read_keywords(tmp_path / name)


def test_a_rule_that_there_is_not() -> None:
    see_rules(("duration", "podcast"), {"podcast": ()})
    with pytest.raises(UsageError, match="did you mean language"):
        see_rules(("langauge",), {})

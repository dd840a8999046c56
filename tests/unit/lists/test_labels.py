"""--labels: which classes a user means, by their names as people write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from avclips.core.errors import UsageError
from avclips.lists.labels import choose_labels

DOG, SPEECH, MAN, WOMAN, BEE, CLATTER = "/m/0bt9lr", "/m/09x0r", "/m/05zppz", "/m/02zsn", "/m/01h3n", "/m/07qcpgn"
NAMES = {
    "Dog": DOG,
    "Speech": SPEECH,
    "Male speech, man speaking": MAN,
    "Female speech, woman speaking": WOMAN,
    "Bee, wasp, etc.": BEE,
    "Tap, tick, click, clack, clatter, clang": CLATTER,
}
CLASSES = NAMES | {mid: mid for mid in NAMES.values()}


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ([], set()),
        (["Dog"], {DOG}),
        ([DOG], {DOG}),
        (["dOG"], {DOG}),
        (["  Dog "], {DOG}),
        (["Dog", "Speech"], {DOG, SPEECH}),
        (["Dog,Speech"], {DOG, SPEECH}),
        (["Dog, Speech,"], {DOG, SPEECH}),
        (["Dog", "dog", DOG], {DOG}),
        ([f"{DOG},{SPEECH}"], {DOG, SPEECH}),
        ([f"Speech,{DOG}"], {DOG, SPEECH}),
        # Names with commas of their own, alone and among others.
        (["Male speech, man speaking"], {MAN}),
        (["Male speech,man speaking"], {MAN}),
        (["Male speech, man speaking,Dog"], {MAN, DOG}),
        (["Dog,Male speech, man speaking,Female speech, woman speaking"], {DOG, MAN, WOMAN}),
        (['Dog,"Male speech, man speaking"'], {DOG, MAN}),
        (['"Male speech, man speaking"'], {MAN}),
        (["Tap, tick, click, clack, clatter, clang,Dog"], {CLATTER, DOG}),
        # With a dot, they are no file.
        (["Bee, wasp, etc."], {BEE}),
        (["Dog,Bee, wasp, etc."], {DOG, BEE}),
        (["Bee, wasp, etc.,Dog"], {DOG, BEE}),
        # As a shell gives a file's lines, and a long list.
        (["Dog\nSpeech\n"], {DOG, SPEECH}),
        (["Dog,Speech," * 40], {DOG, SPEECH}),
    ],
)
def test_names(asked: Sequence[str], chosen: set[str]) -> None:
    assert choose_labels(asked, CLASSES) == chosen


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        (["Dogs"], "no class is called 'Dogs'", "the nearest: Dog"),
        (["Dog", "Speach"], "no class is called 'Speach'", "the nearest: Speech"),
        (["Dog,male speech"], "no class is called 'male speech'", "Male speech, man speaking"),
        (
            ["Dogs,Speach"],
            "no class is called 'Dogs', 'Speach'",
            "'Dogs': the nearest: Dog | 'Speach': the nearest: Speech",
        ),
        (["Dogs", "Speach", "Dogs"], "no class is called 'Dogs', 'Speach'", "'Speach': the nearest: Speech"),
        ([",".join(f"no class {n}" for n in range(12))], "'no class 9' and 2 more", "'no class 9': "),
        (["wasp"], "no class is called 'wasp'", "the nearest: Bee, wasp, etc."),
        (["Dog,zzzzzz"], "no class is called 'zzzzzz'", "see the names in metadata/"),
        (
            ["no/such/list.txt"],
            "no/such/list.txt cannot be read: No such file or directory",
            "a class in each line",
        ),
        # A variable of a shell that was not set must not mean all two million clips.
        ([""], "names no class", None),
        ([" "], "names no class", None),
        ([","], "names no class", None),
    ],
)
def test_what_is_no_class(asked: Sequence[str], message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        choose_labels(asked, CLASSES)
    assert "--labels" in str(caught.value) and message in str(caught.value)
    assert hint is None or (caught.value.hint or "").find(hint) >= 0


LISTS: list[tuple[bytes, set[str]]] = [
    (b"Dog\nSpeech\n", {DOG, SPEECH}),
    (b"\xef\xbb\xbfDog\r\n\r\n  speech  \r\n", {DOG, SPEECH}),
    (b"# of interest\nMale speech, man speaking\n", {MAN}),
    (b'"Male speech, man speaking"\nDog,Speech\n', {MAN, DOG, SPEECH}),
    (b"/m/0bt9lr", {DOG}),
]


@pytest.mark.parametrize(("content", "chosen"), LISTS)
@pytest.mark.parametrize("name", ["list.txt", "list"])
def test_a_file(tmp_path: Path, content: bytes, chosen: set[str], name: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert choose_labels([str(tmp_path / name)], CLASSES) == chosen
    assert choose_labels(["bee, wasp, etc.", str(tmp_path / name)], CLASSES) == chosen | {BEE}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "names no class"),
        (b"# nothing\n\n", "names no class"),
        (b",\n", "names no class"),
        (b"D\xf6g\n", "not UTF-8 text"),
        (b"Dog\nDogs\n", "no class is called 'Dogs'"),
    ],
)
def test_a_file_that_is_no_list(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        choose_labels([str(path)], CLASSES)


def test_a_class_is_meant_where_a_file_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Dog").write_text("Speech\n")
    monkeypatch.chdir(tmp_path)
    assert choose_labels(["Dog"], CLASSES) == {DOG}


@pytest.mark.parametrize("text", ["Dog\rSpeech", "x" * 200_000, '"Dog', "\0"])
def test_what_no_csv_reader_takes_is_no_traceback(text: str) -> None:
    try:
        assert choose_labels([text], CLASSES) <= set(NAMES.values())
    except UsageError as error:
        assert "--labels" in str(error)

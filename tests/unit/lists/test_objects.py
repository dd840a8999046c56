"""JSON that is an object, of videos or of classes, and lists of mere videos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.list_of import ID, OTHER, THIRD, complaint, listing, metas, times


@pytest.mark.parametrize(
    ("content", "clips", "said"),
    [
        # A class has ids, with and without something around them.
        ({"flute": [ID, OTHER], "bagpipe": [THIRD]}, [(ID, ID, 0.0, None), (OTHER, OTHER, 0.0, None),
            (THIRD, THIRD, 0.0, None)], [{"class": "flute"}, {"class": "flute"}, {"class": "bagpipe"}]),
        ({"version": 2.0, "videos": {"flute": [ID], "oboe": []}}, [(ID, ID, 0.0, None)], [{"class": "flute"}]),
        ({"train": [{"url": ID, "start": 1, "end": 2}], "val": [{"url": OTHER, "start": 3, "end": 4}]},
            [(f"{ID}_1_2", ID, 1.0, 2.0), (f"{OTHER}_3_4", OTHER, 3.0, 4.0)], [{}, {}]),
        ({"Violin": {ID: [[1, 2], [3, 4]]}, "Cello": {THIRD: [[5, 6]]}}, [
            (f"{ID}_1_2", ID, 1.0, 2.0), (f"{ID}_3_4", ID, 3.0, 4.0), (f"{THIRD}_5_6", THIRD, 5.0, 6.0)],
            [{"class": "Violin"}, {"class": "Violin"}, {"class": "Cello"}]),
        # A video has times, or an object of each part.
        ({f"v_{ID}": {"duration": 9.5, "timestamps": [[0.5, 2], [1, 9]], "sentences": ["a", "b"]}}, [
            (f"{ID}_0.5_2", ID, 0.5, 2.0), (f"{ID}_1_9", ID, 1.0, 9.0)], [{"caption": "a"}, {"caption": "b"}]),
        ({"version": "x", "database": {ID: {"duration": 40, "subset": "train", "annotations": [
            {"segment": [1.5, 3], "label": "dog"}, {"segment": [4, 40], "label": "cat"}]}}}, [
            (f"{ID}_1.5_3", ID, 1.5, 3.0), (f"{ID}_4_40", ID, 4.0, 40.0)], [{"label": "dog"}, {"label": "cat"}]),
        ({ID: [{"start": 1, "end": 2, "label": "x"}], OTHER: [{"start": 3, "end": 4, "label": "y"}]},
            [(f"{ID}_1_2", ID, 1.0, 2.0), (f"{OTHER}_3_4", OTHER, 3.0, 4.0)], [{"label": "x"}, {"label": "y"}]),
        ({ID: [1, 2], OTHER: [3, 4.5]}, [
            (f"{ID}_1_2", ID, 1.0, 2.0), (f"{OTHER}_3_4.5", OTHER, 3.0, 4.5)], [{}, {}]),
        ({f"{ID}_000030": {"label": "x"}, f"{OTHER}_000000": {"label": "y"}}, [
            (f"{ID}_000030", ID, 30.0, 40.0), (f"{OTHER}_000000", OTHER, 0.0, 10.0)],
            [{"label": "x"}, {"label": "y"}]),
        # Mere videos.
        ([ID, f"https://youtu.be/{OTHER}"], [(ID, ID, 0.0, None), (OTHER, OTHER, 0.0, None)], [{}, {}]),
        ([f"{ID}_20_30"], [(f"{ID}_20_30", ID, 20.0, 30.0)], [{}]),
    ],
)  # fmt: skip
def test_an_object_as_rows(tmp_path: Path, content: Any, clips: list[Any], said: list[Any]) -> None:
    found = listing(tmp_path, content, "list.json")
    assert (times(found), metas(found), found.skipped) == (clips, said, [])


def test_a_video_without_a_part_is_told(tmp_path: Path) -> None:
    content = {
        "database": {
            ID: {"annotations": [{"segment": [1, 3], "label": "dog"}]},
            OTHER: {"annotations": []},
            THIRD: {"annotations": [{"segment": [3, 1], "label": "dog"}]},
        }
    }
    found = listing(tmp_path, content, "list.json")
    assert times(found) == [(f"{ID}_1_3", ID, 1.0, 3.0)] and found.rows == 3
    assert found.skipped == [
        f"list.json, entry '{OTHER}': None is not a list of clips such as [[0, 9.5], [20, 30]]",
        f"list.json, entry '{THIRD}', 1: the end 1 is not after the start 3",
    ]


@pytest.mark.parametrize("value", [12.5, "12.5"])
def test_a_number_of_a_video_is_asked_about(tmp_path: Path, value: Any) -> None:
    message, _ = complaint(tmp_path, {ID: value, OTHER: value}, "list.json")
    assert message.startswith("list.json: is 'value' a time of the clips?")


@pytest.mark.parametrize(
    "content",
    [
        {"a": 1}, {}, {"AudioSet": ["YvfY_TJq7n_U.wav"], "FreeSound": ["156", "201"]}, {"flute": "x"},
        {"flute": [1, 2]}, {"words": ["information", "about"]}, {"flute": []},
        # Of two lists there is no telling which is meant.
        {"info": {"a": 1}, "videos": [{"id": ID}], "annotations": [{"id": 1}], "licenses": 5},
    ],
)  # fmt: skip
def test_an_object_without_a_plain_meaning(tmp_path: Path, content: Any) -> None:
    message, hint = complaint(tmp_path, content, "list.json")
    assert message == "list.json holds an object, not a list" and "an object of videos or of classes" in hint

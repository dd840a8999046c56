"""Quality flags in shards: a column, or a key of the JSON; none where an output was begun without."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avclips.core.model import Clip
from avclips.core.reserved_names import column_of
from avclips.shards.members import Layout, layout_of_plan
from avclips.shards.sample import row_of
from avclips.shards.tar_writer import write_tar
from tests.unit.shards.test_tar_writer import Folder, failed

FLAGS: dict[str, Any] = {"still": 0.5, "picture_hashes": ["00", ""], "dual_mono": None, "sound_print": "é"}
LAYOUT = Layout({}, ("mp4", "wav"))
BEGUN_BEFORE = {"version": 2, "kept": {}, "endings": ["mp4", "wav"], "info": False, "sparse": []}


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def said(folder: Folder, samples: list[Any], layout: Layout) -> list[dict[str, Any]]:
    path = folder.out / "x.tar"
    write_tar(path, samples, folder.path, layout)
    with tarfile.open(path) as tar:
        members = [tar.extractfile(each) for each in tar if each.name.endswith(".json")]
        return [json.loads(each.read()) for each in members if each is not None]


def test_flags_are_json_in_a_column_of_text(place: Folder) -> None:
    samples = [place.done("a", flags=FLAGS), place.done("b"), failed("c")]
    table = place.table(samples, layout=LAYOUT)
    assert str(table.schema.field("flags").type) == "string"
    cells = table.column("flags").to_pylist()
    assert json.loads(cells[0]) == FLAGS and cells[1:] == [None, None]
    found = said(place, samples, LAYOUT)
    assert json.loads(found[0]["flags"]) == FLAGS and found[1]["flags"] == ""


def test_an_output_that_was_begun_without_goes_on_without(place: Folder) -> None:
    layout = layout_of_plan(BEGUN_BEFORE, "plan")
    assert not layout.flags and layout_of_plan(LAYOUT.as_plan(), "plan") == LAYOUT
    samples = [place.done("a", flags=FLAGS)]
    assert "flags" not in place.table(samples, layout=layout).column_names
    assert "flags" not in said(place, samples, layout)[0]


@pytest.mark.parametrize("name", ["flags", "Flags"])
def test_a_lists_own_column_stays_what_it_was_called(place: Folder, name: str) -> None:
    sample = place.done("a", {name: "of the list"}, flags=FLAGS)
    new = replace(LAYOUT, kept={name: "text"})
    assert column_of(name) == f"list_{name}"
    row = place.table([sample], layout=new).to_pylist()[0]
    assert (row[f"list_{name}"], json.loads(row["flags"])) == ("of the list", FLAGS)
    before = layout_of_plan({**BEGUN_BEFORE, "kept": {name: "text"}}, "plan")
    assert place.table([sample], layout=before).to_pylist()[0][name] == "of the list"
    assert said(place, [sample], before)[0][name] == "of the list"
    old = row_of(replace(sample, clip=Clip("a", "v", 0.0, None, {name: "of the list"})))
    assert old[name] == "of the list"

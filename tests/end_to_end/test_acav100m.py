"""ACAV100M: its lists as they come, in hardly any memory, and a whole run of its script."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from avclips.cli import main
from avclips.core.errors import RunError, UsageError
from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.datasets.acav100m import ACAV100M, make_clip, read_clips
from avclips.datasets.base import Listing
from avclips.lists.spooled import OnDisk
from tests.standin.fake_youtube import FakeVideo, FakeYouTube, Media
from tests.support.script import ROOT, snapshot
from tests.support.shards_stage import HURRY, Packs

SCRIPT = ROOT / "download_acav100m.py"
A, B, C = "-acavvideo1", "acavvideo_2", "_acavvideo3"


def listing(folder: Path, content: str | Sequence[dict[str, Any]], name: str = "list.csv", **more: Any) -> Listing:
    path = folder / name
    if isinstance(content, str):
        path.write_text(content)
    else:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(content)), path)
    return read_clips(folder / "metadata", Settings(folder, clip_list=path, **more))


def clip(video: str, start: float, name: str, end: float | None = None) -> Clip:
    return Clip(f"{video}_{name}", video, start, start + 10.0 if end is None else end)


# -- lists -----------------------------------------------------------------------------------------------------

THEIRS = f"{A},69\n{B},0\n{C},123.5\n{A},7\n{B},1234\n{A},69.0\n{C},13.28\n"
ELSEWHERE = "https://example.org/v.mp4,5\nhttps://example.org/w.mp4,6\n"
# Those of a video stand together, in the order of the first of each; repeated rows count once.
CLIPS = [clip(A, 69, "069"), clip(A, 7, "007"), clip(B, 0, "000"), clip(B, 1234, "1234"), clip(C, 123.5, "123.5"),
         clip(C, 13.28, "13.28")]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [THEIRS, THEIRS.rstrip(), "\ufeff" + THEIRS, THEIRS.replace("\n", "\r\n"), THEIRS.replace(",", ", ")],
    ids=["theirs", "no last newline", "BOM", "CRLF", "blanks"],
)
def test_rows_without_a_header(tmp_path: Path, content: str) -> None:
    found = listing(tmp_path, content)
    assert list(found.clips) == CLIPS and found.skipped == []
    # Again and again.
    assert list(found.clips) == CLIPS
    assert found.remarks == ["columns: video from '1', start from '2', 10 s each"]
    assert found.url_of(A) == f"https://www.youtube.com/watch?v={A}"


ROWS = [(A, 69.0), (B, 0.0), (C, 123.5), (A, 7.0), (B, 1234.0), (A, 69.0), (C, 13.28)]


@pytest.mark.parametrize("kind", ["fractions", "texts", "no end"])
def test_a_parquet(tmp_path: Path, kind: str) -> None:
    rows: list[dict[str, Any]] = [{"videoID": video, "start": start, "end": start + 10} for video, start in ROWS]
    if kind == "texts":
        rows = [{"videoID": row["videoID"], "start": str(row["start"]), "end": str(row["end"])} for row in rows]
    if kind == "no end":
        rows = [{"videoID": row["videoID"], "start": row["start"]} for row in rows]
    found = listing(tmp_path, rows, "list.parquet")
    assert list(found.clips) == CLIPS and found.skipped == []


def test_a_parquet_with_ends_of_its_own(tmp_path: Path) -> None:
    rows = [{"videoID": A, "start": 5, "end": 8}, {"videoID": A, "start": 20, "end": 30}]
    assert list(listing(tmp_path, rows, "list.parquet").clips) == [clip(A, 5, "005", 8), clip(A, 20, "020")]


def test_the_pipelines_own_output(tmp_path: Path) -> None:
    content = f'shard-000000,one.mp4,{A},"[69, 79]"\nshard-000000,two.mp4,{B},"[0.5, 10.5]"\n'
    assert list(listing(tmp_path, content).clips) == [clip(A, 69, "069"), clip(B, 0.5, "0.5")]


@pytest.mark.parametrize(
    ("name", "due"),
    [
        (0.0, "000"), (7.0, "007"), (69.0, "069"), (1234.0, "1234"), (69.5, "69.5"), (0.25, "0.25"),
        (13.000001, "13.000001"),
    ],
)  # fmt: skip
def test_ids(name: float, due: str) -> None:
    assert make_clip(A, name, name + 10).id == f"{A}_{due}"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("https://example.org/v.mp4,5", "not a video on YouTube"),
        ("short,5", "'short' is neither a YouTube id nor the address of a video"),
        (",5", "no video"),
        (f"{C},", "no start"),
        (f"{C}", "no start"),
        (f"{C},soon", "'soon' is not a time such as 75, 1:15 or 0:01:15"),
        (f"{C},-3", "'-3' is not a time such as 75, 1:15 or 0:01:15"),
        (f"{C},nan", "no start"),
    ],
)
def test_a_bad_row_is_left_out(tmp_path: Path, row: str, why: str) -> None:
    found = listing(tmp_path, f"{A},69\n{row}\n{B},0\n{A},7\n")
    assert list(found.clips) == [CLIPS[0], CLIPS[1], CLIPS[2]]
    assert found.skipped == [f"list.csv, line 2: {why}"]


def test_many_bad_rows_are_counted(tmp_path: Path) -> None:
    found = listing(tmp_path, f"{A},69\n" * 200 + "".join(f"{A},x{n}\n" for n in range(1500)))
    assert len(list(found.clips)) == 1 and len(found.skipped) == 1001
    assert found.skipped[-1] == "and 500 more" and "line 201: 'x0' is not a time" in found.skipped[0]


def test_no_row_names_a_clip(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no row of .* names a clip; the first: list.csv, line 1: not a video on"):
        listing(tmp_path, ELSEWHERE)


def test_no_list() -> None:
    with pytest.raises(UsageError, match="no list of clips is named"):
        read_clips(Path("x"), Settings(Path("x")))


def test_a_list_that_breaks_off(tmp_path: Path) -> None:
    """Whatever was read is not taken for the list."""
    with pytest.raises(UsageError, match="list.csv, line 3: not utf-8 text"):
        path = tmp_path / "list.csv"
        path.write_bytes(f"{A},1\n{B},2\n".encode() + b"caf\xe9,3\n" * 3)
        read_clips(tmp_path / "metadata", Settings(tmp_path, clip_list=path))


def test_a_look_at_a_list_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "list.csv"
    path.write_text(THEIRS)
    before = snapshot(tmp_path)
    assert main.main(ACAV100M, [str(path), "--data-dir", str(tmp_path / "data"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert f"{A}_069: https://www.youtube.com/watch?v={A} from 69 to 79 s" in said
    assert said.endswith("6 clips of 3 videos, 0 records left out. Nothing was fetched.\n")
    assert snapshot(tmp_path) == before


def test_a_bad_list_makes_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "list.csv"
    path.write_text(ELSEWHERE)
    code = main.main(ACAV100M, [str(path), "--data-dir", str(tmp_path / "data")])
    said = capsys.readouterr()
    assert code == 2 and len(said.err.splitlines()) == 2 and not (tmp_path / "data").exists()


# -- on the disk -----------------------------------------------------------------------------------------------


def on_disk(path: Path) -> OnDisk:
    return OnDisk(path / "deep" / "list.sqlite", make_clip)


def test_a_list_on_the_disk(tmp_path: Path) -> None:
    clips = on_disk(tmp_path)
    clips.fill((video, start, start + 10) for video, start in ROWS)
    assert list(clips) == CLIPS
    # Two at a time, each at its own place.
    one, other = iter(clips), iter(clips)
    assert [next(one), next(one), next(other)] == [*CLIPS[:2], CLIPS[0]]
    assert list(one) == CLIPS[2:] and list(other) == CLIPS[1:]
    # Another list takes the place of the first.
    clips.fill([(B, 1.0, 11.0)])
    assert list(clips) == [clip(B, 1, "001")]
    clips.fill([])
    assert list(clips) == []


def test_the_order_is_that_of_first_rows(tmp_path: Path) -> None:
    draw = random.Random(1)
    rows = [(f"video{draw.randrange(300):06d}", float(draw.randrange(50)), 0.0) for _ in range(5000)]
    due: dict[str, dict[float, None]] = {}
    for video, start, _ in rows:
        due.setdefault(video, {}).setdefault(start)
    clips = on_disk(tmp_path)
    clips.fill(iter(rows))
    assert [(each.video, each.start) for each in clips] == [
        (v, start) for v, each in due.items() for start in each
    ]


def test_a_list_is_whole_or_not_there(tmp_path: Path) -> None:
    """Tasks of one array begin at the same time in the same folder: each reads while another writes."""
    rows = [(video, start, start + 10) for video, start in ROWS]
    first, second = on_disk(tmp_path), on_disk(tmp_path)
    first.fill(rows)
    seen: list[list[Clip]] = []

    def coming() -> Iterator[tuple[str, float, float]]:
        for row in rows:
            seen.append(list(first))
            yield row

    second.fill(coming())
    assert seen == [CLIPS] * len(rows) and list(second) == list(first) == CLIPS


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b""])
def test_a_broken_list_on_the_disk(tmp_path: Path, content: bytes) -> None:
    clips = on_disk(tmp_path)
    clips.fill([(A, 1.0, 11.0)])
    path = tmp_path / "deep" / "list.sqlite"
    path.write_bytes(content)
    with pytest.raises(RunError, match=f"^{path} cannot be read: ") as caught:
        list(clips)
    assert caught.value.hint == "delete it, and run again"
    clips.fill([(A, 1.0, 11.0)])
    assert list(clips) == [clip(A, 1, "001")]


READ = """
import re, sys
from pathlib import Path
from avclips.core.settings import Settings
from avclips.datasets.acav100m import read_clips
from avclips.shards.shard import cut
folder = Path(sys.argv[1])
clips = read_clips(folder / "metadata", Settings(folder, clip_list=folder / "list.csv")).clips
sizes = [len(shard.clips) for shard in cut(clips, 1000)]
# Of this program alone: what getrusage tells begins with its parent's.
peak = re.search(r"VmHWM:\\s*([0-9]+)", Path("/proc/self/status").read_text())[1]
print(len(sizes), sum(sizes), peak)
"""


@pytest.mark.slow
def test_a_long_list_takes_no_memory(tmp_path: Path) -> None:
    """As objects, six hundred thousand clips more would be about three hundred megabytes."""
    found = {}
    for count in (200_000, 800_000):
        folder = tmp_path / str(count)
        folder.mkdir()
        (folder / "list.csv").write_text("".join(f"v{n * 7919 % (count // 2):010d},{n}\n" for n in range(count)))
        words = [sys.executable, "-c", READ, str(folder)]
        said = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout
        shards, clips, found[count] = map(int, said.split())
        assert (shards, clips) == (count // 1000, count)
    # The database's own cache, which of DuckDB before 1.4 is half as large again, and little besides.
    assert found[800_000] - found[200_000] < 150_000 and found[800_000] < 400_000, found


# -- a whole run -----------------------------------------------------------------------------------------------

SHORT = Media(duration=24, gop_seconds=2, fps=5)


def test_a_run(tmp_path: Path, media_folder: Path) -> None:
    """Tars by default; videos whose rows are apart are fetched once."""
    videos = {A: FakeVideo(SHORT), B: FakeVideo(SHORT), C: FakeVideo(case="private")}
    rows = f"{A},1\n{B},0\n{C},5\n{A},12.5\nshort,1\n{A},1\n{B},7\n{A},99\n"
    with FakeYouTube(media_folder, videos) as youtube:
        place = Packs(youtube, tmp_path, SCRIPT)
        path = place.base / "list.csv"
        path.write_text(rows)
        ended = place.run(path, "--cut", "copy", "--samples-per-shard", "2", scale=HURRY)
        assert ended.code == 0, ended.said
        assert "6 clips in 3 shards, 3 of them unfinished" in ended.out and "1 records are left out" in ended.out
        due = [[f"{A}_001", f"{A}_12.5", f"{A}_099"], [f"{B}_000", f"{B}_007"], [f"{C}_005"]]
        assert [place.ids(number) for number in place.finished] == due and place.leftovers == set()
        samples = place.tars
        assert [each["__key__"] for each in samples] == [f"{A}_001", f"{A}_12~5", f"{B}_000", f"{B}_007"]
        assert [json.loads(each["json"])["start"] for each in samples] == [1.0, 12.5, 0.0, 7.0]
        assert all(each["mp4"] and each["wav"] for each in samples)
        assert {row["id"]: row["reason"] for row in place.rows if row["reason"]} == {
            f"{A}_099": "over", f"{C}_005": "private"
        }  # fmt: skip
        assert [youtube.extractions(name) for name in (A, B, C)] == [1, 1, 1]
        assert youtube.unknown == []

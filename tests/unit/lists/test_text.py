"""Lines as rows: no row is lost for a quote, a long cell is read, and what stands between cells is seen."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avclips.core.settings import Columns, Settings
from avclips.datasets.vggsound import read_labels
from avclips.lists.columns import looks_of
from avclips.lists.id_map import read_id_map
from avclips.lists.labels import choose_labels
from avclips.lists.reader import open_table
from tests.support.list_of import ID, OTHER, THIRD, complaint, listing, metas, times, written

MANY = settings(
    deadline=None,
    derandomize=True,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
KEPT = {"columns": Columns(keep=("title",))}


def videos(count: int) -> list[str]:
    return [f"abcdefgh{number:03d}" for number in range(count)]


def rows(count: int, titles: dict[int, str], between: str) -> str:
    lines = [between.join(("youtube_id", "start", "end", "title"))]
    for number, video in enumerate(videos(count)):
        lines.append(between.join((video, str(number), str(number + 5), titles.get(number, "x"))))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "titles",
    [
        {8: '"Heroes', 12: '"Low'},
        {8: '"Heroes', 12: 'Low"'},
        {8: '"Heroes', 9: 'Low"'},
        {8: '"Heroes'},
        {0: '"', 19: '"'},
        {3: '"Heroes" live', 5: '12" remix', 8: '"unclosed', 12: '"unclosed'},
        dict.fromkeys(range(20), '"all of them'),
    ],
)
@pytest.mark.parametrize(
    ("name", "between"),
    [*(("list.csv", between) for between in ",;\t|"), ("list.tsv", "\t"), ("list.txt", "\t")],
)
def test_no_row_is_lost_for_a_quote(tmp_path: Path, titles: dict[int, str], name: str, between: str) -> None:
    found = listing(tmp_path, rows(20, titles, between), name, **KEPT)
    assert [clip.video for clip in found.clips] == videos(20)
    assert (found.rows, found.skipped) == (20, [])
    if name == "list.tsv":
        # There, a quote is a letter.
        assert [meta["title"] for meta in metas(found)] == [titles.get(number, "x") for number in range(20)]


@pytest.mark.parametrize("between", [",", ";", "|", "\t"])
def test_a_cell_of_several_lines_is_one_row(tmp_path: Path, between: str) -> None:
    text = f'so{between} he said:\n\n"well", {between}{between}\nand left; {ID}\n'
    table = io.StringIO()
    writer = csv.writer(table, delimiter=between, lineterminator="\n")
    writer.writerows([("youtube_id", "start", "end", "title"), (ID, 1, 2, text), (OTHER, 3, 4, "x")])
    found = listing(tmp_path, table.getvalue(), **KEPT)
    assert [meta["title"] for meta in metas(found)] == [text, "x"] and found.rows == 2


@pytest.mark.parametrize(
    ("content", "title"),
    [
        # As R's write.table has them: every text of the first line is in quotes.
        (f'"youtube_id"\t"start"\t"title"\n"{ID}"\t1\t"a ""b"" c"\n', 'a "b" c'),
        (f'"{ID}"\t1\t"a\tb"\n', "a\tb"),
        (f'youtube_id\tstart\ttitle\n{ID}\t1\t"all of it"\n', '"all of it"'),
    ],
)
def test_quotes_of_a_tsv(tmp_path: Path, content: str, title: str) -> None:
    keep = "title" if "title" in content else "3"
    columns = Columns(start="start" if keep == "title" else "2", keep=(keep,))
    found = listing(tmp_path, content, "list.tsv", columns=columns, clip_length=5.0)
    assert (times(found), metas(found)) == ([(f"{ID}_1_6", ID, 1.0, 6.0)], [{keep: title}])


CELL = st.text('ab" ,;\n', max_size=8)


@MANY
@given(st.lists(CELL, min_size=1, max_size=12), st.sampled_from(["list.csv", "list.tsv"]))
def test_every_line_is_of_a_row_that_is_told(tmp_path: Path, titles: list[str], name: str) -> None:
    """Whatever stands in a title: a line with a video of its own makes its clip."""
    between = "\t" if name == "list.tsv" else ","
    flat = [title.replace("\n", " ").replace(between, " ") for title in titles]
    content = rows(len(flat), dict(enumerate(flat)), between)
    found = listing(tmp_path, content, name)
    assert [clip.video for clip in found.clips] == videos(len(flat))


@pytest.mark.parametrize(("name", "between"), [("list.csv", ","), ("list.tsv", "\t"), ("list.txt", ",")])
def test_a_cell_of_any_length(tmp_path: Path, name: str, between: str) -> None:
    long = "so it goes on " * 20_000
    content = rows(300, {250: long}, between)
    assert len(list(listing(tmp_path, content, name).clips)) == 300


def test_long_cells_of_other_files(tmp_path: Path) -> None:
    long = "x" * 200_000
    path = written(tmp_path, f"video_id,youtube_id,note\n00000001,{ID},{long}\n", "map.csv")
    assert read_id_map(path)["00000001"].youtube_id == ID
    path = written(tmp_path, f'{ID},1,"{long}",train\n', "vggsound.csv")
    assert read_labels(path) == {f"{ID}_000001": (long, "train")}
    assert choose_labels([f"{long},Dog"], {"Dog": "Dog", long: "long"}) == {"Dog", "long"}


# -- what stands between cells -------------------------------------------------------------------------------

CLIP = [(f"{ID}_10_20", ID, 10.0, 20.0), (f"{OTHER}_30_40", OTHER, 30.0, 40.0)]


@pytest.mark.parametrize("name", ["list.csv", "list.txt", "list.tsv"])
@pytest.mark.parametrize("between", [",", ";", "\t", "|", " ", "&"])
@pytest.mark.parametrize("header", [True, False])
def test_the_letter_between_is_seen(tmp_path: Path, name: str, between: str, header: bool) -> None:
    lines = [("youtube_id", "start", "end")] * header + [(ID, "10", "20"), (OTHER, "30", "40")]
    content = "".join(between.join(cells) + "\n" for cells in lines)
    assert times(listing(tmp_path, content, name)) == CLIP
    assert times(listing(tmp_path, content, name, delimiter=between)) == CLIP


@pytest.mark.parametrize(
    ("content", "name"),
    [
        # Commas within the cells of the rows, none in the header.
        (f"youtube_id\tstart\tend\tlabels\n{ID}\t10\t20\ta,b\n{OTHER}\t30\t40\tc\n", "list.csv"),
        (f'youtube_id;start;end;"title, as shown"\n{ID};10;20;x\n{OTHER};30;40;"y, z"\n', "list.csv"),
        (f"{ID};10,0;20,0\n{OTHER};30,0;40,0\n", "list.csv"),
        (f"{ID}   10    20\n{OTHER}  30  40\n", "list.txt"),
    ],
)
def test_commas_that_are_not_between(tmp_path: Path, content: str, name: str) -> None:
    assert times(listing(tmp_path, content, name)) == CLIP


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (f"https://www.youtube.com/watch?v={ID}&t=15s", "list.csv"),
        (f"https://www.youtube.com/watch?v={ID}&list=a", "list.txt"),
        (f"https://www.youtube.com/watch?v={ID}&t=15s,a", "list.txt"),
        ("https://x.example/a,b", "list.txt"),
        ("https://x.example/a;b?c=d", "list.csv"),
    ],
)
def test_letters_of_an_address_are_not_between(tmp_path: Path, line: str, name: str) -> None:
    path = written(tmp_path, f"{line}\n", name)
    table = open_table(path, "utf-8", looks_of(Settings(tmp_path)))
    assert table.columns == ("1",) and table.head("1") == [line]


def test_a_txt_of_words(tmp_path: Path) -> None:
    message, _ = complaint(tmp_path, "a title of words\nanother one\n", "list.txt")
    assert message == "no column of list.txt is known to name a video: its columns are 'a title of words'"


@pytest.mark.parametrize(
    ("content", "clips"),
    [
        ("youtube_id;start;end\n{};0,5;4,25\n", (0.5, 4.25)),
        ("{};0,5;4,25\n", (0.5, 4.25)),
        ("youtube_id\tstart\tend\n{}\t0,5\t4,25\n", (0.5, 4.25)),
        ('youtube_id,start,end\n{},"0,5","4,25"\n', (0.5, 4.25)),
        # Three digits: a decimal comma where others of the list show that, or the semicolons do.
        ("youtube_id;start;end\n{};1,500;4,250\n", (1.5, 4.25)),
        ('youtube_id,start,end\n{},"1,500","4,25"\n', (1.5, 4.25)),
        ('youtube_id,start,end\n{},0:01.5,"0:04,25"\n', (1.5, 4.25)),
    ],
)
def test_decimal_commas(tmp_path: Path, content: str, clips: tuple[float, float]) -> None:
    name = "list.tsv" if "\t" in content else "list.csv"
    (found,) = listing(tmp_path, content.format(ID), name).clips
    assert (found.start, found.end) == clips


def test_a_comma_that_may_be_between_thousands_is_asked_about(tmp_path: Path) -> None:
    found = listing(tmp_path, f'youtube_id,start,end\n{ID},"1,500","1,510"\n{OTHER},1,2\n')
    assert times(found) == [(f"{OTHER}_1_2", OTHER, 1.0, 2.0)]
    assert found.skipped == ["list.csv, line 2: '1,500' is not a time: write it with a point, or without a comma"]


# -- the first row -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line", [f"{ID}_20_30,dog", f"{ID}_000020.mp4,dog", f"v_{ID}_20_30,dog", "#NAME?,20,30", "short,20,30"]
)
def test_a_first_row_is_not_lost_to_a_header(tmp_path: Path, line: str) -> None:
    second = f"{THIRD}_40_50,cat" if "_" in line else f"{THIRD},40,50"
    if line.startswith("v_"):
        second = f"v_{second}"
    if "_0000" in line:
        second = f"{THIRD}_000040.mp4,cat"
    found = listing(tmp_path, f"{line}\n{second}\n")
    assert found.rows == 2
    told = [*found.skipped, *(clip.video for clip in found.clips)]
    assert len(told) == 2 and told[-1] == THIRD


@pytest.mark.parametrize("row", [4, 1])
def test_what_a_spreadsheet_ate(tmp_path: Path, row: int) -> None:
    lines = [f"{ID},1,2", f"{OTHER},1,2", f"{THIRD},1,2"]
    lines.insert(row - 1, "#NAME?,1,2")
    found = listing(tmp_path, "# a comment\n" + "\n".join(lines) + "\n")
    assert found.skipped == [
        f"list.csv, line {row + 1}: #NAME? is what a spreadsheet made of an id that begins with '-': take the "
        "list as it was published"
    ]
    assert len(list(found.clips)) == 3


@pytest.mark.parametrize(
    ("content", "chosen", "videos"),
    [
        (f"{ID},video\n{OTHER},speech\n", Columns(url="1"), [ID, OTHER]),
        (f"speech,{ID}\nvideo,{OTHER}\n", Columns(url="2"), [ID, OTHER]),
        (f"abcdefghijk,speech\n{OTHER},video\n", Columns(url="1"), ["abcdefghijk", OTHER]),
        (f"{ID},label,3,9\n{OTHER},b,1,2\n", Columns(url="1", start="3", end="4"), [ID, OTHER]),
    ],
)
def test_who_counts_columns_loses_no_row(tmp_path: Path, content: str, chosen: Columns, videos: list[str]) -> None:
    found = listing(tmp_path, content, columns=chosen)
    assert [clip.video for clip in found.clips] == videos and found.rows == 2


def test_a_header_that_may_be_a_row_is_said(tmp_path: Path) -> None:
    """Where nobody counts columns, a word that columns are called decides."""
    found = listing(tmp_path, f"{ID},video\nx,{OTHER}\n")
    assert [clip.video for clip in found.clips] == [OTHER]
    assert f"the first row is taken for a header; if {ID!r} is a video: --url-col and a number" in found.remarks
    found = listing(tmp_path, f"description,video\nx,{OTHER}\n")
    assert not any("header" in line for line in found.remarks)


@pytest.mark.parametrize("at", [0, 998, 999, 1000, 1001, 1999, 2400])
@pytest.mark.parametrize("title", ['"Heroes, Low"', '"Heroes', 'a "remix"', '"two\nlines"'])
def test_no_row_is_lost_where_lines_are_read_in_blocks(tmp_path: Path, at: int, title: str) -> None:
    """A quote may stand at the end of a block, or at the beginning of the next."""
    names = [f"abcdef{number:05d}" for number in range(2401)]
    lines = [
        f"{video},{number},{number + 5},{title if number == at else 'x'}" for number, video in enumerate(names)
    ]
    path = written(tmp_path, "youtube_id,start,end,title\n" + "\n".join(lines) + "\n", "list.csv")
    table = open_table(path, "utf-8", looks_of(Settings(tmp_path)))
    found = list(table.rows(("youtube_id", "title")))
    assert [cells["youtube_id"] for _, cells in found] == names
    further = title.count("\n")
    assert [where for where, _ in found] == [f"line {n + 2 + (n > at) * further}" for n in range(2401)]


def test_lines_that_end_otherwise_are_rows_too(tmp_path: Path) -> None:
    lines = [f"abcdef{number:05d},{number},{number + 5}" for number in range(2000)]
    for between in ("\r", "\r\n", "\n\n"):
        path = written(tmp_path, "url,start,end\n" + between.join(lines), "list.csv")
        rows = open_table(path, "utf-8", looks_of(Settings(tmp_path))).rows(("start",))
        assert [cells["start"] for _, cells in rows] == [str(number) for number in range(2000)]

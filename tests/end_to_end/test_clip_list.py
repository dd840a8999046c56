"""download_clips.py over lists of one's own: YouTube's videos and other sites' pages, in one run.

The references are made of the site's own files with ffmpeg, and looked at with PyAV and numpy.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from avclips.cli import main
from avclips.datasets.clip_list import CLIPS
from tests.standin import fake_media
from tests.standin.fake_player import rolling_webvtt, webvtt
from tests.standin.fake_site import FakeSite, Shape, SiteRequest, SiteVideo
from tests.standin.fake_youtube import FakeFile, FakeVideo, FakeYouTube, Fault, Media
from tests.support.script import ROOT, Ended, Stage, results, snapshot, stems
from tests.support.sounds import Samples, is_in_step, samples

PIP = f"{sys.executable} -m pip install"

SCRIPT = ROOT / "download_clips.py"
# What takes hours passes in a second.
HURRY = 3000.0
START, END = 3.5, 8.0
PLAIN = Media(duration=14, gop_seconds=2, fps=10)
SILENT = replace(PLAIN, audio=False)
LONG = replace(PLAIN, duration=40)
DASH: tuple[Shape, ...] = ("template", "number", "list")
PIECES: tuple[Shape, ...] = ("hls", "bare_hls")
SHAPES: tuple[Shape, ...] = (*DASH, "ranges", "base", "file", *PIECES)
BIG = "https://files.example.org/big.mp4"
WRITTEN = webvtt([(0, 3, "before"), (3, 5, "over"), (6, 20, "to the end")])
HEARD = rolling_webvtt([(2, 6, "hello there you"), (6, 9, "and again")])
MARKS = {"plain": "youtube-1111", "written": "youtube-2222", "heard": "youtube-3333", "lost": "youtube-4444",
         "late": "youtube-5555", "token": "youtube-6666"}  # fmt: skip
IDS = {name: each[:7] + each[8:] for name, each in MARKS.items()}


def page(shape: Shape, media: Media = PLAIN, **more: Any) -> SiteVideo:
    return SiteVideo(shape, media=media, **more)


class Clips(Stage):
    """The script of lists, and a list in its place; ``more``: variables of its environment."""

    more: dict[str, str]

    def __init__(self, youtube: FakeYouTube, site: FakeSite, base: Path) -> None:
        super().__init__(youtube, base, script=SCRIPT)
        self.site = site
        self.more = {}
        self.data = base / "place" / "clips"

    def environment(self, scale: float = 1.0) -> dict[str, str]:
        return super().environment(scale) | self.more

    def list(self, rows: Sequence[dict[str, Any]], name: str = "list.csv") -> Path:
        path = self.base / name
        if path.suffix == ".parquet":
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
        elif path.suffix == ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            with path.open("w", newline="") as stream:
                writer = csv.DictWriter(stream, list(dict.fromkeys(key for row in rows for key in row)))
                writer.writeheader()
                writer.writerows(rows)
        return path

    def segments(self, name: str, itag: int | None = None) -> list[int]:
        """The numbers of the segments that were asked for."""
        asked = self.site.requests("segment", name)
        return [r.segment for r in asked if itag in (None, r.itag) and r.segment is not None]

    @property
    def scraps(self) -> set[str]:
        """What stands beneath the folder besides what belongs there."""
        usual = {"metadata", "videos", "audio", "features", "info", "subtitles"}
        files = {"download_progress.json", "failed_downloads.json", "manifest.jsonl", "clips_download.log"}
        return {path.name for path in self.data.iterdir() if path.name[0] != "."} - usual - files


def staged(
    base: Path, media: Path, pages: dict[str, SiteVideo], videos: dict[str, FakeVideo], **more: Any
) -> Iterator[Clips]:
    site = FakeSite(media, pages)
    known = {IDS[name]: video for name, video in videos.items()}
    with FakeYouTube(media, known, sites=[site], **more) as youtube:
        yield Clips(youtube, site, base)
        assert youtube.unknown == []


def row(address: str, name: str, start: Any = START, end: Any = END, **more: Any) -> dict[str, Any]:
    return {"url": address, "start": start, "end": end, "id": name} | more


# -- references ------------------------------------------------------------------------------------------------


def whole_sound(video: SiteVideo, media: Path, folder: Path) -> Samples:
    """All samples of a page's sound, decoded out of the files that the site has."""
    if video.shape in PIECES:
        # The same packets: ffmpeg would not begin a transport stream at 0.
        parts = [fake_media.make(video.media, 140, media)]
    else:
        parts = video.parts(media, 1 if 140 in video.streams() and video.shape not in ("file", "two") else 0)
    source, target = folder / f"{video.shape}.whole", folder / f"{video.shape}.wav"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    command = [fake_media.ffmpeg(), "-v", "error", "-y", "-nostdin", "-i", source, "-vn", target]
    subprocess.run(list(map(str, command)), check=True)
    return samples(target)


def pictures(path: Path) -> list[tuple[float, Samples]]:
    with av.open(str(path)) as container:
        return [(float(frame.time or 0), frame.to_ndarray()) for frame in container.decode(video=0)]


def of_source(media: Path, start: float = START, end: float = END) -> list[tuple[float, Samples]]:
    """The pictures of the seconds, each at its time from the start."""
    found = pictures(fake_media.make(PLAIN, 134, media))
    return [
        (time - found[0][0] - start, each)
        for time, each in found
        if start - 1e-6 <= time - found[0][0] < end - 1e-6
    ]


def away(one: Samples, other: Samples) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


# -- one run of everything -------------------------------------------------------------------------------------


@dataclass
class Made:
    """A run that is over, and its stage."""

    place: Clips
    ended: Ended
    media: Path


def busy(times: dict[tuple[str, str], list[int]]) -> Any:
    """The first requests of a page, by name and kind, are answered with these."""
    asked: Counter[tuple[str, str]] = Counter()

    def refuse(request: SiteRequest) -> int | None:
        key = request.name, request.kind
        asked[key] += 1
        said = times.get(key, [])
        return said[asked[key] - 1] if asked[key] <= len(said) else None

    return refuse


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Iterator[Made]:
    """Every shape, every refusal, and captions, in one run with exact cuts."""
    pages = {shape: page(shape, title=f"The {shape}", captions={"en": WRITTEN}) for shape in SHAPES}
    pages |= {
        "file": page("file", LONG),
        "two": page("two"),
        "none": page("none"),
        "bare_ranges": page("bare_ranges"),
    }
    pages |= {
        "silent_file": page("file", SILENT),
        "silent_hls": page("bare_hls", SILENT),
        "silent": page("list", SILENT),
    }
    pages |= {name: page("list") for name in ("busy_page", "sick_page", "busy_manifest", "sick_manifest")}
    pages |= {"number_end": page("number"), "list_end": page("list")}
    # What comes is not what the site has.
    pages["broken"] = page("list", captions={"en": WRITTEN}, faults=(Fault("corrupt"),))
    videos = {
        "plain": FakeVideo(PLAIN, captions={"en": WRITTEN}, title="A & B", tags=("x", "y"), views=7),
        "written": FakeVideo(PLAIN, captions={"en-GB": WRITTEN}, automatic={"fr": HEARD}),
        "heard": FakeVideo(PLAIN, automatic={"en": HEARD}),
        "lost": FakeVideo(PLAIN, captions={"en": WRITTEN}, caption_faults=(Fault("status", status=404),)),
        "late": FakeVideo(PLAIN, captions={"en": WRITTEN}, caption_faults=(Fault("status", status=429, times=1),)),
        "token": FakeVideo(PLAIN, captions={"en": WRITTEN}, caption_token=True),
    }
    big = _big(media_folder, tmp_path_factory.mktemp("big"))
    files = {BIG: FakeFile(big.read_bytes(), content_type="video/mp4")}
    base = tmp_path_factory.mktemp("exact")
    for place in staged(base, media_folder, pages, videos, files=files):
        names = [name for name in (*pages, "missing") if not name.endswith("_end")]
        rows = [row(place.site.url(name), name, topic=f"of {name}", words=f"a {name}") for name in names]
        rows += [row(place.site.url(name), name, 10, 16) for name in ("number_end", "list_end")]
        rows += [row(place.site.url("template"), "template_end", 10, 16)]
        rows += [row(place.site.url("template"), "template_over", 14.5, 16)]
        rows += [row(IDS[name], name, "0:03.5", "0:08", topic="youtube") for name in videos]
        rows += [row(f"https://youtu.be/{IDS['plain']}?t=3", "again", 4, 6), row(BIG, "big")]
        place.site.refuse = busy({
            ("busy_page", "page"): [429, 429], ("sick_page", "page"): [503],
            ("busy_manifest", "manifest"): [429], ("sick_manifest", "manifest"): [503, 503],
        })  # fmt: skip
        options = (
            "--id-col",
            "id",
            "--info",
            "--subtitles",
            "en",
            "fr",
            "--keep-cols",
            "topic",
            "--caption-col",
            "words",
        )
        yield Made(place, place.run(place.list(rows), *options, scale=HURRY), media_folder)


FAILED = {
    "two": ("unsupported", True), "none": ("unsupported", True), "missing": ("removed", True),
    "silent_file": ("no_audio", True), "silent": ("no_audio", True), "template_over": ("over", True),
    # yt-dlp's own fault.
    "bare_ranges": ("unknown", False),
}  # fmt: skip


def test_what_failed_and_why(exact: Made) -> None:
    found = {name: (line["reason"], line["permanent"]) for name, line in exact.place.failed.items()}
    assert {name: found.get(name) for name in FAILED} == FAILED
    assert exact.ended.code == 3 and "Traceback" not in exact.place.data.joinpath("clips_download.log").read_text()


@pytest.mark.parametrize(
    "name", [*SHAPES, "busy_page", "sick_page", "busy_manifest", "sick_manifest", "big", *IDS, "again"]
)
def test_what_came(exact: Made, name: str) -> None:
    assert name in exact.place.completed, exact.place.failed.get(name)
    assert exact.place.mp4(name).exists() and exact.place.wav(name).exists()


def test_a_silent_page_of_pieces_says_no_audio(exact: Made) -> None:
    """As a silent file does."""
    assert exact.place.failed["silent_hls"]["reason"] == "no_audio"
    assert exact.place.failed["silent_hls"]["permanent"]


def test_nothing_else_is_left(exact: Made) -> None:
    place = exact.place
    assert place.scraps == set() and place.published == set(place.completed)
    assert not list((place.data / ".tmp").glob("*/*"))


def test_nothing_is_kept_beside_a_clip_that_is_not_there(exact: Made) -> None:
    place = exact.place
    assert "broken" in place.failed
    assert stems(place.data / "info", ".json") == set(place.completed)
    kept = {path.name.split(".")[0] for path in (place.data / "subtitles").iterdir()}
    assert kept <= set(place.completed)


@pytest.mark.parametrize("name", ["busy_page", "sick_page", "busy_manifest", "sick_manifest"])
def test_what_passes_is_tried_again(exact: Made, name: str) -> None:
    refused = [r.status for r in exact.place.site.requests(None, name) if r.status != 200]
    assert (
        refused
        == {"busy_page": [429] * 2, "sick_page": [503], "busy_manifest": [429], "sick_manifest": [503] * 2}[name]
    )
    tries = exact.place.manifest_of(name)["attempts"]
    assert tries == (1 if "busy" in name else len(refused) + 1), "a 429 is nobody's try"


def test_the_site_is_named_when_it_refuses(exact: Made) -> None:
    said = [line for line in exact.ended.out.splitlines() if "refuses us" in line]
    assert any("media.example.org refuses us (HTTP 429" in line for line in said)
    assert all("YouTube refuses us" in line for line in said if "media.example.org" not in line)


# What was asked for


# Of the third, other clips ask for the rest.
@pytest.mark.parametrize("shape", ["number", "list"])
def test_only_the_covering_segments_are_asked_for(exact: Made, shape: Shape) -> None:
    """Each once, the head too. Of the sound, a packet that begins before second 8 lies in the third piece."""
    place, video = exact.place, exact.place.site.videos[shape]
    assert (sorted(place.segments(shape, 134)), sorted(place.segments(shape, 140))) == ([0, 1], [0, 1, 2])
    fetched = place.manifest_of(shape)["bytes_fetched"]
    due = [part for stream, pieces in ((0, 2), (1, 3)) for part in video.parts(exact.media, stream)[: 1 + pieces]]
    assert fetched == sum(part.stat().st_size for part in due) + len(WRITTEN)


def test_what_two_clips_share_is_asked_for_once(exact: Made) -> None:
    place = exact.place
    assert sorted(place.segments("template", 134)) == sorted(place.segments("template", 140)) == [0, 1, 2, 3]
    assert len(place.site.requests("page", "template")) == len(place.site.requests("manifest", "template")) == 1
    assert len(place.site.requests("init", "template")) == 2
    assert place.site.media_bytes("template") == sum(
        part.stat().st_size
        for stream in (0, 1)
        for part in place.site.videos["template"].parts(exact.media, stream)
    )
    assert place.youtube.extractions(IDS["plain"]) == 1


@pytest.mark.parametrize("shape", PIECES)
def test_only_the_covering_pieces_of_hls(exact: Made, shape: Shape) -> None:
    parts = exact.place.site.videos[shape].parts(exact.media)
    assert len(parts) == 3 and exact.place.segments(shape) == [0, 1]
    assert exact.place.site.media_bytes(shape) == sum(part.stat().st_size for part in parts[:2])


@pytest.mark.parametrize(("name", "streams", "most"), [("base", (0, 1), 0.7), ("file", (0,), 0.5)])
def test_what_has_an_index_is_read_by_ranges(
    exact: Made, name: str, streams: tuple[int, ...], most: float
) -> None:
    """A plain file, too, has a table in front, though no site says how long the file is."""
    video = exact.place.site.videos[name]
    size = sum(part.stat().st_size for stream in streams for part in video.parts(exact.media, stream))
    asked = exact.place.site.requests("file", name)
    assert asked and {r.status for r in asked} == {206}
    assert exact.place.site.media_bytes(name) < most * size


def test_ranges_of_one_file_are_read_as_the_file(exact: Made) -> None:
    """yt-dlp does not tell the ranges: once whole, and not once for each."""
    video = exact.place.site.videos["ranges"]
    asked = exact.place.site.requests("file", "ranges")
    assert sorted((r.itag or 0, r.status) for r in asked) == [(134, 200), (140, 200)]
    assert exact.place.site.media_bytes("ranges") == sum(
        part.stat().st_size for stream in (0, 1) for part in video.parts(exact.media, stream)
    )


def test_the_page_is_named_as_where_it_comes_from(exact: Made) -> None:
    media = [r for r in exact.place.site.log if r.kind in ("init", "segment", "file")]
    assert media and all(r.referer == exact.place.site.url(r.name) for r in media)


# What is in the files


@pytest.mark.parametrize("shape", SHAPES)
def test_the_sound_is_the_sites_to_the_sample(exact: Made, shape: Shape, tmp_path: Path) -> None:
    whole = whole_sound(exact.place.site.videos[shape], exact.media, tmp_path)
    due, got = whole[int(START * 44100) : int(END * 44100)], samples(exact.place.wav(shape))
    assert len(due) == 4.5 * 44100 and got.shape == due.shape
    if shape == "file":
        # The noise that AAC fills in is another one after another first packet.
        assert all(is_in_step(got[:, n].astype(float), due[:, n].astype(float)) for n in (0, 1))
    else:
        assert np.array_equal(got, due)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "file"])
def test_the_pictures_are_those_of_the_seconds(exact: Made, shape: Shape) -> None:
    due, got = of_source(exact.media), pictures(exact.place.mp4(shape))
    assert len(got) == len(due) == 45
    assert max(abs(time - at) for (time, _), (at, _) in zip(got, due, strict=True)) <= 0.001
    for at, beside in ((0, 1), (-1, -2)):
        assert away(got[at][1], due[at][1]) < 3.0
        assert away(got[at][1], due[at][1]) * 1.5 < away(got[at][1], due[beside][1])


@pytest.mark.parametrize("name", ["template_end", "number_end", "list_end"])
def test_a_video_that_ends_inside_a_clip_gives_a_shorter_clip(exact: Made, name: str) -> None:
    """Of some manifests nobody can tell how long the last segment is."""
    assert name in exact.place.completed, exact.place.failed.get(name)
    line = exact.place.manifest_of(name)
    assert abs(line["duration"] - 4) < 0.05 and abs(line["samples"] - 4 * 44100) < 2048
    due, got = of_source(exact.media, 10, 14), pictures(exact.place.mp4(name))
    assert len(got) == len(due) == 40 and away(got[-1][1], due[-1][1]) < 3.0


def test_what_is_larger_than_the_quality_is_made_smaller(exact: Made) -> None:
    line = exact.place.manifest_of("big")
    assert (line["height"], line["width"] % 2, line["pictures"]) == (360, 0, 45)
    due, got = of_source(exact.media), pictures(exact.place.mp4("big"))
    assert len(got) == len(due)
    one, other = (samples(exact.place.wav(name)).astype(float) for name in ("big", "list"))
    # Read from near the clip on, with another noise that AAC fills in.
    assert one.shape == other.shape and all(is_in_step(one[:, n], other[:, n]) for n in (0, 1))


# What is kept beside them


def test_the_manifest_says_what_the_list_says(exact: Made) -> None:
    line = exact.place.manifest_of("list")
    assert line["youtube_id"] is None and line["source"].startswith("media-example-org-watch-list-")
    assert line["meta"] == {
        "caption": "a list", "topic": "of list", "youtube_id": None, "url": exact.place.site.url("list")
    }  # fmt: skip
    assert (line["asked"], line["title"], line["formats"]) == ([START, END], "The list (1)", "0+1")
    line = exact.place.manifest_of("plain")
    assert (line["youtube_id"], line["meta"], line["title"]) == (IDS["plain"], {"topic": "youtube"}, "A & B")
    assert (line["video"], line["audio"]) == ("videos/plain.mp4", "audio/plain.wav")


def test_info(exact: Made) -> None:
    line = exact.place.manifest_of("plain")
    assert line["info"] == "info/plain.json"
    assert exact.place.json(line["info"]) == {
        "id": "plain", "url": f"https://www.youtube.com/watch?v={IDS['plain']}", "title": "A & B",
        "description": "About t.\nTwo lines.", "channel": "A channel", "upload_date": "20150308",
        "tags": ["x", "y"], "duration": 14, "view_count": 7,
    }  # fmt: skip
    about = exact.place.json("info/template.json")
    assert about == dict.fromkeys(("channel", "upload_date", "tags", "duration", "view_count")) | {
        "id": "template", "url": exact.place.site.url("template"), "title": "The template (1)",
        "description": "What the page says.",
    }  # fmt: skip


CUT = "00:00:00.000 --> 00:00:01.500\nover\n\n00:00:02.500 --> 00:00:04.500\nto the end\n"


@pytest.mark.parametrize(
    ("name", "english", "french"),
    [
        ("plain", CUT, None),
        # Of a country, and what is heard in the language itself; a translation is never taken.
        ("written", CUT, "hello"),
        ("heard", "hello", None),
        ("lost", None, None),
        # Refused: the clip is not held up by that.
        ("late", None, None),
        ("token", None, None),
        ("list", CUT, None),
        ("sick_page", None, None),
    ],
)
def test_subtitles(exact: Made, name: str, english: str | None, french: str | None) -> None:
    files = exact.place.manifest_of(name)["subtitles"]
    assert list(files) == ["en", "fr"]
    for language, due in (("en", english), ("fr", french)):
        path = exact.place.data / "subtitles" / f"{name}.{language}.vtt"
        assert files[language] == (f"subtitles/{path.name}" if due else None) and path.exists() == bool(due)
        if due:
            text = path.read_text()
            assert text.startswith("WEBVTT\n") and due in text and "before" not in text


def test_subtitles_are_asked_for_once_and_never_translated(exact: Made) -> None:
    asked = exact.place.youtube.requests("caption")
    assert {(r.video, r.language) for r in asked} == {
        (IDS[name], "en") for name in ("plain", "heard", "lost", "late")
    } | {(IDS["written"], "en-GB"), (IDS["written"], "fr")}  # fmt: skip
    assert all("tlang" not in r.path for r in asked)
    # For both clips of a video.
    assert Counter(r.video for r in asked if r.status == 200)[IDS["plain"]] == 1


def test_who_has_no_subtitles_is_summed_up(exact: Made, capsys: pytest.CaptureFixture[str]) -> None:
    """At the end of the run, and by a look at the folder."""
    place = exact.place
    assert place.manifest_of("heard")["subtitles_seen"] == ["en"]
    assert "subtitles_seen" not in place.manifest_of("written")
    said = [line[9:] for line in exact.ended.out.splitlines() if "--subtitles" in line]
    done = [json.loads(line) for line in (place.data / "manifest.jsonl").read_text().splitlines()]
    done = [line for line in done if line["status"] == "done"]
    french = [line for line in done if line["subtitles"]["fr"] is None]
    seen = Counter(each for line in french for each in line["subtitles_seen"])
    assert set(seen) == {"en"} and seen["en"] > 2
    count = f"--subtitles fr: {len(french)} of {len(done)} clips have no file"
    assert said[1] == f"{count}: the videos of {len(french)} have none (other languages: {seen['en']} en)."
    assert said[0].startswith("--subtitles en: ") and "2 could not be had (the log says why)" in said[0]
    assert len(said) == 2
    assert main.main(CLIPS, ["--data-dir", str(place.data), "--status"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if "--subtitles" in line] == said


def test_a_clip_whose_subtitles_are_refused_is_done(exact: Made) -> None:
    """And says why it has none."""
    asked = exact.place.youtube.requests("caption")
    assert [r.status for r in asked if r.video == IDS["late"]] == [429]
    line = exact.place.manifest_of("late")
    assert line["attempts"] == 1 and "429" in line["subtitles_error"]["en"]
    assert "subtitles_error" not in exact.place.manifest_of("plain")


# -- other settings --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Iterator[Made]:
    """Pages with and without sound, copied."""
    pages = {shape: page(shape) for shape in COPIED}
    pages |= {
        "silent": page("file", SILENT),
        "silent_mpd": page("list", SILENT),
        "silent_hls": page("bare_hls", SILENT),
    }
    base = tmp_path_factory.mktemp("copied")
    files = {BIG: FakeFile(_big(media_folder, base).read_bytes(), content_type="video/mp4")}
    for place in staged(base, media_folder, pages, {}, files=files):
        rows = [row(place.site.url(name), name) for name in pages] + [row(BIG, "big")]
        words = ("--id-col", "id", "--cut", "copy", "--allow-silent", "--retry-attempts", "2")
        yield Made(place, place.run(place.list(rows, "list.jsonl"), *words, scale=HURRY), media_folder)


COPIED: tuple[Shape, ...] = ("template", "list", "base", "bare_hls", "file")
QUIET = ("silent", "silent_mpd", "silent_hls")


@pytest.mark.parametrize("name", [*COPIED, *QUIET])
def test_a_copy_has_the_sites_own_pictures(copied: Made, name: str) -> None:
    place = copied.place
    assert name in place.completed, place.failed.get(name)
    due, got = of_source(copied.media), pictures(place.mp4(name))
    assert len(due) <= len(got) <= len(due) + 3
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(got, due, strict=False))
    assert place.wav(name).exists() == (name not in QUIET)
    assert (place.manifest_of(name)["audio"] is None) == (name in QUIET)


def test_a_copy_cannot_be_made_smaller(copied: Made) -> None:
    line = copied.place.failed["big"]
    assert (line["reason"], line["permanent"], copied.ended.code) == ("formats", False, 3)
    assert line["error"] == "its picture is 854x480 (see --quality)"
    assert not copied.place.mp4("big").exists()


def _big(media: Path, folder: Path) -> Path:
    path = folder / "big.mp4"
    inputs = [fake_media.make(PLAIN, itag, media) for itag in (135, 140)]
    fake_media._run([*fake_media._copy(inputs), "-movflags", "+faststart", str(path)])
    return path


def test_the_sound_alone(tmp_path: Path, media_folder: Path) -> None:
    """As its own packets, and no byte of a picture is asked for where it comes alone."""
    pages = {shape: page(shape) for shape in ("template", "base", "bare_hls", "file")}
    pages |= {"silent": page("template", SILENT), "silent_file": page("file", SILENT)}
    for place in staged(tmp_path, media_folder, pages, {"plain": FakeVideo(PLAIN)}):
        rows = [row(place.site.url(name), name) for name in pages] + [row(IDS["plain"], "plain")]
        place.run(
            place.list(rows, "list.parquet"),
            "--id-col",
            "id",
            "--media",
            "audio",
            "--audio-format",
            "m4a",
            scale=HURRY,
        )
        assert {name: line["reason"] for name, line in place.failed.items()} == {
            "silent": "no_audio", "silent_file": "no_audio"
        }  # fmt: skip
        assert stems(place.data / "audio", ".m4a") == {"template", "base", "bare_hls", "file", "plain"}
        assert stems(place.data / "videos", ".mp4") == set()
        packets = _packets(fake_media.make(PLAIN, 140, media_folder))
        for name in place.completed:
            got = _packets(place.data / "audio" / f"{name}.m4a")
            assert got == packets[(first := packets.index(got[0])) : first + len(got)]
            # Of a file with pictures it begins at a key frame, and what is before the start is hidden.
            hidden = 2 if name in ("template", "base", "plain") else 50
            assert first * 1024 <= START * 44100 <= (first + hidden) * 1024, name
            assert abs((first + len(got)) * 1024 - END * 44100) <= 1024, name
            assert abs(len(_heard(place.data / "audio" / f"{name}.m4a", tmp_path)) - 4.5 * 44100) <= 1024, name
        for name in ("template", "base"):
            assert {
                r.itag for r in place.site.log if r.name == name and r.kind in ("init", "segment", "file")
            } == {140}
        assert {r.itag for r in place.youtube.requests("media")} == {140}


def _heard(path: Path, folder: Path) -> Samples:
    command = [fake_media.ffmpeg(), "-v", "error", "-y", "-nostdin", "-i", path, folder / "heard.wav"]
    subprocess.run(list(map(str, command)), check=True)
    return samples(folder / "heard.wav")


def _packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


# -- runs ------------------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path, media_folder: Path) -> Iterator[Clips]:
    """Two pages and two videos, quick to have."""
    pages = {"one": page("list"), "two": page("base")}
    yield from staged(tmp_path, media_folder, pages, {"plain": FakeVideo(PLAIN), "heard": FakeVideo(PLAIN)})


def four(place: Clips) -> list[dict[str, Any]]:
    return [
        row(place.site.url("one"), "c1", caption="é"),
        row(IDS["plain"], "c2"),
        row(place.site.url("two"), "c3", 1, 2),
        row(f"https://www.youtube.com/watch?v={IDS['heard']}", "c4", 0, 1),
        row(place.site.url("one"), "c5", 9, 10),
    ]


def test_it_goes_on_where_it_stopped(place: Clips) -> None:
    path = place.list(four(place))
    assert place.run(path, "--cut", "copy", "--max-clips", "2").code == 0
    assert len(place.completed) == 2
    assert place.run(path, "--cut", "copy").code == 0
    assert sorted(place.completed) == ["c1", "c2", "c3", "c4", "c5"] and place.failed == {}
    asked, before = len(place.site.log) + len(place.youtube.log), results(place)
    ended = place.run(path, "--cut", "copy")
    assert (ended.code, len(place.site.log) + len(place.youtube.log)) == (0, asked)
    assert "5 of 5 clips are done" in ended.out and results(place) == before
    # A file that is gone comes again, and it alone; of a longer list, what is new.
    place.mp4("c5").unlink()
    longer = [*four(place), row(IDS["heard"], "c6", 2, 3)]
    pages = len(place.site.requests("page"))
    assert place.run(place.list(longer, "longer.csv"), "--cut", "copy").code == 0
    assert len(place.site.requests("page")) == pages + 1 and len(place.completed) == 6
    ended = place.run(path, "--status")
    assert ended.code == 0 and "5 of 5 clips are done, 0 failed, 0 not tried yet." in ended.out


def test_shards(place: Clips) -> None:
    path = place.list(four(place), "list.jsonl")
    for shard in ("0/2", "1/2"):
        assert place.run(path, "--cut", "copy", "--part", shard).code == 0
    assert place.published == {"c1", "c2", "c3", "c4", "c5"}
    shares = [place.json(f"download_progress.{n}-of-2.json")["completed"] for n in (0, 1)]
    assert sorted(shares[0] + shares[1]) == ["c1", "c2", "c3", "c4", "c5"]
    assert any({"c1", "c5"} <= set(share) for share in shares), "one extraction a video"
    assert place.youtube.extractions() == 2
    ended = place.run(path, "--status")
    assert "5 of 5 clips are done" in ended.out and ended.code == 0


def test_status_before_any_run(place: Clips) -> None:
    ended = place.run(place.list(four(place)), "--status")
    assert ended.code == 1 and "holds no download of a list of your own" in ended.err
    assert not place.data.exists()


def test_dry_run(place: Clips) -> None:
    rows = [*four(place), row("nonsense", "c6"), row(IDS["plain"], "c7", 9, 3), row(IDS["plain"], "c8", 60, 70)]
    path = place.list(rows)
    before = snapshot(place.base)
    ended = place.run(path, "--dry-run", "--keep-cols", "end")
    said = ended.out.splitlines()
    assert (ended.code, ended.err) == (0, "")
    assert (
        said[0]
        == "columns: video from 'url', start from 'start', end from 'end', id from 'id', caption from 'caption', "
        "kept 'end'"
    )
    assert said[1] == "left out: list.csv, line 7: 'nonsense' is neither a YouTube id nor the address of a video"
    assert said[2] == "left out: list.csv, line 8: the end 3 is not after the start 9"
    url = f"https://www.youtube.com/watch?v={IDS['plain']}"
    assert f"c1: {place.site.url('one')} from 3.5 to 8 s {{'caption': 'é', 'end': '8.0'}}" in said
    assert f"c8: {url} from 60 to 70 s (0:01:00 to 0:01:10) {{'end': '70'}}" in said
    assert said[-1] == "6 clips of 4 videos, 2 records left out. Nothing was fetched."
    new = {name for name in snapshot(place.base).keys() - before.keys() if not name.endswith((".out", ".err"))}
    assert new == set() and place.site.log == [] and place.youtube.log == []


def test_a_dry_run_shows_the_first_rows(place: Clips) -> None:
    path = place.base / "list.txt"
    path.write_text("".join(f"https://x.example/{n}\n" for n in range(50)) + "bad\n" * 30)
    said = place.run(path, "--dry-run").out.splitlines()
    assert [line.partition(":")[0] for line in said].count("left out") == 10 and len(said) == 22
    assert said[0] == "columns: video from '1', whole videos"
    assert said[11].startswith("x-example-0-") and said[11].endswith(": https://x.example/0 from 0 to the end")
    assert said[-1] == "50 clips of 50 videos, 30 records left out. Nothing was fetched."


def test_an_address_that_cannot_be_read_ends_no_run(place: Clips) -> None:
    rows = [row("https://[x/y", "odd"), row(place.site.url("two"), "good", 1, 2), row("https://[::1/z", "odder")]
    ended = place.run(place.list(rows), "--cut", "copy", scale=HURRY)
    assert ended.code in (0, 3) and place.completed == ["good"]


def test_without_pyarrow(place: Clips, tmp_path: Path) -> None:
    path = place.list(four(place), "list.parquet")
    (tmp_path / "poor").mkdir()
    (tmp_path / "poor" / "pyarrow.py").write_text("raise ImportError('none here')\n")
    place.more = {"PYTHONPATH": str(tmp_path / "poor")}
    ended = place.run(path)
    assert (ended.code, ended.err) == (
        2, f"error: parquet files are read by pyarrow, which is not here\n  {PIP} 'pyarrow>=17'\n"
    )  # fmt: skip


# -- lists that cannot be meant --------------------------------------------------------------------------------

ID = IDS["plain"]
GOOD_ROW = f"url,start,end\n{ID},1,2\n".encode()
BAD: dict[str, tuple[str, bytes | None, tuple[str, ...], str]] = {
    "missing": ("list.csv", None, (), "LIST cannot be read: No such file or directory"),
    "empty": ("list.csv", b"", (), "LIST is empty"),
    "only a header": ("list.csv", b"url,start,end\n", (), "LIST has a header and no row"),
    "no such format": ("list.xlsx", b"PK", (), "LIST: no list that can be read ends in '.xlsx'"),
    "no parquet": ("list.parquet", b"PAR1 not really", (), "LIST cannot be read as parquet: "),
    "wrong column": ("list.csv", GOOD_ROW, ("--url-col", "ulr"), "LIST has no column 'ulr'"),
    "no video": ("list.csv", b"name,start,end\nx,1,2\n", (), "no column of LIST is known to name a video"),
    "no end": ("list.csv", f"url,start\n{ID},1\n".encode(), (), "LIST says where a clip starts"),
    "Latin-1": ("list.csv", f"url,caption\n{ID},caf\xe9\n".encode("latin-1"), (), "LIST, line 2: not utf-8 text"),
    "UTF-16": ("list.csv", f"url\n{ID}\n".encode("utf-16"), (), "LIST, line 1: not utf-8 text"),
    "encoding": ("list.csv", f"url\n{ID}\n".encode(), ("--encoding", "utf8000"), "--encoding 'utf8000' is"),
    "reversed": ("list.csv", f"url,start,end\n{ID},9,3\n".encode(), (),
        "no row of LIST names a clip; the first: list.csv, line 2: the end 3 is not after the start 9"),
    "open quote": ("list.csv", f'url,caption\n{ID},x\nz,"y\n'.encode(), (), "LIST, line 3: a quote is"),
    "no object": ("list.jsonl", b'["x"]\n', (), "LIST, line 1 holds a list, not an object"),
    "half an object": ("list.jsonl", b'{"url": "x"}\n{"url": \n', (), "LIST, line 2 is not whole JSON: "),
    "jsonl as json": ("list.json", b'{"url": 1}\n{"url": 2}\n', (), "LIST is not whole JSON: Extra data"),
    "another's preset": ("list.csv", GOOD_ROW, ("--preset", "kinetics"),
        "LIST has no column 'youtube_id' (--preset kinetics)"),
    "two ends": ("list.csv", f"url,start,end,duration\n{ID},1,2,1\n".encode(),
        ("--end-col", "end", "--duration-col", "duration"), "--end-col and --duration-col exclude each other"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_list(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One message and a hint, code 2, and nothing else happens."""
    called, content, options, message = BAD[name]
    path, data = tmp_path / called, tmp_path / "data"
    if content is not None:
        path.write_bytes(content)
    code = main.main(CLIPS, [str(path), "--data-dir", str(data), "--dry-run", *options])
    said = capsys.readouterr()
    assert (code, said.out) == (2, ""), said.err
    error, hint = said.err.splitlines()
    assert error.replace(str(path), "LIST").startswith(f"error: {message}") and hint.startswith("  ")
    assert not data.exists()


GOOD: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "BOM": (b"\xef\xbb\xbfurl,start,end\n", ()),
    "CRLF": (b"url,start,end\r\n", ()),
    "BOM, CRLF": (b"\xef\xbb\xbfurl,start,end\r\n", ()),
    "comments": (b"# mine\n\nurl,start,end\n", ()),
    "other names": (b"a,b,c\n", ("--url-col", "a", "--start-col", "b", "--end-col", "c")),
    "Latin-1": ("\xe9,url,start,end\n".encode("latin-1"), ("--encoding", "latin-1")),
}


@pytest.mark.parametrize("name", GOOD)
def test_an_unusual_list(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    header, options = GOOD[name]
    end = b"\r\n" if b"\r\n" in header else b"\n"
    first = b"\xe9," if name == "Latin-1" else b""
    rows = [first + f"{ID},1,2".encode(), first + f"{ID},5,3".encode(), first + f"{ID},0:03,4.5".encode()]
    path = tmp_path / "list.csv"
    path.write_bytes(header + end.join(rows) + end)
    code = main.main(CLIPS, [str(path), "--data-dir", str(tmp_path / "data"), "--dry-run", *options])
    said = capsys.readouterr().out.splitlines()
    line = 3 + header.count(b"\n") - 1
    assert code == 0 and said[1:] == [
        f"left out: list.csv, line {line}: the end 3 is not after the start 5",
        f"{ID}_1_2: https://www.youtube.com/watch?v={ID} from 1 to 2 s",
        f"{ID}_3_4.5: https://www.youtube.com/watch?v={ID} from 3 to 4.5 s",
        "2 clips of 1 videos, 1 records left out. Nothing was fetched.",
    ]


def test_a_name_of_eleven_letters_is_no_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One clip that is called so, among addresses, is no reason to take the names for the videos."""
    path = tmp_path / "list.csv"
    rows = [f"https://vimeo.com/{n},{n},{n + 5},{name}" for n, name in enumerate(("cat", "basketball1", "dog"))]
    path.write_text("\n".join(["url,start,end,id", *rows]) + "\n")
    assert main.main(CLIPS, [str(path), "--data-dir", str(tmp_path / "data"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("columns: video from 'url', start from 'start', end from 'end'"), said
    assert "3 clips of 3 videos, 0 records left out." in said


def test_a_missing_list_is_said_before_anything_is_made(place: Clips) -> None:
    """A folder that the mistaken run had claimed would refuse the next one's settings."""
    missing = place.base / "no.csv"
    ended = place.run(missing)
    assert (ended.code, ended.err) == (
        2, f"error: {missing} cannot be read: No such file or directory\n  is it there, and yours to read?\n"
    )  # fmt: skip
    ended = place.run(place.list([row(place.site.url("two"), "good", 1, 2)]), "--cut", "copy")
    assert ended.code == 0 and place.completed == ["good"], ended.err


def test_bad_rows_are_left_out_and_said(place: Clips) -> None:
    rows = [row(place.site.url("two"), "good", 1, 2), row(IDS["plain"], "bad", 5, 3), row("", "none")]
    ended = place.run(place.list(rows), "--cut", "copy")
    assert ended.code == 0 and place.completed == ["good"]
    assert (
        "2 records are left out, see metadata/left_out.json; first list.csv, line 3: the end 3 is not after"
        in ended.out
    )
    assert "list.csv, line 4: no video" in (place.data / "clips_download.log").read_text()
    named = place.json("metadata/left_out.json")
    assert [line.partition(":")[0] for line in named] == ["list.csv, line 3", "list.csv, line 4"]
    said = place.run(place.list(rows), "--status").out
    assert f"2 records of the list are left out: see {place.data}/metadata/left_out.json." in said
    # A list without faults says so.
    assert place.run(place.list(rows[:1], "good.csv"), "--cut", "copy").code == 0
    assert place.json("metadata/left_out.json") == []

"""download_clips.py over lists of one's own: YouTube's videos and other sites' pages, in one run.

The references are made of the site's own files with ffmpeg, and looked at with PyAV and numpy.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from avclips.cli import main
from avclips.datasets.clip_list import CLIPS
from tests.standin import fake_media
from tests.standin.fake_site import Shape, SiteRequest, SiteVideo
from tests.standin.fake_youtube import FakeFile, FakeVideo, Fault
from tests.support.clips_stage import (
    BIG,
    END,
    HEARD,
    HURRY,
    IDS,
    LONG,
    PIECES,
    PLAIN,
    SHAPES,
    SILENT,
    START,
    WRITTEN,
    Clips,
    page,
    row,
    staged,
)
from tests.support.script import Ended, stems
from tests.support.sounds import Samples, is_in_step, samples

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
        "tags": ["x", "y"], "categories": ["Music"], "language": None, "duration": 14, "view_count": 7,
    }  # fmt: skip
    about = exact.place.json("info/template.json")
    assert about == dict.fromkeys(
        ("channel", "upload_date", "tags", "categories", "language", "duration", "view_count")
    ) | {
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
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("--subtitles")] == said


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

"""The explorer in a real browser: it plays, seeks, filters, survives a folder that changes and a broken file.

`make test-browser` runs these, with playwright and the system's Chromium; screenshots for docs/ come of it.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avclips.catalog.sample import Place, Sample
from avclips.cli.explore import LOCAL
from avclips.core.clock import Clock
from avclips.explore.app import make_app
from avclips.explore.index import Questions, questions_by_clip
from avclips.explore.session import Session
from avclips.media.ffmpeg import Ffmpeg
from avclips.media.ffmpeg_trial import find_ffmpeg
from tests.support.explorer_served import served

playwright = pytest.importorskip("playwright.sync_api", reason="make test-browser has it")
CHROMIUM = os.environ.get("AVCLIPS_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt install chromium")
# Nothing of a browser's own goes online.
QUIET = (
    "--no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --use-angle=swiftshader --enable-unsafe-swiftshader --autoplay-policy=no-user-gesture-required"
).split()
HOSTILE = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">"
SHOTS = os.environ.get("AVCLIPS_SCREENSHOTS")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def ffmpeg() -> Ffmpeg:
    return find_ffmpeg(None, Clock())


@dataclass
class Explored:
    """A folder with an explorer on it. ``samples``: what it holds, which a test may change."""

    folder: Path
    samples: list[Sample]
    session: Session
    address: str = ""


LABELS = ("dog barking", "rain on a roof", "playing piano", "skateboarding")


def made_folder(folder: Path, ffmpeg: Ffmpeg, count: int = 8) -> list[Sample]:
    """Clips of moving pictures and tones, one that is broken, one that failed."""
    (folder / "videos").mkdir(parents=True)
    found = []
    for number in range(count):
        path = folder / "videos" / f"clip{number}.mp4"
        picture = f"gradients=size=320x180:rate=25:duration=4:seed={number}:speed=0.05:nb_colors=4"
        # Chromium plays no H.264; builds of others do.
        ffmpeg.run([
            *("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", f"sine={220 * (number + 1)}:duration=4"),
            *("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-c:a", "aac", "-shortest", path),
        ])  # fmt: skip
        facts = {"duration": 4.0, "fps": 25.0, "width": 320, "height": 180, "sample_rate": 44100}
        facts |= {"flags": {"still": 1.0}} if number == 3 else {}
        found.append(
            Sample(
                f"clip{number}", "clips", f"dQw4w9WgXc{number}", 10.0 * number, 10.0 * number + 4, "done",
                splits=("train" if number % 2 else "val",), labels=(LABELS[number % 4],),
                captions=(f"caption {number}",), files={"video": Place(str(path))}, facts=facts,
                meta={"title": HOSTILE} if number == 0 else {},
            )
        )  # fmt: skip
    (folder / "videos" / "broken.mp4").write_bytes(b"\0" * 5000)
    broken = {"video": Place(str(folder / "videos" / "broken.mp4"))}
    found.append(Sample("broken", "clips", "dQw4w9WgXcB", 0.0, 4.0, "done", files=broken, facts={"duration": 4.0}))
    found.append(Sample("gone", "clips", "dQw4w9WgXcG", 0.0, 4.0, "failed", "private", "This video is private"))
    return found


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Ffmpeg) -> Iterator[Explored]:
    folder = tmp_path_factory.mktemp("explored") / "data"
    samples = made_folder(folder, ffmpeg)
    asked = questions_by_clip(
        [{"clip_id": "clip1", "question": "What is heard?", "choices": ["rain", "a dog"], "answer": "rain"}]
    )
    yield from running(folder, samples, asked, ffmpeg)


class Around:
    """A map of clips on a circle: what curate.view.View gives, as far as the page asks for it."""

    def __init__(self, samples: list[Sample]) -> None:
        self.ids = [sample.id for sample in samples if sample.status == "done"]
        angles = np.arange(len(self.ids)) * 2 * np.pi / len(self.ids)
        self.points = np.stack([np.cos(angles), np.sin(angles)], axis=1) / 2
        self.row_of = {clip_id: row for row, clip_id in enumerate(self.ids)}
        self.clusters = {"classic/audio/0": np.arange(len(self.ids)) % 3}
        self.selected = {"clip0": (4, 0.25)}

    def near(self, clip_id: str) -> list[str]:
        row = self.row_of.get(clip_id)
        return [] if row is None else [self.ids[(row + step) % len(self.ids)] for step in (1, 2)]

    def clusters_of(self, clip_id: str) -> dict[str, int]:
        row = self.row_of.get(clip_id)
        return {} if row is None else {name: int(labels[row]) for name, labels in self.clusters.items()}


def running(
    folder: Path, samples: list[Sample], asked: Questions, ffmpeg: Ffmpeg, look: Callable[[], object] = lambda: 0
) -> Iterator[Explored]:
    cache = folder / ".explore"
    cache.mkdir()
    session = Session(
        str(folder),
        cache,
        lambda: (list(samples), asked, {}),
        ffmpeg,
        "avclips clips list.csv",
        lambda: Around(samples),
    )
    thread = threading.Thread(target=session.keep_up, args=(look,), daemon=True)
    thread.start()
    with served(make_app(session, "", LOCAL)) as port:
        yield Explored(folder, samples, session, f"http://127.0.0.1:{port}/")
    session.stop()
    thread.join(20)


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page, and all that went wrong in it."""
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    # What is asked of another host would be a hole in "everything offline".
    opened.on("request", lambda asked: None if local(asked.url) else wrong.append(asked.url))
    yield opened
    opened.close()
    assert wrong == []


def until(page: Any, true: str, seconds: float = 60) -> None:
    """Wait for an expression to be true. playwright's own way evaluates in the page, which its policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(true):
        assert time.monotonic() < end, f"not within {seconds} s: {true}"
        page.wait_for_timeout(50)


def local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "blob:"))


def ids(page: Any) -> list[str]:
    return [card.get_attribute("data-id") for card in page.locator(".card[data-id]").all()]


def shot(page: Any, name: str) -> None:
    """A screenshot for docs/, where AVCLIPS_SCREENSHOTS names the folder for them."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png")


def test_the_grid_shows_each_clip(page: Any, explored: Explored) -> None:
    page.goto(explored.address)
    page.wait_for_selector(".card img")
    assert page.locator("#status").inner_text() == "10 clips"
    assert ids(page) == [sample.id for sample in explored.samples]
    until(page, "[...document.querySelectorAll('.card img')].every((each) => each.complete)")
    assert page.locator(".card .none").count() == 2
    assert page.title() == f"avclips: {explored.folder}"
    shot(page, "explorer-grid")


def test_a_hostile_title_is_text(page: Any, explored: Explored) -> None:
    page.goto(f"{explored.address}?clip=clip0")
    assert page.locator("dialog[open] h1").inner_text() == HOSTILE
    assert "owned" not in page.title().removeprefix("avclips: ")


def test_a_clip_plays_and_seeks(page: Any, explored: Explored) -> None:
    page.goto(explored.address)
    page.click(".card[data-id=clip1]")
    until(page, "document.getElementById('media')?.readyState >= 2")
    assert "clip=clip1" in page.url
    page.evaluate("document.getElementById('media').muted = true")
    page.keyboard.press("Space")
    until(page, "document.getElementById('media').currentTime > 0.3")
    page.keyboard.press("Space")
    page.evaluate("document.getElementById('media').currentTime = 2")
    until(page, "!document.getElementById('media').seeking")
    page.keyboard.press(".")
    until(page, "!document.getElementById('media').seeking")
    assert abs(page.evaluate("document.getElementById('media').currentTime") - 2.04) < 0.001
    page.keyboard.press("l")
    assert page.evaluate("document.getElementById('media').loop")
    assert page.locator("li.right").inner_text() == "rain ✓"
    until(page, "document.querySelector('#wave div')?.shadowRoot?.querySelector('canvas')?.width > 0")
    shot(page, "explorer-clip")
    page.keyboard.press("Escape")
    until(page, "!location.search.includes('clip')")


def test_filters_and_words_are_in_the_address(page: Any, explored: Explored) -> None:
    page.goto(explored.address)
    page.locator("#facets").get_by_label("piano").check()
    until(page, "document.getElementById('status').textContent === '2 clips'")
    assert ids(page) == ["clip2", "clip6"]
    page.fill("#q", "caption 6")
    until(page, "document.getElementById('status').textContent === '1 clip'")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector(".card[data-id]")
    assert ids(page) == ["clip6"] and page.locator("#facets").get_by_label("piano").is_checked()
    page.fill("#q", "nothing has these words")
    page.wait_for_selector("p.empty")


def test_a_failure_is_explained(page: Any, explored: Explored) -> None:
    page.goto(explored.address)
    page.click(".card[data-id=gone]")
    box = page.locator("dialog[open]")
    assert "private video" in box.inner_text() and "This video is private" in box.inner_text()
    assert "avclips clips list.csv --retry-failed private" in box.inner_text()


def test_a_broken_file_is_said(page: Any, explored: Explored) -> None:
    page.goto(f"{explored.address}?clip=broken")
    until(page, "document.getElementById('status').classList.contains('wrong')")
    assert "cannot play" in page.locator("#status").inner_text()


def test_keys_mark_and_move(page: Any, explored: Explored) -> None:
    page.goto(explored.address)
    page.wait_for_selector(".card[data-id=clip0]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.id") == "clip1"
    page.keyboard.press("g")
    page.wait_for_selector(".card[data-id=clip1][data-mark=good]")
    rows = (explored.folder / "annotations.csv").read_text().splitlines()
    assert [row.rpartition(",")[0] for row in rows] == ["id,mark", "clip1,good"]
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("u")
    until(page, "document.querySelector('.card[data-id=clip1]').dataset.mark === ''")


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (2560, "dark")])
def test_it_fits_every_screen(browser: Any, explored: Explored, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto(explored.address)
    page.wait_for_selector(".card img")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (back == "rgb(22, 24, 27)") == (scheme == "dark")
    if width == 360:
        assert not page.locator("#facets").is_visible()
        page.click("#filters-button")
        assert page.locator("#facets").is_visible()
    missing = "[...document.images].filter((each) => !each.alt).length"
    assert page.evaluate(missing) == 0
    page.close()


def test_it_survives_a_folder_that_changes(page: Any, tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    folder = tmp_path / "data"
    samples = made_folder(folder, ffmpeg, 2)
    looked = [0]
    for explored in running(folder, samples, {}, ffmpeg, lambda: looked[0]):
        page.goto(explored.address)
        page.wait_for_selector(".card[data-id=clip1]")
        # One more comes, one goes with its file.
        (folder / "videos" / "clip1.mp4").unlink()
        more = replace(samples[0], id="later", labels=("later",))
        samples[:] = [samples[0], more]
        looked[0] = 1
        page.wait_for_selector(".card[data-id=later]", timeout=30_000)
        assert ids(page) == ["clip0", "later"]


def test_57_015_clips(page: Any, tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    folder = tmp_path / "data"
    [first, *_] = made_folder(folder, ffmpeg, 1)
    samples = [replace(first, id=f"c{number:05}", labels=(LABELS[number % 4],)) for number in range(57_015)]
    for explored in running(folder, samples, {}, ffmpeg):
        page.goto(explored.address)
        until(page, "document.getElementById('status').textContent === '57,015 clips'", 60)
        page.wait_for_selector(".card[data-id=c00000]")
        # Only what is seen is in the page.
        assert page.locator(".card").count() < 100
        page.wait_for_selector("#facets label")
        # The filters that came beside it may have made it longer meanwhile.
        bottom = (
            "scrollTo(0, document.body.scrollHeight), document.querySelector('.card[data-id=c57014]') !== null"
        )
        until(page, bottom)
        assert page.locator(".card").count() < 100


def test_two_browsers_at_once(browser: Any, explored: Explored) -> None:
    pages = [browser.new_context().new_page() for _ in range(2)]
    for each in pages:
        each.goto(f"{explored.address}?clip=clip1")
    for each in pages:
        until(each, "document.getElementById('media')?.readyState >= 2")
        each.context.close()


def test_neighbours_are_gone_to(page: Any, explored: Explored) -> None:
    page.goto(f"{explored.address}?clip=clip0")
    page.wait_for_selector(".near button")
    box = page.locator("dialog[open]")
    assert "as number 5: it changed the mutual information by 0.250 nats" in box.inner_text()
    assert page.locator(".near img").count() == 2
    page.click(".near button >> nth=0")
    until(page, "location.search.includes('clip=clip1')")
    page.wait_for_selector("dialog[open] h1:has-text('rain on a roof')")
    page.go_back()
    page.wait_for_selector("dialog[open] h1:has-text('script')")
    page.keyboard.press("Escape")
    until(page, "!document.getElementById('clip').open")


def test_the_map_is_moved_and_clips_are_chosen(page: Any, explored: Explored) -> None:
    page.goto(f"{explored.address}?view=map")
    until(page, "document.getElementById('status').textContent === '9 clips by their features'")
    canvas = page.locator("canvas.over").bounding_box()
    x, y, side = (
        canvas["x"] + canvas["width"] / 2,
        canvas["y"] + canvas["height"] / 2,
        min(canvas["width"], canvas["height"]),
    )
    page.keyboard.down("Shift")
    page.mouse.move(x - side * 0.4, y - side * 0.4)
    page.mouse.down()
    for across, down in ((0.4, -0.4), (0.4, 0.4), (-0.4, 0.4)):
        page.mouse.move(x + side * across, y + side * down, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    until(page, "document.body.innerText.includes('9 clips are chosen.')")
    with page.expect_download() as saved:
        page.click("text=Ids of the chosen clips")
    assert saved.value.path().read_text().split() == [
        each.id for each in explored.samples if each.status == "done"
    ]
    # The first clip lies to the right of the middle.
    page.mouse.click(x + side * 0.9 / 4, y)
    page.wait_for_selector("dialog[open]")
    assert "clip=clip0" in page.url


class Later:
    """A layout of the map that is there once ``making`` is over: what curate.map_layout.MapLayout gives."""

    def __init__(self) -> None:
        self.making = True

    def of(self, view: Any) -> tuple[Any, str]:
        return (view.points, "pca") if self.making else (-view.points, "umap")


def test_the_map_is_drawn_anew_when_its_layout_is_there(page: Any, explored: Explored) -> None:
    layout = explored.session._layout = Later()
    try:
        page.goto(f"{explored.address}?view=map")
        until(page, "document.getElementById('status').textContent.endsWith(', by PCA until UMAP is computed')")
        layout.making = False
        until(page, "document.getElementById('status').textContent === '9 clips by their features, by UMAP'")
        canvas = page.locator("canvas.over").bounding_box()
        side = min(canvas["width"], canvas["height"])
        # The first clip lies to the left of the middle now.
        x = canvas["x"] + canvas["width"] / 2 - side * 0.9 / 4
        page.mouse.click(x, canvas["y"] + canvas["height"] / 2)
        page.wait_for_selector("dialog[open]")
        assert "clip=clip0" in page.url
    finally:
        explored.session._layout = None

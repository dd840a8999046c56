"""How annotation files come into the folder: asked for, retried, checked, or placed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar, MozillaCookieJar
from pathlib import Path

import pytest

from avclips.core.errors import RunError, Stopped
from avclips.core.files import read_json
from avclips.core.settings import Identity, Settings
from avclips.datasets.annotation_files import fetch_annotations
from avclips.datasets.base import Annotation, Dataset, Listing
from tests.standin.fake_youtube import FakeFile, FakeYouTube, Fault
from tests.support.fake_clock import FakeClock

URL = "https://raw.githubusercontent.com/Someone/Some/main/{}"
LIST, OTHER, LABELS = URL.format("train.json"), URL.format("val.json"), URL.format("labels.json")


def check(path: Path) -> None:
    read_json(path, "get another")


DATASET = Dataset(
    name="test",
    title="Test",
    default_dir="data",
    log_name="log",
    annotations=lambda settings: (
        Annotation("train.json", LIST, check, split="train"),
        Annotation("val.json", OTHER, check, split="val"),
        Annotation("labels.json", LABELS, check, needed=False),
    ),
    read_clips=lambda folder, settings: Listing([]),
    clip_seconds=10.0,
    splits=("train", "val"),
    usual_splits=("train", "val"),
)
GOOD = json.dumps([{"a": n} for n in range(9000)]).encode()

Fetch = Callable[..., list[str]]


@pytest.fixture
def metadata(tmp_path: Path) -> Path:
    (tmp_path / "metadata").mkdir()
    return tmp_path / "metadata"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeYouTube]:
    with FakeYouTube(tmp_path / "media", files=dict.fromkeys((LIST, OTHER, LABELS), GOOD)) as site:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca_file)
        yield site
        assert site.unknown == []


@pytest.fixture
def fetch(site: FakeYouTube, metadata: Path, clock: FakeClock) -> Fetch:
    def fetch_now(splits: tuple[str, ...] = ("train",), cookies: CookieJar | None = None) -> list[str]:
        settings = Settings(
            metadata.parent, splits=splits, identities=(Identity(site.proxy), Identity("http://no:1"))
        )
        return fetch_annotations(DATASET, settings, metadata, clock, cookies)

    return fetch_now


def asked(site: FakeYouTube) -> list[tuple[str, int]]:
    return [(request.path.rpartition("/")[2], request.status) for request in site.log]


def test_files_are_fetched_once(fetch: Fetch, site: FakeYouTube, metadata: Path, clock: FakeClock) -> None:
    assert fetch() == fetch(("train", "val")) == []
    assert asked(site) == [("train.json", 200), ("labels.json", 200), ("val.json", 200)]
    assert {path.name: path.read_bytes() for path in metadata.iterdir()} == {
        "train.json": GOOD,
        "val.json": GOOD,
        "labels.json": GOOD,
    }
    assert clock.sleeps == []


@pytest.mark.parametrize(
    ("fault", "statuses", "sleeps"),
    [
        (Fault("status", status=503, times=2), [503, 503, 200], [2.0, 4.0]),
        (Fault("status", status=429, times=1), [429, 200], [2.0]),
        (Fault("status", status=500, times=4), [500] * 4 + [200], [2.0, 4.0, 8.0, 16.0]),
        (Fault("truncate", after=1000, times=1), [200, 200], [2.0]),
        (Fault("reset", after=1000, times=2), [200, 200, 200], [2.0, 4.0]),
        (Fault("reset", times=1), [200, 200], [2.0]),
    ],
    ids=["503 twice", "429", "500 four times", "truncated", "broken off twice", "nothing came"],
)
def test_what_passes_is_tried_again(
    fetch: Fetch,
    site: FakeYouTube,
    metadata: Path,
    clock: FakeClock,
    fault: Fault,
    statuses: list[int],
    sleeps: list[float],
) -> None:
    site.files[LIST] = FakeFile(GOOD, (fault,))
    assert fetch() == []
    assert [status for name, status in asked(site) if name == "train.json"] == statuses
    assert clock.sleeps == sleeps
    assert (metadata / "train.json").read_bytes() == GOOD


@pytest.mark.parametrize(
    ("file", "tries", "message"),
    [
        (FakeFile(GOOD, (Fault("status", status=404),)), 1, f"^{LIST} answered HTTP 404 Not Found$"),
        (FakeFile(GOOD, (Fault("status", status=403),)), 1, f"^{LIST} answered HTTP 403 Forbidden$"),
        (FakeFile(GOOD, (Fault("status", status=503),)), 5, f"^{LIST} answered HTTP 503 Service Unavailable$"),
        (FakeFile(GOOD, (Fault("truncate", after=100),)), 5, f"^{LIST} cannot be fetched: .*100 bytes read"),
        (FakeFile(b"<!DOCTYPE html><html>Sorry"), 1, "is not whole JSON: Expecting value at line 1, column 1"),
        (FakeFile(GOOD[:-5]), 1, "is not whole JSON: .* at line 1, column "),
        (FakeFile(b""), 1, "is not whole JSON"),
    ],
    ids=["404", "403", "503 for ever", "truncated for ever", "HTML", "half", "empty"],
)
def test_what_does_not_pass_leaves_nothing(
    fetch: Fetch,
    site: FakeYouTube,
    metadata: Path,
    clock: FakeClock,
    file: FakeFile,
    tries: int,
    message: str,
) -> None:
    site.files[LIST] = file
    with pytest.raises(RunError, match=message) as caught:
        fetch()
    assert caught.value.hint
    assert len(site.log) == tries
    assert clock.sleeps == [2.0**n for n in range(1, tries)]
    assert list(metadata.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (FakeFile(GOOD, (Fault("status", status=404),)), f"{LABELS} answered HTTP 404 Not Found"),
        (FakeFile(b"<html>"), "is not whole JSON: Expecting value at line 1, column 1"),
    ],
    ids=["404", "HTML"],
)
def test_a_run_goes_on_without_what_is_not_needed(
    fetch: Fetch, site: FakeYouTube, metadata: Path, file: FakeFile, words: str
) -> None:
    site.files[LABELS] = file
    (line,) = fetch()
    assert line.startswith("going on without labels.json: ") and line.endswith(words)
    assert [path.name for path in metadata.iterdir()] == ["train.json"]


@pytest.mark.parametrize("content", [b"[1]", b'[{"half', b""], ids=["good", "half", "empty"])
def test_a_file_placed_by_hand_is_used_as_it_is(
    fetch: Fetch, site: FakeYouTube, metadata: Path, content: bytes
) -> None:
    for name in ("train.json", "labels.json"):
        (metadata / name).write_bytes(content)
    assert fetch() == []
    assert (asked(site), (metadata / "train.json").read_bytes()) == ([], content)


def test_a_folder_in_a_files_place(fetch: Fetch, metadata: Path) -> None:
    (metadata / "train.json").mkdir()
    with pytest.raises(RunError, match=r"train\.json is not a file"):
        fetch()


def test_a_stop_ends_the_waiting(fetch: Fetch, site: FakeYouTube, metadata: Path, clock: FakeClock) -> None:
    site.files[LIST] = FakeFile(GOOD, (Fault("status", status=503),))
    clock.on_sleep = lambda seconds: clock.stop()
    with pytest.raises(Stopped):
        fetch()
    assert (len(site.log), list(metadata.iterdir())) == (1, [])


def test_cookies_go_to_their_host_alone(fetch: Fetch, site: FakeYouTube, tmp_path: Path) -> None:
    hosts = ("raw.githubusercontent.com\tFALSE", ".youtube.com\tTRUE")
    lines = [f"{host}\t/\tTRUE\t4000000000\tname{n}\tvalue\n" for n, host in enumerate(hosts)]
    (tmp_path / "cookies.txt").write_text("# Netscape HTTP Cookie File\n" + "".join(lines))
    jar = MozillaCookieJar(tmp_path / "cookies.txt")
    jar.load()
    fetch(cookies=jar)
    assert [request.cookie for request in site.requests("file")] == ["name0=value"] * 2


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_another_authority_is_trusted(
    fetch: Fetch, site: FakeYouTube, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, site.ca_file)
    assert (fetch(), clock.sleeps) == ([], [])


def test_no_site_at_all(metadata: Path, clock: FakeClock) -> None:
    """The proxy's port is closed."""
    settings = Settings(metadata.parent, splits=("train",), identities=(Identity("http://127.0.0.1:1"),))
    with pytest.raises(RunError, match=r"cannot be fetched: .*Connection refused"):
        fetch_annotations(DATASET, settings, metadata, clock)
    assert clock.sleeps == [2.0, 4.0, 8.0, 16.0]

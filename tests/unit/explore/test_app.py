"""The server: what it answers, to whom, and in which parts."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from avclips.catalog.sample import Place, Sample
from avclips.cli.explore import LOCAL
from avclips.core.clock import Clock
from avclips.core.errors import RunError
from avclips.explore import thumbnails
from avclips.explore.app import make_app
from avclips.explore.gallery import export
from avclips.explore.index import questions_by_clip
from avclips.explore.media import Blob, NotServed
from avclips.explore.query import Filter
from avclips.explore.session import Session
from avclips.media.ffmpeg_trial import find_ffmpeg
from tests.support.explorer_served import Client, served
from tests.support.waiting import wait_until

TITLE = "<script>document.title = 'owned'</script>"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clip that plays, one that is broken, one that failed, one that leads outside."""
    folder = tmp_path_factory.mktemp("explored") / "data"
    (folder / "videos").mkdir(parents=True)
    (folder.parent / "secret.mp4").write_bytes(b"secret")
    made = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=1", "-pix_fmt", "yuv420p"]
    ffmpeg = find_ffmpeg(None, Clock()).path
    subprocess.run([ffmpeg, "-v", "error", *made, folder / "videos" / "good.mp4"], check=True)
    (folder / "videos" / "broken.mp4").write_bytes(b"nothing to see")
    return folder


@pytest.fixture
def session(data: Path, tmp_path: Path) -> Session:
    def sample(name: str, path: str) -> Sample:
        files = {"video": Place(str(data / path))}
        return Sample(name, "clips", "dQw4w9WgXcQ", 0.0, 1.0, "done", files=files, meta={"title": TITLE})

    samples = [
        sample("good", "videos/good.mp4"),
        sample("broken", "videos/broken.mp4"),
        sample("outside", "../secret.mp4"),
        Sample("gone", "clips", "dQw4w9WgXcQ", 0.0, 1.0, "failed", "private", "This video is private"),
    ]
    asked = questions_by_clip([{"clip_id": "good", "question": "What?", "choices": ["a", "b"], "answer": "b"}])
    made = Session(str(data), tmp_path, lambda: (samples, asked, {}), find_ffmpeg(None, Clock()), "avclips clips")
    made.build()
    return made


@pytest.fixture
def client(session: Session) -> Iterator[Client]:
    with served(make_app(session, "", LOCAL)) as port:
        yield Client(port)
    session.marks.path.unlink(missing_ok=True)


def test_clips_are_listed(client: Client) -> None:
    found = client.get("/api/clips").json()
    assert found["total"] == 4 and [each["id"] for each in found["clips"]] == ["good", "broken", "outside", "gone"]
    found = client.get("/api/clips", params={"q": "what", "status": "done"}).json()
    assert [each["id"] for each in found["clips"]] == ["good"]
    assert client.get("/api/ids", params={"status": "failed"}).text == "gone\n"
    assert dict(client.get("/api/facets").json()["status"]) == {"done": 3, "failed": 1}
    summary = client.get("/api/summary").json()
    assert summary["total"] == 4 and not summary["building"]


def test_a_failure_says_why_and_what_to_do(client: Client) -> None:
    found = client.get("/api/clip?id=gone").json()
    assert found["reason_words"] == "private video" and found["error"] == "This video is private"
    assert found["again"] == "avclips clips --retry-failed private"


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        (None, 200, slice(None)),
        ("bytes=0-", 206, slice(0, None)),
        ("bytes=10-19", 206, slice(10, 20)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=5-99999999", 206, slice(5, None)),
        ("bytes=99999999-", 416, slice(0, 0)),
        ("bytes=-0", 416, slice(0, 0)),
        # No ranges, and ignored.
        ("bytes=9-3", 200, slice(None)),
        ("bytes=-", 200, slice(None)),
        ("bytes=a-b", 200, slice(None)),
        ("bytes=\u00b2-", 200, slice(None)),
        ("Bytes= 3-4", 206, slice(3, 5)),
        (f"bytes=0-{'9' * 30}", 206, slice(None)),
        (f"bytes=-{'9' * 30}", 206, slice(None)),
        (f"bytes={'9' * 5000}-", 200, slice(None)),
        (f"bytes=0-{'9' * 5000}", 200, slice(None)),
        ("bytes=0-1,3-4", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
    ],
)
def test_a_part_of_a_file_is_served(
    client: Client, data: Path, asked: str | None, status: int, part: slice
) -> None:
    answer = client.get("/media/1/video", headers={"Range": asked} if asked else {})
    content = (data / "videos" / "good.mp4").read_bytes()
    assert answer.status == status and answer.content == content[part]
    if status == 206:
        begin, end, _ = part.indices(len(content))
        assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/{len(content)}"


@pytest.mark.parametrize(
    "path",
    [
        "/media/3/video",
        "/media/4/video",
        "/media/99/video",
        "/media/1/audio",
        "/media/1/..",
        "/media/1/video/../../../secret.mp4",
        "/media/..%2f..%2fsecret.mp4/video",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/thumbnail/2",
        "/thumbnail/3",
        "/thumbnail/4",
        "/api/clip?id=nobody",
    ],
)
def test_what_is_not_there_or_lies_outside_is_not_served(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status == 404 and b"secret" not in answer.content and b"root" not in answer.content


def test_a_thumbnail_is_made_once(client: Client, session: Session) -> None:
    first = client.get("/thumbnail/1")
    assert first.status == 200 and first.content[:2] == b"\xff\xd8"
    made = session.thumbnail(1)
    before = made.stat().st_mtime_ns
    assert client.get("/thumbnail/1").content == first.content and made.stat().st_mtime_ns == before


@pytest.mark.parametrize("path", ["/media/1/video", "/thumbnail/1"])
def test_what_a_browser_has_is_not_sent_again(client: Client, path: str) -> None:
    first = client.get(path)
    tag = first.headers["etag"]
    assert first.status == 200 and tag.startswith('"') and first.headers["cache-control"] == "no-cache"
    for said in (tag, "*", f'"other", W/{tag}'):
        again = client.get(path, headers={"If-None-Match": said})
        assert (again.status, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(path, headers={"If-None-Match": '"other"'}).status == 200
    head = client.ask("HEAD", path)
    assert (head.status, head.content, head.headers["content-length"]) == (200, b"", str(len(first.content)))


def test_parts_are_of_one_file(client: Client, data: Path) -> None:
    path = data / "videos" / "good.mp4"
    tag = client.get("/media/1/video").headers["etag"]
    for said, status in ((tag, 206), ('"other"', 200), ("Mon, 30 Nov 2026 19:15:09 GMT", 200)):
        assert client.get("/media/1/video", headers={"Range": "bytes=0-1", "If-Range": said}).status == status
    head = client.ask("HEAD", "/media/1/video", {"Range": "bytes=0-9"})
    assert (head.status, head.content, head.headers["content-length"]) == (206, b"", "10")
    # The same bytes, written again.
    os.utime(path, ns=(1, 1))
    assert client.get("/media/1/video", headers={"Range": "bytes=0-1", "If-Range": tag}).status == 200
    assert client.get("/media/1/video", headers={"If-None-Match": tag}).status == 200


def test_a_file_that_becomes_shorter_ends_the_answer(
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Blob, "read", lambda self, begin, end: iter([b"short"]))
    with pytest.raises(http.client.IncompleteRead) as caught:
        client.get("/media/1/video")
    assert caught.value.partial == b"short"
    wait_until(lambda: "good.mp4 ended at byte 5 of" in caplog.text)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("path", [f"/media/{10**25}/video", f"/thumbnail/{2**63}", "/thumbnail/0"])
def test_there_are_not_so_many_clips(client: Client, path: str) -> None:
    assert client.get(path).status == 404


def test_a_picture_that_cannot_be_made_is_tried_now_and_then(
    client: Client, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []
    run = session.thumbnails._ffmpeg.run
    monkeypatch.setattr(session.thumbnails._ffmpeg, "run", lambda *args: (tried.append(1), run(*args)))
    assert [client.get("/thumbnail/2").status for _ in range(3)] == [404] * 3 and len(tried) == 1
    monkeypatch.setattr(thumbnails, "AGAIN", 0.0)
    assert client.get("/thumbnail/2").status == 404 and len(tried) == 2


def test_pictures_that_take_long_keep_nobody_waiting(
    client: Client, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, go_on = [], threading.Event()

    def wait(*args: object) -> None:
        going.append(1)
        go_on.wait(60)
        raise NotServed("it took too long")

    monkeypatch.setattr(session.thumbnails, "_make", wait)
    monkeypatch.setattr(session.thumbnails, "made", lambda name: None)
    # More than the server has threads.
    asking = [threading.Thread(target=client.get, args=("/thumbnail/1",)) for _ in range(60)]
    for each in asking:
        each.start()
    try:
        assert client.get("/api/summary").json()["total"] == 4
        wait_until(lambda: going, 20)
        assert client.get("/api/clips").json()["total"] == 4 and len(going) <= thumbnails.AT_ONCE
    finally:
        go_on.set()
        for each in asking:
            each.join(20)


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"id": "good", "mark": "good"}', "application/json; charset=utf-8", 200),
        (b'{"id": "good", "mark": "good"}', "Application/JSON", 200),
        (b'{"id": "good", "mark": "good"}', "text/plain", 415),
        (b'{"id": "good", "mark": "best"}', "application/json", 400),
        (b'{"id": "nobody", "mark": "good"}', "application/json", 404),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b" " * 100_000, "application/json", 413),
    ],
)
def test_what_is_said_of_a_mark(client: Client, content: bytes, kind: str, status: int) -> None:
    assert client.post("/api/mark", content, kind).status == status


def test_who_leaves_in_the_middle_is_no_trouble(capfd: pytest.CaptureFixture[str], client: Client) -> None:
    head = f"POST /api/mark HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", client.port)) as left:
        left.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
    assert client.get("/api/summary").status == 200
    time.sleep(0.2)
    assert capfd.readouterr().err == ""


def test_marks_are_written_and_taken_away(client: Client, session: Session) -> None:
    assert client.post("/api/mark", b'{"id": "good", "mark": "good"}').status == 200
    client.post("/api/mark", b'{"id": "gone", "mark": "bad"}')
    assert client.get("/api/clip?id=good").json()["mark"] == "good"
    assert [line.split(",")[:2] for line in session.marks.path.read_text().splitlines()] == [
        ["id", "mark"], ["good", "good"], ["gone", "bad"],
    ]  # fmt: skip
    client.post("/api/mark", b'{"id": "good", "mark": ""}')
    assert session.marks.of("good") == "" and session.marks.of("gone") == "bad"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"id": "good", "mark": "good"}', "text/plain", 415),
        (b'{"id": "good", "mark": "great"}', "application/json", 400),
        (b'{"id": "nobody", "mark": "good"}', "application/json", 404),
        (b"[]", "application/json", 400),
        (b"{", "application/json", 400),
    ],
)
def test_what_is_no_mark_is_refused(client: Client, content: bytes, kind: str, status: int) -> None:
    answer = client.post("/api/mark", content, kind)
    assert answer.status == status
    assert client.get("/api/clip?id=good").json()["mark"] == ""


@pytest.mark.parametrize(
    ("host", "token", "given", "status"),
    [
        ("127.0.0.1:8642", "", "", 200),
        ("localhost:8642", "", "", 200),
        ("evil.example", "", "", 403),
        ("evil.example:8642", "", "", 403),
        ("node7:8642", "t0ken", "", 403),
        ("127.0.0.1:8642", "t0ken", "", 403),
        ("node7:8642", "t0ken", "other", 403),
        ("node7:8642", "t0ken", "t0ken", 200),
    ],
)
def test_who_is_let_in(session: Session, host: str, token: str, given: str, status: int) -> None:
    with served(make_app(session, token, LOCAL)) as port:
        client = Client(port, host)
        assert client.get("/", {"token": given} if given else {}).status == status
        if given and status == 200:
            # What the page asks for then has the cookie.
            assert client.get("/api/summary").status == 200


def test_the_page_runs_no_script_but_its_own(client: Client) -> None:
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy and "unsafe" not in policy
    nonce = policy.split("'nonce-")[1].split("'")[0]
    assert f'content="{nonce}"' in answer.text
    assert nonce not in client.get("/").text
    assert client.get("/media/1/video").headers["x-content-type-options"] == "nosniff"


def test_a_static_page_holds_what_it_needs(session: Session, tmp_path: Path) -> None:
    # Two that cannot be copied are not there.
    out = tmp_path / "gallery"
    assert export(session, out, Filter("what")) == 1
    said = json.loads((out / "clips.json").read_text())
    assert [each["id"] for each in said] == ["good"]
    assert (out / said[0]["media"]).read_bytes()[4:8] == b"ftyp" and (out / said[0]["picture"]).is_file()
    assert (out / "index.html").is_file() and (out / "gallery.js").is_file()
    with pytest.raises(RunError, match="holds something"):
        export(session, out, Filter())

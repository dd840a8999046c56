"""What the stand-in sends behind its pages: media byte for byte, other hosts' files, and itself as a process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import yt_dlp

from tests.standin import fake_media, fake_player, fake_proxy, fake_youtube
from tests.standin.client import (
    CSV,
    ID,
    MEDIA,
    TWELVE,
    Serve,
    download,
    downloader,
    extract,
    through,
    url_of,
)
from tests.standin.fake_youtube import (
    FakeFile,
    FakeVideo,
    FakeYouTube,
    Fault,
)

# Media over HTTP


@pytest.mark.parametrize(
    ("asked", "status", "cut", "said"),
    [
        (None, 200, slice(None), None),
        ("bytes=0-0", 206, slice(0, 1), "bytes 0-0/{size}"),
        ("bytes=100-299", 206, slice(100, 300), "bytes 100-299/{size}"),
        ("bytes=1000-", 206, slice(1000, None), "bytes 1000-{last}/{size}"),
        ("bytes=1000-99999999", 206, slice(1000, None), "bytes 1000-{last}/{size}"),
        ("bytes=99999999-", 416, slice(0), "bytes */{size}"),
        ("bytes=9-2", 200, slice(None), None),
    ],
)
def test_ranges(
    serve: Serve,
    session: requests.Session,
    asked: str | None,
    status: int,
    cut: slice,
    said: str | None,
) -> None:
    youtube = serve()
    content = youtube.videos[ID].file(youtube.folder, 134).read_bytes()
    got = through(session, youtube).get(url_of(youtube, 134), headers={"Range": asked})
    said = said and said.format(size=len(content), last=len(content) - 1)
    assert (got.status_code, got.headers.get("Content-Range")) == (status, said)
    assert got.content == content[cut]
    logged = youtube.requests("media", ID)[-1]
    assert (logged.itag, logged.status, logged.sent) == (134, status, len(content[cut]))
    if status == 206:
        assert (logged.first, logged.last) == (cut.start, (cut.stop or len(content)) - 1)


def test_head_expiry_and_missing_itag(serve: Serve, session: requests.Session) -> None:
    youtube = serve()
    url = url_of(youtube, 140)
    got = through(session, youtube).head(url)
    size = youtube.videos[ID].file(youtube.folder, 140).stat().st_size
    assert (got.status_code, got.headers["Content-Length"], got.content) == (200, str(size), b"")
    assert got.headers["Content-Type"] == "audio/mp4"
    assert session.get(url.replace("itag=140", "itag=136")).status_code == 404
    youtube.videos[ID] = FakeVideo(MEDIA, expires_in=-1)
    assert session.get(url_of(youtube, 140)).status_code == 403


def test_keep_alive_uses_one_connection_quickly(serve: Serve, session: requests.Session) -> None:
    youtube = serve()
    url = "https://www.youtube.com/youtubei/v1/player"
    through(session, youtube).post(url, json={"videoId": ID})
    took = []
    for _ in range(10):
        start = time.monotonic()
        session.post(url, json={"videoId": ID})
        took.append(time.monotonic() - start)
    # A delayed acknowledgement would cost each of them 40 ms, however busy the machine is.
    assert min(took) < 0.04


def read(youtube: FakeYouTube, path: Path, first: int, last: int, **params: Any) -> Any:
    """A range read the way the project reads."""
    url = extract(youtube)["requested_formats"][0]["url"]
    fragment = {
        "url": url, "protocol": "https", "ext": "mp4",
        "http_headers": {"Range": f"bytes={first}-{last}"},
    }  # fmt: skip
    with downloader(youtube, **params) as ydl:
        return ydl.dl(str(path), fragment)


BROKEN = [
    (Fault("truncate", after=5000), r"5000 bytes read, 15000 more expected"),
    # Python's ssl may take a reset for an end of file; then it reads as a truncation.
    (Fault("reset", after=5000), r"(5000 bytes read, 15000 more expected|.*Connection reset)"),
    (Fault("stall", after=5000), r".*Read timed out\."),
]


@pytest.mark.parametrize(("fault", "text"), BROKEN, ids=[fault.kind for fault, _ in BROKEN])
def test_broken_media_seen_by_yt_dlp(serve: Serve, tmp_path: Path, fault: Fault, text: str) -> None:
    youtube = serve(FakeVideo(MEDIA, faults=(fault,)))
    with pytest.raises(yt_dlp.utils.DownloadError, match=rf"\[download\] Got error: {text}") as caught:
        read(youtube, tmp_path / "part.mp4", 1000, 20999, socket_timeout=0.5)
    assert caught.value.exc_info is None or caught.value.exc_info[1] is None
    assert [(r.status, r.sent) for r in youtube.requests("media")] == [(206, 5000)]


@pytest.mark.parametrize("status", [403, 429])
def test_refused_media_seen_by_yt_dlp(serve: Serve, tmp_path: Path, status: int) -> None:
    youtube = serve(FakeVideo(MEDIA, faults=(Fault("status", status=status, retry_after=7),)))
    with pytest.raises(yt_dlp.networking.exceptions.HTTPError) as bare:
        read(youtube, tmp_path / "part.mp4", 1000, 20999, retries=3)
    assert (bare.value.status, bare.value.response.headers["Retry-After"]) == (status, "7")
    with pytest.raises(yt_dlp.utils.DownloadError, match=f"video data: HTTP Error {status}") as wrapped:
        download(youtube, tmp_path)
    assert wrapped.value.exc_info[1].status == status
    for error in (bare.value, wrapped.value.exc_info[1]):
        error.close()
    assert len(youtube.requests("media")) == 2


def test_503_is_retried(serve: Serve, tmp_path: Path) -> None:
    youtube = serve(FakeVideo(MEDIA, faults=(Fault("status", status=503, times=2),)))
    assert read(youtube, tmp_path / "part.mp4", 1000, 20999, retries=2)[0]
    assert [r.status for r in youtube.requests("media")] == [503, 503, 206]


def test_faults_strike_as_often_as_asked(serve: Serve, session: requests.Session) -> None:
    faults = (
        Fault("status", itag=140, status=500, times=2),
        Fault("truncate", itag=134, beyond=5000, after=10),
    )
    youtube = serve(FakeVideo(MEDIA, faults=faults))
    sound, pictures = url_of(youtube, 140), url_of(youtube, 134)
    through(session, youtube)
    assert [session.get(sound).status_code for _ in range(3)] == [500, 500, 200]
    assert len(session.get(pictures, headers={"Range": "bytes=0-4999"}).content) == 5000
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="10 bytes read, 5990 more expected"):
        session.get(pictures, headers={"Range": "bytes=0-5999"})


def segment_requests(session: requests.Session, url: str) -> list[requests.Request]:
    """What a playlist of segments has one ask for, but for the head of fMP4."""
    asked: list[requests.Request] = []
    headers: dict[str, str] = {}
    for line in session.get(url).text.splitlines():
        if match := re.fullmatch(r"#EXT-X-BYTERANGE:(\d+)@(\d+)", line):
            headers = {"Range": f"bytes={match[2]}-{int(match[2]) + int(match[1]) - 1}"}
        elif line and line[0] != "#":
            asked.append(requests.Request("GET", line, headers))
    return asked


@pytest.mark.parametrize("name", ["93", "230"])
def test_segments_fail_as_files_do(serve: Serve, session: requests.Session, name: str) -> None:
    """`beyond` counts through all segments: here it lies in the second."""
    faults = (
        Fault("status", itag=140, status=500),
        Fault("status", itag=int(name), status=503, times=1, beyond=400_000),
        Fault("truncate", itag=int(name), times=1, beyond=400_000, after=1000),
    )
    youtube = serve(FakeVideo(TWELVE, itags=("hls-ts", "hls-fmp4"), faults=faults))
    url = extract(youtube, format=name)["url"]
    first, second, third = segment_requests(through(session, youtube), url)
    good = 200 if name == "93" else 206
    assert session.send(session.prepare_request(first)).status_code == good
    assert session.send(session.prepare_request(second)).status_code == 503
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="1000 bytes read"):
        session.send(session.prepare_request(second))
    assert len(session.send(session.prepare_request(second)).content) > 200_000
    assert session.send(session.prepare_request(third)).status_code == good
    assert [r.status for r in youtube.requests("media", ID)] == [good, 503, good, good, good]
    if name == "93":
        assert [r.segment for r in youtube.requests("media", ID)] == [0, 1, 1, 1, 2]


def test_yt_dlp_leaves_out_a_segment_that_it_cannot_get(serve: Serve, tmp_path: Path) -> None:
    """Without a word in the result: the project has to read segments itself."""
    fault = Fault("truncate", itag=93, times=1, beyond=400_000, after=1000)
    video = FakeVideo(TWELVE, itags=("hls-ts",), faults=(fault,))
    youtube = serve(video)
    download(youtube, tmp_path, "93")
    parts = fake_media.segments(video.rendition(youtube.folder, 93))
    assert (tmp_path / f"{ID}.mp4").read_bytes() == parts[0].read_bytes() + parts[2].read_bytes()


def test_segments_that_do_not_exist_and_links_that_end(serve: Serve, session: requests.Session) -> None:
    youtube = serve(FakeVideo(TWELVE, itags=("hls-ts", "hls-fmp4")))
    manifest = extract(youtube, format="93")["manifest_url"]
    playlist = through(session, youtube).get(manifest).text.splitlines()[3]
    text = session.get(playlist)
    assert text.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    assert text.text.endswith("#EXT-X-ENDLIST\n") and "#EXT-X-PLAYLIST-TYPE:VOD" in text.text
    segment = next(line for line in text.text.splitlines() if line.startswith("https"))
    got = session.get(segment, headers={"Range": "bytes=0-187"})
    assert (got.status_code, len(got.content), got.headers["Content-Type"]) == (206, 188, "video/mp2t")
    assert session.get(segment.replace("sq/0", "sq/3")).status_code == 404
    assert session.get(playlist.replace("itag/93", "itag/94")).status_code == 404
    for url in (manifest, playlist, segment):
        assert session.get(re.sub(r"expire/\d+", "expire/1000", url)).status_code == 403


def test_retries_resume_after_truncation(serve: Serve, tmp_path: Path) -> None:
    youtube = serve(FakeVideo(MEDIA, faults=(Fault("truncate", after=5000, times=1),)))
    path = tmp_path / "part.mp4"
    ok, _ = read(youtube, path, 1000, 20999, retries=2)
    content = youtube.videos[ID].file(youtube.folder, 134).read_bytes()
    assert ok and path.read_bytes() == content[1000:21000]
    whole, rest = youtube.requests("media")
    assert (whole.first, whole.last, rest.last) == (1000, 20999, 20999)
    # Not 6000: yt-dlp throws away the block that broke off, and asks for it again.
    assert rest.first is not None and 1000 < rest.first <= 6000


def test_slow_corrupt_and_ignored_range(serve: Serve, session: requests.Session) -> None:
    slow = Fault("slow", after=1000, rate=20_000, times=1)
    youtube = serve(FakeVideo(MEDIA, faults=(slow, Fault("corrupt", times=1), Fault("ignore_range"))))
    url, some = url_of(youtube, 134), {"Range": "bytes=0-8999"}
    content = youtube.videos[ID].file(youtube.folder, 134).read_bytes()
    start = time.monotonic()
    assert through(session, youtube).get(url, headers=some).content == content[:9000]
    assert time.monotonic() - start > 0.35
    corrupt = session.get(url).content
    flipped = [at for at, (a, b) in enumerate(zip(corrupt, content, strict=True)) if a != b]
    payloads = [range(at + 8, at + size) for kind, at, size in fake_media.boxes(content) if kind == "mdat"]
    assert len(flipped) > len(content) / 1100
    assert all(any(at in payload for payload in payloads) for at in flipped)
    got = session.get(url, headers=some)
    assert (got.status_code, got.content == content) == (200, True)


def test_rate_and_latency(serve: Serve, session: requests.Session) -> None:
    youtube = serve()
    url = url_of(youtube, 134)
    youtube.latency, youtube.rate = 0.1, 100_000
    start = time.monotonic()
    through(session, youtube).get(url, headers={"Range": "bytes=0-39999"})
    assert time.monotonic() - start > 0.45


# Other hosts


def test_files_of_other_hosts(serve: Serve, session: requests.Session) -> None:
    plain = CSV.replace("https", "http")
    faulty = FakeFile(b"x" * 1000, (Fault("status", status=503, times=1), Fault("truncate", after=9, times=1)))
    youtube = serve(files={CSV: b"a,1,b,test\n", plain: b"other\n", CSV + ".gz": faulty})
    through(session, youtube)
    got = session.get(CSV)
    assert (got.content, session.get(plain).content) == (b"a,1,b,test\n", b"other\n")
    assert session.get(CSV, headers={"If-None-Match": got.headers["ETag"]}).status_code == 304
    assert session.get(CSV, headers={"Range": "bytes=2-2"}).content == b"1"
    assert session.get(CSV, headers={"Range": "bytes=2-2", "If-Range": '"old"'}).content == b"a,1,b,test\n"
    assert session.head(CSV).headers["Content-Length"] == "11"
    assert session.get(CSV + ".gz").status_code == 503
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session.get(CSV + ".gz")
    assert session.get(CSV + ".gz").content == b"x" * 1000
    assert session.get(CSV + ".none").status_code == 404
    assert {r.kind for r in youtube.log} == {"file", "other"}


def test_an_unknown_host_is_recorded_and_never_contacted(folder: Path, session: requests.Session) -> None:
    with FakeYouTube(folder) as youtube:
        with pytest.raises(requests.exceptions.ProxyError, match="502"):
            through(session, youtube).get("https://example.org/x")
        assert session.get("http://example.net/y").status_code == 502
        assert youtube.unknown == ["example.org", "example.net"]
        assert [(r.kind, r.host, r.status) for r in youtube.log] == [
            ("other", "example.org", 502), ("other", "example.net", 502)
        ]  # fmt: skip


def test_ports_stand_for_proxies(serve: Serve, session: requests.Session) -> None:
    youtube = serve(ports=2, files={CSV: b"x"})
    through(session, youtube)
    session.proxies = {"https": youtube.proxies[1]}
    session.get(CSV)
    assert youtube.proxies[1].endswith(f":{youtube.log[0].port}") and youtube.proxy != youtube.proxies[1]


def test_close_ends_stalls_and_threads(folder: Path, session: requests.Session) -> None:
    video = FakeVideo(MEDIA, faults=(Fault("stall", after=10),))
    youtube = FakeYouTube(folder, {ID: video}).start()
    url = url_of(youtube, 134)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(through(session, youtube).get, url)
        while not youtube.media_bytes(ID):
            time.sleep(0.01)
        youtube.close()
        assert isinstance(waiting.exception(5), requests.exceptions.RequestException)


# As processes


CHILD = """
import sys, requests, yt_dlp
params = {"quiet": True, "compat_opts": {"no-certifi"}, "proxy": sys.argv[2]}
print(requests.get(sys.argv[1]).text)
url = "https://www.youtube.com/watch?v=" + sys.argv[3]
print(yt_dlp.YoutubeDL(params).extract_info(url, download=False)["title"])
"""


def test_a_child_process_trusts_it(serve: Serve) -> None:
    """With verification on: no option of the child's own turns it off."""
    youtube = serve(FakeVideo(MEDIA, title="seen"), files={CSV: b"row"})
    hostile = {"NO_PROXY": "*", "no_proxy": "github.com", "HTTPS_PROXY": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, CSV, youtube.proxy, ID],
        env={**os.environ, **hostile, **youtube.environment()},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["row", "seen"], done.stderr
    assert list(dict.fromkeys(r.kind for r in youtube.log)) == ["file", "watch", "player"]


@pytest.mark.parametrize("ending", ["stdin", "SIGTERM"])
def test_as_a_program_of_its_own(tmp_path: Path, session: requests.Session, ending: str) -> None:
    table = tmp_path / "table.csv"
    table.write_text("row")
    ports, log = tmp_path / "ports", tmp_path / "log.jsonl"
    program = [sys.executable, "-m", "tests.standin.fake_youtube"]
    options = {"--folder": tmp_path, "--port-file": ports, "--log": log, "--duration": 1}
    words = [str(word) for pair in options.items() for word in pair]
    with subprocess.Popen(
        [*program, *words, "--file", CSV, str(table)], cwd=Path(__file__).resolve().parents[2], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdout and child.stdin
        proxy, authority = child.stdout.readline().strip(), child.stdout.readline().strip()
        assert proxy == f"http://127.0.0.1:{ports.read_text().strip()}"
        session.proxies, session.verify = {"https": proxy}, authority
        assert session.get(CSV).text == "row"
        child.stdin.close() if ending == "stdin" else child.terminate()
        assert child.wait(10) == 0
    assert [json.loads(line)["kind"] for line in log.read_text().splitlines()] == ["file"]


def test_nothing_here_dials_out() -> None:
    """The stand-in listens; the word for connecting does not occur in it."""
    for module in (fake_media, fake_player, fake_proxy, fake_youtube):
        source = Path(str(module.__file__)).read_text()
        assert not any(word in source for word in ("create_connection", ".connect(", "urlopen", "import requests"))

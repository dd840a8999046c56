"""Playlists, scripts and pages in the place of media: ffmpeg opens none of them, on whatever way they come.

Each names a film that lies beside it. Were one opened as what it is, that film would be the clip.
"""

from __future__ import annotations

import gc
import shutil
import struct
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import pad

from avclips.containers import fragments
from avclips.containers.mp4 import NoTable, read_file
from avclips.core.clock import Clock
from avclips.core.errors import ClipError, Gone, Transient
from avclips.core.model import Clip, Video
from avclips.core.settings import AudioFormat, Cut, Identity, Settings
from avclips.fetch.existing import Local
from avclips.media.cut import cut
from avclips.media.demux import open_file
from avclips.media.ffmpeg import Ffmpeg
from avclips.reading.reader import Reading
from avclips.sources.archives import Archives
from avclips.sources.streams import Stream, Streams
from avclips.sources.youtube import YouTube
from avclips.state.store import Store
from tests.standin import slow_server
from tests.standin.fake_media import (
    CLUSTER,
    PLAYLIST,
    PROGRESSIVE,
    SEGMENT,
    Media,
    boxes,
    elements,
    ffmpeg,
    make,
    make_hls,
    segments,
)
from tests.support.made_files import AAC, PICTURE, PLAIN, SOUND, made
from tests.support.served import Files, Served, stream_at

MEDIA = Media(duration=12.0, width=64, height=36, fps=10, gop_seconds=2.0)
ID = "disguised01_000005"
# It lies in two pieces of HLS.
CLIP = Clip(ID, "disguised01", 5.0, 7.0)
SECRET = "secret.ts"
# What ffmpeg may be told that a file is.
MEDIA_FORMATS = {
    "mp4",
    "mov",
    "matroska",
    "mpegts",
    "flv",
    "avi",
    "wav",
    "mpeg",
    "ogg",
    "asf",
    "flac",
    "mp3",
    "aac",
}
BODIES = {
    "HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:3,\n{}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile {}\n",
    "SDP": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns={}\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "HTML": '<!DOCTYPE html><html><video src="{}"></video></html>\n',
    "ASS": "[Script Info]\nVideo File: {}\n[Events]\nDialogue: 0,0:00:00.00,0:00:09.00,,,0,0,0,,words\n",
    "zeros": "\0" * 64,
    "MPD": '<?xml version="1.0"?>\n<MPD><Period><BaseURL>{}</BaseURL></Period></MPD>\n',
}


class Watched(Ffmpeg):
    """An ffmpeg of which is kept what each of its inputs was said to be."""

    def __init__(self) -> None:
        super().__init__(Path(ffmpeg()), Clock())
        self.told: list[str] = []

    def lines(self, arguments: Sequence[str | Path]) -> object:  # type: ignore[override]
        words = list(arguments)
        for place, word in enumerate(words):
            if word == "-i":
                assert words[place - 2] == "-f", f"ffmpeg was left to guess: {words}"
                self.told.append(str(words[place - 1]))
        return super().lines(arguments)


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def secret(media_folder: Path, tmp_path: Path) -> Path:
    """The film that they name."""
    path = tmp_path / "work" / SECRET
    path.parent.mkdir()
    shutil.copy(made(media_folder, "ts", *PICTURE, *SOUND, *PLAIN, *AAC), path)
    return path


def body_of(name: str, size: int = 0) -> bytes:
    """A body that names the film, with empty lines up to a size."""
    return BODIES[name].format(SECRET).encode().ljust(size, b"\n")[: size or None]


def test_the_bait_is_taken(secret: Path) -> None:
    """An ffmpeg that is let guess does open what such a file names."""
    (secret.parent / "film.mp4").write_bytes(body_of("ffconcat"))
    words = [ffmpeg(), "-v", "error", "-i", "film.mp4", "-f", "framecrc", "-"]
    said = subprocess.run(words, cwd=secret.parent, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if said.returncode < 0:
        pytest.skip(f"this ffmpeg is ended by signal {-said.returncode} on transport streams")
    assert said.stdout.count("\n0,") > 50, said.stderr


# -- what is read from a site ----------------------------------------------------------------------------------

Disguise = Callable[[int], bytes]


def whole(folder: Path, body: Disguise) -> tuple[Files, Stream]:
    return {"http://h/v": body(5000)}, stream_at("http://h/v")


def short(folder: Path, body: Disguise) -> tuple[Files, Stream]:
    return {"http://h/v": body(0)}, stream_at("http://h/v")


def progressive(folder: Path, body: Disguise) -> tuple[Files, Stream]:
    """A plain MP4 whose samples are something else."""
    content = make(MEDIA, PROGRESSIVE, folder).read_bytes()
    (at, size) = next((at, size) for kind, at, size in boxes(content) if kind == "mdat")
    return {"http://h/v": content[: at + 8] + body(size - 8) + content[at + size :]}, stream_at("http://h/v")


def dash_fragments(folder: Path, body: Disguise) -> tuple[Files, Stream]:
    """Behind a sidx, something else in the place of each fragment."""
    content = make(MEDIA, 134, folder).read_bytes()
    index = fragments.read_index(content)
    assert isinstance(index, fragments.Index)
    sizes = (behind - at for at, behind in zip(index.offsets, index.offsets[1:], strict=False))
    return {"http://h/v": content[: index.offsets[0]] + b"".join(map(body, sizes))}, stream_at("http://h/v")


def dash_samples(folder: Path, body: Disguise) -> tuple[Files, Stream]:
    """Fragments whose samples are something else."""
    content = make(MEDIA, 134, folder).read_bytes()
    parts = [
        content[at : at + 8] + body(size - 8) if kind == "mdat" else content[at : at + size]
        for kind, at, size in boxes(content)
    ]
    return {"http://h/v": b"".join(parts)}, stream_at("http://h/v")


def webm(folder: Path, body: Disguise, kept: int = 0) -> tuple[Files, Stream]:
    """Clusters of something else, behind the first ``kept`` bytes of each."""
    content = make(MEDIA, 243, folder).read_bytes()
    segment = next(each for each in elements(content) if each[0] == SEGMENT)
    made_up = bytearray(content)
    for kind, at, _, end in elements(content, segment[2], segment[3]):
        if kind == CLUSTER:
            made_up[at + kept : end] = body(end - at - kept)
    return {"http://h/v": bytes(made_up)}, stream_at("http://h/v")


def webm_blocks(folder: Path, body: Disguise) -> tuple[Files, Stream]:
    return webm(folder, body, 30)


def hls(folder: Path, body: Disguise, itag: int = 93, since: int = 0, sealed: bool = False, tag: bytes = b"",
        ) -> tuple[Files, Stream]:  # fmt: skip
    """A playlist of HLS whose pieces are something else from number ``since`` on."""
    rendition = make_hls(MEDIA, itag, folder)
    parts, text = segments(rendition), (rendition / PLAYLIST).read_text()
    files = {f"http://h/{path.name}": path.read_bytes() for path in parts}
    for path in parts[since:]:
        put = tag + body(5000)
        files[f"http://h/{path.name}"] = _sealed(put) if sealed else put
    if sealed:
        text = text.replace("#EXTINF", f'#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x{0:032x}\n#EXTINF', 1)
    return files | {"http://h/l": text.encode(), "http://h/k": KEY}, stream_at("http://h/l", "m3u8_native")


KEY = b"0123456789abcdef"
TAG = b"ID3\4\0\0\0\0\0\0"


def _sealed(content: bytes) -> bytes:
    return AES.new(KEY, AES.MODE_CBC, bytes(16)).encrypt(pad(content, AES.block_size))


def hls_second(folder: Path, body: Disguise) -> tuple[Files, Stream]:
    return hls(folder, body, since=1)


def hls_sealed(folder: Path, body: Disguise) -> tuple[Files, Stream]:
    return hls(folder, body, sealed=True)


def hls_packed(folder: Path, body: Disguise) -> tuple[Files, Stream]:
    """Behind the tag of packed sound."""
    return hls(folder, body, tag=TAG)


def hls_fragments(folder: Path, body: Disguise) -> tuple[Files, Stream]:
    """In the one file of a rendition's fragments: behind its head."""
    files, found = hls(folder, body, 230, since=1)
    content = files["http://h/all.mp4"]
    at = next(at for kind, at, _ in boxes(content) if kind == "moof")
    return {**files, "http://h/all.mp4": content[:at] + body(len(content) - at)}, found


def dash_pieces(folder: Path, body: Disguise, head: bytes | None = None) -> tuple[Files, Stream]:
    """A manifest of DASH: a head, and files of their own."""
    content = make(MEDIA, 134, folder).read_bytes()
    index = fragments.read_index(content)
    assert isinstance(index, fragments.Index)
    names = [f"http://h/{number}" for number in range(len(index.offsets))]
    files = {names[0]: head or index.init} | dict.fromkeys(names[1:], body(5000))
    pieces = ((names[0], None), *((name, 2.0) for name in names[1:]))
    return files, stream_at("http://h/mpd", "http_dash_segments", pieces=pieces)


def dash_head(folder: Path, body: Disguise) -> tuple[Files, Stream]:
    return dash_pieces(folder, body, head=body(700))


WAYS = (
    whole, short, progressive, dash_fragments, dash_samples, webm, webm_blocks,
    hls, hls_second, hls_sealed, hls_packed, hls_fragments, dash_pieces, dash_head,
)  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_a_site_sends(
    watched: Watched, media_folder: Path, secret: Path, way: Callable[..., tuple[Files, Stream]], name: str
) -> None:
    files, found = way(media_folder, lambda size: body_of(name, size))
    settings = Settings(secret.parent, allow_silent=True)
    streams = Streams(found, None, "0", MEDIA.duration, elsewhere=True)
    reading = Reading(Served(files), watched, settings, streams, secret.parent)  # type: ignore[arg-type]
    with pytest.raises(ClipError) as caught:
        cut(reading.job(CLIP), watched, secret.parent, secret.parent / "clip.mp4", secret.parent / "clip.wav")
    assert isinstance(caught.value, Transient) and set(watched.told) <= MEDIA_FORMATS
    _see_nothing_of(secret)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_these_ways_lead_to_a_clip(
    watched: Watched, media_folder: Path, tmp_path: Path, way: Callable[..., tuple[Files, Stream]]
) -> None:
    """The same without a disguise: else the test above shows nothing."""
    files, found = way(media_folder, lambda size: b"x")
    right = {url: _undisguised(media_folder, way, url, content) for url, content in files.items()}
    settings = Settings(tmp_path, allow_silent=True)
    streams = Streams(found, None, "0", MEDIA.duration, elsewhere=True)
    reading = Reading(Served(right), watched, settings, streams, tmp_path)  # type: ignore[arg-type]
    expected = cut(reading.job(CLIP), watched, tmp_path, tmp_path / "clip.mp4", tmp_path / "clip.wav")
    assert len(expected.pictures) == 20 and set(watched.told) <= MEDIA_FORMATS


def _undisguised(folder: Path, way: object, url: str, content: bytes) -> bytes:
    """What should have stood there."""
    itags = {webm: 243, webm_blocks: 243, progressive: PROGRESSIVE, whole: PROGRESSIVE, short: PROGRESSIVE}
    if url == "http://h/v":
        return make(MEDIA, itags.get(way, 134), folder).read_bytes()  # type: ignore[call-overload]
    name = url.removeprefix("http://h/")
    if way in (dash_pieces, dash_head):
        whole_file = make(MEDIA, 134, folder).read_bytes()
        index = fragments.read_index(whole_file)
        assert isinstance(index, fragments.Index)
        return index.init if name == "0" else whole_file[slice(*index.offsets[int(name) - 1 : int(name) + 1])]
    if name in ("l", "k"):
        return content
    part = (make_hls(MEDIA, 230 if way is hls_fragments else 93, folder) / name).read_bytes()
    return _sealed(part) if way is hls_sealed else part


def _see_nothing_of(secret: Path) -> None:
    """No file but the film itself has any of its packets."""
    content = secret.read_bytes()
    inside = content[188 * 20 : 188 * 21]
    for path in secret.parent.rglob("*"):
        assert path == secret or not path.is_file() or inside not in path.read_bytes(), path


@pytest.mark.parametrize("sound", ["wav", "m4a"])
@pytest.mark.parametrize("cutting", ["exact", "copy"])
@pytest.mark.parametrize("itag", [134, 140])
def test_a_fragment_that_goes_back_in_time(
    watched: Watched, media_folder: Path, tmp_path: Path, itag: int, cutting: Cut, sound: AudioFormat
) -> None:
    """Said in a line: no file can hold it."""
    content = bytearray(make(replace(MEDIA, duration=24.0), itag, media_folder).read_bytes())
    index = fragments.read_index(bytes(content))
    assert isinstance(index, fragments.Index)
    at = content.index(b"tfdt", index.offsets[1]) + 8
    layout = ">Q" if content[at - 4] else ">I"
    (begins,) = struct.unpack_from(layout, content, at)
    struct.pack_into(layout, content, at, begins - index.timescale // 5)
    settings = Settings(tmp_path, allow_silent=True, cut=cutting, audio_format=sound)
    found = stream_at("http://h/v")
    streams = Streams(*((found, None) if itag == 134 else (None, found)), "0", 24.0, elsewhere=True)
    reading = Reading(Served({"http://h/v": bytes(content)}), watched, settings, streams, tmp_path)  # type: ignore[arg-type]
    second = index.times[1] / index.timescale
    job = reading.job(Clip(ID, "disguised01", second - 1, second + 1))
    with pytest.raises(Transient, match="^packets that go back in time$") as caught:
        cut(job, watched, tmp_path, tmp_path / "clip.mp4", tmp_path / f"clip.{sound}")
    assert caught.value.reason == "check"


@pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning")
@pytest.mark.parametrize("scheme", ["file", "ftp", "data"])
def test_where_a_server_sends_us(secret: Path, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """A redirect to a file of ours leads nowhere: neither for a page, nor for its media."""
    where = {"file": f"file://{secret}", "ftp": "ftp://127.0.0.1:1/x.mp4", "data": "data:video/mp4,x"}[scheme]
    answer = f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()
    monkeypatch.setitem(slow_server.ANSWERS, "away", (answer, b"", False))
    youtube = YouTube(Settings(secret.parent, rate_limit=None), Clock(1.0), Identity(""))
    with slow_server.SlowServer() as server:
        with pytest.raises(Gone) as gone:
            youtube.describe(Video("v", server.url("away"), ()))
        with pytest.raises(Transient) as caught:
            youtube.read_whole(stream_at(server.url("away")), secret.parent / "x.mp4", 1 << 20)
    # An answer: nobody is to wait for the network.
    assert (gone.value.reason, caught.value.reason) == ("unsupported", "http")
    youtube.close()
    gc.collect()
    assert [path.name for path in secret.parent.iterdir()] == [SECRET]


# -- what is on this machine -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("place", ["archive", "videos", "audio"])
@pytest.mark.parametrize("sound", ["wav", "m4a", "flac"])
def test_what_lies_here(watched: Watched, secret: Path, name: str, place: str, sound: str) -> None:
    """A member of an archive, and files that stand under a clip's names."""
    settings = Settings(secret.parent / "data", audio_format=sound, allow_silent=True)  # type: ignore[arg-type]
    store = Store(settings, "a test", Clock())
    store.open()
    archives = Archives({ID}, store.spill)
    video, audio = store.files.paths(ID)
    if place == "archive":
        video = secret.parent / "have" / f"{ID}.mp4"
        video.parent.mkdir()
        shutil.copy(secret, video.parent)
    at = audio if place == "audio" else video
    for folder in (video.parent, audio.parent):
        folder.mkdir(exist_ok=True)
    at.write_bytes(body_of(name))
    if place != "archive":
        shutil.copy(secret, at.parent)
    else:
        archives.add(video.parent)
    assert Local(settings, watched, store, archives).take(CLIP) is None
    assert watched.told == [] and store.files.paths(ID)[0].exists() is False and not audio.exists()
    store.close()


# -- a film that says that its samples are in another --------------------------------------------------------


def referring(content: bytes, reference: bytes) -> bytes:
    """An MP4 whose tracks have this data reference; its moov is behind its samples, which stay where they are."""
    parts = []
    for kind, at, size in boxes(content):
        inner = content[at + 8 : at + size]
        if kind in ("moov", "trak", "mdia", "minf", "dinf"):
            inner = referring(inner, reference)
        elif kind == "dref":
            inner = struct.pack(">II", 0, 1) + reference
        parts.append(struct.pack(">I4s", 8 + len(inner), kind.encode()) + inner)
    return b"".join(parts)


def alias(name: str) -> bytes:
    """A data reference as QuickTime has it: a file in the same folder."""
    path = f":{name}".encode()
    path += bytes(len(path) % 2)
    record = bytes(10) + bytes(28) + bytes(12) + bytes(64) + bytes(16) + struct.pack(">HH", 1, 1) + bytes(16)
    record += struct.pack(">HH", 2, len(path)) + path + struct.pack(">hH", -1, 0)
    return struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record


def url(name: bytes, flags: int) -> bytes:
    return struct.pack(">I4sI", 12 + len(name), b"url ", flags) + name


SAMPLES = "another.mov"


@pytest.fixture
def film(media_folder: Path) -> bytes:
    return made(media_folder, "mov", *PICTURE, *SOUND, *PLAIN, *AAC).read_bytes()


def without_samples(content: bytes) -> bytes:
    (at, size) = next((at, size) for kind, at, size in boxes(content) if kind == "mdat")
    return content[: at + 8] + bytes(size - 8) + content[at + size :]


def test_the_reference_is_one(film: bytes, tmp_path: Path) -> None:
    """An ffmpeg that is told to does take the samples from there."""
    (tmp_path / SAMPLES).write_bytes(film)
    (tmp_path / "film.mov").write_bytes(referring(without_samples(film), alias(SAMPLES)))
    counts = []
    for more in (["-enable_drefs", "1"], []):
        words = [ffmpeg(), "-v", "error", *more, "-i", tmp_path / "film.mov", "-c", "copy", "-f", "framecrc", "-"]
        said = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        counts.append(said.stdout.count("\n0,"))
    assert counts[0] > 50 and counts[1] == 0


@pytest.mark.parametrize(
    ("reference", "elsewhere"),
    [
        (alias(SAMPLES), True),
        (url(SAMPLES.encode() + b"\0", 0), True),
        (url(b"file:///etc/passwd\0", 0), True),
        # This file, as most say it, and as some do.
        (url(b"", 1), False),
        (url(b"", 0), False),
        (url(b"\0", 0), False),
        (struct.pack(">I4sI", 12, b"alis", 1), False),
    ],
)
def test_samples_in_another_file(
    watched: Watched, film: bytes, tmp_path: Path, reference: bytes, elsewhere: bool
) -> None:
    (tmp_path / SAMPLES).write_bytes(film)
    path = tmp_path / "film.mov"
    path.write_bytes(referring(without_samples(film) if elsewhere else film, reference))
    if not elsewhere:
        assert {each.kind: len(each.times) for each in read_file(path)}["video"] == 75
        assert set(open_file(path, watched, tmp_path)) == {"video", "audio"} and _looked_at(watched, path) > 50
        return
    with pytest.raises(NoTable, match="^samples that lie in another file$"):
        read_file(path)
    with pytest.raises(Transient, match="samples that lie in another file") as caught:
        open_file(path, watched, tmp_path)
    assert caught.value.reason == "formats" and watched.told == []
    assert _looked_at(watched, path) == 0


def _looked_at(ffmpeg: Ffmpeg, path: Path) -> int:
    """How many frames and packets of sound are decoded of a file; 0 where it cannot be."""
    try:
        return sum(len(track.times) for track in ffmpeg.measure(path, Fraction(1)))
    except Transient:
        return 0

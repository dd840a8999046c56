"""A stand-in video site that is not YouTube: HTML pages with a player, for yt-dlp's generic extractor.

Knows: pages, DASH manifests in every shape that segments come in, plain files and HLS playlists; which segment was
asked for, and how much of it went out. Knows not: how answers travel (fake_proxy), how pictures are made
(fake_media). It is a site for a FakeYouTube, whose proxy then answers for this host too:

    site = FakeSite(folder, {"one": SiteVideo(), "two": SiteVideo("file")})
    with FakeYouTube(folder, sites=[site]) as youtube:
        YoutubeDL({"proxy": youtube.proxy, "nocheckcertificate": True}).extract_info(site.url("one"))
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from tests.standin import fake_media
from tests.standin.fake_media import Media
from tests.standin.fake_proxy import Answer, Fault, Faults, FileBody, Head, plain, ranged, refusal, spoil
from tests.standin.request_log import Answered, RequestLog

__all__ = ["HOST", "SHAPES", "FakeSite", "Fault", "Media", "Shape", "SiteRequest", "SiteVideo"]

Shape = Literal[
    "template", "number", "list", "ranges", "bare_ranges", "base", "file", "two", "hls", "bare_hls", "none"
]
SHAPES: dict[Shape, str] = {
    "template": "DASH, SegmentTemplate with $Number$ and a SegmentTimeline: a file a segment",
    "number": "DASH, SegmentTemplate with $Number$ and one duration for all segments",
    "list": "DASH, SegmentList of files of their own",
    "ranges": "DASH, SegmentList whose SegmentURLs name one file, and a mediaRange of it each",
    "bare_ranges": "the same as ffmpeg writes it: the file's name is in BaseURL alone",
    "base": "DASH, SegmentBase with an indexRange: one file with a sidx",
    "file": "one plain mp4, pictures and sound together",
    "two": "a page with two players, each with a plain mp4",
    "hls": "HLS: a playlist of one playlist, with codecs and size; pictures and sound together in TS",
    "bare_hls": "HLS: the playlist of segments alone",
    "none": "a page without any video",
}

Kind = Literal["page", "manifest", "init", "segment", "file", "caption", "other"]

HOST = "media.example.org"
MANIFEST = "manifest.mpd"
MASTER = "master.m3u8"
_ENTRIES: dict[Shape, tuple[str, ...]] = {
    "file": ("video.mp4",), "two": ("video.mp4", "second.mp4"),
    "hls": (MASTER,), "bare_hls": (fake_media.PLAYLIST,), "none": (),
}  # fmt: skip
"""What a page's players name, where it is not a DASH manifest."""
_TYPES = {
    ".mpd": "application/dash+xml", ".m3u8": "application/vnd.apple.mpegurl", ".mp4": "video/mp4",
    ".m4s": "video/iso.segment", ".ts": "video/mp2t", ".vtt": "text/vtt; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}  # fmt: skip
_KINDS: dict[str, Kind] = {
    ".mpd": "manifest", ".m3u8": "manifest", ".m4s": "segment", ".ts": "segment", ".mp4": "file", ".vtt": "caption"
}  # fmt: skip
_DASH = ["-init_seg_name", "init-$RepresentationID$.mp4", "-media_seg_name", "$RepresentationID$-$Number$.m4s"]
_ONE_FILE = ["-single_file", "1", "-single_file_name", "$RepresentationID$.mp4"]
_DASH_LAYOUT: dict[Shape, list[str]] = {
    "template": _DASH,
    "number": [*_DASH, "-use_timeline", "0"],
    "list": [*_DASH, "-use_template", "0"],
    "ranges": _ONE_FILE,
    "bare_ranges": _ONE_FILE,
    "base": [*_ONE_FILE, "-global_sidx", "1"],
}


@dataclass(frozen=True)
class SiteVideo:
    """One page of the site.

    `itags` are the streams that its manifest is packed from, as YouTube numbers them; a fault's `itag` is one of
    these, and its `beyond` counts through head and segments. `segment_seconds` must be a multiple of the media's
    `gop_seconds` to be kept to. `captions` are WebVTT by language, which the page's player names. `page_status`
    and `manifest_status` are what the page and the manifest are answered with.
    """

    shape: Shape = "template"
    media: Media = field(default_factory=lambda: Media(duration=14, gop_seconds=2))
    itags: tuple[int, ...] = (134, 140)
    segment_seconds: float = 4.0
    faults: tuple[Fault, ...] = ()
    title: str = "A page of clips"
    description: str = "What the page says."
    captions: Mapping[str, str] = field(default_factory=dict)
    page_status: int = 200
    manifest_status: int = 200

    def __post_init__(self) -> None:
        # A misspelt shape should fail in the test, not in a thread.
        _ = SHAPES[self.shape]

    @property
    def entries(self) -> tuple[str, ...]:
        """The files that its players name."""
        return _ENTRIES.get(self.shape, (MANIFEST,))

    def streams(self) -> list[int]:
        return [itag for itag in self.itags if self.media.has(itag)]

    def itag(self, name: str) -> int | None:
        """The stream that a file belongs to; None where that is not told by its name."""
        stream = _stream(name)
        return dict(enumerate(self.streams())).get(-1 if stream is None else stream)

    def prepare(self, folder: Path) -> None:
        """Makes all that its players will ask for."""
        for name in self.entries:
            self.find(folder, name)

    def find(self, folder: Path, name: str) -> Path | None:
        """The file that an address of its players means; None where there is no such file."""
        if self.shape in ("file", "two", "none"):
            return self._whole(folder, name)
        packed = self._packed(folder) / name
        return packed if packed.is_file() else None

    def manifest(self, folder: Path, name: str) -> str | None:
        """The text of a manifest or playlist."""
        if self.shape == "hls" and name == MASTER:
            return _master(self.media, self._packed(folder))
        path = self.find(folder, name)
        return _rewrite(self.shape, path.read_text(), path.parent) if path else None

    def parts(self, folder: Path, stream: int = 0) -> list[Path]:
        """The files of one stream in order, a head before its segments.

        `stream` counts through `streams()` in DASH, else through `entries`.
        """
        if self.shape in ("hls", "bare_hls"):
            return fake_media.segments(self._packed(folder))
        if self.shape not in _DASH_LAYOUT:
            return [path for path in [self._whole(folder, self.entries[stream])] if path]
        packed = self._packed(folder)
        segments = sorted(packed.glob(f"{stream}-*.m4s"), key=lambda path: _number(path.name) or 0)
        return [packed / f"init-{stream}.mp4", *segments] if segments else [packed / f"{stream}.mp4"]

    def _whole(self, folder: Path, name: str) -> Path | None:
        """A plain file; the second of a page looks and sounds different."""
        if name not in self.entries:
            return None
        media = replace(self.media, seed=self.media.seed + self.entries.index(name))
        return fake_media.make(media, fake_media.PROGRESSIVE, folder)

    def _packed(self, folder: Path) -> Path:
        """The folder of what ffmpeg packed: a manifest, and what it names."""
        if self.shape in ("hls", "bare_hls"):
            return fake_media.make_hls(self.media, 93, folder)
        inputs = [fake_media.make(self.media, itag, folder) for itag in self.streams()]
        maps = [word for number in range(len(inputs)) for word in ("-map", str(number))]
        layout = ["-seg_duration", str(self.segment_seconds), *_DASH_LAYOUT[self.shape], "-f", "dash"]
        arguments = [*fake_media._copy(inputs), *maps, *layout]

        def run(part: Path) -> None:
            part.mkdir()
            fake_media._run([*arguments, str(part / MANIFEST)])

        return fake_media._once(folder / f"{fake_media._fingerprint(arguments)}-dash", run)


@dataclass(frozen=True)
class SiteRequest(Answered):
    """One request and what became of it.

    `name` is the page's; `itag` the stream's that was asked for, where it is one of a manifest's; `segment` its
    number from 0, where it is a file of its own.
    """

    time: float
    host: str
    method: str
    path: str
    kind: Kind
    name: str
    itag: int | None = None
    segment: int | None = None
    user_agent: str = ""
    referer: str = ""


class FakeSite:
    """The stand-in: a page for each video, at `url(name)`; any other name is a 404.

    `refuse` is asked at every request for the status to answer with instead; None lets it pass. `videos` may be
    changed while it runs. `rate` is in bytes a second and connection, for media.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        videos: Mapping[str, SiteVideo],
        host: str = HOST,
        rate: float | None = None,
    ) -> None:
        """Makes the media at once: an encoder must not run while a client's timeout does."""
        self.folder = Path(folder)
        self.videos = dict(videos)
        self.host = host
        self.rate = rate
        self.refuse: Callable[[SiteRequest], int | None] = lambda request: None
        self._log = RequestLog[SiteRequest]()
        self._faults = Faults()
        for video in self.videos.values():
            video.prepare(self.folder)

    # What tests ask for

    def url(self, name: str) -> str:
        return f"https://{self.host}/watch/{name}"

    @property
    def log(self) -> list[SiteRequest]:
        return self._log()

    def requests(self, kind: Kind | None = None, name: str | None = None) -> list[SiteRequest]:
        return [r for r in self.log if kind in (None, r.kind) and name in (None, r.name)]

    def media_bytes(self, name: str | None = None) -> int:
        """How many bytes of pictures and sound went out, heads among them."""
        return sum(r.sent for r in self.requests(None, name) if r.kind in ("init", "segment", "file"))

    # Answers, as a Site

    def knows(self, host: str) -> bool:
        return host == self.host

    def answer(self, head: Head) -> Answer:
        request = self._request(head)
        refused = self.refuse(request)
        answer = refusal(refused) if refused else self._decide(head, request)
        self._log.add(request, answer)
        return answer

    def _request(self, head: Head) -> SiteRequest:
        words = urlsplit(head.path).path.strip("/").split("/")
        request = SiteRequest(
            head.time, head.host, head.method, head.path, "other", "",
            user_agent=head.headers.get("user-agent", ""), referer=head.headers.get("referer", ""),
        )  # fmt: skip
        if len(words) != 2:
            return request
        if words[0] == "watch":
            return replace(request, kind="page", name=words[1])
        kind, video = _KINDS.get(Path(words[1]).suffix, "other"), self.videos.get(words[0])
        return replace(
            request,
            kind="init" if words[1].startswith("init-") else kind,
            name=words[0],
            itag=video.itag(words[1]) if video else None,
            segment=_number(words[1]),
        )

    def _decide(self, head: Head, request: SiteRequest) -> Answer:
        video = self.videos.get(request.name)
        if video is None or request.kind == "other":
            return refusal(404)
        if request.kind == "page":
            return _answer(video.page_status, _page(request.name, video), _type(".html"))
        if request.kind == "caption":
            return self._caption(head, request, video)
        name = Path(urlsplit(head.path).path).name
        if request.kind == "manifest":
            text = video.manifest(self.folder, name)
            return refusal(404) if text is None else _answer(video.manifest_status, text.encode(), _type(name))
        path = video.find(self.folder, name)
        return refusal(404) if path is None else self._media(head, request, video, path)

    def _caption(self, head: Head, request: SiteRequest, video: SiteVideo) -> Answer:
        text = video.captions.get(Path(urlsplit(head.path).path).stem)
        return refusal(404) if text is None else plain(200, text.encode(), _type(".vtt"))

    def _media(self, head: Head, request: SiteRequest, video: SiteVideo, path: Path) -> Answer:
        answer = ranged(head, FileBody(path), _type(path.name))
        answer.rate = self.rate
        if head.method == "HEAD" or answer.status not in (200, 206):
            return answer
        before = _before(path)
        span = range(before + answer.span.start, before + answer.span.stop)
        fault = self._faults.pick(request.name, video.faults, request.itag, span)
        return spoil(answer, fault) if fault else answer


def _type(name: str) -> str:
    return _TYPES[name[name.rindex(".") :]]


def _answer(status: int, content: bytes, content_type: str) -> Answer:
    return plain(200, content, content_type) if status == 200 else refusal(status)


def _stream(name: str) -> int | None:
    """Which of a manifest's streams a file belongs to: init-0.mp4, 0-1.m4s, 0.mp4."""
    match = re.fullmatch(r"(?:init-)?(\d+)(?:-\d+)?\.(?:mp4|m4s)", name)
    return int(match[1]) if match else None


def _number(name: str) -> int | None:
    """The number from 0 of a segment; DASH's names count from 1."""
    match = re.fullmatch(r"\d+-(\d+)\.m4s|(\d+)\.ts", name)
    if match is None:
        return None
    return int(match[1]) - 1 if match[1] else int(match[2])


def _before(path: Path) -> int:
    """How many bytes of the same stream are in files before this one."""
    number, stream = _number(path.name), _stream(path.name)
    if number is None:
        return 0
    names = [f"{n}.ts" for n in range(number)]
    if stream is not None:
        names = [f"init-{stream}.mp4", *(f"{stream}-{n + 1}.m4s" for n in range(number))]
    return sum((path.parent / name).stat().st_size for name in names)


def _page(name: str, video: SiteVideo) -> bytes:
    """The page: a player for each file that it names."""
    title, description = html.escape(video.title), html.escape(video.description)
    players = "".join(_player(name, entry, video) for entry in video.entries)
    return (
        f"<!DOCTYPE html><html><head><title>{title}</title>"
        f'<meta property="og:description" content="{description}"></head>'
        f"<body><h1>{title}</h1>{players}<p>{description}</p></body></html>"
    ).encode()


def _player(name: str, entry: str, video: SiteVideo) -> str:
    tracks = "".join(
        f'<track kind="captions" srclang="{language}" src="/{name}/{language}.vtt">' for language in video.captions
    )
    return f'<video controls><source src="/{name}/{entry}" type="{_type(entry)}">{tracks}</video>'


# Manifests: ffmpeg's own, and what it does not write


def _rewrite(shape: Shape, manifest: str, folder: Path) -> str:
    """ffmpeg's manifest in a shape that it does not write."""
    if shape not in ("ranges", "base"):
        return manifest

    def described(match: re.Match[str]) -> str:
        name = match[1]
        if shape == "base":
            return f"<BaseURL>{name}</BaseURL>{_segment_base(folder / name)}"
        named = match[2].replace("<Initialization ", f'<Initialization sourceURL="{name}" ')
        return named.replace("<SegmentURL ", f'<SegmentURL media="{name}" ')

    return re.sub(r"(?s)<BaseURL>(.*?)</BaseURL>\s*(<SegmentList.*?</SegmentList>)", described, manifest)


def _segment_base(path: Path) -> str:
    index = fake_media.index(path)
    assert index is not None, f"{path} has no sidx"
    return (
        f'<SegmentBase indexRange="{index.start}-{index.stop - 1}" indexRangeExact="true">'
        f'<Initialization range="0-{index.start - 1}"/></SegmentBase>'
    )


def _master(media: Media, rendition: Path) -> str:
    size = sum(path.stat().st_size for path in fake_media.segments(rendition))
    width, height = media.size(93)
    codecs = "avc1.4d401e" + (",mp4a.40.2" if media.audio else "")
    told = f'BANDWIDTH={round(size * 8 / media.duration)},CODECS="{codecs}",RESOLUTION={width}x{height}'
    return f"#EXTM3U\n#EXT-X-STREAM-INF:{told}\n{fake_media.PLAYLIST}\n"

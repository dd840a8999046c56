"""An HLS playlist (RFC 8216), or the fragments of a DASH manifest: the pieces of a stream.

Knows text and times. What is protected by more than a plain key, live, or does not add up is NoIndex.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from urllib.parse import urljoin

from .fragments import NoIndex

# A playlist of ten hours in pieces of a second; more is no honest one.
MAX_PARTS = 50_000


@dataclass(frozen=True)
class Key:
    """How a piece is encrypted (AES-128, CBC): where its key lies, and the vector it begins with."""

    url: str
    vector: bytes


@dataclass(frozen=True)
class Part:
    """One piece: a URL, and where it is only bytes ``first``..``last`` of it, these; ``key``: what it needs."""

    url: str
    first: int | None = None
    last: int | None = None
    key: Key | None = None


@dataclass(frozen=True)
class Playlist:
    """The pieces of a stream in order, and when each begins, and last the end; ``head`` goes before them.

    ``breaks``: the numbers of the pieces before which the clock may jump.
    """

    head: Part | None
    parts: tuple[Part, ...]
    times: tuple[Fraction, ...]
    breaks: tuple[int, ...] = ()

    @property
    def duration(self) -> Fraction:
        """Seconds in all, by the playlist."""
        return self.times[-1]


class Unfinished(NoIndex):
    """A playlist to which more pieces will come: what is live."""


def read_playlist(text: str, url: str) -> Playlist:
    """Read a media playlist that came from ``url``; NoIndex for no plain one, Unfinished where it goes on."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or not lines[0].startswith("#EXTM3U"):
        raise NoIndex("not an HLS playlist")
    if "#EXT-X-ENDLIST" not in lines:
        raise Unfinished("an HLS playlist without an end")
    head: Part | None = None
    parts: list[Part] = []
    times = [Fraction(0)]
    lasts: Fraction | None = None
    span: str | None = None
    key: _Keyed | None = None
    breaks: list[int] = []
    sequence = 0
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name == "#EXTINF":
            lasts = _seconds(value.partition(",")[0])
        elif name == "#EXT-X-BYTERANGE":
            span = value
        elif name == "#EXT-X-MAP":
            span_of_head = _attribute(value, "BYTERANGE")
            if span_of_head is not None and "@" not in span_of_head:
                span_of_head += "@0"
            another = _part(_attribute(value, "URI"), span_of_head, url, None)
            if key is not None:
                another = replace(another, key=key.of(sequence + len(parts)))
            if another != head and (head is not None or parts):
                raise NoIndex("an HLS playlist of several heads")
            head = another
        elif name == "#EXT-X-KEY":
            key = _key(value, url)
        elif name == "#EXT-X-MEDIA-SEQUENCE":
            sequence = int(value) if re.fullmatch(r"[0-9]{1,18}", value.strip()) else 0
        elif name == "#EXT-X-DISCONTINUITY" and parts:
            breaks.append(len(parts))
        elif not line.startswith("#"):
            if lasts is None or len(parts) >= MAX_PARTS:
                raise NoIndex("an HLS playlist that does not add up")
            part = _part(line, span, url, parts[-1] if parts else None)
            parts.append(replace(part, key=key.of(sequence + len(parts))) if key else part)
            times.append(times[-1] + lasts)
            lasts = span = None
    if not parts or times[-1] <= 0:
        raise NoIndex("an empty HLS playlist")
    return Playlist(head, tuple(parts), tuple(times), tuple(breaks))


def of_fragments(fragments: Sequence[tuple[str, float | None]]) -> Playlist:
    """The pieces of a DASH stream, from the URL and the seconds of each; the head, which comes first, has none."""
    if not fragments or len(fragments) > MAX_PARTS:
        raise NoIndex("a DASH stream that does not add up")
    head = Part(fragments[0][0]) if fragments[0][1] is None else None
    parts = fragments[1:] if head else fragments
    times = [Fraction(0)]
    for _, lasts in parts:
        if not lasts or not 0 < lasts < 100_000:
            raise NoIndex("a DASH fragment without a length")
        times.append(times[-1] + Fraction(lasts).limit_denominator(1_000_000))
    urls = {url for url, _ in fragments}
    if not parts or len(urls) < len(fragments):
        raise NoIndex("DASH fragments that are parts of one file, or none")
    if not all(re.match(r"https?://", url) for url in urls):
        raise NoIndex("a DASH fragment that is not at an http(s) address")
    return Playlist(head, tuple(Part(url) for url, _ in parts), tuple(times))


def _seconds(text: str) -> Fraction:
    if not re.fullmatch(r"[0-9]{1,5}(?:\.[0-9]{0,30})?", text.strip(), re.ASCII):
        raise NoIndex(f"an HLS piece of {text[:20]!r} seconds")
    return Fraction(text.strip().rstrip("."))


@dataclass(frozen=True)
class _Keyed:
    """An EXT-X-KEY: holds for every piece behind it."""

    url: str
    vector: bytes | None

    def of(self, number: int) -> Key:
        """The key of piece ``number`` of the whole programme, which is its vector where none is named."""
        return Key(self.url, self.vector or number.to_bytes(16, "big"))


def _key(value: str, base: str) -> _Keyed | None:
    """What an EXT-X-KEY says, None where what follows is open; NoIndex for more than a plain key."""
    method = re.search(r"(?:^|,)METHOD=([^,]*)", re.sub(r'"[^"]*"', '""', value))
    if method is not None and method[1] == "NONE":
        return None
    form = _attribute(value, "KEYFORMAT")
    if method is None or method[1] != "AES-128" or form not in (None, "identity"):
        raise NoIndex("an HLS playlist that is protected")
    vector = re.search(r"(?:^|,)IV=0[xX]([0-9A-Fa-f]{1,32})(?:,|$)", value)
    url = _part(_attribute(value, "URI"), None, base, None).url
    return _Keyed(url, int(vector[1], 16).to_bytes(16, "big") if vector else None)


def _attribute(text: str, name: str) -> str | None:
    found = re.search(rf'(?:^|,){name}="([^"]*)"', text)
    return found[1] if found else None


def _part(reference: str | None, span: str | None, base: str, before: Part | None) -> Part:
    if not reference:
        raise NoIndex("an HLS piece without an address")
    try:
        url = urljoin(base, reference)
    except ValueError as error:
        raise NoIndex(f"an HLS piece at an address that cannot be read: {error}") from error
    if not re.match(r"https?://", url):
        raise NoIndex("an HLS piece that is not at an http(s) address")
    if span is None:
        return Part(url)
    match = re.fullmatch(r"(\d{1,15})(?:@(\d{1,15}))?", span)
    if not match or int(match[1]) == 0:
        raise NoIndex(f"an HLS piece of the bytes {span[:30]!r}")
    if match[2] is not None:
        first = int(match[2])
    elif before is not None and before.url == url and before.last is not None:
        first = before.last + 1
    else:
        raise NoIndex("an HLS piece that follows none")
    return Part(url, first, first + int(match[1]) - 1)

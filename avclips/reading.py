"""One video being read: its streams' heads, the bytes of its clips, and the local files that hold them.

Each stream is read in the least way that its file allows: the covering fragments by a sidx or by Cues, the
covering stretch of a plain MP4, the covering pieces of an HLS playlist, and else the whole file. What two clips
share is read once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from . import hls, progressive, spans, webm
from .clip import Clip, Cut, Settings
from .errors import Gone, Transient
from .files import exactly
from .finish import Promises
from .measure import Promise
from .media import Ffmpeg, Job, Source
from .streams import Stream, Streams
from .youtube import NoRanges, YouTube

log = logging.getLogger("avclips.reading")

# AAC needs the packet before the first (at most 2048 samples) for the right samples; Opus, 80 ms and more.
SOUND_BEFORE = {"aac": Fraction(1, 10), "opus": Fraction(1)}
# A resampler needs a little of what follows.
SOUND_AFTER = Fraction(1, 20)
# A playlist's lengths may be a little off; no more than this many pieces.
STEPS_BACK = 4
# An HLS playlist is text, and not so long.
MAX_PLAYLIST = 8 * 1024 * 1024

Layout = spans.Index | progressive.Table | hls.Playlist | Path


class Reading:
    """Reads the clips of one video into ``folder``."""

    def __init__(
        self, youtube: YouTube, ffmpeg: Ffmpeg, settings: Settings, streams: Streams, folder: Path
    ) -> None:
        self._youtube = youtube
        self._ffmpeg = ffmpeg
        self._settings = settings
        self.streams = streams
        self.folder = folder
        # By URL and format: those of a DASH manifest have the same URL.
        self._layouts: dict[tuple[str, str], Layout] = {}
        # (URL, first byte, last byte, the file that holds them) of all that was read between heads.
        self._bodies: list[tuple[str, int, int, Path]] = []
        # The HLS pieces first..last of a playlist -> their file and the times that it begins with.
        self._pieces: dict[tuple[tuple[str, str], int, int], tuple[Path, dict[str, Fraction]]] = {}
        # The HLS pieces that are files of their own.
        self._parts: dict[str, Path] = {}
        self._files = 0

    def job(self, clip: Clip) -> Job:
        """Read what the clip needs; the cut that makes it. ClipError where it cannot be had."""
        start, end = exactly(clip.start), None if clip.end is None else exactly(clip.end)
        duration = self.streams.duration
        # YouTube gives whole seconds; the index or the file itself tells the rest.
        if duration is not None and start >= duration + 1:
            raise Gone("over", f"the video has {duration:g} s, the clip starts at {clip.start:g} s")
        picture = sound = None
        if (seen := self.streams.picture) is not None:
            picture = self._source(seen, "video", start, start, end)
        if (stream := self.streams.sound) is not None:
            until = end + SOUND_AFTER if end is not None and self._settings.audio_rate else end
            before = SOUND_BEFORE["opus" if stream.codec == "opus" else "aac"]
            sound = self._source(stream, "audio", start, max(Fraction(0), start - before), until)
        scale = None
        if sound and self.streams.sound and not self.streams.sound.named:
            sound = self._if_heard(sound)
        if picture and seen and not seen.named:
            scale = self._too_large(picture)
        length = None if end is None else end - start
        flip = bool(clip.meta.get("flip"))
        # A mirrored picture is another one: it cannot be copied.
        cut: Cut = "exact" if flip else self._settings.cut
        rate, channels = self._settings.audio_rate, self._settings.audio_channels
        packet = _packet(self.streams.sound)
        return Job(picture, sound, length, cut, rate, channels, flip=flip, scale=scale, packet=packet)

    def _if_heard(self, source: Source) -> Source | None:
        """The source of sound of a site that does not say whether there is any; Gone where there has to be."""
        if any(track.kind == "audio" and track.times for track in self._ffmpeg.list_packets(source.path)):
            return source
        if self._settings.media == "audio" or not self._settings.allow_silent:
            raise Gone("no_audio")
        return None

    def _too_large(self, source: Source) -> int | None:
        """The side to which a picture of a size that was not told has to be scaled down; None where it has not."""
        tracks = self._ffmpeg.list_packets(source.path)
        picture = next((track for track in tracks if track.kind == "video"), None)
        if picture is None or min(picture.width, picture.height) <= self._settings.quality:
            return None
        if self._settings.cut == "copy":
            raise Transient("formats", f"its picture is {picture.width}x{picture.height} (see --quality)")
        return self._settings.quality

    def promises(self, clip: Clip, job: Job) -> Promises:
        """What is known beforehand of picture and sound of the clip that ``job`` cuts; None where nothing is."""
        picture, sound = self.streams.picture, self.streams.sound
        return (
            self._promise(clip, "video", self._layouts[_key(picture)]) if job.video and picture else None,
            self._promise(clip, "audio", self._layouts[_key(sound)]) if job.audio and sound else None,
        )

    def _promise(self, clip: Clip, kind: str, layout: Layout) -> Promise | None:
        if isinstance(layout, Path):
            return None
        start, end = exactly(clip.start), None if clip.end is None else exactly(clip.end)
        known = layout.duration
        if isinstance(layout, hls.Playlist):
            known = max(start, layout.sure)
        elif isinstance(layout, progressive.Table):
            known = layout.lasts(kind)
        until = known if end is None else min(end, known)
        windows = spans.windows(layout, start, end) if isinstance(layout, spans.Index) else []
        return Promise(float(until - start), [(float(a), float(b)) for a, b in windows])

    def text(self, stream: Stream) -> bytes:
        """A small file beside the streams, such as subtitles; read once for all clips."""
        return self._part(stream, hls.Part(stream.url))

    # -- local files -------------------------------------------------------------------------------------

    def _source(
        self, stream: Stream, kind: str, start: Fraction, since: Fraction, until: Fraction | None
    ) -> Source:
        """A local file with seconds ``since``..``until`` of the ``kind`` ("video", "audio") in ``stream``."""
        layout = self._layouts.get(_key(stream))
        if layout is None:
            layout = self._layouts[_key(stream)] = self._layout(stream)
        if isinstance(layout, Path):
            return Source(layout, start)
        if start >= layout.duration:
            seconds = f"{float(layout.duration):.3f} s, the clip starts at {float(start):g} s"
            raise Gone("over", f"the video has {seconds}")
        if isinstance(layout, hls.Playlist):
            return self._from_pieces(stream, kind, layout, start, since, until)
        if isinstance(layout, progressive.Table):
            return self._from_stretch(stream, layout, start, since, until)
        span = spans.plan(layout, since, until)
        assert span is not None
        return self._from_fragments(stream, layout, span, start)

    def _from_fragments(self, stream: Stream, index: spans.Index, span: spans.Span, start: Fraction) -> Source:
        body = self._body(stream, span.first, span.last)
        if index.container == "webm":
            damage = webm.check_clusters(index, span.first, body)
        else:
            damage = spans.check_boxes(index, span, body)
        if damage:
            raise Transient("check", f"a damaged fragment: {damage}")
        file = self._file(f"partial.{index.container}")
        with open(file, "wb") as target:
            target.write(index.init)
            target.write(body)
        return Source(file, start - span.starts_at)

    def _from_stretch(
        self, stream: Stream, table: progressive.Table, start: Fraction, since: Fraction, until: Fraction | None
    ) -> Source:
        stretch = progressive.plan(table, since, until)
        if stretch is None:
            whole = self._layouts[_key(stream)] = self._whole(stream)
            return Source(whole, start)
        body = self._body(stream, stretch.first, stretch.last)
        file = self._file("stretch.mp4")
        with open(file, "wb") as target:
            target.write(table.head)
            # A hole takes no room.
            target.truncate(table.size)
            target.seek(stretch.first)
            target.write(body)
        return Source(file, start, stretch.lead, stretch.until)

    def _from_pieces(
        self,
        stream: Stream,
        kind: str,
        playlist: hls.Playlist,
        start: Fraction,
        since: Fraction,
        until: Fraction | None,
    ) -> Source:
        nearest, last = hls.covering(playlist, since, until)
        for first in range(nearest, max(-1, nearest - STEPS_BACK), -1):
            file, begins = self._joined(stream, playlist, first, last, kind)
            if begins <= since or first == 0:
                return Source(file, start - begins)
        raise Transient("check", "an HLS playlist whose lengths are not true")

    def _joined(
        self, stream: Stream, playlist: hls.Playlist, first: int, last: int, kind: str
    ) -> tuple[Path, Fraction]:
        """The pieces ``first``..``last`` in one file, and the second of the video at which libav begins it."""
        key = (_key(stream), first, last)
        if key not in self._pieces:
            self._pieces[key] = self._together(stream, playlist, playlist.parts[first : last + 1])
        file, times = self._pieces[key]
        if (_key(stream), 0, 0) not in self._pieces and first > 0:
            self._pieces[_key(stream), 0, 0] = self._together(stream, playlist, playlist.parts[:1])
        begin = times if first == 0 else self._pieces[_key(stream), 0, 0][1]
        # One clock for all that is in one file: it tells when the sound begins beside the picture.
        zero = begin.get("video", begin.get(kind))
        # Whether there is any sound, where the site does not say, is seen later.
        if zero is None or (kind not in times and (kind == "video" or stream.named)):
            raise Transient("check", f"no {kind} in the pieces of an HLS playlist")
        return file, min(times.values()) - zero

    def _together(
        self, stream: Stream, playlist: hls.Playlist, parts: Sequence[hls.Part]
    ) -> tuple[Path, dict[str, Fraction]]:
        """Some pieces in one file, which have the times of the whole."""
        file = self._file("pieces.mp4")
        joined = file if playlist.head else self._file("pieces.ts")
        with open(joined, "wb") as target:
            for part in (playlist.head, *parts):
                if part is not None:
                    target.write(self._part(stream, part))
        times = self._ffmpeg.first_times(joined)
        if joined is not file:
            self._ffmpeg.remux(joined, file)
        return file, times

    # -- bytes -------------------------------------------------------------------------------------------

    def _layout(self, stream: Stream) -> Layout:
        """How a stream can be read in parts; the whole stream where it cannot."""
        try:
            if stream.protocol.startswith("m3u8"):
                text = self._fetched(replace(stream, protocol="https", size=None), MAX_PLAYLIST)
                return hls.read_playlist(text.decode("utf-8", "replace"), stream.url)
            if stream.pieces is not None:
                return hls.of_fragments(stream.pieces)
            return self._indexed(stream)
        except NoRanges:
            # YouTube's servers know ranges; of others, many do not.
            if not self.streams.elsewhere:
                raise
            return self._whole(stream)
        except spans.NoIndex as error:
            if stream.pieces is not None and len({url for url, _ in stream.pieces}) == 1:
                stream = replace(stream, url=stream.pieces[0][0], protocol="https", pieces=None)
            if stream.protocol not in ("https", "http"):
                raise Transient("formats", str(error)) from error
            log.debug("format %s has no index (%s): reading it whole", stream.format_id, error)
            return self._whole(stream)

    def _indexed(self, stream: Stream) -> spans.Index | progressive.Table:
        """The index in a file's head, which is read until it is whole; NoIndex where there is none."""
        if stream.size is None:
            stream = replace(stream, size=self._youtube.size_of(stream))
            if stream.size is None and self.streams.elsewhere:
                raise spans.NoIndex("a server that knows no ranges")
        data, asked = b"", spans.guess_head(self.streams.duration)
        while True:
            part = self._file("head")
            self._youtube.read(stream, len(data), asked - 1, part, short=True)
            data += part.read_bytes()
            found = _understood(data, stream.size)
            if not isinstance(found, spans.NeedMore):
                return found
            if len(data) < asked:
                raise spans.NoIndex("the stream ends in its head")
            asked = found.size

    def _body(self, stream: Stream, first: int, last: int) -> bytes:
        """Bytes ``first``..``last``; what another clip of the video had of them is not read again."""
        body, at = b"", first
        known = [(begin, end, path) for url, begin, end, path in self._bodies if url == stream.url]
        for begin, end, path in sorted(known):
            if end < at or begin > last:
                continue
            if begin > at:
                body += self._fresh(stream, at, begin - 1)
                at = begin
            body += path.read_bytes()[at - begin : last - begin + 1]
            at = min(end, last) + 1
        return body + self._fresh(stream, at, last)

    def _fresh(self, stream: Stream, first: int, last: int) -> bytes:
        if first > last:
            return b""
        path = self._file("body")
        self._youtube.read(stream, first, last, path)
        self._bodies.append((stream.url, first, last, path))
        return path.read_bytes()

    def _part(self, stream: Stream, part: hls.Part) -> bytes:
        at = replace(stream, url=part.url, protocol="https", size=None)
        if part.first is not None and part.last is not None:
            return self._body(at, part.first, part.last)
        if part.url not in self._parts:
            path = self._file("part")
            self._youtube.read_whole(at, path, self._settings.max_whole_file)
            self._parts[part.url] = path
        return self._parts[part.url].read_bytes()

    def _fetched(self, stream: Stream, at_most: int) -> bytes:
        path = self._file("part")
        self._youtube.read_whole(stream, path, at_most)
        return path.read_bytes()

    def _whole(self, stream: Stream) -> Path:
        path = self._file(f"whole.{stream.ext}")
        self._youtube.read_whole(stream, path, self._settings.max_whole_file)
        return path

    def _file(self, name: str) -> Path:
        """A new path in the scratch folder."""
        self._files += 1
        return self.folder / f"{self._files}.{name}"


def _key(stream: Stream) -> tuple[str, str]:
    return stream.url, stream.format_id


def _packet(stream: Stream | None) -> Fraction:
    """The seconds of a packet of AAC in a stream; 0 where that is not known."""
    if stream is None or not stream.sample_rate or "opus" in stream.codec:
        return Fraction(0)
    return Fraction(1024, stream.sample_rate)


def _understood(head: bytes, size: int | None) -> spans.Index | progressive.Table | spans.NeedMore:
    """What the first bytes of a file say of the rest; NoIndex where they say nothing."""
    if head.startswith(webm.MAGIC):
        return webm.read_index(head, size)
    try:
        return spans.read_index(head)
    except spans.NoIndex as why:
        try:
            return progressive.read_table(head, size)
        except spans.NoIndex:
            raise why from None

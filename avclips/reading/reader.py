"""One video being read: where its second 0 is, and the packets of its clips.

Each stream is read in the least way that its file allows: the covering fragments by a sidx or by Cues, the
covering samples of a plain MP4, the covering pieces of a playlist, and else the whole file.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from ..containers import fragments, hls, progressive, webm
from ..containers.mp4 import NoTable
from ..containers.timeline import origins
from ..containers.webvtt import joined_vtt
from ..core.errors import Gone, Transient
from ..core.files import exactly
from ..core.model import Clip
from ..core.settings import Cut, Settings
from ..media.cut import Job
from ..media.cut_plan import BEFORE, RESAMPLER, USUALLY_BEFORE, Material
from ..media.demux import open_file
from ..media.ffmpeg import Ffmpeg
from ..media.filters import shape_of
from ..sources.streams import Stream, Streams
from ..sources.youtube import NoRanges, YouTube
from .byte_reader import ByteReader
from .indexed import Clusters, Fragments
from .playlist import Pieces
from .sample_table import Tabled
from .stream import LOOSE, Layout, WholeFile

log = logging.getLogger("avclips.reading.reader")

# An HLS playlist is text, and not so long.
MAX_PLAYLIST = 8 * 1024 * 1024
# Seconds after 0 at which a sound alone may begin whose picture is not asked for.
_AT_ONCE = Fraction(1, 100)
# So often is just what is missing of a head asked for; YouTube's take one request or two.
_EXACT_ASKS = 8


class Reading:
    """Reads the clips of one video into ``folder``."""

    def __init__(
        self, youtube: YouTube, ffmpeg: Ffmpeg, settings: Settings, streams: Streams, folder: Path
    ) -> None:
        self._ffmpeg = ffmpeg
        self._settings = settings
        self._reader = ByteReader(youtube, settings, folder)
        self.streams = streams
        self.folder = folder
        # By URL and format: those of a DASH manifest have the same URL.
        self._layouts: dict[tuple[str, str], Layout] = {}
        self._origins: dict[str, Fraction] = {}

    def job(self, clip: Clip) -> Job:
        """Read what the clip needs; the cut that makes it. ClipError where it cannot be had."""
        start, end = exactly(clip.start), None if clip.end is None else exactly(clip.end)
        settings, picture, sound = self._settings, self.streams.picture, self.streams.sound
        lasts = clip.end if clip.end is not None else self.streams.duration or clip.start
        self._reader.begin(max(0.0, lasts - clip.start))
        # Where a sound is named and not there, the file may be damaged; but a silent one may be asked for.
        if sound is not None and (settings.allow_silent or not sound.named):
            sound = sound if "audio" in self._layout(sound).media_types() else self._unheard()
        video = self._material(picture, "video", start, start, end) if picture else None
        audio = None
        if sound is not None:
            audio = self._sound(sound, start, end, video is not None)
        scale = self._too_large(video) if video and picture and not picture.named else None
        flip = bool(clip.meta.get("flip"))
        # A mirrored picture is another one: it cannot be copied.
        cut: Cut = "exact" if flip else settings.cut
        return Job(
            *(video, audio, start, end, cut, settings.audio_rate, settings.audio_channels),
            flip=flip,
            scale=scale,
            shape=shape_of(settings.fps, settings.size, settings.fit),
            silent=settings.allow_silent,
        )

    def subtitles(self, stream: Stream, clip: Clip) -> str:
        """Subtitles as WebVTT, in one, or of HLS the pieces around the clip. ValueError for others."""
        text = self._text(stream, hls.Part(stream.url))
        if not text.startswith("#EXTM3U"):
            return text
        try:
            playlist = hls.read_playlist(text, stream.url)
        except fragments.NoIndex as error:
            raise ValueError(str(error)) from error
        near = [
            part
            for part, begins, ends in zip(playlist.parts, playlist.times, playlist.times[1:], strict=False)
            if ends >= clip.start - LOOSE and (clip.end is None or begins <= clip.end + LOOSE)
        ]
        pieces = [self._text(stream, part) for part in near]
        return joined_vtt(pieces, float(self._origin("video" if self.streams.picture else "audio")))

    def _text(self, stream: Stream, part: hls.Part) -> str:
        path = self._reader.part(stream, part)
        if path.stat().st_size > MAX_PLAYLIST:
            raise ValueError(f"subtitles of {path.stat().st_size} bytes")
        return path.read_text(encoding="utf-8", errors="replace")

    def _unheard(self) -> Stream | None:
        """What a site that does not name its sound has of it where there is none; Gone where there has to be."""
        if self._settings.media == "audio" or not self._settings.allow_silent:
            raise Gone("no_audio")
        return None

    def _too_large(self, material: Material) -> int | None:
        """The side to which a picture of a size that was not told has to be scaled down; None where it has not."""
        samples, settings = material.samples, self._settings
        if min(samples.width, samples.height) <= settings.quality:
            return None
        if settings.cut == "copy":
            raise Transient("formats", f"its picture is {samples.width}x{samples.height} (see --quality)")
        return settings.quality

    # -- where things are ------------------------------------------------------------------------------------

    def _sound(self, stream: Stream, start: Fraction, end: Fraction | None, seen: bool) -> Material | None:
        before = BEFORE.get(stream.sound or "", USUALLY_BEFORE)
        if self.streams.elsewhere:
            # Of HE-AAC, many sites name the half that all decoders know.
            before = max(before, USUALLY_BEFORE)
        until = end
        if self._settings.audio_rate:
            before += RESAMPLER
            until = end + RESAMPLER if end is not None else None
        try:
            return self._material(stream, "audio", start, start - before, until)
        except Gone:
            if seen and self._settings.allow_silent:
                return None
            raise

    def _material(
        self, stream: Stream, kind: str, start: Fraction, since: Fraction, until: Fraction | None
    ) -> Material:
        """The packets with seconds ``since``..``until`` of the ``kind`` ("video", "audio") in ``stream``."""
        layout = self._layout(stream)
        if kind not in layout.media_types():
            raise Transient("check", f"no {kind} in format {stream.format_id}")
        origin = self._origin(kind)
        ends = layout.ends(kind)
        if ends is not None and start + origin >= ends:
            lasts = f"{float(ends - origin):.3f} s, the clip starts at {float(start):g} s"
            if kind == "audio" and self.streams.picture is not None:
                raise Gone("no_audio", f"the sound has {lasts}")
            raise Gone("over", f"the video has {lasts}")
        path, samples = layout.packets(kind, since + origin, None if until is None else until + origin)
        begins, first = layout.begin(kind).shown, layout.first_packet(kind)
        return Material(path, samples, origin, stream.sample_rate, begins, first)

    def _origin(self, kind: str) -> Fraction:
        """The second on the clock of a track's own file at which the video is at second 0."""
        if not self._origins:
            self._origins = self._find_origins()
        return self._origins[kind]

    def _find_origins(self) -> dict[str, Fraction]:
        picture, sound = self.streams.picture, self.streams.sound
        if picture is None and sound is not None:
            return self._origin_of_sound(sound)
        if picture is None or sound is None or _key(picture) == _key(sound):
            # One file: all of its tracks count, wanted or not.
            layout = self._layout(picture or sound)  # type: ignore[arg-type]
            return origins({kind: layout.begin(kind) for kind in layout.media_types()}, layout.together)
        return self._origins_of(picture, sound)

    def _origins_of(self, picture: Stream, sound: Stream) -> dict[str, Fraction]:
        tracks = [("video", picture), ("audio", sound)]
        tracks = [(kind, stream) for kind, stream in tracks if kind in self._layout(stream).media_types()]
        return origins({kind: self._layout(stream).begin(kind) for kind, stream in tracks}, together=False)

    def _origin_of_sound(self, sound: Stream) -> dict[str, Fraction]:
        """Where the video begins whose sound alone is wanted."""
        layout, unseen = self._layout(sound), self.streams.unseen
        found = {kind: layout.begin(kind) for kind in layout.media_types()}
        if unseen is None or list(found) != ["audio"]:
            return origins(found, layout.together)
        alone = found["audio"].alone
        if layout.from_zero and 0 <= alone < _AT_ONCE:
            # The clock that it shares with its picture begins at 0, and so does one of them.
            return {"audio": found["audio"].shown - alone}
        return self._origins_of(unseen, sound)

    # -- layouts ---------------------------------------------------------------------------------------------

    def _layout(self, stream: Stream) -> Layout:
        if _key(stream) not in self._layouts:
            self._layouts[_key(stream)] = self._found_layout(stream)
        return self._layouts[_key(stream)]

    def _found_layout(self, stream: Stream) -> Layout:
        """How a stream can be read in parts; the whole stream where it cannot."""
        try:
            if stream.protocol.startswith("m3u8"):
                text = self._reader.fetched(replace(stream, protocol="https", size=None), MAX_PLAYLIST)
                playlist = hls.read_playlist(text.decode("utf-8", "replace"), stream.url)
                return Pieces(self._reader, stream, playlist, self._ffmpeg, self._media_types_of(stream))
            if stream.pieces is not None:
                pieces = hls.of_fragments(stream.pieces)
                return Pieces(self._reader, stream, pieces, self._ffmpeg, self._media_types_of(stream))
            return self._indexed(stream)
        except NoRanges:
            # YouTube's servers know ranges; of others, many do not.
            if not self.streams.elsewhere:
                raise
            return self._whole(stream)
        except hls.Unfinished as error:
            raise Transient("upcoming", str(error)) from error
        except fragments.NoIndex as error:
            if stream.pieces is not None and len({url for url, _ in stream.pieces}) == 1:
                stream = replace(stream, url=stream.pieces[0][0], protocol="https", pieces=None)
            if stream.protocol not in ("https", "http"):
                raise Transient("formats", str(error)) from error
            log.debug("format %s has no index (%s): reading it whole", stream.format_id, error)
            return self._whole(stream)

    def _media_types_of(self, stream: Stream) -> list[str]:
        """The kinds of tracks that are wanted of a stream."""
        streams = self.streams
        wanted = (("video", streams.picture or streams.unseen), ("audio", streams.sound))
        return [kind for kind, each in wanted if each is not None and _key(each) == _key(stream)]

    def _whole(self, stream: Stream) -> WholeFile:
        return WholeFile(open_file(self._reader.whole(stream), self._ffmpeg, self.folder))

    def _indexed(self, stream: Stream) -> Layout:
        """The index in a file's head, which is read until it is whole; NoIndex where there is none."""
        if stream.size is None:
            stream = replace(stream, size=self._reader.size_of(stream))
            if stream.size is None and self.streams.elsewhere:
                raise fragments.NoIndex("a server that knows no ranges")
        data, asked = b"", fragments.guess_head(self.streams.duration)
        asks = 0
        while True:
            asks += 1
            data += self._reader.head(stream, len(data), asked)
            found = _understood(data, stream.size)
            if not isinstance(found, fragments.NeedMore):
                break
            if len(data) < asked:
                raise fragments.NoIndex("the stream ends in its head")
            asked = found.size
            if asks >= _EXACT_ASKS:
                # In steps as small as a hostile file likes, it would take thousands of requests.
                asked = max(asked, min(2 * len(data), stream.size or 2 * len(data)))
        if isinstance(found, progressive.Table):
            return Tabled(self._reader, stream, found)
        if found.container == "webm":
            return Clusters(self._reader, stream, found, self._ffmpeg)
        try:
            return Fragments(self._reader, stream, found, data)
        except NoTable as error:
            raise fragments.NoIndex(str(error)) from error


def _key(stream: Stream) -> tuple[str, str]:
    return stream.url, stream.format_id


def _understood(head: bytes, size: int | None) -> fragments.Index | progressive.Table | fragments.NeedMore:
    """What the first bytes of a file say of the rest; NoIndex where they say nothing."""
    if head.startswith(webm.MAGIC):
        return webm.read_index(head, size)
    try:
        return fragments.read_index(head, size)
    except fragments.NoIndex as why:
        try:
            return progressive.read_table(head, size)
        except fragments.NoIndex:
            raise why from None

"""The sources of the truth matrix: encoded pictures and sound, in every container in which sites serve them.

Knows how each layout is made and served; those in pieces are in pieces. Knows nothing of clips. A source is
a folder of files: YouTube has them by itag, another site by the name of its entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from tests.matrix import boxes, media
from tests.matrix.media import once, run_ffmpeg

APART = ("sidx", "sidx-each", "sidx-tree", "fragments", "dash-sidx")
MUXED = ("muxed-sidx", "muxed-each")
PLAIN = ("plain", "plain-long", "moov-end")
ROUNDING = {"flv": "flv", "mkv": "matroska", "ts": "mpegts"}
"""Containers that a plain MP4 was made from, and whose clocks are coarser than its own."""
WHOLE = {"ts": "mpegts", "mkv": "matroska", "flv": "flv", "avi": "avi", "mpg": "vob"}
ENDS_AFTER = Fraction(6, 10)
"""The part of the source after which the stream that ends first is over."""
CUT_AT = 5.5
LONG_MOOV = 4_400_000

CODECS = {
    "h264": "avc1.4d400a",
    "h264-10": "avc1.6e000a",
    "vp9": "vp09.00.10.08",
    "av1": "av01.0.00M.08",
    "aac": "mp4a.40.2",
    "aac-48": "mp4a.40.2",
    "he-aac": "mp4a.40.5",
    "opus": "opus",
    "ac3": "ac-3",
    "flac": "fLaC",
    "mp3": "mp4a.6b",
}
OWN_CLOCKS = {"29.97": 30000, "23.976": 24000, "vfr": 15360}
# Pictures a second, where these are a clock.
FRAME_CLOCKS = {"25": 25, "8": 8, "vfr": 30, "frozen": 25}
_MAKERS = ("boxes", "layouts", "media", "pieces")
RECIPE = hashlib.sha256(
    b"".join(Path(__file__).with_name(f"{name}.py").read_bytes() for name in _MAKERS)
).hexdigest()
"""What sources are made by: those of an older program are not taken for today's."""


@dataclass(frozen=True)
class Spec:
    """What a source is made of, in the words of cells; ``duration`` in seconds."""

    layout: str
    picture: str
    sound: str
    rate: str
    clock: str
    gop: str
    lag: str
    begin: str
    edit: str
    ends: str
    duration: int

    def offset(self, kind: str) -> Fraction:
        """When the picture ("video") or the sound ("audio") begins on the source's clock, in seconds."""
        begin = Fraction(0) if self.begin == "wrap" else Fraction(self.begin)
        lag = Fraction(self.lag) * (1 if kind == "audio" else -1)
        return begin + max(Fraction(0), lag)

    @property
    def clock_ticks(self) -> int:
        """Ticks a second of the picture's track, where a container lets one choose."""
        if self.clock == "frame":
            return FRAME_CLOCKS[self.rate]
        return int(self.clock) if self.clock.isdigit() else OWN_CLOCKS.get(self.rate, 12800)

    def encoded(self, kind: str) -> Path:
        """The encoded pictures or sound, as long as they last."""
        ends_first = self.ends == {"video": "picture", "audio": "sound"}[kind]
        lasts = int(self.duration * ENDS_AFTER) if ends_first else self.duration
        if kind == "video":
            return media.pictures(self.picture, self.rate, self.gop, lasts)
        if self.ends == "gap":
            return media.gapped(self.sound, lasts)
        # ffmpeg hides the first packet of sound that begins at 0, and coarser containers not even that.
        first = not self.offset("audio") and self.clock not in ROUNDING
        if self.sound == "aac" and self.edit == "list" and first:
            return media.primed(lasts)
        return media.sound(self.sound, lasts)

    def source(self, kind: str, *, placed: bool = True) -> list[object]:
        """ffmpeg's words for an input of one kind; ``placed``: at its time on the source's clock."""
        offset = self.offset(kind) if placed else 0
        return [*(["-itsoffset", float(offset)] if offset else []), "-i", self.encoded(kind)]

    def both(self, *, placed: bool = True) -> list[object]:
        inputs = [*self.source("video", placed=placed), *self.source("audio", placed=placed)]
        return [*inputs, "-map", "0:v", "-map", "1:a", "-c", "copy"]


@dataclass(frozen=True)
class Made:
    """A source that is there. ``whole``: the file with all of the "video" and of the "audio", for the truth alone.

    ``itags``: the files and MIME types of YouTube's formats; ``entry``: the file that a site's address names.
    """

    folder: Path
    whole: Mapping[str, Path]
    itags: Mapping[int, tuple[Path, str]] = field(default_factory=dict)
    entry: str | None = None


Told = dict[str, object]


def make(spec: Spec) -> Made:
    """The source, made now where nobody made it before."""
    from tests.matrix.pieces import PIECES

    way = (WAYS | PIECES)[spec.layout]

    def run(part: Path) -> None:
        part.mkdir()
        (part / "made.json").write_text(json.dumps(way(part, spec)))

    folder = once(spec.layout, [spec, RECIPE], "", run)
    told = json.loads((folder / "made.json").read_text())
    itags = {int(itag): (folder / name, mime) for itag, (name, mime) in told.get("itags", {}).items()}
    return Made(folder, {kind: folder / name for kind, name in told["whole"].items()}, itags, told.get("entry"))


def apart(folder: Path, spec: Spec) -> Told:
    """Pictures and sound each in a fragmented MP4, with an index as the layout has it."""
    files = {"video": "video.mp4", "audio": "audio.m4a"}
    for kind, name in files.items():
        fragments(spec, kind, folder / name)
    if spec.layout == "dash-sidx":
        (folder / "manifest.mpd").write_text(_manifest(folder, spec))
        return {"whole": files, "entry": "manifest.mpd"}
    served = dict(files)
    if spec.layout == "sidx-tree":
        # libav opens no file with an index of indexes.
        for kind, name in files.items():
            served[kind] = f"tree-{name}"
            (folder / served[kind]).write_bytes(boxes.with_tree((folder / name).read_bytes()))
    itags = {134: ("video", mime("video/mp4", spec.picture)), 140: ("audio", mime("audio/mp4", spec.sound))}
    return {"whole": files, "itags": {itag: (served[kind], told) for itag, (kind, told) in itags.items()}}


def mime(container: str, *codecs: str) -> str:
    return f'{container}; codecs="{", ".join(CODECS[codec] for codec in codecs)}"'


def fragments(spec: Spec, kind: str, path: Path) -> None:
    """One stream in a fragmented MP4."""
    lists = spec.edit == "list"
    words = [*spec.source(kind, placed=lists), "-c", "copy", *_fragmented(spec)]
    words += ["-frag_duration", 4_980_000] if kind == "audio" else ["-video_track_timescale", spec.clock_ticks]
    words += ["-frag_duration", 2_500_000] if kind == "video" and spec.gop == "long" else []
    run_ffmpeg(*words, "-fflags", "+bitexact", "-f", "mp4", path)
    if not lists:
        path.write_bytes(boxes.delayed(path.read_bytes(), {1: spec.offset(kind)}))


def _fragmented(spec: Spec) -> list[object]:
    flags = {
        "fragments": "+frag_keyframe+default_base_moof",
        "sidx-each": "+dash+frag_keyframe",
        "muxed-each": "+dash+frag_keyframe",
    }.get(spec.layout, "+dash+global_sidx")
    if spec.edit == "list":
        return ["-use_editlist", "1", "-movflags", f"{flags}+delay_moov"]
    return ["-movflags", f"{flags}+empty_moov"]


def _manifest(folder: Path, spec: Spec) -> str:
    """A DASH manifest of two files with an index each."""
    sets = ""
    for kind, name, codec in (("video", "video.mp4", spec.picture), ("audio", "audio.m4a", spec.sound)):
        at, end = next((at, end) for box, at, end in boxes.boxes((folder / name).read_bytes()) if box == b"sidx")
        size = f' width="{media.WIDTH}" height="{media.HEIGHT}"' if kind == "video" else ""
        sets += (
            f'<AdaptationSet contentType="{kind}" mimeType="{kind}/mp4">'
            f'<Representation id="{kind}" bandwidth="100000" codecs="{CODECS[codec]}"{size}>'
            f"<BaseURL>{name}</BaseURL>"
            f'<SegmentBase indexRange="{at}-{end - 1}"><Initialization range="0-{at - 1}"/></SegmentBase>'
            "</Representation></AdaptationSet>"
        )
    return (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" minBufferTime="PT2S" '
        'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" '
        f'mediaPresentationDuration="PT{spec.duration}S"><Period>{sets}</Period></MPD>'
    )


def muxed(folder: Path, spec: Spec) -> Told:
    """Pictures and sound in one fragmented MP4, each with its index."""
    lists = spec.edit == "list"
    words = [*spec.both(placed=lists), *_fragmented(spec), "-video_track_timescale", spec.clock_ticks]
    words += ["-frag_duration", 2_500_000] if spec.gop == "long" else []
    run_ffmpeg(*words, "-fflags", "+bitexact", "-f", "mp4", path := folder / "video.mp4")
    if not lists:
        later = {1: spec.offset("video"), 2: spec.offset("audio")}
        path.write_bytes(boxes.delayed(path.read_bytes(), later))
    return one_file("video.mp4")


def one_file(name: str) -> Told:
    return {"whole": {"video": name, "audio": name}, "entry": name}


def plain(folder: Path, spec: Spec) -> Told:
    """A plain MP4 with one table, in front or at the end."""
    words = spec.both()
    if spec.clock in ROUNDING:
        run_ffmpeg(*words, "-f", ROUNDING[spec.clock], rounded := folder / f"rounded.{spec.clock}")
        words = ["-i", rounded, "-c", "copy"]
    else:
        words += ["-video_track_timescale", spec.clock_ticks]
    lists = ["-use_editlist", "0"] if spec.edit in ("none", "negative") else []
    flags = "" if spec.layout == "moov-end" else "+faststart"
    flags += "+negative_cts_offsets" if spec.edit == "negative" else ""
    flagged = ["-movflags", flags] if flags else []
    path = folder / "video.mp4"
    if spec.edit == "cut":
        run_ffmpeg(*words, "-fflags", "+bitexact", uncut := folder / "uncut.mp4")
        words = ["-ss", CUT_AT, "-i", uncut, "-c", "copy"]
    run_ffmpeg(*words, *lists, *flagged, "-fflags", "+bitexact", path)
    if spec.layout == "moov-end":
        return one_file("video.mp4")
    if spec.layout == "plain-long":
        path.write_bytes(boxes.with_large_moov(path.read_bytes(), LONG_MOOV))
    told = mime("video/mp4", spec.picture, spec.sound)
    return {"whole": {"video": "video.mp4", "audio": "video.mp4"}, "itags": {18: ("video.mp4", told)}}


def webm(folder: Path, spec: Spec) -> Told:
    """WebM: a stream a file as YouTube has it, or both in one, with the Cues in front or at the end."""
    if spec.layout != "webm":
        front = ["-cues_to_front", "1"] if spec.layout == "webm-muxed" else []
        run_ffmpeg(*spec.both(), *front, "-fflags", "+bitexact", "-f", "webm", folder / "video.webm")
        return one_file("video.webm")
    files = {"video": "video.webm", "audio": "audio.webm"}
    for kind, name in files.items():
        cues = ["-dash", "1", "-cues_to_front", "1", "-cluster_time_limit", "10000"]
        run_ffmpeg(*spec.source(kind), "-c", "copy", *cues, "-fflags", "+bitexact", "-f", "webm", folder / name)
    mimes = mime("video/webm", spec.picture), mime("audio/webm", spec.sound)
    return {"whole": files, "itags": {243: ("video.webm", mimes[0]), 251: ("audio.webm", mimes[1])}}


def whole(folder: Path, spec: Spec) -> Told:
    """A file without any index that could be read in parts."""
    name = f"video.{spec.layout}"
    later = ["-output_ts_offset", WRAP_AT] if spec.begin == "wrap" else []
    run_ffmpeg(*spec.both(), *later, "-fflags", "+bitexact", "-f", WHOLE[spec.layout], folder / name)
    return one_file(name)


# The 33 bits of MPEG-TS begin anew 13.7 s later.
WRAP_AT = 95430
WAYS: dict[str, Callable[[Path, Spec], Told]] = {
    **dict.fromkeys(APART, apart),
    **dict.fromkeys(MUXED, muxed),
    **dict.fromkeys(PLAIN, plain),
    **dict.fromkeys(("webm", "webm-muxed", "webm-end"), webm),
    **dict.fromkeys(WHOLE, whole),
}

"""What the truth matrix varies, and what cannot be together.

The first value of a factor is its simplest. A rule for two factors is quicker to follow than one for more. Nothing
here knows what a value means: those who make sources (layouts, pieces), choose seconds and options
(play), and judge, do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.matrix.layouts import APART, FRAME_CLOCKS, MUXED, PLAIN, ROUNDING

FACTORS: dict[str, tuple[str, ...]] = {
    # Where the bytes lie.
    "layout": (
        "sidx", "sidx-each", "sidx-tree", "fragments", "dash-sidx", "muxed-sidx", "muxed-each",
        "plain", "plain-long", "moov-end", "webm", "webm-muxed", "webm-end",
        "hls-ts", "hls-ts-apart", "hls-fmp4", "hls-fmp4-apart", "hls-ranges", "hls-packed", "hls-aes", "hls-break",
        "dash", "dash-hole", "ts", "mkv", "flv", "avi", "mpg",
    ),
    "picture": ("h264", "h264-10", "vp9", "av1", "mpeg4", "mpeg2"),
    "sound": ("aac", "aac-48", "he-aac", "opus", "mp3", "ac3", "flac", "mp2"),
    # When what is shown.
    "rate": ("25", "29.97", "23.976", "8", "vfr", "frozen", "0.2", "one"),
    "clock": ("own", "frame", "600", "1000", "flv", "mkv", "ts"),
    "gop": ("plain", "closed", "open", "long", "refresh"),
    "lag": ("0", "0.013", "0.03", "0.4", "1.2", "-0.5"),
    "begin": ("0", "5", "3600", "wrap"),
    "edit": ("none", "list", "negative", "cut"),
    "ends": ("together", "sound", "picture", "gap"),
    # Which seconds.
    "at": ("middle", "zero", "border", "fraction", "packet", "late", "past"),
    "length": ("3", "0.5", "10", "60"),
    # What of them.
    "cut": ("exact", "copy"),
    "media": ("both", "audio"),
    "video_format": ("mp4", "mkv"),
    "audio_format": ("wav", "flac", "m4a"),
    "audio_rate": ("own", "16000"),
}  # fmt: skip
RUN = ("cut", "media", "video_format", "audio_format", "audio_rate")
"""The factors that are options of a run."""
SOURCE = tuple(name for name in FACTORS if name not in (*RUN, "at", "length"))

_YOUTUBE = {"sidx", "sidx-each", "sidx-tree", "fragments"}
_HLS_TS = {"hls-ts", "hls-ts-apart", "hls-aes"}
_HLS_FMP4 = {"hls-fmp4", "hls-fmp4-apart", "hls-ranges"}
_WEBM = {"webm", "webm-muxed", "webm-end"}
_CODECS: tuple[tuple[set[str], str, str], ...] = (
    # Layouts, their pictures, their sounds.
    (_YOUTUBE, "h264 av1", "aac he-aac opus"),
    ({"dash-sidx", "dash", "dash-hole"}, "h264 av1", "aac he-aac opus"),
    (_HLS_FMP4, "h264 av1", "aac he-aac ac3 flac"),
    ({*MUXED}, "h264 h264-10 av1", "aac opus"),
    ({"plain", "plain-long"}, "h264", "aac"),
    ({"moov-end"}, "h264 h264-10 av1", "aac aac-48 mp3 ac3 flac"),
    (_WEBM, "vp9 av1", "opus"),
    (_HLS_TS, "h264", "aac he-aac mp3 ac3"),
    ({"hls-packed"}, "h264", "aac aac-48"),
    ({"hls-break"}, "h264", "aac-48"),
    ({"ts"}, "h264 mpeg2", "aac mp3 ac3 mp2"),
    ({"mkv"}, "h264 h264-10 vp9", "aac opus mp3 ac3 flac"),
    ({"flv"}, "h264", "aac mp3"),
    ({"avi"}, "mpeg4", "mp3 ac3"),
    ({"mpg"}, "mpeg2", "mp2"),
)
_PICTURES = {layout: pictures.split() for layouts, pictures, _ in _CODECS for layout in layouts}
_SOUNDS = {layout: sounds.split() for layouts, _, sounds in _CODECS for layout in layouts}
_EDITABLE = {*APART, *MUXED, *PLAIN}
_REORDERED = {"closed", "open"}
_SLOW = {"0.2", "one"}
_FILMS = ("25", "29.97", "23.976")
STEADY = (*_FILMS, "8")
"""The rates at which all pictures last equally long."""
_POOR, _COMMON = ("flv", "ts"), ("aac", "aac-48", "mp3")
_GAPPED = ("aac", "aac-48", "opus")
_FIXED = ("avi", "hls-break", "dash-hole")


@dataclass(frozen=True)
class Rule:
    """What cannot be together: ``holds`` takes the values of ``factors``, in their order."""

    factors: tuple[str, ...]
    holds: Callable[..., bool]
    why: str


def _only(factor: str, value: str, why: str, **others: str) -> Iterator[Rule]:
    """Rules by which one value of a factor comes with these values of others alone."""
    for name, simplest in others.items():
        yield Rule((factor, name), lambda a, b, simplest=simplest: a != value or b == simplest, why)


RULES = (
    Rule(("layout", "picture"), lambda at, codec: codec in _PICTURES[at], "a container has its codecs"),
    Rule(("layout", "sound"), lambda at, codec: codec in _SOUNDS[at], "a container has its codecs"),
    # The pictures.
    Rule(
        ("picture", "gop"),
        lambda codec, gop: (
            codec.startswith("h264") or gop in ("plain", "long") or (codec, gop) == ("mpeg2", "closed")
        ),
        "B pictures are H.264's and MPEG-2's here",
    ),
    Rule(("picture", "rate"), lambda codec, rate: codec != "mpeg2" or rate in _FILMS, "MPEG-2 has its rates"),
    Rule(("layout", "rate"), lambda at, rate: at != "avi" or rate in (*_FILMS, "8"), "AVI has no times"),
    Rule(("rate", "gop"), lambda rate, gop: gop != "open" or rate in _FILMS, "too few pictures"),
    Rule(("rate", "gop"), lambda rate, gop: rate not in _SLOW or gop == "plain", "too few pictures"),
    Rule(("rate", "ends"), lambda rate, ends: rate not in _SLOW or ends != "picture", "a picture lasts too long"),
    Rule(
        ("layout", "gop"),
        lambda at, gop: gop != "open" or at not in {*_HLS_FMP4, "dash", "dash-hole"},
        "ffmpeg misplaces a picture at each of its segments' borders",
    ),
    Rule(
        ("layout", "gop", "rate"),
        lambda at, gop, rate: gop != "closed" or at not in {*_HLS_FMP4, "dash"} or rate in (*_FILMS, "8"),
        "as above",
    ),
    Rule(("layout", "gop"), lambda at, gop: gop != "closed" or at != "mpg", "as above"),
    Rule(("layout", "gop"), lambda at, gop: gop == "plain" or at != "hls-break", "its halves would overlap"),
    Rule(("layout", "gop"), lambda at, gop: gop != "refresh" or at != "dash-hole", "every clip needs the hole"),
    Rule(("edit", "gop"), lambda edit, gop: gop != "refresh" or edit != "cut", "no whole picture would be left"),
    Rule(
        ("layout", "sound", "edit"),
        lambda at, sound, edit: at not in MUXED or sound != "opus" or edit == "list",
        "ffmpeg moves a picture where no edit list can hide what Opus begins with",
    ),
    Rule(
        ("layout", "gop"),
        lambda at, gop: gop != "long" or at not in {*_WEBM, "dash", "dash-hole"},
        "ffmpeg cuts these at key pictures alone",
    ),
    # The clocks.
    Rule(
        ("layout", "clock"),
        lambda at, clock: clock == "own" or at in (PLAIN if clock in ROUNDING else _EDITABLE),
        "clocks are MP4's to choose; plain files are made from other containers",
    ),
    Rule(("clock", "rate"), lambda clock, rate: clock != "frame" or rate in FRAME_CLOCKS, "whole pictures a tick"),
    Rule(("clock", "rate"), lambda clock, rate: clock not in _POOR or rate not in _SLOW, "too few pictures"),
    Rule(("clock", "picture"), lambda clock, codec: clock not in _POOR or codec == "h264", "what FLV and TS hold"),
    Rule(("clock", "sound"), lambda clock, codec: clock not in _POOR or codec in _COMMON, "what FLV and TS hold"),
    Rule(("clock", "edit"), lambda clock, edit: clock not in ROUNDING or edit == "list", "it begins at 0"),
    Rule(("clock", "begin"), lambda clock, begin: clock not in ROUNDING or begin == "0", "it begins at 0"),
    Rule(("clock", "lag"), lambda clock, lag: clock not in ROUNDING or lag == "0", "it begins at 0"),
    Rule(("layout", "clock"), lambda at, clock: clock == "own" or at != "plain-long", "as of a plain file"),
    Rule(("layout", "clock"), lambda at, clock: clock not in ROUNDING or at != "moov-end", "as of a plain file"),
    # The edit lists.
    Rule(("layout", "edit"), lambda at, edit: edit == "list" or at != "plain-long", "as of a plain file"),
    Rule(("layout", "edit"), lambda at, edit: edit == "none" or at in _EDITABLE, "edit lists are MP4's"),
    Rule(
        ("layout", "edit"), lambda at, edit: edit not in ("cut", "negative") or at in PLAIN, "of plain files alone"
    ),
    Rule(
        ("layout", "edit", "lag"),
        lambda at, edit, lag: at not in PLAIN or edit == "list" or lag == "0",
        "without an edit list, a plain file begins at 0",
    ),
    Rule(
        ("layout", "edit", "begin"),
        lambda at, edit, begin: at not in PLAIN or edit == "list" or begin == "0",
        "without an edit list, a plain file begins at 0",
    ),
    Rule(
        ("layout", "edit", "gop"),
        lambda at, edit, gop: at not in {*MUXED, *PLAIN} or edit != "none" or gop not in _REORDERED,
        "ffmpeg moves a packet of the sound where no edit list can hide the reorder delay",
    ),
    Rule(
        ("layout", "edit", "lag", "gop"),
        lambda at, edit, lag, gop: at not in APART or edit == "list" or lag == "0" or gop not in _REORDERED,
        "whether a reorder delay is hidden is told by an edit list",
    ),
    Rule(
        ("layout", "ends"), lambda at, ends: ends != "gap" or at not in ("hls-packed", "dash"), "ffmpeg moves it"
    ),
    Rule(("sound", "ends"), lambda sound, ends: ends != "gap" or sound in _GAPPED, "packets that can be left out"),
    Rule(("edit", "ends"), lambda edit, ends: edit != "cut" or ends == "together", "cut once"),
    Rule(("edit", "rate"), lambda edit, rate: edit != "cut" or rate not in _SLOW, "cut between pictures"),
    # Where streams begin and end.
    Rule(
        ("layout", "lag"), lambda at, lag: lag == "0" or at not in _FIXED, "no times of its own, or broken already"
    ),
    Rule(("layout", "begin"), lambda at, begin: begin == "0" or at not in _FIXED, "as above"),
    Rule(
        ("layout", "ends"), lambda at, ends: ends == "together" or at not in ("hls-break", "dash-hole"), "as above"
    ),
    Rule(
        ("layout", "rate"),
        lambda at, rate: at not in ("hls-break", "dash-hole") or rate in ("25", "8"),
        "both halves end at one time",
    ),
    Rule(("layout", "begin"), lambda at, begin: begin != "wrap" or at in {*_HLS_TS, "ts"}, "33 bits are MPEG-TS'"),
    Rule(("layout", "begin"), lambda at, begin: begin != "3600" or at not in {*PLAIN, "mpg"}, "nobody writes it"),
    Rule(("picture", "begin"), lambda codec, at: codec != "mpeg2" or at != "3600", "ffmpeg takes it for a jump"),
    # The runs.
    Rule(("sound", "length"), lambda sound, length: sound != "he-aac" or length != "60", "there is less of it"),
    Rule(("layout", "media"), lambda at, media: at != "dash-hole" or media == "both", "a hole in the pictures"),
    Rule(("media", "cut"), lambda media, cut: media == "both" or cut == "exact", "no picture"),
    Rule(("media", "video_format"), lambda media, kind: media == "both" or kind == "mp4", "no picture"),
    Rule(("cut", "video_format"), lambda cut, kind: cut == "exact" or kind == "mp4", "a copy is an MP4"),
    Rule(("audio_format", "audio_rate"), lambda kind, rate: kind != "m4a" or rate == "own", "packets have a rate"),
    # What a clip of a minute, or behind the end, is asked for: the layouts, not the clocks.
    *_only("length", "60", "a minute is dear", lag="0", begin="0", ends="together", clock="own"),
    *_only(
        "at",
        "past",
        "behind the end there is nothing to vary",
        **{
            "lag": "0",
            "begin": "0",
            "ends": "together",
            "clock": "own",
            "rate": "25",
            "gop": "plain",
            "length": "3",
        },
    ),
)

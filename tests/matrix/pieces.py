"""The sources that come in pieces: HLS in its kinds, and DASH segments.

For the truth, the pieces of a stream are put one behind the other, before anything is encrypted or broken.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import pad

from tests.matrix import media
from tests.matrix.layouts import CODECS, WRAP_AT, Spec, Told
from tests.matrix.media import run_ffmpeg

PIECE = 2
BREAK_AT = 8
"""Where the clock of a playlist breaks: a key picture and a packet of 48 kHz AAC begin there."""
JUMP = 100
HOLE = 4
"""The number, from 0, of the DASH segment that holds no picture."""
_KEY = b"0123456789abcdef"


def hls(folder: Path, spec: Spec) -> Told:
    """A master playlist of one variant, its sound in it or apart."""
    fragmented = "fmp4" in spec.layout or spec.layout == "hls-ranges"
    words = [*spec.both(), *_pieces(spec, fragmented), "-master_pl_name", "master.m3u8"]
    if spec.layout.endswith("-apart"):
        streams = "v:0,agroup:a a:0,agroup:a,default:yes,language:en"
        _pack(folder, "%v", [*words, "-var_stream_map", streams], fragmented)
        told = {"video": joined(folder, "0"), "audio": joined(folder, "1")}
    else:
        _pack(folder, "0", words, fragmented)
        told = dict.fromkeys(("video", "audio"), joined(folder, "0"))
    _name_codecs(folder / "master.m3u8", spec)
    if spec.layout == "hls-aes":
        _encrypt(folder)
    return {"whole": told, "entry": "master.m3u8"}


def _pieces(spec: Spec, fragmented: bool) -> list[object]:
    flags = ["split_by_time"] if spec.gop == "long" else []
    flags += ["single_file"] if spec.layout == "hls-ranges" else []
    words: list[object] = ["-hls_time", 2.5 if spec.gop == "long" else PIECE, "-hls_playlist_type", "vod"]
    words += ["-hls_flags", "+".join(flags)] if flags else []
    words += ["-output_ts_offset", WRAP_AT] if spec.begin == "wrap" else []
    if not fragmented and spec.gop == "open":
        # Each piece is to have what its decoder needs.
        words += ["-bsf:v", "h264_mp4toannexb,dump_extra=freq=keyframe"]
    return words


def _pack(folder: Path, name: str, words: Sequence[object], fragmented: bool) -> None:
    """Relative names, or the playlist would have this folder's."""
    single = "single_file" in " ".join(map(str, words))
    ending = "m4s" if fragmented else "ts"
    layout = ["-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", f"{name}-init.mp4"] if fragmented else []
    segment = f"{name}.{ending}" if single else f"{name}-%d.{ending}"
    out = ["-hls_segment_filename", segment, f"{name}.m3u8"]
    run_ffmpeg(*words, "-fflags", "+bitexact", *layout, "-f", "hls", *out, folder=folder)


def joined(folder: Path, name: str) -> str:
    """The pieces that a playlist names, in one file."""
    lines = (folder / f"{name}.m3u8").read_text().splitlines()
    head = [match[1] for line in lines if (match := re.match(r'#EXT-X-MAP:URI="([^"]*)"', line))]
    parts = list(dict.fromkeys([*head, *(line for line in lines if line and line[0] != "#")]))
    whole = f"whole-{name}{'.mp4' if head else '.ts'}"
    (folder / whole).write_bytes(b"".join((folder / part).read_bytes() for part in parts))
    return whole


def _name_codecs(master: Path, spec: Spec) -> None:
    """ffmpeg does not name all codecs, nor the size of every picture."""
    size = f"{media.WIDTH}x{media.HEIGHT}"
    told = f'CODECS="{CODECS[spec.picture]},{CODECS[spec.sound]}",RESOLUTION={size}'
    lines = []
    for line in master.read_text().splitlines():
        if line.startswith("#EXT-X-STREAM-INF:"):
            line = re.sub(r',(CODECS="[^"]*"|RESOLUTION=[^,]*)', "", line) + f",{told}"
        lines.append(line)
    master.write_text("\n".join([*lines, ""]))


def _encrypt(folder: Path) -> None:
    """AES-128 with one key, and the piece's number for an initialisation vector."""
    (folder / "key.bin").write_bytes(_KEY)
    for path in folder.glob("0-*.ts"):
        number = int(path.stem.partition("-")[2])
        cipher = AES.new(_KEY, AES.MODE_CBC, iv=number.to_bytes(16, "big"))
        path.write_bytes(cipher.encrypt(pad(path.read_bytes(), 16)))
    playlist = folder / "0.m3u8"
    key = '#EXT-X-KEY:METHOD=AES-128,URI="key.bin"\n#EXTINF'
    playlist.write_text(playlist.read_text().replace("#EXTINF", key, 1))


def broken(folder: Path, spec: Spec) -> Told:
    """Two halves of one programme with clocks of their own, and EXT-X-DISCONTINUITY between them."""
    once = [*spec.both(), "-fflags", "+bitexact"]
    run_ffmpeg(*once, whole := folder / "whole.mp4")
    halves = {"a": ["-t", BREAK_AT, "-i", whole], "b": ["-ss", BREAK_AT, "-i", whole, "-output_ts_offset", JUMP]}
    lists = []
    for name, words in halves.items():
        _pack(folder, name, [*words, "-c", "copy", *_pieces(spec, False)], False)
        lists.append((folder / f"{name}.m3u8").read_text())
    begin = lists[1].index("#EXTINF")
    (folder / "list.m3u8").write_text(
        lists[0].replace("#EXT-X-ENDLIST", "#EXT-X-DISCONTINUITY") + lists[1][begin:]
    )
    size = f"{media.WIDTH}x{media.HEIGHT}"
    told = f'BANDWIDTH=300000,RESOLUTION={size},CODECS="{CODECS[spec.picture]},mp4a.40.2"'
    (folder / "master.m3u8").write_text(f"#EXTM3U\n#EXT-X-STREAM-INF:{told}\nlist.m3u8\n")
    return {"whole": {"video": "whole.mp4", "audio": "whole.mp4"}, "entry": "master.m3u8"}


def packed(folder: Path, spec: Spec) -> Told:
    """Pictures in TS, sound in pieces of bare ADTS, each behind an ID3 tag with its time."""
    words = [*spec.source("video"), "-map", "0:v", "-c", "copy", *_pieces(spec, False)]
    _pack(folder, "v", words, False)
    video = joined(folder, "v")
    with av.open(str(folder / video)) as container:
        first = min(p.pts for p in container.demux(video=0) if p.pts is not None)
    first += round((spec.offset("audio") - spec.offset("video")) * 90000)
    # ffmpeg ends the stream where the layout wants it.
    run_ffmpeg(*spec.source("audio", placed=False), "-c", "copy", "-f", "adts", folder / "sound.aac")
    frames = _adts((folder / "sound.aac").read_bytes())
    per, rate = 86, media.RATES[spec.sound]
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:3", "#EXT-X-PLAYLIST-TYPE:VOD"]
    for number, at in enumerate(range(0, len(frames), per)):
        part = frames[at : at + per]
        time = first + round(Fraction(90000 * 1024 * at, rate))
        (folder / f"s{number}.aac").write_bytes(_time_tag(time) + b"".join(part))
        lines += [f"#EXTINF:{len(part) * 1024 / rate:.6f},", f"s{number}.aac"]
    (folder / "s.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))
    size = f"{media.WIDTH}x{media.HEIGHT}"
    told = f'BANDWIDTH=300000,RESOLUTION={size},CODECS="{CODECS[spec.picture]},{CODECS[spec.sound]}",AUDIO="a"'
    (folder / "master.m3u8").write_text(
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",DEFAULT=YES,URI="s.m3u8"\n'
        f"#EXT-X-STREAM-INF:{told}\nv.m3u8\n"
    )
    # The same packets with the same times, in a container that has times.
    later = ["-itsoffset", float(Fraction(first, 90000))]
    run_ffmpeg(*later, "-i", folder / "sound.aac", "-c", "copy", "-muxdelay", "0", folder / "sound.ts")
    return {"whole": {"video": video, "audio": "sound.ts"}, "entry": "master.m3u8"}


def _adts(data: bytes) -> list[bytes]:
    frames, at = [], 0
    while at < len(data):
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        frames.append(data[at : at + size])
        at += size
    return frames


def _time_tag(time: int) -> bytes:
    """The ID3 tag that gives a piece of packed sound its time, in ticks of 90 kHz (RFC 8216, 3.4)."""
    owner = b"com.apple.streaming.transportStreamTimestamp\0" + struct.pack(">Q", time)
    frame = b"PRIV" + struct.pack(">I", len(owner)) + b"\0\0" + owner
    return b"ID3\x04\0\0" + bytes((len(frame) >> shift) & 127 for shift in (21, 14, 7, 0)) + frame


def dash(folder: Path, spec: Spec) -> Told:
    """A file a segment; in a "dash-hole" one segment of pictures has none."""
    names = [
        "-init_seg_name",
        "$RepresentationID$-init.mp4",
        "-media_seg_name",
        "$RepresentationID$-$Number%03d$.m4s",
    ]
    words = [*spec.both(), "-seg_duration", PIECE, *names, "-adaptation_sets", "id=0,streams=v id=1,streams=a"]
    run_ffmpeg(*words, "-fflags", "+bitexact", "-f", "dash", "manifest.mpd", folder=folder)
    for stream in ("0", "1"):
        parts = [folder / f"{stream}-init.mp4", *sorted(folder.glob(f"{stream}-[0-9]*.m4s"))]
        (folder / f"whole-{stream}.mp4").write_bytes(b"".join(part.read_bytes() for part in parts))
    if spec.layout == "dash-hole":
        kind = b"msdh\0\0\0\0msdhmsix"
        (folder / f"0-{HOLE + 1:03}.m4s").write_bytes(struct.pack(">I4s", 8 + len(kind), b"styp") + kind)
    return {"whole": {"video": "whole-0.mp4", "audio": "whole-1.mp4"}, "entry": "manifest.mpd"}


_HLS = ("hls-ts", "hls-ts-apart", "hls-fmp4", "hls-fmp4-apart", "hls-aes", "hls-ranges")
PIECES: dict[str, Callable[[Path, Spec], Told]] = {
    **dict.fromkeys(_HLS, hls),
    "hls-packed": packed,
    "hls-break": broken,
    **dict.fromkeys(("dash", "dash-hole"), dash),
}

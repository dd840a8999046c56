"""The words that ffmpeg is told to decode and encode a clip with.

Its inputs are files of our own, whose first packet is decoded at 0 and whose times are whole ticks: frames are
chosen by tick and sound by sample, and nothing is rounded on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from .cut_plan import Piece, Sound
from .ffmpeg import READING
from .small import Small

# Without the writer's name and time: the same source gives the same bytes.
PLAIN = ("-map_metadata", "-1", "-fflags", "+bitexact")
# In pieces of a second: each frame by itself would cross two more of ffmpeg's threads.
_IN_BLOCKS = "asetnsamples=n=44100:p=0"
# Without ffmpeg's guesses at what every reader shows: 4:2:0 of 8 bits, in the source's range.
_PLAYABLE = "format=yuv420p|yuvj420p"
# A quarter less CPU than the preset alone, for files 7% larger that are no further from the source (SSIM).
_TOOLS = "subme=1:me=dia:partitions=i8x8,i4x4:weightp=0"


def chosen(first: int, behind: int) -> str:
    """A filter that lets the frames of ticks ``first``..``behind`` pass, and has the first of them at 0."""
    return f"trim=start_pts={first}:end_pts={behind},setpts=PTS-{first}"


def encoded_video(
    frames: str,
    timescale: int,
    path: Path,
    rate: Fraction | None = None,
    flip: bool = False,
    scale: int | None = None,
    sized: Sequence[str] = (),
    between: tuple[int, int] | None = None,
    small: Small | None = None,
) -> list[str | Path]:
    """An output with the frames that ``frames`` (a filter) lets pass, as H.264, at the times they have.

    ``rate``: how many a second there usually are; ``scale``: pixels of the smaller side; ``sized``: other filters
    that make their size. ``between``: others are to stand among them, (the number of their parameter sets, before
    which of them). ``small``: where small pictures of them are to be besides.
    """
    like = shaped(flip, scale, sized)
    source: list[str | Path] = ["-map", "0:v:0", "-filter:v", ",".join([frames, *like, _PLAYABLE])]
    if small is not None:
        source = small.pictures_beside(frames, like, _PLAYABLE)
    tools, keys = _TOOLS, list[str]()
    if between is not None:
        tools += f":sps-id={between[0]}"
        keys = ["-force_key_frames", f"expr:eq(n,{between[1]})", "-forced-idr", "1"]
    # From the times alone, the encoder would take a tick for a frame, and readers that believe it find no other.
    told = ["-bsf:v", f"h264_metadata=tick_rate={2 * rate}"] if rate else []
    return [
        *source,
        *("-fps_mode", "passthrough", "-enc_time_base", f"1/{timescale}"),
        # One thread: x264 gives other bytes for another number of them.
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-threads", "1"),
        *("-x264-params", tools),
        *keys,
        *told,
        *PLAIN,
        *("-video_track_timescale", str(timescale), path),
        *(small.pictures_output() if small is not None else []),
    ]


def shaped(flip: bool = False, scale: int | None = None, sized: Sequence[str] = ()) -> list[str]:
    """The filters that make pictures as an encoded clip has them: see ``encoded_video``."""
    # 4:2:0 has no odd sides: what is over is cut off, since to scale it would blur all the rest.
    filters = ["crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0"]
    if flip:
        filters.append("hflip")
    if scale:
        filters.append(f"scale='if(lt(iw,ih),{scale},-2)':'if(lt(iw,ih),-2,{scale})'")
    return [*filters, *sized]


def decoded_video(frames: str = "", small: Small | None = None) -> list[str | Path]:
    """An output that decodes these frames, or all, and keeps nothing but a line for each.

    ``small``: where small pictures of them are to be besides.
    """
    codec = ["-c:v", "wrapped_avframe", "-fps_mode", "passthrough"]
    # Written in blocks: each line by itself would wake us a thousand times.
    listing = ["-f", "framecrc", "-flush_packets", "0", "pipe:1"]
    if small is not None and frames:
        return [*small.pictures_beside(frames), *codec, *listing, *small.pictures_output()]
    # In ticks of the source: by default, ffmpeg rounds times to the frame rate.
    codec += ["-filter:v", frames] if frames else ["-enc_time_base", "demux"]
    also = small.pictures() if small is not None else []
    return ["-map", "0:v:0", *codec, *listing, *also]


def decoded_sound(
    source: int,
    sound: Sound,
    channels: int | None,
    path: Path,
    frames: int | None = None,
    small: Small | None = None,
) -> list[str | Path]:
    """An output with a clip's samples out of input ``source``, as PCM or FLAC by the ending of ``path``.

    ``small``: where its spectrum and its loudness are to be besides.
    """
    codec = ["-c:a", "pcm_s16le"] if path.suffix == ".wav" else ["-c:a", "flac", "-sample_fmt", "s16"]
    codec += ["-frame_size", str(frames)] if frames else []
    mixed = ["-ac", str(channels)] if channels else []
    graph = sound_filter(sound)
    if small is not None:
        mixed = [f"aformat=channel_layouts={'mono' if channels == 1 else 'stereo'}"] if channels else []
        also = small.sound(f"{source}:a:0", ",".join([graph, *mixed]))
        return [*also, *codec, *PLAIN, path, *small.spectrum_output()]
    if len(sound.pieces) == 1:
        chain = ["-map", f"{source}:a:0", "-filter:a", graph]
    else:
        chain = ["-filter_complex", f"[{source}:a:0]{graph}[heard]", "-map", "[heard]"]
    return [*chain, *codec, *mixed, *PLAIN, path]


def sound_filter(sound: Sound) -> str:
    """The filter that makes a clip's samples of what its packets decode to."""
    if len(sound.pieces) == 1:
        graph = _piece(sound.pieces[0])
    else:
        names = range(len(sound.pieces))
        split = f"asplit={len(sound.pieces)}" + "".join(f"[in{name}]" for name in names)
        parts = [f"[in{name}]{_piece(piece)}[out{name}]" for name, piece in enumerate(sound.pieces)]
        joined = "".join(f"[out{name}]" for name in names) + f"concat=n={len(sound.pieces)}:v=0:a=1"
        graph = ";".join([split, *parts, joined])
    if sound.filled:
        graph += f",apad=whole_len={sound.filled}"
    again = sound.resampled
    if again is not None:
        taken = int(again.count) - again.delay
        graph += f",aresample={again.rate},atrim=start_sample={again.skip}:end_sample={again.skip + taken}"
        graph += ",asetpts=N/SR/TB" + _after_silence(again.delay)
    return f"{graph},{_IN_BLOCKS}"


def _piece(piece: Piece) -> str:
    trim = f"atrim=start_sample={piece.skip}:end_sample={piece.skip + piece.count},asetpts=N/SR/TB"
    return trim + _after_silence(piece.silence)


def _after_silence(samples: int) -> str:
    return f",adelay=delays={samples}S:all=1" if samples else ""


def inputs(paths: Sequence[Path]) -> list[str | Path]:
    """The inputs: their times as they are."""
    return ["-copyts", *(word for path in paths for word in (*READING, "-f", "mp4", "-i", path))]

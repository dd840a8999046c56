"""Every knob of a run: frozen, picklable, without behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Cut = Literal["exact", "copy"]
Encode = Literal["needed", "all"]
Fit = Literal["crop", "pad", "stretch"]
Frame = Literal["middle"]
Media = Literal["both", "audio"]
VideoFormat = Literal["mp4", "mkv"]
AudioFormat = Literal["wav", "flac", "m4a"]
Check = Literal["decode", "packets"]
Flags = Literal["auto", "none"]
OutputFormat = Literal["files", "webdataset", "parquet"]
EngineName = Literal["threads", "spark"]


@dataclass(frozen=True)
class Identity:
    """Who asks: the bare connection (``proxy`` None) or a proxy's URL; as a guest, or with cookies.

    ``cookies``: a Netscape file; ``browser``: in its place, whose of this machine, as yt-dlp names it.
    """

    proxy: str | None = None
    cookies: Path | None = None
    browser: str | None = None


@dataclass(frozen=True)
class Columns:
    """Which columns of a user's list say what; None: guessed by its name, or not there.

    ``url``: a YouTube id or an address; ``start``, ``end``, ``duration``: times; ``clip``: several of them,
    [[start, end], ...]; ``id``, ``caption``: of a clip; ``fps``: frames a second of the video, where
    times are frames; ``keep``: what the manifest is to repeat.
    ``in_url``: whether the times stand in the addresses; None: in those that have some, which the first have not.
    """

    url: str | None = None
    start: str | None = None
    end: str | None = None
    duration: str | None = None
    clip: str | None = None
    id: str | None = None
    caption: str | None = None
    fps: str | None = None
    keep: tuple[str, ...] = ()
    in_url: bool | None = False


@dataclass(frozen=True)
class Settings:
    """Every knob of a run. Rates are bytes a second, sizes bytes, times seconds; None means no limit."""

    data_dir: Path
    workers: int = 4
    rate_limit: int | None = 50 * 1024
    retry_attempts: int = 5
    sleep: float = 3.0
    quality: int = 360
    max_clips: int | None = None
    splits: tuple[str, ...] = ()
    # Names or ids of classes; empty: all.
    labels: tuple[str, ...] = ()
    # Only the clips whose events are labelled in time.
    strong: bool = False
    # Picture and sound, or the sound alone.
    media: Media = "both"
    # All files in one folder, where a dataset usually spreads them over many.
    flat: bool = False
    cut: Cut = "exact"
    # Which frames of an exact cut are encoded: those that must be, or all. None: as the folder was begun.
    encode: Encode | None = None
    # Pictures a second, as a fraction is written ("25", "30000/1001"), and their size: the smaller side ("224") or
    # both ("256x144") with how they are made to fit. None: as the source has them.
    fps: str | None = None
    size: str | None = None
    fit: Fit | None = None
    # Which frame of a clip is kept as a JPEG besides; None: none.
    frame: Frame | None = None
    video_format: VideoFormat = "mp4"
    audio_format: AudioFormat = "wav"
    audio_rate: int | None = None
    audio_channels: int | None = None
    # None: no failure is asked for again; empty: every one; else those with one of these reasons.
    retry_failed: tuple[str, ...] | None = None
    identities: tuple[Identity, ...] = (Identity(),)
    # Extractions of one identity in any 60 minutes; 0: no limit, None: 270 for a guest, 1000 with cookies.
    videos_per_hour: int | None = None
    state_dir: Path | None = None
    give_up_after: float = 24 * 3600.0
    min_free: int = 2 * 1024**3
    ytdlp_args: str = ""
    max_whole_file: int = 200 * 1024 * 1024
    # How a result is looked at before it counts: every picture decoded, or every packet found and timed.
    check: Check = "decode"
    # Whether quality flags are measured: where a result is decoded anyway, or never.
    flags: Flags = "auto"
    allow_silent: bool = False
    allow_mixed: bool = False
    ffmpeg: Path | None = None
    # Folders, zips and tars that may hold clips already.
    archives: tuple[Path, ...] = ()
    keep_archives: bool = False
    # Which edition of its annotations a dataset is read from, and whose videos are whose on YouTube.
    annotations: str = ""
    id_map: Path | None = None
    # A user's own list of clips: files, folders, patterns, addresses or ids; how its letters are coded, what
    # stands between its cells, what its columns mean, by what preset; how a cell that holds a whole clip is made
    # ("{id}_{start}_{end}"), in which unit times are ("s", "ms", "us", "frames", "frames@25"), and how many
    # seconds a clip has where the list does not say.
    clip_list: str | Path | tuple[str | Path, ...] | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    columns: Columns = Columns()
    preset: str | None = None
    cell_format: str | None = None
    time_unit: str | None = None
    clip_length: float | None = None
    # What is kept beside a clip: what the site says of its video, and subtitles in these languages.
    info: bool = False
    subtitles: tuple[str, ...] = ()
    # (I, N): this run takes the I-th of N shares of the videos, I from 0.
    part: tuple[int, int] | None = None
    # Single files in the data folder, or shards of so many clips at a path or URL (None: in the data folder).
    output_format: OutputFormat = "files"
    output: str | None = None
    samples_per_shard: int = 1000
    # Who does the work: the threads of this process, or Spark's machines.
    engine: EngineName = "threads"
    spark_master: str = "local[*]"
    wandb: bool = False
    # Whether a user is told nothing but warnings, errors and the last summary.
    quiet: bool = False
    # Where progress is written for Prometheus; and whether a report is written at the end.
    metrics_file: Path | None = None
    report: bool = False

"""The values that travel between the rooms: frozen, picklable, without behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Cut = Literal["exact", "copy"]
VideoFormat = Literal["mp4", "mkv"]
AudioFormat = Literal["wav", "flac", "m4a"]
Check = Literal["decode", "packets"]
Status = Literal["done", "failed", "blocked"]


@dataclass(frozen=True)
class Clip:
    """Seconds ``start``..``end`` of one video (``end`` None: to its end); ``id`` names its files."""

    id: str
    video: str
    start: float
    end: float | None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Video:
    """One video and the clips wanted of it; ``url`` is what yt-dlp is asked for, None where nobody can be."""

    id: str
    url: str | None
    clips: tuple[Clip, ...]


@dataclass(frozen=True)
class Identity:
    """Who asks: the bare connection (``proxy`` None) or a proxy's URL, as a guest or with a cookie file."""

    proxy: str | None = None
    cookies: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """How one try of one clip ended.

    ``reason`` is a key of errors.REASONS (empty when done), ``detail`` the words of whoever complained,
    ``attempts`` how many tries were charged so far, ``facts`` what the manifest says of a finished clip.
    ``asked``: whether a site was asked, or only this machine searched; ``reached``: whether it answered at all;
    ``identity`` tells whose cookies were refused.
    """

    clip: Clip
    status: Status
    reason: str = ""
    detail: str = ""
    permanent: bool = False
    attempts: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    asked: bool = True
    reached: bool = True
    identity: str | None = None


@dataclass(frozen=True)
class Settings:
    """Every knob of a run. Rates are bytes a second, sizes bytes, times seconds; None means no limit."""

    data_dir: Path
    workers: int = 4
    rate_limit: int | None = 50 * 1024
    retry_attempts: int = 5
    sleep: float = 3.0
    quality: int = 360
    max_videos: int | None = None
    splits: tuple[str, ...] = ()
    cut: Cut = "exact"
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
    allow_silent: bool = False
    allow_mixed: bool = False
    ffmpeg: Path | None = None
    # Folders, zips and tars that may hold clips already.
    archives: tuple[Path, ...] = ()
    keep_archives: bool = False
    # Which edition of its annotations a dataset is read from, and whose videos are whose on YouTube.
    annotations: str = ""
    id_map: Path | None = None
    # (I, N): this run takes the I-th of N shares of the videos, I from 0.
    shard: tuple[int, int] | None = None

"""What a run's settings want of this machine: packages for the list and the store, files for what is asked for."""

from __future__ import annotations

from pathlib import Path

from ..core.settings import Settings
from ..sources.archive_member import FILMS, SOUNDS

# The drivers of stores that fsspec has none for itself.
_DRIVERS = {
    **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("abfs", "abfss", "az"), "adlfs"),
}


def needs_of(settings: Settings) -> dict[str, str]:
    """The modules that the list and the store of these settings want, each with what for."""
    found = {}
    words = settings.clip_list if isinstance(settings.clip_list, tuple) else (settings.clip_list or "",)
    endings = {Path(word).suffix for word in words}
    if ".parquet" in endings:
        found["pyarrow.parquet"] = "parquet files are read"
    elif endings & {".zst", ".zstd"}:
        found["pyarrow"] = "zst files are unpacked"
    scheme = (settings.output or "").partition("://")[0]
    if settings.output_format != "files" and (driver := _DRIVERS.get(scheme)):
        found[driver] = f"{scheme}:// is reached"
    return found


def endings_of(settings: Settings) -> tuple[str, ...]:
    """The files that can be a clip's, the best first: of the sound alone, what loses least."""
    if settings.media == "both":
        return FILMS
    own = f".{settings.audio_format}"
    return tuple(dict.fromkeys((own, *SOUNDS, *FILMS)))

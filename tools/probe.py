"""What other people's releases do to us, as JSON: run in an environment, it looks at what is installed there.

Against the stand-in YouTube of the tests: which clients yt-dlp asks, in what words each refusal comes out and what
we read in them, which fields a format has; and what the readers of the field make of our shards.

    python -m tools.probe > probed.json
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from avclips.core.clock import Clock
from avclips.core.errors import ClipError
from avclips.core.model import Clip, Video
from avclips.core.settings import Identity, Settings
from avclips.shards.sample import Sample
from avclips.shards.table_writer import write_rows
from avclips.shards.tar_writer import write_tar
from avclips.sources.youtube import YouTube, javascript_runtime
from tests.standin.fake_youtube import CASES, FakeVideo, FakeYouTube, Media

Json = dict[str, Any]

ID = "abc-_DEF123"
ADDRESS = f"https://www.youtube.com/watch?v={ID}"
SMALL = Media(duration=6, width=64, height=36, gop_seconds=2)
EVERYTHING = FakeVideo(SMALL, itags=(134, 140, 243, 251, 18, "hls-ts", "hls-fmp4"))
# A signed-in session, as far as yt-dlp looks.
COOKIES = "# Netscape HTTP Cookie File\n" + "".join(
    f".youtube.com\tTRUE\t/\tTRUE\t4102444800\t{name}\tx\n"
    for name in ("LOGIN_INFO", "SAPISID", "__Secure-3PAPISID")
)
PACKAGES = ("yt-dlp", "yt-dlp-ejs", "imageio-ffmpeg", "webdataset", "pyarrow", "datasets")


def probe(folder: Path) -> Json:
    """Everything that the record holds; ``folder`` keeps the stand-in's media."""
    return {
        "versions": versions(),
        "asks": {"guest": asked(folder, None), "with cookies": asked(folder, COOKIES)},
        "refusals": refusals(folder),
        "formats": formats(folder),
        "readers": readers(),
    }


def versions() -> dict[str, str | None]:
    """What is installed."""
    found: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    said = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-version"], capture_output=True, text=True).stdout
    return found | {"ffmpeg": said.split()[2], "JavaScript": javascript_runtime()}


def _reader(site: FakeYouTube, cookies: str | None = None) -> YouTube:
    return YouTube(Settings(Path()), Clock(), Identity(site.proxy), cookies, {"nocheckcertificate": True})


def asked(folder: Path, cookies: str | None) -> list[str]:
    """The requests of one extraction that went well, in their order, and the formats that we chose."""
    with FakeYouTube(folder, {ID: FakeVideo(SMALL)}) as site:
        youtube = _reader(site, cookies)
        streams = youtube.describe(Video(ID, ADDRESS, ()))
        youtube.close()
        lines = [
            f"{each.method} {each.host}{each.path.partition('?')[0]}"
            + (f" as {each.client}" if each.client else "")
            for each in site.log
        ]
    return [*lines, f"chosen: {streams.format_id}"]


def _named(client: str | None) -> str:
    return f" as {client}" if client else ""


def refusals(folder: Path) -> dict[str, list[str]]:
    """By the stand-in's case: what yt-dlp said, what it warned of, and what we read in that."""
    found = {}
    for name, case in CASES.items():
        if case.plays and not case.details and case.page_status == 200:
            continue
        with FakeYouTube(folder, {ID: FakeVideo(SMALL, case=name)}) as site:
            youtube = _reader(site)
            try:
                youtube.describe(Video(ID, ADDRESS, ()))
                lines = ["no error"]
            except ClipError as error:
                said = f"yt-dlp: {_plain(error.__cause__)}" if error.__cause__ else "yt-dlp: no error"
                lines = [f"we: {type(error).__name__} {error.reason}", said]
            lines += [f"warned: {_plain(each)}" for each in youtube._said.warnings]
            youtube.close()
        found[name] = lines
    return found


def _plain(said: object) -> str:
    return re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m", "", str(said))).replace(f"[youtube] {ID}: ", "")


def formats(folder: Path) -> Json:
    """The fields of each format that yt-dlp hands us: words as they are, the rest by kind; and yt-dlp's order."""
    with FakeYouTube(folder, {ID: EVERYTHING}) as site:
        youtube = _reader(site)
        found = youtube._instance().extract_info(ADDRESS, download=False)["formats"]
        youtube.close()
    fields = {each["format_id"]: {key: _kind(value) for key, value in sorted(each.items())} for each in found}
    return {"worst to best": list(fields), **fields}


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "an address" if "://" in value else value
    if isinstance(value, dict):
        return f"dict of {', '.join(sorted(value))}"
    return type(value).__name__


def readers() -> Json:
    """What webdataset, pyarrow and datasets make of a shard of each kind."""
    import pyarrow.parquet
    import webdataset

    with tempfile.TemporaryDirectory() as box, warnings.catch_warnings(action="ignore"):
        tar, parquet = _shards(Path(box))
        sample = next(iter(webdataset.WebDataset(str(tar), shardshuffle=False)))
        found: Json = {"webdataset": {key: type(value).__name__ for key, value in sorted(sample.items())}}
        found["pyarrow"] = {each.name: str(each.type) for each in pyarrow.parquet.read_schema(parquet)}
        for kind, path in (("webdataset", tar), ("parquet", parquet)):
            found[f"datasets, {kind}"] = _by_datasets(kind, path)
    return found


def _by_datasets(kind: str, path: Path) -> Json | None:
    try:
        import datasets
    except ModuleNotFoundError:
        return None
    rows = datasets.load_dataset(kind, data_files=str(path), split="train", streaming=True)
    return {name: str(feature) for name, feature in sorted(rows.features.items())}


def _shards(box: Path) -> tuple[Path, Path]:
    """A tar and a table of one clip, as we write them."""
    for name in ("videos/clip.mp4", "audio/clip.wav"):
        (box / name).parent.mkdir()
        (box / name).write_bytes(b"bytes")
    line = {"status": "done", "video": "videos/clip.mp4", "audio": "audio/clip.wav", "duration": 10.0}
    meta = {"caption": "words", "labels": ["Dog", "Speech"]}
    samples = [Sample(Clip("clip", "video", 0.0, 10.0, meta), line)]
    write_tar(box / "x.tar", samples, box)
    write_rows(box / "x.parquet", samples, box)
    return box / "x.tar", box / "x.parquet"


if __name__ == "__main__":
    logging.disable()
    media = Path(__file__).resolve().parent.parent / ".cache" / "standin"
    media.mkdir(parents=True, exist_ok=True)
    json.dump(probe(media), sys.stdout, indent=1, ensure_ascii=False)

"""A shard's tar (webdataset): its clips with their files.

Knows files; not where they go, or when.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ..core.extras import extra
from ..media.silence import silence
from .members import Layout
from .sample import Sample, info_of, layout_of, row_of, said_of
from .schema import text_of

# Subtitles of a clip that has none, which every reader takes for some that say nothing.
NO_SUBTITLES = b"WEBVTT\n"
SOUNDS = ("wav", "flac", "m4a")


def key_of(clip_id: str) -> str:
    """A clip's name in a tar: webdataset takes what follows the first dot for an ending, and no id has a tilde."""
    return clip_id.replace(".", "~")


def write_tar(path: Path, samples: Sequence[Sample], folder: Path, layout: Layout | None = None) -> None:
    """The clips that are done, each with its files, ID.json and, with a caption, ID.txt. RunError: no webdataset.

    All samples have the same members: Hugging Face refuses a tar of which the first five have not, and
    webdataset's ``to_tuple`` a sample that lacks one. The same clips give the same bytes.
    Source: https://github.com/webdataset/webdataset.
    """
    writer = extra("webdataset.writer", "tars are written").writer
    layout = layout or layout_of(samples, folder)
    with (
        open(path, "wb") as stream,
        writer.TarWriter(stream, encoder=False, mtime=0, format="PAX_FORMAT") as tar,
    ):
        for sample in samples:
            if sample.done:
                tar.write({"__key__": key_of(sample.clip.id), **members_of(sample, folder, layout)})


def members_of(sample: Sample, folder: Path, layout: Layout) -> dict[str, bytes]:
    """The members of a clip that is done, by their endings."""
    files = sample.files(folder)
    if layout.version == 1:
        return _members_of_old(sample, folder)
    found = {
        ending: files[ending].read_bytes() if ending in files else _nothing(ending, sample)
        for ending in layout.endings
    }
    said = said_of(sample, layout)
    if layout.info:
        # The site's words differ from clip to clip: as text they are of one type.
        said["info"] = info_of(sample, folder) or ""
    found["json"] = text_of(said).encode()
    if layout.has_captions:
        caption = sample.clip.meta.get("caption")
        found["txt"] = b"" if caption is None else text_of(caption).encode()
    return found


def _nothing(ending: str, sample: Sample) -> bytes:
    """The member of a clip that lacks a file that others have; its JSON says so."""
    if ending.endswith(".vtt"):
        return NO_SUBTITLES
    # An empty sound cannot be opened.
    return silence(ending, float((sample.line or {}).get("duration") or 0.0)) if ending in SOUNDS else b""


def _members_of_old(sample: Sample, folder: Path) -> dict[str, bytes]:
    """As layout 1 had them: what there is, as it comes."""
    found = {ending: file.read_bytes() for ending, file in sample.files(folder).items()}
    said = row_of(sample)
    if (info := info_of(sample, folder)) is not None:
        said["info"] = json.loads(info)
    found["json"] = text_of(said).encode()
    caption = sample.clip.meta.get("caption")
    if caption is not None:
        found["txt"] = text_of(caption).encode()
    return found

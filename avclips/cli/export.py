"""``avclips export``: a download in the form of Hugging Face, lhotse, VideoFolder or WebDataset."""

from __future__ import annotations

from argparse import Namespace
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..catalog import Sample, questions, samples
from ..catalog.inside import Inside
from ..catalog.qa import has_questions
from ..core.errors import RunError, UsageError
from ..core.signals import Signals
from ..exports.chosen import Exported, read_ids
from ..exports.columns import Question
from ..exports.folder import to_folder
from ..exports.hf import SHARD_BYTES, to_hf
from ..exports.lhotse import to_lhotse
from ..exports.tars import to_webdataset
from ..progress.bar import Progress
from .arguments import size, whole_number
from .parser import Parser

FORMS = ("hf", "lhotse", "videofolder", "webdataset")
# The options of one form alone, with their defaults.
_OF_FORMS = {
    "shard_bytes": ("hf", SHARD_BYTES),
    "samples_per_shard": ("webdataset", 1000),
    "files": ("videofolder", "video"),
    "copy": ("videofolder", False),
}


def parser() -> Parser:
    """The options of the command."""
    made = Parser(
        prog="avclips export",
        description="Write the clips that are done in the form of others. The same command goes on where it "
        "stopped, and adds what came since (not to webdataset's tars).",
        epilog="hf: parquet for datasets.load_dataset, with a card. lhotse: recordings, supervisions and cuts. "
        "videofolder: files and metadata.jsonl by split, for VideoFolder or AudioFolder of Hugging Face. "
        "webdataset: tars. See docs/exports.md.",
        allow_abbrev=False,
    )
    made.add_argument(
        "source", metavar="DIR", help="a data folder, or an output of shards (a folder or an address)"
    )
    made.add_argument("--to", required=True, choices=FORMS, help="the form")
    made.add_argument(
        "--output", required=True, type=Path, metavar="PATH", help="a new folder, or one of this export"
    )
    made.add_argument("--splits", nargs="+", default=[], metavar="SPLIT", help="clips of these splits (all)")
    made.add_argument("--ids", type=Path, metavar="FILE", help="these clips: an id a line, or a JSON list (all)")
    made.add_argument("--shard-bytes", type=size, metavar="SIZE", help="hf: media in a file (500M)")
    made.add_argument("--samples-per-shard", type=whole_number(1), metavar="N", help="webdataset: in a tar (1000)")
    made.add_argument("--files", choices=("video", "audio"), help="videofolder: which files (video)")
    made.add_argument("--follow-links", action="store_true", help="take files that are links to elsewhere, too")
    made.add_argument("--copy", action="store_true", default=None, help="videofolder: copies, not hard links")
    return made


def run(options: Namespace, signals: Signals) -> int:
    """Write the export, and say what is in it; 0, or an error."""
    for name, (form, default) in _OF_FORMS.items():
        if getattr(options, name) is None:
            setattr(options, name, default)
        elif options.to != form:
            raise UsageError(f"--{name.replace('_', '-')} goes with --to {form}")
    clips = _Source(options.source, options.follow_links)
    about: dict[str, Any] = {"ids": None if options.ids is None else read_ids(options.ids)}
    about["splits"] = [split for word in options.splits for split in word.split(",") if split]
    about["questions"] = _questions(options.source, clips)
    with Progress("export", None, "clip") as bar:
        about["step"] = lambda _: bar.step()
        if options.to == "hf":
            exported = to_hf(clips, options.output, shard_bytes=options.shard_bytes, **about)
        elif options.to == "lhotse":
            exported = to_lhotse(clips, options.output, **about)
        elif options.to == "videofolder":
            exported = to_folder(clips, options.output, files=options.files, copy=options.copy, **about)
        else:
            exported = to_webdataset(clips, options.output, samples_per_shard=options.samples_per_shard, **about)
    for line in told(exported):
        print(line)
    return 0


class _Source:
    """The clips of a download, read anew each time; RunError at a file that is a link to elsewhere.

    A folder may be a stranger's, and an export is made to be given away.
    """

    def __init__(self, source: str, follow: bool = False) -> None:
        self._source = source
        self._inside = None if follow else Inside(source)

    def __iter__(self) -> Iterator[Sample]:
        for sample in samples(self._source):
            for place in sample.files.values():
                if (
                    self._inside is not None
                    and not self._inside.holds(place.path)
                    and Path(place.path).is_symlink()
                ):
                    raise RunError(
                        f"{place.path} is a link that leads out of {self._source}",
                        "look what it leads to; --follow-links takes what is behind such links, too",
                    )
            yield sample


def _questions(source: str, clips: _Source) -> dict[str, list[Question]]:
    """The questions of each clip, where the dataset has any and the folder is one that knows them."""
    first = next(iter(clips), None)
    found: dict[str, list[Question]] = defaultdict(list)
    if first is not None and has_questions(first.dataset) and Path(source, "metadata").is_dir():
        for each in questions(source):
            found[each["clip_id"]].append(each)
    return found


def told(exported: Exported) -> Iterator[str]:
    """What an export holds, in words."""
    for split in sorted(exported.listed):
        named = f"{split}: " if split else ""
        yield f"{named}{exported.clips[split]:,} of {exported.listed[split]:,} clips"
    if exported.without:
        counts = ", ".join(f"{why} {count:,}" for why, count in exported.without.most_common())
        yield f"not here: {counts}"
    if exported.left_out:
        first, why = next(iter(exported.left_out.items()))
        yield f"left out: {len(exported.left_out):,} clips that are here; {first}: {why}"
    if exported.unknown:
        yield f"{len(exported.unknown):,} of the ids name no clip, {exported.unknown[0]} is one"
    yield f"{exported.written:,} files written, {exported.kept:,} were there -> {exported.output}"

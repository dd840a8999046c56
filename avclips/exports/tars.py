"""Single files as tars for WebDataset, the same as a download with ``--output-format webdataset`` writes.

Source: https://github.com/webdataset/webdataset.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from ..catalog.endings import ending_of, kind_of
from ..catalog.places import is_file
from ..catalog.sample import Sample
from ..core.errors import RunError, UsageError
from ..core.extras import extras
from ..core.files import UNFINISHED
from ..core.model import Clip
from ..shards.layout import Output
from ..shards.sample import Sample as Written
from ..shards.shard import cut
from ..shards.storage import Remote
from .chosen import Chosen, Exported, Step, see_names, split_name
from .columns import Question, questions_of
from .content import file_name, put
from .target import exclusive

_MEDIA = ("video", "audio", "frame")
_SUBTITLES = "subtitles."


@dataclass
class _Split:
    """Of which dataset the samples of a split are, and which files they have."""

    dataset: str
    endings: set[str] = field(default_factory=set)
    info: bool = False


def to_webdataset(
    samples: Iterable[Sample],
    output: Path | str,
    *,
    samples_per_shard: int = 1000,
    splits: Sequence[str] = (),
    ids: Iterable[str] | None = None,
    questions: Mapping[str, Sequence[Question]] | None = None,
    step: Step | None = None,
) -> Exported:
    """Write ``SPLIT/NNNNN.tar`` of ID.mp4, ID.wav, ID.json and ID.txt (a caption), with tables and stats beside.

    Shards that are there stay. UsageError where they were made of other clips, and where samples are in tars
    already and no ``splits`` or ``ids`` are asked for. ``splits``, ``ids``, ``questions``, ``step``: as of
    ``to_hf``; ``samples`` is gone through once, and twice more for each split. RunError.
    """
    extras(
        {
            "webdataset.writer": "tars are written",
            "pyarrow.parquet": "tables are written",
            "fsspec.core": "shards are written",
        }
    )
    asked, exported, of_clips = Chosen(samples, splits, ids), Exported(Path(output)), questions or {}
    with exclusive(exported.output, "webdataset") as folder:
        found: dict[str, _Split] = {}
        in_tars: set[str] = set()
        for split, sample in asked.count(exported):
            _look(found.setdefault(split, _Split(sample.dataset)), sample)
            exported.clips[split] += 1
            in_tars.update({place.path for place in sample.files.values() if place.path.endswith(".tar")})
        if not found:
            raise RunError(
                "no clip of those that were asked for is here", "download some first: avclips status DIR"
            )
        if in_tars and not splits and ids is None:
            hint = "webdataset reads them as they are; --splits or --ids write some of them anew"
            raise UsageError(f"these clips are in tars already, {min(in_tars)} is one", hint)
        see_names(found)
        for split, about in found.items():
            _write(folder, split, about, asked, of_clips, samples_per_shard, exported, step)
    return exported


def _look(about: _Split, sample: Sample) -> None:
    for kind, place in sample.files.items():
        if kind in _MEDIA:
            about.endings.add(ending_of(kind, place))
        elif kind.startswith(_SUBTITLES):
            about.endings.add(f"{kind.removeprefix(_SUBTITLES)}.vtt")
        about.info = about.info or kind == "info"


def _write(
    folder: Path,
    split: str,
    about: _Split,
    asked: Chosen,
    of_clips: Mapping[str, Sequence[Question]],
    size: int,
    exported: Exported,
    step: Step | None,
) -> None:
    """The shards of one split."""
    output = Output(Remote(str(folder / split_name(split))), "webdataset")
    waiting: dict[str, Sample] = {}

    def clips() -> Iterator[Clip]:
        waiting.clear()
        for each, sample in asked.done():
            if each == split:
                waiting[sample.id] = sample
                yield _clip(split, sample, of_clips)

    endings = tuple(sorted(about.endings, key=_place_of))
    output.plan(clips(), size, {"dataset": about.dataset, "split": split}, endings, about.info)
    finished = output.finished()
    for shard in cut(clips(), size):
        taken = [(clip, waiting.pop(clip.id)) for clip in shard.clips]
        if shard.number in finished:
            exported.kept += 1
        else:
            with TemporaryDirectory(dir=folder, prefix=".", suffix=UNFINISHED) as scratch:
                written = [Written(clip, _line(sample, Path(scratch))) for clip, sample in taken]
                exported.written += output.write(shard.number, written, folder, Path(scratch))
        if step is not None:
            for _, sample in taken:
                step(sample)


def _place_of(ending: str) -> tuple[int, str]:
    """Where a file stands in a sample: as a download has them, picture, sound, still and subtitles."""
    kind = kind_of(ending) or ""
    return (_MEDIA.index(kind) if kind in _MEDIA else len(_MEDIA)), ending


def _clip(split: str, sample: Sample, of_clips: Mapping[str, Sequence[Question]]) -> Clip:
    """A sample as its list would have had it."""
    meta = dict(sample.meta)
    if sample.labels:
        meta["labels"] = list(sample.labels)
    if sample.captions:
        meta |= {"caption": sample.captions[0], "captions": list(sample.captions)}
    if split:
        meta["split"] = split
    if asked := questions_of(of_clips, sample, split):
        meta["questions"] = asked
    return Clip(sample.id, sample.video, sample.start, sample.end, meta)


def _line(sample: Sample, scratch: Path) -> dict[str, object]:
    """A sample as a manifest has it, with the paths of its files; those in shards are written out."""
    line = {**sample.facts, "id": sample.id, "status": "done", "subtitles": {}}
    subtitles: dict[str, str] = {}
    for kind, place in sample.files.items():
        path = Path(place.path)
        if not is_file(place):
            path = scratch / file_name(sample.id, kind.replace(_SUBTITLES, ""), place)
            put(place, path)
        if kind.startswith(_SUBTITLES):
            subtitles[kind.removeprefix(_SUBTITLES)] = str(path.absolute())
        elif kind in (*_MEDIA, "info"):
            line[kind] = str(path.absolute())
    return line | {"subtitles": subtitles}

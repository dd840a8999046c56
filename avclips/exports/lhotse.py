"""Manifests for lhotse: recordings, supervisions and cuts that point to the sound of each clip.

Source: the classes Recording, SupervisionSegment and MonoCut of https://github.com/lhotse-speech/lhotse, whose
``to_dict`` a line is. The picture is in ``custom["video"]`` of a cut: lhotse 1.33 reads video by torchaudio's
StreamReader, which torchaudio 2.9 dropped; and a recording that has the picture as a second source cannot load its
sound.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from ..catalog.places import is_file
from ..catalog.sample import Sample
from ..core.errors import RunError, UsageError
from ..core.files import unfinished
from .chosen import Chosen, Exported, Step, see_names, split_name
from .columns import FIXED, Question, Row, questions_of, row_of
from .target import exclusive

MANIFESTS = ("recordings", "supervisions", "cuts")
# Of a cut, what its recording says already.
_OF_RECORDING = frozenset(("id", "samples", "sample_rate", "channels", "duration", "captions"))
_PICTURE = ("video", "frame")


def to_lhotse(
    samples: Iterable[Sample],
    output: Path | str,
    *,
    splits: Sequence[str] = (),
    ids: Iterable[str] | None = None,
    questions: Mapping[str, Sequence[Question]] | None = None,
    step: Step | None = None,
) -> Exported:
    """Write ``recordings_SPLIT.jsonl.gz``, and ``supervisions_`` and ``cuts_`` so, into a folder.

    Without splits there is no ``_SPLIT``. A clip is a recording of its sound, as long as that is; a supervision
    for each of its captions, or one without text; and a cut. Its other columns are in ``custom``. Paths are
    absolute. Clips without a file of sound are left out. ``splits``, ``ids``, ``questions``, ``step``: as of
    ``to_hf``. Needs no lhotse. RunError; UsageError where the clips are in shards.
    """
    asked, exported = Chosen(samples, splits, ids), Exported(Path(output))
    with exclusive(exported.output, "lhotse") as folder, ExitStack() as stack:
        files: dict[str, dict[str, IO[str]]] = {}
        for split, sample in asked.count(exported):
            lines = _lines(split, sample, questions or {}, exported)
            if lines is None:
                continue
            if split not in files:
                see_names([*files, split])
                paths = {
                    name: folder / f"{name}{f'_{split_name(split)}' if split else ''}.jsonl.gz" for name in lines
                }
                files[split] = {name: stack.enter_context(_lines_of(path)) for name, path in paths.items()}
            exported.clips[split] += 1
            for name, rows in lines.items():
                files[split][name].writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            if step is not None:
                step(sample)
        if not files:
            raise RunError("no clip with a file of sound is here", "download some first: avclips status DIR")
        exported.written = len(MANIFESTS) * len(files)
    return exported


def _lines(
    split: str, sample: Sample, questions: Mapping[str, Sequence[Question]], exported: Exported
) -> dict[str, list[Row]] | None:
    """What the manifests say of a clip; None where it has no sound."""
    sound, facts = sample.files.get("audio"), sample.facts
    if sound is None:
        exported.left_out[sample.id] = "it has no file of sound"
        return None
    if not is_file(sound):
        hint = "webdataset reads tars; or write them out with --to videofolder --files audio"
        raise UsageError("lhotse's manifests point to single files, and these clips are in shards", hint)
    rate, count = facts.get("sample_rate"), facts.get("samples")
    if not rate or not count:
        exported.left_out[sample.id] = "nothing says how long its sound is (avclips verify measures it)"
        return None
    channels = list(range(facts.get("channels") or 1))
    path = str(Path(sound.path).absolute())
    recording = {
        "id": sample.id,
        "sources": [{"type": "file", "channels": channels, "source": path}],
        "sampling_rate": rate,
        "num_samples": count,
        "duration": count / rate,
        "channel_ids": channels,
    }
    custom = _custom(split, sample, questions)
    supervisions = _supervisions(sample, count / rate, channels, custom)
    cut = {"id": sample.id, "start": 0.0, "duration": count / rate, "channel": _channel(channels)}
    cut |= {"supervisions": supervisions, "recording": recording, "custom": custom}
    cut["type"] = "MonoCut" if len(channels) == 1 else "MultiCut"
    return {"recordings": [recording], "supervisions": supervisions, "cuts": [cut]}


def _custom(split: str, sample: Sample, questions: Mapping[str, Sequence[Question]]) -> Row:
    """All else that is known of a clip, without what there is not."""
    said = {name: value for name, value in row_of(sample).items() if name not in _OF_RECORDING}
    said["split"] = split or None
    said |= {kind: str(Path(sample.files[kind].path).absolute()) for kind in _PICTURE if kind in sample.files}
    said["questions"] = questions_of(questions, sample, split)
    return {name: value for name, value in said.items() if value not in (None, [], "", {})}


def _supervisions(sample: Sample, duration: float, channels: Sequence[int], custom: Row) -> list[Row]:
    said: list[Row] = []
    brief = {name: value for name, value in custom.items() if name not in FIXED}
    for number, text in enumerate(sample.captions or (None,)):
        row: Row = {"id": f"{sample.id}-{number}", "recording_id": sample.id, "start": 0.0, "duration": duration}
        row["channel"] = _channel(channels)
        said.append(row | ({} if text is None else {"text": text}) | {"custom": brief})
    return said


def _channel(channels: Sequence[int]) -> int | list[int]:
    return channels[0] if len(channels) == 1 else list(channels)


@contextmanager
def _lines_of(path: Path) -> Iterator[IO[str]]:
    """A compressed file of lines, whole or not at all; the same lines give the same bytes."""
    with unfinished(path) as part, open(part, "wb") as raw:
        # Neither its name nor the time stands in it.
        packed: Any = gzip.GzipFile("", "wb", mtime=0, fileobj=raw)
        with packed, io.TextIOWrapper(packed, encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            yield stream

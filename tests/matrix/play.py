"""Cells played on the real script: many clips of many sources in one run for each kind of run, and their verdicts.

YouTube's are served by the stand-in, those of other sites by a static site each behind the same proxy.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.matrix import media
from tests.matrix.cells import Cell, grouped, written
from tests.matrix.judge import Came, Shape, Verdict, judge
from tests.matrix.layouts import Made, Spec, make
from tests.matrix.rules import SOURCE
from tests.matrix.truth import NotAsMeant, Truth, truth
from tests.standin.fake_media import Media
from tests.standin.fake_player import FakeVideo
from tests.standin.fake_proxy import Answer, FileBody, Head, ranged, refusal
from tests.standin.fake_youtube import FakeYouTube
from tests.support.script import ROOT, Stage, usual_signals

SCRIPT = ROOT / "download_clips.py"
DURATION, LONG = 30, 70
"""Seconds of a source, and of one that holds a clip of a minute."""
# Twenty videos of YouTube that fail in a row are taken for trouble of the run's own: fewer share one.
AT_ONCE = 48
_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl", ".mpd": "application/dash+xml", ".mp4": "video/mp4",
    ".m4s": "video/iso.segment", ".ts": "video/mp2t", ".aac": "audio/aac", ".webm": "video/webm",
    ".mkv": "video/x-matroska", ".flv": "video/x-flv", ".avi": "video/x-msvideo", ".mpg": "video/mpeg",
}  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """A cell, what came of it and why, and the row of the list that asked for it."""

    cell: Cell
    verdict: Verdict
    why: Sequence[str]
    row: str

    @property
    def kinds(self) -> list[str]:
        """What is at fault: "pictures", "sound", "m4a", "beside", "refused"."""
        return [each.partition(":")[0] for each in self.why] if self.verdict == "fault" else []

    def __str__(self) -> str:
        return f"{self.verdict:7} --only {written(self.cell)}\n        {self.row}: {'; '.join(self.why)}"


@dataclass(frozen=True)
class OwnVideo(FakeVideo):
    """A video of the stand-in whose streams are files of the matrix, by itag with their MIME types."""

    own: Mapping[int, tuple[Path, str]] = field(default_factory=dict)

    def offered(self) -> list[int]:
        return list(self.own)

    def file(self, folder: Path, itag: int, seed: int = 0) -> Path:
        return self.own[itag][0]

    def streams(self, itag: int) -> list[tuple[dict[str, Any], int]]:
        return [({"mimeType": self.own[itag][1]}, 0)]


class Static:
    """A site that serves a folder, with ranges."""

    def __init__(self, folder: Path, host: str) -> None:
        self._folder, self._host = folder, host

    def knows(self, host: str) -> bool:
        return host == self._host

    def answer(self, head: Head) -> Answer:
        path = self._folder / urlsplit(head.path).path.lstrip("/")
        if not path.is_file():
            return refusal(404)
        return ranged(head, FileBody(path), _TYPES.get(path.suffix, "application/octet-stream"))


def spec_of(cell: Cell) -> Spec:
    """The source of a cell."""
    return Spec(**{name: cell[name] for name in SOURCE}, duration=LONG if cell["length"] == "60" else DURATION)


def shape_of(cell: Cell, spec: Spec, known: Truth) -> Shape:
    """The seconds that a cell asks for, as a list gives them: to the microsecond."""
    start = _start(cell["at"], spec, known)
    end = start + Fraction(cell["length"])
    start, end = (Fraction(round(second * 1_000_000), 1_000_000) for second in (start, end))
    rate = None if cell["audio_rate"] == "own" else int(cell["audio_rate"])
    return Shape(start, end, cell["cut"], cell["media"], cell["video_format"], cell["audio_format"], rate)


def _start(at: str, spec: Spec, known: Truth) -> Fraction:
    if at == "border":
        if spec.gop == "long":
            return Fraction(15, 2)
        return next((p.time for p in known.pictures if p.key and p.time >= 8), Fraction(8))
    if at == "packet":
        step = Fraction(media.PACKETS.get(spec.sound, 1152), known.sound.rate)
        return known.sound.begins + step * int(9 / step)
    if at == "late":
        return Fraction(int(known.ends)) - Fraction(17, 10)
    fixed = {"middle": "12.5", "zero": "0", "fraction": "7.0333", "past": str(spec.duration + 3)}
    return Fraction(fixed[at])


def play(
    cells: Sequence[Cell], keep: Path | None = None, tell: Callable[[Judged], object] = lambda judged: None
) -> list[Judged]:
    """Run the script on all cells, in as few runs as their options let; the verdicts in the cells' order.

    A cell whose source is not as it was meant to be has none.
    """
    specs = list(dict.fromkeys(map(spec_of, cells)))
    with ThreadPoolExecutor(2) as pool:
        made = dict(zip(specs, pool.map(make, specs), strict=True))
    batches = [
        group[at : at + AT_ONCE] for group in grouped(cells).values() for at in range(0, len(group), AT_ONCE)
    ]
    found: dict[int, Judged] = {}
    # Here, in the main thread: others may not change signals.
    with usual_signals(), ThreadPoolExecutor(2) as pool:
        for judged in pool.map(lambda batch: _batch(batch, made, keep), batches):
            for each in judged:
                tell(each)
                found[id(each.cell)] = each
    return [found[id(cell)] for cell in cells if id(cell) in found]


def _batch(cells: Sequence[Cell], made: Mapping[Spec, Made], keep: Path | None) -> list[Judged]:
    """Cells of one run."""
    whole = {spec: _known(spec, made[spec]) for spec in dict.fromkeys(map(spec_of, cells))}
    cells = [cell for cell in cells if whole[spec_of(cell)] is not None]
    if not cells:
        return []
    specs = [spec_of(cell) for cell in cells]
    known = [found for spec in specs if (found := whole[spec]) is not None]
    shapes = [shape_of(cell, spec, each) for cell, spec, each in zip(cells, specs, known, strict=True)]
    addresses = [
        f"mx{number:09}" if made[spec].itags else _address(number, made[spec]) for number, spec in enumerate(specs)
    ]
    rows = [
        f"c{number},{address},{float(shape.start):.6f},{float(shape.end):.6f}"
        for number, (address, shape) in enumerate(zip(addresses, shapes, strict=True))
    ]
    with ExitStack() as stack:
        base = Path(tempfile.mkdtemp(prefix="matrix-", dir=keep))
        if keep is None:
            stack.callback(shutil.rmtree, base)
        (base / "list.csv").write_text("\n".join(["id,url,start,end", *rows, ""]))
        came = _run(base, addresses, [made[spec] for spec in specs], specs, cells[0])
        return [
            Judged(cell, *judge(spec, each, shape, got), row)
            for cell, spec, each, shape, got, row in zip(cells, specs, known, shapes, came, rows, strict=True)
        ]


def _known(spec: Spec, made: Made) -> Truth | None:
    try:
        return truth(spec, made)
    except NotAsMeant as error:
        print(f"left out: {error}", flush=True)
        return None


def _address(number: int, made: Made) -> str:
    return f"https://site{number}.example/{made.entry}"


def _run(
    base: Path, addresses: Sequence[str], made: Sequence[Made], specs: Sequence[Spec], cell: Cell
) -> list[Came]:
    videos: dict[str, FakeVideo] = {}
    sites = []
    for address, each, spec in zip(addresses, made, specs, strict=True):
        if each.itags:
            videos[address] = OwnVideo(Media(duration=spec.duration), own=each.itags)
        else:
            sites.append(Static(each.folder, urlsplit(address).hostname or ""))
    options: list[str | Path] = [base / "list.csv", "--id-col", "id", "--retry-attempts", "1", "--workers", "2"]
    options += ["--videos-per-hour", "0", "--media", cell["media"], "--audio-format", cell["audio_format"]]
    options += ["--cut", cell["cut"], "--video-format", cell["video_format"]] if cell["media"] == "both" else []
    options += ["--audio-rate", cell["audio_rate"]] if cell["audio_rate"] != "own" else []
    with FakeYouTube(base / "fake", videos, sites=sites) as youtube:
        stage = Stage(youtube, base, script=SCRIPT)
        said = stage.start(*options, scale=600.0).end(timeout=900.0)
        assert "Traceback" not in said.said and said.code in (0, 3), said.said[-3000:]
    return _came(stage, cell, len(addresses))


def _came(stage: Stage, cell: Cell, count: int) -> list[Came]:
    """What the data folder says of each clip."""
    failed = json.loads((stage.data / "failed_downloads.json").read_text())
    said = {line["id"]: line for line in stage.manifest}
    found = []
    for name in (f"c{number}" for number in range(count)):
        video = stage.data / "videos" / f"{name}.{cell['video_format']}"
        audio = stage.data / "audio" / f"{name}.{cell['audio_format']}"
        why = failed.get(name, {"reason": "nothing", "error": "neither a file nor a failure"})
        files = video if video.exists() else None, audio if audio.exists() else None
        found.append(Came(*files, why["reason"], why["error"], said.get(name, {}).get("encode")))
    return found

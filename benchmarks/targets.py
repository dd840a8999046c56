"""What is to be reached, what was measured, and whether it is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .figures import Figure, Figures, figure
from .loaders import Loading
from .many import LongList, Spark
from .runs import Limited, Scaling, Sharing


@dataclass(frozen=True)
class Row:
    """One target. ``most``: the figure may be at most that; else ``least``. ``form``: how it is written."""

    title: str
    found: Figure
    most: float | None = None
    least: float | None = None
    form: str = ".2f"
    unit: str = ""

    @property
    def reached(self) -> bool:
        """Whether it is."""
        return self.found.value <= self.most if self.most is not None else self.found.value >= (self.least or 0.0)

    @property
    def target(self) -> str:
        """The target in words."""
        words, number = ("at least", self.least) if self.most is None else ("at most", self.most)
        return f"{words} {number:g}{self.unit}"


@dataclass(frozen=True)
class Alone:
    """What was measured of us alone; None where it was left out."""

    scaling: Scaling | None = None
    starts: Sequence[tuple[int, Sequence[float]]] = ()
    limited: Limited | None = None
    sharing: Sequence[Sharing] = ()
    shards: Sequence[float] = ()
    spark: Spark | None = None
    long_list: LongList | None = None
    loading: Loading | None = None


def rows(figures: Figures, alone: Alone) -> list[Row]:
    """All targets of which something was measured."""
    return [
        *_bytes(figures),
        *_sharing(alone),
        *_cpu(figures),
        *_time(figures),
        *_large(alone),
        *_many(alone),
        *_loading(alone),
    ]


def _bytes(figures: Figures) -> list[Row]:
    wanted = [
        ("media bytes / bytes of the covering fragments, 10 minutes", _of(figures, "near", "over covering"), 1.05),
        ("the same, 3 hours", _of(figures, "hours", "over covering"), 1.10),
        ("media bytes / yt-dlp sections", figures.ratio("near", "copy", "sections", "media bytes"), 0.55),
        ("media requests a clip, 10 minutes", _of(figures, "near", "media requests"), 4),
        ("the same, 3 hours", _of(figures, "hours", "media requests"), 4),
    ]
    return [Row(title, found, most=most) for title, found, most in wanted if found]


def _sharing(alone: Alone) -> list[Row]:
    ours = [each.extractions for each in alone.sharing if each.way == "copy"]
    return [Row("extractions for two clips of one video", figure(ours), most=1, form=".0f")] if ours else []


def _cpu(figures: Figures) -> list[Row]:
    ratios = [
        ("CPU, copy + WAV, `--check packets` / sections child process + WAV", "copy", "sections", 0.25),
        ("the same / sections in Python + WAV", "copy", "library", 0.6),
        ("CPU, copy + WAV, every picture decoded / sections child process + WAV", "decode", "sections", 0.5),
        ("CPU, exact, `--check packets` / `--encode all`", "exact", "exact all", 0.35),
        ("the same, every picture decoded", "exact decode", "exact all", 0.5),
        ("CPU, exact / sections with `--force-keyframes-at-cuts` + WAV", "exact", "sections exact", 0.25),
    ]
    found = [
        Row(title, ratio, most=most)
        for title, way, other, most in ratios
        if (ratio := figures.ratio("near", way, other, "cpu"))
    ]
    if size := figures.ratio("near", "exact", "exact all", "film bytes"):
        found.append(Row("bytes of an mp4, exact / `--encode all`", size, most=0.6))
    speeds = [
        ("clips a second and core, copy, `--check packets`", "copy", 10),
        ("the same, every picture decoded", "decode", 5),
        ("the same, `--cut exact --check packets`", "exact", 4),
    ]
    for title, way, least in speeds:
        if speed := figures.of("near", way, "a second and core"):
            found.append(Row(title, speed, least=least))
    return found


def _time(figures: Figures) -> list[Row]:
    title = "time a clip at 50 ms and 2 MB/s, one worker / sections child process"
    ratio = figures.ratio("far", "copy", "sections", "wall")
    return [Row(title, ratio, most=0.8)] if ratio else []


def _large(alone: Alone) -> list[Row]:
    found = []
    if alone.scaling:
        scaling = alone.scaling
        most = f"{scaling.clips:,} clips"
        found.append(
            Row(f"engine and store alone, {most}, a second", figure([1 / scaling.many]), least=2000, form=",.0f")
        )
        title = f"cost of a clip with {most} / with 1,000"
        found.append(Row(title, figure([scaling.many / scaling.few]), most=1.2))
    for count, seconds in alone.starts:
        most_seconds = 1.5 if count > 60_000 else 2.0
        found.append(
            Row(f"start on a folder with {count:,} done clips", figure(seconds), most=most_seconds, unit=" s")
        )
    if alone.limited:
        title = "time at 50K and 4 workers / bytes by that rate"
        found.append(Row(title, figure([alone.limited.took / alone.limited.due]), most=1.10))
    return found


def _many(alone: Alone) -> list[Row]:
    found = []
    if alone.shards:
        found.append(Row("time of clips in a shard / in single files", figure(alone.shards), most=1.05))
    if alone.spark:
        pairs = [two / one for one, two in zip(alone.spark.one, alone.spark.two, strict=True)]
        found.append(Row("clips a second by Spark, local[2] / local[1], 50 ms away", figure(pairs), least=1.8))
    if alone.long_list:
        long = alone.long_list
        # DuckDB sorts it within a limit: ten million take no more. A short one is Python's alone.
        title = f"memory to hand out a list of {long.rows:,} rows"
        found.append(Row(title, figure([long.peak]), most=250.0, form=".0f", unit=" MB"))
    return found


def _loading(alone: Alone) -> list[Row]:
    if not alone.loading:
        return []
    found = alone.loading
    return [
        Row("clips a second, AVQADataset / a plain PyAV loop, eight frames", figure(found.files), least=0.9),
        Row("the same, every frame", figure(found.every_frame), least=0.9),
        Row("samples a second, ShardDataset / webdataset, bytes", figure(found.shards), least=1.0),
        Row("the same, eight frames and sound decoded", figure(found.decoded), least=1.0),
    ]


def _of(figures: Figures, setting: str, measure: str) -> Figure | None:
    return figures.of(setting, "copy", measure)

"""The extractors, by name: what each gives, where its weights come from, and under which licence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ...core.errors import UsageError
from ...core.suggest import did_you_mean

if TYPE_CHECKING:
    from .extractor import Extractor

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32"]


@dataclass(frozen=True)
class Loading:
    """How models are loaded and run. ``weights``: a file for an extractor, by the extractor's name."""

    device: Device = "auto"
    batch: int = 32
    precision: Precision = "auto"
    weights: tuple[tuple[str, Path], ...] = ()

    def weights_of(self, name: str) -> Path | None:
        """The file that was named for this extractor."""
        return dict(self.weights).get(name)


@dataclass(frozen=True)
class Row:
    """One kind of extractor, for people; ``module`` has ``load(argument, name, loading)``.

    ``argument``: what stands behind "NAME:", "" where nothing does.
    """

    name: str
    argument: str
    module: str
    modality: str
    layers: str
    dims: str
    rate: str
    weights: str
    licence: str


ROWS = (
    Row(
        "classic", "", "classic", "audio and video", "5 + 5", "25 to 170", "16 kHz, 16 pictures a second", "none",
        "avclips's own",
    ),
    Row(
        "hf", "MODEL", "transformer", "the model's", "its hidden states", "the model's",
        "the model's; of an image model 8 pictures", "a folder, or from the hub", "the model's",
    ),
    Row(
        "torchvision", "NAME", "vision", "video", "5 at most", "the model's", "8 pictures, 16 of a video model",
        "--weights, or torchvision's", "BSD-3-Clause; the weights have their own",
    ),
    Row(
        "vggish", "", "vggish", "audio", "5", "64, 128, 256, 512, 128", "16 kHz, 0.96 s patches", "--weights",
        "Apache-2.0",
    ),
    Row(
        "onnx", "FILE", "onnx_model", "the model's", "its outputs", "the model's", "16 kHz, or 8 pictures",
        "the file", "the model's",
    ),
)  # fmt: skip


def load(name: str, loading: Loading) -> Extractor:
    """The extractor of a name such as "classic" or "hf:facebook/wav2vec2-base". UsageError where there is none."""
    kind, _, argument = name.partition(":")
    rows = {row.name: row for row in ROWS}
    if kind not in rows:
        shown = [row.name + (f":{row.argument}" if row.argument else "") for row in ROWS]
        raise UsageError(
            f"there is no extractor {name!r}{did_you_mean(kind, [*rows])}", f"there are {', '.join(shown)}"
        )
    row = rows[kind]
    if bool(row.argument) != bool(argument):
        wanted = f"{kind}:{row.argument}" if row.argument else kind
        raise UsageError(f"the extractor {name!r} is written {wanted}")
    module = import_module(f".{row.module}", __package__)
    maker: Callable[[str, str, Loading], Any] = module.load
    made: Extractor = maker(argument, name, loading)
    return made


def table() -> Iterator[str]:
    """The rows, for people."""
    for row in ROWS:
        yield row.name + (f":{row.argument}" if row.argument else "")
        for word in ("modality", "layers", "dims", "rate", "weights", "licence"):
            yield f"    {word:<9} {getattr(row, word)}"

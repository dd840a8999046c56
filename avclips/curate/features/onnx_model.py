"""``onnx:FILE``: a model of ONNX with one input, pictures or sound; each of its outputs of numbers is a layer.

Pictures: an input (n, 3, height, width) or (n, height, width, 3), RGB in [0, 1], normalised by ImageNet's mean and
deviation; its size is the model's, or 224 where that is open. Sound: an input (n, samples) or (n, 1, samples),
mono at 16 kHz; as many samples as the model says, cut from the clip one after the other, or the whole clip. n is
open, or 1.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import RunError, UsageError
from ...core.extras import extra
from ...core.redact import one_line
from .extractor import Array, Media, Modality, Pictures, Shape, Sound, Want
from .registry import Loading
from .torch_run import checked_file, short_name

PICTURES_OF_A_CLIP, OPEN_SIDE, RATE = 8, 224, 16_000
# What an output may be to be a layer; others are texts, truth values, and sequences.
_INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
_NUMBERS = frozenset(f"tensor({each})" for each in ("float16", "float", "double", *_INTEGERS))
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def load(argument: str, name: str, loading: Loading) -> OnnxExtractor:
    """The extractor of a file. UsageError where it is none, or its input is neither pictures nor sound."""
    runtime = extra("onnxruntime", "models of ONNX are run")
    path = Path(argument)
    if not path.is_file():
        raise UsageError(f"{name}: there is no such file")
    digest = checked_file(path)
    wanted = {"cuda": "CUDAExecutionProvider", "mps": "CoreMLExecutionProvider", "cpu": "CPUExecutionProvider"}
    there = runtime.get_available_providers()
    if loading.device == "auto":
        providers = [each for each in (wanted["cuda"], wanted["cpu"]) if each in there]
    elif wanted[loading.device] in there:
        providers = [wanted[loading.device]]
    else:
        raise UsageError(f"--device {loading.device}: this onnxruntime has {', '.join(there)}", "--device cpu")
    errors = _errors_of_onnxruntime()
    try:
        session = runtime.InferenceSession(str(path), providers=providers)
    except errors as error:
        raise UsageError(f"{name} is no model that onnxruntime runs: {one_line(error, 200)}") from error
    inputs = session.get_inputs()
    want = _wanted(inputs[0].shape) if len(inputs) == 1 else None
    if want is None:
        shapes = ", ".join(f"{each.name} {each.shape}" for each in inputs)
        raise UsageError(
            f"{name} takes {shapes}",
            "one input of pictures (n, 3, h, w), or of sound (n, samples); n is open, or 1",
        )
    outputs = tuple(each.name for each in session.get_outputs() if each.type in _NUMBERS)
    if not outputs:
        types = ", ".join(f"{each.name} {each.type}" for each in session.get_outputs())
        raise UsageError(f"{name} gives {types}", "at least one output has to be a tensor of numbers")
    identity = {"weights_sha256": digest, "packages": ["onnxruntime"]}
    made = OnnxExtractor(session, want, outputs, errors, identity)
    made.layers = made.shapes(short_name("onnx", argument))
    return made


def _errors_of_onnxruntime() -> tuple[type[Exception], ...]:
    """What onnxruntime raises: classes of its own, which have no base in common, and the binding's."""
    state = vars(importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state"))
    own = (each for each in state.values() if isinstance(each, type) and issubclass(each, Exception))
    return (*own, RuntimeError, ValueError)


def _wanted(shape: Sequence[Any]) -> Want | None:
    if isinstance(shape[0], int) and shape[0] != 1:
        return None
    if len(shape) == 4 and (shape[1] == 3 or shape[3] == 3):
        height, width = shape[2:] if shape[1] == 3 else shape[1:3]
        size = tuple(side if isinstance(side, int) else OPEN_SIDE for side in (width, height))
        return Pictures(count=PICTURES_OF_A_CLIP, size=(size[0], size[1]))
    return Sound(RATE) if len(shape) == 2 or (len(shape) == 3 and shape[1] == 1) else None


@dataclass
class OnnxExtractor:
    """See the module. ``outputs``: those of numbers, by name; ``errors``: what a run may raise."""

    session: Any
    want: Want
    outputs: tuple[str, ...]
    errors: tuple[type[Exception], ...]
    identity: Mapping[str, Any]
    layers: tuple[Shape, ...] = ()
    # A session cannot be pickled.
    apart: bool = False

    @property
    def wants(self) -> tuple[Want, ...]:
        return (self.want,)

    def extract(self, clips: Sequence[Media]) -> list[Array]:
        """For each layer (len(clips), dims) float32; a clip by itself, its pictures or pieces at once."""
        rows = [self._layers(clip.got[self.want]) for clip in clips]
        return [np.stack(column) for column in zip(*rows, strict=True)]

    def shapes(self, name: str) -> tuple[Shape, ...]:
        """The layers, by what comes out of a clip of black and silence."""
        is_picture = isinstance(self.want, Pictures)
        side: Modality = "video" if is_picture else "audio"
        if isinstance(self.want, Pictures) and self.want.size:
            width, height = self.want.size
            empty: Array = np.zeros((PICTURES_OF_A_CLIP, height, width, 3), np.uint8)
        else:
            empty = np.zeros(10 * RATE, np.float32)
        return tuple(Shape(f"{name}/{side}/{at}", side, len(each)) for at, each in enumerate(self._layers(empty)))

    def _layers(self, got: Array) -> list[Array]:
        entry = self.session.get_inputs()[0]
        made = _pictures(got, entry.shape) if isinstance(self.want, Pictures) else _sound(got, entry.shape)
        try:
            # Some were exported for one at a time.
            batches = (
                [made] if not isinstance(entry.shape[0], int) else [made[at : at + 1] for at in range(len(made))]
            )
            # A batch may have a single number.
            found = [
                [*map(np.atleast_1d, self.session.run(self.outputs, {entry.name: batch}))] for batch in batches
            ]
        except self.errors as error:
            hint = "is its input float32, and of a shape that curation gives? see docs/curation-features.md"
            raise RunError(f"the model does not run: {one_line(error)}", hint) from error
        return [_pooled(np.concatenate(outputs)) for outputs in zip(*found, strict=True)]


def _pictures(got: Array, shape: Sequence[Any]) -> Array:
    made = ((got / 255.0 - MEAN) / DEVIATION).astype(np.float32)
    return np.ascontiguousarray(made.transpose(0, 3, 1, 2)) if shape[1] == 3 else made


def _sound(got: Array, shape: Sequence[Any]) -> Array:
    length = shape[-1] if isinstance(shape[-1], int) else len(got)
    padded = np.pad(got, (0, max(0, length - len(got))))
    whole = len(padded) // length
    return padded[: whole * length].reshape((whole, length) if len(shape) == 2 else (whole, 1, length))


def _pooled(output: Array) -> Array:
    """The mean over pictures or pieces, and over place or steps; of (n, channels, ...) or (n, steps, dims)."""
    if output.ndim == 4:
        output = output.mean(axis=(2, 3))
    elif output.ndim == 3:
        output = output.mean(axis=1)
    return np.asarray(output.reshape(len(output), -1).mean(axis=0))

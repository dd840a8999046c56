"""Models of torch as extractors: where they run, in batches that fit, and what names their weights."""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import RunError, UsageError
from ...core.extras import extra
from ...core.files import sha256
from ...core.redact import one_line
from ...progress.console import say
from .extractor import Array, Media, Modality, Shape, Want
from .registry import Loading

# Names of files as torch.hub has them: the first digits of the SHA-256 before the ending.
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.\w+$")


def torch_here() -> Any:
    """The package torch. UsageError says what brings it."""
    return extra("torch", "this extractor's model is run")


def device_of(torch: Any, asked: str) -> Any:
    """The device that was asked for, or the best that is here. UsageError where it is not here."""
    there = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available, "cpu": lambda: True}
    if asked == "auto":
        asked = next(name for name, is_here in there.items() if is_here())
    elif not there[asked]():
        raise UsageError(
            f"--device {asked}: torch {torch.__version__} sees none here", "--device cpu does without"
        )
    return torch.device(asked)


def hash_of(module: Any) -> str:
    """The SHA-256 of a model's parameters and buffers, by name: the same wherever the files came from."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        # Bytes, as numpy does not know every type of torch.
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(extra("torch", "").uint8).numpy().tobytes())
    return digest.hexdigest()


def checked_file(path: Path) -> str:
    """The SHA-256 of a file of weights; RunError where its name says another, as names of torch.hub do."""
    found = sha256(path)
    said = _HASH_IN_NAME.search(path.name)
    if said and not found.startswith(said[1]):
        raise RunError(
            f"{path} has the SHA-256 {found[:16]}..., and its name says {said[1]}",
            "it is not whole, or not the file that it is called: bring it anew, or give it another name",
        )
    return found


def state_of(torch: Any, path: Path, module: Any) -> str:
    """Load a file of weights into a module; its SHA-256. RunError where they are not of this model."""
    found = checked_file(path)
    try:
        if path.suffix == ".safetensors":
            state = extra("safetensors", "weights are read").torch.load_file(path)
        else:
            # Nothing but tensors: a pickle may hold programs.
            state = torch.load(path, map_location="cpu", weights_only=True)
        module.load_state_dict(state.get("state_dict", state))
    except (RuntimeError, AttributeError, KeyError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise RunError(
            f"{path} has no weights of this model: {one_line(error)}", "is it a state_dict of the same model?"
        ) from error
    return found


@dataclass
class TorchExtractor:
    """A model of torch.

    ``prepare``: a clip -> tensors by name, whose first dimension counts what the clip is cut into (pictures,
    patches). ``forward``: such tensors of many clips -> for each layer (rows, dims). A clip has its rows' mean.
    """

    layers: tuple[Shape, ...]
    wants: tuple[Want, ...]
    identity: Mapping[str, Any]
    prepare: Callable[[Media], Mapping[str, Any]]
    forward: Callable[[Mapping[str, Any]], Sequence[Any]]
    loading: Loading
    apart: bool = False

    def __post_init__(self) -> None:
        self._torch = torch_here()
        self._device = device_of(self._torch, self.loading.device)
        self._most = self.loading.batch

    def extract(self, clips: Sequence[Media]) -> list[Array]:
        """For each layer (len(clips), dims) float32."""
        prepared = [self.prepare(clip) for clip in clips]
        done: list[list[Array]] = []
        while len(done) < len(prepared):
            # Clips of another length have tensors of another shape: they go by themselves.
            first = _shapes(prepared[len(done)])
            batch = prepared[len(done) : len(done) + self._most]
            same = next((at for at, each in enumerate(batch) if _shapes(each) != first), len(batch))
            found = self._run_or_halve(batch[:same])
            if found is not None:
                done += found
        return [np.stack(column) for column in zip(*done, strict=True)]

    def _run_or_halve(self, batch: Sequence[Mapping[str, Any]]) -> list[list[Array]] | None:
        try:
            return self._run(batch)
        except (self._torch.OutOfMemoryError, RuntimeError) as error:
            # MPS has no class of its own for it.
            if "out of memory" not in str(error).lower():
                raise
            if self._most == 1:
                hint = "--device cpu, or a smaller model"
                raise RunError("the GPU has no memory for a single clip", hint) from error
        self._most = max(1, len(batch) // 2)
        if self._device.type == "cuda":
            self._torch.cuda.empty_cache()
        say(f"the GPU's memory is full: {self._most} clips at a time from now on", matters=True)
        return None

    def _run(self, batch: Sequence[Mapping[str, Any]]) -> list[list[Array]]:
        """For each clip of a batch its layers."""
        torch = self._torch
        rows = len(next(iter(batch[0].values())))
        inputs = {
            name: torch.cat([each[name] for each in batch]).to(self._device, non_blocking=True)
            for name in batch[0]
        }
        mixed = self._device.type == "cuda" and self.loading.precision == "auto"
        with torch.inference_mode(), torch.autocast("cuda", torch.float16) if mixed else nullcontext():
            found = [layer.float().unflatten(0, (len(batch), rows)).mean(dim=1) for layer in self.forward(inputs)]
        arrays = [layer.cpu().numpy() for layer in found]
        return [[layer[at] for layer in arrays] for at in range(len(batch))]


def _shapes(tensors: Mapping[str, Any]) -> list[tuple[str, tuple[int, ...]]]:
    return [(name, tuple(tensor.shape)) for name, tensor in tensors.items()]


def shapes_of(
    name: str,
    modality: Modality,
    forward: Callable[[Mapping[str, Any]], Sequence[Any]],
    example: Mapping[str, Any],
) -> tuple[Shape, ...]:
    """The layers that a forward pass gives: their names and how long each is."""
    torch = torch_here()
    with torch.inference_mode():
        found = forward(example)
    return tuple(Shape(f"{name}/{modality}/{at}", modality, int(layer.shape[1])) for at, layer in enumerate(found))


def pooled(layer: Any, channels_last: bool) -> Any:
    """The mean over all but rows and channels; (rows, channels)."""
    if layer.ndim <= 2:
        return layer
    axes = tuple(range(1, layer.ndim - 1)) if channels_last or layer.ndim == 3 else tuple(range(2, layer.ndim))
    return layer.mean(dim=axes)


def short_name(kind: str, argument: str) -> str:
    """A model's name within the names of its layers: a path's last part."""
    return f"{kind}:{Path(argument.rstrip('/')).name}" if argument else kind


def evenly(names: Iterable[str], count: int) -> list[str]:
    """At most ``count`` of these, the last among them."""
    every = list(names)
    if len(every) <= count:
        return every
    return [every[round((at + 1) * len(every) / count) - 1] for at in range(count)]

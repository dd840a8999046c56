"""One training: AdamW, a checkpoint each epoch, and the same weights however often it was killed on the way.

A checkpoint has weights, optimizer, scaler and losses. It needs no state of a random generator: batches and their
changes follow from the seed and the step, the learning rate from the step. On a CPU the weights are the same bits
for the same number of threads; a GPU sums in an order of its own.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ....core.errors import RunError
from ....core.files import unfinished
from ....core.redact import one_line
from ...features.extractor import Array
from .batches import Batches, loader
from .model import TwoStreams
from .settings import Run, Training, rate_at
from .tensors import Tensors

# What torch and its state_dicts raise of what is no checkpoint.
_NO_CHECKPOINT = (
    *(RuntimeError, OSError, EOFError, KeyError, IndexError, TypeError, ValueError, AttributeError),
    *(pickle.UnpicklingError, zipfile.BadZipFile),
)


class OutOfMemory(Exception):
    """The device has no memory for a batch."""


@dataclass(frozen=True)
class Machine:
    """Where it is trained. ``workers``: processes that load batches; 0: the one that trains."""

    device: torch.device
    workers: int = 0

    def mixed(self) -> AbstractContextManager[Any]:
        """Half precision where that is a GPU's: bfloat16 where it has it."""
        return torch.autocast("cuda", self._half()) if self.device.type == "cuda" else nullcontext()

    def scaler(self) -> Any:
        """What keeps small gradients from vanishing in float16; it does nothing elsewhere."""
        return torch.amp.GradScaler("cuda", enabled=self._half() is torch.float16)

    def free(self) -> None:
        """Give back what torch keeps of the device's memory for itself."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _half(self) -> torch.dtype:
        # Older ones have bfloat16 too, but not in hardware.
        old = self.device.type == "cuda" and torch.cuda.get_device_capability(self.device)[0] < 8
        return torch.float16 if old else torch.bfloat16


def new_model(training: Training, seed: int) -> TwoStreams:
    """The untrained networks of a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TwoStreams(training.embedding_dim, training.temperature)


def train(
    run: Run,
    clips: Tensors,
    training: Training,
    batch: int,
    machine: Machine,
    path: Path,
    told: Callable[[int], None] = lambda steps: None,
) -> tuple[TwoStreams, list[float]]:
    """Train, or go on from the checkpoint ``path`` where it is of the same batch; the networks, each epoch's loss.

    ``told``: of how many steps more are done. OutOfMemory; RunError where the loss is no number any more.
    """
    model = new_model(training, run.seed).to(machine.device)
    optimizer = _optimizer(model, training)
    scaler = machine.scaler()
    losses = _resume(path, batch, {"model": model, "optimizer": optimizer, "scaler": scaler})
    steps = len(run.rows) // batch
    told(len(losses) * steps)
    found: list[float] = []
    model.train()
    with _errors():
        first = len(losses) * steps
        data = loader(Batches(clips, run, batch), first, training.epochs * steps, machine.workers)
        for number, (frames, mel) in enumerate(data, first):
            for group in optimizer.param_groups:
                group["lr"] = rate_at(number, training.epochs * steps, training.learning_rate)
            with machine.mixed():
                loss = model.loss(frames.to(machine.device), mel.to(machine.device))
            found.append(loss.item())
            if not math.isfinite(found[-1]):
                raise _diverged(run, number, steps)
            optimizer.zero_grad(set_to_none=True)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            if len(found) == steps:
                losses.append(float(np.mean(found)))
                found.clear()
                _save(path, batch, losses, {"model": model, "optimizer": optimizer, "scaler": scaler})
            told(1)
    return model, losses


def encoded(
    model: TwoStreams, clips: Tensors, rows: NDArray[np.int64], batch: int, machine: Machine
) -> dict[str, Array]:
    """Of frozen networks, float32: "video" and "audio" (rows, FEATURES); "video_embedding", "audio_embedding"."""
    model.eval()
    names = ("video", "audio", "video_embedding", "audio_embedding")
    done: dict[str, list[Array]] = {name: [] for name in names}
    with _errors(), torch.inference_mode():
        for at in range(0, len(rows), batch):
            frames, mel = (torch.from_numpy(each) for each in clips.gather(rows[at : at + batch]))
            with machine.mixed():
                features = model.features(frames.to(machine.device), mel.to(machine.device))
                every = (*features, *model.embed(*features))
            for name, tensor in zip(names, every, strict=True):
                done[name].append(tensor.float().cpu().numpy())
    return {name: np.concatenate(parts) for name, parts in done.items()}


def _optimizer(model: TwoStreams, training: Training) -> Any:
    # Decay is of weights; what shifts and scales stays free, and so does the temperature.
    weights = [each for each in model.parameters() if each.ndim > 1]
    others = [each for each in model.parameters() if each.ndim <= 1]
    groups = [{"params": weights, "weight_decay": training.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=training.learning_rate)


def _diverged(run: Run, number: int, steps: int) -> RunError:
    epoch, step = divmod(number, steps)
    return RunError(
        f"the loss is no number any more ({run.arm}, seed {run.seed}, epoch {epoch + 1}, step {step + 1})",
        "a smaller --learning-rate, into another --output",
    )


def _save(path: Path, batch: int, losses: list[float], parts: dict[str, Any]) -> None:
    """Write a checkpoint whole."""
    made = io.BytesIO()
    torch.save(
        {"batch": batch, "losses": losses} | {name: each.state_dict() for name, each in parts.items()}, made
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not by torch, which makes an error of its own of a disk that is full.
    with unfinished(path) as part, open(part, "wb") as stream:
        stream.write(made.getbuffer())


def _resume(path: Path, batch: int, parts: dict[str, Any]) -> list[float]:
    """Load a checkpoint into all parts; the losses so far, [] where there is none, or it is of another batch."""
    if not path.exists():
        return []
    hint = "delete it: the next run trains it anew"
    try:
        # torch writes the checksum of each part of the archive that a checkpoint is, and looks at none.
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise RunError(f"{path} is damaged: {damaged} in it does not match its checksum", hint)
        # Nothing but tensors and numbers: a pickle may hold programs.
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["batch"] != batch:
            return []
        for name, each in parts.items():
            each.load_state_dict(state[name])
        return [float(loss) for loss in state["losses"]]
    # Of a file that was cut off, torch's reader says that its argument is invalid.
    except _NO_CHECKPOINT as error:
        raise RunError(f"{path} cannot be read: {one_line(error, 200)}", hint) from error


@contextmanager
def _errors() -> Iterator[None]:
    """What torch raises in the block becomes an error of ours."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise OutOfMemory from error
    except RuntimeError as error:
        # MPS has no class of its own for it; a CPU's allocator neither.
        said = str(error).lower()
        if "out of memory" in said or "can't allocate memory" in said:
            raise OutOfMemory from error
        if "dataloader worker" not in said:
            raise
        hint = "try with fewer: --workers 0"
        raise RunError(f"a process of --workers was ended: {one_line(error, 200)}", hint) from error

"""``vggish``: the audio network of AudioSet's authors (Hershey et al. 2017, arXiv:1609.09430), five layers.

Weights: ``--weights PATH``, a state_dict with the names of torchvggish (``features.0.weight`` ...,
``embeddings.0.weight`` ...), which was converted from the authors' (Apache-2.0). Input as theirs: 16 kHz mono,
windows of 25 ms every 10 ms, 64 mel bands of 125 to 7500 Hz, log(magnitude + 0.01), patches of 0.96 s. Their PCA
and quantisation are left out: clusters are made of the embeddings themselves. The layers are the four stages of
convolutions and the embedding (64, 128, 256, 512 and 128 numbers), as in ACAV100M.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...core.errors import UsageError
from .extractor import Array, Media, Shape, Sound
from .log_mel import MELS, RATE, log_mel
from .registry import Loading
from .torch_run import TorchExtractor, device_of, pooled, state_of, torch_here

PATCH = 96
# Convolutions, and "M" where halves are taken.
PLAN = (64, "M", 128, "M", 256, 256, "M", 512, 512, "M")
LAYERS = (64, 128, 256, 512, 128)
SOUND = Sound(RATE)


def load(argument: str, name: str, loading: Loading) -> TorchExtractor:
    """The extractor. UsageError without weights; RunError where they are of another model."""
    path = loading.weights_of(name)
    if path is None:
        raise UsageError("vggish needs its weights", "--weights PATH: a state_dict as torchvggish's")
    torch = torch_here()
    device = device_of(torch, loading.device)
    model = network(torch)
    found = state_of(torch, path, model)
    model = model.eval().to(device)
    stages = [at for at, word in enumerate(_modules(PLAN)) if word == "M"]

    def prepare(clip: Media) -> Mapping[str, Any]:
        return {"patches": torch.from_numpy(patches(clip.got[SOUND])[:, None])}

    def forward(inputs: Mapping[str, Any]) -> Sequence[Any]:
        state, layers = inputs["patches"], []
        for at, module in enumerate(model["features"]):
            state = module(state)
            if at in stages:
                layers.append(pooled(state, channels_last=False))
        # As the authors' TensorFlow flattens it: channels last.
        layers.append(model["embeddings"](state.permute(0, 2, 3, 1).flatten(1)))
        return layers

    shapes = tuple(Shape(f"vggish/audio/{at}", "audio", dims) for at, dims in enumerate(LAYERS))
    identity = {"weights_sha256": found, "precision": loading.precision, "packages": ["torch"]}
    return TorchExtractor(shapes, (SOUND,), identity, prepare, forward, loading)


def network(torch: Any) -> Any:
    """The untrained network, with the names of torchvggish."""
    nn, modules, before = torch.nn, [], 1
    for word in _modules(PLAN):
        if word == "M":
            modules.append(nn.MaxPool2d(2, 2))
        elif word == "R":
            modules.append(nn.ReLU())
        else:
            modules.append(nn.Conv2d(before, word, 3, padding=1))
            before = word
    dense = [
        nn.Linear(512 * 4 * 6, 4096),
        nn.ReLU(),
        nn.Linear(4096, 4096),
        nn.ReLU(),
        nn.Linear(4096, 128),
        nn.ReLU(),
    ]
    return nn.ModuleDict({"features": nn.Sequential(*modules), "embeddings": nn.Sequential(*dense)})


def _modules(plan: Sequence[Any]) -> list[Any]:
    return [each for word in plan for each in ((word,) if word == "M" else (word, "R"))]


def patches(samples: Array) -> Array:
    """Log-mel patches (n, PATCH, MELS) float32 of sound at RATE; one that is not whole is filled with silence."""
    logs = log_mel(samples)
    if len(logs) < PATCH:
        logs = np.pad(logs, ((0, PATCH - len(logs)), (0, 0)), constant_values=np.log(0.01))
    whole = len(logs) // PATCH
    return logs[: whole * PATCH].reshape(whole, PATCH, MELS)

"""``torchvision:NAME``: a model of torchvision, of pictures or of videos; its stages are the layers, five at most.

Weights are those of ``--weights`` (a state_dict), else torchvision's own newest, which it fetches and keeps.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ...core.errors import UsageError
from ...core.extras import extra
from ...core.suggest import did_you_mean
from .extractor import Media, Pictures
from .registry import Loading
from .torch_run import (
    TorchExtractor,
    device_of,
    evenly,
    hash_of,
    pooled,
    shapes_of,
    short_name,
    state_of,
    torch_here,
)

PICTURES_OF_A_CLIP, FRAMES_OF_A_VIDEO = 8, 16
STAGES = 5
# Their tensors have the channels last.
_CHANNELS_LAST = ("swin",)


def load(argument: str, name: str, loading: Loading) -> TorchExtractor:
    """The extractor of a model. UsageError where there is none of that name, or its weights cannot be had."""
    torch = torch_here()
    extra("torchvision", "models of torchvision are run")
    models = importlib.import_module("torchvision.models")
    extraction = importlib.import_module("torchvision.models.feature_extraction")
    device = device_of(torch, loading.device)
    if argument not in models.list_models():
        raise UsageError(
            f"torchvision has no model {argument!r}{did_you_mean(argument, models.list_models())}",
            "torchvision.models.list_models() names all",
        )
    is_video = ".video" in models.get_model_builder(argument).__module__
    weights, path = models.get_model_weights(argument).DEFAULT, loading.weights_of(name)
    try:
        model = models.get_model(argument, weights=None if path else weights)
    except OSError as error:
        hint = f"--weights {name}=PATH names a file of its state_dict"
        raise UsageError(f"the weights of {name} cannot be fetched: {error}", hint) from error
    found = state_of(torch, path, model) if path else hash_of(model)
    model = model.eval()
    nodes = evenly(_stages(model, extraction), STAGES)
    part = extraction.create_feature_extractor(model, nodes).to(device)
    want = Pictures(count=FRAMES_OF_A_VIDEO if is_video else PICTURES_OF_A_CLIP)
    transform = weights.transforms()
    channels_last = argument.startswith(_CHANNELS_LAST)

    def prepare(clip: Media) -> Mapping[str, Any]:
        pictures = torch.from_numpy(np.ascontiguousarray(clip.got[want].transpose(0, 3, 1, 2)))
        made = transform(pictures)
        return {"pictures": made[None] if is_video else made}

    def forward(inputs: Mapping[str, Any], to: Any = None) -> Sequence[Any]:
        pictures = inputs["pictures"] if to is None else inputs["pictures"].to(to)
        return [pooled(layer, channels_last) for layer in part(pictures).values()]

    example = prepare(Media(1.0, {want: np.zeros((want.count, 256, 256, 3), np.uint8)}))
    layers = shapes_of(short_name("torchvision", argument), "video", partial(forward, to=device), example)
    identity = {
        "weights_sha256": found,
        "nodes": nodes,
        "precision": loading.precision,
        "packages": ["torch", "torchvision"],
    }
    return TorchExtractor(layers, (want,), identity, prepare, forward, loading)


def _stages(model: Any, extraction: Any) -> Iterator[str]:
    """The model's own parts, in order, but for what makes classes of them; those of ``features`` one by one."""
    nodes = extraction.get_graph_node_names(model)[1]
    for name, child in model.named_children():
        inner = [f"{name}.{each}" for each, _ in child.named_children()] if name == "features" else [name]
        for each in inner:
            # The classifier's numbers are of classes; what makes no node is not run.
            is_run = any(node == each or node.startswith(f"{each}.") for node in nodes)
            if is_run and each not in ("fc", "classifier", "head", "heads", "dropout"):
                yield each

"""``hf:MODEL``: any model of transformers that takes sound, pictures or a video; its hidden states are the layers.

MODEL is a folder, or a name on the hub. Of a model of two towers (CLIP, CLAP) and of one with a decoder (Whisper),
the part that sees or hears is taken. Of each hidden state the mean over time and place counts; of an image model,
the mean over pictures too.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from ...core.errors import RunError, UsageError
from ...core.extras import extra
from ...core.redact import one_line
from .extractor import Media, Modality, Pictures, Sound, Want
from .registry import Loading
from .torch_run import TorchExtractor, device_of, hash_of, pooled, shapes_of, short_name, torch_here

PICTURES_OF_A_CLIP = 8
# The first tells what the model takes.
_SOUND = ("input_values", "input_features")
_TOWERS = ("vision_model", "audio_model", "video_model")


def load(argument: str, name: str, loading: Loading) -> TorchExtractor:
    """The extractor of a model. UsageError where it cannot be had, or takes neither sound nor pictures."""
    torch, transformers = torch_here(), extra("transformers", "models of the hub are run")
    device = device_of(torch, loading.device)
    try:
        model = transformers.AutoModel.from_pretrained(argument)
        processor = _processor(transformers, argument, model)
    except (OSError, ValueError, ImportError) as error:
        hint = "a folder with config.json, weights and preprocessor_config.json, or a name of the hub"
        raise UsageError(f"{name} cannot be loaded: {one_line(error)}", hint) from error
    weights = hash_of(model)
    part = _part(model).eval().to(device)
    takes = str(part.main_input_name)
    frames = int(getattr(part.config, "num_frames", 0) or getattr(part.config, "frames_per_clip", 0) or 0)
    modality: Modality = "audio" if takes in _SOUND else "video"
    if modality == "video" and not takes.startswith("pixel_values"):
        raise UsageError(
            f"{name} takes {takes}, neither sound nor pictures", "name a model of audio, images or video"
        )
    want: Want = Sound(_rate(processor)) if modality == "audio" else Pictures(count=frames or PICTURES_OF_A_CLIP)

    def prepare(clip: Media) -> Mapping[str, Any]:
        got = clip.got[want]
        if isinstance(want, Sound):
            made = processor(got, sampling_rate=want.rate, return_tensors="pt")
        elif frames:
            made = processor([list(got)], return_tensors="pt")
        else:
            made = processor(list(got), return_tensors="pt")
        return {takes: made[takes]}

    def forward(inputs: Mapping[str, Any]) -> Sequence[Any]:
        states = part(**inputs, output_hidden_states=True).hidden_states
        return [pooled(state, channels_last=False) for state in states]

    example = prepare(Media(1.0, {want: _example(want)}))
    try:
        layers = shapes_of(
            short_name("hf", argument), modality, lambda given: forward(_to(given, device)), example
        )
    except (RuntimeError, ValueError, TypeError) as error:
        raise RunError(
            f"{name} does not take what it says: {error}", "another model, or another release of it"
        ) from error
    identity = {
        "weights_sha256": weights,
        "takes": takes,
        "precision": loading.precision,
        "packages": ["torch", "transformers"],
    }
    return TorchExtractor(layers, (want,), identity, prepare, forward, loading)


def _part(model: Any) -> Any:
    """The part of a model that sees or hears."""
    if getattr(model.config, "is_encoder_decoder", False):
        return model.get_encoder()
    return next((getattr(model, tower) for tower in _TOWERS if hasattr(model, tower)), model)


def _processor(transformers: Any, argument: str, model: Any) -> Any:
    takes = str(_part(model).main_input_name)
    if takes in _SOUND:
        return transformers.AutoFeatureExtractor.from_pretrained(argument)
    if takes == "pixel_values_videos":
        return transformers.AutoVideoProcessor.from_pretrained(argument)
    return transformers.AutoImageProcessor.from_pretrained(argument)


def _rate(processor: Any) -> int:
    return int(getattr(processor, "sampling_rate", 16_000))


def _example(want: Want) -> Any:
    numpy = importlib.import_module("numpy")
    if isinstance(want, Sound):
        return numpy.zeros(10 * want.rate, numpy.float32)
    return numpy.zeros((want.count, 256, 256, 3), numpy.uint8)


def _to(tensors: Mapping[str, Any], device: Any) -> dict[str, Any]:
    return {name: tensor.to(device) for name, tensor in tensors.items()}

"""Models of torch as extractors: tiny ones with random weights, saved to a folder here; nothing is fetched.

Each library that is not here is skipped: torchvision's wheels do not load beside every build of torch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from avclips.catalog.sample import Place, Sample  # noqa: E402
from avclips.core.errors import RunError, UsageError  # noqa: E402
from avclips.curate.cluster.kmeans import train  # noqa: E402
from avclips.curate.features import parts, stage, torch_run, vggish  # noqa: E402
from avclips.curate.features.extractor import Media, Pictures, Shape, Sound  # noqa: E402
from avclips.curate.features.registry import Loading, load  # noqa: E402
from avclips.curate.features.torch_run import TorchExtractor  # noqa: E402
from tests.support.made_clips import made_clip  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
PATCHES = {"image_size": 32, "patch_size": 8}
LOOK = {
    "image_mean": [0.5] * 3,
    "image_std": [0.5] * 3,
    "do_resize": True,
    "do_rescale": True,
    "do_normalize": True,
}
SQUARE = {"size": {"height": 32, "width": 32}, "resample": 2}
CROPPED = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}, "do_center_crop": True}
HEARS = {"feature_size": 1, "sampling_rate": 16_000, "padding_value": 0.0, "do_normalize": True}


@pytest.fixture(autouse=True)
def nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    folder = tmp_path_factory.mktemp("clips")
    paths = [made_clip(folder / f"{at}.mp4", 1.0 + 0.5 * (at == 2), 0.2 * (at + 1)) for at in range(4)]
    return [
        Sample(f"c{at}", "made-up", "v", 0.0, None, "done", files={"video": Place(str(path))})
        for at, path in enumerate(paths)
    ]


def saved(folder: Path, kind: str) -> Path:
    """A tiny model of transformers, with what prepares its input."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    conv = {"conv_dim": (8, 8), "conv_stride": (20, 16), "conv_kernel": (20, 16), "num_feat_extract_layers": 2}
    conv |= {"num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}
    tower = {"vision_config": SMALL | PATCHES, "text_config": SMALL | {"vocab_size": 64}}
    depth = {"embedding_size": 8, "hidden_sizes": [8, 16, 16, 32], "depths": [1, 1, 1, 1]}
    model, looks = {
        "wav2vec2": (lambda t: t.Wav2Vec2Model(t.Wav2Vec2Config(**SMALL, **conv)),
                     HEARS | {"feature_extractor_type": "Wav2Vec2FeatureExtractor"}),
        "vit": (lambda t: t.ViTModel(t.ViTConfig(**SMALL, **PATCHES)),
                LOOK | SQUARE | {"image_processor_type": "ViTImageProcessor"}),
        "videomae": (lambda t: t.VideoMAEModel(t.VideoMAEConfig(**SMALL, **PATCHES, num_frames=4)),
                     LOOK | CROPPED | {"image_processor_type": "VideoMAEImageProcessor"}),
        "resnet": (lambda t: t.ResNetModel(t.ResNetConfig(**depth)),
                   LOOK | {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 64},
                           "crop_pct": 0.875, "resample": 3}),
        "clip": (lambda t: t.CLIPModel(t.CLIPConfig(**tower)),
                 LOOK | CROPPED | {"image_processor_type": "CLIPImageProcessor"}),
    }[kind]  # fmt: skip
    model(transformers).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(looks))
    return folder


@pytest.mark.parametrize(
    ("kind", "side", "dims"),
    [
        ("wav2vec2", "audio", [16, 16, 16]),
        ("vit", "video", [16, 16, 16]),
        ("videomae", "video", [16, 16, 16]),
        ("resnet", "video", [8, 8, 16, 16, 32]),
        ("clip", "video", [16, 16, 16]),
    ],
)
def test_models_of_transformers_go_through_features(
    clips: list[Sample], tmp_path: Path, kind: str, side: str, dims: list[int]
) -> None:
    name = f"hf:{saved(tmp_path / kind, kind)}"
    job = stage.Job(tmp_path / "features", ("classic", name), Loading("cpu", 3))
    assert stage.make(job, lambda: iter(clips), 1) == {"clips": 4, "kept": 4, "dropped": 0}
    features, record = stage.opened(job.folder)
    layers = [shape for shape in features.layers if shape.name.startswith("hf:")]
    assert layers == [Shape(f"hf:{kind}/{side}/{at}", side, count) for at, count in enumerate(dims)]  # type: ignore[arg-type]
    assert len(features.layers) == len(dims) + 10
    assert len(record.settings["extractors"][name]["weights_sha256"]) == 64
    found = [np.asarray(parts.layer_of(job.folder, 0, shape.name)) for shape in layers]
    assert all(layer.dtype == np.float16 and np.ptp(layer.astype(float), axis=1).min() > 0 for layer in found)
    # A batch of one gives the same but for the last digits.
    one = stage.Job(tmp_path / "one", ("classic", name), Loading("cpu", 1))
    stage.make(one, lambda: iter(clips), 0)
    for shape, layer in zip(layers, found, strict=True):
        other = parts.layer_of(one.folder, 0, shape.name)
        assert np.allclose(other.astype(float), layer.astype(float), atol=2e-3), shape


def test_features_of_other_weights_are_refused(clips: list[Sample], tmp_path: Path) -> None:
    folder = saved(tmp_path / "vit", "vit")
    job = stage.Job(tmp_path / "features", (f"hf:{folder}",), Loading("cpu"))
    stage.make(job, lambda: iter(clips), 0)
    transformers = pytest.importorskip("transformers")
    model = transformers.ViTModel.from_pretrained(folder)
    with torch.no_grad():
        next(model.parameters()).add_(1.0)
    model.save_pretrained(folder)
    stage._loaded.cache_clear()
    with pytest.raises(UsageError, match="weights_sha256"):
        stage.make(job, lambda: iter(clips), 0)


@pytest.mark.parametrize(
    ("model", "count", "first"), [("resnet18", 5, 64), ("mobilenet_v3_small", 5, None), ("r3d_18", 5, 64)]
)
def test_models_of_torchvision_go_through_features(
    clips: list[Sample], tmp_path: Path, model: str, count: int, first: int | None
) -> None:
    models = pytest.importorskip("torchvision.models", exc_type=(ImportError, RuntimeError, OSError))
    torch.manual_seed(0)
    path = tmp_path / "weights.pth"
    torch.save(models.get_model(model, weights=None).state_dict(), path)
    name = f"torchvision:{model}"
    job = stage.Job(tmp_path / "features", (name,), Loading("cpu", 2, weights=((name, path),)))
    stage.make(job, lambda: iter(clips[:2]), 0)
    features, record = stage.opened(job.folder)
    assert len(features.layers) == count and first in (None, features.layers[0].dims)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert record.settings["extractors"][name]["weights_sha256"] == digest
    for shape in features.layers:
        assert parts.layer_of(job.folder, 0, shape.name).shape == (2, shape.dims)


def test_a_model_that_torchvision_has_not_is_said() -> None:
    pytest.importorskip("torchvision", exc_type=(ImportError, RuntimeError, OSError))
    with pytest.raises(UsageError, match="no model 'resnet19'.*resnet"):
        load("torchvision:resnet19", Loading("cpu"))


def test_vggish_has_five_layers(clips: list[Sample], tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = tmp_path / "vggish.pth"
    torch.save(vggish.network(torch).state_dict(), path)
    extractor = load("vggish", Loading("cpu", weights=(("vggish", path),)))
    assert [shape.dims for shape in extractor.layers] == [64, 128, 256, 512, 128]
    sound = np.random.default_rng(0).normal(size=(2, 32_000)).astype(np.float32)
    layers = extractor.extract([Media(2.0, {Sound(16_000): each}) for each in sound])
    assert [layer.shape for layer in layers] == [(2, count) for count in (64, 128, 256, 512, 128)]
    with pytest.raises(UsageError, match="needs its weights"):
        load("vggish", Loading("cpu"))
    torch.save({"features.0.weight": torch.zeros(1)}, path)
    with pytest.raises(RunError, match="no weights of this model"):
        load("vggish", Loading("cpu", weights=(("vggish", path),)))


def test_patches_of_vggish_are_those_of_its_paper() -> None:
    """1 s is 98 windows: one patch of 96. A tone is in its band; silence is log(0.01)."""
    at = np.arange(16_000) / 16_000
    found = vggish.patches(np.sin(2 * np.pi * 1000 * at).astype(np.float32))
    assert found.shape == (1, 96, 64) and found.dtype == np.float32
    edges = np.linspace(1127 * np.log1p(125 / 700), 1127 * np.log1p(7500 / 700), 66)
    assert int(found[0].mean(axis=0).argmax()) == int(np.abs(edges[1:-1] - 1127 * np.log1p(1000 / 700)).argmin())
    assert np.allclose(vggish.patches(np.zeros(100, np.float32)), np.log(0.01))


class Full(RuntimeError):
    """What a GPU without memory says."""


def of_batches(most: int, seen: list[int]) -> TorchExtractor:
    """An extractor whose model has memory for ``most`` clips."""

    def forward(inputs: Mapping[str, Any]) -> Sequence[Any]:
        seen.append(len(inputs["x"]))
        if len(inputs["x"]) > most:
            raise Full("CUDA out of memory. Tried to allocate 2 GiB")
        return [inputs["x"].float()]

    def prepare(clip: Media) -> Mapping[str, Any]:
        return {"x": torch.full((1, int(clip.seconds)), clip.seconds)}

    shapes = (Shape("x/video/0", "video", 2),)
    return TorchExtractor(shapes, (Pictures(count=1),), {}, prepare, forward, Loading("cpu", 8))


def test_a_gpu_without_memory_halves_the_batch(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[int] = []
    extractor = of_batches(3, seen)
    clips = [Media(2.0)] * 10
    assert extractor.extract(clips)[0].tolist() == [[2.0, 2.0]] * 10
    assert seen == [8, 4, 2, 2, 2, 2, 2]
    assert "2 clips at a time from now on" in capsys.readouterr().out
    with pytest.raises(RunError, match="no memory for a single clip"):
        of_batches(0, []).extract(clips)


def test_clips_of_other_lengths_go_by_themselves() -> None:
    seen: list[int] = []
    extractor = replace(of_batches(8, seen), layers=())
    prepared = [Media(2.0), Media(2.0), Media(3.0), Media(2.0)]
    with pytest.raises(ValueError, match="same shape"):
        # Layers of this model are as long as its input is, which no model's are.
        extractor.extract(prepared)
    assert seen == [2, 1, 1]


@pytest.mark.parametrize(
    ("name", "is_right"), [("w-{}.pth", True), ("w-0123456789abcdef.pth", False), ("w.pth", True)]
)
def test_a_file_whose_name_says_another_hash_is_refused(tmp_path: Path, name: str, is_right: bool) -> None:
    content = b"weights"
    digest = hashlib.sha256(content).hexdigest()
    path = tmp_path / name.format(digest[:8])
    path.write_bytes(content)
    if is_right:
        assert torch_run.checked_file(path) == digest
    else:
        with pytest.raises(RunError, match="its name says 0123456789abcdef"):
            torch_run.checked_file(path)


def test_a_device_that_is_not_here_is_said() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="sees none here"):
            torch_run.device_of(torch, "cuda")
    assert torch_run.device_of(torch, "cpu").type == "cpu"


def test_a_model_that_is_not_there_is_said(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(UsageError, match="cannot be loaded"):
        load(f"hf:{tmp_path}", Loading("cpu"))


def test_models_of_onnx_go_through_features(clips: list[Sample], tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    helper, numbers = onnx.helper, onnx.TensorProto.FLOAT
    wanted = {"pictures": ["n", 3, 16, 16], "sound": ["n", 8000]}
    for name, shape in wanted.items():
        nodes = [helper.make_node("Identity", ["x"], ["y"])]
        entry, leaves = (
            helper.make_tensor_value_info("x", numbers, shape),
            helper.make_tensor_value_info("y", numbers, shape),
        )
        model = helper.make_model(
            helper.make_graph(nodes, "g", [entry], [leaves]), opset_imports=[helper.make_opsetid("", 17)]
        )
        model.ir_version = 9
        onnx.save(model, tmp_path / f"{name}.onnx")
    names = tuple(f"onnx:{tmp_path / name}.onnx" for name in wanted)
    job = stage.Job(tmp_path / "features", names, Loading("cpu"))
    stage.make(job, lambda: iter(clips), 0)
    features, _ = stage.opened(job.folder)
    assert features.layers == (
        Shape("onnx:pictures.onnx/video/0", "video", 3),
        Shape("onnx:sound.onnx/audio/0", "audio", 8000),
    )
    with pytest.raises(UsageError, match="no model that onnxruntime runs"):
        (tmp_path / "bad.onnx").write_bytes(b"no model")
        load(f"onnx:{tmp_path / 'bad.onnx'}", Loading("cpu"))


def test_only_outputs_of_numbers_are_layers(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    helper, types = onnx.helper, onnx.TensorProto
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["mean"]),
        helper.make_node("ReduceMean", ["x"], ["one"], keepdims=0),
        helper.make_node("Cast", ["mean"], ["text"], to=types.STRING),
    ]
    entry = helper.make_tensor_value_info("x", types.FLOAT, ["n", 3, 16, 16])
    leaves = {
        "text": helper.make_tensor_value_info("text", types.STRING, ["n", 3, 1, 1]),
        "mean": helper.make_tensor_value_info("mean", types.FLOAT, ["n", 3, 1, 1]),
        "one": helper.make_tensor_value_info("one", types.FLOAT, []),
    }
    for name, outputs in {"some": [*leaves], "none": ["text"]}.items():
        graph = helper.make_graph(nodes, "g", [entry], [leaves[each] for each in outputs])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 9
        onnx.save(model, tmp_path / f"{name}.onnx")
    made = load(f"onnx:{tmp_path / 'some.onnx'}", Loading("cpu"))
    assert [shape.dims for shape in made.layers] == [3, 1]
    with pytest.raises(UsageError, match=r"gives text tensor\(string\)"):
        load(f"onnx:{tmp_path / 'none.onnx'}", Loading("cpu"))


def test_torch_finds_the_clusters_that_faiss_finds() -> None:
    random = np.random.default_rng(0)
    rows = (random.normal(size=(5, 16))[np.arange(1000) % 5] * 20 + random.normal(size=(1000, 16))).astype(
        np.float32
    )
    labels = train(rows, 5, 0, True, "torch").assign(rows)[0]
    assert len({(int(label), at % 5) for at, label in enumerate(labels)}) == 5

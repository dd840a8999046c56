"""Videos of one's own on the stand-in YouTube: an MP4 file is shown as two streams with an index."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from avclips.core.files import unfinished
from tests.standin.fake_media import SOUND_ITAGS, Media
from tests.standin.fake_player import FakeVideo

_FRAGMENT = 10_000_000


@dataclass(frozen=True)
class GivenVideo(FakeVideo):
    """The pictures and the sound of ``path`` as itags 134 and 140, packets as they are."""

    path: Path = Path()
    itags: tuple[int | str, ...] = (134, 140)

    def file(self, folder: Path, itag: int, seed: int = 0) -> Path:
        made = folder / f"{self.path.stem}-{itag}.mp4"
        if not made.exists():
            with unfinished(made) as part:
                _alone(self.path, "audio" if itag in SOUND_ITAGS else "video", part)
        return made


def given(path: Path, title: str) -> GivenVideo:
    """A file as a video; its shape is said as the file has it."""
    with av.open(str(path)) as container:
        picture: Any = container.streams.video[0]
        shape = Media(container.duration / 1e6, picture.width, picture.height, float(picture.average_rate))
    return GivenVideo(shape, title=title, path=path)


def _alone(source: Path, modality: str, target: Path) -> None:
    """One stream, in the layout of YouTube's: fragments, and an index of them in front."""
    options = {
        "movflags": "+dash+global_sidx",
        **({"frag_duration": str(_FRAGMENT)} if modality == "audio" else {}),
    }
    with av.open(str(source)) as container, av.open(str(target), "w", format="mp4", options=options) as new:
        stream = getattr(container.streams, modality)[0]
        copied = new.add_stream_from_template(stream)
        for packet in container.demux(stream):
            if packet.dts is not None:
                packet.stream = copied
                new.mux(packet)

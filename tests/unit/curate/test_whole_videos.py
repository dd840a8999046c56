"""Which videos of a data folder are cut into clips."""

from __future__ import annotations

from pathlib import Path

import pytest

from avclips.catalog import Place, Sample
from avclips.core.errors import UsageError
from avclips.curate import whole_videos


def found(monkeypatch: pytest.MonkeyPatch, folder: Path, *samples: Sample) -> list[whole_videos.WholeVideo]:
    monkeypatch.setattr(whole_videos, "is_data_folder", lambda _: True)
    monkeypatch.setattr(whole_videos, "samples", lambda _: iter(samples))
    return whole_videos.find(folder)


def whole(name: str, end: float | None = None, **files: Place) -> Sample:
    return Sample(name, "clips", name, 0.0, end, "done", files=files, facts={"title": "of the manifest"})


@pytest.mark.parametrize(
    ("info", "told"),
    [
        ('{"title": "of the site", "categories": ["Music"]}', ("of the site", ("Music",))),
        ("{}", ("of the manifest", ())),
        ("[1]", ("of the manifest", ())),
        ('{"title": ', ("of the manifest", ())),
        (None, ("of the manifest", ())),
    ],
)
def test_what_is_said_of_a_video(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, info: str | None, told: tuple[str, tuple[str, ...]]
) -> None:
    video, path = tmp_path / "a.mp4", tmp_path / "a.json"
    if info is not None:
        path.write_text(info)
    one = whole("a", video=Place(str(video)), info=Place(str(path)))
    clip = whole("b", 10.0, video=Place(str(video)))
    (only,) = found(monkeypatch, tmp_path, one, clip, whole("c"))
    assert (only.path, only.url, (only.title, only.categories)) == (
        video,
        "https://www.youtube.com/watch?v=a",
        told,
    )


@pytest.mark.parametrize("place", [Place("00000.tar", 512, 9), Place("00000.parquet", row=0, column="mp4")])
def test_videos_in_shards_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: Place) -> None:
    """Their places' paths are those of tars, which nobody can cut."""
    with pytest.raises(UsageError, match="are in shards"):
        found(monkeypatch, tmp_path, whole("a", video=place))

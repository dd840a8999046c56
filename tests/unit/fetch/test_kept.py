"""--archives: films and sounds of every usual kind; what this program made in the same shape stays as it is."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avclips.core.clock import Clock
from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.fetch.existing import Local
from avclips.fetch.kept import look_for_exact
from avclips.fetch.requirements import endings_of
from avclips.media.ffmpeg import Ffmpeg
from avclips.sources.archive_member import FILMS
from avclips.sources.archives import Archives
from avclips.state.store import Store
from tests.standin import fake_media
from tests.standin.fake_youtube import FakeVideo
from tests.support.script import QUICK, Stage, digests, stage
from tests.support.sounds import samples

ID = "keptarchive_000003"
TEN = Clip(ID, "keptarchive", 3.0, 13.0)
_MADE = (
    "-f lavfi -i testsrc=size=320x180:rate=25:duration=10 "
    "-f lavfi -i sine=frequency=440:sample_rate=44100:duration=10"
)
CODECS = {
    ".mp4": "-c:v libx264 -pix_fmt yuv420p -c:a aac",
    ".mkv": "-c:v libx264 -pix_fmt yuv420p -c:a aac",
    ".webm": "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus -ar 48000",
    ".wav": "-vn -c:a pcm_s16le",
    ".flac": "-vn -c:a flac",
    ".m4a": "-vn -c:a aac",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Ten seconds in a file of each kind."""
    folder = tmp_path_factory.mktemp("kinds")
    for ending, codec in CODECS.items():
        command = [
            fake_media.ffmpeg(),
            "-v",
            "error",
            "-y",
            *_MADE.split(),
            *codec.split(),
            str(folder / f"x{ending}"),
        ]
        subprocess.run(command, check=True)
    return {ending: folder / f"x{ending}" for ending in CODECS}


def take(base: Path, files: dict[str, Path], **shape: Any) -> tuple[dict[str, Any], Path, Path]:
    """What becomes of a clip of which these files lie in a folder, by their endings."""
    (base / "mine").mkdir()
    for ending, file in files.items():
        shutil.copy(file, base / "mine" / f"{ID}{ending}")
    settings, clock = Settings(base / "data", **shape), Clock(1.0)
    store = Store(settings, "test", clock)
    store.open()
    archives = Archives({ID}, store.spill, endings_of(settings))
    archives.add(base / "mine")
    outcome = Local(settings, Ffmpeg(Path(fake_media.ffmpeg()), clock), store, archives).take(TEN)
    store.close()
    assert outcome is not None and outcome.status == "done", archives.refusal(ID)
    return dict(outcome.facts), *store.files.paths(ID)


def _slack(ending: str, facts: dict[str, Any]) -> float:
    """Samples that may be missing at the end: Matroska says in whole milliseconds how long it is."""
    return facts["sample_rate"] / 1000 if ending in (".mkv", ".webm") else 1


@pytest.mark.parametrize("ending", FILMS)
@pytest.mark.parametrize("cut", ["exact", "copy"])
def test_a_film_of_any_kind_is_the_clip(made: dict[str, Path], tmp_path: Path, ending: str, cut: Any) -> None:
    facts, video, audio = take(tmp_path, {ending: made[ending]}, cut=cut)
    assert facts["archive"].endswith(f"{ID}{ending}") and facts["pictures"] >= 250 and video.exists()
    assert abs(len(samples(audio)) - 10 * facts["sample_rate"]) <= _slack(ending, facts)


@pytest.mark.parametrize("form", ["wav", "flac", "m4a"])
@pytest.mark.parametrize("ending", CODECS)
def test_a_sound_of_any_kind_is_the_clip(made: dict[str, Path], tmp_path: Path, ending: str, form: Any) -> None:
    facts, video, audio = take(tmp_path, {ending: made[ending]}, media="audio", audio_format=form)
    assert facts["archive"].endswith(f"{ID}{ending}") and audio.exists() and not video.exists()
    assert abs(facts["samples"] - 10 * facts["sample_rate"]) <= (2048 if form == "m4a" else _slack(ending, facts))
    if (ending, form) == (".wav", "wav"):
        assert np.array_equal(samples(audio), samples(made[".wav"]))


@pytest.mark.parametrize(
    ("endings", "shape", "taken"),
    [
        ((".webm", ".mkv", ".mp4", ".wav"), {}, ".mp4"),
        ((".webm", ".mkv", ".wav"), {}, ".mkv"),
        ((".mp4", ".m4a", ".flac", ".wav"), {"media": "audio", "audio_format": "m4a"}, ".m4a"),
        ((".mp4", ".m4a", ".flac"), {"media": "audio", "audio_format": "wav"}, ".flac"),
        ((".mp4", ".m4a"), {"media": "audio", "audio_format": "wav"}, ".m4a"),
    ],
)
def test_of_several_the_best_is_taken(
    made: dict[str, Path], tmp_path: Path, endings: tuple[str, ...], shape: dict[str, Any], taken: str
) -> None:
    facts, *_ = take(tmp_path, {ending: made[ending] for ending in endings}, **shape)
    assert facts["archive"].endswith(taken)


def test_a_sound_alone_is_no_film(made: dict[str, Path], tmp_path: Path) -> None:
    archives = Archives({ID}, tmp_path / "spill", endings_of(Settings(tmp_path)))
    (tmp_path / "mine").mkdir()
    shutil.copy(made[".wav"], tmp_path / "mine" / f"{ID}.wav")
    assert archives.add(tmp_path / "mine") == 0 and not archives.holds(ID)


# -- what was made here ----------------------------------------------------------------------------------------

CLIPS = [f"keptvideo{n:02d}_00000{n}" for n in range(2)]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Path:
    """A data folder of an earlier run."""
    base = tmp_path_factory.mktemp("first")
    with stage(base, media_folder, dict.fromkeys(CLIPS, FakeVideo(QUICK))) as played:
        assert played.run().code == 0
        return played.data


def packed(folder: Path, target: Path) -> Path:
    with tarfile.open(target, "w:gz") as tar:
        tar.add(folder, "avqa")
    return target


def files_of(folder: Path) -> dict[str, str]:
    return digests([*folder.glob("videos/*"), *folder.glob("audio/*")])


@pytest.mark.parametrize(("kind", "options"), [("folder", ()), ("tar.gz", ()), ("folder", ("--encode", "all"))])
def test_what_was_made_here_in_the_same_shape_is_kept_byte_for_byte(
    first: Path, tmp_path: Path, media_folder: Path, kind: str, options: tuple[str, ...]
) -> None:
    """Whichever of its frames were encoded: they would not become better."""
    source = first if kind == "folder" else packed(first, tmp_path / "old.tar.gz")
    with stage(tmp_path, media_folder, dict.fromkeys(CLIPS, FakeVideo(QUICK))) as played:
        ended = played.run("--archives", source, *options)
        assert ended.code == 0 and "2 clips are in" in ended.out, ended.said
        assert "2 of them exact already: they are kept as they are" in ended.out
        assert files_of(played.data) == files_of(first) and played.asked_videos() == set()
        assert all(line["kept"] and line["formats"] for line in played.manifest)
        assert "2 clips are right, 0 are bad" in played.run("--verify").out


def _another_shape(played: Stage, folder: Path) -> list[str]:
    return ["--audio-rate", "16000"]


def _other_seconds(played: Stage, folder: Path) -> list[str]:
    manifest = folder / "manifest.jsonl"
    lines = [json.loads(line) | {"asked": [100.0, 110.0]} for line in manifest.read_text().splitlines()]
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return []


def _changed_since(played: Stage, folder: Path) -> list[str]:
    for path in folder.glob("audio/*.wav"):
        path.write_bytes(path.read_bytes()[:-2] + b"\0\1")
    return []


@pytest.mark.parametrize("change", [_another_shape, _other_seconds, _changed_since])
def test_what_is_not_the_same_is_cut_like_the_rest(
    first: Path, tmp_path: Path, media_folder: Path, change: Any
) -> None:
    old = tmp_path / "old"
    shutil.copytree(first, old)
    with stage(tmp_path, media_folder, dict.fromkeys(CLIPS, FakeVideo(QUICK))) as played:
        ended = played.run("--archives", old, *change(played, old))
        assert ended.code == 0 and played.published == set(CLIPS), ended.said
        assert played.asked_videos() == set() and not any(line.get("kept") for line in played.manifest)


@pytest.mark.parametrize("text", ["", "no json", '{"id": "../x", "status": "done"}', "\xff", '{"status": 7}'])
def test_a_strangers_manifest_is_only_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "manifest.jsonl").write_bytes(text.encode("latin-1"))
    archives = Archives({ID}, tmp_path / "spill")
    archives.add(tmp_path / "mine")
    assert look_for_exact(archives, Settings(tmp_path)) == 0 and list((tmp_path / "spill").glob("*")) == []

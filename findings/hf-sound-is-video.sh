#!/usr/bin/env bash
# In a "videofolder" the column of sounds is a column of videos.
#
# One would guess: metadata.jsonl with video_file_name and audio_file_name, each clip's film and its sound, gives a column
#                  of type Video and one of type Audio; or the loader refuses a file that is no video.
# What happens:    each column whose name ends in _file_name becomes of the loader's own type: "audio" is Video, with
#                  .flac files in it. load_dataset() succeeds, and streaming does. No name of a file is looked at.
# Why it matters:  an audio-visual data set looks right in its listing and its length, and whoever asks for the sound of
#                  a row asks a decoder of videos for a .flac.
# Source:          datasets/packaged_modules/folder_based_builder/folder_based_builder.py: one BASE_FEATURE for all columns.
# Seen:            by running (datasets 5.2.0). Cure: cast_column("audio", datasets.Audio()).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q datasets==5.2.0 numpy==2.4.6 pyarrow==26.0.1 imageio-ffmpeg==0.8.1
cd "$work"
HF_HOME="$work/hf" HF_HUB_OFFLINE=1 venv/bin/python -W ignore - <<'PY'
import json
import pathlib
import subprocess
import sys

import datasets
import imageio_ffmpeg

datasets.disable_progress_bars()
FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error"]
folder = pathlib.Path("clips")
folder.mkdir()
rows = []
for i in range(3):
    film, sound = f"clip{i}.mp4", f"clip{i}.flac"
    picture = ["-f", "lavfi", "-i", "testsrc=size=64x48:duration=1", "-pix_fmt", "yuv420p"]
    subprocess.run([*FFMPEG, *picture, str(folder / film)], check=True)
    subprocess.run([*FFMPEG, "-f", "lavfi", "-i", "sine=duration=1", str(folder / sound)], check=True)
    rows.append({"video_file_name": film, "audio_file_name": sound, "start": i})
(folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def load(**options):
    """The types of the columns, and the files of the first row."""
    data = datasets.load_dataset("videofolder", data_dir="clips", split="train", **options)
    types = {name: type(feature).__name__ for name, feature in data.features.items()}
    for name in ("video", "audio"):
        data = data.cast_column(name, datasets.Video(decode=False))
    first = next(iter(data))
    return types, [pathlib.Path(first[name]["path"]).name for name in ("video", "audio")]


found = {"whole": load(), "streaming": load(streaming=True)}
for name, value in found.items():
    print(f"{name:9}", *value)
types = {"video": "Video", "audio": "Video", "start": "Value"}
sys.exit(any(value != (types, ["clip0.mp4", "clip0.flac"]) for value in found.values()))
PY

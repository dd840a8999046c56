"""The rehearsal: the real script, yt-dlp and ffmpeg on a made-up AVQA, with a stand-in for YouTube.

    ./run_avqa_download.sh rehearse [FOLDER] [--keep]

Shows on a node without YouTube that the node can do the job: Python, ffmpeg, deno, disk. It needs the runtime
packages and trustme. Ten clips of nine videos, seven of which can be had; ends with 0 if exactly those came.
--keep leaves the folder: what a data folder looks like, before there is one of YouTube's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# It is a program, too, which whoever sets this project up runs first.
sys.path.insert(0, str(ROOT))

from tests.standin.fake_media import Media  # noqa: E402
from tests.standin.fake_youtube import FakeVideo, FakeYouTube  # noqa: E402

QA_URL = "https://raw.githubusercontent.com/AlyssaYoung/AVQA/main/data/annotation/{}_qa.json"
VGGSOUND_URL = "https://raw.githubusercontent.com/hche11/VGGSound/master/data/vggsound.csv"

_MINUTE = Media(duration=60.0)
_SHORT = Media(duration=24.0)


@dataclass(frozen=True)
class Piece:
    """One clip of the made-up AVQA and what must become of it: its seconds, or the reason of its failure."""

    clip: str
    split: str
    video: FakeVideo
    becomes: float | str
    questions: int = 1


PIECES = (
    Piece("AVrehearsal_000000", "train", FakeVideo(_MINUTE), 10.0, questions=2),
    Piece("AVtwoclips1_000017", "train", FakeVideo(_MINUTE), 10.0),
    Piece("AVtwoclips1_000042", "train", FakeVideo(_MINUTE), 10.0),
    Piece("-AVbeginsby_000030", "train", FakeVideo(_MINUTE), 10.0),
    Piece("AVisprivate_000010", "train", FakeVideo(_MINUTE, case="private"), "private"),
    Piece("AVwasremove_000005", "val", FakeVideo(_MINUTE, case="removed_by_uploader"), "removed", questions=2),
    Piece("AVendsearly_000018", "val", FakeVideo(_SHORT), 6.0),
    Piece("AVpastitend_000070", "val", FakeVideo(_MINUTE), "over"),
    Piece("AVportrait1_000003", "val", FakeVideo(Media(duration=24.0, width=360, height=640)), 10.0),
    Piece("AVonefile18_000008", "val", FakeVideo(_SHORT, itags=(18,)), 10.0),
)


SUMMARY = "7 of 10 clips are done, 3 failed, 0 not tried yet."


def annotation_files() -> dict[str, bytes]:
    """The annotation files at their true addresses: 12 questions on 10 clips."""
    files, number = {}, 0
    for split in ("train", "val"):
        records = []
        for piece in (p for p in PIECES if p.split == split):
            for _ in range(piece.questions):
                number += 1
                records.append(question(number, piece.clip))
        files[QA_URL.format(split)] = json.dumps(records, indent=4).encode()
    rows = [f'{p.clip[:11]},{int(p.clip[12:])},"made up, with a comma",train' for p in PIECES]
    return files | {VGGSOUND_URL: "\n".join(rows).encode()}


def question(number: int, clip: str) -> dict[str, Any]:
    """A record in the schema of AVQA's files."""
    return {
        "id": number,
        "video_name": clip,
        "video_id": number,
        "question_text": "What is in the video?",
        "multi_choice": ["a test card", "a cat", "a train", "nothing"],
        "answer": 0,
        "question_relation": "Both",
        "question_type": "Which",
    }


def run(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run the script, showing what it prints as it comes; its exit code and all that it said."""
    said = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            print(line, end="", flush=True)
            said.append(line)
    return child.returncode, "".join(said)


def wrong(folder: Path, code: int, said: str) -> list[str]:
    """What is not as it must be after the run, a line each."""
    complaints = [] if code == 0 else [f"the script ended with {code}, not 0"]
    if SUMMARY not in said:
        complaints.append(f"the summary does not say: {SUMMARY}")
    completed = set(json.loads((folder / "download_progress.json").read_text())["completed"])
    failed = json.loads((folder / "failed_downloads.json").read_text())
    for piece in PIECES:
        if isinstance(piece.becomes, str):
            got = failed.get(piece.clip, {}).get("reason")
            if got != piece.becomes:
                complaints.append(f"{piece.clip} must fail as {piece.becomes}, not {got}")
        elif piece.clip not in completed:
            complaints.append(f"{piece.clip} did not come: {failed.get(piece.clip)}")
        else:
            with wave.open(str(folder / "audio" / f"{piece.clip}.wav")) as sound:
                seconds = sound.getnframes() / sound.getframerate()
            # The source's own end lies on a packet of 1024 samples.
            if abs(seconds - piece.becomes) > 0.05:
                complaints.append(f"{piece.clip}.wav has {seconds:.3f} s instead of {piece.becomes}")
    return complaints


def read_words() -> argparse.Namespace:
    """The folder to work in, and whether it is kept."""
    parser = argparse.ArgumentParser(prog="rehearse", description="The real program on ten made-up clips.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "data", metavar="FOLDER")
    parser.add_argument("--keep", action="store_true", help="leave there what came, to be looked at")
    return parser.parse_args()


def main() -> int:
    """Run it; return 0 when everything came as it must."""
    words = read_words()
    base = words.folder.absolute()
    if base.exists() and not base.is_dir():
        print(f"error: {base} is not a folder to work in", file=sys.stderr)
        return 2
    base.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="rehearsal-", dir=base))
    print(f"Rehearsal in {work}: making the stand-in's videos with ffmpeg ...", flush=True)
    videos = {piece.clip[:11]: piece.video for piece in PIECES}
    with FakeYouTube(work / "media", videos, files=annotation_files()) as youtube:
        command = [sys.executable, "-u", str(ROOT / "download_general_avqa.py"), "--data-dir", str(work / "avqa")]
        # A pace of its own: what is rehearsed does not count against the user's hour.
        options = ["--workers", "2", "--rate-limit", "1M", "--sleep", "0.2", "--state-dir", str(work / "pace")]
        options += ["--proxy", youtube.proxy]
        # Nor is a task of a job array to rehearse its share alone.
        own = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_ARRAY_")}
        code, said = run([*command, *options], {**own, **youtube.environment(proxy="")})
    try:
        complaints = wrong(work / "avqa", code, said)
    except (OSError, ValueError) as error:
        complaints = [f"the run left no result: {error}"]
    for complaint in complaints:
        print(f"WRONG: {complaint}")
    if complaints:
        print(f"The rehearsal failed; what it left is in {work}")
        return 1
    if words.keep:
        for name in ("media", "pace"):
            shutil.rmtree(work / name, ignore_errors=True)
        print(f"What came is in {work / 'avqa'}; remove {work} when you have seen it.")
    else:
        shutil.rmtree(work)
    print("The rehearsal went well: this machine can do the job. Only YouTube itself was not asked.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

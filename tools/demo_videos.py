"""The videos of `make demo`, and the list that names their clips."""

from __future__ import annotations

import csv
from pathlib import Path

from avclips.core.files import whole
from avclips.curate.synthetic.files import Look
from avclips.curate.synthetic.plan import Clip, Video, videos

SEED = 7
LOOK = Look(320, 180, 15, preset="ultrafast")
# Seconds of a clip; the shots that clips are cut from are longer.
SECONDS = 10
# Videos that are listed and cannot be had: what a failure looks like.
LOST = {"sPRIVATE001": "private", "sREMOVED002": "removed_by_uploader"}
_CLIPS_EACH = 4
_WORDS = {
    "bounce": "a ball falls and springs back",
    "zoom": "a disc grows again and again",
    "flash": "the picture flashes at odd times",
    "flicker": "a patch flickers",
    "pendulum": "a bob swings from side to side",
    "colours": "the colours change step by step",
    "slide": "a square wanders up and down",
    "spin": "a bar turns faster and slower",
    "rings": "rings spread from a point",
    "rain": "drops appear at random places",
}


def made_videos(clip_count: int) -> list[Video]:
    """Videos with so many clips in all."""
    return [each for each in videos(-(-clip_count // _CLIPS_EACH), clip_count, SEED) if each.shots]


def write_list(path: Path, shown: list[Video]) -> None:
    """The list of the clips, as a user has one: a row for each, with the address of its video and its seconds."""
    with whole(path) as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["id", "url", "start", "end", "label", "caption", "sound", "matched"])
        for video in shown:
            start = 0.0
            for shot in video.shots:
                if shot.picture.seconds >= SECONDS:
                    rows.writerow(
                        [shot.id, _url(video.id), round(start, 3), round(start + SECONDS, 3), *_about(shot)]
                    )
                start += shot.picture.seconds
        for video_id in LOST:
            rows.writerow([f"lost_{video_id}", _url(video_id), 0, SECONDS, "", "nobody knows any more", "", ""])


def _url(video_id: str) -> str:
    return f"https://www.youtube.com/watch?v={video_id}"


def _about(clip: Clip) -> list[str]:
    kind, sound = clip.picture.kind, clip.sound.kind
    heard = "and is heard" if clip.matched else f"and something else is heard ({sound})"
    return [kind, f"{_WORDS[kind]}, {heard}", sound, str(int(clip.matched))]

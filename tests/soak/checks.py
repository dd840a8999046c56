"""What must hold of a data folder while the soak test ill-treats it, and after.

Knows: files, manifest lines, log lines, and what a faultless run left. Knows not: how runs are started and
what was done to them. Every function returns what is wrong, a line each.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import wave
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av

# Reasons that speak of us, and must never be charged to a clip.
REFUSALS = ("bot_check", "rate_limited", "too_many_requests", "wrong_video", "no_player_response", "trouble")
_OUTCOME = re.compile(r"avclips\.progress\.console: (again in \d+ s|refused|done|failed) ([\w-]{18})(?![\w-])(.*)")
# The stand-in's words for a block; where they are called anything but a refusal, a clip pays for it.
_REFUSED = re.compile(r"HTTP Error 429|not a bot|rate-limited by YouTube")


def digests(folder: Path) -> dict[str, str]:
    """The name under ``folder`` of each final file -> its SHA-256."""
    files = sorted([*folder.glob("videos/*"), *folder.glob("audio/*")])
    return {f"{path.parent.name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


class Watcher(threading.Thread):
    """Looks all along at what stands under final names, JSON too: each file once, and again when it changes."""

    def __init__(self, folder: Path, right: Mapping[str, str]) -> None:
        """``right``: what each file must be (see ``digests``)."""
        super().__init__(name="watcher", daemon=True)
        self.looked_at = 0
        self.wrong: list[str] = []
        self._folder = folder
        self._right = right
        self._seen: dict[Path, tuple[int, int, int]] = {}
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.05):
            self.look()

    def end(self) -> None:
        """Look a last time, and no more."""
        self._ended.set()
        self.join()
        self.look()

    def look(self) -> None:
        """Check what is new."""
        for path in [*self._folder.glob("videos/*"), *self._folder.glob("audio/*"), *self._folder.glob("*.json")]:
            try:
                state = path.stat()
                stamp = (state.st_ino, state.st_size, state.st_mtime_ns)
                if self._seen.get(path) != stamp:
                    self._seen[path] = stamp
                    self._check(path)
            except FileNotFoundError:
                continue  # moved aside by its owner meanwhile

    def _check(self, path: Path) -> None:
        name, content = f"{path.parent.name}/{path.name}", path.read_bytes()
        if path.suffix == ".json":
            if not _parses(content):
                self.wrong.append(f"{path.name} stood there and does not parse: {content[-80:]!r}")
            return
        self.looked_at += 1
        if hashlib.sha256(content).hexdigest() != self._right.get(name):
            self.wrong.append(
                f"{name} stood there and is not the faultless run's: {broken(path) or 'it is whole'}"
            )


def _parses(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


def broken(path: Path) -> str | None:
    """What is wrong with a file that nothing is known of, or None."""
    if not path.stat().st_size:
        return "it is empty"
    try:
        if path.suffix == ".wav":
            with wave.open(str(path)) as sound:
                missing = sound.getnframes() * sound.getsampwidth() * sound.getnchannels()
                missing -= len(sound.readframes(sound.getnframes()))
            return f"{missing} bytes of its sound are missing" if missing else None
        with av.open(str(path)) as container:
            pictures = sum(1 for _ in container.decode(video=0))
        return None if pictures else "it has no picture"
    except (OSError, EOFError, wave.Error, av.error.FFmpegError) as error:
        return f"it cannot be read: {error!r}"


def seconds(path: Path) -> float:
    """Where the shorter of a file's streams ends; 0 for a file that cannot be read or lacks one."""
    ends = {"video": 0.0, "audio": 0.0}
    try:
        with av.open(str(path)) as container:
            for packet in container.demux():
                if packet.pts is not None and packet.time_base is not None and packet.stream.type in ends:
                    end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                    ends[packet.stream.type] = max(ends[packet.stream.type], end)
    except (OSError, av.error.FFmpegError):
        return 0.0
    return min(ends.values())


def unreadable(folder: Path, pace: Path) -> list[str]:
    """JSON that does not parse after a ``kill -9``; only the manifest's last line may be cut."""
    wrong = []
    for path in [*folder.glob("*.json"), *folder.glob("metadata/*.json"), *pace.glob("*.json")]:
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            wrong.append(f"{path.name} does not parse: {error}")
    lines = manifest_bytes(folder).split(b"\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            json.loads(line or b"{}")
        except ValueError as error:
            # A run that goes on after a cut line ends it: such a line stands in the middle then.
            if not line.startswith(b'{"id": ') or line.endswith(b"}"):
                wrong.append(f"manifest.jsonl, line {number} does not parse: {error}")
    return wrong


def manifest_bytes(folder: Path) -> bytes:
    path = folder / "manifest.jsonl"
    return path.read_bytes() if path.exists() else b""


def manifest_lines(content: bytes) -> Iterator[dict[str, Any]]:
    """The whole lines of a piece of the manifest."""
    for line in content.split(b"\n"):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found


@dataclass
class Charges:
    """What runs charged to clips.

    ``refused``: tries that were answered with a block; ``again``: tries that failed; ``checked``: outcomes of
    clips that had been refused before.
    """

    refused: int = 0
    checked: int = 0
    again: int = 0
    wrong: list[str] = field(default_factory=list)

    def take(self, log: bytes, manifest: bytes, unsure: Collection[str] = ()) -> None:
        """Compare the log and the manifest of one run: a clip's tries are those that were no refusals.

        ``unsure``: videos of which log lines may be missing, since there was no room for them.
        """
        tries: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        for line in log.decode("utf-8", "replace").splitlines():
            if (found := _OUTCOME.search(line)) is not None:
                self.refused += found[1] == "refused"
                self.again += found[1].startswith("again")
                tries[found[2]] += found[1].startswith("again")
                refused[found[2]] += found[1] == "refused"
                if found[1] != "refused" and _REFUSED.search(found[3]):
                    self.wrong.append(f"{found[2]} pays for a block: {found[1]}{found[3][:200]}")
        for entry in manifest_lines(manifest):
            clip = entry["id"]
            if entry["status"] == "failed" and entry["reason"] in REFUSALS:
                self.wrong.append(
                    f"{clip} was charged for a block, after {refused[clip]} refusals: {entry['reason']}: "
                    f"{entry['error'][:100]}"
                )
            elif entry["status"] in ("done", "failed") and entry["youtube_id"] not in unsure:
                self.checked += refused[clip] > 0
                if entry["attempts"] > tries[clip] + 1:
                    self.wrong.append(
                        f"{clip} has {entry['attempts']} attempts, with {tries[clip]} failed tries before it and "
                        f"{refused[clip]} refusals"
                    )


def differences(folder: Path, right: Mapping[str, str]) -> list[str]:
    """Where the final files are not those of the faultless run."""
    found = digests(folder)
    wrong = [f"{name} is missing" for name in right.keys() - found.keys()]
    wrong += [f"{name} ought not to be there" for name in found.keys() - right.keys()]
    return wrong + [f"{name} differs" for name in right.keys() & found.keys() if right[name] != found[name]]


def verdicts(folder: Path, expected: Mapping[str, str | None]) -> list[str]:
    """Where the JSON does not say of each clip that it is done, or why it failed for good.

    ``expected``: clip id -> the reason of its failure; None: it is done.
    """
    completed = set(json.loads((folder / "download_progress.json").read_text())["completed"])
    failed = json.loads((folder / "failed_downloads.json").read_text())
    wrong = []
    for clip, reason in expected.items():
        entry = failed.get(clip, {})
        if reason is None and (clip not in completed or entry):
            wrong.append(f"{clip} is playable, and is not done: {entry}")
        elif reason is not None and (entry.get("reason") != reason or not entry.get("permanent")):
            wrong.append(f"{clip} must have failed for good as {reason}, not {entry or 'at all'}")
    return wrong

"""The seam tests over the versions of yt-dlp and ffmpeg in avclips/core/tested_versions.py, as a table.

    python -m tools.matrix                                  # all of them: make test-versions
    python -m tools.matrix --yt-dlp 2026.10.26 --ffmpeg 5.1

One environment, .venv-versions, in which yt-dlp and imageio-ffmpeg are changed for each cell. Where the system's
ffmpeg is not of the version meant, or is not there, its column is left out.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from avclips.core.tested_versions import FFMPEG, FFMPEG_FROM, YT_DLP

from .environments import Environment, Result, seam_requirements
from .requirements import ROOT

Cell = tuple[str, str]
LOGS = ROOT / ".cache" / "versions"


def main(argv: Sequence[str]) -> int:
    """Run what was asked for; the exit code says whether all tests passed."""
    parser = argparse.ArgumentParser(prog="python -m tools.matrix", description=__doc__.partition("\n")[0])
    parser.add_argument("--yt-dlp", nargs="+", choices=YT_DLP.versions, default=YT_DLP.versions)
    parser.add_argument("--ffmpeg", nargs="+", choices=FFMPEG.versions, default=FFMPEG.versions)
    parser.add_argument("--processes", type=int, default=2, help="tests at once")
    asked = parser.parse_args(argv)
    system = system_ffmpeg()
    columns = [each for each in asked.ffmpeg if FFMPEG_FROM[each] or is_version(system, each)]
    for missing in sorted(set(asked.ffmpeg) - set(columns)):
        print(f"ffmpeg {missing} is left out: the system's ffmpeg is {system or 'not there'}.")
    environment = Environment(ROOT / ".venv-versions")
    environment.install(*seam_requirements(but=("yt-dlp", "imageio-ffmpeg")))
    found: dict[Cell, Result] = {}
    for ytdlp in asked.yt_dlp:
        environment.install(f"yt-dlp[default,deno]=={ytdlp}")
        for ffmpeg in columns:
            started = time.monotonic()
            wheel = FFMPEG_FROM[ffmpeg]
            environment.install(f"imageio-ffmpeg=={wheel}" if wheel else "imageio-ffmpeg")
            report = LOGS / f"yt-dlp-{ytdlp}-ffmpeg-{ffmpeg}.xml"
            result = environment.test(report, asked.processes, None if wheel else shutil.which("ffmpeg"))
            found[ytdlp, ffmpeg] = result
            seconds = time.monotonic() - started
            print(f"yt-dlp {ytdlp}, ffmpeg {ffmpeg}: {result}, {seconds:.0f} s", flush=True)
    print("\n".join(["", *table(found), *failures(found)]))
    return int(any(result.failed or not result.passed for result in found.values()))


def system_ffmpeg() -> str | None:
    """The version of the ffmpeg on PATH, as it names itself."""
    path = shutil.which("ffmpeg")
    said = subprocess.run([path, "-version"], capture_output=True, text=True).stdout if path else ""
    match = re.match(r"ffmpeg version (\S+)", said)
    return match[1] if match else None


def is_version(found: str | None, meant: str) -> bool:
    """Whether ``found`` is of the release that ``meant`` names: 5.1.9-0+deb12u1 is of 5.1."""
    return found is not None and re.match(rf"n?{re.escape(meant)}(?![0-9])", found) is not None


def table(found: Mapping[Cell, Result]) -> list[str]:
    """Markdown: a row for each yt-dlp, a column for each ffmpeg, passed/failed in each cell."""
    rows, columns = (list(dict.fromkeys(cell[place] for cell in found)) for place in (0, 1))
    lines = [["passed/failed", *(f"ffmpeg {column}" for column in columns)]]
    for row in rows:
        results = [found[row, column] for column in columns]
        lines.append([f"yt-dlp {row}", *(f"{each.passed}/{len(each.failed)}" for each in results)])
    wide = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["| " + " | ".join(word.ljust(n) for word, n in zip(line, wide, strict=True)) + " |" for line in lines]
    return [text[0], "|" + "|".join("-" * (n + 2) for n in wide) + "|", *text[1:]]


def failures(found: Mapping[Cell, Result]) -> list[str]:
    """Each test that failed, with the cells in which it did."""
    where: dict[str, list[str]] = {}
    for (ytdlp, ffmpeg), result in found.items():
        for name in result.failed:
            where.setdefault(name, []).append(f"{ytdlp}/{ffmpeg}")
    lines = [f"  {name}  ({'everywhere' if len(cells) == len(found) else ', '.join(cells)})"
             for name, cells in sorted(where.items())]  # fmt: skip
    return ["", f"Failed (the logs are in {LOGS.relative_to(ROOT)}):", *lines] if lines else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

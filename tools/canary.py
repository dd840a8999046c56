"""What the newest releases of others change, before users meet it: against the record in tools/canary.json.

    python -m tools.canary             # make canary: the newest of everything in a fresh environment
    python -m tools.canary --pre       # yt-dlp's nightly build instead of its release
    python -m tools.canary --record    # make canary-record: what is found becomes the record

The end is 0 where the tests pass and nothing moved but versions, else 1. It goes online to install, and only then.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from .environments import Environment, seam_requirements
from .requirements import ROOT

RECORD = ROOT / "tools" / "canary.json"
# Read by people's loaders, and in no requirement of ours.
BESIDES = ("datasets",)


def main(argv: Sequence[str]) -> int:
    """Install, look, compare, test; the exit code as above."""
    parser = argparse.ArgumentParser(prog="python -m tools.canary", description=__doc__.partition("\n")[0])
    parser.add_argument("--record", action="store_true", help="write what is found into the record")
    parser.add_argument("--pre", action="store_true", help="yt-dlp's newest nightly build")
    parser.add_argument("--processes", type=int, default=2, help="tests at once")
    asked = parser.parse_args(argv)
    environment = Environment(ROOT / ".venv-canary", fresh=True)
    # A bound that is itself a pre-release admits those of this package, and of no other.
    ytdlp = ["yt-dlp[default,deno]>=2026.0.dev0"] if asked.pre else []
    environment.install("--upgrade", *BESIDES, *seam_requirements(), *ytdlp)
    found = json.loads(environment.ask("-m", "tools.probe"))
    known = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    moved = what_moved(known, found)
    print("\n".join(["What moved since the record:", *moved] if moved else ["Nothing moved since the record."]))
    if asked.record:
        RECORD.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"Written: {RECORD.relative_to(ROOT)}")
        return 0
    report = ROOT / ".cache" / "versions" / "canary.xml"
    result = environment.test(report, asked.processes)
    print("\n".join([f"The seam tests: {result}.", *(f"  {name}" for name in result.failed)]))
    if result.failed:
        print(f"What pytest said: {report.with_suffix('.log').relative_to(ROOT)}")
    return int(bool(result.failed) or not result.passed or behaves_otherwise(known, found))


def behaves_otherwise(known: Any, found: Any) -> bool:
    """Whether anything moved besides the versions themselves."""
    return any(known.get(key) != found.get(key) for key in {*known, *found} - {"versions"})


def what_moved(known: Any, found: Any) -> list[str]:
    """The differences, to be read in a minute: those that are the same in many places are told once."""
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for path, lines in _changes(known, found):
        groups.setdefault((path[0], tuple(lines)), []).append(" ".join(path[1:]))
    told: dict[str, list[str]] = {}
    for (section, changed), places in groups.items():
        where = f"  {section}: {', '.join(places)}" if any(places) else f"  {section}"
        told.setdefault(where, []).extend(f"      {line}" for line in changed)
    return [line for where, lines in told.items() for line in (where, *lines)]


def _changes(known: Any, found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """(where, lines) of each difference; a field's own name stands in its line."""
    if known == found:
        return
    if isinstance(known, dict) and isinstance(found, dict):
        for key in dict.fromkeys([*known, *found]):
            yield from _changes(known.get(key), found.get(key), (*path, key))
    elif isinstance(known, dict | list) or isinstance(found, dict | list):
        yield path, [line for line in difflib.ndiff(_lines(known), _lines(found)) if line[0] in "-+"]
    else:
        yield path[:-1], [f"{path[-1]}: {_word(known)} -> {_word(found)}"]


def _lines(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{key}: {each}" for key, each in value.items()]
    return [str(each) for each in value] if isinstance(value, list) else []


def _word(value: Any) -> str:
    return "nothing" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

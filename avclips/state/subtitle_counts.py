"""Which clips have subtitles, in which of the languages that were asked for: what the end of a run says of it.

Knows the lines of manifests and the counts of shards. Which subtitles a video has is for ``streams``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Of so many languages that were seen in place of one, the rest are only counted.
_SHOWN = 8
# Why a clip has no file in a language.
_NONE, _SILENT, _REFUSED, _BEFORE = "none", "silent", "refused", "before"


@dataclass
class Captions:
    """What clips that are done have of subtitles.

    ``lacking``: by language, how many have no file, by why not; ``seen``: by language, which others the videos
    of clips have that have none in it.
    """

    clips: int = 0
    lacking: dict[str, Counter[str]] = field(default_factory=dict)
    seen: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, line: Mapping[str, Any], asked: Sequence[str]) -> None:
        """Count a finished clip's line; ``asked``: the languages that its run wants."""
        self.clips += 1
        found, errors = line.get("subtitles") or {}, line.get("subtitles_error") or {}
        offered = line.get("subtitles_seen") or []
        for language in asked:
            if found.get(language):
                continue
            why = _REFUSED if language in errors else _BEFORE if language not in found else _NONE
            # Of a country, too, it counts.
            if why == _NONE and any(f"{each}-".startswith(f"{language}-") for each in offered):
                why = _SILENT
            self.lacking.setdefault(language, Counter())[why] += 1
            if why == _NONE:
                self.seen.setdefault(language, Counter()).update(offered)

    def as_json(self) -> dict[str, Any]:
        """What a shard's stats say of it; nothing where nothing is lacking."""
        if not self.lacking:
            return {}
        lacking = {language: dict(counts) for language, counts in self.lacking.items()}
        return {"lacking": lacking, "seen": {language: dict(counts) for language, counts in self.seen.items()}}

    def join(self, stats: Mapping[str, Any]) -> None:
        """Add what ``as_json`` gave of others; what is no count of anything is passed over."""
        for name, mine in (("lacking", self.lacking), ("seen", self.seen)):
            said = stats.get(name)
            for language, counts in said.items() if isinstance(said, dict) else ():
                if isinstance(counts, dict) and all(type(each) is int and each >= 0 for each in counts.values()):
                    mine.setdefault(language, Counter()).update(counts)

    def words(self) -> list[str]:
        """A line for each language that some clips lack, and what may be done about it."""
        return [self._of(language, counts) for language, counts in self.lacking.items() if counts]

    def _of(self, language: str, counts: Mapping[str, int]) -> str:
        said = []
        if none := counts.get(_NONE):
            others = Counter(self.seen.get(language, {})).most_common()
            listed = [f"{count} {each}" for each, count in others[:_SHOWN]]
            more = [f"{len(others) - _SHOWN} more"] if len(others) > _SHOWN else []
            has = f" (other languages: {', '.join([*listed, *more])})" if listed else " in any language"
            said.append(f"the videos of {none} have none{has}")
        if silent := counts.get(_SILENT):
            said.append(f"nothing is said in {silent}")
        if refused := counts.get(_REFUSED):
            said.append(f"{refused} could not be had (the log says why)")
        if before := counts.get(_BEFORE):
            said.append(f"{before} were made without being asked for them (delete their files to have both)")
        missing = sum(counts.values())
        return f"--subtitles {language}: {missing} of {self.clips} clips have no file: {'; '.join(said)}."


def without_subtitles(lines: Iterable[Mapping[str, Any]], asked: Sequence[str], clips: Iterable[str]) -> list[str]:
    """What to say of the finished clips of a list, out of a manifest; nothing where all have what was asked for.

    ``clips``: the ids of the list.
    """
    if not asked:
        return []
    found, wanted = Captions(lacking={language: Counter() for language in asked}), frozenset(clips)
    for line in lines:
        if line["id"] in wanted:
            found.add(line, asked)
    return found.words()

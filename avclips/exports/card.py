"""The README.md of an export: what it holds, how much of its dataset that is, whose it is, how it was made."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .. import __version__
from .chosen import Exported, split_name

# The licence of each dataset's annotations, by the dataset's name, as its authors state it (docs/datasets.md).
ANNOTATIONS = {
    "general_avqa": "AVQA (https://github.com/AlyssaYoung/AVQA) states no licence for its annotations. Clips, "
    "labels and splits of VGG-Sound (https://www.robots.ox.ac.uk/~vgg/data/vggsound/) are CC BY 4.0.",
    "music_avqa": "MUSIC-AVQA (https://gewu-lab.github.io/MUSIC-AVQA/): the repository is MIT, the project's page "
    "gives CC BY-NC 4.0 for the dataset; v2.0 is for research only.",
    "audioset": "AudioSet (https://research.google.com/audioset/): CC BY 4.0.",
    "vggsound": "VGG-Sound (https://www.robots.ox.ac.uk/~vgg/data/vggsound/): CC BY 4.0.",
    "acav100m": "ACAV100M (https://acav100m.github.io) states no licence for its lists.",
}
TITLES = {
    "general_avqa": "General AVQA",
    "music_avqa": "MUSIC-AVQA",
    "audioset": "AudioSet",
    "vggsound": "VGG-Sound",
    "acav100m": "ACAV100M",
    "clips": "Clips",
}
_OWNERS = """\
Each video belongs to its uploader, not to the dataset and not to whoever made this export. YouTube's terms of
service forbid passing it on without permission. Keep this export on your own machines, unless the owners of its
videos or the law of your country allow more.
"""


@dataclass
class Span:
    """When the clips of an export were downloaded, and with which versions of yt-dlp."""

    first: str = ""
    last: str = ""
    versions: tuple[str, ...] = ()

    def add(self, facts: Mapping[str, object]) -> None:
        """See what is known of a clip."""
        time, version = facts.get("time"), facts.get("yt_dlp")
        if isinstance(time, str) and time:
            self.first, self.last = min(self.first or time, time), max(self.last, time)
        if isinstance(version, str) and version and version not in self.versions:
            self.versions = tuple(sorted((*self.versions, version)))


def card(
    dataset: str,
    exported: Exported,
    data_files: Mapping[str, str],
    how: str,
    span: Span,
    columns: Sequence[tuple[str, str]] = (),
) -> str:
    """The text. ``data_files``: the pattern of each split's files; ``columns``: each, and what it holds."""
    title = TITLES.get(dataset, dataset or "Clips")
    lines = ["---", f"pretty_name: {json.dumps(f'{title}, clips')}", "license: other", "configs:"]
    lines += ["- config_name: default", "  data_files:"]
    for split, pattern in data_files.items():
        lines += [f"  - split: {split_name(split)}", f"    path: {json.dumps(pattern)}"]
    lines += ["---", "", f"# {title}, clips", "", how, "", "## Coverage", "", "| split | clips | of | share |"]
    lines += ["|---|---|---|---|", *_coverage(exported), ""]
    if exported.without:
        lines += ["Not in it: " + _counted(exported.without) + ".", ""]
    if exported.left_out:
        lines += [f"{len(exported.left_out):,} clips that are here were left out:", ""]
        lines += [f"- {why}: {count:,}" for why, count in Counter(exported.left_out.values()).most_common()]
        lines += [""]
    if columns:
        lines += ["## Columns", "", "| column | what it holds |", "|---|---|"]
        lines += [f"| `{name}` | {words} |" for name, words in columns] + [""]
    lines += ["## Licences", "", ANNOTATIONS.get(dataset, "The list of clips is its author's."), "", _OWNERS]
    return "\n".join([*lines, "## How it was made", "", _made(span)])


def _coverage(exported: Exported) -> list[str]:
    rows = []
    for split in sorted(exported.listed):
        here, of = exported.clips[split], exported.listed[split]
        rows.append(f"| {split_name(split)} | {here:,} | {of:,} | {100 * here / of:.1f}% |")
    return rows


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda each: -each[1]))


def _made(span: Span) -> str:
    words = f"By avclips {__version__}"
    if span.first:
        words += f", of clips that were downloaded from {span.first[:10]} to {span.last[:10]}"
    if span.versions:
        words += f" with yt-dlp {', '.join(span.versions)}"
    return words + ".\n"

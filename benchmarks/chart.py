"""results.svg: what a clip costs by each way, as bars.

No background, and colours that can be read on white and on black: the page around it may be either.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .figures import Figure, Figures
from .ways import WAYS, Way

INK, FAINT, OURS, THEIRS = "#6e7781", "#8b949e", "#2f81f7", "#9a8c7c"
WIDTH, LEFT, RIGHT, BAR, GAP, HEAD = 860, 316, 60, 15, 8, 44
# Title, unit, setting, measure, how a number is written.
PANELS = (
    ("CPU of a clip, on localhost", "s", "near", "cpu", ".2f"),
    ("Time of a clip at 50 ms and 2 MB/s, one worker", "s", "far", "wall", ".1f"),
    ("Received for a clip of a 10-minute video", "MB", "near", "bytes", ".1f"),
)


def svg(figures: Figures) -> str:
    """The chart."""
    parts: list[str] = []
    top = 0
    for title, unit, setting, measure, form in PANELS:
        bars = [(way, found) for way in WAYS if (found := figures.of(setting, way.name, measure))]
        if bars:
            parts += _panel(top, f"{title} ({unit})", bars, form)
            top += HEAD + len(bars) * (BAR + GAP) + 10
    style = f"text{{font:13px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:{INK}}}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}" '
        f'role="img" aria-label="What a clip costs by each way">'
    )
    return "\n".join([head, f"<style>{style} .b{{font-weight:600}}</style>", *parts, "</svg>"]) + "\n"


def _panel(top: int, title: str, bars: Sequence[tuple[Way, Figure]], form: str) -> list[str]:
    most = max(found.high for _, found in bars)
    scale = (WIDTH - LEFT - RIGHT) / most if most else 0.0
    parts = [f'<text class="b" x="0" y="{top + 20}">{escape(title)}</text>']
    bottom = top + HEAD + len(bars) * (BAR + GAP) - GAP
    parts.append(f'<path d="M{LEFT} {top + HEAD - 6}V{bottom + 6}" stroke="{FAINT}" stroke-opacity="0.4"/>')
    for number, (way, found) in enumerate(bars):
        parts += _bar(top + HEAD + number * (BAR + GAP), way, found, scale, form)
    return parts


def _bar(y: int, way: Way, found: Figure, scale: float, form: str) -> list[str]:
    """A bar with its name, its number, and a line from the smallest round to the largest."""
    middle, length = y + BAR / 2, max(1.5, found.value * scale)
    weight, colour = (' class="b"', OURS) if way.ours else ("", THEIRS)
    behind = max(length, found.high * scale) + LEFT + 6
    parts = [
        f'<text{weight} x="{LEFT - 8}" y="{middle + 4.5}" text-anchor="end">{escape(way.title)}</text>',
        f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2" fill="{colour}"/>',
    ]
    if (found.high - found.low) * scale > 2:
        low, high = LEFT + found.low * scale, LEFT + found.high * scale
        parts.append(f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="{INK}" stroke-width="1.5"/>')
    parts.append(f'<text x="{behind:.1f}" y="{middle + 4.5}">{format(found.value, form)}</text>')
    return parts

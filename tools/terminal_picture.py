"""A picture of what a command says on a terminal, as SVG: recorded, not drawn.

python -m tools.terminal_picture docs/pictures/rehearse.svg -- ./run_avqa_download.sh rehearse
"""

from __future__ import annotations

import html
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

COLUMNS = 100
_FONT, _LINE, _LETTER, _EDGE = 14, 19, 8.43, 16
# A terminal's own language: colours, cursors, titles.
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[()][A-Z0-9]")


def record(command: list[str]) -> tuple[str, int]:
    """What ``command`` writes to a terminal of COLUMNS, and its exit code."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "TERM": "xterm"}
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    said = bytearray()
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            # The last one that had the terminal open is gone.
            break
        if not chunk:
            break
        said += chunk
    os.close(ours)
    return said.decode("utf-8", "replace"), child.wait()


def screen(text: str) -> list[str]:
    """The lines that are left on the screen: a bar that is drawn again and again is there once."""
    shown = []
    for line in _ESCAPES.sub("", text).replace("\r\n", "\n").split("\n"):
        last = next((part for part in reversed(line.split("\r")) if part.strip()), "")
        shown += [last[at : at + COLUMNS] for at in range(0, max(len(last), 1), COLUMNS)]
    while shown and not shown[-1].strip():
        shown.pop()
    return shown


def svg(command: str, lines: list[str]) -> str:
    """The picture: ``command`` behind a prompt, and the lines below it."""
    rows = [f"$ {command}", *lines]
    width, height = COLUMNS * _LETTER + 2 * _EDGE, len(rows) * _LINE + 2 * _EDGE
    text = "".join(
        f'<text x="{_EDGE}" y="{_EDGE + _LINE * number - 5}" xml:space="preserve">{html.escape(row)}</text>\n'
        for number, row in enumerate(rows, 1)
    )
    title = html.escape(f"{command}, on a terminal")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" role="img">\n'
        f"<title>{title}</title>\n"
        f'<rect width="100%" height="100%" rx="8" fill="#16181b"/>\n'
        f'<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="{_FONT}" fill="#e6e8ea">\n'
        f"{text}</g>\n</svg>\n"
    )


def main() -> int:
    """Record, and write the picture; returns the command's exit code."""
    if "--" not in sys.argv or len(sys.argv) < 4:
        sys.stderr.write(__doc__ or "")
        return 2
    target, command = Path(sys.argv[1]), sys.argv[sys.argv.index("--") + 1 :]
    said, code = record(command)
    target.write_text(svg(" ".join(command), screen(said)), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())

""".ci/run: what it does with and without Chromium, root and apt-get. The programs that it calls are made up."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ["lint", "test", "test-browser", "test-slow", "test-oldest"]
NOBODY = "There is no Chromium, and only root with apt-get can install it here."
# What apt-get does: install a Chromium, or say why not.
INSTALLS = 'case $* in *" chromium") : > "$HERE/chromium"; chmod +x "$HERE/chromium" ;; esac'
FAILS = "echo 'Reading package lists...'; echo 'E: Unable to locate package chromium' >&2; exit 100"


@pytest.mark.parametrize(
    ("user", "programs", "chosen", "asked", "said"),
    [
        (0, {"apt-get": INSTALLS}, "", 2, "Chromium was installed for make test-browser."),
        (0, {"apt-get": FAILS}, "", 1, "Chromium could not be installed: E: Unable to locate package chromium"),
        (
            1000,
            {"apt-get": INSTALLS},
            "",
            0,
            NOBODY,
        ),
        (0, {}, "", 0, NOBODY),
        (0, {"apt-get": INSTALLS, "chromium": ""}, "", 0, ""),
        (0, {"apt-get": INSTALLS, "google-chrome": ""}, "", 0, ""),
        (0, {"apt-get": INSTALLS}, "/opt/chromium", 0, ""),
    ],
)
def test_chromium_is_installed_where_it_can_be(
    tmp_path: Path, user: int, programs: dict[str, str], chosen: str, asked: int, said: str
) -> None:
    calls = tmp_path / "calls"
    calls.touch()
    folder = tmp_path / "bin"
    folder.mkdir()
    made = {"make": "", "id": f"echo {user}", "timeout": 'shift; "$@"', **programs}
    for name, text in made.items():
        (folder / name).write_text(f'#!/bin/bash\necho "{name} $*" >> {calls}\nHERE={folder}\n{text}\n')
        (folder / name).chmod(0o755)
    for name in ("dirname", "chmod", "env", "bash"):
        (folder / name).symlink_to(str(shutil.which(name)))
    environment = {"PATH": str(folder), "AVCLIPS_CHROMIUM": chosen}
    ended = subprocess.run(
        ["/bin/bash", ROOT / ".ci" / "run"], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == said and not ended.stderr
    lines = calls.read_text().splitlines()
    assert [line.split()[1] for line in lines if line.startswith("make ")] == TARGETS
    assert sum(line.startswith("apt-get ") for line in lines) == asked


def test_a_target_that_fails_ends_it(tmp_path: Path) -> None:
    (tmp_path / "make").write_text('#!/bin/sh\n[ "$1" != test ]\n')
    (tmp_path / "make").chmod(0o755)
    ended = subprocess.run([ROOT / ".ci" / "run"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=False)
    assert ended.returncode == 1

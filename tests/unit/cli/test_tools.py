"""``avclips COMMAND`` of a tool: its exit code, and what is said where it cannot go on."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import ModuleType

import pytest

from avclips.cli import tools
from avclips.cli.commands import main
from avclips.core.errors import RunError, UsageError
from avclips.core.extras import extras
from avclips.core.signals import Signals


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A tool that raises what it is given, or returns it."""
    module = ModuleType("avclips.cli.made_up")
    module.parser = lambda: argparse.ArgumentParser(prog="avclips made-up")
    monkeypatch.setitem(sys.modules, "avclips.cli.made_up", module)
    monkeypatch.setitem(tools.TOOLS, "made-up", ("made_up", "does what it is told"))
    monkeypatch.setattr(tools, "Signals", lambda: Signals(take=False))
    return module


@pytest.mark.parametrize(
    ("ends", "code", "said"),
    [
        (3, 3, ""),
        (RunError("it is empty", "fill it"), 1, "error: it is empty\n  fill it\n"),
        (UsageError("what is that?"), 2, "error: what is that?\n"),
        (
            ModuleNotFoundError("No module named 'filelock'", name="filelock"),
            1,
            "error: the Python package filelock is ",
        ),
        (FileNotFoundError(2, "No such file or directory", "x.json"), 1, "error: trouble with x.json: "),
    ],
)
def test_a_tool_ends_with_a_code_and_a_line(
    tool: ModuleType, capsys: pytest.CaptureFixture[str], ends: int | Exception, code: int, said: str
) -> None:
    def run(options: argparse.Namespace, signals: Signals) -> int:
        if isinstance(ends, Exception):
            raise ends
        return ends

    tool.run = run
    assert main(["made-up"]) == code
    assert capsys.readouterr().err.startswith(said)


def test_a_tool_is_in_the_help(tool: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "  made-up    does what it is told\n" in capsys.readouterr().out
    assert main(["made-upp"]) == 2
    assert "made-up" in capsys.readouterr().err


def test_every_tool_has_a_parser_of_its_name(tmp_path: Path) -> None:
    for name, (module, _) in tools.TOOLS.items():
        made = __import__(f"avclips.cli.{module}", fromlist=["parser"])
        assert made.parser().prog == f"avclips {name}"


def test_packages_for_one_thing_are_said_together() -> None:
    with pytest.raises(UsageError) as caught:
        extras(
            {
                "no_such_a": "the page is served",
                "no_such_b": "the page is served",
                "no_such_c": "reports are drawn",
            }
        )
    said = "the page is served by no_such_a and no_such_b, reports are drawn by no_such_c, which are not here"
    assert str(caught.value) == said
    assert caught.value.hint.endswith("no_such_a no_such_b no_such_c")

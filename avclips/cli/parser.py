"""What argparse does not do for people: one message first, and the word that was likely meant.

Knows how a word of a command line becomes an option's value. The options are in ``options_job`` and
``options_run``.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn

from ..core.redact import plain
from ..core.suggest import nearest

# So many values are listed where none is near; more would hide the message.
_FEW = 12
_NEGATIVE = re.compile(r"-\d+$|-\d*\.\d+$")
# Their value may begin with a dash.
_OF_OTHERS = ("--yt-dlp-args",)


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line each, repeat no password, and move no cursor.

    ``origin``: what they begin with, where the words are not those of the command line.
    """

    origin = ""
    _forgotten: Mapping[str, Any] = MappingProxyType({})

    def error(self, message: str) -> NoReturn:
        # argparse's own words for where it stands.
        message = re.sub(r"^argument ((?:--)?[\w-]+)(?:/--[\w-]+)*: ", r"\1: ", message)
        message = re.sub(r"not allowed with argument (\S+)$", r"does not go with \1", message)
        sys.stderr.write(f"error: {plain(self.origin + message)}\n  see --help\n")
        sys.exit(2)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        words = joined(sys.argv[1:] if args is None else args)
        self._see_options(words)
        chosen, further = self.parse_known_args(words, namespace)
        if further:
            named = (
                "" if any(not each.option_strings for each in self._actions) else " (a folder is --data-dir PATH)"
            )
            self.error(f"there is no place for {' '.join(map(repr, further))}{named}")
        return chosen

    def _see_options(self, words: Sequence[str]) -> None:
        """Complain of the first option that is none, before of anything that it may have led to."""
        if commands := self.commands():
            at = next((at for at, word in enumerate(words) if word in commands), len(words))
            if at < len(words):
                commands[words[at]]._see_options(words[at + 1 :])
            words = words[:at]
        for word in words:
            if word == "--":
                return
            name = word.partition("=")[0]
            if len(name) < 2 or not name.startswith("-") or " " in word or _NEGATIVE.match(word):
                continue
            if name not in self._option_string_actions:
                self.error(f"unknown option {name}{self.did_you_mean(name)}")

    def did_you_mean(self, name: str) -> str:
        """The option that was likely meant, by its name of today."""
        # Without their dashes, which would make them all alike.
        actions = {each.lstrip("-"): action for each, action in self._option_string_actions.items()}
        near = nearest(name.lstrip("-"), (each for each in actions if len(each) > 1))
        if near is None:
            return ""
        today = next(each for each in actions[near].option_strings if len(each) > 2)
        return f": did you mean {today}?"

    def commands(self) -> dict[str, Parser]:
        """What may be named first, each with its own parser; {} where nothing is."""
        found: dict[str, Parser] = {}
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                found |= action.choices
        return found

    def actions(self) -> dict[str, argparse.Action]:
        """Every option, by each of its names; what has no dashes, by its own."""
        return {name: each for each in self._actions for name in (each.option_strings or [each.dest])}

    def forget_defaults(self) -> None:
        """From now on, what nobody says stands nowhere but in the help."""
        self._forgotten = {action.dest: action.default for action in self._actions}
        for action in self._actions:
            action.default = argparse.SUPPRESS
        self._defaults.clear()

    def format_help(self) -> str:
        for action in self._actions:
            action.default = self._forgotten.get(action.dest, action.default)
        return super().format_help()

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        try:
            return super()._get_value(action, arg_string)
        except argparse.ArgumentError:
            if action.choices is None:
                raise
            raise argparse.ArgumentError(action, _no_choice([arg_string], list(action.choices))) from None

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            raise argparse.ArgumentError(action, _no_choice([value], list(action.choices)))


def _no_choice(words: Sequence[Any], choices: Sequence[Any]) -> str:
    """What to say of words that are none of the choices."""
    known = [str(each) for each in choices]
    said = []
    for word in map(str, words):
        near = nearest(word, known)
        said.append(f"{word!r} is unknown" + (f": did you mean {near}?" if near else ""))
    many = len(known) > _FEW
    if many and all(":" in each for each in said):
        return "; ".join(said)
    listed = ", ".join(known[:_FEW]) + (", ..." if many else "")
    return "; ".join(said) + f" (it takes {listed})"


class Several(argparse.Action):
    """Words of a few that are known, with blanks or commas between them: ``train val``, ``train,val``."""

    def __init__(self, *args: Any, known: Sequence[str] = (), **more: Any) -> None:
        """``known``: the words; empty: any."""
        super().__init__(*args, **more)
        self.known = known

    def __call__(self, parser: Any, namespace: Any, values: Any, option: str | None = None) -> None:
        words = [word for value in values for word in re.split(r"[,\s]+", value) if word]
        if values and not words:
            # An empty variable of a shell must not mean everything.
            raise argparse.ArgumentError(self, "names nothing")
        wrong = [word for word in words if self.known and word not in self.known]
        if wrong:
            raise argparse.ArgumentError(self, _no_choice(wrong, self.known))
        setattr(namespace, self.dest, words)


def joined(words: Sequence[str]) -> list[str]:
    """Have argparse take --yt-dlp-args "--an-option" for what it is: the value may begin with a dash."""
    found: list[str] = []
    for word in words:
        if found and found[-1] in _OF_OTHERS:
            found[-1] += f"={word}"
        else:
            found.append(word)
    return found

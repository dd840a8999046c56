"""A Settings out of the keywords of a call: by the names of its fields, with the defaults of a dataset."""

from __future__ import annotations

import os
import types
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ..core.errors import REASONS, UsageError
from ..core.settings import Columns, Settings
from ..core.settings_check import READERS, at_odds, out_of_range, with_fit
from ..core.state_dir import default_state_dir
from ..core.suggest import did_you_mean
from ..datasets.base import Dataset

_FIELDS = tuple(each.name for each in fields(Settings))


def settings_for(dataset: Dataset, data_dir: Path | str | None, given: Mapping[str, Any]) -> Settings:
    """The settings of a run of ``dataset``. ``data_dir`` None: the dataset's usual folder.

    A path may be a text, a tuple any sequence or one item. UsageError: an unknown name, with the nearest that is
    known; a value of another type.
    """
    for name in given:
        if name not in _FIELDS or name == "data_dir":
            hint = "docs/api.md lists the settings; they are called as the fields of avclips.Settings"
            raise UsageError(f"there is no setting {name!r}{did_you_mean(name, _FIELDS)}", hint)
    hints = get_type_hints(Settings)
    usual: dict[str, Any] = {name: value for name, value in dataset.defaults.items() if name in _FIELDS}
    if "annotations" in dataset.options:
        usual["annotations"] = "updated"
    # All runs on this connection share their pace, scripts and programs alike.
    usual["state_dir"] = default_state_dir()
    usual["splits"] = dataset.splits if given.get("strong") else dataset.usual_splits
    said = {name: _fitting(name, value, hints[name]) for name, value in given.items()}
    settings = Settings(Path(data_dir or dataset.default_dir), **(usual | said))
    for split in settings.splits:
        if split not in dataset.splits:
            known = ", ".join(dataset.splits) or "none"
            raise UsageError(
                f"there is no split {split!r}{did_you_mean(split, dataset.splits)}", f"it has {known}"
            )
    if "list" in dataset.options and not settings.clip_list:
        raise UsageError("no list is named", 'clip_list="my_list.csv", or addresses and ids themselves')
    return settings


def checked(settings: Settings) -> Settings:
    """The same, as a run can take them. UsageError where values cannot be, or do not go together."""
    if words := out_of_range(settings):
        raise UsageError(words, "docs/options.md says what each may be, by the names of the options")
    for reason in settings.retry_failed or ():
        if reason not in REASONS:
            words = f"retry_failed: {reason!r} is no reason{did_you_mean(reason, REASONS)}"
            raise UsageError(words, "docs/folder.md lists the reasons; () is all of them")
    said: dict[str, Any] = {}
    for name, read in READERS.items():
        if (text := getattr(settings, name)) is not None:
            try:
                said[name] = read(text)
            except ValueError as error:
                raise UsageError(f"{name}: {error}") from error
    settings = with_fit(replace(settings, **said))
    if words := at_odds(settings, _as_keyword):
        raise UsageError(words, "docs/options.md says what goes with what, by the names of the options")
    return settings


def _as_keyword(name: str, value: Any) -> str:
    if name == "cookies_from_browser":
        return "Identity(browser=...)"
    return name if value is True else f"{name}={value!r}"


def _fitting(name: str, value: Any, hint: Any) -> Any:
    """A value as a field has it. UsageError where it is none."""
    found = _as(value, hint)
    if found is _NONE_OF_IT:
        raise UsageError(f"{name}={value!r} is not {_words(hint)}{_near(value, hint)}")
    return found


_NONE_OF_IT: Any = object()


def _as(value: Any, hint: Any) -> Any:
    origin, among = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        # What is right as it stands counts before what can be made right.
        exact = next((each for each in among if isinstance(each, type) and type(value) is each), None)
        if exact is not None:
            return value
        made = (_as(value, each) for each in among)
        return next((each for each in made if each is not _NONE_OF_IT), _NONE_OF_IT)
    if origin is Literal:
        return value if value in among else _NONE_OF_IT
    if origin is tuple:
        return _tuple(value, among)
    if hint is Columns and isinstance(value, Mapping):
        known = {each.name for each in fields(Columns)}
        return Columns(**value) if set(value) <= known else _NONE_OF_IT
    if hint is Path:
        return Path(value) if isinstance(value, (str, os.PathLike)) else _NONE_OF_IT
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # True is a whole number to Python, and no number of workers.
    is_one = isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
    return value if is_one else _NONE_OF_IT


def _tuple(value: Any, among: tuple[Any, ...]) -> Any:
    items = [value] if isinstance(value, (str, os.PathLike)) or not hasattr(value, "__iter__") else list(value)
    hints = [among[0]] * len(items) if among[-1] is Ellipsis else list(among)
    if len(hints) != len(items):
        return _NONE_OF_IT
    made = [_as(item, hint) for item, hint in zip(items, hints, strict=True)]
    return _NONE_OF_IT if any(each is _NONE_OF_IT for each in made) else tuple(made)


def _words(hint: Any) -> str:
    origin, among = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_words(each) for each in among)
    if origin is Literal:
        return " or ".join(map(repr, among))
    if origin is tuple:
        return f"a sequence of {_words(among[0])}"
    names = {int: "a whole number", float: "a number", str: "a text", bool: "True or False", Path: "a path"}
    return names.get(hint, "None" if hint is type(None) else f"a {hint.__name__}")


def _near(value: Any, hint: Any) -> str:
    texts = [each for each in get_args(hint) if isinstance(each, str)]
    return did_you_mean(value, texts) if isinstance(value, str) and texts else ""

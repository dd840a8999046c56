"""What a reader got against what is due, as the few words of a cell."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .asking import PART, places
from .clips import File

Json = dict[str, Any]
Array = np.ndarray[Any, Any]

ALIKE = 0.002
"""By how much two decoders' samples may differ: a rounding to 16 bits, and that of their sums."""


@dataclass(frozen=True)
class Verdict:
    """A cell: its words, and of each way to read that the reader has, whether all was right."""

    words: str
    ways: Mapping[str, bool] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        return all(self.ways.values())


def pictures(files: Sequence[File], answers: Sequence[Mapping[str, Json]]) -> Verdict:
    """Of the files of one kind: the pictures in order, by index and by time."""
    words: list[str] = []
    ways: dict[str, bool] = {}
    for way in ("order", "index", "time"):
        found = [answer[way] for answer in answers]
        if any("none" in each for each in found):
            continue
        if way == "order":
            ways[way], told = _in_order(files, found)
        else:
            ways[way], told = _asked_for(way, files, found)
        words.append(told)
    return _verdict(words, ways, files, answers)


def sound(files: Sequence[File], answers: Sequence[Mapping[str, Json]], mixed: bool = False) -> Verdict:
    """Of the files of one kind: all of the samples, and those of a second in the middle.

    ``mixed``: the reader has the channels' sum as libswresample makes it, and not the first of them.
    """
    due = [file.sound.sum(0) / 2**0.5 if mixed else file.sound[0] for file in files]
    words: list[str] = []
    ways: dict[str, bool] = {}
    for way, judge in (("sound", _whole), ("part", _part)):
        found = [answer[way] for answer in answers]
        if not any("none" in each for each in found):
            ways[way], told = judge(files, due, found)
            words.append(told)
    return _verdict(words, ways, files, answers)


def _verdict(
    words: Sequence[str], ways: Mapping[str, bool], files: Sequence[File], answers: Sequence[Mapping[str, Json]]
) -> Verdict:
    """Where every way was refused, what the reader said of it, without the file's place."""
    said = [each for answer in answers for way, each in answer.items() if way in ways]
    if all("refused" in each for each in said):
        told = str(said[0]["refused"]).replace(str(files[0].path), "FILE")
        return Verdict(f"refused: {told}", ways)
    return Verdict("; ".join(words), ways)


def _in_order(files: Sequence[File], found: Sequence[Json]) -> tuple[bool, str]:
    orders = [(list(file.numbers), each.get("got", [])) for file, each in zip(files, found, strict=True)]
    right = all(numbers == got for numbers, got in orders)
    due, came = (sum(len(order[place]) for order in orders) for place in (0, 1))
    told = f"{came}/{due}"
    firsts = [got[0] - numbers[0] for numbers, got in orders if got and got[0] != numbers[0]]
    twice = sum(len(got) - len(set(got)) for _, got in orders)
    missing = sum(len(set(numbers) - set(got)) for numbers, got in orders)
    told += f", first {', '.join(f'{first:+d}' for first in firsts)}" if firsts else ""
    told += f", {twice} twice" if twice else ""
    told += f", {missing} missing" if missing else ""
    return right, told + (" (refused)" if any("refused" in each for each in found) else "")


def _asked_for(way: str, files: Sequence[File], found: Sequence[Json]) -> tuple[bool, str]:
    off = [each for file, answer in zip(files, found, strict=True) for each in _off(file, answer.get("got", []))]
    wrong = Counter(each for each in off if each != 0)
    told = f"{way} {off.count(0)}/{len(off)}"
    if any("refused" in answer for answer in found):
        told += " (refused)"
    elif wrong:
        commonest = wrong.most_common(1)[0][0]
        told += " (none)" if commonest is None else f" ({commonest:+d})"
    return not wrong, told


def _off(file: File, got: Sequence[int]) -> list[int | None]:
    """By how many pictures each is off, of those that were asked for; None where nothing came."""
    where = {number: at for at, number in enumerate(file.numbers)}
    found: list[int | None] = []
    for place, number in itertools.zip_longest(places(file), got):
        if number is None or number < 0:
            found.append(None)
        else:
            # One that is none of the clip's is off by the source's pictures.
            found.append(where[number] - place if number in where else number - file.numbers[place])
    return found


def _whole(files: Sequence[File], due: Sequence[Array], found: Sequence[Json]) -> tuple[bool, str]:
    got = [answer.get("samples", np.zeros(0)) for answer in found]
    told = f"{sum(map(len, got))}/{sum(map(len, due))}"
    heard = [heard_at(samples, wanted) for samples, wanted in zip(got, due, strict=True)]
    longer = [len(samples) - len(wanted) for samples, wanted in zip(got, due, strict=True)]
    right = all(each == (0, 0) for each in heard) and not any(longer)
    return right, told + _misplaced([(lag, other, 0) for lag, other in heard])


def _part(files: Sequence[File], due: Sequence[Array], found: Sequence[Json]) -> tuple[bool, str]:
    parts = []
    for file, wanted, answer in zip(files, due, found, strict=True):
        samples = answer.get("samples", np.zeros(0))
        lag, other = heard_at(samples, wanted)
        place = None if lag is None else lag + round(PART[0] * file.rate)
        parts.append((place, other, len(samples) - round(PART[1] * file.rate)))
    good = sum(part == (0, 0, 0) for part in parts)
    return good == len(parts), f"part {good}/{len(parts)}" + _misplaced(parts)


def _misplaced(heard: Sequence[tuple[int | None, int, int]]) -> str:
    """The worst of (samples late, samples that differ, samples too many)."""
    wrong = [each for each in heard if each != (0, 0, 0)]
    if not wrong:
        return ""
    lag, other, more = max(wrong, key=lambda each: (each[0] is None, abs(each[0] or 0), each[1], abs(each[2])))
    if lag is None:
        return " (another sound)"
    told = [f"{abs(lag)} {'late' if lag > 0 else 'early'}"] if lag else []
    told += [f"{other} other"] if other else []
    told += [f"{more:+d}"] if more else []
    return f" ({', '.join(told)})"


def heard_at(samples: Array, due: Array) -> tuple[int | None, int]:
    """(By how many samples sound comes late, how many of the common ones differ); None: it is another sound."""
    size = min(len(samples), 40_000)
    if size < 64 or not np.isfinite(samples).all():
        return None, len(samples)
    at = (len(samples) - size) // 2
    length = 1 << (len(due) + size).bit_length()
    match = np.fft.irfft(np.fft.rfft(due, length) * np.conj(np.fft.rfft(samples[at : at + size], length)), length)
    place = int(match.argmax())
    lag = at - (place if place < length // 2 else place - length)
    first, last = max(0, -lag), min(len(due), len(samples) - lag)
    if last - first < size // 2:
        return None, len(samples)
    other = np.abs(samples[first + lag : last + lag] - due[first:last]) > ALIKE
    return (None, len(samples)) if other.mean() > 0.5 else (lag, int(other.sum()))

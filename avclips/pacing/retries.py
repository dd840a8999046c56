"""How often a clip is tried, and whom a failure is charged to.

Outcomes in, verdicts out. A failure is charged to its clip only when it can be the clip's:
not a refusal, not the network's while nothing gets through, and not one of twenty different videos in a row.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from ..core.model import Clip, Outcome
from ..core.sites import YOUTUBE
from .pace import LONGEST_TROUBLE_WAIT, SUSPECT_FOR, retry_delay

# A video that is always refused, whatever the others get, is set aside after so many refusals.
REFUSALS = 3
# So many different videos in a row with errors that are not final: the trouble is ours.
TROUBLE_AFTER = 20
# So many different videos in a row whose media are forbidden: a block.
FORBIDDEN_AFTER = 3
# So many videos in a row that reached nobody one way, while another way somebody answered: the way is at fault.
DEAF_AFTER = 3
# Reasons that an honest answer to anybody else shows to be the video's own.
ABOUT_ASKING = ("network", "slow", "http", "unknown")
# Reasons that pass, but not within a run's tries: another run may find the clip.
NOT_TODAY = ("upcoming", "formats", "sabr", "po_token", "restricted_mode", "whole_file")


# The number of an identity, and the site that it asks.
Way = tuple[int, str]
HOME: Way = (0, YOUTUBE)


@dataclass(frozen=True)
class Again:
    """The clip is to be tried again in so many seconds."""

    delay: float


@dataclass(frozen=True)
class Last:
    """That was the clip's last try; the outcome with its attempts filled in."""

    outcome: Outcome


class Retries:
    """The tries of every clip of a run. ``most``: tries of a failure that may pass, for each reason."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._charged: dict[str, Counter[str]] = {}
        # Answers so far by each way, by each identity, and by clip how many there were when it failed last.
        self._answers: Counter[Way] = Counter()
        self._answers_to: Counter[int] = Counter()
        self._answers_then: dict[str, dict[Way, int]] = {}
        # Videos in a row that reached nobody, by each way.
        self._deaf: dict[Way, set[str]] = {}
        self._refusals: Counter[str] = Counter()
        self._unheard: Counter[str] = Counter()
        # By site, video id -> the (clip id, reason) charged to it, since the last answer that was final.
        self._streaks: dict[str, dict[str, list[tuple[str, str]]]] = {}
        # By each way, videos in a row whose media were forbidden, and clips that were extracted again for it.
        self._forbidden: dict[Way, set[str]] = {}
        self._extracted_again: set[str] = set()
        self._taken_back: set[str] = set()

    def judge(self, outcome: Outcome, alone: bool = False, way: Way = HOME) -> Again | Last:
        """What ``outcome`` means for its clip.

        ``alone``: whether no other video of the site is left to try; ``way``: who asked, and which site. What is
        a way's fault is told by what others get by the same way.
        """
        if not outcome.asked:
            # Found on this machine, or not: says nothing of anybody.
            return Last(replace(outcome, attempts=1))
        if outcome.reached or outcome.online:
            self._deaf.pop(way, None)
        else:
            self._deaf.setdefault(way, set()).add(outcome.clip.video)
        if outcome.status == "blocked":
            return self._refused(outcome, alone, way)
        if outcome.status == "done" or outcome.permanent:
            return self._final(outcome, way)
        if outcome.reason == "forbidden" and self._first_forbidden(outcome, way):
            return Again(0.0)
        return self._failed(outcome, way)

    def forget(self, clip_id: str) -> None:
        """The clip has all its tries again."""
        self._charged.pop(clip_id, None)
        self._refusals.pop(clip_id, None)

    @property
    def unheard(self) -> bool:
        """Whether there are clips whose try did not reach anybody."""
        return bool(self._unheard)

    def take_forbidden(self, way: Way = HOME) -> bool:
        """Whether so many videos in a row were forbidden that it is a block of this way; asking begins anew."""
        block = len(self._forbidden.get(way, ())) >= FORBIDDEN_AFTER
        if block:
            del self._forbidden[way]
        return block

    def is_deaf(self, way: Way) -> bool:
        """Whether nobody is reached this way, while another way somebody is; asking begins anew."""
        deaf = len(self._deaf.get(way, ())) >= DEAF_AFTER
        deaf = deaf and any(other not in self._deaf for other in self._answers if other != way)
        if deaf:
            del self._deaf[way]
        return deaf

    def take_back(self) -> set[str] | None:
        """Once twenty videos in a row failed: the clips that were charged for it, now uncharged; else None.

        Once for each clip: what then fails again, with so many others, is charged, or a list whose rest
        cannot be had would never end.
        """
        site = next((site for site, streak in self._streaks.items() if len(streak) >= TROUBLE_AFTER), None)
        if site is None:
            return None
        wronged = set()
        for charges in self._streaks.pop(site).values():
            for clip_id, reason in charges:
                wronged.add(clip_id)
                if clip_id in self._charged:
                    self._charged[clip_id][reason] -= 1
        self._taken_back |= wronged
        return wronged

    def _final(self, outcome: Outcome, way: Way) -> Last:
        self._answers[way] += 1
        self._answers_to[way[0]] += 1
        self._forbidden.pop(way, None)
        if outcome.status == "done":
            self._streaks.pop(way[1], None)
        elif streak := self._streaks.get(way[1]):
            # That a video is gone shows that asking works, not that formats, media and ffmpeg do.
            for video, charges in list(streak.items()):
                if all(reason in ABOUT_ASKING for _, reason in charges):
                    del streak[video]
        self._extracted_again.discard(outcome.clip.id)
        total = self._charged.pop(outcome.clip.id, Counter()).total()
        for book in (self._refusals, self._unheard):
            book.pop(outcome.clip.id, None)
        self._answers_then.pop(outcome.clip.id, None)
        return Last(replace(outcome, attempts=total + 1))

    def _refused(self, outcome: Outcome, alone: bool, way: Way) -> Again | Last:
        """Not charged, unless it is refused again and again while others are answered, or no other is left."""
        clip = outcome.clip
        if self._others_answered(clip, way) or alone:
            self._refusals[clip.id] += 1
        if self._refusals[clip.id] < REFUSALS:
            return Again(0.0)
        return Last(replace(outcome, status="failed", attempts=self._refusals[clip.id]))

    def _first_forbidden(self, outcome: Outcome, way: Way) -> bool:
        """A media URL can grow old: the first time, the video is only extracted again."""
        forbidden = self._forbidden.setdefault(way, set())
        forbidden.add(outcome.clip.video)
        again = outcome.clip.id not in self._extracted_again or len(forbidden) >= FORBIDDEN_AFTER
        self._extracted_again.add(outcome.clip.id)
        return again

    def _failed(self, outcome: Outcome, way: Way) -> Again | Last:
        clip = outcome.clip
        charges: list[tuple[str, str]] = []
        if outcome.online:
            # Others were reached just then: it is this host that is gone, and no trouble of ours.
            self._unheard.pop(clip.id, None)
        elif clip.id not in self._taken_back:
            charges = self._streaks.setdefault(way[1], {}).setdefault(clip.video, charges)
        if outcome.reached:
            self._answers_then.setdefault(clip.id, {})[way] = self._heard(way)
        elif not outcome.online and not self._others_answered(clip, way):
            # Nothing gets through this way, for anybody: not the clip's fault.
            self._unheard[clip.id] += 1
            return Again(min(retry_delay(self._unheard[clip.id]), LONGEST_TROUBLE_WAIT))
        charged = self._charged.setdefault(clip.id, Counter())
        charged[outcome.reason] += 1
        charges.append((clip.id, outcome.reason))
        if charged[outcome.reason] >= self._most or outcome.reason in NOT_TODAY:
            self._unheard.pop(clip.id, None)
            return Last(replace(outcome, attempts=charged.total()))
        # Said while we were being refused: only when that is long past does another try tell more.
        wait = SUSPECT_FOR if outcome.reason == "unavailable" else 0.0
        return Again(wait + retry_delay(charged[outcome.reason]))

    def _others_answered(self, clip: Clip, way: Way) -> bool:
        """Whether this way anybody was answered since the clip failed last; the first time, never."""
        then = self._answers_then.setdefault(clip.id, {})
        before, then[way] = then.get(way), self._heard(way)
        return before is not None and then[way] > before

    def _heard(self, way: Way) -> int:
        """How often this way is known to work: to a host that may be gone for good, by what others answered."""
        return self._answers[way] if way[1] == YOUTUBE else self._answers_to[way[0]]

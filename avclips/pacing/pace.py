"""When the next request may start.

Pace is what is known of one identity (this host or a proxy, and cookies): the tokens it may spend on
extractions, and the block it suffers. Its steps are pure functions from one Pace to the next; ``pace_file`` keeps
it where other processes see it, and says what time it is for all. Knows nothing of threads, sites or clips.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

# Seconds to wait after the first refusal; each further one in a row doubles it, up to LONGEST_WAIT.
# A rate-limited session is said to last up to an hour (yt-dlp's wiki); bot checks have lasted days.
FIRST_WAIT = {"rate_limited": 3600.0, "bot_check": 1800.0}
OTHER_WAIT = 300.0
LONGEST_WAIT = 6 * 3600.0
SHORTEST_WAIT = 30.0
# When it is not YouTube that refuses but nothing that works, the wait need not be long: it may be a cable.
TROUBLE = "trouble"
TROUBLE_WAIT, LONGEST_TROUBLE_WAIT = 60.0, 900.0
# How long after a refusal a vague answer is still laid to it.
SUSPECT_FOR = 3600.0
# A probe that has not reported by then is its process's last: another may probe.
PROBE_LASTS = 180.0
# How long the next probe waits when the last one said nothing about us.
PROBE_AGAIN = 30.0
# At once, so that a short list does not wait.
BURST = 30.0
# A clock that went back by no more than this is waited for: nodes need not agree to the second.
STEP_BACK = 60.0
# After a block: half the pace, at least this part of the full one, and for each success so much more of it.
SLOWEST, RECOVERY = 1 / 16, 1 / 400


@dataclass(frozen=True)
class Limit:
    """A token bucket: ``burst`` extractions at once, then ``rate`` a second."""

    burst: float
    rate: float


def limit_of(videos_per_hour: int) -> Limit | None:
    """The bucket that lets no 60 minutes hold more than so many extractions; None for 0, no limit.

    Whatever 60 minutes one picks, they hold at most what was in the bucket and what ran into it meanwhile.
    """
    if videos_per_hour <= 0:
        return None
    burst = max(1.0, min(BURST, videos_per_hour // 2))
    return Limit(burst, max(videos_per_hour - burst, 0.5) / 3600)


@dataclass(frozen=True)
class Block:
    """Why nobody starts anything: since when, until when (of the shared time), after how many refusals in a row.

    ``thorough``: it is not about asking, and ends only when a clip has come whole.
    """

    reason: str
    since: float
    until: float
    waits: int
    thorough: bool = False


@dataclass(frozen=True)
class Pace:
    """What is known of one identity at the shared time ``at``.

    ``speed``: the part of the full pace it goes at. ``round``: reports on a ticket of an earlier one say
    nothing new. ``probe_until``: until when a probe is under way.
    """

    tokens: float
    at: float
    speed: float = 1.0
    round: int = 0
    block: Block | None = None
    refused_at: float | None = None
    probe_until: float = 0.0


@dataclass(frozen=True)
class Ticket:
    """Leave to make one extraction."""

    round: int
    probe: bool = False


def fresh(limit: Limit | None, now: float) -> Pace:
    """The pace of an identity that nothing is known of."""
    return Pace(tokens=limit.burst if limit else 0.0, at=now)


def refilled(pace: Pace, limit: Limit | None, now: float) -> Pace:
    """The pace at ``now``: time brought tokens. A clock that was set back brings none, and holds nobody up.

    A small step back is none: of two nodes, one may be a little ahead, and what it wrote a moment ago is not to
    be brought twice. After a larger one all times move with it: what was left of a block is left of it still.
    """
    if now < pace.at - STEP_BACK:
        pace = shifted(pace, now - pace.at)
    now = max(now, pace.at)
    tokens = pace.tokens
    if limit is not None:
        tokens = min(limit.burst, tokens + (now - pace.at) * limit.rate * pace.speed)
        # Failed videos can bring it below zero, but not so far that nobody would live to see the next.
        tokens = max(tokens, -limit.burst)
    block = pace.block
    if block is not None and block.until > now + 2 * LONGEST_WAIT:
        block = replace(block, until=now + LONGEST_WAIT)
    refused_at = None if pace.refused_at is None else min(pace.refused_at, now)
    probe_until = min(pace.probe_until, now + PROBE_LASTS)
    return replace(pace, tokens=tokens, at=now, block=block, refused_at=refused_at, probe_until=probe_until)


def shifted(pace: Pace, seconds: float) -> Pace:
    """The same by a clock that is ``seconds`` ahead of the one before."""
    block = pace.block
    if block is not None:
        block = replace(block, since=block.since + seconds, until=block.until + seconds)
    refused_at = None if pace.refused_at is None else pace.refused_at + seconds
    probe_until = max(0.0, pace.probe_until + seconds) if pace.probe_until else 0.0
    return replace(pace, at=pace.at + seconds, block=block, refused_at=refused_at, probe_until=probe_until)


def reunited(shared: Pace, own: Pace, spent: float, parted: int) -> Pace:
    """The pace of one who could not share it for a while, and can again; both are of the same moment.

    ``shared``: what the others wrote; ``own``: what this one went by; ``spent``: its tokens of that while;
    ``parted``: the round in which it was alone for the first time.
    """
    tokens = shared.tokens - spent
    if own.round == parted:
        # Only the others learnt something.
        return replace(shared, tokens=tokens)
    if shared.round == parted:
        return replace(own, tokens=tokens)
    blocks = [each.block for each in (shared, own) if each.block is not None]
    times = [each.refused_at for each in (shared, own) if each.refused_at is not None]
    return replace(
        shared,
        tokens=tokens,
        speed=min(shared.speed, own.speed),
        # Tickets of either are of a round that is over.
        round=max(shared.round, own.round) + 1,
        block=max(blocks, key=lambda block: block.until, default=None),
        refused_at=max(times, default=None),
        probe_until=0.0,
    )


def wait_of(pace: Pace, limit: Limit | None) -> float:
    """Seconds until an extraction may start; 0 means now."""
    wait = 0.0
    # A billionth of a token is rounding, and would be waited for in ever smaller steps.
    if limit is not None and pace.tokens < 1.0 - 1e-9:
        wait = (1.0 - pace.tokens) / (limit.rate * pace.speed)
    if pace.block is not None:
        # While another one probes, its answer comes within seconds.
        probing = min(1.0, pace.probe_until - pace.at)
        wait = max(wait, pace.block.until - pace.at, probing)
    return max(0.0, wait)


def started(pace: Pace, limit: Limit | None) -> tuple[Pace, Ticket]:
    """Spend a token; under a block, the extraction is its probe."""
    probe = pace.block is not None
    pace = replace(pace, tokens=pace.tokens - 1.0 if limit else 0.0)
    if probe:
        pace = replace(pace, probe_until=pace.at + PROBE_LASTS)
    return pace, Ticket(pace.round, probe)


def answered(pace: Pace, ticket: Ticket, success: bool) -> tuple[Pace, Ticket]:
    """YouTube answered honestly: with the video (``success``), or that there is none for us.

    Ends a block, at half the pace; only a success lets the pace recover. A failed video costs YouTube several
    requests: it counts double.
    """
    if pace.block is not None and ticket.round == pace.round:
        if not pace.block.thorough:
            pace = _over(pace)
            ticket = Ticket(pace.round)
        elif not success:
            # This video brings no clip: another may probe.
            pace = replace(pace, probe_until=0.0)
    elif success:
        pace = replace(pace, speed=min(1.0, pace.speed + RECOVERY))
    return (pace if success else replace(pace, tokens=pace.tokens - 1.0)), ticket


def worked(pace: Pace, ticket: Ticket) -> Pace:
    """A clip came whole: what stands behind the answers works too."""
    if pace.block is None or not pace.block.thorough or ticket.round != pace.round:
        return pace
    return _over(pace)


def _over(pace: Pace) -> Pace:
    """The block is over: half the pace, unless the trouble was ours."""
    assert pace.block is not None
    speed = pace.speed if pace.block.reason == TROUBLE else max(SLOWEST, pace.speed / 2)
    return replace(pace, block=None, round=pace.round + 1, speed=speed, probe_until=0.0)


def refused(
    pace: Pace,
    ticket: Ticket,
    reason: str,
    retry_after: float | None,
    jitter: float = 1.0,
    thorough: bool = False,
) -> Pace:
    """We were refused: everybody waits, twice as long with each refusal in a row.

    Eight workers refused at once count once: the first report opens a new round, the others' tickets are old.
    ``jitter``: 1 to 1.1, so that runs that were refused together do not all probe together.
    """
    if reason != TROUBLE:
        pace = replace(pace, refused_at=pace.at, tokens=pace.tokens - 1.0)
    if ticket.round != pace.round:
        return pace
    before = pace.block
    if before is not None and (before.reason == TROUBLE) != (reason == TROUBLE):
        # An outage's waits say nothing of how long YouTube will refuse us, nor the other way round.
        before = None
    waits = before.waits + 1 if before else 1
    since = before.since if before else pace.at
    until = pace.at + wait_after(reason, waits, retry_after) * jitter
    block = Block(reason, since, until, waits, thorough or (before is not None and before.thorough))
    return replace(pace, round=pace.round + 1, probe_until=0.0, block=block)


def undecided(pace: Pace, ticket: Ticket) -> Pace:
    """The answer said nothing about us (the network broke off, say): another may probe, a little later."""
    if pace.block is None or ticket.round != pace.round or not ticket.probe:
        return pace
    if pace.block.reason == TROUBLE:
        return refused(pace, ticket, TROUBLE, None, thorough=True)
    return replace(pace, probe_until=0.0, block=replace(pace.block, until=pace.at + PROBE_AGAIN))


def wait_after(reason: str, waits: int, retry_after: float | None) -> float:
    """Seconds to wait after the ``waits``-th refusal in a row."""
    longest = LONGEST_TROUBLE_WAIT if reason == TROUBLE else LONGEST_WAIT
    first = TROUBLE_WAIT if reason == TROUBLE else FIRST_WAIT.get(reason, OTHER_WAIT)
    if retry_after is not None:
        # "Retry-After: 0" is no leave to ask again and again.
        first = max(retry_after, SHORTEST_WAIT)
    return float(min(first * 2 ** min(waits - 1, 20), longest))


def rest(seconds: float, jitter: float = 2.0) -> float:
    """How long a worker rests between two downloads: ``seconds`` and up to ``jitter`` more."""
    return seconds + random.uniform(0.0, jitter) if seconds > 0 else 0.0


def retry_delay(attempts: int) -> float:
    """Seconds until the next try after ``attempts`` failed ones: exponential, full jitter.

    Full jitter spreads retries best (M. Brooker, "Exponential Backoff And Jitter", 2015).
    """
    return random.uniform(0.0, min(10.0 * 2**attempts, 3600.0))

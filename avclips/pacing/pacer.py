"""One identity's pace, where every process that shares it sees it.

The limit belongs to the connection, not to the process: two scripts on one node, or a restart in the middle of
a block, go by the same file in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import random
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..core.clock import Clock
from ..core.settings import Identity
from ..core.sites import YOUTUBE, site_of
from ..core.state_dir import default_state_dir
from .pace import SUSPECT_FOR, Block, Ticket, answered, limit_of, refused, started, undecided, wait_of, worked
from .pace_file import Shelf

GUEST_PER_HOUR, ACCOUNT_PER_HOUR = 270, 1000


class Pacer:
    """One identity's leave to ask YouTube, and through ``at`` any other site.

    Many threads and processes share it; the leave for other sites, which have no limit and their own blocks, is
    this process's alone. ``site``: who is asked.
    """

    def __init__(self, name: str, shelves: list[Shelf], clock: Clock, site: str = YOUTUBE) -> None:
        """``shelves``: the identity's own, and the account's where there are cookies."""
        self.name = name
        self.site = site
        self._shelves = shelves
        self._clock = clock
        # When who asked in vain may ask again.
        self._due: float | None = None
        self._at: dict[str, Pacer] = {}
        # Of these, those that refused us; and whose one of these this is.
        self._refused: dict[str, Pacer] = {}
        self._home: Pacer | None = None
        self._guard = threading.Lock()

    def at(self, url: str | None) -> Pacer:
        """The leave to ask for ``url``."""
        return self.of(site_of(url))

    def of(self, site: str) -> Pacer:
        """The leave to ask a site."""
        if site == self.site:
            return self
        with self._guard:
            if site not in self._at:
                pacer = Pacer(f"{site}, {self.name}", [Shelf(None, None, self._clock)], self._clock, site)
                pacer._home = self
                self._at[site] = pacer
            return self._at[site]

    @property
    def everywhere(self) -> list[Pacer]:
        """This one, and those for the other sites that refused us so far."""
        with self._guard:
            return [self, *self._refused.values()]

    @contextmanager
    def _open(self) -> Iterator[list[Shelf]]:
        with ExitStack() as stack:
            yield [stack.enter_context(shelf.open()) for shelf in self._shelves]

    def start(self) -> Ticket | float:
        """Leave for one extraction, or the seconds until it may be asked for again."""
        with self._open() as shelves:
            wait = max(wait_of(shelf.pace, shelf.limit) for shelf in shelves)
            self._due = self._clock.now() + wait if wait > 0 else None
            if wait > 0:
                return wait
            tickets = []
            for shelf in shelves:
                shelf.pace, ticket = started(shelf.pace, shelf.limit)
                tickets.append(ticket)
            return tickets[0]

    def wait(self) -> Ticket:
        """Wait until an extraction may start; raises Stopped."""
        while isinstance(leave := self.start(), float):
            self._clock.sleep(leave)
        return leave

    def answered(self, ticket: Ticket, success: bool) -> Ticket:
        """YouTube answered honestly; returns the ticket to go on with."""
        with self._open() as shelves:
            for shelf in shelves[1:]:
                shelf.pace, _ = answered(shelf.pace, Ticket(shelf.pace.round), success)
            shelves[0].pace, ticket = answered(shelves[0].pace, ticket, success)
        return ticket

    def blocked(
        self, ticket: Ticket, reason: str, retry_after: float | None = None, thorough: bool = False
    ) -> None:
        """We were refused: everybody who shares this identity waits; ``thorough``: the media were refused."""
        self._tell_home()
        with self._shelves[0].open() as shelf:
            shelf.pace = refused(shelf.pace, ticket, reason, retry_after, random.uniform(1.0, 1.1), thorough)

    def undecided(self, ticket: Ticket) -> None:
        """The answer said nothing about us."""
        with self._shelves[0].open() as shelf:
            shelf.pace = undecided(shelf.pace, ticket)

    def pause(self, reason: str) -> None:
        """Nothing works, though nobody said that we are refused: wait as for a block."""
        self._tell_home()
        with self._shelves[0].open() as shelf:
            if shelf.pace.block is None:
                shelf.pace = refused(shelf.pace, Ticket(shelf.pace.round), reason, None, thorough=True)

    def _tell_home(self) -> None:
        if self._home is not None:
            with self._home._guard:
                self._home._refused[self.site] = self

    def worked(self, ticket: Ticket) -> None:
        """A clip of the ticket's video came whole: whatever the trouble was, it is over."""
        with self._shelves[0].open() as shelf:
            shelf.pace = worked(shelf.pace, ticket)

    @property
    def per_hour(self) -> float | None:
        """Extractions in an hour in the long run; None without a limit."""
        limit = self._shelves[0].limit
        return limit.rate * 3600 if limit else None

    @property
    def most_an_hour(self) -> int | None:
        """Extractions that any 60 minutes may hold; None without a limit."""
        limit = self._shelves[0].limit
        # What is a whole number need not be one in binary.
        return int(limit.burst + limit.rate * 3600 + 1e-6) if limit else None

    @property
    def block(self) -> Block | None:
        """The block as this process last saw it, or None."""
        return self._shelves[0].pace.block

    @property
    def block_left(self) -> float:
        """Seconds until the block's end, as this process last saw it; 0 without one."""
        block = self.block
        return 0.0 if block is None else max(0.0, block.until - self._shelves[0].now())

    @property
    def next_in(self) -> float | None:
        """Seconds until who asked in vain may ask again; None where nobody did, or may by now."""
        if self._due is None or self._due <= (now := self._clock.now()):
            return None
        return self._due - now

    @property
    def trouble(self) -> str:
        """Why other runs do not see this pace, nor it theirs; empty where they do."""
        return next(filter(None, (shelf.trouble for shelf in self._shelves)), "")

    @property
    def tokens(self) -> float:
        """Extractions that may start at once, as this process last saw it."""
        return min(shelf.pace.tokens for shelf in self._shelves)

    @property
    def speed(self) -> float:
        """The part of the full pace it goes at now."""
        return self._shelves[0].pace.speed

    @property
    def suspected(self) -> bool:
        """Whether we were refused lately, so that a vague answer need not be the truth."""
        refused_at = self._shelves[0].pace.refused_at
        return refused_at is not None and self._shelves[0].now() - refused_at < SUSPECT_FOR


def make_pacer(
    identity: Identity, cookies: str | None, per_hour: int | None, state_dir: Path | None, clock: Clock
) -> Pacer:
    """The pacer of one identity; ``cookies``: what it is told from others by (cookies.key_of), ``per_hour``
    None: the default.
    """
    if per_hour is None:
        per_hour = GUEST_PER_HOUR if cookies is None else ACCOUNT_PER_HOUR
    limit = limit_of(per_hour)
    by_default = state_dir == default_state_dir()
    paths = _paths(identity, cookies, state_dir)
    return Pacer(name_of(identity), [Shelf(path, limit, clock, by_default) for path in paths], clock)


def pace_file(identity: Identity, cookies: str | None, state_dir: Path | None) -> Path | None:
    """Where an identity's pace and blocks are shared; None where they are not."""
    return _paths(identity, cookies, state_dir)[0]


def _paths(identity: Identity, cookies: str | None, state_dir: Path | None) -> list[Path | None]:
    """The identity's own, and the account's where there are cookies."""
    # It brings HTTP and TLS with it, half of all that a word of help imports.
    from urllib.request import getproxies

    # Home folders are shared on clusters: two nodes have two connections, but one proxy.
    proxy = identity.proxy if identity.proxy is not None else getproxies().get("https", "")
    way = f"proxy {proxy}" if proxy else f"direct on {socket.gethostname()}"
    account = "guest" if cookies is None else digest(cookies)
    named = {"pace": f"{way} {account}"} | ({} if cookies is None else {"account": account})
    return [_path(state_dir, kind, key) for kind, key in named.items()]


def name_of(identity: Identity) -> str:
    """How an identity is called in lines and logs: without the password of its proxy."""
    way = re.sub(r"//.*@", "//", identity.proxy) if identity.proxy else "direct"
    cookies = identity.browser or (identity.cookies.name if identity.cookies else None)
    return way if cookies is None else f"{way} with {cookies}"


def _path(state_dir: Path | None, kind: str, key: str) -> Path | None:
    return None if state_dir is None else state_dir / f"{kind}-{digest(key)}.json"


def digest(text: str) -> str:
    """Tells one secret from another without saying anything of it."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]

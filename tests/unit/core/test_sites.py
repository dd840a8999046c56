"""Other sites than YouTube: each has its own leave to be asked, and what one of them refuses holds up no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from avclips.core.clock import Clock
from avclips.core.errors import GaveUp
from avclips.core.model import Clip, Outcome, Video
from avclips.core.settings import Identity, Settings
from avclips.core.sites import YOUTUBE, site_of, watch_url
from avclips.fetch.plan import by_video
from avclips.fetch.roles import Slot
from avclips.fetch.scheduler import Engine
from avclips.pacing.pace import Ticket
from avclips.pacing.pacer import Pacer, make_pacer
from avclips.pacing.retries import TROUBLE_AFTER
from avclips.progress.console import Report
from avclips.state.store import Store
from tests.support.fake_clock import FakeClock
from tests.support.scripted import Hand, Heard, Script, Simulated

ID = "abcde-ghij0"


# -- whom a URL asks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        ID,
        watch_url(ID),
        f"http://youtube.com/watch?v={ID}",
        f"HTTPS://WWW.YouTube.COM/watch?v={ID}",
        f"https://m.youtube.com/watch?v={ID}",
        f"https://music.youtube.com:443/watch?v={ID}",
        f"https://youtu.be/{ID}",
        f"https://www.youtube-nocookie.com/embed/{ID}",
        f"https://me:secret@www.youtube.com/watch?v={ID}",
    ],
)
def test_youtube(url: str | None) -> None:
    assert site_of(url) == YOUTUBE


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://vimeo.com/123", "vimeo.com"),
        ("https://www.vimeo.com/123", "vimeo.com"),
        ("HTTP://VIMEO.com:8080/123?x=y#z", "vimeo.com"),
        ("https://player.vimeo.com/123", "player.vimeo.com"),
        ("https://me:secret@media.example.org/1", "media.example.org"),
        ("https://notyoutube.com/watch", "notyoutube.com"),
        ("https://youtube.com.example.org/", "youtube.com.example.org"),
        (f"https://example.org/www.youtube.com/watch?v={ID}", "example.org"),
        (f"https://example.org?u=https://youtu.be/{ID}", "example.org"),
        ("https://youtube.example.org", "youtube.example.org"),
        ("http://127.0.0.1:8000/1", "127.0.0.1"),
        ("http://[::1]:8000/1", "::1"),
        ("https://例え.jp/1", "例え.jp"),
    ],
)
def test_another_site(url: str, site: str) -> None:
    assert site_of(url) == site


@pytest.mark.parametrize("url", ["https://[x/y", "https://[::1/a", "https://a]b/1", "https://exa℀mple.org/1"])
def test_an_address_that_cannot_be_read_is_no_error(url: str) -> None:
    """A list may hold it: its video fails, not the run."""
    assert isinstance(site_of(url), str)


# -- the leave to ask ------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_each_site_has_one_leave(clock: FakeClock, tmp_path: Path) -> None:
    own = make_pacer(Identity(), None, 2, tmp_path, clock)
    assert own.at(None) is own.at(watch_url(ID)) is own and own.everywhere == [own]
    vimeo, other = own.at("https://vimeo.com/1"), own.at("https://media.example.org/1")
    assert vimeo is own.at("https://www.vimeo.com/2") and vimeo is not other
    # Of the others, those that refused us: a list may name a host in each row.
    assert own.everywhere == [own]
    other.pause("too_many_requests")
    assert own.everywhere == [own, other]
    assert (own.site, vimeo.site, other.site) == (YOUTUBE, "vimeo.com", "media.example.org")
    assert (own.name, vimeo.name) == ("direct", "vimeo.com, direct")
    # A leave is its own; nothing goes below it.
    assert vimeo.at("https://vimeo.com/9") is vimeo


def test_identities_have_leaves_of_their_own(clock: FakeClock) -> None:
    one, two = (make_pacer(Identity(f"http://h:{n}"), None, 0, None, clock) for n in (1, 2))
    assert one.at("https://vimeo.com/1") is not two.at("https://vimeo.com/1")
    one.at("https://vimeo.com/1").pause("too_many_requests")
    assert two.at("https://vimeo.com/1").block is None


def test_other_sites_have_no_limit_and_spend_nothing(clock: FakeClock, tmp_path: Path) -> None:
    own = make_pacer(Identity(), "cookies", 2, tmp_path, clock)
    before = sorted(tmp_path.iterdir())
    for _ in range(100):
        vimeo = own.at("https://vimeo.com/1")
        vimeo.answered(vimeo.wait(), success=True)
    assert clock.sleeps == [] and vimeo.per_hour is None
    assert sorted(tmp_path.iterdir()) == before
    assert isinstance(own.start(), Ticket) and isinstance(own.start(), float)


def test_blocks_are_a_sites_own(clock: FakeClock, tmp_path: Path) -> None:
    own = make_pacer(Identity(), None, 0, tmp_path, clock)
    vimeo, other = own.at("https://vimeo.com/1"), own.at("https://example.org/1")
    vimeo.blocked(vimeo.wait(), "too_many_requests", retry_after=120.0)
    assert 120 <= float(vimeo.start()) <= 132
    assert vimeo.block and not own.block and not other.block
    assert vimeo.suspected and not own.suspected and not other.suspected
    assert all(isinstance(each.start(), Ticket) for each in (own, other))
    own.blocked(own.wait(), "bot_check")
    clock.sleep(200.0)
    ticket = vimeo.wait()
    vimeo.answered(ticket, success=True)
    assert not vimeo.block and own.block and (vimeo.speed, other.speed) == (0.5, 1.0)
    # Another process shares what YouTube says, and nothing else.
    again = make_pacer(Identity(), None, 0, tmp_path, clock)
    assert isinstance(again.start(), float) and isinstance(again.at("https://vimeo.com/1").start(), Ticket)


# -- the engine ------------------------------------------------------------------------------------------------


class Careful(Hand):
    """A scripted worker that tells the leave of the site that it asked."""

    def run(self, video: Video, ticket: Ticket) -> Iterator[Outcome]:
        asking = Hand(self._script, self._store, self._pacer.at(video.url))
        yield from asking.run(video, ticket)


def url_of(video: str) -> str:
    """Small letters are on YouTube; V... on one site, X... on another."""
    hosts = {"V": "https://vimeo.com/", "X": "https://x.example/"}
    return hosts.get(video[0], "https://www.youtube.com/watch?v=") + video


class Sites:
    """An engine over a list of addresses at several sites; ``asked``: each video, and when it was."""

    def __init__(
        self,
        folder: Path,
        script: Script,
        per_hour: int = 0,
        step: float = 1.0,
        workers: int = 2,
        **more: float,
    ) -> None:
        base = Settings(folder / "data", workers=workers, give_up_after=float("inf"), min_free=0)
        self.settings = replace(base, **more)  # type: ignore[arg-type]
        self.clock = Simulated(step)
        self.store = Store(self.settings, "test", Clock(1.0))
        self.report = Heard()
        self.script = script
        self.pacer = make_pacer(Identity(), None, per_hour, None, self.clock)
        self.asked: list[tuple[str, float]] = []
        self.then: Callable[[Video], object] = lambda video: None
        script.on_call = self._note
        slots = [Slot(Careful(script, self.store, self.pacer), self.pacer) for _ in range(workers)]
        self.engine = Engine(self.settings, self.clock, self.store, self.report, slots)
        self.clock.at_work = lambda: self.engine._running

    def _note(self, video: Video) -> None:
        self.asked.append((video.id, self.clock.now()))
        self.then(video)

    def of(self, names: str) -> Sites:
        """Run over a clip of each of these videos."""
        self.store.open()
        try:
            self.engine.run(by_video([Clip(name, name, 0.0, 10.0) for name in names.split()], url_of))
        finally:
            self.store.close()
        return self

    def when(self, start: str) -> list[float]:
        return [time for name, time in self.asked if name.startswith(start)]


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avclips.pacing.pacer.random.uniform", lambda low, high: low)


def numbered(start: str, count: int) -> str:
    return " ".join(f"{start}{n:03}" for n in range(count))


@pytest.mark.parametrize(
    "names",
    [
        # 2 an hour are one at once, and then one each half hour.
        f"a a2 {numbered('V', 10)} {numbered('X', 10)} a3",
        f"{numbered('V', 5)} a a2 a3 {numbered('V0', 5)} {numbered('X', 10)}",
        f"a V1 V2 a2 V3 X1 V4 a3 {numbered('X', 15)}",
    ],
    ids=["behind", "between", "mixed"],
)
def test_youtubes_pace_holds_up_no_other_site(tmp_path: Path, names: str) -> None:
    run = Sites(tmp_path, Script({}), per_hour=2).of(names)
    assert len(run.store.done) == len(names.split())
    first, *others = run.when("a")
    assert first < 60 and all(time >= 1800 * n for n, time in enumerate(others, 1))
    assert max(run.when("V") + run.when("X")) < 60, "they waited for YouTube's pace"


@pytest.mark.parametrize(
    "names",
    [
        f"V1 V2 {numbered('a', 20)} {numbered('X', 5)}",
        f"{numbered('a', 10)} V1 V2 {numbered('X', 5)} {numbered('b', 10)}",
        f"{numbered('V', 30)} {numbered('a', 20)} {numbered('X', 5)}",
    ],
    ids=["first", "between", "many"],
)
def test_only_the_site_that_refuses_waits(tmp_path: Path, names: str) -> None:
    rows = {name: ["!too_many_requests"] for name in ("V1", "V2", "V000", "V001")}
    run = Sites(tmp_path, Script(rows)).of(names)
    assert sorted(run.store.done) == sorted(names.split()) and run.store.failed == {}
    assert max(run.when("a") + run.when("X")) < 10, "they waited for a site that is not theirs"
    # Five minutes after the first refusal one probes, and only when it was answered the others come.
    first, *later = run.when("V")
    assert first < 10 and sum(10 < time < 300 for time in later) == 0 and max(later) >= 300


def test_a_site_that_refuses_for_long_costs_no_clip(tmp_path: Path) -> None:
    """That YouTube answers says nothing of a clip that another site refuses."""
    rows = {name: ["!too_many_requests"] * 4 for name in ("V1", "V2")}
    run = Sites(tmp_path, Script(rows), step=60.0)
    # YouTube's videos come all the while: one each two minutes.
    names = f"V1 V2 {numbered('a', 400)}"
    run.then = lambda video: setattr(run.clock, "time", run.clock.now() + (120 if video.id[0] == "a" else 0))
    run.of(names)
    assert run.store.failed == {} and len(run.store.done) == len(names.split())


def test_the_messages_name_the_site(tmp_path: Path, capsys: pytest.CaptureFixture[str], clock: FakeClock) -> None:
    own = make_pacer(Identity("http://me:secret@h:1"), None, 0, None, clock)
    vimeo = own.at("https://www.vimeo.com/1")
    report = Report(clock, 2, 0, terminal=False)
    vimeo.blocked(vimeo.wait(), "too_many_requests")
    report.tick(own.everywhere, None)
    clock.sleep(301.0)
    vimeo.answered(vimeo.wait(), success=True)
    report.tick(own.everywhere, None)
    own.blocked(own.wait(), "too_many_requests")
    report.tick(own.everywhere, None)
    report.close()
    said = [line.split(" ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert [line.partition(":")[0] for line in said] == ["vimeo.com, http"] * 2 + ["http"]
    assert said[0].startswith(
        "vimeo.com, http://h:1: vimeo.com refuses us (HTTP 429, too many requests): waiting 0:05:00"
    )
    assert said[1] == "vimeo.com, http://h:1: vimeo.com answers again; going on at 50% of the full pace."
    assert said[2].startswith("http://h:1: YouTube refuses us")
    assert "secret" not in "".join(said) and "YouTube" not in said[0] + said[1]


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        ("V1 V2", "V"),
        ("V1 V2 a b", "V"),
        ("a b V1 V2", "V"),
        ("a V1 V2 X1", "V"),
        ("a b V1 V2", "a b V"),
        ("a b V1", "a b"),
    ],
    ids=["alone", "YouTube is done", "YouTube was first", "two others are done", "all refuse", "only YouTube"],
)
def test_it_gives_up_when_what_is_left_is_refused(tmp_path: Path, names: str, refused: str) -> None:
    """So long as nothing is to be had, whoever was answered before."""
    rows = {name: ["!bot_check"] * 60 for name in names.split() if name.startswith(tuple(refused.split()))}
    run = Sites(tmp_path, Script(rows), step=300.0, give_up_after=48 * 3600.0)
    with pytest.raises(GaveUp, match="nothing was to be had for 48 hours"):
        run.of(names)
    assert 48 * 3600 < run.clock.now() < 56 * 3600
    assert sorted(run.store.done) == sorted(set(names.split()) - rows.keys())


def test_it_does_not_give_up_while_another_site_answers(tmp_path: Path) -> None:
    rows = {name: ["!too_many_requests"] * 2 for name in ("V1", "V2")}
    run = Sites(tmp_path, Script(rows), step=60.0, give_up_after=3600.0)
    run.then = lambda video: setattr(run.clock, "time", run.clock.now() + (300 if video.id[0] == "a" else 0))
    run.of(f"V1 V2 {numbered('a', 200)}")
    assert len(run.store.done) == 202 and max(run.when("V")) > 3600


def test_trouble_elsewhere_does_not_pause_youtube(tmp_path: Path) -> None:
    """Twenty in a row failed at one site: that site waits, nobody is charged, and YouTube goes on."""
    rows = {f"V{n:03}": ["unknown"] for n in range(TROUBLE_AFTER)}
    names = f"{numbered('V', TROUBLE_AFTER)} {numbered('a', 10)} {numbered('X', 10)}"
    run = Sites(tmp_path, Script(rows), workers=1).of(names)
    assert len(run.report.troubles) == 1 and run.report.troubles[0].startswith("V")
    assert run.store.failed == {} and len(run.store.done) == len(names.split())
    assert [pacer.site for pacer in run.pacer.everywhere] == [YOUTUBE, "vimeo.com"]
    # The reports' states: vimeo's block alone, whatever else is there.
    blocks = [state for state in run.report.blocks if any(state)]
    assert blocks and all(state[0] is None and state[1] == "trouble" and not any(state[2:]) for state in blocks)
    assert max(run.when("a") + run.when("X")) < 60


def test_forbidden_media_elsewhere_do_not_pause_youtube(tmp_path: Path) -> None:
    rows = {f"V{n:03}": ["forbidden"] * 2 for n in range(3)}
    names = f"{numbered('V', 6)} {numbered('a', 10)}"
    run = Sites(tmp_path, Script(rows), workers=1).of(names)
    assert len(run.store.done) == len(names.split())
    blocks = [state for state in run.report.blocks if any(state)]
    assert all(state[0] is None for state in blocks)


def test_any_number_of_sites(tmp_path: Path) -> None:
    """A list may name a site a row."""
    run = Sites(tmp_path, Script({}))
    clips = [Clip(f"v{n}", f"v{n}", 0.0, 1.0) for n in range(300)]
    run.store.open()
    run.engine.run(by_video(clips, lambda video: f"https://{video}.example/1"))
    run.store.close()
    # What never refused us is not looked at again and again.
    assert len(run.store.done) == 300 and run.pacer.everywhere == [run.pacer]


def test_a_pacer_for_a_site_is_told_apart() -> None:
    assert Pacer("name", [], Clock(1.0), "vimeo.com").at("https://vimeo.com/3").name == "name"

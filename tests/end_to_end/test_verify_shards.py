"""--verify and --repair of shards, with the script that made them; and the progress of a long look."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from avclips.progress import bar as bar_module
from avclips.progress.bar import Progress
from tests.support.shards_stage import HURRY, Packs, is_whole, shards, some_rows, some_videos

__all__ = ["shards"]


@pytest.mark.slow
def test_a_bad_shard_is_named_and_comes_anew(shards: Callable[..., Packs]) -> None:
    """With its clips as they were, and of the others nothing is asked for again."""
    rows = some_rows(4, 1)
    place = shards(some_videos(4))
    options = ("--cut", "copy", "--output-format", "webdataset", "--samples-per-shard", "2")
    listed = place.list(rows)
    assert place.run(listed, *options, scale=HURRY).code == 0
    good = place.run(listed, *options, "--verify")
    assert good.code == 0 and "2 shards are right, 0 are bad." in good.out
    before = [(each["__key__"], each["mp4"], each["wav"]) for each in place.tars]
    tar = place.shards / "00001.tar"
    spoilt = bytearray(tar.read_bytes())
    spoilt[len(spoilt) // 2] ^= 1
    tar.write_bytes(spoilt)
    bad = place.run(listed, *options, "--verify")
    assert bad.code == 3 and "is not what was downloaded" in bad.out and "1 are bad." in bad.out
    # With no options but where they are: the shards say the rest.
    asked = place.asked
    ended = place.run(listed, "--output-format", "webdataset", "--verify", "--repair")
    assert ended.code == 3 and "the same command makes it anew" in ended.out
    assert place.asked == asked and place.finished == [0]
    assert (place.shards / ".set_aside" / "00001" / "00001.tar").read_bytes() == spoilt
    assert place.run(listed, *options, scale=HURRY).code == 0
    for path in place.shards.glob(".set_aside/*/*"):
        path.unlink()
    (place.shards / ".set_aside" / "00001").rmdir()
    (place.shards / ".set_aside").rmdir()
    is_whole(place, rows)
    assert [(each["__key__"], each["mp4"], each["wav"]) for each in place.tars] == before
    assert place.run(listed, *options, "--verify").code == 0


def test_no_shards_are_no_traceback(shards: Callable[..., Packs]) -> None:
    place = shards(some_videos(1))
    listed = place.list(some_rows(1, 1))
    ended = place.run(listed, "--output-format", "parquet", "--verify")
    assert ended.code == 2 and "no shards are in" in ended.said and not place.shards.exists()


# -- progress --------------------------------------------------------------------------------------------------


def test_a_bar_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("verify", 3, "clip", terminal=True) as bar:
        for n in range(3):
            bar.step()
            bar.tell(f"clip {n} is \x1b[2J bad")
    told = capsys.readouterr()
    assert "verify" in told.err and "3/3" in told.err
    # What was found is for standard output, and harmless there.
    assert told.out == "".join(f"clip {n} is \\x1b[2J bad\n" for n in range(3))


@pytest.mark.parametrize(("passed", "lines"), [(0.0, 0), (29.0, 0), (60.0, 2)])
def test_a_line_a_minute_elsewhere(
    passed: float, lines: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [1000.0]
    monkeypatch.setattr(bar_module.time, "monotonic", lambda: now[0])
    with Progress("verify", 3, "clip", terminal=False) as bar:
        for _ in range(2):
            now[0] += passed
            bar.step()
    told = capsys.readouterr()
    assert told.err == "" and told.out.count("of 3 clips") == lines
    if lines:
        assert "verify: 1 of 3 clips" in told.out and "verify: 2 of 3 clips" in told.out

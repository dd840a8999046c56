"""Which of the formats that yt-dlp found are fetched."""

from __future__ import annotations

from typing import Any

import pytest

from avclips.errors import Transient
from avclips.formats import choose, smaller_side
from avclips.streams import Stream, stream_of

Format = dict[str, Any]


@pytest.mark.parametrize(
    ("width", "height", "side"),
    [(640, 360, 360), (360, 640, 360), (9, 9, 9), (None, 360, 360), (640, None, 0), (None, None, 0), (0, 0, 0)],
)  # fmt: skip
def test_smaller_side(width: int | None, height: int | None, side: int) -> None:
    assert smaller_side({"width": width, "height": height}) == side
    assert smaller_side({}) == 0


def picture(name: str, height: int, width: int | None = None, **more: Any) -> Format:
    width = height * 16 // 9 if width is None else width
    known = {"format_id": name, "format": name, "width": width, "height": height}
    return {**known, "vcodec": "avc1.4d401e", "acodec": "none", "protocol": "https", **more}


def both(name: str, height: int, **more: Any) -> Format:
    return picture(name, height, **{"acodec": "mp4a.40.2", **more})


def sound(name: str, **more: Any) -> Format:
    known = {"format_id": name, "format": name, "vcodec": "none", "acodec": "mp4a.40.2", "protocol": "https"}
    return known | more


P240, P360, P480, P720 = (picture(name, h) for name, h in (("133", 240), ("134", 360), ("135", 480), ("136", 720)))
VP9 = picture("243", 360, vcodec="vp9")
H93, H230 = both("93", 360, protocol="m3u8_native"), picture("230", 360, protocol="m3u8_native")
# The renditions of sound name no codec.
H234 = {name: value for name, value in sound("234", protocol="m3u8_native").items() if name != "acodec"}
A139, A140, OPUS = sound("139"), sound("140"), sound("251", acodec="opus")


@pytest.mark.parametrize(
    ("formats", "quality", "chosen"),
    [
        ([A139, A140, P240, P360, P480, P720], 360, "134+140"),
        ([A139, A140, P240, P360, P480, P720], 480, "135+140"),
        ([A140, P240, P360], 720, "134+140"),
        ([A140, P480, P720], 360, None),
        ([A140, picture("p", 640, 360), picture("q", 854, 480)], 360, "p+140"),
        ([A140, picture("old", 360), picture("new", 360)], 360, "new+140"),
        ([A140, P360, both("18", 360)], 360, "134+140"),
        ([both("18", 360), both("22", 720)], 720, "22"),
        ([both("18", 360), both("22", 720)], 360, "18"),
        ([P360, both("18", 360)], 360, "18"),
        ([A140, both("18", 360)], 360, "18"),
        ([P360], 360, "134"),
        ([P240, P360, picture("x", 360, acodec=None)], 360, "134"),
        ([P360, OPUS], 360, "134+251"),
        ([OPUS, VP9], 360, "243+251"),
        ([OPUS, A140, VP9], 360, "243+140"),
        ([OPUS, VP9, both("18", 360)], 360, "18"),
        ([A140, P240, VP9], 360, "133+140"),
        ([OPUS, P240, VP9], 360, "243+251"),
        ([OPUS, P360, VP9], 360, "134+251"),
        ([H234, H230], 360, "230+234"),
        ([H234, H93], 360, "93"),
        ([H93, OPUS, VP9], 360, "243+251"),
        ([H230], 360, "230"),
        ([H93, P480, A140], 360, "93"),
        ([P360, OPUS, both("18", 360)], 360, "18"),
        ([A140], 360, None),
        ([], 360, None),
        ([A140, picture("vp9", 360, vcodec="vp9"), P240], 360, "133+140"),
        ([A140, picture("av1", 360, vcodec="av01.0.05M.08")], 360, "av1+140"),
        ([A140, picture("hls", 360, protocol="m3u8_native"), P240], 360, "133+140"),
        ([A140, sound("hls", protocol="m3u8_native"), P360], 360, "134+140"),
        ([A140, picture("dash", 360, protocol="http_dash_segments")], 360, None),
        ([A140, picture("drm", 360, has_drm=True), P240], 360, "133+140"),
        ([A140, picture("odd", 0, 0), P240], 360, "133+140"),
        ([A140, picture("?", 360, vcodec=None), P240], 360, "133+140"),
        ([sound("en", language_preference=10), sound("de", language_preference=-1), P360], 360, "134+en"),
        ([sound("de", language_preference=-1), sound("en", language_preference=10), P360], 360, "134+en"),
        ([sound("140-drc"), A140, P360], 360, "134+140"),
        ([A140, sound("140-drc"), P360], 360, "134+140"),
        ([A140, sound("x", format_note="medium, DRC"), P360], 360, "134+140"),
        ([sound("low"), sound("high"), sound("high-drc"), P360], 360, "134+high"),
        ([sound("de-drc", language_preference=10), sound("dub", language_preference=5), P360], 360, "134+de-drc"),
        ([sound("a", language_preference=None), sound("dub", language_preference=-10), P360], 360, "134+a"),
    ],
)  # fmt: skip
def test_choose(formats: list[Format], quality: int, chosen: str | None) -> None:
    found = choose(formats, quality)
    assert [each["format_id"] for each in found] == ([chosen] if chosen else [])
    if chosen and "+" in chosen:
        parts = [each["format_id"] for each in found[0]["requested_formats"]]
        assert "+".join(parts) == chosen
        given = {each["format_id"]: each for each in formats}
        assert found[0]["vcodec"] == given[parts[0]]["vcodec"]
        assert found[0]["acodec"] == given[parts[1]].get("acodec", "mp4a")


def test_stream_of() -> None:
    given = P360 | {"url": "https://u", "http_headers": {"A": "b"}, "ext": "m4v", "filesize": 7, "available_at": 5}
    assert stream_of(given) == Stream("https://u", {"A": "b"}, "134", "m4v", "https", 7, 5.0, "avc1.4d401e")
    assert stream_of(A140 | {"url": "http://u"}) == Stream(
        "http://u", {}, "140", "mp4", "https", None, 0.0, "mp4a.40.2"
    )
    assert "SECRET" not in repr(stream_of(A140 | {"url": "https://SECRET", "http_headers": {"Cookie": "SECRET"}}))


@pytest.mark.parametrize(
    "url", ["", "u", "file:///etc/passwd", "ftp://h/x", " https://h/x", "data:,x", "HTTPS://h/x"]
)
def test_what_is_not_at_an_http_address(url: str) -> None:
    with pytest.raises(Transient, match=r"^format 134 is not at an http\(s\) address$") as caught:
        stream_of(P360 | {"url": url})
    assert caught.value.reason == "formats"

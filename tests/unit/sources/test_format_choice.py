"""Which of the formats that yt-dlp found are fetched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from avclips.core.errors import Transient
from avclips.sources.format_choice import choose, offers_streams, smaller_side, smallest_video
from avclips.sources.streams import Stream, languages_in, stream_of, subtitles_in

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


P144, P240, P360, P480, P720 = (
    picture(name, height)
    for name, height in (("160", 144), ("133", 240), ("134", 360), ("135", 480), ("136", 720))
)
HDR = picture("332", 360, vcodec="vp09.02.21.10.01.09.16.09.00", dynamic_range="HDR10")
VP9 = picture("243", 360, vcodec="vp9")
H93, H230 = both("93", 360, protocol="m3u8_native"), picture("230", 360, protocol="m3u8_native")
# The renditions of sound name no codec.
H234 = {name: value for name, value in sound("234", protocol="m3u8_native").items() if name != "acodec"}
ORIGINAL = sound("en", language_preference=10)
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
        # The largest picture, whatever it is in; of about one size, H.264.
        ([A140, P240, VP9], 360, "243+140"),
        ([A140, P144, both("18", 360)], 360, "18"),
        ([A140, P240, both("18", 360)], 360, "18"),
        ([A140, P240, both("18", 360)], 240, "133+140"),
        ([A140, P144, P240, VP9, both("18", 360)], 360, "18"),
        ([A140, OPUS, P144, VP9], 360, "243+140"),
        ([A140, P360, picture("248", 1080, vcodec="vp9")], 1080, "248+140"),
        ([A140, picture("134", 358, 640), VP9], 360, "134+140"),
        ([A140, picture("134", 320, 570), VP9], 360, "243+140"),
        ([A140, picture("134", 358, 640), both("18", 360)], 360, "134+140"),
        ([A140, picture("134", 640, 358), picture("243", 640, 360, vcodec="vp9")], 360, "134+140"),
        ([A140, P240, picture("pieces", 360, protocol="m3u8_native"), H234], 360, "pieces+234"),
        ([A140, P240, H93], 360, "93"),
        ([A140, P360, H93], 360, "134+140"),
        ([A140, picture("av1", 360, vcodec="av01.0.01M.08"), VP9], 360, "243+140"),
        ([A140, P240, picture("av1", 360, vcodec="av01.0.01M.08")], 360, "av1+140"),
        # Eight bits and the usual range, of about one size; else what there is.
        ([A140, VP9, HDR], 360, "243+140"),
        ([A140, HDR, VP9], 360, "243+140"),
        ([A140, HDR, picture("vp9", 358, 640, vcodec="vp9")], 360, "vp9+140"),
        ([A140, HDR, P360], 360, "134+140"),
        ([A140, HDR, H93], 360, "93"),
        ([A140, HDR], 360, "332+140"),
        ([A140, HDR, P240], 360, "332+140"),
        ([A140, picture("a", 360, vcodec="vp9", dynamic_range="HLG"), picture("b", 360, vcodec="vp9")], 360,
            "b+140"),
        ([A140, picture("b", 360, vcodec="vp9", dynamic_range="SDR"), picture("a", 360, vcodec="vp9.2")], 360,
            "b+140"),
        # What is spoilt, for want of anything else.
        ([A140, P240, picture("x", 360, format_note="360p, DAMAGED")], 360, "133+140"),
        ([A140, picture("x", 360, format_note="360p, DAMAGED")], 360, "x+140"),
        ([A140, sound("x", format_note="medium, DAMAGED"), P360], 360, "134+140"),
        ([A140, P360, picture("136-sr", 720, format_note="720p, AI-upscaled")], 720, "134+140"),
        ([A140, picture("136-sr", 720, format_note="720p, AI-upscaled")], 720, "136-sr+140"),
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
        ([A140, picture("vp9", 360, vcodec="vp9"), P240], 360, "vp9+140"),
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
        # The original comes before a codec, and before what one file has with the picture.
        ([A140, sound("251", acodec="opus", language_preference=10), P360], 360, "134+251"),
        ([ORIGINAL, sound("dub", language_preference=-1), P240, both("18", 360)], 360, "18+en"),
        ([ORIGINAL, P240, both("18", 360, language_preference=10)], 360, "18"),
        ([sound("251", acodec="opus", language_preference=10), both("18", 360)], 360, "18+251"),
        ([sound("251", acodec="opus", language_preference=10), A140, P360, both("18", 360)], 360, "134+251"),
        ([sound("dub", language_preference=-10), both("18", 360)], 360, "18"),
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


@pytest.mark.parametrize(
    ("codec", "others"),
    [
        ("vp9", False), ("vp9.0", False), ("vp9.2", True), ("vp09.00.21.08", False), ("vp09.00.51.08.01", False),
        ("vp09.02.21.10.01.09.16.09.00", True), ("vp09.2.21.10", True), ("vp09.01.21.08", False),
        ("vp09.03.21.12", True), ("av01.0.01M.08", False), ("av01.0.05M", False), ("av01.0.05M.10", True),
        ("av01.0.13H.10.0.110.09.16.09.0", True), ("av01.0.12M.08.0.110.01.01.01.0", False),
        ("avc1.4d401e", False), ("avc1.64001f", False), ("avc1.6e0028", True), ("avc1.6E0028", True),
    ],
)  # fmt: skip
def test_ten_bits_in_the_name_of_a_codec(codec: str, others: bool) -> None:
    """Of equals the last is the better one, unless it has more bits."""
    plain = picture("plain", 360, vcodec="av01.0.01M.08" if codec.startswith("av01") else "vp9")
    found = choose([A140, plain, picture("x", 360, vcodec=codec)], 360)[0]["requested_formats"][0]
    assert (found["format_id"] == "plain") is others


DASH = {"protocol": "http_dash_segments"}
D240, D360, D720 = (picture(f"d{height}", height, **DASH) for height in (240, 360, 720))
D140, DOPUS = sound("d140", **DASH), sound("dopus", acodec="opus", **DASH)


def unnamed(name: str, **more: Any) -> Format:
    """A file of which a page says nothing."""
    return {"format_id": name, "protocol": "https", "vcodec": None, "ext": "mp4"} | more


U, U_HLS = unnamed("u"), unnamed("u_hls", protocol="m3u8_native")


@pytest.mark.parametrize(
    ("formats", "quality", "chosen"),
    [
        # In pieces: as on YouTube, but behind what has an index.
        ([D140, D240, D360, D720], 360, "d360+d140"),
        ([D140, D720, D360], 720, "d720+d140"),
        ([D140, D720], 360, None),
        ([DOPUS, D140, D360], 360, "d360+d140"),
        ([DOPUS, D360], 360, "d360+dopus"),
        ([D360], 360, "d360"),
        ([D140], 360, None),
        ([both("d", 360, **DASH)], 360, "d"),
        ([D140, D360, A140, P240], 360, "d360+d140"),
        ([D140, D360, A140, P360], 360, "134+140"),
        ([D140, D240, A140, P240], 360, "133+140"),
        # What has a name comes before what has none, however large that may be.
        ([A140, P144, U, unnamed("u2", height=360, width=640)], 360, "160+140"),
        ([D140, D360, H93], 360, "d360+d140"),
        ([A140, D360], 360, None),
        ([D140, picture("x", 360, **DASH, has_drm=True), D240], 360, "d240+d140"),
        ([D140, picture("live", 360, protocol="http_dash_segments_generator")], 360, None),
        # Without names: whatever its size may be, but only where nothing is named.
        ([U], 360, "u"),
        ([U_HLS], 360, "u_hls"),
        ([U_HLS, U], 360, "u"),
        ([U, unnamed("u2")], 360, "u2"),
        ([U, unnamed("u2", height=720, width=1280)], 360, "u"),
        ([U, unnamed("u2", height=240, width=320)], 360, "u2"),
        ([unnamed("u2", height=720, width=1280)], 360, None),
        ([U, both("18", 360)], 360, "18"),
        ([U, D140, D360], 360, "d360+d140"),
        ([both("22", 720), U], 360, "u"),
        ([unnamed("u", has_drm=True)], 360, None),
        ([unnamed("u", protocol="ftp")], 360, None),
        ([unnamed("u", protocol="http")], 360, "u"),
        ([unnamed("u", acodec="none")], 360, "u"),
        # Of a size that is not told, but of known codecs.
        ([picture("odd", 0, 0, acodec="mp4a.40.2")], 360, "odd"),
        ([picture("strange", 360, vcodec="theora"), sound("vorbis", acodec="vorbis")], 360, "strange+vorbis"),
        ([picture("strange", 360, vcodec="theora"), A140], 360, "strange+140"),
    ],
)  # fmt: skip
def test_choose_on_other_sites(formats: list[Format], quality: int, chosen: str | None) -> None:
    assert [each["format_id"] for each in choose(formats, quality)] == ([chosen] if chosen else [])


@pytest.mark.parametrize(
    ("formats", "chosen"),
    [
        # One sound alone: AAC, then Opus, then in pieces, then whatever it may be.
        ([A139, A140, P240, P360], "140"),
        ([OPUS, A139], "139"),
        ([OPUS, P360, both("18", 360)], "251"),
        ([D140, OPUS], "251"),
        ([D140, DOPUS], "d140"),
        ([H234, D140], "d140"),
        ([H234, both("18", 360)], "234"),
        ([sound("vorbis", acodec="vorbis"), D140], "d140"),
        ([sound("vorbis", acodec="vorbis"), both("18", 360)], "vorbis"),
        # The original, not a dub, and not the levelled one.
        ([sound("en", language_preference=10), sound("de", language_preference=-1)], "en"),
        ([sound("140-drc"), A140, sound("141-drc")], "140"),
        ([A140, sound("251", acodec="opus", language_preference=10)], "251"),
        ([sound("x", format_note="DAMAGED"), OPUS], "251"),
        # Only with pictures: the smallest, of the original sound.
        ([both("18", 360), both("22", 720)], "18"),
        ([both("22", 720), both("18", 360), P240], "18"),
        ([both("22", 720), H93], "22"),
        ([both("dub", 240, language_preference=-1), both("22", 720, language_preference=10)], "22"),
        ([H93, U], "93"),
        ([U], "u"),
        ([U, both("18", 360)], "18"),
        ([U, unnamed("small", height=240, width=320)], "small"),
        # Larger than the quality: there is no picture that anybody wants.
        ([both("22", 720)], "22"),
        # None: the extraction says so.
        ([P360], "134"),
        ([D360], "d360"),
        ([P360, sound("drm", has_drm=True)], "134"),
        ([], None),
    ],
)  # fmt: skip
def test_choose_the_sound_alone(formats: list[Format], chosen: str | None) -> None:
    assert [each["format_id"] for each in choose(formats, 360, "audio")] == ([chosen] if chosen else [])


@pytest.mark.parametrize(
    ("formats", "offered"),
    [
        ([], False),
        ([both("18", 360)], False),
        ([both("18", 360), H93, H234, H230], False),
        ([both("18", 360), D140, D360], False),
        ([unnamed("u")], False),
        ([{"format_id": "sb0", "protocol": "mhtml", "vcodec": "none", "acodec": "none"}], False),
        ([both("18", 360), P360], True),
        ([both("18", 360), A140], True),
        ([A140, P720], True),
    ],
)  # fmt: skip
def test_whether_there_are_streams_of_their_own(formats: list[Format], offered: bool) -> None:
    assert offers_streams(formats) is offered


# -- streams ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "named"),
    [
        (P360, True),
        (A140, True),
        (H93, True),
        # The renditions of sound name no codec, and are nothing else.
        (H234, True),
        (unnamed("u"), False),
        (unnamed("u", vcodec="avc1", height=360, width=640), False),
        (unnamed("u", vcodec="avc1", acodec="mp4a"), False),
        (unnamed("u", vcodec="avc1", acodec="mp4a", height=360, width=640), True),
        (unnamed("u", vcodec="avc1", acodec="none", height=360), True),
        (unnamed("u", acodec="none"), False),
    ],
)  # fmt: skip
def test_what_is_named(known: Format, named: bool) -> None:
    assert stream_of(known | {"url": "https://u"}).named is named


def test_the_pieces_of_dash() -> None:
    fragments = [
        {"path": "init.mp4"},
        {"path": "1.m4s", "duration": 4.0},
        {"url": "https://x/2", "path": "2", "duration": 2},
    ]
    given = D360 | {"url": "https://h/a/m.mpd", "fragment_base_url": "https://h/a/b/", "fragments": fragments}
    found = stream_of(given)
    assert found.pieces == (("https://h/a/b/init.mp4", None), ("https://h/a/b/1.m4s", 4.0), ("https://x/2", 2))
    assert (found.url, found.protocol, found.named) == ("https://h/a/m.mpd", "http_dash_segments", True)
    assert "init" not in repr(found)
    assert stream_of(D360 | {"url": "https://h/m"}).pieces == ()
    assert stream_of(P360 | {"url": "https://h/m", "fragments": fragments}).pieces is None
    whole = [
        {"path": "https://y/1.m4s", "duration": 1},
        {"path": "/2.m4s", "duration": 1},
        {"path": "../3", "duration": 1},
    ]
    found = stream_of(given | {"fragments": whole})
    assert [url for url, _ in found.pieces or ()] == ["https://y/1.m4s", "https://h/2.m4s", "https://h/a/3"]
    found = stream_of(given | {"fragments": iter(fragments[:1]), "fragment_base_url": None})
    assert found.pieces == (("init.mp4", None),)


def entry(url: str, ext: str = "vtt", **more: Any) -> Format:
    return {"url": url, "ext": ext, **more}


BY_PEOPLE = {"en": [entry("https://s/en.json", "json3"), entry("https://s/en")], "pt-BR": [entry("https://s/br")]}
BY_EAR = {
    "en-orig": [entry("https://s/orig")],
    "en": [entry("https://s/asr")],
    "de": [entry("https://s/asr?lang=en&tlang=de")],
    "fr": [entry("https://s/fr?kind=asr")],
}


@pytest.mark.parametrize(
    ("info", "language", "url"),
    [
        ({"subtitles": BY_PEOPLE, "automatic_captions": BY_EAR}, "en", "https://s/en"),
        ({"subtitles": BY_PEOPLE}, "pt", "https://s/br"),
        ({"subtitles": BY_PEOPLE}, "pt-BR", "https://s/br"),
        ({"subtitles": BY_PEOPLE}, "p", None),
        ({"subtitles": BY_PEOPLE}, "pt-PT", None),
        ({"subtitles": {"en-GB": [entry("https://s/gb")]}, "automatic_captions": BY_EAR}, "en", "https://s/gb"),
        ({"subtitles": {"en-GB": [entry("https://s/gb")], "en": [entry("https://s/e")]}}, "en", "https://s/e"),
        ({"automatic_captions": BY_EAR}, "en", "https://s/orig"),
        ({"automatic_captions": {"en": BY_EAR["en"]}}, "en", "https://s/asr"),
        ({"automatic_captions": BY_EAR}, "de", None),
        ({"automatic_captions": BY_EAR}, "fr", "https://s/fr?kind=asr"),
        (
            {"subtitles": {"en": [entry("https://s/t?tlang=en")]}, "automatic_captions": BY_EAR},
            "en",
            "https://s/orig",
        ),
        ({"subtitles": {"en": [entry("https://s/x", "srt")]}}, "en", None),
        ({"subtitles": {"en": [entry("file:///etc/passwd"), entry("data:,x"), entry("")]}}, "en", None),
        ({"subtitles": {"en": [{"ext": "vtt", "data": "WEBVTT"}]}}, "en", None),
        ({"subtitles": {"en": None, "live_chat": [entry("https://s/chat", "json")]}}, "en", None),
        ({"subtitles": None, "automatic_captions": None}, "en", None),
        ({}, "en", None),
    ],
)
def test_subtitles_in(info: Format, language: str, url: str | None) -> None:
    found = subtitles_in(info, language)
    assert (found.url if found else None) == url
    assert found is None or (found.ext, found.protocol, found.size, found.pieces) == ("vtt", "https", None, None)


@pytest.mark.parametrize(
    ("info", "languages"),
    [
        ({"subtitles": BY_PEOPLE, "automatic_captions": BY_EAR}, ("en", "pt-BR", "fr")),
        ({"automatic_captions": BY_EAR}, ("en", "fr")),
        ({"subtitles": {"en": [entry("https://s/x", "srt")], "live_chat": [entry("https://s/c", "json")]}}, ()),
        ({"subtitles": {"en": None}, "automatic_captions": None}, ()),
        ({"subtitles": {"x" * 99: [entry("https://s/x")]}}, ("x" * 40,)),
        ({}, ()),
    ],
)
def test_languages_in(info: Format, languages: tuple[str, ...]) -> None:
    """As they are taken: a translation is none."""
    assert languages_in(info) == languages


def test_the_headers_of_subtitles() -> None:
    found = subtitles_in({"subtitles": {"en": [entry("https://s", http_headers={"Referer": "https://p"})]}}, "en")
    assert found is not None and found.headers == {"Referer": "https://p"}


def test_stream_of() -> None:
    given = P360 | {"url": "https://u", "http_headers": {"A": "b"}, "ext": "m4v", "filesize": 7, "available_at": 5}
    due = Stream("https://u", {"A": "b"}, "134", "m4v", "https", 7, 5.0, "avc1.4d401e")
    assert stream_of(given) == due and due.sound is None
    assert stream_of(given | {"acodec": "opus"}) == replace(due, sound="opus")
    # Not named is not known.
    assert stream_of(given | {"acodec": None}) == replace(due, named=False)
    assert stream_of(A140 | {"url": "http://u"}) == Stream(
        "http://u", {}, "140", "mp4", "https", None, 0.0, "mp4a.40.2", sound="mp4a.40.2"
    )
    assert "SECRET" not in repr(stream_of(A140 | {"url": "https://SECRET", "http_headers": {"Cookie": "SECRET"}}))


@pytest.mark.parametrize(
    "url", ["", "u", "file:///etc/passwd", "ftp://h/x", " https://h/x", "data:,x", "HTTPS://h/x"]
)
def test_what_is_not_at_an_http_address(url: str) -> None:
    with pytest.raises(Transient, match=r"^format 134 is not at an http\(s\) address$") as caught:
        stream_of(P360 | {"url": url})
    assert caught.value.reason == "formats"


@pytest.mark.parametrize(
    ("formats", "alone", "seen"),
    [
        ([A139, A140, P360, P144, P240], A140, P144),
        # Of another way than the sound, or with it in one file, it will do where there is no other.
        ([A140, H93, P360], A140, P360),
        ([A140, H93, both("18", 360)], A140, both("18", 360)),
        ([H234, P144, H93, H230], H234, H93),
        # What nobody may read, or what has no picture, tells nothing.
        ([A140, P144 | {"has_drm": True}, P240], A140, P240),
        ([A140, P144 | {"url": None}], A140, None),
        ([A139, A140, OPUS, H93], A140, None),
        ([A140, P144 | {"vcodec": None}], A140, None),
        # A sound that comes with its picture has no need of another.
        ([both("18", 360), P144], both("18", 360), None),
    ],
)
def test_the_picture_of_a_sound_that_comes_alone(
    formats: list[Format], alone: Format, seen: Format | None
) -> None:
    placed = [{"url": "https://example.org/", **each} for each in formats]
    found = smallest_video(placed, alone)
    assert found == (None if seen is None else {"url": "https://example.org/", **seen})

"""What YouTube says about a video: watch page and player response, for good videos and for every refusal.

Knows: which fields the extractor reads, the refusals word for word, how formats and captions are described.
Knows not: HTTP, who asks, or how often. The texts are YouTube's own, so that yt-dlp makes its real
messages of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.standin import fake_media
from tests.standin.fake_media import Media
from tests.standin.fake_proxy import Fault

Json = dict[str, Any]

MEDIA_HOST = "rr3---sn-fake5hnez.googlevideo.com"
MANIFEST_HOST = "manifest.googlevideo.com"
_CHANNEL_ID = "UCfake-Channel-012345678"
_CONFIG = {
    "PLAYER_JS_URL": "/s/player/deadbeef/player_ias.vflset/en_US/base.js",
    "STS": 20500,
    "VISITOR_DATA": "Cgtmb3JfZmFrZXMxIg%3D%3D",
}
SABR_CLIENT = "WEB"
"""What a watch page's own player calls itself. It takes its streams by one address for all of them (SABR): the
formats that it is told have no addresses. Every other client, known here or not, gets addresses."""
DRC = 9000
"""Added to the seed for the compressed variant of a sound: a test can hear which one it got."""
TRANSLATIONS = {"de": "German", "en": "English", "fr": "French"}
"""The languages that captions can be translated into; the real YouTube has more than a hundred and fifty."""


@dataclass(frozen=True)
class Case:
    """One way of answering for a video.

    `streaming` replaces the usual streamingData. `interstitial` has the reasons told by the words of a screen
    of its own alone, where some clients get them since the autumn of 2026.
    """

    status: str = "OK"
    reason: str | None = None
    subreason: str | None = None
    plays: bool = False
    page_status: int = 200
    api_status: int = 200
    retry_after: int | None = None
    screen: Mapping[str, Any] | None = None
    details: Mapping[str, Any] | None = None
    streaming: Mapping[str, Any] | None = None
    interstitial: bool = False

    def playability(self) -> Json:
        found: Json = {"status": self.status}
        if self.interstitial:
            words = {"title": self.reason, "description": self.subreason}
            model = {name: {"content": text} for name, text in words.items() if text}
            screen = {"playerInterstitialRenderer": {"content": {"interstitialViewModel": model}}}
            return found | {"errorScreen": screen}
        if self.reason:
            found["reason"] = self.reason
        if self.subreason:
            texts = {"reason": {"simpleText": self.reason}, "subreason": {"simpleText": self.subreason}}
            found["errorScreen"] = {"playerErrorMessageRenderer": texts}
        if self.screen:
            found["errorScreen"] = dict(self.screen)
        return found


def _gone(subreason: str | None, status: str = "ERROR") -> Case:
    return Case(status, "Video unavailable", subreason)


_UNFIT_FORMATS = [
    {"itag": 299, "mimeType": 'video/mp4; codecs="avc1.64002a"', "width": 1920, "height": 1080, "fps": 60},
    {"itag": 401, "mimeType": 'video/mp4; codecs="av01.0.12M.08"', "width": 3840, "height": 2160, "fps": 25},
    {"itag": 251, "mimeType": 'audio/webm; codecs="opus"', "audioQuality": "AUDIO_QUALITY_MEDIUM"},
]

CASES: dict[str, Case] = {
    "ok": Case(plays=True),
    "private": Case("LOGIN_REQUIRED", "Private video", "Sign in if you've been granted access to this video"),
    "removed_by_uploader": _gone("This video has been removed by the uploader"),
    "removed_terms": _gone("This video has been removed for violating YouTube's Terms of Service"),
    "terminated": _gone(
        "This video is no longer available because the YouTube account associated with this video "
        "has been terminated."
    ),
    "copyright": _gone("This video is no longer available due to a copyright claim by Acme"),
    "copyright_removal": _gone("It was removed following a copyright removal request by Acme"),
    "country_copyright": _gone(
        "This video contains content from Acme, who has blocked it in your country on copyright grounds",
        "UNPLAYABLE",
    ),
    "country": _gone("The uploader has not made this video available in your country", "UNPLAYABLE"),
    "age": Case(
        "LOGIN_REQUIRED", "Sign in to confirm your age", "This video may be inappropriate for some users."
    ),
    "members": Case(
        "UNPLAYABLE",
        "Join this channel to get access to members-only content like this video, and other exclusive perks.",
    ),
    "members_level": Case(
        "UNPLAYABLE",
        "This video is available to this channel's members on level: Friend (or any higher level). "
        "Join this channel to get access to members-only content and other exclusive perks.",
    ),
    "upcoming": Case(
        "LIVE_STREAM_OFFLINE",
        "This live event will begin in 5 hours.",
        details={"isUpcoming": True, "isLiveContent": True},
    ),
    "bot_check": Case("LOGIN_REQUIRED", "Sign in to confirm you\u2019re not a bot"),
    "captcha": Case("UNPLAYABLE", "Video unavailable", screen={"playerCaptchaViewModel": {"siteKey": "fake"}}),
    "rate_limited": _gone("This content isn't available, try again later.", "UNPLAYABLE"),
    "wrong_video": Case(plays=True, details={"videoId": "aQvGIIdgFDM"}),
    "page_and_api_429": Case(page_status=429, api_status=429),
    "api_429": Case(api_status=429),
    "api_503": Case(api_status=503),
    "page_429": Case(plays=True, page_status=429),
    "page_429_unavailable": Case("ERROR", "Video unavailable", page_status=429),
    "unavailable": _gone(None),
    "drm": Case(streaming={"licenseInfos": [{"drmFamily": "WIDEVINE", "url": "https://www.youtube.com/api/drm"}]}),
    "no_formats_fit": Case(streaming={"adaptiveFormats": _UNFIT_FORMATS}),
    "no_formats": Case(streaming={}),
}


@dataclass(frozen=True)
class AudioTrack:
    """One language of a video. `seed` is added to the media's: each track sounds different."""

    id: str = "en.4"
    name: str = "English original"
    default: bool = True
    dubbed: bool = False
    seed: int = 0

    def described(self) -> Json:
        track: Json = {"displayName": self.name, "id": self.id, "audioIsDefault": self.default}
        return track | ({"isAutoDubbed": True} if self.dubbed else {})


ORIGINAL_AND_DUB = (AudioTrack("de.10", "German", default=False, dubbed=True, seed=1), AudioTrack())


@dataclass(frozen=True)
class FakeVideo:
    """One video of the stand-in.

    `case` names a row of CASES (or is a Case of the test's own); with `case_times` only the first n watch
    pages show it and the later ones are ok. `duration` is what the player declares, where it differs from
    the media's. `login_helps` shows ok to a session with a login cookie. `drc` adds a compressed variant
    of 140; `ad_seconds` an advertisement, after which alone the streams are available; `expires_in` is
    how long URLs of media and captions live.

    `itags` are numbers of files, and names of HLS renditions: "hls-ts" is 93, one file a segment; "hls-fmp4" is
    230 with 234 for its sound, one file each. A fault's `itag` may be one of these, and its `beyond` counts
    through all segments.

    `captions` are the uploader's, `automatic` those of speech recognition: WebVTT by language (webvtt and
    rolling_webvtt write it). `caption_faults` strike at answers with captions; `caption_token` says that
    YouTube wants a PO token for them. `uploaded` is None where the page does not say. With `sabr` no client is
    told the addresses of its adaptive formats: they come through one for all of them (SABR), which yt-dlp cannot
    read; 18 and HLS have theirs.
    """

    media: Media = field(default_factory=Media)
    case: str | Case = "ok"
    case_times: int | None = None
    itags: tuple[int | str, ...] = (134, 140, 18)
    faults: tuple[Fault, ...] = ()
    title: str = "t"
    duration: float | None = None
    audio_tracks: tuple[AudioTrack, ...] = ()
    drc: bool = False
    login_helps: bool = False
    ad_seconds: int = 0
    expires_in: float = 6 * 3600
    captions: Mapping[str, str] = field(default_factory=dict)
    automatic: Mapping[str, str] = field(default_factory=dict)
    caption_faults: tuple[Fault, ...] = ()
    caption_token: bool = False
    sabr: bool = False
    description: str = "About t.\nTwo lines."
    channel: str = "A channel"
    tags: tuple[str, ...] = ("one tag", "another")
    views: int = 1234
    uploaded: str | None = "2015-03-07T20:00:00-08:00"

    def __post_init__(self) -> None:
        # A misspelt name should fail in the test, not in a thread.
        case(self.case)
        self.renditions()

    def offered(self) -> list[int]:
        """The itags that this video's media can have, each a file of its own."""
        numbers = [itag for itag in self.itags if isinstance(itag, int)]
        return [itag for itag in numbers if self.media.has(itag) and itag not in fake_media.HLS_SOURCES]

    def renditions(self) -> list[int]:
        """The itags that its HLS playlist can have."""
        named = [itag for name in self.itags if isinstance(name, str) for itag in fake_media.HLS[name]]
        return [itag for itag in named if self.media.has(itag)]

    def tracks(self, itag: int) -> list[AudioTrack | None]:
        """The languages that an HLS rendition comes in; None where it says nothing of them."""
        heard = self.media.audio and 140 in fake_media.HLS_SOURCES[itag]
        return list(self.audio_tracks) if heard and self.audio_tracks else [None]

    def ever_plays(self) -> bool:
        return self.case_times is not None or self.login_helps or case(self.case).plays

    def streams(self, itag: int) -> list[tuple[Json, int]]:
        """What tells apart the streams of one itag, each with what is added to the media's seed."""
        if itag not in fake_media.SOUND_ITAGS:
            return [({}, 0)]
        plain: list[tuple[Json, int]] = [({"audioTrack": t.described()}, t.seed) for t in self.audio_tracks]
        plain = plain or [({}, 0)]
        compressed = [(extra | {"isDrc": True}, DRC) for extra, seed in plain if seed == 0]
        return plain + (compressed if self.drc else [])

    def file(self, folder: Path, itag: int, seed: int = 0) -> Path:
        return fake_media.make(replace(self.media, seed=self.media.seed + seed), itag, folder)

    def rendition(self, folder: Path, itag: int, seed: int = 0) -> Path:
        return fake_media.make_hls(self.media, itag, folder, seed)

    def files(self, folder: Path) -> list[Path]:
        whole = [self.file(folder, itag, seed) for itag in self.offered() for _, seed in self.streams(itag)]
        return whole + [
            self.rendition(folder, itag, track.seed if track else 0)
            for itag in self.renditions()
            for track in self.tracks(itag)
        ]


def case(name: str | Case) -> Case:
    """A case by its name; a test may bring one of its own."""
    return CASES[name] if isinstance(name, str) else name


def watch_page(video_id: str, video: FakeVideo, shown: Case, folder: Path, size: int = 0) -> bytes:
    """The page, padded to `size` bytes: real ones have more than a million."""
    player = {
        "playabilityStatus": shown.playability(),
        "videoDetails": _details(video_id, video, shown),
        **_streams(video_id, video, shown, folder, SABR_CLIENT),
        **_captions(video_id, video, shown, page=True),
        **_microformat(video, shown),
    }
    page = (
        f"<!DOCTYPE html><html><head><title>{video.title} - YouTube</title></head><body>"
        f"<script>ytcfg.set({json.dumps(_config(SABR_CLIENT))});</script>"
        f"<script>var ytInitialPlayerResponse = {json.dumps(player)};</script>"
        f"<script>var ytInitialData = {json.dumps(_around(video, shown))};</script></body></html>"
    ).encode()
    padding = b"<!--" + b"x" * (size - len(page) - 7) + b"-->" if size > len(page) else b""
    return page.replace(b"</body>", padding + b"</body>")


def config_page(client: str | None = None) -> bytes:
    """A page that yt-dlp takes a client's configuration from; without a name, what it knows itself is to do."""
    return f"<!DOCTYPE html><html><script>ytcfg.set({json.dumps(_config(client))});</script></html>".encode()


def _config(client: str | None) -> Json:
    context = {"client": {"clientName": client, "clientVersion": "2.20260708.00.00"}}
    return _CONFIG | ({"INNERTUBE_CONTEXT": context} if client else {})


def player_response(video_id: str, video: FakeVideo, shown: Case, folder: Path, client: str | None = None) -> Json:
    """The answer of /youtubei/v1/player to whichever client asks."""
    answer: Json = {"playabilityStatus": shown.playability()}
    if shown.plays or shown.details or shown.streaming is not None:
        answer["videoDetails"] = _details(video_id, video, shown)
    answer |= _streams(video_id, video, shown, folder, client)
    answer |= _captions(video_id, video, shown)
    if video.ad_seconds and shown.plays:
        answer["adPlacements"] = [_advertisement(video.ad_seconds)]
    return answer


def _streams(video_id: str, video: FakeVideo, shown: Case, folder: Path, client: str | None) -> Json:
    """The streams as one client is told of them."""
    if shown.streaming is not None:
        told = _with_urls(shown.streaming, video_id, video)
    elif shown.plays:
        told = _streaming_data(video_id, video, folder)
    else:
        return {}
    if client == SABR_CLIENT:
        adaptive = [{key: each[key] for key in each if key != "url"} for each in told.get("adaptiveFormats", ())]
        told = {key: told[key] for key in told if key not in ("formats", "adaptiveFormats", "hlsManifestUrl")}
        told |= {
            "adaptiveFormats": adaptive,
            "serverAbrStreamingUrl": f"https://{MEDIA_HOST}/videoplayback?sabr=1",
        }
    return {"streamingData": told}


def _details(video_id: str, video: FakeVideo, shown: Case) -> Json:
    length = video.media.duration if video.duration is None else video.duration
    known = {
        "videoId": video_id,
        "title": video.title,
        "lengthSeconds": str(round(length)),
        "isLiveContent": False,
    }
    about = {
        "shortDescription": video.description,
        "keywords": list(video.tags),
        "author": video.channel,
        "channelId": _CHANNEL_ID,
        "viewCount": str(video.views),
    }
    return known | (about if shown.plays else {}) | dict(shown.details or {})


def _microformat(video: FakeVideo, shown: Case) -> Json:
    """What only the watch page's player says: there is no upload date without the page."""
    if not shown.plays or video.uploaded is None:
        return {}
    told = {
        "uploadDate": video.uploaded,
        "publishDate": video.uploaded,
        "ownerProfileUrl": "http://www.youtube.com/@a_channel",
        "category": "Music",
        "isFamilySafe": True,
    }
    return {"microformat": {"playerMicroformatRenderer": told}}


def _around(video: FakeVideo, shown: Case) -> Json:
    """The page around the player: the one place that the channel's name is taken from."""
    if not shown.plays:
        return {"contents": {"x": 1}}
    owner = {"videoOwnerRenderer": {"title": {"runs": [{"text": video.channel}]}}}
    contents = [{"videoPrimaryInfoRenderer": {}}, {"videoSecondaryInfoRenderer": {"owner": owner}}]
    return {"contents": {"twoColumnWatchNextResults": {"results": {"results": {"contents": contents}}}}}


def _captions(video_id: str, video: FakeVideo, shown: Case, page: bool = False) -> Json:
    """The list of captions. The page's are not to be had without a token, but name the translations."""
    if not shown.plays or not (video.captions or video.automatic):
        return {}
    token = page or video.caption_token
    tracks = [_caption(video_id, video, language, False, token) for language in video.captions]
    tracks += [_caption(video_id, video, language, True, token) for language in video.automatic]
    told: Json = {"captionTracks": tracks}
    if page:
        known = TRANSLATIONS.items()
        told["translationLanguages"] = [
            {"languageCode": code, "languageName": {"simpleText": name}} for code, name in known
        ]
    return {"captions": {"playerCaptionsTracklistRenderer": told}}


def _caption(video_id: str, video: FakeVideo, language: str, automatic: bool, token: bool) -> Json:
    asked = {"v": video_id, "caps": "asr", "expire": int(time.time() + video.expires_in), "key": "yt8"}
    asked |= {"kind": "asr"} if automatic else {}
    asked |= {"lang": language} | ({"exp": "xpe"} if token else {})
    name = TRANSLATIONS.get(language, language) + (" (auto-generated)" if automatic else "")
    return {
        "baseUrl": f"https://www.youtube.com/api/timedtext?{urlencode(asked)}",
        "name": {"simpleText": name},
        "vssId": f"{'a' if automatic else ''}.{language}",
        "languageCode": language,
        **({"kind": "asr"} if automatic else {}),
        "isTranslatable": True,
    }


def caption_text(video: FakeVideo, asked: Mapping[str, str]) -> str | None:
    """The text at an address of captions; None where there is none. Others than fmt=vtt are not made here."""
    offered = video.automatic if asked.get("kind") == "asr" else video.captions
    text = offered.get(asked.get("lang", ""))
    if text is None or asked.get("fmt") != "vtt":
        return None
    if video.caption_token and "pot" not in asked:
        return ""  # YouTube's own way of saying no: 200, and nothing in it.
    return text.replace("\n\n", f"\n\nNOTE in {asked['tlang']}\n\n", 1) if "tlang" in asked else text


def webvtt(cues: Sequence[tuple[float, float, str]], language: str = "en") -> str:
    """An uploader's captions as YouTube writes them: (begin, end, text), in seconds."""
    timed = [f"{_stamp(begin)} --> {_stamp(end)}\n{text}\n\n" for begin, end, text in cues]
    return f"WEBVTT\nKind: captions\nLanguage: {language}\n\n" + "".join(timed)


def rolling_webvtt(lines: Sequence[tuple[float, float, str]], language: str = "en") -> str:
    """Recognised speech as YouTube writes it: two lines that roll, each said twice, with a time at each word."""
    style, above = " align:start position:0%", " "
    timed = []
    for begin, end, text in lines:
        last = end - 0.01
        timed.append(f"{_stamp(begin)} --> {_stamp(last)}{style}\n{above}\n{_word_by_word(begin, last, text)}\n\n")
        timed.append(f"{_stamp(last)} --> {_stamp(end)}{style}\n{text}\n \n\n")
        above = text
    return f"WEBVTT\nKind: captions\nLanguage: {language}\n\n" + "".join(timed)


def _word_by_word(begin: float, end: float, text: str) -> str:
    first, *others = text.split()
    step = (end - begin) / (len(others) + 1)
    return first + "".join(f"<{_stamp(begin + n * step)}><c> {word}</c>" for n, word in enumerate(others, 1))


def _stamp(seconds: float) -> str:
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def _advertisement(seconds: int) -> Json:
    config = {"adPlacementConfig": {"kind": "AD_PLACEMENT_KIND_START"}}
    renderer = {"instreamVideoAdRenderer": {"playerVars": f"length_seconds={seconds}"}}
    return {"adPlacementRenderer": {"config": config, "renderer": renderer}}


def _with_urls(streaming: Mapping[str, Any], video_id: str, video: FakeVideo) -> Json:
    formats = [{**f, "url": _url(video_id, video, f["itag"], 0)} for f in streaming.get("adaptiveFormats", ())]
    return {**streaming, **({"adaptiveFormats": formats} if formats else {})}


def _streaming_data(video_id: str, video: FakeVideo, folder: Path) -> Json:
    adaptive: list[Json] = []
    progressive: list[Json] = []
    for itag in video.offered():
        described = _describe(itag, video) | {"approxDurationMs": str(round(video.media.duration * 1000))}
        for extra, seed in video.streams(itag):
            path = video.file(folder, itag, seed)
            size = path.stat().st_size
            where = {"itag": itag, "url": _url(video_id, video, itag, seed), "contentLength": str(size)}
            where |= _index(path)
            rate = {"bitrate": round(size * 8 / video.media.duration)}
            (progressive if itag == fake_media.PROGRESSIVE else adaptive).append(where | described | rate | extra)
    if video.sabr:
        adaptive = [{name: told for name, told in each.items() if name != "url"} for each in adaptive]
    expire = str(int(time.time() + video.expires_in))
    master = _hls_url(_MASTER, "file/index.m3u8", video_id, expire)
    return {
        "expiresInSeconds": str(round(video.expires_in)),
        "formats": progressive,
        "adaptiveFormats": adaptive,
        **({"hlsManifestUrl": master} if video.renditions() else {}),
        **({"serverAbrStreamingUrl": f"https://{MEDIA_HOST}/videoplayback?sabr=1"} if video.sabr else {}),
    }


def _index(path: Path) -> Json:
    """Where a stream's head and index are, if it has one; YouTube counts in text, and up to the last byte."""
    index = fake_media.index(path)
    if index is None:
        return {}
    return {
        "initRange": {"start": "0", "end": str(index.start - 1)},
        "indexRange": {"start": str(index.start), "end": str(index.stop - 1)},
    }


def _url(video_id: str, video: FakeVideo, itag: int, seed: int) -> str:
    query = {"expire": int(time.time() + video.expires_in), "id": video_id, "itag": itag, "source": "youtube"}
    return f"https://{MEDIA_HOST}/videoplayback?{urlencode(query | ({'sound': seed} if seed else {}))}"


def asked_of(path: str) -> dict[str, str]:
    """What an address of HLS says: the words of its path in pairs."""
    words = path.partition("/expire/")[2].split("/")
    return {"expire": words[0], **dict(zip(words[1::2], words[2::2], strict=False))}


def master_playlist(video_id: str, video: FakeVideo, expire: str, folder: Path) -> str:
    """The playlist of playlists, which names the renditions of every language; `expire` is its own."""
    lines = ["#EXTM3U", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for itag in video.renditions():
        for track in video.tracks(itag):
            seed = track.seed if track else 0
            url = _hls_url(_PLAYLIST, "playlist/index.m3u8", video_id, expire, itag, seed)
            if fake_media.HLS_SOURCES[itag] == (140,):
                lines.append("#EXT-X-MEDIA:" + _attributes({"URI": f'"{url}"'} | _rendition(itag, track)))
                continue
            size = sum(path.stat().st_size for path in fake_media.segments(video.rendition(folder, itag, seed)))
            told = {"BANDWIDTH": round(size * 8 / video.media.duration)} | _variant(video, itag, track)
            lines += ["#EXT-X-STREAM-INF:" + _attributes(told), url]
    return "\n".join([*lines, ""])


def media_playlist(video_id: str, video: FakeVideo, expire: str, itag: int, seed: int, folder: Path) -> str:
    """One rendition's playlist: ffmpeg's own, with addresses for the names of files."""
    text = (video.rendition(folder, itag, seed) / fake_media.PLAYLIST).read_text()

    def url(name: str) -> str:
        number, _, kind = name.partition(".")
        last = f"sq/{number}/file/seg.ts" if kind == "ts" else "file/seg.mp4"
        return _hls_url(f"{MEDIA_HOST}/videoplayback", last, video_id, expire, itag, seed)

    lines = [line if line.startswith("#") else url(line) for line in text.splitlines()]
    return "\n".join([*lines, ""]).replace('URI="all.mp4"', f'URI="{url("all.mp4")}"')


_MASTER = f"{MANIFEST_HOST}/api/manifest/hls_variant"
_PLAYLIST = f"{MANIFEST_HOST}/api/manifest/hls_playlist"


def _hls_url(place: str, name: str, video_id: str, expire: str, itag: int = 0, seed: int = 0) -> str:
    """An address of HLS, where everything stands in the path."""
    known = {"expire": expire, "id": video_id, "itag": itag, "source": "youtube", "sound": seed}
    said = "".join(f"{key}/{value}/" for key, value in known.items() if value)
    return f"https://{place}/{said}{name}"


def _rendition(itag: int, track: AudioTrack | None) -> Json:
    told: Json = {"TYPE": "AUDIO", "GROUP-ID": f'"{itag}"', "NAME": f'"{track.name if track else "Default"}"'}
    first = track is None or track.default
    told |= {"DEFAULT": "YES" if first else "NO", "AUTOSELECT": "YES"}
    return told | ({"LANGUAGE": f'"{track.id.partition(".")[0]}"'} if track else {}) | _content(track)


def _variant(video: FakeVideo, itag: int, track: AudioTrack | None) -> Json:
    width, height = video.media.size(itag)
    codecs = "avc1.4d401e" + (",mp4a.40.2" if video.media.audio else "")
    told: Json = {"CODECS": f'"{codecs}"', "RESOLUTION": f"{width}x{height}"}
    told |= {"FRAME-RATE": round(video.media.fps), "VIDEO-RANGE": "SDR"}
    group = {"AUDIO": '"234"'} if 140 not in fake_media.HLS_SOURCES[itag] and video.media.audio else {}
    return told | group | {"CLOSED-CAPTIONS": "NONE"} | _content(track)


def _content(track: AudioTrack | None) -> Json:
    if track is None:
        return {}
    tags = f"acont={'dubbed-auto' if track.dubbed else 'original'}:lang={track.id.partition('.')[0]}"
    return {"YT-EXT-AUDIO-CONTENT-ID": f'"{track.id}"', "YT-EXT-XTAGS": f'"{tags}"'}


def _attributes(told: Json) -> str:
    return ",".join(f"{name}={value}" for name, value in told.items())


_VIDEO_KINDS: dict[int, tuple[str, str]] = {
    133: ('video/mp4; codecs="avc1.4d4015"', "small"),
    134: ('video/mp4; codecs="avc1.4d401e"', "medium"),
    135: ('video/mp4; codecs="avc1.4d401f"', "large"),
    136: ('video/mp4; codecs="avc1.64001f"', "hd720"),
    243: ('video/webm; codecs="vp9"', "medium"),
    18: ('video/mp4; codecs="avc1.42001E, mp4a.40.2"', "medium"),
}
_SOUND_KINDS = {140: 'audio/mp4; codecs="mp4a.40.2"', 251: 'audio/webm; codecs="opus"'}


def _describe(itag: int, video: FakeVideo) -> Json:
    media = video.media
    sound = {
        "audioSampleRate": str(48000 if itag == 251 else media.sample_rate),
        "audioChannels": media.channels,
    }
    if itag in _SOUND_KINDS:
        return {
            "mimeType": _SOUND_KINDS[itag],
            "quality": "tiny",
            "audioQuality": "AUDIO_QUALITY_MEDIUM",
        } | sound
    kind, quality = _VIDEO_KINDS[itag]
    width, height = media.size(itag)
    picture = {"mimeType": kind, "quality": quality, "qualityLabel": f"{min(width, height)}p"}
    shape = {"width": width, "height": height, "fps": round(media.fps)}
    return picture | shape | (sound if itag == fake_media.PROGRESSIVE else {})

"""The texts that are fuzzed: lists, manifests, messages and what programs print."""

from __future__ import annotations

import json
from pathlib import Path

from avclips.containers.webvtt import cut_vtt
from avclips.core.errors import ClipError, RunError
from avclips.core.files import is_plain_name
from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.datasets import audioset, clip_list, general_avqa, vggsound
from avclips.media.measure import read_framecrc, read_wav
from avclips.pacing.pace_file import read_pace
from avclips.shards.sample import Sample
from avclips.shards.stats import stats_of
from avclips.sources.messages import read_failure
from avclips.state.manifest import finished, replay
from tests.fuzz.target import Target, in_file


def read_clips(path: Path) -> None:
    """What an annotation file names must be safe to use as a file name."""
    for clip in general_avqa.read_clips(path.parent, ["val"]).clips:
        assert is_plain_name(clip.id) and clip.start >= 0


def read_list(path: Path) -> None:
    """Any list gives clips that may be files, or one message."""
    settings = Settings(path.parent, clip_list=path, clip_length=10.0)
    for clip in clip_list.read_clips(path.parent, settings).clips:
        assert is_plain_name(clip.id) and clip.start >= 0 and (clip.end is None or clip.end > clip.start)


def read_subtitles(data: bytes) -> None:
    """What is cut out of subtitles lies within the clip."""
    cut_vtt(data.decode("utf-8", "replace"), 3.0, 13.0)


def read_manifest(path: Path) -> object:
    """As a run does that was begun beside another; what it says of files is what stats are counted of."""
    told = replay([path, path])
    lines = finished([path])
    assert set(told.done) == set(lines)
    return stats_of("00000", [Sample(Clip(each, each, 0.0, 1.0), line) for each, line in lines.items()], {})


def read_message(data: bytes) -> None:
    """Whatever YouTube says is some ClipError."""
    text = data.decode("utf-8", "replace")
    assert isinstance(read_failure(text, [text[::-1], text]), ClipError)


def text_targets() -> list[Target]:
    """Everything that reads texts."""
    return [*list_targets(), *other_targets()]


def list_targets() -> list[Target]:
    """Annotation files, and lists of users."""
    records = [{"id": 1, "video_name": "06GyG4-wONQ_000006", "video_id": 2, "multi_choice": ["a", None]}] * 3
    questions = [json.dumps(records).encode(), json.dumps(records, indent=4).replace("\n", "\r\n").encode()]
    rows = [b'06GyG4-wONQ,6,"a, b",test\r\n---g-f_I2yQ,1,people marching,test\n']
    parts = [b'# Segments csv\n# YTID, start, end, x\n--4gqARaEJE, 0.500, 10.000, "/m/068hy,/m/07q6cd_"\n']
    events = [b"segment_id\tstart_time_seconds\tend_time_seconds\tlabel\n-9O1cb8z7Mk_0\t1.598\t2.307\t/m/032s66\n"]
    lists = [
        b"videoID,url,timestamp,caption\r\n06GyG4-wONQ,https://youtu.be/06GyG4-wONQ,\"[['0:00:13.280', "
        b"'0:00:20.120']]\",\"['a man']\"\r\n",
        b'shard-000000,NgI3xyMX1Ss_069.mp4,NgI3xyMX1Ss,"[69, 79]"\r\n',
    ]
    entry = {
        "url": "https://x.test/a?b",
        "start": "0:10",
        "duration": 3.5,
        "id": "a_1",
        "clips": [[1, 2], ["3", 4]],
    }
    lists_of_json = [json.dumps([entry, {**entry, "id": 7}]).encode(), json.dumps(entry).encode() + b"\n"]
    return [
        Target("questions", questions, in_file("val_qa.json", read_clips), (RunError,)),
        Target("labels", rows, in_file("vggsound.csv", vggsound.read_labels), (RunError,)),
        Target("segments", parts, in_file("x.csv", lambda path: list(audioset.read_segments(path))), (RunError,)),
        Target("events", events, in_file("x.tsv", lambda path: list(audioset.read_events(path))), (RunError,)),
        Target("csv", [*rows, *parts, *lists], in_file("x.csv", read_list), (RunError,)),
        Target("json", lists_of_json, in_file("x.json", read_list), (RunError,)),
        Target("jsonl", lists_of_json, in_file("x.jsonl", read_list), (RunError,)),
    ]


def other_targets() -> list[Target]:
    """Subtitles, our own files, and what ffmpeg and sites say."""
    subtitles = [
        b"WEBVTT\nKind: captions\n\nNOTE x\n\n1\n00:00:01.000 --> 00:00:04.000 align:start\nwords"
        b"<00:00:03.500><c> more</c>\n\n00:12.000 --> 00:19.000\nend\n"
    ]
    done = {"id": "a", "status": "done", "video": "videos/a.mp4", "audio": None}
    failed = {
        "id": "a",
        "status": "failed",
        "reason": "x",
        "permanent": True,
        "attempts": 1,
        "error": "",
        "time": "",
    }
    lines = [b"\n".join(json.dumps(line).encode() for line in (done, failed, done))]
    pace = {"tokens": 3.5, "at": 1e9, "speed": 1.0, "round": 3, "refused_at": None, "probe_until": 0.0}
    block = {"reason": "bot_check", "since": 1e9, "until": 2e9, "waits": 2}
    paces = [json.dumps({"version": 1, **pace, "block": each}).encode() for each in (None, block)]
    listing = b"#tb 0: 1/12800\n#media_type 0: video\n#dimensions 0: 640x360\n0, -1024, 0, 512, 100, 0xf8dbff50\n"
    messages = [
        "Video unavailable",
        "Sign in to confirm you\u2019re not a bot. x",
        "HTTP Error 429: Too Many Requests",
    ]
    wav = (
        b"RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x44\xac\x00\x00\x10\xb1\x02"
        b"\x00\x04\x00\x10\x00data\x08\x00\x00\x00" + bytes(8)
    )
    return [
        Target("subtitles", subtitles, read_subtitles, (ValueError,)),
        Target("manifest", lines, in_file("manifest.jsonl", read_manifest), ()),
        Target(
            "pace",
            paces,
            lambda data: read_pace(json.loads(data)),
            (ValueError, TypeError, KeyError, OverflowError),
        ),
        Target("listing", [listing], lambda data: read_framecrc(data.decode("latin-1")), (ClipError,)),
        Target("messages", [text.encode() for text in messages], read_message, ()),
        Target("wav", [wav], in_file("x.wav", read_wav), (ClipError,)),
    ]

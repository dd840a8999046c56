"""When the packets of a track are decoded, and what a reader that jumps to key pictures makes of it."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import pytest

from avclips.containers.mp4 import read_file
from avclips.containers.mp4_writer import TrackOut, write_mp4
from avclips.media.tracks import decode_times


@pytest.mark.parametrize(
    ("shown", "decoded"),
    [
        ([0], [0]),
        ([0, 4, 8], [0, 4, 8]),
        # I P B: the B is due when it is decoded, and all that is before it one frame earlier.
        ([0, 8, 4], [-4, 0, 4]),
        ([0, 16, 8, 4, 12], [-8, -4, 0, 4, 8]),
        # An IDR picture is as far ahead as the first, whatever the encoder's rounding made of its decoding.
        ([0, 7508, 3754, 11261, 18769, 15015], [-3754, 0, 3754, 7507, 11261, 15015]),
        # A frame that stands long moves those before it that much ahead.
        ([0, 90, 10, 100], [-80, -70, 10, 20]),
    ],
)
def test_when_packets_are_decoded(shown: list[int], decoded: list[int]) -> None:
    found = decode_times(sorted(shown), shown)
    assert found == decoded
    assert all(at <= time for at, time in zip(found, shown, strict=True)) and found == sorted(set(found))


def test_a_jump_to_a_key_picture_shows_it(tmp_path: Path) -> None:
    """In ticks that no frame of 23.976 a second lasts a whole number of, as transport streams have them."""
    encoded, film = tmp_path / "encoded.mp4", tmp_path / "film.mp4"
    words = "-v error -f lavfi -i testsrc2=size=64x64:rate=24000/1001:duration=8 -c:v libx264 -g 24"
    words += " -sc_threshold 0 -threads 1 -fps_mode passthrough -enc_time_base 1/90000"
    words += " -video_track_timescale 90000"
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *words.split(), encoded], check=True)
    (samples,) = read_file(encoded)
    order = sorted(range(len(samples.times)), key=samples.times.__getitem__)
    due = [round(Fraction(place * 1001 * 90000, 24000)) for place in range(len(order))]
    times = [0] * len(due)
    for place, number in enumerate(order):
        times[number] = due[place]
    track = TrackOut(
        *("video", samples.entry, 90000),
        decode=decode_times(due, times),
        times=times,
        durations=[3754] * len(due),
        path=encoded,
        offsets=samples.offsets,
        sizes=samples.sizes,
        keys=samples.keys,
        starts=0,
        lasts=due[-1] + 3754,
        width=64,
        height=64,
    )
    write_mp4(film, [track])
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        keys = [packet.pts for packet in container.demux(stream) if packet.is_keyframe and packet.pts is not None]
        assert len(keys) == 8
        for key in reversed(keys):
            container.seek(key, stream=stream)
            assert next(container.decode(stream)).pts == key

"""Sound files in which nothing is heard, for clips without sound among others that have some.

A loader opens the same member of every sample: nothing at all cannot be opened. 44.1 kHz, stereo, as most sources
are about; the same length gives the same bytes.

Sources: RFC 9639 (FLAC); ISO/IEC 14496-3 and 14496-14 (AAC in MP4).
"""

from __future__ import annotations

import hashlib
import io
import struct
import tempfile
import wave
from pathlib import Path

from ..containers.mp4_writer import TrackOut, write_mp4

RATE, CHANNELS = 44_100, 2
_WIDTH = 2
_FLAC_BLOCK = 4096
# A frame of AAC-LC in stereo of which all spectra are zero, and the samples that it lasts.
_AAC_FRAME, _AAC_SAMPLES = bytes.fromhex("210049900219002380"), 1024
# AudioSpecificConfig: AAC-LC, 44.1 kHz, two channels.
_AAC_CONFIG = bytes.fromhex("1210")


def silence(ending: str, seconds: float) -> bytes:
    """A file of this ending (wav, flac, m4a) that lasts so long; at least one sample."""
    samples = max(1, round(seconds * RATE))
    return {"wav": _wav, "flac": _flac, "m4a": _m4a}[ending](samples)


def _wav(samples: int) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(CHANNELS)
        file.setsampwidth(_WIDTH)
        file.setframerate(RATE)
        file.writeframes(bytes(samples * CHANNELS * _WIDTH))
    return content.getvalue()


def _flac(samples: int) -> bytes:
    """Frames of one constant each, which takes 15 bytes or so."""
    size = min(samples, _FLAC_BLOCK)
    # A smaller last block does not count; streams of less than 16 samples have a block of 16.
    bounds = struct.pack(">HH", max(size, 16), max(size, 16)) + bytes(6)
    shape = RATE << 44 | (CHANNELS - 1) << 41 | (8 * _WIDTH - 1) << 36 | samples
    info = bounds + shape.to_bytes(8, "big") + hashlib.md5(bytes(samples * CHANNELS * _WIDTH)).digest()
    frames = (
        _flac_frame(number, min(_FLAC_BLOCK, samples - first))
        for number, first in enumerate(range(0, samples, _FLAC_BLOCK))
    )
    return b"fLaC\x80" + len(info).to_bytes(3, "big") + info + b"".join(frames)


def _flac_frame(number: int, samples: int) -> bytes:
    whole = samples == _FLAC_BLOCK
    # A block of 4096, or one whose length stands behind the number; 44.1 kHz; two channels of 16 bits.
    header = bytes((0xFF, 0xF8, (0xC0 if whole else 0x70) | 0x09, 0x18)) + _as_utf8(number)
    header += b"" if whole else struct.pack(">H", samples - 1)
    header += bytes((_crc(header, 0x07, 8),))
    # Of each channel: "constant", and its value.
    frame = header + bytes(1 + _WIDTH) * CHANNELS
    return frame + struct.pack(">H", _crc(frame, 0x8005, 16))


def _as_utf8(number: int) -> bytes:
    """A frame's number as UTF-8 would have a letter's, up to 31 bits: chr() ends before."""
    if number < 0x80:
        return bytes((number,))
    length = next(count for count in range(2, 7) if number < 1 << (5 * count + 1))
    first = (0xFF00 >> length) & 0xFF | number >> 6 * (length - 1)
    return bytes((first, *(0x80 | number >> 6 * place & 0x3F for place in reversed(range(length - 1)))))


def _crc(content: bytes, polynomial: int, bits: int) -> int:
    value, top, mask = 0, 1 << (bits - 1), (1 << bits) - 1
    for byte in content:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
    return value


def _m4a(samples: int) -> bytes:
    count = -(-samples // _AAC_SAMPLES)
    with tempfile.TemporaryDirectory() as folder:
        packet, path = Path(folder) / "packet", Path(folder) / "silence.m4a"
        packet.write_bytes(_AAC_FRAME)
        times = range(0, count * _AAC_SAMPLES, _AAC_SAMPLES)
        # All packets are the one that is there.
        sizes, offsets, durations = [len(_AAC_FRAME)] * count, [0] * count, [_AAC_SAMPLES] * count
        track = TrackOut(
            "audio", _mp4a(), RATE, times, times, durations, packet, offsets, sizes, starts=0, lasts=samples
        )
        write_mp4(path, [track])
        return path.read_bytes()


def _mp4a() -> bytes:
    """The description of the track."""
    config = _descriptor(0x05, _AAC_CONFIG)
    decoder = _descriptor(0x04, bytes((0x40, 0x15)) + bytes(11) + config)
    stream = _descriptor(0x03, struct.pack(">HB", 1, 0) + decoder + _descriptor(0x06, b"\x02"))
    sound = struct.pack(">6xH8xHHHHI", 1, CHANNELS, 16, 0, 0, RATE << 16)
    return _box(b"mp4a", sound + _box(b"esds", bytes(4) + stream))


def _descriptor(tag: int, content: bytes) -> bytes:
    return bytes((tag, len(content))) + content


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content

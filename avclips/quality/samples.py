"""What the samples of a clip tell: their level, whether they are clipped, whether both channels are the same.

PCM of 16 bits, little-endian, channels in turn. Whole arrays are compared and counted by what Python does in C;
sums of squares are of every STRIDE-th frame.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Iterable
from operator import mul
from typing import Any

# Prime, so that no usual tone is in step with it.
STRIDE = 31
# Of digital silence, which has no logarithm; 16 bits go down to -90 dBFS.
NOTHING = -120.0
# Two channels are one copied twice where they differ by no more than this, in dB below what they have together.
SAME = 60.0
_HIGH = {True: bytes(byte == 0x7F for byte in range(256)), False: bytes(byte == 0x80 for byte in range(256))}
_LOW = {True: bytes(byte == 0xFF for byte in range(256)), False: bytes(byte == 0x00 for byte in range(256))}


def block_size(channels: int) -> int:
    """How many bytes are looked at together: some two megabytes, a whole number of strides."""
    stride = 2 * channels * STRIDE
    return stride * max(1, (2 << 20) // stride)


def measure_samples(blocks: Iterable[bytes], channels: int) -> dict[str, Any]:
    """Flags of a clip's sound; {} where there is none.

    ``blocks``: its bytes; each but the last of ``block_size``. ``level``: RMS over all channels in dBFS, where a
    square wave at full scale has 0 (a sine -3.01); ``clipped``: the share of samples at full scale, 32767 or
    -32768; ``dual_mono``: whether two channels are the same, None where there are not two.
    """
    size = clipped = summed = 0
    squares, differences = 0, 0
    for block in blocks:
        size += len(block) // 2
        clipped += full_scale(block)
        samples = array("h")
        samples.frombytes(block[: len(block) // 2 * 2])
        if sys.byteorder == "big":
            samples.byteswap()
        parts = [samples[channel :: STRIDE * channels] for channel in range(channels)]
        squares += sum(sum(map(mul, part, part)) for part in parts)
        summed += sum(map(len, parts))
        if channels == 2 and not _same_halves(block):
            # By a sum that is exact: of whole numbers.
            both = sum(map(mul, *parts))
            differences += max(1, sum(sum(map(mul, part, part)) for part in parts) - 2 * both)
    if not size:
        return {}
    level = NOTHING
    if squares:
        level = max(NOTHING, 10 * math.log10(squares / summed / 32768**2))
    same = squares > 0 and differences * 10 ** (SAME / 10) <= squares
    return {
        "level": round(level, 2),
        "clipped": round(clipped / size, 6),
        "dual_mono": same if channels == 2 else None,
    }


def _same_halves(block: bytes) -> bool:
    """Whether two channels are the same to the bit. Most are not, as their beginning shows."""
    few = block[:4096]
    return all(each[0::4] == each[2::4] and each[1::4] == each[3::4] for each in (few, block))


def full_scale(block: bytes) -> int:
    """How many samples are as high, or as low, as 16 bits go."""
    high = block[1::2]
    # A byte is found fast; only where there is one, the other half of the sample is looked at.
    found = [top for top, byte in ((True, b"\x7f"), (False, b"\x80")) if byte in high]
    low = block[0::2] if found else b""
    return sum(
        (
            int.from_bytes(high.translate(_HIGH[top])) & int.from_bytes(low[: len(high)].translate(_LOW[top]))
        ).bit_count()
        for top in found
    )

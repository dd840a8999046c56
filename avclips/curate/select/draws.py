"""Random numbers that the compiled loop and its reference draw alike: SplitMix64 (Steele, Lea, Flood 2014)."""

from __future__ import annotations

GAMMA, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_MASK = (1 << 64) - 1


class Draws:
    """The same numbers as ``kernel.below``, in Python's own integers."""

    def __init__(self, seed: int) -> None:
        self.state = seed & _MASK

    def below(self, limit: int) -> int:
        """A whole number from 0 up, below ``limit``. Of 53 bits: what is uneven is under limit / 2**53."""
        self.state = (self.state + GAMMA) & _MASK
        mixed = ((self.state ^ (self.state >> 30)) * FIRST) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * SECOND) & _MASK
        mixed ^= mixed >> 31
        return int((mixed >> 11) * 2.0**-53 * limit)

"""What yt-dlp says, kept for tests."""

from __future__ import annotations


class Warnings:
    """A yt-dlp logger that keeps the warnings: the true cause of a 429 is nowhere else."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def debug(self, message: str) -> None: ...

    def warning(self, message: str) -> None:
        self.warnings.append(message)

    def error(self, message: str) -> None: ...

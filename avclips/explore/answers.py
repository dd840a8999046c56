"""How bytes are answered with: a part that a Range header asks for, nothing where a browser has them already.

RFC 9110: sections 13 (If-None-Match, If-Range) and 14 (Range).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from starlette.responses import FileResponse, Response, StreamingResponse

from ..core.errors import AvclipsError
from .media import Blob

log = logging.getLogger(__name__)

# One part; of several, all of it is sent, as may be done. More digits than a file can have bytes are no range.
_RANGE = re.compile(r"bytes=\s*([0-9]{0,30})-([0-9]{0,30})\s*", re.IGNORECASE)


def has_it(tag: str, asked: str | None) -> bool:
    """Whether an If-None-Match header names this tag."""
    if not tag or not asked:
        return False
    return asked.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in asked.split(","))


def part_of(size: int, asked: str | None) -> tuple[int, int] | None:
    """The bytes [begin, end) that a Range header asks for; None: all of them. (0, 0): there are none of these."""
    if not asked or (match := _RANGE.fullmatch(asked.strip())) is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if first and last and int(last) < int(first):
        # That is no range, and to be ignored.
        return None
    begin = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    return (begin, end) if begin < end else (0, 0)


def media(blob: Blob, method: str, asked: Mapping[str, str]) -> Response:
    """A clip's file, or what ``asked``, a request's headers, wants of it."""
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-cache"} | ({"ETag": blob.tag} if blob.tag else {})
    if has_it(blob.tag, asked.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    # A part of what was there before, put together with one of what is there now, would be neither.
    same = (condition := asked.get("if-range")) is None or (blob.tag != "" and condition.strip() == blob.tag)
    part = part_of(blob.size, asked.get("range")) if same else None
    begin, end = part or (0, blob.size)
    if part == (0, 0):
        return Response(status_code=416, headers={"Content-Range": f"bytes */{blob.size}"})
    if part:
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{blob.size}"
    headers["Content-Length"] = str(end - begin)
    status = 206 if part else 200
    if method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=blob.type)
    return StreamingResponse(_sent(blob, begin, end), status, headers, blob.type)


def _sent(blob: Blob, begin: int, end: int) -> Iterator[bytes]:
    at = begin
    try:
        for chunk in blob.read(begin, end):
            at += len(chunk)
            yield chunk
    except AvclipsError as error:
        log.warning("%s", error)
    if at < end:
        # It was written again, or taken away: the browser sees that the answer ends early.
        log.warning("%s ended at byte %d of %d while it was sent", blob.source.path, at, end)


def is_told(record: logging.LogRecord) -> bool:
    """Whether a line of the server's log says more than ``_sent`` said: a filter of uvicorn's log."""
    error = record.exc_info[1] if record.exc_info else None
    return error is None or not any("Content-Length" in str(each) for each in _single(error))


def _single(error: BaseException) -> Iterator[BaseException]:
    """The errors of a group, as older Starlettes raise them, one by one."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _single(each)
    else:
        yield error


def picture(path: Path, asked: Mapping[str, str]) -> Response:
    """A thumbnail. A browser asks each time: the same number may be another clip's, of another folder."""
    tag = f'"{path.stem}"'
    headers = {"Cache-Control": "no-cache", "ETag": tag}
    if has_it(tag, asked.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    return FileResponse(path, media_type="image/jpeg", headers=headers)

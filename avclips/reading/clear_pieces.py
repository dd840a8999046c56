"""The pieces of a stream without their encryption (AES-128 of HLS, RFC 8216, 4.3.2.4). Knows no media."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from Cryptodome.Cipher import AES

from ..containers.hls import Part
from ..core.errors import Transient
from ..sources.streams import Stream
from .byte_reader import ByteReader

# Bytes decrypted at once.
_BLOCK = 1 << 20
# Of a key: 128 bits, and nothing else.
_KEY = 16
_MAX_KEY = 4096


class ClearPieces:
    """The pieces of one stream, each fetched and decrypted once."""

    def __init__(self, reader: ByteReader, stream: Stream) -> None:
        self._reader = reader
        self._stream = stream
        self._keys: dict[str, bytes] = {}
        # Pieces that were encrypted.
        self._clear: dict[Part, Path] = {}

    def open(self, part: Part) -> Path:
        """A piece's bytes, without their encryption. Transient."""
        sealed = self._reader.part(self._stream, part)
        if part.key is None:
            return sealed
        if part not in self._clear:
            cipher = AES.new(self._key(part.key.url), AES.MODE_CBC, part.key.vector)
            path = self._reader.file("clear")
            with open(sealed, "rb") as source, open(path, "wb") as target:
                _decrypt(source, target, cipher)
            self._clear[part] = path
        return self._clear[part]

    def _key(self, url: str) -> bytes:
        if url not in self._keys:
            key = self._reader.fetched(
                replace(self._stream, url=url, protocol="https", size=None, pieces=None), _MAX_KEY
            )
            if len(key) != _KEY:
                raise Transient("formats", f"a key of {len(key)} bytes")
            self._keys[url] = key
        return self._keys[url]


def _decrypt(source: IO[bytes], target: IO[bytes], cipher: Any) -> None:
    """Write what is encrypted in ``source``, without what fills up its end."""
    size = os.fstat(source.fileno()).st_size
    if not size or size % AES.block_size:
        raise Transient("check", "an encrypted piece that was cut off")
    while block := source.read(_BLOCK):
        clear = cipher.decrypt(block)
        target.write(clear)
    if 1 <= clear[-1] <= AES.block_size:
        target.truncate(size - clear[-1])

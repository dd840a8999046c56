"""What others say, in one line; that no password is in it, tests/unit/test_secrets.py tries."""

from __future__ import annotations

import pytest

from avclips.core.redact import one_line


@pytest.mark.parametrize(
    ("error", "most", "said"),
    [
        (ValueError("one\n  two\tthree "), 300, "one two three"),
        (ValueError("x" * 20), 7, "xxxxxxx"),
        (KeyError(), 300, "KeyError"),
        (OSError("no http://user:secret@host/x"), 300, "no http://host/x"),
        # It is cut when the password is out.
        (OSError("no http://user:secret@host/x"), 14, "no http://host"),
    ],
)
def test_one_line(error: Exception, most: int, said: str) -> None:
    assert one_line(error, most) == said

"""docs/api.md is what the docstrings say, and has every name of ``avclips``."""

from __future__ import annotations

import avclips
from tools import api_docs


def test_the_page_is_up_to_date() -> None:
    assert api_docs.PAGE.read_text(encoding="utf-8") == api_docs.page(), "python -m tools.api_docs"


def test_every_name_is_on_it() -> None:
    assert api_docs.covered() == set(avclips.__all__) - {"__version__"}


def test_what_it_shows_of_a_name() -> None:
    text = api_docs.page()
    assert "    data_dir: Path | str | None = None,\n    progress: Watch | None = None,\n" in text
    # Comments of fields are kept, and a Literal's values said.
    assert '# Picture and sound, or the sound alone.\nmedia: Literal["both", "audio"] = "both"\n' in text
    assert "```python\nleft: int | None\n```\n\nClips that are neither done nor failed.\n" in text
    assert "``" not in text.replace("```", "")

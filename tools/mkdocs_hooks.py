"""What mkdocs does not do by itself: pages outside of docs/ are part of the site, and so is all that they link to.

SECURITY.md, findings/README.md and the like lie where GitHub and contributors look for them. A page that links to
one of them brings it into the site, under project/; links between pages are written anew accordingly. mkdocs.yml
names this file; mkdocs calls the functions by their names.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
# In place of README.md, which GitHub shows first, the site has a first page of its own.
_FIRST = {ROOT / "README.md": DOCS / "index.md"}
_LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(?=\))")
# The source of each file of the site that is not in docs/, by its address in the site.
_brought: dict[str, Path] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """In nav, a name with an asterisk stands for all pages of that name."""
    config.nav = _expanded(config.nav)
    return config


def _expanded(entry: object) -> object:
    if isinstance(entry, list):
        return [_expanded(each) for each in entry]
    if isinstance(entry, dict):
        return {title: _expanded(each) for title, each in entry.items()}
    if isinstance(entry, str) and "*" in entry:
        return sorted((path.name for path in DOCS.glob(entry)), key=lambda name: name.removesuffix(".md"))
    return entry


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Bring what the pages link to, and what those pages link to."""
    _brought.clear()
    pages = sorted(DOCS.glob("**/*.md"))
    while pages:
        page = pages.pop()
        for link in _LINK.finditer(page.read_text(encoding="utf-8")):
            target = _target(page, link[2])
            if target is None or target.is_relative_to(DOCS) or _address(target) in _brought:
                continue
            _brought[_address(target)] = target
            files.append(File.generated(config, _address(target), abs_src_path=str(target)))
            if target.suffix == ".md":
                pages.append(target)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Write links as they are in the site."""
    address = page.file.src_uri
    source = _brought.get(address, DOCS / address)

    def written(match: re.Match[str]) -> str:
        target = _target(source, match[2])
        if target is None:
            # Of a website, or of nothing: mkdocs says so.
            return match[0]
        place = posixpath.relpath(_address(target), posixpath.dirname(address) or ".")
        return f"{match[1]}{place}{match[3] or ''}"

    return _LINK.sub(written, markdown)


def _target(page: Path, link: str) -> Path | None:
    """The file that a link of a page leads to, if it is one of the project's."""
    target = Path(os.path.normpath(page.parent / link))
    if target.is_dir():
        target /= "README.md"
    target = _FIRST.get(target, target)
    return target if target.is_file() and target.is_relative_to(ROOT) else None


def _address(target: Path) -> str:
    if target.is_relative_to(DOCS):
        return target.relative_to(DOCS).as_posix()
    # A folder's README.md would be its first page, whose address has no name.
    return "project/" + target.relative_to(ROOT).as_posix().replace("/README.md", ".md")

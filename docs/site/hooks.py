"""What MkDocs is told of this repository: pages that lie outside docs/, a page for each algorithm, links to files."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

from mkdocs.structure.files import File, Files

from algorithms import registry
from algorithms.base import Algorithm

ROOT = Path(__file__).parents[2]
OUTSIDE = {"CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md", "CHANGELOG.md": "changelog.md"}
"""a page of the repository -> where the site has it"""
OUTSIDE_LINKS = "outside-links.txt"
"""in the site's folder: every address that its pages name. Nobody has asked whether they answer"""
_LINK = re.compile(r"(?P<image>!?)\[(?P<words>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<to>[^)\s]+)\)")
_FENCE_WORDS = re.compile(r"^( *```\w+) .*$", re.MULTILINE)
_ADDRESS = re.compile(r"https?://[^\s)>\"'`\]]+")
_FENCE = re.compile(r"(^ *```.*?^ *```\s*?$)", re.DOTALL | re.MULTILINE)


def on_config(config: Any) -> Any:
    """Below the table of all algorithms, a page for each."""
    (section,) = (part["Algorithms"] for part in config.nav if isinstance(part, dict) and "Algorithms" in part)
    section += [{registry.get(name).title: f"algorithms/{name}.md"} for name in registry.ALL]
    return config


def on_files(files: Files, config: Any) -> Files:
    """The pages that are not files of docs/."""
    for name, place in OUTSIDE.items():
        files.append(File.generated(config, place, content=(ROOT / name).read_text(encoding="utf-8")))
    for name in registry.ALL:
        files.append(File.generated(config, f"algorithms/{name}.md", content=_algorithm(name, registry.get(name))))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links to what the site has no page of become the path in the repository; those to pages from outside, theirs."""
    here = PurePosixPath(page.file.src_uri)
    origin = {place: name for name, place in OUTSIDE.items()}.get(here.as_posix())
    base = PurePosixPath(".") if origin else PurePosixPath("docs") / here.parent

    def turned(link: re.Match[str]) -> str:
        place, _, anchor = link["to"].partition("#")
        if not place or re.match(r"\w+:", link["to"]):
            return link[0]
        target = normpath((base / place).as_posix())
        inside = OUTSIDE.get(target) or (target.removeprefix("docs/") if target.startswith("docs/") else None)
        if inside and files.get_file_from_path(inside):
            to = relpath(inside, here.parent.as_posix())
            return f"{link['image']}[{link['words']}]({to}{'#' + anchor if anchor else ''})"
        # a file of the code: its path says where it is, in every copy of the repository
        return link["words"] if f"`{target}`" in link["words"] else f"{link['words']} (`{target}`)"

    # what a fence says behind its language is for the tests that run it
    parts = _FENCE.split(_FENCE_WORDS.sub(r"\1", markdown))
    return "".join(part if number % 2 else _LINK.sub(turned, part) for number, part in enumerate(parts))


def on_post_build(config: Any) -> None:
    """List the addresses of other hosts; internal links were checked by MkDocs."""
    pages = sorted((ROOT / "docs").rglob("*.md")) + [ROOT / name for name in OUTSIDE]
    found = {link for page in pages for link in _ADDRESS.findall(page.read_text(encoding="utf-8"))}
    Path(config.site_dir, OUTSIDE_LINKS).write_text("".join(f"{link}\n" for link in sorted(found)), encoding="utf-8")


def _algorithm(name: str, algorithm: Algorithm) -> str:
    """What `rence show NAME` prints, as a page."""
    return "\n".join(_lines(name, algorithm)) + "\n"


def _lines(name: str, algorithm: Algorithm) -> Iterator[str]:
    yield from (f"# {algorithm.title}", "", f"`{name}`: {algorithm.source}", "")
    yield from ("## What it does", "", "| | |", "|---|---|")
    yield from (f"| {_cell(key)} | {_cell(value)} |" for key, value in algorithm.spec().items())
    yield from ("", "## Equation, source and variants", "", '<div class="docstring" markdown>', "", "```text")
    yield from (*inspect.cleandoc(sys.modules[type(algorithm).__module__].__doc__ or "").splitlines(), "```", "</div>")


def _cell(words: object) -> str:
    return str(words).replace("|", "\\|")

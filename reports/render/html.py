"""One self-contained page: no external resource, a strict content-security policy, every text escaped.

Its style and its script are allowed by their hashes, so nothing else that might get into the page can act.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

import jinja2
from markupsafe import Markup, escape

from harness.records.foreign import visible
from reports.document import Block, Cell, Document, Figure
from reports.figures.svg import themed
from reports.render.markdown import COST_BEGIN, COST_END


def document(doc: Document) -> str:
    """The page: style, script and pictures are in it, and no other style or script may act there."""
    style, script = _file("page.css"), _file("page.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    return _template().render(
        doc=doc,
        policy=policy,
        style=Markup(style),
        script=Markup(script),
        cost_begin=Markup(COST_BEGIN),
        cost_end=Markup(COST_END),
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
    )
    environment.filters |= {
        "breakable": _breakable, "kind": _kind, "picture": _picture, "prose": _prose, "sortable": _sortable,
        "thousands": "{:,}".format,
    }  # fmt: skip
    return environment.from_string(_file("page.html.jinja"))


def _file(name: str) -> str:
    return resources.files("reports.render").joinpath(name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _finalize(value: object) -> object:
    """No character that cannot be seen reaches the page from a text: a NUL, an override of direction."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _breakable(words: str) -> Markup:
    """Long names may break after an underscore."""
    return Markup("_<wbr>").join(visible(words).split("_"))


def _prose(words: str) -> str:
    """No line ends between a number and its percent sign."""
    return words.replace(" %", "\u202f%")


def _picture(figure: Figure) -> Markup:
    """The SVG, which is ours and holds escaped text alone, with its caption for those who do not see it."""
    return Markup(themed(figure.svg).replace("<svg ", f'<svg aria-label="{escape(visible(figure.caption))}" ', 1))


def _kind(block: Block) -> str:
    return type(block).__name__


def _sortable(cell: Cell) -> str:
    return cell.text if cell.value is None else str(cell.value)

"""From a matplotlib figure to an SVG that can stand in a page: no style sheet, no random ids, no fixed font, and
colours that the page may replace (`themed`)."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from harness.records.foreign import visible

if TYPE_CHECKING:  # matplotlib is imported where something is drawn: `compare` needs the colours alone
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
HREF = "{http://www.w3.org/1999/xlink}href"
FONT = "system-ui, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"

INK, MUTED, RULE = "#1a1c20", "#6b7078", "#d8dade"
ARMS = ("#0b62a8", "#c2541b", "#2e7d4f", "#8a3ea3", "#a3782a", "#0f8a8a", "#b8336a", "#5b6bb5")
"""one for each arm in the plan's order, told apart by most colour-blind readers; from the ninth on arms share them"""
COLOURS = {INK: "ink", MUTED: "muted", RULE: "rule", **{colour: f"arm{i}" for i, colour in enumerate(ARMS)}}
"""colour -> the page's CSS variable"""

LETTER = 6
"""pixels that a letter of a label takes, about"""

SETTINGS = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelsize": 11,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "path.simplify": False,
}


def draw(name: str, width: float, height: float, plot: Callable[[Axes], None]) -> str:
    """SVG of one panel. Sizes are CSS pixels of the page; `name` keeps the ids of several figures apart."""
    with _drawing(name, width, height) as figure:
        axes = figure.subplots()
        axes.patch.set_visible(False)
        axes.spines["left"].set_visible(False)
        axes.set_axisbelow(True)
        plot(axes)
        return _svg(figure)


def draw_both(name: str, width: float, height: float, plot: Callable[[Figure], None]) -> tuple[str, bytes]:
    """SVG, and PNG at twice the size on white, of a picture of several panels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with _drawing(name, width, height) as figure:
        plot(figure)
        vector, raster = _svg(figure), io.BytesIO()
        figure.patch.set(visible=True, facecolor="white")
        figure.set_dpi(144)
        FigureCanvasAgg(figure).print_png(raster, metadata={"Software": None})
    return vector, raster.getvalue()


@contextmanager
def _drawing(name: str, width: float, height: float) -> Iterator[Figure]:
    import matplotlib
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = SETTINGS | {"svg.hashsalt": name}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # the reader's font draws them, not matplotlib's
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        figure.patch.set_visible(False)
        yield figure


def _svg(figure: Figure) -> str:
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    out = io.StringIO()
    FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _clean(out.getvalue())


def colour(place: int) -> str:
    """Of the arm at this place in the plan, from 0; from the ninth on colours repeat."""
    return ARMS[place % len(ARMS)]


def fit(label: str, width: float) -> str:
    """As much of a label as so many pixels have room for: its beginning, and more of its end, which tells arms apart.

    >>> fit("DAPO minus dynamic sampling", 17 * LETTER)
    'DAPO …ic sampling'
    """
    most = int(width / LETTER)
    head = most // 3
    return label if len(label) <= most else f"{label[:head]}…{label[len(label) - (most - head - 1) :]}"


def themed(svg: str) -> str:
    """The same picture with the page's colour variables and font, to be set inline."""
    for fixed, name in COLOURS.items():
        svg = svg.replace(f'"{fixed}"', f'"var(--{name})"')
    return svg.replace(f' font-family="{FONT}"', "").replace(f' xmlns="{SVG}"', "")


def _clean(text: str) -> str:
    ElementTree.register_namespace("", SVG)
    root = ElementTree.fromstring(visible(text))
    for style in root.findall(f"{{{SVG}}}defs/{{{SVG}}}style"):
        style.text = ""
    used = set(re.findall(r"#(\w+)", " ".join(v for e in root.iter() for v in e.attrib.values() if "#" in v)))
    for element in root.iter():
        _attributes(element, used)
    _drop_empty(root)
    root.attrib.pop("version", None)
    box = root.attrib["viewBox"].split()
    root.attrib |= {"width": box[2], "height": box[3], "font-family": FONT, "role": "img"}
    compact = re.sub(r"\s+", " ", ElementTree.tostring(root, encoding="unicode"))
    return re.sub(r"> <", ">\n<", re.sub(r'="[^"]*"', _rounded, compact)) + "\n"


def _attributes(element: ElementTree.Element, used: set[str]) -> None:
    """Style declarations become attributes, so that a page can forbid inline styles."""
    for declaration in element.attrib.pop("style", "").split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key and key != "font-family":
            element.set(key, value)
    if HREF in element.attrib:
        element.set("href", element.attrib.pop(HREF))
    if element.attrib.get("id") not in used:
        element.attrib.pop("id", None)
    if element.attrib.get("transform", "").startswith("rotate(-0"):
        del element.attrib["transform"]


def _drop_empty(parent: ElementTree.Element) -> None:
    for child in list(parent):
        _drop_empty(child)
        tag = child.tag.removeprefix(f"{{{SVG}}}")
        if tag in ("metadata", "style") or (tag in ("g", "defs") and not len(child)):
            parent.remove(child)


def _rounded(attribute: re.Match[str]) -> str:
    """Coordinates to two digits; what is written in the picture stays as it is."""
    return re.sub(r"\d+\.\d{3,}", _round, attribute[0])


def _round(match: re.Match[str]) -> str:
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".")

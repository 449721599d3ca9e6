"""The usual ways to write the same answer, brought to one. Pure functions of one string.

`tidy` removes what carries no meaning and keeps a text that a LaTeX parser reads; `canonical` goes on to a text that is
only to be compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

MOST_CHARACTERS = 2000
"""of an answer that is looked into; longer ones are compared as texts"""

Rewrite = tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]]

_SIGNS = str.maketrans(
    {
        "−": "-", "–": "-", "﹣": "-", "—": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ",
        "⁄": "/", "∕": "/",
        "÷": "/", "π": r"\pi ", "∞": r"\infty ", "≤": r"\le ", "≥": r"\ge ", "⩽": r"\le ", "⩾": r"\ge ", "≠": r"\ne ",
        "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "∉": r"\notin ", "∖": r"\setminus ", "±": r"\pm ", "∓": r"\mp ",
        "∅": r"\emptyset ", "ø": r"\emptyset ", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ",
        "δ": r"\delta ", "λ": r"\lambda ", "μ": r"\mu ", "µ": r"\mu ", "σ": r"\sigma ", "φ": r"\phi ", "ω": r"\omega ",
        "°": r"^\circ ", "º": r"^\circ ", "∠": r"\angle ", "△": r"\triangle ", "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}",
        "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}", "≈": r"\approx ", "∴": r"\therefore ", "→": r"\to ", "…": r"\ldots ",
        "∧": r"\land ", "∨": r"\lor ", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ",
        "⟨": r"\langle ", "⟩": r"\rangle ", "，": ", ", "、": ", ", "；": "; ", "：": ":", "（": "(", "）": ")",
        "’": "'", "‘": "'", "′": "'", "″": "''", "“": '"', "”": '"', "€": r"\euro ", "£": r"\pound ", "¥": r"\yen ",
        "₹": r"\rupee ", "。": ".",
    }
)  # fmt: skip
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_VULGAR = re.compile(r"[¼½¾⅐-⅞]")
_ROOT = re.compile(r"([√∛∜])\s*(?:\(([^()]*)\)|\{([^{}]*)\}|([0-9]+(?:\.[0-9]+)?|[A-Za-z]|\\pi))?")
_INDICES = {"√": "", "∛": "[3]", "∜": "[4]"}
_FONT = r"text(?:bf|it|rm|normal|sf|tt|up)?|math(?:rm|bf|it|sf)|mbox|textnormal|operatorname\*?|(?:bold|emph)symbol|bm"
_BARE_NAME = r"(?<![\\A-Za-z])"
"""before a word that is not a command"""


def _vulgar(found: re.Match[str]) -> str:
    above, _, below = unicodedata.normalize("NFKC", found.group()).partition("⁄")
    return rf"\frac{{{above}}}{{{below}}}"


def _root(found: re.Match[str]) -> str:
    inner = found[2] or found[3] or found[4]
    return rf"\sqrt{_INDICES[found[1]]}{{{inner}}}" if inner else r"\sqrt "


def _from_unicode(text: str) -> str:
    text = "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in text)
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ]+", lambda found: f"^{{{found.group().translate(_RAISED)}}}", text)
    text = re.sub("[₀-₉]+", lambda found: f"_{{{found.group().translate(_LOWERED)}}}", text)
    text = unicodedata.normalize("NFKC", _VULGAR.sub(_vulgar, text.translate(_SIGNS)))
    return _ROOT.sub(_root, text.translate(_SIGNS))


def _fraction(found: re.Match[str]) -> str:
    return rf"\frac{{{found[1] or found[2] or ''}}}{{{found[3] or found[4] or ''}}}"


def _matrix(found: re.Match[str]) -> str:
    rows = _BROKEN_ROW.sub(r"\\\\", found[1]).strip().removesuffix(r"\\").strip()
    return rf"\begin{{pmatrix}}{rows}\end{{pmatrix}}"


_COMMANDS = frozenset(
    f"{lead}{name}{end}"
    for name in ("sin", "cos", "tan", "cot", "sec", "csc")
    for lead in ("", "arc")
    for end in ("", "h")
) | {"log", "ln", "lg", "exp", "cis"}
_SPELT = {"arctg": "arctan", "arcctg": "arccot", "tg": "tan", "ctg": "cot", "sh": "sinh", "ch": "cosh", "th": "tanh"}
"""as other schools write them"""
_ONLY_LETTERS = re.compile(r"[A-Za-z ]*")
_UNIT = re.compile(r"[A-Za-z%]+(?:(?:[ ./]|\\cdot ?|\^\{?-?[0-9]\}?)+[A-Za-z]*)*")
_BARE = frozenset({"e", "i", "floor", "ceil", "sgn", "gcd", "lcm", "max"})


def _upright(found: re.Match[str]) -> str:
    """Set upright: a function, a constant, or a text."""
    name = found[1].strip()
    command = _SPELT.get(name, name[:1].lower() + name[1:])
    if command in _COMMANDS:
        return rf"\{command} "
    if name in _BARE:
        return f" {name}"
    if found[0].startswith(("\\math", "\\bold", "\\bm")):
        words = _UNIT if found[0].startswith("\\mathrm") else _ONLY_LETTERS
        if not words.fullmatch(name):
            return found[1]  # a formula in another font
    inner = _BRACED_POWER.sub(r"^\1", found[1])
    return inner if "{" in inner else rf"\text{{{inner}}}"


def _rows(found: re.Match[str]) -> str:
    """Aligned lines as a list."""
    rows = (row.replace("&", "").strip().rstrip(",;").strip() for row in re.split(r"\\\\(?:\[[^\]]*\])?", found[2]))
    return ", ".join(row for row in rows if row)


def _primes(found: re.Match[str]) -> str:
    return "'" * found.group().count("prime")


_BRACED_POWER = re.compile(r"\^\{(-?[0-9])\}")
_BROKEN_ROW = re.compile(r"(?<!\\)\\(?=[-+0-9.\s]|$)")
"""a row break that lost one of its two backslashes"""

LATEX: tuple[Rewrite, ...] = (
    # money, before dollar signs that only open and close formulas go
    ("\\$", re.compile(r"\\(?:text|mathrm|mbox) ?\{ ?(\\\$) ?\}"), r"\1"),
    ("$", re.compile(r"\\\$|^\$(?=-?\.?[0-9][^$]*$)"), r"\\dollar "),
    ("$", re.compile(r"^([^$]*[0-9])\s*\$$"), r"\\dollar \1"),
    ("euro", re.compile(r"\\(?:text)?euros?(?![A-Za-z])"), r"\\euro "),
    ("\\", re.compile(r"\\(?:text)?(?:sterling|pounds)(?![A-Za-z])"), r"\\pound "),
    ("$", re.compile(r"(?:\$|\\\))\s*([,;])\s*(?:\$|\\\()"), r"\1 "),
    # what is not seen, or only looks: sizes of brackets, narrow spaces, ends of formulas, dollar signs
    ("\\", re.compile(r"\\(?:left|right)\\?(?=[|.])\.?|\\(?:left|right|[bB]igg?[lrm]?|middle)(?![A-Za-z])"), ""),
    (
        "\\",
        re.compile(
            r"\\(?:display|text|script)style(?![A-Za-z])|\\(?:limits|boxed|hfill|strut|qed|blacksquare"
            r"|tiny|small|normalsize|large|Large|LARGE|huge|Huge)(?![A-Za-z])"
        ),
        "",
    ),
    ("phantom", re.compile(r"\\[hv]?phantom\s*\{[^{}]*\}"), " "),
    ("\\", re.compile(r"\\(?:tag\*?|hspace\*?|vspace\*?|label)\s*\{[^{}]*\}"), " "),
    ("align", re.compile(r"^\s*\\begin\{(align(?:ed)?\*?)\}(.*)\\end\{\1\}\s*$"), _rows),
    ("\\", re.compile(r"(?<=[0-9])\\[,;:>] ?(?=[0-9]{3})|(?<![A-Za-z])\\! ?|\\! ?(?![A-Za-z])|(?<!\\)\\[()\[\]]"), ""),
    ("", re.compile(r"[$`​‌‍‎‏⁦-⁩﻿]"), ""),
    ("\\", re.compile(r"(?<!\\)\\[ !,;:>]|\\q?quad(?![A-Za-z])"), " "),
    ("", re.compile(r"[~\s]+"), " "),
    ("**", re.compile(r"^ ?\*\*(.*\S) ?\*\*\.? ?$"), r"\1"),
    # one name for one thing
    ("{", re.compile(rf"\\(?:{_FONT})\s*\{{((?:[^{{}}]|\{{[^{{}}]*\}})*)\}}"), _upright),
    ("\\", re.compile(r"\\(?:underline|fbox|textcolor\s*\{[a-z]+\})\s*(?=\{)|\\color\s*\{[a-z]+\}"), ""),
    ("\\", re.compile(r"\\(?:rm|bf|it)(?![A-Za-z])\s*"), ""),
    ("_", re.compile(r"_\s*\{\s*\\text\{\s*([A-Za-z0-9]*)\s*\}\s*\}"), r"_{\1}"),
    ("_", re.compile(r"_\s*\\text\{\s*([A-Za-z0-9]*)\s*\}"), r"_{\1}"),
    (",", re.compile(r"\\text\{\s*,\s*(?:and)?\s*\}"), ", "),
    ("math", re.compile(r"\\(?:imath|jmath)(?![A-Za-z])"), " i"),
    ("_", re.compile(r"_\s*\{?\s*\\(odot|oplus|max|min|perp|parallel|ast|star)(?![A-Za-z])\s*\}?"), r"_{\1}"),
    ("frac", re.compile(r"\\(?:[dtcsx]|nice)frac(?![A-Za-z])"), r"\\frac"),
    ("frac", re.compile(r"\\frac\s*(?:\{([^{}]*)\}|([0-9a-zA-Z]))\s*(?:\{([^{}]*)\}|([0-9a-zA-Z]))"), _fraction),
    ("sqrt", re.compile(r"\\sqrt\s*([0-9a-zA-Z])"), r"\\sqrt{\1}"),
    ("\\leq", re.compile(r"\\leqs?lant|\\leq(?![A-Za-z])"), r"\\le "),
    ("\\geq", re.compile(r"\\geqs?lant|\\geq(?![A-Za-z])"), r"\\ge "),
    ("<=", re.compile(r"<="), r"\\le "),
    (">=", re.compile(r">="), r"\\ge "),
    ("!=", re.compile(r"!="), r"\\ne "),
    ("\\ne", re.compile(r"\\neq(?![A-Za-z])"), r"\\ne "),
    ("\\not", re.compile(r"\\not ?="), r"\\ne "),
    ("\\not", re.compile(r"\\not ?\\in(?![A-Za-z])"), r"\\notin "),
    ("\\lt", re.compile(r"\\lt(?![A-Za-z])"), "<"),
    ("\\gt", re.compile(r"\\gt(?![A-Za-z])"), ">"),
    ("\\", re.compile(r"\\varnothing|\\empty(?![A-Za-z])|\\O(?![A-Za-z])"), r"\\emptyset "),
    ("dots", re.compile(r"\\l?dots[cbmoi]?(?![A-Za-z])|\\cdots"), r"\\ldots "),
    ("...", re.compile(r"\.\.\."), r"\\ldots "),
    ("brace", re.compile(r"\\lbrace(?![A-Za-z])"), r"\{"),
    ("brace", re.compile(r"\\rbrace(?![A-Za-z])"), r"\}"),
    ("\\", re.compile(r"\\(?:vert|lvert|rvert|mid)(?![A-Za-z])"), "|"),
    ("{", re.compile(r" ?\{ ?([,:]) ?\} ?"), r"\1"),
    ("\\mathbb", re.compile(r"\\mathbb\s*([RZNQC])"), r"\\mathbb{\1}"),
    ("prime", re.compile(r"\^\{\s*((?:\\prime\s*)+)\}|\^\s*(\\prime)(?![A-Za-z])"), _primes),
    ("circ", re.compile(r"\^\s*(?:\\circ(?![A-Za-z])|\{\s*\\circ\s*\})\s*"), r"^\\circ "),
    ("colon", re.compile(r"\\colon(?![A-Za-z]) ?"), ":"),
    ("degree", re.compile(r"\s*\\(?:degrees?|textdegree)(?![A-Za-z])"), r"^\\circ "),
    ("%", re.compile(r"\\?%"), r"\\%"),
    ("\\mu", re.compile(r"\\mu ?\\text\{ ?(?=[a-zA-Z])"), r"\\text{u"),
    ("\\\\", re.compile(r"(?:\\\\ ?)+$"), ""),
    # what is written as in a program
    ("**", re.compile(r"\*\*"), "^"),
    ("10", re.compile(r"(?<=[0-9])\s*[xX*]\s*(?=10\s*\^)"), r"\\times "),
    ("\\", re.compile(r" ?(\\(?:times|cdot)(?![A-Za-z])) ?"), r"\1 "),
    ("inf", re.compile(_BARE_NAME + r"(?:infinity|infty|inf)(?![A-Za-z])"), r"\\infty "),
    ("oo", re.compile(_BARE_NAME + r"oo(?![A-Za-z])"), r"\\infty "),
    ("pi", re.compile(_BARE_NAME + r"pi(?![A-Za-z])"), r"\\pi "),
    ("sqrt", re.compile(_BARE_NAME + r"sqrt\s*\(([^()]*)\)"), r"\\sqrt{\1}"),
    (
        "",
        re.compile(_BARE_NAME + r"(a?(?:sin|cos|tan|cot)|sec|csc|log|ln|exp|arc(?:sin|cos|tan))(?=\s*[({\\])"),
        r"\\\1",
    ),
    (
        "array",
        re.compile(r"\\\{ ?\\begin\{array\} ?\{[lcr| ]*\}(.*?)\\end\{array\}(?: ?\\\})?"),
        r"\\begin{cases}\1\\end{cases}",
    ),
    # matrices
    ("\\begin", re.compile(r"\\begin\{(?:[bB]?matrix\*?|array\}\s*\{[lcr| ]*)\}"), r"\\begin{pmatrix}"),
    ("\\begin", re.compile(r"\\end\{(?:[bB]?matrix\*?|array)\}"), r"\\end{pmatrix}"),
    ("\\begin", re.compile(r"\\begin\{pmatrix\}((?:[^\\]|\\(?!begin|end))*)\\end\{pmatrix\}"), _matrix),
    ("\\begin", re.compile(r"[\[(]\s*(\\begin\{pmatrix\}(?:[^\\]|\\(?!begin|end))*\\end\{pmatrix\})\s*[\])]"), r"\1"),
)
"""what the text must hold for the rewrite to be tried, and the rewrite; in this order"""

_LEADING = re.compile(r"(?:\\(?:approx|therefore|implies|Rightarrow|sim)(?![A-Za-z])|=|~|≈|:|\s)+")
_TRAILING = " .,;:"
_ESCAPED_TWICE = re.compile(r"\\(?=\\[A-Za-z{}])")
_OVER = re.compile(r"\\over(?![A-Za-z])")


def tidy(text: str) -> str:
    """Without what carries no meaning: spacing, dollar signs, sizes of brackets, fonts; with one kind of fraction, of
    matrix and of sign. LaTeX still, with every upright text in `\\text{...}`."""
    text = " ".join(text.split())
    if text.isascii():
        if text.isalnum():
            return text
    else:
        text = _from_unicode(text)
    if r"\\" in text and r"\begin" not in text:
        text = _ESCAPED_TWICE.sub("", text)
    for held, pattern, new in LATEX:
        if held in text:
            text = pattern.sub(new, text)
    text = _without_over(text) if r"\over" in text else text
    leading = _LEADING.match(text)
    text = text[leading.end() :] if leading else text
    return text.strip().rstrip(_TRAILING)


def _without_over(text: str) -> str:
    """`{a \\over b}` as `\\frac{a}{b}`, also where nothing stands around it; at most a few."""
    for _ in range(8):
        found = _OVER.search(text)
        if not found:
            break
        start, end = _around(text, found.start(), found.end())
        inner = start + (start < len(text) and text[start] == "{")
        above, below = text[inner : found.start()].strip(), text[found.end() : end].strip()
        text = rf"{text[:start]}\frac{{{above}}}{{{below}}}{text[end + (inner > start) :]}"
    return text


def _around(text: str, left: int, right: int) -> tuple[int, int]:
    """Where the braces around a place open and close; the whole text if they do not."""
    depth, start, end = 0, 0, len(text)
    for start in range(left - 1, -1, -1):
        depth += (text[start] == "}") - (text[start] == "{")
        if depth < 0:
            break
    else:
        return 0, len(text)
    depth = 0
    for end in range(right, len(text)):
        depth += (text[end] == "{") - (text[end] == "}")
        if depth < 0:
            return start, end
    return 0, len(text)


_TEXT = re.compile(r"\\text\{\s*([^{}]*?)\s*\}")
_LOOSE_SPACE = re.compile(r" (?![0-9])|(?<![0-9]) ")
"""all but a space between two digits, which holds two numbers apart"""
_INDEX = re.compile(r"(?<=[_^])\{([0-9A-Za-z])\}")
"""x_{1} is x_1"""
_STRUCTURE = re.compile(r"[\\^_]")
"""where braces mean something"""
_NO_MONEY = re.compile(r"\\(?:dollar|euro|pound|yen|rupee) ")


def latex(text: str) -> str:
    """A tidy text as the parser of expressions gets it: without what was only set upright."""
    return " ".join(_TEXT.sub(r" \1 ", text).split()) if r"\text" in text else text.strip()


def without_money(text: str) -> str:
    """Without the signs of currencies, which are none of a formula."""
    return _NO_MONEY.sub("", text).strip()


def squeezed(text: str) -> str:
    """A tidy text without any layout, for comparing."""
    text = _LOOSE_SPACE.sub("", _TEXT.sub(r"\1", text)).replace(r"\times", r"\cdot").rstrip(".,")
    text = _INDEX.sub(r"\1", text)
    return text if _STRUCTURE.search(text) else text.replace("{", "").replace("}", "")


def canonical(text: str) -> str:
    """`tidy` without any layout. Of a long text, which is no answer that anybody wrote, only the blanks are gone."""
    if len(text) > MOST_CHARACTERS:
        return "".join(text.split())
    return squeezed(tidy(text))


canonical_gold = lru_cache(maxsize=65536)(canonical)

"""The usual ways to write the same answer, brought to one. Pure functions of one string.

`tidy` removes what carries no meaning and keeps a text that a LaTeX parser reads; `canonical` goes on to a text that is
only to be compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

MOST_CHARACTERS = 2000
"""of an answer that is looked into; the time that rewriting takes grows with the square of this"""

Rewrite = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

_SIGNS = str.maketrans(
    {
        "−": "-", "–": "-", "﹣": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "÷": "/", "π": r"\pi ",
        "∞": r"\infty ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ",
        "±": r"\pm ", "∅": r"\emptyset ", "θ": r"\theta ", "°": r"^\circ ", "，": ",", "（": "(", "）": ")",
        "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}", "’": "'", "′": "'",
    }
)  # fmt: skip
_FONT = r"text(?:bf|it|rm|normal|sf|tt)?|math(?:rm|bf|it|sf)|mbox|operatorname\*?"
_BARE_NAME = r"(?<![\\A-Za-z])"
"""before a word that is not a command"""


def _superscript(found: re.Match[str]) -> str:
    return f"^{{{found.group().translate(str.maketrans('⁰¹²³⁴⁵⁶⁷⁸⁹⁻', '0123456789-'))}}}"


def _fraction(found: re.Match[str]) -> str:
    return rf"\frac{{{found[1] or found[2] or ''}}}{{{found[3] or found[4] or ''}}}"


def _matrix(found: re.Match[str]) -> str:
    rows = _BROKEN_ROW.sub(r"\\\\", found[1]).strip().removesuffix(r"\\").strip()
    return rf"\begin{{pmatrix}}{rows}\end{{pmatrix}}"


_BROKEN_ROW = re.compile(r"(?<!\\)\\(?=[-+0-9.\s]|$)")
"""a row break that lost one of its two backslashes"""

LATEX: tuple[Rewrite, ...] = (
    # what is not seen, or only looks: sizes of brackets, narrow spaces, ends of formulas, dollar signs
    (re.compile(r"\\(?:left|right|[bB]igg?[lrm]?|displaystyle|textstyle|limits|phantom|boxed)(?![A-Za-z])\.?"), ""),
    (re.compile(r"\\!\s*|\\[,;:>]|\\?\$|\\[()\[\]]|[​‌‍‎‏⁦-⁩﻿]"), ""),
    (re.compile(r"\\ |~|\\q?quad(?![A-Za-z])| |\s+"), " "),
    # one name for one thing
    (re.compile(rf"\\(?:{_FONT})\s*\{{([^{{}}]*)\}}"), r"\\text{\1}"),
    (re.compile(r"\\text\{\s*([A-Za-z])\s*\}"), r"\1"),
    (re.compile(r"_\s*\{\s*\\text\{\s*([A-Za-z0-9]*)\s*\}\s*\}"), r"_{\1}"),
    (re.compile(r"_\s*\{?\s*\\(odot|oplus|max|min|perp|parallel|ast|star)(?![A-Za-z])\s*\}?"), r"_{\1}"),
    (re.compile(r"\\[dtc]frac(?![A-Za-z])"), r"\\frac"),
    (re.compile(r"\\frac\s*(?:\{([^{}]*)\}|([0-9a-zA-Z]))\s*(?:\{([^{}]*)\}|([0-9a-zA-Z]))"), _fraction),
    (re.compile(r"\\sqrt\s*([0-9a-zA-Z])"), r"\\sqrt{\1}"),
    (re.compile(r"\\leqs?lant|\\leq(?![A-Za-z])|(?<!\\)<="), r"\\le "),
    (re.compile(r"\\geqs?lant|\\geq(?![A-Za-z])|(?<!\\)>="), r"\\ge "),
    (re.compile(r"\\neq(?![A-Za-z])|!="), r"\\ne "),
    (re.compile(r"\\lt(?![A-Za-z])"), "<"),
    (re.compile(r"\\gt(?![A-Za-z])"), ">"),
    (re.compile(r"\\varnothing|\\empty(?![A-Za-z])"), r"\\emptyset "),
    (re.compile(r"\\l?dots[cbmoi]?(?![A-Za-z])|\\cdots|\.\.\."), r"\\ldots "),
    (re.compile(r"\\lbrace(?![A-Za-z])"), r"\{"),
    (re.compile(r"\\rbrace(?![A-Za-z])"), r"\}"),
    (re.compile(r"\{([,:])\}"), r"\1"),
    (re.compile(r"(?<=[0-9])\^\{?(?:\\prime\s*)+\}?$"), ""),  # minutes and seconds of arc
    (re.compile(r"\^\{\s*\\prime\s*\}|\^\s*\\prime(?![A-Za-z])"), "'"),
    # what is written as in a program
    (re.compile(r"\*\*"), "^"),
    (re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+"), _superscript),
    (re.compile(_BARE_NAME + r"(?:infinity|inf)(?![A-Za-z])"), r"\\infty "),
    (re.compile(_BARE_NAME + r"pi(?![A-Za-z])"), r"\\pi "),
    (re.compile(_BARE_NAME + r"sqrt\s*\(([^()]*)\)"), r"\\sqrt{\1}"),
    (re.compile(_BARE_NAME + r"(a?(?:sin|cos|tan|cot)|sec|csc|log|ln|exp|arc(?:sin|cos|tan))(?=\s*[({\\])"), r"\\\1"),
    # matrices
    (re.compile(r"\\begin\{(?:[bvBV]?matrix\*?|array\}\s*\{[lcr| ]*)\}"), r"\\begin{pmatrix}"),
    (re.compile(r"\\end\{(?:[bvBV]?matrix\*?|array)\}"), r"\\end{pmatrix}"),
    (re.compile(r"\\begin\{pmatrix\}((?:[^\\]|\\(?!begin|end))*)\\end\{pmatrix\}"), _matrix),
    (re.compile(r"[\[(]\s*(\\begin\{pmatrix\}(?:[^\\]|\\(?!begin|end))*\\end\{pmatrix\})\s*[\])]"), r"\1"),
)
"""in this order"""

_LEADING = re.compile(r"(?:\\approx|\\therefore|\\implies|\\Rightarrow|=|~|\s)+")
_ONLY_WORDS = re.compile(r"\\text\{([^{}]*)\}")
_POWER = r"(?:\s*\^\s*(?:\{-?[0-9]\}|[0-9]))?"
_UNIT = re.compile(
    rf"(?<=[0-9}}a-zA-Z)%])\s*(?:(?:\\text\{{[^{{}}]*\}}{_POWER}\s*)+"
    rf"|(?<=[0-9] )(?!(?:and|or|mod|pi|sin|cos|tan|log|ln|exp)\b)[A-Za-z]{{2,}}(?:[ /][A-Za-z]+){{0,3}}{_POWER})$"
)
"""the unit or noun after a value"""


def tidy(text: str) -> str:
    """Without what carries no meaning: spacing, dollar signs, sizes of brackets, fonts, a unit at the end; one kind of
    fraction, matrix and sign. LaTeX still."""
    text = " ".join(text.split())
    if text.isascii() and text.isalnum():
        return text
    text = text.translate(_SIGNS)
    for pattern, new in LATEX:
        text = pattern.sub(new, text)
    text = text.strip().rstrip(".,;:").strip()
    leading = _LEADING.match(text)
    text = text[leading.end() :] if leading else text
    words = _ONLY_WORDS.fullmatch(text)
    return words[1].strip() if words else _UNIT.sub("", text) or text


_DEGREES = re.compile(r"\^\s*(?:\\circ|\{\s*\\circ\s*\})(?:\s*[CF](?![A-Za-z]))?|\\degree(?![A-Za-z])")
_PERCENT = re.compile(r"\\?%")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+|(?: [0-9]{3})+)(?:\.[0-9]+)?")
_LIST_WORD = re.compile(
    r"\s*;\s*|,?\s*(?:(?:\\text)?\{\s*,?\s*(?:and|or)\s*\}|(?<![A-Za-z\\])(?:and|or)(?![A-Za-z]))\s*"
)
_LOOSE_SPACE = re.compile(r" (?![0-9])|(?<![0-9]) ")
"""all but a space between two digits, which holds two numbers apart"""
_INDEX = re.compile(r"(?<=[_^])\{([0-9A-Za-z])\}")
"""x_{1} is x_1"""
_STRUCTURE = re.compile(r"[\\^_]")
"""where braces mean something"""
_CHOICE = re.compile(r"\([A-Za-z]\)")
_ALPHABETIC = re.compile(r"[A-Za-z]{2,}(?:[ -][A-Za-z]+)*")


def canonical(text: str) -> str:
    """`tidy`, without any layout, percent or degree signs, thousands separators; words in lower case. Of a long text,
    which is no answer that anybody wrote, only the blanks are gone."""
    if len(text) > MOST_CHARACTERS:
        return "".join(text.split())
    text = _unsigned(text)
    return text.replace(",", "").replace(" ", "") if _THOUSANDS.fullmatch(text) else _squeezed(text)


def listed(text: str) -> str:
    """`canonical`, but every comma holds two items apart."""
    return _squeezed(_unsigned(text))


canonical_gold = lru_cache(maxsize=65536)(canonical)


def _unsigned(text: str) -> str:
    return _PERCENT.sub("", _DEGREES.sub("", tidy(text))).strip()


def _squeezed(text: str) -> str:
    text = _ONLY_WORDS.sub(r"\1", _LIST_WORD.sub(",", text))
    text = _LOOSE_SPACE.sub("", text).replace(r"\times", r"\cdot").rstrip(".,")
    text = _INDEX.sub(r"\1", text)
    if not _STRUCTURE.search(text):
        text = text.replace("{", "").replace("}", "")
    if _CHOICE.fullmatch(text):
        text = text[1:-1]
    return text.casefold() if _ALPHABETIC.fullmatch(text) else text

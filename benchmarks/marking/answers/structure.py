"""An answer's text as a small tree: what the text says, before anybody asks whether it is equal to another.

Nothing is left out that could make a difference: a name, a unit, a base, a kind of bracket stays in the tree, and
`comparison.py` says when it counts. Where a text can be read in two ways, `read` takes the likelier one, and
`readings` has the others too; only answers are read twice, golds never.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from benchmarks.marking.answers import lists, measures, options, ranges, relations, units
from benchmarks.marking.answers.canonical import latex, squeezed, tidy, without_money
from benchmarks.marking.answers.nodes import (
    Based,
    Binding,
    Bindings,
    Expression,
    Items,
    Matrix,
    Node,
    Number,
    Quantity,
    Reader,
    Words,
)
from benchmarks.marking.answers.numbers import plain
from benchmarks.marking.answers.phrases import (
    EMPTY,
    EXCEPT,
    REALS,
    YES_OR_NO,
    is_words,
    plain_words,
    spoken,
    without_lead,
)
from benchmarks.marking.answers.ranges import INFINITY, REAL_LINE
from benchmarks.marking.answers.splitting import Splitter, unwrapped

_DEEPEST = 6
"""brackets in brackets; deeper ones are left to the parser of expressions"""


def read(text: str, gold: bool = False) -> Node:
    """What a text says. A gold is trusted where an answer is not: with a noun that is on no list, for one.

    Raises: nothing, whatever the text holds.
    """
    number = plain(text.strip())
    return Number(text, number) if number else _Piece(gold)(without_lead(tidy(text)))


read_gold = lru_cache(maxsize=16384)(lambda text: read(text, gold=True))


def size(node: Node) -> int:
    """How many values a list, a set or a record has; 1 of anything else."""
    if isinstance(node, Binding):
        return size(node.value)
    if isinstance(node, Bindings):
        return len(node.values)
    return len(node.items) if isinstance(node, Items) and node.brackets in ("", "{}") else 1


_DECIMAL_COMMA = re.compile(r"([+-]?[0-9]+),([0-9]+)(?![0-9,])")
_CONTINENTAL = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+,[0-9]+(?![0-9,.])")
_LOG = re.compile(r"\\log(?![A-Za-z])(?! ?_)")
_LETTERS_BEHIND = re.compile(r"[0-9.]+[A-Za-z]{2,3}")
"""kT may be a unit, or two factors"""
_LETTER_UNIT = re.compile(r"(\S*[0-9}])( ?)([a-zA-Z](?:\^\{?[23]\}?)?(?:/[a-zA-Z](?:\^\{?[23]\}?)?)?)")


def readings(text: str, unit_wanted: bool = False, natural: bool = False) -> Iterator[Node]:
    """What an answer may say, the likeliest first: a comma parts thousands, items, or the digits of a decimal; a letter
    after a number is a factor, or a unit where it stands apart or a unit is wanted; a logarithm without a base is the
    common one, or the natural one where that is wanted."""
    number = plain(text.strip())
    if number:
        yield Number(text, number)
        return
    tidied = without_lead(tidy(text))
    first = _Piece(False)(tidied)
    yield first
    if isinstance(first, Quantity) and not unit_wanted and _LETTERS_BEHIND.fullmatch(tidied):
        yield Expression(latex(tidied))
    if "," in tidied:
        if _GROUPED.search(tidied):
            yield _Piece(False)(tidied.replace(",", ", "))
        comma = _DECIMAL_COMMA.match(tidied)
        if comma and comma[2].strip("0") and tidied.count(",") == 1 and not _GROUPED.search(tidied):
            yield _Piece(False)(f"{comma[1]}.{comma[2]}{tidied[comma.end() :]}")
        continental = _CONTINENTAL.match(tidied)
        if continental:
            yield _Piece(False)(tidied.replace(".", "").replace(",", "."))
    if natural and _LOG.search(tidied):
        yield _Piece(False)(_LOG.sub(r"\\ln", tidied))
    letter = _LETTER_UNIT.fullmatch(tidied)
    unit = letter and (letter[2] or unit_wanted) and units.parse(letter[3])
    if letter and unit:
        yield Quantity(latex(tidied), _Piece(False)(letter[1]), unit)


_GROUPED = re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9]|,\S)")
_BLANK_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?: [0-9]{3})+(?:\.[0-9]+)?")
_COMMA = re.compile(r",(?=\S)")


def _ungrouped(text: str) -> str:
    """Without the commas and blanks of regular thousands. Inside brackets, and beside other commas that stand as close,
    a comma holds two items apart."""
    if "," in text and not any(bracket in text for bracket in ("(", "[", "\\{")):
        changed = _GROUPED.sub(lambda found: found.group().replace(",", ""), text)
        text = text if _COMMA.search(changed) else changed
    return text.replace(" ", "") if " " in text and _BLANK_GROUPS.fullmatch(text) else text


_BASED = re.compile(
    r"(?:\\overline)?[({]?(?P<digits>[0-9][0-9A-F]{0,60}|[0-9A-F]{0,60}[0-9][0-9A-F]{0,60})[)}]?"
    r"_(?:\{\(?(?:base)?(?P<braced>[0-9]{1,2}|[a-z]+)\)?\}|(?P<bare>[0-9]))"
)
_BASES = " two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_BASE_WORDS = {word: base for base, word in enumerate(_BASES.split(" "), 1)} | {"bin": 2, "oct": 8, "hex": 16}
_SPOKEN_BASE = re.compile(r"([0-9A-F]+) ?(?:\\text\{)? ?\(?(?:in )?base[ -]?(?:\})? ?([0-9]{1,2}|[a-z]+)\)?\}?")
_MATRIX = re.compile(
    r"\\begin\{pmatrix\}((?:[^\\]|\\(?!begin|end))*)\\end\{pmatrix\}(?:\^\{?(?:T|\\top|\\intercal)\}?)?"
)
_BARRED = re.compile(r"\\begin\{vmatrix\}((?:[^\\]|\\(?!begin|end))*)\\end\{vmatrix\}")
_ROW, _CELL = re.compile(r"\\\\(?:\[[^\]]*\])?"), re.compile("&")
_NAME = re.compile(r"(?:\\(?:angle|triangle|overline|square|odot) ?\{?)?([A-Z]{3,}[0-9]*)\}?")
_cut_ratio = Splitter(":")
_TRANSPOSED = re.compile(r"(\(.*\)|\[.*\])\^\{?(?:T|\\top|\\intercal)\}?")
_STRAY = re.compile(r"([a-z]) ?(\([^()\[\]]*,[^()\[\]]*\]|\[[^()\[\]]*,[^()\[\]]*\))")
"""t(0,4]: half open, so neither a function of two arguments nor a product; its sign of membership was lost"""


class _Piece(NamedTuple):
    """Reads pieces of a text, each as deep in brackets as it says."""

    gold: bool
    depth: int = 0

    def __call__(self, piece: str) -> Node:
        text = piece.strip()
        number = plain(text)
        if number:
            return Number(text, number)
        if self.depth > _DEEPEST or not text:
            return Expression(latex(text))
        deeper = _Piece(self.gold, self.depth + 1)
        inner = unwrapped(text)
        if inner and inner[0] == "{" and inner[1]:
            return deeper(inner[1])
        text = _ungrouped(text) if self.depth == 0 else text
        for kind in _KINDS:
            node = kind(text, deeper)
            if node:
                return node
        return Expression(without_money(latex(text)))


def _number(text: str, read: Reader) -> Node | None:
    number = plain(text)
    return Number(text, number) if number else None


def _set_in_words(text: str, read: Reader) -> Node | None:
    words = plain_words(text) if text[0].isalpha() or text[0] == "\\" else ""
    if words in EMPTY or text.strip() in (r"\emptyset", r"\{\}", r"\{ \}"):
        return Items(latex(text), (), "{}")
    if text in (r"\infty", r"+\infty", r"+ \infty"):
        return INFINITY
    if words in REALS or text.strip() == r"\mathbb{R}":
        return REAL_LINE
    found = EXCEPT.match(text)
    if found:
        return ranges.outside(latex(text), REAL_LINE, read(re.sub(r"^\s*x\s*=\s*", "", found[1])))
    return None


def _matrix(text: str, read: Reader) -> Node | None:
    found = _MATRIX.fullmatch(text)
    if not found:
        return None
    rows = [row for row in _ROW.split(found[1]) if row.strip()]
    cells = tuple(tuple(read(cell) for cell in _CELL.split(row)) for row in rows)
    if text.endswith(r"\end{pmatrix}"):
        return Matrix(latex(text), cells)
    even = len({len(row) for row in cells}) == 1
    return Matrix(latex(text), tuple(zip(*cells, strict=True))) if even else None


def _determinant(text: str, read: Reader) -> Node | None:
    """The determinant of a matrix between bars, of two or three rows, written out."""
    found = _BARRED.fullmatch(text)
    rows = [_CELL.split(row) for row in _ROW.split(found[1]) if row.strip()] if found else []
    if not 2 <= len(rows) <= 3 or any(len(row) != len(rows) for row in rows):
        return None
    return read(_expanded(rows))


def _expanded(rows: list[list[str]]) -> str:
    """Along the first row."""
    if len(rows) == 1:
        return f"({latex(rows[0][0])})"
    minors = ([row[:place] + row[place + 1 :] for row in rows[1:]] for place in range(len(rows)))
    terms = [f"({latex(entry)})({_expanded(minor)})" for entry, minor in zip(rows[0], minors, strict=True)]
    return "".join(("-" if place % 2 else "+" if place else "") + term for place, term in enumerate(terms))


def _based(text: str, read: Reader) -> Node | None:
    found = _BASED.fullmatch(squeezed(text))
    spoken_base = None if found else _SPOKEN_BASE.fullmatch(text)
    digits = found["digits"] if found else spoken_base[1] if spoken_base else ""
    written = (found["braced"] or found["bare"]) if found else spoken_base[2] if spoken_base else ""
    base = int(written) if written.isdigit() else _BASE_WORDS.get(written, 0)
    if not 2 <= base <= 16 or any(int(digit, 16) >= base for digit in digits):
        return None
    return Based(latex(text), digits.lstrip("0") or "0", base)


def _words(text: str, read: Reader) -> Node | None:
    whole = latex(text)
    if whole.startswith(r"\begin{cases}"):
        return Expression(whole)  # with words between its values and their conditions
    name = _NAME.fullmatch(whole)
    if name and name[1].lower() not in YES_OR_NO:
        return Words(whole, name[1])
    only = re.fullmatch(r"\\text\{([^{}]*)\}", text)
    if only:
        inside = only[1].strip()
        node = read(without_lead(inside)) if inside else None
        if node and (not isinstance(node, Expression) or len(node.latex) == 1):
            return node
        return Words(whole, spoken(inside))
    return Words(whole, spoken(text)) if is_words(text) else None


def _ratio(text: str, read: Reader) -> Node | None:
    """A ratio, or a time of day."""
    split = _cut_ratio(text) if ":" in text else None
    if not split or not all(piece and relations.constant(piece) for piece in split.pieces):
        return None
    return Items(latex(text), tuple(read(piece) for piece in split.pieces), ":")


def _bracketed(text: str, read: Reader) -> Node | None:
    if r"\pm" in text and not text.startswith(r"\{"):
        return None  # of a tuple that has the sign, both
    transposed = _TRANSPOSED.fullmatch(text)
    if transposed:
        vector = read(transposed[1])
        return vector if isinstance(vector, Items) else None
    stray = _STRAY.fullmatch(text)
    if stray:
        return Binding(latex(text), stray[1], read(stray[2]))
    return ranges.bracketed(text, read)


_KINDS: tuple[Callable[[str, Reader], Node | None], ...] = (
    _number,
    options.read,
    _set_in_words,
    measures.mixed,
    lists.system,
    lists.qualified,
    lists.listed,
    relations.related,
    ranges.combined,
    _matrix,
    _determinant,
    _bracketed,
    lists.plus_minus,
    _based,
    measures.read,
    _ratio,
    _words,
)
"""the first that a text is; what binds loosest comes first"""

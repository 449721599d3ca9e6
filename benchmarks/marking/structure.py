"""An answer's text as a small tree: what the text says, before anybody asks whether it is equal to another.

Nothing is left out that could make a difference: a name, a unit, a base, a kind of bracket stays in the tree, and
`comparison.py` says when it counts. Where a text can be read in two ways, `read` takes the likelier one, and
`readings` has the others too; only answers are read twice, golds never.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from benchmarks.marking import ranges, relations, units
from benchmarks.marking.canonical import latex, squeezed, tidy, without_money
from benchmarks.marking.lists import grouped, listed
from benchmarks.marking.nodes import (
    Based,
    Choice,
    Complement,
    Expression,
    Given,
    Interval,
    Items,
    Matrix,
    Node,
    Number,
    Quantity,
    Words,
)
from benchmarks.marking.numbers import Plain, plain
from benchmarks.marking.phrases import EMPTY, EXCEPT, REALS, YES_OR_NO, plain_words, spoken, without_lead
from benchmarks.marking.ranges import INFINITY, REAL_LINE
from benchmarks.marking.splitting import Splitter, unwrapped

_DEEPEST = 6
"""brackets in brackets; deeper ones are left to the parser of expressions"""


def read(text: str, gold: bool = False) -> Node:
    """What a text says. A gold is trusted where an answer is not: with a noun that is on no list, for one.

    Raises: nothing, whatever the text holds.
    """
    number = plain(text.strip())
    return Number(text, number) if number else _Reader(gold).read(without_lead(tidy(text)))


read_gold = lru_cache(maxsize=16384)(lambda text: read(text, gold=True))

_DECIMAL_COMMA = re.compile(r"([+-]?[0-9]+),([0-9]+)(?![0-9,])")
_CONTINENTAL = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+,[0-9]+(?![0-9,.])")
_LETTER_UNIT = re.compile(r"(\S*[0-9}])( ?)([a-zA-Z](?:\^\{?[23]\}?)?(?:/[a-zA-Z](?:\^\{?[23]\}?)?)?)")


def readings(text: str, unit_wanted: bool = False) -> Iterator[Node]:
    """What an answer may say, the likeliest first: a comma parts thousands, items, or the digits of a decimal; a letter
    after a number is a factor, or a unit where it stands apart or a unit is wanted."""
    number = plain(text.strip())
    if number:
        yield Number(text, number)
        return
    tidied = without_lead(tidy(text))
    yield _Reader(False).read(tidied)
    if "," in tidied:
        if _GROUPED.search(tidied):
            yield _Reader(False).read(tidied.replace(",", ", "))
        comma = _DECIMAL_COMMA.match(tidied)
        if comma and tidied.count(",") == 1:
            yield _Reader(False).read(f"{comma[1]}.{comma[2]}{tidied[comma.end() :]}")
        continental = _CONTINENTAL.match(tidied)
        if continental:
            yield _Reader(False).read(tidied.replace(".", "").replace(",", "."))
    letter = _LETTER_UNIT.fullmatch(tidied)
    unit = letter and (letter[2] or unit_wanted) and units.parse(letter[3])
    if letter and unit:
        yield Quantity(latex(tidied), _Reader(False).read(letter[1]), unit)


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


_CHOICE_GOLD = re.compile(r"\(?([A-J])\)?")
_CHOICE = re.compile(
    r"(?:\\text\{)?\s*(?:(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ll]etter)\s*:?\s*)?"
    r"(?:\(\s*(?:\\text\{)?([A-J])\}?\s*\)|([A-J]))\s*\}?(?:$|(?:(?<=\))|[:.)]|\s-)(?:\s*(?P<option>\S.*)|$)\}?)",
    re.DOTALL,
)
_OTHER_CHOICE = re.compile(
    r"^\W*(?:or|and|not|but|nor)\b|^[,;/&]|\([A-J]\)|(?:^|\W)[A-J][).:]|^[A-J]$|\b(?:wrong|incorrect|false|rather|instead)\b"
)
"""in the text of an option: more than one choice, or one taken back"""
_LOWER_CHOICE = re.compile(r"\(?([a-e])\)")
_BASED = re.compile(
    r"\(?(?P<digits>[0-9][0-9A-F]{0,60}|[0-9A-F]{0,60}[0-9][0-9A-F]{0,60})\)?"
    r"_(?:\{\(?(?P<braced>[0-9]{1,2}|[a-z]+)\)?\}|(?P<bare>[0-9]))"
)
_BASE_WORDS = dict(zip("two three four five six seven eight nine ten eleven twelve".split(), range(2, 13), strict=True))
_BASE_WORDS |= {"sixteen": 16, "bin": 2, "oct": 8, "dec": 10, "hex": 16}
_SPOKEN_BASE = re.compile(r"([0-9A-F]+) ?(?:\\text\{)? ?\(?(?:in )?base[ -]?(?:\})? ?([0-9]{1,2}|[a-z]+)\)?\}?")
_QUALIFIER = re.compile(
    r"(?:\s*[,;]\s*|\s*\\text\{\s*[,;]?\s*|\s+|\s*\()(?:(?:where|for|with|for all|for any|for every|for some)\s*(?:\}\s*)?"
    r"|\\forall ?)?(?:\\text\{)?[a-z]\}?\s*(?:\\in ?(?P<set>\\mathbb\{[ZNRQ]\}(?:\^\{?[+*]\}?|_\{?[+*>0-9 ]+\}?)?)"
    r"|(?:\\text\{)?\s*(?:is|be|are|being) (?:an?|any)? ?(?P<words>(?:positive |non-?negative )?integers?|real numbers?|real))"
    r"\s*[.})]*$"
)
"""what follows a value to say which numbers its letter stands for"""
_DOMAINS = {
    "integer": r"\mathbb{Z}", "positive integer": r"\mathbb{Z}^+", "nonnegative integer": r"\mathbb{Z}_{\ge0}",
    "non-negative integer": r"\mathbb{Z}_{\ge0}", "real number": r"\mathbb{R}", "real": r"\mathbb{R}",
}  # fmt: skip
_SYSTEM = re.compile(r"\\begin\{(cases|aligned|gathered|array|align\*?)\}([^&]*?(?:&?=[^&]*?)+)\\end\{\1\}")
_MATRIX = re.compile(
    r"\\begin\{pmatrix\}((?:[^\\]|\\(?!begin|end))*)\\end\{pmatrix\}(?:\^\{?(?:T|\\top|\\intercal)\}?)?"
)
_ROW, _CELL = re.compile(r"\\\\(?:\[[^\]]*\])?"), re.compile("&")
_NAME = re.compile(r"(?:\\(?:angle|triangle|overline|square|odot) ?\{?)?([A-Z]{3,}[0-9]*)\}?")
_WORD = re.compile(r"(?<![\\A-Za-z_{])[A-Za-z]{2,}")
_FUNCTIONS = re.compile(
    r"(?:a?(?:sin|cos|tan|cot|sec|csc)|arc|log|ln|exp|max|min|gcd|lcm|mod|det|lim|sum|sqrt|floor|ceil|abs|binom|frac|deg)"
)
_NOT_ALONE = frozenset("per each is not no and or of to in at if by the an as it be we so but".split())
_SMALL_WORD = re.compile(r"(?:^| )(?:is|not|no|and|or|of|to|in|at|if|by|the|an|as|it|be|we|so|but)(?: |$)")
_PLUS_MINUS = re.compile(r"\\(pm|mp)(?![a-z]) ?")
_UNIT_START = re.compile(
    r"\s*(?:\\text ?\{|\^\\circ|\\%|''?|\"|\\cdot ?\\text|(?<![\\A-Za-z])(?:[A-Za-z]{2,}|[ap]\.m)|¢)"
)
_MONEY = re.compile(
    r"([+-]?) ?\\(dollar|euro|pound|yen|rupee) +(?=\S)([+-]?)|(?<=\S) ?\\(dollar|euro|pound|yen|rupee)$"
)
_MOST_OF_UNIT = 70
_AMOUNT = re.compile(r"[+-]?[0-9][0-9.]* *")
_MIXED_UNITS = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([^0-9]*?)(?:,? and |, )?\s*(?=[0-9]|$)")
_MOST_OF_MIXED = 80
_TEXT = re.compile(r"\\text\{([^{}]*)\}")
_cut_ratio = Splitter(":")


class _Reader:
    def __init__(self, gold: bool) -> None:
        self.gold = gold

    def read(self, text: str, depth: int = 0) -> Node:
        """The node of a tidy text."""
        text = text.strip()
        number = plain(text)
        if number:
            return Number(text, number)
        if depth > _DEEPEST or not text:
            return Expression(latex(text))
        inner = unwrapped(text)
        if inner and inner[0] == "{" and inner[1]:
            return self.read(inner[1], depth + 1)
        text = _ungrouped(text) if depth == 0 else text
        for kind in self._KINDS:
            node = kind(self, text, depth)
            if node:
                return node
        return Expression(without_money(latex(text)))

    def _number(self, text: str, depth: int) -> Node | None:
        number = plain(text)
        return Number(text, number) if number else None

    def _choice(self, text: str, depth: int) -> Node | None:
        if self.gold:
            found = _CHOICE_GOLD.fullmatch(squeezed(text))
            return Choice(latex(text), found[1]) if found else None
        found = _CHOICE.fullmatch(text)
        if found and not (found["option"] and _OTHER_CHOICE.search(found["option"])):
            option = found["option"]
            rest = self.read(without_lead(option.removesuffix("}") if option.count("{") < option.count("}") else option),
                             depth + 1) if option else None  # fmt: skip
            return Choice(latex(text), found[1] or found[2], rest)
        lower = _LOWER_CHOICE.fullmatch(squeezed(text))
        return Choice(latex(text), lower[1].upper()) if lower else None

    def _set_in_words(self, text: str, depth: int) -> Node | None:
        words = plain_words(text) if text[0].isalpha() or text[0] == "\\" else ""
        if words in EMPTY or text.strip() in (r"\emptyset", r"\{\}", r"\{ \}"):
            return Items(latex(text), (), "{}")
        if text in (r"\infty", r"+\infty", r"+ \infty"):
            return INFINITY
        if words in REALS or text.strip() == r"\mathbb{R}":
            return REAL_LINE
        found = EXCEPT.match(text)
        if found:
            points = self.read(re.sub(r"^\s*x\s*=\s*", "", found[1]), depth + 1)
            return Complement(latex(text), points.items if isinstance(points, Items) else (points,))
        return None

    def _qualified(self, text: str, depth: int) -> Node | None:
        found = _QUALIFIER.search(text) if r"\in" in text or "eger" in text or "real" in text else None
        if not found or not found.start():
            return None
        words = plain_words(found["words"] or "")
        domain = squeezed(found["set"]) if found["set"] else _DOMAINS[words.removesuffix("s")]
        return Given(latex(text), self.read(text[: found.start()], depth + 1), domain)

    def _system(self, text: str, depth: int) -> Node | None:
        """Equations one below the other."""
        found = _SYSTEM.fullmatch(text.removeprefix(r"\{").strip()) if r"\begin" in text else None
        return self.read(found[2].replace("&", "").replace(r"\\", "; "), depth + 1) if found else None

    def _list(self, text: str, depth: int) -> Node | None:
        return listed(text, lambda piece: self.read(piece, depth + 1))

    def _plus_minus(self, text: str, depth: int) -> Node | None:
        signs = [found[1] for found in _PLUS_MINUS.finditer(text)]
        if signs.count("pm") != 1:
            return None
        plus, minus = (
            _PLUS_MINUS.sub(lambda found, up=up: "+" if (found[1] == "pm") == up else "-", text) for up in (True, False)
        )
        values = [self.read(_unsigned(one), depth + 1) for one in (plus, minus)]
        return grouped(latex(text), values)

    def _relation(self, text: str, depth: int) -> Node | None:
        return relations.related(text, lambda piece: self.read(piece, depth + 1), self.gold)

    def _set(self, text: str, depth: int) -> Node | None:
        return ranges.combined(text, lambda piece: self.read(piece, depth + 1))

    def _bracketed(self, text: str, depth: int) -> Node | None:
        if r"\pm" in text and not text.startswith(r"\{"):
            return None  # of a tuple that has the sign, both
        return ranges.bracketed(text, lambda piece: self.read(piece, depth + 1))

    def _matrix(self, text: str, depth: int) -> Node | None:
        found = _MATRIX.fullmatch(text)
        if not found:
            return None
        rows = [row for row in _ROW.split(found[1]) if row.strip()]
        cells = tuple(tuple(self.read(cell, depth + 1) for cell in _CELL.split(row)) for row in rows)
        if text.endswith(r"\end{pmatrix}"):
            return Matrix(latex(text), cells)
        even = len({len(row) for row in cells}) == 1
        return Matrix(latex(text), tuple(zip(*cells, strict=True))) if even else None

    def _based(self, text: str, depth: int) -> Node | None:
        found = _BASED.fullmatch(squeezed(text))
        spoken_base = None if found else _SPOKEN_BASE.fullmatch(text)
        digits = found["digits"] if found else spoken_base[1] if spoken_base else ""
        written = (found["braced"] or found["bare"]) if found else spoken_base[2] if spoken_base else ""
        base = int(written) if written.isdigit() else _BASE_WORDS.get(written, 0)
        if not 2 <= base <= 16 or any(int(digit, 16) >= base for digit in digits):
            return None
        return Based(latex(text), digits.lstrip("0") or "0", base)

    def _quantity(self, text: str, depth: int) -> Node | None:
        if r"\dollar" in text or _MONEY.search(text):
            return self._money(text, depth)
        for start in _UNIT_START.finditer(text, max(1, len(text) - _MOST_OF_UNIT)):
            head, tail = text[: start.start()], text[start.start() :]
            if head.count("{") != head.count("}"):
                continue
            unit = units.parse(tail.strip()) or self._unlisted(tail)
            if unit:
                return self._measured(text, head, unit, depth)
        return None

    def _money(self, text: str, depth: int) -> Node | None:
        """A sign of money on either side; `$5 million`, `$5 per hour`, `$5 USD` have more behind it."""
        found = _MONEY.search(text)
        if not found:
            return None
        currency = found[2] or found[4]
        rest = text[: found.start()] + (found[1] or "") + (found[3] or "") + text[found.end() :]
        if _MONEY.search(rest):
            return None
        value = self.read(rest, depth + 1)
        unit = units.parse(currency)
        amount = _AMOUNT.match(rest)
        if isinstance(value, Quantity) and unit and value.unit.dimensions == unit.dimensions:
            return value
        if isinstance(value, Words) and amount:
            unit = units.parse(f"{currency} {rest[amount.end() :]}")
            value = self.read(amount.group(), depth + 1)
        plainly = not isinstance(value, Words | Quantity | Choice)
        return Quantity(latex(text), value, unit) if unit and plainly else None

    def _measured(self, text: str, head: str, unit: units.Unit, depth: int) -> Node | None:
        if len(head) > 1 and head.isalpha():
            return None
        value = self.read(head, depth + 1)
        if isinstance(value, Words | Choice):
            return None
        if unit.multiple != 1:
            value = scaled(value, unit.multiple)
        return Quantity(latex(text), value, unit) if unit.dimensions else value

    def _unlisted(self, tail: str) -> units.Unit | None:
        """A gold's noun that no list has."""
        found = re.fullmatch(r"\s*\\text\{\s*([a-z]+(?: [a-z]+){0,2})[ .]*\}", tail) if self.gold else None
        return units.named(found[1]) if found and not set(found[1].split()) & _NOT_ALONE else None

    def _mixed_units(self, text: str, depth: int) -> Node | None:
        """`5 ft 6 in`, `2 hours and 30 minutes`, `5^\\circ 30'`."""
        if not text[0].isdigit() or text[-1].isdigit() or len(text) > _MOST_OF_MIXED:
            return None
        parts = _MIXED_UNITS.findall(_TEXT.sub(r"\1", text))
        if not 2 <= len(parts) <= 3 or not all(unit for _, unit in parts):
            return None
        parsed = [units.parse(unit.strip()) for _, unit in parts]
        first = parsed[0]
        if first is None or any(one is None or one.dimensions != first.dimensions for one in parsed):
            return None
        total, last = Fraction(0), None
        for (count, _), unit in zip(parts, parsed, strict=True):
            if unit is None or (last is not None and unit.factor >= last):
                return None
            total, last = total + Fraction(count) * unit.factor, unit.factor
        return Quantity(latex(text), _fraction(total / first.factor), first)

    def _words(self, text: str, depth: int) -> Node | None:
        whole = latex(text)
        name = _NAME.fullmatch(whole)
        if name and spoken(name[1]) not in YES_OR_NO:
            return Words(whole, name[1])
        only = re.fullmatch(r"\\text\{([^{}]*)\}", text)
        if only:
            inside = only[1].strip()
            node = self.read(without_lead(inside), depth + 1) if inside else None
            if node and (not isinstance(node, Expression) or len(node.latex) == 1):
                return node
            return Words(whole, spoken(inside))
        return Words(whole, spoken(text)) if _is_words(text) else None

    def _ratio(self, text: str, depth: int) -> Node | None:
        """A ratio, or a time of day."""
        split = _cut_ratio(text) if ":" in text else None
        if not split or not all(piece and relations.constant(piece) for piece in split.pieces):
            return None
        return Items(latex(text), tuple(self.read(piece, depth + 1) for piece in split.pieces), ":")

    _KINDS = (
        _number,
        _choice,
        _set_in_words,
        _mixed_units,
        _system,
        _qualified,
        _list,
        _relation,
        _set,
        _matrix,
        _bracketed,
        _plus_minus,
        _based,
        _quantity,
        _ratio,
        _words,
    )


def _unsigned(text: str) -> str:
    """Without a plus sign that stands first."""
    return text.strip().removeprefix("+").strip()


def _is_words(text: str) -> bool:
    """Whether a word of a language is among the letters."""
    if r"\text{" in text or _SMALL_WORD.search(text):
        return True
    for found in _WORD.finditer(text):
        word = found.group()
        if word.lower() in YES_OR_NO:
            return True
        if len(word) >= 4 and any(vowel in word.lower() for vowel in "aeiou") and not _FUNCTIONS.match(word):
            return not word.isupper()
    return False


def _fraction(value: Fraction) -> Number:
    written = str(value.numerator) if value.denominator == 1 else rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    return Number(written, Plain(value, False))


def scaled(node: Node, factor: Fraction) -> Node:
    """A value so many times."""
    if factor == 1:
        return node
    if isinstance(node, Number):
        half = None if node.plain.half is None else node.plain.half * factor
        made = _fraction(node.plain.value * factor)
        return replace(made, plain=Plain(made.plain.value, node.plain.rounded, half))
    if isinstance(node, Expression):
        return Expression(rf"\frac{{{factor.numerator}}}{{{factor.denominator}}}({node.latex})")
    if isinstance(node, Items):
        return replace(node, items=tuple(scaled(one, factor) for one in node.items))
    if isinstance(node, Interval):
        return replace(node, low=scaled(node.low, factor), high=scaled(node.high, factor))
    return node


def integer(value: int) -> Number:
    """A node of an integer."""
    return _fraction(Fraction(value))


def in_degrees(value: Node, unit: units.Unit) -> Node:
    """An angle of either unit."""
    if unit.dimensions == (("radian", 1),):
        return Expression(rf"\frac{{180}}{{\pi}}({value.latex})")
    return scaled(value, unit.factor)

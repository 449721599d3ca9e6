"""Units as answers write them: read word by word against a closed list, and compared."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from benchmarks.marking.answers.unit_table import AFTER, BEFORE, MULTIPLIERS, NOUNS, OVERALL, TABLE, Unit

_WORD = re.compile(
    r"\s*(?:(?P<power>\^\{?(?P<exponent>-?[0-9])\}?)|(?P<over>/|\bper\b|\ban?\b|\bfor each\b|\bevery\b)"
    r"|(?P<dot>\\cdot ?|\\times ?|\*|-)|(?P<degrees>\^\\circ *(?P<scale>[CF]\b)?)|(?P<seconds>''|\")|(?P<minute>')"
    r"|\\?(?P<word>%|¢|[A-Za-z]\.[A-Za-z]\.|[A-Za-z][A-Za-z.]*))"
)
_DIMENSION_WORDS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_POWER_WORDS = {"squared": 2, "cubed": 3}
_MOST_CHARACTERS = 60
_TEXT = re.compile(r"\\text ?\{([^{}]*)\}")


@lru_cache(maxsize=4096)
def parse(text: str) -> Unit | None:
    """The unit that the whole of a text names, such as `\\text{ cm}^2`, `miles per hour`, `^\\circ`, `integers`; None
    if a word of it is none that we know."""
    if len(text) > _MOST_CHARACTERS:
        return None
    words = _TEXT.sub(r" \1 ", text).strip()
    words = words.removeprefix("in ") if words in ("in total", "in all") else words
    words = re.sub(r"\s+of(?: [a-z]+){1,2}$", "", words)
    reader = _Reader()
    place = 0
    while place < len(words):
        found = _WORD.match(words, place)
        if not found or not reader.take(found):
            return None
        place = found.end()
    return reader.unit(" ".join(words.replace("\\", "").split()))


class _Reader:
    """Takes a text's words one after the other."""

    def __init__(self) -> None:
        self.dimensions: dict[str, int] = {}
        self.factor = self.multiple = Fraction(1)
        self.sign, self.next_power, self.known = 1, 1, False
        self.last: Unit | None = None
        self.noun = ""

    def take(self, found: re.Match[str]) -> bool:
        """Whether the word has its place there."""
        if found["power"]:
            return self._raise(int(found["exponent"]))
        if found["over"]:
            self.sign, self.noun = -1, ""
            return self.known
        if found["dot"]:
            return self.known
        if found["degrees"]:
            return self._multiply(TABLE["deg" + found["scale"] if found["scale"] else "degree"])
        if found["seconds"] or found["minute"]:
            return self._multiply(TABLE["arcsecond" if found["seconds"] else "arcminute"])
        return self._word(found["word"])

    def _word(self, written: str) -> bool:
        """Take the next word in; False if it can be none of a unit."""
        word = written if written.count(".") > 1 else written.rstrip(".")
        lower = word.lower().replace(".", "")
        if lower in _DIMENSION_WORDS:
            self.next_power = _DIMENSION_WORDS[lower]
            return True
        if lower in _POWER_WORDS:
            return self._raise(_POWER_WORDS[lower])
        if lower in OVERALL:
            self.known = True
            return True
        if lower in MULTIPLIERS and not self.dimensions:
            self.multiple, self.known = self.multiple * MULTIPLIERS[lower], True
            return True
        unit = _known(word)
        if unit:
            return self._multiply(unit)
        noun = _singular(lower, NOUNS)
        if noun:
            self._drop_noun()  # of "ordered pairs" and "integer solutions" the last counts
            self.dimensions[noun] = self.dimensions.get(noun, 0) + self.sign
            self.noun, self.known = noun, True
            return True
        return lower in BEFORE or (self.known and lower in AFTER)

    def _drop_noun(self) -> None:
        if self.noun:
            self.dimensions.pop(self.noun, None)

    def _multiply(self, unit: Unit) -> bool:
        power = self.sign * self.next_power
        for name, exponent in unit.dimensions:
            self.dimensions[name] = self.dimensions.get(name, 0) + exponent * power
        self.factor *= unit.factor**power
        self.last, self.noun, self.known = Unit(unit.factor, unit.dimensions, ""), "", True
        self.next_power = 1
        return True

    def _raise(self, exponent: int) -> bool:
        if self.last is None or not -4 <= exponent <= 4 or exponent == 0:
            return False
        self.next_power, last = exponent - 1, self.last
        if self.next_power:
            self._multiply(last)
        self.last, self.next_power = None, 1
        return True

    def unit(self, text: str) -> Unit | None:
        """None if no unit was among the words."""
        if not self.known or self.next_power != 1:
            return None
        dimensions = tuple(sorted((name, power) for name, power in self.dimensions.items() if power))
        return Unit(self.factor, dimensions, text, self.multiple)


def _known(word: str) -> Unit | None:
    short = word.replace(".", "")
    if short in TABLE:
        return TABLE[short]
    lower = short.lower()
    if len(lower) < 2:
        return None
    name = _singular(lower, TABLE.keys())
    return TABLE[name] if name and (len(name) > 2 or name == short[:2].lower() or lower in TABLE) else None


def _singular(word: str, names: object) -> str | None:
    """The name in the list that a word is, or is the plural of."""
    for name in (word, word[:-1], word[:-2], word[:-3] + "y") if word.endswith("s") else (word,):
        if name in names:  # type: ignore[operator]
            return name
    return None


def named(words: str) -> Unit:
    """A noun that is not on our list, by its last word."""
    last = words.lower().split()[-1].rstrip(".s")
    return Unit(Fraction(1), ((last, 1),), words)


_LOOSE = {"pounds": {"pound", "kg"}, "degree": {"degC", "degF"}}
"""words of two meanings, and the units that they may be"""


def ratio(answer: Unit, gold: Unit) -> Fraction | None:
    """How many of the gold's unit the answer's is; None if they measure different things."""
    if answer.dimensions == gold.dimensions:
        return answer.factor / gold.factor
    if answer.plain and not gold.plain:
        return Fraction(1)  # `5 units` says no more than 5
    for one, other in ((answer, gold), (gold, answer)):
        loose = _LOOSE.get(one.dimensions[0][0], ())
        if len(one.dimensions) == len(other.dimensions) == 1 and other.dimensions[0][0] in loose:
            return Fraction(1)
    return None

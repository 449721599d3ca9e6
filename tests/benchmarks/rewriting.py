"""Other ways to write the same answer, by rules that keep the value by construction.

`forms(gold)` gives every rewriting that a rule makes of a gold: of a list, point, set or interval, of its parts; of
`f(x) = ...`, of what stands right of the sign; of an expression E at least 2E/2. No rule looks at a marker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction

Rule = Callable[[str], str | None]

OPEN, CLOSE = ("(", "[", "{", "\\{"), (")", "]", "}", "\\}")
_PIECE = re.compile(r"\\begin\{[a-z]+\}.*?\\end\{[a-z]+\}|\\[A-Za-z]+|\\.|.", re.DOTALL)
_PLAIN = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_SCIENTIFIC = re.compile(r"(-?[0-9.]+) \\times 10\^\{(-?[0-9]+)\}")
_WORDS = re.compile(r"\\text\{\(?([A-Za-z]+)\)?\}")
_BASE = re.compile(r"([0-9]+)_\{?([0-9])\}?")
_DEGREES = re.compile(r"([0-9.]+)\^\{?\\circ\}?")
_UNIT = re.compile(r"(.*[0-9}])\s*\\(?:text|mbox)\{\s*([a-z]+)\s*\}(\^[0-9])?")
_WHOLE = re.compile(r"-?[0-9]+")
_MIXED = re.compile(r"([0-9]+)\s*\\frac\{([0-9]+)\}\{([0-9]+)\}")
_NAMED = re.compile(r"(?:[A-Za-z]\([a-z]\)|[A-Za-z](?:_\{[a-z\\ ]+\})?)\s*=|\\angle [A-Z](?: ?[A-Z](?:_\{1\})?)*=")
_MATRIX = re.compile(r"(\\begin\{pmatrix\})(.*)(\\end\{pmatrix\})")
_AT_LEAST = re.compile(r"([a-z]) \\geqslant ([0-9]+)")
_RANGE = re.compile(r"([(\[])(.*)([)\]])", re.DOTALL)


def numeric(gold: str) -> bool:
    """A plain number, as most golds are."""
    return bool(_WHOLE.fullmatch(gold) or re.fullmatch(r"-?[0-9]+\.[0-9]+", gold))


def split(text: str, *signs: str) -> list[str]:
    """The parts between signs that stand outside all brackets; the signs stay in front of their parts, a comma goes."""
    text = re.sub(r"\\(?:left|right)(?![A-Za-z])", "", text)
    parts, depth = [""], 0
    for piece in _PIECE.findall(text):
        depth -= piece in CLOSE
        if depth == 0 and piece in signs and (piece == "," or parts[-1].strip()):
            parts.append("" if piece == "," else piece)
        else:
            parts[-1] += piece
        depth += piece in OPEN
    return [part.strip() for part in parts]


def forms(gold: str, interval: bool = False) -> list[str]:
    """All rewritings of a gold that is no plain number, each other than the gold; empty where no rule reads it.

    Args:
        interval: whether round brackets hold an interval, not a point.
    """
    if "where" in gold:  # a sentence
        return []
    plain = gold.removeprefix("\\quad").strip()
    return [form for form in dict.fromkeys(_forms(plain, interval)) if form != gold]


def _forms(gold: str, interval: bool) -> Iterator[str]:
    special = _special(gold)
    if special:
        yield from special
        return
    if found := _AT_LEAST.fullmatch(gold):
        yield from (f"{found[2]} \\le {found[1]}", f"{found[1]} \\ge {found[2]}")
        return
    if len(union := split(gold, "\\cup")) > 1 and any("\\{" in part for part in union):
        yield " \\cup ".join(part.removeprefix("\\cup").strip() for part in reversed(union))
        return
    parts = split(gold, ",")
    ranges = _ranges(gold, interval)
    if ranges:
        yield from ranges
    elif len(parts) > 1 and all(parts):
        yield from _part_by_part(parts, "{}", interval)
    elif matrix := _MATRIX.fullmatch(gold):
        rows = [[cell.strip() for cell in row.split("&")] for row in matrix[2].split("\\\\")]
        first, *rest = rows[0]
        for form in _of_part(first, False):
            row = " & ".join([form, *rest])
            yield matrix[1] + " \\\\ ".join([row, *(" & ".join(row) for row in rows[1:])]) + matrix[3]
    elif inside := _inside(gold):
        left, right, items = inside
        yield from _part_by_part(items, f"{left}{{}}{right}", False)
        if left == "\\{":
            yield f"{left}{', '.join(reversed(items))}{right}"
    elif (named := _NAMED.match(gold)) or "=" in gold:
        yield from _equation(gold, named)
    else:
        yield from _expression(gold)


def _special(gold: str) -> list[str]:
    """Of what is no expression: words, units, bases, degrees, powers of ten, groups of digits."""
    if found := _WORDS.fullmatch(gold):
        word = found[1]
        return [word] if len(word) == 1 else [word.upper(), f"\\textbf{{{word.lower()}}}", word]
    if found := _BASE.fullmatch(gold):
        return [f"({found[1]})_{{{found[2]}}}", f"{found[1]}_{{\\text{{{found[2]}}}}}"]
    if found := _DEGREES.fullmatch(gold):
        return [f"{found[1]}\\text{{ degrees}}", f"{found[1]}°"]
    if found := _SCIENTIFIC.fullmatch(gold):
        return list(_powers_of_ten(found[1], int(found[2])))
    if _THOUSANDS.fullmatch(gold):
        return [gold.replace(",", ""), gold.replace(",", "{,}")]
    if found := _UNIT.fullmatch(gold):
        form = next(iter(_of_part(found[1], False)))
        return [f"{form} \\mathrm{{\\, {found[2]}}}{found[3] or ''}"]
    if _PLAIN.fullmatch(gold):
        return [_fraction(gold)]
    return []


def _powers_of_ten(digits: str, power: int) -> Iterator[str]:
    yield f"{digits} \\cdot 10^{{{power}}}"
    yield f"{digits}\\times10^{power}" if 0 <= power < 10 else f"{digits}e{power}"
    value = Fraction(digits)
    if abs(power) <= 12:
        yield _decimal(value * Fraction(10) ** power)
    yield f"{_decimal(value * 10)} \\times 10^{{{power - 1}}}"


def _decimal(value: Fraction) -> str:
    """Exact: only powers of ten are divided by."""
    places = 0
    while (value * 10**places).denominator > 1:
        places += 1
    digits = str(abs(int(value * 10**places))).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def _fraction(number: str) -> str:
    value = Fraction(number)
    return f"\\frac{{{2 * value.numerator}}}{{{2 * value.denominator}}}"


def _ranges(gold: str, interval: bool) -> list[str]:
    """Of an interval, or of a union of them: the inequality, and other ends."""
    name, _, rest = gold.rpartition("\\in") if "\\in " in gold else ("x", "", gold)
    found = [_RANGE.fullmatch(part.removeprefix("\\cup").strip()) for part in split(rest, "\\cup")]
    sure = interval or "\\cup" in gold or "\\in " in gold or "\\infty" in gold
    if not all(found) or not (sure or any(one and (one[1], one[3]) != ("(", ")") for one in found)):
        return []
    said, moved = [], []
    for one in found:
        if one is None or len(ends := split(one[2], ",")) != 2:
            return []
        said.append(_inequality(one[1], ends[0], name.strip(), ends[1], one[3]))
        other = [end if "\\infty" in end else next(iter(_of_part(end, False))) for end in ends]
        moved.append(f"{one[1]}{other[0]},{other[1]}{one[3]}")
    forms = [" \\cup ".join(moved)]
    return [*forms, said[0]] if len(said) == 1 else [*forms, " \\text{ or } ".join(said)]


def _inequality(left: str, low: str, name: str, high: str, right: str) -> str:
    lower = "" if low.endswith("\\infty") else f"{low} {'<' if left == '(' else chr(92) + 'le'} "
    upper = "" if high.endswith("\\infty") else f" {'<' if right == ')' else chr(92) + 'le'} {high}"
    return f"{lower}{name}{upper}"


def _inside(gold: str) -> tuple[str, str, list[str]] | None:
    """Brackets around the whole, and what they hold, if that is a list."""
    for left, right in zip(OPEN, CLOSE, strict=True):
        if gold.startswith(left) and gold.endswith(right) and len(split(gold, "+", "-")) == 1:
            items = split(gold[len(left) : -len(right)], ",")
            return (left, right, items) if len(items) > 1 else None
    plain = re.sub(r"\\(?:left|right)(?![A-Za-z])\s*", "", gold)
    return _inside(plain.strip()) if plain != gold else None


def _part_by_part(parts: list[str], around: str, interval: bool) -> Iterator[str]:
    """The first part that has other forms in each of them, the others as they are."""
    for place, part in enumerate(parts):
        named = _NAMED.match(part)  # which stays: one name less in a list says less
        made = [form for form in _of_part(part, interval) if not named or form.startswith(named[0])]
        for form in made:
            yield around.replace("{}", ", ".join([*parts[:place], form, *parts[place + 1 :]]))
        if made:
            return


def _of_part(part: str, interval: bool) -> list[str]:
    if numeric(part):
        return [_fraction(part)]
    return forms(part, interval) if part else []


def _equation(gold: str, named: re.Match[str] | None) -> Iterator[str]:
    if named and "=" not in gold[named.end() :]:
        value = gold[named.end() :].strip()
        for form in _of_part(value, False):
            yield f"{named[0]} {form}"
        if gold[0] != "y":  # y = 2x + 3 is a line, and 2x + 3 is none
            yield value
    else:
        left, _, right = gold.partition("=")
        yield f"{right.strip()} = {left.strip()}"


def _expression(gold: str) -> Iterator[str]:
    for rule in (_scaled, _slash, _root, _turned, _dotted):
        form = rule(gold)
        if form:
            yield form
    if not re.search(r"\\(?:pm|mp|geq?|leq?)(?![A-Za-z])|[<>]", gold) and not _MIXED.fullmatch(gold):
        yield f"\\frac{{2\\left({gold}\\right)}}{{2}}"


def _braced(text: str, start: int) -> tuple[str, int] | None:
    """What the braces hold that begin there, and the place behind them."""
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == "{") - (text[place] == "}")
        if depth == 0:
            return (text[start + 1 : place], place + 1) if place > start else None
    return None


def _first_fraction(gold: str) -> tuple[str, str, str, str] | None:
    found = re.search(r"\\[dt]?frac\s*(?=\{)", gold)
    if not found or not (top := _braced(gold, found.end())):
        return None
    bottom = _braced(gold, top[1]) if gold[top[1] : top[1] + 1] == "{" else None
    return (gold[: found.start()], top[0], bottom[0], gold[bottom[1] :]) if bottom else None


def _scaled(gold: str) -> str | None:
    """6/8 for 3/4; 3(a)/3(b) for a/b."""
    found = _first_fraction(gold)
    if not found:
        return None
    before, top, bottom, after = found
    if _WHOLE.fullmatch(top.strip()) and _WHOLE.fullmatch(bottom.strip()):
        both = [str(2 * int(part)) for part in (top, bottom)]
    else:
        both = [f"3\\left({part}\\right)" for part in (top, bottom)]
    return f"{before}\\frac{{{both[0]}}}{{{both[1]}}}{after}"


def _slash(gold: str) -> str | None:
    """Only where the fraction is the whole: a/b beside other things would depend on who reads it."""
    found = _first_fraction(gold)
    if not found or found[0] not in ("", "-") or found[3]:
        return None
    return f"{found[0]}({found[1]})/({found[2]})"


def _root(gold: str) -> str | None:
    found = re.search(r"\\sqrt\s*(?:\[([0-9])\])?(?=\{)", gold)
    inside = _braced(gold, found.end()) if found else None
    if not found or not inside:
        return None
    return f"{gold[: found.start()]}\\left({inside[0]}\\right)^{{1/{found[1] or 2}}}{gold[inside[1] :]}"


def _turned(gold: str) -> str | None:
    """b + a for a + b, and so on with signs."""
    terms = split(gold, "+", "-")
    if len(terms) < 2 or re.search(r"\\(?:pm|mp)|\\ln [^+-]*[+-]", gold):
        return None
    turned = " ".join(term if term[0] in "+-" else f"+{term}" for term in reversed(terms))
    return turned.removeprefix("+").strip()


def _dotted(gold: str) -> str | None:
    """2 times x, said aloud."""
    dotted = re.sub(
        r"(?<![0-9A-Za-z_^.{\\}])([0-9]+)\s*(?=\\sqrt|\\pi|[a-zA-Z](?![A-Za-z(]))", r"\1 \\cdot ", gold, count=1
    )
    return dotted if dotted != gold else None

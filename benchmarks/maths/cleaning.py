"""Raw answers, as the sets hold them, to golds that a marker can compare. Pure functions of one string."""

from __future__ import annotations

import re

from benchmarks.marking.extraction import last_box

_NOTATION = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?)e([+-]?[0-9]+)")
"""4.5e33"""
_NUMPY = re.compile(r"\bnp\.([a-z]+)")
"""np.arcsin(10/13)"""
_BARE_POINT = re.compile(r"([0-9])\./")
"""-1./3"""
_THOUSANDS = re.compile(r"(?<![0-9])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])")
"""32,348"""


def integer(raw: str) -> str:
    """AIME, AMC, GSM8K, DAPO: `025`, `27.0` and `1,234` are 25, 27 and 1234.

    Raises: ValueError for anything but a whole number.
    """
    text = raw.strip().replace(",", "")
    whole, _, decimals = text.partition(".")
    if decimals.strip("0"):
        raise ValueError(f"`{raw}` is not a whole number.")
    return str(int(whole))


def latex(raw: str) -> str:
    """MATH: no dollar or percent signs, no negative space (`11,\\! 111`), no full stop at the end."""
    text = re.sub(r"\\!\s*", "", raw).replace("\\$", "").replace("\\%", "")
    return text.strip().removesuffix(".").strip()


def minerva(raw: str) -> str:
    """Minerva's answers were written for sympy: powers of ten, numpy's functions, `-1./3`, a stray `$ $`."""
    text = raw.replace("$ $", " ").replace("$", "").strip()
    notation = _NOTATION.fullmatch(text)
    if notation:
        return f"{notation[1]} \\times 10^{{{int(notation[2])}}}"
    return _BARE_POINT.sub(r"\1/", _NUMPY.sub(r"\\\1", text))


def olympiad(raw: str) -> str:
    """OlympiadBench: each answer of a list is wrapped in dollars, some end in a full stop or a percent sign."""
    text = raw.replace("$", "").replace("\\%", "").replace("%", "")
    return text.strip().removesuffix(".").strip()


def several(gold: str) -> bool:
    """Whether a gold lists several answers: it has a comma, `\\pm` or `\\mp` outside all brackets, which a point, an
    interval, a set or 32,348 has not."""
    outside, depth = "", 0
    for token in re.findall(r"\\[A-Za-z]+|\\.|.", gold.replace("\\,", ""), re.DOTALL):
        depth -= token in (")", "]", "}", "\\}")
        outside += token if depth <= 0 else ""
        depth += token in ("(", "[", "{", "\\{")
    return bool(re.search(r",|\\pm|\\mp", _THOUSANDS.sub("", outside)))


def boxed(solution: str) -> str:
    """What the last box of a worked solution holds; empty if there is none."""
    return last_box(solution) or ""


def after_hashes(solution: str) -> str:
    """GSM8K's solutions end in `#### 18`."""
    return solution.rpartition("####")[2].strip()

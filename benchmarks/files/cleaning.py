"""Raw answers, as the sets hold them, to golds that a marker can compare. Pure functions of one string."""

from __future__ import annotations

import re

_NOTATION = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?)e([+-]?[0-9]+)")
"""4.5e33"""
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


def unwrapped(raw: str) -> str:
    """An answer that is LaTeX already, perhaps between dollars."""
    return raw.strip().strip("$").strip()


def scientific(text: str) -> str | None:
    """`4.5e33` as LaTeX has it, `4.5 \\times 10^{33}`; None if the text is not in that notation."""
    notation = _NOTATION.fullmatch(text)
    return f"{notation[1]} \\times 10^{{{int(notation[2])}}}" if notation else None


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
    from benchmarks.marking.responses.extraction import last_box

    return last_box(solution) or ""

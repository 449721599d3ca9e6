"""Numbers and lists as people read them: percent and points, with a true minus sign."""

from __future__ import annotations

from collections.abc import Collection, Sequence

GAP = "—"
"""what a table prints where there is nothing; never a zero"""

_TITLES_OF_OLD_FILES = {
    "math500": "MATH-500",
    "aime24": "AIME 2024",
    "aime25": "AIME 2025",
    "amc23": "AMC 2023",
    "amc12": "AMC 12",
    "minerva_math": "Minerva",
    "minerva_math_errata": "Minerva (errata)",
    "olympiadbench": "OlympiadBench",
    "gsm8k": "GSM8K",
}
"""for evaluations that record no title: those of imports, and files from before titles were recorded. A new benchmark
has its title in its own file (`benchmarks/`) and needs no line here"""


def benchmark_title(name: str, recorded: str = "") -> str:
    """The title that an evaluation records; without one what papers call it, `math500` -> `MATH-500`, or the name."""
    return recorded or _TITLES_OF_OLD_FILES.get(name, name)


def percent(fraction: float | None, decimals: int = 1) -> str:
    """0.5534 -> `55.3`"""
    return GAP if fraction is None else f"{100 * fraction:.{decimals}f}".replace("-", "−")


def detectable(effect: tuple[float, float] | None, largest: float) -> str:
    """A minimum detectable effect and its upper bound: `3.1 to 5.2`; beyond the largest that tells, no number."""
    if effect is None:
        return GAP
    if effect[0] > largest:
        return "cannot detect anything"
    return f"{percent(effect[0])} to {percent(effect[1])}" if effect[1] <= largest else f"{percent(effect[0])} or more"


def extent(bounds: tuple[float, float] | None) -> str:
    """(0.031, 0.052) -> `3.1 to 5.2`"""
    return GAP if bounds is None else f"{percent(bounds[0])} to {percent(bounds[1])}"


def between(bounds: tuple[float, float] | None) -> str:
    """An interval of a score: (0.541, 0.603) -> `54.1–60.3`; nothing where there is none"""
    return "" if bounds is None else f"{percent(bounds[0])}–{percent(bounds[1])}"


def reaching(bounds: tuple[float, float] | None) -> str:
    """An interval of a difference: (-0.012, 0.031) -> `−1.2 to +3.1`"""
    return GAP if bounds is None else f"{signed(bounds[0])} to {signed(bounds[1])}"


def over_choices(values: Collection[float]) -> str:
    """The range of a difference over several choices: `−1.8 to −1.0`, or `−1.8 throughout`."""
    least, most = signed(min(values)), signed(max(values))
    return f"{least} throughout" if least == most else f"{least} to {most}"


def signed(fraction: float | None) -> str:
    """0.021 -> `+2.1`"""
    return GAP if fraction is None else f"{100 * fraction:+.1f}".replace("-", "−")


def p_text(p: float | None) -> str:
    """`.012`, `< .001`, `1`"""
    if p is None:
        return GAP
    if p < 0.001:
        return "< .001"
    return f"{p:.3f}".removeprefix("0") if p < 0.9995 else "1"


def correlation(r: float | None) -> str:
    """`−.44`, `1.00`"""
    return GAP if r is None else f"{r:.2f}".replace("0.", ".").replace("-", "−")


def count(number: float | None) -> str:
    """15360 -> `15,360`"""
    return GAP if number is None else f"{number:,.0f}"


def listing(items: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`"""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def capital(words: str) -> str:
    """The first letter only: names inside keep theirs."""
    return words[:1].upper() + words[1:]


def plural(number: int, noun: str) -> str:
    """`1 seed`, `1,200 seeds`: for nouns that take an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"

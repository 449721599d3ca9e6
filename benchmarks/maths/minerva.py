"""Minerva Math (Lewkowycz et al. 2022, arXiv:2206.14858): science of MIT OpenCourseWare, measured quantities.

`minerva_math` has the golds as the source has them, for its numbers are compared with published ones;
`minerva_math_errata` corrects four that are wrong, each worked out again from the problem's text, and nothing else. The
two are never mixed. Two more golds of the source are doubtful and stand in both: the coefficient of CO in an equation
that may be balanced with halves, and a concentration that may be a ratio.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks.files.cleaning import scientific
from benchmarks.files.hub import Hub
from benchmarks.loading.source import Source, load
from benchmarks.marks import Rule
from benchmarks.problems import Problem, ProblemsError

ROUNDED = Rule(tolerance=1e-4)
"""for the sets that round or invite rounding, Minerva's and OlympiadBench: relative, as `numeric_equal` of
Qwen2.5-Math's grader has it, the usual grader of the two sets. Others differ: copies of the Minerva paper's checker
take 1e-5, and 1 % near zero; OlympiadBench's own judge 1e-8, absolute, or what a column `error` says, which one of its
problems in text has and Qwen's grader has no place for"""

_NUMPY = re.compile(r"\bnp\.([a-z]+)")
"""np.arcsin(10/13)"""
_BARE_POINT = re.compile(r"([0-9])\./")
"""-1./3"""


def minerva(raw: str) -> str:
    """The answers were written for sympy: powers of ten, numpy's functions, `-1./3`, a stray `$ $`."""
    text = raw.replace("$ $", " ").replace("$", "").strip()
    return scientific(text) or _BARE_POINT.sub(r"\1/", _NUMPY.sub(r"\\\1", text))


MINERVA = Source(
    name="minerva_math",
    file="minerva_math",
    rows=272,
    content="d75b2b52f8147326",
    licence="MIT OCW: CC BY-NC-SA",
    hub=Hub(
        "math-ai/minervamath",
        "ee46ddc498933b1977577953250ca5c66be64f96",
        "test",
        272,
        question="question",
    ),
    clean=minerva,
    tags={"subject": "subject"},
    rule=ROUNDED,
)
ERRATA: Mapping[str, str] = {
    # 4/(s^2 (s^2+4)) = 1/s^2 - 1/(s^2+4), so a minus; the source has a plus
    "09e8dbebd703118c": "(t - \\frac{1}{2} \\sin{2t}) u(t)",
    # c / 6.7102e-7 m = 4.4677e14 Hz; the source lacks the power of ten
    "58f95eec983ae1f3": "4.4677 \\times 10^{14}",
    # 5.14 eV * 1.60218e-19 J/eV = 8.235e-19 J; the source has 0.822, from e = 1.6e-19 and without its 1e-18
    "2d1ceaba563e5e05": "8.235 \\times 10^{-19}",
    # fcc: a^3 = 4 * 58.69 / (6.0221e23 * 8.83) cm^3, a = 353 pm, the second-nearest distance; the source has 361
    "7b0508d966aad136": "3.53 \\times 10^{2}",
}
"""id of the problem with the source's gold -> the right gold"""


def corrected(problems: Sequence[Problem], errata: Mapping[str, str]) -> tuple[Problem, ...]:
    """The same problems in the same order, with the golds of `errata`.

    Raises: ProblemsError if one of them is not there, for this copy of the set is then another.
    """
    missing = errata.keys() - {problem.id for problem in problems}
    if missing:
        raise ProblemsError(
            f"errata name problems that this copy of the set does not hold: {', '.join(sorted(missing))}.\n"
            "They were made for the file whose hash is pinned in benchmarks/maths/minerva.py: see RENCE_DATA_DIR."
        )
    return tuple(replace(one, gold=errata[one.id]) if one.id in errata else one for one in problems)


BENCHMARKS = (
    MINERVA.benchmark("Minerva", "science of MIT OpenCourseWare", k=4),
    replace(
        MINERVA.benchmark("Minerva (errata)", "likewise, four wrong golds corrected", k=4),
        name="minerva_math_errata",
        load=lambda: corrected(load(MINERVA), ERRATA),
        hub=None,
    ),
)

"""Minerva's golds that are wrong in the source: each was worked out again from the problem's text.

`minerva_math` has them as they are, for its numbers are compared with published ones; `minerva_math_errata` corrects
them and nothing else. The two are never mixed. Two more golds of the source are doubtful and stand in both: the
coefficient of CO in an equation that may be balanced with halves, and a concentration that may be a ratio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks.problems import Problem, ProblemsError

MINERVA: Mapping[str, str] = {
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
            "They were made for the file whose hash is pinned in benchmarks/maths/sources.py: see RENCE_DATA_DIR."
        )
    return tuple(replace(one, gold=errata[one.id]) if one.id in errata else one for one in problems)

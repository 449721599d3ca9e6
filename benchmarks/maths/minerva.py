"""Minerva Math (Lewkowycz et al. 2022, arXiv:2206.14858): science of MIT OpenCourseWare, measured quantities.

`minerva_math` has the golds as the source has them, for its numbers are compared with published ones. Two that are
doubtful stand in `minerva_math_errata` too: the coefficient of CO in an equation that may be balanced with halves, and
a concentration that may be a ratio.
"""

from __future__ import annotations

import re

from benchmarks.files.cleaning import scientific
from benchmarks.files.hub import Hub
from benchmarks.loading.source import Source
from benchmarks.marks import Rule

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
BENCHMARKS = MINERVA.benchmarks("Minerva", "science of MIT OpenCourseWare", k=4)

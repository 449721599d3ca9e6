"""GSM8K's test problems (Cobbe et al. 2021): word problems of the grade school."""

from __future__ import annotations

from benchmarks.files.cleaning import integer
from benchmarks.files.hub import Hub
from benchmarks.loading.source import Source


def after_hashes(solution: str) -> str:
    """GSM8K's solutions end in `#### 18`."""
    return solution.rpartition("####")[2].strip()


GSM8K = Source(
    name="gsm8k",
    file="gsm8k_test",
    rows=1319,
    content="6b0514d922efbb21",
    licence="MIT",
    hub=Hub(
        "openai/gsm8k",
        "740312add88f781978c0658806c59bc2815b9866",
        "test",
        1319,
        question="question",
        extract=after_hashes,
        config="main",
    ),
    clean=integer,
)
BENCHMARKS = GSM8K.benchmarks("GSM8K", "grade-school word problems", k=4)

"""GSM8K (Cobbe et al. 2021): word problems of the grade school. Its training problems: `training.py`."""

from __future__ import annotations

from benchmarks.files.cleaning import integer
from benchmarks.files.hub import Hub
from benchmarks.loading.source import Source


def after_hashes(solution: str) -> str:
    """GSM8K's solutions end in `#### 18`."""
    return solution.rpartition("####")[2].strip()


def hub(split: str, rows: int) -> Hub:
    """One of its two splits, `test` or `train`, at the commit that both are pinned to."""
    revision = "740312add88f781978c0658806c59bc2815b9866"
    return Hub("openai/gsm8k", revision, split, rows, question="question", extract=after_hashes, config="main")


GSM8K = Source(
    name="gsm8k",
    file="gsm8k_test",
    rows=1319,
    content="6b0514d922efbb21",
    licence="MIT",
    hub=hub("test", 1319),
    clean=integer,
)
BENCHMARKS = GSM8K.benchmarks("GSM8K", "grade-school word problems", k=4)

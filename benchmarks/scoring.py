"""Scores of one problem, from its k marked attempts. Every mark but `correct` counts as not correct."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import comb

from benchmarks.marks import Mark, Marked


def avg(attempts: Sequence[Marked]) -> float:
    """avg@k: the share that is correct."""
    return share(attempts, Mark.CORRECT)


def share(attempts: Sequence[Marked], mark: Mark) -> float:
    """The share with one mark."""
    return sum(attempt.mark is mark for attempt in attempts) / len(attempts)


def pass_at(j: int, attempts: Sequence[Marked]) -> float:
    """pass@j: the chance that of j attempts, drawn from these n without putting back, one at least is correct.

    1 - C(n-c, j) / C(n, j) with c of n correct: unbiased for j new ones (Chen et al. 2021, arXiv 2107.03374, eq. 1).

    Raises: ValueError if j is not in 1..n.
    """
    n = len(attempts)
    if not 1 <= j <= n:
        raise ValueError(f"pass@j needs 1 to {n} of {n} attempts, but j is {j} instead.")
    correct = sum(attempt.mark is Mark.CORRECT for attempt in attempts)
    return 1 - comb(n - correct, j) / comb(n, j)


def maj(attempts: Sequence[Marked]) -> float:
    """maj@k: whether the most frequent answer is correct; where several are, the share of them that is.

    An attempt without an answer does not vote. Two answers are the same if both are marked correct, or neither is and
    their texts are equal but for blanks. 0 if nobody votes.
    """
    votes = Counter(
        (attempt.mark is Mark.CORRECT, "" if attempt.mark is Mark.CORRECT else "".join(attempt.answer.split()))
        for attempt in attempts
        if attempt.answer is not None
    )
    most = max(votes.values(), default=0)
    largest = [correct for (correct, _), count in votes.items() if count == most]
    return sum(largest) / len(largest) if largest else 0.0

"""pass@k, pass^k and maj@k at the headline, and whether an arm's lead over the untrained model lasts as k grows.

A lead with one attempt that is gone with many is sharpening: the arm gives more often what sampling found before. A
lead that is still there with many is ability that is new as far as so many attempts can tell (Yue et al. 2025,
arXiv:2504.13837, who ask up to 1,024 times). Few attempts cannot tell: there sharpening alone gives a lead as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from harness.records import START
from reports.data.analysis import Analysis
from reports.data.answers import answers
from reports.data.load import MARKS, Run
from reports.data.pairs import difference
from reports.data.scores import AVERAGE, Cells, Scores, complete, final
from reports.statistics import Estimate, Floats, pass_at_k
from reports.statistics.votes import majority

ENOUGH = 16
"""attempts from which a lead is said to be new ability"""
CEILING = 0.95
"""pass@k of the untrained model from which a lead must shrink, whatever was learnt"""

Measure = Callable[[NDArray[np.int64], NDArray[np.int64], int], Floats]
"""of each problem, from its attempts, how many of them are correct, and k"""
Finding = Literal["lasts", "shrinks", "gone", "reversed", "unclear", "no lead"]


@dataclass(frozen=True)
class Lead:
    """An arm minus the untrained model on pass@1 and on pass@k, and the second minus the first."""

    arm: str
    k: int
    one: Estimate
    most: Estimate
    change: Estimate
    start: float
    """pass@k of the untrained model"""

    @property
    def finding(self) -> Finding:
        """By intervals that are not adjusted for the number of arms."""
        if _sign(self.one) <= 0:
            return "no lead"
        if _sign(self.most) > 0:
            return "shrinks" if _sign(self.change) < 0 else "lasts"
        if _sign(self.most) < 0:
            return "reversed"
        # not separated at k alone would be no finding: the lead must have become smaller
        return "gone" if _sign(self.change) < 0 and self.start < CEILING else "unclear"


def _sign(estimate: Estimate) -> int:
    """Of the interval; 0 if it holds zero or there is none."""
    low, high = estimate.interval or (0.0, 0.0)
    return int(low > 0) - int(high < 0)


def ladder(a: Analysis) -> list[int]:
    """1, 2, 4, ... and the numbers of attempts that were sampled."""
    sampled = {min(scores.k) for scores in a.cells.values()}
    most = max(sampled, default=1)
    return sorted({2**i for i in range(most.bit_length()) if 2**i <= most} | sampled)


def is_asked(a: Analysis) -> bool:
    """Whether there is a k beyond 1."""
    return ladder(a) != [1] and bool(a.cells)


def at(cells: Cells, k: int, measure: Measure = pass_at_k) -> Cells:
    """pass@k, or another measure of k attempts such as pass^k, where every seed has k attempts or more."""
    return {key: _measured(scores, k, measure) for key, scores in cells.items() if min(scores.k) >= k}


def _measured(scores: Scores, k: int, measure: Measure) -> Scores:
    """With `k` as the number of times that so many attempts were made: what one value is the mean of, and so how fine
    it may be."""
    attempts = np.broadcast_to(np.array(scores.k)[:, None], scores.values.shape)
    correct = np.rint(scores.values * attempts).astype(np.int64)
    return replace(scores, values=measure(attempts, correct, k), k=tuple(n // k for n in scores.k))


def groups(a: Analysis, cells: Cells) -> dict[tuple[str, str], list[Scores]]:
    """(arm, column) -> scores on the column's benchmarks; a missing key is a gap."""
    return {
        (arm, column): found
        for arm in a.rows
        for column in a.columns
        if (found := complete(cells, arm, a.benchmarks if column == AVERAGE else [column])) is not None
    }


def leads(a: Analysis) -> list[Lead]:
    """On the average, for each arm that can be compared with the untrained model at more than one k."""
    one = groups(a, at(a.cells, 1))
    by_k = {k: groups(a, at(a.cells, k)) for k in ladder(a)[1:]}
    found = []
    for arm in a.arms:
        both = {(arm.name, AVERAGE), (START, AVERAGE)}
        ks = [k for k, group in by_k.items() if both <= group.keys() and both <= one.keys()]
        if not ks:
            continue
        most = by_k[ks[-1]]
        (low, low_start), (high, high_start) = ((g[arm.name, AVERAGE], g[START, AVERAGE]) for g in (one, most))
        options = (a.estimand, a.alpha)
        gain, gain_start = _minus(high, low), _minus(high_start, low_start)
        found.append(
            Lead(
                arm.name,
                ks[-1],
                difference(low, low_start, *options),
                difference(high, high_start, *options),
                difference(gain, gain_start, *options),
                float(np.mean([scores.values.mean() for scores in high_start])),
            )
        )
    return found


def _minus(high: list[Scores], low: list[Scores]) -> list[Scores]:
    return [replace(h, values=h.values - lo.values) for h, lo in zip(high, low, strict=True)]


def majorities(a: Analysis) -> Cells:
    """What a vote over all k attempts would have scored; nothing for a benchmark without answers' texts."""
    evals = final(a.run).sort_values(["arm", "benchmark", "seed"])
    rows = defaultdict(list)
    for e, arm, benchmark in zip(evals.index, evals["arm"], evals["benchmark"], strict=True):
        rows[arm, benchmark].append(int(e))
    cells = {}
    for key, scores in a.cells.items():
        votes = [_votes(a.run, e) for e in rows[key]]
        known = [vote for vote in votes if vote is not None]
        if len(known) == len(votes):
            cells[key] = replace(scores, values=np.stack(known))
    return cells


def _votes(run: Run, e: int) -> np.ndarray | None:
    """The majority's score on each problem of one evaluation; None where attempts were marked whose answers are not
    recorded, as in results that were made elsewhere."""
    found = answers(run, e)
    if found is None:
        return None
    marks, silent = run.attempts[e].marks, found.codes < 0
    correct = marks == MARKS.index("correct")
    judged = correct | (marks == MARKS.index("wrong"))
    if (silent & correct).any() or (silent.all() and judged.any()):
        return None
    problems, k = correct.shape
    codes = found.codes.ravel()
    said = pa.DictionaryArray.from_arrays(
        pa.array(codes, pa.int32(), mask=codes < 0), pa.array(found.words, pa.string())
    )
    return majority(np.repeat(np.arange(problems), k), correct.ravel(), said, problems)

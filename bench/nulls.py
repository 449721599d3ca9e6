"""Tests of arms that do not differ: how often they say that some do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bench.truth import Setting
from reports.statistics import Estimate, contrast
from reports.statistics.multiple import simultaneous
from reports.statistics.permutation import mcnemar, seed_labels, sign_flip

ALPHA = 0.05
SIX = (30, 30, 40, 272, 500, 675)
"""problems: AIME24, AIME25, AMC23, Minerva, MATH-500, OlympiadBench"""
ARMS = 4
SD_SEED = {"nil": 0.0, "some": 0.1, "dominant": 0.4}
"""logits, of every arm: 0, 1.2 and 5 points"""
HARD = 6
"""arms, of which the first, the target, has seeds whose sd is four times the others'"""
AT_ONCE = 50

Table = tuple[Sequence[str], list[list[object]]]


def families(replicates: int) -> Table:
    columns = ["seed noise, seeds", "arms", "one test", "any of the family", "a best arm separated from the best"]
    rows: list[list[object]] = []
    studies = [(noise, (sd,) * ARMS, seeds) for noise, sd in SD_SEED.items() for seeds in (3, 5, 10)]
    noisy = (SD_SEED["dominant"], *(SD_SEED["some"],) * (HARD - 1))
    studies += [("target's four times the others'", noisy, seeds) for seeds in (2, 3, 5)]
    for place, (noise, sds, seeds) in enumerate(studies):
        found = family(seeds, sds, replicates, np.random.default_rng([4, place, seeds]))
        rows.append([f"{noise}, {seeds}", len(sds), *(f"{rate:.3f}".removeprefix("0") for rate in found)])
    return columns, rows


def family(seeds: int, sds: Sequence[float], replicates: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """Rates of error: of single tests; of a family of the first arm against the others, adjusted; of separating the
    first arm from the one that looks best, in the family of all pairs.

    Args:
        sds: logits, between seeds of each arm.
    """
    arms = len(sds)
    settings = [Setting(j, seeds, 4, sd_seed=tuple(sds), gains=(0.0,) * arms) for j in SIX]
    # a logit's noise lowers a score near 1 and raises it near 0; at one half, where these are, arms stay equal
    attempts = [[[4] * seeds] * len(SIX)] * 2
    single = any_of = lost = 0
    for first in range(0, replicates, AT_ONCE):
        n = min(AT_ONCE, replicates - first)
        shared = rng.standard_normal((n, arms, seeds, 1), np.float32)  # one effect of a seed on all benchmarks
        drawn = [np.concatenate(list(setting.draw(rng, n, shared))) for setting in settings]
        for i in range(n):
            scores = [[y[i, arm].astype(np.float64) for y in drawn] for arm in range(arms)]
            found = [contrast([scores[0], other], (1.0, -1.0), attempts=attempts) for other in scores[1:]]
            single += sum(_apart(one, 1) for one in found)
            any_of += any(_apart(one, arms - 1) for one in found)
            # All arms are the best: the first is lost if it is separated from the one that looks best.
            top = max(scores, key=lambda arm: sum(y.mean() for y in arm))
            if top is not scores[0]:
                gap = contrast([top, scores[0]], (1.0, -1.0), attempts=attempts)
                lost += _apart(gap, arms * (arms - 1) // 2)
    return single / replicates / (arms - 1), any_of / replicates, lost / replicates


def _apart(estimate: Estimate, tests: int) -> bool:
    """Whether a difference is significant in a family of so many; adjusted p-values say the same as intervals do."""
    low, high = simultaneous(estimate, ALPHA, tests) or (0.0, 0.0)
    return low > 0 or high < 0


def permutations(replicates: int) -> Table:
    rows: list[list[object]] = []
    same = Setting(30, 1, gains=(0.0, 0.0), sd_effect=0.0)
    few = min(replicates, 500)
    for place, (j, k) in enumerate(((30, 1), (30, 4), (500, 1), (500, 4))):
        rng = np.random.default_rng([5, place])
        pairs = np.concatenate(list(replace(same, problems=j, k=k).draw(rng, few)))[:, :, 0].astype(np.float64)
        found = [sign_flip(a - b, rng) for a, b in pairs]
        rows.append(
            [f"sign flip by problem, {j} problems, k = {k}", few, _rate([f.p_value if f else 1.0 for f in found])]
        )
        if k == 1:
            tables = [mcnemar(int((a > b).sum()), int((b > a).sum())) for a, b in pairs]
            rows.append([f"McNemar, {j} problems", few, _rate([t.exact for t in tables])])
            rows.append([f"McNemar, mid-p, {j} problems", few, _rate([t.mid_p for t in tables])])
    for seeds in (4, 5, 6):
        rng = np.random.default_rng([6, seeds])
        setting = replace(same, problems=100, seeds=seeds, k=4, sd_seed=(0.2, 0.2))
        scores = np.concatenate([y.mean(axis=3) for y in setting.draw(rng, replicates)]).astype(np.float64)
        found = [seed_labels(a, b, rng) for a, b in scores]
        rows.append([f"seed labels, {seeds} a side", replicates, _rate([f.p_value if f else 1.0 for f in found])])
    return ["test", "replicates", "rejected at .05"], rows


def _rate(p_values: Sequence[float]) -> str:
    return f"{np.mean(np.array(p_values) < ALPHA):.3f}".removeprefix("0")

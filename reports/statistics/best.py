"""The best of several arms, and what it would score where it was not chosen for it.

The largest of m averages is above its own expectation even if all arms are equal: the luck that made it the largest
is in it. So the best arm is chosen on one part of the seeds and problems, and scored on the rest, which had no say
(sample splitting; repeated over random halves, and both ways round, as in cross-fitting: Chernozhukov et al. 2018,
Econometrics Journal 21(1), C1-C68). What it estimates is an arm chosen on half of the data, which is chosen a little
worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.statistics.satterthwaite import Floats

SPLITS = 500
"""random halves; each is used both ways round"""


@dataclass(frozen=True)
class CrossFit:
    """Means over all splits."""

    score: float
    """of the arm that the other half chose"""
    gain: float
    """the same less the base, on the same half"""
    picked: tuple[float, ...]
    """share of the choices that fell on each arm"""
    seeds_apart: bool
    """whether the halves have different seeds, too; with one seed an arm they cannot"""


def cross_fit(arms: Sequence[Sequence[Floats]], base: int, rng: np.random.Generator, splits: int = SPLITS) -> CrossFit:
    """
    Args:
        arms: arms[a][b] is S x J_b, of the same seeds and problems in the same order for all arms.
        base: place of the arm that gains are over.
    Raises: ValueError if a benchmark has a single problem: it cannot be halved.
    """
    seeds = arms[0][0].shape[0]
    if any(matrix.shape[1] < 2 for matrix in arms[0]):
        raise ValueError("A benchmark of a single problem cannot be split in halves.")
    seed_parts = _halves(seeds, splits, rng) if seeds > 1 else np.ones((2, splits, 1))
    scores = np.zeros((2, splits, len(arms)))
    for matrices in zip(*arms, strict=True):
        values = np.stack(matrices)  # arms x seeds x problems
        problem_parts = _halves(values.shape[2], splits, rng)
        for part in (0, 1):
            by_seed = values @ problem_parts[part].T  # arms x seeds x splits
            scores[part] += np.einsum("rs,asr->ra", seed_parts[part], by_seed) / len(arms[0])
    value = gain = 0.0
    picked = np.zeros(len(arms))
    for choose, rest in ((0, 1), (1, 0)):
        best = _best(scores[choose], rng)
        found = scores[rest][np.arange(splits), best]
        value += float(found.mean()) / 2
        gain += float((found - scores[rest][:, base]).mean()) / 2
        picked += np.bincount(best, minlength=len(arms)) / (2 * splits)
    return CrossFit(value, gain, tuple(picked.tolist()), seeds > 1)


def _halves(count: int, splits: int, rng: np.random.Generator) -> Floats:
    """Two parts x splits x count: weights of means over random halves; of an odd count one half has one more."""
    order = rng.permuted(np.broadcast_to(np.arange(count), (splits, count)), axis=1)
    first = order < count // 2
    return np.stack([first / first.sum(axis=1, keepdims=True), ~first / (~first).sum(axis=1, keepdims=True)])


def _best(scores: Floats, rng: np.random.Generator) -> np.ndarray:
    """The arm with the highest score in each row; of equal ones any."""
    top = np.isclose(scores, scores.max(axis=1, keepdims=True), rtol=0, atol=1e-12)
    return np.where(top, rng.random(scores.shape), -1).argmax(axis=1)

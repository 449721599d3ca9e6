"""The paired difference of two arms over a grid of 378 settings, and against other intervals: coverage, width, power,
equivalence and bounds. Prints Markdown, through bench/coverage.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from bench import rivals
from bench.tables import rate, table
from bench.truth import Setting
from reports.statistics import MeanSquare, Parts
from reports.statistics.power import detectable_effect
from reports.statistics.satterthwaite import pool, upper_bound

PROBLEMS, SEEDS, K = (30, 500, 1200), (3, 5, 10), (1, 4)
RATES = {"middle": 0.0, "low": -4.3, "high": 4.3}
NOISE = {"nil": 0.0, "small": 0.1, "comparable": 0.5, "dominant": 0.9}
"""the share of the seeds in the variance of the difference"""
RATIOS = (1.0, 2.0)
"""of the arms' sd between seeds"""
REQUIRED = 0.93
WIDEST = 1.25
"""median width over that of an oracle, which knows the variance"""


@dataclass(frozen=True)
class Result:
    """One setting of the grid."""

    noise: str
    rate: str
    ratio: float
    setting: Setting
    coverage: float
    by_problem: float
    by_seed: float
    width: float
    """median, over the oracle's"""
    over_crossed: float
    """median width over that of the t interval of the crossed layout by itself"""
    width_of_t: float
    """median, over that of a t interval which knows the mean squares' ratios and so its degrees of freedom"""
    powers: tuple[float, float]
    """at the difference that is said to be found with 80 %, above and below"""
    equivalences: tuple[float, float]
    """how often two arms that differ by the margin are called equivalent, above and below; the margin is 3 standard
    errors"""
    bound: float
    """how often the upper 80 % bound of the standard error is one"""

    @property
    def power(self) -> float:
        """Of a difference that may be either way."""
        return sum(self.powers) / 2


def grid(replicates: int) -> Iterator[Result]:
    for place, (noise, level, ratio, j, s, k) in enumerate(product(NOISE, RATES, RATIOS, PROBLEMS, SEEDS, K)):
        if noise == "nil" and ratio != 1:
            continue
        setting = Setting(j, s, k, RATES[level]).with_share(NOISE[noise], ratio)
        yield measure(setting, replicates, np.random.default_rng([1, place]), noise, level, ratio)


def measure(
    setting: Setting, replicates: int, rng: np.random.Generator, noise: str = "", rate: str = "", ratio: float = 1.0
) -> Result:
    chunks = list(setting.draw(rng, replicates))
    found = rivals.seen(chunks, setting.k)
    rivals.check(chunks[0], found)
    error = found.difference - setting.difference
    variance, oracle = found.crossed[0], np.sqrt(setting.variance)
    (below, above), one_sided = found.reach(0.025), found.reach(0.05)
    width = float(np.median(below + above)) / 2
    effect = detectable_effect(expected(setting), "algorithm")
    assert effect is not None
    margin = 3 * oracle
    s, j = setting.seeds - 1, setting.problems - 1
    seed, rest = pool(list(found.seed.T), [s, s]), pool(list(found.residual.T), [s * j, s * j])
    raw = seed[0] + found.problem - rest[0]
    bound = np.sqrt(variance + upper_bound([seed, (found.problem, j)], [rest]) - raw)
    equivalent = [
        (error + true - one_sided[0] > -margin) & (error + true + one_sided[1] < margin) for true in (margin, -margin)
    ]
    return Result(
        noise=noise,
        rate=rate,
        ratio=ratio,
        setting=setting,
        coverage=_share(_inside(error, below, above)),
        by_problem=_share(np.abs(error) <= found.by_problem),
        by_seed=_share(np.abs(error) <= found.by_seed),
        width=float(width / (rivals.Z * oracle)),
        over_crossed=float(width / np.median(found.half_width)),
        width_of_t=float(width / rivals.half(oracle**2, np.asarray(setting.df))),
        powers=(_share(~_inside(error + effect, below, above)), _share(~_inside(error - effect, below, above))),
        equivalences=(_share(equivalent[0]), _share(equivalent[1])),
        bound=_share(bound >= oracle),
    )


def _inside(error: np.ndarray, below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Whether an interval of an estimate that is off by `error` holds the truth."""
    return (error <= below) & (error >= -above)


def expected(setting: Setting) -> Parts:
    seed, problem, rest = setting.parts
    s, j = setting.seeds - 1, setting.problems - 1
    residual = MeanSquare(float(rest.sum()), 2 * s * j)
    return Parts(tuple(MeanSquare(float(v), s) for v in seed), MeanSquare(problem, j), residual)


def named() -> Iterator[tuple[str, Setting]]:
    """The settings of the page's first table."""
    for seeds in SEEDS:
        yield "30 problems, k = 32, small seed noise", Setting(30, seeds, 32).with_share(0.1)
    for seeds in SEEDS:
        yield "500 problems, k = 4, small seed noise", Setting(500, seeds, 4).with_share(0.1)
    for seeds in SEEDS:
        yield "500 problems, k = 4, seed noise dominates", Setting(500, seeds, 4).with_share(0.9)


METHODS: dict[str, Callable[[rivals.Seen], tuple[np.ndarray, np.ndarray]]] = {
    "by problem, z": lambda found: (found.by_problem,) * 2,
    "by seed, t": lambda found: (found.by_seed,) * 2,
    "ours": lambda found: found.reach(0.025),
}
"""how far an interval reaches below and above"""
BOOTSTRAPS = {"nested bootstrap": rivals.nested_bootstrap, "crossed bootstrap": rivals.crossed_both}


def compared(
    setting: Setting, replicates: int, bootstraps: int, rng: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """Method -> coverage, and median width over the oracle's."""
    chunks = list(setting.draw(rng, replicates))
    found, oracle = rivals.seen(chunks, setting.k), rivals.Z * np.sqrt(setting.variance)
    rows = {}
    for name, method in METHODS.items():
        below, above = method(found)
        inside = _inside(found.difference - setting.difference, below, above)
        rows[name] = _share(inside), float(np.median(below + above) / 2 / oracle)
    pairs = np.concatenate(chunks)[:bootstraps].astype(np.float64)
    for name, bootstrap in BOOTSTRAPS.items():
        low, high = np.array([bootstrap(pair, rng) for pair in pairs]).T
        inside = (low <= setting.difference) & (setting.difference <= high)
        rows[name] = _share(inside), float(np.median((high - low) / 2) / oracle)
    return rows


def _share(hits: np.ndarray) -> float:
    return float(np.mean(hits))


def print_named(replicates: int, bootstraps: int) -> None:
    found: dict[str, list[dict[str, tuple[float, float]]]] = {}
    for place, (name, setting) in enumerate(named()):
        found.setdefault(name, []).append(compared(setting, replicates, bootstraps, np.random.default_rng([2, place])))
    methods = ["by problem, z", "by seed, t", "nested bootstrap", "crossed bootstrap", "ours"]
    for what, place, words in (("Coverage", 0, rate), ("Median width over the oracle's", 1, lambda x: f"{x:.2f}")):
        print(f"{what}, 3 / 5 / 10 seeds\n")
        table(
            ["setting", *methods],
            [
                [name, *(" ".join(words(one[m][place]) for one in by_seeds) for m in methods)]
                for name, by_seeds in found.items()
            ],
        )


def print_grid(results: list[Result]) -> None:
    coverage = ["coverage: least", "median", "most"]
    print("By seed noise and seeds: all numbers of problems, rates and k\n")
    columns = ["seed noise, seeds", "settings", *coverage, "z by problem: least", "t by seed: least"]
    groups = [cell for cell in product(NOISE, RATIOS, SEEDS) if cell[0] != "nil" or cell[1] == 1]
    rows = []
    for noise, ratio, seeds in groups:
        mine = [r for r in results if (r.noise, r.ratio, r.setting.seeds) == (noise, ratio, seeds)]
        others = [rate(min(r.by_problem for r in mine)), rate(min(r.by_seed for r in mine))]
        widths = [f"{max(ratios):.2f}" for ratios in zip(*((r.width, r.width_of_t) for r in mine), strict=True)]
        own = [r.over_crossed for r in mine if r.rate == "middle"]
        widths.append(f"{min(own):.3f} to {max(own):.3f}")
        rows.append([f"{noise}{_unequal(ratio)}, {seeds}", len(mine), *_coverage(mine), *others, *widths])
    table([*columns, "width: most", "over t's: most", "over the crossed t's, rates near 1/2"], rows)

    print("By rate: all numbers of problems, seeds and k\n")
    columns = ["rate, seed noise", "settings", *coverage, "power: least", "mean: least", "mean: most", "most"]
    rows = []
    for place, noise, ratio in product(RATES, NOISE, RATIOS):
        mine = [r for r in results if (r.rate, r.noise, r.ratio) == (place, noise, ratio)]
        if mine:
            powers = [min(min(r.powers) for r in mine), min(r.power for r in mine), max(r.power for r in mine)]
            powers.append(max(max(r.powers) for r in mine))
            others = [max(max(r.equivalences) for r in mine), min(r.bound for r in mine)]
            name = f"{place}, {noise}{_unequal(ratio)}"
            rows.append([name, len(mine), *_coverage(mine), *map(rate, powers), *map(rate, others)])
    table([*columns, "equivalence: most", "bound: least"], rows)
    _print_requirements(results)


def _print_requirements(results: list[Result]) -> None:
    low = [one for one in results if one.coverage < REQUIRED]
    print(f"Coverage below {REQUIRED}: {len(low)} of {len(results)} settings; ", end="")
    print(f"below .94: {sum(one.coverage < 0.94 for one in results)}\n")
    _print_settings(low)
    wide = [one for one in results if one.width > WIDEST]
    print(f"Median width above {WIDEST} times the oracle's: {len(wide)} of {len(results)} settings, by seeds: ", end="")
    print(", ".join(f"{s}: {sum(one.setting.seeds == s for one in wide)}" for s in SEEDS) + "\n")
    matter = [one for one in results if one.setting.share >= 0.2]
    inside = sum(REQUIRED <= one.coverage <= 0.97 for one in matter)
    print(f"From .93 to .97 where seed noise is a fifth of the variance or more: {inside} of {len(matter)} settings\n")
    off = [one for one in results if abs(one.power - 0.8) > 0.03]
    print(f"Power, either way, further than 3 points from 80 %: {len(off)} of {len(results)} settings\n")
    _print_settings(off)


def _unequal(ratio: float) -> str:
    return ", unequal" if ratio != 1 else ""


def _coverage(results: list[Result]) -> list[str]:
    found = [r.coverage for r in results]
    return [rate(min(found)), rate(float(np.median(found))), rate(max(found))]


def _print_settings(results: list[Result]) -> None:
    columns = ["seed noise", "rate", "problems", "seeds", "k", "sd of seeds, points", "coverage", "width", "power"]
    rows = [
        [
            *(r.noise + _unequal(r.ratio), r.rate, r.setting.problems, r.setting.seeds, r.setting.k),
            " and ".join(f"{100 * sd:.1f}" for sd in np.sqrt(np.maximum(r.setting.seed, 0))),
            *(rate(r.coverage), f"{r.width:.2f}", " and ".join(map(rate, r.powers))),
        ]
        for r in results
    ]
    if rows:
        table(columns, rows)


def print_stress(replicates: int) -> None:
    """Beyond the requirement: arms whose seed noise differs ninefold in variance, seeds that nearly fail."""
    settings = [Setting(500, seeds, 4, base).with_share(0.9, 3.0) for base in (0.0, 4.3) for seeds in SEEDS]
    results = [
        measure(
            setting,
            replicates,
            np.random.default_rng([3, i]),
            "dominant",
            "middle" if setting.base == 0 else "high",
            3.0,
        )
        for i, setting in enumerate(settings)
    ]
    print("Beyond the requirement: one arm's sd between seeds three times the other's\n")
    _print_settings(results)

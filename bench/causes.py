"""How often a verdict says that a sign depends on a choice where nothing does, and how often it names the true one.

    OMP_NUM_THREADS=1 PYTHONPATH=. python bench/causes.py [--replicates 1000] [--part nulls|causes]

Made-up runs, judged by the code that reports use (`reports/data/dependence.py`): all choices with their alternatives.
Counts correct of arm a, seed s, problem j under decoding x, or at half the budget, are

    logit p_asjx = difficulty_j + gain_asbx + effect_ajx + seed_asx + rest_asjx,     Binomial(k, p_asjx)

where effects, seeds and rests correlate by .8 between decodings and by .5 with half the budget. The first arm is the
target, the others are its baselines. Readings find some answers that the rule does not, and lose some, at rates that
are the same for all arms; and some answers are cut off. Prints Markdown. See docs/statistics.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import pandas as pd
from scipy import special

from reports.data import dependence
from reports.data.alternatives import (
    BENCHMARKS,
    BUDGET,
    DECODING,
    READING,
    SEED,
    Alternative,
    MeasuringChoice,
    instead,
    left_share,
    minus,
    of_scores,
)
from reports.data.alternatives import average as average_of
from reports.statistics.dependence import MARGIN, Matrices

ALPHA, K = 0.05, 4
SIX = (30, 30, 40, 272, 500, 675)
"""problems: AIME24, AIME25, AMC23, Minerva, MATH-500, OlympiadBench"""
SD_DIFFICULTY, SD_EFFECT, SD_REST = 2.0, 0.28, 0.3
"""logits, as in bench/truth.py"""
DECODINGS, HALF = 0.8, 0.5
"""correlations with the headline"""
HALF_GAIN = -0.3
"""logits that all arms are lower at half the budget"""
CUT = 0.1
"""share of wrong answers that are cut off"""
FOUND = {"last box": (0.0, 0.03), "anywhere in the text": (0.03, 0.003), "second marker": (0.01, 0.01)}
"""reading -> shares of wrong answers that are right by it, and of right ones that are wrong"""
DECODED = ("greedy", "T .6")
"""the decodings after the first"""
KINDS = (READING, DECODING, BENCHMARKS, SEED, BUDGET)
Drawn = dict[str, list[np.ndarray]]
"""arm -> S x J counts of each benchmark"""


@dataclass(frozen=True)
class Layout:
    """One made-up study."""

    sizes: tuple[int, ...]
    """problems of each benchmark"""
    seeds: int
    decodings: int
    arms: int
    sd_seed: float = 0.1
    """logits"""
    lead: float = 0.0
    """of the target, as planned: a fraction"""
    cause: str = ""
    """the choice under which it is as far behind; empty: none"""

    @property
    def words(self) -> str:
        sizes = {len(self.sizes): f"{len(self.sizes)} × {self.sizes[0]}"}
        named = "six, 30 to 675" if self.sizes == SIX else sizes[len(self.sizes)]
        return f"{named} | {self.seeds} | {self.decodings} | {self.arms}"

    def gains(self) -> np.ndarray:
        """Ways x seeds x benchmarks: points of the target, fractions. Ways are the decodings, then half the budget."""
        found = np.full((self.decodings + 1, self.seeds, len(self.sizes)), self.lead)
        count = len(self.sizes)
        if self.cause == DECODING:
            found[1] = -self.lead
        elif self.cause == BUDGET:
            found[-1] = -self.lead
        elif self.cause == SEED:
            found[:] = -self.lead
            found[:, -1] = (2 * self.seeds - 1) * self.lead
        elif self.cause == BENCHMARKS:
            found[:] = -self.lead
            found[:, :, 0] = (2 * count - 1) * self.lead
        elif self.cause == READING:
            found[:] = -self.lead
        return found


def logits(points: np.ndarray) -> np.ndarray:
    """Gains in logits that are so many points, over the difficulties of problems."""
    grid = np.linspace(-8, 8, 401)
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    share = special.expit(grid[:, None] + SD_DIFFICULTY * nodes) @ weights / weights.sum()
    return np.interp(points, share - 0.5, grid)


def _alike(rng: np.random.Generator, sd: float, ways: int, shape: tuple[int, ...]) -> np.ndarray:
    """Normal variables of this sd, ways x shape: decodings correlate by DECODINGS, the last, half the budget, by HALF
    with each."""
    common, decoded = rng.normal(0, sd, shape), rng.normal(0, sd, shape)
    own = rng.normal(0, sd, (ways, *shape))
    found = HALF**0.5 * common + (1 - HALF) ** 0.5 * own
    rest = DECODINGS - HALF
    found[:-1] = HALF**0.5 * common + rest**0.5 * decoded + (1 - DECODINGS) ** 0.5 * own[:-1]
    return found


def draw(layout: Layout, rng: np.random.Generator) -> list[Drawn]:
    """Counts under each way: the decodings, then half the budget."""
    ways, arms, seeds = layout.decodings + 1, layout.arms, layout.seeds
    gain = logits(layout.gains())
    seed = _alike(rng, layout.sd_seed, ways, (arms, seeds, 1))
    found: list[Drawn] = [{str(arm): [] for arm in range(arms)} for _ in range(ways)]
    for place, size in enumerate(layout.sizes):
        logit = seed + rng.normal(0, SD_DIFFICULTY, size)
        logit = logit + _alike(rng, SD_EFFECT, ways, (arms, 1, size)) + _alike(rng, SD_REST, ways, (arms, seeds, size))
        logit[:, 0] += gain[:, :, place, None]
        logit[-1] += HALF_GAIN
        for way in range(ways):
            counts = rng.binomial(k_of(layout, way), special.expit(logit[way]))
            for arm in range(arms):
                found[way][str(arm)].append(counts[arm])
    return found


def k_of(layout: Layout, way: int) -> int:
    """Greedy decoding, the first other one, takes one attempt."""
    return 1 if way == 1 and layout.decodings > 1 else K


def shares(drawn: Drawn, k: int) -> dict[str, Matrices]:
    return {arm: [counts / k for counts in found] for arm, found in drawn.items()}


def by_the_rule(layout: Layout, anywhere: Drawn, rng: np.random.Generator) -> Drawn:
    """Where a reading is the cause, the baselines are ahead of the target, and by the rule they lose so many of their
    answers, under every decoding and at half the budget, that they are behind it."""
    if layout.cause != READING:
        return anywhere
    kept = 1 - 4 * layout.lead  # of about half the answers, so twice the lead
    return {
        arm: found if arm == "0" else [rng.binomial(counts, kept) for counts in found]
        for arm, found in anywhere.items()
    }


def readings(layout: Layout, planned: Drawn, anywhere: Drawn, rng: np.random.Generator) -> list[Alternative]:
    """Every other reading of the answers."""
    base, found = shares(planned, K), []
    for name, (gained, lost) in FOUND.items():
        source = anywhere if layout.cause == READING and name == "anywhere in the text" else planned
        read = {
            arm: [c + rng.binomial(K - c, gained) - rng.binomial(c, lost) for c in counts]
            for arm, counts in source.items()
        }
        found.append(instead(name, shares(read, K), base))
    return [*found, instead("truncated left out", _without_cut(planned, rng), base)]


def _without_cut(planned: Drawn, rng: np.random.Generator) -> dict[str, Matrices]:
    """Shares of the attempts that were not cut off, of all evaluations in one table, as reports have them."""
    flat = [counts for found in planned.values() for counts in found]
    sizes = [row.size for counts in flat for row in counts]
    correct = np.concatenate([counts.ravel() for counts in flat])
    table = pd.DataFrame({"eval": np.repeat(np.arange(len(sizes)), sizes), "correct": correct})
    left = left_share(table, K - rng.binomial(K - correct, CUT))
    parts = iter(np.split(left, np.cumsum([counts.size for counts in flat])[:-1]))
    return {arm: [next(parts).reshape(counts.shape) for counts in found] for arm, found in planned.items()}


def choices(layout: Layout, rng: np.random.Generator) -> tuple[dict[str, Matrices], list[MeasuringChoice]]:
    """The scores as planned, and every choice of `alternatives.choices`, of one made-up run."""
    anywhere, *ways = draw(layout, rng)
    counts, *ways = (by_the_rule(layout, drawn, rng) for drawn in (anywhere, *ways))
    read = readings(layout, counts, anywhere, rng)
    base = shares(counts, K)
    *decoded, half = (shares(drawn, k_of(layout, way)) for way, drawn in enumerate(ways, 1))
    named = zip(DECODED, decoded, strict=False)
    rows = dict.fromkeys(base, tuple(range(layout.seeds)))
    titles = [f"b{place}" for place in range(len(layout.sizes))]
    found = [
        MeasuringChoice(READING, tuple(read)),
        MeasuringChoice(DECODING, tuple(instead(name, under, base) for name, under in named)),
        *of_scores(base, titles, rows, fixed=False),
        MeasuringChoice(BUDGET, (instead("half the budget", half, base),)),
    ]
    return base, found


def named(layout: Layout, rng: np.random.Generator) -> frozenset[str]:
    """The choices that a verdict on one made-up run says some sign depends on."""
    base, found = choices(layout, rng)
    target, *baselines = base
    asked = dependence.Question(target, baselines, {}, ALPHA, MARGIN, "algorithm")
    averages = {arm: average_of(matrices) for arm, matrices in base.items()}
    # what turns no sign by more than the margin is never named: no need to work out its intervals
    open_ = [one for one in found if any(_turns(one, averages, target, baseline) for baseline in baselines)]
    judged = [dependence.judge(one, base, asked, len(found)) for one in open_]
    return frozenset(one.choice.name for one in judged if any(test.depends for test in one.tests))


def _turns(choice: MeasuringChoice, planned: Mapping[str, float], target: str, baseline: str) -> bool:
    before = minus(planned, target, baseline) or 0.0
    after = [minus(one.averages, target, baseline) or 0.0 for one in choice.alternatives]
    return any(value * before < 0 and abs(value - before) > MARGIN for value in after)


def nulls() -> Iterator[Layout]:
    """Nothing depends on anything. Seeds of a study of one are all alike: otherwise its checkpoints do depend."""
    for sizes in ((30, 30), (500, 500), (30,) * 6, SIX):
        for seeds in (1, 3, 10):
            for decodings in (2, 3):
                for arms in (2, 4):
                    yield Layout(sizes, seeds, decodings, arms, 0.1 if seeds > 1 else 0.0)
    for seeds in (3, 10):
        yield Layout(SIX, seeds, 2, 4, 0.4)
        yield Layout((30, 30), seeds, 2, 4, 0.4)
        for lead in (0.01, 0.04):
            yield Layout(SIX, seeds, 2, 4, 0.1, lead)
            yield Layout((30, 30), seeds, 2, 4, 0.1, lead)


def causes() -> Iterator[Layout]:
    """The sign depends on one choice; a seed or benchmark that turns it lies far off, at most 45 points."""
    for sizes, arms in (((500, 500), 2), (SIX, 4)):
        for cause in (READING, DECODING, BENCHMARKS, SEED, BUDGET):
            for seeds in (3, 5, 10):
                for lead in (0.01, 0.02, 0.04):
                    layout = Layout(sizes, seeds, 2, arms, 0.1, lead, cause)
                    if np.abs(layout.gains()).max() <= 0.45:
                        yield layout


def null(place: int, layout: Layout, replicates: int) -> str:
    """A row: how often anything is named, and each choice."""
    rng = np.random.default_rng([9, place])
    found = [named(layout, rng) for _ in range(replicates)]
    rates = [np.mean([bool(one) for one in found]), *(np.mean([kind in one for one in found]) for kind in KINDS)]
    cells = " | ".join(f"{rate:.3f}".removeprefix("0") for rate in rates)
    return f"| {layout.words} | {layout.sd_seed:g}, {100 * layout.lead:g} | {cells} |"


def cause(place: int, layout: Layout, replicates: int) -> str:
    """A row: how often the true choice is named, alone or with others, and others without it."""
    rng = np.random.default_rng([10, place])
    found = [named(layout, rng) for _ in range(replicates)]
    true = frozenset([layout.cause])
    kinds = ("it alone", "it and others", "others alone", "none")
    of = ["none" if not one else kinds[0] if one == true else kinds[1] if one > true else kinds[2] for one in found]
    rates = [of.count(kind) / replicates for kind in kinds]
    cells = " | ".join(f"{rate:.3f}".removeprefix("0") for rate in rates)
    return f"| {layout.words} | {layout.cause} | ±{100 * layout.lead:g} | {cells} |"


HEADS = {
    "nulls": (
        f"| problems | seeds | decodings | arms | sd of seeds, lead | any | {' | '.join(KINDS)} |\n"
        f"|---|---:|---:|---:|---|---:|{'---:|' * len(KINDS)}"
    ),
    "causes": (
        "| problems | seeds | decodings | arms | cause | from, to | it alone | it and others | others alone | none |\n"
        "|---|---:|---:|---:|---|---|---:|---:|---:|---:|"
    ),
}
"""of the two tables"""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=1000, help="of the nulls; of causes half as many")
    parser.add_argument("--part", choices=list(HEADS))
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args(argv)
    with ProcessPoolExecutor(args.processes) as pool:
        for name, row, layouts, share in (("nulls", null, list(nulls()), 1), ("causes", cause, list(causes()), 2)):
            if args.part in (None, name):
                print(HEADS[name], flush=True)
                for line in pool.map(row, range(len(layouts)), layouts, repeat(args.replicates // share)):
                    print(line, flush=True)
                print()


if __name__ == "__main__":
    main()

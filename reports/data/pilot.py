"""What a plan could detect, at the variances of a run that is finished: its pilot."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

from harness.records import chain
from harness.records.links import Break
from reports.data.load import load
from reports.data.scores import AVERAGE, Scores, complete, headline
from reports.statistics import seed_correlation
from reports.statistics.basis import DesignBasis
from reports.statistics.design import AS_IT_IS, DesignChange, Sight, breakdown, sight
from reports.statistics.planned import PowerTarget, Variances
from reports.statistics.variance import VarianceSplit, typical
from reports.words import listing


@dataclass(frozen=True)
class PlannedDesign:
    """What is planned."""

    sizes: Mapping[str, tuple[int, int]]
    """benchmark -> problems, and attempts a problem"""
    target: PowerTarget
    """the test"""


@dataclass(frozen=True)
class Pilot:
    """The variances of a run, as those of a difference between two of its arms, and how to get from it to a plan."""

    run: str
    arms: list[str]
    seeds: int
    """an arm, the fewest"""
    splits: Mapping[str, VarianceSplit]
    """benchmark or `average` ->"""
    sizes: Mapping[str, tuple[int, int]]
    """benchmark -> problems and attempts a problem, of the pilot"""
    spare: float
    """harmonic mean of the arms' numbers of seeds"""
    correlation: float | None
    """of the arms' averages over the seeds they share, mean over pairs; None below three shared seeds"""
    notes: list[str]

    def effects(self, design: PlannedDesign, seeds: Sequence[int]) -> dict[int, dict[str, Sight | None]]:
        """Number of seeds -> benchmark or `average` -> minimum detectable effect."""
        return {s: {column: self.sight(design, s, column) for column in self.splits} for s in seeds}

    def sight(
        self, design: PlannedDesign, seeds: int, column: str = AVERAGE, more: DesignChange = AS_IT_IS
    ) -> Sight | None:
        """Minimum detectable effect of a design with so many seeds an arm; None where the pilot cannot tell, or one
        seed cannot.

        Args:
            column: a benchmark, or `average`.
            more: factors on top of the design, to see what more seeds, problems or samples would bring.
        """
        target = design.target
        if seeds * more.seeds < 2 and target.estimand != "checkpoints":
            return None
        change = self._change(design.sizes, seeds, list(design.sizes) if column == AVERAGE else [column], more)
        pairing = self._pairing(target)
        return sight(self.splits[column], change, target.estimand, target.alpha, self._stated, target.power, pairing)

    def variances(self, design: PlannedDesign, seeds: int) -> dict[str, float]:
        """What the variance of the average is made of in a design: `seeds`, `problems`, `samples`."""
        change = self._change(design.sizes, seeds, list(design.sizes), AS_IT_IS)
        pairing = self._pairing(design.target) or 0.0
        return breakdown(self.splits[AVERAGE], change, design.target.estimand, self._stated, pairing)

    def sampling_weights(self) -> list[float]:
        """Variance of one attempt on each benchmark, up to a factor; 0 where the pilot has one a problem."""
        both = zip(self.sizes.values(), self.splits[AVERAGE].cells, strict=True)
        return [problems * k * drawn if k > 1 else 0.0 for (problems, k), (_, drawn) in both]

    @property
    def _stated(self) -> float:
        return 2 * Variances().sd_seed ** 2 / self.spare

    def _pairing(self, target: PowerTarget) -> float | None:
        return (self.correlation or 0.0) if target.pair_seeds else None

    def _change(
        self, sizes: Mapping[str, tuple[int, int]], seeds: int, names: list[str], more: DesignChange
    ) -> DesignChange:
        ratios = [(sizes[name], self.sizes[name]) for name in names]
        return DesignChange(
            seeds=more.seeds * seeds / self.spare,
            problems=[more.problems[0] * ours[0] / theirs[0] for ours, theirs in ratios],
            samples=[more.samples[0] * ours[1] / theirs[1] for ours, theirs in ratios],
        )

    def to_json(self) -> dict[str, Any]:
        """For `rence plan --json`; variances are of a difference of two fractions."""
        parts = ("seed", "problem", "interaction", "sampling")
        return {
            "run": self.run,
            "arms": self.arms,
            "seeds": self.seeds,
            "seed_correlation": self.correlation,
            "variance": {name: {part: getattr(split, part) for part in parts} for name, split in self.splits.items()},
            "notes": self.notes,
        }


@dataclass(frozen=True)
class PilotBasis(DesignBasis):
    """A pilot's variances, for `statistics.optimise`."""

    pilot: Pilot
    problems: Mapping[str, int]
    """of each benchmark of the plan"""
    target: PowerTarget

    @property
    def least_seeds(self) -> int:
        return 1 if self.target.estimand == "checkpoints" else 2

    @property
    def weights(self) -> list[float]:
        return self.pilot.sampling_weights()

    def sight(self, seeds: int, samples: tuple[int, ...]) -> Sight | None:
        return self.pilot.sight(self._design(samples), seeds)

    def variances(self, seeds: int, samples: tuple[int, ...]) -> dict[str, float]:
        return self.pilot.variances(self._design(samples), seeds)

    def _design(self, samples: tuple[int, ...]) -> PlannedDesign:
        sizes = {name: (j, k) for (name, j), k in zip(self.problems.items(), samples, strict=True)}
        return PlannedDesign(sizes, self.target)


def read(run: Path, benchmarks: Sequence[str]) -> Pilot:
    """The arms of a run that have results on all of these benchmarks at the headline.

    Raises: DataError if files are broken; ValueError if there are not two such arms.
    """
    broken = chain.check(run).breaks
    found = load(run)
    cells = headline(found)
    lacking = [name for name in benchmarks if not any((arm.name, name) in cells for arm in found.plan.arms)]
    if lacking:
        asked = listing(list(found.plan.benchmarks))
        raise ValueError(
            f"the pilot {run} has no results on {listing(lacking)}; it was evaluated on {asked}.\n"
            "A pilot must have every benchmark of the plan: take another, or leave `--pilot` out for stated variances."
        )
    groups = {arm.name: group for arm in found.plan.arms if (group := complete(cells, arm.name, list(benchmarks)))}
    if len(groups) < 2:
        raise ValueError(
            f"the pilot {run} has {'one arm' if groups else 'no arm'} with results on all benchmarks of the plan; a "
            "difference takes two."
        )
    made = _pilot(str(run), list(benchmarks), _usable(groups))
    return replace(made, notes=[*made.notes, *_broken(run, broken)])


def _broken(run: Path, breaks: Sequence[Break]) -> list[str]:
    """A plan may rest on a run whose seals are broken, and says so."""
    if not breaks:
        return []
    more = f", and {len(breaks) - 1} more" if len(breaks) > 1 else ""
    said = f"{os.path.relpath(breaks[0].file, run)} {breaks[0].what}{more}"
    return [f"The pilot is not as it was made: {said}. `rence verify {run}` shows all."]


def _usable(groups: Mapping[str, list[Scores]]) -> dict[str, list[Scores]]:
    """Where two arms have several seeds, those of one are left out: they would hide noise in the problems' part."""
    several = {arm: group for arm, group in groups.items() if len(group[0].seeds) > 1}
    return several if len(several) > 1 else {arm: [s.only(s.seeds[:1]) for s in g] for arm, g in groups.items()}


def _pilot(run: str, benchmarks: list[str], groups: Mapping[str, list[Scores]]) -> Pilot:
    def of(places: list[int]) -> VarianceSplit:
        arms = [[group[b].values for b in places] for group in groups.values()]
        return typical(arms, [[group[b].k for b in places] for group in groups.values()])

    everything = list(range(len(benchmarks)))
    splits = {name: of([b]) for b, name in enumerate(benchmarks)} | {AVERAGE: of(everything)}
    first = next(iter(groups.values()))
    counts = [len(group[0].seeds) for group in groups.values()]
    return Pilot(
        run=run,
        arms=list(groups),
        seeds=min(counts),
        splits=splits,
        sizes={name: (len(s.problems), min(s.k)) for name, s in zip(benchmarks, first, strict=True)},
        spare=len(counts) / sum(1 / count for count in counts),
        correlation=_correlation(groups),
        notes=list(_notes(splits[AVERAGE], benchmarks)),
    )


def _correlation(groups: Mapping[str, list[Scores]]) -> float | None:
    averages = []
    for group in groups.values():
        shared = set.intersection(*(set(scores.seeds) for scores in group))
        averages.append({seed: fmean(scores.by_seed[seed] for scores in group) for seed in shared})
    found = [seed_correlation(a, b) for a, b in combinations(averages, 2)]
    known = [one for one in found if one is not None]
    return fmean(known) if known else None


def _notes(found: VarianceSplit, benchmarks: list[str]) -> list[str]:
    notes = []
    if not found.seeds:
        sd = 100 * Variances().sd_seed
        notes.append(f"The pilot has one seed an arm: the sd over seeds is stated, {sd:g} points, not measured.")
    single = [name for name, sampling in zip(benchmarks, found.samplings, strict=True) if sampling is None]
    if single:
        notes.append(
            f"The pilot has one sample a problem on {listing(single)}: what more samples would bring is not known, and "
            "is taken as nothing."
        )
    return notes

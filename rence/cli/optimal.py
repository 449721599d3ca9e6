"""`rence plan --optimise`: the cheapest design that finds a margin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.base.errors import UserError
from harness.planning import costs
from reports.statistics.basis import DesignBasis
from reports.statistics.optimise import (
    MOST_SAMPLES,
    DesignOption,
    DesignPrices,
    Optimum,
    optimise,
    option,
)
from reports.statistics.power import LARGEST

if TYPE_CHECKING:
    from harness.config.evaluation import Evaluation
    from harness.config.experiment import Experiment
    from harness.records import Plan

_HOW = "`--optimise` must be margin=POINTS,budget=N, such as margin=2,budget=3000000"
_UNIT = "responses: rollouts of training and attempts of evaluation, all arms and seeds and the untrained model"


@dataclass(frozen=True)
class OptimiseRequest:
    """What is asked."""

    margin: float
    """a fraction"""
    budget: int | None
    """responses; None: no bound"""


@dataclass(frozen=True)
class OptimalDesigns:
    """What was found, in the plan's own names."""

    request: OptimiseRequest
    experiment: Experiment
    problems: Mapping[str, int]
    """benchmark -> number of problems, those of the curve too"""
    planned: DesignOption
    found: Optimum

    @property
    def names(self) -> list[str]:
        """Benchmarks, in the order of `samples`."""
        return list(self.experiment.evaluation.benchmarks)

    def to_json(self) -> dict[str, Any]:
        """For `rence plan --json`: margin and effects are fractions."""
        found, known = self.found, self._design
        return {
            "margin": self.request.margin,
            "budget": self.request.budget,
            "unit": _UNIT,
            "fits": bool(found.designs),
            "binds": found.binds,
            "designs": [known(one) for one in found.designs],
            "planned": known(self.planned),
            "cheapest_at_any_budget": found.cheapest and known(found.cheapest),
            "best_within_budget": found.best and known(found.best),
            "largest_tried": known(found.limit),
        }

    def tokens(self, one: DesignOption) -> int:
        """At most, as the design's own plan says."""
        made = self.experiment if one is self.planned else designed(self.experiment, one)
        cost = costs.estimate(made, None, self.problems)
        return cost.train_tokens + cost.evaluation_tokens

    def _design(self, one: DesignOption) -> dict[str, Any]:
        return {
            **asdict(one),
            "samples": dict(zip(self.names, one.samples, strict=True)),
            "responses": one.responses,
            "tokens": self.tokens(one),
            "fits": self.fits(one),
        }

    def fits(self, one: DesignOption) -> bool:
        """Whether it finds the margin within the budget."""
        budget = self.request.budget
        finds = one.sight is not None and one.sight.upper <= self.request.margin
        return finds and (budget is None or one.responses <= budget)


def request(words: str) -> OptimiseRequest:
    """`margin=2,budget=3e6`. Raises: UserError with what is allowed."""
    given: dict[str, float] = {}
    for part in words.split(","):
        name, _, number = (word.strip() for word in part.partition("="))
        if name not in ("margin", "budget") or name in given:
            raise UserError(f"{_HOW}, but is {words} instead.")
        try:
            given[name] = float(number)
        except ValueError:
            raise UserError(f"{_HOW}, but its {name} is {number or 'empty'} instead.") from None
    margin, budget = given.get("margin"), given.get("budget")
    most = 100 * LARGEST
    if margin is None or not 0 < margin <= most:
        said = "missing" if margin is None else f"{margin:g}"
        raise UserError(f"--optimise: margin is in points, more than 0 and at most {most:.1f}, but is {said} instead.")
    if budget is not None and not (1 <= budget < 1e18 and budget == int(budget)):
        raise UserError(f"--optimise: budget must be a whole number, at least 1, but is {budget:g} instead.")
    return OptimiseRequest(margin / 100, None if budget is None else int(budget))


def search(
    experiment: Experiment, made: Plan, problems: Mapping[str, int], basis: DesignBasis, asked: OptimiseRequest
) -> OptimalDesigns:
    """
    Args:
        problems: benchmark -> number of problems, those of the curve too.
        basis: stated variances, or a pilot's, on the plan's benchmarks.
    Raises: UserError if the plan compares nothing.
    """
    if not made.comparison.baselines:
        raise UserError("--optimise: `comparison.baselines` is empty, so there is no difference to find.")
    planned = _prices(experiment, made, problems)
    varied = planned if not experiment.evaluation.others else _varied(experiment.evaluation, planned, problems)
    return OptimalDesigns(
        asked,
        experiment,
        problems,
        option(planned, basis, len(made.seeds), tuple(made.benchmarks.values())),
        optimise(varied, basis, asked.margin, asked.budget),
    )


def _prices(experiment: Experiment, made: Plan, problems: Mapping[str, int]) -> DesignPrices:
    """Of the plan: all other decodings as they are."""
    evaluation = experiment.evaluation
    _, *others = costs.headline(evaluation, problems).values()
    earlier = sum(problems[name] * k for name, k in made.curve_benchmarks.items())
    return DesignPrices(
        arms=len(made.arms),
        rollouts=made.budget_rollouts,
        problems=tuple(problems[name] for name in made.benchmarks),
        earlier=earlier * (evaluation.points - 1),
        beside=sum(others),
        most_samples=MOST_SAMPLES if evaluation.first.temperature else 1,
    )


def _varied(evaluation: Evaluation, planned: DesignPrices, problems: Mapping[str, int]) -> DesignPrices:
    """Of the designs: other decodings with a k of their own keep it, those without follow the headline's."""
    following, asked = follows(evaluation), costs.headline(evaluation, problems)
    beside = sum(asked[name] for name in evaluation.others if name not in following)
    return replace(planned, beside=beside, following=len(following))


def follows(evaluation: Evaluation) -> list[str]:
    """The other decodings whose k changes with the headline's: they ask as the benchmarks say, and there ks differ. One
    number for all benchmarks can be kept, as a k of their own."""
    decodings, differ = evaluation.decodings or {}, len({*evaluation.benchmarks.values()}) > 1
    return [name for name in evaluation.others if differ and decodings[name].k is None]


def designed(experiment: Experiment, one: DesignOption) -> Experiment:
    """The experiment with the seeds of a design, its own first, then the next that are free; and with its k on each
    benchmark, of the headline's decoding. Others keep theirs, but for those that follow."""
    seeds = list(experiment.seeds[: one.seeds])
    free = (seed for seed in range(one.seeds + len(experiment.seeds)) if seed not in experiment.seeds)
    seeds += [next(free) for _ in range(one.seeds - len(seeds))]
    evaluation = experiment.evaluation
    ks = dict(zip(evaluation.benchmarks, one.samples, strict=True))
    decodings, following = dict(evaluation.decodings or {}), follows(evaluation)
    for place, (name, decoding) in enumerate(decodings.items()):
        kept = decoding.k or next(iter(evaluation.benchmarks.values()))
        decodings[name] = replace(decoding, k=None if place == 0 or name in following else kept)
    return replace(
        experiment,
        seeds=tuple(seeds),
        evaluation=replace(evaluation, benchmarks=ks, decodings=decodings or None),
    )


def overrides(experiment: Experiment, one: DesignOption) -> list[str]:
    """The settings that make a plan of a design."""
    before, made = experiment.evaluation, designed(experiment, one)
    now, files = made.evaluation, before.files
    words = [f"seeds=[{','.join(map(str, made.seeds))}]"]
    if files:
        changed = {name: k for name, k in now.benchmarks.items() if before.benchmarks[name] != k}
        words += [f"evaluation.benchmarks.{name}{'.k' if name in files else ''}={k}" for name, k in changed.items()]
    else:
        words += [f"evaluation.benchmarks={{{', '.join(f'{name}: {k}' for name, k in now.benchmarks.items())}}}"]
    if now.decodings and now.decodings != before.decodings:
        written = {name: {k: v for k, v in vars(one).items() if v is not None} for name, one in now.decodings.items()}
        words.append(f"evaluation.decodings={json.dumps(written)}")
    return words

"""A plan with what it will cost and what it can show: all that can be known before anything is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.problems import TrainingSet
from harness.backends.registry import get_backend
from harness.base.errors import UserError
from harness.config.experiment import Experiment
from harness.models import resolving
from harness.planning import costs, own_rewards, plan, response_lengths, solve_rates, tuning
from harness.planning.measuring import MeasuredCosts, measured
from harness.planning.refilling import RefillForecast, forecast
from harness.planning.response_lengths import ResponseLength
from harness.planning.solve_rates import SolveRates
from harness.records import Plan, RunFolder, write_text
from harness.run import jobs

if TYPE_CHECKING:
    from rence.cli.effects import EffectTable
    from rence.cli.optimal import OptimalDesigns
    from reports.data.pilot import Pilot
    from reports.statistics import sharpen
    from reports.statistics.basis import DesignBasis
    from reports.statistics.design import Sight
    from reports.statistics.planned import PowerTarget, Variances

_OTHER_SEEDS = (5, 10)
"""what more seeds would buy is shown beside the plan's own number"""


@dataclass(frozen=True)
class CostedRoute:
    """A larger plan: what it could detect on the average, and what it takes beyond the plan."""

    words: str
    sight: Sight | None
    trials: int
    rollouts: int
    attempts: int
    hours: float | None
    """core- or GPU-hours, at most; None where the plan's are not known"""


@dataclass(frozen=True)
class PilotEffects:
    """What the plan could detect at the variances of a pilot."""

    pilot: Pilot
    effects: list[EffectTable]
    """what is planned, then these checkpoints, as those of the plan"""
    routes: list[CostedRoute]

    def to_json(self) -> dict[str, Any]:
        """For `rence plan --json`: effects as fractions, by number of seeds and benchmark; null where the pilot cannot
        tell."""
        return {
            **self.pilot.to_json(),
            **_effects_json(self.effects, estimated=True),
            "routes": [{**asdict(route), "sight": _range(route.sight)} for route in self.routes],
        }


def _effects_json(tables: list[EffectTable], estimated: bool = False) -> dict[str, Any]:
    planned, *others = [one.to_json(estimated) for one in tables]
    return {**planned, **({"checkpoints": others[0]} if others else {})}


def _refill_json(rates: SolveRates | None, arms: list[RefillForecast]) -> dict[str, Any]:
    """Shares as fractions; pairs are ranges."""
    if not arms:
        return {}
    return {"refill": {"solve_rates": asdict(rates) if rates else None, "arms": [asdict(arm) for arm in arms]}}


def _range(seen: Sight | None) -> dict[str, float] | None:
    return asdict(seen) if seen else None


@dataclass(frozen=True)
class Preview:
    """What `rence plan` shows."""

    experiment: Experiment
    """with what its tuning chose, where that is done"""
    plan: Plan
    costs: costs.Costs
    problems: dict[str, int]
    """benchmark -> number of problems"""
    train: TrainingSet
    """as expected: of ours nothing is loaded"""
    variances: Variances
    """assumed, not measured"""
    target: PowerTarget
    """the test, at the level that alpha leaves to each of the family"""
    effects: list[EffectTable]
    """what is planned; then these checkpoints, where the plan is about more"""
    pays_from: dict[int, float | None]
    """number of seeds -> the correlation of arms over seeds from which pairing by seed pays; None: from none"""
    measured: PilotEffects | None = None
    """None without a pilot"""
    tuning: costs.Costs | None = None
    """of the trials that come before; None where there are none, or none any more"""
    optimal: OptimalDesigns | None = None
    """None where it was not asked for"""
    rates: SolveRates | None = None
    """of the start model on training problems; None where they are not known"""
    length: ResponseLength | None = None
    """that is expected; None where it is not known"""
    spent: MeasuredCosts | None = None
    """so far, by this experiment's own run; None where it has no complete trial"""

    @property
    def refill(self) -> list[RefillForecast]:
        """Of the arms whose algorithm refills."""
        return forecast(self.experiment, self.rates)

    def to_json(self) -> dict[str, Any]:
        """What `rence plan --json` prints. Effects are fractions, `tuning` and `pilot` are there only where there is
        one."""
        return {
            "plan": self.plan.to_json(),
            "jobs": [job.name for job in jobs.of(RunFolder(Path("runs")), self.experiment)],
            "costs": self.costs.to_json(),
            **({"measured": self.spent.to_json()} if self.spent else {}),
            **({"response_length": asdict(self.length)} if self.length else {}),
            **({"tuning": self.tuning.to_json()} if self.tuning else {}),
            **({"optimise": self.optimal.to_json()} if self.optimal else {}),
            **_refill_json(self.rates, self.refill),
            "problems": self.problems,
            **({"own_rewards": found} if (found := own_rewards.to_json(self.experiment)) else {}),
            "training_set": {
                "problems": self.train.count,
                "removed": dict(self.train.expected_removed),
                **{name: found for name in ("kept", "unchecked") if (found := getattr(self.train, name))},
            },
            "minimum_detectable_effect": {
                "assumed": asdict(self.variances),
                "alpha": self.target.alpha,
                **_effects_json(self.effects),
                "pair_seeds": {"planned": self.target.pair_seeds, "pays_from": self.pays_from},
                **({"pilot": self.measured.to_json()} if self.measured else {}),
            },
        }


def preview(
    experiment: Experiment,
    pilot: Path | None = None,
    optimise: str | None = None,
    response_tokens: float | None = None,
) -> Preview:
    """Starts nothing.

    Args:
        pilot: a finished run, to take variances from.
        optimise: `margin=POINTS,budget=N`, to look for the cheapest design.
        response_tokens: how long a response is expected to be; None: as long as it was in the pilot or in the run of
            this experiment, where there is one.
    Raises: UserError if the pilot lacks a benchmark or a second arm, or `optimise` is not that; DataError if the pilot
        is broken.
    """
    from rence.cli import effects, optimal
    from reports.statistics.planned import PowerTarget, Variances

    wanted = None if optimise is None else optimal.request(optimise)
    model, variances = resolving.find(experiment.model), Variances()
    experiment, before = _tuned(experiment, model)
    made = plan.make(experiment, model)
    own_rewards.preview(experiment)
    asked = {**made.benchmarks, **made.curve_benchmarks}
    problems = {name: experiment.evaluation.benchmark(name).count for name in asked}
    comparison = made.comparison
    target = PowerTarget(
        comparison.estimand, comparison.alpha / max(1, len(comparison.baselines)), comparison.pair_seeds
    )
    sizes = {name: (problems[name], k) for name, k in made.benchmarks.items()}
    seeds = [len(made.seeds), *(s for s in _OTHER_SEEDS if s > len(made.seeds))]
    tables = [effects.stated(sizes, seeds, variances, one) for one in _targets(target)]
    pays_from = effects.pairing(sizes, seeds, variances, target)
    runs = [*([pilot] if pilot else []), Path("runs") / experiment.name]
    length = response_lengths.known(made, runs) if response_tokens is None else response_lengths.said(response_tokens)
    cost = costs.estimate(experiment, model, problems, length and length.tokens)
    train = experiment.training_preview
    made = replace(made, lock="") if before else made  # what its tuning chooses will be part of it
    seen = Preview(experiment, made, cost, problems, train, variances, target, tables, pays_from, tuning=before)
    seen = replace(seen, rates=solve_rates.known(experiment, made, runs), length=length)
    seen = replace(seen, spent=measured(made, runs[-1], cost))
    seen = seen if pilot is None else replace(seen, measured=_measured(experiment, seen, pilot, sizes))
    if wanted is None:
        return seen
    found = optimal.search(experiment, made, problems, _basis(seen), wanted)
    return replace(seen, optimal=found)


def _targets(target: PowerTarget) -> list[PowerTarget]:
    """What is planned, and these checkpoints: effects of the two are about different things, and are told apart."""
    alone = replace(target, estimand="checkpoints")
    return [target] if target.estimand == "checkpoints" else [target, alone]


def _tuned(experiment: Experiment, model: Path | None) -> tuple[Experiment, costs.Costs | None]:
    """The experiment as its tuning left it; or as it is, and what the tuning will cost."""
    first = tuning.stage(experiment)
    if first is None:
        return experiment, None
    run = RunFolder(Path("runs") / first.name)
    if run.plan.exists() and tuning.is_complete(run, first):
        plan.check_unchanged(Plan.read(run.plan), plan.make(first, model), run.root)
        return tuning.chosen(experiment, run), None
    problems = {name: first.evaluation.benchmark(name).count for name in first.evaluation.benchmarks}
    return experiment, costs.estimate(first, model, problems)


def _measured(experiment: Experiment, seen: Preview, run: Path, sizes: Mapping[str, tuple[int, int]]) -> PilotEffects:
    """What a pilot says of the plan: effects at its variances, and larger plans with their price.

    Args:
        run: the pilot's folder.
        sizes: benchmark -> problems and attempts a problem, of the plan.
    Raises: UserError if it lacks a benchmark or a second arm; DataError if it is broken.
    """
    from rence.cli.effects import EffectTable
    from reports.data import pilot as pilots
    from reports.data.scores import AVERAGE
    from reports.statistics import sharpen

    made = seen.plan
    try:
        found = pilots.read(run, list(sizes))
    except ValueError as error:
        raise UserError(str(error)) from None
    design = pilots.PlannedDesign(sizes, seen.target)
    curve = {name: (seen.problems[name], k) for name, k in made.curve_benchmarks.items()}
    # A pilot with one attempt a problem cannot tell what more attempts would bring, so that is not offered.
    points, sampled = experiment.evaluation.points, found.splits[AVERAGE].sampling is not None
    _, *others = costs.headline(experiment.evaluation, seen.problems).values()
    now = sharpen.effort(len(made.arms), len(made.seeds), made.budget_rollouts, points, sizes, curve, sum(others))
    routes = [
        CostedRoute(
            way.words,
            found.sight(design, len(made.seeds), AVERAGE, way.change),
            way.trials,
            way.rollouts,
            way.attempts,
            _hours(experiment, seen, way),
        )
        for way in sharpen.routes(now, samples=sampled)
    ]
    seeds = list(seen.effects[0].by_seeds)
    tables = [
        EffectTable(one.estimand, found.effects(replace(design, target=one), seeds)) for one in _targets(seen.target)
    ]
    return PilotEffects(found, tables, routes)


def _basis(seen: Preview) -> DesignBasis:
    """Stated variances, or the pilot's."""
    from reports.statistics.basis import StatedBasis

    problems = {name: seen.problems[name] for name in seen.plan.benchmarks}
    if seen.measured:
        from reports.data.pilot import PilotBasis  # which takes pandas, half a second

        return PilotBasis(seen.measured.pilot, problems, seen.target)
    return StatedBasis(tuple(problems.values()), seen.variances, seen.target)


def _hours(experiment: Experiment, seen: Preview, way: sharpen.Route) -> float | None:
    """A trial costs as much as one of the plan; further attempts of its checkpoints cost their sampling."""
    cost, evaluation = seen.costs, experiment.evaluation
    if cost.hours is None or cost.parameters is None:
        return None
    if way.trials:
        return cost.hours * way.trials / cost.trials
    tokens = (way.attempts - way.beside) * evaluation.first.max_tokens
    if way.beside:  # by the other decodings, each as often as the plan asks it
        asked = costs.headline(evaluation, seen.problems)
        longest = sum(asked[name] * other.max_tokens for name, other in evaluation.others.items())
        tokens += way.beside * longest // sum(asked[name] for name in evaluation.others)
    return costs.sampling_hours(experiment, cost.parameters, tokens)


def backend_configs(experiment: Experiment) -> dict[str, Path]:
    """What the backend has of its own to configure, for each arm, checked and written beside the run folder, as
    `runs/NAME.BACKEND/ARM.yaml`; nothing for a backend that has none.

    Raises: UserError if what it takes to check them is not here, or refuses.
    """
    run, written = RunFolder(Path("runs") / experiment.name), {}
    for arm, text in get_backend(experiment.backend).configs(experiment, run).items():
        written[arm] = run.root.with_name(f"{experiment.name}.{experiment.backend}") / f"{arm}.yaml"
        write_text(written[arm], text)
    return written

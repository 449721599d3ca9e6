"""A plan with what it will cost and what it can show: all that can be known before anything is started."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import registry as benchmarks
from benchmarks.problems import TrainingSet
from harness import costs, models, plan
from harness.experiment import Experiment, Trial
from harness.records import Plan, RunFolder, write_text

if TYPE_CHECKING:
    from reports.power import Variances

_OTHER_SEEDS = (5, 10)
"""what more seeds would buy is shown beside the plan's own number"""


@dataclass(frozen=True)
class Preview:
    """What `rence plan` shows."""

    plan: Plan
    costs: costs.Costs
    problems: dict[str, int]
    """benchmark -> number of problems"""
    train: TrainingSet
    """as expected; nothing is loaded"""
    variances: Variances
    """assumed, not measured"""
    alpha: float
    """level of one test: Holm's first step"""
    effects: dict[int, dict[str, float]]
    """number of seeds -> benchmark or `average` -> minimum detectable effect, as a fraction"""

    def to_json(self) -> dict[str, Any]:
        return {
            "plan": self.plan.to_json(),
            "costs": asdict(self.costs),
            "problems": self.problems,
            "training_set": {"problems": self.train.count, "removed": dict(self.train.expected_removed)},
            "minimum_detectable_effect": {
                "assumed": asdict(self.variances),
                "alpha": self.alpha,
                "by_seeds": self.effects,
            },
        }


def preview(experiment: Experiment) -> Preview:
    """Starts nothing."""
    from reports.power import Variances, detectable_effects

    model, variances = models.find(experiment.model), Variances()
    made = plan.make(experiment, model)
    asked, limit = {**made.benchmarks, **made.curve_benchmarks}, experiment.evaluation.limit
    problems = {name: benchmarks.benchmark(name).first(limit).count for name in asked}
    alpha = made.comparison.alpha / max(1, len(made.comparison.baselines))
    sizes = {name: (problems[name], k) for name, k in made.benchmarks.items()}
    seeds = [len(made.seeds), *(s for s in _OTHER_SEEDS if s > len(made.seeds))]
    effects = {s: detectable_effects(sizes, s, variances, alpha) for s in seeds}
    cost = costs.estimate(experiment, model, problems)
    train = benchmarks.training_set(made.train)
    return Preview(made, cost, problems, train, variances, alpha, effects)


def backend_configs(experiment: Experiment) -> dict[str, Path]:
    """For backend `verl`, its complete config for each arm's first seed, checked by verl and written beside the run
    folder, as `runs/NAME.verl/ARM.yaml`; nothing for another backend.

    Raises: UserError if verl is not here, or refuses.
    """
    if experiment.backend != "verl":
        return {}
    from harness.backends.verl import limits, settings

    limits.check_verl()
    run, written = RunFolder(Path("runs") / experiment.name), {}
    for arm in experiment.arms:
        trial = Trial(experiment, arm, experiment.seeds[0])
        model = models.find(experiment.model) or experiment.model
        config = settings.translate(trial, model, run.trial(arm.name, trial.seed).root / "verl")
        settings.validate(config)
        written[arm.name] = run.root.with_name(f"{experiment.name}.verl") / f"{arm.name}.yaml"
        head = f"# verl {settings.VERSION}: {trial.name} of {experiment.name}, written by `rence run --dry-run`\n"
        write_text(written[arm.name], head + settings.as_yaml(config))
    return written

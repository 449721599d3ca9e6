"""What `rence plan` shows on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rence.cli.console import out, table

if TYPE_CHECKING:
    from harness.config.experiment import Experiment
    from harness.planning.costs import Costs
    from harness.records import Plan
    from rence.cli.preview import PilotEffects, Preview
    from reports.statistics.design import Sight

_DESIGNS = {"full": "Full grid", "one_at_a_time": "One factor at a time", "ablate": "Minus one piece each"}
_MOST_NAMES = 12
"""baselines that a plan names one by one"""


def tuned_by(experiment: Experiment) -> str:
    """`4 arms x 3 candidates x 1 seed = 12 trials of 12,288 rollouts`"""
    search = experiment.search
    assert search is not None
    parts = ((search.arms, "arm"), (search.candidates, "candidate"), (search.seeds, "seed"))
    counted = " x ".join(f"{len(of)} {noun}{'s' if len(of) > 1 else ''}" for of, noun in parts)
    return f"{counted} = {search.trials} trials of {search.budget_rollouts:,} rollouts"


def print_plan(experiment: Experiment, seen: Preview) -> None:
    """The plan for people."""
    console = out()
    made = seen.plan
    lock = made.lock or "not locked: its tuning has not chosen yet"
    console.print(f"[bold]{made.experiment}[/]  plan {lock}")
    console.print(
        f"{len(made.arms)} arms x {len(made.seeds)} seeds = {seen.costs.trials} trials of "
        f"{made.budget_rollouts:,} rollouts on {made.train}, from {made.model} "
        f"({made.model_hash[:12] or 'not here yet'}), "
        f"backend {made.backend}"
    )
    removed = ", ".join(f"{count:,} {reason}" for reason, count in seen.train.expected_removed.items())
    if removed:
        console.print(f"{made.train}: {seen.train.count:,} problems; left out: {removed}")
    arms = table("arm", "algorithm", "differs from the recipe", "fingerprint")
    for arm in made.arms:
        differs = ", ".join(f"{key} {value}" for key, value in arm.recipe_differences.items())
        arms.add_row(arm.name, arm.title, differs or "-", arm.fingerprint)
    console.print(arms)
    _print_sweeps(experiment, made, seen)
    _print_power(seen)
    if seen.measured:
        _print_measured(seen, seen.measured)
    _print_costs(seen.costs)
    if seen.tuning:
        console.print("\nTuning comes on top of that:")
        _print_costs(seen.tuning)


def _print_sweeps(experiment: Experiment, made: Plan, seen: Preview) -> None:
    """A line for each grid or ablation, what tuning tries or has chosen, and how much of the cap is used, tuning
    included."""
    console, search = out(), experiment.search
    for sweep in made.sweeps:
        how = _DESIGNS[sweep.kind]
        levels = [", ".join(sweep.factors)] if sweep.kind == "ablate" else []
        levels = levels or [f"{name} ({', '.join(each)})" for name, each in sweep.factors.items()]
        between = " x " if sweep.kind == "full" else "; "
        console.print(f"{how} around {sweep.base}: {between.join(levels)}: {len(sweep.cells)} arms", markup=False)
    if search:
        tried = "; ".join(one.label for one in search.candidates)
        where = ", ".join(f"{name}: {k}" for name, k in search.benchmarks.items())
        console.print(f"Tuning first: {tuned_by(experiment)}, on {where}; {search.choose}; {tried}", markup=False)
    elif "chosen" in experiment.tuning:
        from harness.planning.tuning import in_words

        console.print(f"Tuning (runs/{experiment.tuning['run']}) chose {in_words(experiment)}", markup=False)
    before = seen.tuning
    spent = {"trials": seen.costs.trials, "rollouts": seen.costs.rollouts}
    if before:
        spent = {"trials": spent["trials"] + before.trials, "rollouts": spent["rollouts"] + before.rollouts}
    caps = [f"{spent[what]:,} of {most:,} {what}" for what in spent if (most := getattr(experiment.cap, what))]
    if caps:
        console.print(f"Cap: {', '.join(caps)}")


def _print_power(seen: Preview) -> None:
    """What the primary comparison could detect, in points of percent, for the plan's seeds and more; and what was
    assumed to say so."""
    console, made, assumed = out(), seen.plan, seen.variances
    comparison = made.comparison
    against = comparison.baselines
    named = ", ".join(against) if len(against) <= _MOST_NAMES else f"the {len(against)} other arms named above"
    if len(against) > _MOST_NAMES and len(against) < len(made.arms) - 1:
        named = f"{len(against)} arms"
    console.print(
        f"Primary: {comparison.target} against {named or 'nothing'}, on the average, "
        f"estimand {comparison.estimand}, Holm within alpha {comparison.alpha:g}"
    )
    columns = {seeds: f"{seeds} seeds" if seeds > 1 else "1 seed" for seeds in seen.effects}
    power = table("benchmark", "problems", "k", *columns.values(), numbers=("problems", "k", *columns.values()))
    for name in next(iter(seen.effects.values())):
        size = [str(seen.problems[name]), str(made.benchmarks[name])] if name in made.benchmarks else ["", ""]
        power.add_row(name, *size, *(f"{100 * seen.effects[seeds][name]:.1f}" for seeds in columns))
    console.print(f"Smallest difference found with power 80 % at level {seen.alpha:.4g}, in points of percent:")
    console.print(power)
    console.print(
        f"Assumed, not measured: sd over seeds {100 * assumed.sd_seed:g} points, sd over problems of the true "
        f"difference {100 * assumed.sd_effect:g} points, variance of an attempt {assumed.sampling:.3f}; "
        "V = 2 sd_seed^2 / S + sd_effect^2 / n + 2 v_attempt / (S n k)"
    )


def _print_measured(seen: Preview, measured: PilotEffects) -> None:
    """Ranges are from the estimate to its upper 80 % bound."""
    console, pilot = out(), measured.pilot
    columns = {seeds: f"{seeds} seeds" if seeds > 1 else "1 seed" for seeds in measured.effects}
    power = table("benchmark", *columns.values(), numbers=tuple(columns.values()))
    for name in pilot.splits:
        power.add_row(name, *(_span(measured.effects[seeds][name]) for seeds in columns))
    count = f"{pilot.seeds} seeds" if pilot.seeds > 1 else "1 seed"
    console.print(f"\nThe same at the variances of {pilot.run} ({', '.join(pilot.arms)}; {count}),")
    console.print("from the estimate to its upper 80 % bound:")
    console.print(power)
    for note in pilot.notes:
        console.print(note)
    hours = f"{seen.costs.unit}-hours"
    further = ("trials", "rollouts", "attempts", *([hours] if seen.costs.hours is not None else []))
    ways = table("design", "average", *further, numbers=("average", *further))
    for route in measured.routes:
        numbers = [f"{number:,}" for number in (route.trials, route.rollouts, route.attempts)]
        ways.add_row(route.words, _span(route.sight), *numbers, *([] if route.hours is None else [_short(route.hours)]))
    console.print("What would sharpen the average, and what it takes beyond this plan, at most:")
    console.print(ways)


def _span(sight: Sight | None) -> str:
    return "-" if sight is None else f"{100 * sight.estimate:.1f} to {100 * sight.upper:.1f}"


def _print_costs(costs: Costs) -> None:
    console = out()
    console.print(
        f"\nAt most, with every response as long as allowed:\n"
        f"  training {costs.rollouts:,} rollouts, {costs.train_tokens:,} tokens; "
        f"evaluation {costs.attempts:,} attempts, {costs.evaluation_tokens:,} tokens"
    )
    if costs.parameters is None:
        console.print("  FLOPs, hours and disk: not known, the model's weights are not here to be counted")
        return
    hours = "hours not known for this backend" if costs.hours is None else f"{_short(costs.hours)} {costs.unit}-hours"
    if costs.hours is not None and costs.devices > 1:
        hours += f" ({_short(costs.hours / costs.devices)} hours on {costs.devices} {costs.unit}s)"
    disk = f"disk {_bytes(costs.disk_bytes or 0)}"
    how = "" if costs.counted else " (stated; the weights are not here to be counted)"
    console.print(f"  {costs.parameters:,} parameters{how}, {costs.flops:.2g} FLOPs, {hours}, {disk}")
    if costs.throughput:
        console.print(f"Hours assume the speed of {costs.throughput}")


def _short(number: float) -> str:
    """Two digits, or all that stand before the point."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _bytes(count: int) -> str:
    return f"{count / 1e9:,.0f} GB" if count >= 1e11 else f"{count / 1e6:,.0f} MB"

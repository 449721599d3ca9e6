"""What `rence plan` shows on a terminal."""

from __future__ import annotations

from collections.abc import Sized
from typing import TYPE_CHECKING, Any

from rence.cli.console import out, table, titled
from rence.cli.optimal_tables import print_optimal
from rence.cli.power_tables import print_measured, print_power, short
from rence.cli.prediction_tables import print_measured_costs, print_prediction

if TYPE_CHECKING:
    from harness.config.experiment import Experiment
    from harness.planning.costs import Costs
    from harness.records import Plan
    from rence.cli.preview import Preview

_DESIGNS = {"full": "Full grid", "one_at_a_time": "One factor at a time", "ablate": "Minus one piece each"}


def tuned_by(experiment: Experiment) -> str:
    """`4 arms x 3 candidates x 1 seed = 12 trials of 12,288 rollouts`"""
    search = experiment.search
    assert search is not None
    parts = ((search.arms, "arm"), (search.candidates, "candidate"), (search.seeds, "seed"))
    counted = " x ".join(_counted(of, noun) for of, noun in parts)
    return f"{counted} = {search.trials} trials of {search.budget_rollouts:,} rollouts"


def _counted(of: Sized, noun: str) -> str:
    return f"{len(of)} {noun}{'' if len(of) == 1 else 's'}"


def print_plan(experiment: Experiment, seen: Preview) -> None:
    """The plan for people."""
    from harness.planning import own_rewards

    console = out()
    made = seen.plan
    lock = made.lock or "not locked: its tuning has not chosen yet"
    console.print(titled(made.experiment, f"  plan {lock}"))
    trials = _counted(range(seen.costs.trials), "trial")
    console.print(
        f"{_counted(made.arms, 'arm')} x {_counted(made.seeds, 'seed')} = {trials} of "
        f"{made.budget_rollouts:,} rollouts on {made.train}, from {made.model} "
        f"({made.model_hash[:12] or 'not here yet'}), "
        f"backend {made.backend}{_on(experiment)}"
    )
    removed = ", ".join(f"{count:,} {reason}" for reason, count in seen.train.expected_removed.items())
    if removed or made.train_hash:
        left_out = removed or "none"
        console.print(f"{made.train}: {seen.train.count:,} problems; left out: {left_out}{_of_file(experiment, seen)}")
    _print_arms(made)
    for own in own_rewards.to_json(experiment):
        console.print(f"Reward {own['reward']} fails {own['fails']}.\nA failed one is counted {own['counted']}.")
    _print_refill(seen)
    _print_sweeps(experiment, made, seen)
    _print_decodings(made, seen)
    print_power(seen)
    if seen.measured:
        print_measured(seen, seen.measured)
    if seen.optimal:
        print_optimal(experiment, seen.target, seen.optimal)
    _print_costs(seen.costs)
    print_prediction(seen.costs.prediction, seen.length)
    # Beside what was foreseen stands what the experiment's own run took, once it has a complete trial.
    if seen.spent:
        print_measured_costs(seen.spent, seen.costs)
    if seen.tuning:
        console.print("\nTuning comes on top of that:")
        _print_costs(seen.tuning)


def _on(experiment: Experiment) -> str:
    """What trials compute on, as this machine settles it."""
    from harness.backends.registry import get_backend

    found = get_backend(experiment.backend).computes_on(experiment)
    return f", {found}" if found else ""


def _of_file(experiment: Experiment, seen: Preview) -> str:
    """What is said of a training set that is a file: where it is, and what it shares with what is evaluated."""
    own = experiment.train_file
    if own is None:
        return ""
    kept = "".join(f"; {count:,} {reason} are learnt from all the same" for reason, count in seen.train.kept.items())
    unchecked = seen.train.unchecked
    looked = f"; not compared with {', '.join(unchecked)}, which {'are' if unchecked[1:] else 'is'} not on this machine"
    return f" (file {own.file}, hash {own.hash}){kept}{looked if unchecked else ''}"


def _print_arms(made: Plan) -> None:
    arms = table("arm", "algorithm", "differs from the recipe", "fingerprint")
    for arm in made.arms:
        differs = ", ".join(f"{key} {_written(value)}" for key, value in arm.recipe_differences.items())
        arms.add_row(arm.name, arm.title, differs or "-", arm.fingerprint)
    out().print(arms)


def _written(value: Any) -> str:
    """A setting of several, such as `lora`, in brackets."""
    from harness.config.factors import words

    return f"({words(value)})" if isinstance(value, dict) else str(value)


def _print_refill(seen: Preview) -> None:
    """What the arms that refill ask for, and what the figures rest on."""
    arms = seen.refill
    if not arms:
        return
    console = out()
    found = table("refill", "groups that pass", "prompts a step", "steps", "surplus of passing", "short steps")
    for arm in arms:
        found.add_row(
            arm.arm,
            "not known" if arm.passing is None else f"{100 * arm.passing:.0f} %",
            _between(arm.prompts),
            _between(arm.steps),
            _between((100 * arm.surplus[0], 100 * arm.surplus[1])) + " %",
            _between((100 * arm.short[0], 100 * arm.short[1])) + " %",
        )
    console.print(found)
    if seen.rates:
        console.print(
            f"Refill, as training begins: the start model solves a training problem in "
            f"{100 * seen.rates.mean:.0f} % of its rollouts ({seen.rates.source}). It changes as a model learns."
        )
    else:
        console.print(
            "Refill: how many groups pass is not known before training, so the range is what is possible. A run that "
            "was begun with this model and these problems tells: `--pilot RUN`."
        )


def _between(both: tuple[float, float]) -> str:
    low, high = (f"{one:.0f}" for one in both)
    return low if low == high else f"{low} to {high}"


def _print_decodings(made: Plan, seen: Preview) -> None:
    """A line for each, where there are several; the first is what the effects below are about."""
    for place, (name, one) in enumerate(made.decodings.items()):
        attempts = sum(seen.problems[benchmark] * k for benchmark, k in one.benchmarks.items())
        role = "beside it" if place else "the headline's"
        words = f"temperature {one.temperature:g}, top_p {one.top_p:g}, at most {one.max_tokens:,} tokens"
        out().print(f"Decoding {name}, {role}: {words}, {attempts:,} attempts of a checkpoint")


def _print_sweeps(experiment: Experiment, made: Plan, seen: Preview) -> None:
    """A line for each grid or ablation, what tuning tries or has chosen, and how much of the cap is used, tuning
    included."""
    console, search = out(), experiment.search
    for sweep in made.sweeps:
        how = _DESIGNS[sweep.kind]
        levels = [", ".join(sweep.factors)] if sweep.kind == "ablate" else []
        levels = levels or [f"{name} ({', '.join(each)})" for name, each in sweep.factors.items()]
        between = " x " if sweep.kind == "full" else "; "
        console.print(f"{how} around {sweep.base}: {between.join(levels)}: {len(sweep.cells)} arms")
    if search:
        tried = "; ".join(one.label for one in search.candidates)
        where = ", ".join(f"{name}: {k}" for name, k in search.benchmarks.items())
        console.print(f"Tuning first: {tuned_by(experiment)}, on {where}; {search.choose}; {tried}")
    elif "chosen" in experiment.tuning:
        from harness.planning.tuning import in_words

        console.print(f"Tuning (runs/{experiment.tuning['run']}) chose {in_words(experiment)}")
    before = seen.tuning
    spent = {"trials": seen.costs.trials, "rollouts": seen.costs.rollouts}
    if before:
        spent = {"trials": spent["trials"] + before.trials, "rollouts": spent["rollouts"] + before.rollouts}
    caps = [f"{spent[what]:,} of {most:,} {what}" for what in spent if (most := getattr(experiment.cap, what))]
    if caps:
        console.print(f"Cap: {', '.join(caps)}")


def _print_costs(costs: Costs) -> None:
    """What all of it costs from above; the rest is said only where the model's size is known."""
    console = out()
    console.print(
        f"\nAt most, with every response as long as allowed:\n"
        f"  training {costs.rollouts:,} rollouts, {costs.train_tokens:,} tokens; "
        f"evaluation {costs.attempts:,} attempts, {costs.evaluation_tokens:,} tokens"
    )
    if costs.parameters is None:
        console.print("  FLOPs, hours and disk: not known, the model's weights are not here to be counted")
        return
    hours = "hours not known for this backend" if costs.hours is None else f"{short(costs.hours)} {costs.unit}-hours"
    if costs.hours is not None and costs.devices > 1:
        hours += f" ({short(costs.hours / costs.devices)} hours on {costs.devices} {costs.unit}s)"
    disk = f"disk {_bytes(costs.disk_bytes or 0)}"
    how = "" if costs.counted else " (stated; the weights are not here to be counted)"
    console.print(f"  {costs.parameters:,} parameters{how}, {costs.flops:.2g} FLOPs, {hours}, {disk}")
    # The one line of hours is of one type of device; where several are foreseen, a table follows.
    if costs.prediction.hours:
        console.print(f"Hours are those of {costs.prediction.hours[0].device}s.")
    elif costs.throughput:
        console.print(f"Hours assume the speed of {costs.throughput}")


def _bytes(count: int) -> str:
    return f"{count / 1e9:,.0f} GB" if count >= 1e11 else f"{count / 1e6:,.0f} MB"

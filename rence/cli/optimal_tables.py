"""The cheapest design of a plan, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rence.cli.console import out, table
from rence.cli.effects import COVERS, in_points
from rence.cli.optimal import OptimalDesigns, follows, overrides
from reports.statistics.optimise import DesignOption

if TYPE_CHECKING:
    from rich.table import Table

    from harness.config.evaluation import Evaluation
    from harness.config.experiment import Experiment
    from reports.statistics.planned import PowerTarget


def print_optimal(experiment: Experiment, target: PowerTarget, found: OptimalDesigns) -> None:
    """A table of the cheapest few, what binds, and the command that plans the first."""
    console, asked = out(), found.request
    within = "" if asked.budget is None else f" within {asked.budget:,} responses"
    points = f"{100 * asked.margin:g} point{'' if asked.margin == 0.01 else 's'}"
    console.print(
        f"\nDesigns that find {points} with power 80 % at level {target.alpha:.4g}{within}, "
        f"about {COVERS[target.estimand]}:"
    )
    rows = {"as planned": found.planned, **{f"{place}.": one for place, one in enumerate(found.found.designs, 1)}}
    if found.found.best:
        rows["best within the budget"] = found.found.best
    if not found.found.designs and found.found.cheapest:
        rows["cheapest at any budget"] = found.found.cheapest
    console.print(_table(found, rows))
    console.print(
        f"k of {', '.join(found.names)}. A response is a rollout of training or an attempt of evaluation, of all arms, "
        "seeds and the untrained model; tuning is not counted. Tokens are at most.",
    )
    if experiment.evaluation.others:
        console.print(_decodings(experiment.evaluation))
    for sentence in _sentences(found):
        console.print(sentence)
    if found.found.designs:
        words = " ".join(f"'{word}'" for word in overrides(experiment, found.found.designs[0]))
        console.print(f"To plan the first, add to the command: {words}")


def _table(found: OptimalDesigns, rows: Mapping[str, DesignOption]) -> Table:
    heads = ("seeds", "k", "rollouts", "attempts", "responses", "tokens", "finds")
    made = table("design", *heads, "most of the variance", numbers=heads)
    for name, one in rows.items():
        most = max(one.shares, key=one.shares.__getitem__)
        ks = [str(one.samples[0])] if len(set(one.samples)) == 1 else map(str, one.samples)
        made.add_row(
            name,
            str(one.seeds),
            " ".join(ks),
            *(f"{number:,}" for number in (one.rollouts, one.attempts, one.responses)),
            f"{found.tokens(one):.2g}",
            "-" if one.sight is None else in_points(one.sight),
            f"{most}, {100 * one.shares[most]:.0f} %",
        )
    return made


def _decodings(evaluation: Evaluation) -> str:
    """Whose k is varied, and what the other decodings do."""
    first, following = next(iter(evaluation.ways)), follows(evaluation)
    kept = {
        name: f"{name} keeps {_attempts(max(way.benchmarks.values()))} a problem"
        for name, way in evaluation.others.items()
    }
    also = [f"{name}, without a k of its own, asks as often" if name in following else kept[name] for name in kept]
    return f"This is the k of the headline's decoding, {first}; {'; '.join(also)}."


def _attempts(count: int) -> str:
    return f"{count} attempt{'' if count == 1 else 's'}"


def _sentences(found: OptimalDesigns) -> list[str]:
    """Which binds; and where nothing fits, how far the best gets."""
    asked, result = found.request, found.found
    if result.designs:
        return [
            f"What binds: {result.binds}, {100 * result.designs[0].shares[result.binds]:.0f} % of the variance left."
        ]
    if result.cheapest is None:
        limit = result.limit
        sight = limit.sight
        reach = "No difference can be told: a benchmark has one problem, or nothing varied."
        if sight:
            reach = (
                f"{limit.seeds} seeds and {_attempts(max(limit.samples))} a problem find {in_points(sight)} points. "
                f"It takes at least {(sight.upper / asked.margin) ** 2:.1f} times as many problems."
            )
        said = [f"None fits, whatever the budget: problems bind. {reach}"]
    else:
        times = result.cheapest.responses / (asked.budget or 1)
        said = [f"None fits: the budget binds. The cheapest that would do takes {times:.3g} times as much."]
    if result.best is None and asked.budget is not None:
        said.append("The budget pays no design at all: not the fewest seeds with one attempt a problem.")
    return said

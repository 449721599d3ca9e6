"""What a plan could detect, on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rence.cli.console import out, table
from rence.cli.effects import COVERS, NO_TEST, ONE_SEED, EffectTable, in_points

if TYPE_CHECKING:
    from rence.cli.preview import PilotEffects, Preview

_MOST_NAMES = 12
"""baselines that a plan names one by one"""


def print_power(seen: Preview) -> None:
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
        f"estimand {comparison.estimand}, family-wise error {comparison.alpha:g}"
    )
    rows = [[name, *_size(seen, name)] for name in (*made.benchmarks, "average")]
    level = f"Smallest difference found with power 80 % at level {seen.target.alpha:.4g}, in points of percent"
    for effects in seen.effects:
        console.print(f"{level}, about {COVERS[effects.covers]}:")
        _print_effects(effects, ["benchmark", "problems", "k"], rows)
    console.print(
        f"Assumed, not measured: sd over seeds {100 * assumed.sd_seed:g} points, sd over problems of the true "
        f"difference {100 * assumed.sd_effect:g} points, variance of an attempt {assumed.sampling:.3f}; "
        "V = 2 sd_seed^2 / S + sd_effect^2 / n + 2 v_attempt / (S n k)"
    )
    _print_pairing(seen)


def print_measured(seen: Preview, measured: PilotEffects) -> None:
    """Ranges are from the estimate to its upper 80 % bound."""
    console, pilot = out(), measured.pilot
    count = f"{pilot.seeds} seeds" if pilot.seeds > 1 else "1 seed"
    console.print(f"\nThe same at the variances of {pilot.run} ({', '.join(pilot.arms)}; {count}),")
    for effects in measured.effects:
        console.print(f"from the estimate to its upper 80 % bound, about {COVERS[effects.covers]}:")
        _print_effects(effects, ["benchmark"], [[name] for name in pilot.splits])
    for note in pilot.notes:
        console.print(note)
    hours = f"{seen.costs.unit}-hours"
    further = ("trials", "rollouts", "attempts", *([hours] if seen.costs.hours is not None else []))
    ways = table("design", "average", *further, numbers=("average", *further))
    for route in measured.routes:
        numbers = [f"{number:,}" for number in (route.trials, route.rollouts, route.attempts)]
        span = "-" if route.sight is None else in_points(route.sight)
        ways.add_row(route.words, span, *numbers, *([] if route.hours is None else [short(route.hours)]))
    console.print("What would sharpen the average, and what it takes beyond this plan, at most:")
    console.print(ways)


def short(number: float) -> str:
    """Two digits, or all that stand before the point."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _size(seen: Preview, name: str) -> list[str]:
    k = seen.plan.benchmarks.get(name)
    return ["", ""] if k is None else [str(seen.problems[name]), str(k)]


def _print_effects(effects: EffectTable, heads: list[str], rows: list[list[str]]) -> None:
    console = out()
    columns = {seeds: f"{seeds} seeds" if seeds > 1 else "1 seed" for seeds in effects.by_seeds}
    power = table(*heads, *columns.values(), numbers=(*heads[1:], *columns.values()))
    for row in rows:
        power.add_row(*row, *(effects.cell(seeds, row[0]) for seeds in columns))
    console.print(power)
    reasons = {reason for row in effects.reasons().values() for reason in row.values()}
    if ONE_SEED in reasons:
        console.print(f"-: {ONE_SEED}: it shows nothing of how far another seed would be from it.")
    if NO_TEST in reasons:
        console.print(f"-: {NO_TEST}.")
    if 2 in columns and effects.covers != "checkpoints":
        console.print("Two seeds leave one degree of freedom an arm: the noise between seeds is all but unknown.")


def _print_pairing(seen: Preview) -> None:
    """From which correlation pairing by seed pays, and what was planned."""
    if not seen.pays_from:
        return
    found = [f"{'none' if least is None else f'{least:.2f}'} with {s} seeds" for s, least in seen.pays_from.items()]
    pilot = seen.measured.pilot.correlation if seen.measured else None
    measured = "" if pilot is None else f" The pilot's arms have {pilot:.2f}."
    how = "Seeds are not paired. Pairing them (comparison.pair_seeds) would pay"
    if seen.plan.comparison.pair_seeds:
        assumed = f"above at the stated correlation {seen.variances.correlation:g}"
        how = f"Seeds are paired, {assumed}; a seed that one arm lacks is left out of that pair. It pays"
    out().print(f"{how} from a correlation of the arms' scores over seeds of {', '.join(found)}.{measured}")

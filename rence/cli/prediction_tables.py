"""What the backend foresees, on a terminal: hours by type of device, memory by phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.backends.predicted import total
from rence.cli.console import out, table
from rence.cli.power_tables import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.backends.predicted import DeviceHours, MemoryPhase, Prediction
    from harness.planning.costs import Costs
    from harness.planning.measuring import MeasuredCosts
    from harness.planning.response_lengths import ResponseLength

_LARGEST = 4
"""parts of a phase that are named"""


def print_prediction(seen: Prediction, length: ResponseLength | None) -> None:
    """Nothing where the backend foresees nothing."""
    if not seen.memory:
        return
    console = out()
    if seen.hours:
        _print_hours(seen, length)
    first = f" ({seen.hours[0].device})" if seen.hours else ""
    _print_memory(f"memory of a {seen.unit}{first}", seen.memory)
    if seen.host:
        _print_memory("memory of a machine", seen.host)
    console.print(
        f"A checkpoint to go on from: {_gigabytes(seen.checkpoint_bytes)}, and twice that while one is written."
    )
    console.print(f"Assumed, not measured: {'; '.join(seen.assumed)}.")


def print_measured_costs(spent: MeasuredCosts, costs: Costs) -> None:
    """What the complete trials took, beside what was foreseen of as many rollouts."""
    console = out()
    console.print(
        f"\nMeasured: {spent.trials} of {costs.trials} trials, {spent.rollouts:,} rollouts, "
        f"{spent.tokens / max(1, spent.rollouts):,.0f} tokens a response."
    )
    typed = {name: parts for name, parts in spent.predicted.items() if "all" not in parts}
    found = table(f"{costs.unit or 'device'}-hours", "measured", *(f"expected, {name}" for name in typed))
    for part in spent.hours:
        found.add_row(part, short(spent.hours[part]), *(short(parts[part]) for parts in typed.values()))
    found.add_row("all", short(total(spent.hours)), *(short(total(parts)) for parts in typed.values()))
    console.print(found)
    if "at most" in spent.predicted:
        console.print(f"Predicted, at most: {short(spent.predicted['at most']['all'])} {costs.unit}-hours.")
    if spent.memory is not None and spent.predicted_memory is not None:
        console.print(
            f"Memory that the learner had of a device: {_gigabytes(round(spent.memory))}; predicted, at most: "
            f"{_gigabytes(round(spent.predicted_memory))}."
        )


def _print_hours(seen: Prediction, length: ResponseLength | None) -> None:
    console = out()
    found = table(f"{seen.unit}-hours", "memory", "needed", "at most", "expected", "of it sampling", "learning", "rest")
    for one in seen.hours:
        found.add_row(one.device, _gigabytes(one.memory), _needed(one), _hours(total(one.at_most)), *_expected(one))
    console.print(found)
    if length:
        console.print(f"Expected: {length.tokens:,.0f} tokens a response ({length.source}).")
    else:
        console.print(
            "Expected: how long responses will be is not known. `--response-tokens N` says it, or a run that was begun "
            "with this model and these problems: `--pilot RUN`."
        )


def _needed(one: DeviceHours) -> str:
    return _gigabytes(one.needed) + (" (too much)" if one.needed > one.memory else "")


def _expected(one: DeviceHours) -> list[str]:
    if one.expected is None:
        return ["-"] * 4
    sampling, learning = one.expected["sampling"], one.expected["learning"]
    whole = total(one.expected)
    return [_hours(amount) for amount in (whole, sampling, learning, whole - sampling - learning)]


def _hours(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.1f}"


def _print_memory(title: str, phases: Sequence[MemoryPhase]) -> None:
    found = table(title, "at most", "of it")
    for phase in phases:
        largest = sorted(phase.parts.items(), key=lambda part: -part[1])[:_LARGEST]
        found.add_row(phase.name, _gigabytes(phase.bytes), ", ".join(f"{what} {_gigabytes(n)}" for what, n in largest))
    out().print(found)


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.0f} GB" if count >= 1e10 else f"{count / 1e9:,.1f} GB"

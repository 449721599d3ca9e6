"""Which of the metrics that a foreign file reports is taken as right or wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.records import DataError


def choose(where: str, metrics: Mapping[str, Sequence[Any]], wanted: Sequence[str]) -> str:
    """The first of the wanted ones that is there; without any wanted, the only one whose values are all 0 or 1.

    Args:
        metrics: name -> a value for each problem.
    Raises: DataError that lists what there is.
    """
    binary = [name for name, values in metrics.items() if all(is_binary(value) for value in values)]
    there = f"It has {_listed(metrics, binary)}."
    if wanted:
        found = next((name for name in wanted if name in metrics), None)
        if found is None:
            raise DataError(f"{where} has no metric {' or '.join(f'`{name}`' for name in wanted)}. {there}")
        if found not in binary:
            odd = next(value for value in metrics[found] if not is_binary(value))
            raise DataError(
                f"{where}: the metric `{found}` is not 0 or 1 but also {odd!r}, so it marks no single answer. {there}\n"
                "`--mark` marks each answer with rence's own marker instead."
            )
        return found
    if len(binary) != 1:
        what = "no metric that is 0 or 1" if not binary else "several metrics that are 0 or 1"
        raise DataError(f"{where} has {what}. {there}\nChoose one with --metric NAME, or mark again with --mark.")
    return binary[0]


def is_binary(value: Any) -> bool:
    return isinstance(value, bool | int | float) and value in (0, 1)


def _listed(metrics: Mapping[str, Sequence[Any]], binary: Sequence[str]) -> str:
    return ", ".join(f"{name}{'' if name in binary else ' (not 0 or 1)'}" for name in metrics) or "none"

"""What values say of the roles they may have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

RIGHT = {"1", "1.0", "true", "c", "correct", "yes", "right", "pass", "passed", "success", "t", "solved"}
FALSE = {"0", "0.0", "false", "i", "incorrect", "no", "wrong", "fail", "failed", "failure", "f", "n", "unsolved"}
_MOST_ARMS = 500
_MANY = 5
"""problems, of which not all have the same gold"""
MIXED = (
    "Shares up to 1 and numbers above 1 stand in one column: write all of them in one unit first, since no one number "
    "divides them."
)


def yes_or_no(value: Any) -> bool | None:
    """Right or wrong, in whatever way it is written; None if it is neither."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    return True if word in RIGHT else False if word in FALSE else None


def is_there(value: Any) -> bool:
    """Whether a cell holds something."""
    return value is not None and value == value and not (isinstance(value, str) and not value.strip())


def any_there(values: Sequence[Any]) -> bool:
    return any(map(is_there, values))


def whole(value: Any) -> int | None:
    """A whole number, or a text of one; booleans are none."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return int(number) if number == number and abs(number) < 2**53 and number == int(number) else None


def number(value: Any) -> float | None:
    """A number, or a text of one; booleans are 0 and 1, and NaN is none."""
    if isinstance(value, bool):
        return float(value)
    try:
        made = float(value)
    except (TypeError, ValueError):
        return None
    return made if made == made else None


def are_binary(values: Sequence[Any]) -> bool:
    """Whether those that are there are right or wrong, and some are."""
    there = [value for value in values if is_there(value)]
    return bool(there) and all(yes_or_no(value) is not None for value in there)


def two_numbers(values: Sequence[Any]) -> tuple[float, ...]:
    """Those of two numbers whose upper one is right: below 0 and 1, as rewards are, or 0 and 100; else none."""
    numbers = {number(value) for value in values if is_there(value)}
    if len(numbers) != 2 or None in numbers:
        return ()
    low, high = sorted(numbers)  # type: ignore[type-var]
    return (low, high) if (low < 0 and high == 1) or (low, high) == (0, 100) else ()  # type: ignore[operator,return-value]


def are_signed(values: Sequence[Any]) -> bool:
    """As of `two_numbers`."""
    return bool(two_numbers(values))


def are_mixed(values: Iterable[Any]) -> bool:
    """Whether some may be shares of 1 and others per cent or points: then no number divides right from wrong."""
    numbers = [found for value in values if (found := number(value)) is not None]
    return any(0 < one <= 1 for one in numbers) and max(numbers) >= 2


def divide(values: Iterable[Any]) -> float | None:
    """The number between right and wrong; None where the highest value does not stand apart from all others, as of
    shares, points and mixed units: then every number is a guess."""
    numbers = sorted({found for value in values if (found := number(value)) is not None})
    if len(numbers) < 2 or are_mixed(numbers):
        return None
    middle = (numbers[0] + numbers[-1]) / 2
    return middle if numbers[-2] < middle else None


def are_numbers(values: Sequence[Any]) -> bool:
    """Whether those that are there are numbers, and some are."""
    there = [value for value in values if is_there(value)]
    return bool(there) and all(number(value) is not None for value in there)


def are_texts(values: Sequence[Any]) -> bool:
    """Whether those that are there are texts, and some are."""
    there = [value for value in values if value is not None]
    return bool(there) and all(isinstance(value, str) for value in there)


def are_names(values: Sequence[Any]) -> bool:
    """Whether they can name arms or benchmarks: short texts, or whole numbers, of which there are not too many."""
    there = [value for value in values if is_there(value)]
    if not there or len(there) < len(values) or len(set(map(str, there))) > _MOST_ARMS:
        return False
    return all(isinstance(value, str) and len(value) < 200 and "\n" not in value for value in there)


def are_arms(values: Sequence[Any]) -> bool:
    """Whether they can name arms: names, and not all of them numbers, as runs have."""
    return are_names(values) and any(whole(value) is None for value in values)


def are_ids(values: Sequence[Any]) -> bool:
    """Whether each is a text or a whole number, and none is missing."""
    return bool(values) and all(
        is_there(value) and (isinstance(value, str) or whole(value) is not None) for value in values
    )


def are_whole(values: Sequence[Any], least: int = 0) -> bool:
    """Whether all are whole numbers of at least so much."""
    return bool(values) and all((found := whole(value)) is not None and found >= least for value in values)


def are_whole_or_none(values: Sequence[Any]) -> bool:
    """Whether those that are there are whole numbers of at least 0: an untrained model has no seed."""
    return all(not is_there(value) or ((found := whole(value)) is not None and found >= 0) for value in values)


def mostly_one_each(keys: Iterable[Any], values: Iterable[Any]) -> bool:
    """Whether most keys have one value, as golds have where some rows are of another version of the data; one for all
    of many keys is no gold."""
    seen: dict[Any, set[Any]] = defaultdict(set)
    for key, value in zip(keys, values, strict=True):
        seen[key].add(value)
    if len(seen) >= _MANY and len(set.union(*seen.values())) == 1:
        return False
    return 3 * sum(len(found) > 1 for found in seen.values()) <= len(seen)


def one_each(keys: Iterable[Any], values: Iterable[Any]) -> bool:
    """Whether each key has one value."""
    seen: dict[Any, Any] = {}
    return all(seen.setdefault(key, value) == value for key, value in zip(keys, values, strict=True))


def several(keys: Iterable[Any], values: Iterable[Any]) -> bool:
    """Whether some key has more than one value."""
    seen: dict[Any, set[Any]] = defaultdict(set)
    for key, value in zip(keys, values, strict=True):
        seen[key].add(str(value))
    return any(len(found) > 1 for found in seen.values())

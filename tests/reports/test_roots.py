"""`roots.zero` against scipy's own Brent, step by step the same numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from scipy import optimize

from reports.statistics.roots import zero

FUNCTIONS: dict[str, tuple[Callable[[float], float], float, float]] = {
    "a parabola": (lambda x: x * x - 2, 0.0, 2.0),
    "downwards": (lambda x: 2 - x * x, 0.0, 2.0),
    "steep": (lambda x: math.exp(30 * x) - 1e6, -3.0, 2.0),
    "a tail": (lambda x: math.erfc(-x) - 1e-12, -20.0, 20.0),
    "a jump": (lambda x: -1.0 if x < 0.123456789 else 1.0, 0.0, 1.0),
    "the zero at an end": (lambda x: x, 0.0, 1.0),
    "the zero at the other end": (lambda x: x - 1, 0.0, 1.0),
    "the ends the other way": (lambda x: math.cos(x) - x, 3.0, -3.0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("within", [2e-12, 1e-6, 0.1])
def test_the_last_bit_is_scipys(name: str, within: float) -> None:
    function, low, high = FUNCTIONS[name]
    ours: list[float] = []
    theirs: list[float] = []
    found = zero(lambda x: ours.append(x) or function(x), low, high, within)
    wanted = optimize.brentq(lambda x: theirs.append(x) or function(x), low, high, xtol=within)
    assert (found, ours) == (wanted, theirs)


def test_the_root_of_two_to_the_last_digits() -> None:
    assert zero(lambda x: x * x - 2, 0.0, 2.0, within=1e-15) == pytest.approx(math.sqrt(2), abs=2e-15)


def test_ends_of_one_sign_are_refused() -> None:
    with pytest.raises(ValueError, match=r"same sign at 1\.0 and 2\.0"):
        zero(lambda x: x, 1.0, 2.0, within=1e-9)

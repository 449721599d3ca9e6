"""Where a function of one number is zero: scipy has it too, in a package whose import costs `rence compare` a fifth."""

from __future__ import annotations

from collections.abc import Callable

MOST_STEPS = 100
RELATIVE = 2.0**-50
"""four times the distance of two floats at 1"""


def zero(function: Callable[[float], float], low: float, high: float, within: float) -> float:
    """A zero of a continuous function, to `within` or to the last digits.

    Brent (1973), Algorithms for Minimization without Derivatives, ch. 4: a secant or inverse quadratic step where it
    stays well inside of the bracket, else half of it. Gives what `scipy.optimize.brentq` does, to the last bit.

    Raises: ValueError if the function has the same sign at both ends; RuntimeError if it finds none.
    """
    before, at = low, high
    f_before, f_at = function(before), function(at)
    if f_before == 0 or f_at == 0:
        return before if f_before == 0 else at
    if (f_before < 0) == (f_at < 0):
        raise ValueError(f"The function has the same sign at {low} and {high}.")
    other, f_other, last, step = before, f_before, 0.0, 0.0
    for _ in range(MOST_STEPS):
        if (f_before < 0) != (f_at < 0):  # the zero lies between the last two points: they are the bracket
            other, f_other = before, f_before
            last = step = at - before
        if abs(f_other) < abs(f_at):  # the better end is where we are
            before, at, other = at, other, at
            f_before, f_at, f_other = f_at, f_other, f_at
        least, half = (within + RELATIVE * abs(at)) / 2, (other - at) / 2
        if f_at == 0 or abs(half) < least:
            return at
        tried = _interpolated(before, at, other, f_before, f_at, f_other) if abs(f_at) < abs(f_before) else None
        if tried is not None and abs(last) > least and 2 * abs(tried) < min(abs(last), 3 * abs(half) - least):
            last, step = step, tried
        else:
            last = step = half
        before, f_before = at, f_at
        at += step if abs(step) > least else least if half > 0 else -least
        f_at = function(at)
    raise RuntimeError(f"No zero was found in {MOST_STEPS} steps between {low} and {high}.")


def _interpolated(before: float, at: float, other: float, f_before: float, f_at: float, f_other: float) -> float:
    """The step from `at`: of the secant where there are two points, of the inverse parabola where there are three."""
    if before == other:
        return -f_at * (at - before) / (f_at - f_before)
    slope, slope_other = (f_before - f_at) / (before - at), (f_other - f_at) / (other - at)
    return -f_at * (f_other * slope_other - f_before * slope) / (slope_other * slope * (f_other - f_before))

"""To how many decimals published scores are printed."""

from __future__ import annotations

from decimal import Decimal

from harness.records import Published


def written(percent: float) -> int:
    """Decimals of a percent as it was written: 50.55 has two, 50 none."""
    return max(0, -int(Decimal(repr(percent)).as_tuple().exponent))


def decimals(published: Published) -> int:
    """That its scores are printed to: as stated, or the most that one of them shows."""
    if published.decimals is not None:
        return published.decimals
    values = [percent for row in published.percent.values() for percent in row.values() if percent is not None]
    return max(map(written, values), default=0)


def half_digit(published: Published) -> float:
    """Half of the last printed digit, as a fraction."""
    return 0.5 * 10.0 ** -decimals(published) / 100 + 1e-9

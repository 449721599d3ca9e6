"""How tests compare floats that were computed: the error of the whole, relative to the norm of what is expected.

Processors add up in different orders, so the same code gives other last digits on another one. An element's error is
as large as the rounding of the terms that were added up to it, however near to zero it ended; what every processor
promises is an error that is small beside the whole, and that is what a test may ask for.

With RENCE_TOLERANCES=FILE every comparison is appended to FILE, a line of JSON each: see bench/code_paths.py.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

RECORD = "RENCE_TOLERANCES"


def assert_close(got: Any, want: Any, within: float, floor: float = 0.0) -> None:
    """||got - want|| <= within * max(||want||, floor), in Euclidean norms over all numbers of `want`.

    Args:
        got: a number, an array, a tensor, or lists of these with None where there is no number. The values of a mapping
            are compared one by one, for they have units of their own.
        want: the same in shape.
        within: the error that is allowed, relative to the norm.
        floor: the size of the terms that `want` is a small difference of; 0 where it is none.
    """
    __tracebackhide__ = True
    if isinstance(want, Mapping):
        assert got.keys() == want.keys(), f"keys {sorted(got)}, expected {sorted(want)}"
        for key, value in want.items():
            _assert_close(got[key], value, within, floor, f"`{key}`: ")
    else:
        _assert_close(got, want, within, floor, "")


def _assert_close(got: Any, want: Any, within: float, floor: float, what: str) -> None:
    __tracebackhide__ = True
    (found, found_shape), (expected, shape) = _flat(got), _flat(want)
    assert found_shape == shape, f"{what}shape {found_shape}, expected {shape}"
    with np.errstate(invalid="ignore"):  # of infinities
        gap = np.abs(found - expected)
    error, size = float(np.linalg.norm(gap)), max(float(np.linalg.norm(expected)), floor)
    seen = error / size if size else math.inf if error else 0.0
    _record(seen, within)
    assert seen <= within, (
        f"{what}the error is {seen:.3g} of {size:.6g}, allowed are {within:g}; the largest is at number "
        f"{gap.argmax()} of {len(gap)}: {found[gap.argmax()]:.9g}, expected {expected[gap.argmax()]:.9g}"
    )


def _flat(value: Any) -> tuple[np.ndarray, Any]:
    """Its numbers in double precision, and its shape: None for none, a list for what is not a grid."""
    if value is None:
        return np.empty(0), None
    if isinstance(value, list | tuple):
        parts = [_flat(part) for part in value]
        shapes = [shape for _, shape in parts]
        grid = all(isinstance(shape, tuple) and shape == shapes[0] for shape in shapes)
        inner = shapes[0] if shapes else ()
        return np.concatenate([np.empty(0), *(part for part, _ in parts)]), (len(parts), *inner) if grid else shapes
    if hasattr(value, "detach"):
        value = value.detach().cpu().double()
    array = np.asarray(value, dtype=float)
    return array.ravel(), array.shape


def _record(seen: float, within: float) -> None:
    if file := os.environ.get(RECORD):
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rsplit(" ", 1)[0]
        with open(file, "a", encoding="utf-8") as out:  # one short write: processes do not mix theirs
            out.write(json.dumps({"test": test, "seen": seen, "within": within}) + "\n")

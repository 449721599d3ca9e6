"""The comparison that other tests lean on."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.closeness import RECORD, assert_close

ROOT = Path(__file__).parent


def test_the_error_is_relative_to_the_norm_of_the_whole() -> None:
    want = [3.0, 4.0, 0.0]  # of norm 5
    assert_close([3.0, 4.0, 5e-3], want, within=1.01e-3)
    with pytest.raises(AssertionError, match=r"0\.001 of 5, allowed are 0\.0009; .* number 2 of 3: 0\.005, exp"):
        assert_close([3.0, 4.0, 5e-3], want, within=9e-4)
    with pytest.raises(AssertionError, match=r"error is 0\.1 of 10"):
        assert_close(9.0, 10.0, within=0.01)


def test_beside_nothing_every_error_is_too_large_unless_there_is_a_floor() -> None:
    assert_close([0.0, 0.0], [0.0, 0.0], within=1e-6)
    with pytest.raises(AssertionError, match="error is inf"):
        assert_close(1e-30, 0.0, within=1e-6)
    assert_close(1e-7, 0.0, within=1e-6, floor=1.0)
    assert_close(100.0, 101.0, within=0.01, floor=1.0)  # the floor is none where the norm is larger


def test_tensors_arrays_and_lists_of_them_have_one_norm() -> None:
    leaf = torch.tensor([3.0, 0.0], requires_grad=True)
    assert_close(leaf, np.array([3.0, 0.0]), within=0)
    assert_close(leaf, [3, 0], within=0)
    # of norm 5, so that the error of the small tensor is small
    assert_close([leaf, torch.tensor([[4.0 + 4e-3]])], [leaf, torch.tensor([[4.0]])], within=1e-3)


def test_values_of_a_mapping_are_compared_one_by_one() -> None:
    assert_close({"a": 1000.0, "b": 1.0}, {"b": 1.0, "a": 1000.0}, within=0)
    with pytest.raises(AssertionError, match=r"`b`: the error is 0\.5 of 1"):
        assert_close({"a": 1000.0, "b": 1.5}, {"a": 1000.0, "b": 1.0}, within=1e-2)
    with pytest.raises(AssertionError, match="keys"):
        assert_close({"a": 1.0}, {"a": 1.0, "b": 1.0}, within=1e-2)


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (torch.zeros(3), torch.zeros(3, 1)),
        (torch.zeros(1), torch.zeros(3)),
        ([1.0], [1.0, 1.0]),
        ([None, 1.0], [1.0, None]),
        (1.0, None),
        ([1.0, [1.0]], [[1.0], 1.0]),
    ],
)
def test_other_shapes_differ(got: object, want: object) -> None:
    with pytest.raises(AssertionError, match="shape"):
        assert_close(got, want, within=1e9)


def test_nothing_is_where_nothing_is_expected() -> None:
    assert_close([1.0, None, 2.0], [1.0, None, 2.0], within=0)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_is_close_to_nothing(value: float) -> None:
    for got, want in ((value, 1.0), (1.0, value), (value, value)):
        with pytest.raises(AssertionError):
            assert_close(got, want, within=1.0)


def test_comparisons_are_recorded_where_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RECORD, str(tmp_path / "seen"))
    assert_close(1.5, 1.0, within=1.0)
    with pytest.raises(AssertionError):
        assert_close({"a": 2.0}, {"a": 1.0}, within=0.5)
    rows = [json.loads(line) for line in (tmp_path / "seen").read_text().splitlines()]
    assert [(row["seen"], row["within"]) for row in rows] == [(0.5, 1.0), (1.0, 0.5)]
    assert rows[0]["test"].endswith("test_closeness.py::test_comparisons_are_recorded_where_it_is_asked")


def test_no_test_compares_tensors_element_by_element() -> None:
    """Whether an element near zero passes hangs on the processor."""
    names = ("torch.allclose", "torch.isclose", "torch.testing", "np.allclose", "np.isclose", "np.testing")
    texts = {path: path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py") if path != Path(__file__)}
    assert [(str(path), name) for path, text in texts.items() for name in names if name in text] == []

"""The picture of a frozen-batch diff: what it puts beside each other, by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

import reports
from reports.figures.frozen import MOST_LINES, by_composition, by_length, similar

nan = math.nan


def document(labels: list[str], cosine: list[list[float | None]], weights: list[list[float]]) -> dict[str, Any]:
    """Two groups of four: a has lengths 10 10 20 20 and all but one right, b the same lengths and half right."""
    label = [True, True, True, False, True, False, True, False]

    def composition(weight: list[float], kept: int) -> list[dict[str, Any]]:
        rows = []
        for positives, rows_of in ((2, range(4, 8)), (3, range(4))):
            sides = {}
            for side, value in (("correct", True), ("incorrect", False)):
                chosen = [weight[row] for row in rows_of if label[row] == value]
                sides[side] = {"mean": sum(chosen) / len(chosen), "mean_abs": 0.0}
            rows.append({"positives": positives, "size": 4, "groups": 1, "groups_kept": kept, **sides})
        return rows

    return {
        "batch": {"group": [0] * 4 + [1] * 4, "label": label, "length": [10, 10, 20, 20] * 2},
        "algorithms": [
            {"label": name, "sequence_weight": weight, "composition": composition(weight, int(any(weight)))}
            for name, weight in zip(labels, weights, strict=True)
        ],
        "cosine": {"overall": cosine},
    }


TWO = document(
    ["tokens", "nothing"],
    [[1.0, None], [None, None]],
    [[1.0, 1.0, 2.0, -2.0, 4.0, -4.0, 8.0, -8.0], [0.0] * 8],
)


def test_like_rows_are_neighbours_and_what_has_no_direction_is_last() -> None:
    # 0 and 3 are alike, 1 and 4 are, 2 has none
    cosine: list[list[float | None]] = [
        [1.0, 0.1, None, 0.9, 0.0],
        [0.1, 1.0, None, 0.2, 0.8],
        [None] * 5,
        [0.9, 0.2, None, 1.0, 0.1],
        [0.0, 0.8, None, 0.1, 1.0],
    ]
    order = similar(cosine)
    assert sorted(order) == [0, 1, 2, 3, 4] and order[-1] == 2
    assert abs(order.index(0) - order.index(3)) == abs(order.index(1) - order.index(4)) == 1
    assert similar([[1.0, -1.0], [-1.0, 1.0]]) == [0, 1]


def test_weights_by_composition_are_gaps_where_a_filter_drops() -> None:
    found = by_composition(TWO, [0, 1], correct=True)
    assert (found.x, found.names) == ([0.5, 0.75], ["2/4", "3/4"])
    assert found.y[0] == [6.0, pytest.approx(4 / 3)]
    assert all(math.isnan(value) for value in found.y[1])
    assert by_composition(TWO, [0], correct=False).y == [[-6.0, -2.0]]


def test_weights_by_length_are_beside_their_like() -> None:
    # of group a 1 1 2 have the mean 4/3, of group b 4 and 8 the mean 6: short ones 3/4 3/4 2/3, long ones 3/2 4/3
    found = by_length(TWO, [0, 1], correct=True)
    assert found.names == ["10", "20"]
    assert found.y[0] == pytest.approx([(0.75 + 0.75 + 4 / 6) / 3, (1.5 + 8 / 6) / 2])
    assert all(math.isnan(value) for value in found.y[1])


@pytest.mark.parametrize("algorithms", [2, MOST_LINES, MOST_LINES + 1, 40])
def test_few_and_many_are_drawn_with_the_same_bytes_each_time(algorithms: int) -> None:
    labels = [f"algorithm_{i}:with_a_long_setting={i},and_another={i}" for i in range(algorithms)]
    angles = [3 * i / algorithms for i in range(algorithms)]
    cosine: list[list[float | None]] = [[math.cos(a - b) for b in angles] for a in angles]
    made = document(labels, cosine, [[1.0, 1.0, 1.0, -1.0 - i, 1.0, -1.0, 1.0, -1.0] for i in range(algorithms)])
    svg, png = reports.diff_picture(made)
    assert (svg, png) == reports.diff_picture(made)
    assert "algorit" in svg and "another=0" in svg and png[:4] == b"\x89PNG"


def test_a_batch_without_right_answers_is_drawn() -> None:
    made = document(["a", "b"], [[1.0, 0.5], [0.5, 1.0]], [[-1.0] * 8, [-2.0] * 8])
    made["batch"]["label"] = [False] * 8
    for one in made["algorithms"]:
        one["composition"] = [
            {"positives": 0, "size": 4, "groups": 2, "groups_kept": 2, "correct": None, "incorrect": {"mean": -1.0}}
        ]
    assert by_length(made, [0, 1], correct=True).x == [] == by_composition(made, [0, 1], correct=True).x
    assert reports.diff_picture(made)[1][:4] == b"\x89PNG"

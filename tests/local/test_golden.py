"""Stored curves of short trainings: a change that must not change numbers leaves them as they are.

After one that must, look at the difference and rewrite them: RENCE_GOLDEN=write pytest tests/local/test_golden.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.closeness import assert_close

if TYPE_CHECKING:
    from conftest import Tiny

FOLDER = Path(__file__).parent / "golden"
METRICS = ("actor/loss", "actor/grad_norm", "actor/entropy", "sequence/log_ratio_square")
"""floats, which differ between processors in their last digits; counts may not differ at all"""
COUNTS = ("rollouts", "tokens", "updates", "cursor", "marks/correct", "groups/kept")


@pytest.mark.parametrize(
    ("name", "refill"),
    [(name, "batch") for name in ("grpo", "dapo", "rence", "online_dpo")] + [("dapo", "missing"), ("rence", "missing")],
)
def test_the_curve_is_the_stored_one(tiny: Tiny, name: str, refill: str) -> None:
    run = tiny.train(tiny.trial(name, budget=10 * 32, prompts_per_step=8, learning_rate=5e-4, refill=refill))
    rows = [record.to_json() | record.metrics for record in run.watcher.records]
    curve = {metric: [row.get(metric) for row in rows] for metric in (*METRICS, *COUNTS)}
    stored = FOLDER / (f"{name}.json" if refill == "batch" else f"{name}_missing.json")
    if os.environ.get("RENCE_GOLDEN") == "write":
        lines = ",\n".join(f"{json.dumps(metric)}: {json.dumps(values)}" for metric, values in curve.items())
        stored.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    expected = json.loads(stored.read_text(encoding="utf-8"))
    for metric in COUNTS:
        assert curve[metric] == expected[metric], metric
    for metric in METRICS:  # None where a step had nothing to learn from
        assert_close({metric: curve[metric]}, {metric: expected[metric]}, within=1e-4)

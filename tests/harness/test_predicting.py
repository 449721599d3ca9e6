"""GPU-hours, expected and at most, and what `rence plan` says of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import config
from harness.backends.gpus import TYPES
from harness.backends.predicted import DeviceHours, Prediction, total
from harness.models.shape import STATED
from harness.planning import costs, predicting

ROOT = Path(__file__).parents[2]
PAPER = ROOT / "configs/paper/rence_qwen3_4b.yaml"
PROBLEMS = {"math500": 500, "aime24": 30, "aime25": 30, "amc23": 40, "minerva_math": 272, "olympiadbench": 675}


def predicted(*overrides: str, tokens: float | None = None) -> Prediction:
    experiment = config.load(PAPER, overrides)
    size = STATED["Qwen/Qwen3-4B"].parameters
    return predicting.predict(experiment, None, size, PROBLEMS, tokens)


def on(seen: Prediction, device: str) -> DeviceHours:
    return next(one for one in seen.hours if one.device == device)


def expected(seen: Prediction, device: str = "A100") -> dict[str, float]:
    found = on(seen, device).expected
    assert found is not None
    return dict(found)


def test_the_papers_config() -> None:
    seen = predicted(tokens=1500)
    hours = {one.device: round(total(one.expected or {})) for one in seen.hours}
    assert hours == {"A100": 772, "H100": 380, "H200": 319, "B200": 202, "L40S": 1343, "RTX 4090": 3473}
    assert {one.device: round(total(one.at_most)) for one in seen.hours}["A100"] == 2707
    assert seen.checkpoint_bytes == 22 * 4_022_468_096  # of semi-online DPO: its sampler lags and its reference moves


def test_learning_by_hand() -> None:
    """Each of 2,457,600 rollouts of 256 + 1,500 tokens takes four forward passes for its update, one for log-probs, and
    one for a reference in the arms that have one; ReNCE measures with one more. Beside them the prompt once more."""
    parameters, rollouts = 4_022_468_096, 3 * 204_800
    token = 2 * parameters + 4 * 36 * 32 * 128 * 1756 / 2
    arms = {"rence": 7, "grpo": 6, "dapo": 5, "semi_online_dpo": 6}
    flops = sum(rollouts * (1756 * token * passes + 256 * 2 * parameters) for passes in arms.values())
    found = expected(predicted(tokens=1500))["learning"]
    assert found == pytest.approx(flops / (312e12 * 0.45) / 3600, rel=1e-6)


def test_what_is_expected_is_at_most_what_is_at_most() -> None:
    lengths = (100, 1500, 4000, 4096, 9000)
    spent = [total(expected(predicted(tokens=length))) for length in lengths]
    assert spent == sorted(spent)
    for one in predicted(tokens=9000).hours:
        assert one.expected is not None
        assert total(one.expected) == pytest.approx(total(one.at_most), rel=1e-9)
    assert all(one.expected is None for one in predicted().hours)


@pytest.mark.parametrize(
    ("override", "part", "times"),
    [
        ("budget.rollouts=409600", "sampling", 2.0),
        ("budget.rollouts=409600", "learning", 2.0),
        ("seeds=[0]", "checkpoints", 1 / 3),
        ("seeds=[0]", "start", 1 / 3),
        ("recipe.epochs=2", "sampling", 1.0),
        ("verl.nodes=2", "learning", 1.0),
        ("verl.nodes=2", "start", 2.0),
        ("recipe.checkpoint_steps=1000", "checkpoints", 4 / 24),
    ],
)
def test_hours_follow_the_settings(override: str, part: str, times: float) -> None:
    before, after = expected(predicted(tokens=1500)), expected(predicted(override, tokens=1500))
    assert after[part] == pytest.approx(times * before[part], rel=1e-6)


def test_without_flash_attention_learning_takes_the_square_of_a_micro_batch() -> None:
    before, after = (expected(predicted(*o, tokens=1500))["learning"] for o in ((), ("verl.flash_attention=false",)))
    assert 3 < after / before < 6
    assert on(predicted("verl.flash_attention=false"), "A100").needed > 77e9


def test_a_group_that_does_not_fit_takes_a_pass_more_where_the_loss_does_not_separate() -> None:
    """GRPO's and DAPO's losses separate, and ReNCE measures by a first pass anyhow: semi-online DPO's pass, 1 of 24."""
    before, after = (
        expected(predicted(*o, tokens=4096))["learning"] for o in ((), ("recipe.microbatch_tokens=24576",))
    )
    assert 1.03 < after / before < 25 / 24 + 1e-6


def test_rectangles_are_charged_as_rectangles() -> None:
    """6,144 positions for 1,756 tokens, and what attention sees of them."""
    before, after = (expected(predicted(*o, tokens=1500))["learning"] for o in ((), ("verl.remove_padding=false",)))
    assert 6144 / 1756 < after / before < 6144 / 1756 * 1.25


def test_a_sampler_with_little_room_is_slow() -> None:
    before, after = (expected(predicted(*o, tokens=1500))["sampling"] for o in ((), ("verl.sampler_memory=0.15",)))
    assert after > 2 * before
    faster = expected(predicted(tokens=1500), "H200")["sampling"]
    assert faster < before * 2.04 / 4.8 * 1.05  # by its bandwidth, and what it holds


def test_nothing_is_foreseen_of_workers_on_a_cpu_or_of_a_model_of_an_unknown_kind() -> None:
    assert predicted("verl.device=cpu") == Prediction()
    experiment = replace(config.load(PAPER), model="someone/else")
    assert predicting.predict(experiment, None, 10**9, PROBLEMS, 100.0) == Prediction()


def test_a_plans_hours_are_those_of_the_first_type() -> None:
    experiment = config.load(PAPER)
    found = costs.estimate(experiment, None, PROBLEMS, 1500.0)
    assert found.hours == total(found.prediction.hours[0].at_most)
    written: dict[str, Any] = found.to_json()
    first = written["prediction"]["hours"][0]
    assert (first["device"], first["expected"]["all"]) == ("A100", pytest.approx(772.1, abs=0.5))
    on_cpu = costs.estimate(config.load(PAPER, ["verl.device=cpu"]), None, PROBLEMS).to_json()
    assert on_cpu["hours"] is None and "prediction" not in on_cpu


def test_peaks_are_those_that_verl_counts_with() -> None:
    counter = pytest.importorskip("verl.utils.flops_counter")
    both = [gpu for gpu in TYPES if gpu.name in counter._DEVICE_FLOPS]
    assert {gpu.name for gpu in TYPES} - {gpu.name for gpu in both} == {"RTX 4090"}  # which verl does not know
    for gpu in both:
        assert counter._DEVICE_FLOPS[gpu.name] == pytest.approx(gpu.flops, rel=1e-3)

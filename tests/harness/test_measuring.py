"""A run's hours, tokens and memory beside what was foreseen of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import config
from harness.backends.predicted import total
from harness.config.experiment import Experiment
from harness.planning import costs, measuring, plan, response_lengths
from harness.planning.measuring import MeasuredCosts
from harness.records import DoneRecord, Plan, RunFolder, StepRecord, Timing, append_jsonl

PAPER = Path(__file__).parents[2] / "configs/paper/rence_qwen3_4b.yaml"
PROBLEMS = {"math500": 500, "aime24": 30, "aime25": 30, "amc23": 40, "minerva_math": 272, "olympiadbench": 675}
HALF_HOUR = Timing(1, 36_000.0, 1.0, 9_000.0, 18_000.0, 7_200.0, "2026-01-01T00:00:00+00:00", "")


def begun(run: Path, experiment: Experiment, trials: dict[str, list[float]]) -> Plan:
    """A run with complete trials of seed 0, of 204,800 rollouts of 1,000 tokens.

    Args:
        trials: arm -> the memory that each of its steps says.
    """
    folder, made = RunFolder(run), plan.make(experiment, None)
    run.mkdir()
    made.write(folder.plan)
    for arm, memory in trials.items():
        trial = folder.trial(arm, 0)
        trial.root.mkdir(parents=True)
        rows = [
            StepRecord(n, 2048 * n, 2_048_000 * n, 8 * n, 256 * n, {measuring.PEAK: peak})
            for n, peak in enumerate(memory, 1)
        ]
        append_jsonl(trial.steps, [row.to_json() for row in rows])
        HALF_HOUR.write(trial.timing)
        DoneRecord("finished", 100, 204_800, 204_800_000, 800, 0, "weights").write(trial.done)
    return made


def measured(run: Path, *trials: str) -> MeasuredCosts | None:
    experiment = config.load(PAPER)
    made = begun(run, experiment, {arm: [30.0, 40.0] for arm in trials})
    return measuring.measured(made, run, costs.estimate(experiment, None, PROBLEMS, 1000.0))


def test_hours_of_devices_by_part_beside_those_expected_of_as_many_rollouts(tmp_path: Path) -> None:
    found = measured(tmp_path / "run", "rence", "grpo", "dapo")
    assert found is not None
    assert (found.trials, found.rollouts, found.tokens) == (3, 614_400, 614_400_000)
    # three trials of ten hours, on eight devices
    assert found.hours == {"sampling": 60.0, "learning": 120.0, "evaluation": 48.0, "rest": pytest.approx(12.0)}
    whole = costs.estimate(config.load(PAPER), None, PROBLEMS, 1000.0).prediction.hours[0].expected or {}
    a100 = found.predicted["A100"]
    assert a100["sampling"] == pytest.approx(whole["sampling"] / 4)
    assert a100["learning"] == pytest.approx((whole["learning"] + whole["between"]) / 4)
    assert total(a100) == pytest.approx((total(whole) - whole["untrained"]) / 4)
    assert list(found.predicted) == ["A100", "H100", "H200", "B200", "L40S", "RTX 4090"]


def test_memory_is_the_largest_of_all_steps_beside_what_the_learner_was_to_take_at_most(tmp_path: Path) -> None:
    found = measured(tmp_path / "run", "rence")
    assert found is not None and found.memory == 40 * 2**30
    assert found.predicted_memory == pytest.approx(51.5e9, rel=0.01)  # an update's 55.5 without CUDA's own


def test_nothing_of_a_run_that_is_not_there_is_another_plans_or_has_no_complete_trial(tmp_path: Path) -> None:
    experiment = config.load(PAPER)
    found = costs.estimate(experiment, None, PROBLEMS, 1000.0)
    assert measuring.measured(plan.make(experiment, None), tmp_path / "none", found) is None
    assert measured(tmp_path / "empty") is None
    made = begun(tmp_path / "run", experiment, {"rence": [1.0]})
    other = plan.make(config.load(PAPER, ["recipe.learning_rate=1e-5"]), None)
    assert measuring.measured(other, tmp_path / "run", found) is None
    # how it is laid out is no part of the plan
    wider = plan.make(config.load(PAPER, ["verl.sampler_memory=0.4"]), None)
    assert measuring.measured(wider, tmp_path / "run", found) is not None
    RunFolder(tmp_path / "run").trial("rence", 0).done.write_text("{", encoding="utf-8")
    assert measuring.measured(made, tmp_path / "run", found) is None


def test_a_response_is_expected_to_be_as_long_as_in_a_run_that_samples_alike(tmp_path: Path) -> None:
    experiment = config.load(PAPER)
    made = begun(tmp_path / "run", experiment, {"rence": [1.0, 1.0], "grpo": [1.0]})
    found = response_lengths.known(made, [tmp_path / "none", tmp_path / "run"])
    assert found is not None and found.tokens == 1000.0
    assert found.source == f"6,144 rollouts of {tmp_path / 'run'}"
    longer = plan.make(config.load(PAPER, ["recipe.max_tokens=2048"]), None)
    assert response_lengths.known(longer, [tmp_path / "run"]) is None

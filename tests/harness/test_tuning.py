"""Tuning before an experiment: what is refused, what is chosen, and two stages that can be stopped anywhere."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness import config
from harness.base.errors import FAILED, INTERRUPTED, OK, USAGE, UserError
from harness.config.experiment import Experiment
from harness.evaluation import attempts
from harness.models.resolving import SHIPPED
from harness.planning import plan, tuning
from harness.records import Attempt, DoneRecord, EvalRecord, Plan, RunFolder
from harness.run.folder import prepare

BLOCK = """tuning:
  grid: {recipe.learning_rate: [1e-4, 1e-3]}
  seeds: [100]
  benchmarks: {mini_validation: 1}
  budget: {rollouts: 32}
"""
Rence = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def tuned(tiny: Path) -> Path:
    """The small experiment with a block in lines 21 to 25."""
    tiny.write_text(tiny.read_text() + BLOCK)
    return tiny


def test_the_block_becomes_trials_of_every_arm(tuned: Path) -> None:
    experiment = config.load(tuned, ["tuning.grid.recipe.weight_decay=[0, 0.1]"])
    search = experiment.search
    assert search is not None and (search.trials, search.budget_rollouts, search.choose) == (8, 32, "shared")
    assert [one.label for one in search.candidates] == [
        "learning_rate 0.0001, weight_decay 0",
        "learning_rate 0.0001, weight_decay 0.1",
        "learning_rate 0.001, weight_decay 0",
        "learning_rate 0.001, weight_decay 0.1",
    ]
    assert search.candidates[3].settings == {"recipe.learning_rate": 1e-3, "recipe.weight_decay": 0.1}
    first = tuning.stage(experiment)
    assert first is not None and first.name == "tiny-tuning" and len(first.arms) == 8
    assert first.arm("grpo.learning_rate-0.001.weight_decay-0.1").recipe.learning_rate == 1e-3
    assert (first.seeds, first.evaluation.benchmarks, first.evaluation.curve) == ((100,), {"mini_validation": 1}, {})
    assert (first.budget_rollouts, first.grid_rollouts, first.search) == (32, (32,), None)


def test_without_a_budget_a_tuning_trial_is_as_long_as_the_others(tuned: Path) -> None:
    tuned.write_text(tuned.read_text().replace("  budget: {rollouts: 32}\n", ""))
    assert config.load(tuned).search.budget_rollouts == 96  # type: ignore[union-attr]


def test_a_hyper_parameter_that_all_arms_have_can_be_tuned(tiny: Path) -> None:
    block = "tuning: {grid: {kl_coef: [0.01, 0.1]}, seeds: [9], benchmarks: {mini_validation: 1}}\n"
    tiny.write_text(tiny.read_text() + block)
    search = config.load(tiny).search
    assert search is not None
    assert {arm: [one.algorithm.kl_coef for one in tried] for arm, tried in search.arms.items()} == {  # type: ignore[attr-defined]
        "rence": [0.01, 0.1],
        "grpo": [0.01, 0.1],
    }


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("tuning.seeds=[1]", "`tuning.seeds` holds 1, which is a seed of the experiment: no number that is reported"),
        ("tuning.seeds=[]", "`tuning.seeds` may not be empty."),
        ("tuning.seeds=[7, 7]", "`tuning.seeds` holds 7 twice."),
        ("tuning.benchmarks={mini_sums: 1}", "`tuning.benchmarks` holds `mini_sums`, which the experiment reports"),
        ("tuning.benchmarks={mini_sum: 1}", "there is no benchmark `mini_sum`. Did you mean `mini_sums`?"),
        ("tuning.benchmarks={}", "`tuning.benchmarks` may not be empty."),
        ("tuning.choose=best", "`tuning.choose` must be `shared` or `per_arm`"),
        ("tuning.budget={rollout: 3}", "`tuning.budget.rollout` is not a key. Did you mean `rollouts`?"),
        ("tuning.trials=3", "`tuning.trials` is not a key."),
        ("tuning.grid={}", "`tuning.grid` must be longer: it may not be empty"),
        ("tuning.grid={recipe.learning_rat: [1]}", "has no setting `recipe.learning_rat`. Did you mean"),
        ("tuning.grid={recipe.learning_rate: [-1]}", "learning_rate` must be more than 0, but is -1 instead."),
        ("tuning.grid={score_beta: [1]}", "the arm `grpo` has no setting `score_beta`."),
        ("recipe.learning_rate=1e-3", "is tuned here, but is set in `recipe.learning_rate=1e-3` too. Remove one"),
        ("arms.grpo.recipe.learning_rate=1e-3", "but is set in `arms.grpo.recipe.learning_rate=1e-3` too"),
        ("recipe={group_size: 4, learning_rate: 1e-3}", "is set in `recipe={group_size: 4, learning_rate: 1e-3}`"),
        ("grid={base: grpo, factors: {recipe.learning_rate: [1e-3]}}", "`recipe.learning_rate` is tuned here, but is"),
    ],
)
def test_a_bad_block_is_named(tuned: Path, override: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        config.load(tuned, [override])
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_words_of_ones_own_still_load(tiny: Path) -> None:
    experiment = config.load(tiny, ["tuning.learning_rate=[1e-4, 3e-4]", "tuning.split=mini_validation"])
    assert experiment.search is None and tuning.stage(experiment) is None
    assert experiment.tuning == {"learning_rate": [1e-4, 3e-4], "split": "mini_validation"}


def test_a_choice_in_the_file_is_refused(tuned: Path) -> None:
    experiment = config.load(tuned, ["tuning.chosen={grpo: x}"])
    with pytest.raises(UserError, match=r"`tuning.chosen` is written by `rence run`, not by hand"):
        tuning.stage(experiment)


def finished(folder: Path, experiment: Experiment, scores: dict[str, float | None]) -> RunFolder:
    """A tuning run whose trials have these shares of 10 answers correct; None: diverged."""
    first = tuning.stage(experiment)
    assert first is not None
    run = RunFolder(folder / "tiny-tuning")
    run.root.mkdir(parents=True)
    prepare(run, first, plan.make(first, SHIPPED["quickstart-base"]), "")
    for arm in first.arms:
        score, trial = scores[arm.name], run.trial(arm.name, 100)
        if score is not None:
            answer(trial.eval(3, "mini_validation"), arm.name, round(10 * score))
        DoneRecord("diverged" if score is None else "finished", 3, 96, 0, 0, 0, "w").write(trial.done)
    return run


def answer(folder, arm: str, correct: int) -> None:
    header = EvalRecord(
        arm, 100, 3, 96, 32, "mini_validation", "h", 10, 1, "m", "bare", "local", "1", "1", {"temperature": 1.0}
    )
    attempts.claim(folder, header)
    attempts.append(
        folder,
        [
            Attempt(
                arm, 100, 3, "mini_validation", f"p{i}", 0, "", "", "", "correct" if i < correct else "wrong",
                "stop", 1, "bare", "local", "k", "1",
            )
            for i in range(10)
        ],
    )  # fmt: skip
    attempts.seal(folder)


SCORES = {
    "rence.learning_rate-0.0001": 0.5,
    "rence.learning_rate-0.001": 0.8,
    "grpo.learning_rate-0.0001": 0.6,
    "grpo.learning_rate-0.001": 0.4,
}


def rates(experiment: Experiment) -> dict[str, float]:
    return {arm.name: arm.recipe.learning_rate for arm in experiment.arms}


def test_a_shared_choice_is_the_best_mean_over_the_arms(tuned: Path, tmp_path: Path) -> None:
    experiment = config.load(tuned)
    chosen = tuning.chosen(experiment, finished(tmp_path, experiment, SCORES))
    assert rates(chosen) == {"rence": 1e-3, "grpo": 1e-3}, "0.6 on the mean against 0.55"
    assert chosen.recipe.learning_rate == 1e-3 and not any(arm.recipe_overrides for arm in chosen.arms)
    assert [arm.name for arm in chosen.arms] == ["rence", "grpo"] and chosen.search is None
    assert chosen.tuning["tried"][0] == {
        "arm": "rence",
        "candidate": "learning_rate 0.0001",
        "score": 0.5,
        "diverged": [],
    }
    by_hand = config.load(tuned, ["tuning={}", "recipe.learning_rate=1e-3"])
    assert [arm.fingerprint for arm in chosen.arms] == [arm.fingerprint for arm in by_hand.arms]
    (tmp_path / "resolved.json").write_text(json.dumps(config.resolved(chosen)))
    assert config.load(tmp_path / "resolved.json") == chosen, "which is what the trials load"


def test_each_arms_own_choice_departs_from_the_recipe(tuned: Path, tmp_path: Path) -> None:
    experiment = config.load(tuned, ["tuning.choose=per_arm"])
    chosen = tuning.chosen(experiment, finished(tmp_path, experiment, SCORES))
    assert rates(chosen) == {"rence": 1e-3, "grpo": 1e-4}
    assert [arm.recipe_overrides for arm in chosen.arms] == [{"learning_rate": 1e-3}, {"learning_rate": 1e-4}]
    assert chosen.recipe == experiment.recipe
    assert tuning.in_words(chosen) == "learning_rate 0.001 for rence; learning_rate 0.0001 for grpo"
    (tmp_path / "resolved.json").write_text(json.dumps(config.resolved(chosen)))
    assert config.load(tmp_path / "resolved.json") == chosen


def test_a_sweep_is_tuned_and_keeps_its_design(tuned: Path, tmp_path: Path) -> None:
    experiment = config.load(tuned, ["tuning.choose=per_arm", "ablate={base: grpo, pieces: {kl: {kl_coef: 0}}}"])
    scores = {**SCORES, "grpo.minus-kl.learning_rate-0.0001": 0.1, "grpo.minus-kl.learning_rate-0.001": 0.2}
    chosen = tuning.chosen(experiment, finished(tmp_path, experiment, scores))
    assert rates(chosen) == {"rence": 1e-3, "grpo": 1e-4, "grpo.minus-kl": 1e-3}
    assert chosen.arm("grpo.minus-kl").title == "GRPO minus kl"
    (tmp_path / "resolved.json").write_text(json.dumps(config.resolved(chosen)))
    assert config.load(tmp_path / "resolved.json") == chosen


def test_what_diverged_cannot_win_and_of_equal_ones_the_first_does(tuned: Path, tmp_path: Path) -> None:
    experiment = config.load(tuned)
    scores = {**SCORES, "rence.learning_rate-0.001": None}
    chosen = tuning.chosen(experiment, finished(tmp_path, experiment, scores))
    assert rates(chosen) == {"rence": 1e-4, "grpo": 1e-4}
    assert chosen.tuning["tried"][1] | {"score": None, "diverged": [100]} == chosen.tuning["tried"][1]
    even = finished(tmp_path / "even", experiment, dict.fromkeys(SCORES, 0.3))
    assert rates(tuning.chosen(experiment, even)) == {"rence": 1e-4, "grpo": 1e-4}


@pytest.mark.parametrize(("choose", "where"), [("shared", "that no arm diverged with"), ("per_arm", "for grpo")])
def test_nothing_is_chosen_where_all_diverged(tuned: Path, tmp_path: Path, choose: str, where: str) -> None:
    experiment = config.load(tuned, [f"tuning.choose={choose}"])
    lost = {"grpo.learning_rate-0.0001": None, "grpo.learning_rate-0.001": None}
    run = finished(tmp_path, experiment, {**SCORES, **lost})
    with pytest.raises(UserError, match=f"tuning has nothing to choose {where}: every candidate") as caught:
        tuning.chosen(experiment, run)
    assert caught.value.exit_code == FAILED


def test_a_choice_that_was_changed_by_hand_is_not_missed(tuned: Path, tmp_path: Path) -> None:
    experiment = config.load(tuned)
    run = finished(tmp_path, experiment, SCORES)
    chosen = tuning.chosen(experiment, run)
    assert tuning.chosen(experiment, run) == chosen, "again is no change"
    path = run.root / tuning.CHOICE
    path.write_text(path.read_text().replace("0.8", "0.3"))
    with pytest.raises(UserError, match=r"choice.json does not say what the trials beside it do"):
        tuning.chosen(experiment, run)
    # whoever changes the trials, too, meets the lock of the experiment that was planned with the choice
    path.unlink()
    answered = run.trial("rence.learning_rate-0.001", 100).eval(3, "mini_validation")
    answered.attempts.unlink()
    answer(answered, "rence.learning_rate-0.001", 0)
    model = SHIPPED["quickstart-base"]
    with pytest.raises(UserError, match=r"recipe.learning_rate: 0.001 -> 0.0001"):
        plan.check_unchanged(plan.make(chosen, model), plan.make(tuning.chosen(experiment, run), model), run.root)


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for(condition: Callable[[], object], seconds: float = 180.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)


def test_two_stages_stopped_and_run_again(tuned: Path, tmp_path: Path, rence: Rence, start: Start) -> None:
    runs = tmp_path / "runs"
    first, main = runs / "tiny-tuning", runs / "tiny"
    wild = "tuning.grid.recipe.learning_rate=[3e-4, 1e30]"
    command = ("run", str(tuned), wild, "--workers", "2")

    said = rence("plan", str(tuned), wild).stdout
    assert "plan not locked: its tuning has not chosen yet" in said
    assert "Tuning first: 2 arms x 2 candidates x 1 seed = 4 trials of 32 rollouts" in said and not runs.exists()
    assert "no arm `gropo`" in rence(*command, "--only", "gropo").stderr and not runs.exists()

    # Ctrl-C in the first stage: the second does not begin, and the command that is printed goes on
    driver = start(*command)
    wait_for(lambda: any(lines(path) for path in first.glob("*/seed100/steps.jsonl")))
    driver.send_signal(signal.SIGINT)
    _, err = driver.communicate(timeout=60)
    assert driver.returncode == INTERRUPTED and not main.exists()
    assert err.splitlines()[-1] == f"  rence run {tuned} '{wild}' --workers 2"

    # one arm of the second stage: the first is brought to its end whole, for the choice is all arms'
    one = rence(*command, "--only", "grpo", "--seed", "1", "--json")
    assert one.returncode == OK, one.stderr
    found = json.loads(one.stdout)
    assert found["tuning"]["run"] == "runs/tiny-tuning" and len(found["tuning"]["jobs"]) == 5
    assert found["jobs"] == {"start": "finished", "grpo/seed1": "finished"}
    assert "Tuning chose learning_rate 0.0003 for all arms." in one.stderr
    choice = json.loads((first / "choice.json").read_text())
    assert [row["score"] is None for row in choice["tried"]] == [False, True, False, True]
    locked = Plan.read(main / "plan.json")
    assert locked.recipe["learning_rate"] == 3e-4 and locked.tuning["plan"] == Plan.read(first / "plan.json").lock
    assert f"plan {locked.lock}" in rence("plan", str(tuned), wild).stdout, "now it is known"

    # Ctrl-C in the second, and on to the end
    driver = start(*command)
    wait_for(lambda: any(lines(path) for path in main.glob("*/seed0/steps.jsonl")))
    driver.send_signal(signal.SIGINT)
    assert driver.wait(timeout=60) == INTERRUPTED
    last = rence(*command)
    assert last.returncode == OK, last.stderr
    assert "Tuning first" not in last.stderr, "it was done"
    page = (main / "report/report.md").read_text().replace("\\", "")
    assert "in the run tiny-tuning: 2 candidates, the same for each of 2 arms, on seed 100 and mini_val" in page
    assert "Chosen for all arms, by the mean over them: learning_rate 0.0003. 2 trials diverged" in page
    assert "nothing to do" in rence(*command).stdout

    # another grid is another tuning run, and is refused under this name
    other = rence("run", str(tuned), wild, "tuning.seeds=[101]")
    assert other.returncode == USAGE and "seeds: [100] -> [101]" in other.stderr


def test_equal_experiments_apart_from_the_choice_have_other_locks(tuned: Path, tmp_path: Path) -> None:
    experiment = config.load(tuned)
    chosen = tuning.chosen(experiment, finished(tmp_path, experiment, SCORES))
    model = SHIPPED["quickstart-base"]
    altered = replace(chosen, tuning={**chosen.tuning, "chosen": {}})
    assert plan.make(chosen, model).lock != plan.make(altered, model).lock

"""Training on the local backend that is paid by a function of the user's own."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from algorithms.ops.metrics import MEANINGS as OF_OBJECTIVES
from algorithms.registry import ALL, get
from benchmarks.problems import Problem
from benchmarks.rewards import Rewarded, locate
from harness.backends.collect import Collected
from harness.backends.groups import Group, Rollout, as_batch
from harness.backends.metrics import MEANINGS as OF_STEPS
from harness.backends.metrics import step_metrics
from harness.backends.own_rewards import with_own_labels
from harness.backends.recorded import read
from harness.base.errors import UserError
from harness.config.experiment import Trial
from harness.engines.sampler import sample
from harness.prompts.stream import Prompt
from harness.records import Mark, read_jsonl, reward_failures
from harness.run.examining import examine

if TYPE_CHECKING:
    from conftest import Run, Tiny

NEAR = '''\
def score(text, gold, problem):
    """How near a number is, 1 for the gold answer."""
    said = [word for word in text.split("\\\\boxed{") if word[:1].isdigit()]
    return 1 / (1 + abs(int(said[-1][0]) - int(gold))) if said else 0


def label(text, gold, problem):
    from benchmarks.marking import mark

    return str(mark(text, gold, problem.rule).mark)


def sometimes(text, gold, problem):
    return None if "\\\\boxed{7" in text else score(text, gold, problem)


def ways(text, gold, problem):
    """Raises for some answers, hangs for others, and is no number for others."""
    if "boxed{7" in text:
        raise ValueError(f"no {object()}")
    while "boxed{6" in text:
        pass
    return float("nan") if "boxed{5" in text else score(text, gold, problem)


def never(text, gold, problem):
    return problem.no_such_thing
'''


class Killed(BaseException):
    """What no code of ours catches."""


@pytest.fixture
def rewards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "near_rewards.py"
    path.write_text(NEAR)
    return path


def group(*given: Rewarded, mark: Mark = Mark.WRONG) -> Group:
    one = torch.ones(1, dtype=torch.int64)
    rollouts = tuple(Rollout(one, torch.zeros(1), False, mark, given=reward) for reward in given)
    return Group(Prompt(Problem("one", "1"), 0), (1,), rollouts)


def arm(tiny: Tiny, algorithm: str, **recipe: Any) -> Any:
    return tiny.trial(algorithm, reward="near_rewards:score", **recipe).arm


def numbers(*values: float) -> Group:
    return group(*(Rewarded(value) for value in values))


def test_numbers_are_rewards_and_become_labels_by_the_threshold(tiny: Tiny) -> None:
    """Groups of 0.2, 0.5, 0.9 and of 2; right from 0.5 on: 0, 1, 1 and 1."""
    groups = [numbers(0.2, 0.5, 0.9), numbers(2.0)]
    batch = as_batch(with_own_labels(groups, arm(tiny, "rence", reward_threshold=0.5)), max_tokens=1)
    assert batch.label_B.tolist() == [False, True, True, True]
    assert batch.reward_B.tolist() == pytest.approx([0.2, 0.5, 0.9, 2.0])
    assert not batch.correct_B.any(), "scores stay the marker's"
    binary = as_batch(with_own_labels([numbers(0, 1, 1)], arm(tiny, "rence")), max_tokens=1)
    assert binary.label_B.tolist() == [False, True, True] and binary.reward_B.tolist() == [0, 1, 1]


def test_without_a_threshold_an_algorithm_that_asks_for_labels_refuses_other_numbers(tiny: Tiny) -> None:
    with pytest.raises(UserError) as error:
        with_own_labels([numbers(0, 1, 0.25)], arm(tiny, "online_dpo"))
    assert "`OnlineDPO` asks which rollouts are right, but `near_rewards:score` returned 0.25" in str(error.value)
    assert "`recipe.reward_threshold=0.5`" in str(error.value)
    (found,) = with_own_labels([numbers(0, 1, 0.25)], arm(tiny, "grpo"))
    assert [one.label for one in found.rollouts] == [False] * 3, "the marker's, which GRPO does not read"
    assert as_batch([found], max_tokens=1).reward_B.tolist() == [0, 1, 0.25]


def test_a_backend_that_does_not_ask_is_refused(tiny: Tiny) -> None:
    """The marker's verdict must not stand for the user's in silence."""
    one = torch.ones(1, dtype=torch.int64)
    unasked = Group(Prompt(Problem("one", "1"), 0), (1,), (Rollout(one, torch.zeros(1), False, Mark.CORRECT),))
    with pytest.raises(UserError, match="this backend does not ask `near_rewards:score` about its rollouts"):
        with_own_labels([unasked], arm(tiny, "grpo"))


def test_a_mark_word_is_a_label(tiny: Tiny) -> None:
    given = [Rewarded(label=mark) for mark in Mark if mark is not Mark.GRADER_FAILED]
    (found,) = with_own_labels([group(*given)], arm(tiny, "rence"))
    assert [one.label for one in found.rollouts] == [True, False, False, False]
    assert [one.reward for one in found.rollouts] == [1, 0, 0, 0]


def test_what_failed_is_not_learnt_from(tiny: Tiny) -> None:
    """Of three rollouts, marked correct, one failed: the batch has two, and no statistic counts it as a zero."""
    groups = [group(Rewarded(0.5), Rewarded(failure="the reward crashed"), Rewarded(1.5), mark=Mark.CORRECT)]
    found = with_own_labels(groups, arm(tiny, "grpo", prompts_per_step=1))
    batch = as_batch(found, max_tokens=1)
    assert batch.reward_B.tolist() == [0.5, 1.5]
    row = step_metrics(Collected(found, found, 0, reward="near_rewards:score"), batch, {})
    assert {name: row[f"reward/{name}"] for name in ("mean", "std", "min", "max", "failed")} == {
        "mean": 1.0, "std": 0.5, "min": 0.5, "max": 1.5, "failed": 1,
    }  # fmt: skip
    assert row["generated/score/mean"] == 1 and row["groups/all_correct"] == 1 and row["rollouts/discarded"] == 1
    nothing = [group(Rewarded(failure="the reward crashed"))]
    gone = step_metrics(Collected([], nothing, 1, reward="near_rewards:score"), None, {})
    assert (gone["reward/mean"], gone["reward/std"], gone["reward/failed"]) == (None, None, 1)
    with pytest.raises(UserError, match="failed on all 1 rollouts of a batch: the reward crashed"):
        with_own_labels(nothing, arm(tiny, "grpo", prompts_per_step=1))


@pytest.mark.parametrize("name", ALL)
def test_every_algorithm_says_whether_it_takes_any_number(tiny: Tiny, name: str) -> None:
    """The contract of algorithms sees to it that what they say is true."""
    other = [numbers(0.5, -2, 3)]
    if get(name).reads_labels:
        with pytest.raises(UserError, match="only 0 and 1 tell"):
            with_own_labels(other, arm(tiny, name))
    else:
        assert as_batch(with_own_labels(other, arm(tiny, name)), max_tokens=1).reward_B.tolist() == [0.5, -2, 3]
    assert len(with_own_labels(other, arm(tiny, name, reward_threshold=0.5))) == 1


def weights(run: Run) -> str:
    return run.result.final_weights


def own(tiny: Tiny, function: str, algorithm: str = "grpo", **recipe: Any) -> Trial:
    return tiny.trial(algorithm, reward=function, reward_hash=locate(function).hash, **recipe)


@pytest.mark.usefixtures("rewards", "unmeasured")
def test_training_is_paid_by_the_function(tiny: Tiny) -> None:
    """A label that is the marker's trains as the marker does, to the byte; a number does not."""
    marker = tiny.train(tiny.trial("grpo"))
    same = tiny.train(own(tiny, "near_rewards:label"))
    assert weights(same) == weights(marker)
    run = tiny.train(own(tiny, "near_rewards:score"))
    again = tiny.train(own(tiny, "near_rewards:score"))
    assert weights(run) == weights(again) != weights(marker)
    assert run.folder.steps.read_bytes() == again.folder.steps.read_bytes()
    for record in run.watcher.records:
        metrics = record.metrics
        assert metrics["reward/failed"] == 0 and 0 < (metrics["reward/mean"] or 0) < 1
        assert metrics["critic/rewards/mean"] == pytest.approx(metrics["reward/mean"])
        assert (metrics["reward/mean"] or 0) > (metrics["generated/score/mean"] or 0), "near is worth something"
        assert metrics.keys() <= OF_OBJECTIVES.keys() | OF_STEPS.keys(), "docs/reference/files.md says what they are"


@pytest.mark.usefixtures("rewards", "unmeasured")
def test_a_kill_changes_no_byte(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = own(tiny, "near_rewards:score", "rence", reward_threshold=0.5, checkpoint_steps=1)
    whole, folder, calls = tiny.train(trial), tiny.place(), count(1)

    def dying(*arguments: Any) -> Any:
        if next(calls) == 5:
            raise Killed
        return sample(*arguments)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("harness.backends.local.generate.sample", dying)
        tiny.train(trial, folder=folder)
    resumed = tiny.train(trial, folder=folder)
    assert len(whole.watcher.records) > len(resumed.watcher.records) > 0
    assert weights(whole) == weights(resumed)
    assert whole.folder.steps.read_bytes() == resumed.folder.steps.read_bytes()


@pytest.mark.usefixtures("rewards", "unmeasured")
def test_failures_are_counted_and_told_and_all_of_them_end_the_trial(tiny: Tiny) -> None:
    run = tiny.train(own(tiny, "near_rewards:sometimes"))
    failed = sum(record.metrics["reward/failed"] or 0 for record in run.watcher.records)
    learnt = [record.metrics["rollouts/discarded"] for record in run.watcher.records]
    assert failed > 0 and sum(map(float, filter(None, learnt))) == failed
    assert any("near_rewards.py:13: returned nothing" in one for one in run.watcher.warnings), run.watcher.warnings
    with pytest.raises(UserError, match=r"near_rewards\.py:27: AttributeError: .*no_such_thing"):
        tiny.train(own(tiny, "near_rewards:never"))


@pytest.mark.usefixtures("rewards", "unmeasured")
def test_what_failed_and_why_is_in_the_files_and_in_the_findings(tiny: Tiny) -> None:
    """Three ways to fail. The reason is the same after a kill: no address is in it."""
    trial = own(tiny, "near_rewards:ways", reward_seconds=0.2)
    run, again = tiny.train(trial), tiny.train(trial)
    rows = list(read_jsonl(run.folder.steps))
    assert run.folder.steps.read_bytes() == again.folder.steps.read_bytes()
    found = reward_failures.count(rows)
    assert found is not None and found.first is not None
    failed = [int(row["metrics"]["reward/failed"]) for row in rows]
    assert (found.failed, found.rollouts) == (sum(failed), rows[-1]["rollouts"]) and 0 < found.share < 1
    assert found.first.step == 1 + next(place for place, count in enumerate(failed) if count)
    reasons = {row["reward_failure"] for row in rows if row["metrics"]["reward/failed"]}
    known = (
        "near_rewards.py:20: ValueError: no <object object at 0x...>",
        "the reward ran out of time",
        "near_rewards.py:16: returned nan; a reward must be finite",
    )
    assert reasons <= set(known), reasons
    (finding,) = [one for one in examine(run.folder, 1.0) if one.startswith("reward: ")]
    assert f"the reward failed on {found.failed} of {found.rollouts} rollouts (" in finding
    assert finding.endswith(f"first at step {found.first.step}: {found.first.reason}")


@pytest.mark.usefixtures("unmeasured")
def test_a_source_that_changed_is_refused_where_it_is_called(tiny: Tiny, rewards: Path) -> None:
    trial = own(tiny, "near_rewards:score")
    rewards.write_text(NEAR + "# changed\n")
    with pytest.raises(UserError, match="its source must have the hash"):
        tiny.train(trial)


@pytest.mark.usefixtures("rewards")
def test_a_recorded_batch_keeps_its_rewards(tiny: Tiny) -> None:
    trial = own(tiny, "near_rewards:score")
    run = tiny.train(replace(trial, experiment=replace(trial.experiment, record_steps=(1,))))
    batch = read(run.folder.rollouts(1)).batch
    assert batch.reward_B.mean().item() == pytest.approx(run.watcher.records[0].metrics["reward/mean"])
    assert not torch.equal(batch.reward_B, batch.label_B.float())

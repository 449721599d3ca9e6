"""What a rollout is learnt from as: the marker's verdict, a vote of its group, or a control's in its place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest
import torch

from algorithms.objectives.dapo import DAPO
from algorithms.objectives.grpo import GRPO
from algorithms.rollouts import Rollouts
from benchmarks.marks import MATHS, NUMBERS, Marked, Rule
from benchmarks.marks import Mark as Found
from benchmarks.problems import Problem
from harness.backends.collect import Collected
from harness.backends.groups import Group, Rollout, TokenRollouts, as_batch
from harness.backends.labels import labelled
from harness.backends.metrics import step_metrics
from harness.config.training_recipe import Reward
from harness.prompts.stream import Prompt
from harness.records import Mark

if TYPE_CHECKING:
    from conftest import Tiny


def group(marks: Iterable[Mark], problem: str = "one", epoch: int = 0) -> Group:
    one = torch.ones(1, dtype=torch.int64)
    rollouts = tuple(Rollout(one, torch.zeros(1), False, mark) for mark in marks)
    return Group(Prompt(Problem(problem, "1"), epoch), (1,), rollouts)


def coins(one: Group, seed: int) -> list[bool]:
    (found,) = labelled([one], "random", seed)
    return [rollout.label for rollout in found.rollouts]


def test_the_label_is_the_mark_unless_a_control_says_otherwise() -> None:
    every = group(Mark)
    assert [r.label for r in every.rollouts] == [mark is Mark.CORRECT for mark in Mark]
    (same,) = labelled([every], "label", seed=0)
    assert same is every
    (answered,) = labelled([every], "format", seed=0)
    assert [r.mark for r in answered.rollouts if r.label] == [Mark.CORRECT, Mark.WRONG]
    assert answered.correct == 1


def test_where_marking_failed_nothing_is_learnt_whatever_the_control() -> None:
    failed = group([Mark.GRADER_FAILED, Mark.WRONG, Mark.GRADER_FAILED])
    for reward in ("label", "majority", "random", "format", "mislabelled"):
        assert len(as_batch(labelled([failed], reward, seed=0), max_tokens=1)) == 1  # type: ignore[arg-type]


def test_a_batch_learns_from_labels_and_knows_the_marks() -> None:
    batch = as_batch(labelled([group([Mark.WRONG, Mark.TRUNCATED, Mark.CORRECT])], "format", seed=0), max_tokens=1)
    assert batch.label_B.tolist() == [True, False, True]
    assert batch.reward_B.tolist() == [1, 0, 1]
    assert batch.correct_B.tolist() == [False, False, True]
    assert batch.rows(torch.tensor([2, 0])).correct_B.tolist() == [True, False]


def test_coins_are_keyed_by_identity_and_blind_to_the_answer() -> None:
    ours = coins(group([Mark.WRONG] * 64), seed=0)
    assert coins(group([Mark.CORRECT] * 64), seed=0) == ours
    assert coins(group([Mark.WRONG] * 8), seed=0) == ours[:8]
    others = [coins(group([Mark.WRONG] * 64), seed=1), coins(group([Mark.WRONG] * 64, "two"), seed=0)]
    others.append(coins(group([Mark.WRONG] * 64, epoch=1), seed=0))
    assert ours not in others and len({tuple(other) for other in others}) == 3


def test_coins_are_fair() -> None:
    thrown = [
        coin for seed, n, epoch in product(range(10), range(20), range(3)) for coin in thrown_for(seed, f"{n}", epoch)
    ]
    assert len(thrown) == 4800
    # four standard errors
    assert abs(sum(thrown) / 4800 - 0.5) < 4 * math.sqrt(0.25 / 4800)


def thrown_for(seed: int, problem: str, epoch: int) -> list[bool]:
    return coins(group([Mark.WRONG] * 8, problem, epoch), seed)


def test_a_tenth_of_the_problems_is_mislabelled() -> None:
    problems = [f"q{n}" for n in range(4000)]
    found = labelled([group(Mark, problem) for problem in problems], "mislabelled", seed=0)
    right = [[r.mark for r in one.rollouts if r.label] for one in found]
    assert {tuple(marks) for marks in right} == {(Mark.CORRECT,), (Mark.WRONG,)}, "no answer is never right"
    share = right.count([Mark.WRONG]) / len(right)
    assert abs(share - 0.1) < 4 * math.sqrt(0.1 * 0.9 / len(right)), "four standard errors"
    assert all(one.correct == 1 for one in found), "marks stay what they are"


def test_which_problems_are_mislabelled_hangs_on_the_data_alone() -> None:
    problems = [f"q{n}" for n in range(100)]
    ours, others = (
        [
            [r.label for r in one.rollouts]
            for one in labelled([group([C, W, N], problem, epoch) for problem in problems], "mislabelled", seed)
        ]
        for seed, epoch in ((0, 0), (7, 3))
    )
    assert ours == others and [False, True, False] in ours


class Watching(GRPO):
    """Remembers what it was given."""

    seen: list[TokenRollouts]

    def credit(self, batch: Rollouts, rng: object) -> Mapping[str, torch.Tensor]:
        assert isinstance(batch, TokenRollouts)
        self.seen.append(batch)
        return super().credit(batch, rng)  # type: ignore[arg-type]


C, W, N, F = Mark.CORRECT, Mark.WRONG, Mark.NO_ANSWER, Mark.GRADER_FAILED


def voting(*answers: str | None, marks: Iterable[Mark] | None = None, rule: Rule = MATHS) -> Group:
    """Marked as wrong, unless it is said otherwise or there is no answer."""
    given = marks or [N if answer is None else W for answer in answers]
    one = torch.ones(1, dtype=torch.int64)
    rollouts = tuple(
        Rollout(one, torch.zeros(1), False, mark, answer) for answer, mark in zip(answers, given, strict=True)
    )
    return Group(Prompt(Problem("q", "1", rule=rule), 0), (1,), rollouts)


def positives(*groups: Group) -> list[list[int]]:
    found = labelled(groups, "majority", seed=0)
    return [[place for place, rollout in enumerate(group.rollouts) if rollout.label] for group in found]


def test_the_most_frequent_answer_of_a_group_is_positive() -> None:
    assert positives(
        voting("7", "8", None, "8", "7", "8"),
        voting(None, None, None),
        voting("1", None),
        # the gold answer, 1, is given and outvoted
        voting("1", "5", "5", marks=[C, W, W]),
    ) == [[1, 3, 5], [], [0], [1, 2]]


def test_of_equally_frequent_answers_the_first_wins() -> None:
    assert positives(voting("7", "8", "8", "7")) == [[0, 3]]
    assert positives(voting(None, "8", "7", "9")) == [[1]]


def test_answers_are_equal_by_the_problems_rule() -> None:
    halves = ("0.25", "0.5", r"\frac{1}{2}", "1/2", "0.25")
    assert positives(voting(*halves), voting(*halves, rule=NUMBERS)) == [[1, 2, 3], [1, 2, 3]]
    # Math-Verify is asked where texts do not tell, unless answers are numbers alone
    terms = ("7", "x^2-1", "7", "(x-1)(x+1)", "(x+1)(x-1)")
    assert positives(voting(*terms), voting(*terms, rule=NUMBERS)) == [[1, 3, 4], [0, 2]]
    near = ("3.0", "3.02", "3.01", "2.0", "2.0")
    assert positives(voting(*near, rule=Rule(tolerance=0.005))) == [[0, 2]], "in the order of the samples"
    assert positives(voting(*near)) == [[3, 4]]


def test_whose_marking_failed_votes_and_is_not_learnt_from() -> None:
    (found,) = labelled([voting("5", "6", "5", "6", "5", marks=[F, W, F, W, W])], "majority", seed=0)
    batch = as_batch([found], max_tokens=1)
    assert batch.label_B.tolist() == [False, False, True]


def test_how_often_labels_are_right_is_logged() -> None:
    groups = [
        voting("1", "1", "2", "2", "2", marks=[C, C, W, W, W]),  # the vote is wrong, and so are all labels
        voting("1", "1", "1", "3", None, marks=[C, C, C, W, N]),  # right, and so are all
        voting("4", None, marks=[F, N]),  # the one that won is not known to be right or wrong
        voting(None, marks=[N]),  # no vote, and a label that agrees with the marker's
    ]

    def row_of(reward: Reward, groups: list[Group]) -> dict[str, float | None]:
        found = Collected([], labelled(groups, reward, seed=0), len(groups), reward=reward)
        return step_metrics(found, None, {})

    row = row_of("majority", groups)
    assert row["labels/agreement"] == (0 + 5 + 1 + 1) / 12
    assert row["labels/majority_correct"] == 1 / 2
    none = row_of("majority", groups[2:])
    assert none["labels/majority_correct"] is None and none["labels/agreement"] == 1
    row = row_of("format", groups)
    # right: five marked correct, three without an answer; the four wrong ones are labelled positive
    assert row["labels/agreement"] == 8 / 12 and "labels/majority_correct" not in row
    assert not [name for name in row_of("label", groups) if name.startswith("labels/")]


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("reward", ["majority", "mislabelled"])
def test_training_learns_from_labels(tiny: Tiny, reward: str) -> None:
    watching = type("Watching", (Watching,), {"seen": []})()
    run = tiny.train(tiny.trial(watching, budget=96, reward=reward))
    for record, batch in zip(run.watcher.records, watching.seen, strict=True):
        metrics, same = record.metrics, batch.label_B == batch.correct_B
        assert metrics["labels/agreement"] == pytest.approx(same.float().mean().item())
        assert metrics["critic/rewards/mean"] == batch.label_B.float().mean().item()
        assert metrics["critic/score/mean"] == batch.correct_B.float().mean().item()
    agreement = [record.metrics["labels/agreement"] or 0.0 for record in run.watcher.records]
    assert 0 < min(agreement) < 1
    assert reward == "mislabelled" or max(agreement) < 1, "of a few problems none may be mislabelled"
    again = type("Watching", (Watching,), {"seen": []})()
    assert tiny.train(tiny.trial(again, budget=96, reward=reward)).result.final_weights == run.result.final_weights


@pytest.mark.usefixtures("unmeasured")
def test_training_learns_from_coins_and_logs_the_markers_truth(tiny: Tiny) -> None:
    runs = []
    for seed in (0, 0, 1):
        watching = type("Watching", (Watching,), {"seen": []})()
        run = tiny.train(tiny.trial(watching, budget=96, reward="random", seed=seed))
        runs.append([batch.label_B.tolist() for batch in watching.seen])
        for record, batch in zip(run.watcher.records, watching.seen, strict=True):
            metrics = record.metrics
            assert metrics["critic/score/mean"] == metrics["generated/score/mean"]
            assert metrics["critic/score/mean"] == batch.correct_B.float().mean().item()
            assert metrics["critic/rewards/mean"] == batch.label_B.float().mean().item()
        labels = torch.cat([batch.label_B for batch in watching.seen])
        assert 0.3 < labels.float().mean() < 0.7
    assert runs[0] == runs[1] != runs[2]


def test_filters_follow_the_label(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    def mark_all(responses: Iterable[object]) -> list[Marked]:
        # in each group of four one wrong answer and three without any: no contrast for the marker, one for the format
        return [Marked(Found.NO_ANSWER if n % 4 else Found.WRONG, None) for n, _ in enumerate(responses)]

    monkeypatch.setattr("harness.backends.local.generate.mark_texts", mark_all)
    by_label = tiny.train(tiny.trial(DAPO(), budget=16)).watcher.records[0].metrics
    by_format = tiny.train(tiny.trial(DAPO(), budget=16, reward="format")).watcher.records[0].metrics
    assert (by_label["groups/kept"], by_format["groups/kept"]) == (0, 4)
    assert by_format["groups/all_wrong"] == 4 and by_format["critic/score/mean"] == 0
    # rewards of +1 and -1 less what is too long, of one and three
    assert by_format["critic/rewards/mean"] is not None and by_format["critic/rewards/mean"] <= -0.5


def test_the_marker_label_trains_as_before(tiny: Tiny) -> None:
    plain, said = tiny.trial(budget=32), tiny.trial(budget=32, reward="label")
    assert replace(plain.arm, recipe=said.arm.recipe) == plain.arm
    assert tiny.train(plain).result.final_weights == tiny.train(said).result.final_weights

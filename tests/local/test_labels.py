"""What a rollout is learnt from as: the marker's verdict, or a control's in its place."""

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
from benchmarks.marking import Mark as Found
from benchmarks.marking import Marked
from benchmarks.problems import Problem
from harness.backends.groups import Group, Rollout, TokenRollouts, as_batch
from harness.backends.labels import labelled
from harness.records import Mark
from harness.stream import Prompt

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
    for reward in ("label", "random", "format"):
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


class Watching(GRPO):
    """Remembers what it was given."""

    seen: list[TokenRollouts]

    def credit(self, batch: Rollouts, rng: object) -> Mapping[str, torch.Tensor]:
        assert isinstance(batch, TokenRollouts)
        self.seen.append(batch)
        return super().credit(batch, rng)  # type: ignore[arg-type]


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

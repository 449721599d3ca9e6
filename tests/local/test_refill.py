"""What a step asks for after the filter: in the order of the stream, up to a cap in prompts, every group counted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.objectives.dapo import DAPO
from algorithms.rollouts import Rollouts
from benchmarks.problems import Problem
from harness.backends.collect import Collected, collect
from harness.backends.groups import Group, Rollout
from harness.backends.local import generate as generating
from harness.config.experiment import Trial
from harness.config.training_recipe import Recipe
from harness.models.language_model import LanguageModel
from harness.prompts.stream import Prompt, PromptStream
from harness.records import Mark
from tests.closeness import assert_close

if TYPE_CHECKING:
    from conftest import Run, Tiny

PROBLEMS = tuple(Problem(f"say {n}", str(n)) for n in range(97))


def answered(prompt: Prompt, passes: bool) -> Group:
    marks = [Mark.CORRECT, Mark.WRONG if passes else Mark.CORRECT]
    rollouts = [Rollout(torch.tensor([3]), torch.zeros(1), False, mark, "1") for mark in marks]
    return Group(prompt, (2,), tuple(rollouts))


@pytest.mark.parametrize("policy", ["missing", "batch"])
@settings(max_examples=60, deadline=None)
@given(
    passing=st.lists(st.booleans(), min_size=60, max_size=60),
    wanted=st.integers(1, 8),
    batches=st.integers(1, 6),
    factor=st.sampled_from([1.0, 1.1, 1.5, 3.0]),
    cursor=st.integers(0, 40),
)
def test_groups_are_kept_in_the_order_of_the_stream_and_all_are_accounted_for(
    policy: str, passing: list[bool], wanted: int, batches: int, factor: float, cursor: int, tiny: Tiny
) -> None:
    recipe = {"prompts_per_step": wanted, "minibatches": 1, "refill_batches": batches, "refill_factor": factor}
    trial: Trial = tiny.trial("dapo", group_size=2, refill=policy, **recipe)
    stream, asked, warned = PromptStream(PROBLEMS, 0), [], []

    def generate(prompts: Sequence[Prompt]) -> list[Group]:
        start = len(asked)
        asked.extend(prompts)
        return [answered(prompt, passing[(start + i) % 60]) for i, prompt in enumerate(prompts)]

    found = collect(trial, stream, cursor, generate, warned.append)
    assert asked == stream.take(cursor, len(asked)) and [group.prompt for group in found.generated] == asked
    good = [prompt for i, prompt in enumerate(asked) if passing[i % 60]]
    assert [group.prompt for group in found.groups] == good[:wanted]
    assert len(found.generated) == len(found.groups) + found.dropped + found.surplus
    assert (found.dropped, found.surplus) == (len(asked) - len(good), max(0, len(good) - wanted))
    assert len(asked) <= batches * wanted and found.missing == wanted - len(found.groups)
    assert bool(found.missing) == bool(warned), "a short step is told"
    if found.missing:
        assert len(asked) == batches * wanted, "only the cap ends it"
    if policy == "missing" and factor == 1:
        assert found.surplus == 0


def test_what_a_step_asks_for() -> None:
    ours = Recipe(prompts_per_step=32, refill_batches=4)
    assert [ours.asks(0, 0), ours.asks(29, 32), ours.asks(31, 35), ours.asks(32, 36)] == [32, 3, 1, 0]
    assert [ours.asks(10, 120), ours.asks(10, 128)] == [8, 0], "the cap counts prompts"
    theirs = Recipe(prompts_per_step=32, refill_batches=4, refill="batch", refill_factor=2.0)
    assert [theirs.asks(0, 0), theirs.asks(29, 32), theirs.asks(31, 96), theirs.asks(31, 128)] == [32, 32, 32, 0]
    more = Recipe(prompts_per_step=32, refill_batches=4, refill_factor=1.1)
    assert [more.asks(22, 32), more.asks(21, 32), more.asks(31, 32)] == [11, 13, 2]


def test_a_count_that_does_not_add_up_is_an_error() -> None:
    group = answered(Prompt(PROBLEMS[0], 0), True)
    with pytest.raises(AssertionError, match="3 groups were generated, but 1 are learnt from, 1 dropped and 0 surplus"):
        Collected([group], [group, group, group], dropped=1)


def test_a_prompt_gets_the_same_rollouts_in_a_batch_of_any_size(tiny: Tiny, model: LanguageModel) -> None:
    trial = tiny.trial("dapo")
    prompts = PromptStream(tiny.PROBLEMS, 0).take(0, 8)
    together = generating.generate(model, trial, prompts)
    for size in (1, 3):
        parts = [prompts[i : i + size] for i in range(0, len(prompts), size)]
        apart = [group for part in parts for group in generating.generate(model, trial, part)]
        for one, other in zip(together, apart, strict=True):
            for ours, theirs in zip(one.rollouts, other.rollouts, strict=True):
                assert ours.tokens.tolist() == theirs.tokens.tolist() and ours.mark == theirs.mark
                assert_close(ours.logp, theirs.logp, within=1e-5)


class Alternating(DAPO):
    """Keeps every group whose problem has an even answer: half of them, whatever the model says."""

    def keep(self, batch: Rollouts) -> torch.Tensor:
        return torch.tensor([int(problem[-1], 16) % 2 == 0 for problem in batch.problem_ids])


def refilling(tiny: Tiny) -> Trial:
    return tiny.trial(Alternating(), budget=10 * 16, learning_rate=5e-3, checkpoint_steps=2, refill_batches=4)


@pytest.fixture(scope="module")
def whole(tiny: Tiny) -> Run:
    return tiny.train(refilling(tiny))


def test_every_step_adds_up_in_its_log(whole: Run) -> None:
    steps = [{name: value or 0 for name, value in record.metrics.items()} for record in whole.watcher.records]
    for metrics in steps:
        counts = {name: metrics[f"groups/{name}"] for name in ("generated", "kept", "dropped", "surplus", "missing")}
        assert counts["generated"] == counts["kept"] + counts["dropped"] + counts["surplus"]
        assert counts["surplus"] == 0 and counts["kept"] + counts["missing"] == 4
        assert metrics["rollouts/generated"] == 4 * counts["kept"] + metrics["rollouts/discarded"]
    assert any(metrics["groups/generated"] not in (4, 8, 12, 16) for metrics in steps), "not by whole batches"


@pytest.mark.parametrize("at", [2, 4, 7])
def test_a_trial_that_is_killed_while_it_refills_ends_with_the_same_bytes(
    tiny: Tiny, whole: Run, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, folder, original = count(1), tiny.place(), generating.sample

    def dying(*args, **kwargs):  # type: ignore[no-untyped-def]
        if next(calls) == at:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(generating, "sample", dying)
        tiny.train(refilling(tiny), folder=folder)
    again = tiny.train(refilling(tiny), folder=folder)
    assert again.folder.steps.read_bytes() == whole.folder.steps.read_bytes()
    assert again.result.final_weights == whole.result.final_weights

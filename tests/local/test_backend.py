"""Whole trials: budget, grid, refill, syncs, what is logged, and that learning happens."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from algorithms.objectives.grpo import GRPO
from algorithms.rollouts import Loss, Rollouts, Totals
from benchmarks.marks import Mark, Marked, Response
from benchmarks.problems import Problem
from harness.backends.base import Checkpoint
from harness.backends.local.policies import Policies
from harness.base.errors import INCOMPLETE, UserError
from harness.engines.base import Completion, Engine, NotFinite, Request, Sampling, complete
from harness.engines.registry import open_engine
from harness.models.language_model import LanguageModel
from harness.models.weights import UnusableWeights
from harness.records import read_jsonl

if TYPE_CHECKING:
    from conftest import Tiny


def test_a_trial_stops_at_the_first_step_past_its_budget_and_is_evaluated_on_the_grid(tiny: Tiny) -> None:
    run = tiny.train(tiny.trial(budget=70))  # 16 rollouts a step: 16 32 48 64 80; grid 35 and 70
    assert (run.result.steps, run.result.rollouts, run.result.updates) == (5, 80, 20)
    assert [(c.step, c.rollouts, c.grid) for c in run.watcher.checkpoints] == [(3, 48, 35), (5, 80, 70)]
    assert run.result.final_weights == run.watcher.checkpoints[-1].weights != run.watcher.checkpoints[0].weights
    assert not run.result.diverged


def test_a_step_past_several_grid_points_is_evaluated_for_the_last(tiny: Tiny) -> None:
    run = tiny.train(tiny.trial(budget=10))
    assert [(c.step, c.grid) for c in run.watcher.checkpoints] == [(1, 10)]


@pytest.mark.parametrize("name, expected", [(None, "local"), ("local", "local"), ("hf", "hf")])
def test_the_named_engine_answers_with_the_weights_of_the_checkpoint(
    tiny: Tiny, name: str | None, expected: str
) -> None:
    trial, greedy = tiny.trial(budget=32), Sampling(6, temperature=0)
    requests = [Request((2, word), (0,)) for word in range(5, 13)]
    seen: list[tuple[str, list[list[Completion]]]] = []

    class Asking(tiny.Watcher):
        def evaluate(self, engine: Engine, checkpoint: Checkpoint) -> None:
            seen.append((engine.name, complete(engine, requests, greedy)))

    experiment = replace(trial.experiment, evaluation=replace(trial.experiment.evaluation, engine=name))
    run = tiny.train(replace(trial, experiment=experiment), watcher=Asking())
    last = run.folder.checkpoint(run.result.steps)
    assert [engine for engine, _ in seen] == [expected, expected]
    assert seen[-1][1] == complete(open_engine("local", last), requests, greedy)
    assert seen[-1][1] != complete(open_engine("local", tiny.model), requests, greedy), "training changed the answers"


def test_steps_are_logged_with_running_counters(tiny: Tiny) -> None:
    run = tiny.train(tiny.trial(budget=48))
    rows = list(read_jsonl(run.folder.steps))
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert [row["rollouts"] for row in rows] == [16, 32, 48]
    assert [row["cursor"] for row in rows] == [4, 8, 12]
    assert [row["updates"] for row in rows] == [4, 8, 12]
    assert rows[-1]["tokens"] == run.result.tokens
    for before, row in zip([None, *rows], rows, strict=False):
        metrics = row["metrics"]
        assert sum(metrics[f"marks/{mark}"] for mark in Mark) == 16
        tokens = row["tokens"] - (before["tokens"] if before else 0)
        assert metrics["response_length/mean"] == pytest.approx(tokens / 16)
        assert metrics["generated/score/mean"] == metrics["marks/correct"] / 16
        assert metrics["groups/generated"] == metrics["groups/kept"] == 4
        assert metrics["actor/lr"] == pytest.approx(1e-3)
        assert 0 < metrics["actor/entropy"] < math.log(len(tiny.WORDS)) + 0.5
    assert [record.to_json() for record in run.watcher.records] == rows


def test_entropy_is_the_mean_surprise_of_sampled_tokens(tiny: Tiny, model: LanguageModel) -> None:
    with torch.no_grad():
        for parameter in model.net.parameters():
            parameter.zero_()  # a uniform distribution: every token costs log V
    folder = tiny.place()
    model.net.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    run = tiny.train(tiny.trial(budget=16), model=folder)
    assert run.watcher.records[0].metrics["actor/entropy"] == pytest.approx(math.log(len(tiny.WORDS)), rel=1e-5)


def test_warm_up_reaches_the_optimiser(tiny: Tiny) -> None:
    run = tiny.train(tiny.trial(budget=32, warmup_updates=8))  # 4 updates a step: 1/8 .. 4/8, then 5/8 .. 8/8
    assert [r.metrics["actor/lr"] for r in run.watcher.records] == pytest.approx([0.3125e-3, 0.8125e-3])


class Picky(GRPO):
    """Keeps what a test wants kept, and asks for replacements."""

    wanted: tuple[bool, ...] = ()

    @property
    def refill(self) -> bool:
        return True

    def keep(self, batch: Rollouts) -> torch.Tensor:
        return torch.tensor(self.wanted[: batch.groups])


def picky(*wanted: bool) -> Picky:
    return type("Picky", (Picky,), {"wanted": wanted})()


def test_dropped_groups_are_replaced_by_as_many_and_nothing_is_surplus(tiny: Tiny) -> None:
    # three of four groups pass, one is missing, and the one prompt that comes next brings it
    run = tiny.train(tiny.trial(picky(True, False, True, True), budget=20))
    record = run.watcher.records[0]
    assert (record.cursor, record.rollouts, run.result.steps) == (5, 20, 1)
    counts = {name: record.metrics[f"groups/{name}"] for name in ("generated", "kept", "dropped", "surplus", "missing")}
    assert counts == {"generated": 5, "kept": 4, "dropped": 1, "surplus": 0, "missing": 0}
    assert record.metrics["rollouts/discarded"] == run.result.discarded_rollouts == 4
    assert not run.watcher.warnings


def test_by_whole_batches_surplus_is_discarded(tiny: Tiny) -> None:
    # three of four groups pass: two batches give six, four are learnt from, two are surplus
    run = tiny.train(tiny.trial(picky(True, False, True, True), budget=32, refill="batch"))
    record = run.watcher.records[0]
    assert (record.cursor, record.rollouts, run.result.steps) == (8, 32, 1)
    counts = {name: record.metrics[f"groups/{name}"] for name in ("generated", "kept", "dropped", "surplus")}
    assert counts == {"generated": 8, "kept": 4, "dropped": 2, "surplus": 2}
    assert record.metrics["rollouts/discarded"] == run.result.discarded_rollouts == 16
    assert not run.watcher.warnings


@pytest.mark.usefixtures("unmeasured")
def test_past_the_cap_a_step_learns_from_fewer_groups_with_a_warning(tiny: Tiny) -> None:
    run = tiny.train(tiny.trial(picky(True, False, False, False), budget=48, refill="batch"))
    record = run.watcher.records[0]
    assert (record.cursor, record.metrics["groups/kept"], record.updates) == (12, 3, 4)
    assert len(run.watcher.warnings) == 1
    assert "3 of 4 groups passed the filter among the 12 prompts that a step may ask" in run.watcher.warnings[0]
    assert record.metrics["groups/missing"] == 1


def test_a_step_without_a_group_to_learn_from_updates_nothing(tiny: Tiny) -> None:
    run = tiny.train(tiny.trial(picky(False, False, False, False), budget=48))
    assert (run.result.steps, run.result.updates, run.result.discarded_rollouts) == (1, 0, 48)
    metrics = run.watcher.records[0].metrics
    assert metrics["groups/kept"] == 0 and "0 of 4 groups passed" in run.watcher.warnings[0]
    assert "this step learns nothing (`recipe.refill_batches`, 3, raises the cap)" in run.watcher.warnings[0]
    assert "critic/score/mean" not in metrics


def test_arms_of_a_seed_consume_the_same_prompts_and_the_first_samples_are_equal(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.backends.local import generate as generating
    from harness.backends.local import loop

    asked: list[tuple[str, int]] = []
    answers: list[str] = []
    original, original_mark = generating.generate, generating.mark_texts

    def generate(model, trial, prompts):  # type: ignore[no-untyped-def]
        asked.extend((prompt.problem.id, prompt.epoch) for prompt in prompts)
        return original(model, trial, prompts)

    def mark_all(responses: Iterable[Response]) -> list[Marked]:
        responses = list(responses)
        answers.extend(response.text for response in responses)
        return original_mark(responses)

    monkeypatch.setattr(loop, "generate", generate)
    monkeypatch.setattr(generating, "mark_texts", mark_all)
    found = {}
    for name in ("grpo", "dapo", "online_dpo"):
        asked.clear(), answers.clear()
        run = tiny.train(tiny.trial(name, budget=160))
        found[name] = (list(asked), answers[:16])
        assert len(asked) == run.watcher.records[-1].cursor
    prompts, answers_first = zip(*found.values(), strict=True)
    shortest = min(map(len, prompts))
    assert shortest > len(tiny.PROBLEMS)  # into the second epoch
    assert len({tuple(p[:shortest]) for p in prompts}) == 1
    assert len({tuple(a) for a in answers_first}) == 1


@pytest.mark.usefixtures("unmeasured")
def test_rollouts_whose_marking_failed_are_left_out_of_their_group(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = iter(range(10**6))

    def mark_all(responses: Iterable[object]) -> list[Marked]:
        # of each 16: group 0 loses its first rollout, group 1 loses all four
        failed = (next(calls) % 16 in (0, 4, 5, 6, 7) for _ in responses)
        return [Marked(Mark.GRADER_FAILED if lost else Mark.WRONG, None) for lost in failed]

    monkeypatch.setattr("harness.backends.local.generate.mark_texts", mark_all)
    sizes: list[list[int]] = []

    class Spy(GRPO):
        def credit(self, batch: Rollouts, rng: object) -> Mapping[str, torch.Tensor]:
            sizes.append(batch.size_G.tolist())
            return super().credit(batch, rng)  # type: ignore[arg-type]

    run = tiny.train(tiny.trial(Spy(), budget=16))
    assert sizes == [[3, 4, 4]]
    metrics = run.watcher.records[0].metrics
    assert metrics["marks/grader_failed"] == 5
    assert metrics["groups/dropped"] == 1
    assert metrics["rollouts/discarded"] == 5
    assert metrics["generated/score/mean"] == 0
    assert metrics["sequence/log_ratio_positive"] is None  # there is no positive: absence is not zero


def test_sampler_and_reference_follow_their_schedules(model: LanguageModel) -> None:
    policies = Policies.start(model, "synced", generator_sync_steps=2, reference_sync_steps=3)
    weight = next(model.net.parameters()).detach()
    seen = []
    for step in range(1, 8):
        policies.sync(step)
        held = [next(m.net.parameters()).flatten()[0].item() for m in (policies.sampler, policies.reference) if m]
        seen.append([round(value - float(weight.flatten()[0])) for value in held])
        weight.add_(1.0)  # what a step learns
    # sampler refreshed at 1 3 5 7; reference takes the sampler's weights at 1 4 7, which at 4 are those of step 3
    assert seen == [[0, 0], [-1, -1], [0, -2], [-1, -1], [0, -2], [-1, -3], [0, 0]]


def test_sampling_from_lagging_weights_is_off_policy(tiny: Tiny) -> None:
    def log_ratios(sync: int) -> list[float]:
        run = tiny.train(tiny.trial(budget=64, generator_sync_steps=sync, epochs=1, minibatches=1))
        return [record.metrics["sequence/log_ratio_square"] or 0.0 for record in run.watcher.records]

    fresh, lagging = log_ratios(1), log_ratios(2)
    assert max(fresh) < 1e-9  # one update a batch, on the sampler's own weights
    assert max(lagging[0::2]) < 1e-9 < 1e-6 < max(lagging[1::2])


def test_the_initial_reference_never_moves(tiny: Tiny) -> None:
    run = tiny.train(tiny.trial(GRPO(kl_coef=0.001), budget=64, epochs=1, minibatches=1, learning_rate=1e-2))
    kl = [record.metrics["actor/kl_loss"] or 0.0 for record in run.watcher.records]
    assert kl[-1] > 1e-4 and abs(kl[0]) < 1e-5 * kl[-1]


def test_a_trial_that_diverges_ends_there_and_says_where(tiny: Tiny) -> None:
    class Exploding(GRPO):
        def loss(self, batch: Rollouts, logp_BT: torch.Tensor, totals: Totals) -> Loss:
            loss = super().loss(batch, logp_BT, totals)
            return Loss(loss.value * (float("inf") if (totals.progress or 0) > 0.5 else 1.0), loss.metrics)

    run = tiny.train(tiny.trial(Exploding(), budget=64))
    assert run.result.diverged.startswith("step 3: loss ")
    assert (run.result.steps, run.result.rollouts, run.result.final_weights) == (2, 32, "")
    assert len(list(read_jsonl(run.folder.steps))) == 2


@pytest.mark.parametrize(("value", "error", "message"), [(float("nan"), UnusableWeights, "1 tensor not finite"),
                                                         (3e38, NotFinite, "logits are not finite")])  # fmt: skip
def test_a_broken_model_to_start_from_is_an_error(
    tiny: Tiny, model: LanguageModel, value: float, error: type[UserError], message: str
) -> None:
    with torch.no_grad():
        model.net.model.norm.weight.fill_(value)  # type: ignore[union-attr]
    folder = tiny.place()
    model.net.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    with pytest.raises(error, match=message) as raised:
        tiny.train(tiny.trial(budget=64), model=folder)
    assert raised.value.exit_code == INCOMPLETE


@pytest.mark.parametrize(
    ("rate", "reason"),
    [(3e38, "step 1: the weights are not finite"), (1e37, "step 2: loss ")],
)
def test_weights_that_training_breaks_end_the_trial(tiny: Tiny, rate: float, reason: str) -> None:
    """Beyond what a float holds, and short of it, where they are numbers and the logits are none."""
    run = tiny.train(tiny.trial(budget=64, epochs=1, minibatches=1, learning_rate=rate, weight_decay=10.0))
    assert run.result.diverged.startswith(reason) and run.result.final_weights == ""
    assert run.result.steps == len(list(read_jsonl(run.folder.steps)))


def test_an_evaluation_without_finite_logits_ends_the_trial(tiny: Tiny) -> None:
    """As it does again after a kill, for nothing else can come of it."""

    class Asking(tiny.Watcher):
        def evaluate(self, engine: Engine, checkpoint: Checkpoint) -> None:
            engine.model.net.model.norm.weight.data.fill_(3e38)  # type: ignore[attr-defined]
            engine.generate([Request((2, 5), (0,))], Sampling(4))

    first, again = (tiny.train(tiny.trial(budget=32), folder=place, watcher=Asking()) for place in [tiny.place()] * 2)
    assert first.result.diverged == "step 1: the logits of the evaluation are not finite"
    assert (first.result.steps, first.result.rollouts) == (1, 16)
    assert replace(again.result, generate_seconds=0, train_seconds=0) == replace(
        first.result, generate_seconds=0, train_seconds=0
    )


@pytest.mark.parametrize("name", ["grpo", "dapo", "rence", "online_dpo"])
def test_training_learns(tiny: Tiny, name: str) -> None:
    """The right answer is always 3: from about one in ten to most."""
    problems = tuple(Problem(f"say {n}", "3") for n in range(8))
    run = tiny.train(tiny.trial(name, budget=32 * 16, prompts_per_step=8, learning_rate=5e-3), problems=problems)
    scores = [record.metrics["generated/score/mean"] or 0.0 for record in run.watcher.records]
    assert scores[0] < 0.25
    assert max(scores) > 0.8

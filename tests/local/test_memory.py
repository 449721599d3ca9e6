"""What fits on a device: the plan's figures against torch's fake tensors, layers computed again, and the largest
micro-batch tried before the first step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import Qwen3Config

from algorithms.registry import get
from harness import config
from harness.backends.local import memory, rehearsal, trying
from harness.backends.local.settings import LocalSettings
from harness.backends.local.update import Learner, make_optimizer
from harness.backends.predicted import DeviceHours, Prediction, Workload, total
from harness.base.errors import UserError
from harness.base.findings import FindingState
from harness.models import shape as shapes
from harness.models.checkpointing import keep_inputs_alone
from harness.models.compute import Compute
from harness.models.flat_forward import runs_flat
from harness.models.language_model import load
from harness.planning import predicting
from tests.harness import fake_memory

SIZES: dict[str, Any] = {
    "hidden_size": 512, "intermediate_size": 1792, "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 128,
    "vocab_size": 512, "num_hidden_layers": 6, "tie_word_embeddings": True,
}  # fmt: skip


def learner_of(tiny: Any, folder: Path, compute: Compute | None = None, **recipe: Any) -> Learner:
    model, asked = load(folder, compute, to_train=True), tiny.trial("grpo", **recipe).arm.recipe
    return Learner(model, get("grpo"), asked, make_optimizer(model, asked))


@pytest.mark.parametrize("checkpointing", [True, False])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_what_a_pass_keeps(dtype: torch.dtype, checkpointing: bool, tmp_path: Path) -> None:
    """The head is small here: of logits there is a chunk at a time."""
    made, tokens = Qwen3Config(**SIZES), 2048
    made.save_pretrained(tmp_path)
    of = shapes.read(tmp_path)
    assert of is not None
    asked = memory.TrialLoad(of, of.parameters, dtype == torch.bfloat16, tokens, 1, tokens, checkpointing)
    counted = sum(memory._kept(asked).values())

    def loss(logits: Tensor) -> Tensor:
        return logits[:, 0].float().sum()

    found, _ = fake_memory.peak(made, tokens, dtype, checkpointing, loss)
    small = 4 * tokens * SIZES["vocab_size"] * dtype.itemsize
    assert found - small <= counted <= 1.15 * found, (found, memory._kept(asked))


def test_the_figures_of_a_small_model_by_hand() -> None:
    """Qwen3-0.6B in bf16 with a reference: 2 + 4 + 8 + 2 bytes a parameter stay, gradients are 4 more."""
    of = shapes.STATED["Qwen/Qwen3-0.6B"]
    asked = memory.TrialLoad(of, of.parameters, True, 8192, 256, 1280, True, reference=True)
    sampling, scoring, update = memory.phases(asked)
    stays = 16 * of.parameters + memory.RUNTIME
    assert sum(bytes for name, bytes in update.parts.items() if name in scoring.parts) >= stays
    assert update.parts["gradients, fp32"] == 4 * of.parameters
    # keys and values: 28 layers x 8 heads x 128 numbers x 2 x 2 bytes a token
    assert sampling.parts["keys and values, at most"] == 28 * 8 * 128 * 2 * 2 * 256 * 1280
    assert memory.needed(asked) == max(scoring.bytes, update.bytes) < 16e9
    assert memory.needed(replace(asked, checkpointing=False)) > 20e9


def test_checkpointing_is_chosen_where_it_would_not_fit_otherwise(tiny: Any) -> None:
    of = shapes.STATED["Qwen/Qwen3-0.6B"]
    trial = tiny.trial(microbatch_tokens=16384, max_tokens=1024, group_size=8, prompts_per_step=8)
    experiment = replace(trial.experiment, recipe=trial.arm.recipe, backend_settings=LocalSettings("cuda", "bf16"))
    work = Workload(of, of.parameters, (), ())
    assert memory.settled(experiment, work, 24_000_000_000).checkpointing
    assert not memory.settled(experiment, work, 141_000_000_000).checkpointing
    never = replace(experiment, backend_settings=LocalSettings("cuda", "bf16", gradient_checkpointing=False))
    assert not memory.settled(never, work, 24_000_000_000).checkpointing


@pytest.mark.parametrize("name", ["qwen3", "gpt2", "llama"])
@pytest.mark.parametrize("compute", [Compute(), Compute("cpu", "bf16")], ids=["fp32", "bf16"])
def test_layers_computed_again_give_the_same_gradient(
    name: str, compute: Compute, tiny: Any, folders: dict[str, Path]
) -> None:
    plain, again = (learner_of(tiny, folders[name], compute) for _ in range(2))
    assert keep_inputs_alone(again.model.net) == 2
    for one in (plain, again):
        one.backward(rehearsal._batch(one, 2, 5), 0.0)
    found, other = (
        torch.cat([p.grad.flatten() for p in x.model.learnt() if p.grad is not None]) for x in (plain, again)
    )
    if runs_flat(plain.model.net):  # a pass of its own, which computes no layer again: the sums are in another order
        assert (found - other).norm() <= 1e-5 * found.norm()
    else:
        assert torch.equal(found, other)
    assert not plain.model.checkpointing and again.model.checkpointing


def test_a_trial_that_computes_layers_again_is_the_same_trial(tiny: Any) -> None:
    # bf16: fp32 on a processor has a pass of its own where nothing is computed again.
    settings = [LocalSettings("cpu", "bf16", gradient_checkpointing=again) for again in (None, True)]
    trials = [tiny.trial("grpo", budget=16 * 2) for _ in settings]
    runs = [
        tiny.train(replace(trial, experiment=replace(trial.experiment, backend_settings=one)))
        for trial, one in zip(trials, settings, strict=True)
    ]
    assert runs[0].result.final_weights == runs[1].result.final_weights


def test_the_rehearsal_changes_nothing(tiny: Any, folder: Path) -> None:
    learner = learner_of(tiny, folder)
    before = [one.clone() for one in learner.model.learnt()]
    found = rehearsal.rehearse(learner, 5)
    # 4 prompts x 4 responses, each 5 + 6 tokens
    assert (found.tokens, found.rows) == (16 * 11, 16) and found.seconds > 0
    assert all(torch.equal(one, other) for one, other in zip(before, learner.model.learnt(), strict=True))
    assert not learner.optimizer.state and not learner.state and learner.updates == 0
    assert all(one.grad is None for one in learner.model.learnt())


def short_of_memory(monkeypatch: pytest.MonkeyPatch, most: int, again_at: int = 0) -> None:
    """A device that has no room for more than so many padded tokens; or, with layers computed again, for more."""
    backward = Learner.backward

    def limited(self: Learner, batch: Any, progress: float) -> Any:
        tokens = len(batch) * (batch.max_tokens + len(next(iter(batch.prompts.values()))))
        if tokens > (again_at if self.model.checkpointing else most):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has 79.1 GiB in all")
        return backward(self, batch, progress)

    monkeypatch.setattr(Learner, "backward", limited)


def test_too_large_a_micro_batch_is_named_with_what_would_fit(
    tiny: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_of_memory(monkeypatch, most=100)
    with pytest.raises(UserError) as refused:
        rehearsal.rehearse(learner_of(tiny, folder), 5)
    said = str(refused.value)
    # two groups, 88 tokens, fit; four, 176, do not
    assert "out of memory at the largest micro-batch: 176 tokens (16 responses of 11" in said
    assert "`recipe.microbatch_tokens=88` fits, as was tried" in said and "gradient_checkpointing=true" in said
    assert "CUDA out of memory" in said and len(said.splitlines()) == 2
    fits = learner_of(tiny, folder, microbatch_tokens=88)
    assert rehearsal.rehearse(fits, 5).tokens == 88


def test_one_group_that_does_not_fit_has_other_ways(tiny: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short_of_memory(monkeypatch, most=10)
    with pytest.raises(UserError, match=r"a smaller `recipe.max_tokens` or `recipe.group_size`(.|\n)*local.dtype=bf16"):
        rehearsal.rehearse(learner_of(tiny, folder), 5)


def test_layers_are_computed_again_by_themselves_where_that_fits(
    tiny: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_of_memory(monkeypatch, most=100, again_at=1000)
    learner = learner_of(tiny, folder)
    assert rehearsal.rehearse_or_recompute(learner, 5, None).tokens == 176 and learner.model.checkpointing
    with pytest.raises(UserError, match=r"`recipe.microbatch_tokens=88` fits"):
        rehearsal.rehearse_or_recompute(learner_of(tiny, folder), 5, False)


def test_a_step_that_runs_out_of_memory_ends_with_advice(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(Learner, "update", no_room)
    with pytest.raises(UserError, match=r"step 1: out of memory(.|\n)*recipe.microbatch_tokens=2048"):
        tiny.train(tiny.trial(budget=16))


def test_doctor_tries_the_experiments_own_micro_batch() -> None:
    from harness import config

    experiment = config.load(Path(__file__).parents[2] / "configs" / "smoke.yaml")
    found = {row.part: row for row in trying.tried(experiment)}
    assert found[trying.SAMPLER].state is found[trying.PART].state is FindingState.OK
    assert "room enough" in found[trying.PART].found and "fp32 on cpu" in found[trying.SAMPLER].found


ONE_GPU = Path(__file__).parents[2] / "configs/one_gpu"


def foreseen(name: str, *overrides: str, tokens: float | None = None) -> Prediction:
    experiment = config.load(ONE_GPU / f"{name}.yaml", overrides)
    of = shapes.shape(experiment.model, None)
    assert of is not None
    return predicting.predict(experiment, None, of.parameters, {"gsm8k": 1319, "math500": 500}, tokens)


def on(seen: Prediction, device: str) -> DeviceHours:
    return next(one for one in seen.hours if one.device == device)


@pytest.mark.parametrize("name", [path.stem for path in ONE_GPU.glob("*.yaml")])
def test_experiments_for_one_gpu_fit_one_of_24_gb_and_an_evening_or_a_night(name: str) -> None:
    found = on(foreseen(name), "RTX 4090")
    assert found.needed < 0.9 * found.memory
    assert total(found.at_most) < (6 if "0.5b" in name else 26)


@pytest.mark.parametrize("name, tokens", [("qwen2.5_0.5b_gsm8k", 250), ("qwen3_1.7b_lora", 600)])
@pytest.mark.parametrize("backend", ["", "_verl"])
def test_the_page_has_the_hours_that_the_plan_has(name: str, tokens: int, backend: str) -> None:
    page = (ONE_GPU.parents[1] / "docs/how-to/gpu.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}{backend}` |") and "(" in line]
    seen = foreseen(f"{name}{backend}", tokens=tokens)
    hours = [on(seen, card) for card in ("RTX 4090", "A100", "H100", "H200")]
    assert row.strip("| ").split(" | ")[1:] == [
        f"{rounded(total(one.expected or {}))} ({rounded(total(one.at_most))})" for one in hours
    ]


def rounded(hours: float) -> str:
    return f"{hours:.1f}" if hours < 9.95 else f"{hours:.0f}"


def test_adapters_take_gradients_and_moments_of_their_own_and_no_second_model() -> None:
    of = shapes.STATED["Qwen/Qwen3-1.7B"]
    learning = 34_865_152  # rank 32 on every linear layer
    seen = foreseen("qwen3_1.7b_lora", "local.gradient_checkpointing=true")
    update = next(phase for phase in seen.memory if phase.name == "update").parts
    assert update["weights"] == 2 * of.parameters and update["adapters"] == update["reference"] == 2 * learning
    assert update["fp32 masters"] == update["gradients, fp32"] == 4 * learning
    assert update["moments of AdamW"] == 8 * learning
    whole = foreseen("qwen3_1.7b_lora", "local.gradient_checkpointing=true", "recipe.lora=null")
    assert on(seen, "RTX 4090").needed < 10e9 < 24e9 < on(whole, "RTX 4090").needed
    assert seen.checkpoint_bytes == 4 * of.parameters + (4 + 8) * learning


def test_hours_of_adapters_spare_the_gradients_of_what_lies_under_them() -> None:
    """GRPO with checkpointing: four passes of an update and one of the reference, 2 FLOPs a parameter each, less one;
    and the attention's."""
    one = ("arms={grpo: {}, again: {algorithm: grpo}}", "comparison={target: grpo, baselines: [again]}")
    asked = (*one, "local.gradient_checkpointing=true")
    spent = [
        (on(foreseen("qwen3_1.7b_lora", *asked, *more, tokens=600), "H100").expected or {})["learning"]
        for more in ((), ("recipe.lora=null",))
    ]
    parameters, sequence = shapes.STATED["Qwen/Qwen3-1.7B"].parameters, 856
    token = 2 * parameters + 4 * 28 * 2048 * sequence / 2
    rollouts = 2 * 3 * 10240
    flops = rollouts * (sequence * (5 * token - 2 * parameters) + 256 * 2 * parameters)
    assert spent[0] == pytest.approx(flops / (989e12 * 0.40) / 3600, rel=1e-6)
    assert 0.78 < spent[0] / spent[1] < 0.82


def test_our_sampler_is_bound_by_launches_where_rows_are_few() -> None:
    """28 layers at 0.2 ms are 5.6 ms a token, whatever the card."""
    slow, fast = (
        (on(foreseen("qwen3_1.7b_lora", tokens=600), card).expected or {})["sampling"] for card in ("A100", "B200")
    )
    steps = 3 * 3 * 40 * 1024  # trials x steps x tokens of the longest
    assert fast > steps * 28 * 2e-4 / 3600 and fast < slow

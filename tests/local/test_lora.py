"""Low-rank adapters on the local backend: what learns, what a reader of a checkpoint has, and how they compare with
training every weight.

Parity with full training. A layer computes with W + c B A, c = alpha / rank. Of a loss with gradient G in the layer's
matrix the chain rule gives

    gradient of B = c G A'        gradient of A = c B' G

so at the start, where B is zero, one step of gradient descent of rate e moves the product by c dB A = -e c^2 G A'A, and
A not at all. With as many rows in A as the matrix has columns, and these orthonormal, A'A is the identity: a step of
rate e / c^2 moves the layer by -e G, exactly what a step of rate e on W does. Where the matrix has fewer rows than
columns, the same holds with A zero and B B' the identity. That is tested to rounding, for every layer at once; and that
what comes later differs by the third order of e. The chain rule itself is tested through the backend's own passes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from algorithms.registry import get
from harness.backends.groups import TokenRollouts
from harness.backends.local.logprobs import fixed_logp, response_logp
from harness.backends.local.policies import Policies
from harness.backends.local.update import Learner, make_optimizer
from harness.base.errors import UserError
from harness.config.training_recipe import Recipe
from harness.models import adapters
from harness.models.compute import Compute
from harness.models.language_model import LanguageModel, load
from harness.models.lora import Lora
from harness.models.resolving import resolve
from tests.closeness import assert_close

MODEL = resolve("quickstart-base")
SMALL = Lora(8, 16)
FULL = 64
"""the smaller side of each of the model's matrices: 64 x 64 and 64 x 192"""


def adapted(lora: Lora = SMALL, seed: int = 0, compute: Compute | None = None) -> LanguageModel:
    return load(MODEL, compute, to_train=True, lora=lora, seed=seed)


@torch.no_grad()
def moved(model: LanguageModel, size: float = 0.02) -> LanguageModel:
    """With a B that is not zero."""
    generator = torch.Generator().manual_seed(1)
    for name, parameter in model.net.named_parameters():
        if ".lora_B." in name:
            parameter.copy_(size * torch.randn(parameter.shape, generator=generator))
    return model


def weights(model: LanguageModel) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in adapters.merged(model.net)}


# parity, in double precision

IDS = torch.tensor([[2, 5, 3, 9, 4, 7], [3, 3, 8, 2, 6, 5]])


def loss(net: torch.nn.Module) -> Tensor:
    logits = net(IDS[:, :-1]).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), IDS[:, 1:].flatten())


def orthonormal(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    """With orthonormal columns, of which there are no more than rows."""
    return torch.linalg.qr(torch.randn(rows, columns, generator=generator, dtype=torch.float64))[0]


@torch.no_grad()
def spanning(model: LanguageModel) -> None:
    """Zero on one side and orthonormal on the other, the one on which the matrix is no larger than the rank."""
    generator = torch.Generator().manual_seed(0)
    for module in model.net.modules():
        if not hasattr(module, "lora_A"):
            continue
        a, b = module.lora_A["default"].weight, module.lora_B["default"].weight
        a.zero_(), b.zero_()
        if a.shape[1] <= a.shape[0]:
            a.copy_(orthonormal(*a.shape, generator))
        else:
            b.copy_(orthonormal(b.shape[1], b.shape[0], generator).T)


def descend(net: torch.nn.Module, learning: list[torch.nn.Parameter], rate: float, steps: int) -> None:
    for _ in range(steps):
        gradients = torch.autograd.grad(loss(net), learning)
        with torch.no_grad():
            for parameter, gradient in zip(learning, gradients, strict=True):
                parameter -= rate * gradient


def apart(rate: float, steps: int) -> tuple[float, float]:
    """After so many steps of gradient descent at full rank, and of training the same matrices whole: the distance
    between their weights, and how far these have moved."""
    lora = Lora(FULL, 2 * FULL)
    of_adapters = adapted(lora)
    of_adapters.net.double()
    spanning(of_adapters)
    whole = load(MODEL).net.double()
    begun = {name: value.clone() for name, value in whole.state_dict().items()}
    matrices = [parameter for name, parameter in whole.named_parameters() if name.endswith("_proj.weight")]
    descend(of_adapters.net, of_adapters.learnt(), rate / lora.scale**2, steps)
    descend(whole, matrices, rate, steps)
    # merged in fp32 for files; here in double
    found = {}
    for name, layer in of_adapters.net.named_modules():
        if hasattr(layer, "lora_A"):
            a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
            found[f"{name}.weight"] = layer.base_layer.weight + lora.scale * b @ a
    state = whole.state_dict()
    assert len(found) == len(matrices) == 14
    between = sum(float((found[name].detach() - state[name]).square().sum()) for name in found) ** 0.5
    return between, sum(float((state[name] - begun[name]).square().sum()) for name in found) ** 0.5


def test_at_full_rank_a_step_is_the_step_of_full_training() -> None:
    between, moved_by = apart(rate=0.1, steps=1)
    assert moved_by > 0.01 and between < 1e-12 * moved_by


def test_later_steps_differ_by_the_third_order_of_the_rate() -> None:
    """The side that was orthonormal moves only once the other is not zero: in the second step, by a gradient of the
    first order times a factor of the first; and its product with the other factor is one order more."""
    (far, moved_by), (near, _) = apart(0.1, 2), apart(0.05, 2)
    assert near < far < 0.01 * moved_by
    assert far / near == pytest.approx(8, rel=0.25)


def test_a_low_rank_moves_less_and_along_the_same_way() -> None:
    """Of r rows drawn at random a step's product is -e c^2 G A'A: its cosine with -G is above zero, and below one."""
    model = adapted(Lora(4, 8), seed=1)
    net = load(MODEL).net
    name = "model.layers.0.self_attn.q_proj"
    (whole,) = torch.autograd.grad(loss(net), [net.get_submodule(name).weight])
    layer = model.net.get_submodule(name)
    (of_b,) = torch.autograd.grad(loss(model.net), [layer.lora_B["default"].weight])
    product = of_b @ layer.lora_A["default"].weight.detach()
    cosine = torch.nn.functional.cosine_similarity(product.flatten(), whole.flatten(), dim=0)
    assert 0.1 < float(cosine) < 0.7  # the square root of 4 / 64 is what random rows keep of a random matrix


# through the backend's own passes


@pytest.mark.parametrize("name", ["grpo", "rence"])
def test_gradients_are_those_of_the_merged_model_by_the_chain_rule(
    name: str, rollouts: Callable[[str, LanguageModel], TokenRollouts]
) -> None:
    """gradient of B = c G A', of A = c B' G, with G of a model that has the merged weights."""
    model = moved(adapted(SMALL))
    batch, recipe = rollouts(name, model), Recipe(microbatch_tokens=10**6)
    plain = load(MODEL)
    plain.net.load_state_dict({key: value.clone() for key, value in adapters.merged(model.net)})
    for one in (model, plain):
        Learner(one, get(name), recipe, make_optimizer(one, recipe)).backward(batch, progress=0.5)
    whole = {key: parameter.grad for key, parameter in plain.net.named_parameters()}
    found, wanted = [], []
    for key, layer in model.net.named_modules():
        if hasattr(layer, "lora_A"):
            gradient, (a, b) = whole[f"{key}.weight"], (layer.lora_A["default"].weight, layer.lora_B["default"].weight)
            assert gradient is not None
            found += [a.grad, b.grad]
            wanted += [SMALL.scale * b.detach().T @ gradient, SMALL.scale * gradient @ a.detach().T]
    assert len(found) == 28 and max(float(one.abs().max()) for one in wanted) > 1e-4
    assert_close(found, wanted, within=1e-4)
    assert all(parameter.grad is None for parameter in adapters.frozen(model.net))


@pytest.fixture
def rollouts() -> Callable[[str, LanguageModel], TokenRollouts]:
    """Groups that a model has sampled, with all that an algorithm asks for."""
    from dataclasses import replace

    from benchmarks.problems import Problem
    from harness.backends.groups import Group, Rollout, as_batch
    from harness.engines.base import Request, Sampling
    from harness.engines.sampler import sample
    from harness.prompts.stream import Prompt
    from harness.records import Mark

    def made(name: str, model: LanguageModel) -> TokenRollouts:
        prompts = [(2, 5, 3), (2, 4, 4, 4, 9, 3), (7,)]
        drawn = sample(model.net, [Request(prompt, tuple(range(8))) for prompt in prompts], Sampling(10), model.stop)
        rows = enumerate(zip(drawn.tokens_BT, drawn.logp_BT, drawn.length_B.tolist(), strict=True))
        every = [
            Rollout(tokens[:n], logp[:n], n == 10, Mark.CORRECT if row % 3 else Mark.WRONG)
            for row, (tokens, logp, n) in rows
        ]
        groups = [
            Group(Prompt(Problem(str(g), ""), 0), prompt, tuple(every[g * 8 : g * 8 + 8]))
            for g, prompt in enumerate(prompts)
        ]
        batch, algorithm = as_batch(groups, 10), get(name)
        batch = replace(batch, ref_logp_BT=1.05 * batch.old_logp_BT)
        batch = replace(batch, reward_B=algorithm.shape(batch))
        return replace(batch, credit=algorithm.credit(batch, lambda _: torch.Generator().manual_seed(0)))

    return made


def test_sampler_learner_and_readers_of_the_checkpoint_have_equal_log_probs(
    rollouts: Callable[[str, LanguageModel], TokenRollouts], tmp_path: Path
) -> None:
    model = moved(adapted(SMALL))
    batch = rollouts("grpo", model)
    model.save(tmp_path)
    with torch.no_grad():
        learner, reader = (response_logp(one, batch, 1.0) for one in (model, load(tmp_path)))
    # 1e-5 is what is seen: as without adapters, whose log-probs are up to 20 nats here
    assert float((learner - batch.old_logp_BT).abs().max()) < 3e-5
    assert float((reader - learner).abs().max()) < 3e-5
    base = fixed_logp(load(MODEL), batch, 1.0, 4096)
    assert float((base - learner).abs().max()) > 0.05, "the adapters do something"


def test_the_reference_is_the_model_without_adapters_and_takes_no_memory(
    rollouts: Callable[[str, LanguageModel], TokenRollouts],
) -> None:
    model = moved(adapted(SMALL))
    policies = Policies.start(model, "init", generator_sync_steps=2, reference_sync_steps=2)
    batch = rollouts("grpo", model)
    assert policies.reference and policies.sampler is not model
    alone = fixed_logp(load(MODEL), batch, 1.0, 4096)  # by the pass over flat tokens, that with adapters over rows
    assert_close(fixed_logp(policies.reference, batch, 1.0, 4096), alone, within=2e-6)
    own = {id(parameter) for parameter in adapters.frozen(model.net)}
    for other in (policies.reference, policies.sampler):
        assert {id(parameter) for parameter in adapters.frozen(other.net)} == own
    moved(model, 0.05)  # the sampler lags, and the model's adapters stay on
    lagging = fixed_logp(policies.sampler, batch, 1.0, 4096)
    assert float((lagging - batch.old_logp_BT).abs().max()) < 3e-5
    assert float((fixed_logp(model, batch, 1.0, 4096) - lagging).abs().max()) > 0.01
    policies.sync(1)
    assert torch.equal(fixed_logp(policies.sampler, batch, 1.0, 4096), fixed_logp(model, batch, 1.0, 4096))


def test_nothing_but_adapters_learns() -> None:
    model = adapted(SMALL)
    learning = model.learnt()
    assert sum(parameter.numel() for parameter in learning) == 2 * 8 * (4 * (64 + 64) + 3 * (64 + 192))
    assert {id(p) for group in make_optimizer(model, Recipe()).param_groups for p in group["params"]} == {
        id(parameter) for parameter in learning
    }
    assert len(adapters.frozen(model.net)) + len(learning) == len(list(model.net.parameters()))
    assert all(torch.equal(v, load(MODEL).net.state_dict()[n]) for n, v in weights(model).items()), "B begins at zero"


def test_every_arm_of_a_seed_begins_alike_and_seeds_differ() -> None:
    first, again, other = (adapters.state(adapted(SMALL, seed).net) for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    drawn = [name for name in first if ".lora_A." in name]
    assert drawn and not any(torch.equal(first[name], other[name]) for name in drawn)
    bound = max(float(first[name].abs().max()) * first[name].shape[1] ** 0.5 for name in drawn)
    assert 0.95 < bound <= 1.0


# files


def test_a_checkpoint_has_merged_weights_and_an_adapter_that_peft_reads(tmp_path: Path) -> None:
    from peft import PeftModel

    model = moved(adapted(SMALL))
    model.save(tmp_path)
    assert load_file(tmp_path / "model.safetensors").keys() == load_file(MODEL / "model.safetensors").keys()
    saved = load(tmp_path).net.state_dict()
    assert all(torch.equal(value, saved[name]) for name, value in weights(model).items())
    read = PeftModel.from_pretrained(load(MODEL).net, str(tmp_path / adapters.FOLDER))
    with torch.no_grad():
        assert torch.equal(read(IDS).logits, model.net(IDS).logits)
    again = adapted(SMALL, seed=5)
    again.restore(tmp_path)
    assert all(torch.equal(v, adapters.state(model.net)[n]) for n, v in adapters.state(again.net).items())
    (tmp_path / adapters.FOLDER / "adapter_model.safetensors").unlink()
    with pytest.raises(UserError, match=r"adapter_model.safetensors is missing"):
        again.restore(tmp_path)


@pytest.mark.parametrize("name", ["llama", "gpt2", "mistral"])
def test_other_architectures_are_merged_as_they_compute(name: str, folders: dict[str, Path], tmp_path: Path) -> None:
    """GPT-2's matrices lie the other way round."""
    model = moved(load(folders[name], lora=Lora(4)), 0.1)
    model.save(tmp_path)
    with torch.no_grad():
        found, before = model.net(IDS[:, :4]).logits, load(folders[name]).net(IDS[:, :4]).logits
        assert_close(load(tmp_path).net(IDS[:, :4]).logits, found, within=1e-5)
    assert float((found - before).abs().max()) > 1e-2


def test_in_bf16_adapters_have_masters_and_what_lies_under_them_none(tmp_path: Path) -> None:
    model = adapted(SMALL, compute=Compute("cpu", "bf16"))
    assert {parameter.dtype for parameter in model.net.parameters()} == {torch.bfloat16}
    assert {parameter.dtype for parameter in model.learnt()} == {torch.float32} and len(model.learnt()) == 28
    found = model.net(IDS).logits
    found.float().square().mean().backward()
    assert found.dtype == torch.bfloat16 and all(parameter.grad is None for parameter in model.net.parameters())
    optimizer = make_optimizer(model, Recipe(learning_rate=1e-3))
    optimizer.step()
    model.follow()
    model.save(tmp_path)
    moved_by = [float(value.abs().max()) for name, value in adapters.state(model.net).items() if ".lora_B." in name]
    assert min(moved_by) > 5e-4
    # what is saved is the masters', of which bf16 would have lost the last digits
    read = adapters.read(tmp_path / adapters.FOLDER)
    assert sorted(map(id, model.learnt())) and {value.dtype for value in read.values()} == {torch.float32}
    assert any(not torch.equal(value, value.bfloat16().float()) for value in read.values())
    again = adapted(SMALL, seed=3, compute=Compute("cpu", "bf16"))
    again.restore(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(model.learnt(), again.learnt(), strict=True))
    assert all(torch.equal(v, adapters.state(again.net)[n]) for n, v in adapters.state(model.net).items())


def test_what_cannot_be_put_on_is_said_by_the_model_too() -> None:
    with pytest.raises(UserError, match="`qproj`, but no linear layer of the model"):
        adapted(Lora(4, targets=("qproj",)))
    with pytest.raises(UserError, match="`lm_head`, which shares its weights with the embeddings"):
        adapted(Lora(4, targets=("lm_head",)))
    with pytest.raises(UserError, match="`rank` must be at most 64"):
        adapted(Lora(65))


# resume


class Killed(BaseException):
    """What no code of ours catches."""


@pytest.mark.parametrize("at", [1, 4, 7])
def test_a_killed_trial_ends_with_the_same_bytes(at: int, tiny, whole) -> None:  # type: ignore[no-untyped-def]
    class Dying(tiny.Watcher):
        def on_step(self, record) -> None:  # type: ignore[no-untyped-def]
            if record.step == at:
                raise Killed

    folder = tiny.place()
    with pytest.raises(Killed):
        tiny.train(lagging(tiny), folder=folder, watcher=Dying())
    again = tiny.train(lagging(tiny), folder=folder)
    assert contents(again.folder.root) == contents(whole.folder.root)
    assert again.watcher.checkpoints[-1] == whole.watcher.checkpoints[-1]


def test_what_a_resume_needs_is_the_adapters_and_goes_with_the_end(tiny, whole) -> None:  # type: ignore[no-untyped-def]
    sizes: list[int] = []

    class Looking(tiny.Watcher):
        def evaluate(self, engine, point) -> None:  # type: ignore[no-untyped-def]
            state = torch.load(run / f"checkpoints/step_{point.step}/trainer.pt", weights_only=True)
            sizes.append(len(state["optimizer"]["state"]))
            assert all(".lora_" in name for kept in state["lagging"].values() for name in kept)
            assert set(state["lagging"]) == {"sampler", "reference"}

    run = tiny.place()
    tiny.train(lagging(tiny), folder=run, watcher=Looking())
    assert sizes and set(sizes) == {2 * 7 * 2}
    assert not any(path.name == "trainer.pt" for path in whole.folder.root.rglob("*"))


def lagging(tiny):  # type: ignore[no-untyped-def]
    """Everything that a checkpoint has to hold: moments, and adapters of a sampler and a reference that lag."""
    settings = {"generator_sync_steps": 2, "reference_sync_steps": 3, "checkpoint_steps": 2, "lora": Lora(4, 8)}
    return tiny.trial("online_dpo", budget=8 * 16, learning_rate=5e-3, **settings)


@pytest.fixture(scope="module")
def whole(tiny):  # type: ignore[no-untyped-def]
    return tiny.train(lagging(tiny))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

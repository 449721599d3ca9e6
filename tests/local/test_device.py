"""Where and in what numbers a trial computes: bf16 with fp32 masters, on the CPU here; what needs a GPU is marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.overrides import TorchFunctionMode

from algorithms.registry import ALL, get
from harness.backends.local.backend import LocalBackend
from harness.backends.local.settings import LocalSettings
from harness.backends.local.update import Learner, make_optimizer
from harness.base import devices
from harness.base.errors import UserError
from harness.config.experiment import Trial
from harness.engines.local import LocalEngine
from harness.models import compute, placing
from harness.models.compute import Compute
from harness.models.language_model import load

BF16 = Compute("cpu", "bf16")
GPU = pytest.mark.gpu
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def on(trial: Trial, **settings: Any) -> Trial:
    """The trial with settings of the backend."""
    return replace(trial, experiment=replace(trial.experiment, backend_settings=LocalSettings(**settings)))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


class Killed(BaseException):
    """What no code of ours catches."""


def killed_and_resumed(tiny: Any, trial: Trial, folder: Path) -> Any:
    """A training that was killed in its fifth step, after checkpoints, and started again."""

    class Stops(tiny.Watcher):
        def on_step(self, record: Any) -> None:
            if record.step == 5:
                raise Killed

    with pytest.raises(Killed):
        tiny.train(trial, folder=folder, watcher=Stops())
    return tiny.train(trial, folder=folder)


@pytest.fixture
def a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a machine with two GPUs and torch's build for them looks from outside."""
    monkeypatch.setattr(compute, "without_cuda", lambda: "")
    monkeypatch.setattr("harness.backends.local.backend.without_cuda", lambda: "")
    monkeypatch.setattr("harness.backends.local.backend.gpu_names", lambda: ["2", "5"])


def test_auto_is_the_cpu_without_a_gpu_and_the_gpu_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(devices.SEEN, "")
    assert (LocalSettings().device, LocalSettings().dtype) == ("cpu", "fp32")
    assert "CUDA_VISIBLE_DEVICES hides all" in devices.without_cuda()
    monkeypatch.setenv(devices.SEEN, "0")
    monkeypatch.setattr(devices, "_built_for_gpus", lambda: False)
    assert LocalSettings().device == "cpu" and "build for the CPU" in devices.without_cuda()
    monkeypatch.setattr(devices, "_built_for_gpus", lambda: True)
    assert (LocalSettings().device, LocalSettings().dtype) == ("cuda", "bf16")
    assert LocalSettings(device="cpu").dtype == "fp32" and LocalSettings(dtype="fp32").device == "cuda"


def test_a_build_of_torch_is_told_by_its_version_file() -> None:
    assert not devices._BUILD.search("cuda: Optional[str] = None\nhip: Optional[str] = None\n")
    assert devices._BUILD.search("cuda: Optional[str] = '12.8'\n")
    assert devices._BUILD.search("debug = False\ncuda = None\nhip: Optional[str] = '6.4'\n")
    assert devices._built_for_gpus() == (torch.version.cuda is not None or torch.version.hip is not None)


def test_a_trial_on_a_gpu_has_a_card_to_itself(tiny: Any, a_gpu: None) -> None:
    backend, experiment = LocalBackend(), on(tiny.trial()).experiment
    assert backend.computes_on(experiment) == "bf16 on cuda"
    assert backend.slots(experiment, 8) == 2 and backend.slots(experiment, 1) == 1
    assert backend.slot_environments(experiment) == [{devices.SEEN: "2"}, {devices.SEEN: "5"}]
    assert backend.gpus_of_trial(experiment) == 1 == backend.gpus_of_start(experiment)
    backend.check_workers(experiment, 2)
    with pytest.raises(UserError, match="room for 2 at a time, for each trial has a GPU to itself"):
        backend.check_workers(experiment, 3)
    with pytest.raises(UserError, match="no node of the Ray cluster has a GPU"):
        backend.check_machine(experiment, [{"CPU": 8.0}])
    assert backend.slots_of_cluster(experiment, [{"CPU": 8.0, "GPU": 4.0}, {"CPU": 8.0}]) == 4
    on_cpu = on(tiny.trial(), device="cpu").experiment
    assert backend.slots(on_cpu, 8) == 8 and backend.slot_environments(on_cpu) == ()


def test_masters_are_fp32_and_the_net_is_their_rounding(folder: Path) -> None:
    model, exact = load(folder, BF16, to_train=True), load(folder)
    assert model.net.dtype == torch.bfloat16 and all(p.dtype == torch.float32 for p in model.learnt())
    for one, other in zip(model.learnt(), exact.net.parameters(), strict=True):
        assert torch.equal(one, other)
    with torch.no_grad():
        model.learnt()[0].add_(1e-4)
    model.follow()
    rounded = [p.to(torch.bfloat16) for p in model.learnt()]
    assert all(torch.equal(a, b) for a, b in zip(rounded, model.net.parameters(), strict=True))
    # the frequencies of rotary positions stay as they are
    floats = {name: b.dtype for name, b in model.net.named_buffers() if b.is_floating_point()}
    assert floats and set(floats.values()) == {torch.float32}


def test_what_is_saved_is_what_the_optimiser_steps_on(folder: Path, tmp_path: Path) -> None:
    model = load(folder, BF16, to_train=True)
    with torch.no_grad():
        for one in model.learnt():
            one.mul_(1.001)
    model.follow()
    model.save(tmp_path)
    saved = weights(tmp_path)
    assert {value.dtype for value in saved.values()} == {torch.float32}
    again = load(folder, BF16, to_train=True)
    again.restore(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(model.learnt(), again.learnt(), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(model.net.parameters(), again.net.parameters(), strict=True))


def test_gradients_of_micro_batches_are_summed_in_fp32(tiny: Any, folder: Path) -> None:
    """1 + 2^-9 is no bf16 number, so a sum in bf16 would lose the second part."""
    model = load(folder, BF16, to_train=True)
    first = next(iter(model.net.parameters()))
    (first.float() * 1.0).sum().backward()
    (first.float() * 2.0**-9).sum().backward()
    master = model.learnt()[0]
    assert first.grad is None and master.grad is not None
    assert torch.equal(master.grad, torch.full_like(master, 1 + 2.0**-9))


def test_bf16_on_the_cpu_trains_and_resumes_to_the_byte(tiny: Any, tmp_path: Path) -> None:
    trial = on(tiny.trial("grpo", budget=16 * 6), device="cpu", dtype="bf16")

    whole, again = tiny.train(trial), killed_and_resumed(tiny, trial, tmp_path / "killed")
    one, other = (run.folder.checkpoint(run.result.steps) for run in (whole, again))
    assert (one / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    assert whole.folder.steps.read_bytes() == again.folder.steps.read_bytes()
    held = weights(one)
    assert any(not torch.equal(value, value.to(torch.bfloat16).float()) for value in held.values())
    exact = tiny.train(on(tiny.trial("grpo", budget=16 * 6), device="cpu"))
    assert exact.result.final_weights != whole.result.final_weights


def test_the_engine_says_what_it_computes_in(folder: Path) -> None:
    plain = LocalEngine.open(folder, "cpu", "fp32")
    assert plain.version == LocalEngine.version and plain.repeatable
    assert LocalEngine.open(folder, "cpu", "bf16").version == f"{LocalEngine.version[:-1]}, bf16 on cpu)"


def test_what_is_not_there_is_said_with_the_setting_that_fits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not torch.cuda.is_available():
        with pytest.raises(
            UserError, match=r"`local.device` is cuda, but torch .* sees no GPU: (.|\n)*local.device=cpu"
        ):
            load(folder, Compute("cuda", "fp32"))
    with pytest.raises(UserError, match=r"flash_attention_2` needs `local.device=cuda`(.|\n)*local.attention=sdpa"):
        load(folder, Compute("cpu", "fp32", "flash_attention_2"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (7, 5))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla T4")
    with pytest.raises(UserError, match=r"Tesla T4 \(compute capability 7.5\) has no bf16(.|\n)*local.dtype=fp32"):
        load(folder, Compute("cuda", "bf16"))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    monkeypatch.setattr(placing, "is_flash_attn_2_available", lambda: False)
    with pytest.raises(UserError, match="flash-attn, which is not here"):
        load(folder, Compute("cuda", "bf16", "flash_attention_2"))


def test_eager_attention_gives_the_same_log_probs(tiny: Any, folder: Path) -> None:
    asked = {name: tiny.train(on(tiny.trial(budget=16), device="cpu", attention=name)) for name in ("sdpa", "eager")}
    one, other = (run.watcher.records[0].metrics for run in asked.values())
    assert one["response_length/mean"] == other["response_length/mean"] and one["marks/wrong"] == other["marks/wrong"]
    assert one["actor/entropy"] == pytest.approx(other["actor/entropy"], abs=1e-6)


class EveryFactoryNamesItsDevice(TorchFunctionMode):
    """A tensor that is built beside others, and not from them, is on the CPU unless told otherwise."""

    FACTORIES = (torch.arange, torch.zeros, torch.ones, torch.full, torch.empty, torch.eye, torch.tensor, torch.rand)

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        assert func not in self.FACTORIES or "device" in kwargs, f"{func} without a device"
        return func(*args, **kwargs)


@pytest.mark.parametrize("name", sorted(ALL))
def test_an_update_builds_everything_on_the_device(name: str, tiny: Any, folder: Path) -> None:
    """As far as can be seen without a GPU: no tensor of the pass, the loss or the step is built just anywhere."""
    batches = []

    class Keeps(Learner):
        def learn(self, batch: Any, *rest: Any, **named: Any) -> Any:
            batches.append(batch)
            return {}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.backends.local.loop.Learner", Keeps)
        tiny.train(tiny.trial(get(name), budget=16 * 8))
    model, recipe = load(folder), tiny.trial(get(name)).arm.recipe
    learner = Learner(model, get(name), recipe, make_optimizer(model, recipe))
    assert batches
    with EveryFactoryNamesItsDevice():  # which asserts
        for batch in batches:
            learner.update(batch, 0.0)
    assert learner.updates == len(batches)


@GPU
@needs_gpu
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_a_gpu_trains_and_resumes_to_the_byte(dtype: str, tiny: Any, tmp_path: Path) -> None:
    """The same card, driver and libraries: kernels add up in one order."""
    trial = on(tiny.trial("grpo", budget=16 * 6), device="cuda", dtype=dtype)
    whole, again = tiny.train(trial), killed_and_resumed(tiny, trial, tmp_path / "killed")
    assert whole.result.final_weights == again.result.final_weights
    assert whole.folder.steps.read_bytes() == again.folder.steps.read_bytes()


@GPU
@needs_gpu
def test_a_gpu_in_fp32_is_close_to_the_cpu(tiny: Any) -> None:
    runs = [tiny.train(on(tiny.trial(budget=16), device=device, dtype="fp32")) for device in ("cpu", "cuda")]
    one, other = (run.watcher.records[0].metrics for run in runs)
    assert one["actor/entropy"] == pytest.approx(other["actor/entropy"], abs=1e-4)

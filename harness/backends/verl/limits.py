"""What keeps an experiment from being trained with verl, found before anything starts. Imports nothing heavy.

`mistakes` reads the experiment alone and is asked when its file is loaded; `check_machine` when a run starts;
`check_prompts` by the trial, once the tokenizer is there, as is `room.check` once Ray is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import TYPE_CHECKING, Any

from algorithms.contract import separable_losses_add_up
from benchmarks.problems import Benchmark, TrainingSet
from harness.backends.base import Key, Mistake
from harness.backends.verl.installed import findings
from harness.backends.verl.keys import longest_sequence, semantic_keys
from harness.backends.verl.options import VerlSettings, settings_of
from harness.backends.verl.room import check_divides
from harness.backends.verl.settings import VERSION
from harness.base import packages
from harness.base.devices import gpu_names
from harness.base.errors import UserError
from harness.base.findings import FindingState
from harness.base.installing import pip
from harness.config.experiment import Arm, Experiment, Trial
from harness.models import resolving
from harness.prompts import templates

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


_STORAGE = "transfer_queue.backend.storage_backend"
"""key of verl's: where the rollout queue keeps its rows"""


def mistakes(experiment: Experiment) -> Iterator[Mistake]:
    """Of the experiment's settings, and of its model if that is on this machine. Starts nothing."""
    settings = settings_of(experiment)
    if experiment.record_steps:
        yield Mistake(
            (("record_steps",),),
            "`record_steps` is of backend `local`. verl dumps rollouts itself: set "
            "`verl.overrides.trainer.rollout_data_dir`, and read a dump with `rence diff --batch FILE --model DIR`.",
        )
    yield from _layout(settings)
    yield from _kernels(settings)
    yield from _overrides(experiment)
    for arm in experiment.arms:
        yield from _recipe(arm, settings)
    folder = resolving.find(experiment.model)
    if folder:
        yield from _model(experiment, json.loads((folder / "config.json").read_text(encoding="utf-8")))


def check_verl() -> None:
    """
    Raises: UserError with the command that installs it if verl is not here, or in a version that we do not know.
    """
    try:
        found = metadata.version("verl")
    except metadata.PackageNotFoundError:
        found = "none"
    if found != VERSION:
        raise UserError(f"backend `verl` needs verl {VERSION}, but {found} is installed.\n{packages.install('verl')}")


def check_machine(settings: VerlSettings) -> None:
    """
    Raises: UserError with the command that installs what is missing or of a wrong version, or if one machine is to do
        what it has too few GPUs for.
    """
    check_verl()
    here = packages.installed()
    for finding in findings(here, packages.requirements(), packages.tested(), settings.device != "cpu"):
        if finding.state is FindingState.LACKS:
            raise UserError(f"backend `verl` cannot start: {finding.found}.\n{finding.mend}")
    if settings.device == "cpu":
        return
    if settings.nodes == 1 and "RAY_ADDRESS" not in os.environ:
        _check_gpus(settings, gpus())
    if "flash-attn" not in here:
        _check_without_flash_attention(settings)


def check_algorithm(arm: Arm) -> None:
    """
    Raises: UserError if the loss is said to separate by rollout and does not: the learner would cut groups by it.
    """
    try:
        separable_losses_add_up(arm.algorithm)
    except AssertionError as error:
        raise UserError(
            f"arm `{arm.name}`: {error}.\nThe algorithm `{arm.algorithm_name}` must not say that it is `separable`; "
            f"`rence check {arm.algorithm_name}` tries it."
        ) from None


def check_prompts(experiment: Experiment, tokenizer: PreTrainedTokenizerBase) -> None:
    """
    Raises: UserError if a prompt of training or evaluation is longer than `max_prompt_tokens`.
    """
    limit = settings_of(experiment).max_prompt_tokens
    asked: dict[str, TrainingSet | Benchmark] = {experiment.train: experiment.training_set}
    evaluation = experiment.evaluation
    for name in (*evaluation.benchmarks, *evaluation.curve):
        asked[name] = evaluation.benchmark(name)
    for name, source in asked.items():
        lengths = {p.id: len(templates.render(tokenizer, p, experiment.template)) for p in source.problems}
        longest = max(lengths, key=lambda problem: lengths[problem])
        if lengths[longest] > limit:
            count = sum(length > limit for length in lengths.values())
            raise UserError(
                f"{count} of {len(lengths)} prompts of `{name}` are longer than `verl.max_prompt_tokens` ({limit}): "
                f"the longest, problem {longest}, has {lengths[longest]} tokens.\n"
                f"Set `verl.max_prompt_tokens={lengths[longest]}`, or leave such problems out of the data."
            )


def gpus() -> int | None:
    """How many this process may use; None if that is not known."""
    names = gpu_names()
    return None if names is None else len(names)


def _layout(settings: VerlSettings) -> Iterator[Mistake]:
    yield from _slots(settings)
    devices, each = settings.devices, settings.gpus_on_node
    which = "gpus_per_trial" if settings.gpus_per_trial else "gpus_per_node"
    said = f"{settings.nodes} x {each} devices (`nodes` x `{which}`)"
    for name in ("tensor_parallel", "sequence_parallel"):
        size, keys = getattr(settings, name), (("verl", name), ("verl", which), ("verl", "nodes"))
        if size > devices:
            yield Mistake(keys, f"`{name}` must be at most the {said}, but is {size} instead.")
        elif devices % size or (each % size and size % each):
            yield Mistake(keys, f"`{name}` must divide the {said} and fill whole machines, but is {size} instead.")


def _slots(settings: VerlSettings) -> Iterator[Mistake]:
    """Devices of a trial that do not cut a machine into equal slots."""
    each, node = settings.gpus_per_trial, settings.gpus_per_node
    keys = (("verl", "gpus_per_trial"), ("verl", "gpus_per_node"), ("verl", "nodes"))
    if each is None or each == node:
        return
    if settings.nodes > 1:
        yield Mistake(
            keys,
            f"a trial over {settings.nodes} machines (`nodes`) takes whole ones: leave `gpus_per_trial` out, or set it "
            f"to `gpus_per_node` ({node}), but not to {each}.",
        )
    elif each > node:
        yield Mistake(
            keys,
            f"`gpus_per_trial` must be at most `gpus_per_node` ({node}), but is {each} instead: a trial over more "
            "machines than one sets `nodes`.",
        )
    elif node % each:
        yield Mistake(
            keys,
            f"`gpus_per_trial` must divide `gpus_per_node` ({node}), but is {each} instead: {node % each} of a "
            "machine's devices would be idle.",
        )


def _kernels(settings: VerlSettings) -> Iterator[Mistake]:
    if settings.device == "cpu" and settings.flash_attention:
        yield Mistake((("verl", "flash_attention"),), "`flash_attention` needs a GPU, but `device` is cpu.")
    if settings.sequence_parallel > 1 and not settings.remove_padding:
        yield Mistake((("verl", "sequence_parallel"),), "`sequence_parallel` above 1 needs `remove_padding`.")
    if settings.sequence_parallel > 1 and (settings.device == "cpu" or settings.flash_attention is False):
        # verl exchanges heads for pieces in flash-attn's call alone (`models/transformers/monkey_patch.py`); with any
        # other, each device would attend to its own piece of a sequence, and nothing would say so.
        yield Mistake(
            (("verl", "sequence_parallel"), ("verl", "flash_attention")),
            "`sequence_parallel` above 1 needs flash-attn, and so a GPU and `flash_attention` not false: verl joins a "
            "sequence's pieces in no other attention.",
        )


def _overrides(experiment: Experiment) -> Iterator[Mistake]:
    decided = semantic_keys(Trial(experiment, experiment.arms[0], experiment.seeds[0]))
    for key, value in settings_of(experiment).overrides.items():
        if key.removeprefix("+") == _STORAGE and value != "SimpleStorage":
            yield Mistake(
                (("verl", "overrides", key), ("verl", "overrides")),
                f"`{key}` must stay SimpleStorage: the others have one name for all trials on a cluster.",
            )
        if any(_same_or_inside(key.removeprefix("+"), ours) for ours in decided):
            yield Mistake(
                (("verl", "overrides", key), ("verl", "overrides")),
                f"`{key}` may not be overridden: it follows from the experiment's other settings.",
            )


def _recipe(arm: Arm, settings: VerlSettings) -> Iterator[Mistake]:
    """What of an arm's recipe does not go with verl: how it cuts batches over ranks and micro-batches, and its
    sampler."""
    recipe, ranks = arm.recipe, settings.data_parallel

    def keys(*names: str, more: tuple[str, ...] = ()) -> tuple[Key, ...]:
        # The likeliest first: what the arm itself changes, then what all arms share, then the section of verl.
        return (
            *(("arms", arm.name, "recipe", name) for name in names),
            *(("recipe", name) for name in names),
            *(("verl", name) for name in more),
        )

    groups = recipe.prompts_per_step // recipe.minibatches
    which = "gpus_per_trial" if settings.gpus_per_trial else "gpus_per_node"
    if groups % ranks:
        yield Mistake(
            keys("prompts_per_step", "minibatches", more=(which, "nodes", "sequence_parallel")),
            f"`prompts_per_step` / `minibatches` must be a multiple of the data-parallel size {ranks} (`nodes` x "
            f"`{which}` / `sequence_parallel`), but is {groups} instead: every rank takes whole groups of every "
            "mini-batch.",
        )
    # From above: a prompt and a response as long as they may be must fit, or a trial would fail midway.
    longest = settings.max_prompt_tokens + recipe.max_tokens
    room = recipe.microbatch_tokens * settings.sequence_parallel
    if longest > room:
        yield Mistake(
            keys("microbatch_tokens", "max_tokens", more=("max_prompt_tokens", "sequence_parallel")),
            f"a micro-batch must hold a whole sequence: `verl.max_prompt_tokens` {settings.max_prompt_tokens} + "
            f"`max_tokens` {recipe.max_tokens} = {longest} tokens, but `microbatch_tokens` {recipe.microbatch_tokens} "
            f"x `verl.sequence_parallel` {settings.sequence_parallel} = {room}. `microbatch_tokens` must be at least "
            f"{-(-longest // settings.sequence_parallel)}.",
        )


def _model(experiment: Experiment, config: Mapping[str, Any]) -> Iterator[Mistake]:
    config = {**config, **config.get("text_config", {})}
    longest, most = longest_sequence(experiment), config.get("max_position_embeddings")
    if most is not None and longest > most:
        yield Mistake(
            (("verl", "max_prompt_tokens"), ("evaluation", "max_tokens"), ("recipe", "max_tokens")),
            f"`verl.max_prompt_tokens` and the longest `max_tokens` of training and evaluation make {longest} tokens, "
            f"but the model has {most} positions.",
        )
    heads = config.get("num_attention_heads")
    for name in ("tensor_parallel", "sequence_parallel"):
        size = getattr(settings_of(experiment), name)
        if heads and heads % size:
            yield Mistake((("verl", name),), f"`{name}` must divide the model's {heads} heads, but is {size} instead.")


def _same_or_inside(a: str, b: str) -> bool:
    return a == b or a.startswith(f"{b}.") or b.startswith(f"{a}.")


def _check_without_flash_attention(settings: VerlSettings) -> None:
    if settings.sequence_parallel > 1:
        wants = f"`verl.sequence_parallel` is {settings.sequence_parallel}, which needs flash-attn"
        instead = "`verl.sequence_parallel=1`: each device then computes whole sequences"
    elif settings.flash_attention:
        wants = "`verl.flash_attention` is true"
        instead = "`verl.flash_attention=null`: torch's attention then, on packed sequences too"
    else:
        return
    raise UserError(
        f"{wants}, but flash-attn is not installed.\n{pip()} install --no-build-isolation flash-attn, or set {instead}."
    )


def _check_gpus(settings: VerlSettings, found: int | None) -> None:
    if found is None:
        return
    if found < settings.gpus_on_node:
        which = "gpus_per_trial" if settings.gpus_per_trial else "gpus_per_node"
        raise UserError(
            f"`verl.{which}` is {settings.gpus_on_node}, but this machine has {found} GPUs that may be used "
            "(CUDA_VISIBLE_DEVICES limits them).\n"
            "Ask for fewer, join a Ray cluster (RAY_ADDRESS), or try the config out with `verl.device=cpu`."
        )
    check_divides(settings, [found])

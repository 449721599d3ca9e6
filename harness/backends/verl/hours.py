"""GPU-hours of an experiment on a type of GPU: what is computed and read, at the shares of the peaks that are assumed.

Sampling reads, for each token, the weights and the keys and values of all sequences under way (or computes, where that
takes longer); a step ends with its longest response, alone at the last. Learning computes forward passes over prompts
and responses: one of the learner's log-probs, one of a reference, and three for an update, four with checkpointing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.backends.predicted import Workload
from harness.backends.verl import memory
from harness.backends.verl.gpus import READING, GpuType
from harness.backends.verl.keys import most_sequences
from harness.backends.verl.memory import FP32
from harness.backends.verl.options import VerlSettings, copies_of_sampler, settings_of
from harness.config.evaluation import Evaluation
from harness.config.experiment import Arm, Experiment
from harness.models.shape import ModelShape

PROMPT_TOKENS = 256
"""of a prompt, on average: a guess"""
START_SECONDS = 180.0
"""from a trial's start to its first step: a guess; two cores take 120 to 300"""
STEP_SECONDS = 5.0
"""a step's books, marks and the samplers' sleep: a guess"""
SEND_BYTES = 10e9
"""a second, from learner to sampler on a device: a guess"""
WRITE_BYTES = 1e9
"""a second, of a machine to its disk: a guess"""
_ROOM = 2_000_000_000
"""of the sampler's memory, for what it computes in: a guess"""


@dataclass(frozen=True)
class Sampler:
    """One copy of the model that samples."""

    shape: ModelShape
    parameters: int
    settings: VerlSettings
    gpu: GpuType

    @property
    def key_value_bytes(self) -> int:
        """Of one token, in all layers; its number is as wide as the pass."""
        return 2 * self.shape.layers * self.shape.keys * self._width

    @property
    def _width(self) -> int:
        return 2 if self.settings.precision == "bf16" else FP32

    @property
    def _weights(self) -> int:
        return self._width * self.parameters

    def abreast(self, longest: float, asked: float) -> float:
        """How many sequences of so many tokens are under way at once, at most `asked`."""
        over = self.settings.tensor_parallel
        room = over * (self.settings.sampler_memory * self.gpu.memory - _ROOM) - self._weights
        fit = max(1.0, room / (self.key_value_bytes * longest))
        return max(1.0, min(asked, fit, most_sequences(self.settings)))

    def token_seconds(self, abreast: float, context: float) -> float:
        """Of one token of each sequence under way."""
        over, gpu = self.settings.tensor_parallel, self.gpu
        read = (self._weights + abreast * context * self.key_value_bytes) / (over * gpu.bandwidth * READING)
        return max(read, abreast * 2 * self.parameters / (over * gpu.flops * gpu.training))

    def seconds(self, asked: float, tokens: float, longest: float) -> float:
        """To answer so many prompts.

        Args:
            tokens: of a response, on average.
            longest: that one may have. Where responses differ, the longest goes on alone.
        """
        abreast = self.abreast(PROMPT_TOKENS + tokens, asked)
        together = asked / abreast * tokens * self.token_seconds(abreast, PROMPT_TOKENS + tokens / 2)
        return together + (longest - tokens) * self.token_seconds(1.0, PROMPT_TOKENS + longest / 2)


def hours(experiment: Experiment, work: Workload, gpu: GpuType, tokens: float | None) -> dict[str, float]:
    """What -> GPU-hours, of all trials, and of the untrained model's evaluation.

    Args:
        tokens: of a response, on average; None: as long as it may be.
    """
    settings = settings_of(experiment)
    sampler = Sampler(work.shape, work.parameters, settings, gpu)
    replicas = max(1, settings.devices // settings.tensor_parallel)
    found: dict[str, float] = {}

    def add(what: str, seconds: float, devices: int = settings.devices) -> None:
        found[what] = found.get(what, 0.0) + seconds * devices / 3600

    for arm in experiment.arms:
        length = arm.recipe.max_tokens if tokens is None else min(tokens, arm.recipe.max_tokens)
        asked = arm.recipe.prompts_per_step * arm.recipe.group_size
        steps = -(-experiment.budget_rollouts // asked)
        times = len(experiment.seeds)
        written = steps // arm.recipe.checkpoint_steps + experiment.evaluation.points
        add("start", times * START_SECONDS)
        add("sampling", times * steps * sampler.seconds(asked / replicas, length, arm.recipe.max_tokens))
        add("learning", times * _learning(experiment, arm, work, gpu, length) / settings.devices)
        add("between", times * steps * (STEP_SECONDS + 2 * work.parameters / SEND_BYTES))
        add("checkpoints", times * written * checkpoint_bytes(experiment, arm, work) / settings.nodes / WRITE_BYTES)
        add("evaluation", times * _asked(sampler, experiment.evaluation, work.asked, tokens, replicas))
    # The untrained model is asked by the copies of one machine, once for all trials.
    copies = len(copies_of_sampler(settings, ""))
    alone = _asked(sampler, experiment.evaluation, work.asked_start, tokens, copies)
    add("untrained", alone, copies * settings.tensor_parallel)
    return found


def checkpoint_bytes(experiment: Experiment, arm: Arm, work: Workload) -> int:
    """Of one that the arm's trials can go on from."""
    width = 2 if settings_of(experiment).precision == "bf16" else FP32
    lags, moves = arm.recipe.generator_sync_steps > 1, arm.algorithm.reference == "synced"
    return memory.checkpoint_bytes(work.parameters, width, lags, moves)


def _asked(
    sampler: Sampler, evaluation: Evaluation, asked: Iterable[tuple[str, int]], tokens: float | None, replicas: int
) -> float:
    """Seconds of evaluations, one after the other."""
    spent = 0.0
    for name, count in asked:
        longest = evaluation.ways[name].max_tokens
        length = longest if tokens is None else min(tokens, longest)
        spent += sampler.seconds(count / replicas, length, longest)
    return spent


def _learning(experiment: Experiment, arm: Arm, work: Workload, gpu: GpuType, length: float) -> float:
    """Seconds of one device, were it alone: of one trial."""
    settings, algorithm, epochs = settings_of(experiment), arm.algorithm, arm.recipe.epochs
    # A loss that does not separate by rollout is taken of whole groups first, where a group may be too long for a
    # micro-batch.
    group = arm.recipe.group_size * (settings.max_prompt_tokens + length)
    twice = not algorithm.separable and group > arm.recipe.microbatch_tokens * settings.sequence_parallel
    passes = 1 + bool(algorithm.reference) + epochs * bool(algorithm.measures or twice)
    passes += epochs * (4 if settings.gradient_checkpointing else 3)
    sequence = PROMPT_TOKENS + length
    if not settings.remove_padding:  # each is computed to the longest of its micro-batch: at most, to the longest
        sequence = settings.max_prompt_tokens + arm.recipe.max_tokens
    packed = settings.remove_padding and settings.flash_attention is False
    seen = 2.0 * arm.recipe.microbatch_tokens if packed else sequence
    # A forward pass: two FLOPs a parameter, and in each layer two products of queries with what they see, half of it.
    token = 2 * work.parameters + 4 * work.shape.layers * work.shape.queries * seen / 2
    total = experiment.budget_rollouts * sequence * token * passes
    # Prompts are read once more by the sampler.
    read = experiment.budget_rollouts * PROMPT_TOKENS * 2 * work.parameters
    return (total + read) / (gpu.flops * gpu.training)

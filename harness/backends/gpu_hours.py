"""GPU-hours of an experiment on a type of GPU: what is computed and read, at the shares of the peaks that are assumed.

Sampling reads, for each token, the weights and the keys and values of all sequences under way (or computes, where that
takes longer); a step ends with its longest response, alone at the last. Learning computes forward passes over prompts
and responses: one of the learner's log-probs where the backend takes its own, one of a reference, and three for an
update, four with checkpointing; with adapters one fewer, for the weights under them have no gradient.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.backends.gpus import GpuType
from harness.backends.predicted import Workload
from harness.config.evaluation import Evaluation
from harness.config.experiment import Arm, Experiment
from harness.models.lora import adaptable
from harness.models.shape import ModelShape

FP32 = 4
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
class Placement:
    """How a backend lays a trial out on GPUs of one type."""

    gpu: GpuType
    width: int
    """bytes of a number in a pass"""
    sampler_bytes: float
    """of each device, for the sampler's weights, keys and values, and what it computes in"""
    most_sequences: int
    """that one copy of the sampler has under way"""
    checkpointing: bool
    """whether activations are computed again in the backward pass"""
    reading: float
    """share of the memory's bandwidth that decoding reaches"""
    launch_seconds: float = 0.0
    """that a layer of the sampler takes for a token of all its sequences, at least"""
    devices: int = 1
    nodes: int = 1
    copy_devices: int = 1
    """that one copy of the sampler is cut over"""
    start_copies: int = 1
    """of the sampler, that answer for the untrained model"""
    rescores: bool = True
    """whether the learner takes log-probs of its own of what was sampled, and sends the sampler its weights"""
    start_seconds: float = START_SECONDS
    """from a trial's start to its first step"""
    longest_prompt: int | None = None
    """tokens that each prompt is padded to; None: what there is, is computed"""
    masked: bool = False
    """whether attention computes all pairs of a micro-batch, of which a mask keeps packed sequences apart"""
    group_tokens: int | None = None
    """of the longest prompt; where a group of it does not fit a micro-batch, a loss that does not separate takes a pass
    more. None: groups are never cut"""
    sequence_parallel: int = 1

    @property
    def replicas(self) -> int:
        return max(1, self.devices // self.copy_devices)


@dataclass(frozen=True)
class Sampler:
    """One copy of the model that samples."""

    shape: ModelShape
    parameters: int
    placed: Placement

    @property
    def key_value_bytes(self) -> int:
        """Of one token, in all layers; its number is as wide as the pass."""
        return 2 * self.shape.layers * self.shape.keys * self.placed.width

    @property
    def _weights(self) -> int:
        return self.placed.width * self.parameters

    def abreast(self, longest: float, asked: float) -> float:
        """How many sequences of so many tokens are under way at once, at most `asked`."""
        placed = self.placed
        room = placed.copy_devices * (placed.sampler_bytes - _ROOM) - self._weights
        fit = max(1.0, room / (self.key_value_bytes * longest))
        return max(1.0, min(asked, fit, placed.most_sequences))

    def token_seconds(self, abreast: float, context: float) -> float:
        """Of one token of each sequence under way."""
        over, gpu = self.placed.copy_devices, self.placed.gpu
        read = (self._weights + abreast * context * self.key_value_bytes) / (over * gpu.bandwidth * self.placed.reading)
        computed = abreast * 2 * self.parameters / (over * gpu.flops * gpu.training)
        return max(read, computed) + self.placed.launch_seconds * self.shape.layers

    def seconds(self, asked: float, tokens: float, longest: float) -> float:
        """To answer so many prompts.

        Args:
            tokens: of a response, on average.
            longest: that one may have. Where responses differ, the longest goes on alone.
        """
        abreast = self.abreast(PROMPT_TOKENS + tokens, asked)
        together = asked / abreast * tokens * self.token_seconds(abreast, PROMPT_TOKENS + tokens / 2)
        return together + (longest - tokens) * self.token_seconds(1.0, PROMPT_TOKENS + longest / 2)


def hours(
    experiment: Experiment, work: Workload, placed: Placement, tokens: float | None, checkpoint: Iterable[int]
) -> dict[str, float]:
    """What -> GPU-hours, of all trials, and of the untrained model's evaluation.

    Args:
        tokens: of a response, on average; None: as long as it may be.
        checkpoint: bytes of one that an arm's trials can go on from, for each arm.
    """
    sampler = Sampler(work.shape, work.parameters, placed)
    found: dict[str, float] = {}

    def add(what: str, seconds: float, devices: int = placed.devices) -> None:
        found[what] = found.get(what, 0.0) + seconds * devices / 3600

    for arm, written_bytes in zip(experiment.arms, checkpoint, strict=True):
        length = arm.recipe.max_tokens if tokens is None else min(tokens, arm.recipe.max_tokens)
        asked = arm.recipe.prompts_per_step * arm.recipe.group_size
        steps = -(-experiment.budget_rollouts // asked)
        times = len(experiment.seeds)
        written = steps // arm.recipe.checkpoint_steps + experiment.evaluation.points
        sent = 2 * work.parameters / SEND_BYTES if placed.rescores else 0.0
        add("start", times * placed.start_seconds)
        add("sampling", times * steps * sampler.seconds(asked / placed.replicas, length, arm.recipe.max_tokens))
        add("learning", times * _learning(experiment, arm, work, placed, length) / placed.devices)
        add("between", times * steps * (STEP_SECONDS + sent))
        add("checkpoints", times * written * written_bytes / placed.nodes / WRITE_BYTES)
        add("evaluation", times * _asked(sampler, experiment.evaluation, work.asked, tokens, placed.replicas))
    # The untrained model is asked by the copies of one machine, once for all trials.
    alone = _asked(sampler, experiment.evaluation, work.asked_start, tokens, placed.start_copies)
    add("untrained", alone, placed.start_copies * placed.copy_devices)
    return found


def learning_parameters(experiment: Experiment, arm: Arm, work: Workload) -> int:
    """How many numbers an arm trains: the model's, or its adapters'."""
    lora = arm.recipe.lora
    model = adaptable(experiment.model, work.folder) if lora else None
    return model.parameters(lora) if lora and model else work.parameters


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


def _learning(experiment: Experiment, arm: Arm, work: Workload, placed: Placement, length: float) -> float:
    """Seconds of one device, were it alone: of one trial."""
    algorithm, recipe, epochs = arm.algorithm, arm.recipe, arm.recipe.epochs
    # A loss that does not separate by rollout is taken of whole groups first, where a group may be too long for a
    # micro-batch.
    group = 0 if placed.group_tokens is None else recipe.group_size * (placed.group_tokens + length)
    twice = not algorithm.separable and group > recipe.microbatch_tokens * placed.sequence_parallel
    passes = placed.rescores + bool(algorithm.reference) + epochs * bool(algorithm.measures or twice)
    passes += epochs * (4 if placed.checkpointing else 3)
    sequence = PROMPT_TOKENS + length
    if placed.longest_prompt is not None:  # each is computed to the longest of its micro-batch: at most, to the longest
        sequence = placed.longest_prompt + recipe.max_tokens
    seen = 2.0 * recipe.microbatch_tokens if placed.masked else sequence
    # A forward pass: two FLOPs a parameter, and in each layer two products of queries with what they see, half of it.
    token = 2 * work.parameters + 4 * work.shape.layers * work.shape.queries * seen / 2
    spared = 2 * work.parameters * epochs if recipe.lora else 0
    total = experiment.budget_rollouts * sequence * (token * passes - spared)
    # Prompts are read once more by the sampler.
    read = experiment.budget_rollouts * PROMPT_TOKENS * 2 * work.parameters
    return (total + read) / (placed.gpu.flops * placed.gpu.training)

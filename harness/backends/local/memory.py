"""Memory of a trial on one device, by phase, from sizes alone. P parameters, e bytes of a number in a pass (bf16: 2).

What a layer keeps for its backward pass is counted as for verl, tensor by tensor (`kept_by_layer`), and is held
against torch's fake tensors in `tests/local/test_memory.py`. Log-probs are made of logits by chunks, so that no table
of tokens x vocabulary is ever there.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.backends.gpu_hours import learning_parameters
from harness.backends.local.settings import settings_of
from harness.backends.predicted import MemoryPhase, Workload
from harness.backends.verl.memory import kept_by_layer
from harness.config.experiment import Arm, Experiment
from harness.config.training_recipe import Recipe
from harness.models.lora import adaptable
from harness.models.shape import ModelShape

FP32 = 4
PROMPT_TOKENS = 256
"""of the longest prompt, where the problems have not been looked at: a guess"""
RUNTIME = 1_000_000_000
"""CUDA's context, cuBLAS's workspace and the allocator's gaps: a guess"""
CHUNK = 3 * FP32 * 2**25
"""of a GPU (`DEVICE_CHUNK` in models/chosen_tokens.py): logits, their gradient and what is between them"""
PACKED = 2
"""tokens of a packed row, in hidden sizes"""
ROWS = 512
"""most samples that are generated together"""
ROOM = 0.9
"""share of a device that a prediction may fill before activations are computed again instead of kept"""


@dataclass(frozen=True)
class TrialLoad:
    """What decides the memory of a trial; of several arms, the largest of each."""

    shape: ModelShape
    parameters: int
    bf16: bool
    tokens: int
    """of the largest micro-batch, padded"""
    rows: int
    """responses generated together"""
    row_tokens: int
    """prompt and response"""
    checkpointing: bool
    reference: bool = False
    lags: bool = False
    """whether the sampler does, and is a copy of its own"""
    adapters: int | None = None
    """numbers that learn where adapters do, beside the model's; None: the model's own weights learn"""
    inside_adapters: int = 0
    """numbers between the two matrices of all adapters, for a token"""

    @property
    def width(self) -> int:
        return 2 if self.bf16 else FP32

    @property
    def learning(self) -> int:
        """Numbers that have a gradient, moments and, in bf16, masters."""
        return self.parameters if self.adapters is None else self.adapters


def largest_microbatch(experiment: Experiment, prompt_tokens: int = PROMPT_TOKENS) -> int:
    """Padded tokens: as many whole groups as `microbatch_tokens` holds, and one group at least."""
    return max(_tokens(arm.recipe, prompt_tokens) for arm in experiment.arms)


def _tokens(recipe: Recipe, prompt_tokens: int) -> int:
    group = recipe.group_size * (prompt_tokens + recipe.max_tokens)
    return max(1, min(recipe.prompts_per_step, recipe.microbatch_tokens // group)) * group


def load_of(experiment: Experiment, work: Workload, checkpointing: bool | None = None) -> TrialLoad:
    """
    Args:
        checkpointing: None: as the settings have it, and none where they leave it open.
    """
    settings, arms = settings_of(experiment), experiment.arms
    adapted = all(arm.recipe.lora for arm in arms)
    asked = settings.gradient_checkpointing if checkpointing is None else checkpointing
    return TrialLoad(
        shape=work.shape,
        parameters=work.parameters,
        bf16=settings.dtype == "bf16",
        tokens=largest_microbatch(experiment),
        rows=max(min(ROWS, arm.recipe.group_size * arm.recipe.prompts_per_step) for arm in arms),
        row_tokens=max(PROMPT_TOKENS + arm.recipe.max_tokens for arm in arms),
        checkpointing=bool(asked),
        reference=any(arm.algorithm.reference for arm in arms),
        lags=any(arm.recipe.generator_sync_steps > 1 for arm in arms),
        adapters=max(learning_parameters(experiment, arm, work) for arm in arms) if adapted else None,
        inside_adapters=max(_inside(experiment, arm, work) for arm in arms) if adapted else 0,
    )


def _inside(experiment: Experiment, arm: Arm, work: Workload) -> int:
    lora = arm.recipe.lora
    model = adaptable(experiment.model, work.folder) if lora else None
    return lora.rank * len(model.adapted(lora)) if lora and model else 0


def phases(load: TrialLoad) -> tuple[MemoryPhase, ...]:
    """Of one trial: sampling, log-probs of a reference, an update."""
    p, e, shape, learning = load.parameters, load.width, load.shape, load.learning
    stays = {"weights": e * p} if load.adapters is None else {"weights": e * p, "adapters": e * learning}
    stays |= {**({"fp32 masters": FP32 * learning} if load.bf16 else {}), "moments of AdamW": 2 * FP32 * learning}
    # With adapters they have none but those of their own: what lies under them is the learner's.
    if load.reference:
        stays["reference"] = e * learning
    if load.lags:
        stays["the sampler's weights"] = e * learning
    stays["CUDA and gaps"] = RUNTIME
    cache = 2 * shape.layers * shape.keys * e * load.rows * load.row_tokens
    drawing = 4 * FP32 * load.rows * shape.vocab
    inside = kept_by_layer(shape, e) * load.tokens
    gradients = {
        "gradients, fp32": FP32 * learning,
        **({"one in the making": e * shape.vocab * shape.hidden} if load.bf16 and load.adapters is None else {}),
    }
    return (
        MemoryPhase("sampling", {**stays, "keys and values, at most": cache, "drawing": drawing}),
        MemoryPhase("log-probs", {**stays, "a layer": inside // 2, "logits, a chunk": CHUNK}),
        MemoryPhase("update", {**stays, **gradients, **_kept(load), "logits, a chunk": CHUNK}),
    )


def _kept(load: TrialLoad) -> dict[str, int]:
    """Of an update's activations, where they are most."""
    shape, e, tokens = load.shape, load.width, load.tokens
    inside, norm = kept_by_layer(shape, e) * tokens, (FP32 + 2 * e) * shape.hidden * tokens
    backward = 3 * e * shape.intermediate * tokens
    if load.checkpointing:
        one = inside + backward + e * load.inside_adapters * tokens // shape.layers
        kept = {"layers' inputs": shape.layers * shape.hidden * e * tokens, "one layer's insides": one}
    else:
        whole = shape.layers * inside + e * load.inside_adapters * tokens
        kept = {"layers' insides": whole, "gradients of a layer's insides": backward}
    # Rows that hold several responses have a mask, which attention turns into numbers in each layer, and keeps.
    pairs = tokens * max(PACKED * shape.hidden, load.row_tokens)
    mask = pairs * (1 + e) + (0 if load.checkpointing else pairs * e * shape.layers)
    return {**kept, "last norm": norm, "masks of packed rows": mask}


def needed(load: TrialLoad) -> int:
    """Bytes of the largest phase but sampling, which takes fewer rows at once where there is little room."""
    return max(phase.bytes for phase in phases(load) if phase.name != "sampling")


def settled(experiment: Experiment, work: Workload, device_bytes: int) -> TrialLoad:
    """With checkpointing where the settings leave it open and the device has no room for what is kept without."""
    load = load_of(experiment, work)
    if settings_of(experiment).gradient_checkpointing is None and needed(load) > ROOM * device_bytes:
        return load_of(experiment, work, checkpointing=True)
    return load

"""One rank of the learner that computes the worst micro-batch of an experiment, for `worst_microbatch.py`.

    RANK=... WORLD_SIZE=... python -m harness.backends.verl.microbatch_rank FOLDER

A process of its own: what runs out of memory takes nothing else with it. FOLDER has the `spec`; the rank writes
`rank_<number>.json` there.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor
from verl.utils import tensordict_utils as tu

from algorithms.rollouts import Rollouts
from harness.backends.verl import columns
from harness.backends.verl.keys import cut
from harness.backends.verl.learner import learnt
from harness.backends.verl.minibatches import ONE_EPOCH
from harness.backends.verl.objective import Objective
from harness.backends.verl.options import settings_of
from harness.backends.verl.settings import translate
from harness.backends.verl.workers import PolicyWorker
from harness.backends.verl.worst_microbatch import MicrobatchSpec, longest
from harness.base.machine_memory import memory

OUT_OF_MEMORY = ("out of memory", "can't allocate memory")
"""in errors of torch's, on GPUs and on CPUs"""


def main(folder: Path) -> None:
    """Computes, and writes what was found: bytes and seconds, or in what it was `short` of memory."""
    rank, stage = int(os.environ["RANK"]), ["loading the model"]
    spec: MicrobatchSpec = pickle.loads((folder / "spec").read_bytes())
    try:
        found = computed(spec, folder, stage)
    except (MemoryError, RuntimeError) as error:
        if not (isinstance(error, MemoryError) or any(words in str(error).lower() for words in OUT_OF_MEMORY)):
            raise
        found = {"short": stage[0], **peak()}
    (folder / f"rank_{rank}.json").write_text(json.dumps(found), encoding="utf-8")
    os._exit(0)  # a process group of which one rank has no memory left does not end by itself


def computed(spec: MicrobatchSpec, folder: Path, stage: list[str]) -> dict[str, Any]:
    """What a trial does with a micro-batch: log-probs with their entropy, then updates; the second has the state that
    AdamW makes in the first.

    Args:
        stage: its one entry is what is being done.
    """
    torch.set_num_threads(1)
    settings, recipe, algorithm = settings_of(spec.trial.experiment), spec.trial.arm.recipe, spec.trial.arm.algorithm
    config = translate(spec.trial, spec.model, folder).actor_rollout_ref
    worker: Any = PolicyWorker(config, role="actor")
    worker.init_model()
    worker.set_loss_fn(Objective(algorithm, recipe))
    begun, ranks = time.monotonic(), worker.actor.engine.get_data_parallel_size()
    # Of old log-probs verl takes the entropy, whatever the algorithm asks for.
    stage[0] = "computing log-probs"
    data = batch(spec)
    scored = data.select("input_ids", "position_ids", "prompts", "responses", "response_mask", "loss_mask")
    tu.assign_non_tensor(
        scored, temperature=recipe.temperature, calculate_entropy=True, compute_loss=False, pad_token_id=0
    )
    worker.actor.infer_batch(scored)
    for number, name in enumerate(("the first update", "an update")):
        stage[0] = name
        data = batch(spec)
        tu.assign_non_tensor(
            data, temperature=recipe.temperature, calculate_entropy=algorithm.wants_entropy, pad_token_id=0,
            mini_batch_size=len(data) * ranks, global_batch_size=len(data) * ranks, seed=0,
            **cut(recipe, settings, algorithm.separable, recipe.group_size * longest(spec.trial)),
        )  # fmt: skip
        sent = {"updates": number, "state": {}, "progress": 0.0, **ONE_EPOCH}
        for key, value in sent.items():
            tu.assign_non_tensor_data(data, key, value)
        output = worker.actor.train_mini_batch(data)
        if output is not None:
            learnt(output, {})
    return {"seconds": time.monotonic() - begun, "device": settings.device, **peak()}


def batch(spec: MicrobatchSpec) -> TensorDict:
    """Random tokens, every sequence at its longest; half of a group is right."""
    recipe, length = spec.trial.arm.recipe, settings_of(spec.trial.experiment).max_prompt_tokens
    size, rows = recipe.max_tokens, spec.rows
    generator = torch.Generator().manual_seed(0)
    prompt_BT = torch.randint(spec.tokens, (rows, length), generator=generator)
    response_BT = torch.randint(spec.tokens, (rows, size), generator=generator)
    label_B = torch.arange(rows) % 2 == 0
    logp_BT = torch.full((rows, size), -1.0)
    reference = spec.trial.arm.algorithm.reference is not None
    rollouts = Rollouts(
        group_B=torch.arange(rows) // recipe.group_size, label_B=label_B, reward_B=label_B.float(),
        truncated_B=torch.zeros(rows, dtype=torch.bool), mask_BT=torch.ones(rows, size, dtype=torch.bool),
        old_logp_BT=logp_BT, problem_ids=tuple(map(str, range(-(-rows // recipe.group_size)))), max_tokens=size,
        ref_logp_BT=logp_BT if reference else None,
    )  # fmt: skip
    algorithm = spec.trial.arm.algorithm
    # What the trainer writes into verl's batch: shaped rewards, and credit that rests on them.
    rollouts = replace(rollouts, reward_B=algorithm.shape(rollouts))
    rollouts = replace(rollouts, credit=algorithm.credit(rollouts, lambda _: torch.Generator().manual_seed(0)))

    def nested(value_BT: Tensor) -> Tensor:
        return torch.nested.as_nested_tensor(list(value_BT), layout=torch.jagged)

    both_BT = torch.cat([prompt_BT, response_BT], 1)
    fields = {
        "input_ids": nested(both_BT),
        "position_ids": nested(torch.arange(length + size).repeat(rows, 1)),
        "prompts": nested(prompt_BT),
        "responses": nested(response_BT),
        "response_mask": nested(torch.ones_like(response_BT)),
        "loss_mask": nested(torch.ones_like(response_BT)),
        "old_log_probs": nested(logp_BT),
        **({"ref_log_prob": nested(logp_BT)} if reference else {}),
        **columns.write(rollouts, torch.arange(rows), rows),
    }
    return TensorDict(fields, batch_size=[rows])


def peak() -> dict[str, int]:
    """Bytes that this process has had at most, and those that there are: of its GPU, else of the machine's memory."""
    if torch.cuda.is_available():
        total = torch.cuda.get_device_properties(0).total_memory
        return {"peak": torch.cuda.max_memory_reserved(), "total": total}
    return {"peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, "total": memory()[1]}


if __name__ == "__main__":
    main(Path(sys.argv[1]))

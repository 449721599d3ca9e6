"""One trial at a time on a Ray cluster, and rollouts that answer what was asked: on a real Ray, with verl's queue."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch
from harness.backends.verl.alone import alone
from omegaconf import OmegaConf

from harness.backends.example_trial import SEED, experiment_on
from harness.backends.verl.marking import ANSWER, MARK
from harness.backends.verl.platform import NO_TELEMETRY
from harness.backends.verl.sampling import TRUNCATED
from harness.base.errors import FAILED, USAGE, UserError
from harness.base.registry import training_set
from harness.config.experiment import Trial
from harness.prompts.stream import Prompt, PromptStream
from harness.records import Mark

ROOT = Path(__file__).parents[2]
ASKED = (5, 6, 7)
"""the tokens of every prompt here"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a cluster that this process has joined."""
    import ray

    os.environ.update(NO_TELEMETRY)
    context = ray.init(address="local", num_cpus=2, include_dashboard=False, object_store_memory=80_000_000)
    yield context.address_info["address"]
    ray.shutdown()


@pytest.fixture
def queue(address: str) -> Iterator[None]:
    """verl's rollout queue, as a trial makes it."""
    import transfer_queue as tq

    tq.init(OmegaConf.create({"backend": {"SimpleStorage": {"num_data_storage_units": 1}}}))
    yield
    tq.close()


def beside(address: str, wait: float) -> subprocess.CompletedProcess[str]:
    """Another trial, which comes to the same cluster."""
    program = (
        f"import ray; ray.init(address={address!r}, log_to_driver=False)\n"
        "from harness.backends.verl.alone import alone\n"
        "from harness.base.errors import UserError\n"
        f"try:\n    with alone('rloo/seed1 in /b', wait={wait}): print('has it')\n"
        "except UserError as error: print(error.exit_code, error)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=300)


def test_a_second_trial_on_the_cluster_refuses_and_says_who_is_there(address: str) -> None:
    with alone("grpo/seed0 in /a", wait=0):
        second = beside(address, wait=1)
    said = second.stdout
    assert said.startswith(f"{USAGE} rloo/seed1 in /b: this Ray cluster already holds another's rollout queue"), said
    assert "of grpo/seed0 in /a" in said and "RAY_ADDRESS" in said and len(said.splitlines()) == 2
    assert "has it" in beside(address, wait=30).stdout, "the first has ended"
    with alone("grpo/seed0 in /a", wait=30):
        pass


def test_a_queue_that_another_program_has_made_is_not_joined(queue: None) -> None:
    with pytest.raises(UserError, match="of a program that rence did not start") as refused, alone("trial", wait=0):
        raise AssertionError("it began")
    assert refused.value.exit_code == USAGE
    import transfer_queue as tq

    assert tq.kv_list() is not None, "the queue of the other goes on"


def wrong_uid(row: dict[str, object]) -> None:
    row["uid"] = f"{str(row['uid']).split('.')[0]}.another"  # the same place of another trial


def wrong_prompt(row: dict[str, object]) -> None:
    row["prompts"] = torch.tensor([5, 6, 8])


@pytest.mark.parametrize("spoil", [None, wrong_uid, wrong_prompt])
def test_a_rollout_of_another_prompt_ends_the_trial(queue: None, spoil) -> None:
    import transfer_queue as tq
    from verl.utils.tensordict_utils import list_of_dict_to_tensordict

    from harness.backends.verl.buffer import TRAIN, GroupBuffer

    experiment = experiment_on("verl")
    trial = Trial(experiment, experiment.arm("grpo"), SEED)
    size = trial.arm.recipe.group_size

    def answer(first: int, prompts: Sequence[Prompt]) -> list[tuple[int, ...]]:
        """As verl's agent loop does; the last rollout of the second prompt may be spoilt."""
        for place in range(first, first + len(prompts)):
            rows = [row(buffer.uid(place)) for _ in range(size)]
            if spoil and place == first + 1:
                spoil(rows[-1])
            keys = [buffer.key(place, sample) for sample in range(size)]
            tags = [{"status": "success"}] * size
            tq.kv_batch_put(keys=keys, partition_id=TRAIN, fields=list_of_dict_to_tensordict(rows), tags=tags)
            tq.kv_put(
                key=buffer.uid(place),
                partition_id=TRAIN,
                tag={"status": "finished", "is_prompt": True, "global_steps": 1},
            )
        return [ASKED] * len(prompts)

    stream = PromptStream(training_set(experiment.train).problems, SEED)
    buffer = GroupBuffer(trial, stream, answer, lambda: None, print)
    prompts = stream.take(0, 3)
    buffer._first = 0
    if spoil is None:
        groups = buffer._generate(prompts)
        assert [group.prompt_tokens for group in groups] == [ASKED] * 3
        return
    with pytest.raises(UserError, match=f"1 of {3 * size} rollouts answer another prompt") as ended:
        buffer._generate(prompts)
    assert ended.value.exit_code == FAILED and f"rollout {size - 1} of prompt {buffer.uid(1)}" in str(ended.value)


def row(uid: str) -> dict[str, object]:
    extra = {TRUNCATED: False, "reward_extra_info": {MARK: str(Mark.WRONG), ANSWER: ""}}
    return {
        "uid": uid,
        "prompts": torch.tensor(ASKED),
        "responses": torch.tensor([1, 2]),
        "rollout_log_probs": torch.tensor([-0.5, -0.25]),
        "extra_fields": extra,
    }

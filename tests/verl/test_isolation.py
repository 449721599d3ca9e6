"""Trials on one Ray cluster do not meet, and rollouts answer what was asked: on a real Ray, with verl's queue."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from harness.backends.example_trial import SEED, experiment_on
from harness.backends.verl import isolation
from harness.backends.verl.marking import ANSWER, GIVEN, MARK
from harness.backends.verl.platform import NO_TELEMETRY
from harness.backends.verl.sampling import TRUNCATED
from harness.backends.verl.turns import Turn
from harness.base.errors import FAILED, UserError
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
    context = ray.init(address="local", num_cpus=8, include_dashboard=False, object_store_memory=80_000_000)
    yield context.address_info["address"]
    ray.shutdown()


@pytest.fixture
def queue(address: str) -> Iterator[None]:
    """verl's rollout queue, as a trial makes it."""
    import transfer_queue as tq

    tq.init(OmegaConf.create({"backend": {"SimpleStorage": {"num_data_storage_units": 1}}}))
    yield
    tq.close()


TRIAL_BESIDE = """
import os, sys
from harness.backends.verl import isolation
os.environ.update(isolation.environment())
isolation.install()
import ray
ray.init(address=sys.argv[1], log_to_driver=False, namespace=os.environ[isolation.TRIAL],
         runtime_env={"env_vars": {**isolation.environment(), isolation.TRIAL: os.environ[isolation.TRIAL]}})
import torch
import transfer_queue as tq
from omegaconf import OmegaConf
tq.init(OmegaConf.create({"backend": {"SimpleStorage": {"num_data_storage_units": 1}}}))

@ray.remote(num_cpus=0)
class Worker:
    \"\"\"As verl's workers come to the queue: by a name alone.\"\"\"
    def write(self, word):
        import verl
        import transfer_queue as tq
        tq.kv_put(key="0_0_0", partition_id="train", fields={"word": torch.tensor([word])}, tag={"word": word})
        return sorted(tq.kv_list(partition_id="train")["train"].items())

worker = Worker.remote()
print(ray.get(worker.write.remote(int(sys.argv[2]))), flush=True)
sys.stdin.readline()
print(sorted(tq.kv_list(partition_id="train")["train"].items()), flush=True)
tq.close()
"""


@pytest.mark.timeout(300)
def test_each_trial_has_a_queue_of_its_own(address: str) -> None:
    """Two at once, with the same keys, each with a worker; the first closes its queue while the second goes on."""
    trials = [
        subprocess.Popen(
            [sys.executable, "-P", "-c", TRIAL_BESIDE, address, str(word)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for word in (7, 8)
    ]
    try:
        assert all(trial.stdout and trial.stdin for trial in trials)
        wrote = [trial.stdout.readline() for trial in trials]  # type: ignore[union-attr]
        assert wrote == [f"[('0_0_0', {{'word': {word}}})]\n" for word in (7, 8)]
        for trial, word in zip(trials, (7, 8), strict=True):
            said, _ = trial.communicate("\n", timeout=120)
            assert said == f"[('0_0_0', {{'word': {word}}})]\n" and trial.returncode == 0
    finally:
        for trial in trials:
            trial.kill()


def test_weights_go_to_the_trials_own_sampler(monkeypatch: pytest.MonkeyPatch) -> None:
    """On every cluster Ray's jobs are counted from 1, so that verl's own paths are the same."""
    from verl.workers.rollout.vllm_rollout.bucketed_weight_transfer import BucketedWeightReceiver, BucketedWeightSender

    isolation.install()
    path, found = "ipc:///tmp/rl-colocate-zmq-01000000-replica-0-rank-0.sock", []
    for word in ("one", "two"):
        monkeypatch.setenv(isolation.TRIAL, word)
        ends = (
            BucketedWeightSender(path, use_shm=True),
            BucketedWeightReceiver(zmq_handle=path, device=torch.device("cpu")),
        )
        found.append({end.zmq_handle for end in ends})
    assert found == [{f"ipc:///tmp/rl-colocate-zmq-{word}-01000000-replica-0-rank-0.sock"} for word in ("one", "two")]


def test_the_queue_holds_no_cpus_of_the_cluster() -> None:
    """Its stores are pinned to all nodes in turn, to one without CPUs, too."""
    from transfer_queue import interface
    from transfer_queue.storage.bootstrap import simple_storage_bootstrap as bootstrap

    isolation.install()
    asked: list[dict[str, object]] = []

    class Class:
        """In the place of Ray's."""

        def options(self, **options: object) -> None:
            asked.append(options)

    for changed in (interface.TransferQueueController, bootstrap.SimpleStorageUnit):
        assert changed._of._default_options["num_cpus"] == 1, "what TransferQueue wants"
        type(changed)(Class(), changed._method, **changed._options).options(name="one", namespace="all", num_cpus=1)
    assert asked == [{"name": "one", "num_cpus": 0}, {"name": "one", "namespace": "all", "num_cpus": 0}]


def test_trials_take_their_devices_one_after_the_other(address: str) -> None:
    first, second = Turn(), Turn()
    assert first.come() and first.come() and not second.come()
    first.end(), first.end()
    deadline = time.monotonic() + 60
    while not second.come():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert not first.come()
    second.end()


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
    extra = {TRUNCATED: False, "reward_extra_info": {MARK: str(Mark.WRONG), ANSWER: "", GIVEN: ""}}
    return {
        "uid": uid,
        "prompts": torch.tensor(ASKED),
        "responses": torch.tensor([1, 2]),
        "rollout_log_probs": torch.tensor([-0.5, -0.25]),
        "extra_fields": extra,
    }

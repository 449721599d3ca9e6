"""verl's CPU platform: in this process, in a worker of Ray, and what is said where it is missing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import ray
import torch
from transformers import PreTrainedModel
from verl.workers.rollout.vllm_rollout.bucketed_weight_transfer import BucketedWeightSender
from vllm import LLM, SamplingParams, TokensPrompt

from harness.backends.verl.platform import ENVIRONMENT, SWITCH, PlatformFound, check, probe
from harness.base.errors import UserError
from harness.models.language_model import load
from harness.models.resolving import resolve

GOOD = PlatformFound("cpu", "cpu", True, "", "host", "python")


def in_a_process(code: str, **environment: str) -> str:
    """What it prints, with the environment of a CPU run and these changes to it."""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_verl_finds_the_platform_by_itself() -> None:
    assert probe() == replace(probe(), device="cpu", asked="cpu", plugin=True, error="")
    check(probe(), "cpu")


def test_a_worker_of_ray_has_it() -> None:
    ray.init(num_cpus=1, include_dashboard=False, runtime_env={"env_vars": ENVIRONMENT})
    try:
        found: PlatformFound = ray.get(ray.remote(probe).remote())
    finally:
        ray.shutdown()
    check(found, "cpu")
    with pytest.raises(UserError, match=r"runs on `cpu` in Ray's workers on .*, but must run on `cuda`"):
        check(found, "cuda")


def test_without_the_switch_verl_is_as_it_was() -> None:
    code = (
        "import sys; from harness.backends.verl import platform, cpu; print(platform.probe().device, sys.meta_path[0])"
    )
    device, first = in_a_process(code, **{SWITCH: ""}).splitlines()[-1].split(maxsplit=1)
    assert device == "cuda"
    assert "AfterImport" not in first


def test_a_process_group_is_gloo_alone() -> None:
    code = (
        "import verl.utils.distributed as group, torch.distributed as torch;"
        "group.initialize_global_process_group_ray(); print(torch.get_backend_config(), torch.get_world_size())"
    )
    port = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0", "RANK": "0", "WORLD_SIZE": "1"}
    assert in_a_process(code, **port).splitlines()[-1].startswith("cpu:gloo")


def test_offloading_pins_nothing() -> None:
    from verl.workers.engine.fsdp.transformer_impl import CPUOffloadPolicy

    assert CPUOffloadPolicy(pin_memory=True).pin_memory is False


def test_vllm_computes_with_the_weights_it_is_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Through verl's own sender and receiver, into a worker process of vLLM that started from random weights."""
    monkeypatch.setenv("VERL_RAY_JOB_ID", tmp_path.name)  # names the socket
    folder, ids = resolve("quickstart-base"), list(range(5, 69))
    net = load(folder).net
    llm = LLM(
        str(folder), dtype="float32", load_format="dummy", enforce_eager=True, kv_cache_memory_bytes=2**28,
        enable_chunked_prefill=False, enable_prefix_caching=False,
        worker_extension_cls="verl.workers.rollout.vllm_rollout.utils.vLLMColocateWorkerExtension",
    )  # fmt: skip
    try:
        assert distance(llm, net, ids) > 0.1
        for scale in (1.0, 1.1):  # the second time, over weights that were sent before
            with torch.no_grad():
                for weight in net.parameters():
                    weight.mul_(scale)
            send(llm, net, f"ipc:///tmp/rl-colocate-zmq-{tmp_path.name}-replica-0-rank-0.sock")
            assert distance(llm, net, ids) < 5e-6  # 2.4e-7 seen
    finally:
        llm.llm_engine.engine_core.shutdown()


def send(llm: LLM, net: PreTrainedModel, socket: str) -> None:
    """As `ServerAdapter.update_weights` does it."""
    sender = BucketedWeightSender(socket, bucket_size_mb=1, use_shm=True)
    weights = iter(net.state_dict().items())
    sending = Thread(target=lambda: asyncio.run(sender.async_send_weights(weights)))
    sending.start()
    llm.collective_rpc("update_weights_from_ipc", kwargs={"use_shm": True})
    sending.join()


def distance(llm: LLM, net: PreTrainedModel, ids: list[int]) -> float:
    """Between log-probs of these tokens, relative to their norm."""
    params = SamplingParams(max_tokens=1, prompt_logprobs=0, seed=0)
    (output,) = llm.generate([TokensPrompt(prompt_token_ids=ids)], params, use_tqdm=False)
    found_T = torch.tensor([at[token].logprob for token, at in zip(ids[1:], output.prompt_logprobs[1:], strict=True)])
    with torch.inference_mode():
        logp_TV = net(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
    logp_T = logp_TV.gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
    return float((found_T - logp_T).norm() / logp_T.norm())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"asked": "", "device": "cuda"}, r"runs on `cuda`.*RENCE_VERL_DEVICE=cpu did not reach them: start Ray anew"),
        ({"plugin": False, "device": "cuda"}, "rence-bench is not installed for python, or an older one is"),
        ({"error": "ImportError: no", "device": "cuda"}, r"instead \(ImportError: no\)\..*did not load with python"),
        ({"device": "cuda"}, "VERL_USE_EXTERNAL_PLUGINS or VERL_PLATFORM decides otherwise"),
    ],
)
def test_what_is_missing_is_said_with_its_remedy(change: dict[str, Any], words: str) -> None:
    check(GOOD, "cpu")
    with pytest.raises(UserError, match=f"(?s){words}"):
        check(replace(GOOD, **change), "cpu")

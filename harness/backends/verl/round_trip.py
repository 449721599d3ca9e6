"""Weights from a learner to a sampler and log-probs back, tried on one device: verl's own sender and receiver, into a
vLLM that started from other weights. The shipped model stands for any."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from threading import Thread
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoModelForCausalLM

from harness.base.findings import Finding, FindingState
from harness.models.resolving import SHIPPED

if TYPE_CHECKING:
    from transformers import PreTrainedModel
    from vllm import LLM  # type: ignore[import-not-found]

PART = "weights to the sampler"
LIMITS = {"float32": 1e-5, "bfloat16": 0.05}
"""of the distance of log-probs, relative to their norm: 2.4e-7 seen in fp32; bf16 has 8 bits"""
BUCKET_MEGABYTES = 1
"""at once; the model has 0.5"""
CACHE_BYTES = 2**28
EXTENSION = "verl.workers.rollout.vllm_rollout.utils.vLLMColocateWorkerExtension"


def try_round_trip(device: str) -> list[Finding]:
    """As a Ray task, of a node.

    Args:
        device: `cpu` or `cuda`; fp32 on the first, else bf16, as trials compute.
    """
    # vLLM and verl name their sockets by these, before they are imported.
    name = secrets.token_hex(6)
    os.environ["VERL_RAY_JOB_ID"] = name
    # A process less to start; on a GPU the worker would be in this one, which cannot open its own handles.
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0" if device == "cpu" else "1"
    from vllm import LLM  # type: ignore[import-not-found]

    begun, dtype = time.monotonic(), "float32" if device == "cpu" else "bfloat16"
    folder = SHIPPED["quickstart-base"]
    net: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype))
    net.to(device)
    llm = LLM(
        str(folder), dtype=dtype, load_format="dummy", enforce_eager=True, kv_cache_memory_bytes=CACHE_BYTES,
        enable_chunked_prefill=False, enable_prefix_caching=False, worker_extension_cls=EXTENSION,
        gpu_memory_utilization=0.1, max_model_len=128, disable_log_stats=True,
    )  # fmt: skip
    try:
        before = distance(llm, net)
        send(llm, net, f"ipc:///tmp/rl-colocate-zmq-{name}-replica-0-rank-0.sock")
        after = distance(llm, net)
    finally:
        llm.llm_engine.engine_core.shutdown()
    said = f"log-probs of learner and vLLM are {after:.1e} apart, {dtype} ({before:.1e} before), "
    said += f"{time.monotonic() - begun:.0f} s"
    if before <= LIMITS[dtype]:
        return [Finding(PART, FindingState.NOT_CHECKED, f"{said}: they were equal before any weights were sent")]
    if after > LIMITS[dtype]:
        mend = (
            "make the environment again as docs/how-to/verl.md says: vLLM's version is not one that verl can write to"
        )
        return [Finding(PART, FindingState.LACKS, f"{said}: more than {LIMITS[dtype]:g}", mend)]
    return [Finding(PART, FindingState.OK, said)]


def send(llm: LLM, net: PreTrainedModel, socket: str) -> None:
    """As verl's `ServerAdapter.update_weights` does it."""
    from verl.utils.device import is_support_ipc
    from verl.workers.rollout.vllm_rollout.bucketed_weight_transfer import BucketedWeightSender

    use_shm = not is_support_ipc()
    sender = BucketedWeightSender(socket, bucket_size_mb=BUCKET_MEGABYTES, use_shm=use_shm)
    weights = iter(net.state_dict().items())
    sending = Thread(target=lambda: asyncio.run(sender.async_send_weights(weights)), daemon=True)
    sending.start()
    llm.collective_rpc("update_weights_from_ipc", kwargs={"use_shm": use_shm})
    sending.join()


def distance(llm: LLM, net: PreTrainedModel) -> float:
    """Between log-probs of some tokens, relative to their norm."""
    from vllm import SamplingParams, TokensPrompt  # type: ignore[import-not-found]

    ids = list(range(5, 69))
    params = SamplingParams(max_tokens=1, prompt_logprobs=0, seed=0)
    output: Any = llm.generate([TokensPrompt(prompt_token_ids=ids)], params, use_tqdm=False)[0]
    found_T = torch.tensor([at[token].logprob for token, at in zip(ids[1:], output.prompt_logprobs[1:], strict=True)])
    with torch.inference_mode():
        logp_TV = net(torch.tensor([ids], device=net.device)).logits[0, :-1].float().log_softmax(-1).cpu()
    logp_T = logp_TV.gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
    return float((found_T - logp_T).norm() / logp_T.norm())

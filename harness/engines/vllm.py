"""vLLM as an engine, offline: in this process on one device, over worker processes on several.

Importing this imports no vLLM; `open` does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.base.errors import UserError
from harness.engines.base import Completion, Request, Sampling, answering, check_room, require_finite
from harness.models.stopping import stop_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CPU_CACHE_BYTES = 2**30
"""for keys and values on a CPU, where vLLM would take `gpu_memory_utilization` of the machine's memory;
VLLM_CPU_KVCACHE_SPACE (GiB) overrides it"""

ENVIRONMENT = {
    # The scheduler in this process: its batches, and with them the last digits, then depend on the requests alone.
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    # On a CPU, vLLM would bind threads to cores, and trials side by side to the same ones.
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
}
"""For vLLM while an engine opens, where the user has not set it."""


class VllmEngine:
    """Every sample is a request of its own with its own seed.

    vLLM fits together what finds room, so which samples share a forward pass depends on their lengths. That changes
    the last digits of probabilities, never the random numbers: a completion is the same in other company unless two
    tokens were equally likely to within those digits.
    """

    name = "vllm"

    def __init__(self, llm: Any, tokenizer: PreTrainedTokenizerBase, stop: tuple[int, ...]) -> None:
        self.version = version("vllm")
        self.positions: int | None = llm.llm_engine.model_config.max_model_len
        self._llm, self._tokenizer, self._stop = llm, tokenizer, stop

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        tensor_parallel_size: int = 1,
        dtype: str | None = None,
        gpu_memory_utilization: float = 0.9,
        max_model_len: int | None = None,
    ) -> VllmEngine:
        """With the weights of a folder in Hugging Face layout.

        Args:
            tensor_parallel_size: devices that share the model.
            dtype: of weights and arithmetic; by default float32 on a CPU, the model's own elsewhere.
            gpu_memory_utilization: share of a GPU's memory that vLLM takes.
            max_model_len: tokens of prompt and response together; by default what the model can take.
        Raises: UserError if vLLM is not installed.
        """
        try:
            version("vllm")
        except PackageNotFoundError:
            raise UserError(
                "engine `vllm` needs vLLM, but no distribution of that name is installed.\n"
                "`rence doctor` says which command installs it on this machine."
            ) from None
        with _environment():
            from transformers import AutoTokenizer
            from vllm import LLM  # type: ignore[import-not-found]
            from vllm.platforms import current_platform  # type: ignore[import-not-found]

            on_cpu = current_platform.is_cpu()
            llm = LLM(
                str(folder),
                dtype=dtype or ("float32" if on_cpu else "auto"),  # type: ignore[arg-type]
                tensor_parallel_size=tensor_parallel_size,
                gpu_memory_utilization=gpu_memory_utilization,
                kv_cache_memory_bytes=CPU_CACHE_BYTES if on_cpu else None,
                max_model_len=max_model_len,
                # A prompt that is read in pieces draws a random number for each piece (on CPUs); read whole, it draws
                # one, for its first token. vLLM then lets a batch hold the longest prompt that the model can take.
                enable_chunked_prefill=False,
                # The samples of a problem read its prompt once. `generate` begins with an empty cache.
                enable_prefix_caching=True,
                use_tqdm_on_load=False,
                enforce_eager=on_cpu,  # compiling takes minutes there, and a C++ compiler
            )
        tokenizer = AutoTokenizer.from_pretrained(folder)
        return cls(llm, tokenizer, stop_tokens(folder, tokenizer))

    def close(self) -> None:
        """Gives back memory and torch's process group, which vLLM opens even for one device."""
        from vllm.distributed.parallel_state import cleanup_dist_env_and_memory  # type: ignore[import-not-found]

        self._llm.llm_engine.engine_core.shutdown()
        cleanup_dist_env_and_memory()

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        """See the protocol.

        Raises: UserError if a prompt and its response would not fit the model's context; NotFinite; EngineFailed.
        """
        from vllm import SamplingParams, TokensPrompt  # type: ignore[import-not-found]

        check_room(requests, sampling, self.positions)
        self._llm.reset_prefix_cache()  # what earlier calls left must not matter
        samples = [(request, seed) for request in requests for seed in request.seeds]
        with answering(self.name):
            outputs = self._llm.generate(
                [TokensPrompt(prompt_token_ids=list(request.prompt)) for request, _ in samples],
                # with the log-probs of what was drawn, which show logits that are no numbers
                [SamplingParams(**sampling_params(sampling, seed, self._stop), logprobs=0) for _, seed in samples],
                use_tqdm=False,
            )
            answers = [output.outputs[0] for output in outputs]
        require_finite(self.name, (0.0 if a.cumulative_logprob is None else a.cumulative_logprob for a in answers))
        texts = self._tokenizer.batch_decode([list(a.token_ids) for a in answers], skip_special_tokens=True)
        completions = (
            Completion(text, len(answer.token_ids), str(answer.finish_reason))
            for text, answer in zip(texts, answers, strict=True)
        )
        return [[next(completions) for _ in request.seeds] for request in requests]


def sampling_params(sampling: Sampling, seed: int, stop: Sequence[int]) -> dict[str, Any]:
    """Keyword arguments of vLLM's `SamplingParams` for one sample.

    vLLM's CPU build heeds seeds only where every request of a batch has one, so none goes without.

    Args:
        stop: token ids that end a response; they are part of it.
    """
    return {
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": seed,
        "stop_token_ids": list(stop),
        "detokenize": False,
    }


@contextmanager
def _environment() -> Iterator[None]:
    """`ENVIRONMENT` while an engine opens; what is started later, such as Ray, does not inherit it."""
    missing = {name: value for name, value in ENVIRONMENT.items() if name not in os.environ}
    os.environ.update(missing)
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]

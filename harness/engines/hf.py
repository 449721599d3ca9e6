"""transformers' own `generate` as an engine: any causal LM that transformers loads, also those that keep something
else than keys and values; on the CPU, or on the GPUs if torch sees any.

The tokens are ours to draw: `generate` searches greedily among scores in which a processor has left one token, drawn
with the sample's own random numbers. So a sample does not depend on who shares its batch, but for the last digits of
fp32, and no setting that a model's folder recommends to `generate` is in force.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
import transformers
from torch import Tensor
from transformers import (
    DynamicCache,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.cache_utils import DynamicLayer
from transformers.utils import logging

from harness.engines.base import Completion, Request, Sampling, answering, check_room, positions, require_finite
from harness.engines.drawing import draw, uniforms
from harness.engines.sampler import CACHE_BYTES, MAX_ROWS, padded, read_prompts, token_bytes
from harness.models.language_model import LanguageModel
from harness.models.reading import read_tokenizer
from harness.models.stopping import stop_tokens
from harness.models.weights import load_net


class HfEngine:
    """A model of transformers, with its tokenizer."""

    name = "hf"
    version = f"1 (torch {torch.__version__}, transformers {transformers.__version__})"

    def __init__(self, net: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, stop: tuple[int, ...]) -> None:
        self.positions = positions(net.config)
        self._net, self._tokenizer, self._stop = net, tokenizer, stop
        layers = DynamicCache(config=net.config).layers
        self._shares_prompts = bool(layers) and all(isinstance(layer, DynamicLayer) for layer in layers)

    @classmethod
    def open(cls, folder: Path) -> HfEngine:
        """With the weights of a folder in Hugging Face layout: fp32 on the CPU, the model's own type on GPUs."""
        logging.disable_progress_bar()
        on_gpu = torch.cuda.is_available()
        where = {"dtype": "auto", "device_map": "auto"} if on_gpu else {"dtype": torch.float32}
        net = load_net(folder, **where)
        tokenizer = read_tokenizer(folder)
        return cls(net.eval(), tokenizer, stop_tokens(folder, tokenizer))

    @property
    def repeatable(self) -> bool:
        """On the CPU alone: kernels of GPUs add up in an order of their own."""
        return self._net.device.type == "cpu"

    @classmethod
    def over(cls, model: LanguageModel) -> HfEngine:
        """The weights that a local model holds now and later."""
        return cls(model.net, model.tokenizer, model.stop)

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        """See the protocol.

        Raises: UserError if a prompt and its response would not fit the model's context; NotFinite; EngineFailed.
        """
        longest = check_room(requests, sampling, self.positions)
        rows = _rows_together(self._net, longest + sampling.max_tokens)
        with answering(self.name):
            found = [one for part in _split(requests, rows) for one in self._together(part, sampling)]
        require_finite(self.name, (logp for _, logp in found))
        completions = (one for one, _ in found)
        return [[next(completions) for _ in request.seeds] for request in requests]

    @torch.inference_mode()
    def _together(self, requests: Sequence[Request], sampling: Sampling) -> Iterator[tuple[Completion, float]]:
        """Completions, with the sum of their tokens' log-probs, of requests that are generated as one batch of B
        samples, request by request in the order of their seeds. Prompts are padded on the left to `width`, so that all
        responses begin in the same column."""
        device = self._net.device
        row_B = torch.tensor([i for i, request in enumerate(requests) for _ in request.seeds], device=device)
        ids, mask = padded([request.prompt for request in requests], device)
        width = ids.shape[1]
        uniform_BT = uniforms([seed for request in requests for seed in request.seeds], sampling.max_tokens).to(device)
        # `generate` has to be left a token to read: with prompts of one token there is nothing to share.
        read = {"past_key_values": self._read(ids, mask, row_B)} if self._shares_prompts and width > 1 else {}
        drawn = _Drawn(uniform_BT, width, sampling)
        with _plain_generation(self._net):
            output = self._net.generate(  # type: ignore[operator]
                input_ids=ids[row_B],
                attention_mask=mask[row_B],
                generation_config=GenerationConfig(
                    do_sample=False,
                    max_new_tokens=sampling.max_tokens,
                    eos_token_id=list(self._stop),
                    pad_token_id=self._stop[0] if self._stop else 0,
                ),
                logits_processor=LogitsProcessorList([drawn]),
                **read,
            )
        for tokens, logp_T in zip(output[:, width:].tolist(), torch.stack(drawn.logp_TB, 1).tolist(), strict=True):
            one = self._completion(tokens, sampling.max_tokens)
            yield one, sum(logp_T[: one.tokens])

    def _read(self, ids: Tensor, mask: Tensor, row_B: Tensor) -> DynamicCache:
        """Each prompt read once, but for its last token, and copied to all of its samples."""
        cache = DynamicCache(config=self._net.config)
        read_prompts(self._net, ids[:, :-1], mask[:, :-1], cache)
        cache.batch_select_indices(row_B)
        return cache

    def _completion(self, tokens: list[int], limit: int) -> Completion:
        """Tokens after the first that ends a response are padding."""
        length = next((place for place, token in enumerate(tokens, 1) if token in self._stop), limit)
        stopped = length <= len(tokens) and tokens[length - 1] in self._stop
        text = str(self._tokenizer.decode(tokens[:length], skip_special_tokens=True))
        return Completion(text, length, "stop" if stopped else "length")


def _rows_together(net: PreTrainedModel, tokens: int) -> int:
    """How many samples of so many tokens, prompts included, are generated together."""
    config = net.config
    if not (getattr(config, "num_key_value_heads", None) or getattr(config, "num_attention_heads", None)):
        return MAX_ROWS  # a recurrent state, of one size however many tokens went into it
    return max(1, min(MAX_ROWS, CACHE_BYTES // (tokens * token_bytes(net))))


def _split(requests: Sequence[Request], max_rows: int) -> Iterator[list[Request]]:
    """The requests in their order, at most `max_rows` samples a part; a request may be cut between two parts."""
    part: list[Request] = []
    free = max_rows
    for request in requests:
        seeds = request.seeds
        while seeds:
            part.append(Request(request.prompt, seeds[:free]))
            seeds, free = seeds[free:], free - len(seeds[:free])
            if free == 0:
                yield part
                part, free = [], max_rows
    if part:
        yield part


class _Drawn(LogitsProcessor):
    """Leaves of each row's scores the one token that its random number draws."""

    def __init__(self, uniform_BT: Tensor, width: int, sampling: Sampling) -> None:
        self._uniform_BT, self._width, self._sampling = uniform_BT, width, sampling
        self.logp_TB: list[Tensor] = []
        """of each token the log-probs in all rows, those that have ended too"""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:  # type: ignore[override]
        token_B, logp_B = draw(scores, self._uniform_BT[:, input_ids.shape[1] - self._width], self._sampling)
        self.logp_TB.append(logp_B)
        return torch.full_like(scores, -torch.inf).scatter(1, token_B[:, None], 0.0)


@contextmanager
def _plain_generation(net: PreTrainedModel) -> Iterator[None]:
    """Without what the model's folder recommends: `generate` would fill unset settings from there, such as a penalty
    for repetition."""
    recommended, net.generation_config = net.generation_config, GenerationConfig()
    try:
        yield
    finally:
        net.generation_config = recommended

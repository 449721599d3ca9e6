"""The forward pass of training: log-probs of responses, computed on as few tokens as can be.

Models of Llama's shape read a flat list of tokens and lay only what attention needs into rows
(`models/flat_forward.py`); others read the rows. Only positions that predict a response token go through the LM head,
and of its logits only a chunk is ever there (`models/chosen_tokens.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from harness.backends.groups import TokenRollouts
from harness.backends.local.layout import Cells, FlatTokens, cheapest
from harness.models.chosen_tokens import chosen_logprobs
from harness.models.flat_forward import Rows, hidden_at, runs_flat
from harness.models.language_model import LanguageModel
from harness.models.linear import is_plain

GATHERED = 16
"""what a cell costs where only attention is laid into rows, in pairs that attention looks at: copies there and back"""
READ = 3
"""what a cell costs where all of the model reads rows, in the same pairs and hidden sizes: the matrices of a layer take
about 24 D^2 operations a token, attention 4 D a pair at half their speed"""


FILLED = 256
"""flat lists are filled up to a multiple of it with tokens that nothing looks at: oneDNN makes code for each size of a
matrix that it meets, which takes it as long as a small product (20 % of an update of the quickstart's model)"""


@dataclass(frozen=True)
class ForwardPass:
    """What a model gives a batch, at the sampling temperature; 0 on padding."""

    logp_BT: Tensor
    entropy_BT: Tensor | None
    """nats, of the whole next-token distribution; None where it was not asked for"""


def response_logp(model: LanguageModel, batch: TokenRollouts, temperature: float) -> Tensor:
    """logp_BT of the responses alone."""
    return forward_logprobs(model, batch, temperature).logp_BT


def forward_logprobs(
    model: LanguageModel, batch: TokenRollouts, temperature: float, entropy: bool = False
) -> ForwardPass:
    """Log-probs of the responses, and how unsure the model was."""
    flat, written = FlatTokens(batch), runs_flat(model.net)
    cells = Cells(flat, cheapest(batch, model.packs, GATHERED if written else READ * model.net.config.hidden_size))
    if written:
        # Floats: torch would make them of truth values for every layer anew.
        mask = None if cells.mask is None else torch.where(cells.mask, 0.0, -torch.inf)
        rows = Rows(cells.token_RW, _filled(cells.cell_N), mask)
        ids, position, asked = map(_filled, (flat.ids_N, flat.position_N, flat.asked_S))
        entering = hidden_at(model.net, ids, position, rows, asked).index_select(0, _filled(flat.source_n))
        weight: Tensor = model.net.get_output_embeddings().weight  # type: ignore[union-attr]
        logp, unsure = chosen_logprobs(entering, weight, _filled(flat.token_n), temperature, entropy)
        logp, unsure = logp[: len(flat.token_n)], None if unsure is None else unsure[: len(flat.token_n)]
    else:
        logp, unsure = _in_rows(model, flat, cells, temperature, entropy)

    def spread(value: Tensor) -> Tensor:
        return torch.zeros_like(batch.old_logp_BT).index_put((flat.row_n, flat.step_n), value)

    return ForwardPass(spread(logp), None if unsure is None else spread(unsure))


def _filled(index: Tensor) -> Tensor:
    """With zeros behind it: the first token, again."""
    return pad(index, (0, -len(index) % FILLED))


def _in_rows(
    model: LanguageModel, flat: FlatTokens, cells: Cells, temperature: float, entropy: bool
) -> tuple[Tensor, Tensor | None]:
    """Log-probs of shape n, and entropies if asked for, by transformers' own pass over rows."""
    ids_RW = flat.ids_N[cells.token_RW]
    options: dict[str, Tensor] = {}
    if cells.mask is not None:
        options = {"position_ids": flat.position_N[cells.token_RW], "attention_mask": cells.mask}
    predicting = cells.cell_N[flat.asked_S][flat.source_n]
    head: nn.Module = model.net.get_output_embeddings()  # type: ignore[assignment]
    # Where the model gives logits as its head makes them, ours are made of what enters the head.
    ours = model.plain_head and is_plain(head)
    entered: list[Tensor] = []

    def narrow(_: nn.Module, args: tuple[Tensor]) -> tuple[Tensor]:
        entered.append(args[0].flatten(0, 1)[predicting])
        return (entered[0][:1] if ours else entered[0],)

    with head.register_forward_pre_hook(narrow):
        logits = model.net(input_ids=ids_RW, use_cache=False, **options).logits
    if ours:
        return chosen_logprobs(entered[0], head.weight, flat.token_n, temperature, entropy)  # type: ignore[arg-type]
    logits = logits.float() / temperature
    return -cross_entropy(logits, flat.token_n, reduction="none"), entropy_of(logits) if entropy else None


def entropy_of(logits: Tensor) -> Tensor:
    """-sum p log p over the last dimension, in nats."""
    logp = logits.log_softmax(-1)
    return -(logp.exp() * logp).sum(-1)


@torch.no_grad()
def fixed_logp(model: LanguageModel, batch: TokenRollouts, temperature: float, limit: int) -> Tensor:
    """logp_BT under a policy that is not being trained, in pieces of at most `limit` padded tokens; where the batch is,
    whatever the model computes on."""
    logp_BT = torch.zeros_like(batch.old_logp_BT)
    for groups in micro_batches(batch, limit):
        rows = torch.cat([torch.nonzero(batch.group_B == group)[:, 0] for group in groups])
        there = batch.select(groups).to(model.device)
        logp_BT[rows] = response_logp(model, there, temperature).to(logp_BT.device)
    return logp_BT


def micro_batches(batch: TokenRollouts, limit: int) -> Iterator[Tensor]:
    """Indices of groups of like length, as many as fit `limit` tokens if each response took a padded row of its own;
    a larger group goes alone."""
    size_G = batch.size_G.tolist()
    response_G = torch.zeros_like(batch.size_G).scatter_reduce_(0, batch.group_B, batch.length_B, "amax").tolist()
    prompt_G = [len(batch.prompts[problem]) for problem in batch.problem_ids]
    longest_G = [prompt + response for prompt, response in zip(prompt_G, response_G, strict=True)]
    chosen: list[int] = []
    rows = 0
    for group in sorted(range(batch.groups), key=lambda g: longest_G[g]):
        if chosen and (rows + size_G[group]) * longest_G[group] > limit:
            yield torch.tensor(chosen, device=batch.group_B.device)
            chosen, rows = [], 0
        chosen.append(group)
        rows += size_G[group]
    yield torch.tensor(chosen, device=batch.group_B.device)

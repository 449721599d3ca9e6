"""Whether a model keeps packed sequences apart, asked of the model itself.

Packing writes sequences one after the other into one row, and nothing but `position_ids` says where each begins.
flash-attn takes the boundaries from them, and so does transformers when it makes torch's mask (`masking_utils.py`:
only with no attention mask and no cache, and only for models that hand the positions on). A model that does not look
learns from other rollouts' tokens, and no error says so. In transformers 5.10 these do not: OPT and Falcon, whose
attention makes its own mask, and models whose recurrent layers run on through the row (Qwen3-Next, Granite 4, Falcon
H1). Hence two sequences are scored, at the start of a trial, by the engine that will train.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.base.errors import FAILED, UserError

Row = Sequence[Sequence[int]]
"""sequences that are packed into one"""
Score = Callable[[Sequence[Row]], Sequence[Tensor]]
"""rows -> float_N of each: log-probs of all its tokens but the first of each sequence"""

FIRST, SECOND = 24, 40
"""tokens of the two sequences"""
MOST_SEEN = 5e-4
"""Nothing was seen with the models that keep sequences apart, in fp32 and bf16, mixtures of experts among them; 1e-3 by
the model that looks furthest aside (Falcon H1, fp32)."""
MOST_CHANGED = 0.05
"""6e-3 with the same models, in bf16; 0.24 and more with those that do not keep them apart"""


@dataclass(frozen=True)
class Packing:
    """What two sequences have of each other in one row, as shares of what the second would have of the first if it saw
    all of it (norms of differences of log-probs)."""

    seen: float
    """another first sequence changes the second's by so much. Exactly zero where it sees none of it: the same sums"""
    changed: float
    """both, against each alone: rounding, for sums are taken in another order"""

    @property
    def apart(self) -> bool:
        """Also false if one of them is no number."""
        return self.seen <= MOST_SEEN and self.changed <= MOST_CHANGED


def check(found: Iterable[Packing | None], model: str, attention: str) -> None:
    """
    Args:
        found: of each rank of the learner; None where another one answers for it.
        model, attention: for the message.
    Raises: UserError if packing would let the model see other rollouts.
    """
    for one in found:
        if one and not one.apart:
            raise UserError(
                f"`{model}` does not keep packed sequences apart with attention {attention}: of what a sequence would "
                f"learn from the one before it, {one.seen:.2%} reaches it, and its log-probs are {one.changed:.2%} of "
                "that off.\nSet `verl.remove_padding=false`, under another `name` or with `--clean`: each sequence is "
                "then padded to the longest of its micro-batch.",
                FAILED,
            )


def probe(score: Score, tokens: int) -> Packing:
    """Score random sequences.

    Args:
        tokens: size of the vocabulary, without what only pads it.
    """
    generator = torch.Generator().manual_seed(0)
    first, other, second = (
        torch.randint(tokens, (length,), generator=generator).tolist() for length in (FIRST, FIRST, SECOND)
    )
    rows = [[first], [second], [first, second], [other, second], [[*first, *second]]]
    alone_1, alone_2, packed, beside_other, joined = (logp.double() for logp in score(rows))
    full = float((joined[FIRST:] - alone_2).norm()) or 1.0
    seen = (packed[1 - SECOND :] - beside_other[1 - SECOND :]).norm()
    changed = (packed - torch.cat([alone_1, alone_2])).norm()
    return Packing(float(seen) / full, float(changed) / full)

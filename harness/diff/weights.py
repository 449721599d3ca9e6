"""What an algorithm makes of a batch: its filter, credit and loss, and so the weight of every token.

The weight of a token is w = -dL/d(log-prob): positive where the update makes the token likelier. The loss is that of
all kept groups as one mini-batch, in double precision; denominators are those of the kept groups, and no group that
the filter drops is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch
from torch import Generator, Tensor

from algorithms.base import Algorithm
from algorithms.rollouts import Totals
from harness.backends.groups import TokenRollouts
from harness.base.errors import UserError
from harness.base.seeds import derive
from harness.diff.asked import NamedAlgorithm
from harness.diff.frozen import Frozen

LOGP, ENTROPY = "logp", "entropy"
"""the quantities of the forward pass that an objective may differentiate: all do the first, and those that ask for it
the other. `_BT` behind a name makes the field of `Rollouts`"""


@dataclass(frozen=True, eq=False)
class ObjectiveOutcome:
    """One algorithm on the batch."""

    asked: NamedAlgorithm
    keep_G: Tensor
    """bool: groups that its filter keeps"""
    loss: float | None
    """None if no group is kept"""
    weights: Mapping[str, Tensor]
    """-dL/dq for each quantity q of the forward pass that it differentiates, of shape BT; 0 where groups are dropped"""
    metrics: Mapping[str, float | None]
    """what the loss logs, None where nothing was counted"""


def outcome(asked: NamedAlgorithm, frozen: Frozen, values: Mapping[str, Tensor]) -> ObjectiveOutcome:
    """
    Args:
        values: quantities of theta's forward pass, of shape BT, without gradient.
    Raises: UserError if the algorithm refuses the batch.
    """
    try:
        return _outcome(asked, frozen, values)
    except ValueError as error:
        raise UserError(f"`{asked.label}` cannot learn from this batch: {error}") from error


def _outcome(asked: NamedAlgorithm, frozen: Frozen, values: Mapping[str, Tensor]) -> ObjectiveOutcome:
    algorithm, batch = asked.algorithm, frozen.batch
    keep_G = algorithm.keep(batch)
    values = {name: value for name, value in values.items() if name == LOGP or algorithm.wants_entropy}
    zeros = {name: torch.zeros(batch.mask_BT.shape, dtype=torch.float64) for name in values}
    if not keep_G.any():
        return ObjectiveOutcome(asked, keep_G, None, zeros, {})
    rows = torch.nonzero(keep_G[batch.group_B])[:, 0]  # rows of a group are adjacent, so `select` keeps their order
    kept = _prepared(algorithm, _double(_with_reference(algorithm, frozen)).select(torch.nonzero(keep_G)[:, 0]), frozen)
    leaves = {name: value[rows].double().requires_grad_() for name, value in values.items()}
    kept = replace(kept, **{f"{name}_BT": leaf for name, leaf in leaves.items() if name != LOGP})
    loss = algorithm.loss(kept, leaves[LOGP], _totals(algorithm, kept, leaves[LOGP].detach(), frozen.progress))
    if loss.value.requires_grad:
        gradients = torch.autograd.grad(loss.value, list(leaves.values()), allow_unused=True)
        for name, gradient in zip(leaves, gradients, strict=True):
            if gradient is not None:
                zeros[name][rows] = -gradient
    metrics = {name: mean.value if mean.count else None for name, mean in loss.metrics.items()}
    return ObjectiveOutcome(asked, keep_G, loss.value.item(), zeros, metrics)


def _with_reference(algorithm: Algorithm, frozen: Frozen) -> TokenRollouts:
    if algorithm.reference is None:
        return frozen.batch
    known = frozen.init_logp_BT if algorithm.reference == "init" else frozen.synced_logp_BT
    return replace(frozen.batch, ref_logp_BT=frozen.batch.old_logp_BT if known is None else known)


def _double(batch: TokenRollouts) -> TokenRollouts:
    floats = {f.name: value for f in fields(batch) if isinstance(value := getattr(batch, f.name), Tensor)}
    return replace(batch, **{name: x.double() for name, x in floats.items() if x.is_floating_point()})


def _prepared(algorithm: Algorithm, batch: TokenRollouts, frozen: Frozen) -> TokenRollouts:
    """With rewards and credit. The algorithm's own draws are those of the step in training."""

    def rng(problem: str) -> Generator:
        return torch.Generator().manual_seed(derive("credit", frozen.seed, frozen.step, problem))

    batch = replace(batch, reward_B=algorithm.shape(batch))
    return replace(batch, credit=algorithm.credit(batch, rng))


def _totals(algorithm: Algorithm, batch: TokenRollouts, logp_BT: Tensor, progress: float | None) -> Totals:
    """As for the first update of a trial that has come as far as this one: nothing is carried over from others."""
    totals = Totals.of(batch)
    measured = algorithm.measure(batch, logp_BT) if algorithm.measures else {}
    means = {name: float(total) / max(totals.tokens, 1) for name, total in measured.items()}
    return replace(totals, means=means, state=algorithm.adapt({}, means), progress=progress)

"""What an algorithm makes of a batch: its filter, credit and loss, and so the weight of every token.

The weight of a token is w = -dL/d(log-prob): positive where the update makes the token likelier. The loss is that of
all kept groups as one mini-batch, in double precision; denominators are those of the kept groups, and no group that
the filter drops is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import torch
from torch import Generator, Tensor

from algorithms.base import Algorithm
from algorithms.rollouts import Totals
from harness.backends.groups import TokenRollouts
from harness.base.seeds import derive

LOGP, ENTROPY = "logp", "entropy"
"""the quantities of the forward pass that an objective may differentiate: all do the first, and those that ask for it
the other. `_BT` behind a name makes the field of `Rollouts`"""


@dataclass(frozen=True, eq=False, kw_only=True)
class Moment:
    """A batch of a step, and what an objective may ask for beside it."""

    batch: TokenRollouts
    """all groups, before any filter; rewards are labels"""
    init_logp_BT: Tensor | None
    """log-probs under the model that training started from; None: the sampler's are taken"""
    synced_logp_BT: Tensor | None
    """log-probs under a reference that follows the sampler; None: the sampler's are taken, as right after a sync"""
    progress: float | None
    """share of the trial's budget that had been generated; None where nobody knows"""
    seed: int
    step: int
    """with `seed`: what an algorithm's own draws are keyed by"""
    state: Mapping[str, float] = field(default_factory=dict)
    """what the algorithm carried from the update before"""


@dataclass(frozen=True, eq=False)
class ObjectiveOutcome:
    """One algorithm on the batch."""

    algorithm: Algorithm
    keep_G: Tensor
    """bool: groups that are learnt from"""
    loss: float | None
    """None if there are none"""
    weights: Mapping[str, Tensor]
    """-dL/dq for each quantity q of the forward pass that it differentiates, of shape BT; 0 where groups are dropped"""
    metrics: Mapping[str, float | None]
    """what the loss logs, None where nothing was counted"""


def outcome(
    algorithm: Algorithm, moment: Moment, values: Mapping[str, Tensor], keep_G: Tensor | None = None
) -> ObjectiveOutcome:
    """
    Args:
        values: quantities of theta's forward pass, of shape BT, without gradient.
        keep_G: bool, the groups to learn from; None: those that its own filter keeps.
    Raises: ValueError if the algorithm refuses the batch.
    """
    batch = moment.batch
    keep_G = algorithm.keep(batch) if keep_G is None else keep_G
    values = {name: value for name, value in values.items() if name == LOGP or algorithm.wants_entropy}
    zeros = {name: torch.zeros(batch.mask_BT.shape, dtype=torch.float64) for name in values}
    if not keep_G.any():
        return ObjectiveOutcome(algorithm, keep_G, None, zeros, {})
    rows = torch.nonzero(keep_G[batch.group_B])[:, 0]  # rows of a group are adjacent, so `select` keeps their order
    kept = _prepared(algorithm, _double(_with_reference(algorithm, moment)).select(torch.nonzero(keep_G)[:, 0]), moment)
    leaves = {name: value[rows].double().requires_grad_() for name, value in values.items()}
    kept = replace(kept, **{f"{name}_BT": leaf for name, leaf in leaves.items() if name != LOGP})
    loss = algorithm.loss(kept, leaves[LOGP], _totals(algorithm, kept, leaves[LOGP].detach(), moment))
    if loss.value.requires_grad:
        gradients = torch.autograd.grad(loss.value, list(leaves.values()), allow_unused=True)
        for name, gradient in zip(leaves, gradients, strict=True):
            if gradient is not None:
                zeros[name][rows] = -gradient
    metrics = {name: mean.value if mean.count else None for name, mean in loss.metrics.items()}
    return ObjectiveOutcome(algorithm, keep_G, loss.value.item(), zeros, metrics)


def _with_reference(algorithm: Algorithm, moment: Moment) -> TokenRollouts:
    if algorithm.reference is None:
        return moment.batch
    known = moment.init_logp_BT if algorithm.reference == "init" else moment.synced_logp_BT
    return replace(moment.batch, ref_logp_BT=moment.batch.old_logp_BT if known is None else known)


def _double(batch: TokenRollouts) -> TokenRollouts:
    floats = {f.name: value for f in fields(batch) if isinstance(value := getattr(batch, f.name), Tensor)}
    return replace(batch, **{name: x.double() for name, x in floats.items() if x.is_floating_point()})


def _prepared(algorithm: Algorithm, batch: TokenRollouts, moment: Moment) -> TokenRollouts:
    """With rewards and credit. The algorithm's own draws are those of the step in training."""

    def rng(problem: str) -> Generator:
        return torch.Generator().manual_seed(derive("credit", moment.seed, moment.step, problem))

    batch = replace(batch, reward_B=algorithm.shape(batch))
    return replace(batch, credit=algorithm.credit(batch, rng))


def _totals(algorithm: Algorithm, batch: TokenRollouts, logp_BT: Tensor, moment: Moment) -> Totals:
    """As for the next update."""
    totals = Totals.of(batch)
    measured = algorithm.measure(batch, logp_BT) if algorithm.measures else {}
    means = {name: float(total) / max(totals.tokens, 1) for name, total in measured.items()}
    return replace(totals, means=means, state=algorithm.adapt(moment.state, means), progress=moment.progress)

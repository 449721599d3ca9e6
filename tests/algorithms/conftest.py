"""A small policy whose gradients can be worked out: log pi(y) = sum_t log softmax(theta_t)[y_t]."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from algorithms.base import Algorithm
from algorithms.example import keyed, totals_of
from algorithms.rollouts import Loss, Rollouts

torch.set_num_threads(1)


class Toy:
    """Rollouts with given labels, one list for each group, of random lengths over 4 tokens and 5 places."""

    def __init__(self, labels: Sequence[Sequence[int]], seed: int = 0) -> None:
        random = torch.Generator().manual_seed(seed)
        rows = sum(map(len, labels))
        self.theta = torch.randn(5, 4, generator=random, dtype=torch.float64)
        self.tokens_BT = torch.randint(0, 4, (rows, 5), generator=random)
        self.length_B = torch.randint(1, 6, (rows,), generator=random)
        self.mask_BT = torch.arange(5) < self.length_B[:, None]
        self.label_B = torch.tensor([bool(label) for group in labels for label in group])
        self.group_B = torch.tensor([index for index, group in enumerate(labels) for _ in group])
        self.random = random

    def moved(self, distance: float) -> Tensor:
        """Other parameters, at random."""
        return self.theta + distance * torch.randn(5, 4, generator=self.random, dtype=torch.float64)

    def logp(self, theta: Tensor) -> Tensor:
        """logp_BT"""
        return theta.log_softmax(-1)[torch.arange(5), self.tokens_BT]

    def batch(self, ref: Tensor | None = None, **changes: object) -> Rollouts:
        """Sampled from `theta`, the reference having parameters `ref`."""
        batch = Rollouts(
            group_B=self.group_B,
            label_B=self.label_B,
            reward_B=self.label_B.double(),
            truncated_B=torch.zeros_like(self.label_B),
            mask_BT=self.mask_BT,
            old_logp_BT=self.logp(self.theta),
            problem_ids=tuple(f"problem {index}" for index in range(int(self.group_B.max()) + 1)),
            max_tokens=50,
            ref_logp_BT=self.logp(self.theta if ref is None else ref),
        )
        return replace(batch, **changes)

    def learn(self, algorithm: Algorithm, theta: Tensor, batch: Rollouts | None = None) -> tuple[Loss, Tensor]:
        """The loss at theta, and the ascent direction -dL/dtheta."""
        batch = self.batch() if batch is None else batch
        batch = replace(batch, reward_B=algorithm.shape(batch))
        batch = replace(batch, credit=algorithm.credit(batch, keyed))
        leaf = theta.clone().requires_grad_()
        logp_BT = self.logp(leaf)
        loss = algorithm.loss(batch, logp_BT, totals_of(algorithm, batch, logp_BT.detach()))
        (gradient,) = torch.autograd.grad(loss.value, leaf)
        return loss, -gradient

    def reinforce(self, weight_B: Tensor) -> Tensor:
        """grad of sum_k weight_k log pi(y_k) where the rollouts were sampled."""
        leaf = self.theta.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(((self.logp(leaf) * self.mask_BT).sum(1) * weight_B).sum(), leaf)
        return gradient


@pytest.fixture
def toy() -> Callable[..., Toy]:
    return Toy


@pytest.fixture
def rows() -> Callable[..., Rollouts]:
    """A batch from plain lists: groups, labels, rewards and per-token ratios to the old policy of 1 by default."""

    def build(
        groups: Sequence[int], labels: Sequence[int], lengths: Sequence[int] | None = None, **changes: object
    ) -> Rollouts:
        count = len(groups)
        lengths = [3] * count if lengths is None else lengths
        width = max(lengths, default=1)
        batch = Rollouts(
            group_B=torch.tensor(groups, dtype=torch.int64),
            label_B=torch.tensor(labels, dtype=torch.bool),
            reward_B=torch.tensor(labels, dtype=torch.float64),
            truncated_B=torch.zeros(count, dtype=torch.bool),
            mask_BT=torch.arange(width) < torch.tensor(lengths, dtype=torch.int64)[:, None],
            old_logp_BT=torch.full((count, width), -1.0, dtype=torch.float64),
            problem_ids=tuple(f"problem {index}" for index in range(max(groups, default=-1) + 1)),
            max_tokens=10,
        )
        return replace(batch, **changes)

    return build

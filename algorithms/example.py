"""A small ragged batch, variations of it and of an algorithm, and what a backend does with them: what the contract and
the tests of algorithms learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, get_args, get_type_hints
from zlib import crc32

from algorithms._torch import torch
from algorithms.base import Algorithm
from algorithms.rollouts import Loss, Mean, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Generator, Tensor


def example(seed: int = 0, label: bool | None = None) -> tuple[Rollouts, Tensor]:
    """Seven groups of 6, 5, 4, 3, 3, 3 and 1 rollouts, with mixed labels but for the last three groups, and log-probs
    under a policy that has moved. Everything ends well below the token limit, so that rewards are labels.

    Args:
        label: that of every rollout; None mixes them.
    """
    random = torch.Generator().manual_seed(seed)
    sizes = (6, 5, 4, 3, 3, 3, 1)
    group_B = torch.repeat_interleave(torch.arange(7), torch.tensor(sizes))
    place_B = torch.cat([torch.arange(size) for size in sizes])
    # correct are the first 2, 1, 2 and 2 rollouts of the groups with a contrast; then none, all, and the one alone
    label_B = (
        (place_B < torch.tensor([2, 1, 2, 2, 0, 3, 1])[group_B]) if label is None else group_B.new_ones(25) == label
    )
    # ragged, with at least one token each
    mask_BT = torch.arange(9) < torch.randint(1, 10, (25, 1), generator=random)
    old_BT = -2 * torch.rand(25, 9, generator=random, dtype=torch.float64)
    batch = Rollouts(
        group_B=group_B,
        label_B=label_B,
        reward_B=label_B.double(),
        truncated_B=torch.rand(25, generator=random) < 0.2,
        mask_BT=mask_BT,
        old_logp_BT=old_BT,
        problem_ids=tuple("abcdefg"),
        max_tokens=40,
        ref_logp_BT=old_BT + 0.3 * torch.randn(25, 9, generator=random, dtype=torch.float64),
        weight_BT=torch.rand(25, 9, generator=random, dtype=torch.float64) + 0.5,
    )
    # in no order at the end, so that nothing can rely on the rows of a group being neighbours
    shuffled = torch.randperm(25, generator=random)
    logp_BT = old_BT + 0.2 * torch.randn(25, 9, generator=random, dtype=torch.float64)
    batch = replace(batch, entropy_BT=2 * torch.rand(25, 9, generator=random, dtype=torch.float64))
    return batch.rows(shuffled), logp_BT[shuffled]


def keyed(problem_id: str) -> Generator:
    """An `Rng`."""
    return torch.Generator().manual_seed(crc32(problem_id.encode()))


def prepared(algorithm: Algorithm, batch: Rollouts) -> Rollouts:
    """With the rewards and the credit the algorithm gives it."""
    shaped = replace(batch, reward_B=algorithm.shape(batch))
    return replace(shaped, credit=algorithm.credit(shaped, keyed))


def totals_of(algorithm: Algorithm, batch: Rollouts, logp_BT: Tensor) -> Totals:
    """As a backend makes them for the first update of a trial that is a third through."""
    totals = Totals.of(batch)
    measured = algorithm.measure(batch, logp_BT) if algorithm.measures else {}
    means = {name: float(total) / max(totals.tokens, 1) for name, total in measured.items()}
    return replace(totals, means=means, state=algorithm.adapt({}, means), progress=1 / 3)


def learn(algorithm: Algorithm, batch: Rollouts, logp_BT: Tensor) -> tuple[Loss, Tensor]:
    """The loss of a raw batch taken as one mini-batch, and its gradient by autograd."""
    batch = prepared(algorithm, batch)
    return differentiated(algorithm, batch, logp_BT, totals_of(algorithm, batch, logp_BT))


def differentiated(algorithm: Algorithm, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> tuple[Loss, Tensor]:
    """The loss of a prepared batch, and its gradient by autograd."""
    leaf_BT = logp_BT.detach().clone().requires_grad_()
    loss = algorithm.loss(batch, leaf_BT, totals)
    (gradient_BT,) = torch.autograd.grad(loss.value, leaf_BT)
    return loss, gradient_BT


def numbered(algorithm: Algorithm) -> tuple[Rollouts, Tensor, Totals]:
    """The example, prepared. A number for each row travels as credit, and says where the rows of a part came from."""
    batch, logp_BT = example()
    batch = prepared(algorithm, batch)
    numbered = replace(batch, credit={**batch.credit, "row": torch.arange(len(batch))})
    return numbered, logp_BT, totals_of(algorithm, batch, logp_BT)


def added(algorithm: Algorithm, parts: Sequence[Rollouts], logp_BT: Tensor, totals: Totals) -> tuple[Loss, Tensor]:
    """Sums over the parts, with gradients in their rows."""
    value, gradient_BT, logged = logp_BT.new_zeros(()), torch.zeros_like(logp_BT), dict[str, Mean]()
    for part in parts:
        rows = part.credit["row"]
        loss, part_BT = differentiated(algorithm, part, logp_BT[rows], totals)
        value += loss.value.detach()
        gradient_BT[rows] += part_BT
        logged |= {name: mean + logged.get(name, Mean(0, 0)) for name, mean in loss.metrics.items()}
    return Loss(value, logged), gradient_BT


def neighbours(algorithm: Algorithm) -> Iterator[tuple[str, Algorithm]]:
    """The algorithm with one hyper-parameter changed at a time, where the change is allowed."""
    hints = get_type_hints(type(algorithm))
    for field in fields(algorithm):
        value, options = getattr(algorithm, field.name), get_args(hints[field.name])
        if isinstance(value, bool):
            others: list[Any] = [not value]
        elif isinstance(value, int | float):
            others = [value + 1] if isinstance(value, int) else [0.5 * value + 0.25, 1.5 * value]
        else:
            others = [option for option in (*options, 1.5) if not isinstance(option, type) and option != value]
        for other in others:
            try:
                yield field.name, replace(algorithm, **{field.name: other})
            except ValueError:
                continue


def map_tokens(batch: Rollouts, change: Callable[[Tensor], Tensor]) -> Rollouts:
    """The batch with every tensor of tokens that it has, all whose names end in `_BT`, changed."""
    values = {f.name: getattr(batch, f.name) for f in fields(batch) if f.name.endswith("_BT")}
    return replace(batch, **{name: change(value) for name, value in values.items() if value is not None})


def widened(value_BT: Tensor, columns: int) -> Tensor:
    """value_BT with columns of padding on the right: 0, or False."""
    return torch.nn.functional.pad(value_BT, (0, columns))

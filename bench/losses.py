"""What a loss costs by itself: processor time of the value with its metrics, and with the gradient to log-probs.

    OMP_NUM_THREADS=1 python bench/losses.py [--rollouts 64] [--group 8] [--tokens 48] [--repeats 500]

The figure is that of the fastest tenth: whatever else the machine does only ever adds to it.
"""

from __future__ import annotations

import argparse
import time

import torch

from algorithms.example import prepared, totals_of
from algorithms.registry import ALL
from algorithms.rollouts import Rollouts


def batch(rollouts: int, group: int, tokens: int) -> Rollouts:
    random = torch.Generator().manual_seed(0)
    group_B = torch.arange(rollouts) // group
    label_B = torch.arange(rollouts) % group < 1 + group_B % (group - 1)
    old_BT = -torch.rand(rollouts, tokens, generator=random)
    return Rollouts(
        group_B=group_B,
        label_B=label_B,
        reward_B=label_B.float(),
        truncated_B=torch.zeros_like(label_B),
        mask_BT=torch.arange(tokens) < torch.randint(1, tokens + 1, (rollouts, 1), generator=random),
        old_logp_BT=old_BT,
        problem_ids=tuple(str(index) for index in range(int(group_B.max()) + 1)),
        max_tokens=tokens,
        ref_logp_BT=old_BT + 0.1 * torch.randn(rollouts, tokens, generator=random),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rollouts", 64), ("group", 8), ("tokens", 48), ("repeats", 500)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    raw = batch(options.rollouts, options.group, options.tokens)
    print(f"{'algorithm':<22}{'loss µs':>10}{'with gradient µs':>18}")
    for name, algorithm in ALL.items():
        ready = prepared(algorithm, raw)
        logp_BT = (raw.old_logp_BT + 0.05 * torch.randn_like(raw.old_logp_BT)).requires_grad_()
        totals = totals_of(algorithm, ready, logp_BT)
        seconds = []
        for _ in range(options.repeats):
            start = time.process_time()
            value = algorithm.loss(ready, logp_BT, totals).value
            middle = time.process_time()
            value.backward()
            seconds.append((middle - start, time.process_time() - start))
        loss, whole = (sorted(column)[options.repeats // 10] * 1e6 for column in zip(*seconds, strict=True))
        print(f"{name:<22}{loss:>10.0f}{whole:>18.0f}")


if __name__ == "__main__":
    main()

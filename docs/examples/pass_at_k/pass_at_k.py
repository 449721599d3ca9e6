"""Pass@k training: Chen et al. 2025, arXiv:2508.10751, by its analytical advantage."""

from dataclasses import dataclass
from math import comb

from rence import check_ranges
from rence.objectives import GRPO


@dataclass(frozen=True)
class PassAtK(GRPO):
    """GRPO on sets of k: of N rollouts, m of them wrong, C(m,k)/C(N,k) of all sets fail; a rollout's advantage is how
    much more seldom its own sets do, in standard deviations over all sets, in place of `baseline` and `scale`."""

    title = "Pass@k training"
    source = "Chen et al. 2025, arXiv:2508.10751, eq. 14 and 15"
    k: int = 4
    """rollouts in a set, those of a group at most; 1: GRPO with the deviation of the population"""

    def __post_init__(self):
        super().__post_init__()
        check_ranges(self, k="[1, inf)")

    def credit(self, batch, rng):
        table = []  # of each group: the advantage of a wrong rollout, and of a correct one
        for n, m in zip(batch.size_G.tolist(), (batch.size_G - batch.positives_G).tolist(), strict=True):
            k = min(self.k, n)
            fail, fail_if_wrong = comb(m, k) / comb(n, k), comb(m - 1, k - 1) / comb(n - 1, k - 1) if m else 0
            scale = (fail * (1 - fail)) ** 0.5 or 1.0
            table.append(((fail - fail_if_wrong) / scale, fail / scale))
        return {"advantage": batch.reward_B.new_tensor(table).view(-1, 2)[batch.group_B, batch.label_B.long()]}

    def spec(self):
        return super().spec() | {"baseline": f"share of sets of {self.k} that fail", "scale": "std over the sets"}

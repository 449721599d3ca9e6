"""DAPO: Yu et al. 2025, arXiv:2503.14476, equation 8: GRPO with four changes and no KL.

    J = sum_k sum_t min(rho A, clip(rho, 1-eps_low, 1+eps_high) A) / sum_k |y_k|        subject to 0 < P < K

1. Clip-higher: eps_high > eps_low.
2. Dynamic sampling: only groups with both correct and incorrect rollouts are learnt from, and the batch is refilled.
   The filter looks at labels, never at shaped rewards: an all-correct group of unequal lengths has no contrast.
3. Token-level mean. The equation takes it within each prompt's group (`group_token_mean`), the authors' code over the
   whole mini-batch (`token_mean`, the default here).
4. Soft overlong punishment, added to the reward (`reward.py`). Rewards are +1 and -1 as in the authors' runs,
   because the punishment has a scale; without it the standardised advantage would not notice.

    symbol      name here            symbol        name here
    eps_low     clip_low             L_cache       overlong_buffer × max_tokens
    eps_high    clip_high            L_max         max_tokens, the hard limit with the cache included

Where the paper is silent: overlong filtering, an ablation there and not part of the final recipe, is
`mask_truncated`, which takes truncated rollouts out of the loss and out of its denominators;
whether they still enter the baseline is `truncated_in_baseline`. Their dual clip of 10 (verl's script) is off. Where
dropped groups leave a step short, their code generates a whole batch again and throws away what it does not need;
ours asks for what is missing, unless the recipe says `refill: batch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from algorithms.hyperparameters import check_ranges
from algorithms.objectives.grpo import GRPO
from algorithms.ops.advantages import advantages
from algorithms.ops.aggregation import Aggregation
from algorithms.ops.reward import less_overlong, overlong_words
from algorithms.rollouts import Loss, Rng, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class DAPO(GRPO):
    """GRPO with a higher upper clip, token-level mean, dynamic sampling and an overlong penalty."""

    title: ClassVar[str] = "DAPO"
    source: ClassVar[str] = "Yu et al. 2025, arXiv:2503.14476, eq. 8"
    wrong: ClassVar[float] = -1.0
    """reward of an incorrect rollout; a correct one has 1"""

    clip_high: float = 0.28
    """eps_high: the ratio is held below 1 + clip_high"""
    aggregation: Aggregation = "token_mean"
    """token_mean: over the mini-batch, the authors' code; group_token_mean: within groups, the equation"""
    kl_coef: float = 0.0
    """no KL in DAPO"""
    refill_dropped: bool = True
    """whether groups without a contrast are replaced by freshly generated ones"""
    overlong_factor: float = 1.0
    """weight of the soft overlong penalty, on rewards of +1 and -1; 0: off"""
    overlong_buffer: float = 0.2
    """L_cache as a share of L_max; the paper's 4,096 of 20,480 tokens"""
    mask_truncated: bool = False
    """leave truncated rollouts out of the loss and its denominators"""
    truncated_in_baseline: bool = True
    """whether left-out rollouts still enter their group's mean and standard deviation"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, overlong_factor="[0, inf)", overlong_buffer="(0, 1]")

    @property
    def refill(self) -> bool:
        return self.refill_dropped

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        overlong = {"overlong penalty": {"overlong_factor": 0.0}} if self.overlong_factor else {}
        masked = {"truncated rollouts left out": {"mask_truncated": False}} if self.mask_truncated else {}
        return {**super().parts, **overlong, **masked}

    def keep(self, batch: Rollouts) -> Tensor:
        """bool_G: 0 < P < K."""
        return batch.contrast_G

    def keeps(self, correct: int, size: int) -> bool:
        return 0 < correct < size

    def reward(self, batch: Rollouts) -> Tensor:
        """reward_B: 1 or `wrong`, less the overlong penalty."""
        reward_B = self.wrong + (1 - self.wrong) * batch.reward_B
        return less_overlong(reward_B, batch, self.overlong_factor, self.overlong_buffer)

    def credit(self, batch: Rollouts, rng: Rng) -> Mapping[str, Tensor]:
        left_out = self.mask_truncated and not self.truncated_in_baseline
        among_B = ~batch.truncated_B if left_out else None
        return {"advantage": advantages(batch, self.baseline, self.scale, self.std_ddof, among_B)}

    def loss(self, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> Loss:
        if not self.mask_truncated:
            return super().loss(batch, logp_BT, totals)
        # out of rows and denominators alike: otherwise the mean would shrink with each that is left out
        whole_B = ~batch.truncated_B
        return super().loss(batch.rows(whole_B), logp_BT[whole_B], totals.without_truncated())

    def spec(self) -> dict[str, str]:
        left_out = ", truncated rollouts left out" if self.mask_truncated else ""
        baseline = " of the whole rollouts" if self.mask_truncated and not self.truncated_in_baseline else ""
        spec = super().spec()
        return spec | {
            "reward": ("±1" if self.wrong else "label") + overlong_words(self.overlong_factor, self.overlong_buffer),
            "baseline": spec["baseline"] + baseline,
            "aggregation": spec["aggregation"] + left_out,
            "filter": "0 < P < K by label",
            "refill": "yes" if self.refill_dropped else "no",
        }

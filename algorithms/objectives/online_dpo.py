"""(Semi-)online DPO: Lanchantin et al. 2025, arXiv:2506.21495, on rollouts with verifiable labels.

    L = -log sigma( beta [ log pi_theta(y_c) / pi_ref(y_c) - log pi_theta(y_r) / pi_ref(y_r) ] )

y_c is a random correct rollout of the prompt and y_r a random incorrect one; log-probs are sums over response tokens;
prompts without such a pair are skipped, not replaced. GroupDPO (their equation 4) takes all pairs of a group.

    symbol   name here        symbol     name here
    beta     beta             y_c, y_r   credit "chosen", "rejected"
    pi_ref   ref_policy       s_k        score_B = beta × log-ratio to pi_ref

The paper syncs generator and reference together, every s steps (s = 1: online; 10 or 100: semi-online), and needs the
second against collapse of length. Here each has its own step count in the recipe, and the reference is a copy of the
generator at its last sync (`ref_policy="synced"`). With the recipe's defaults, `generator_sync_steps` 1 and
`reference_sync_steps` 10, the generator is always the newest policy and the reference up to ten steps older: neither
the paper's online nor its semi-online setting. Equal numbers are the paper's; `semi_online_dpo` is this with 10 and 10.

Where the paper is silent, and what else there is:
- the authors' code takes the first correct and the first incorrect rollout, "sort of random"; here both are drawn
  by the problem's own generator;
- the mean is over groups that have a pair;
- with the reference synced at every step the logit is 0 at the first update of each batch, and DPO is weighted
  REINFORCE;
- `nll_coef` adds the length-normalised NLL of the chosen, as in iterative reasoning PO (arXiv:2404.19733); off;
- importance weights scale the gradient that each token passes to its score (`ratios.sequence_score`); the NLL term
  ignores them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from algorithms._torch import torch
from algorithms.base import Activity, Algorithm, Reference
from algorithms.hyperparameters import check_ranges
from algorithms.ops.contrast import mean_over_contrasts, pair_table, positive_nll
from algorithms.ops.groups import GroupTable, keyed_uniform, lowest
from algorithms.ops.kl import base_logp
from algorithms.ops.metrics import MOVED, as_means, movement
from algorithms.ops.ratios import sequence_score
from algorithms.rollouts import Loss, Rng, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

SATURATION = Activity("dpo/saturation", "DPO logit saturation, |2 sigma(z) - 1|", 0.01)


@dataclass(frozen=True)
class OnlineDPO(Algorithm):
    """DPO on fresh pairs of one correct and one incorrect rollout."""

    title: ClassVar[str] = "Online DPO"
    source: ClassVar[str] = "Lanchantin et al. 2025, arXiv:2506.21495"

    beta: float = 0.1
    """temperature of the log-ratio"""
    pairs: Literal["random", "all"] = "random"
    """one random pair of each group, or all P × N of them (GroupDPO)"""
    ref_policy: Reference = "synced"
    """what the log-ratio is taken to: a copy synced every `reference_sync_steps` steps, or the initial model"""
    score_norm: Literal["sum", "mean"] = "sum"
    """log-ratios summed over tokens, as in the paper, or their mean"""
    nll_coef: float = 0.0
    """weight of the NLL of the chosen rollouts; no importance weight multiplies it"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, beta="(0, inf)", nll_coef="[0, inf)")

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (SATURATION, MOVED)

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        pairs = {"one pair of a group": {"pairs": "all"}} if self.pairs == "random" else {}
        return pairs | ({"NLL of the chosen": {"nll_coef": 0.0}} if self.nll_coef else {})

    @property
    def reference(self) -> Reference:
        return self.ref_policy

    def keep(self, batch: Rollouts) -> Tensor:
        """bool_G: groups that have a pair."""
        return batch.contrast_G

    def credit(self, batch: Rollouts, rng: Rng) -> Mapping[str, Tensor]:
        """chosen_B, rejected_B: bool"""
        chosen_B, rejected_B = batch.label_B, ~batch.label_B
        if self.pairs == "random":
            draw_B = keyed_uniform(batch, rng)
            chosen_B = lowest(draw_B, chosen_B, 1, batch.group_B, batch.groups)
            rejected_B = lowest(draw_B, rejected_B, 1, batch.group_B, batch.groups)
        return {"chosen": chosen_B, "rejected": rejected_B}

    def loss(self, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> Loss:
        table = GroupTable.of(batch)
        score_B = sequence_score(logp_BT, base_logp(batch, self.ref_policy), batch, self.score_norm)
        score_GK = self.beta * table(score_B)
        pair_GKK = pair_table(table(batch.credit["chosen"]), table(batch.credit["rejected"]))
        logit_GKK = score_GK[:, :, None] - score_GK[:, None, :]
        pair_GKK, offset_GKK = self._offsets(batch, table, pair_GKK, totals)
        loss_GKK = torch.where(pair_GKK, torch.nn.functional.softplus(offset_GKK - logit_GKK), 0)
        # the mean over a group's pairs first: a group counts once, however many it has
        pairs_G = pair_GKK.sum((1, 2))
        preference = mean_over_contrasts(loss_GKK.sum((1, 2)) / pairs_G.clamp(min=1), pairs_G > 0, totals)
        value = preference
        if self.nll_coef:
            value = value + self.nll_coef * positive_nll(logp_BT, batch.credit["chosen"], batch, totals)
        metrics = self._metrics(batch, logp_BT, totals, preference, logit_GKK.detach(), pair_GKK, offset_GKK)
        return Loss(value, as_means(metrics))

    def spec(self) -> dict[str, str]:
        chosen = "one random pair of a group" if self.pairs == "random" else "all pairs of a group"
        nll = f", + {self.nll_coef:g} × NLL of the chosen" if self.nll_coef else ""
        return {
            "reward": "label",
            "baseline": f"correct against incorrect, {chosen}",
            "scale": f"beta {self.beta:g} on the {self.score_norm} of log-ratios",
            "trust region": "sigmoid of the logit",
            "aggregation": f"mean over pairs, then over groups with a pair{nll}",
            "KL": "implicit (beta)",
            "filter": "0 < P < K by label",
            "refill": "no",
            "reference": self.ref_policy,
        }

    def _offsets(self, batch: Rollouts, table: GroupTable, pair_GKK: Tensor, totals: Totals) -> tuple[Tensor, Tensor]:
        """The pairs that count, and what a logit is compared with: nothing here, a margin in ODPO."""
        return pair_GKK, batch.reward_B.new_zeros(())

    def _metrics(
        self,
        batch: Rollouts,
        logp_BT: Tensor,
        totals: Totals,
        loss: Tensor,
        logit_GKK: Tensor,
        pair_GKK: Tensor,
        offset_GKK: Tensor,
    ) -> dict[str, tuple[Tensor | float, Tensor | float]]:
        weight_GKK = pair_GKK / pair_GKK.sum((1, 2), keepdim=True).clamp(min=1)
        groups = weight_GKK.sum()
        return {
            **movement(loss, logp_BT, batch, totals),
            "dpo/saturation": (((logit_GKK / 2).tanh().abs() * weight_GKK).sum(), groups),
            "rewards/margins": ((logit_GKK * weight_GKK).sum(), groups),
            "rewards/accuracies": (((logit_GKK > 0) * weight_GKK).sum(), groups),
        }

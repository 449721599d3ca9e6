"""ODPO, DPO with an offset: Amini, Vieira and Cotterell 2024, arXiv:2402.10571, on fresh pairs with verifiable labels.

    L = -log sigma( s_c - s_r - alpha f(r_c - r_r) )          s_k = beta log pi_theta(y_k) / pi_ref(y_k)

How much better the chosen rollout is says by how much it has to win. Online DPO (`online_dpo.py`) is alpha = 0, and all
that is not said here is as there: pairs, reference, means, importance weights.

    symbol   name here        symbol     name here
    alpha    alpha            r_k        reward_B, as shaped
    f        offset           y_c, y_r   credit "chosen", "rejected"

The authors take f = log, alpha = 1 and scores of a reward model (verified in their code; beta is set for each task
there, 0.05 to 0.7). A verifiable label knows no "how much": every gap is 1, so f = log gives an offset of 0, which is
online DPO and nothing else. The default here is therefore the gap itself, `reward_gap`, a constant offset of alpha;
`log_gap` is theirs. Gaps differ within a batch once rewards are shaped, which `overlong_factor` does (off by default);
a pair whose gap is then 0 or less is no pair for the logarithm. On plain labels ReNCE with one positive and one
negative is the same loss, the reference being the sampler.

Known variants: the ratio of scores instead of their difference (the authors' code, `ratio`), not here, as a label may
be 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from algorithms._torch import torch
from algorithms.base import Activity
from algorithms.hyperparameters import check_ranges
from algorithms.objectives.online_dpo import OnlineDPO
from algorithms.ops.groups import GroupTable
from algorithms.ops.margins import margins
from algorithms.ops.reward import less_overlong, overlong_words
from algorithms.rollouts import Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

OFFSET = Activity("dpo/offset", "mean offset of the DPO logit", 0.01)


@dataclass(frozen=True)
class ODPO(OnlineDPO):
    """Online DPO whose logit has to pass the gap in reward."""

    title: ClassVar[str] = "ODPO"
    source: ClassVar[str] = "Amini, Vieira and Cotterell 2024, arXiv:2402.10571"

    offset: Literal["reward_gap", "log_gap"] = "reward_gap"
    """f, the identity or the authors' logarithm, which is 0 on plain labels; see `margins.py`"""
    alpha: float = 1.0
    """scale of the offset; 0 is online DPO"""
    overlong_factor: float = 0.0
    """weight of DAPO's overlong penalty, on rewards of 0 and 1, so that gaps differ; 0: off"""
    overlong_buffer: float = 0.2
    """its L_cache as a share of L_max"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, alpha="[0, inf)", overlong_factor="[0, 1]", overlong_buffer="(0, 1]")

    @property
    def activity(self) -> tuple[Activity, ...]:
        return (OFFSET, *super().activity)

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        overlong = {"overlong penalty": {"overlong_factor": 0.0}} if self.overlong_factor else {}
        return {**({"offset": {"alpha": 0.0}} if self.alpha else {}), **overlong, **super().parts}

    def shape(self, batch: Rollouts) -> Tensor:
        return less_overlong(batch.reward_B, batch, self.overlong_factor, self.overlong_buffer)

    def spec(self) -> dict[str, str]:
        return super().spec() | {
            "reward": "label" + overlong_words(self.overlong_factor, self.overlong_buffer),
            "margin": f"{self.alpha:g} × {self.offset}",
        }

    def _offsets(self, batch: Rollouts, table: GroupTable, pair_GKK: Tensor, totals: Totals) -> tuple[Tensor, Tensor]:
        return margins(self.offset, self.alpha, 1.0, batch, table, pair_GKK, totals)

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
        offset = (torch.where(pair_GKK, offset_GKK, 0).sum(), pair_GKK.sum())
        of_dpo = super()._metrics(batch, logp_BT, totals, loss, logit_GKK, pair_GKK, offset_GKK)
        return of_dpo | {"dpo/offset": offset}

"""KL to a reference policy from the log-probs of sampled tokens, and when the penalty is charged.

With d = log pi_theta - log pi_ref on a token sampled from the old policy:

    estimator   value             its gradient in a loss, expected on-policy
    k1          d                 zero: of use as a number or in a reward, not in a loss
    k2          d^2 / 2           that of KL(pi_theta || pi_ref)
    k3          e^-d + d - 1      that of KL(pi_ref || pi_theta), the other direction, heavy tailed; held below 10
    rho_k3      rho k3            that of KL(pi_theta || pi_ref), off-policy too (DeepSeek-V3.2)

Source: J. Schulman, "Approximating KL divergence", 2020.

`kl_tokens` compares with any policy. Divergences from the sampling policy itself, of which the tokens are samples, have
estimates with the right expected gradient wherever theta is: `divergence_tokens`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from algorithms.base import Activity
from algorithms.ops.metrics import share
from algorithms.ops.ratios import MAX_LOG_RATIO, log_ratio, ratio
from algorithms.rollouts import Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

Estimator = Literal["k1", "k2", "k3", "rho_k3"]
Base = Literal["init", "synced", "old"]
"""what to compare with: a reference policy (the initial model, or a copy refreshed every so many steps), or the
policy that generated the batch"""
Gate = Literal["off", "penalty", "window", "sq_hinge", "controller"]
"""when the mean KL of the mini-batch is charged, in nats per token, with window w:

off         never
penalty     coef KL
window      coef max(0, KL - w)
sq_hinge    coef max(0, KL - w), held constant, times KL: the gradient of a squared hinge (DisCO, arXiv 2505.12366)
controller  c KL, where c starts at coef, grows by 1.5 when KL > 2 w and shrinks by 1.5 when KL < w / 2 (after PPO)
"""

Divergence = Literal["fkl", "ufkl", "rkl", "urkl"]
"""between the sampling policy and pi_theta, from the sampler's tokens, with w = pi_theta / pi_old (arXiv:2505.17508):

       of a token           estimates
fkl    -log w               KL(pi_old || pi_theta)
ufkl   w - log w - 1        the same, with a correction for mass that is 0 in expectation: less variance, never negative
rkl    w log w              KL(pi_theta || pi_old)
urkl   w log w - w + 1      the same, with that correction
"""

KL_GATE = Activity("actor/kl_gate", "share of updates that charge KL", 0.01)
MAX_K3 = 10.0
"""k3 of one token is held below it, as in verl: e^-d lets one token that the policy has all but given up outweigh the
batch. From d = -2.6 on such a token has no gradient. `rho_k3` needs no cap, as rho takes the growth back."""
CONTROLLER_FACTOR = 1.5
CONTROLLER_BAND = 2.0


def base_logp(batch: Rollouts, base: Base) -> Tensor:
    """Raises: ValueError if the batch has no reference log-probs."""
    if base == "old":
        return batch.old_logp_BT
    if batch.ref_logp_BT is None:
        raise ValueError(f"the objective needs the reference policy `{base}`, but the batch has no `ref_logp_BT`.")
    return batch.ref_logp_BT


def kl_tokens(logp_BT: Tensor, base_BT: Tensor, batch: Rollouts, estimator: Estimator) -> Tensor:
    """The estimate for each token, 0 on padding."""
    d_BT = log_ratio(logp_BT, base_BT, batch)
    if estimator == "k1":
        return d_BT
    if estimator == "k2":
        return d_BT.square() / 2
    held_BT = d_BT.clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO)
    k3_BT = (-held_BT).exp() + held_BT - 1
    return k3_BT.clamp(max=MAX_K3) if estimator == "k3" else ratio(logp_BT, batch) * k3_BT


def divergence_tokens(logp_BT: Tensor, batch: Rollouts, divergence: Divergence) -> Tensor:
    """The estimate for each token, 0 on padding."""
    d_BT = log_ratio(logp_BT, batch.old_logp_BT, batch)
    if divergence == "fkl":
        return -d_BT
    w_BT = ratio(logp_BT, batch)
    if divergence == "ufkl":
        return w_BT - d_BT - 1
    return w_BT * d_BT if divergence == "rkl" else w_BT * d_BT - w_BT + 1


@dataclass(frozen=True)
class Charge:
    """What the gate makes of the mini-batch's KL: `coefficient * (KL - threshold)`."""

    coefficient: float
    threshold: float = 0.0

    def on(self, kl: Tensor, batch: Rollouts, totals: Totals) -> Tensor:
        """This batch's share of the charge.

        Args:
            kl: summed over the tokens of this batch.
        """
        return self.coefficient * (kl - self.threshold * batch.mask_BT.sum()) / max(totals.tokens, 1)

    def metrics(self, kl: Tensor, batch: Rollouts, totals: Totals) -> dict[str, tuple[Tensor | float, Tensor | float]]:
        """(total, count) of what is logged of the KL.

        Args:
            kl: summed over the tokens of this batch.
        """
        part = share(batch, totals)
        return {
            "actor/kl_loss": (kl, batch.mask_BT.sum()),
            "actor/kl_coef": (self.coefficient * part, part),
            "actor/kl_gate": (part if self.coefficient else 0.0, part),
        }


def charge(gate: Gate, coef: float, window: float, means: Mapping[str, float], state: Mapping[str, float]) -> Charge:
    """The gate at the measured KL of the mini-batch; a constant, so that micro-batches add up.

    Raises: ValueError if a backend did not measure or adapt.
    """
    if gate == "off":
        return Charge(0.0)
    if gate == "penalty":
        return Charge(coef)
    if gate == "controller":
        return Charge(_handed(state, "kl_coef", "Totals.state", "adapt"))
    excess = _handed(means, "kl", "Totals.means", "measure") - window
    if gate == "sq_hinge":
        return Charge(coef * max(0.0, excess))
    return Charge(coef if excess > 0 else 0.0, window)


def controlled(coef: float, kl: float, target: float) -> float:
    """The controller's next coefficient."""
    if kl > CONTROLLER_BAND * target:
        return coef * CONTROLLER_FACTOR
    return coef / CONTROLLER_FACTOR if kl < target / CONTROLLER_BAND else coef


def _handed(values: Mapping[str, float], key: str, where: str, method: str) -> float:
    if key not in values:
        raise ValueError(f"`{where}` must hold `{key}`: the backend has to call `{method}` before `loss`.")
    return values[key]

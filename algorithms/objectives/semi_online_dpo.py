"""Semi-online DPO: Lanchantin et al. 2025, arXiv:2506.21495, with s = 10: generator and reference are synced together,
every 10 steps.

    L = -log sigma( beta [ log pi_theta(y_c) / pi_ref(y_c) - log pi_theta(y_r) / pi_ref(y_r) ] )

The objective is that of `online_dpo`, hyper-parameters and all. What differs is the recipe, of which this algorithm
sets two keys: `generator_sync_steps` and `reference_sync_steps`, both 10. So a step's rollouts come from the policy of
0 to 9 steps before it, and the reference is that policy. s = 1 is the paper's online DPO; s = 100 it tries, too.

Where the paper is silent, and what else there is:
- the paper's s counts updates; a step here is a rollout batch, of which the recipe makes `epochs` x `minibatches`;
- another s is said in the arm: `recipe: {generator_sync_steps: 100, reference_sync_steps: 100}`;
- no ratio corrects for the age of the rollouts: the reference is the policy that sampled, and DPO needs no other. Pairs
  and importance weights are as `online_dpo` has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from algorithms.objectives.online_dpo import OnlineDPO


@dataclass(frozen=True)
class SemiOnlineDPO(OnlineDPO):
    """Online DPO on rollouts of a policy that is up to 9 steps old, which is the reference, too."""

    title: ClassVar[str] = "Semi-online DPO"
    recipe: ClassVar[Mapping[str, Any]] = MappingProxyType({"generator_sync_steps": 10, "reference_sync_steps": 10})

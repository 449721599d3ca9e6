"""The built-in algorithms by name. The harness adds those of other packages (`harness/base/registry.py`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from algorithms.base import Algorithm
from algorithms.hyperparameters import changed, nearest
from algorithms.objectives.a_lol import ALoL
from algorithms.objectives.cispo import CISPO
from algorithms.objectives.conspo import ConSPO
from algorithms.objectives.copg import CoPG
from algorithms.objectives.dapo import DAPO
from algorithms.objectives.disco import DisCO
from algorithms.objectives.dno import DNO
from algorithms.objectives.dr_grpo import DrGRPO
from algorithms.objectives.grpo import GRPO
from algorithms.objectives.gspo import GSPO
from algorithms.objectives.lite_ppo import LitePPO
from algorithms.objectives.magistral import Magistral
from algorithms.objectives.nca import NCA, InfoNCA
from algorithms.objectives.odpo import ODPO
from algorithms.objectives.online_dpo import OnlineDPO
from algorithms.objectives.reinforce import Reinforce
from algorithms.objectives.reinforce_pp import ReinforcePP, ReinforcePPBaseline
from algorithms.objectives.rejection import Rejection
from algorithms.objectives.rence import ReNCE
from algorithms.objectives.rloo import RLOO
from algorithms.objectives.rpg import RPG
from algorithms.objectives.w_reinforce import NSR, PSR, WReinforce

ALGORITHMS: dict[str, Algorithm] = {
    "rence": ReNCE(),
    "rence_plain": ReNCE(margin_mode="none", kl_mode="off", t_easy=1.0),
    "rence_mean": ReNCE(pos_reduction="mean"),
    "grpo": GRPO(),
    "dr_grpo": DrGRPO(),
    "dapo": DAPO(),
    "lite_ppo": LitePPO(),
    "magistral": Magistral(),
    "gspo": GSPO(),
    "cispo": CISPO(),
    "reinforce": Reinforce(),
    "rloo": RLOO(),
    "reinforce_pp": ReinforcePP(),
    "reinforce_pp_baseline": ReinforcePPBaseline(),
    "w_reinforce": WReinforce(),
    "psr": PSR(),
    "nsr": NSR(),
    "online_dpo": OnlineDPO(),
    "online_dpo_ref_init": OnlineDPO(ref_policy="init"),
    "group_dpo": OnlineDPO(pairs="all"),
    "rejection": Rejection(),
    "rejection_dft": Rejection(weighting="probability"),
    "odpo": ODPO(),
    "infonca": InfoNCA(),
    "nca": NCA(),
    "disco": DisCO(),
    "disco_lratio": DisCO(score="l_ratio", tau=1.0),
    "disco_b": DisCO(negatives="mean"),
    "conspo": ConSPO(),
    "copg": CoPG(),
    "dno": DNO(),
    "a_lol": ALoL(),
    "rpg": RPG(),
    "rpg_ufkl": RPG(divergence="ufkl"),
    "rpg_rkl": RPG(divergence="rkl"),
    "rpg_fkl": RPG(divergence="fkl"),
    "rpg_differentiable": RPG(style="differentiable"),
}


class UnknownAlgorithm(LookupError):
    """No algorithm has that name."""


def get(name: str, **hyperparameters: Any) -> Algorithm:
    """The algorithm of that name, with some hyper-parameters changed.

    Raises: UnknownAlgorithm; ValueError for a hyper-parameter that does not exist or is out of range.
    """
    if name not in ALGORITHMS:
        raise unknown(name, ALGORITHMS)
    return changed(name, ALGORITHMS[name], **hyperparameters)


def names() -> list[str]:
    """In their order."""
    return list(ALGORITHMS)


def unknown(name: str, known: Iterable[str]) -> UnknownAlgorithm:
    """What to raise for a name that is not among those that are known."""
    return UnknownAlgorithm(f"there is no algorithm `{name}`. {nearest(name, known)} See: rence list algorithms")

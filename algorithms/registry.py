"""Every algorithm by name: the explicit list below, and what other packages offer in the group `rence.algorithms`,
where an entry point names an `Algorithm` instance or class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from algorithms.base import Algorithm
from algorithms.hyperparameters import nearest
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
from plugins import Plugins, Unfit

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


def _accept(name: str, offered: Any) -> Algorithm:
    algorithm = offered() if isinstance(offered, type) else offered
    if not isinstance(algorithm, Algorithm):
        raise Unfit(f"it must be an Algorithm, but is {type(algorithm).__name__} instead")
    for part in ("title", "source"):
        if not isinstance(getattr(algorithm, part, None), str):
            raise Unfit(f"{type(algorithm).__name__} has no `{part}`")
    return algorithm


PLUGINS = Plugins("rence.algorithms", "algorithm", lambda: ALGORITHMS, _accept)


def get(name: str, **hyperparameters: Any) -> Algorithm:
    """The algorithm of that name, with some hyper-parameters changed.

    Raises: UnknownAlgorithm; PluginError; ValueError for a hyper-parameter that does not exist or is out of range.
    """
    algorithm = _default(name)
    known = [field.name for field in fields(algorithm)]
    for key in hyperparameters:
        if key not in known:
            raise ValueError(f"`{name}` has no hyper-parameter `{key}`. {nearest(key, known)}")
    return replace(algorithm, **hyperparameters)


def names() -> list[str]:
    """The built-in algorithms in their order, then plug-ins by name; loads nothing."""
    return [*ALGORITHMS, *PLUGINS.names()]


def catalogue() -> Mapping[str, Algorithm]:
    """Every name with its default instance, plug-ins that cannot be used left out (`PLUGINS.broken`)."""
    return {**ALGORITHMS, **PLUGINS.usable()}


def _default(name: str) -> Algorithm:
    if name in ALGORITHMS:
        return ALGORITHMS[name]
    if name not in PLUGINS.names():
        raise UnknownAlgorithm(f"there is no algorithm `{name}`. {nearest(name, names())} See: rence list algorithms")
    return PLUGINS.get(name)

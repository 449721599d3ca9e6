"""The built-in algorithms by name. The harness adds those of other packages (`harness/base/registry.py`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
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
from algorithms.objectives.semi_online_dpo import SemiOnlineDPO
from algorithms.objectives.w_reinforce import NSR, PSR, WReinforce

ALGORITHMS: dict[str, Algorithm] = {
    "rence": ReNCE(),
    "grpo": GRPO(),
    "dapo": DAPO(),
    "magistral": Magistral(),
    "gspo": GSPO(),
    "cispo": CISPO(),
    "reinforce": Reinforce(),
    "reinforce_pp": ReinforcePP(),
    "w_reinforce": WReinforce(),
    "online_dpo": OnlineDPO(),
    "rejection": Rejection(),
    "odpo": ODPO(),
    "infonca": InfoNCA(),
    "nca": NCA(),
    "disco": DisCO(),
    "conspo": ConSPO(),
    "copg": CoPG(),
    "dno": DNO(),
    "a_lol": ALoL(),
    "rpg": RPG(),
}
"""a class each, with its defaults"""
PRESETS: dict[str, dict[str, Algorithm]] = {
    "rence": {
        "rence_plain": ReNCE(margin_mode="none", kl_mode="off", t_easy=1.0),
        "rence_mean": ReNCE(pos_reduction="mean"),
    },
    "grpo": {"dr_grpo": DrGRPO(), "lite_ppo": LitePPO()},
    "reinforce": {"rloo": RLOO()},
    "reinforce_pp": {"reinforce_pp_baseline": ReinforcePPBaseline()},
    "w_reinforce": {"psr": PSR(), "nsr": NSR()},
    "online_dpo": {
        "semi_online_dpo": SemiOnlineDPO(),
        "online_dpo_ref_init": OnlineDPO(ref_policy="init"),
        "group_dpo": OnlineDPO(pairs="all"),
    },
    "rejection": {"rejection_dft": Rejection(weighting="probability")},
    "disco": {"disco_lratio": DisCO(score="l_ratio", tau=1.0), "disco_b": DisCO(negatives="mean")},
    "rpg": {
        "rpg_ufkl": RPG(divergence="ufkl"),
        "rpg_rkl": RPG(divergence="rkl"),
        "rpg_fkl": RPG(divergence="fkl"),
        "rpg_differentiable": RPG(style="differentiable"),
    },
}
"""algorithm -> named settings of its class, which add no code. Those that a paper has a name for, such as Dr. GRPO, are
subclasses with a page, a title and defaults of their own; so are those that set the recipe, too, as semi-online DPO"""
ALL: dict[str, Algorithm] = {
    name: algorithm
    for own, default in ALGORITHMS.items()
    for name, algorithm in {own: default, **PRESETS.get(own, {})}.items()
}
"""every name, an algorithm's presets after it"""


class UnknownAlgorithm(LookupError):
    """No algorithm has that name."""


def get(name: str, **hyperparameters: Any) -> Algorithm:
    """The algorithm of that name, with some hyper-parameters changed.

    Raises: UnknownAlgorithm; ValueError for a hyper-parameter that does not exist or is out of range.
    """
    if name not in ALL:
        raise unknown(name, ALL)
    return changed(name, ALL[name], **hyperparameters)


def names() -> list[str]:
    """In their order."""
    return list(ALL)


def preset_of(name: str, algorithm: Algorithm) -> str | None:
    """The algorithm of ours that this one is a setting of, a plug-in too; None if it has a class of its own.

    Args:
        name: ours or a plug-in's.
    """
    if name in ALL:
        return next((own for own, presets in PRESETS.items() if name in presets), None)
    return next((own for own, default in ALGORITHMS.items() if type(algorithm) is type(default)), None)


def settings(name: str, algorithm: Algorithm) -> dict[str, Any]:
    """Where a preset leaves the defaults of its algorithm: hyper-parameter -> value. Empty if it is no preset, or one
    of the recipe alone (`Algorithm.recipe`)."""
    own = preset_of(name, algorithm)
    if own is None:
        return {}
    default = ALGORITHMS[own]
    values = {field.name: getattr(algorithm, field.name) for field in fields(default)}
    return {key: value for key, value in values.items() if value != getattr(default, key)}


def unknown(name: str, known: Iterable[str]) -> UnknownAlgorithm:
    """What to raise for a name that is not among those that are known."""
    return UnknownAlgorithm(f"there is no algorithm `{name}`. {nearest(name, known)} See: rence list algorithms")

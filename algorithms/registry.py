"""Every algorithm by name: the explicit list below, and what other packages offer in the group `rence.algorithms`.

An entry point names an `Algorithm` instance or class. Plug-ins are loaded when they are asked for; one that fails
is an error that names it, and leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from algorithms.base import Algorithm
from algorithms.hyperparameters import nearest
from algorithms.objectives.cispo import CISPO
from algorithms.objectives.conspo import ConSPO
from algorithms.objectives.copg import CoPG
from algorithms.objectives.dapo import DAPO
from algorithms.objectives.disco import DisCO
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

GROUP = "rence.algorithms"

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
    "rpg": RPG(),
    "rpg_ufkl": RPG(divergence="ufkl"),
    "rpg_rkl": RPG(divergence="rkl"),
    "rpg_fkl": RPG(divergence="fkl"),
    "rpg_differentiable": RPG(style="differentiable"),
}


class UnknownAlgorithm(LookupError):
    """No algorithm has that name."""


class PluginError(ImportError):
    """An algorithm of another package cannot be used; the message names it and says why."""


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
    return [*ALGORITHMS, *sorted(_plugins().keys() - ALGORITHMS.keys())]


def catalogue() -> Mapping[str, Algorithm | PluginError]:
    """Every name with its default instance, or with the reason why a plug-in cannot be used."""
    found: dict[str, Algorithm | PluginError] = {}
    for name in names():
        try:
            found[name] = _default(name)
        except PluginError as error:
            found[name] = error
    return found


def _default(name: str) -> Algorithm:
    plugin = _plugins().get(name)
    if name in ALGORITHMS:
        if plugin is not None:
            raise PluginError(f"{_described(plugin)} takes the name of a built-in algorithm. Rename its entry point.")
        return ALGORITHMS[name]
    if plugin is None:
        raise UnknownAlgorithm(f"there is no algorithm `{name}`. {nearest(name, names())} See: rence list algorithms")
    return _loaded(plugin)


def _loaded(plugin: EntryPoint) -> Algorithm:
    try:
        offered = plugin.load()
        algorithm = offered() if isinstance(offered, type) else offered
    except Exception as error:  # foreign code may fail in any way; whatever it was, it is reported under its name
        reason = f"{type(error).__name__}: {error}"
        raise PluginError(f"{_described(plugin)} fails to load: {reason}. Mend or uninstall it.") from error
    if not isinstance(algorithm, Algorithm):
        raise PluginError(f"{_described(plugin)} must be an Algorithm, but is {type(algorithm).__name__} instead.")
    return algorithm


def _described(plugin: EntryPoint) -> str:
    package = f" of {plugin.dist.name} {plugin.dist.version}" if plugin.dist else ""
    return f"the algorithm `{plugin.name}` ({plugin.value}{package})"


@cache
def _plugins() -> dict[str, EntryPoint]:
    return {plugin.name: plugin for plugin in entry_points(group=GROUP)}

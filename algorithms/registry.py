"""Every algorithm by name: the explicit list below, and what other packages offer in the group `rence.algorithms`,
where an entry point names an `Algorithm` instance or class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from algorithms.base import Algorithm
from algorithms.hyperparameters import nearest
from algorithms.objectives.dapo import DAPO
from algorithms.objectives.grpo import GRPO
from algorithms.objectives.online_dpo import OnlineDPO
from algorithms.objectives.rejection import Rejection
from algorithms.objectives.rence import ReNCE
from plugins import Plugins, Unfit

ALGORITHMS: dict[str, Algorithm] = {
    "rence": ReNCE(),
    "rence_plain": ReNCE(margin_mode="none", kl_mode="off", t_easy=1.0),
    "rence_mean": ReNCE(pos_reduction="mean"),
    "grpo": GRPO(),
    "dapo": DAPO(),
    "online_dpo": OnlineDPO(),
    "online_dpo_ref_init": OnlineDPO(ref_policy="init"),
    "group_dpo": OnlineDPO(pairs="all"),
    "rejection": Rejection(),
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

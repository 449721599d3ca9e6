"""The objectives that ship, as classes to subclass: `class Mine(rence.objectives.GRPO)`. Each is a frozen dataclass;
`rence show NAME` prints its equation and source."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
else:

    def __getattr__(name: str) -> object:
        from rence.lazy import attribute

        return attribute(__name__, name)


__all__ = [
    "CISPO", "DAPO", "DNO", "GRPO", "GSPO", "NCA", "NSR", "ODPO", "PSR", "RLOO", "RPG", "ALoL", "CoPG", "ConSPO",
    "DisCO", "DrGRPO", "InfoNCA", "LitePPO", "Magistral", "OnlineDPO", "ReNCE", "Reinforce", "ReinforcePP",
    "ReinforcePPBaseline", "Rejection", "SemiOnlineDPO", "WReinforce",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""One trial after the other takes its devices of a Ray cluster: from when it finds them free until they are its own.

Else two would find the same ones free, and of two trials over several machines each could hold what the other waits
for. It makes a line, too: small trials do not overtake one that waits for whole machines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ray
from verl.single_controller.ray import ResourcePoolManager
from verl.utils.device import get_device_name

_CLAIM = {"name": "turn", "namespace": "rence"}
"""an actor: Ray gives a name to one alone, and ends it with its driver"""


class Claim:
    """Has nothing but its name."""


class Turn:
    """Of this process, on the cluster that it has joined."""

    def __init__(self) -> None:
        self._claim: Any | None = None

    def come(self) -> bool:
        """Whether it is this trial's turn; if nobody has it, it is from now on."""
        if self._claim is None:
            try:
                self._claim = ray.remote(num_cpus=0)(Claim).options(**_CLAIM).remote()
            except ValueError:  # another has the name
                return False
        return True

    def end(self) -> None:
        """The next one's. A second call changes nothing."""
        if self._claim is not None:
            ray.kill(self._claim)
            self._claim = None


@dataclass
class Pools(ResourcePoolManager):
    """verl's, but their devices are taken when they are made, and not with the first worker."""

    placed: Callable[[], None] = lambda: None
    """called then"""

    def create_resource_pool(self) -> None:
        """Returns when Ray has given all devices."""
        super().create_resource_pool()
        for pool in self.resource_pool_dict.values():
            pool.get_placement_groups(device_name=get_device_name())
        self.placed()

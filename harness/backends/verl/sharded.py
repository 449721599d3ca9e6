"""The learner's state on disk, whatever number of ranks it is cut over: torch.distributed.checkpoint.

Each rank writes the parts of the weights that it holds, and reads those that it is to hold, from wherever they stand.
Earlier versions wrote a file for each rank (verl's own `model_world_size_2_rank_0.pt`, and `reference_rank_0_of_2.pt`
of ours), which as many ranks read: `checkpoint.check_ranks`.

All functions are collective: every rank of torch.distributed's process group has to call them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from torch import Tensor
from torch.distributed.checkpoint.filesystem import FileSystemReader
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save
from torch.distributed.tensor import DTensor, distribute_tensor
from verl.utils.checkpoint.checkpoint_manager import BaseCheckpointManager
from verl.utils.device import get_device_id
from verl.utils.fsdp_utils import offload_fsdp_optimizer

from harness.models import adapters

WEIGHT, OPTIMIZER = "weight.", "optimizer."
"""before a weight's name; and before a quantity of the optimiser's and a name: `optimizer.exp_avg.lm_head.weight`"""


def save_weights(module: torch.nn.Module, folder: str | Path) -> None:
    """Of a module that FSDP2 has cut."""
    _save(weights(module), folder)


def load_weights(module: torch.nn.Module, folder: str | Path) -> None:
    """What `save_weights` or `save_learner` wrote, over the module's own."""
    with torch.no_grad():
        load(weights(module), checkpoint_id=str(folder))


def save_learner(engine: Any, folder: str | Path) -> None:
    """
    Args:
        engine: verl's FSDPEngine, with an optimiser whose state is tensors, as AdamW's is.
    """
    found = weights(engine.module)  # before names are asked for: it puts FSDP2's parts in their place
    for name, parameter in engine.module.named_parameters():
        for quantity, value in engine.optimizer.state.get(parameter, {}).items():
            found[f"{OPTIMIZER}{quantity}.{name}"] = value
    _save(found, folder)
    torch.save(BaseCheckpointManager.get_rng_state(), random_file(folder))


def load_learner(engine: Any, folder: str | Path) -> None:
    """What `save_learner` wrote. Random numbers, which dropout alone draws, go on where as many ranks had them."""
    wanted = weights(engine.module)
    known = FileSystemReader(str(folder)).read_metadata().state_dict_metadata
    parameters, state = dict(engine.module.named_parameters()), dict[Tensor, dict[str, Tensor]]()
    for key in known:
        if key.startswith(OPTIMIZER):
            quantity, _, name = key.removeprefix(OPTIMIZER).partition(".")
            parameter = parameters[name]
            # AdamW counts steps in a number of its own for each weight, which stays in the host's memory
            empty = torch.zeros(()) if quantity == "step" else torch.zeros_like(parameter, requires_grad=False)
            state.setdefault(parameter, {})[quantity] = wanted[key] = empty
    with torch.no_grad():
        load(wanted, checkpoint_id=str(folder))
    engine.optimizer.state.clear()
    engine.optimizer.state.update(state)
    if engine._is_offload_optimizer:
        offload_fsdp_optimizer(engine.optimizer)
    if random_file(folder).exists():
        BaseCheckpointManager.load_rng_state(torch.load(random_file(folder), weights_only=False))


def is_here(folder: str | Path) -> bool:
    """Whether something was written by this module; no collective."""
    return (Path(folder) / ".metadata").exists()


def weights(module: torch.nn.Module) -> dict[str, Tensor]:
    """Those of a module that FSDP2 has cut, sharing its memory; tied ones once, under their first name. Of a module
    with adapters these alone: the others are the initial model's for ever.

    `state_dict` makes FSDP2 drop the gathered weights that it may still hold from a forward pass, so that what is
    written here is what the next one reads.
    """
    state = module.state_dict()
    own = adapters.state(module) if adapters.adapted(module) else dict(module.named_parameters())
    once = {*own, *(name for name, _ in module.named_buffers())}
    return {WEIGHT + name: value for name, value in state.items() if name in once}


def whole(part: Tensor) -> Tensor:
    """All of a weight, on this rank's device."""
    here = part.to(get_device_id())
    return here.full_tensor() if isinstance(here, DTensor) else here


def spread(parameter: Tensor, value: Tensor) -> None:
    """Give each rank its part of a weight, which every rank has whole."""
    if isinstance(parameter, DTensor):
        cut = distribute_tensor(value.to(get_device_id()), parameter.device_mesh, parameter.placements)
        parameter.to_local().copy_(cut.to_local())
    else:
        parameter.copy_(value)


def shards(module: torch.nn.Module) -> dict[str, Tensor]:
    """This rank's part of each weight, sharing the module's memory."""
    found = weights(module).items()
    return {
        name.removeprefix(WEIGHT): value.to_local() if isinstance(value, DTensor) else value for name, value in found
    }


def fill(module: torch.nn.Module, parts: Mapping[str, Tensor]) -> None:
    """Overwrite this rank's part of the weights."""
    with torch.no_grad():
        for name, value in shards(module).items():
            value.copy_(parts[name])


def copied(parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """In the host's memory, whatever becomes of the originals."""
    return {name: value.detach().to("cpu", copy=True) for name, value in parts.items()}


def random_file(folder: str | Path) -> Path:
    """This rank's, where there are as many ranks as now."""
    return Path(folder) / f"random_{_rank()}.pt"


def part_file(folder: str | Path, name: str) -> Path:
    """Where an earlier version kept this rank's part of the weights `name`."""
    return Path(folder) / f"{name}_{_rank()}.pt"


def load_part(folder: str | Path, name: str) -> dict[str, Tensor]:
    """What an earlier version wrote there, with as many ranks as now."""
    found: dict[str, Tensor] = torch.load(part_file(folder, name), map_location="cpu", weights_only=True)
    return found


def _rank() -> str:
    return f"rank_{torch.distributed.get_rank()}_of_{torch.distributed.get_world_size()}"


def _save(found: dict[str, Tensor], folder: str | Path) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    save(found, checkpoint_id=str(folder))

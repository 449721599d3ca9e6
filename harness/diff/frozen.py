"""A rollout batch and the policy that is to learn from it, wherever they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.backends import recorded
from harness.backends.local.token_weights import Moment
from harness.base.errors import UserError

SHIPPED = Path(__file__).parent / "quickstart-batch"
"""32 groups of GRPO on the quickstart; its README says how to make it again"""


@dataclass(frozen=True, eq=False, kw_only=True)
class Frozen(Moment):
    """What every algorithm is run on."""

    model: Path
    """theta, in Hugging Face layout"""
    temperature: float
    source: str
    """`shipped`, `recorded` or `verl`"""
    origin: Mapping[str, Any]
    """where it comes from, for the reader"""
    notes: tuple[str, ...]
    """what is not as in training"""
    on_policy: bool = False
    """theta is taken for the policy that sampled: all ratios are 1, and `batch.old_logp_BT` is yet to be filled"""


def read(place: Path | None, model: str | None, correct_above: float | None) -> Frozen:
    """
    Args:
        place: a recorded folder or its batch.json, or a dump of verl's; None: the shipped batch.
        model: folder or name of the policy, for a dump, which has texts only.
        correct_above: a score above it is correct, in a dump whose scores are not just right or wrong.
    Raises: UserError or DataError, with what is allowed.
    """
    if place is not None and place.suffix == ".jsonl":
        return _dumped(place, model, correct_above)
    if model is not None or correct_above is not None:
        option = "--model" if model is not None else "--correct-above"
        raise UserError(
            f"`{option}` is for a dump of verl's, a .jsonl file. A recorded batch has its own weights and labels."
        )
    return _recorded(SHIPPED, "shipped") if place is None else _recorded(_folder(place), "recorded")


def _folder(place: Path) -> Path:
    folder = place.parent if place.name == recorded.HEADER else place
    if (folder / recorded.HEADER).is_file():
        return folder
    inside = sorted(folder.glob(f"**/{recorded.HEADER}")) if folder.is_dir() else []
    if inside:
        raise UserError(f"{place} holds {len(inside)} recorded batches. Name one, such as {inside[0].parent}.")
    raise UserError(
        f"{place} is no rollout batch: neither a folder with {recorded.HEADER} nor a .jsonl file of verl's. "
        "`record_steps=[N]` on `rence run` records one: runs/EXPERIMENT/ARM/seedK/rollouts/step_N."
    )


def _recorded(folder: Path, source: str) -> Frozen:
    found = recorded.read(folder)
    origin = found.origin
    return Frozen(
        batch=found.batch,
        model=folder / recorded.MODEL,
        init_logp_BT=found.init_logp_BT,
        synced_logp_BT=found.synced_logp_BT,
        temperature=origin.temperature,
        progress=origin.progress,
        seed=origin.seed,
        step=origin.step,
        source=source,
        origin=asdict(origin),
        notes=(),
    )


def _dumped(place: Path, model: str | None, correct_above: float | None) -> Frozen:
    """A dump of verl's, taken as just sampled by `model`.

    Raises: UserError without a model; UserError or DataError with the line if the dump cannot be read.
    """
    if model is None:
        raise UserError(
            f"{place} holds texts only, so log-probs have to be computed: --model DIR names the policy, "
            "in Hugging Face layout."
        )
    from harness.diff import dumped

    found = dumped.read(place, model, correct_above)
    return Frozen(
        batch=found.batch,
        model=found.model,
        init_logp_BT=None,
        synced_logp_BT=None,
        temperature=1.0,
        progress=None,
        seed=0,
        step=found.step,
        source="verl",
        origin={"file": str(place), "model": model, "step": found.step},
        notes=found.notes,
        on_policy=True,
    )

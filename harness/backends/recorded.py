"""A rollout batch on disk, frozen with the weights that were learning from it: what `rence diff` is run on.

    step_<n>/  batch.json          where it comes from, the prompts, and the hash of everything else
               batch.safetensors   the rollouts, laid end to end
               model/              the learner before the last update of the step, in Hugging Face layout

All groups that the step generated are there, before any filter: every algorithm applies its own. The folder is written
under another name and renamed, so its existence means that it is complete.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.backends.groups import TokenRollouts
from harness.base.errors import UserError, naming
from harness.models.resolving import model_hash
from harness.records import SCHEMA, DataError, Mark, read_json, to_disk, write_json
from harness.records.seals import file_hash

HEADER, TENSORS, MODEL = "batch.json", "batch.safetensors", "model"
_MARKS = [mark.value for mark in Mark]


@dataclass(frozen=True)
class Origin:
    """Where a batch comes from, and how it was sampled."""

    experiment: str
    arm: str
    algorithm: str
    seed: int
    step: int
    progress: float
    """share of the trial's budget that had been generated, this step's rollouts included"""
    temperature: float
    max_tokens: int
    """the response limit"""
    start_hash: str
    """of the model that training started from"""
    environment: dict[str, str]
    """versions and commit"""


@dataclass(frozen=True, eq=False)
class Recorded:
    """Everything of one step that an objective may ask for, but the weights."""

    origin: Origin
    batch: TokenRollouts
    """all groups with a marked rollout; rewards are labels, and there is neither reference nor credit"""
    marks: tuple[Mark, ...]
    """of each rollout"""
    init_logp_BT: Tensor
    """log-probs under the model that training started from"""
    synced_logp_BT: Tensor | None
    """log-probs under the copy of the sampler's weights that the arm kept as its reference, if it kept one"""


def write(folder: Path, recorded: Recorded, save_model: Callable[[Path], None]) -> None:
    """Whole or not at all, in the place of an older one.

    Args:
        save_model: writes weights and tokenizer into a folder, in Hugging Face layout.
    """
    from safetensors.torch import save_file

    new = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    with naming(folder):
        save_model(new / MODEL)
        save_file(_tensors(recorded), new / TENSORS)
    batch = recorded.batch
    header = {
        "schema": SCHEMA,
        **asdict(recorded.origin),
        "rollouts": len(batch),
        "groups": batch.groups,
        "tokens": int(batch.mask_BT.sum()),
        "marks": _MARKS,
        "tensors_sha256": file_hash(new / TENSORS),
        "model_hash": model_hash(new / MODEL),
        "problems": [{"id": problem, "prompt": list(batch.prompts[problem])} for problem in batch.problem_ids],
    }
    write_json(new / HEADER, header)
    for path in [*new.rglob("*"), new]:
        to_disk(path)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def read(folder: Path) -> Recorded:
    """Raises: DataError if something is missing, broken, or not what was written."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    header = read_json(folder / HEADER)
    missing = [key for key in ("problems", "marks", "tensors_sha256", "model_hash", *_NAMES) if key not in header]
    if missing:
        raise DataError(f"{folder / HEADER} lacks `{missing[0]}`. Is it the header of a recorded rollout batch?")
    _check(folder, header)
    try:
        tensors = load_file(folder / TENSORS)
    except SafetensorError as error:
        raise DataError(f"{folder / TENSORS} cannot be read: {error}.") from None
    origin = Origin(**{name: header[name] for name in _NAMES})
    return _recorded(origin, tensors, header["problems"], header["marks"])


_NAMES = [field.name for field in fields(Origin)]


def _check(folder: Path, header: dict[str, Any]) -> None:
    """Raises: DataError."""
    try:
        found = {TENSORS: file_hash(folder / TENSORS), MODEL: model_hash(folder / MODEL)}
    except FileNotFoundError as error:
        raise DataError(f"{error.filename} does not exist. The folder is not whole: record the step again.") from None
    except UserError as error:
        raise DataError(str(error)) from None
    written = {TENSORS: header["tensors_sha256"], MODEL: header["model_hash"]}
    for what, digest in found.items():
        if digest != written[what]:
            raise DataError(f"{folder}: {what} is not what {HEADER} says (by its hash). Record the step again.")


def _tensors(recorded: Recorded) -> dict[str, Tensor]:
    """Of B rollouts with N tokens in all, in their order."""
    batch, mask_BT = recorded.batch, recorded.batch.mask_BT
    tensors = {
        "group_B": batch.group_B.int(),
        "length_B": batch.length_B.int(),
        "label_B": batch.label_B,
        "correct_B": batch.correct_B,
        "truncated_B": batch.truncated_B,
        "mark_B": torch.tensor([_MARKS.index(mark.value) for mark in recorded.marks], dtype=torch.uint8),
        "token_N": batch.tokens_BT[mask_BT].int(),
        "old_logp_N": batch.old_logp_BT[mask_BT],
        "init_logp_N": recorded.init_logp_BT[mask_BT],
    }
    if recorded.synced_logp_BT is not None:
        tensors["synced_logp_N"] = recorded.synced_logp_BT[mask_BT]
    return tensors


def _recorded(origin: Origin, tensors: dict[str, Tensor], problems: Sequence[Any], marks: Sequence[str]) -> Recorded:
    """Inverse of `_tensors`: rollouts laid end to end, N tokens in all, become B rows of T tokens, 0 after the end.

    Args:
        problems: id and prompt tokens of each, in the order that `group_B` counts by.
        marks: words that `mark_B` counts by, as the header has them.
    """
    length_B = tensors["length_B"].long()
    mask_BT = torch.arange(int(length_B.max())) < length_B[:, None]

    def padded(value_N: Tensor) -> Tensor:
        return torch.zeros(mask_BT.shape, dtype=value_N.dtype).masked_scatter(mask_BT, value_N)

    batch = TokenRollouts(
        group_B=tensors["group_B"].long(),
        label_B=tensors["label_B"],
        # Before any shaping, which each algorithm that reads it does by itself.
        reward_B=tensors["label_B"].float(),
        truncated_B=tensors["truncated_B"],
        mask_BT=mask_BT,
        old_logp_BT=padded(tensors["old_logp_N"]),
        problem_ids=tuple(problem["id"] for problem in problems),
        max_tokens=origin.max_tokens,
        tokens_BT=padded(tensors["token_N"].long()),
        prompts={problem["id"]: tuple(problem["prompt"]) for problem in problems},
        correct_B=tensors["correct_B"],
    )
    # Not every arm keeps such a reference.
    synced_N = tensors.get("synced_logp_N")
    return Recorded(
        origin,
        batch,
        tuple(Mark(marks[mark]) for mark in tensors["mark_B"].tolist()),
        padded(tensors["init_logp_N"]),
        None if synced_N is None else padded(synced_N),
    )
